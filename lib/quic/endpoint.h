/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * QUIC version 1 (RFC 9000, 9001, 9002, 9221) as a state machine without input and output: the endpoint of one shard, which
 * holds all connections that the shard owns, clients and servers alike. Datagrams and the time go in, datagrams and a
 * deadline come out, in bursts:
 *
 *   receive(batch, now) · expire(now) · next_event(&event) · send(batch, now) · deadline()
 *
 * Events are pulled and nothing is called back, so nothing is re-entrant: whoever serves a connection reacts to an event
 * with the calls of quic/conn.h. One turn is receive, all events, expire, all events, send; octets that an event offers in place are
 * valid until send.
 *
 * A datagram reaches receive() only on the shard that owns its connection: routing (quic/conn_id.h, quic/slot.h) has set `slot`,
 * `generation` and `id_sequence`, or BASE_SLOT_NONE for a datagram that can only begin a connection (or draw a Version Negotiation, a
 * Retry or a stateless reset).
 *
 * All memory is taken at open. An endpoint belongs to one thread.
 */
#ifndef QUIC_ENDPOINT_H
#define QUIC_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/counters.h"
#include "base/datagram.h"
#include "base/pool.h"
#include "quic/conn_id.h"
#include "quic/limits.h"
#include "quic/slot.h"

struct crypto_backend;
struct quic_conn;
struct quic_endpoint;
struct tls_context;

/* Site-wide keys, from the key file; the same on every shard. */
struct quic_site_keys {
	uint8_t conn_id[16];         /* AES-128 key of connection IDs, sealed mode */
	uint8_t conn_id_clear[16];   /* the same, clear mode: one key per mode */
	uint8_t stateless_reset[16]; /* key of stateless reset tokens */
	uint8_t token[16];           /* key of Retry and NEW_TOKEN tokens */
	uint8_t table[16];           /* SipHash key of tables that peers' values index */
};

/*
 * Pools that the endpoint takes its smaller objects from. Sizes come from quic_endpoint_pool_bytes(); shards may share the elements (a moved
 * connection's objects are freed by its new owner), tests use base_pool_open().
 */
enum quic_pool {
	QUIC_POOL_HANDSHAKE, /* what a connection needs until the handshake is confirmed */
	QUIC_POOL_STREAM,
	QUIC_POOL_CHUNK, /* octets received out of order or not consumed, octets to send that were copied in */
	QUIC_POOL_SENT,  /* sent-packet records */
	QUIC_POOL_COUNT
};

uint32_t quic_endpoint_pool_bytes(enum quic_pool pool);
/* Octets of one connection slot; a multiple of 64. */
uint32_t quic_endpoint_slot_bytes(void);

struct quic_endpoint_config {
	struct quic_limits limits;
	struct quic_site_keys keys;
	enum quic_conn_id_mode id_mode; /* of connection IDs */
	const uint16_t *steering_words; /* clear mode: [steering_word_count], a shard's each; borrowed */
	uint16_t steering_word_count;
	uint16_t gateway;               /* server ID of connection IDs (QUIC-LB) */
	uint16_t shard;                 /* this shard's number, in connection IDs and ownership words */
	uint32_t epoch;                 /* of this start; no ID is issued twice under one key */
	uint64_t entropy[4];            /* seed for unpredictable values of this endpoint */
	uint64_t unix_offset_ns;        /* added to now_ns: nanoseconds since the Unix epoch, for tokens */
	struct crypto_backend *crypto;  /* borrowed */
	struct tls_context *tls_server; /* borrowed; NULL: accepts nothing */
	struct tls_context *tls_client; /* borrowed; NULL: connects nowhere */
	struct quic_slots *slots;       /* borrowed, shared by all shards */
	struct base_pool *pools[QUIC_POOL_COUNT]; /* borrowed */
};

/* How the endpoint codes its connection IDs, for whoever routes to it. */
static inline struct quic_conn_id_config
quic_endpoint_conn_id_config(const struct quic_endpoint_config *config)
{
	struct quic_conn_id_config id = {
		.mode = config->id_mode,
		.gateway = config->gateway,
		.epoch = config->epoch,
		.steering_words = config->steering_words,
		.shards = config->steering_word_count,
	};
	bool clear = config->id_mode == QUIC_CONN_ID_CLEAR;

	memcpy(id.key, clear ? config->keys.conn_id_clear : config->keys.conn_id, sizeof(id.key));
	memcpy(id.reset_key, config->keys.stateless_reset, sizeof(id.reset_key));
	return id;
}

/* Octets of memory, aligned to 64, that quic_endpoint_open() wants for an endpoint with these limits. */
size_t quic_endpoint_bytes(const struct quic_limits *limits);
/* Builds the endpoint in `memory`; copies the configuration. Cannot fail. */
struct quic_endpoint *quic_endpoint_open(
	void *memory, const struct quic_endpoint_config *config, uint64_t now_ns);
/* Drops every connection without a word to the peers and gives all pool elements back. */
void quic_endpoint_close(struct quic_endpoint *endpoint);

/* ---- the five calls ---- */

/* Opens and processes a burst. Datagrams are decrypted in place and may be reused after send(). */
void quic_endpoint_receive(struct quic_endpoint *endpoint, struct base_batch *batch, uint64_t now_ns);
/* Acts on deadlines that have passed; a bounded amount of work per call. */
void quic_endpoint_expire(struct quic_endpoint *endpoint, uint64_t now_ns);

enum quic_event_type {
	QUIC_EVENT_CONNECTED,       /* handshake complete: ALPN is known, streams may be opened */
	QUIC_EVENT_STREAM_READABLE, /* octets in order or the end (quic_conn_stream_read) */
	QUIC_EVENT_STREAM_WRITABLE, /* room again after a write that was cut short */
	QUIC_EVENT_STREAM_RESET,    /* peer's RESET_STREAM: error_code; nothing more to read */
	QUIC_EVENT_STREAM_STOPPED, /* peer's STOP_SENDING: error_code; writes are discarded, the core has sent RESET_STREAM */
	QUIC_EVENT_STREAM_RELEASED, /* octets given with write_static are free again: cookie */
	QUIC_EVENT_STREAM_CLOSED,   /* both parts over: the last event of the stream, its user pointer goes */
	QUIC_EVENT_STREAMS_ALLOWED, /* the peer allows more streams than before */
	QUIC_EVENT_DATAGRAM,        /* RFC 9221: octets, length; in place */
	QUIC_EVENT_RESUMABLE,       /* client: a new ticket or token (quic_conn_ticket, quic_conn_token) */
	QUIC_EVENT_CLOSED, /* the last event of the connection; its user pointer goes; error_code, closed_by_peer, … */
	QUIC_EVENT_COUNT
};

struct quic_event {
	enum quic_event_type type;
	struct quic_handle handle;
	struct quic_conn *conn; /* valid until the next call of receive, expire or send */
	uint64_t stream_id;     /* STREAM_* */
	void *stream_user; /* STREAM_*: as set by quic_conn_stream_set_user; NULL on the first event of a peer's stream */
	uint64_t cookie;        /* STREAM_RELEASED */
	uint64_t error_code;    /* STREAM_RESET, STREAM_STOPPED, CLOSED */
	const uint8_t *octets;  /* DATAGRAM */
	uint32_t length;        /* DATAGRAM */
	bool closed_by_peer;    /* CLOSED */
	bool application_error; /* CLOSED: error_code is the application's (0x1d), not QUIC's (0x1c) */
	bool timed_out;         /* CLOSED: idle timeout, or handshake not finished in time */
};

/* True with the next event; false when there is none. */
bool quic_endpoint_next_event(struct quic_endpoint *endpoint, struct quic_event *event);

/*
 * Fills datagrams of the batch from batch->count up to capacity: length, path and ecn are set, and whose it is by slot and generation
 * (BASE_SLOT_NONE: no connection's); batch->count grows. Returns the number filled;
 * fewer than there was room for means that nothing more may be sent now. Each connection has a budget per call.
 */
uint16_t quic_endpoint_send(struct quic_endpoint *endpoint, struct base_batch *batch, uint64_t now_ns);

/* When to call expire() and send() again at the latest; 0: now, BASE_NEVER: only when a datagram comes. */
uint64_t quic_endpoint_deadline(const struct quic_endpoint *endpoint);

/* ---- connections ---- */

struct quic_connect {
	struct base_path path;
	const char *server_name; /* SNI; may be NULL */
	const uint8_t *ticket;   /* of an earlier connection, or NULL */
	uint32_t ticket_length;
	const uint8_t *token; /* of an earlier NEW_TOKEN frame, or NULL */
	uint32_t token_length;
	void *user;
};

/* Begins a connection as client; what it offers by ALPN is its TLS context's. NULL when slots or pools are used up (counted). The strings are copied. */
struct quic_conn *quic_endpoint_connect(
	struct quic_endpoint *endpoint, const struct quic_connect *connect, uint64_t now_ns);
/* The connection of a handle if this endpoint owns it, else NULL. */
struct quic_conn *quic_endpoint_find(struct quic_endpoint *endpoint, struct quic_handle handle);
/*
 * A connection whose path has changed since it was last asked for; NULL: no more. Who steers by paths asks in each turn; how many got lost because there
 * were too many at once is added to *lost.
 */
struct quic_conn *quic_endpoint_next_repathed(struct quic_endpoint *endpoint, uint32_t *lost);
/* Whether a client's ID with this key (quic_initial_key()) is of a connection that was accepted here. */
bool quic_endpoint_has_initial(const struct quic_endpoint *endpoint, uint64_t key);
/* From now on new connections are refused with CONNECTION_REFUSED. */
void quic_endpoint_stop_accepting(struct quic_endpoint *endpoint);
/* They are taken again. */
void quic_endpoint_resume_accepting(struct quic_endpoint *endpoint);
/* Closes every connection with this application or (NO_ERROR) transport error code. */
void quic_endpoint_close_all(
	struct quic_endpoint *endpoint, uint64_t error_code, bool application, uint64_t now_ns);
/* Connections owned by the endpoint, those closing and draining included. */
uint32_t quic_endpoint_connections(const struct quic_endpoint *endpoint);
/* Names and values of what was dropped and what happened, for metrics. */
struct base_counters quic_endpoint_counters(const struct quic_endpoint *endpoint);
/* Asserts the invariants of the endpoint and of all its connections; for tests. */
void quic_endpoint_check(const struct quic_endpoint *endpoint);

#endif
