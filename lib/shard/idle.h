/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a shard does between turns that found nothing: go on at once, pause, or sleep, so that a busy shard loses no time
 * and an idle gateway no power. Measured: on machines with more shards than CPUs, spinning without sleep is ruinous.
 */
#ifndef SHARD_IDLE_H
#define SHARD_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "shard/shard.h"

enum shard_rest { SHARD_REST_NONE, SHARD_REST_PAUSE, SHARD_REST_SLEEP };

struct shard_idler {
	struct shard_idle policy;
	uint64_t empty_turns; /* one after the other */
	uint64_t last_busy_ns;
	uint64_t sleep_ns; /* the next one */
};

void shard_idler_init(struct shard_idler *idler, const struct shard_idle *policy, uint64_t now_ns);
/*
 * What to do after a turn that did something or not, when nothing is due before `deadline_ns`; *sleep_ns says how long a
 * sleep may be.
 */
enum shard_rest shard_idler_next(
	struct shard_idler *idler, bool busy, uint64_t now_ns, uint64_t deadline_ns, uint64_t *sleep_ns);

#endif
