/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The management lcore: it polls nothing and sleeps between ticks. At each tick it looks whether every
 * shard's turns advance, and whether it is time to stop; the telemetry handlers (telemetry.h) run on
 * threads of DPDK and read plain counters, a moment old.
 */
#ifndef MANAGER_MANAGER_H
#define MANAGER_MANAGER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "manager/moves.h"
#include "shard/group.h"

/* A shard is watched by its turns. */
struct manager_watch {
	uint64_t turns;    /* when last looked at */
	uint64_t since_ns; /* they stand still */
	bool stuck;        /* and it has been said */
};

struct manager_config {
	struct shard_group *group; /* borrowed */
	uint32_t tick_ms;
	uint32_t stuck_ms;         /* turns may stand still for so long */
	uint32_t stop_deadline_ms; /* connections may take so long to close */
};

struct manager {
	struct manager_config config;
	uint64_t started_ns;
	struct manager_watch watches[SHARDS_MAX];
	struct manager_moves moves;
};

/* Monotonic. */
uint64_t manager_now_ns(void);

void manager_init(struct manager *manager, const struct manager_config *config);
/*
 * Sleeps and looks until `*stop` is not 0 (a signal wakes it up), then stops the group. False when
 * connections had to be cut off.
 */
bool manager_run(struct manager *manager, const volatile sig_atomic_t *stop);

enum manager_verdict { MANAGER_TURNS, MANAGER_STUCK, MANAGER_TURNS_AGAIN };
/* What to say about a shard whose turn counter is at `turns` now: STUCK and TURNS_AGAIN are said once. */
enum manager_verdict manager_watch_look(
	struct manager_watch *watch, uint64_t turns, uint64_t now_ns, uint64_t stuck_ns);

#endif
