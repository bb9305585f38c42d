/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What other shards send a shard, in five rings with many writers and one reader:
 *   datagrams  mbufs with their struct base_datagram, for a connection this shard owns or an Initial at home here
 *   frames     mbufs ready to be transmitted, from shards that have no queue on the port (mbuf->port says which)
 *   updates    neighbours (net/neighbour.h)
 *   control    messages that are never lost
 *   posts      messages of services (service/post.h); each poster has a share of the places, so that none crowds out another
 * A full ring refuses; the writer still owns what was refused, counts it and frees it. Control messages have a place
 * each: who sends one holds a reservation, so a full control ring is our own fault.
 */
#ifndef SHARD_MAILBOX_H
#define SHARD_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/neighbour.h"
#include "quic/slot.h"
#include "service/post.h"

struct rte_mbuf;
struct rte_ring;

enum shard_control_kind {
	SHARD_CONTROL_SLOTS,       /* free slots, that are wanted or come home */
	SHARD_CONTROL_MOVE,        /* manager to owner: move this connection */
	SHARD_CONTROL_GRANT,       /* last owner to the next: it is yours */
	SHARD_CONTROL_GRANT_LATE,  /* the same, of a move that has no result due */
	SHARD_CONTROL_MOVE_RESULT, /* to the manager: what became of it */
	SHARD_CONTROL_PATH,        /* to the manager: the connection has another path; may be lost */
	SHARD_CONTROL_COUNT
};

enum { SHARD_CONTROL_SLOTS_MAX = 12 };

#define SHARD_NO_PORT UINT16_MAX

/* Of the kinds MOVE, GRANT, MOVE_RESULT and PATH. */
struct shard_control_move {
	struct quic_handle handle;
	uint32_t ticket;  /* the manager's, brought back by the result */
	uint16_t target;  /* shard; PATH: the owner */
	uint16_t outcome; /* MOVE_RESULT: enum shard_move_outcome (move.h) */
	uint16_t verdict; /* MOVE_RESULT, refused by the connection: enum quic_move_verdict */
	uint16_t
		port_index; /* MOVE_RESULT of a connection that has come, PATH; SHARD_NO_PORT: it has closed */
	bool anywhere;      /* MOVE: away from where it is; the target is not where it has to be */
	struct base_path path; /* by that port */
};

struct shard_control {
	uint16_t kind;  /* enum shard_control_kind */
	uint16_t from;  /* shard */
	uint32_t count; /* SLOTS */
	union {
		uint32_t slots[SHARD_CONTROL_SLOTS_MAX];
		struct shard_control_move move;
	};
};

struct shard_update {
	uint16_t port_index;
	uint16_t from;
	struct net_neighbour_update update;
};

/* Posts of one poster: written by the poster, and by the reader, on a line each. */
struct shard_mailbox_share {
	_Alignas(64) uint32_t posted;
	_Alignas(64) _Atomic uint32_t taken;
};

struct shard_mailbox {
	struct rte_ring *datagrams;
	struct rte_ring *frames;
	struct rte_ring *updates;
	struct rte_ring *control;
	struct rte_ring *posts; /* NULL: none are taken */
	struct shard_mailbox_share *shares;
	uint16_t posters;
	uint32_t share; /* posts of one poster that may wait */
};

/* Sizes are powers of two; false when there is no memory. `name` is unique. */
bool shard_mailbox_open(
	struct shard_mailbox *mailbox, const char *name, uint32_t datagrams, uint32_t control, int socket);
/* Frees the buffers that are still in it. */
void shard_mailbox_close(struct shard_mailbox *mailbox);

/* Returns how many were taken, from the front. */
uint16_t shard_mailbox_post_datagrams(struct shard_mailbox *mailbox, struct rte_mbuf **mbufs, uint16_t count);
uint16_t shard_mailbox_take_datagrams(struct shard_mailbox *mailbox, struct rte_mbuf **mbufs, uint16_t count);
uint16_t shard_mailbox_post_frames(struct shard_mailbox *mailbox, struct rte_mbuf **mbufs, uint16_t count);
uint16_t shard_mailbox_take_frames(struct shard_mailbox *mailbox, struct rte_mbuf **mbufs, uint16_t count);
/* Places for datagrams that are free of the first half. */
uint32_t shard_mailbox_first_half(const struct shard_mailbox *mailbox);
bool shard_mailbox_post_update(struct shard_mailbox *mailbox, const struct shard_update *update);
bool shard_mailbox_take_update(struct shard_mailbox *mailbox, struct shard_update *update);
/* Asserts that there is place. */
void shard_mailbox_post_control(struct shard_mailbox *mailbox, const struct shard_control *control);
bool shard_mailbox_take_control(struct shard_mailbox *mailbox, struct shard_control *control);
bool shard_mailbox_has_control(const struct shard_mailbox *mailbox);
/* Places of the control ring that nobody has written to. */
uint32_t shard_mailbox_control_room(const struct shard_mailbox *mailbox);

/* Opens the ring of posts, in a mailbox that is open, or all zero (and has nothing else then); `posters` shards may each have `share` posts in it. False: no memory. */
bool shard_mailbox_open_posts(
	struct shard_mailbox *mailbox, const char *name, uint16_t posters, uint32_t share, int socket);
/* Octets that it takes. */
size_t shard_mailbox_posts_bytes(uint16_t posters, uint32_t share);
/* By the shard `via`. False: its share is used up, or no posts are taken here. */
bool shard_mailbox_post_post(struct shard_mailbox *mailbox, const struct service_post *post);
bool shard_mailbox_take_post(struct shard_mailbox *mailbox, struct service_post *post);
uint32_t shard_mailbox_posts(const struct shard_mailbox *mailbox);

/* True when nothing waits. */
bool shard_mailbox_empty(const struct shard_mailbox *mailbox);

#endif
