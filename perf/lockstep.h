/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Several shards as if each had a core of its own, by one thread: every shard has a clock of its own, and the one that is furthest behind takes
 * the next turn. Its clock advances by the cycles that the turn really took, so a busy shard falls behind the time at which
 * requests are asked for and lets them wait, as it would on a core of its own, while an idle one is there at once.
 *
 * What one shard sends another, or the client, is seen by the other's next turn, which began before at most one turn of the sender has
 * ended: so much, some microseconds, is the error of this model. What it leaves out: the shards share one core's caches here, and no turn waits for a
 * line of another core's cache.
 *
 * A turn that the machine interrupted took milliseconds that no work explains. Turns are compared with those that carried as many frames: what is
 * above three times their median and 2 us is charged the median instead, and counted.
 */
#ifndef PERF_LOCKSTEP_H
#define PERF_LOCKSTEP_H

#include "perf/wire.h"

enum { LOCKSTEP_WORK_MAX = 128 };

struct lockstep {
	struct wire *wire;
	double ns_per_cycle;
	uint64_t start_ns;
	uint64_t clocks[WIRE_SHARDS_MAX];  /* cycles since start_ns */
	uint64_t busy[WIRE_SHARDS_MAX];    /* of them, in turns that did something */
	uint64_t frames[WIRE_SHARDS_MAX];  /* received and sent until the last turn */
	uint64_t usual[LOCKSTEP_WORK_MAX]; /* cycles of a turn, by its frames */
	uint64_t turns, interrupted;
};

/* All clocks at the time of `wire`. */
void lockstep_init(struct lockstep *lockstep, struct wire *wire);
/* The shard that is furthest behind, and its time. */
uint16_t lockstep_next(const struct lockstep *lockstep);
uint64_t lockstep_now_ns(const struct lockstep *lockstep, uint16_t shard);
/*
 * Its turn, and the client's on what it sent. A shard without anything to do goes on to `until_ns` at most, the next time at which
 * somebody will ask for something.
 */
void lockstep_turn(struct lockstep *lockstep, uint16_t shard, uint64_t until_ns);

#endif
