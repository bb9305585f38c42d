/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The management lcore of the simulator: asks for loads, decides by the real policy (manager/rebalance.h) and has its moves made. Cycles
 * are made up: a nanosecond each, so many for every datagram, and idle is what is left of the time.
 */
#include <stdio.h>

#include "base/time.h"
#include "tests/sim/shards.h"

enum { STANDS_FOR = 32 }; /* real datagrams, each of the simulator's */

#define WINDOW_NS (400 * BASE_MS)
#define ANSWER_NS (20 * BASE_MS)

void
sim_manager_open(struct sim *sim)
{
	struct sim_manager *manager = &sim->shards->manager;
	struct manager_policy_limits limits = manager_policy_defaults;

	limits.moves_in_flight = SIM_MOVES_MAX;
	limits.dwell_ns = 2 * BASE_SECOND;
	manager_rebalance_init(&manager->rebalance, &limits, sim->config.rebalances, sim->now_ns);
	manager->next_ns = sim->now_ns + WINDOW_NS;
	for (uint16_t i = 0; i < sim->config.shards; i++) {
		struct sim_shard *shard = &sim->shards->shards[i];

		shard_load_init(&shard->load, base_random_next(&sim->random), sim->now_ns);
		shard->accounted_ns = sim->now_ns;
	}
}

void
sim_manager_count(struct sim *sim, struct sim_shard *shard, const struct base_datagram *datagram,
	enum shard_load_kind kind)
{
	/* A real shard has a hundred times as many datagrams in a window, and as many samples of each connection. */
	for (unsigned i = 0; sim->config.rebalances && i < STANDS_FOR; i++)
		shard_load_count(&shard->load, datagram, kind);
	shard->busy_cycles += (uint64_t)kind * sim->config.datagram_cycles;
	shard->weight += (uint64_t)kind;
}

void
sim_manager_end_turn(struct sim *sim, struct sim_shard *shard)
{
	struct shard_load_sources sources = {.endpoint = shard->node->endpoint,
		.services = &shard->services,
		.now_ns = sim->now_ns,
		.busy_cycles = shard->busy_cycles};
	uint64_t elapsed = sim->now_ns - shard->accounted_ns;
	uint64_t busy = shard->busy_cycles - shard->accounted_cycles;

	if (!shard_load_wanted(&shard->load))
		return;
	/* A shard cannot be busier than all the time, as much as there may be to do. */
	shard->idle_cycles += elapsed > busy ? elapsed - busy : 0;
	shard->accounted_ns = sim->now_ns;
	shard->accounted_cycles = shard->busy_cycles;
	sources.idle_cycles = shard->idle_cycles;
	shard_load_publish(&shard->load, &sources);
}

static void
begin(struct sim *sim, const struct manager_policy_move *move)
{
	struct sim_manager *manager = &sim->shards->manager;
	struct quic_slot_owner owner;

	manager->decided++;
	if (move->handle.slot == manager->elephant.slot)
		sim_fail(sim, "the elephant was to be moved");
	if (sim->config.plant == SIM_PLANT_NOT_EVENED) {
		manager_rebalance_on_result(&manager->rebalance, move->handle, true, sim->now_ns);
		return;
	}
	if (quic_slots_owner(&sim->server.slots, move->handle.slot, &owner) &&
		owner.state == QUIC_SLOT_OWNED && owner.generation == move->handle.generation &&
		sim_shards_ask(sim, move->handle, owner.owner, move->to))
		return;
	manager_rebalance_on_result(&manager->rebalance, move->handle, false, sim->now_ns);
}

static void
say(const struct sim *sim, const struct manager_policy_move *moves, uint32_t count)
{
	const struct manager_rebalance *rebalance = &sim->shards->manager.rebalance;

	if (!sim->trace)
		return;
	printf("%9.3f loads, permille:", (double)(sim->now_ns - BASE_SECOND) / 1e9);
	for (uint16_t i = 0; i < sim->config.shards; i++)
		printf(" %llu", (unsigned long long)rebalance->shards[i].busy_cycles / 1000);
	for (uint32_t i = 0; i < count; i++)
		printf(", slot %u (%llu) to %u", moves[i].handle.slot,
			(unsigned long long)moves[i].cycles / 1000, moves[i].to);
	printf("\n");
}

static void
decide(struct sim *sim)
{
	static const bool leaving[SIM_SHARDS_MAX];
	static const int sockets[SIM_SHARDS_MAX];
	struct sim_manager *manager = &sim->shards->manager;
	const struct shard_load_report *reports[SIM_SHARDS_MAX];
	struct manager_policy_move moves[SIM_MOVES_MAX];
	struct manager_window window = {.now_ns = sim->now_ns,
		.in_flight = sim->shards->in_flight,
		.shard_count = sim->config.shards,
		.reports = reports,
		.leaving = leaving,
		.sockets = sockets};
	uint32_t count;

	for (uint16_t i = 0; i < sim->config.shards; i++)
		reports[i] = shard_load_take(&sim->shards->shards[i].load);
	count = manager_rebalance_window(
		&manager->rebalance, &window, moves, SIM_MOVES_MAX - sim->shards->in_flight);
	say(sim, moves, count);
	for (uint32_t i = 0; i < count; i++)
		begin(sim, &moves[i]);
	sim->seen[SIM_SEEN_DECIDED] += count;
}

/* Asks at the end of each window and decides when all have answered, or some time later without those that have not. */
void
sim_manager_turn(struct sim *sim)
{
	struct sim_manager *manager = &sim->shards->manager;
	bool all = true;

	if (!sim->config.rebalances)
		return;
	if (manager->window > 0 && !manager->decided_window) {
		for (uint16_t i = 0; i < sim->config.shards; i++)
			all = all && shard_load_take(&sim->shards->shards[i].load) != NULL;
		if (all || sim->now_ns + WINDOW_NS >= manager->next_ns + ANSWER_NS) {
			manager->decided_window = true;
			decide(sim);
		}
	}
	if (sim->now_ns < manager->next_ns)
		return;
	manager->next_ns += WINDOW_NS;
	manager->window++;
	manager->decided_window = false;
	for (uint16_t i = 0; i < sim->config.shards; i++)
		shard_load_ask(&sim->shards->shards[i].load, manager->window);
}

void
sim_manager_on_result(struct sim *sim, const struct shard_control_move *move)
{
	if (sim->config.rebalances)
		manager_rebalance_on_result(&sim->shards->manager.rebalance, move->handle,
			move->outcome == SHARD_MOVE_DONE, sim->now_ns);
}

uint64_t
sim_manager_deadline(const struct sim *sim)
{
	return sim->config.rebalances ? sim->shards->manager.next_ns : BASE_NEVER;
}
