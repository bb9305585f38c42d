/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A pool of equal elements. The core knows only this interface: lib/shard puts DPDK mempools behind it, so
 * that an element may be freed by another shard than took it, and tests and simulators use base_pool_heap,
 * which poisons freed elements. A pool that is empty returns NULL; that is "the world is short" and the
 * caller counts it.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct base_pool {
	void *(*take)(struct base_pool *pool);
	void (*give)(struct base_pool *pool, void *element);
	uint32_t element_bytes;
	uint32_t capacity;
	/* By this user of the pool; may be negative in a shard that frees what others took. */
	uint32_t in_use;
};

static inline void *
base_pool_take(struct base_pool *pool)
{
	void *element = pool->take(pool);

	if (element != NULL)
		pool->in_use++;
	return element;
}

static inline void
base_pool_give(struct base_pool *pool, void *element)
{
	pool->in_use--;
	pool->give(pool, element);
}

/*
 * All elements in one piece of memory taken at open: from `memory` if it is not NULL (base_pool_bytes() of
 * it, aligned to 64), else from the heap. One thread at a time.
 */
size_t base_pool_bytes(uint32_t element_bytes, uint32_t capacity);
struct base_pool *base_pool_open(void *memory, uint32_t element_bytes, uint32_t capacity);
void base_pool_close(struct base_pool *pool);

#endif
