/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the reports of a window to the moves that should begin: the policy (policy.h), fed with what shards say of themselves, switched on
 * and off, and the placement of new connections. No clock, no shard, no DPDK: the manager's lcore and a simulator in virtual time
 * drive it alike.
 *
 *   each window:  manager_rebalance_window()   reports -> moves to begin, at most `room`
 *                 manager_rebalance_place()    where new connections go, from the same loads
 *   each move:    manager_rebalance_on_result()  once for EVERY move that was decided, whether it was refused at once, refused by its
 *                                              shard, abandoned, or done: the policy decides nothing while one is missing
 *
 * Loads are measured in parts of a window, so that windows of different length compare: a shard that was busy all the time has
 * MANAGER_WINDOW_PARTS. They are smoothed, or the noise of short windows would move connections about that are even in the long run; what
 * has moved is taken into account at once. A connection's load is its share of its shard's weights.
 */
#ifndef MANAGER_REBALANCE_H
#define MANAGER_REBALANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "manager/answer.h"
#include "manager/known.h"
#include "manager/policy.h"
#include "shard/load.h"

enum {
	MANAGER_WINDOW_PARTS = 1000000,
	MANAGER_BUCKETS_MAX = SHARD_PORTS_MAX * NET_RSS_RETA_MAX,
};

/* A port whose RSS buckets can be moved; ports that have none are not named. */
struct manager_bucket_port {
	uint16_t port;
	uint16_t count;           /* of buckets, at most NET_RSS_RETA_MAX */
	const uint16_t *shards;   /* [count]: where each leads */
	const uint64_t *moved_ns; /* [count]; 0: never */
};

struct manager_window {
	uint64_t now_ns;    /* by the clock of the reports */
	uint32_t in_flight; /* moves of anybody, begun and not ended */
	uint16_t shard_count;
	const struct shard_load_report *const *reports; /* [shard_count]; NULL: it has not reported */
	const bool *leaving;                            /* [shard_count]: it is drained, or has ended */
	const int *sockets;                             /* [shard_count]; below 0: unknown */
	uint16_t bucket_port_count;
	const struct manager_bucket_port *bucket_ports;
};

/* What of a shard's new connections begins elsewhere. */
struct manager_placement {
	uint16_t target;   /* shard */
	uint32_t permille; /* 0: all begin here */
};

/* Decided, and its result has not come. */
struct manager_rebalance_move {
	struct quic_handle handle;
	uint16_t from;
	uint16_t to;
	uint64_t parts;
};

struct manager_rebalance {
	bool on;
	struct manager_policy policy;
	uint64_t windows;
	struct manager_smoothed loads[MANAGER_POLICY_SHARDS_MAX];
	struct manager_known known[MANAGER_POLICY_SHARDS_MAX];
	uint32_t pending_count;
	struct manager_rebalance_move pending[MANAGER_POLICY_MOVES_MAX];
	uint16_t shard_count; /* of the last window */
	struct manager_policy_shard shards[MANAGER_POLICY_SHARDS_MAX];
	uint16_t bucket_count;
	struct manager_policy_bucket buckets[MANAGER_BUCKETS_MAX];
};

void manager_rebalance_init(struct manager_rebalance *rebalance, const struct manager_policy_limits *limits,
	bool on, uint64_t now_ns);
/* Off: nothing more is decided; what has begun goes on, and its results are still to be told. */
void manager_rebalance_switch(struct manager_rebalance *rebalance, bool on);

uint32_t manager_rebalance_window(struct manager_rebalance *rebalance, const struct manager_window *window,
	struct manager_policy_move *moves, uint32_t room);
void manager_rebalance_on_result(
	struct manager_rebalance *rebalance, struct quic_handle handle, bool moved, uint64_t now_ns);

/*
 * From the loads of the last window, [shard_count]. A shard that leaves sends all; one that is clearly above the mean of its like
 * sends a part to the least loaded, if rebalancing is on; all others send none.
 */
void manager_rebalance_place(
	const struct manager_rebalance *rebalance, const bool *leaving, struct manager_placement *placements);

/* The connections of the last window, heaviest for its shard first; returns how many, at most `room`. */
uint32_t manager_rebalance_heavy(
	const struct manager_rebalance *rebalance, struct manager_heavy *heavy, uint32_t room);
/* Thousandths of the shard's work in the last window. */
uint32_t manager_rebalance_permille(
	const struct manager_rebalance *rebalance, uint16_t shard, uint64_t parts);
/* The shard in use with the least of `loads`, [shard_count], of the socket of `home` if there is one; shard_count: none. */
uint16_t manager_rebalance_least(
	const struct manager_rebalance *rebalance, const bool *leaving, const uint64_t *loads, uint16_t home);

#endif
