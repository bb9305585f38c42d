/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "quic/rtt.h"

static void
rtt_init__is_the_initial_rtt_and_half_of_it(void **state)
{
	struct quic_rtt rtt;

	quic_rtt_init(&rtt, 333 * BASE_MS);
	assert_false(quic_rtt_has_sample(&rtt));
	/* RFC 9002 section 6.2.2: "this results in handshakes starting with a PTO of 1 second". */
	assert_int_equal(quic_rtt_pto_ns(&rtt, 0), 333 * BASE_MS + 4 * (333 * BASE_MS / 2));
}

/* RFC 9002 section 5.3: "On the first RTT sample after initialization … rttvar = latest_rtt / 2". */
static void
rtt_on_sample__first_replaces_the_initial_value(void **state)
{
	struct quic_rtt rtt;

	quic_rtt_init(&rtt, 333 * BASE_MS);
	quic_rtt_on_sample(&rtt, 40 * BASE_MS, 10 * BASE_MS, 25 * BASE_MS, false, 1);
	assert_int_equal(rtt.smoothed_ns, 40 * BASE_MS);
	assert_int_equal(rtt.variance_ns, 20 * BASE_MS);
	assert_int_equal(rtt.min_ns, 40 * BASE_MS);
}

static void
rtt_on_sample__takes_the_ack_delay_out_but_never_below_min(void **state)
{
	struct quic_rtt rtt;

	quic_rtt_init(&rtt, 333 * BASE_MS);
	quic_rtt_on_sample(&rtt, 40 * BASE_MS, 0, 25 * BASE_MS, true, 1);
	quic_rtt_on_sample(&rtt, 60 * BASE_MS, 20 * BASE_MS, 25 * BASE_MS, true, 2);
	assert_int_equal(rtt.latest_ns, 60 * BASE_MS);
	assert_int_equal(rtt.smoothed_ns, 40 * BASE_MS);
	assert_int_equal(rtt.variance_ns, 15 * BASE_MS);
	/* 45 - 20 would be below the minimum of 40: not adjusted. */
	quic_rtt_on_sample(&rtt, 45 * BASE_MS, 20 * BASE_MS, 25 * BASE_MS, true, 3);
	assert_int_equal(rtt.smoothed_ns, (7 * 40 * BASE_MS + 45 * BASE_MS) / 8);
}

/* "MUST use the lesser of the acknowledgment delay and the peer's max_ack_delay after the handshake is confirmed". */
static void
rtt_on_sample__bounds_the_ack_delay_once_confirmed(void **state)
{
	struct quic_rtt before, after;

	quic_rtt_init(&before, 333 * BASE_MS);
	quic_rtt_on_sample(&before, 10 * BASE_MS, 0, 25 * BASE_MS, false, 1);
	after = before;
	quic_rtt_on_sample(&before, 110 * BASE_MS, 100 * BASE_MS, 25 * BASE_MS, false, 2);
	quic_rtt_on_sample(&after, 110 * BASE_MS, 100 * BASE_MS, 25 * BASE_MS, true, 2);
	assert_int_equal(before.smoothed_ns, 10 * BASE_MS);
	assert_int_equal(after.smoothed_ns, (7 * 10 * BASE_MS + 85 * BASE_MS) / 8);
}

static void
rtt_pto_ns__has_at_least_the_granularity(void **state)
{
	struct quic_rtt rtt;

	quic_rtt_init(&rtt, 100 * BASE_US);
	quic_rtt_on_sample(&rtt, 100 * BASE_US, 0, 0, true, 1);
	assert_int_equal(
		quic_rtt_pto_ns(&rtt, 25 * BASE_MS), 100 * BASE_US + QUIC_GRANULARITY_NS + 25 * BASE_MS);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtt_init__is_the_initial_rtt_and_half_of_it),
		cmocka_unit_test(rtt_on_sample__first_replaces_the_initial_value),
		cmocka_unit_test(rtt_on_sample__takes_the_ack_delay_out_but_never_below_min),
		cmocka_unit_test(rtt_on_sample__bounds_the_ack_delay_once_confirmed),
		cmocka_unit_test(rtt_pto_ns__has_at_least_the_granularity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
