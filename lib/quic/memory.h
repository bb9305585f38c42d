/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory of streams, one per endpoint: chunks of QUIC_POOL_CHUNK, streams of QUIC_POOL_STREAM, and the
 * descriptors of octets that are read in place during one turn.
 *
 * Octets offered in place may have to be copied when the turn ends, and by then their packet has been
 * accepted. So each takes a reservation: the stock always holds as many chunks as are reserved, and an octet
 * that is accepted has its place.
 *
 * Chunks are charged to the connection's account, reserved ones too. What comes out of order is refused when
 * the account is at its limit or the pool nearly empty: the packet is dropped unacknowledged and counted.
 * What comes in order is refused only when the pool is empty, for it is what sets the others free; flow
 * control bounds it. If it were refused as well, an account full of octets out of order would never empty.
 */
#ifndef QUIC_MEMORY_H
#define QUIC_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

enum {
	QUIC_CHUNK_BYTES = 2048,  /* element of QUIC_POOL_CHUNK */
	QUIC_CHUNK_PLACES = 1024, /* a power of two */
};

/*
 * What a function returns, in place of an error code of RFC 9000, when the world is short: drop the packet,
 * acknowledge nothing.
 */
#define QUIC_SHORT_OF_MEMORY UINT64_MAX

struct quic_chunk {
	struct quic_chunk *next;
};

/* Octets of a received datagram; valid until the turn ends. */
struct quic_segment {
	const uint8_t *octets;
	uint64_t offset; /* in the stream */
	uint32_t length;
	uint32_t next; /* index plus one; 0: none */
};

/*
 * Where a chunk of received octets was found last (recv_buffer.c); never of one that has been given back. So before a buffer
 * goes to another endpoint quic_memory_forget() is called.
 */
struct quic_chunk_place {
	const void *buffer;
	uint64_t block;
	void *chunk;
};

struct quic_memory {
	struct base_pool *chunks;
	struct base_pool *streams;
	struct quic_chunk *stock;
	uint32_t stock_count;
	uint32_t stock_max; /* kept at the end of a turn */
	uint32_t reserved;  /* never more than stock_count */
	uint32_t segment_count;
	uint32_t segment_capacity;
	struct quic_segment *segments;
	uint64_t refused; /* octets not taken for want of memory, in frames */
	struct quic_chunk_place places[QUIC_CHUNK_PLACES];
};

/* A connection's received chunks, reserved ones included; `limit` binds what is out of order. */
struct quic_chunk_account {
	uint32_t used;
	uint32_t limit;
};

/* `segments` has room for `segment_capacity`; both pools and the array are borrowed. */
void quic_memory_init(struct quic_memory *memory, struct base_pool *chunks, struct base_pool *streams,
	struct quic_segment *segments, uint32_t segment_capacity, uint32_t stock_max);
/* Gives the stock back. */
void quic_memory_fini(struct quic_memory *memory);
/* All buffers have been settled: the descriptors are free again and the stock is cut to its size. */
void quic_memory_end_turn(struct quic_memory *memory);

/* A buffer goes to another endpoint: nothing of any buffer is remembered here any more. */
void quic_memory_forget(struct quic_memory *memory);

/* A chunk that nobody has reserved, or NULL. */
struct quic_chunk *quic_memory_take(struct quic_memory *memory);
void quic_memory_give(struct quic_memory *memory, struct quic_chunk *chunk);
/* Reserves `count` chunks and charges them to the account; false, and counted, when memory is short. */
bool quic_memory_reserve(
	struct quic_memory *memory, struct quic_chunk_account *account, uint32_t count, bool in_order);
/* A reserved chunk; stays charged to the account. */
struct quic_chunk *quic_memory_take_reserved(struct quic_memory *memory);
/* Gives reservations back that were not needed. */
void quic_memory_unreserve(struct quic_memory *memory, struct quic_chunk_account *account, uint32_t count);
/* Index plus one of a free descriptor; 0: none left this turn. */
uint32_t quic_memory_segment(struct quic_memory *memory);

#endif
