/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/clock.h"

#include <time.h>

#include <rte_cycles.h>

#include "base/time.h"

uint64_t
shard_clock_cycles(void)
{
	return rte_rdtsc();
}

void
shard_clock_init(struct shard_clock *clock)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	clock->start_cycles = rte_rdtsc();
	clock->start_ns = (uint64_t)now.tv_sec * BASE_SECOND + (uint64_t)now.tv_nsec;
	clock->cycles_per_second = rte_get_tsc_hz();
	clock->ns_per_cycle = (uint64_t)(((unsigned __int128)BASE_SECOND << 32) / clock->cycles_per_second);
}
