/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three shards behind a wire of two queues, whose card can steer on every level, with an endpoint without QUIC, and a client at the wire's other end. */
#ifndef TESTS_SHARD_GATEWAY_H
#define TESTS_SHARD_GATEWAY_H

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "drivers/port/wire.h"
#include "shard/group.h"
#include "tests/shard/eal.h"
#include "tests/shard/fake_endpoint.h"

enum { SHARDS = 3, QUEUES = 2, BUFFERS = 4095, QUIC = 443, ECHO = 7777, TUPLE_RULES = 4 };

struct fixture {
	struct rte_mempool *buffers;
	struct shard_port *ends[2];
	struct shard_group_config config;
	struct shard_group *group;
	struct net_interface client;
	void *crypto_memory[SHARDS];
	uint64_t client_ns;
};

/* Shard i on lcore i + 1, which matters to gateway tests that run them. */
int gateway_setup(void **state);
/* With connection IDs in clear mode. */
int gateway_setup_clear(void **state);
/* With a card that has no rules, only a table. */
int gateway_setup_buckets(void **state);
/* Asserts that every buffer is back. */
int gateway_teardown(void **state);

uint64_t gateway_counter(const struct fixture *f, unsigned shard, enum shard_counter counter);
/* The client's turn: answers what it is asked; returns the datagrams that came, the last one in *datagram. */
unsigned client_turn(struct fixture *f, struct base_datagram *datagram);
void client_send(
	struct fixture *f, uint16_t from_port, uint16_t to_port, const void *octets, uint16_t length);

#endif
