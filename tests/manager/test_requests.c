/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <pthread.h>
#include <sched.h>

#include "base/time.h"
#include "manager/requests.h"

enum { LONG_MS = 20000, ASKERS = 32, ROUNDS = 50 };

static struct manager_requests requests;

static int
setup(void **state)
{
	manager_requests_init(&requests);
	return 0;
}

/* A thread that asks once. */
struct asker {
	pthread_t thread;
	uint32_t within_ms;
	struct manager_request request;
	enum manager_requests_result result;
	struct manager_answer answer;
};

static void *
ask(void *argument)
{
	struct asker *asker = argument;

	asker->result = manager_requests_ask(&requests, &asker->request, asker->within_ms, &asker->answer);
	return NULL;
}

static void
begin(struct asker *asker, uint16_t shard, uint32_t within_ms)
{
	*asker =
		(struct asker){.within_ms = within_ms, .request = {.kind = MANAGER_ASK_MOVE, .shard = shard}};
	assert_int_equal(pthread_create(&asker->thread, NULL, ask, asker), 0);
}

static void
end(struct asker *asker)
{
	assert_int_equal(pthread_join(asker->thread, NULL), 0);
}

/* Waits for the next request. */
static uint32_t
take(struct manager_request *request)
{
	uint32_t place;

	while (!manager_requests_take(&requests, request, &place))
		manager_requests_wait(&requests, BASE_SECOND);
	return place;
}

static void
answer(uint32_t place, uint32_t count)
{
	const struct manager_answer told = {.done = true, .text = "so it is", .count = count};

	manager_requests_answer(&requests, place, &told);
}

static void
manager_requests_ask__brings_back_the_managers_copy(void **state)
{
	struct manager_request request;
	struct asker asker;
	uint32_t place;

	begin(&asker, 7, LONG_MS);
	place = take(&request);
	assert_int_equal(request.shard, 7);
	assert_false(manager_requests_take(&requests, &request, &place));
	answer(place, 42);
	end(&asker);
	assert_int_equal(asker.result, MANAGER_REQUESTS_ANSWERED);
	assert_int_equal(asker.answer.count, 42);
	assert_string_equal(asker.answer.text, "so it is");
	assert_int_equal(requests.places[place].stage, MANAGER_REQUEST_FREE);
}

static void
manager_requests_ask__takes_back_what_nobody_took(void **state)
{
	struct manager_request request;
	struct asker asker;
	uint32_t place;

	begin(&asker, 1, 1);
	end(&asker);
	assert_int_equal(asker.result, MANAGER_REQUESTS_BUSY);
	assert_false(manager_requests_take(&requests, &request, &place));
}

static void
manager_requests_ask__leaves_what_was_taken_to_the_manager(void **state)
{
	struct manager_request request;
	struct asker asker;
	uint32_t place;

	begin(&asker, 1, 100);
	place = take(&request);
	end(&asker);
	assert_int_equal(asker.result, MANAGER_REQUESTS_UNDER_WAY);
	assert_int_equal(requests.places[place].stage, MANAGER_REQUEST_TAKEN);
	answer(place, 1);
	assert_int_equal(requests.places[place].stage, MANAGER_REQUEST_FREE);
}

static void
manager_requests_ask__is_refused_when_all_places_are_taken(void **state)
{
	struct asker askers[MANAGER_REQUESTS_MAX], late;
	uint32_t places[MANAGER_REQUESTS_MAX];
	struct manager_request request;

	for (uint16_t i = 0; i < MANAGER_REQUESTS_MAX; i++)
		begin(&askers[i], i, LONG_MS);
	for (uint16_t i = 0; i < MANAGER_REQUESTS_MAX; i++)
		places[i] = take(&request);
	begin(&late, 99, LONG_MS);
	end(&late);
	assert_int_equal(late.result, MANAGER_REQUESTS_BUSY);
	for (uint16_t i = 0; i < MANAGER_REQUESTS_MAX; i++)
		answer(places[i], i);
	for (uint16_t i = 0; i < MANAGER_REQUESTS_MAX; i++) {
		end(&askers[i]);
		assert_int_equal(askers[i].result, MANAGER_REQUESTS_ANSWERED);
	}
}

static void
manager_requests_wait__ends_in_time_without_a_request(void **state)
{
	struct manager_request request;
	uint32_t place;

	manager_requests_wait(&requests, 1000);
	assert_false(manager_requests_take(&requests, &request, &place));
}

static void
manager_requests_close__sends_all_away_and_lets_nobody_in(void **state)
{
	struct asker taken, asked, late;
	struct manager_request request;
	uint32_t place;

	begin(&taken, 1, LONG_MS);
	place = take(&request);
	begin(&asked, 2, LONG_MS);
	manager_requests_wait(&requests, LONG_MS * BASE_MS);
	manager_requests_close(&requests);
	begin(&late, 3, LONG_MS);
	end(&taken);
	end(&asked);
	end(&late);
	assert_int_equal(taken.result, MANAGER_REQUESTS_UNDER_WAY);
	assert_int_equal(asked.result, MANAGER_REQUESTS_BUSY);
	assert_int_equal(late.result, MANAGER_REQUESTS_BUSY);
	answer(place, 0);
	assert_int_equal(requests.places[place].stage, MANAGER_REQUEST_FREE);
}

/* Many ask at once, again and again, with and without patience: each answer is the one to its own question. */
static void *
ask_again_and_again(void *argument)
{
	const uint16_t self = *(const uint16_t *)argument;
	uintptr_t wrong = 0;

	for (uint16_t i = 0; i < ROUNDS; i++) {
		const struct manager_request request = {.shard = (uint16_t)(self * ROUNDS + i)};
		struct manager_answer told = {0};

		if (manager_requests_ask(&requests, &request, i % 4 == 0 ? 0 : LONG_MS, &told) ==
			MANAGER_REQUESTS_ANSWERED)
			wrong += told.count != request.shard;
	}
	return (void *)wrong;
}

static void
manager_requests_ask__gives_each_its_own_answer(void **state)
{
	pthread_t threads[ASKERS];
	uint16_t numbers[ASKERS];
	struct manager_request request;
	uint32_t place, running = ASKERS;

	for (uint16_t i = 0; i < ASKERS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, ask_again_and_again, &numbers[i]), 0);
	}
	while (running > 0) {
		void *wrong;

		while (manager_requests_take(&requests, &request, &place))
			answer(place, request.shard);
		manager_requests_wait(&requests, BASE_MS);
		if (pthread_tryjoin_np(threads[running - 1], &wrong) == 0) {
			assert_null(wrong);
			running--;
		}
	}
	for (uint32_t i = 0; i < MANAGER_REQUESTS_MAX; i++)
		assert_int_equal(requests.places[i].stage, MANAGER_REQUEST_FREE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(manager_requests_ask__brings_back_the_managers_copy, setup),
		cmocka_unit_test_setup(manager_requests_ask__takes_back_what_nobody_took, setup),
		cmocka_unit_test_setup(manager_requests_ask__leaves_what_was_taken_to_the_manager, setup),
		cmocka_unit_test_setup(manager_requests_ask__is_refused_when_all_places_are_taken, setup),
		cmocka_unit_test_setup(manager_requests_wait__ends_in_time_without_a_request, setup),
		cmocka_unit_test_setup(manager_requests_close__sends_all_away_and_lets_nobody_in, setup),
		cmocka_unit_test_setup(manager_requests_ask__gives_each_its_own_answer, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
