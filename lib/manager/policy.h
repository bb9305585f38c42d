/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which connections move where: pure arithmetic over one window's loads, with no clock and no shard (architecture, section 11).
 *
 * Shards that may exchange connections are a domain: those of a CPU socket, or all. Nothing happens until a domain's busiest
 * shard has been above its high mark for some windows; then shards are evened out until the busiest is below the low mark
 * or nothing is left that helps. A round of moves is decided at once, largest pieces first, and the next one only when all its
 * moves have ended and a whole window has passed since: a window that saw half of a move says nothing.
 *
 * A piece goes only if it is no more than what its shard has above the mean, so an elephant stays and its neighbours go; and
 * only to a shard that stays clearly below what its own was. So each move lowers the higher of two loads, and no piece comes back as long
 * as the loads stand; where they do not, the dwell time holds it. Buckets of a port (RSS indirection) go before connections.
 */
#ifndef MANAGER_POLICY_H
#define MANAGER_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "quic/slot.h"

enum {
	MANAGER_POLICY_SHARDS_MAX = 64,
	MANAGER_POLICY_DOMAINS_MAX = 8,
	MANAGER_POLICY_HEAVY_MAX = 16, /* connections in a shard's sample */
	MANAGER_POLICY_MOVES_MAX = 64, /* in flight, and decided in one round */
	MANAGER_POLICY_RESTING_MAX = 128,
};

struct manager_policy_limits {
	uint32_t high_permille;  /* of the mean: above it the busiest shard is too busy, > low_permille */
	uint32_t low_permille;   /* of the mean: evened out down to here, > 1000 */
	uint32_t least_permille; /* of the window: while the busiest is less busy, all is well */
	uint32_t windows;        /* so many in a row above the high mark, at least 1 */
	uint32_t moves_per_second;
	uint32_t moves_in_flight; /* at most MANAGER_POLICY_MOVES_MAX */
	uint64_t dwell_ns;        /* between two moves of the same, and after a refusal */
	bool across_sockets;
};

/* 1100, 1050, 200, 3 windows, 64 a second, 16 in flight, 5 s, not across. */
extern const struct manager_policy_limits manager_policy_defaults;

struct manager_policy_connection {
	struct quic_handle handle;
	uint64_t cycles;   /* in the window */
	uint64_t moved_ns; /* 0: never */
	bool movable;      /* confirmed, not closing, its service agrees */
};

struct manager_policy_shard {
	uint64_t busy_cycles; /* in the window */
	uint16_t socket;      /* below MANAGER_POLICY_DOMAINS_MAX */
	bool usable;          /* turns, and is not about to end */
	uint16_t count;
	struct manager_policy_connection heavy[MANAGER_POLICY_HEAVY_MAX];
};

/* An entry of a port's RSS indirection table, and the work that comes by it. */
struct manager_policy_bucket {
	uint16_t port;
	uint16_t number;
	uint16_t shard;
	uint64_t cycles;
	uint64_t moved_ns; /* 0: never */
};

struct manager_policy_sample {
	uint64_t now_ns;
	uint64_t window_cycles; /* of one shard, busy and idle */
	uint32_t in_flight;     /* all moves, an operator's too */
	uint16_t shard_count;
	uint16_t bucket_count; /* 0: no port has them */
	const struct manager_policy_shard *shards;
	const struct manager_policy_bucket *buckets;
};

struct manager_policy_move {
	bool is_bucket;
	uint16_t port;
	uint16_t number;
	struct quic_handle handle;
	uint16_t from;
	uint16_t to;
	uint64_t cycles;
};

struct manager_policy_domain {
	uint32_t windows_high;
	bool acting;
};

struct manager_policy_resting {
	struct quic_handle handle;
	uint64_t until_ns;
};

struct manager_policy {
	struct manager_policy_limits limits;
	struct manager_policy_domain domains[MANAGER_POLICY_DOMAINS_MAX];
	uint64_t last_ns;
	uint64_t decided_ns; /* the last round */
	uint64_t budget_ns;  /* of the rate: each move costs its part of a second */
	bool settling;       /* a move has ended within the window that is being measured */
	uint32_t pending_count;
	struct quic_handle pending[MANAGER_POLICY_MOVES_MAX];
	uint32_t resting_next;
	struct manager_policy_resting resting[MANAGER_POLICY_RESTING_MAX];
};

void manager_policy_init(
	struct manager_policy *policy, const struct manager_policy_limits *limits, uint64_t now_ns);
/*
 * Once at the end of each window. Returns how many moves to begin, at most `room`. Those of connections are pending
 * until manager_policy_on_result(); buckets have moved at once, and their connections follow in the window that is waited for.
 */
uint32_t manager_policy_decide(struct manager_policy *policy, const struct manager_policy_sample *sample,
	struct manager_policy_move *moves, uint32_t room);
/* A move has ended; what was not moved is left alone for the dwell time and 16 times as long as it was waited for. Moves that are not of the policy are ignored. */
void manager_policy_on_result(
	struct manager_policy *policy, struct quic_handle handle, bool moved, uint64_t now_ns);

#endif
