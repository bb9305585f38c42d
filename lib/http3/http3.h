/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP/3 (RFC 9114) over the streams of quic/conn.h, server and client: one struct http3 per shard, one
 * struct http3_conn per connection, one struct http3_request per request in progress. As below it, events
 * are pulled and nothing is called back: a QUIC event goes into http3_handle(), and then http3_next_event()
 * is called until it returns false.
 *
 * What a peer does wrong is answered here with the error of RFC 9114: a stream error (RESET_STREAM and
 * STOP_SENDING, then ABORTED) or a connection error (CONNECTION_CLOSE). All memory is taken at open or
 * comes from the pools; an idle connection costs one element of HTTP3_POOL_CONN. Push is refused, the QPACK
 * dynamic table is zero.
 */
#ifndef HTTP3_HTTP3_H
#define HTTP3_HTTP3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/pool.h"
#include "http3/error.h"
#include "http3/message.h"
#include "http3/qpack.h"
#include "quic/endpoint.h"

struct http3;
struct http3_conn;
struct http3_request;

enum http3_pool {
	HTTP3_POOL_CONN,
	HTTP3_POOL_REQUEST,
	HTTP3_POOL_SECTION, /* field sections that arrive in pieces */
	HTTP3_POOL_COUNT
};

struct http3_limits {
	uint32_t section_bytes; /* longest field section; SETTINGS_MAX_FIELD_SECTION_SIZE. 0: 16384 */
	uint32_t discard_bytes; /* of a request body that nobody wants, before reading is stopped. 0: 65536 */
	uint32_t sections;      /* field sections that arrive in pieces, of one connection at a time. 0: 16 */
	uint32_t grease;        /* chooses reserved values; 0 sends none */
};

struct http3_config {
	struct http3_limits limits;
	struct base_pool *pools[HTTP3_POOL_COUNT]; /* borrowed */
};

uint32_t http3_pool_bytes(enum http3_pool pool, const struct http3_limits *limits);
/* Octets of memory, aligned to 64, that http3_open() wants. */
size_t http3_bytes(const struct http3_limits *limits);
/* Cannot fail; copies the configuration. */
struct http3 *http3_open(void *memory, const struct http3_config *config);

/* What the application keeps with an http3 (its dispatcher), a connection and a request. */
struct http3_conn *http3_conn_open(
	struct http3 *http3, struct quic_conn *quic); /* NULL: pool empty (counted) */
void *http3_conn_user(const struct http3_conn *conn);
void http3_conn_set_user(struct http3_conn *conn, void *user);
/* The QUIC connection; valid within the turn. */
struct quic_conn *http3_conn_quic(const struct http3_conn *conn);
/* GOAWAY (section 5.2): what has begun is finished, new requests are rejected. */
void http3_conn_goaway(struct http3_conn *conn);
/* All connections. */
void http3_goaway(struct http3 *http3);
/* A connection leaves this shard, or comes to another. */
void http3_conn_detach(struct http3_conn *conn);
void http3_conn_attach(struct http3 *http3, struct http3_conn *conn);

enum http3_event_type {
	HTTP3_EVENT_REQUEST,  /* server: a request's fields in `message` */
	HTTP3_EVENT_RESPONSE, /* client: a response's; status 1xx is not the last one */
	HTTP3_EVENT_BODY,     /* octets, length in place: http3_request_consume() what is taken */
	HTTP3_EVENT_TRAILERS, /* in `message` */
	HTTP3_EVENT_END,      /* the peer's message is complete */
	HTTP3_EVENT_ABORTED, /* nothing more will be read: error_code of the peer's reset or of its mistake */
	HTTP3_EVENT_STOPPED, /* the peer reads no more: error_code */
	HTTP3_EVENT_WRITABLE, /* room again after a write that was cut short */
	HTTP3_EVENT_RELEASED, /* `count` writes of static octets are free again */
	HTTP3_EVENT_CLOSED, /* the last event of a request that had one before; always after RELEASED of all */
	HTTP3_EVENT_GOAWAY  /* of the connection: request is NULL, `error_code` is the identifier */
};

struct http3_event {
	enum http3_event_type type;
	struct http3_conn *conn;
	struct http3_request *request;
	struct http3_message message; /* REQUEST, RESPONSE, TRAILERS */
	const uint8_t *octets;        /* BODY */
	size_t length;                /* BODY */
	uint64_t error_code;          /* ABORTED, STOPPED */
	uint32_t count;               /* RELEASED */
};

/*
 * Takes a QUIC event of a connection. After QUIC_EVENT_CLOSED the connection is gone as soon as
 * http3_next_event() has returned false. Each event has to be followed by pulling until then.
 */
void http3_handle(struct http3 *http3, struct http3_conn *conn, const struct quic_event *event);
bool http3_next_event(struct http3 *http3, struct http3_event *event);

/* ---- requests ---- */

/* Words of the application, zero at first, for as long as the request lives. */
enum { HTTP3_REQUEST_WORDS = 6 };
uint64_t *http3_request_words(struct http3_request *request);
/* One pointer of whoever dispatches events to handlers. */
void *http3_request_user(const struct http3_request *request);
void http3_request_set_user(struct http3_request *request, void *user);
struct http3_conn *http3_request_conn(const struct http3_request *request);
uint64_t http3_request_stream_id(const struct http3_request *request);

/*
 * Gives octets of the BODY event back; what is left comes again with the next octets, or after
 * http3_request_resume().
 */
void http3_request_consume(struct http3_request *request, size_t length);
void http3_request_resume(struct http3_request *request);
/* From now on the body is thrown away; more than limits.discard_bytes stop the reading with H3_NO_ERROR. */
void http3_request_discard(struct http3_request *request);

/*
 * Frames as they stand, without a copy: see quic_conn_stream_write_static(). RELEASED counts them down.
 * False: no room for a reference.
 */
bool http3_request_write_static(
	struct http3_request *request, const uint8_t *octets, size_t length, bool fin);
/* Frames as they stand, copied: how many octets were taken; WRITABLE follows when not all were. */
size_t http3_request_write(struct http3_request *request, const uint8_t *octets, size_t length, bool fin);
/* Abandons both directions. */
void http3_request_reset(struct http3_request *request, uint64_t error_code);

/*
 * Client: a new request of these fields, `fin` when it has no body. NULL: no stream, no memory, or GOAWAY
 * forbids it.
 */
struct http3_request *http3_request_open(
	struct http3_conn *conn, const struct http3_field *fields, uint16_t count, bool fin);

/* The shard's coder, for heads of responses that are not encoded at load. */
struct http3_qpack *http3_qpack(struct http3 *http3);
struct base_counters http3_counters(const struct http3 *http3);

#endif
