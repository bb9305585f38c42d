/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/tsan/pools.h"

#include <rte_mempool.h>

#include "tests/shard/eal.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WATCHED 1
#include <sanitizer/tsan_interface.h>
#endif
#endif

#ifdef WATCHED

static struct rte_mempool_ops originals[RTE_MEMPOOL_MAX_OPS_IDX];

static int
enqueue(struct rte_mempool *pool, void *const *elements, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		__tsan_release(elements[i]);
	return originals[pool->ops_index].enqueue(pool, elements, count);
}

static int
dequeue(struct rte_mempool *pool, void **elements, unsigned count)
{
	int result = originals[pool->ops_index].dequeue(pool, elements, count);

	for (unsigned i = 0; result == 0 && i < count; i++)
		__tsan_acquire(elements[i]);
	return result;
}

static void
watch(void)
{
	for (uint32_t i = 0; i < rte_mempool_ops_table.num_ops; i++) {
		originals[i] = rte_mempool_ops_table.ops[i];
		rte_mempool_ops_table.ops[i].enqueue = enqueue;
		rte_mempool_ops_table.ops[i].dequeue = dequeue;
	}
}

#else

static void
watch(void)
{
}

#endif

int
tsan_setup(void **state)
{
	int result = eal_setup(state);

	watch();
	return result;
}
