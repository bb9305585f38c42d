/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One-octet STREAM frames at every second offset, from thousands of connections at once: the dearest that a peer
 * can make us keep. Chunks run out for them, not for the others.
 */
#include <stdio.h>
#include <string.h>

#include "base/writer.h"
#include "quic/frame.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/world.h"

#ifdef MILLRACE_CHECKS
enum { ATTACKERS = 500 };
#else
enum { ATTACKERS = 10000 };
#endif
enum { WAVE = 50, GENUINE = 4, CHUNKS = 2048, TRANSFER_BYTES = 200000, FRAMES = 40, ROUNDS = 6 };

static struct world world;
static struct world_keys keys[ATTACKERS];
static struct quic_handle clients[WAVE];
static uint8_t pattern[TRANSFER_BYTES];
static uint32_t connected, closed, done;
static uint64_t sent[GENUINE], received[GENUINE];

static void
write_more(struct quic_conn *conn, uint64_t id, uint64_t *written)
{
	*written += quic_conn_stream_write(conn, id, pattern + *written, TRANSFER_BYTES - *written, true);
}

static void
read_all(struct quic_conn *conn, uint64_t id, uint64_t *read)
{
	const uint8_t *octets;
	size_t length;
	bool fin;

	while (quic_conn_stream_read(conn, id, &octets, &length, &fin)) {
		assert_in_range(*read + length, 0, TRANSFER_BYTES);
		assert_memory_equal(octets, pattern + *read, length);
		*read += length;
		quic_conn_stream_consume(conn, id, length);
		done += fin;
		if (fin)
			break;
	}
}

/* The genuine ones upload; their number is in the user pointer, plus one. */
static void
on_event(struct world *of, enum world_side side, const struct quic_event *event)
{
	uintptr_t number = side == WORLD_CLIENT ? (uintptr_t)quic_conn_user(event->conn) : 0;
	uint32_t port = quic_conn_path(event->conn)->remote.port;
	uint64_t id;

	(void)of;
	switch (event->type) {
	case QUIC_EVENT_CONNECTED:
		connected += side == WORLD_CLIENT;
		if (number > 0 && quic_conn_stream_open(event->conn, false, &id))
			write_more(event->conn, id, &sent[number - 1]);
		break;
	case QUIC_EVENT_STREAM_WRITABLE:
		if (number > 0)
			write_more(event->conn, event->stream_id, &sent[number - 1]);
		break;
	case QUIC_EVENT_STREAM_READABLE:
		if (port >= WORLD_CLIENT_PORT + ATTACKERS)
			read_all(event->conn, event->stream_id,
				&received[port - WORLD_CLIENT_PORT - ATTACKERS]);
		break;
	case QUIC_EVENT_CLOSED:
		closed += side == WORLD_SERVER;
		break;
	default:
		break;
	}
}

/* Nobody is there any more where the attackers were. */
static bool
swallow(struct world *of, enum world_side from, const struct base_datagram *datagram)
{
	(void)of;
	return from == WORLD_SERVER && datagram->path.remote.port < WORLD_CLIENT_PORT + ATTACKERS;
}

static bool
wave_connected(struct world *of)
{
	(void)of;
	return connected == WAVE;
}

static bool
transfers_done(struct world *of)
{
	(void)of;
	return done == GENUINE;
}

static void
connect_attackers(void)
{
	for (uint32_t at = 0; at < ATTACKERS; at += WAVE) {
		connected = 0;
		for (uint32_t i = 0; i < WAVE; i++)
			clients[i] = world_connect(&world, at + i, NULL);
		assert_true(world_run(&world, wave_connected, world.now_ns + 5 * BASE_SECOND));
		world_run(&world, NULL, world.now_ns + 60 * BASE_MS);
		for (uint32_t i = 0; i < WAVE; i++)
			keys[at + i] = world_keys(&world, clients[i]);
		world_forget_clients(&world);
	}
}

/* Each of them: FRAMES octets, each in a place of its own, none at the front; spread so that each takes a chunk. */
static void
attack(uint32_t round)
{
	uint8_t payload[1100], octets[1200];

	for (uint32_t at = 0; at < ATTACKERS; at++) {
		struct base_writer writer = base_writer(payload, sizeof(payload));

		for (uint32_t i = 0; i < FRAMES; i++) {
			struct quic_frame frame = {
				.type = QUIC_FRAME_STREAM,
				.stream = {.stream_id = 4 * (i % 4),
					.offset = 1 + 2 * (uint64_t)(round * FRAMES + i),
					.octets = (const uint8_t *)"x",
					.length = 1},
			};

			assert_true(quic_frame_write(&writer, &frame));
		}
		world_inject(&world, octets,
			world_seal(&world, &keys[at], payload, base_writer_length(&writer), octets,
				sizeof(octets)),
			&keys[at].address);
		/* A little time for the others, that is all they need. */
		if (at % 16 == 0)
			world_run(&world, NULL, world.now_ns + 50 * BASE_US);
	}
}

static void
quic_endpoint_memory__octets_at_every_second_offset_starve_nobody(void **state)
{
	struct world_config config = world_config_default();
	struct base_pool *chunks;

	(void)state;
	for (int side = 0; side < WORLD_SIDES; side++)
		config.limits[side].connections = ATTACKERS + 64;
	config.limits[WORLD_SERVER].idle_timeout_ns = 600 * BASE_SECOND;
	config.limits[WORLD_CLIENT].idle_timeout_ns = 600 * BASE_SECOND;
	config.limits[WORLD_SERVER].handshakes = config.limits[WORLD_SERVER].retry_above = 256;
	config.elements[QUIC_POOL_HANDSHAKE] = 256;
	config.elements[QUIC_POOL_STREAM] = 4 * ATTACKERS + 64;
	config.elements[QUIC_POOL_CHUNK] = CHUNKS;
	config.elements[QUIC_POOL_SENT] = ATTACKERS + 1024;
	config.on_event = on_event;
	for (uint32_t i = 0; i < TRANSFER_BYTES; i++)
		pattern[i] = (uint8_t)(i * 5 + i / 255);
	world_open(&world, &config);
	connect_attackers();
	world.config.on_sent = swallow;
	chunks = world.nodes[WORLD_SERVER].pools[QUIC_POOL_CHUNK];
	/* First the pool is filled, then the others come. */
	attack(0);
	assert_true(world_counter(&world, WORLD_SERVER, "drop_no_memory") > 0);
	assert_in_range(chunks->in_use, CHUNKS / 2, CHUNKS);
	for (uint32_t i = 0; i < GENUINE; i++)
		world_connect(&world, ATTACKERS + i, (void *)(uintptr_t)(i + 1));
	for (uint32_t round = 1; round < ROUNDS && done < GENUINE; round++) {
		attack(round);
		assert_in_range(chunks->in_use, 0, CHUNKS);
	}
	assert_true(world_run(&world, transfers_done, world.now_ns + 30 * BASE_SECOND));
	for (uint32_t i = 0; i < GENUINE; i++)
		assert_int_equal(received[i], TRANSFER_BYTES);
	assert_int_equal(closed, 0);
	quic_endpoint_check(world.nodes[WORLD_SERVER].endpoint);
	printf("%u connections, %u of %u chunks, %llu packets dropped for want of memory\n", ATTACKERS,
		chunks->in_use, CHUNKS,
		(unsigned long long)world_counter(&world, WORLD_SERVER, "drop_no_memory"));
	world_close(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quic_endpoint_memory__octets_at_every_second_offset_starve_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
