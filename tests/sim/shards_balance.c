/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loads that the manager evens out, new connections that it places, and services that post to connections on the move. */
#include <stdio.h>

#include "base/time.h"
#include "quic/conn_internal.h"
#include "tests/sim/shards_scenarios.h"

#define RUN_NS (10 * BASE_SECOND)
#define LOOK_NS (2 * BASE_SECOND) /* at the end: how even it is by then */

enum {
	CONNECTIONS = 30,
	WITH_ELEPHANT = 5, /* which sends in every millisecond, and so has more than half of all */
	ELEPHANT_RATE = 1000,
	LOAD_PERCENT = 45, /* of each shard, once it is even */
	WITHIN_PERMILLE = 1100,
};

/* DATAGRAM frames per second of virtual time. */
static uint64_t
rate_of(const struct sim *sim, uint32_t number)
{
	uint64_t drawn = (sim->seed + 1) * 2654435761U + number * UINT64_C(40503) * 977;

	if (sim->config.elephant_bytes == 0)
		return 15 + (drawn >> 8) % 90;
	return number == 0 ? ELEPHANT_RATE : 40 + (drawn >> 8) % 80;
}

static void
load_tick(struct sim *sim)
{
	static const uint8_t octets[60];
	uint64_t milliseconds = sim->now_ns / BASE_MS;

	for (uint32_t i = 0; i < sim->config.connections; i++) {
		struct quic_conn *conn = sim_client_conn(sim, i);
		uint64_t rate = rate_of(sim, i);

		if (conn == NULL || conn->state != QUIC_CONN_OPEN || !conn->handshake_confirmed)
			continue;
		/* In even steps, each connection at moments of its own. */
		if ((milliseconds + 37 * i) * rate / 1000 != (milliseconds + 37 * i + 1) * rate / 1000)
			quic_conn_datagram_send(conn, octets, sizeof(octets));
	}
	if (sim->config.elephant_bytes != 0)
		sim->shards->manager.elephant = sim->connections[0].server;
	if (sim->marks[0] != 0 || sim->now_ns < BASE_SECOND + RUN_NS - LOOK_NS)
		return;
	for (uint16_t i = 0; i < sim->config.shards; i++)
		sim->marks[i] = sim->shards->shards[i].weight;
}

static bool
time_is_up(const struct sim *sim)
{
	return sim->now_ns >= BASE_SECOND + RUN_NS;
}

static void
even_verify(struct sim *sim)
{
	uint64_t sum = 0, most = 0, least = UINT64_MAX, mean;

	for (uint16_t i = 0; i < sim->config.shards; i++) {
		uint64_t weight = sim->shards->shards[i].weight - sim->marks[i];

		sum += weight;
		most = weight > most ? weight : most;
		least = weight < least ? weight : least;
	}
	mean = sum / sim->config.shards;
	sim_shards_say(sim);
	if (sim->trace)
		printf("%u shards: busiest %.3f, least %.3f of the mean; %llu moves decided\n",
			sim->config.shards, (double)most / (double)mean, (double)least / (double)mean,
			(unsigned long long)sim->shards->manager.decided);
	if (most * 1000 > mean * WITHIN_PERMILLE)
		sim_fail(sim, "the busiest of %u shards has %.3f of the mean after %.0f s",
			sim->config.shards, (double)most / (double)mean, (double)(RUN_NS - LOOK_NS) / 1e9);
	/* The fewest moves: hardly any connection goes twice. */
	if (sim->shards->manager.decided > CONNECTIONS + 4)
		sim_fail(sim, "%llu moves were decided for %u connections",
			(unsigned long long)sim->shards->manager.decided, CONNECTIONS);
}

/* All connections begin on one shard; none but the manager moves any. */
void
sim_shards_uneven(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
	config->connections = CONNECTIONS;
	config->requests = 1;
	config->upload_bytes = 100;
	config->download_bytes = 1000;
	config->down.rate_bits_per_second = 0;
	config->down.queue_ns = 0;
	config->server_limits.connections = SIM_SLOTS_MAX;
	config->server_limits.move_dwell_ns = BASE_SECOND;
	config->moves_per_second = 0;
	config->rebalances = true;
	config->one_home = true;
	/* About 5 of weight for each frame that is echoed, its packets and their ACKs. */
	config->datagram_cycles =
		(uint32_t)(BASE_SECOND / 100 * LOAD_PERCENT * config->shards / (CONNECTIONS * 60 * 5));
	config->time_limit_ns = RUN_NS + BASE_SECOND;
	config->tick = load_tick;
	config->done = time_is_up;
	config->verify = even_verify;
}

static void
elephant_verify(struct sim *sim)
{
	struct quic_slot_owner owner;
	uint32_t neighbours;

	sim_shards_say(sim);
	quic_slots_owner(&sim->server.slots, sim->connections[0].server.slot, &owner);
	neighbours = quic_endpoint_connections(sim->shards->shards[owner.owner].node->endpoint) - 1;
	if (neighbours > 1)
		sim_fail(sim, "the elephant has still %u neighbours", neighbours);
}

/* One connection has more than a shard should have: it stays, and its neighbours go. */
void
sim_shards_elephant(struct sim_config *config, struct base_random *random)
{
	sim_shards_uneven(config, random);
	config->shards = 2;
	config->connections = WITH_ELEPHANT;
	config->elephant_bytes = 1000;
	config->datagram_cycles *= 2;
	config->verify = elephant_verify;
}

static void
order_tick(struct sim *sim)
{
	uint16_t home = (uint16_t)base_random_below(&sim->random, sim->config.shards);
	uint16_t target = (uint16_t)base_random_below(&sim->random, sim->config.shards);

	if (base_random_below(&sim->random, 5) == 0)
		atomic_store(&sim->shards->orders[home],
			shard_placement_order(
				target, (uint16_t)base_random_below(&sim->random, SHARD_PLACEMENT_ALL + 1)));
	sim_shards_reuse_tick(sim);
}

/* Orders that change all the time, while handshakes go on and slots are used again. */
void
sim_shards_placed(struct sim_config *config, struct base_random *random)
{
	sim_shards_reuse(config, random);
	config->tick = order_tick;
	config->server_limits.retry_above = (uint32_t)base_random_below(random, 2) * 1000;
}

/* As many as there are slots, whose share on a shard is a part of that. */
static bool
all_at_one(const struct sim *sim)
{
	return quic_endpoint_connections(sim->shards->shards[0].node->endpoint) == sim->server.slots.count;
}

static void
one_home_verify(struct sim *sim)
{
	sim_shards_say(sim);
	if (!all_at_one(sim))
		sim_fail(sim, "shard 0 has %u connections of %u",
			quic_endpoint_connections(sim->shards->shards[0].node->endpoint),
			sim->server.slots.count);
}

/* All begin on one shard and nobody moves any. */
void
sim_shards_one_home(struct sim_config *config, struct base_random *random)
{
	sim_shards_uneven(config, random);
	config->shards = SIM_SHARDS_MAX;
	config->server_limits.connections = 16 + (uint32_t)base_random_below(random, 49);
	config->connections = config->server_limits.connections;
	config->rebalances = false;
	config->time_limit_ns = 60 * BASE_SECOND;
	config->done = all_at_one;
	config->verify = one_home_verify;
}

void
sim_shards_posts(struct sim_config *config, struct base_random *random)
{
	sim_shards_crowd(config, random);
	config->server_limits.move_dwell_ns = 0;
	config->posts = true;
}
