/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/send_buffer.h"

#include <string.h>

#include "base/assert.h"

enum segment_kind { UNUSED, REFERENCE, CHUNK };

enum {
	CHUNK_OCTETS = QUIC_CHUNK_BYTES - sizeof(struct quic_send_segment),
	EXTRA_RANGES = 48,
	EXTRA_REFERENCES = 10,
};

struct send_chunk {
	struct quic_send_segment segment;
	uint8_t octets[CHUNK_OCTETS];
};

struct quic_send_extra {
	struct base_range acked[EXTRA_RANGES];
	struct base_range lost[EXTRA_RANGES];
	struct quic_send_segment references[EXTRA_REFERENCES];
};

_Static_assert(sizeof(struct send_chunk) <= QUIC_CHUNK_BYTES, "a chunk is one pool element");
_Static_assert(sizeof(struct quic_send_extra) <= QUIC_CHUNK_BYTES, "a chunk is one pool element");

/* ---- the borrowed chunk ---- */

static bool
borrow_extra(struct quic_send_buffer *buffer, struct quic_memory *memory)
{
	struct quic_send_extra *extra;

	if (buffer->extra != NULL)
		return false;
	extra = (struct quic_send_extra *)(void *)quic_memory_take(memory);
	if (extra == NULL)
		return false;
	memcpy(extra->acked, buffer->own_acked, buffer->acked_count * sizeof(extra->acked[0]));
	memcpy(extra->lost, buffer->own_lost, buffer->lost_count * sizeof(extra->lost[0]));
	memset(extra->references, 0, sizeof(extra->references));
	buffer->extra = extra;
	return true;
}

static void
give_extra_back(struct quic_send_buffer *buffer, struct quic_memory *memory)
{
	quic_memory_give(memory, (struct quic_chunk *)(void *)buffer->extra);
	buffer->extra = NULL;
}

static void
give_extra_back_if_unused(struct quic_send_buffer *buffer, struct quic_memory *memory)
{
	if (buffer->extra == NULL || buffer->acked_count > 0 || buffer->lost_count > 0)
		return;
	for (int i = 0; i < EXTRA_REFERENCES; i++)
		if (buffer->extra->references[i].kind != UNUSED)
			return;
	give_extra_back(buffer, memory);
}

/* ---- ranges ---- */

static struct base_ranges
acked_ranges(struct quic_send_buffer *buffer)
{
	struct base_ranges set = buffer->extra != NULL ? base_ranges(buffer->extra->acked, EXTRA_RANGES)
						       : base_ranges(buffer->own_acked, QUIC_SEND_OWN_RANGES);

	set.count = buffer->acked_count;
	return set;
}

static struct base_ranges
lost_ranges(const struct quic_send_buffer *buffer)
{
	struct base_ranges set = buffer->extra != NULL
		? base_ranges(buffer->extra->lost, EXTRA_RANGES)
		: base_ranges((struct base_range *)buffer->own_lost, QUIC_SEND_OWN_RANGES);

	set.count = buffer->lost_count;
	return set;
}

static void
delete_range(struct base_ranges *set, uint16_t index)
{
	set->count--;
	memmove(&set->ranges[index], &set->ranges[index + 1],
		(size_t)(set->count - index) * sizeof(set->ranges[0]));
}

/* Takes [start, end) out. A range that would have to be split, with no place for its half, stays whole. */
static void
subtract(struct base_ranges *set, uint64_t start, uint64_t end)
{
	for (uint16_t i = 0; i < set->count;) {
		struct base_range *range = &set->ranges[i];

		if (range->end <= start || range->start >= end) {
			i++;
		} else if (range->start < start && range->end > end) {
			uint64_t tail_end = range->end;

			if (set->count == set->capacity)
				return;
			range->end = start;
			(void)base_ranges_add(set, end, tail_end);
			return;
		} else if (range->start < start) {
			range->end = start;
			i++;
		} else if (range->end > end) {
			range->start = end;
			i++;
		} else {
			delete_range(set, i);
		}
	}
}

/* With no place left: [start, end) and its nearest neighbour become one range, with what lies between. */
static void
add_with_neighbour(struct base_ranges *set, uint64_t start, uint64_t end)
{
	uint16_t nearest = 0;
	uint64_t nearest_distance = UINT64_MAX;
	struct base_range range;

	for (uint16_t i = 0; i < set->count; i++) {
		const struct base_range *other = &set->ranges[i];
		uint64_t distance = other->start > end ? other->start - end : start - other->end;

		if (distance < nearest_distance) {
			nearest_distance = distance;
			nearest = i;
		}
	}
	range = set->ranges[nearest];
	delete_range(set, nearest);
	(void)base_ranges_add(
		set, start < range.start ? start : range.start, end > range.end ? end : range.end);
}

static void
add_lost(struct quic_send_buffer *buffer, struct quic_memory *memory, uint64_t start, uint64_t end)
{
	struct base_ranges set = lost_ranges(buffer);

	if (!base_ranges_add(&set, start, end)) {
		if (borrow_extra(buffer, memory)) {
			set = lost_ranges(buffer);
			(void)base_ranges_add(&set, start, end);
		} else {
			add_with_neighbour(&set, start, end);
		}
	}
	buffer->lost_count = set.count;
}

static void
remove_lost(struct quic_send_buffer *buffer, uint64_t start, uint64_t end)
{
	struct base_ranges set = lost_ranges(buffer);

	subtract(&set, start, end);
	buffer->lost_count = set.count;
}

/* ---- segments ---- */

static uint64_t
segment_end(const struct quic_send_segment *segment)
{
	return segment->offset + segment->length;
}

static void
append(struct quic_send_buffer *buffer, struct quic_send_segment *segment)
{
	segment->next = NULL;
	segment->offset = buffer->end;
	if (buffer->last != NULL)
		buffer->last->next = segment;
	else
		buffer->first = segment;
	buffer->last = segment;
}

/* Takes the first segment out of the list; a reference's place is free again, a chunk goes back. */
static void
remove_first(struct quic_send_buffer *buffer, struct quic_memory *memory)
{
	struct quic_send_segment *segment = buffer->first;

	buffer->first = segment->next;
	if (buffer->first == NULL)
		buffer->last = NULL;
	if (buffer->near_unsent == segment)
		buffer->near_unsent = NULL;
	if (segment->kind == CHUNK) {
		buffer->copied_bytes -= (uint32_t)segment->length;
		quic_memory_give(memory, (struct quic_chunk *)(void *)segment);
	} else {
		segment->kind = UNUSED;
	}
}

static struct quic_send_segment *
unused_reference(struct quic_send_buffer *buffer, struct quic_memory *memory)
{
	for (int i = 0; i < QUIC_SEND_OWN_REFERENCES; i++)
		if (buffer->own_references[i].kind == UNUSED)
			return &buffer->own_references[i];
	if (buffer->extra == NULL && !borrow_extra(buffer, memory))
		return NULL;
	for (int i = 0; i < EXTRA_REFERENCES; i++)
		if (buffer->extra->references[i].kind == UNUSED)
			return &buffer->extra->references[i];
	return NULL;
}

/* Chunks at the front whose octets are all acknowledged go back; a reference waits to be told. */
static void
release(struct quic_send_buffer *buffer, struct quic_memory *memory)
{
	while (buffer->first != NULL && buffer->first->kind == CHUNK &&
		segment_end(buffer->first) <= buffer->start)
		remove_first(buffer, memory);
	give_extra_back_if_unused(buffer, memory);
}

/* ---- public ---- */

void
quic_send_buffer_init(struct quic_send_buffer *buffer)
{
	*buffer = (struct quic_send_buffer){0};
}

void
quic_send_buffer_discard(struct quic_send_buffer *buffer, struct quic_memory *memory)
{
	while (buffer->first != NULL)
		remove_first(buffer, memory);
	buffer->acked_count = 0;
	buffer->lost_count = 0;
	buffer->fin_lost = false;
	if (buffer->extra != NULL)
		give_extra_back(buffer, memory);
}

size_t
quic_send_buffer_write(struct quic_send_buffer *buffer, struct quic_memory *memory, const uint8_t *octets,
	size_t length, uint32_t limit_bytes)
{
	size_t taken = 0;

	base_assert(!buffer->fin);
	if (buffer->copied_bytes >= limit_bytes)
		return 0;
	if (length > limit_bytes - buffer->copied_bytes)
		length = limit_bytes - buffer->copied_bytes;
	while (taken < length) {
		struct quic_send_segment *segment = buffer->last;
		size_t count = length - taken;

		if (segment == NULL || segment->kind != CHUNK || segment->length == CHUNK_OCTETS) {
			struct send_chunk *chunk = (struct send_chunk *)(void *)quic_memory_take(memory);

			if (chunk == NULL)
				break;
			segment = &chunk->segment;
			*segment = (struct quic_send_segment){.octets = chunk->octets, .kind = CHUNK};
			append(buffer, segment);
		}
		if (count > CHUNK_OCTETS - segment->length)
			count = CHUNK_OCTETS - segment->length;
		memcpy((uint8_t *)segment + sizeof(*segment) + segment->length, octets + taken, count);
		segment->length += count;
		buffer->copied_bytes += (uint32_t)count;
		buffer->end += count;
		taken += count;
	}
	return taken;
}

bool
quic_send_buffer_write_static(struct quic_send_buffer *buffer, struct quic_memory *memory,
	const uint8_t *octets, uint64_t length, uint64_t cookie)
{
	struct quic_send_segment *segment = unused_reference(buffer, memory);

	base_assert(!buffer->fin);
	if (segment == NULL)
		return false;
	*segment = (struct quic_send_segment){
		.octets = octets,
		.length = length,
		.cookie = cookie,
		.kind = REFERENCE,
	};
	append(buffer, segment);
	buffer->end += length;
	return true;
}

void
quic_send_buffer_finish(struct quic_send_buffer *buffer)
{
	buffer->fin = true;
}

bool
quic_send_buffer_has_lost(const struct quic_send_buffer *buffer)
{
	return buffer->lost_count > 0 || buffer->fin_lost;
}

bool
quic_send_buffer_has_unsent(const struct quic_send_buffer *buffer)
{
	return buffer->unsent_offset < buffer->end || (buffer->fin && !buffer->fin_sent);
}

bool
quic_send_buffer_next(const struct quic_send_buffer *buffer, uint64_t max_length, uint64_t limit,
	struct quic_send_piece *piece)
{
	uint64_t end = buffer->end < limit ? buffer->end : limit;

	*piece = (struct quic_send_piece){.offset = buffer->unsent_offset};
	if (buffer->lost_count > 0) {
		struct base_range range = lost_ranges(buffer).ranges[0];

		piece->offset = range.start;
		piece->length = range.end - range.start;
		piece->again = true;
	} else if (buffer->unsent_offset < end) {
		piece->length = end - buffer->unsent_offset;
	} else if (buffer->unsent_offset == buffer->end && buffer->fin &&
		(buffer->fin_lost || !buffer->fin_sent)) {
		piece->fin = true;
		piece->again = buffer->fin_sent;
		return true;
	}
	if (piece->length > max_length)
		piece->length = max_length;
	piece->fin = buffer->fin && !buffer->fin_acked && piece->offset + piece->length == buffer->end;
	return piece->length > 0;
}

void
quic_send_buffer_copy(const struct quic_send_buffer *buffer, uint64_t offset, uint8_t *to, size_t length)
{
	const struct quic_send_segment *segment = buffer->near_unsent;

	if (segment == NULL || segment->offset > offset)
		segment = buffer->first;
	while (length > 0) {
		size_t count;

		base_assert(segment != NULL && segment->offset <= offset);
		if (segment_end(segment) > offset) {
			count = segment_end(segment) - offset;
			if (count > length)
				count = length;
			memcpy(to, segment->octets + (offset - segment->offset), count);
			offset += count;
			to += count;
			length -= count;
		}
		segment = segment->next;
	}
}

void
quic_send_buffer_on_sent(struct quic_send_buffer *buffer, const struct quic_send_piece *piece)
{
	struct quic_send_segment *segment = buffer->near_unsent;

	base_assert(!piece->fin || (buffer->fin && piece->offset + piece->length == buffer->end));
	if (piece->fin) {
		buffer->fin_sent = true;
		buffer->fin_lost = false;
	}
	if (piece->again) {
		if (piece->length > 0)
			remove_lost(buffer, piece->offset, piece->offset + piece->length);
		return;
	}
	base_assert(piece->offset == buffer->unsent_offset);
	buffer->unsent_offset += piece->length;
	base_assert(buffer->unsent_offset <= buffer->end);
	if (segment == NULL)
		segment = buffer->first;
	while (segment != NULL && segment->next != NULL && segment_end(segment) <= buffer->unsent_offset)
		segment = segment->next;
	buffer->near_unsent = segment;
}

/* Remembers [start, end), which does not begin at buffer->start; false when there is no place. */
static bool
add_acked(struct quic_send_buffer *buffer, struct quic_memory *memory, uint64_t start, uint64_t end)
{
	struct base_ranges set = acked_ranges(buffer);
	bool added = base_ranges_add(&set, start, end);

	if (!added && borrow_extra(buffer, memory)) {
		set = acked_ranges(buffer);
		added = base_ranges_add(&set, start, end);
	}
	buffer->acked_count = set.count;
	return added;
}

/* Everything below `end` is acknowledged, and what was acknowledged beyond it may follow. */
static void
advance(struct quic_send_buffer *buffer, uint64_t end)
{
	struct base_ranges set = acked_ranges(buffer);

	buffer->start = end;
	while (set.count > 0 && set.ranges[0].start <= buffer->start) {
		if (set.ranges[0].end > buffer->start)
			buffer->start = set.ranges[0].end;
		delete_range(&set, 0);
	}
	buffer->acked_count = set.count;
	/* A lost range may have grown over acknowledged octets. */
	remove_lost(buffer, 0, buffer->start);
}

void
quic_send_buffer_on_acked(struct quic_send_buffer *buffer, struct quic_memory *memory, uint64_t offset,
	uint64_t length, bool fin)
{
	uint64_t end = offset + length;

	base_assert(end <= buffer->unsent_offset && (!fin || buffer->fin_sent));
	if (fin) {
		buffer->fin_acked = true;
		buffer->fin_lost = false;
	}
	if (end > buffer->start) {
		if (offset <= buffer->start) {
			advance(buffer, end);
		} else if (length > 0) {
			if (add_acked(buffer, memory, offset, end))
				remove_lost(buffer, offset, end);
			else
				add_lost(buffer, memory, offset, end);
		}
	}
	release(buffer, memory);
}

void
quic_send_buffer_on_lost(struct quic_send_buffer *buffer, struct quic_memory *memory, uint64_t offset,
	uint64_t length, bool fin)
{
	uint64_t end = offset + length, at = offset > buffer->start ? offset : buffer->start;
	uint16_t i = 0;

	base_assert(end <= buffer->unsent_offset && (!fin || buffer->fin_sent));
	if (fin && !buffer->fin_acked)
		buffer->fin_lost = true;
	/* What has been acknowledged in another packet since need not be repeated. */
	while (at < end) {
		struct base_ranges set = acked_ranges(buffer);
		uint64_t until = end;

		while (i < set.count && set.ranges[i].end <= at)
			i++;
		if (i < set.count && set.ranges[i].start <= at) {
			at = set.ranges[i].end;
			continue;
		}
		if (i < set.count && set.ranges[i].start < end)
			until = set.ranges[i].start;
		add_lost(buffer, memory, at, until);
		at = until;
	}
}

bool
quic_send_buffer_has_released(const struct quic_send_buffer *buffer)
{
	return buffer->first != NULL && buffer->first->kind == REFERENCE &&
		segment_end(buffer->first) <= buffer->start;
}

bool
quic_send_buffer_next_released(struct quic_send_buffer *buffer, struct quic_memory *memory, uint64_t *cookie)
{
	if (!quic_send_buffer_has_released(buffer))
		return false;
	*cookie = buffer->first->cookie;
	remove_first(buffer, memory);
	release(buffer, memory);
	return true;
}

void
quic_send_buffer_check(const struct quic_send_buffer *buffer)
{
	struct base_ranges lost = lost_ranges(buffer);
	uint64_t copied = 0, at = buffer->first != NULL ? buffer->first->offset : buffer->end;

	base_assert(buffer->start <= buffer->unsent_offset && buffer->unsent_offset <= buffer->end);
	base_ranges_check(&lost);
	base_assert(lost.count == 0 || lost.ranges[0].start >= buffer->start);
	base_assert(lost.count == 0 || lost.ranges[lost.count - 1].end <= buffer->unsent_offset);
	for (const struct quic_send_segment *segment = buffer->first; segment != NULL;
		segment = segment->next) {
		base_assert(segment->offset == at && segment->kind != UNUSED);
		at = segment_end(segment);
		copied += segment->kind == CHUNK ? segment->length : 0;
		base_assert(segment->next != NULL || segment == buffer->last);
	}
	base_assert(buffer->first == NULL || at == buffer->end);
	base_assert(copied == buffer->copied_bytes);
}
