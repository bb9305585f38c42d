/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/recv_buffer.h"

#include <string.h>

#include "base/assert.h"

enum { WORD_BITS = 64, WORDS = QUIC_RECV_BLOCK_BYTES / WORD_BITS };

/* Octets [block * QUIC_RECV_BLOCK_BYTES, …) of the stream, those whose bit is set. */
struct quic_recv_chunk {
	struct quic_recv_chunk *next;
	uint64_t block;
	uint64_t bits[WORDS];
	uint8_t octets[QUIC_RECV_BLOCK_BYTES];
};

_Static_assert(sizeof(struct quic_recv_chunk) <= QUIC_CHUNK_BYTES, "a chunk is one pool element");
_Static_assert(QUIC_RECV_BLOCK_BYTES % WORD_BITS == 0, "a block has whole words of bits");

static uint64_t
block_of(uint64_t offset)
{
	return offset / QUIC_RECV_BLOCK_BYTES;
}

static uint64_t
segment_end(const struct quic_segment *segment)
{
	return segment->offset + segment->length;
}

/* ---- chunks ---- */

static void
set_bits(uint64_t *bits, uint32_t from, uint32_t to)
{
	while (from < to) {
		uint32_t low = from % WORD_BITS, count = WORD_BITS - low;

		if (count > to - from)
			count = to - from;
		bits[from / WORD_BITS] |= (count == WORD_BITS ? UINT64_MAX : (UINT64_C(1) << count) - 1)
			<< low;
		from += count;
	}
}

/* Bits set in a row from `from` on. */
static uint32_t
run_of_bits(const uint64_t *bits, uint32_t from)
{
	uint32_t at = from;

	while (at < QUIC_RECV_BLOCK_BYTES) {
		uint32_t low = at % WORD_BITS;
		uint64_t clear = ~(bits[at / WORD_BITS] >> low);
		/* The shift brought in zeros, which are set here; so `clear` is zero for a full word only. */
		uint32_t run = clear == 0 ? WORD_BITS : (uint32_t)__builtin_ctzll(clear);

		at += run;
		if (run < WORD_BITS - low)
			break;
	}
	return at - from;
}

static struct quic_recv_chunk *
find_chunk(const struct quic_recv_buffer *buffer, uint64_t block)
{
	struct quic_recv_chunk *chunk = buffer->first;

	if (chunk == NULL || block > buffer->last->block)
		return NULL;
	if (block == buffer->last->block)
		return buffer->last;
	while (chunk->block < block)
		chunk = chunk->next;
	return chunk->block == block ? chunk : NULL;
}

static struct quic_chunk_place *
place_of(const struct quic_recv_buffer *buffer, struct quic_memory *memory, uint64_t block)
{
	return &memory->places[(block ^ (uintptr_t)buffer >> 6) % QUIC_CHUNK_PLACES];
}

/* As find_chunk(): a peer may fill hundreds of blocks and then send octet by octet, each into one of the last. */
static struct quic_recv_chunk *
look_up_chunk(const struct quic_recv_buffer *buffer, struct quic_memory *memory, uint64_t block)
{
	struct quic_chunk_place *place = place_of(buffer, memory, block);

	if (place->buffer == buffer && place->block == block)
		return place->chunk;
	return find_chunk(buffer, block);
}

static void
remember_chunk(
	const struct quic_recv_buffer *buffer, struct quic_memory *memory, struct quic_recv_chunk *chunk)
{
	*place_of(buffer, memory, chunk->block) =
		(struct quic_chunk_place){.buffer = buffer, .block = chunk->block, .chunk = chunk};
}

static void
insert_chunk(struct quic_recv_buffer *buffer, struct quic_recv_chunk *chunk)
{
	struct quic_recv_chunk **link = &buffer->first;

	if (buffer->last != NULL && buffer->last->block < chunk->block)
		link = &buffer->last->next;
	while (*link != NULL && (*link)->block < chunk->block)
		link = &(*link)->next;
	chunk->next = *link;
	*link = chunk;
	if (chunk->next == NULL)
		buffer->last = chunk;
}

static void
free_first_chunk(
	struct quic_recv_buffer *buffer, struct quic_memory *memory, struct quic_chunk_account *account)
{
	struct quic_recv_chunk *chunk = buffer->first;
	struct quic_chunk_place *place = place_of(buffer, memory, chunk->block);

	if (place->chunk == chunk)
		*place = (struct quic_chunk_place){0};
	buffer->first = chunk->next;
	if (buffer->first == NULL)
		buffer->last = NULL;
	account->used--;
	quic_memory_give(memory, (struct quic_chunk *)(void *)chunk);
}

/* Chunks that octets [start, end) would need and that are neither there nor reserved. */
static uint32_t
chunks_missing(
	const struct quic_recv_buffer *buffer, struct quic_memory *memory, uint64_t start, uint64_t end)
{
	uint32_t missing = 0;

	for (uint64_t block = block_of(start); block <= block_of(end - 1); block++)
		missing += block >= buffer->reserved_end && look_up_chunk(buffer, memory, block) == NULL;
	return missing;
}

/* Reserves for [start, end); false when memory is short. */
static bool
reserve(struct quic_recv_buffer *buffer, struct quic_memory *memory, struct quic_chunk_account *account,
	uint64_t start, uint64_t end)
{
	uint32_t missing = chunks_missing(buffer, memory, start, end);

	if (missing > 0 && !quic_memory_reserve(memory, account, missing, start == buffer->in_order_end))
		return false;
	buffer->reserved = (uint16_t)(buffer->reserved + missing);
	return true;
}

static void
unreserve(struct quic_recv_buffer *buffer, struct quic_memory *memory, struct quic_chunk_account *account)
{
	quic_memory_unreserve(memory, account, buffer->reserved);
	buffer->reserved = 0;
	buffer->reserved_end = 0;
}

/* Copies octets to their blocks; chunks that are missing have been reserved. */
static void
copy_in(struct quic_recv_buffer *buffer, struct quic_memory *memory, uint64_t offset, const uint8_t *octets,
	uint64_t length)
{
	while (length > 0) {
		uint32_t at = (uint32_t)(offset % QUIC_RECV_BLOCK_BYTES);
		uint32_t count = QUIC_RECV_BLOCK_BYTES - at;
		struct quic_recv_chunk *chunk = look_up_chunk(buffer, memory, block_of(offset));

		if (chunk == NULL) {
			base_assert(buffer->reserved > 0);
			buffer->reserved--;
			chunk = (struct quic_recv_chunk *)(void *)quic_memory_take_reserved(memory);
			chunk->block = block_of(offset);
			memset(chunk->bits, 0, sizeof(chunk->bits));
			insert_chunk(buffer, chunk);
		}
		remember_chunk(buffer, memory, chunk);
		if (count > length)
			count = (uint32_t)length;
		memcpy(chunk->octets + at, octets, count);
		set_bits(chunk->bits, at, at + count);
		offset += count;
		octets += count;
		length -= count;
	}
}

/* What was received out of order may now follow in order. */
static void
advance(struct quic_recv_buffer *buffer)
{
	for (;;) {
		const struct quic_recv_chunk *chunk = find_chunk(buffer, block_of(buffer->in_order_end));
		uint32_t at = (uint32_t)(buffer->in_order_end % QUIC_RECV_BLOCK_BYTES), run;

		if (chunk == NULL)
			return;
		run = run_of_bits(chunk->bits, at);
		buffer->in_order_end += run;
		if (at + run < QUIC_RECV_BLOCK_BYTES)
			return;
	}
}

/* ---- public ---- */

void
quic_recv_buffer_init(struct quic_recv_buffer *buffer)
{
	*buffer = (struct quic_recv_buffer){.final_size = QUIC_FINAL_SIZE_UNKNOWN};
}

void
quic_recv_buffer_discard(
	struct quic_recv_buffer *buffer, struct quic_memory *memory, struct quic_chunk_account *account)
{
	buffer->segment_first = 0;
	buffer->segment_last = 0;
	unreserve(buffer, memory, account);
	while (buffer->first != NULL)
		free_first_chunk(buffer, memory, account);
}

uint64_t
quic_recv_buffer_check_final(const struct quic_recv_buffer *buffer, uint64_t end, bool fin)
{
	if (buffer->final_size != QUIC_FINAL_SIZE_UNKNOWN) {
		if (end > buffer->final_size || (fin && end != buffer->final_size))
			return QUIC_FINAL_SIZE_ERROR;
	} else if (fin && end < buffer->highest_end) {
		return QUIC_FINAL_SIZE_ERROR;
	}
	return QUIC_NO_ERROR;
}

void
quic_recv_buffer_note(struct quic_recv_buffer *buffer, uint64_t end, bool fin)
{
	if (end > buffer->highest_end)
		buffer->highest_end = end;
	if (fin)
		buffer->final_size = end;
}

/* Remembers octets where they are; there is a descriptor, and a reservation in case they must be copied. */
static void
append_segment(struct quic_recv_buffer *buffer, struct quic_memory *memory, uint32_t index, uint64_t offset,
	const uint8_t *octets, uint64_t length)
{
	memory->segments[index - 1] = (struct quic_segment){
		.octets = octets,
		.offset = offset,
		.length = (uint32_t)length,
	};
	if (buffer->segment_last != 0)
		memory->segments[buffer->segment_last - 1].next = index;
	else
		buffer->segment_first = index;
	buffer->segment_last = index;
	if (block_of(offset + length - 1) + 1 > buffer->reserved_end)
		buffer->reserved_end = block_of(offset + length - 1) + 1;
}

bool
quic_recv_buffer_store(struct quic_recv_buffer *buffer, struct quic_memory *memory,
	struct quic_chunk_account *account, uint64_t offset, const uint8_t *octets, size_t length, bool fin)
{
	uint64_t end = offset + length, start = offset;
	uint32_t index;

	base_assert(quic_recv_buffer_check_final(buffer, end, fin) == QUIC_NO_ERROR);
	if (start < buffer->in_order_end)
		start = buffer->in_order_end;
	if (start >= end) {
		quic_recv_buffer_note(buffer, end, fin);
		return true;
	}
	octets += start - offset;
	if (!reserve(buffer, memory, account, start, end))
		return false;
	index = start == buffer->in_order_end ? quic_memory_segment(memory) : 0;
	if (index != 0)
		append_segment(buffer, memory, index, start, octets, end - start);
	else
		copy_in(buffer, memory, start, octets, end - start);
	if (start == buffer->in_order_end) {
		buffer->in_order_end = end;
		advance(buffer);
	}
	quic_recv_buffer_note(buffer, end, fin);
	return true;
}

bool
quic_recv_buffer_read(const struct quic_recv_buffer *buffer, const struct quic_memory *memory,
	const uint8_t **octets, size_t *length)
{
	uint64_t at = buffer->read_offset;
	const struct quic_recv_chunk *chunk;

	if (at == buffer->in_order_end)
		return false;
	if (buffer->segment_first != 0) {
		const struct quic_segment *segment = &memory->segments[buffer->segment_first - 1];

		if (segment->offset <= at) {
			*octets = segment->octets + (at - segment->offset);
			*length = segment_end(segment) - at;
			return true;
		}
	}
	chunk = find_chunk(buffer, block_of(at));
	base_assert(chunk != NULL);
	*octets = chunk->octets + at % QUIC_RECV_BLOCK_BYTES;
	*length = run_of_bits(chunk->bits, (uint32_t)(at % QUIC_RECV_BLOCK_BYTES));
	base_assert(*length > 0);
	return true;
}

void
quic_recv_buffer_consume(struct quic_recv_buffer *buffer, struct quic_memory *memory,
	struct quic_chunk_account *account, uint64_t length)
{
	base_assert(length <= buffer->in_order_end - buffer->read_offset);
	buffer->read_offset += length;
	while (buffer->segment_first != 0) {
		const struct quic_segment *segment = &memory->segments[buffer->segment_first - 1];

		if (segment_end(segment) > buffer->read_offset)
			break;
		buffer->segment_first = segment->next;
	}
	if (buffer->segment_first == 0) {
		buffer->segment_last = 0;
		unreserve(buffer, memory, account);
	}
	/*
	 * With nothing left to read and nothing out of order, a block that has begun needs no chunk either.
	 */
	while (buffer->first != NULL &&
		(block_of(buffer->read_offset) > buffer->first->block ||
			buffer->read_offset == buffer->highest_end))
		free_first_chunk(buffer, memory, account);
}

void
quic_recv_buffer_settle(
	struct quic_recv_buffer *buffer, struct quic_memory *memory, struct quic_chunk_account *account)
{
	for (uint32_t index = buffer->segment_first; index != 0;) {
		const struct quic_segment *segment = &memory->segments[index - 1];
		uint64_t start = segment->offset;

		if (start < buffer->read_offset)
			start = buffer->read_offset;
		copy_in(buffer, memory, start, segment->octets + (start - segment->offset),
			segment_end(segment) - start);
		index = segment->next;
	}
	buffer->segment_first = 0;
	buffer->segment_last = 0;
	unreserve(buffer, memory, account);
}

uint32_t
quic_recv_buffer_chunks(const struct quic_recv_buffer *buffer)
{
	uint32_t count = buffer->reserved;

	for (const struct quic_recv_chunk *chunk = buffer->first; chunk != NULL; chunk = chunk->next)
		count++;
	return count;
}

void
quic_recv_buffer_check(const struct quic_recv_buffer *buffer, const struct quic_memory *memory)
{
	base_assert(buffer->read_offset <= buffer->in_order_end);
	base_assert(buffer->in_order_end <= buffer->highest_end && buffer->highest_end <= buffer->final_size);
	base_assert((buffer->first == NULL) == (buffer->last == NULL));
	for (const struct quic_recv_chunk *chunk = buffer->first; chunk != NULL; chunk = chunk->next) {
		base_assert(chunk->next == NULL ? chunk == buffer->last : chunk->block < chunk->next->block);
		base_assert((chunk->block + 1) * QUIC_RECV_BLOCK_BYTES > buffer->read_offset);
	}
	for (uint32_t index = buffer->segment_first; index != 0; index = memory->segments[index - 1].next) {
		const struct quic_segment *segment = &memory->segments[index - 1];

		base_assert(segment_end(segment) > buffer->read_offset);
		base_assert(segment_end(segment) <= buffer->in_order_end);
	}
	base_assert(buffer->segment_first != 0 || buffer->reserved == 0);
}
