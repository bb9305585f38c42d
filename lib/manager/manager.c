/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/manager.h"

#include <string.h>

#include "base/log.h"
#include "base/time.h"

enum {
	SHORTEST_PAUSE_MS = 2, /* who asked for a move waits for it */
	DRAIN_PAUSE_MS = 20,
	LONGEST_PAUSE_MS = 50, /* a signal does not wake it up */
};

uint64_t
manager_now_ns(const struct manager *manager)
{
	return shard_clock_ns(&manager->config.group->clock, shard_clock_cycles());
}

void
manager_init(struct manager *manager, const struct manager_config *config)
{
	struct shard_group *group = config->group;

	memset(manager, 0, sizeof(*manager));
	manager->config = *config;
	manager->started_ns = manager_now_ns(manager);
	manager->accepting = true;
	manager_requests_init(&manager->requests);
	manager_rebalance_init(&manager->rebalance, &config->limits, config->rebalance, manager->started_ns);
	manager_drain_init(&manager->drain, &group->slots, group->count, config->limits.moves_per_second,
		manager->started_ns);
	manager->moves.group = group;
	manager->moves.rebalance = &manager->rebalance;
	manager->moves.history = &manager->history;
	manager->moves.requests = &manager->requests;
	manager->measure.next_ns = manager->started_ns + config->window_ms * BASE_MS;
	for (uint16_t i = 0; i < SHARDS_MAX; i++) {
		manager->watches[i].since_ns = manager->started_ns;
		manager->placements[i].target = i;
	}
}

enum manager_verdict
manager_watch_look(struct manager_watch *watch, uint64_t turns, uint64_t now_ns, uint64_t stuck_ns)
{
	bool was_stuck = watch->stuck;

	if (turns != watch->turns) {
		*watch = (struct manager_watch){.turns = turns, .since_ns = now_ns};
		return was_stuck ? MANAGER_TURNS_AGAIN : MANAGER_TURNS;
	}
	if (was_stuck || now_ns - watch->since_ns < stuck_ns)
		return MANAGER_TURNS;
	watch->stuck = true;
	return MANAGER_STUCK;
}

/* Rules of connections that are looked at in a tick. */
enum { AUDIT_AT_ONCE = 64 };

static void
tick(struct manager *manager, uint64_t now_ns)
{
	struct shard_group *group = manager->config.group;

	shard_steerer_audit(&group->steerer, AUDIT_AT_ONCE);

	for (uint16_t i = 0; i < group->count; i++) {
		struct shard_statistics statistics;

		shard_get_statistics(group->shards[i], &statistics);
		switch (manager_watch_look(&manager->watches[i], statistics.counters[SHARD_TURNS], now_ns,
			manager->config.stuck_ms * BASE_MS)) {
		case MANAGER_STUCK:
			base_log(BASE_LOG_ERROR,
				"shard %u stands still since %u ms, in: %s; if its CPU is shared, give it one of its own "
				"(shards.cpus)",
				i, manager->config.stuck_ms, shard_place_text(statistics.place));
			break;
		case MANAGER_TURNS_AGAIN:
			base_log(BASE_LOG_WARNING, "shard %u turns again", i);
			break;
		case MANAGER_TURNS:
			break;
		}
	}
}

/* What drained shards own leaves, as far as there is room in flight. */
static void
empty_drained(struct manager *manager, uint64_t now_ns)
{
	struct manager_drain_move moves[MANAGER_POLICY_MOVES_MAX];
	uint32_t in_flight = manager->config.group->moves_in_flight;
	uint32_t at_most = manager->config.limits.moves_in_flight, count;

	if (in_flight >= at_most)
		return;
	count = manager_drain_step(&manager->drain, &manager->rebalance, now_ns, moves, at_most - in_flight);
	for (uint32_t i = 0; i < count; i++) {
		const struct manager_move move = {.asker = MANAGER_BY_DRAIN,
			.handle = moves[i].handle,
			.from = moves[i].from,
			.to = moves[i].to,
			.place = MANAGER_NO_PLACE};

		if (!manager_moves_has(&manager->moves, move.handle))
			manager_moves_begin(&manager->moves, &move, now_ns);
	}
}

/* Until there may be something to do: soon, where somebody waits for it. */
static uint64_t
pause_ns(const struct manager *manager, bool measuring, uint64_t tick_ns, uint64_t now_ns)
{
	uint64_t at_ns = now_ns + LONGEST_PAUSE_MS * BASE_MS;

	if (measuring || manager->config.group->moves_in_flight > 0)
		return SHORTEST_PAUSE_MS * BASE_MS;
	if (manager_drain_any(&manager->drain))
		at_ns = now_ns + DRAIN_PAUSE_MS * BASE_MS;
	at_ns = base_time_earlier(at_ns, base_time_earlier(tick_ns, manager->measure.next_ns));
	return at_ns > now_ns ? at_ns - now_ns : 0;
}

bool
manager_run(struct manager *manager, const volatile sig_atomic_t *stop)
{
	uint64_t tick_ns = 0;

	while (*stop == 0) {
		uint64_t now_ns = manager_now_ns(manager);
		bool measuring;

		if (now_ns >= tick_ns) {
			tick(manager, now_ns);
			manager_notices_tick(&manager->notices, manager->config.group, now_ns);
			tick_ns = now_ns + manager->config.tick_ms * BASE_MS;
		}
		manager_moves_collect(&manager->moves, now_ns);
		manager_answer_all(manager, now_ns);
		measuring = manager_measure_tick(manager, now_ns);
		manager_buckets_step(manager, now_ns);
		empty_drained(manager, now_ns);
		manager_requests_wait(&manager->requests, pause_ns(manager, measuring, tick_ns, now_ns));
	}
	manager_requests_close(&manager->requests);
	return shard_group_stop(manager->config.group, manager->config.stop_deadline_ms);
}
