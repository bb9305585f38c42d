/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The streams of one connection, and the connection's flow control: RFC 9000 sections 2.1, 3, 4 and 13.3.
 * Looks streams up, opens the peer's (with all lower ones, 3.2), keeps both sides' limits, and knows which
 * stream has octets to send (by urgency, then in turn), control frames to send, or events to tell.
 *
 * A few streams cost a few words here; with more than QUIC_STREAM_SET_OWN_BUCKETS * 4 a chunk is borrowed for
 * the table. Functions that take a stream ID of the application's do nothing, and say so, when the stream is
 * gone.
 */
#ifndef QUIC_STREAM_SET_H
#define QUIC_STREAM_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "quic/constants.h"
#include "quic/endpoint.h"
#include "quic/frame.h"
#include "quic/limits.h"
#include "quic/sent.h"
#include "quic/stream.h"

enum { QUIC_STREAM_SET_OWN_BUCKETS = 4 };

/* Streams of one initiator and direction. Counts are of streams, not IDs. */
struct quic_stream_kind {
	uint64_t opened; /* the next stream's number */
	uint64_t limit;  /* as announced by MAX_STREAMS, by the peer or by us */
	uint64_t closed; /* peer's only: retired, and to be allowed again */
	uint64_t window; /* peer's only: how many may be open at once */
};

struct quic_stream_set {
	struct quic_stream *own_buckets[QUIC_STREAM_SET_OWN_BUCKETS];
	struct quic_stream **buckets; /* a borrowed chunk, or NULL */
	struct base_list sending;     /* by urgency */
	struct base_list controlling;
	struct base_list eventful;
	struct base_list borrowing;
	struct quic_flow_send send;       /* MAX_DATA of the peer */
	struct quic_flow_receive receive; /* MAX_DATA of ours */
	struct quic_stream_kind kinds[4]; /* by the two lowest bits of an ID */
	uint64_t peer_stream_data[3];     /* initial credit for: our bidi, their bidi, our uni */
	uint64_t stream_window_bytes;
	uint64_t stream_window_max_bytes;
	uint32_t send_buffer_bytes;
	uint32_t count;
	struct quic_chunk_account account;
	uint8_t control;      /* connection's frames to send: enum in stream_set.c */
	uint8_t role;         /* enum quic_role */
	bool streams_allowed; /* the event is owed */
	bool starved;         /* a write found no memory, and no ACK will bring any: quic_stream_set_wake() */
	bool wanted_streams;  /* the application wanted more than the limit */
};

void quic_stream_set_init(struct quic_stream_set *set, enum quic_role role, const struct quic_limits *limits);
/* Frees all streams without events. */
void quic_stream_set_fini(struct quic_stream_set *set, struct quic_memory *memory);

/* The peer's transport parameters. */
struct quic_stream_peer_limits {
	uint64_t max_data;
	uint64_t max_stream_data_bidi_local;
	uint64_t max_stream_data_bidi_remote;
	uint64_t max_stream_data_uni;
	uint64_t max_streams_bidi;
	uint64_t max_streams_uni;
};
void quic_stream_set_peer_limits(struct quic_stream_set *set, const struct quic_stream_peer_limits *limits);

/* ---- frames received ---- */

/*
 * Any of STREAM, RESET_STREAM, STOP_SENDING, MAX_DATA, MAX_STREAM_DATA, MAX_STREAMS and the BLOCKED ones.
 * Returns STREAM_STATE_ERROR, STREAM_LIMIT_ERROR, FLOW_CONTROL_ERROR, FINAL_SIZE_ERROR, QUIC_SHORT_OF_MEMORY
 * (drop the packet unacknowledged) or QUIC_NO_ERROR. The octets of STREAM must stay until
 * quic_stream_set_settle().
 */
uint64_t quic_stream_set_receive(
	struct quic_stream_set *set, struct quic_memory *memory, const struct quic_frame *frame);
/* The end of the turn: copies what was not consumed. Needed while quic_stream_set_borrows(). */
void quic_stream_set_settle(struct quic_stream_set *set, struct quic_memory *memory);

static inline bool
quic_stream_set_borrows(const struct quic_stream_set *set)
{
	return !base_list_empty(&set->borrowing);
}

/* ---- events ---- */

struct quic_stream_event {
	enum quic_event_type type;
	uint64_t stream_id;
	void *user;
	uint64_t cookie;
	uint64_t error_code;
};
/*
 * The next QUIC_EVENT_STREAM_* or STREAMS_ALLOWED; false: none. A stream whose CLOSED is told is freed here.
 */
bool quic_stream_set_next_event(
	struct quic_stream_set *set, struct quic_memory *memory, struct quic_stream_event *event);
bool quic_stream_set_has_event(const struct quic_stream_set *set);
/* After a while: WRITABLE for streams whose write was cut short with nothing in flight. */
void quic_stream_set_wake(struct quic_stream_set *set);

/* ---- sending ---- */

/*
 * The next control frame to send and its record; false: none. Limits that are due are raised here, hence RTT
 * and time. Once it is in a packet, call _on_control_sent(); without that the same frame comes again.
 */
bool quic_stream_set_next_control(struct quic_stream_set *set, uint64_t smoothed_rtt_ns, uint64_t now_ns,
	struct quic_frame *frame, struct quic_sent_frame *record);
void quic_stream_set_on_control_sent(struct quic_stream_set *set, const struct quic_sent_frame *record);
/* The stream whose turn it is to send octets; NULL: none. */
struct quic_stream *quic_stream_set_next_to_send(const struct quic_stream_set *set);
/*
 * What it may send next, at most max_length octets (0: an empty frame with fin at most). The caller may cut
 * length (and then fin).
 */
bool quic_stream_set_piece(const struct quic_stream_set *set, const struct quic_stream *stream,
	uint64_t max_length, struct quic_send_piece *piece);
/*
 * The piece is in a packet: charges credit and passes the turn on. Octets:
 * quic_send_buffer_copy(&stream->send, …).
 */
void quic_stream_set_on_sent(
	struct quic_stream_set *set, struct quic_stream *stream, const struct quic_send_piece *piece);
/* Anything at all to send: control frames or octets. */
bool quic_stream_set_has_to_send(const struct quic_stream_set *set);

/*
 * Fate of frames that sent.h recorded; types that are not the set's are ignored. on_lost also repeats for a
 * PTO probe.
 */
void quic_stream_set_on_acked(
	struct quic_stream_set *set, struct quic_memory *memory, const struct quic_sent_frame *frame);
void quic_stream_set_on_lost(
	struct quic_stream_set *set, struct quic_memory *memory, const struct quic_sent_frame *frame);

/* ---- the application's calls: quic_conn_stream_* of conn.h, which see ---- */

struct quic_stream *quic_stream_set_find(struct quic_stream_set *set, uint64_t stream_id);
bool quic_stream_set_open(
	struct quic_stream_set *set, struct quic_memory *memory, bool bidirectional, uint64_t *stream_id);
uint64_t quic_stream_set_allowed(const struct quic_stream_set *set, bool bidirectional);
void quic_stream_set_priority(
	struct quic_stream_set *set, uint64_t stream_id, uint8_t urgency, bool incremental);
bool quic_stream_set_read(struct quic_stream_set *set, const struct quic_memory *memory, uint64_t stream_id,
	const uint8_t **octets, size_t *length, bool *fin);
void quic_stream_set_consume(
	struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id, size_t length);
size_t quic_stream_set_room(struct quic_stream_set *set, uint64_t stream_id);
size_t quic_stream_set_write(struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id,
	const uint8_t *octets, size_t length, bool fin);
bool quic_stream_set_write_static(struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id,
	const uint8_t *octets, size_t length, bool fin, uint64_t cookie);
void quic_stream_set_reset(
	struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id, uint64_t error_code);
void quic_stream_set_stop(
	struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id, uint64_t error_code);

void quic_stream_set_check(const struct quic_stream_set *set, const struct quic_memory *memory);

#endif
