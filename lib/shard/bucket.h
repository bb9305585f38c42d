/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the buckets of ports lead that have been moved (level "buckets" of steering.h): the manager's orders, which all shards read. A bucket is
 * an entry of a port's RSS indirection table: what has the same remainder of the hash. Its connections have to follow it, or each of
 * their packets takes a mailbox; who does it is their owner, when they talk (move.h). What begins by it is placed where it leads
 * (placement.h). No DPDK.
 *
 * An order is one word, the shard and the time, so it changes at once and publishes nothing but itself: relaxed loads and stores do. Who
 * reads an old one follows to the last shard, and on from there, for the next order is younger.
 */
#ifndef SHARD_BUCKET_H
#define SHARD_BUCKET_H

#include <stdatomic.h>

#include "net/rss.h"
#include "shard/shard.h"

/* Of the group; zero is none. Written by the manager alone. */
struct shard_bucket_orders {
	_Atomic bool any;
	_Atomic uint64_t words[SHARD_PORTS_MAX][NET_RSS_RETA_MAX]; /* 0: the bucket was never moved */
};

struct shard_bucket_order {
	uint16_t shard;
	uint64_t at_ns; /* a multiple of 256, not later than it was given, and later than all before it */
};

/* What a shard knows of its ports. Zero: none has buckets to follow. */
struct shard_buckets {
	const struct shard_bucket_orders *orders; /* borrowed */
	uint16_t counts[SHARD_PORTS_MAX];         /* entries of the table; 0: no bucket of this port moves */
	const struct net_rss *rss[SHARD_PORTS_MAX];
};

/* From `now_ns` on the bucket leads to this shard; the card does so already. */
void shard_bucket_order(struct shard_bucket_orders *orders, uint8_t port_index, uint16_t bucket,
	uint16_t shard, uint64_t now_ns);

/* The bucket that a path's datagrams come by, of `count`; `tuple_hash` is that of the card, or 0. */
static inline uint16_t
shard_bucket_of(const struct net_rss *rss, uint16_t count, const struct base_path *path, uint32_t tuple_hash)
{
	return (uint16_t)((tuple_hash != 0 ? tuple_hash : net_rss_path(rss, path)) % count);
}

/* Whether any bucket has ever been moved: nearly always no. */
static inline bool
shard_buckets_any(const struct shard_buckets *buckets)
{
	return buckets->orders != NULL && atomic_load_explicit(&buckets->orders->any, memory_order_relaxed);
}

/* Where the bucket of this received datagram leads. False: it was never moved. */
bool shard_buckets_find(const struct shard_buckets *buckets, const struct base_datagram *datagram,
	struct shard_bucket_order *order);

#endif
