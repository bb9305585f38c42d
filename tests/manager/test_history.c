/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "manager/history.h"

static void
manager_history_copy__gives_what_came_after_a_number(void **state)
{
	struct manager_history history = {0};
	struct manager_move_record records[MANAGER_HISTORY_MAX], record = {.asker = MANAGER_BY_DRAIN};

	assert_int_equal(manager_history_copy(&history, 0, records, MANAGER_HISTORY_MAX), 0);
	for (uint32_t i = 1; i <= 3 * MANAGER_HISTORY_MAX; i++) {
		record.handle.slot = i;
		manager_history_add(&history, &record);
	}
	assert_int_equal(
		manager_history_copy(&history, 0, records, MANAGER_HISTORY_MAX), MANAGER_HISTORY_MAX);
	assert_int_equal(records[0].number, 2 * MANAGER_HISTORY_MAX + 1);
	assert_int_equal(records[0].handle.slot, 2 * MANAGER_HISTORY_MAX + 1);
	assert_int_equal(manager_history_copy(&history, history.count - 2, records, MANAGER_HISTORY_MAX), 2);
	assert_int_equal(records[1].number, history.count);
	assert_int_equal(manager_history_copy(&history, history.count, records, MANAGER_HISTORY_MAX), 0);
	/* The number of another life of the gateway. */
	assert_int_equal(manager_history_copy(&history, UINT64_MAX, records, MANAGER_HISTORY_MAX), 0);
	assert_int_equal(manager_history_copy(&history, 0, records, 5), 5);
	assert_int_equal(records[4].number, 2 * MANAGER_HISTORY_MAX + 5);
}

static void
manager_history_add__counts_by_asker_and_outcome(void **state)
{
	struct manager_history history = {0};
	struct manager_move_record record = {.asker = MANAGER_BY_OPERATOR, .outcome = MANAGER_ABANDONED};

	manager_history_add(&history, &record);
	record.asker = MANAGER_BY_REBALANCE;
	record.outcome = MANAGER_MOVED;
	manager_history_add(&history, &record);
	manager_history_add(&history, &record);
	assert_int_equal(history.totals[MANAGER_BY_OPERATOR][MANAGER_ABANDONED], 1);
	assert_int_equal(history.totals[MANAGER_BY_REBALANCE][MANAGER_MOVED], 2);
	assert_int_equal(history.totals[MANAGER_BY_DRAIN][MANAGER_MOVED], 0);
}

static void
manager_outcome_of__sorts_what_shards_say(void **state)
{
	assert_int_equal(manager_outcome_of(SHARD_MOVE_DONE), MANAGER_MOVED);
	assert_int_equal(manager_outcome_of(SHARD_MOVE_ABANDONED), MANAGER_ABANDONED);
	assert_int_equal(manager_outcome_of(SHARD_MOVE_CLOSED), MANAGER_CLOSED);
	assert_int_equal(manager_outcome_of(SHARD_MOVE_UNKNOWN), MANAGER_REFUSED);
	assert_int_equal(manager_outcome_of(SHARD_MOVE_REFUSED), MANAGER_REFUSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manager_history_add__counts_by_asker_and_outcome),
		cmocka_unit_test(manager_history_copy__gives_what_came_after_a_number),
		cmocka_unit_test(manager_outcome_of__sorts_what_shards_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
