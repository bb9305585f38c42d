/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * millrace/service.h: a service of your own, as a shared object that the gateway loads:
 *
 *   cc -shared -fPIC -o tally.so tally.c        and in the configuration        [[service]]
 *                                                                                file = "/usr/local/lib/tally.so"
 *
 * The object exports one symbol, `const struct millrace_service millrace_service`, and links against nothing: what it may call is
 * a table that open() is given. A connection is its service's whose ALPN the client chose.
 *
 * Each shard is one thread with an instance of the service: memory of instance_bytes, which only that thread touches. A connection belongs
 * to one shard at a time and may move to another while it lives: its state, conn_bytes of memory that is zero at first, goes along, and from then
 * on the other instance is called. So state must not point into the instance, unless on_detach and on_attach see to it. All functions run
 * to completion within the turn of the shard: they must not block, and hundreds of microseconds are long.
 *
 * A connection pointer is good for the call that got it. What may be kept, and sent to other shards, is a handle: it names the connection
 * wherever it is, and never another. Nothing calls back from within a call.
 */
#ifndef MILLRACE_SERVICE_H
#define MILLRACE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Grows with every change that an object built before would not survive. */
#define MILLRACE_ABI 1

enum { MILLRACE_POST_BYTES = 214, MILLRACE_TOPIC_NAME_BYTES = 64, MILLRACE_COUNTER_NAME_BYTES = 30 };

#define MILLRACE_NO_SLOT UINT32_C(0xffffffff)

struct quic_conn;      /* a connection */
struct millrace_shard; /* the shard that an instance is on */

struct millrace_handle {
	uint32_t slot; /* MILLRACE_NO_SLOT: none */
	uint32_t generation;
};

enum millrace_event_type {
	MILLRACE_STREAM_READABLE = 1, /* octets in order, or the end: stream_read */
	MILLRACE_STREAM_WRITABLE = 2, /* room again after a write that was cut short */
	MILLRACE_STREAM_RESET = 3,    /* by the peer: error_code; nothing more to read */
	MILLRACE_STREAM_STOPPED = 4,  /* the peer reads no more: error_code; writes are discarded */
	MILLRACE_STREAM_RELEASED = 5, /* octets of stream_write_static are free again: cookie */
	MILLRACE_STREAM_CLOSED = 6,   /* the last event of the stream */
	MILLRACE_STREAMS_ALLOWED = 7, /* more streams may be opened than before */
	MILLRACE_DATAGRAM = 8,        /* RFC 9221: octets, length */
	MILLRACE_CLOSED = 10 /* in on_closed only: error_code, closed_by_peer, application_error, timed_out */
};

struct millrace_event {
	uint32_t type; /* enum millrace_event_type; what is not known is to be ignored */
	uint32_t length;
	const uint8_t *octets;
	uint64_t stream_id;
	void *stream_user; /* stream_set_user; NULL at first */
	uint64_t cookie;
	uint64_t error_code;
	bool closed_by_peer, application_error, timed_out;
};

enum millrace_message_kind {
	MILLRACE_POSTED = 0,
	MILLRACE_SUBSCRIBED = 1, /* what is published from now on will come */
	MILLRACE_REFUSED = 2,    /* there is no room for one more topic or subscriber */
	MILLRACE_PUBLISHED = 3
};

/* From this service, here or on another shard. */
struct millrace_message {
	uint32_t kind; /* enum millrace_message_kind */
	uint32_t length;
	const uint8_t *octets;
	uint64_t topic;
	struct millrace_handle from; /* the connection that posted or published; MILLRACE_NO_SLOT: none */
	uint32_t from_shard;
};

enum millrace_result {
	MILLRACE_OK = 0,
	MILLRACE_FULL =
		1, /* no place now, or the connection is over its rate: on_room tells when to try again */
	MILLRACE_GONE = 2, /* the connection is over */
	MILLRACE_WRONG = 3 /* too long, no such shard, one subscription too many */
};

/*
 * What a service may call, on the thread of its shard only. Streams are named by their IDs (RFC 9000 section 2.1); a call that names
 * one that is gone does nothing. Nothing is sent before the turn ends.
 */
struct millrace_calls {
	uint32_t abi;
	uint32_t bytes; /* of this table */

	/* The shard: its number and how many there are, nanoseconds of a clock that all share (the same during a turn). */
	uint32_t (*shard_number)(const struct millrace_shard *shard);
	uint32_t (*shard_count)(const struct millrace_shard *shard);
	uint64_t (*now_ns)(const struct millrace_shard *shard);
	/* Elements of object_bytes from the pool of all shards; NULL: none is left. What one shard took another may give back. */
	void *(*take)(struct millrace_shard *shard);
	void (*give)(struct millrace_shard *shard, void *object);

	/*
	 * Messages of MILLRACE_POST_BYTES at most, in the name of `from`, which is held to the configured rate, or of the instance (NULL). To a connection
	 * they come by on_post wherever it is; two may overtake each other while it moves. To a shard they come by on_post without a
	 * connection. To the operator they are a line in the log.
	 */
	int (*post)(struct millrace_shard *shard, struct quic_conn *from, struct millrace_handle to,
		const void *octets, size_t length);
	int (*post_shard)(struct millrace_shard *shard, struct quic_conn *from, uint32_t to,
		const void *octets, size_t length);
	int (*post_operator)(
		struct millrace_shard *shard, struct quic_conn *from, const void *text, size_t length);
	/*
	 * Topics: who has subscribed hears by on_message what is published, all in one order, wherever they are. A topic is made of its name, the same
	 * on every shard, and is this service's alone; 0: the name is too long. Subscriptions end with the connection.
	 */
	uint64_t (*topic)(const struct millrace_shard *shard, const void *name, size_t length);
	int (*publish)(struct millrace_shard *shard, struct quic_conn *from, uint64_t topic,
		const void *octets, size_t length);
	int (*subscribe)(struct millrace_shard *shard, struct quic_conn *conn, uint64_t topic);
	void (*unsubscribe)(struct millrace_shard *shard, struct quic_conn *conn, uint64_t topic);

	/* The connection. */
	struct millrace_handle (*handle)(const struct quic_conn *conn);
	void *(*state)(const struct quic_conn *conn);
	bool (*is_open)(const struct quic_conn *conn);
	/* With an application error code (RFC 9000 section 20.2); `reason` may be NULL. on_closed follows. */
	void (*close)(struct quic_conn *conn, uint64_t error_code, const char *reason);

	/* Streams. False while the peer's limit does not allow one more: STREAMS_ALLOWED tells. */
	bool (*stream_open)(struct quic_conn *conn, bool bidirectional, uint64_t *stream_id);
	bool (*stream_set_user)(struct quic_conn *conn, uint64_t stream_id, void *user);
	/* The next octets in order, in place, and whether the stream ends behind them; true when there are any, or the end. They stay until consumed. */
	bool (*stream_read)(struct quic_conn *conn, uint64_t stream_id, const uint8_t **octets,
		size_t *length, bool *fin);
	void (*stream_consume)(struct quic_conn *conn, uint64_t stream_id, size_t length);
	/* Octets that a write would take now; how many it took: WRITABLE follows a write that was cut short. `fin` counts if all were taken. */
	size_t (*stream_room)(struct quic_conn *conn, uint64_t stream_id);
	size_t (*stream_write)(
		struct quic_conn *conn, uint64_t stream_id, const uint8_t *octets, size_t length, bool fin);
	/* Without a copy: the octets must stay until RELEASED brings the cookie, or the stream or the connection ends. All or nothing. */
	bool (*stream_write_static)(struct quic_conn *conn, uint64_t stream_id, const uint8_t *octets,
		size_t length, bool fin, uint64_t cookie);
	void (*stream_reset)(struct quic_conn *conn, uint64_t stream_id, uint64_t error_code);
	void (*stream_stop)(struct quic_conn *conn, uint64_t stream_id, uint64_t error_code);

	/* Datagrams (RFC 9221): the largest that can be sent now; false: too long, or the queue is full. */
	size_t (*datagram_room)(const struct quic_conn *conn);
	bool (*datagram_send)(struct quic_conn *conn, const uint8_t *octets, size_t length);
};

/* What the object exports. Functions may be NULL, but for on_event. `state` is NULL where conn_bytes is 0. */
struct millrace_service {
	uint32_t abi;   /* MILLRACE_ABI */
	uint32_t bytes; /* sizeof(struct millrace_service) */
	const char *name;
	const char *alpn; /* RFC 7301, 32 octets at most */
	uint32_t instance_bytes, conn_bytes;
	uint32_t object_bytes, object_count; /* of take() and give(); 0: none */

	/*
	 * For each shard, before and after its thread runs: what is posted or published then is WRONG. `options` is the text of the configuration. False stops the start, with the reason
	 * in `error`: what is wrong, and the mend.
	 */
	bool (*open)(void *instance, struct millrace_shard *shard, const struct millrace_calls *calls,
		const char *options, char *error, size_t room);
	void (*close)(void *instance);
	/* The handshake is complete. */
	void (*on_connected)(void *instance, struct quic_conn *conn, void *state);
	void (*on_event)(
		void *instance, struct quic_conn *conn, void *state, const struct millrace_event *event);
	/* The last of the connection; its state is taken back behind it. */
	void (*on_closed)(
		void *instance, struct quic_conn *conn, void *state, const struct millrace_event *event);
	/* The gateway is about to end: no more should begin. */
	void (*on_shutdown)(void *instance);
	/* Whether the connection may leave this shard now (NULL: always). It leaves this instance; it has come to this one. */
	bool (*can_move)(void *instance, struct quic_conn *conn, void *state);
	void (*on_detach)(void *instance, struct quic_conn *conn, void *state);
	void (*on_attach)(void *instance, struct quic_conn *conn, void *state);
	/* For the connection, or for the instance (`conn` NULL). */
	void (*on_post)(
		void *instance, struct quic_conn *conn, void *state, const struct millrace_message *message);
	void (*on_message)(
		void *instance, struct quic_conn *conn, void *state, const struct millrace_message *message);
	/* What was refused as FULL may be tried again. */
	void (*on_room)(void *instance, struct quic_conn *conn, void *state);

	/* For `millracectl counters`: [counter_count] names of MILLRACE_COUNTER_NAME_BYTES at most; an instance's values, read by others as they grow. */
	uint32_t counter_count;
	const char *const *counter_names;
	const uint64_t *(*counters)(const void *instance);
};

extern const struct millrace_service millrace_service;

#endif
