/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Emptying shards while their connections live: the ownership words are walked, a bounded number at each step, and what a drained shard
 * owns is moved to the shards in use, the least loaded first, at the limit of the rate. What was refused (it was moved a
 * short time ago, its handshake goes on, …) is asked again when the next walk comes by. Nothing is remembered of a connection, so ten million cost no
 * memory. No DPDK and no clock.
 *
 * That no new connection begins there is a matter of placement (rebalance.h), that none comes back one of the policy's sample, and that no packets
 * arrive there one of buckets (buckets.c), where a port has nothing better. Then its moves are no more than a push: connections go on to where their
 * bucket leads.
 */
#ifndef MANAGER_DRAIN_H
#define MANAGER_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "manager/rebalance.h"
#include "quic/slot.h"

struct manager_drain {
	const struct quic_slots *slots;
	uint16_t shards;
	uint32_t moves_per_second;
	bool draining[MANAGER_POLICY_SHARDS_MAX];
	uint64_t last_ns;
	uint64_t budget_ns; /* of the rate: each move costs its part of a second */
	uint64_t walk_ns;   /* this walk began */
	uint32_t cursor;    /* slots */
	uint64_t
		loads[MANAGER_POLICY_SHARDS_MAX]; /* of the last window, and what has been sent there since */
};

struct manager_drain_move {
	struct quic_handle handle;
	uint16_t from;
	uint16_t to;
};

/* `slots` are borrowed; without QUIC they are of count 0. */
void manager_drain_init(struct manager_drain *drain, const struct quic_slots *slots, uint16_t shards,
	uint32_t moves_per_second, uint64_t now_ns);
/* NULL, or why not: a sentence without a full stop. `rebalance` knows who is in use. */
const char *manager_drain_begin(
	struct manager_drain *drain, const struct manager_rebalance *rebalance, uint16_t shard);
/* NULL, or why not. Its connections stay where they have gone, unless they follow a bucket back. */
const char *manager_drain_end(struct manager_drain *drain, uint16_t shard);
bool manager_drain_any(const struct manager_drain *drain);
/* A window is over: loads are what it says. */
void manager_drain_on_window(struct manager_drain *drain, const struct manager_rebalance *rebalance);
/* Moves to ask for now, at most `room`. */
uint32_t manager_drain_step(struct manager_drain *drain, const struct manager_rebalance *rebalance,
	uint64_t now_ns, struct manager_drain_move *moves, uint32_t room);

#endif
