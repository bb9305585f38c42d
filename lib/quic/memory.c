/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/memory.h"

#include <stddef.h>
#include <string.h>

#include "base/assert.h"

void
quic_memory_init(struct quic_memory *memory, struct base_pool *chunks, struct base_pool *streams,
	struct quic_segment *segments, uint32_t segment_capacity, uint32_t stock_max)
{
	base_assert(chunks->element_bytes >= QUIC_CHUNK_BYTES);
	*memory = (struct quic_memory){
		.chunks = chunks,
		.streams = streams,
		.segments = segments,
		.segment_capacity = segment_capacity,
		.stock_max = stock_max,
	};
}

static struct quic_chunk *
pop(struct quic_memory *memory)
{
	struct quic_chunk *chunk = memory->stock;

	base_assert(memory->stock_count > 0);
	memory->stock = chunk->next;
	memory->stock_count--;
	return chunk;
}

static void
push(struct quic_memory *memory, struct quic_chunk *chunk)
{
	chunk->next = memory->stock;
	memory->stock = chunk;
	memory->stock_count++;
}

static void
cut_stock(struct quic_memory *memory, uint32_t count)
{
	while (memory->stock_count > count)
		base_pool_give(memory->chunks, pop(memory));
}

void
quic_memory_fini(struct quic_memory *memory)
{
	base_assert(memory->reserved == 0);
	cut_stock(memory, 0);
}

void
quic_memory_end_turn(struct quic_memory *memory)
{
	base_assert(memory->reserved == 0);
	memory->segment_count = 0;
	cut_stock(memory, memory->stock_max);
}

void
quic_memory_forget(struct quic_memory *memory)
{
	memset(memory->places, 0, sizeof(memory->places));
}

struct quic_chunk *
quic_memory_take(struct quic_memory *memory)
{
	if (memory->stock_count > memory->reserved)
		return pop(memory);
	return base_pool_take(memory->chunks);
}

void
quic_memory_give(struct quic_memory *memory, struct quic_chunk *chunk)
{
	/* Twice the stock is kept within a turn; end_turn() brings it down. */
	if (memory->stock_count < memory->reserved + 2 * memory->stock_max)
		push(memory, chunk);
	else
		base_pool_give(memory->chunks, chunk);
}

/* The last eighth of the pool is for octets in order. The count is negative where others' chunks are freed. */
static bool
nearly_empty(const struct base_pool *pool)
{
	return (int32_t)pool->in_use > (int32_t)(pool->capacity - pool->capacity / 8);
}

bool
quic_memory_reserve(
	struct quic_memory *memory, struct quic_chunk_account *account, uint32_t count, bool in_order)
{
	if (!in_order && (account->used + count > account->limit || nearly_empty(memory->chunks))) {
		memory->refused++;
		return false;
	}
	while (memory->stock_count < memory->reserved + count) {
		struct quic_chunk *chunk = base_pool_take(memory->chunks);

		if (chunk == NULL) {
			memory->refused++;
			return false;
		}
		push(memory, chunk);
	}
	memory->reserved += count;
	account->used += count;
	return true;
}

struct quic_chunk *
quic_memory_take_reserved(struct quic_memory *memory)
{
	base_assert(memory->reserved > 0);
	memory->reserved--;
	return pop(memory);
}

void
quic_memory_unreserve(struct quic_memory *memory, struct quic_chunk_account *account, uint32_t count)
{
	base_assert(count <= memory->reserved && count <= account->used);
	memory->reserved -= count;
	account->used -= count;
}

uint32_t
quic_memory_segment(struct quic_memory *memory)
{
	if (memory->segment_count == memory->segment_capacity)
		return 0;
	return ++memory->segment_count;
}
