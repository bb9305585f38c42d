/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Some shards with a host each, over the double of quic/conn.h: posts wait in queues until the test has them delivered, and connections
 * move between shards as the test likes. One service writes down all that it hears.
 */
#ifndef TESTS_SERVICE_BUS_WORLD_H
#define TESTS_SERVICE_BUS_WORLD_H

#include "service/host.h"
#include "tests/http3/fake_quic.h"
#include "tests/support/cmocka_all.h"

enum { BUS_SHARDS = 3, BUS_CONNS = 8, BUS_QUEUE = 4096, BUS_HEARD = 2048, BUS_SERVICE = 1 };

struct bus_conn {
	struct quic_conn *quic;
	uint16_t shard;
	uint32_t heard_count;
	struct {
		enum service_message_kind kind;
		uint64_t topic;
		uint32_t value; /* the first four octets */
		struct quic_handle from;
	} heard[BUS_HEARD];
	uint32_t rooms; /* calls of on_room */
};

struct bus_shard {
	struct bus_world *world;
	uint16_t index;
	struct service_set set;
	struct service_host host;
	struct quic_endpoint endpoint;
	void *bus_memory;
	struct service_post queue[BUS_QUEUE];
	uint32_t first, count;
	uint32_t places; /* of the queue */
	uint32_t posts_to_instance;
};

struct bus_world {
	struct service_host_limits limits;
	uint64_t now_ns;
	struct quic_slots slots;
	void *slot_memory;
	_Alignas(64) uint8_t region[BUS_CONNS * 64];
	struct service_member *members[BUS_CONNS];
	struct base_pool *member_pool, *held_pool;
	struct bus_shard shards[BUS_SHARDS];
	struct bus_conn conns[BUS_CONNS];
	uint32_t notices; /* posts to the manager */
	uint32_t others;  /* for a connection that another shard owned: passed on */
};

/* Connection i is of shard i mod BUS_SHARDS. Limits are generous where `limits` is NULL. */
struct bus_world *bus_open(const struct service_host_limits *limits);
/* Closes all connections; asserts that nothing is left taken. */
void bus_close(struct bus_world *world);
/* Takes one post out of a shard's queue; false: there is none. */
bool bus_step(struct bus_world *world, uint16_t shard);
/* Until all queues are empty. */
void bus_settle(struct bus_world *world);
void bus_move(struct bus_world *world, uint32_t conn, uint16_t to);
void bus_end(struct bus_world *world, uint32_t conn);
struct service_host *bus_host(struct bus_world *world, uint32_t conn);
enum service_posted bus_publish(struct bus_world *world, uint32_t conn, uint64_t topic, uint32_t value);
enum service_posted bus_subscribe(struct bus_world *world, uint32_t conn, uint64_t topic);
uint64_t bus_counter(const struct bus_world *world, enum service_host_counter counter);

#endif
