/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#define POISONING 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONING 1
#endif
#endif
#ifdef POISONING
#include <sanitizer/asan_interface.h>
#define POISON(element, bytes) ASAN_POISON_MEMORY_REGION(element, bytes)
#define UNPOISON(element, bytes) ASAN_UNPOISON_MEMORY_REGION(element, bytes)
#else
#define POISON(element, bytes) ((void)(element), (void)(bytes))
#define UNPOISON(element, bytes) ((void)(element), (void)(bytes))
#endif

enum { LINE_BYTES = 64 };

/* The free elements are a stack of indices behind the header; the elements follow, each on its own cache
 * line. */
struct stack_pool {
	struct base_pool pool;
	uint32_t stride_bytes;
	uint32_t free_count;
	bool from_heap;
	uint8_t *elements;
	uint32_t free[];
};

static size_t
round_to_line(size_t bytes)
{
	return (bytes + LINE_BYTES - 1) & ~(size_t)(LINE_BYTES - 1);
}

static size_t
header_bytes(uint32_t capacity)
{
	return round_to_line(sizeof(struct stack_pool) + (size_t)capacity * sizeof(uint32_t));
}

static void *
stack_take(struct base_pool *pool)
{
	struct stack_pool *stack = (struct stack_pool *)pool;
	uint8_t *element;

	if (stack->free_count == 0)
		return NULL;
	element = stack->elements + (size_t)stack->free[--stack->free_count] * stack->stride_bytes;
	UNPOISON(element, pool->element_bytes);
	return element;
}

static void
stack_give(struct base_pool *pool, void *element)
{
	struct stack_pool *stack = (struct stack_pool *)pool;
	size_t offset = (size_t)((uint8_t *)element - stack->elements);

	base_assert(stack->free_count < pool->capacity);
	base_assert(offset % stack->stride_bytes == 0 && offset / stack->stride_bytes < pool->capacity);
	POISON(element, pool->element_bytes);
	stack->free[stack->free_count++] = (uint32_t)(offset / stack->stride_bytes);
}

size_t
base_pool_bytes(uint32_t element_bytes, uint32_t capacity)
{
	return header_bytes(capacity) + round_to_line(element_bytes) * capacity;
}

struct base_pool *
base_pool_open(void *memory, uint32_t element_bytes, uint32_t capacity)
{
	bool from_heap = memory == NULL;
	struct stack_pool *stack = memory;

	base_assert(element_bytes > 0);
	if (from_heap)
		stack = aligned_alloc(LINE_BYTES, base_pool_bytes(element_bytes, capacity));
	if (stack == NULL)
		return NULL;
	*stack = (struct stack_pool){.pool = {.take = stack_take,
					     .give = stack_give,
					     .element_bytes = element_bytes,
					     .capacity = capacity},
		.stride_bytes = (uint32_t)round_to_line(element_bytes),
		.free_count = capacity,
		.from_heap = from_heap,
		.elements = (uint8_t *)stack + header_bytes(capacity)};
	/* The lowest index on top: the first elements taken are neighbours. */
	for (uint32_t i = 0; i < capacity; i++)
		stack->free[i] = capacity - 1 - i;
	POISON(stack->elements, (size_t)stack->stride_bytes * capacity);
	return &stack->pool;
}

void
base_pool_close(struct base_pool *pool)
{
	struct stack_pool *stack = (struct stack_pool *)pool;

	if (pool == NULL)
		return;
	UNPOISON(stack->elements, (size_t)stack->stride_bytes * pool->capacity);
	if (stack->from_heap)
		free(stack);
}
