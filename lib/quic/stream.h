/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One stream of any of the four kinds: RFC 9000 sections 2, 3 and 4.5. A stream knows its two parts and what
 * it has to tell, as bits: frames to send in `control`, events to hand out in `events`. Which list it is in,
 * and the connection's credit, are the stream set's (stream_set.h), through which everything outside this
 * pair of modules goes.
 */
#ifndef QUIC_STREAM_H
#define QUIC_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "quic/flow.h"
#include "quic/recv_buffer.h"
#include "quic/send_buffer.h"

/* RFC 9000 section 3.1. NONE: the stream has no sending part. */
enum quic_send_state {
	QUIC_SEND_NONE,
	QUIC_SEND_SEND, /* "Ready" and "Send" */
	QUIC_SEND_DATA_SENT,
	QUIC_SEND_DATA_RECVD,
	QUIC_SEND_RESET_SENT,
	QUIC_SEND_RESET_RECVD,
};

/* RFC 9000 section 3.2. NONE: the stream has no receiving part. */
enum quic_recv_state {
	QUIC_RECV_NONE,
	QUIC_RECV_RECV,
	QUIC_RECV_SIZE_KNOWN,
	QUIC_RECV_DATA_RECVD,
	QUIC_RECV_DATA_READ,
	QUIC_RECV_RESET_RECVD,
	QUIC_RECV_RESET_READ,
};

/* Frames to be sent. */
enum quic_stream_control {
	QUIC_STREAM_CONTROL_RESET = 1 << 0,
	QUIC_STREAM_CONTROL_STOP = 1 << 1,
	QUIC_STREAM_CONTROL_MAX_DATA = 1 << 2,
	QUIC_STREAM_CONTROL_BLOCKED = 1 << 3,
};

/* Events to be pulled, in this order. */
enum quic_stream_event_bit {
	QUIC_STREAM_EVENT_READABLE = 1 << 0,
	QUIC_STREAM_EVENT_RESET = 1 << 1,
	QUIC_STREAM_EVENT_STOPPED = 1 << 2,
	QUIC_STREAM_EVENT_RELEASED = 1 << 3,
	QUIC_STREAM_EVENT_WRITABLE = 1 << 4,
	QUIC_STREAM_EVENT_CLOSED = 1 << 5,
};

struct quic_stream {
	struct quic_stream *hash_next;
	uint64_t id;
	void *user;
	struct base_list send_link;    /* octets to send, within the stream's credit */
	struct base_list control_link; /* control != 0 */
	struct base_list event_link;   /* events != 0 */
	struct base_list borrow_link;  /* octets lie in datagrams */
	struct quic_flow_send send_flow;
	struct quic_flow_receive receive_flow;
	uint64_t reset_code;      /* of the RESET_STREAM we send */
	uint64_t stop_code;       /* of the STOP_SENDING we send */
	uint64_t peer_reset_code; /* of the RESET_STREAM received */
	uint64_t peer_stop_code;  /* of the STOP_SENDING received */
	uint8_t send_state;       /* enum quic_send_state */
	uint8_t recv_state;       /* enum quic_recv_state */
	uint8_t control;          /* enum quic_stream_control */
	uint8_t events;           /* enum quic_stream_event_bit */
	uint8_t urgency;          /* RFC 9218: 0 first, 7 last */
	bool incremental;
	bool stopped;     /* we sent STOP_SENDING: what comes is thrown away */
	bool write_short; /* a write was cut: WRITABLE is owed */
	bool closed_told; /* CLOSED has been put into events */
	struct quic_recv_buffer receive;
	struct quic_send_buffer send;
};

enum { QUIC_URGENCY_DEFAULT = 3, QUIC_URGENCY_COUNT = 8 };

/* Octets that a frame sets free in the connection's flow control: received, and never to be kept. */
struct quic_stream_effect {
	uint64_t received; /* growth of the highest offset */
	uint64_t consumed;
};

void quic_stream_init(struct quic_stream *stream, uint64_t id, bool sends, bool receives, uint64_t send_limit,
	uint64_t window_bytes, uint64_t window_max_bytes);
/* Gives the buffers back, not the stream. */
void quic_stream_fini(
	struct quic_stream *stream, struct quic_memory *memory, struct quic_chunk_account *account);

/*
 * A STREAM frame: FINAL_SIZE_ERROR, FLOW_CONTROL_ERROR, QUIC_SHORT_OF_MEMORY, QUIC_NO_ERROR. `connection` may
 * still receive that much.
 */
uint64_t quic_stream_receive(struct quic_stream *stream, struct quic_memory *memory,
	struct quic_chunk_account *account, const struct quic_flow_receive *connection, uint64_t offset,
	const uint8_t *octets, size_t length, bool fin, struct quic_stream_effect *effect);
/* RESET_STREAM: FINAL_SIZE_ERROR, FLOW_CONTROL_ERROR, QUIC_NO_ERROR. */
uint64_t quic_stream_receive_reset(struct quic_stream *stream, struct quic_memory *memory,
	struct quic_chunk_account *account, const struct quic_flow_receive *connection, uint64_t code,
	uint64_t final_size, struct quic_stream_effect *effect);
/* STOP_SENDING: answered with RESET_STREAM unless all is acknowledged (3.5). */
void quic_stream_receive_stop(struct quic_stream *stream, struct quic_memory *memory, uint64_t code);
void quic_stream_receive_max_data(struct quic_stream *stream, uint64_t limit);

/* As quic_conn_stream_*, which see. */
bool quic_stream_read(const struct quic_stream *stream, const struct quic_memory *memory,
	const uint8_t **octets, size_t *length, bool *fin);
void quic_stream_consume(struct quic_stream *stream, struct quic_memory *memory,
	struct quic_chunk_account *account, uint64_t length, struct quic_stream_effect *effect);
size_t quic_stream_room(const struct quic_stream *stream, uint32_t send_buffer_bytes);
/* A write was cut short, and with nothing in flight no progress will tell that there is room again. */
bool quic_stream_starved(const struct quic_stream *stream);
/* WRITABLE all the same. */
void quic_stream_wake(struct quic_stream *stream);
size_t quic_stream_write(struct quic_stream *stream, struct quic_memory *memory, const uint8_t *octets,
	size_t length, bool fin, uint32_t send_buffer_bytes);
bool quic_stream_write_static(struct quic_stream *stream, struct quic_memory *memory, const uint8_t *octets,
	size_t length, bool fin, uint64_t cookie);
void quic_stream_reset(struct quic_stream *stream, struct quic_memory *memory, uint64_t code);
void quic_stream_stop(struct quic_stream *stream, struct quic_memory *memory,
	struct quic_chunk_account *account, uint64_t code, struct quic_stream_effect *effect);

/* What to send: at most max_length octets, new ones at most `connection_room` of them. */
bool quic_stream_next(const struct quic_stream *stream, uint64_t max_length, uint64_t connection_room,
	struct quic_send_piece *piece);
/* Octets sent for the first time. */
uint64_t quic_stream_on_sent(struct quic_stream *stream, const struct quic_send_piece *piece);
void quic_stream_on_acked(
	struct quic_stream *stream, struct quic_memory *memory, uint64_t offset, uint64_t length, bool fin);
void quic_stream_on_lost(
	struct quic_stream *stream, struct quic_memory *memory, uint64_t offset, uint64_t length, bool fin);
void quic_stream_on_reset_acked(struct quic_stream *stream);
/* Octets, or a fin, may be sent as far as the stream's own credit goes. */
bool quic_stream_wants_to_send(const struct quic_stream *stream);
/* Both parts have reached a terminal state. */
bool quic_stream_over(const struct quic_stream *stream);

#endif
