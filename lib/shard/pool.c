/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/pool.h"

#include <rte_mempool.h>

static void *
take(struct base_pool *pool)
{
	struct shard_pool *view = (struct shard_pool *)pool;
	void *element;

	return rte_mempool_get(view->mempool, &element) == 0 ? element : NULL;
}

static void
give(struct base_pool *pool, void *element)
{
	struct shard_pool *view = (struct shard_pool *)pool;

	rte_mempool_put(view->mempool, element);
}

struct rte_mempool *
shard_pool_memory_open(
	const char *name, uint32_t element_bytes, uint32_t capacity, uint16_t users, int socket)
{
	/* What lies in caches is out of the others' reach: an eighth of the pool at most. */
	uint32_t cache = capacity / (8U * (users > 0 ? users : 1));

	if (cache > RTE_MEMPOOL_CACHE_MAX_SIZE)
		cache = RTE_MEMPOOL_CACHE_MAX_SIZE;
	return rte_mempool_create(name, capacity, element_bytes, cache, 0, NULL, NULL, NULL, NULL, socket, 0);
}

void
shard_pool_memory_close(struct rte_mempool *mempool)
{
	rte_mempool_free(mempool);
}

void
shard_pool_init(struct shard_pool *view, struct rte_mempool *mempool, uint16_t users)
{
	*view = (struct shard_pool){.pool = {.take = take,
					    .give = give,
					    .element_bytes = mempool->elt_size,
					    .capacity = mempool->size / (users > 0 ? users : 1)},
		.mempool = mempool};
}
