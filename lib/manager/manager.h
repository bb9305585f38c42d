/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The management lcore: it polls nothing and sleeps between ticks. At each tick it looks whether every
 * shard's turns advance, and whether it is time to stop; once in a window it gathers what shards say of their load and evens it
 * out (windows.c); it empties shards that are drained, and answers what is asked from outside (answers.c). The telemetry
 * handlers (telemetry.h) run on threads of DPDK and read plain counters, a moment old, or leave a request.
 */
#ifndef MANAGER_MANAGER_H
#define MANAGER_MANAGER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "manager/drain.h"
#include "manager/history.h"
#include "manager/moves.h"
#include "manager/notices.h"
#include "manager/rebalance.h"
#include "manager/requests.h"
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
	bool rebalance;            /* at first */
	uint32_t window_ms;
	struct manager_policy_limits limits;
};

/* Of the load that is being measured. */
struct manager_measure {
	uint32_t window;  /* as shards were asked for */
	bool asked;       /* and not all have answered */
	uint64_t next_ns; /* the window ends */
	uint64_t asked_ns;
};

/* Of ports whose level is buckets. */
struct manager_buckets {
	uint64_t moved_ns[SHARD_PORTS_MAX][NET_RSS_RETA_MAX]; /* 0: never */
	/* The shard plus 1 that it was led away from because that is drained; 0: none. */
	uint8_t drained_from[SHARD_PORTS_MAX][NET_RSS_RETA_MAX];
	uint64_t retry_ns[SHARD_PORTS_MAX]; /* the card has refused */
};

struct manager {
	struct manager_config config;
	uint64_t started_ns;
	bool accepting; /* the gateway takes new connections */
	struct manager_watch watches[SHARDS_MAX];
	struct manager_requests requests;
	struct manager_history history;
	struct manager_rebalance rebalance;
	struct manager_drain drain;
	struct manager_moves moves;
	struct manager_measure measure;
	struct manager_buckets buckets;
	struct manager_notices notices;
	struct manager_placement placements[SHARDS_MAX];
};

/* The clock of all shards. */
uint64_t manager_now_ns(const struct manager *manager);

void manager_init(struct manager *manager, const struct manager_config *config);
/*
 * Sleeps and looks until `*stop` is not 0 (which it sees a moment later), then stops the group. False when
 * connections had to be cut off.
 */
bool manager_run(struct manager *manager, const volatile sig_atomic_t *stop);

enum manager_verdict { MANAGER_TURNS, MANAGER_STUCK, MANAGER_TURNS_AGAIN };
/* What to say about a shard whose turn counter is at `turns` now: STUCK and TURNS_AGAIN are said once. */
enum manager_verdict manager_watch_look(
	struct manager_watch *watch, uint64_t turns, uint64_t now_ns, uint64_t stuck_ns);

/* windows.c: ends a window when it is time, and acts on what shards say. True while answers are awaited. */
bool manager_measure_tick(struct manager *manager, uint64_t now_ns);

/* windows.c: where new connections begin from now on, by the loads of the last window and who is drained. */
void manager_place(struct manager *manager);

/* buckets.c: the policy's. Its connections need no moves: they follow. */
void manager_bucket_move(struct manager *manager, const struct manager_policy_move *decided, uint64_t now_ns);
/*
 * buckets.c: leads a bounded number of buckets away from shards that are drained, to the least loaded ones with a queue; and, once they are not
 * drained any more, those back that nobody has led elsewhere since.
 */
void manager_buckets_step(struct manager *manager, uint64_t now_ns);

/* answers.c: all that is asked; a move is answered when it ends. */
void manager_answer_all(struct manager *manager, uint64_t now_ns);

#endif
