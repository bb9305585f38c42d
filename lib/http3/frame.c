/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/frame.h"

#include "base/reader.h"
#include "http3/error.h"

/* Octets of the integer whose first octet this is (RFC 9000 section 16). */
static size_t
integer_length(uint8_t first_octet)
{
	return (size_t)1 << (first_octet >> 6);
}

/*
 * How many octets `integers` integers at the front take, as far as that is known from the octets there are.
 */
static size_t
wanted(const struct http3_pair *pair, unsigned integers)
{
	size_t want = 0;

	for (unsigned i = 0; i < integers; i++)
		want += want < pair->have ? integer_length(pair->octets[want]) : 1;
	return want;
}

static size_t
gather(struct http3_pair *pair, unsigned integers, const uint8_t *octets, size_t length, bool *complete)
{
	size_t taken = 0;

	/* What is wanted can grow with each first octet, so it is asked again until nothing is missing. */
	for (;;) {
		size_t missing = wanted(pair, integers) - pair->have;

		*complete = missing == 0;
		if (missing == 0 || taken == length)
			return taken;
		if (missing > length - taken)
			missing = length - taken;
		memcpy(pair->octets + pair->have, octets + taken, missing);
		pair->have += (uint8_t)missing;
		taken += missing;
	}
}

size_t
http3_pair_read(struct http3_pair *pair, const uint8_t *octets, size_t length, bool *complete,
	uint64_t *first, uint64_t *second)
{
	size_t taken = gather(pair, 2, octets, length, complete);

	if (*complete) {
		struct base_reader reader = base_reader(pair->octets, pair->have);

		*first = base_reader_varint(&reader);
		*second = base_reader_varint(&reader);
		pair->have = 0;
	}
	return taken;
}

size_t
http3_pair_read_one(
	struct http3_pair *pair, const uint8_t *octets, size_t length, bool *complete, uint64_t *value)
{
	size_t taken = gather(pair, 1, octets, length, complete);

	if (*complete) {
		struct base_reader reader = base_reader(pair->octets, pair->have);

		*value = base_reader_varint(&reader);
		pair->have = 0;
	}
	return taken;
}

size_t
http3_frame_header_length(uint64_t type, uint64_t length)
{
	return base_varint_length(type) + base_varint_length(length);
}

void
http3_frame_header_write(struct base_writer *writer, uint64_t type, uint64_t length)
{
	base_writer_varint(writer, type);
	base_writer_varint(writer, length);
}

uint64_t
http3_grease(uint64_t n)
{
	return 0x1f * n + 0x21;
}

/* Where a frame may stand (RFC 9114 table 1, RFC 9218 section 7.2). */
enum {
	REQUEST_TO_SERVER = 1,
	REQUEST_TO_CLIENT = 2,
	CONTROL_TO_SERVER = 4,
	CONTROL_TO_CLIENT = 8,
	REQUEST = REQUEST_TO_SERVER | REQUEST_TO_CLIENT,
	CONTROL = CONTROL_TO_SERVER | CONTROL_TO_CLIENT
};

static const struct {
	uint64_t type;
	unsigned places;
} frames[] = {
	{HTTP3_FRAME_DATA, REQUEST},
	{HTTP3_FRAME_HEADERS, REQUEST},
	{HTTP3_FRAME_CANCEL_PUSH, CONTROL},
	{HTTP3_FRAME_SETTINGS, CONTROL},
	{HTTP3_FRAME_PUSH_PROMISE, REQUEST_TO_CLIENT},
	{HTTP3_FRAME_GOAWAY, CONTROL},
	{HTTP3_FRAME_MAX_PUSH_ID, CONTROL_TO_SERVER},
	{HTTP3_FRAME_PRIORITY_UPDATE_REQUEST, CONTROL_TO_SERVER},
	{HTTP3_FRAME_PRIORITY_UPDATE_PUSH, CONTROL_TO_SERVER},
	/* Types of HTTP/2 that have no counterpart are an error everywhere (RFC 9114 section 7.2.8). */
	{0x02, 0},
	{0x06, 0},
	{0x08, 0},
	{0x09, 0},
};

static bool
allowed(uint64_t type, unsigned place)
{
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		if (frames[i].type == type)
			return (frames[i].places & place) != 0;
	}
	return true; /* unknown types are ignored wherever they stand (section 9) */
}

uint64_t
http3_frame_check_request(uint64_t type, bool server)
{
	/* The common ones do not need the table. */
	if (type <= HTTP3_FRAME_HEADERS)
		return 0;
	return allowed(type, server ? REQUEST_TO_SERVER : REQUEST_TO_CLIENT) ? 0 : HTTP3_FRAME_UNEXPECTED;
}

uint64_t
http3_frame_check_control(uint64_t type, bool first, bool server)
{
	/*
	 * Section 6.2.1: anything else as the first frame, also an unknown one, means that SETTINGS are
	 * missing.
	 */
	if (first)
		return type == HTTP3_FRAME_SETTINGS ? 0 : HTTP3_MISSING_SETTINGS;
	if (type == HTTP3_FRAME_SETTINGS)
		return HTTP3_FRAME_UNEXPECTED;
	return allowed(type, server ? CONTROL_TO_SERVER : CONTROL_TO_CLIENT) ? 0 : HTTP3_FRAME_UNEXPECTED;
}
