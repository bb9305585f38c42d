/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The congestion controller of a path, behind one interface: RFC 9002 section 7. The state is at most 64
 * octets and lies in the connection. The window, recovery periods, bytes in flight and the reaction to
 * persistent congestion are alike for all algorithms; what they decide is how the window grows and how far it
 * falls: cubic.c (RFC 9438, with HyStart++, RFC 9406) and newreno.c. Bytes are of UDP payloads.
 */
#ifndef QUIC_CONGESTION_H
#define QUIC_CONGESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "quic/limits.h"
#include "quic/rtt.h"

/* RFC 9438; in units of bytes, milliseconds. */
struct quic_cubic {
	uint64_t epoch_start_ns;   /* of this congestion avoidance stage; BASE_NEVER: not begun */
	uint32_t w_max_bytes;      /* window before the last reduction, after fast convergence */
	uint32_t cwnd_epoch_bytes; /* window at epoch_start */
	uint32_t w_est_bytes;      /* what Reno would have */
	uint32_t k_ms;             /* time from epoch_start to w_max */
	uint32_t cwnd_prior_bytes; /* window at the last reduction */
};

/*
 * RFC 9406: in slow start only, so it shares its place with quic_cubic. RTTs in microseconds, UINT32_MAX:
 * none.
 */
struct quic_hystart {
	uint64_t round_start_ns; /* the round ends when a packet sent after this is acknowledged */
	uint32_t last_round_min_us;
	uint32_t round_min_us;
	uint32_t css_baseline_us;
	uint8_t samples;    /* of this round */
	uint8_t css_rounds; /* of conservative slow start; 0: not in it */
};

struct quic_congestion {
	uint64_t recovery_start_ns; /* packets sent up to then do not reduce the window again; 0: never was */
	uint32_t window_bytes;
	uint32_t ssthresh_bytes; /* UINT32_MAX: initial slow start */
	uint32_t in_flight_bytes;
	uint32_t acked_bytes;    /* counted towards the next step of the window */
	uint16_t datagram_bytes; /* max_datagram_size */
	uint16_t initial_packets;
	uint8_t algorithm; /* enum quic_congestion_algorithm */
	bool app_limited;
	union {
		struct quic_cubic cubic;
		struct quic_hystart hystart;
	};
};

_Static_assert(sizeof(struct quic_congestion) <= 64, "the slot has 64 octets for it");

/* What an ACK brought: sums of quic_loss_result. */
struct quic_congestion_ack {
	uint64_t bytes;           /* newly acknowledged, in flight until now */
	uint64_t largest_time_ns; /* sending time of the largest newly acknowledged packet */
	uint64_t now_ns;
};

void quic_congestion_init(struct quic_congestion *congestion, enum quic_congestion_algorithm algorithm,
	uint16_t initial_packets, uint16_t datagram_bytes, uint64_t now_ns);
/* The path's datagram size changed. */
void quic_congestion_set_datagram_bytes(struct quic_congestion *congestion, uint16_t datagram_bytes);

/*
 * Bytes that may be sent now; 0 when the window is full. A packet may be sent when this is not less than its
 * size.
 */
uint64_t quic_congestion_room(const struct quic_congestion *congestion);
void quic_congestion_on_sent(struct quic_congestion *congestion, uint32_t bytes, uint64_t now_ns);
/*
 * At the end of a connection's sending in a turn: true when it stopped for lack of data or flow control, with
 * window and pacer open (RFC 9002 section 7.8). A window that is not used does not grow.
 */
void quic_congestion_set_app_limited(struct quic_congestion *congestion, bool app_limited);
/* Once for each ACK frame, after losses and CE marks that it brought. */
void quic_congestion_on_acked(struct quic_congestion *congestion, const struct quic_congestion_ack *ack,
	const struct quic_rtt *rtt);
/* Once for each detection with lost packets. largest_lost_time_ns: sending time of the last one lost. */
void quic_congestion_on_lost(
	struct quic_congestion *congestion, uint64_t bytes, uint64_t largest_lost_time_ns, uint64_t now_ns);
/* More packets were marked CE (section 7.1); sent_time_ns of the largest newly acknowledged packet. */
void quic_congestion_on_ce(struct quic_congestion *congestion, uint64_t sent_time_ns, uint64_t now_ns);
/* Section 7.6.2; after on_lost. */
void quic_congestion_on_persistent(struct quic_congestion *congestion, uint64_t now_ns);
/* Bytes that leave flight without a verdict: keys discarded, probes lost that are not congestion. */
void quic_congestion_on_discarded(struct quic_congestion *congestion, uint64_t bytes);

/*
 * Bytes per second at which to send (section 7.7): 1.25 windows per RTT, two in slow start. Never 0.
 */
uint64_t quic_congestion_pacing_rate(const struct quic_congestion *congestion, const struct quic_rtt *rtt);
/* Bytes to send in one go: a millisecond at that rate, at least the initial window, at most 64 KiB. */
uint32_t quic_congestion_quantum(const struct quic_congestion *congestion, uint64_t pacing_rate);

static inline bool
quic_congestion_in_slow_start(const struct quic_congestion *congestion)
{
	return congestion->window_bytes < congestion->ssthresh_bytes;
}

void quic_congestion_check(const struct quic_congestion *congestion);

#endif
