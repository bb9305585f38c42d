/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The packet numbers received in one packet number space, and when to acknowledge them: RFC 9000 sections
 * 12.3, 13.2 and 13.4.1. The ranges live in three places of its own; when that is not enough it borrows a
 * chunk, and when that is full or there is none, the lowest ranges are forgotten and everything up to their
 * end counts as received (12.3: a duplicate is never processed). Acknowledged ACKs end the reporting of old
 * ranges (13.2.4) at once, and their memory after QUIC_ACK_KEPT_PACKETS, so that a late packet is still told
 * from a duplicate.
 */
#ifndef QUIC_ACK_H
#define QUIC_ACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/datagram.h"
#include "base/pool.h"
#include "base/ranges.h"
#include "quic/frame.h"

enum {
	QUIC_ACK_OWN_RANGES = 3,
	QUIC_ACK_MAX_RANGES = 64,     /* with a borrowed chunk */
	QUIC_ACK_KEPT_PACKETS = 1024, /* below the largest acknowledged by an acknowledged ACK */
};

struct quic_ack {
	struct base_range own[QUIC_ACK_OWN_RANGES];
	struct base_range *borrowed; /* chunk of QUIC_ACK_MAX_RANGES, or NULL */
	uint64_t forgotten_below;    /* all lower numbers count as received */
	uint64_t report_from;        /* ranges that end at or below are not reported any more */
	uint64_t lowest_news;        /* lowest number received since the last ACK; UINT64_MAX: none */
	uint64_t largest_time_ns;    /* when the largest packet number was received */
	uint64_t largest_eliciting;  /* largest ack-eliciting one plus one; 0: none */
	uint64_t deadline_ns;        /* when an ACK is due; 0: at once, BASE_NEVER: not by itself */
	struct quic_ecn_counts ecn;
	uint16_t count;     /* ranges */
	uint16_t eliciting; /* ack-eliciting packets not acknowledged yet */
	uint16_t threshold; /* ack-eliciting packets per ACK; 1: Initial and Handshake */
	bool news;          /* something was received since the last ACK */
};

/* `threshold` is 1 for Initial and Handshake packets (13.2.1), else limits.ack_threshold. */
void quic_ack_init(struct quic_ack *ack, uint16_t threshold);
/* Gives a borrowed chunk back. `chunks` everywhere is the pool of QUIC_POOL_CHUNK. */
void quic_ack_fini(struct quic_ack *ack, struct base_pool *chunks);

/* True when the packet was processed before, or may have been: it must be dropped. */
bool quic_ack_is_duplicate(const struct quic_ack *ack, uint64_t packet_number);
/* A packet that is no duplicate was processed. `max_ack_delay_ns` is what we announced. */
void quic_ack_on_received(struct quic_ack *ack, struct base_pool *chunks, uint64_t packet_number,
	bool ack_eliciting, enum base_ecn ecn, uint64_t now_ns, uint64_t max_ack_delay_ns);

/* When an ACK is due; 0: at once; BASE_NEVER: no ACK needs to be sent. */
static inline uint64_t
quic_ack_deadline(const struct quic_ack *ack)
{
	return ack->deadline_ns;
}

/* True when an ACK would tell something new: add one to a packet that is sent anyway. */
static inline bool
quic_ack_has_news(const struct quic_ack *ack)
{
	return ack->news;
}

/*
 * The ranges for an ACK frame, ascending, borrowed from `ack` until it changes; none before the first packet.
 */
struct base_ranges quic_ack_report(struct quic_ack *ack);
/* One above the largest packet number received; 0 before the first. What packet number decoding expects. */
uint64_t quic_ack_expected(const struct quic_ack *ack);
/* Time since the largest packet number was received, for the ACK Delay field (13.2.5), not yet scaled. */
uint64_t quic_ack_delay_ns(const struct quic_ack *ack, uint64_t now_ns);

/* An ACK frame was sent. */
void quic_ack_on_sent(struct quic_ack *ack);
/* A packet that carried an ACK frame with this Largest Acknowledged was acknowledged (13.2.4). */
void quic_ack_on_acked(struct quic_ack *ack, struct base_pool *chunks, uint64_t largest);
/* For a connection that goes idle: forgets what the own places cannot hold and gives the chunk back. */
void quic_ack_compact(struct quic_ack *ack, struct base_pool *chunks);
void quic_ack_check(const struct quic_ack *ack);

#endif
