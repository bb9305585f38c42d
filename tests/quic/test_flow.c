/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/time.h"
#include "base/writer.h"
#include "quic/flow.h"

static void
flow_send_raise__ignores_a_smaller_limit(void **state)
{
	struct quic_flow_send flow;

	quic_flow_send_init(&flow, 100);
	assert_false(quic_flow_send_raise(&flow, 99));
	assert_false(quic_flow_send_raise(&flow, 100));
	assert_int_equal(quic_flow_send_room(&flow), 100);
	assert_true(quic_flow_send_raise(&flow, 150));
	quic_flow_send_use(&flow, 120);
	assert_int_equal(quic_flow_send_room(&flow), 30);
}

static void
flow_send_blocked__is_told_once_per_limit(void **state)
{
	struct quic_flow_send flow;

	quic_flow_send_init(&flow, 10);
	assert_false(quic_flow_send_blocked(&flow));
	quic_flow_send_use(&flow, 10);
	assert_true(quic_flow_send_blocked(&flow));
	quic_flow_send_on_blocked_sent(&flow);
	assert_false(quic_flow_send_blocked(&flow));
	quic_flow_send_on_blocked_lost(&flow, 10);
	assert_true(quic_flow_send_blocked(&flow));
	quic_flow_send_on_blocked_sent(&flow);
	quic_flow_send_raise(&flow, 20);
	quic_flow_send_use(&flow, 10);
	assert_true(quic_flow_send_blocked(&flow));
	/* A loss of the old one says nothing about the new limit. */
	quic_flow_send_on_blocked_sent(&flow);
	quic_flow_send_on_blocked_lost(&flow, 10);
	assert_false(quic_flow_send_blocked(&flow));
}

static void
flow_send_blocked__holds_for_a_limit_of_zero(void **state)
{
	struct quic_flow_send flow;

	quic_flow_send_init(&flow, 0);
	assert_true(quic_flow_send_blocked(&flow));
}

static void
flow_receive_allows__ends_at_the_limit(void **state)
{
	struct quic_flow_receive flow;

	quic_flow_receive_init(&flow, 100, 1000);
	quic_flow_receive_use(&flow, 60);
	assert_int_equal(quic_flow_receive_allows(&flow, 40), QUIC_NO_ERROR);
	assert_int_equal(quic_flow_receive_allows(&flow, 41), QUIC_FLOW_CONTROL_ERROR);
	assert_int_equal(quic_flow_receive_allows(&flow, UINT64_MAX), QUIC_FLOW_CONTROL_ERROR);
}

static void
flow_receive_due__when_half_the_window_is_consumed(void **state)
{
	struct quic_flow_receive flow;

	quic_flow_receive_init(&flow, 100, 1000);
	quic_flow_receive_use(&flow, 100);
	quic_flow_receive_consume(&flow, 49);
	assert_false(quic_flow_receive_due(&flow));
	quic_flow_receive_consume(&flow, 1);
	assert_true(quic_flow_receive_due(&flow));
	assert_int_equal(quic_flow_receive_update(&flow, BASE_MS, BASE_SECOND), 150);
	assert_false(quic_flow_receive_due(&flow));
}

static void
flow_receive_update__widens_the_window_when_it_binds(void **state)
{
	struct quic_flow_receive flow;

	quic_flow_receive_init(&flow, 100, 300);
	assert_int_equal(quic_flow_receive_update(&flow, 10 * BASE_MS, BASE_SECOND), 100);
	quic_flow_receive_use(&flow, 100);
	quic_flow_receive_consume(&flow, 100);
	/* Within four RTTs: twice as far ahead. */
	assert_int_equal(quic_flow_receive_update(&flow, 10 * BASE_MS, BASE_SECOND + 39 * BASE_MS), 300);
	/* And again, up to the maximum. */
	assert_int_equal(quic_flow_receive_update(&flow, 10 * BASE_MS, BASE_SECOND + 50 * BASE_MS), 400);
	/* Not when it took longer. */
	assert_int_equal(quic_flow_receive_update(&flow, 10 * BASE_MS, 9 * BASE_SECOND), 400);
	assert_int_equal(flow.window_bytes, 300);
}

static void
flow_receive_update__stays_within_a_variable_length_integer(void **state)
{
	struct quic_flow_receive flow;

	quic_flow_receive_init(&flow, BASE_VARINT_MAX - 10, BASE_VARINT_MAX);
	quic_flow_receive_use(&flow, BASE_VARINT_MAX - 10);
	quic_flow_receive_consume(&flow, BASE_VARINT_MAX - 10);
	assert_true(quic_flow_receive_update(&flow, BASE_MS, BASE_SECOND) == BASE_VARINT_MAX);
	assert_false(quic_flow_receive_due(&flow));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow_send_raise__ignores_a_smaller_limit),
		cmocka_unit_test(flow_send_blocked__is_told_once_per_limit),
		cmocka_unit_test(flow_send_blocked__holds_for_a_limit_of_zero),
		cmocka_unit_test(flow_receive_allows__ends_at_the_limit),
		cmocka_unit_test(flow_receive_due__when_half_the_window_is_consumed),
		cmocka_unit_test(flow_receive_update__widens_the_window_when_it_binds),
		cmocka_unit_test(flow_receive_update__stays_within_a_variable_length_integer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
