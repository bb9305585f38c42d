/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/manager.h"

#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/time.h"

enum { MOVE_TICK_NS = 2000000 };

uint64_t
manager_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * BASE_SECOND + (uint64_t)now.tv_nsec;
}

void
manager_init(struct manager *manager, const struct manager_config *config)
{
	memset(manager, 0, sizeof(*manager));
	manager->config = *config;
	manager->started_ns = manager_now_ns();
	manager_moves_init(&manager->moves);
	for (uint16_t i = 0; i < SHARDS_MAX; i++)
		manager->watches[i].since_ns = manager->started_ns;
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

bool
manager_run(struct manager *manager, const volatile sig_atomic_t *stop)
{
	const struct timespec pause = {
		manager->config.tick_ms / 1000, manager->config.tick_ms % 1000 * (long)BASE_MS};
	/* Who asked for a move waits for it. */
	const struct timespec short_pause = {.tv_nsec = MOVE_TICK_NS};
	uint64_t next_ns = 0;

	while (*stop == 0) {
		uint64_t now_ns = manager_now_ns();
		bool moving;

		if (now_ns >= next_ns) {
			tick(manager, now_ns);
			next_ns = now_ns + manager->config.tick_ms * BASE_MS;
		}
		moving = manager_moves_tick(&manager->moves, manager->config.group);
		nanosleep(moving ? &short_pause : &pause, NULL);
	}
	manager_moves_close(&manager->moves);
	return shard_group_stop(manager->config.group, manager->config.stop_deadline_ms);
}
