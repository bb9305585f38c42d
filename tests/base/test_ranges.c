/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/random.h"
#include "base/ranges.h"

enum { NUMBERS = 64 };

static void
ranges_add__joins_what_touches(void **state)
{
	struct base_range memory[4];
	struct base_ranges set = base_ranges(memory, 4);

	assert_true(base_ranges_add(&set, 10, 20));
	assert_true(base_ranges_add(&set, 30, 40));
	assert_int_equal(set.count, 2);
	assert_true(base_ranges_add(&set, 20, 30));
	assert_int_equal(set.count, 1);
	assert_true(memory[0].start == 10 && memory[0].end == 40);
	assert_true(base_ranges_add(&set, 0, 5));
	assert_int_equal(set.count, 2);
}

static void
ranges_add__refuses_without_a_place_and_changes_nothing(void **state)
{
	struct base_range memory[2];
	struct base_ranges set = base_ranges(memory, 2);

	assert_true(base_ranges_add(&set, 10, 11));
	assert_true(base_ranges_add(&set, 20, 21));
	assert_false(base_ranges_add(&set, 30, 31));
	assert_int_equal(set.count, 2);
	/* What joins needs no place. */
	assert_true(base_ranges_add(&set, 11, 12));
}

static void
ranges_add_forgetting__forgets_the_lowest(void **state)
{
	struct base_range memory[2];
	struct base_ranges set = base_ranges(memory, 2);

	base_ranges_add(&set, 10, 11);
	base_ranges_add(&set, 20, 21);
	assert_true(base_ranges_add_forgetting(&set, 30, 31));
	assert_true(memory[0].start == 20 && memory[1].start == 30);
	assert_false(base_ranges_add_forgetting(&set, 1, 2));
	assert_true(memory[0].start == 20);
}

static void
ranges_remove_below__cuts_the_range_it_falls_in(void **state)
{
	struct base_range memory[4];
	struct base_ranges set = base_ranges(memory, 4);

	base_ranges_add(&set, 0, 5);
	base_ranges_add(&set, 10, 20);
	base_ranges_remove_below(&set, 12);
	assert_int_equal(set.count, 1);
	assert_true(memory[0].start == 12 && memory[0].end == 20);
}

static void
ranges_contain__wants_the_whole_range(void **state)
{
	struct base_range memory[4];
	struct base_ranges set = base_ranges(memory, 4);

	base_ranges_add(&set, 10, 20);
	base_ranges_add(&set, 30, 40);
	assert_true(base_ranges_contain(&set, 10, 20));
	assert_true(base_ranges_contain(&set, 19, 20));
	assert_false(base_ranges_contain(&set, 19, 21));
	assert_false(base_ranges_contain(&set, 9, 11));
	assert_false(base_ranges_contain(&set, 20, 30));
	assert_true(base_ranges_contain(&set, 30, 31));
}

/* Against a plain array of flags. */
static void
ranges_add__agrees_with_a_bitmap(void **state)
{
	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct base_range memory[NUMBERS];
		struct base_ranges set = base_ranges(memory, NUMBERS);
		struct base_random random;
		uint8_t model[NUMBERS] = {0};

		base_random_init(&random, seed);
		for (int step = 0; step < 20; step++) {
			uint64_t start = base_random_below(&random, NUMBERS - 1);
			uint64_t end = start + 1 +
				base_random_below(&random, (NUMBERS - start) < 8 ? NUMBERS - start : 8);

			if (base_random_below(&random, 8) == 0) {
				base_ranges_remove_below(&set, start);
				memset(model, 0, start);
			} else {
				assert_true(base_ranges_add(&set, start, end));
				memset(model + start, 1, end - start);
			}
			base_ranges_check(&set);
			for (uint64_t i = 0; i < NUMBERS; i++)
				assert_int_equal(base_ranges_contain(&set, i, i + 1), model[i]);
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_add__joins_what_touches),
		cmocka_unit_test(ranges_add__refuses_without_a_place_and_changes_nothing),
		cmocka_unit_test(ranges_add_forgetting__forgets_the_lowest),
		cmocka_unit_test(ranges_remove_below__cuts_the_range_it_falls_in),
		cmocka_unit_test(ranges_contain__wants_the_whole_range),
		cmocka_unit_test(ranges_add__agrees_with_a_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
