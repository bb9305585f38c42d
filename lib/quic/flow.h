/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flow control credit, RFC 9000 section 4, for a stream or for a connection: the same arithmetic. Offsets and
 * limits are absolute, in octets.
 */
#ifndef QUIC_FLOW_H
#define QUIC_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "quic/error.h"

/* ---- what the peer lets us send ---- */

struct quic_flow_send {
	uint64_t limit;      /* MAX_DATA or MAX_STREAM_DATA, the largest seen */
	uint64_t used;       /* octets sent for the first time */
	uint64_t blocked_at; /* limit plus one that the last BLOCKED frame told; 0: none */
};

void quic_flow_send_init(struct quic_flow_send *flow, uint64_t limit);
/* True when the limit grew; a smaller one is ignored (4.1). */
bool quic_flow_send_raise(struct quic_flow_send *flow, uint64_t limit);
void quic_flow_send_use(struct quic_flow_send *flow, uint64_t bytes);
/* A DATA_BLOCKED or STREAM_DATA_BLOCKED with `limit` should be sent: nothing left, not yet told. */
bool quic_flow_send_blocked(const struct quic_flow_send *flow);
void quic_flow_send_on_blocked_sent(struct quic_flow_send *flow);
/* The frame was lost: tell again if it is still true. */
void quic_flow_send_on_blocked_lost(struct quic_flow_send *flow, uint64_t limit);

static inline uint64_t
quic_flow_send_room(const struct quic_flow_send *flow)
{
	return flow->limit - flow->used;
}

/* ---- what we let the peer send ---- */

struct quic_flow_receive {
	uint64_t limit;        /* as announced */
	uint64_t received;     /* highest offset, or the sum of them */
	uint64_t consumed;     /* octets that will never need memory again */
	uint64_t window_bytes; /* how far the limit is ahead of consumed */
	uint64_t window_max_bytes;
	uint64_t updated_ns; /* when the limit was announced last; 0: never */
};

void quic_flow_receive_init(struct quic_flow_receive *flow, uint64_t window_bytes, uint64_t window_max_bytes);
/* FLOW_CONTROL_ERROR when `bytes` more would pass the limit; nothing is changed. */
uint64_t quic_flow_receive_allows(const struct quic_flow_receive *flow, uint64_t bytes);
void quic_flow_receive_use(struct quic_flow_receive *flow, uint64_t bytes);
void quic_flow_receive_consume(struct quic_flow_receive *flow, uint64_t bytes);
/* True when half the window has been consumed since the limit was announced. */
bool quic_flow_receive_due(const struct quic_flow_receive *flow);
/*
 * The limit to announce now. When the last announcement is less than four RTTs ago the window doubles, up to
 * its maximum: it would have bound the peer.
 */
uint64_t quic_flow_receive_update(struct quic_flow_receive *flow, uint64_t smoothed_rtt_ns, uint64_t now_ns);

#endif
