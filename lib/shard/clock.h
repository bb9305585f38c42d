/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The time-stamp counter as nanoseconds. All shards of a group share one clock, so that what one writes (a token, a
 * deadline that moves with its connection) another understands; it begins at the time of day, so that tokens survive a
 * restart.
 */
#ifndef SHARD_CLOCK_H
#define SHARD_CLOCK_H

#include <stdint.h>

struct shard_clock {
	uint64_t start_cycles;
	uint64_t start_ns;
	uint64_t ns_per_cycle; /* in units of 2^-32 */
	uint64_t cycles_per_second;
};

/* Reads the time of day and the counter. */
void shard_clock_init(struct shard_clock *clock);
uint64_t shard_clock_cycles(void);

static inline uint64_t
shard_clock_ns(const struct shard_clock *clock, uint64_t cycles)
{
	return clock->start_ns +
		(uint64_t)((unsigned __int128)(cycles - clock->start_cycles) * clock->ns_per_cycle >> 32);
}

#endif
