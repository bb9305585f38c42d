/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/idle.h"

#include "base/time.h"

const struct shard_idle shard_idle_defaults = {.spin_turns = 64,
	.pause_turns = 64,
	.sleep_min_us = 20,
	.sleep_max_us = 100,
	.sleep_long_us = 1000,
	.long_after_ms = 100};

/* A sleep shorter than this is not worth the system call. */
#define WORTH_NS (5 * BASE_US)

void
shard_idler_init(struct shard_idler *idler, const struct shard_idle *policy, uint64_t now_ns)
{
	*idler = (struct shard_idler){.policy = *policy, .last_busy_ns = now_ns};
}

enum shard_rest
shard_idler_next(
	struct shard_idler *idler, bool busy, uint64_t now_ns, uint64_t deadline_ns, uint64_t *sleep_ns)
{
	const struct shard_idle *policy = &idler->policy;
	bool quiet = now_ns - idler->last_busy_ns >= policy->long_after_ms * BASE_MS;
	uint64_t most_ns = (quiet ? policy->sleep_long_us : policy->sleep_max_us) * BASE_US;

	if (busy) {
		idler->empty_turns = 0;
		idler->last_busy_ns = now_ns;
		idler->sleep_ns = policy->sleep_min_us * BASE_US;
		return SHARD_REST_NONE;
	}
	if (++idler->empty_turns <= policy->spin_turns)
		return SHARD_REST_NONE;
	if (idler->empty_turns <= (uint64_t)policy->spin_turns + policy->pause_turns)
		return SHARD_REST_PAUSE;
	if (deadline_ns <= now_ns + WORTH_NS || most_ns == 0)
		return SHARD_REST_PAUSE;
	*sleep_ns = idler->sleep_ns < most_ns ? idler->sleep_ns : most_ns;
	*sleep_ns = base_time_earlier(*sleep_ns, deadline_ns - now_ns);
	if (idler->sleep_ns < most_ns)
		idler->sleep_ns += idler->sleep_ns / 2 + 1;
	return SHARD_REST_SLEEP;
}
