/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <math.h>

#include "quic/cubic.h"

enum { DATAGRAM_BYTES = 1200 };

#define START_NS BASE_SECOND

/* A flow that fills its window each RTT without loss, in congestion avoidance after one reduction from `peak_bytes`. */
struct flow {
	struct quic_congestion congestion;
	struct quic_rtt rtt;
	uint64_t now_ns;
};

static struct flow
flow_after_loss(uint32_t peak_bytes, uint64_t rtt_ns)
{
	struct flow flow = {.now_ns = START_NS};

	quic_rtt_init(&flow.rtt, rtt_ns);
	quic_rtt_on_sample(&flow.rtt, rtt_ns, 0, 0, true, START_NS);
	quic_congestion_init(&flow.congestion, QUIC_CONGESTION_CUBIC, 10, DATAGRAM_BYTES, START_NS);
	flow.congestion.window_bytes = peak_bytes;
	quic_congestion_on_ce(&flow.congestion, START_NS, START_NS);
	flow.now_ns += BASE_US;
	return flow;
}

static void
flow_round(struct flow *flow)
{
	uint64_t sent_ns = flow->now_ns;
	uint32_t window = flow->congestion.window_bytes;

	flow->now_ns += flow->rtt.smoothed_ns;
	for (uint32_t bytes = 0; bytes < window; bytes += 2 * DATAGRAM_BYTES) {
		quic_congestion_on_sent(&flow->congestion, 2 * DATAGRAM_BYTES, sent_ns);
		quic_congestion_on_acked(&flow->congestion,
			&(struct quic_congestion_ack){.bytes = 2 * DATAGRAM_BYTES,
				.largest_time_ns = sent_ns,
				.now_ns = flow->now_ns},
			&flow->rtt);
	}
}

/* RFC 9438 section 4.6: "cwnd = cwnd * beta_cubic", beta_cubic = 0.7. */
static void
cubic_on_congestion__reduces_to_seven_tenths(void **state)
{
	struct flow flow = flow_after_loss(1000000, 100 * BASE_MS);

	assert_int_equal(flow.congestion.window_bytes, 700000);
	assert_int_equal(flow.congestion.ssthresh_bytes, 700000);
	assert_int_equal(flow.congestion.cubic.w_max_bytes, 1000000);
}

/* Section 4.7: "W_max = cwnd * (1 + beta_cubic) / 2" when it is below the last one. */
static void
cubic_on_congestion__gives_way_when_shrinking(void **state)
{
	struct flow flow = flow_after_loss(1000000, 100 * BASE_MS);

	quic_congestion_on_ce(&flow.congestion, flow.now_ns, flow.now_ns);
	assert_int_equal(flow.congestion.cubic.w_max_bytes, 595000);
	assert_int_equal(flow.congestion.window_bytes, 490000);
}

/* Section 4.2: W_cubic(t) = C * (t - K)^3 + W_max, K = cbrt((W_max - cwnd_epoch) / C). */
static void
cubic_on_acked__follows_the_curve(void **state)
{
	struct flow flow = flow_after_loss(2400000, 100 * BASE_MS);
	double w_max = 2000.0, k = cbrt(w_max * 0.3 / 0.4);
	uint64_t start_ns;

	flow_round(&flow);
	start_ns = flow.congestion.cubic.epoch_start_ns;
	assert_true(start_ns != BASE_NEVER);
	assert_in_range(flow.congestion.cubic.k_ms, (unsigned)(k * 1000) - 2, (unsigned)(k * 1000) + 2);
	while (flow.now_ns - start_ns < 20 * BASE_SECOND) {
		double t, expected, window;

		flow_round(&flow);
		t = (double)(flow.now_ns - start_ns) / 1e9;
		expected = 0.4 * pow(t - k, 3) + w_max;
		window = flow.congestion.window_bytes / (double)DATAGRAM_BYTES;
		/* Within the bound of half a window per RTT and one step's lag. */
		assert_true(fabs(window - expected) < 0.03 * expected + 5);
	}
}

/* Section 4.3: on a short path with a small window it is not slower than Reno with its decrease factor. */
static void
cubic_on_acked__is_friendly_to_reno_on_short_paths(void **state)
{
	struct flow flow = flow_after_loss(24000, 5 * BASE_MS);
	uint32_t before = flow.congestion.window_bytes;

	for (int i = 0; i < 40; i++)
		flow_round(&flow);
	/* 9/17 of a datagram each RTT at least; whole datagrams are acknowledged, so a little more may come. */
	assert_true(flow.congestion.window_bytes >= before + 40 * DATAGRAM_BYTES * 9 / 17 * 8 / 10);
	assert_true(flow.congestion.window_bytes <= before + 40 * DATAGRAM_BYTES * 13 / 10);
}

static void
cubic_on_app_limited__does_not_count_the_pause(void **state)
{
	struct flow flow = flow_after_loss(2400000, 100 * BASE_MS);
	uint32_t before;

	for (int i = 0; i < 10; i++)
		flow_round(&flow);
	before = flow.congestion.window_bytes;
	quic_congestion_set_app_limited(&flow.congestion, true);
	flow.now_ns += 3600 * BASE_SECOND;
	quic_congestion_set_app_limited(&flow.congestion, false);
	flow_round(&flow);
	assert_true(flow.congestion.window_bytes >= before);
	assert_true(flow.congestion.window_bytes < before + before / 10);
}

/* RFC 9406: the RTT rises by an eighth within a round of slow start, and five rounds later it is over. */
static void
cubic_on_acked__leaves_slow_start_when_the_rtt_rises(void **state)
{
	struct flow flow = {.now_ns = START_NS};
	int rounds = 0;

	quic_rtt_init(&flow.rtt, 100 * BASE_MS);
	quic_rtt_on_sample(&flow.rtt, 100 * BASE_MS, 0, 0, true, START_NS);
	quic_congestion_init(&flow.congestion, QUIC_CONGESTION_CUBIC, 10, DATAGRAM_BYTES, START_NS);
	for (int i = 0; i < 3; i++) {
		flow.now_ns += BASE_US;
		flow_round(&flow);
	}
	assert_true(quic_congestion_in_slow_start(&flow.congestion));
	assert_in_range(flow.congestion.window_bytes, 90000, 110000);
	flow.rtt.latest_ns = 120 * BASE_MS;
	while (quic_congestion_in_slow_start(&flow.congestion) && rounds < 20) {
		flow.now_ns += BASE_US;
		flow_round(&flow);
		rounds++;
	}
	assert_in_range(rounds, 5, 8);
	assert_int_equal(flow.congestion.ssthresh_bytes, flow.congestion.cubic.w_max_bytes);
}

static void
cubic_on_acked__stays_in_slow_start_while_the_rtt_is_steady(void **state)
{
	struct flow flow = {.now_ns = START_NS};

	quic_rtt_init(&flow.rtt, 100 * BASE_MS);
	quic_rtt_on_sample(&flow.rtt, 100 * BASE_MS, 0, 0, true, START_NS);
	quic_congestion_init(&flow.congestion, QUIC_CONGESTION_CUBIC, 10, DATAGRAM_BYTES, START_NS);
	for (int i = 0; i < 8; i++) {
		flow.now_ns += BASE_US;
		flow_round(&flow);
	}
	assert_true(quic_congestion_in_slow_start(&flow.congestion));
	assert_true(flow.congestion.window_bytes >= 12000 * 256);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cubic_on_congestion__reduces_to_seven_tenths),
		cmocka_unit_test(cubic_on_congestion__gives_way_when_shrinking),
		cmocka_unit_test(cubic_on_acked__follows_the_curve),
		cmocka_unit_test(cubic_on_acked__is_friendly_to_reno_on_short_paths),
		cmocka_unit_test(cubic_on_app_limited__does_not_count_the_pause),
		cmocka_unit_test(cubic_on_acked__leaves_slow_start_when_the_rtt_rises),
		cmocka_unit_test(cubic_on_acked__stays_in_slow_start_while_the_rtt_is_steady),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
