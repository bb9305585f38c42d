/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real connections over real shards on lcores of their own, moved again and again while posts to connections, shards and the manager
 * and what is published on topics fly between them (talk.h).
 */
#include <stdio.h>
#include <time.h>

#include "tests/shard/eal.h"
#include "tests/tsan/pools.h"
#include "tests/tsan/talk.h"

enum { MOVES = 60, IN_FLIGHT = 8, MOVES_PER_CLOSE = 20 };

static void
turn(struct live *live)
{
	live_client_turn(live);
	live_take_results(live);
	talk_take_notices(live);
	/* There may be more shards than CPUs. */
	nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
}

static void
posts__follow_connections_between_threads(void **state)
{
	struct live *live = live_open(&(struct live_options){.shards = 3,
		.queues = 2,
		.mode = QUIC_CONN_ID_SEALED,
		.levels = 1U << SHARD_STEERING_BUCKETS,
		.mailbox_datagrams = 256,
		.connections = 8,
		.octets = 60000,
		.prepare = talk_prepare});
	char error[256] = "";
	uint64_t closed = 0;

	assert_true(shard_group_start(live->group, error, sizeof(error)));
	while (live->outcomes[SHARD_MOVE_DONE] < MOVES) {
		if (live->outcomes[SHARD_MOVE_DONE] / MOVES_PER_CLOSE > closed) {
			live_close_one(live);
			closed++;
		}
		if (live->asked - live->told < IN_FLIGHT)
			live_ask_for_move(live);
		turn(live);
	}
	live_begin_to_close(live);
	while (!live_idle(live) || !talk_silent(live))
		turn(live);
	assert_true(shard_group_stop(live->group, 1000));
	for (uint16_t i = 0; i < live->group->count; i++)
		assert_false(shard_running(live->group->shards[i]));
	talk_take_notices(live);
	printf("%llu moves done of %u, %llu streams\n", (unsigned long long)live->outcomes[SHARD_MOVE_DONE],
		live->asked, (unsigned long long)live->streams);
	assert_int_equal(live->wrong, 0);
	talk_check(live);
	live_close(live);
	talk_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(posts__follow_connections_between_threads),
	};

	return cmocka_run_group_tests(tests, tsan_setup, eal_teardown);
}
