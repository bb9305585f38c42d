/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdio.h>

#include "manager/sum.h"

static struct manager_sum sum;

static int
setup(void **state)
{
	sum.count = 0;
	return 0;
}

static void
manager_sum_add__adds_up_by_library_and_name(void **state)
{
	static const char *const names[] = {"received", "drop_short"};
	const uint64_t first[] = {1, 2}, second[] = {10, 20};

	manager_sum_add(&sum, &(struct base_counters){"net", names, first, 2});
	manager_sum_add(&sum, &(struct base_counters){"quic", names, first, 2});
	manager_sum_add(&sum, &(struct base_counters){"net", names, second, 2});
	assert_int_equal(sum.count, 4);
	assert_string_equal(sum.entries[0].name, "net/received");
	assert_int_equal(sum.entries[0].value, 11);
	assert_string_equal(sum.entries[1].name, "net/drop_short");
	assert_int_equal(sum.entries[1].value, 22);
	assert_string_equal(sum.entries[3].name, "quic/drop_short");
	assert_int_equal(sum.entries[3].value, 2);
}

static void
manager_sum_add__leaves_out_what_no_answer_holds(void **state)
{
	static char texts[MANAGER_SUM_MAX + 5][16];
	static const char *names[MANAGER_SUM_MAX + 5];
	static uint64_t values[MANAGER_SUM_MAX + 5];

	for (int i = 0; i < MANAGER_SUM_MAX + 5; i++) {
		snprintf(texts[i], sizeof(texts[i]), "n%d", i);
		names[i] = texts[i];
	}
	manager_sum_add(&sum, &(struct base_counters){"net", names, values, MANAGER_SUM_MAX + 5});
	assert_int_equal(sum.count, MANAGER_SUM_MAX);
}

static void
manager_sum_of__adds_up_what_begins_so(void **state)
{
	static const char *const names[] = {"drop_short", "received", "drop_full"};
	const uint64_t values[] = {1, 2, 4};

	manager_sum_add(&sum, &(struct base_counters){"drop", names, values, 3});
	assert_int_equal(manager_sum_of(&sum, "drop"), 5);
	assert_int_equal(manager_sum_of(&sum, "x"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(manager_sum_add__adds_up_by_library_and_name, setup),
		cmocka_unit_test_setup(manager_sum_add__leaves_out_what_no_answer_holds, setup),
		cmocka_unit_test_setup(manager_sum_of__adds_up_what_begins_so, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
