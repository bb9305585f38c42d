/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "quic/congestion.h"

enum { DATAGRAM_BYTES = 1200 };

#define START_NS BASE_SECOND

static struct quic_rtt
rtt_of(uint64_t rtt_ns)
{
	struct quic_rtt rtt;

	quic_rtt_init(&rtt, rtt_ns);
	quic_rtt_on_sample(&rtt, rtt_ns, 0, 0, true, START_NS);
	return rtt;
}

static struct quic_congestion
fresh(enum quic_congestion_algorithm algorithm)
{
	struct quic_congestion congestion;

	quic_congestion_init(&congestion, algorithm, 10, DATAGRAM_BYTES, START_NS);
	return congestion;
}

static void
acked(struct quic_congestion *congestion, uint32_t bytes, uint64_t sent_ns, uint64_t now_ns)
{
	struct quic_rtt rtt = rtt_of(50 * BASE_MS);

	quic_congestion_on_acked(congestion,
		&(struct quic_congestion_ack){.bytes = bytes, .largest_time_ns = sent_ns, .now_ns = now_ns},
		&rtt);
}

/* RFC 9002 section 7.2: "limiting the window to the larger of 14,720 bytes or twice the maximum datagram size". */
static void
congestion_init__bounds_the_initial_window(void **state)
{
	struct quic_congestion congestion = fresh(QUIC_CONGESTION_NEWRENO);

	assert_int_equal(congestion.window_bytes, 12000);
	quic_congestion_init(&congestion, QUIC_CONGESTION_NEWRENO, 10, 1500, START_NS);
	assert_int_equal(congestion.window_bytes, 14720);
	quic_congestion_init(&congestion, QUIC_CONGESTION_NEWRENO, 10, 9000, START_NS);
	assert_int_equal(congestion.window_bytes, 18000);
}

static void
congestion_set_datagram_bytes__takes_an_untouched_window_along(void **state)
{
	struct quic_congestion congestion = fresh(QUIC_CONGESTION_CUBIC);

	quic_congestion_set_datagram_bytes(&congestion, 1400);
	assert_int_equal(congestion.window_bytes, 14000);
	quic_congestion_on_sent(&congestion, 1400, START_NS);
	acked(&congestion, 1400, START_NS, START_NS + 50 * BASE_MS);
	quic_congestion_set_datagram_bytes(&congestion, 1200);
	assert_int_equal(congestion.window_bytes, 15400);
}

static void
congestion_room__is_what_the_window_leaves(void **state)
{
	struct quic_congestion congestion = fresh(QUIC_CONGESTION_CUBIC);

	quic_congestion_on_sent(&congestion, 11000, START_NS);
	assert_int_equal(quic_congestion_room(&congestion), 1000);
	quic_congestion_on_sent(&congestion, 1200, START_NS);
	assert_int_equal(quic_congestion_room(&congestion), 0);
	quic_congestion_on_discarded(&congestion, 12200);
	assert_int_equal(quic_congestion_room(&congestion), 12000);
}

static void
congestion_on_acked__doubles_in_slow_start(void **state)
{
	for (unsigned algorithm = 0; algorithm < QUIC_CONGESTION_COUNT; algorithm++) {
		struct quic_congestion congestion = fresh((enum quic_congestion_algorithm)algorithm);

		quic_congestion_on_sent(&congestion, 12000, START_NS);
		acked(&congestion, 12000, START_NS, START_NS + 50 * BASE_MS);
		assert_int_equal(congestion.window_bytes, 24000);
		assert_int_equal(congestion.in_flight_bytes, 0);
	}
}

/* RFC 9002 section 7.8: an underutilised window "SHOULD NOT be increased". */
static void
congestion_on_acked__does_not_grow_a_window_that_is_not_used(void **state)
{
	struct quic_congestion congestion = fresh(QUIC_CONGESTION_CUBIC);

	quic_congestion_set_app_limited(&congestion, true);
	quic_congestion_on_sent(&congestion, 1200, START_NS);
	acked(&congestion, 1200, START_NS, START_NS + 50 * BASE_MS);
	assert_int_equal(congestion.window_bytes, 12000);
}

static void
congestion_on_lost__reduces_once_per_recovery_period(void **state)
{
	struct quic_congestion congestion = fresh(QUIC_CONGESTION_NEWRENO);

	quic_congestion_on_sent(&congestion, 12000, START_NS);
	quic_congestion_on_lost(&congestion, 1200, START_NS, START_NS + BASE_MS);
	assert_int_equal(congestion.window_bytes, 6000);
	/* Sent before the period began: the same event. */
	quic_congestion_on_lost(&congestion, 1200, START_NS + BASE_MS, START_NS + 2 * BASE_MS);
	assert_int_equal(congestion.window_bytes, 6000);
	acked(&congestion, 1200, START_NS + BASE_MS, START_NS + 3 * BASE_MS);
	assert_int_equal(congestion.window_bytes, 6000);
	/* Sent after it: the next one. */
	quic_congestion_on_lost(&congestion, 1200, START_NS + 2 * BASE_MS, START_NS + 4 * BASE_MS);
	assert_int_equal(congestion.window_bytes, 3000);
	assert_int_equal(congestion.in_flight_bytes, 12000 - 4 * 1200);
}

static void
congestion_on_ce__reduces_like_a_loss(void **state)
{
	struct quic_congestion congestion = fresh(QUIC_CONGESTION_CUBIC);

	quic_congestion_on_ce(&congestion, START_NS, START_NS + BASE_MS);
	assert_int_equal(congestion.window_bytes, 8400);
	quic_congestion_on_ce(&congestion, START_NS, START_NS + 2 * BASE_MS);
	assert_int_equal(congestion.window_bytes, 8400);
}

/* RFC 9002 section 7.2: "The minimum congestion window … the RECOMMENDED value is 2 * max_datagram_size". */
static void
congestion_on_lost__never_goes_below_two_datagrams(void **state)
{
	for (unsigned algorithm = 0; algorithm < QUIC_CONGESTION_COUNT; algorithm++) {
		struct quic_congestion congestion = fresh((enum quic_congestion_algorithm)algorithm);

		for (unsigned i = 1; i < 20; i++) {
			quic_congestion_on_ce(
				&congestion, START_NS + i * BASE_SECOND, START_NS + i * BASE_SECOND);
			quic_congestion_check(&congestion);
		}
		assert_int_equal(congestion.window_bytes, 2400);
	}
}

static void
congestion_on_persistent__restarts_from_the_minimum(void **state)
{
	for (unsigned algorithm = 0; algorithm < QUIC_CONGESTION_COUNT; algorithm++) {
		struct quic_congestion congestion = fresh((enum quic_congestion_algorithm)algorithm);

		quic_congestion_on_ce(&congestion, START_NS, START_NS + BASE_MS);
		quic_congestion_on_persistent(&congestion, START_NS + BASE_SECOND);
		assert_int_equal(congestion.window_bytes, 2400);
		assert_true(quic_congestion_in_slow_start(&congestion));
		quic_congestion_on_sent(&congestion, 2400, START_NS + BASE_SECOND);
		acked(&congestion, 2400, START_NS + BASE_SECOND, START_NS + BASE_SECOND + 50 * BASE_MS);
		assert_int_equal(congestion.window_bytes, 4800);
	}
}

static void
congestion_pacing_rate__is_faster_in_slow_start(void **state)
{
	struct quic_congestion congestion = fresh(QUIC_CONGESTION_NEWRENO);
	struct quic_rtt rtt = rtt_of(100 * BASE_MS);

	assert_int_equal(quic_congestion_pacing_rate(&congestion, &rtt), 2 * 120000);
	quic_congestion_on_ce(&congestion, START_NS, START_NS + BASE_MS);
	assert_int_equal(quic_congestion_pacing_rate(&congestion, &rtt), 75000);
	rtt.smoothed_ns = 0;
	assert_true(quic_congestion_pacing_rate(&congestion, &rtt) > 0);
}

static void
congestion_quantum__is_between_the_initial_window_and_64_kib(void **state)
{
	struct quic_congestion congestion = fresh(QUIC_CONGESTION_NEWRENO);

	assert_int_equal(quic_congestion_quantum(&congestion, 1), 12000);
	assert_int_equal(quic_congestion_quantum(&congestion, 30000000), 30000);
	assert_int_equal(quic_congestion_quantum(&congestion, UINT64_C(10000000000)), 65536);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(congestion_init__bounds_the_initial_window),
		cmocka_unit_test(congestion_set_datagram_bytes__takes_an_untouched_window_along),
		cmocka_unit_test(congestion_room__is_what_the_window_leaves),
		cmocka_unit_test(congestion_on_acked__doubles_in_slow_start),
		cmocka_unit_test(congestion_on_acked__does_not_grow_a_window_that_is_not_used),
		cmocka_unit_test(congestion_on_lost__reduces_once_per_recovery_period),
		cmocka_unit_test(congestion_on_ce__reduces_like_a_loss),
		cmocka_unit_test(congestion_on_lost__never_goes_below_two_datagrams),
		cmocka_unit_test(congestion_on_persistent__restarts_from_the_minimum),
		cmocka_unit_test(congestion_pacing_rate__is_faster_in_slow_start),
		cmocka_unit_test(congestion_quantum__is_between_the_initial_window_and_64_kib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
