/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/bucket.h"

#include "base/assert.h"

/* The lowest octet of the time gives way to the shard. */
enum { SHARD_MASK = 0xff, STEP_NS = SHARD_MASK + 1 };
_Static_assert((int)SHARDS_MAX <= (int)STEP_NS, "a shard is an octet");

void
shard_bucket_order(struct shard_bucket_orders *orders, uint8_t port_index, uint16_t bucket, uint16_t shard,
	uint64_t now_ns)
{
	_Atomic uint64_t *word = &orders->words[port_index][bucket];
	uint64_t last_ns = atomic_load_explicit(word, memory_order_relaxed) & ~(uint64_t)SHARD_MASK;
	uint64_t at_ns = now_ns & ~(uint64_t)SHARD_MASK;

	base_assert(port_index < SHARD_PORTS_MAX && bucket < NET_RSS_RETA_MAX && shard < SHARDS_MAX);
	if (at_ns <= last_ns)
		at_ns = last_ns + STEP_NS;
	atomic_store_explicit(word, at_ns | shard, memory_order_relaxed);
	atomic_store_explicit(&orders->any, true, memory_order_relaxed);
}

bool
shard_buckets_find(const struct shard_buckets *buckets, const struct base_datagram *datagram,
	struct shard_bucket_order *order)
{
	uint16_t port = datagram->port_index, bucket;
	uint64_t word;

	if (!shard_buckets_any(buckets) || port >= SHARD_PORTS_MAX || buckets->counts[port] == 0)
		return false;
	bucket = shard_bucket_of(
		buckets->rss[port], buckets->counts[port], &datagram->path, datagram->tuple_hash);
	word = atomic_load_explicit(&buckets->orders->words[port][bucket], memory_order_relaxed);
	*order = (struct shard_bucket_order){
		.shard = word & SHARD_MASK, .at_ns = word & ~(uint64_t)SHARD_MASK};
	return word != 0;
}
