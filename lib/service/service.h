/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a connection is for. A service is chosen by ALPN when the handshake is complete; it runs on the
 * shard of its connection, to completion, within the turn, and answers events with the calls of
 * quic/conn.h. For HTTP/3 a request handler is chosen by authority and path (service/h3.h).
 *
 * This is the interface for services of this tree; others' are shared objects built with millrace.h (object.h). Calls never come
 * from two threads at a time for one instance; there is one instance per shard. Every shard has the same services in the same order, so
 * the number of a service is the same everywhere and a connection's state may move. What a service may ask of its shard is in host.h.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "quic/conn.h"
#include "quic/endpoint.h"

struct service_host;

enum service_message_kind {
	SERVICE_MESSAGE_POSTED,
	SERVICE_MESSAGE_SUBSCRIBED, /* what is published from now on will come */
	SERVICE_MESSAGE_REFUSED,    /* there is no room for one more topic or subscriber */
	SERVICE_MESSAGE_PUBLISHED
};

/* Something came from a service of the same name, here or on another shard; valid during the call. */
struct service_message {
	enum service_message_kind kind;
	uint16_t from_shard;
	struct quic_handle from; /* the connection that posted or published; slot BASE_SLOT_NONE: none */
	uint64_t topic;          /* of all but POSTED */
	const uint8_t *octets;
	uint32_t length;
};

/* All functions but on_event may be NULL. */
struct service_ops {
	const char *name;
	const char *alpn; /* RFC 7301 protocol name */
	/* The handshake is complete; the place to set the state. The connection may be closed here. */
	void (*on_connected)(void *instance, struct quic_conn *conn);
	/* Every event of the connection between CONNECTED and CLOSED. */
	void (*on_event)(void *instance, const struct quic_event *event);
	/* The last event: the state has to be given back. */
	void (*on_closed)(void *instance, const struct quic_event *event);
	/* No more work should begin on any connection; what has begun may end. */
	void (*on_shutdown)(void *instance);
	/* Whether the connection may leave this shard now (default: yes); it leaves; it has come. */
	bool (*can_move)(void *instance, struct quic_conn *conn);
	void (*on_detach)(void *instance, struct quic_conn *conn);
	void (*on_attach)(void *instance, struct quic_conn *conn);
	struct base_counters (*counters)(void *instance);
	/* A post to this connection, or with `conn` NULL to the instance on this shard. */
	void (*on_post)(void *instance, struct quic_conn *conn, const struct service_message *message);
	/* Of a topic that the connection has subscribed to. */
	void (*on_message)(void *instance, struct quic_conn *conn, const struct service_message *message);
	/* A post or publication of this connection that was refused as FULL may be tried again. */
	void (*on_room)(void *instance, struct quic_conn *conn);
};

struct service {
	const struct service_ops *ops;
	void *instance;
};

enum { SERVICE_MAX = 15 };

struct service_set {
	struct service services[SERVICE_MAX];
	uint32_t count;
	struct service_host *host; /* NULL: no posts and no bus */
	uint64_t no_service;       /* connections whose ALPN nobody serves: closed with APPLICATION_ERROR 0 */
};

enum service_result { SERVICE_OK, SERVICE_TOO_MANY, SERVICE_ALPN_TAKEN, SERVICE_INCOMPLETE };
enum service_result service_add(struct service_set *set, const struct service_ops *ops, void *instance);
/* A readable sentence without a full stop. */
const char *service_result_text(enum service_result result);

/* Hands an event to the service of its connection. */
void service_dispatch(struct service_set *set, const struct quic_event *event);
void service_shutdown(struct service_set *set);
bool service_can_move(struct service_set *set, struct quic_conn *conn);
void service_detach(struct service_set *set, struct quic_conn *conn);
void service_attach(struct service_set *set, struct quic_conn *conn);

/*
 * What a service keeps with its connection, NULL at first. It shares the connection's user pointer with the
 * service's number, so it is aligned to 16 octets.
 */
void *service_state(const struct quic_conn *conn);
/* The number of its service from 1, the position in the set; 0: none. */
uint8_t service_number(const struct quic_conn *conn);
void service_set_state(struct quic_conn *conn, void *state);

#endif
