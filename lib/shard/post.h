/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Posts (service/post.h) on their way: which shard's ring one belongs in, and what is done with one that was taken out. As with
 * datagrams the word is read when it is sent and again when it is taken: mine, it is delivered, and a connection in transit to us is
 * attached on sight; another's, it is passed on, four hops at most; another life of the slot, it is dropped. No DPDK, as move.h.
 *
 * A post to oneself takes the same way, so that nothing is re-entrant.
 */
#ifndef SHARD_POST_H
#define SHARD_POST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "service/post.h"
#include "shard/move.h"

enum shard_post_counter {
	SHARD_POSTS_SENT,
	SHARD_POSTS_TAKEN,
	SHARD_POSTS_DELIVERED,
	SHARD_POSTS_PASSED_ON,
	SHARD_POSTS_REFUSED,      /* the poster was told that there is no place */
	SHARD_POSTS_REFUSED_GONE, /* or that the connection is over */
	SHARD_POSTS_DROP_GONE,    /* the connection ended before the post was there */
	SHARD_POSTS_DROP_HOPS,    /* through four rings and not at home yet */
	SHARD_POSTS_DROP_PASSING, /* to be passed on, and no place there */
	SHARD_POSTS_COUNTERS
};

struct shard_posts_config {
	uint16_t self, shards;
	const struct quic_slots *slots;
	struct quic_endpoint *endpoint;
	struct shard_moves *moves;
	/* Into the ring of a shard, or of the manager (SERVICE_POST_MANAGER); false: no place. */
	bool (*post)(void *with, uint16_t to, const struct service_post *post);
	/* It is here: `conn` is open, or NULL for a post to this shard. */
	void (*deliver)(void *with, struct quic_conn *conn, const struct service_post *post);
	void *with;
};

struct shard_posts {
	struct shard_posts_config config;
	uint64_t counters[SHARD_POSTS_COUNTERS];
};

void shard_posts_init(struct shard_posts *posts, const struct shard_posts_config *config);
/* From this shard; `from_shard`, `via` and `hops` are filled in. */
enum service_posted shard_posts_send(struct shard_posts *posts, struct service_post *post);
/* One that was taken out of this shard's ring. */
void shard_posts_take(struct shard_posts *posts, struct service_post *post, uint64_t now_ns);
struct base_counters shard_posts_counters(const struct shard_posts *posts);

#endif
