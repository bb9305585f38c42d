/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections that are moved between shards again and again, each scenario under a name. */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "quic/conn_internal.h"
#include "tests/sim/scenario.h"
#include "tests/sim/shards_scenarios.h"

void
sim_shards_say(struct sim *sim)
{
	const struct sim_shards *group = sim->shards;

	if (!sim->trace)
		return;
	printf("moves: %llu asked, %llu begun, %llu attached (%llu by sight), %llu late, %llu abandoned; longest transit %.3f ms, "
	       "longest pause %.1f ms, %u %% of a PTO; longest move %.1f ms; mailbox drops %llu\n",
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_ASKED),
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_BEGUN),
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_ATTACHED),
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_BY_SIGHT),
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_LATE),
		(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_ABANDONED),
		(double)group->longest_transit_ns / 1e6, (double)group->longest_pause_ns / 1e6,
		group->longest_pause_percent, (double)group->longest_move_ns / 1e6,
		(unsigned long long)group->mailbox_drops);
}

/* A download of seconds, and moves as often as the rules let them. */
void
sim_shards_moves(struct sim_config *config, struct base_random *random)
{
	config->group = &sim_shards;
	config->shards = 2 + (uint16_t)base_random_below(random, SIM_SHARDS_MAX - 1);
	config->mailbox = SIM_MAILBOX_MAX;
	config->moves_per_second = 50 + (uint32_t)base_random_below(random, 200);
	config->server_limits.move_dwell_ns = base_random_below(random, 30 * BASE_MS);
	config->server_limits.connections = 64;
	config->verify = sim_shards_say;
	config->requests = 3;
	config->at_once = 2;
	config->download_bytes = 300000 + base_random_below(random, 200000);
	config->upload_bytes = base_random_below(random, 100000);
	config->down.rate_bits_per_second = 8000000;
	config->down.queue_ns = 50 * BASE_MS;
	config->time_limit_ns = 300 * BASE_SECOND;
}

/*
 * The client's window is more than the path holds and less than a queue that overflows: once the congestion window has grown, octets are
 * always under way, nothing is ever lost, and each pause longer than a packet takes would be a move's.
 */
static void
still_tick(struct sim *sim)
{
	struct sim_shards *group = sim->shards;

	if (sim->connections[0].received < 200000)
		group->longest_pause_ns = 0;
}

static void
still_verify(struct sim *sim)
{
	static const uint64_t most_ns = 3 * BASE_MS;

	sim_shards_say(sim);
	if (sim_shards_counter(sim, SHARD_MOVES_ATTACHED) < 2)
		sim_fail(sim, "the connection was moved %llu times",
			(unsigned long long)sim_shards_counter(sim, SHARD_MOVES_ATTACHED));
	if (sim->connections[0].hurt_ns != 0)
		sim_fail(sim, "something was lost");
	if (sim->shards->longest_pause_ns > most_ns)
		sim_fail(sim, "the client waited %.3f ms for an octet",
			(double)sim->shards->longest_pause_ns / 1e6);
}

static void
still(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
	config->upload_bytes = 0;
	config->requests = 1;
	config->download_bytes = 1200000;
	config->down.queue_ns = 0;
	config->client_limits.connection_window_bytes = 64 << 10;
	config->client_limits.connection_window_max_bytes = 64 << 10;
	config->client_limits.stream_window_bytes = 64 << 10;
	config->client_limits.stream_window_max_bytes = 64 << 10;
	config->watch_pauses = true;
	config->tick = still_tick;
	config->verify = still_verify;
}

/*
 * The client waits a round trip for each window of octets, moved or not; all that a move may add is the time in transit.
 */
static void
sparse_verify(struct sim *sim)
{
	uint64_t most_ns = sim->config.up.delay_ns + sim->config.down.delay_ns + 2 * BASE_MS +
		sim->config.control_ns + BASE_MS;

	sim_shards_say(sim);
	if (sim->shards->longest_pause_ns > most_ns)
		sim_fail(sim, "a client waited %.3f ms for an octet",
			(double)sim->shards->longest_pause_ns / 1e6);
}

/* Windows so small that the path is empty most of the time: what a move costs cannot hide in a queue. */
static void
sparse(struct sim_config *config, struct base_random *random)
{
	still(config, random);
	config->client_limits.connection_window_bytes = 8 << 10;
	config->client_limits.connection_window_max_bytes = 8 << 10;
	config->connections = 3;
	config->download_bytes = 200000;
	config->tick = NULL;
	config->verify = sparse_verify;
}

static void
steady(struct sim_config *config, struct base_random *random)
{
	still(config, random);
	config->connections = 2;
	config->download_bytes = 600000;
	config->up.loss = PERCENT(1);
	config->down.loss = PERCENT(1);
	config->tick = NULL;
	config->verify = sim_shards_say;
}

static void
lossy(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
	config->up.loss = PERCENT(5);
	config->down.loss = PERCENT(5);
}

/* What is less than three PTO late has an ID that is still taken. */
static void
disorderly_verify(struct sim *sim)
{
	uint64_t dropped = 0;

	sim_shards_say(sim);
	for (uint16_t i = 0; i < sim->config.shards; i++)
		dropped += sim_counter(sim->shards->shards[i].node, "drop_retired_id");
	if (dropped > 0)
		sim_fail(sim, "%llu packets with retired IDs were dropped", (unsigned long long)dropped);
}

static void
disorderly(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
	config->up.reorder = PERCENT(20);
	config->up.reorder_ns = 15 * BASE_MS;
	config->up.duplicate = PERCENT(10);
	config->down.reorder = PERCENT(20);
	config->down.reorder_ns = 15 * BASE_MS;
	config->down.duplicate = PERCENT(10);
	config->down.loss = PERCENT(1);
	config->verify = disorderly_verify;
}

void
sim_shards_ping_all(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++) {
		struct quic_conn *conn = sim_client_conn(sim, i);

		if (conn != NULL)
			quic_conn_ping(conn);
	}
}

bool
sim_shards_all_answered_once(const struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++)
		if (sim->connections[i].answered == 0)
			return false;
	return true;
}

void
sim_shards_rebind(struct sim *sim)
{
	if (base_random_below(&sim->random, 2) == 0)
		sim->nat_ip = (uint8_t)(sim->nat_ip == 200 ? 2 : sim->nat_ip + 1);
	else
		sim->nat_port = (uint16_t)((sim->nat_port + SIM_CONNECTIONS_MAX) % 20000);
	/* A client that only listens would never be heard of again. */
	sim_shards_ping_all(sim);
}

static void
rebind_tick(struct sim *sim)
{
	/* Not during a handshake (RFC 9000 section 9). */
	if (base_random_below(&sim->random, 100) == 0 && sim_shards_all_answered_once(sim))
		sim_shards_rebind(sim);
}

static void
rebinding(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
	config->requests = 6;
	config->at_once = 1;
	config->upload_bytes = 50000;
	config->download_bytes = 150000;
	config->up.loss = PERCENT(1);
	config->tick = rebind_tick;
}

void
sim_shards_key_update_tick(struct sim *sim)
{
	struct quic_conn *conn = sim_client_conn(sim, 0);

	if (conn != NULL && base_random_below(&sim->random, 30) == 0)
		quic_conn_update_keys(conn);
}

static void
key_updates(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
	config->tick = sim_shards_key_update_tick;
	config->server_limits.key_update_packets = 100;
	config->up.loss = PERCENT(2);
	config->down.loss = PERCENT(2);
}

void
sim_shards_crowd(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
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
	sim_shards_moves(config, random);
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

bool
sim_shards_all_over(const struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++)
		if (!sim->connections[i].closed && sim->connections[i].done_ns == 0)
			return false;
	return true;
}

static void
closing(struct sim_config *config, struct base_random *random)
{
	sim_shards_crowd(config, random);
	config->tick = close_tick;
	config->done = sim_shards_all_over;
	config->requests = 20;
}

static void
anything(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
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
	config->tick = base_random_below(random, 2) == 0 ? rebind_tick : sim_shards_key_update_tick;
}

#define SAW_MOVES (SIM_SAW(SIM_SEEN_MOVES) | SIM_SAW(SIM_SEEN_BY_SIGHT) | SIM_SAW(SIM_SEEN_GIVEN_ELSEWHERE))

const struct sim_scenario sim_scenarios[] = {
	{"still", "a path without a fault that is always full: no octet comes late", still, SAW_MOVES},
	{"sparse", "the same and mostly empty: no pause over one PTO", sparse, SAW_MOVES},
	{"steady", "1 % lost: no pause over one PTO where nothing was", steady, SAW_MOVES},
	{"lossy", "5 % lost each way", lossy,
		SAW_MOVES | SIM_SAW(SIM_SEEN_WITH_GAPS) | SIM_SAW(SIM_SEEN_WITH_PROBES)},
	{"disorderly", "a fifth comes late, some twice", disorderly, SAW_MOVES},
	{"rebinding", "the client's port and address change as well", rebinding,
		SAW_MOVES | SIM_SAW(SIM_SEEN_WITH_CHALLENGE)},
	{"key_updates", "both sides update keys as well", key_updates,
		SAW_MOVES | SIM_SAW(SIM_SEEN_WITH_OLD_KEYS)},
	{"crowd", "twelve connections, moved all the time", sim_shards_crowd,
		SAW_MOVES | SIM_SAW(SIM_SEEN_SERVICE_REFUSED)},
	{"full_mailboxes", "mailboxes of a few places", full_mailboxes,
		SAW_MOVES | SIM_SAW(SIM_SEEN_MAILBOX_FULL)},
	{"closing", "either side closes at any moment", closing,
		SAW_MOVES | SIM_SAW(SIM_SEEN_CLOSED_WAITING)},
	{"retiring", "the client retires our IDs when it likes", sim_shards_retiring,
		SAW_MOVES | SIM_SAW(SIM_SEEN_CLIENT_SWITCHES)},
	{"empty_ids", "and has none of its own", sim_shards_empty_ids,
		SAW_MOVES | SIM_SAW(SIM_SEEN_CLIENT_SWITCHES)},
	{"renewing", "and has us retire its own", sim_shards_renewing,
		SAW_MOVES | SIM_SAW(SIM_SEEN_CLIENT_RENEWALS) | SIM_SAW(SIM_SEEN_FOLLOWED)},
	{"many_ids", "and takes as many as it has places for", sim_shards_many_ids,
		SAW_MOVES | SIM_SAW(SIM_SEEN_CLIENT_RENEWALS) | SIM_SAW(SIM_SEEN_FOLLOWED)},
	{"migrating", "the client goes to other addresses with other IDs", sim_shards_migrating,
		SAW_MOVES | SIM_SAW(SIM_SEEN_WITH_CHALLENGE) | SIM_SAW(SIM_SEEN_CLIENT_SWITCHES)},
	{"blocked", "small windows and an application that reads late", sim_shards_blocked,
		SAW_MOVES | SIM_SAW(SIM_SEEN_WITH_BLOCKED) | SIM_SAW(SIM_SEEN_WITH_HALF_READ)},
	{"datagrams", "DATAGRAM frames all the time", sim_shards_datagrams,
		SAW_MOVES | SIM_SAW(SIM_SEEN_WITH_DATAGRAMS) | SIM_SAW(SIM_SEEN_WITH_PACING)},
	{"stragglers", "packets come seconds late", sim_shards_stragglers,
		SAW_MOVES | SIM_SAW(SIM_SEEN_RETIRED_DROPS) | SIM_SAW(SIM_SEEN_NO_IDS)},
	{"held_up", "one shard stands still for a second: others do not wait", sim_shards_held_up,
		SAW_MOVES | SIM_SAW(SIM_SEEN_HELD_UP) | SIM_SAW(SIM_SEEN_HELD_MOVES)},
	{"slow_control", "messages wait long, and their mailboxes are full", sim_shards_slow_control,
		SAW_MOVES | SIM_SAW(SIM_SEEN_CONTROL_FULL) | SIM_SAW(SIM_SEEN_SLOTS_HOME)},
	{"stopping", "the gateway ends while connections move", sim_shards_stopping,
		SAW_MOVES | SIM_SAW(SIM_SEEN_STOPPED_TRANSIT)},
	{"idle", "the path goes for good", sim_shards_idle,
		SAW_MOVES | SIM_SAW(SIM_SEEN_IDLE_TIMEOUTS) | SIM_SAW(SIM_SEEN_ABANDONED)},
	{"resets", "the clients forget everything", sim_shards_resets, SAW_MOVES | SIM_SAW(SIM_SEEN_RESETS)},
	{"reuse", "slots used again while packets of their last life arrive", sim_shards_reuse,
		SAW_MOVES | SIM_SAW(SIM_SEEN_STRAY) | SIM_SAW(SIM_SEEN_CLOSED_WAITING)},
	{"uneven", "all load on one shard: the manager evens it out to within 10 %", sim_shards_uneven,
		SIM_SAW(SIM_SEEN_MOVES) | SIM_SAW(SIM_SEEN_DECIDED)},
	{"elephant", "the same with one that has to stay", sim_shards_elephant,
		SIM_SAW(SIM_SEEN_MOVES) | SIM_SAW(SIM_SEEN_DECIDED)},
	{"placed", "new connections begin wherever the manager wants", sim_shards_placed,
		SAW_MOVES | SIM_SAW(SIM_SEEN_PLACED)},
	{"one_home", "one shard takes as many connections as the gateway may have", sim_shards_one_home,
		SIM_SAW(SIM_SEEN_SLOTS_LENT)},
	{"posts", "services post to shards and to connections that move", sim_shards_posts,
		SAW_MOVES | SIM_SAW(SIM_SEEN_POSTS_FOLLOWED) | SIM_SAW(SIM_SEEN_POSTS_REFUSED)},
	{"anything", "loads, links and moves drawn from the seed", anything, SAW_MOVES},
};
const unsigned sim_scenario_count = sizeof(sim_scenarios) / sizeof(sim_scenarios[0]);
