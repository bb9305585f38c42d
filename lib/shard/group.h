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

#include "shard/bucket.h"
#include "shard/clock.h"
#include "shard/load.h"
#include "shard/move.h"
#include "shard/placement.h"
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
	uint32_t posts_share; /* posts of one shard that may wait for another; where services have a host */
	uint32_t moves_max;   /* in flight at once; at most SHARD_MOVES_MAX */
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
	struct shard_steerer steerer;             /* of the management lcore, from start to stop */
	_Atomic uint32_t placements[SHARDS_MAX];  /* orders of the manager to home shards (placement.h) */
	struct shard_bucket_orders bucket_orders; /* of the manager to all shards */
	struct shard_mailbox notices;             /* posts to the manager: texts for the operator */
	struct rte_ring *results;    /* of moves, and news of paths, from the shards to the manager */
	_Atomic uint32_t paths_lost; /* grows when there was no room for news */
	uint32_t moves_in_flight;    /* this and the following are the manager's */
	uint32_t paths_lost_seen;
	uint32_t news_rules; /* that connections with another path may still get in this window */
	uint32_t windows_steered[SHARDS_MAX]; /* the last one whose heavy connections have got rules */
};

/* NULL with one readable sentence in `error`: what, where, the mend. */
struct shard_group *shard_group_open(const struct shard_group_config *config, char *error, size_t room);
/* Tells the ports, which are started, what to steer where, and the shards, which are not, what to account for it. Part of the start. */
void shard_group_steer(struct shard_group *group);
/* Launches every shard on its lcore, with steering. */
bool shard_group_start(struct shard_group *group, char *error, size_t room);
/* Stops all and waits; returns false when one had to be cut off with connections left. */
bool shard_group_stop(struct shard_group *group, uint32_t within_ms);
void shard_group_close(struct shard_group *group);

/*
 * Asks for a connection to be moved; for one thread, the manager's. Each move that is ASKED brings one result with the ticket,
 * sooner or later; the other answers bring none.
 */
enum shard_group_answer {
	SHARD_MOVE_ASKED,
	SHARD_MOVE_NO_CONNECTION,
	SHARD_MOVE_NO_SHARD,
	SHARD_MOVE_TOO_MANY
};
enum shard_group_answer shard_group_move(
	struct shard_group *group, struct quic_handle handle, uint16_t target, uint32_t ticket);
/*
 * The same for a connection that has to leave its shard and may be anywhere else: the target is no more than a proposal, so where its bucket has
 * been moved (below) it goes on there.
 */
enum shard_group_answer shard_group_move_away(
	struct shard_group *group, struct quic_handle handle, uint16_t target, uint32_t ticket);
/*
 * Of a port whose level is buckets, leads this one to the shard from now on, on the card and in the shards' eyes: its connections follow when
 * they talk, and what begins by it is placed there. For the manager's thread. False: the card refuses, and nothing has changed.
 */
bool shard_group_move_bucket(struct shard_group *group, uint8_t port_index, uint16_t bucket, uint16_t shard);
/*
 * The next result; false: there is none, or so much news before it that the rest has to wait for the next call. On the way the steering
 * follows those that have moved, and those that have another path, as far as a window's limit of rules goes.
 */
bool shard_group_next_result(struct shard_group *group, struct shard_control_move *result);
/* The next text that a service has for the operator, false: none. For the manager's thread. */
bool shard_group_next_notice(struct shard_group *group, struct service_post *post);
/* For the shards. A result has a place; news of a path is refused rather than take one, and then somebody has to say that it was lost. */
void shard_group_post_result(struct shard_group *group, const struct shard_control *control);
bool shard_group_post_path(struct shard_group *group, const struct shard_control *control);
void shard_group_lose_paths(struct shard_group *group);

/*
 * Windows of load (load.h), for the manager's thread. Asking ends the window of every shard that has answered the last question; one that
 * has not (it stands still) goes on with that. `window` is not 0 and another than the last.
 */
void shard_group_ask_load(struct shard_group *group, uint32_t window);
/*
 * That shard's answer, to be read until the next question; NULL: it has not come yet. Those of its heavy connections that a port would bring to
 * another queue get rules on the way, if the port has tuple rules: they are few, so nobody else gets one without a move.
 */
const struct shard_load_report *shard_group_take_load(struct shard_group *group, uint16_t shard);

/*
 * From now on `permille` of the connections that begin at home on shard `home` are accepted by `target` (placement.h); 0: none. A shard that is
 * to be emptied gets 1000. For the manager's thread. False: there is no such shard, or the share is above 1000.
 */
bool shard_group_place(struct shard_group *group, uint16_t home, uint16_t target, uint16_t permille);

/* Hugepage octets that the group takes (buffers excepted), to be said at start. */
size_t shard_group_bytes(const struct shard_group_config *config);

#endif
