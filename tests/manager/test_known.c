/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "manager/known.h"

enum { BUSY = 1000000 };

static struct manager_known known;
static struct manager_policy_shard shard;
static struct shard_load_report report;

static int
setup(void **state)
{
	memset(&known, 0, sizeof(known));
	memset(&shard, 0, sizeof(shard));
	memset(&report, 0, sizeof(report));
	report.weight = 100;
	return 0;
}

/* In the next report. */
static void
name(uint32_t slot, uint32_t weight)
{
	report.heavy[report.count++] =
		(struct shard_load_connection){.handle = {.slot = slot}, .weight = weight, .movable = true};
}

static void
take(void)
{
	manager_known_take(&known, &report, BUSY);
	manager_known_heaviest(&known, &shard);
	report.count = 0;
}

static void
manager_known_take__believes_the_first_and_smooths_the_others(void **state)
{
	name(7, 40);
	take();
	assert_int_equal(shard.heavy[0].cycles, 400000);
	name(7, 0);
	take();
	assert_int_equal(shard.heavy[0].cycles, 200000);
	for (int i = 0; i < 100; i++) {
		name(7, i % 2 == 0 ? 60 : 0);
		take();
	}
	/* A burst every other window. */
	assert_in_range(shard.heavy[0].cycles, 250000, 350000);
}

static void
manager_known_heaviest__lets_nobody_go_of_whom_few_samples_tell(void **state)
{
	name(7, MANAGER_KNOWN_SAMPLES - 1);
	name(8, MANAGER_KNOWN_SAMPLES);
	name(9, UINT32_MAX);
	take();
	for (int i = 0; i < 3; i++)
		assert_int_equal(shard.heavy[i].movable, shard.heavy[i].handle.slot != 7);
	take();
	name(7, 1);
	name(9, UINT32_MAX);
	take();
	/* Windows add up. */
	for (int i = 0; i < 2; i++)
		assert_true(shard.heavy[i].movable);
}

static void
manager_known_take__forgets_who_is_missing(void **state)
{
	name(7, 40);
	take();
	for (int i = 0; i < MANAGER_SMOOTHED_OVER; i++)
		take();
	assert_int_equal(known.count, 1);
	take();
	assert_int_equal(known.count, 0);
}

static void
manager_known_take__lets_the_least_give_way(void **state)
{
	for (uint32_t i = 0; i < 4 * MANAGER_KNOWN_MAX; i++) {
		name(1000, 50);
		name(i, 10);
		take();
		assert_true(known.count <= MANAGER_KNOWN_MAX);
		assert_int_equal(shard.heavy[0].handle.slot, 1000);
	}
}

static void
manager_known_take__bears_a_report_without_weights(void **state)
{
	report.weight = 0;
	name(7, 40);
	take();
	assert_int_equal(shard.count, 0);
}

static void
manager_known_heaviest__sorts_those_of_the_last_report(void **state)
{
	for (uint32_t i = 0; i < SHARD_LOAD_HEAVY_MAX; i++)
		name(i, 1 + i);
	take();
	assert_int_equal(shard.count, MANAGER_POLICY_HEAVY_MAX);
	for (uint16_t i = 0; i < shard.count; i++)
		assert_int_equal(shard.heavy[i].handle.slot, SHARD_LOAD_HEAVY_MAX - 1 - i);
	name(3, 90);
	name(100, 5);
	take();
	assert_int_equal(shard.count, 2);
	assert_int_equal(shard.heavy[0].handle.slot, 3);
}

static void
manager_known_move__keeps_the_load_that_it_had(void **state)
{
	struct manager_known other = {0};

	name(7, 40);
	name(8, 20);
	take();
	manager_known_move(&known, &other, (struct quic_handle){.slot = 7}, 1234);
	manager_known_move(&known, &other, (struct quic_handle){.slot = 9}, 1234);
	assert_int_equal(known.count, 1);
	assert_int_equal(known.connections[0].handle.slot, 8);
	manager_known_heaviest(&other, &shard);
	assert_int_equal(shard.count, 1);
	assert_int_equal(shard.heavy[0].cycles, 400000);
	assert_int_equal(shard.heavy[0].moved_ns, 1234);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(manager_known_take__believes_the_first_and_smooths_the_others, setup),
		cmocka_unit_test_setup(
			manager_known_heaviest__lets_nobody_go_of_whom_few_samples_tell, setup),
		cmocka_unit_test_setup(manager_known_take__forgets_who_is_missing, setup),
		cmocka_unit_test_setup(manager_known_take__lets_the_least_give_way, setup),
		cmocka_unit_test_setup(manager_known_take__bears_a_report_without_weights, setup),
		cmocka_unit_test_setup(manager_known_heaviest__sorts_those_of_the_last_report, setup),
		cmocka_unit_test_setup(manager_known_move__keeps_the_load_that_it_had, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
