/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections that are moved between shards again and again, each scenario under a name. */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "tests/sim/shards.h"

#define PERCENT(n) ((uint32_t)((n)*10000))

static void
say_moves(struct sim *sim)
{
	const struct sim_shards *group = sim->shards;

	if (!sim->trace)
		return;
	printf("moves: %llu asked, %llu begun, %llu attached (%llu by sight), %llu late, %llu abandoned; longest transit %.3f ms, stall %.1f ms; "
	       "mailbox drops %llu\n",
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_ASKED),
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_BEGUN),
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_ATTACHED),
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_BY_SIGHT),
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_LATE),
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_ABANDONED),
		(double)group->longest_transit_ns / 1e6, (double)group->longest_stall_ns / 1e6,
		(unsigned long long)group->mailbox_drops);
}

/* A download of seconds, and moves as often as the rules let them. */
static void
moves(struct sim_config *config, struct base_random *random)
{
	config->group = &sim_shards;
	config->shards = 2 + (uint16_t)base_random_below(random, SIM_SHARDS_MAX - 1);
	config->mailbox = SIM_MAILBOX_MAX;
	config->moves_per_second = 50 + (uint32_t)base_random_below(random, 200);
	config->server_limits.move_dwell_ns = base_random_below(random, 30 * BASE_MS);
	config->server_limits.connections = SIM_SLOTS_MAX;
	config->verify = say_moves;
	config->requests = 3;
	config->at_once = 2;
	config->download_bytes = 300000 + base_random_below(random, 200000);
	config->upload_bytes = base_random_below(random, 100000);
	config->down.rate_bits_per_second = 8000000;
	config->down.queue_ns = 50 * BASE_MS;
	config->time_limit_ns = 300 * BASE_SECOND;
}

static void
still_verify(struct sim *sim)
{
	say_moves(sim);
	if (sim_shards_counter(sim, SHARD_MOVES_ATTACHED) < 2)
		sim_fail(sim, "the connection was moved %llu times",
			(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_ATTACHED));
	/* Without moves it is 72.6 ms, once, when the queue overflows; one PTO of this path is some 100 ms. */
	if (sim->shards->longest_stall_ns > 80 * BASE_MS)
		sim_fail(sim, "the client waited %.1f ms for an octet",
			(double)sim->shards->longest_stall_ns / 1e6);
}

static void
still(struct sim_config *config, struct base_random *random)
{
	moves(config, random);
	config->upload_bytes = 0;
	config->verify = still_verify;
}

static void
lossy(struct sim_config *config, struct base_random *random)
{
	moves(config, random);
	config->up.loss = PERCENT(5);
	config->down.loss = PERCENT(5);
}

static void
disorderly(struct sim_config *config, struct base_random *random)
{
	moves(config, random);
	config->up.reorder = PERCENT(20);
	config->up.reorder_ns = 15 * BASE_MS;
	config->up.duplicate = PERCENT(10);
	config->down.reorder = PERCENT(20);
	config->down.reorder_ns = 15 * BASE_MS;
	config->down.duplicate = PERCENT(10);
	config->down.loss = PERCENT(1);
}

static void
rebind_tick(struct sim *sim)
{
	if (base_random_below(&sim->random, 100) != 0)
		return;
	/* Not during a handshake (RFC 9000 section 9). */
	for (uint32_t i = 0; i < sim->config.connections; i++)
		if (sim->connections[i].answered == 0)
			return;
	if (base_random_below(&sim->random, 2) == 0)
		sim->nat_ip = (uint8_t)(sim->nat_ip == 200 ? 2 : sim->nat_ip + 1);
	else
		sim->nat_port = (uint16_t)((sim->nat_port + SIM_CONNECTIONS_MAX) % 20000);
	/* A client that only listens would never be heard of again. */
	for (uint32_t i = 0; i < sim->config.connections; i++) {
		struct quic_conn *conn = sim_client_conn(sim, i);

		if (conn != NULL)
			quic_conn_ping(conn);
	}
}

static void
rebinding(struct sim_config *config, struct base_random *random)
{
	moves(config, random);
	config->requests = 6;
	config->at_once = 1;
	config->upload_bytes = 50000;
	config->download_bytes = 150000;
	config->up.loss = PERCENT(1);
	config->tick = rebind_tick;
}

static void
key_update_tick(struct sim *sim)
{
	struct quic_conn *conn = sim_client_conn(sim, 0);

	if (conn != NULL && base_random_below(&sim->random, 30) == 0)
		quic_conn_update_keys(conn);
}

static void
key_updates(struct sim_config *config, struct base_random *random)
{
	moves(config, random);
	config->tick = key_update_tick;
	config->server_limits.key_update_packets = 100;
	config->up.loss = PERCENT(2);
	config->down.loss = PERCENT(2);
}

static void
crowd(struct sim_config *config, struct base_random *random)
{
	moves(config, random);
	config->connections = 12;
	config->requests = 6;
	config->download_bytes = 20000;
	config->upload_bytes = 2000;
	config->moves_per_second = 900;
	config->up.loss = PERCENT(1);
	config->down.loss = PERCENT(1);
}

/* What finds no place is lost as on any bad path; a move must not be. */
static void
full_mailboxes(struct sim_config *config, struct base_random *random)
{
	moves(config, random);
	config->mailbox = 1 + (uint16_t)base_random_below(random, 4);
	config->connections = 4;
	config->download_bytes = 50000;
	config->upload_bytes = 50000;
	config->moves_per_second = 500;
}

/* Either side closes, whatever is going on; slots are used again by the next. */
static void
close_tick(struct sim *sim)
{
	struct quic_slot_owner owner;
	struct quic_handle handle;

	if (base_random_below(&sim->random, 40) != 0)
		return;
	if (base_random_below(&sim->random, 2) == 0) {
		uint32_t number = (uint32_t)base_random_below(&sim->random, sim->config.connections);
		struct quic_conn *conn = sim_client_conn(sim, number);

		if (conn != NULL)
			quic_conn_close(conn, 7, "enough");
		return;
	}
	handle = sim_shards_any(sim, &owner);
	if (handle.slot != BASE_SLOT_NONE)
		quic_conn_close(
			quic_endpoint_find(sim->shards->shards[owner.owner].node->endpoint, handle), 8, "");
}

static bool
all_over(const struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++)
		if (!sim->connections[i].closed && sim->connections[i].done_ns == 0)
			return false;
	return true;
}

static void
closing(struct sim_config *config, struct base_random *random)
{
	crowd(config, random);
	config->tick = close_tick;
	config->done = all_over;
	config->requests = 20;
}

static void
anything(struct sim_config *config, struct base_random *random)
{
	moves(config, random);
	config->connections = 1 + (uint32_t)base_random_below(random, 4);
	config->requests = 1 + (uint32_t)base_random_below(random, 5);
	config->download_bytes = base_random_below(random, 150000);
	config->upload_bytes = base_random_below(random, 60000);
	config->datagrams = (uint32_t)base_random_below(random, 5);
	config->mailbox = 2 + (uint16_t)base_random_below(random, 60);
	config->moves_per_second = (uint32_t)base_random_below(random, 1000);
	config->up.delay_ns = base_random_below(random, 60 * BASE_MS);
	config->up.loss = (uint32_t)base_random_below(random, PERCENT(8));
	config->down.loss = (uint32_t)base_random_below(random, PERCENT(8));
	config->up.corrupt = (uint32_t)base_random_below(random, PERCENT(2));
	config->down.corrupt = (uint32_t)base_random_below(random, PERCENT(2));
	config->down.reorder = (uint32_t)base_random_below(random, PERCENT(8));
	config->down.reorder_ns = base_random_below(random, 30 * BASE_MS);
	config->tick = base_random_below(random, 2) == 0 ? rebind_tick : key_update_tick;
}

const struct sim_scenario sim_scenarios[] = {
	{"still", "moves over a path without a fault: no octet comes late", still},
	{"lossy", "5 % lost each way", lossy},
	{"disorderly", "a fifth comes late, some twice", disorderly},
	{"rebinding", "the client's port and address change as well", rebinding},
	{"key_updates", "both sides update keys as well", key_updates},
	{"crowd", "twelve connections, moved all the time", crowd},
	{"full_mailboxes", "mailboxes of a few places", full_mailboxes},
	{"closing", "either side closes at any moment", closing},
	{"anything", "loads, links and moves drawn from the seed", anything},
};
const unsigned sim_scenario_count = sizeof(sim_scenarios) / sizeof(sim_scenarios[0]);
