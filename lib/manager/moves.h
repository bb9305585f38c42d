/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moves that were asked for from outside: threads of DPDK's telemetry leave a request here and wait, bounded, for the manager's copy
 * of the answer. The manager looks at each tick, and more often while one is on its way.
 */
#ifndef MANAGER_MOVES_H
#define MANAGER_MOVES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shard/group.h"

enum { MANAGER_MOVES_MAX = 8, MANAGER_MOVES_TEXT = 128 };

/* Tickets below MANAGER_MOVES_MAX are of this file. */
enum manager_move_stage { MANAGER_MOVE_FREE, MANAGER_MOVE_ASKED, MANAGER_MOVE_BEGUN, MANAGER_MOVE_TOLD };

struct manager_move {
	enum manager_move_stage stage;
	bool abandoned; /* who asked has gone: the result is for nobody */
	struct quic_handle handle;
	uint16_t target;
	enum shard_move_outcome outcome;
	const char *text;
};

/* Zero at first is open and empty. The lock is between the manager and the threads that ask; no shard takes it. */
struct manager_moves {
	pthread_mutex_t lock;
	pthread_cond_t told;
	bool closed;
	uint32_t waiting; /* threads */
	struct manager_move moves[MANAGER_MOVES_MAX];
};

void manager_moves_init(struct manager_moves *moves);
/* From any thread: true when it has moved; `text` says what became of it, without a full stop. */
bool manager_moves_ask(struct manager_moves *moves, struct quic_handle handle, uint16_t target,
	uint32_t within_ms, const char **text);
/* The manager's: hands requests to the shards and results to those who asked. True while something is on its way. */
bool manager_moves_tick(struct manager_moves *moves, struct shard_group *group);
/* Sends everybody away and waits until they have gone. */
void manager_moves_close(struct manager_moves *moves);

#endif
