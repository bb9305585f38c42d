/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/random.h"

static void
random_next__is_replayed_by_its_seed(void **state)
{
	struct base_random a, b, other;

	base_random_init(&a, 7);
	base_random_init(&b, 7);
	base_random_init(&other, 8);
	for (int i = 0; i < 100; i++) {
		uint64_t value = base_random_next(&a);

		assert_true(value == base_random_next(&b));
		assert_true(value != base_random_next(&other));
	}
}

static void
random_below__reaches_every_value_and_no_other(void **state)
{
	struct base_random random;
	unsigned seen[10] = {0};

	base_random_init(&random, 1);
	for (int i = 0; i < 10000; i++) {
		uint64_t value = base_random_below(&random, 10);

		assert_true(value < 10);
		seen[value]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(seen[i], 850, 1150);
}

/* The vector of the SipHash paper, appendix A: key 00..0f, message 00..0e. */
static void
siphash__gives_the_paper_s_vector(void **state)
{
	uint8_t key[16], message[15];

	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		message[i] = i;
	assert_true(base_siphash(key, message, 15) == UINT64_C(0xa129ca6149be45e5));
	assert_true(base_siphash(key, message, 0) == UINT64_C(0x726fdb47dd0e0e31));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_next__is_replayed_by_its_seed),
		cmocka_unit_test(random_below__reaches_every_value_and_no_other),
		cmocka_unit_test(siphash__gives_the_paper_s_vector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
