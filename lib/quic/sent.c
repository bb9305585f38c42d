/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/sent.h"

#include <stddef.h>

#include "base/assert.h"

enum { CELL_BYTES = 24, CELLS = (QUIC_SENT_CHUNK_BYTES - 24) / CELL_BYTES };

union cell {
	struct quic_sent_packet packet;
	struct quic_sent_frame frame;
};

/* Packets fill the cells from the front, their frames from the back. */
struct quic_sent_chunk {
	struct quic_sent_chunk *next;
	struct quic_sent_chunk *previous;
	uint8_t packets;
	uint8_t frames;
	uint8_t in_flight;
	uint8_t unreported;
	bool touched;
	union cell cells[CELLS];
};

_Static_assert(sizeof(union cell) == CELL_BYTES, "a record of one packet with one frame takes 48 octets");
_Static_assert(sizeof(struct quic_sent_chunk) <= QUIC_SENT_CHUNK_BYTES, "a chunk is one pool element");

static const struct quic_sent_frame *
frames_of(const struct quic_sent_chunk *chunk, const struct quic_sent_packet *packet)
{
	return packet->frame_count == 0 ? NULL : &chunk->cells[packet->first_frame].frame;
}

static uint64_t
first_number(const struct quic_sent_chunk *chunk)
{
	return chunk->cells[0].packet.packet_number;
}

static uint64_t
last_number(const struct quic_sent_chunk *chunk)
{
	return chunk->cells[chunk->packets - 1].packet.packet_number;
}

static void
unlink_chunk(struct quic_sent *sent, struct quic_sent_chunk *chunk)
{
	if (chunk->previous != NULL)
		chunk->previous->next = chunk->next;
	else
		sent->first = chunk->next;
	if (chunk->next != NULL)
		chunk->next->previous = chunk->previous;
	else
		sent->last = chunk->previous;
}

void
quic_sent_init(struct quic_sent *sent)
{
	*sent = (struct quic_sent){.skipped = UINT64_MAX};
}

void
quic_sent_fini(struct quic_sent *sent, struct base_pool *pool)
{
	while (sent->first != NULL) {
		struct quic_sent_chunk *chunk = sent->first;

		unlink_chunk(sent, chunk);
		base_pool_give(pool, chunk);
	}
	*sent = (struct quic_sent){.next_packet_number = sent->next_packet_number,
		.skipped = sent->skipped,
		.until_skip = sent->until_skip};
}

bool
quic_sent_reserve(struct quic_sent *sent, struct base_pool *pool)
{
	struct quic_sent_chunk *chunk = sent->last;

	base_assert(pool->element_bytes >= sizeof(*chunk));
	if (chunk != NULL && chunk->packets + chunk->frames + 1 + QUIC_SENT_FRAMES_MAX <= CELLS)
		return true;
	/* An empty chunk has room, so it is never the one in the way. */
	base_assert(chunk == NULL || chunk->packets > 0);
	chunk = base_pool_take(pool);
	if (chunk == NULL)
		return false;
	/* The cells are written before they are counted. */
	chunk->next = NULL;
	chunk->previous = sent->last;
	chunk->packets = chunk->frames = chunk->in_flight = chunk->unreported = 0;
	chunk->touched = false;
	if (sent->last != NULL)
		sent->last->next = chunk;
	else
		sent->first = chunk;
	sent->last = chunk;
	return true;
}

uint64_t
quic_sent_take_number(struct quic_sent *sent)
{
	return sent->next_packet_number++;
}

void
quic_sent_skip_number(struct quic_sent *sent)
{
	sent->skipped = sent->next_packet_number++;
}

void
quic_sent_record(
	struct quic_sent *sent, const struct quic_sent_packet *packet, const struct quic_sent_frame *frames)
{
	struct quic_sent_chunk *chunk = sent->last;
	struct quic_sent_packet *record;

	base_assert(chunk != NULL && packet->frame_count <= QUIC_SENT_FRAMES_MAX);
	base_assert(chunk->packets + chunk->frames + 1 + packet->frame_count <= CELLS);
	base_assert(packet->packet_number < sent->next_packet_number);
	base_assert(chunk->packets == 0 || packet->packet_number > last_number(chunk));
	chunk->frames += packet->frame_count;
	record = &chunk->cells[chunk->packets++].packet;
	*record = *packet;
	record->state = QUIC_SENT_IN_FLIGHT;
	record->flags &= (uint8_t)~QUIC_SENT_REPORTED;
	record->sequence = sent->sequence++;
	record->first_frame = (uint8_t)(CELLS - chunk->frames);
	for (uint8_t i = 0; i < packet->frame_count; i++)
		chunk->cells[record->first_frame + i].frame = frames[i];
	chunk->in_flight++;
	sent->in_flight++;
	sent->eliciting += (packet->flags & QUIC_SENT_ACK_ELICITING) != 0;
}

const struct quic_sent_packet *
quic_sent_next_done(struct quic_sent *sent, const struct quic_sent_frame **frames)
{
	struct quic_sent_cursor *cursor = &sent->done;

	while (sent->unreported > 0) {
		struct quic_sent_chunk *chunk = cursor->chunk;
		struct quic_sent_packet *packet;

		base_assert(chunk != NULL);
		if (chunk->unreported == 0 || cursor->index == chunk->packets) {
			*cursor = (struct quic_sent_cursor){.chunk = chunk->next};
			continue;
		}
		packet = &chunk->cells[cursor->index++].packet;
		if (packet->state == QUIC_SENT_IN_FLIGHT || (packet->flags & QUIC_SENT_REPORTED) != 0)
			continue;
		packet->flags |= QUIC_SENT_REPORTED;
		chunk->unreported--;
		sent->unreported--;
		*frames = frames_of(chunk, packet);
		return packet;
	}
	return NULL;
}

void
quic_sent_sweep(struct quic_sent *sent, struct base_pool *pool)
{
	struct quic_sent_chunk *chunk = sent->report;

	base_assert(sent->unreported == 0);
	for (struct quic_sent_chunk *next; sent->touched > 0; chunk = next) {
		next = chunk->next;
		if (!chunk->touched)
			continue;
		chunk->touched = false;
		sent->touched--;
		if (chunk->in_flight == 0) {
			unlink_chunk(sent, chunk);
			base_pool_give(pool, chunk);
		}
	}
	quic_sent_trim(sent, pool);
	sent->report = NULL;
	sent->done = (struct quic_sent_cursor){0};
}

void
quic_sent_trim(struct quic_sent *sent, struct base_pool *pool)
{
	struct quic_sent_chunk *chunk = sent->last;

	if (chunk == NULL || chunk->packets > 0)
		return;
	unlink_chunk(sent, chunk);
	base_pool_give(pool, chunk);
}

const struct quic_sent_packet *
quic_sent_oldest(const struct quic_sent *sent, const struct quic_sent_frame **frames)
{
	for (const struct quic_sent_chunk *chunk = sent->first; chunk != NULL; chunk = chunk->next) {
		for (uint8_t i = 0; chunk->in_flight > 0 && i < chunk->packets; i++) {
			const struct quic_sent_packet *packet = &chunk->cells[i].packet;

			if (packet->state != QUIC_SENT_IN_FLIGHT ||
				!(packet->flags & QUIC_SENT_ACK_ELICITING))
				continue;
			*frames = frames_of(chunk, packet);
			return packet;
		}
	}
	return NULL;
}

uint64_t
quic_sent_forget_all(struct quic_sent *sent)
{
	uint64_t bytes = 0;
	struct quic_sent_cursor cursor = {0};
	struct quic_sent_packet *packet = quic_sent_find(sent, &cursor, 0);

	for (; packet != NULL; packet = quic_sent_following(&cursor)) {
		if (packet->state != QUIC_SENT_IN_FLIGHT)
			continue;
		bytes += packet->bytes;
		quic_sent_mark(sent, &cursor, QUIC_SENT_LOST);
	}
	return bytes;
}

uint64_t
quic_sent_bytes_in_flight(const struct quic_sent *sent)
{
	uint64_t bytes = 0;

	for (const struct quic_sent_chunk *chunk = sent->first; chunk != NULL; chunk = chunk->next)
		for (uint8_t i = 0; i < chunk->packets; i++)
			if (chunk->cells[i].packet.state == QUIC_SENT_IN_FLIGHT)
				bytes += chunk->cells[i].packet.bytes;
	return bytes;
}

/* The chunk that holds the packet number, or the first above it; the reserved one at the end may be empty. */
static struct quic_sent_chunk *
find_chunk(const struct quic_sent *sent, struct quic_sent_chunk *near, uint64_t packet_number)
{
	struct quic_sent_chunk *chunk = near != NULL ? near : sent->first;

	while (chunk != NULL && chunk->packets > 0 && last_number(chunk) < packet_number)
		chunk = chunk->next;
	if (chunk == NULL || chunk->packets == 0)
		return NULL;
	while (chunk->previous != NULL && last_number(chunk->previous) >= packet_number)
		chunk = chunk->previous;
	return chunk;
}

struct quic_sent_packet *
quic_sent_find(const struct quic_sent *sent, struct quic_sent_cursor *cursor, uint64_t packet_number)
{
	struct quic_sent_chunk *chunk = find_chunk(sent, cursor->chunk, packet_number);
	uint32_t low = 0, high;

	if (chunk == NULL)
		return NULL;
	high = chunk->packets;
	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (chunk->cells[middle].packet.packet_number < packet_number)
			low = middle + 1;
		else
			high = middle;
	}
	*cursor = (struct quic_sent_cursor){.chunk = chunk, .index = low};
	return &chunk->cells[low].packet;
}

struct quic_sent_packet *
quic_sent_following(struct quic_sent_cursor *cursor)
{
	if (cursor->index + 1 < cursor->chunk->packets) {
		cursor->index++;
	} else {
		if (cursor->chunk->next == NULL || cursor->chunk->next->packets == 0)
			return NULL;
		*cursor = (struct quic_sent_cursor){.chunk = cursor->chunk->next};
	}
	return &cursor->chunk->cells[cursor->index].packet;
}

void
quic_sent_mark(struct quic_sent *sent, struct quic_sent_cursor *cursor, enum quic_sent_state state)
{
	struct quic_sent_chunk *chunk = cursor->chunk;
	struct quic_sent_packet *packet = &chunk->cells[cursor->index].packet;

	base_assert(packet->state == QUIC_SENT_IN_FLIGHT && chunk->in_flight > 0);
	packet->state = state;
	chunk->in_flight--;
	chunk->unreported++;
	sent->in_flight--;
	sent->unreported++;
	sent->eliciting -= (packet->flags & QUIC_SENT_ACK_ELICITING) != 0;
	if (!chunk->touched) {
		chunk->touched = true;
		sent->touched++;
	}
	if (sent->report == NULL || first_number(chunk) < first_number(sent->report))
		sent->report = chunk;
	sent->done = (struct quic_sent_cursor){.chunk = sent->report};
}

void
quic_sent_check(const struct quic_sent *sent)
{
	uint32_t in_flight = 0, eliciting = 0, unreported = 0;
	uint64_t next = 0;

	for (const struct quic_sent_chunk *chunk = sent->first; chunk != NULL; chunk = chunk->next) {
		uint32_t here = 0;

		base_assert(chunk->packets + chunk->frames <= CELLS);
		base_assert(chunk->next == NULL ? sent->last == chunk : chunk->next->previous == chunk);
		for (uint8_t i = 0; i < chunk->packets; i++) {
			const struct quic_sent_packet *packet = &chunk->cells[i].packet;

			base_assert(packet->packet_number >= next);
			next = packet->packet_number + 1;
			if (packet->state != QUIC_SENT_IN_FLIGHT)
				continue;
			here++;
			eliciting += (packet->flags & QUIC_SENT_ACK_ELICITING) != 0;
		}
		base_assert(here == chunk->in_flight);
		in_flight += here;
		unreported += chunk->unreported;
	}
	base_assert(next <= sent->next_packet_number);
	base_assert(in_flight == sent->in_flight && eliciting == sent->eliciting);
	base_assert(unreported == sent->unreported);
}
