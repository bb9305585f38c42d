/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/packet.h"

#include "base/assert.h"

enum {
	LONG_HEADER = 0x80,
	FIXED_BIT = 0x40,
	LENGTH_FIELD_BYTES = 2,
	RETRY_TAG_BYTES = 16,
	/* RFC 9001 section 5.4.2: the sample begins where a packet number of 4 octets would end. */
	PROTECTED_MIN_BYTES = QUIC_PACKET_NUMBER_MAX_BYTES + QUIC_HEADER_SAMPLE_BYTES,
};

/* Best first. Version 2 (RFC 9369) is one more row. */
static const struct quic_version versions[] = {
	{.number = QUIC_VERSION_1, .long_type = {0, 1, 2, 3}},
};

const struct quic_version *
quic_versions(size_t *count)
{
	*count = sizeof(versions) / sizeof(versions[0]);
	return versions;
}

const struct quic_version *
quic_version_find(uint32_t number)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].number == number)
			return &versions[i];
	return NULL;
}

static enum quic_packet_type
long_type(const struct quic_version *version, uint8_t first)
{
	uint8_t bits = first >> 4 & 0x03;

	for (enum quic_packet_type type = QUIC_PACKET_INITIAL; type < QUIC_PACKET_RETRY; type++)
		if (version->long_type[type] == bits)
			return type;
	return QUIC_PACKET_RETRY;
}

static enum quic_packet_result
parse_short(struct base_reader *reader, size_t dcid_length, struct quic_packet *packet)
{
	packet->type = QUIC_PACKET_ONE_RTT;
	packet->dcid_length = (uint8_t)dcid_length;
	packet->dcid = base_reader_octets(reader, dcid_length);
	if (!base_reader_ok(reader))
		return QUIC_PACKET_TRUNCATED;
	packet->packet_number_offset = (size_t)(reader->at - packet->octets);
	/* A short header has no length: it is the last of its datagram. */
	if (base_reader_left(reader) < PROTECTED_MIN_BYTES)
		return QUIC_PACKET_NO_SAMPLE;
	return QUIC_PACKET_PARSED;
}

/* A Retry has no length either: the tag is at the end of the datagram. */
static enum quic_packet_result
parse_retry(struct base_reader *reader, struct quic_packet *packet)
{
	/* Section 17.2.5.2: a client MUST discard a Retry packet with a zero-length Retry Token field. */
	if (base_reader_left(reader) <= RETRY_TAG_BYTES)
		return QUIC_PACKET_TRUNCATED;
	packet->token_length = base_reader_left(reader) - RETRY_TAG_BYTES;
	packet->token = base_reader_octets(reader, packet->token_length);
	packet->rest_length = RETRY_TAG_BYTES;
	packet->rest = base_reader_octets(reader, RETRY_TAG_BYTES);
	return QUIC_PACKET_PARSED;
}

/* What follows the connection IDs of Initial, 0-RTT and Handshake packets. */
static enum quic_packet_result
parse_numbered(struct base_reader *reader, struct quic_packet *packet)
{
	uint64_t length;

	if (packet->type == QUIC_PACKET_INITIAL) {
		uint64_t token_length = base_reader_varint(reader);

		if (token_length > base_reader_left(reader))
			return QUIC_PACKET_TRUNCATED;
		packet->token_length = (size_t)token_length;
		packet->token = base_reader_octets(reader, packet->token_length);
	}
	length = base_reader_varint(reader);
	if (!base_reader_ok(reader) || length > base_reader_left(reader))
		return QUIC_PACKET_TRUNCATED;
	packet->packet_number_offset = (size_t)(reader->at - packet->octets);
	packet->length = packet->packet_number_offset + (size_t)length;
	return length < PROTECTED_MIN_BYTES ? QUIC_PACKET_NO_SAMPLE : QUIC_PACKET_PARSED;
}

static enum quic_packet_result
parse_long(struct base_reader *reader, uint8_t first, struct quic_packet *packet)
{
	const struct quic_version *version;

	/* RFC 8999 section 5.1: in a version that we do not know, a connection ID may have 255 octets. */
	packet->long_header = true;
	packet->version = base_reader_u32(reader);
	packet->dcid_length = base_reader_u8(reader);
	packet->dcid = base_reader_octets(reader, packet->dcid_length);
	packet->scid_length = base_reader_u8(reader);
	packet->scid = base_reader_octets(reader, packet->scid_length);
	if (!base_reader_ok(reader))
		return QUIC_PACKET_TRUNCATED;
	if (packet->version == QUIC_VERSION_NEGOTIATION) {
		packet->type = QUIC_PACKET_VERSION_NEGOTIATION;
		packet->rest_length = base_reader_left(reader);
		packet->rest = base_reader_octets(reader, packet->rest_length);
		return QUIC_PACKET_PARSED;
	}
	version = quic_version_find(packet->version);
	if (version == NULL)
		return QUIC_PACKET_UNKNOWN_VERSION;
	if (packet->dcid_length > QUIC_CID_MAX_BYTES || packet->scid_length > QUIC_CID_MAX_BYTES)
		return QUIC_PACKET_CID_TOO_LONG;
	packet->type = long_type(version, first);
	return packet->type == QUIC_PACKET_RETRY ? parse_retry(reader, packet)
						 : parse_numbered(reader, packet);
}

enum quic_packet_result
quic_packet_parse(uint8_t *octets, size_t length, size_t short_dcid_length, struct quic_packet *packet)
{
	struct base_reader reader = base_reader(octets, length);
	uint8_t first = base_reader_u8(&reader);

	base_assert(short_dcid_length <= QUIC_CID_MAX_BYTES);
	memset(packet, 0, sizeof(*packet));
	packet->octets = octets;
	packet->length = length;
	packet->fixed_bit = (first & FIXED_BIT) != 0;
	if (!base_reader_ok(&reader))
		return QUIC_PACKET_TRUNCATED;
	if ((first & LONG_HEADER) != 0)
		return parse_long(&reader, first, packet);
	return parse_short(&reader, short_dcid_length, packet);
}

enum quic_packet_number_space
quic_packet_space(enum quic_packet_type type)
{
	base_assert(type != QUIC_PACKET_RETRY && type < QUIC_PACKET_VERSION_NEGOTIATION);
	if (type == QUIC_PACKET_INITIAL)
		return QUIC_SPACE_INITIAL;
	return type == QUIC_PACKET_HANDSHAKE ? QUIC_SPACE_HANDSHAKE : QUIC_SPACE_APPLICATION;
}

size_t
quic_packet_number_size(uint64_t packet_number, uint64_t largest_acked)
{
	uint64_t unacked = largest_acked == UINT64_MAX ? packet_number + 1 : packet_number - largest_acked;

	/* Twice the distance must fit, so that the receiver's window of half the range holds it. */
	base_assert(largest_acked == UINT64_MAX || packet_number > largest_acked);
	if (unacked <= 1 << 7)
		return 1;
	if (unacked <= 1 << 15)
		return 2;
	return unacked <= 1 << 23 ? 3 : 4;
}

uint64_t
quic_packet_number_decode(uint64_t largest, uint64_t truncated, size_t length)
{
	uint64_t expected = largest == UINT64_MAX ? 0 : largest + 1;
	uint64_t window = UINT64_C(1) << (8 * length);
	uint64_t half = window / 2;
	uint64_t candidate = (expected & ~(window - 1)) | truncated;

	base_assert(length >= 1 && length <= QUIC_PACKET_NUMBER_MAX_BYTES && truncated < window);
	if (candidate + half <= expected && candidate < (UINT64_C(1) << 62) - window)
		return candidate + window;
	if (candidate > expected + half && candidate >= window)
		return candidate - window;
	return candidate;
}

size_t
quic_header_size(const struct quic_header *header)
{
	size_t size = 1 + header->dcid.length + header->packet_number_length;

	if (header->type == QUIC_PACKET_ONE_RTT)
		return size;
	size += 4 + 1 + 1 + header->scid.length + LENGTH_FIELD_BYTES;
	if (header->type == QUIC_PACKET_INITIAL)
		size += base_varint_length(header->token_length) + header->token_length;
	return size;
}

static void
write_cid(struct base_writer *writer, const uint8_t *octets, uint8_t length)
{
	base_writer_u8(writer, length);
	base_writer_octets(writer, octets, length);
}

static void
write_long(struct base_writer *writer, const struct quic_header *header)
{
	const struct quic_version *version = quic_version_find(header->version);
	uint8_t bits;

	base_assert(version != NULL && header->type < QUIC_PACKET_RETRY);
	bits = (uint8_t)(version->long_type[header->type] << 4 | (header->packet_number_length - 1));
	base_writer_u8(writer, LONG_HEADER | FIXED_BIT | bits);
	base_writer_u32(writer, header->version);
	write_cid(writer, header->dcid.octets, header->dcid.length);
	write_cid(writer, header->scid.octets, header->scid.length);
	if (header->type == QUIC_PACKET_INITIAL) {
		base_writer_varint(writer, header->token_length);
		base_writer_octets(writer, header->token, header->token_length);
	}
	base_writer_reserve(writer, LENGTH_FIELD_BYTES);
}

bool
quic_header_write(struct base_writer *writer, const struct quic_header *header, uint8_t **packet_number)
{
	uint8_t *mark = base_writer_mark(writer);

	base_assert(header->packet_number_length >= 1);
	base_assert(header->packet_number_length <= QUIC_PACKET_NUMBER_MAX_BYTES);
	if (header->type == QUIC_PACKET_ONE_RTT) {
		base_writer_u8(writer,
			(uint8_t)(FIXED_BIT | (header->spin ? 0x20 : 0) | (header->key_phase ? 0x04 : 0) |
				(header->packet_number_length - 1)));
		base_writer_octets(writer, header->dcid.octets, header->dcid.length);
	} else {
		write_long(writer, header);
	}
	*packet_number = base_writer_mark(writer);
	base_writer_uint(writer, header->packet_number, header->packet_number_length);
	if (base_writer_ok(writer))
		return true;
	base_writer_rewind(writer, mark);
	return false;
}

void
quic_header_set_length(uint8_t *packet_number, size_t length)
{
	base_assert(length < 1 << 14);
	base_put_varint(packet_number - LENGTH_FIELD_BYTES, length, LENGTH_FIELD_BYTES);
}

bool
quic_version_negotiation_write(struct base_writer *writer, const struct quic_packet *packet, uint32_t random)
{
	uint8_t *mark = base_writer_mark(writer);

	/* Section 17.2.1: the bits are of no meaning; the fixed bit is set where other protocols share the
	 * port. Connection IDs go back as they came, swapped. */
	base_writer_u8(writer, (uint8_t)(LONG_HEADER | FIXED_BIT | (random & 0x3f)));
	base_writer_u32(writer, QUIC_VERSION_NEGOTIATION);
	write_cid(writer, packet->scid, packet->scid_length);
	write_cid(writer, packet->dcid, packet->dcid_length);
	/* Section 6.3: a version of the pattern 0x?a?a?a?a, so that clients learn to ignore unknown ones. */
	base_writer_u32(writer, (random & 0xf0f0f0f0) | 0x0a0a0a0a);
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		base_writer_u32(writer, versions[i].number);
	if (base_writer_ok(writer))
		return true;
	base_writer_rewind(writer, mark);
	return false;
}

bool
quic_version_negotiation_lists(const struct quic_packet *packet, uint32_t version, bool *valid)
{
	struct base_reader reader = base_reader(packet->rest, packet->rest_length);
	bool listed = false;

	base_assert(packet->type == QUIC_PACKET_VERSION_NEGOTIATION);
	*valid = packet->rest_length > 0 && packet->rest_length % 4 == 0;
	while (base_reader_left(&reader) >= 4)
		listed |= base_reader_u32(&reader) == version;
	return listed;
}

bool
quic_retry_write(struct base_writer *writer, const struct quic_cid *dcid, const struct quic_cid *scid,
	const uint8_t *token, size_t token_length, uint8_t random, uint32_t version)
{
	const struct quic_version *row = quic_version_find(version);
	uint8_t *mark = base_writer_mark(writer);

	base_assert(row != NULL && token_length > 0);
	base_writer_u8(writer,
		(uint8_t)(LONG_HEADER | FIXED_BIT | row->long_type[QUIC_PACKET_RETRY] << 4 |
			(random & 0x0f)));
	base_writer_u32(writer, version);
	write_cid(writer, dcid->octets, dcid->length);
	write_cid(writer, scid->octets, scid->length);
	base_writer_octets(writer, token, token_length);
	if (base_writer_ok(writer))
		return true;
	base_writer_rewind(writer, mark);
	return false;
}
