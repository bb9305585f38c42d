/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connections of one shard that its reports have named lately, and their loads, smoothed: a window is short, and most connections come in
 * bursts. A report names few, so a connection that is missing made little in that window, or has gone; after some windows it is forgotten. Loads are
 * parts of a window (rebalance.h). No clock.
 */
#ifndef MANAGER_KNOWN_H
#define MANAGER_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "manager/policy.h"
#include "shard/load.h"

enum {
	MANAGER_KNOWN_MAX = 64,
	MANAGER_SMOOTHED_OVER =
		8, /* windows, of shards' loads too; and so long who is missing is remembered */
	/*
	 * Of n samples the count is wrong by one part in the root of n: who has had fewer than these, in all its windows, may be four times as
	 * heavy as it looks, and is not moved yet. A busy connection has them in a window or two, and where packets are few it takes longer.
	 */
	MANAGER_KNOWN_SAMPLES = 16,
};

/* The mean of its windows at first, then each new one has its part. Zero has seen none. */
struct manager_smoothed {
	uint64_t parts;
	uint32_t windows; /* at most MANAGER_SMOOTHED_OVER */
};
void manager_smooth(struct manager_smoothed *smoothed, uint64_t fresh);

struct manager_known_connection {
	struct quic_handle handle;
	struct manager_smoothed load;
	uint64_t fresh; /* of the last window */
	uint64_t moved_ns;
	uint16_t missing; /* windows, since it was named last */
	bool movable;
	uint32_t samples; /* in all windows, up to MANAGER_KNOWN_SAMPLES */
};

/* Zero is empty. */
struct manager_known {
	uint32_t count;
	struct manager_known_connection connections[MANAGER_KNOWN_MAX];
};

/* A window's report of a shard that was busy for `busy_parts` of it. */
void manager_known_take(
	struct manager_known *known, const struct shard_load_report *report, uint64_t busy_parts);
/*
 * Its heaviest as the policy takes them, the heaviest first: shard->heavy and shard->count. Only those of the last report: who is missing may
 * have gone.
 */
void manager_known_heaviest(const struct manager_known *known, struct manager_policy_shard *shard);
/* It has moved, and is known there with the load that it had. */
void manager_known_move(
	struct manager_known *from, struct manager_known *to, struct quic_handle handle, uint64_t now_ns);

#endif
