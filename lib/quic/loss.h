/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loss detection: RFC 9002 sections 6 and 7.6, over the records of sent.h. State per packet number space, and
 * the one timer that all spaces share. Nothing is called back: an ACK leaves its records marked, a result
 * with the sums, and quic_sent_next_done() then gives each packet that was acknowledged or lost:
 *
 *   quic_loss_ack_begin() · quic_loss_ack_range() for each range, highest first · quic_loss_ack_end(&result)
 *   · RTT sample, congestion controller, pto_count = 0 · quic_sent_next_done() … · quic_sent_sweep()
 */
#ifndef QUIC_LOSS_H
#define QUIC_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ranges.h"
#include "quic/constants.h"
#include "quic/rtt.h"
#include "quic/sent.h"

enum {
	QUIC_PACKET_THRESHOLD = 3,                /* RFC 9002 section 6.1.1 */
	QUIC_PERSISTENT_CONGESTION_THRESHOLD = 3, /* section 7.6.1 */
};

#define QUIC_LARGEST_ACKED_NONE UINT64_MAX

struct quic_loss {
	uint64_t largest_acked;     /* QUIC_LARGEST_ACKED_NONE before the first ACK */
	uint64_t loss_time_ns;      /* when the next packet is lost by time; BASE_NEVER: none */
	uint64_t last_eliciting_ns; /* when the last ack-eliciting packet was sent; BASE_NEVER: none */
	/* Neighbouring lost packets: first and last ack-eliciting one of the run, section 7.6.2. */
	uint64_t run_first_ns;
	uint64_t run_last_ns;
	uint16_t run_sequence; /* of its last record */
	bool run;
};

struct quic_loss_result {
	uint64_t acked_bytes; /* newly acknowledged */
	uint64_t lost_bytes;  /* with those of MTU probes, QUIC_SENT_PROBE, which the owner takes off */
	uint32_t acked_packets;
	uint32_t lost_packets;
	uint32_t acked_ect; /* newly acknowledged packets sent with ECT(0), for section 13.4.2 of RFC 9000 */
	uint64_t largest_acked_time_ns; /* sending time of the largest newly acknowledged packet */
	uint64_t largest_lost_time_ns;  /* sending time of the last lost packet that was no MTU probe */
	bool rtt_sample; /* section 5.1: the largest is newly acknowledged and an ack-eliciting one is; rtt_ns holds */
	uint64_t rtt_ns;
	bool largest_advanced;      /* Largest Acknowledged grew: ECN counts may be looked at */
	bool persistent_congestion; /* section 7.6: reset the window */
};

void quic_loss_init(struct quic_loss *loss);
/* A packet in flight was recorded. */
void quic_loss_on_sent(struct quic_loss *loss, const struct quic_sent_packet *packet);

/* What one ACK frame found so far. */
struct quic_loss_ack {
	struct quic_sent_cursor cursor;
	uint64_t largest;
	bool largest_newly_acked;
	bool eliciting_newly_acked;
	struct quic_loss_result result;
};

/* PROTOCOL_VIOLATION when the ACK acknowledges what was never sent (RFC 9000 section 13.1). */
uint64_t quic_loss_ack_begin(struct quic_loss_ack *ack, const struct quic_sent *sent, uint64_t largest_acked);
uint64_t quic_loss_ack_range(struct quic_loss_ack *ack, struct quic_sent *sent, struct base_range range);
/*
 * Detects losses and sums up. The RTT sample is not in `rtt` yet when losses are judged unless the caller has
 * it applied first: this function applies it itself, with the ACK frame's delay (0 for Initial and
 * Handshake).
 */
struct quic_loss_result quic_loss_ack_end(struct quic_loss_ack *ack, struct quic_loss *loss,
	struct quic_sent *sent, struct quic_rtt *rtt, uint64_t ack_delay_ns, uint64_t max_ack_delay_ns,
	bool handshake_confirmed, uint64_t now_ns);

/* The loss timer fired with kind LOSS_TIME: the packets lost by time. */
struct quic_loss_result quic_loss_expire(struct quic_loss *loss, struct quic_sent *sent,
	const struct quic_rtt *rtt, uint64_t max_ack_delay_ns, uint64_t now_ns);

enum quic_loss_timer_kind { QUIC_LOSS_TIMER_NONE, QUIC_LOSS_TIMER_LOSS_TIME, QUIC_LOSS_TIMER_PTO };

struct quic_loss_timer {
	uint64_t deadline_ns; /* BASE_NEVER: none */
	enum quic_loss_timer_kind kind;
	enum quic_packet_number_space space;
};

/* What SetLossDetectionTimer of RFC 9002 appendix A.8 looks at. */
struct quic_loss_view {
	const struct quic_loss *loss[QUIC_SPACE_COUNT]; /* NULL: keys discarded */
	const struct quic_sent *sent[QUIC_SPACE_COUNT];
	const struct quic_rtt *rtt;
	uint64_t max_ack_delay_ns; /* the peer's */
	uint64_t now_ns; /* the anti-deadlock PTO counts from here when no living space has sent a packet */
	uint16_t pto_count;
	bool handshake_confirmed;
	bool has_handshake_keys;
	bool at_anti_amplification_limit; /* server that may send nothing */
	bool peer_completed_address_validation;
};

/* On PTO: pto_count + 1 and one or two ack-eliciting packets in timer.space, whatever the window says. */
struct quic_loss_timer quic_loss_timer(const struct quic_loss_view *view);

#endif
