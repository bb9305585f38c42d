/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client endpoint and a server endpoint in virtual time with a link each way, for tests that put something
 * of their own between them: forged and replayed datagrams, packets sealed with a client's keys, services.
 * Whoever uses it owns the events. Datagrams that the server sends to an address which is not the client's are
 * counted as strays and go no further.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "crypto/crypto.h"
#include "net/impair.h"
#include "quic/conn.h"
#include "quic/conn_id.h"
#include "quic/endpoint.h"
#include "quic/limits.h"
#include "quic/packet.h"
#include "quic/slot.h"
#include "tls/memory.h"

enum { WORLD_BATCH = 64, WORLD_BUFFER_BYTES = 1500, WORLD_CLIENT_PORT = 1024 };
enum world_side { WORLD_CLIENT, WORLD_SERVER, WORLD_SIDES };

struct world;

struct world_config {
	struct quic_limits limits[WORLD_SIDES];
	uint32_t elements[QUIC_POOL_COUNT]; /* of the server's pools; the client has as many */
	struct net_impair_config up, down;  /* client to server, and back */
	uint64_t seed;                      /* of both links */
	uint32_t link_places;               /* datagrams on their way, in each direction */
	const char *alpn;                   /* what both speak */
	size_t tls_memory_bytes;            /* of the server's TLS; 0: the heap */
	uint16_t shards;                    /* of the server's slots; 0: one */
	struct crypto_backend *crypto;
	void *user;
	void (*on_event)(struct world *world, enum world_side side, const struct quic_event *event);
	/* Sees every datagram of the client's and the server's before the link; true takes it away. May be NULL. */
	bool (*on_sent)(struct world *world, enum world_side from, const struct base_datagram *datagram);
};

struct world_node {
	struct quic_endpoint *endpoint;
	struct quic_endpoint_config endpoint_config;
	void *endpoint_memory, *slot_memory, *table_memory;
	struct quic_slots slots;
	struct quic_conn_id_codec codec;
	struct base_pool *pools[QUIC_POOL_COUNT];
	struct tls_context *tls;
	uint8_t (*buffers)[WORLD_BUFFER_BYTES];
	struct base_datagram datagrams[WORLD_BATCH];
};

struct world {
	struct world_config config;
	struct world_node nodes[WORLD_SIDES];
	struct net_impair links[WORLD_SIDES]; /* by the side that sends */
	struct base_pool *items;
	struct net_impair_item **heaps;
	struct tls_memory *tls_memory;
	uint64_t now_ns;
	uint64_t strays, stray_bytes;
	uint8_t stray[WORLD_BUFFER_BYTES]; /* the last one */
	uint16_t stray_length;
	struct base_path stray_path;
};

/* Small limits, a link of 5 ms, ALPN "test". */
struct world_config world_config_default(void);
void world_open(struct world *world, const struct world_config *config);
/* As just opened, in the same memory. Asserts, as closing does, that all slots and pool elements have come back. */
void world_restart(struct world *world);
void world_close(struct world *world);

/* A connection of the client's from its port WORLD_CLIENT_PORT + number; aborts when none is to be had. */
struct quic_handle world_connect(struct world *world, uint32_t number, void *user);
struct quic_conn *world_conn(struct world *world, enum world_side side, struct quic_handle handle);
/* The address of the client, of the server, and of somebody else. */
struct base_address world_address(enum world_side side, uint16_t port);
struct base_address world_stranger(uint32_t number);

/* One turn of one side with these datagrams and what its link brings; octets must outlive the call. */
void world_turn(struct world *world, enum world_side side, struct base_datagram *datagrams, uint16_t count);
/* Hands the server one datagram from `remote`: a copy, so that octets stay as they are. */
void world_inject(
	struct world *world, const uint8_t *octets, size_t length, const struct base_address *remote);
/* Turns of both sides and time until `done` says so; false when `limit_ns` has come before. NULL: until then. */
bool world_run(struct world *world, bool (*done)(struct world *world), uint64_t limit_ns);
/* Closes the client's connections and runs until both sides have none. */
bool world_drain(struct world *world);

uint64_t world_counter(const struct world *world, enum world_side side, const char *name);

/* What it takes to seal 1-RTT packets in the place of one of the client's connections. */
struct world_keys {
	enum crypto_aead aead;
	uint8_t secret[48];
	uint8_t hp[32];
	struct quic_cid dcid;
	struct base_address address; /* the client's */
	uint64_t packet_number;      /* the next one */
	bool phase;
};
struct world_keys world_keys(struct world *world, struct quic_handle client);
/*
 * A 1-RTT packet of this payload. Returns its length; `room` is at least length + 64. The client knows nothing of it, so
 * the connection is best left alone from then on.
 */
size_t world_seal(struct world *world, struct world_keys *keys, const uint8_t *payload, size_t length,
	uint8_t *octets, size_t room);
/* The client endpoint forgets its connections without a word. */
void world_forget_clients(struct world *world);

#endif
