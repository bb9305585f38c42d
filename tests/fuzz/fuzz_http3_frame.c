/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A peer that sends whatever it likes on whatever streams: records of stream, length with the end in its
 * top bit, octets; the first octet chooses our role and how the octets are cut. Whatever comes, nothing
 * aborts, and all memory is back at the end.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/reader.h"
#include "http3/http3.h"
#include "tests/http3/fake_quic.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

enum { SECTION_BYTES = 1024, POOL_ELEMENTS = 32 };

static void
drain(struct http3 *http3, bool consume)
{
	struct http3_event event;

	while (http3_next_event(http3, &event)) {
		if (event.type == HTTP3_EVENT_BODY && consume)
			http3_request_consume(event.request, (event.length + 1) / 2);
	}
}

static void
step(struct http3 *http3, struct http3_conn *conn, struct quic_conn *quic, struct base_reader *reader)
{
	uint8_t id = base_reader_u8(reader) % 32, control = base_reader_u8(reader);
	size_t length = control & 0x7f;
	bool fin = (control & 0x80) != 0;
	struct fake_stream *stream;
	struct quic_event event;

	/* The streams that the peer opens, and the requests of ours if we are the client. */
	if (quic->server ? id % 2 == 1 : id % 4 == 2 || (id % 4 == 0 && id > 0))
		return;
	if (length > base_reader_left(reader))
		length = base_reader_left(reader);
	stream = fake_stream(quic, id);
	if (stream->in_fin)
		return;
	fake_deliver(quic, id, base_reader_octets(reader, length), length, fin);
	event = fake_event(quic, QUIC_EVENT_STREAM_READABLE, id);
	http3_handle(http3, conn, &event);
	drain(http3, (control & 1) == 0);
	if (fin && (control & 2) != 0 && id % 4 == 0) {
		event = fake_event(quic, QUIC_EVENT_STREAM_CLOSED, id);
		http3_handle(http3, conn, &event);
		drain(http3, true);
		stream->user = NULL;
		stream->stop_code = 0;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
	static const struct http3_field get[] = {
		{{":method", 7}, {"GET", 3}},
		{{":scheme", 7}, {"https", 5}},
		{{":authority", 10}, {"a", 1}},
		{{":path", 5}, {"/", 1}},
	};
	struct http3_config config = {
		.limits = {.section_bytes = SECTION_BYTES, .discard_bytes = 64, .grease = 5}};
	struct base_reader reader = base_reader(octets, length);
	uint8_t choice = base_reader_u8(&reader);
	struct quic_conn *quic = fake_open((choice & 1) == 0, "h3");
	void *memory = aligned_alloc(64, http3_bytes(&config.limits));
	struct quic_event event = fake_event(quic, QUIC_EVENT_CONNECTED, 0);
	struct http3_conn *conn;
	struct http3 *http3;

	for (int i = 0; i < HTTP3_POOL_COUNT; i++)
		config.pools[i] = base_pool_open(
			NULL, http3_pool_bytes((enum http3_pool)i, &config.limits), POOL_ELEMENTS);
	http3 = http3_open(memory, &config);
	conn = http3_conn_open(http3, quic);
	if (choice >= 128)
		quic->segment_bytes = 1 + choice % 16;
	http3_handle(http3, conn, &event);
	drain(http3, true);
	if (!quic->server)
		base_assert(http3_request_open(conn, get, 4, true) != NULL);
	while (base_reader_left(&reader) >= 2 && !quic->closed)
		step(http3, conn, quic, &reader);
	event = fake_event(quic, QUIC_EVENT_CLOSED, 0);
	http3_handle(http3, conn, &event);
	drain(http3, true);
	for (int i = 0; i < HTTP3_POOL_COUNT; i++) {
		base_assert(config.pools[i]->in_use == 0);
		base_pool_close(config.pools[i]);
	}
	fake_close(quic);
	free(memory);
	return 0;
}
