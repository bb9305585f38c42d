/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a stream, or CRYPTO, has to send: RFC 9000 sections 2.2, 3.1 and 13.3. A list of segments that are
 * either references to memory that its owner keeps as it is, with the owner's cookie, or chunks that octets
 * were copied into. Octets stay until acknowledged, without gaps, from the front: then chunks go back and
 * cookies are told (architecture O8).
 *
 * Ranges acknowledged and ranges to repeat live in a few places of its own and, when that is not enough, in a
 * borrowed chunk. If that is full too, something in flight or acknowledged is sent again: never wrong, only
 * superfluous.
 */
#ifndef QUIC_SEND_BUFFER_H
#define QUIC_SEND_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ranges.h"
#include "quic/memory.h"

enum {
	QUIC_SEND_OWN_REFERENCES = 2,
	QUIC_SEND_OWN_RANGES = 2,
};

struct quic_send_segment {
	struct quic_send_segment *next;
	const uint8_t *octets;
	uint64_t offset; /* in the stream */
	uint64_t length;
	uint64_t cookie;
	uint8_t kind; /* enum in send_buffer.c: unused, reference, chunk */
};

struct quic_send_extra;

struct quic_send_buffer {
	uint64_t start;         /* everything below is acknowledged */
	uint64_t unsent_offset; /* everything below was sent at least once */
	uint64_t end;           /* octets written */
	struct quic_send_segment *first;
	struct quic_send_segment *last;
	struct quic_send_segment
		*near_unsent;          /* where the search for unsent octets begins; NULL: at the first */
	struct quic_send_extra *extra; /* borrowed chunk, or NULL */
	uint32_t copied_bytes;         /* in chunks, not released */
	uint16_t acked_count;
	uint16_t lost_count;
	bool fin; /* the stream ends at `end` */
	bool fin_sent;
	bool fin_acked;
	bool fin_lost;
	struct base_range own_acked[QUIC_SEND_OWN_RANGES];
	struct base_range own_lost[QUIC_SEND_OWN_RANGES];
	struct quic_send_segment own_references[QUIC_SEND_OWN_REFERENCES];
};

/* Octets to go into one frame. */
struct quic_send_piece {
	uint64_t offset;
	uint64_t length;
	bool fin;
	bool again; /* was sent before: costs no flow-control credit */
};

void quic_send_buffer_init(struct quic_send_buffer *buffer);
/* Gives all memory back; references are dropped without a word. Offsets stay. */
void quic_send_buffer_discard(struct quic_send_buffer *buffer, struct quic_memory *memory);

/* Copies octets in; returns how many: fewer when copied_bytes reaches `limit_bytes` or chunks run out. */
size_t quic_send_buffer_write(struct quic_send_buffer *buffer, struct quic_memory *memory,
	const uint8_t *octets, size_t length, uint32_t limit_bytes);
/* Takes a reference; false when there is no place for one more. */
bool quic_send_buffer_write_static(struct quic_send_buffer *buffer, struct quic_memory *memory,
	const uint8_t *octets, uint64_t length, uint64_t cookie);
/* Nothing more will be written. */
void quic_send_buffer_finish(struct quic_send_buffer *buffer);

/* Something to repeat: octets or the fin. */
bool quic_send_buffer_has_lost(const struct quic_send_buffer *buffer);
/* Something never sent: octets or the fin. */
bool quic_send_buffer_has_unsent(const struct quic_send_buffer *buffer);
/*
 * What to send next, at most `max_length` octets: lost ones first, then unsent ones below the offset `limit`
 * (flow control). The caller may cut `length`; then fin must be set false. False when there is nothing.
 */
bool quic_send_buffer_next(const struct quic_send_buffer *buffer, uint64_t max_length, uint64_t limit,
	struct quic_send_piece *piece);
/* Copies octets of a piece out. */
void quic_send_buffer_copy(
	const struct quic_send_buffer *buffer, uint64_t offset, uint8_t *to, size_t length);
void quic_send_buffer_on_sent(struct quic_send_buffer *buffer, const struct quic_send_piece *piece);

void quic_send_buffer_on_acked(struct quic_send_buffer *buffer, struct quic_memory *memory, uint64_t offset,
	uint64_t length, bool fin);
/* Also for a repetition that is wanted without a loss (PTO probe). */
void quic_send_buffer_on_lost(struct quic_send_buffer *buffer, struct quic_memory *memory, uint64_t offset,
	uint64_t length, bool fin);
/* The next reference at the front that is acknowledged altogether, taken out of the buffer; false: none. */
bool quic_send_buffer_next_released(
	struct quic_send_buffer *buffer, struct quic_memory *memory, uint64_t *cookie);
bool quic_send_buffer_has_released(const struct quic_send_buffer *buffer);

/* Octets and fin are all acknowledged: "Data Recvd" of section 3.1. */
static inline bool
quic_send_buffer_complete(const struct quic_send_buffer *buffer)
{
	return buffer->fin_acked && buffer->start == buffer->end;
}

void quic_send_buffer_check(const struct quic_send_buffer *buffer);

#endif
