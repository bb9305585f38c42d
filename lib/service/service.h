/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a connection is for. A service is chosen by ALPN when the handshake is complete; it runs on the
 * shard of its connection, to completion, within the turn, and answers events with the calls of
 * quic/conn.h. For HTTP/3 a request handler is chosen by authority and path (service/h3.h).
 *
 * This header is the whole interface for code outside this tree too: a service fills struct service_ops and
 * states the ABI it was built for. Calls never come from two threads at a time for one instance; there is
 * one instance per shard. Every shard has the same services in the same order, so the number of a service
 * is the same everywhere and a connection's state may move.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "quic/conn.h"
#include "quic/endpoint.h"

/* Grows with every change that a service built before would not survive. */
#define SERVICE_ABI 1

/* All functions but on_event may be NULL. */
struct service_ops {
	uint32_t abi; /* SERVICE_ABI */
	uint32_t reserved;
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
	void *reserved_for_later[4]; /* zero */
};

struct service {
	const struct service_ops *ops;
	void *instance;
};

enum { SERVICE_MAX = 15 };

struct service_set {
	struct service services[SERVICE_MAX];
	uint32_t count;
	uint64_t no_service; /* connections whose ALPN nobody serves: closed with APPLICATION_ERROR 0 */
};

enum service_result {
	SERVICE_OK,
	SERVICE_WRONG_ABI,
	SERVICE_TOO_MANY,
	SERVICE_ALPN_TAKEN,
	SERVICE_INCOMPLETE
};
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
void service_set_state(struct quic_conn *conn, void *state);

#endif
