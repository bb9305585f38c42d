/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A base_pool over a DPDK mempool with per-lcore caches: elements are shared by all shards of a socket, so what one
 * took another may give back. Each shard has a view of its own, which counts.
 */
#ifndef SHARD_POOL_H
#define SHARD_POOL_H

#include <stdbool.h>

#include "base/pool.h"

struct rte_mempool;

struct shard_pool {
	struct base_pool pool;
	struct rte_mempool *mempool; /* borrowed */
};

/* The elements; NULL when there is no memory. `users` is the number of lcores that keep a cache. */
struct rte_mempool *shard_pool_memory_open(
	const char *name, uint32_t element_bytes, uint32_t capacity, uint16_t users, int socket);
void shard_pool_memory_close(struct rte_mempool *mempool);

/* `users` share the elements; each is told its share as capacity, so that "nearly empty" is true for all of them in time. */
void shard_pool_init(struct shard_pool *view, struct rte_mempool *mempool, uint16_t users);

#endif
