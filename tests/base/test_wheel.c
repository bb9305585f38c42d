/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/random.h"
#include "base/wheel.h"

enum { NODES = 200 };

static const uint64_t start_ns = 12345 * BASE_SECOND;

static unsigned
expire_all(struct base_wheel *wheel, uint64_t now_ns)
{
	unsigned expired = 0;
	uint32_t budget;

	do {
		budget = 1000;
		while (base_wheel_expire(wheel, now_ns, &budget) != NULL)
			expired++;
	} while (budget == 0);
	return expired;
}

static void
wheel_expire__never_early_and_at_most_a_tick_late(void **state)
{
	static const uint64_t delays_ns[] = {0, 1, BASE_MS, 33 * BASE_MS, 34 * BASE_MS, BASE_SECOND,
		9 * BASE_SECOND, 30 * BASE_SECOND, 3000 * BASE_SECOND, 40000 * BASE_SECOND,
		600000 * BASE_SECOND, 1500000 * BASE_SECOND};

	for (size_t i = 0; i < sizeof(delays_ns) / sizeof(delays_ns[0]); i++) {
		struct base_wheel wheel;
		struct base_wheel_node node;
		uint64_t deadline_ns = start_ns + delays_ns[i];

		base_wheel_init(&wheel, start_ns);
		base_wheel_node_init(&node);
		base_wheel_arm(&wheel, &node, deadline_ns);
		if (delays_ns[i] > 0)
			assert_int_equal(expire_all(&wheel, deadline_ns - 1), 0);
		assert_true(base_wheel_armed(&node));
		assert_int_equal(expire_all(&wheel, deadline_ns + BASE_WHEEL_TICK_NS), 1);
		assert_false(base_wheel_armed(&node));
	}
}

static void
wheel_arm__again_moves_the_node(void **state)
{
	struct base_wheel wheel;
	struct base_wheel_node node;

	base_wheel_init(&wheel, start_ns);
	base_wheel_node_init(&node);
	base_wheel_arm(&wheel, &node, start_ns + BASE_SECOND);
	base_wheel_arm(&wheel, &node, start_ns + 5 * BASE_SECOND);
	assert_int_equal(wheel.armed, 1);
	assert_int_equal(expire_all(&wheel, start_ns + 2 * BASE_SECOND), 0);
	base_wheel_arm(&wheel, &node, BASE_NEVER);
	assert_int_equal(wheel.armed, 0);
	assert_int_equal(expire_all(&wheel, start_ns + 10 * BASE_SECOND), 0);
}

static void
wheel_expire__stops_at_its_budget_and_goes_on_later(void **state)
{
	struct base_wheel wheel;
	struct base_wheel_node nodes[NODES];
	uint32_t budget = NODES / 2;
	unsigned expired = 0;

	base_wheel_init(&wheel, start_ns);
	for (int i = 0; i < NODES; i++) {
		base_wheel_node_init(&nodes[i]);
		base_wheel_arm(&wheel, &nodes[i], start_ns + 2 * BASE_SECOND);
	}
	while (base_wheel_expire(&wheel, start_ns + 3 * BASE_SECOND, &budget) != NULL)
		expired++;
	assert_int_equal(budget, 0);
	assert_int_equal(expired, 0);
	assert_int_equal(expire_all(&wheel, start_ns + 3 * BASE_SECOND), NODES);
}

/* An owner that sleeps until base_wheel_deadline() and then expires misses nothing and is not kept waiting. */
static void
wheel_deadline__is_enough_to_wake_up_by(void **state)
{
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct base_wheel wheel;
		struct base_wheel_node nodes[NODES];
		struct base_random random;
		uint64_t armed_ns[NODES], now_ns;
		unsigned wakes = 0;

		base_random_init(&random, seed);
		now_ns = start_ns + base_random_below(&random, BASE_SECOND);
		base_wheel_init(&wheel, now_ns);
		for (int i = 0; i < NODES; i++) {
			base_wheel_node_init(&nodes[i]);
			armed_ns[i] = now_ns +
				base_random_below(&random, UINT64_C(1) << base_random_below(&random, 40));
			base_wheel_arm(&wheel, &nodes[i], armed_ns[i]);
		}
		while (wheel.armed > 0) {
			uint64_t deadline_ns = base_wheel_deadline(&wheel);
			struct base_wheel_node *node;
			uint32_t budget = 100000;

			now_ns = deadline_ns > now_ns ? deadline_ns : now_ns;
			while ((node = base_wheel_expire(&wheel, now_ns, &budget)) != NULL) {
				assert_true(now_ns >= armed_ns[node - nodes]);
				assert_true(now_ns - armed_ns[node - nodes] <= BASE_WHEEL_TICK_NS);
			}
			assert_true(++wakes < 100000);
		}
		assert_true(base_wheel_deadline(&wheel) == BASE_NEVER);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(wheel_expire__never_early_and_at_most_a_tick_late),
		cmocka_unit_test(wheel_arm__again_moves_the_node),
		cmocka_unit_test(wheel_expire__stops_at_its_budget_and_goes_on_later),
		cmocka_unit_test(wheel_deadline__is_enough_to_wake_up_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
