/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client with one connection to a server of two shards: two endpoints over one table of slots, of which one has the connection. */
#ifndef TESTS_QUIC_MOVE_FIXTURE_H
#define TESTS_QUIC_MOVE_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "quic/conn_internal.h"
#include "quic/move.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/world.h"

enum { MOVE_SHARDS = 2, MOVE_SLOTS = 8 };

struct move_fixture {
	struct world world;
	struct quic_endpoint *shards[MOVE_SHARDS]; /* the first is the world's own */
	void *memory;
	struct quic_handle client, server;
	bool client_mute, server_mute; /* what they send is lost */
	uint64_t written, read;        /* octets, by the client and at the server */
	uint64_t stream;
	uint32_t closed; /* connections, on either side */
};

static void
move_on_event(struct world *world, enum world_side side, const struct quic_event *event)
{
	struct move_fixture *f = world->config.user;
	const uint8_t *octets;
	size_t length;
	bool fin;

	if (event->type == QUIC_EVENT_CLOSED)
		f->closed++;
	if (event->type != QUIC_EVENT_STREAM_READABLE || side != WORLD_SERVER)
		return;
	while (quic_conn_stream_read(event->conn, event->stream_id, &octets, &length, &fin)) {
		for (size_t i = 0; i < length; i++)
			assert_int_equal(octets[i], (uint8_t)(f->read + i));
		f->read += length;
		quic_conn_stream_consume(event->conn, event->stream_id, length);
		if (fin)
			return;
	}
}

static bool
move_on_sent(struct world *world, enum world_side from, const struct base_datagram *datagram)
{
	const struct move_fixture *f = world->config.user;

	(void)datagram;
	return from == WORLD_CLIENT ? f->client_mute : f->server_mute;
}

/* The server's connection, wherever it is. */
static inline struct quic_conn *
move_conn(struct move_fixture *f)
{
	return world_conn(&f->world, WORLD_SERVER, f->server);
}

static inline struct quic_conn *
move_client(struct move_fixture *f)
{
	return world_conn(&f->world, WORLD_CLIENT, f->client);
}

static inline void
move_run(struct move_fixture *f, uint64_t time_ns)
{
	world_run(&f->world, NULL, f->world.now_ns + time_ns);
}

static inline void
move_write(struct move_fixture *f)
{
	uint8_t octets[100];

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(f->written + i);
	f->written += quic_conn_stream_write(move_client(f), f->stream, octets, sizeof(octets), false);
}

static inline void
move_find_server(struct move_fixture *f)
{
	struct quic_slot_owner owner;

	for (uint32_t slot = 0; slot < MOVE_SLOTS; slot++)
		if (quic_slots_owner(&f->world.nodes[WORLD_SERVER].slots, slot, &owner) &&
			owner.state == QUIC_SLOT_OWNED)
			f->server = (struct quic_handle){slot, owner.generation};
	assert_non_null(move_conn(f));
}

static inline bool
move_is_connected(struct world *world)
{
	struct quic_conn *conn =
		world_conn(world, WORLD_CLIENT, ((struct move_fixture *)world->config.user)->client);

	return quic_conn_handshake_confirmed(conn);
}

/* As soon as the client's handshake is confirmed. `own_ids`: that the server issues at most; 0: the default. */
static inline struct move_fixture *
move_open(uint8_t own_ids, uint64_t dwell_ns)
{
	struct move_fixture *f = aligned_alloc(64, (sizeof(*f) + 63) & ~(size_t)63);
	struct world_config config = world_config_default();
	struct quic_endpoint_config second;

	memset(f, 0, sizeof(*f));
	config.shards = MOVE_SHARDS;
	config.user = f;
	config.on_event = move_on_event;
	config.on_sent = move_on_sent;
	config.limits[WORLD_SERVER].connections = MOVE_SLOTS;
	config.limits[WORLD_SERVER].move_dwell_ns = dwell_ns;
	if (own_ids > 0)
		config.limits[WORLD_SERVER].own_connection_ids = own_ids;
	world_open(&f->world, &config);
	f->shards[0] = f->world.nodes[WORLD_SERVER].endpoint;
	second = f->world.nodes[WORLD_SERVER].endpoint_config;
	second.shard = 1;
	f->memory = aligned_alloc(64, (quic_endpoint_bytes(&second.limits) + 63) & ~(size_t)63);
	f->shards[1] = quic_endpoint_open(f->memory, &second, f->world.now_ns);
	f->client = world_connect(&f->world, 0, NULL);
	assert_true(world_run(&f->world, move_is_connected, f->world.now_ns + BASE_SECOND));
	move_find_server(f);
	assert_true(quic_conn_stream_open(move_client(f), false, &f->stream));
	return f;
}

/* The same, when the server's TLS has been given back. */
static inline struct move_fixture *
move_open_quiet(uint8_t own_ids, uint64_t dwell_ns)
{
	struct move_fixture *f = move_open(own_ids, dwell_ns);

	move_run(f, 2 * BASE_SECOND);
	assert_null(move_conn(f)->handshake);
	return f;
}

static inline void
move_close(struct move_fixture *f)
{
	f->world.nodes[WORLD_SERVER].endpoint = f->shards[0];
	quic_endpoint_close(f->shards[1]);
	world_close(&f->world);
	free(f->memory);
	free(f);
}

static inline bool
move_is_switched(struct world *world)
{
	struct move_fixture *f = world->config.user;

	return quic_conn_move_state(move_conn(f)) == QUIC_MOVE_SWITCHED;
}

/* What the shard does at the end of the turn in which the peer switched. */
static inline void
move_hand_over(struct move_fixture *f, uint16_t target)
{
	struct world_node *node = &f->world.nodes[WORLD_SERVER];
	struct quic_conn *conn = NULL;
	uint16_t named;

	assert_true(quic_endpoint_next_switched(node->endpoint, &conn, &named));
	assert_ptr_equal(conn, move_conn(f));
	assert_int_equal(named, target);
	quic_endpoint_detach(node->endpoint, conn, target);
	node->endpoint = f->shards[target];
	assert_ptr_equal(quic_endpoint_attach(node->endpoint, f->server, f->world.now_ns), conn);
}

/* A whole move; false: refused. */
static inline bool
move_to(struct move_fixture *f, uint16_t target)
{
	if (quic_conn_move_begin(move_conn(f), target, f->world.now_ns) != QUIC_MOVE_BEGUN)
		return false;
	assert_true(world_run(&f->world, move_is_switched, f->world.now_ns + BASE_SECOND));
	move_hand_over(f, target);
	return true;
}

#endif
