/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "manager/manager.h"

static void
manager_watch_look__says_once_that_a_shard_stands_still(void **state)
{
	struct manager_watch watch = {0};

	assert_int_equal(manager_watch_look(&watch, 5, 100, 50), MANAGER_TURNS);
	assert_int_equal(manager_watch_look(&watch, 5, 149, 50), MANAGER_TURNS);
	assert_int_equal(manager_watch_look(&watch, 5, 150, 50), MANAGER_STUCK);
	assert_int_equal(manager_watch_look(&watch, 5, 500, 50), MANAGER_TURNS);
	assert_int_equal(manager_watch_look(&watch, 6, 501, 50), MANAGER_TURNS_AGAIN);
	assert_int_equal(manager_watch_look(&watch, 6, 550, 50), MANAGER_TURNS);
	assert_int_equal(manager_watch_look(&watch, 6, 551, 50), MANAGER_STUCK);
}

static void
manager_watch_look__is_content_while_turns_advance(void **state)
{
	struct manager_watch watch = {0};

	for (uint64_t i = 1; i < 100; i++)
		assert_int_equal(manager_watch_look(&watch, i, i * 1000, 50), MANAGER_TURNS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manager_watch_look__says_once_that_a_shard_stands_still),
		cmocka_unit_test(manager_watch_look__is_content_while_turns_advance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
