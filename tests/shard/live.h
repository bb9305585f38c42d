/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A gateway of several shards with real QUIC, and a client with real QUIC at the other end of a wire: connections send octets to the
 * service echo and compare what comes back, stream after stream. Shards are turned by
 * hand, or run on lcores of their own; the client belongs to the thread that calls.
 */
#ifndef TESTS_SHARD_LIVE_H
#define TESTS_SHARD_LIVE_H

#include "base/random.h"
#include "drivers/port/wire.h"
#include "service/echo.h"
#include "shard/group.h"
#include "tls/memory.h"

enum {
	LIVE_SHARDS_MAX = 3,
	LIVE_CONNECTIONS_MAX = 60,
	LIVE_QUIC_PORT = 443,
	LIVE_NAT_PORTS = 5001,
	LIVE_BUCKET = 4
};

struct live;

struct live_options {
	uint16_t shards;
	uint16_t queues; /* of the gateway's port */
	enum quic_conn_id_mode mode;
	uint8_t levels; /* of the wire */
	uint32_t mailbox_datagrams;
	uint32_t connections;
	uint32_t octets; /* of a stream */
	bool retry;      /* the gateway sends each client one */
	bool one_bucket; /* all clients come by bucket LIVE_BUCKET of the gateway's port */
	/* Before the group is opened: its configuration may get other services of ALPN "echo". NULL: nothing to change. */
	void (*prepare)(struct live *live);
};

struct live_conn {
	struct quic_handle handle; /* the client's; slot BASE_SLOT_NONE: closed */
	uint16_t port;             /* the client's */
	uint64_t stream;
	uint64_t sent, received; /* of the stream */
};

struct live {
	struct live_options options;
	struct rte_mempool *buffers;
	struct shard_port *ends[2];
	struct shard_group_config config;
	struct shard_group *group;
	struct service_set sets[LIVE_SHARDS_MAX];
	struct service_echo echoes[LIVE_SHARDS_MAX];
	void *crypto_memory[LIVE_SHARDS_MAX + 1]; /* the last one is the client's */

	/* The client. */
	struct net_interface interface;
	struct quic_endpoint_config client;
	struct quic_endpoint *endpoint;
	struct quic_slots slots;
	struct quic_conn_id_codec codec;
	void *endpoint_memory, *slot_memory, *word_memory;
	struct live_conn connections[LIVE_CONNECTIONS_MAX];
	uint16_t next_port;
	struct net_rss rss; /* of the gateway's port */
	/*
	 * A NAT has given the client other ports. What comes to the old ones still arrives: who only waits for octets would not
	 * notice before its idle timeout.
	 */
	bool rebound;
	bool closing; /* no new connections */
	uint64_t connected, streams;
	uint64_t octets; /* that came back */
	uint64_t
		wrong; /* octets that came back otherwise, and streams and connections that did not end as they should */

	/* The manager. */
	struct base_random random;
	uint32_t asked, told;
	uint64_t outcomes[SHARD_MOVE_OUTCOMES];
};

/* With the EAL of eal.h. Aborts when something is missing. */
struct live *live_open(const struct live_options *options);
/* Asserts that every buffer is back. */
void live_close(struct live *live);

/* A turn of the client: it begins connections that are missing, as many as the options say. */
void live_client_turn(struct live *live);
/* Any octets from another host's port to the gateway's QUIC port. */
void live_send(struct live *live, uint16_t from_port, const void *octets, uint16_t length);
/* A turn of one shard on this thread. */
void live_shard_turn(struct live *live, uint16_t shard);
/* Closes one of the client's connections; another takes its place. */
void live_close_one(struct live *live);
/* Closes them all; more turns until live_idle(). */
void live_begin_to_close(struct live *live);
bool live_idle(const struct live *live);

/* The bucket of the gateway's port that this connection of the client's comes by. */
uint16_t live_bucket(const struct live *live, uint32_t connection);

/* The manager's: asks for a move of any connection to any shard; false when there was none to be asked for. */
bool live_ask_for_move(struct live *live);
/* Results that have come; each counts in `told` and `outcomes`. */
void live_take_results(struct live *live);

/* Of all shards together. */
uint64_t live_sum(const struct live *live, enum shard_counter counter);
uint64_t live_counter(const struct live *live, uint16_t shard, const char *library, const char *name);

#endif
