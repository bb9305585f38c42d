/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be asked of the manager, and its answers: plain copies that refer to nothing but texts of static storage. */
#ifndef MANAGER_ANSWER_H
#define MANAGER_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "manager/history.h"
#include "manager/policy.h"
#include "quic/slot.h"

enum manager_request_kind {
	MANAGER_ASK_MOVE,      /* answered when the move has ended */
	MANAGER_ASK_REBALANCE, /* what it is, after `turn` */
	MANAGER_ASK_DRAIN,     /* who is drained, after `turn` of `shard` */
	MANAGER_ASK_HEAVY,     /* the heaviest connections of the last window */
	MANAGER_ASK_HISTORY,   /* moves that ended after number `after` */
	MANAGER_ASK_COUNT
};

enum manager_turn { MANAGER_LOOK, MANAGER_TURN_ON, MANAGER_TURN_OFF };

enum {
	MANAGER_WHOLE_GATEWAY = UINT16_MAX, /* instead of a shard's number */
	MANAGER_HEAVY_MAX = 64,             /* of one answer, as telemetry takes it */
	MANAGER_HISTORY_ANSWER_MAX = 48,
};

struct manager_request {
	enum manager_request_kind kind;
	enum manager_turn turn;
	struct quic_handle handle;
	uint16_t shard; /* MOVE: the target */
	uint32_t count; /* HEAVY: at most so many */
	uint64_t after;
};

struct manager_standing {
	bool rebalancing;
	bool accepting; /* the whole gateway takes new connections */
	uint16_t shards;
	uint32_t window_ms;
	struct manager_policy_limits limits;
	uint32_t in_flight;
	uint64_t windows; /* measured since the start */
	uint64_t totals[MANAGER_ASKER_COUNT][MANAGER_OUTCOME_COUNT];
	struct {
		bool draining;
		bool usable;         /* reported in the last window */
		uint32_t left;       /* connections */
		uint32_t permille;   /* of its time that it is busy, smoothed */
		uint16_t place_to;   /* where new connections go instead of here */
		uint32_t place_part; /* permille of them; 0: none */
	} of[MANAGER_POLICY_SHARDS_MAX];
};

struct manager_heavy {
	struct quic_handle handle;
	uint16_t shard;
	uint32_t permille; /* of its shard's busy time in the window */
	bool movable;
};

struct manager_answer {
	bool done;        /* what was asked for was done; false: `text` says why not */
	const char *text; /* without a full stop */
	uint32_t count;   /* of heavy or records */
	uint64_t now_ns;  /* the records' clock */
	union {
		struct manager_standing standing; /* REBALANCE, DRAIN */
		struct manager_heavy heavy[MANAGER_HEAVY_MAX];
		struct manager_move_record records[MANAGER_HISTORY_ANSWER_MAX];
	};
};

#endif
