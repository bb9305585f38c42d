/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/cubic.h"

/*
 * The window is stepped each time a sixteenth of it has been acknowledged: often enough to follow the curve, seldom
 * enough that integers do not lose the small steps.
 */
enum { STEPS_PER_WINDOW = 16 };

/* RFC 9406 section 4.3. */
enum {
	RTT_THRESH_MIN_US = 4000,
	RTT_THRESH_MAX_US = 16000,
	RTT_DIVISOR = 8,
	RTT_SAMPLES = 8,
	CSS_GROWTH_DIVISOR = 4,
	CSS_ROUNDS = 5,
};

/* ---- slow start: HyStart++ ---- */

void
quic_cubic_init(struct quic_congestion *congestion, uint64_t now_ns)
{
	if (quic_congestion_in_slow_start(congestion))
		congestion->hystart = (struct quic_hystart){.round_start_ns = now_ns,
			.last_round_min_us = UINT32_MAX,
			.round_min_us = UINT32_MAX,
			.css_baseline_us = UINT32_MAX};
	else
		congestion->cubic = (struct quic_cubic){.epoch_start_ns = BASE_NEVER};
}

/* RFC 9438 section 4.10: without a loss the curve begins at its plateau. */
static void
leave_slow_start(struct quic_congestion *congestion)
{
	congestion->ssthresh_bytes = congestion->window_bytes;
	congestion->acked_bytes = 0;
	congestion->cubic = (struct quic_cubic){.epoch_start_ns = BASE_NEVER,
		.w_max_bytes = congestion->window_bytes,
		.cwnd_prior_bytes = congestion->window_bytes};
}

/* True when conservative slow start has lasted long enough. */
static bool
begin_round(struct quic_hystart *hystart, uint64_t now_ns)
{
	hystart->last_round_min_us = hystart->round_min_us;
	hystart->round_min_us = UINT32_MAX;
	hystart->samples = 0;
	hystart->round_start_ns = now_ns;
	if (hystart->css_rounds == 0)
		return false;
	hystart->css_rounds++;
	return hystart->css_rounds > CSS_ROUNDS;
}

static bool
rtt_has_risen(const struct quic_hystart *hystart)
{
	uint32_t threshold_us;

	if (hystart->samples < RTT_SAMPLES || hystart->last_round_min_us == UINT32_MAX)
		return false;
	threshold_us = hystart->last_round_min_us / RTT_DIVISOR;
	if (threshold_us < RTT_THRESH_MIN_US)
		threshold_us = RTT_THRESH_MIN_US;
	if (threshold_us > RTT_THRESH_MAX_US)
		threshold_us = RTT_THRESH_MAX_US;
	return hystart->round_min_us >= hystart->last_round_min_us + threshold_us;
}

static void
slow_start(
	struct quic_congestion *congestion, const struct quic_congestion_ack *ack, const struct quic_rtt *rtt)
{
	struct quic_hystart *hystart = &congestion->hystart;
	uint32_t latest_us = rtt->latest_ns / BASE_US < UINT32_MAX / 2 ? (uint32_t)(rtt->latest_ns / BASE_US)
								       : UINT32_MAX / 2;

	/* Sending is paced, so the growth per ACK has no bound (section 4.2, L = infinity). */
	congestion->window_bytes +=
		(uint32_t)(hystart->css_rounds == 0 ? ack->bytes : ack->bytes / CSS_GROWTH_DIVISOR);
	if (ack->largest_time_ns > hystart->round_start_ns && begin_round(hystart, ack->now_ns)) {
		leave_slow_start(congestion);
		return;
	}
	if (latest_us < hystart->round_min_us)
		hystart->round_min_us = latest_us;
	if (hystart->samples < RTT_SAMPLES)
		hystart->samples++;
	if (hystart->css_rounds == 0) {
		if (rtt_has_risen(hystart)) {
			hystart->css_baseline_us = hystart->round_min_us;
			hystart->css_rounds = 1;
		}
	} else if (hystart->samples >= RTT_SAMPLES && hystart->round_min_us < hystart->css_baseline_us) {
		hystart->css_baseline_us = UINT32_MAX;
		hystart->css_rounds = 0;
	}
}

/* ---- congestion avoidance: CUBIC ---- */

static uint32_t
cube_root(uint64_t value)
{
	uint64_t root = 0;

	for (int bit = 20; bit >= 0; bit--) {
		uint64_t candidate = root | UINT64_C(1) << bit;

		if (candidate * candidate * candidate <= value)
			root = candidate;
	}
	return (uint32_t)root;
}

static void
begin_epoch(struct quic_congestion *congestion, uint64_t now_ns)
{
	struct quic_cubic *cubic = &congestion->cubic;
	uint64_t below;

	cubic->epoch_start_ns = now_ns;
	cubic->cwnd_epoch_bytes = congestion->window_bytes;
	cubic->w_est_bytes = congestion->window_bytes;
	if (cubic->w_max_bytes < congestion->window_bytes)
		cubic->w_max_bytes = congestion->window_bytes;
	/* K = cbrt((W_max - cwnd_epoch) / C) seconds with windows in datagrams and C = 0.4; here in milliseconds. */
	below = cubic->w_max_bytes - cubic->cwnd_epoch_bytes;
	cubic->k_ms = cube_root(below * UINT64_C(2500000000) / congestion->datagram_bytes);
}

/* W_cubic(t) of RFC 9438 section 4.2. */
static uint64_t
w_cubic(const struct quic_congestion *congestion, uint64_t t_ms)
{
	const struct quic_cubic *cubic = &congestion->cubic;
	bool before = t_ms < cubic->k_ms;
	uint64_t away_ms = before ? cubic->k_ms - t_ms : t_ms - cubic->k_ms, cube, bytes;

	/* Further from K than this the window is at its bounds anyway; and 64 bits are enough. */
	if (away_ms > 100000)
		away_ms = 100000;
	cube = away_ms * away_ms * away_ms;
	/* C * datagram * (seconds)^3 = datagram * ms^3 * 0.4 / 10^9; scaled down first, datagrams are at most 2^16. */
	bytes = cube / 1000 * congestion->datagram_bytes / 2500000;
	if (!before)
		return cubic->w_max_bytes + bytes;
	return bytes < cubic->w_max_bytes ? cubic->w_max_bytes - bytes : 0;
}

/* Section 4.3: what Reno with CUBIC's decrease factor would have by now. */
static void
step_reno_estimate(struct quic_congestion *congestion, uint64_t acked_bytes)
{
	struct quic_cubic *cubic = &congestion->cubic;
	/* alpha = 3 * (1 - 0.7) / (1 + 0.7) = 9/17 until the window before the reduction is reached, then 1. */
	uint64_t alpha17 = cubic->w_est_bytes >= cubic->cwnd_prior_bytes ? 17 : 9;

	cubic->w_est_bytes += (uint32_t)(alpha17 * acked_bytes * congestion->datagram_bytes / 17 /
		congestion->window_bytes);
}

static void
congestion_avoidance(
	struct quic_congestion *congestion, uint64_t acked_bytes, uint64_t now_ns, uint64_t rtt_ns)
{
	struct quic_cubic *cubic = &congestion->cubic;
	uint64_t window = congestion->window_bytes, t_ms, target;

	if (cubic->epoch_start_ns == BASE_NEVER)
		begin_epoch(congestion, now_ns);
	step_reno_estimate(congestion, acked_bytes);
	t_ms = (now_ns - cubic->epoch_start_ns) / BASE_MS;
	if (w_cubic(congestion, t_ms) < cubic->w_est_bytes) {
		if (cubic->w_est_bytes > congestion->window_bytes)
			congestion->window_bytes = cubic->w_est_bytes;
		return;
	}
	target = w_cubic(congestion, t_ms + rtt_ns / BASE_MS);
	if (target < window)
		target = window;
	if (target > window + window / 2)
		target = window + window / 2;
	congestion->window_bytes += (uint32_t)((target - window) * acked_bytes / window);
}

void
quic_cubic_on_acked(
	struct quic_congestion *congestion, const struct quic_congestion_ack *ack, const struct quic_rtt *rtt)
{
	if (quic_congestion_in_slow_start(congestion)) {
		slow_start(congestion, ack, rtt);
		return;
	}
	congestion->acked_bytes += (uint32_t)ack->bytes;
	if (congestion->acked_bytes < congestion->window_bytes / STEPS_PER_WINDOW)
		return;
	congestion_avoidance(congestion, congestion->acked_bytes, ack->now_ns, rtt->smoothed_ns);
	congestion->acked_bytes = 0;
}

void
quic_cubic_on_congestion(struct quic_congestion *congestion, uint64_t now_ns)
{
	struct quic_cubic *cubic = &congestion->cubic;
	uint32_t window = congestion->window_bytes;

	if (quic_congestion_in_slow_start(congestion))
		leave_slow_start(congestion);
	/* Section 4.7, fast convergence: a flow that shrinks gives way to new ones. */
	cubic->w_max_bytes = window < cubic->w_max_bytes ? (uint32_t)(window * UINT64_C(17) / 20) : window;
	cubic->cwnd_prior_bytes = window;
	cubic->epoch_start_ns = BASE_NEVER;
	congestion->window_bytes = (uint32_t)(window * UINT64_C(7) / 10);
}

void
quic_cubic_on_app_limited(struct quic_congestion *congestion)
{
	if (!quic_congestion_in_slow_start(congestion))
		congestion->cubic.epoch_start_ns = BASE_NEVER;
}
