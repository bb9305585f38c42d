/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients of the services over real connections: a world whose server has files over "h3" and "hq-interop" and
 * "echo", and whose client asks for them and compares every octet.
 */
#ifndef TESTS_SERVICE_TRAFFIC_H
#define TESTS_SERVICE_TRAFFIC_H

#include "service/echo.h"
#include "service/files.h"
#include "service/h3.h"
#include "service/hq.h"
#include "tests/support/world.h"

enum { TRAFFIC_FILES = 6, TRAFFIC_CLIENTS = 16, TRAFFIC_FETCHES = 64, TRAFFIC_ECHO_BYTES = 400000 };

struct traffic_client {
	struct traffic *traffic;
	struct quic_handle handle;
	struct http3_conn *http3;
	uint32_t begun, ended; /* fetches */
	bool connected, closed;
};

/* One request, or one stream to be echoed. */
struct traffic_fetch {
	struct traffic_client *client; /* NULL: the place is free */
	uint64_t stream_id;
	uint32_t file;
	uint64_t sent, received;
	bool answered;
};

struct traffic {
	struct world world; /* the first, so that a world is known by it */
	const char *alpn;
	void *set_memory;
	struct file_set *set;
	void *coder;
	void *http3_memory[WORLD_SIDES];
	struct http3 *http3[WORLD_SIDES];
	struct base_pool *http3_pools[WORLD_SIDES][HTTP3_POOL_COUNT];
	struct base_pool *hq_conns, *hq_requests;
	struct service_files files;
	struct service_h3 h3;
	struct service_hq hq;
	struct service_echo echo;
	struct service_set services;
	struct traffic_client clients[TRAFFIC_CLIENTS];
	struct traffic_fetch fetches[TRAFFIC_FETCHES];
	uint32_t client_count;
	uint32_t fetches_wanted; /* by each client */
	uint32_t at_once;
	uint64_t bytes; /* compared */
	uint32_t wrong; /* octets, statuses, ends that were not what they should be */
};

/* `config` is taken but for ALPN, user and events. */
void traffic_open(struct traffic *traffic, const char *alpn, const struct world_config *config);
void traffic_close(struct traffic *traffic);
/* One more client, which begins at once. */
void traffic_add_client(struct traffic *traffic);
/* Clients that are connected fetch until each has `total` fetches behind it, `at_once` at a time. */
void traffic_want(struct traffic *traffic, uint32_t total, uint32_t at_once);
bool traffic_connected(struct world *world);
bool traffic_done(struct world *world);

/* ---- traffic_client.c ---- */

void traffic_begin_fetches(struct traffic_client *client);
void traffic_client_event(struct traffic *traffic, const struct quic_event *event);

#endif
