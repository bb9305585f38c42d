/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reassembly of one direction of a stream, or of CRYPTO octets: RFC 9000 sections 2.2, 4.5 and 7.5. What
 * comes in order is offered where it lies in the datagram and costs no copy if it is consumed within the
 * turn; what is left at the end of the turn, and all that comes out of order, is copied into chunks.
 *
 * A chunk holds an aligned block of the stream with a bit for each octet, so no pattern of fragments costs
 * more than its blocks. Chunks are charged to the connection (memory.h); what has no place is refused whole.
 */
#ifndef QUIC_RECV_BUFFER_H
#define QUIC_RECV_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "quic/error.h"
#include "quic/memory.h"

enum { QUIC_RECV_BLOCK_BYTES = 1792 }; /* octets of a stream in one chunk */

#define QUIC_FINAL_SIZE_UNKNOWN UINT64_MAX

struct quic_recv_chunk;

struct quic_recv_buffer {
	uint64_t read_offset;  /* everything below has been consumed */
	uint64_t in_order_end; /* everything below has been received */
	uint64_t highest_end;  /* of what was received */
	uint64_t final_size;
	uint64_t reserved_end;         /* first block that no reservation covers */
	struct quic_recv_chunk *first; /* by block, ascending */
	struct quic_recv_chunk *last;
	uint32_t segment_first; /* index plus one; octets in place, ascending */
	uint32_t segment_last;
	uint16_t reserved; /* chunks */
};

void quic_recv_buffer_init(struct quic_recv_buffer *buffer);
/* Gives all memory back and forgets what was not consumed; offsets and final size stay. */
void quic_recv_buffer_discard(
	struct quic_recv_buffer *buffer, struct quic_memory *memory, struct quic_chunk_account *account);

/* FINAL_SIZE_ERROR when octets up to `end`, the last ones if `fin`, contradict what is known (4.5). */
uint64_t quic_recv_buffer_check_final(const struct quic_recv_buffer *buffer, uint64_t end, bool fin);
/* Highest offset and, with fin, the final size, for octets that are not kept. */
void quic_recv_buffer_note(struct quic_recv_buffer *buffer, uint64_t end, bool fin);
/*
 * Takes octets that stay where they are until the end of the turn. False when there is no memory: nothing has
 * changed. Final size and flow control have been checked.
 */
bool quic_recv_buffer_store(struct quic_recv_buffer *buffer, struct quic_memory *memory,
	struct quic_chunk_account *account, uint64_t offset, const uint8_t *octets, size_t length, bool fin);

/*
 * The next octets in order, in one piece; true when there are any. More pieces may follow once they are
 * consumed.
 */
bool quic_recv_buffer_read(const struct quic_recv_buffer *buffer, const struct quic_memory *memory,
	const uint8_t **octets, size_t *length);
/* `length` is at most what is in order, in one or several pieces. */
void quic_recv_buffer_consume(struct quic_recv_buffer *buffer, struct quic_memory *memory,
	struct quic_chunk_account *account, uint64_t length);
/* The end of the turn: copies what still lies in datagrams. Cannot fail. */
void quic_recv_buffer_settle(
	struct quic_recv_buffer *buffer, struct quic_memory *memory, struct quic_chunk_account *account);

/* Octets lie in datagrams: settle before the turn ends. */
static inline bool
quic_recv_buffer_borrows(const struct quic_recv_buffer *buffer)
{
	return buffer->segment_first != 0;
}

/* All octets up to the final size have been received. */
static inline bool
quic_recv_buffer_complete(const struct quic_recv_buffer *buffer)
{
	return buffer->in_order_end == buffer->final_size;
}

/* All octets up to the final size have been consumed. */
static inline bool
quic_recv_buffer_finished(const struct quic_recv_buffer *buffer)
{
	return buffer->read_offset == buffer->final_size;
}

/* Chunks that the account is charged for: those it has and those that are reserved. */
uint32_t quic_recv_buffer_chunks(const struct quic_recv_buffer *buffer);
void quic_recv_buffer_check(const struct quic_recv_buffer *buffer, const struct quic_memory *memory);

#endif
