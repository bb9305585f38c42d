/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which moves have ended lately, and what became of all of them in numbers. Plain memory of whoever decides about moves, the manager
 * or a simulator; what others are to see is copied.
 */
#ifndef MANAGER_HISTORY_H
#define MANAGER_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "quic/slot.h"
#include "shard/move.h"

/* Who wanted a move. */
enum manager_asker {
	MANAGER_BY_REBALANCE,
	MANAGER_BY_OPERATOR,
	MANAGER_BY_DRAIN,
	MANAGER_ASKER_COUNT,
};

/* Kinds of ends; the text of a record says more. */
enum manager_outcome {
	MANAGER_MOVED,
	MANAGER_REFUSED, /* not begun */
	MANAGER_ABANDONED,
	MANAGER_CLOSED,
	MANAGER_OUTCOME_COUNT,
};

/* [MANAGER_ASKER_COUNT], [MANAGER_OUTCOME_COUNT]: words for people and for metrics. */
extern const char *const manager_asker_names[];
extern const char *const manager_outcome_names[];

enum manager_outcome manager_outcome_of(enum shard_move_outcome outcome);

struct manager_move_record {
	uint64_t number; /* counts from 1 */
	uint64_t at_ns;  /* it ended */
	struct quic_handle handle;
	bool bucket; /* instead of a connection: handle.slot is the bucket, handle.generation the port */
	uint16_t from;
	uint16_t to;
	uint32_t permille; /* of its shard's load when it was decided; 0: nobody looked */
	enum manager_asker asker;
	enum manager_outcome outcome;
	const char *text; /* of static storage, without a full stop */
};

enum { MANAGER_HISTORY_MAX = 64 };

/* Zero is empty. */
struct manager_history {
	uint64_t count; /* of all records ever; the last MANAGER_HISTORY_MAX are here */
	struct manager_move_record records[MANAGER_HISTORY_MAX];
	uint64_t totals[MANAGER_ASKER_COUNT][MANAGER_OUTCOME_COUNT];
};

/* `number` is filled in. */
void manager_history_add(struct manager_history *history, const struct manager_move_record *record);
/* Copies records with numbers above `after`, oldest first; returns how many, at most `room`. */
uint32_t manager_history_copy(const struct manager_history *history, uint64_t after,
	struct manager_move_record *records, uint32_t room);

#endif
