/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tls/allocate.h"
#include "tls/tls.h"

/*
 * Blocks are carved from extents and never given back to them: each returns to the free list of its class. The
 * first extent is the memory taken at start; the others are the heap's, the fallback. Whose a block is follows
 * from its address, so that blocks allocated before the allocators were set are told apart safely.
 */
enum {
	EXTENTS_MAX = 64,
	HEAP_EXTENT_BYTES = 256 * 1024,
	MEMORIES_MAX = 512,
	HEADER_BYTES = 16,
	CLASS_COUNT = 22
};

static const uint32_t class_bytes[CLASS_COUNT] = {64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048,
	3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 49152, 65536, 131072};

struct header {
	struct tls_memory *owner;
	uint32_t class;
	uint32_t in_use; /* a word of its own, so that a double free is seen */
};
static_assert(sizeof(struct header) == HEADER_BYTES, "user data keeps an alignment of 16");

enum { IN_USE = 0x7f3a51c9, FREE = 0x2d4e60b8 };

struct free_block {
	struct header header;
	struct free_block *next;
};

struct extent {
	uint8_t *start;
	uint8_t *end;
};

struct tls_memory {
	struct free_block *free[CLASS_COUNT];
	struct extent extents[EXTENTS_MAX];
	atomic_uint extent_count; /* grows only; others look here for the owner of a block */
	uint8_t *carve;           /* what is left of the last extent */
	uint8_t *carve_end;
	size_t heap_max_bytes;
	size_t pool_bytes;    /* the memory taken at start */
	size_t planned_bytes; /* of it, promised to contexts and sessions that are open */
	void *owned;          /* by us, when the caller gave none */
	struct tls_memory_counters counters;
};

static _Thread_local struct tls_memory *bound;
static atomic_flag registry_lock = ATOMIC_FLAG_INIT; /* held for a few stores, at start and end only */
static _Atomic(struct tls_memory *) registry[MEMORIES_MAX];
static atomic_uint registry_count;

static void
lock(void)
{
	while (atomic_flag_test_and_set_explicit(&registry_lock, memory_order_acquire))
		;
}

static void
unlock(void)
{
	atomic_flag_clear_explicit(&registry_lock, memory_order_release);
}

static bool
memory_holds(const struct tls_memory *memory, const uint8_t *at)
{
	unsigned int count = atomic_load_explicit(&memory->extent_count, memory_order_acquire);

	for (unsigned int i = 0; i < count; i++) {
		if (at >= memory->extents[i].start && at < memory->extents[i].end)
			return true;
	}
	return false;
}

/* The memory that a block came from, or NULL for one of the plain heap. */
static struct tls_memory *
owner_of(const void *block)
{
	unsigned int count;

	if (bound != NULL && memory_holds(bound, block))
		return bound;
	count = atomic_load_explicit(&registry_count, memory_order_acquire);
	for (unsigned int i = 0; i < count; i++) {
		struct tls_memory *memory = atomic_load_explicit(&registry[i], memory_order_acquire);

		if (memory != NULL && memory != bound && memory_holds(memory, block))
			return memory;
	}
	return NULL;
}

static bool
registry_add(struct tls_memory *memory)
{
	unsigned int i, count;

	lock();
	count = atomic_load(&registry_count);
	for (i = 0; i < count && atomic_load(&registry[i]) != NULL; i++)
		;
	if (i < MEMORIES_MAX) {
		atomic_store_explicit(&registry[i], memory, memory_order_release);
		if (i == count)
			atomic_store_explicit(&registry_count, count + 1, memory_order_release);
	}
	unlock();
	return i < MEMORIES_MAX;
}

static void
registry_remove(struct tls_memory *memory)
{
	lock();
	for (unsigned int i = 0; i < MEMORIES_MAX; i++) {
		if (atomic_load(&registry[i]) == memory)
			atomic_store(&registry[i], NULL);
	}
	unlock();
}

static void
extent_add(struct tls_memory *memory, uint8_t *start, size_t bytes)
{
	unsigned int count = atomic_load_explicit(&memory->extent_count, memory_order_relaxed);

	base_assert(count < EXTENTS_MAX);
	memory->extents[count] = (struct extent){.start = start, .end = start + bytes};
	atomic_store_explicit(&memory->extent_count, count + 1, memory_order_release);
	memory->carve = start;
	memory->carve_end = start + bytes;
}

/* One more extent from the heap, with room for `bytes`, or false when the limit forbids it. */
static bool
extent_from_heap(struct tls_memory *memory, size_t bytes)
{
	size_t extent_bytes = bytes > HEAP_EXTENT_BYTES ? bytes : HEAP_EXTENT_BYTES;
	uint8_t *start;

	if (memory->extent_count == EXTENTS_MAX)
		return false;
	if (memory->counters.heap_bytes + extent_bytes > memory->heap_max_bytes)
		return false;
	start = aligned_alloc(64, extent_bytes);
	if (start == NULL)
		return false;
	memory->counters.heap_bytes += extent_bytes;
	memory->counters.heap_extents++;
	extent_add(memory, start, extent_bytes);
	return true;
}

static uint32_t
class_of(size_t bytes)
{
	uint32_t class = 0;

	while (class < CLASS_COUNT && class_bytes[class] < bytes)
		class ++;
	return class;
}

static void *
memory_take(struct tls_memory *memory, size_t length)
{
	uint32_t class =
		length > class_bytes[CLASS_COUNT - 1] ? CLASS_COUNT : class_of(length + HEADER_BYTES);
	struct free_block *block;

	if (class == CLASS_COUNT) {
		memory->counters.refused++;
		return NULL;
	}
	block = memory->free[class];
	if (block != NULL) {
		base_assert(block->header.in_use == FREE);
		memory->free[class] = block->next;
	} else {
		if ((size_t)(memory->carve_end - memory->carve) < class_bytes[class] &&
			!extent_from_heap(memory, class_bytes[class])) {
			memory->counters.refused++;
			return NULL;
		}
		block = (struct free_block *)(void *)memory->carve;
		memory->carve += class_bytes[class];
	}
	block->header = (struct header){.owner = memory, .class = class, .in_use = IN_USE};
	memory->counters.allocations++;
	memory->counters.blocks_in_use++;
	memory->counters.bytes_in_use += class_bytes[class];
	if (memory->counters.bytes_in_use > memory->counters.bytes_in_use_peak)
		memory->counters.bytes_in_use_peak = memory->counters.bytes_in_use;
	return (uint8_t *)block + HEADER_BYTES;
}

static struct free_block *
block_of(void *user)
{
	struct free_block *block = (struct free_block *)(void *)((uint8_t *)user - HEADER_BYTES);

	base_assert(block->header.in_use == IN_USE);
	return block;
}

static void
memory_give(struct tls_memory *memory, void *user)
{
	struct free_block *block = block_of(user);

	base_assert(block->header.owner == memory && block->header.class < CLASS_COUNT);
	memory->counters.blocks_in_use--;
	memory->counters.bytes_in_use -= class_bytes[block->header.class];
	block->header.in_use = FREE;
	block->next = memory->free[block->header.class];
	memory->free[block->header.class] = block;
}

void *
tls_allocate(size_t length)
{
	return bound != NULL ? memory_take(bound, length) : malloc(length);
}

void
tls_release(void *block)
{
	struct tls_memory *owner;

	if (block == NULL)
		return;
	owner = owner_of(block);
	if (owner != NULL)
		memory_give(owner, block);
	else
		free(block);
}

void *
tls_reallocate(void *block, size_t length)
{
	struct tls_memory *owner = block != NULL ? owner_of(block) : NULL;
	size_t room;
	void *grown;

	if (block == NULL)
		return tls_allocate(length);
	if (owner == NULL)
		return realloc(block, length);
	room = class_bytes[block_of(block)->header.class] - HEADER_BYTES;
	if (length <= room)
		return block;
	grown = tls_allocate(length);
	if (grown == NULL)
		return NULL;
	memcpy(grown, block, room);
	explicit_bzero(block, room);
	memory_give(owner, block);
	return grown;
}

/* A message is held some eight times over while it grows, is copied and parsed. */
size_t
tls_memory_share(uint32_t message_max_bytes)
{
	if (message_max_bytes <= TLS_CLIENT_HELLO_BYTES_DEFAULT)
		return TLS_MEMORY_HANDSHAKE_BYTES;
	return TLS_MEMORY_HANDSHAKE_BYTES + 8 * (size_t)(message_max_bytes - TLS_CLIENT_HELLO_BYTES_DEFAULT);
}

bool
tls_plan_add(size_t bytes)
{
	if (bound == NULL)
		return true;
	if (bytes > bound->pool_bytes - bound->planned_bytes) {
		bound->counters.refused++;
		return false;
	}
	bound->planned_bytes += bytes;
	return true;
}

void
tls_plan_remove(const void *block, size_t bytes)
{
	struct tls_memory *owner = block != NULL ? owner_of(block) : bound;

	if (owner == NULL)
		return;
	base_assert(owner->planned_bytes >= bytes);
	owner->planned_bytes -= bytes;
}

struct tls_memory *
tls_memory_open(void *octets, size_t bytes, size_t heap_max_bytes)
{
	struct tls_memory *memory = calloc(1, sizeof(*memory));

	if (memory == NULL)
		return NULL;
	bytes &= ~(size_t)63;
	if (octets == NULL && bytes > 0) {
		memory->owned = aligned_alloc(64, bytes);
		octets = memory->owned;
	}
	memory->heap_max_bytes = heap_max_bytes;
	memory->pool_bytes = bytes;
	if ((octets == NULL && bytes > 0) || !registry_add(memory)) {
		free(memory->owned);
		free(memory);
		return NULL;
	}
	if (bytes > 0)
		extent_add(memory, octets, bytes);
	return memory;
}

void
tls_memory_close(struct tls_memory *memory)
{
	base_assert(memory->counters.blocks_in_use == 0);
	if (bound == memory)
		bound = NULL;
	registry_remove(memory);
	for (uint32_t i = 0; i < memory->extent_count; i++) {
		/* The first one is the caller's or `owned`, unless there is none of either. */
		if (memory->counters.heap_extents > 0 &&
			i >= memory->extent_count - memory->counters.heap_extents)
			free(memory->extents[i].start);
	}
	free(memory->owned);
	free(memory);
}

struct tls_memory *
tls_memory_bind(struct tls_memory *memory)
{
	struct tls_memory *before = bound;

	bound = memory;
	return before;
}

const struct tls_memory_counters *
tls_memory_counters(const struct tls_memory *memory)
{
	return &memory->counters;
}
