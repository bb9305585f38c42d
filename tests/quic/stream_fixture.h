/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stream set with pools of its own, for the tests of stream_set.c and stream_set_send.c. */
#ifndef TESTS_QUIC_STREAM_FIXTURE_H
#define TESTS_QUIC_STREAM_FIXTURE_H

#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/time.h"
#include "quic/stream_set.h"

enum { FIXTURE_CHUNKS = 256, FIXTURE_STREAMS = 64, FIXTURE_SEGMENTS = 32 };

struct stream_fixture {
	struct base_pool *chunks;
	struct base_pool *streams;
	struct quic_memory memory;
	struct quic_segment segments[FIXTURE_SEGMENTS];
	struct quic_limits limits;
	struct quic_stream_set set;
};

static const struct quic_stream_peer_limits fixture_peer_limits = {
	.max_data = 10000,
	.max_stream_data_bidi_local = 4000,
	.max_stream_data_bidi_remote = 5000,
	.max_stream_data_uni = 6000,
	.max_streams_bidi = 10,
	.max_streams_uni = 3,
};

static inline void
stream_fixture_init(struct stream_fixture *fixture, enum quic_role role)
{
	memset(fixture, 0, sizeof(*fixture));
	fixture->chunks = base_pool_open(NULL, QUIC_CHUNK_BYTES, FIXTURE_CHUNKS);
	fixture->streams = base_pool_open(NULL, sizeof(struct quic_stream), FIXTURE_STREAMS);
	quic_memory_init(
		&fixture->memory, fixture->chunks, fixture->streams, fixture->segments, FIXTURE_SEGMENTS, 4);
	fixture->limits = quic_limits_default();
	fixture->limits.connection_window_bytes = fixture->limits.connection_window_max_bytes = 20000;
	fixture->limits.stream_window_bytes = fixture->limits.stream_window_max_bytes = 8000;
	fixture->limits.streams_bidi = 40;
	fixture->limits.streams_uni = 4;
	quic_stream_set_init(&fixture->set, role, &fixture->limits);
	quic_stream_set_peer_limits(&fixture->set, &fixture_peer_limits);
	fixture->set.streams_allowed = false;
}

static inline void
stream_fixture_fini(struct stream_fixture *fixture)
{
	quic_stream_set_fini(&fixture->set, &fixture->memory);
	quic_memory_end_turn(&fixture->memory);
	quic_memory_fini(&fixture->memory);
	assert_int_equal(fixture->chunks->in_use, 0);
	assert_int_equal(fixture->streams->in_use, 0);
	base_pool_close(fixture->chunks);
	base_pool_close(fixture->streams);
}

static inline uint64_t
stream_fixture_receive(struct stream_fixture *fixture, uint64_t stream_id, uint64_t offset,
	const uint8_t *octets, size_t length, bool fin)
{
	struct quic_frame frame = {.type = QUIC_FRAME_STREAM,
		.stream = {.stream_id = stream_id,
			.offset = offset,
			.octets = octets,
			.length = length,
			.fin = fin}};
	uint64_t error = quic_stream_set_receive(&fixture->set, &fixture->memory, &frame);

	quic_stream_set_check(&fixture->set, &fixture->memory);
	return error;
}

/* A frame with a limit: MAX_*, *_BLOCKED. */
static inline uint64_t
stream_fixture_limit(
	struct stream_fixture *fixture, enum quic_frame_type type, uint64_t stream_id, uint64_t maximum)
{
	struct quic_frame frame = {.type = type, .limit = {.stream_id = stream_id, .maximum = maximum}};

	return quic_stream_set_receive(&fixture->set, &fixture->memory, &frame);
}

static inline void
stream_fixture_settle(struct stream_fixture *fixture)
{
	quic_stream_set_settle(&fixture->set, &fixture->memory);
	quic_memory_end_turn(&fixture->memory);
}

#endif
