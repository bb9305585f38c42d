/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shards that stand still, end or are crowded, and connections that end in every way, while connections are moved. */
#include "base/time.h"
#include "quic/conn_state.h"
#include "tests/sim/shards_scenarios.h"

/* One shard has no turn for a second, again and again; connections are moved to it and from it meanwhile. */
static void
hold_tick(struct sim *sim)
{
	uint16_t shard = (uint16_t)base_random_below(&sim->random, sim->config.shards);

	if (base_random_below(&sim->random, 300) != 0 || !sim_shards_all_answered_once(sim))
		return;
	for (uint16_t i = 0; i < sim->config.shards; i++)
		if (sim->shards->shards[i].held_until_ns > sim->now_ns)
			return;
	sim_shards_hold(sim, shard, sim->now_ns + BASE_SECOND);
}

/* Those of other shards must not wait for it (watch_pauses). */
void
sim_shards_held_up(struct sim_config *config, struct base_random *random)
{
	sim_shards_crowd(config, random);
	config->shards = 3;
	config->connections = 6;
	config->requests = 12;
	config->upload_bytes = 0;
	config->download_bytes = 40000;
	config->up.loss = 0;
	config->down.loss = 0;
	config->down.queue_ns = 0;
	config->mailbox = 8 + (uint16_t)base_random_below(random, 64);
	config->moves_per_second = 400;
	config->watch_pauses = true;
	config->tick = hold_tick;
}

/* Messages wait for a tenth of a second, and there are as many as there may be. */
void
sim_shards_slow_control(struct sim_config *config, struct base_random *random)
{
	sim_shards_crowd(config, random);
	config->shards = 2;
	config->control_ns = 100 * BASE_MS;
	config->moves_per_second = 1000;
	config->server_limits.move_dwell_ns = 0;
}

static void
stop_tick(struct sim *sim)
{
	if (sim_shards_all_answered_once(sim) && base_random_below(&sim->random, 500) == 0)
		sim->shards->stopping = true;
}

static bool
all_closed(const struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++)
		if (!sim->connections[i].closed)
			return false;
	return true;
}

static void
stop_verify(struct sim *sim)
{
	sim_shards_say(sim);
	for (uint32_t i = 0; i < sim->config.connections; i++)
		if (sim->connections[i].timed_out)
			sim_fail(sim, "connection %u was left to its timeout", i);
}

/* The gateway ends while connections are under way between its shards: every client is told. */
void
sim_shards_stopping(struct sim_config *config, struct base_random *random)
{
	sim_shards_crowd(config, random);
	config->server_limits.move_dwell_ns = 0;
	config->connections = 4;
	config->requests = 1000;
	config->download_bytes = 5000;
	config->up.loss = 0;
	config->down.loss = 0;
	config->down.queue_ns = 0;
	config->down.rate_bits_per_second = 0;
	config->control_ns = 20 * BASE_MS;
	config->tick = stop_tick;
	config->done = all_closed;
	config->verify = stop_verify;
}

/* The path goes for good: each side closes by its idle timeout, at whatever point of a move. */
static void
silence_tick(struct sim *sim)
{
	struct net_impair_config up = sim->config.up, down = sim->config.down;

	if (sim->marks[0] != 0 || !sim_shards_all_answered_once(sim) ||
		base_random_below(&sim->random, 100) != 0)
		return;
	sim->marks[0] = 1;
	up.loss = NET_IMPAIR_WHOLE;
	down.loss = NET_IMPAIR_WHOLE;
	net_impair_change(&sim->up, &up);
	net_impair_change(&sim->down, &down);
}

void
sim_shards_idle(struct sim_config *config, struct base_random *random)
{
	sim_shards_crowd(config, random);
	config->connections = 6;
	config->requests = 1000;
	config->server_limits.idle_timeout_ns = BASE_SECOND;
	config->tick = silence_tick;
	config->done = all_closed;
}

/* Connections whose client has given no token for the ID that the gateway uses: the first one of each has none. */
static uint32_t
without_token(const struct sim *sim)
{
	const struct quic_slots *slots = &sim->server.slots;
	struct quic_slot_owner owner;
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < slots->count; slot++) {
		const struct quic_conn *conn = quic_slots_at(slots, slot);

		if (quic_slots_owner(slots, slot, &owner) && owner.state != QUIC_SLOT_FREE &&
			conn->peer_ids[0].reset_key == 0)
			count++;
	}
	return count;
}

/* The clients' machine restarts: it knows nothing of its connections and answers with stateless resets (RFC 9000 section 10.3). */
static void
restart_tick(struct sim *sim)
{
	if (sim->marks[0] != 0 || !sim_shards_all_answered_once(sim) ||
		base_random_below(&sim->random, 100) != 0)
		return;
	sim->marks[0] = 1;
	sim->marks[1] = without_token(sim);
	sim_restart(sim, &sim->client);
	sim->open_connections = 0;
}

/* Resets are known by the tokens of IDs that the gateway uses: not by the first, which came without one. */
static void
renew_and_restart_tick(struct sim *sim)
{
	if (sim->marks[0] == 0)
		sim_shards_renew_tick(sim);
	restart_tick(sim);
}

static bool
all_forgotten(const struct sim *sim)
{
	return sim->marks[0] != 0 && sim->config.group->connections(sim) == 0;
}

/* Resets carry no ID of ours, and come to any shard: each finds the owner, so who has a token does not wait for the idle timeout. */
static void
resets_verify(struct sim *sim)
{
	uint64_t timeouts = 0;

	for (uint16_t i = 0; i < sim->config.shards; i++)
		timeouts += sim_counter(sim->shards->shards[i].node, "idle_timeouts");
	if (timeouts > sim->marks[1])
		sim_fail(sim, "a reset has not found its connection");
}

void
sim_shards_resets(struct sim_config *config, struct base_random *random)
{
	sim_shards_crowd(config, random);
	config->connections = 4;
	config->requests = 1000;
	config->tick = renew_and_restart_tick;
	config->done = all_forgotten;
	config->verify = resets_verify;
}

/* Few slots, and connections that end and begin all the time, with packets of earlier ones still on their way. */
void
sim_shards_reuse_tick(struct sim *sim)
{
	uint32_t open = 0;

	for (uint32_t i = 0; i < sim->marks[0]; i++) {
		struct sim_conn *state = &sim->connections[i];
		struct quic_conn *conn = state->closed ? NULL : sim_client_conn(sim, i);

		if (conn != NULL && (state->done_ns != 0 || base_random_below(&sim->random, 300) == 0))
			quic_conn_close(conn, 0, "next");
		open += !state->closed;
	}
	if (sim->marks[0] == 0)
		sim->marks[0] = sim->config.connections - sim->config.later;
	else if (open < 6 && sim->marks[0] < sim->config.connections)
		sim_connect(sim, (uint32_t)sim->marks[0]++);
}

static bool
all_used(const struct sim *sim)
{
	return sim->marks[0] == sim->config.connections && sim_shards_all_over(sim);
}

void
sim_shards_reuse(struct sim_config *config, struct base_random *random)
{
	sim_shards_crowd(config, random);
	config->connections = 40;
	config->later = 34;
	config->requests = 6;
	config->download_bytes = 30000;
	config->server_limits.move_dwell_ns = 0;
	config->server_limits.connections = 12;
	config->server_limits.handshakes = 12;
	config->up.reorder = PERCENT(3);
	config->up.reorder_ns = 300 * BASE_MS;
	config->tick = sim_shards_reuse_tick;
	config->done = all_used;
}
