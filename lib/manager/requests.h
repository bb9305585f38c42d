/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is asked of the manager from outside: threads of DPDK's telemetry leave a request here and wait, bounded, for the manager's copy of
 * the answer. They touch nothing else of the manager's. The manager takes requests when it wakes up, which a request makes it
 * do, and may answer at once or, for a move, when its result has come.
 *
 * A place goes FREE -> ASKED -> TAKEN -> ANSWERED -> FREE. Who asked and has gone meanwhile leaves a place that is TAKEN to the manager,
 * whose answer frees it.
 */
#ifndef MANAGER_REQUESTS_H
#define MANAGER_REQUESTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "manager/answer.h"

enum { MANAGER_REQUESTS_MAX = 8 }; /* at once */

enum manager_request_stage {
	MANAGER_REQUEST_FREE,
	MANAGER_REQUEST_ASKED,
	MANAGER_REQUEST_TAKEN,
	MANAGER_REQUEST_ANSWERED,
};

struct manager_request_place {
	enum manager_request_stage stage;
	bool abandoned; /* who asked has gone: the answer is for nobody */
	struct manager_request request;
	struct manager_answer answer;
};

/* The lock is between the manager and the threads that ask; no shard takes it. */
struct manager_requests {
	pthread_mutex_t lock;
	pthread_cond_t asked; /* for the manager */
	pthread_cond_t told;  /* for those who wait */
	bool closed;
	uint32_t waiting; /* threads */
	struct manager_request_place places[MANAGER_REQUESTS_MAX];
};

enum manager_requests_result {
	MANAGER_REQUESTS_ANSWERED,
	MANAGER_REQUESTS_UNDER_WAY, /* taken, and not answered in time: it goes on */
	MANAGER_REQUESTS_BUSY,      /* no place, or not taken in time, or about to end: nothing happens */
};

void manager_requests_init(struct manager_requests *requests);

/* From any thread. `answer` is set when it was ANSWERED. */
enum manager_requests_result manager_requests_ask(struct manager_requests *requests,
	const struct manager_request *request, uint32_t within_ms, struct manager_answer *answer);

/* The manager's: the next request that nobody has taken, and its place; false: there is none. */
bool manager_requests_take(
	struct manager_requests *requests, struct manager_request *request, uint32_t *place);
/* Each request that was taken is answered once. */
void manager_requests_answer(
	struct manager_requests *requests, uint32_t place, const struct manager_answer *answer);
/* Sleeps until something is asked, or for so long. */
void manager_requests_wait(struct manager_requests *requests, uint64_t at_most_ns);
/* Sends everybody away and waits until they have gone. What is asked later is BUSY. */
void manager_requests_close(struct manager_requests *requests);

#endif
