/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real connections over real shards on lcores of their own, moved again and again while octets go there and back and slots are taken
 * anew: what test_words.c plays is QUIC here. In clear mode the card steers by connection ID, so datagrams are at the new
 * owner before its GRANT; in sealed mode they arrive wherever the tuple's hash says. Where the card has nothing better, buckets are led to and fro as
 * well, and connections follow.
 */
#include <stdio.h>
#include <time.h>

#include "tests/shard/eal.h"
#include "tests/shard/live.h"
#include "tests/tsan/pools.h"

enum { MOVES = 120, IN_FLIGHT = 4, MOVES_PER_CLOSE = 10, WINDOWS_MIN = 20, WINDOWS_PER_BUCKET = 4 };

static uint32_t window;

/* That of one of the client's connections, to any shard with a queue. */
static void
lead_bucket(struct live *live)
{
	uint32_t connection = (uint32_t)base_random_below(&live->random, live->options.connections);
	uint16_t shard = (uint16_t)base_random_below(&live->random, live->options.queues);

	assert_true(shard_group_move_bucket(live->group, 0, live_bucket(live, connection), shard));
}

/* What the manager does: reads what has been answered, orders where new connections go, asks again. */
static void
measure(struct live *live)
{
	struct shard_group *group = live->group;
	uint16_t answers = 0;

	for (uint16_t i = 0; i < group->count; i++) {
		const struct shard_load_report *report = shard_group_take_load(group, i);
		uint32_t weight = 0;

		if (report == NULL)
			continue;
		answers++;
		for (uint16_t j = 0; j < report->count; j++)
			weight += report->heavy[j].weight;
		assert_true(weight <= report->weight && report->window == window);
	}
	if (window > 0 && answers < group->count)
		return;
	shard_steerer_audit(&group->steerer, 64);
	for (uint16_t i = 0; i < group->count; i++)
		shard_group_place(group, i, (uint16_t)base_random_below(&live->random, group->count),
			(uint16_t)base_random_below(&live->random, SHARD_PLACEMENT_ALL + 1));
	if (group->steerer.ports[0].level == SHARD_STEERING_BUCKETS && window % WINDOWS_PER_BUCKET == 0)
		lead_bucket(live);
	shard_group_ask_load(group, ++window);
}

static void
turn(struct live *live)
{
	live_client_turn(live);
	live_take_results(live);
	measure(live);
	/* There may be more shards than CPUs. */
	nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
}

static uint64_t
sum_of_moves(const struct live *live, const char *name)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < live->group->count; i++)
		sum += live_counter(live, i, "move", name);
	return sum;
}

static void
move_about(const struct live_options *options)
{
	struct live *live = live_open(options);
	char error[256] = "";
	uint64_t closed = 0;
	bool buckets;

	window = 0;
	assert_true(shard_group_start(live->group, error, sizeof(error)));
	buckets = live->group->steerer.ports[0].level == SHARD_STEERING_BUCKETS;
	while (live->outcomes[SHARD_MOVE_DONE] < MOVES) {
		live->rebound = live->outcomes[SHARD_MOVE_DONE] / MOVES_PER_CLOSE % 2 == 1;
		if (live->outcomes[SHARD_MOVE_DONE] / MOVES_PER_CLOSE > closed) {
			live_close_one(live);
			closed++;
		}
		if (live->asked - live->told < IN_FLIGHT)
			live_ask_for_move(live);
		turn(live);
	}
	live_begin_to_close(live);
	while (!live_idle(live))
		turn(live);
	assert_true(shard_group_stop(live->group, 1000));
	for (uint16_t i = 0; i < live->group->count; i++)
		assert_false(shard_running(live->group->shards[i]));
	printf("%u moves asked for, %llu done, %llu abandoned, %llu closed on the way; %llu attached by sight; %llu begun to follow buckets\n",
		live->asked, (unsigned long long)live->outcomes[SHARD_MOVE_DONE],
		(unsigned long long)live->outcomes[SHARD_MOVE_ABANDONED],
		(unsigned long long)live->outcomes[SHARD_MOVE_CLOSED],
		(unsigned long long)sum_of_moves(live, "attached_by_sight"),
		(unsigned long long)sum_of_moves(live, "followed"));
	printf("%llu connections, %llu streams, %llu octets there and back; %llu datagrams handed on, %llu lost at a full mailbox\n",
		(unsigned long long)live->connected, (unsigned long long)live->streams,
		(unsigned long long)live->octets, (unsigned long long)live_sum(live, SHARD_DATAGRAMS_HANDED),
		(unsigned long long)live_sum(live, SHARD_DROP_MAILBOX_FULL));
	assert_int_equal(live->wrong, 0);
	assert_int_equal(live->asked, live->told);
	assert_int_equal(sum_of_moves(live, "detached"), sum_of_moves(live, "attached"));
	assert_true(live->streams > 0);
	assert_int_equal(sum_of_moves(live, "followed") > 0, buckets);
	assert_true(window > WINDOWS_MIN);
	live_close(live);
}

static void
connections__move_between_threads(void **state)
{
	move_about(&(struct live_options){.shards = 3,
		.queues = 2,
		.mode = QUIC_CONN_ID_SEALED,
		.levels = 1U << SHARD_STEERING_BUCKETS,
		.mailbox_datagrams = 256,
		.connections = 6,
		.octets = 60000});
}

static void
connections__move_between_threads_where_the_card_steers(void **state)
{
	move_about(&(struct live_options){.shards = 3,
		.queues = 3,
		.mode = QUIC_CONN_ID_CLEAR,
		.levels = 1U << SHARD_STEERING_BUCKETS | 1U << SHARD_STEERING_CID,
		.mailbox_datagrams = 256,
		.connections = 6,
		.octets = 60000});
}

static void
connections__move_between_threads_where_the_card_has_tuples(void **state)
{
	move_about(&(struct live_options){.shards = 3,
		.queues = 3,
		.mode = QUIC_CONN_ID_SEALED,
		.levels = 1U << SHARD_STEERING_BUCKETS | 1U << SHARD_STEERING_TUPLE,
		.mailbox_datagrams = 256,
		.connections = 6,
		.octets = 60000});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections__move_between_threads),
		cmocka_unit_test(connections__move_between_threads_where_the_card_steers),
		cmocka_unit_test(connections__move_between_threads_where_the_card_has_tuples),
	};

	return cmocka_run_group_tests(tests, tsan_setup, eal_teardown);
}
