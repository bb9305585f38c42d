/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdio.h>

#include "manager/sum.h"

enum { MANY = 777 };

static struct manager_sum sum;

static int
setup(void **state)
{
	manager_sum_fini(&sum);
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
manager_sum_add__writes_names_as_telemetry_takes_them(void **state)
{
	static const char *const names[] = {"with space"};
	const uint64_t values[] = {1};

	manager_sum_add(&sum, &(struct base_counters){"my-service.1", names, values, 1});
	assert_string_equal(sum.entries[0].name, "my_service_1/with_space");
}

static void
manager_sum_page__tells_all_of_any_number(void **state)
{
	static char texts[MANY][16];
	static const char *names[MANY];
	static uint64_t values[MANY];
	uint32_t first = 0, next = 0, told = 0, pages = 0;

	for (int i = 0; i < MANY; i++) {
		snprintf(texts[i], sizeof(texts[i]), "n%d", i);
		names[i] = texts[i];
		values[i] = (uint64_t)i;
	}
	/* Two shards. */
	manager_sum_add(&sum, &(struct base_counters){"net", names, values, MANY});
	manager_sum_add(&sum, &(struct base_counters){"net", names, values, MANY});
	assert_int_equal(sum.count, MANY);
	do {
		uint32_t count = manager_sum_page(&sum, first, &next);

		assert_true(count <= MANAGER_SUM_PAGE);
		for (uint32_t i = first; i < first + count; i++, told++)
			assert_int_equal(sum.entries[i].value, 2 * told);
		first = next;
		pages++;
	} while (next > 0);
	assert_int_equal(told, MANY);
	assert_int_equal(pages, (MANY + MANAGER_SUM_PAGE - 1) / MANAGER_SUM_PAGE);
	assert_int_equal(manager_sum_page(&sum, MANY, &next), 0);
	assert_int_equal(next, 0);
	assert_int_equal(manager_sum_page(&sum, UINT32_MAX, &next), 0);
	/* The last page may be full. */
	assert_int_equal(manager_sum_page(&sum, MANY - MANAGER_SUM_PAGE, &next), MANAGER_SUM_PAGE);
	assert_int_equal(next, 0);
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
		cmocka_unit_test_setup(manager_sum_add__writes_names_as_telemetry_takes_them, setup),
		cmocka_unit_test_setup(manager_sum_page__tells_all_of_any_number, setup),
		cmocka_unit_test_setup(manager_sum_of__adds_up_what_begins_so, setup),
	};

	return cmocka_run_group_tests(tests, NULL, setup);
}
