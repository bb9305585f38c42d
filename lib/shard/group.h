/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * All shards of a gateway and what they share: the slot table in hugepage memory, the pools and the mailboxes. Opened and
 * closed by the main lcore, which is no shard.
 *
 *   buffers (buffer.h) -> ports (drivers/port) -> shard_group_open() -> shard_group_start() -> … -> shard_group_stop()
 *   -> shard_group_close() -> ports close -> buffers close
 */
#ifndef SHARD_GROUP_H
#define SHARD_GROUP_H

#include "shard/clock.h"
#include "shard/shard.h"
#include "shard/steering.h"

struct shard_group_port {
	struct shard_port *port;
	struct net_interface_config
		interface; /* mac, mtu, send_flags and resolver are filled in from the port's facts */
};

/* What is each shard's own, opened by whoever knows the drivers. */
struct shard_seat {
	uint16_t lcore;
	struct rte_mempool *buffers;
	struct crypto_backend *crypto;
	struct tls_context *tls_server;
	struct tls_context *tls_client; /* may be NULL */
	struct tls_memory *tls_memory;  /* bound by the shard's thread; may be NULL */
	struct service_set *services;
};

struct shard_group_config {
	uint16_t shards;
	struct shard_seat seats[SHARDS_MAX];
	uint8_t port_count;
	struct shard_group_port ports[SHARD_PORTS_MAX];
	uint32_t connections;                    /* slots of all shards together */
	uint32_t pool_elements[QUIC_POOL_COUNT]; /* of all shards together */
	uint32_t mailbox_datagrams;              /* places of each mailbox, a power of two */
	struct shard_idle idle;
	/* Common to all endpoints: limits, keys, mode of IDs, gateway, epoch. The rest is filled in. */
	struct quic_endpoint_config quic;
	uint16_t quic_port;
	uint16_t udp_echo_port;
};

struct shard_group {
	struct shard_group_config config;
	struct shard_clock clock;
	uint16_t count;
	struct shard *shards[SHARDS_MAX];
	struct shard_mailbox mailboxes[SHARDS_MAX];
	struct quic_slots slots;
	void *slot_memory;
	void *slot_words;
	struct rte_mempool *pools[QUIC_POOL_COUNT];
	uint16_t steering_words[SHARDS_MAX];
	struct shard_steerer steerer; /* of the management lcore, from start to stop */
};

/* NULL with one readable sentence in `error`: what, where, the mend. */
struct shard_group *shard_group_open(const struct shard_group_config *config, char *error, size_t room);
/* Launches every shard on its lcore, and tells the ports, which are started, what to steer where. */
bool shard_group_start(struct shard_group *group, char *error, size_t room);
/* Stops all and waits; returns false when one had to be cut off with connections left. */
bool shard_group_stop(struct shard_group *group, uint32_t within_ms);
void shard_group_close(struct shard_group *group);

/* Hugepage octets that the group takes (buffers excepted), to be said at start. */
size_t shard_group_bytes(const struct shard_group_config *config);

#endif
