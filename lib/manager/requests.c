/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/requests.h"

#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/time.h"

static void
open_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

void
manager_requests_init(struct manager_requests *requests)
{
	memset(requests, 0, sizeof(*requests));
	pthread_mutex_init(&requests->lock, NULL);
	open_condition(&requests->asked);
	open_condition(&requests->told);
}

static struct timespec
after(uint64_t wait_ns)
{
	struct timespec at;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &at);
	ns = (uint64_t)at.tv_nsec + wait_ns;
	at.tv_sec += (time_t)(ns / BASE_SECOND);
	at.tv_nsec = (long)(ns % BASE_SECOND);
	return at;
}

/* ---- who asks ---- */

/* With the lock. */
static struct manager_request_place *
free_place(struct manager_requests *requests)
{
	for (uint32_t i = 0; i < MANAGER_REQUESTS_MAX; i++)
		if (requests->places[i].stage == MANAGER_REQUEST_FREE)
			return &requests->places[i];
	return NULL;
}

/* With the lock: until it is answered, or time is up. Frees the place, or leaves that to the answer. */
static enum manager_requests_result
await(struct manager_requests *requests, struct manager_request_place *place, uint32_t within_ms,
	struct manager_answer *answer)
{
	const struct timespec until = after(within_ms * BASE_MS);

	while (place->stage != MANAGER_REQUEST_ANSWERED && !requests->closed)
		if (pthread_cond_timedwait(&requests->told, &requests->lock, &until) != 0)
			break;
	if (place->stage == MANAGER_REQUEST_TAKEN) {
		place->abandoned = true;
		return MANAGER_REQUESTS_UNDER_WAY;
	}
	if (place->stage == MANAGER_REQUEST_ASKED) {
		place->stage = MANAGER_REQUEST_FREE;
		return MANAGER_REQUESTS_BUSY;
	}
	*answer = place->answer;
	place->stage = MANAGER_REQUEST_FREE;
	return MANAGER_REQUESTS_ANSWERED;
}

enum manager_requests_result
manager_requests_ask(struct manager_requests *requests, const struct manager_request *request,
	uint32_t within_ms, struct manager_answer *answer)
{
	enum manager_requests_result result = MANAGER_REQUESTS_BUSY;
	struct manager_request_place *place;

	pthread_mutex_lock(&requests->lock);
	place = requests->closed ? NULL : free_place(requests);
	if (place != NULL) {
		place->stage = MANAGER_REQUEST_ASKED;
		place->abandoned = false;
		place->request = *request;
		requests->waiting++;
		pthread_cond_signal(&requests->asked);
		result = await(requests, place, within_ms, answer);
		requests->waiting--;
		pthread_cond_broadcast(&requests->told);
	}
	pthread_mutex_unlock(&requests->lock);
	return result;
}

/* ---- the manager ---- */

bool
manager_requests_take(struct manager_requests *requests, struct manager_request *request, uint32_t *place)
{
	bool found = false;

	pthread_mutex_lock(&requests->lock);
	for (uint32_t i = 0; i < MANAGER_REQUESTS_MAX && !found; i++) {
		if (requests->places[i].stage != MANAGER_REQUEST_ASKED)
			continue;
		requests->places[i].stage = MANAGER_REQUEST_TAKEN;
		*request = requests->places[i].request;
		*place = i;
		found = true;
	}
	pthread_mutex_unlock(&requests->lock);
	return found;
}

void
manager_requests_answer(
	struct manager_requests *requests, uint32_t number, const struct manager_answer *answer)
{
	struct manager_request_place *place = &requests->places[number];

	base_assert(number < MANAGER_REQUESTS_MAX);
	pthread_mutex_lock(&requests->lock);
	base_assert(place->stage == MANAGER_REQUEST_TAKEN);
	place->answer = *answer;
	place->stage = place->abandoned ? MANAGER_REQUEST_FREE : MANAGER_REQUEST_ANSWERED;
	pthread_cond_broadcast(&requests->told);
	pthread_mutex_unlock(&requests->lock);
}

/* With the lock. */
static bool
is_asked(const struct manager_requests *requests)
{
	for (uint32_t i = 0; i < MANAGER_REQUESTS_MAX; i++)
		if (requests->places[i].stage == MANAGER_REQUEST_ASKED)
			return true;
	return false;
}

void
manager_requests_wait(struct manager_requests *requests, uint64_t at_most_ns)
{
	const struct timespec until = after(at_most_ns);

	pthread_mutex_lock(&requests->lock);
	while (!is_asked(requests))
		if (pthread_cond_timedwait(&requests->asked, &requests->lock, &until) != 0)
			break;
	pthread_mutex_unlock(&requests->lock);
}

void
manager_requests_close(struct manager_requests *requests)
{
	pthread_mutex_lock(&requests->lock);
	requests->closed = true;
	pthread_cond_broadcast(&requests->told);
	while (requests->waiting > 0)
		pthread_cond_wait(&requests->told, &requests->lock);
	pthread_mutex_unlock(&requests->lock);
}
