/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moves that are on their way, whoever wanted them: each has a ticket, which is its place here, and its result goes to all whom it
 * concerns: the history, the policy, the thread that asked. Of the management lcore alone.
 */
#ifndef MANAGER_MOVES_H
#define MANAGER_MOVES_H

#include <stdbool.h>
#include <stdint.h>

#include "manager/history.h"
#include "manager/rebalance.h"
#include "manager/requests.h"
#include "shard/group.h"

enum { MANAGER_NO_PLACE = UINT32_MAX };

struct manager_move {
	bool begun;
	enum manager_asker asker;
	struct quic_handle handle;
	uint16_t from;
	uint16_t to;
	uint32_t permille; /* of its shard's load */
	uint32_t place;    /* of the request to be answered, or MANAGER_NO_PLACE */
};

struct manager_moves {
	struct shard_group *group;           /* borrowed, as are the others */
	struct manager_rebalance *rebalance; /* told of all results, and knows its own */
	struct manager_history *history;
	struct manager_requests *requests;
	struct manager_move moves[SHARD_MOVES_MAX]; /* by ticket */
};

/*
 * Asks the owner to move it. When that is refused at once, so is the move, with all that a result brings. `begun` and `from` are filled
 * in. True when it is on its way.
 */
bool manager_moves_begin(struct manager_moves *moves, const struct manager_move *move, uint64_t now_ns);
/* This connection has a move on its way. */
bool manager_moves_has(const struct manager_moves *moves, struct quic_handle handle);
/* Takes the shards' results. */
void manager_moves_collect(struct manager_moves *moves, uint64_t now_ns);

#endif
