/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which buckets lead where, with a card that remembers its table and may refuse to change it. */
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "manager/manager.h"
#include "tests/support/cmocka_all.h"

enum { SHARDS = 4, QUEUES = 3, BUCKETS = 48, STEPS = 10 };

struct fixture {
	struct manager manager;
	struct shard_group group;
	struct shard_port port;
	struct shard_port_ops ops;
	uint64_t now_ns;
};

static bool refuses;
static uint32_t asked;
static uint16_t table[BUCKETS];

static bool
set_reta(struct shard_port *port, const uint16_t *queues)
{
	asked++;
	if (!refuses)
		memcpy(table, queues, sizeof(table));
	return !refuses;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct shard_steerer_config steerer = {.shards = SHARDS, .port_count = 1, .ports = {&f->port}};

	refuses = false;
	asked = 0;
	f->ops.set_reta = set_reta;
	f->port = (struct shard_port){.ops = &f->ops,
		.facts = {.name = "card",
			.queues = QUEUES,
			.rss = true,
			.reta_size = BUCKETS,
			.levels = 1U << SHARD_STEERING_SOFTWARE | 1U << SHARD_STEERING_BUCKETS}};
	for (uint16_t i = 0; i < BUCKETS; i++)
		f->port.facts.reta[i] = table[i] = i % QUEUES;
	f->group.count = SHARDS;
	shard_steerer_open(&f->group.steerer, &steerer);
	f->manager.config.group = &f->group;
	f->manager.drain.shards = SHARDS;
	f->manager.rebalance.shard_count = SHARDS;
	for (uint16_t i = 0; i < SHARDS; i++)
		f->manager.rebalance.shards[i].usable = true;
	f->now_ns = 100 * BASE_SECOND;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

static uint32_t
leading_to(uint16_t shard)
{
	uint32_t count = 0;

	for (uint16_t i = 0; i < BUCKETS; i++)
		count += table[i] == shard;
	return count;
}

static void
step(struct fixture *f, uint32_t steps)
{
	for (uint32_t i = 0; i < steps; i++) {
		manager_buckets_step(&f->manager, f->now_ns);
		f->now_ns += 20 * BASE_MS;
	}
}

static void
move(struct fixture *f, uint16_t number, uint16_t from, uint16_t to)
{
	const struct manager_policy_move decided = {
		.is_bucket = true, .number = number, .from = from, .to = to};

	manager_bucket_move(&f->manager, &decided, f->now_ns);
}

static void
manager_bucket_move__tells_card_shards_and_history(void **state)
{
	struct fixture *f = *state;
	const struct manager_move_record *record = &f->manager.history.records[0];

	move(f, 3, 0, 1);
	assert_int_equal(table[3], 1);
	assert_int_equal(f->group.bucket_orders.words[0][3] & 0xff, 1);
	assert_int_equal(f->manager.buckets.moved_ns[0][3], f->now_ns);
	assert_true(record->bucket);
	assert_int_equal(record->handle.slot, 3);
	assert_int_equal(record->outcome, MANAGER_MOVED);
	refuses = true;
	move(f, 6, 0, 1);
	assert_int_equal(f->manager.history.records[1].outcome, MANAGER_REFUSED);
	assert_int_equal(f->group.bucket_orders.words[0][6], 0);
}

static void
manager_buckets_step__leads_away_from_a_drained_shard_and_back(void **state)
{
	struct fixture *f = *state;

	step(f, STEPS);
	assert_int_equal(asked, 0);
	f->manager.drain.draining[1] = true;
	step(f, STEPS);
	assert_int_equal(leading_to(1), 0);
	/* Dealt out, and to nobody without a queue. */
	assert_int_equal(leading_to(0), BUCKETS / 2);
	assert_int_equal(leading_to(2), BUCKETS / 2);
	/* One has been led elsewhere since: it stays there. */
	move(f, 1, table[1], table[1] == 0 ? 2 : 0);
	f->manager.drain.draining[1] = false;
	step(f, STEPS);
	assert_int_equal(leading_to(1), BUCKETS / QUEUES - 1);
	assert_int_not_equal(table[1], 1);
	asked = 0;
	step(f, STEPS);
	assert_int_equal(asked, 0);
}

static void
manager_buckets_step__knows_the_way_back_from_the_second_refuge(void **state)
{
	struct fixture *f = *state;

	f->manager.drain.draining[1] = true;
	step(f, STEPS);
	f->manager.drain.draining[2] = true;
	step(f, STEPS);
	assert_int_equal(leading_to(0), BUCKETS);
	f->manager.drain.draining[2] = false;
	step(f, STEPS);
	assert_int_equal(leading_to(1), 0);
	assert_int_equal(leading_to(2), BUCKETS / QUEUES);
	f->manager.drain.draining[1] = false;
	step(f, STEPS);
	for (uint16_t i = 0; i < BUCKETS; i++)
		assert_int_equal(table[i], f->port.facts.reta[i]);
}

static void
manager_buckets_step__stays_where_there_is_no_refuge(void **state)
{
	struct fixture *f = *state;

	f->manager.drain.draining[1] = true;
	f->manager.rebalance.shards[0].usable = f->manager.rebalance.shards[2].usable = false;
	step(f, STEPS);
	assert_int_equal(asked, 0);
	assert_int_equal(leading_to(1), BUCKETS / QUEUES);
}

static void
manager_buckets_step__is_bounded_and_asks_a_card_that_refuses_once_a_second(void **state)
{
	struct fixture *f = *state;

	f->manager.drain.draining[0] = f->manager.drain.draining[1] = true;
	step(f, 1);
	assert_int_equal(asked, 16);
	refuses = true;
	asked = 0;
	step(f, 1 + (uint32_t)(BASE_SECOND / (20 * BASE_MS)));
	assert_int_equal(asked, 2);
	refuses = false;
	f->now_ns += BASE_SECOND;
	step(f, 1);
	assert_int_equal(leading_to(2), BUCKETS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			manager_bucket_move__tells_card_shards_and_history, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_buckets_step__leads_away_from_a_drained_shard_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_buckets_step__knows_the_way_back_from_the_second_refuge, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_buckets_step__stays_where_there_is_no_refuge, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_buckets_step__is_bounded_and_asks_a_card_that_refuses_once_a_second, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
