/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside of lib/http3: the structures behind http3/http3.h, for the files that may see a connection
 * (http3.c, conn.c, conn_streams.c, request.c). The peer's three critical streams have no objects: their
 * state stands here in compact form, and a unidirectional stream whose type is not complete yet keeps its
 * few octets in the stream's user pointer.
 */
#ifndef HTTP3_CONN_H
#define HTTP3_CONN_H

#include "base/list.h"
#include "http3/frame.h"
#include "http3/http3.h"
#include "http3/qpack_stream.h"
#include "http3/settings.h"
#include "quic/conn.h"

#define HTTP3_STREAM_NONE UINT64_MAX

enum http3_counter {
	HTTP3_CONNECTIONS,
	HTTP3_REQUESTS,
	HTTP3_RESPONSES,
	HTTP3_CONNECTION_ERRORS, /* CONNECTION_CLOSE sent for a mistake of the peer */
	HTTP3_STREAM_ERRORS,     /* malformed and incomplete messages */
	HTTP3_REJECTED,          /* requests after GOAWAY */
	HTTP3_TOO_LARGE,         /* field sections above the limit, answered with 431 */
	HTTP3_BODIES_STOPPED,    /* more body than discard_bytes that nobody wanted */
	HTTP3_NO_CONN,           /* pool empty */
	HTTP3_NO_REQUEST,
	HTTP3_NO_SECTION,
	HTTP3_COUNTERS
};

enum { HTTP3_OPENING_BYTES = 96, HTTP3_ANSWER_BYTES = 64, HTTP3_CONTROL_TEXT_BYTES = 24 };

struct http3 {
	struct http3_config config;
	struct http3_qpack *qpack;
	struct base_list conns;
	struct base_list ready;               /* requests with something to tell */
	struct http3_request *finished;       /* told CLOSED; given back at the next pull */
	struct http3_conn *goaway_from;       /* its GOAWAY event is to be told */
	struct http3_conn *closed;            /* gone once its requests have been told */
	uint8_t opening[HTTP3_OPENING_BYTES]; /* of every control stream: type, SETTINGS, a reserved frame */
	uint8_t opening_length;
	uint8_t too_large[HTTP3_ANSWER_BYTES]; /* HEADERS frame of a 431 */
	uint8_t too_large_length;
	uint64_t counters[HTTP3_COUNTERS];
};

/* The frame on the peer's control stream that is being read. */
struct http3_control {
	struct http3_pair pair;
	uint8_t text_length;
	bool in_frame, has_element, had_settings;
	char text[HTTP3_CONTROL_TEXT_BYTES]; /* of PRIORITY_UPDATE; what is longer is cut off */
	uint64_t type, left, element_id;
};

struct http3_conn {
	struct base_list link; /* http3->conns */
	struct base_list requests;
	struct http3 *http3;
	struct quic_conn *quic; /* of this turn */
	void *user;
	uint64_t control_id;      /* our control stream */
	uint64_t next_request_id; /* above every request stream seen */
	uint64_t goaway_sent;     /* HTTP3_STREAM_NONE before */
	uint64_t goaway_received;
	uint64_t max_push_id; /* HTTP3_STREAM_NONE before the first */
	uint64_t hint_id;     /* a PRIORITY_UPDATE that came before its stream */
	struct http3_priority hint;
	bool server, failed, goaway_wanted, goaway_written;
	bool has_control, has_encoder, has_decoder; /* the peer's streams */
	uint16_t sections; /* elements of HTTP3_POOL_SECTION that its requests have */
	struct http3_qpack_stream decoder;
	uint8_t goaway[10];             /* the frame, until it is acknowledged */
	struct http3_settings settings; /* the peer's */
	struct http3_control control;
};

_Static_assert(sizeof(struct http3_conn) <= 256, "slot and HTTP/3 state are 1.25 KiB of memory together");

enum http3_read_state {
	HTTP3_READ_FRAME,
	HTTP3_READ_SECTION,
	HTTP3_READ_BODY,
	HTTP3_READ_SKIP,
	HTTP3_READ_NOTHING
};
enum http3_phase { HTTP3_BEFORE_HEADERS, HTTP3_IN_BODY, HTTP3_AFTER_TRAILERS };

/* What is to be told about a request, one bit each. */
enum {
	HTTP3_PENDING_READABLE = 1,
	HTTP3_PENDING_ABORTED = 2,
	HTTP3_PENDING_STOPPED = 4,
	HTTP3_PENDING_WRITABLE = 8,
	HTTP3_PENDING_RELEASED = 16,
	HTTP3_PENDING_CLOSED = 32
};

struct http3_request {
	struct base_list link;  /* conn->requests */
	struct base_list ready; /* http3->ready */
	struct http3_conn *conn;
	uint64_t stream_id;
	void *user;
	uint64_t words[HTTP3_REQUEST_WORDS];
	struct http3_pair pair;
	uint8_t state, phase, pending;
	bool announced; /* the application knows it */
	bool ended;     /* the receiving part is read to its end */
	bool end_told;
	bool discarding;
	bool body_offered; /* and not consumed since */
	bool head_only;    /* client: no body belongs to the response, whatever content-length says */
	bool has_content_length;
	bool offered_end; /* the stream ends behind what BODY offered */
	uint64_t frame_left;
	uint64_t content_length, body_bytes;
	uint64_t aborted_code, stopped_code;
	uint8_t *section; /* HTTP3_POOL_SECTION */
	uint32_t section_have;
	uint32_t references, released; /* static writes not released; released and not told */
	uint32_t discarded;
	size_t offered; /* octets of the stream in place behind BODY's first */
};

/* ---- conn.c ---- */

/* CONNECTION_CLOSE with this code, once; what comes afterwards is ignored. */
void http3_conn_fail(struct http3_conn *conn, uint64_t error_code, const char *reason);
/* After GOAWAY: closes when nothing is left to do. */
void http3_conn_close_if_done(struct http3_conn *conn);

/* ---- conn_streams.c: each returns 0 or a connection error ---- */

uint64_t http3_conn_stream_readable(struct http3_conn *conn, uint64_t stream_id, void *stream_user);
uint64_t http3_conn_stream_reset(struct http3_conn *conn, void *stream_user);

/* ---- request.c ---- */

struct http3_request *http3_request_new(struct http3_conn *conn, uint64_t stream_id);
void http3_request_free(struct http3_request *request);
/* Puts it on the ready list with something to tell. */
void http3_request_pend(struct http3_request *request, uint8_t pending);
/* A stream error (RFC 9114 section 8): resets, stops, and tells ABORTED. */
void http3_request_fail(struct http3_request *request, uint64_t error_code);
/* The next event; false when it has none, and then it is off the ready list. */
bool http3_request_next_event(struct http3_request *request, struct http3_event *event);

#endif
