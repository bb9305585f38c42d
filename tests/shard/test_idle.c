/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/time.h"
#include "shard/idle.h"

static void
idler_next__spins_then_pauses_then_sleeps_longer_and_longer(void **state)
{
	struct shard_idler idler;
	uint64_t sleep_ns = 0, last_ns = 0, now_ns = BASE_SECOND;

	shard_idler_init(&idler, &shard_idle_defaults, now_ns);
	assert_int_equal(shard_idler_next(&idler, true, now_ns, BASE_NEVER, &sleep_ns), SHARD_REST_NONE);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(
			shard_idler_next(&idler, false, now_ns, BASE_NEVER, &sleep_ns), SHARD_REST_NONE);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(
			shard_idler_next(&idler, false, now_ns, BASE_NEVER, &sleep_ns), SHARD_REST_PAUSE);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(
			shard_idler_next(&idler, false, now_ns, BASE_NEVER, &sleep_ns), SHARD_REST_SLEEP);
		assert_true(sleep_ns >= last_ns && sleep_ns >= 20 * BASE_US && sleep_ns <= 100 * BASE_US);
		last_ns = sleep_ns;
	}
	assert_true(last_ns == 100 * BASE_US);
	/* Long without traffic: a millisecond at most. */
	for (unsigned i = 0; i < 50; i++)
		shard_idler_next(&idler, false, now_ns + 100 * BASE_MS, BASE_NEVER, &sleep_ns);
	assert_true(sleep_ns == BASE_MS);
	assert_int_equal(shard_idler_next(&idler, true, now_ns, BASE_NEVER, &sleep_ns), SHARD_REST_NONE);
	assert_int_equal(shard_idler_next(&idler, false, now_ns, BASE_NEVER, &sleep_ns), SHARD_REST_NONE);
}

static void
idler_next__never_sleeps_past_a_deadline(void **state)
{
	struct shard_idler idler;
	uint64_t sleep_ns = 0, now_ns = BASE_SECOND;

	shard_idler_init(&idler, &shard_idle_defaults, now_ns);
	for (unsigned i = 0; i < 200; i++)
		shard_idler_next(&idler, false, now_ns, BASE_NEVER, &sleep_ns);
	assert_int_equal(
		shard_idler_next(&idler, false, now_ns, now_ns + 30 * BASE_US, &sleep_ns), SHARD_REST_SLEEP);
	assert_true(sleep_ns == 30 * BASE_US);
	assert_int_equal(shard_idler_next(&idler, false, now_ns, now_ns + 1, &sleep_ns), SHARD_REST_PAUSE);
	assert_int_equal(shard_idler_next(&idler, false, now_ns, 0, &sleep_ns), SHARD_REST_PAUSE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idler_next__spins_then_pauses_then_sleeps_longer_and_longer),
		cmocka_unit_test(idler_next__never_sleeps_past_a_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
