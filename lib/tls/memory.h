/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory of wolfSSL. The library allocates through process-wide functions; behind them each shard has its own
 * struct tls_memory: size classes with free lists over one piece of memory taken at start. Each context and each
 * session is promised its share of it when it is opened, and refused when there is none left. What the pool
 * cannot give in spite of that (many sizes at once) comes from the heap, up to a limit, and is counted; beyond it
 * the allocation fails and the handshake with it. Threads that have bound none (start-up, tools) use the heap and
 * count in no one's numbers.
 *
 * A block goes back to the memory it came from. One thread at a time may use a memory: the thread that has it
 * bound, or whoever closes sessions and contexts after that thread has ended.
 */
#ifndef TLS_MEMORY_H
#define TLS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct tls_memory;

struct tls_memory_counters {
	uint64_t allocations; /* since the start */
	uint64_t refused;     /* neither the pool nor the heap had room */
	uint64_t blocks_in_use;
	uint64_t bytes_in_use; /* as rounded up to size classes */
	uint64_t bytes_in_use_peak;
	uint64_t
		heap_extents; /* pieces that had to come from the heap; they stay until the memory is closed */
	uint64_t heap_bytes;
};

/* The shares: measured peaks, rounded up (54 KB with X25519MLKEM768 and the longest ClientHello; 39 KB usually). */
enum {
	TLS_MEMORY_HANDSHAKE_BYTES = 57344, /* with the default limit of messages; see tls_memory_share() */
	TLS_MEMORY_CONTEXT_BYTES = 32768,
	TLS_MEMORY_CLIENT_CONTEXT_BYTES = 524288 /* with the system's CA certificates */
};

/* What one handshake of a server is promised under tls_settings.message_max_bytes, 0 for the default. */
size_t tls_memory_share(uint32_t message_max_bytes);

/*
 * `octets` (aligned to 64) is the caller's and outlives the memory; NULL takes it from the heap here, once.
 * `heap_max_bytes` bounds the fallback. NULL when there is not even room for the book-keeping.
 */
struct tls_memory *tls_memory_open(void *octets, size_t bytes, size_t heap_max_bytes);
/* Every block is back. */
void tls_memory_close(struct tls_memory *memory);
/* Makes it the calling thread's; NULL unbinds. Returns the one that was. */
struct tls_memory *tls_memory_bind(struct tls_memory *memory);
const struct tls_memory_counters *tls_memory_counters(const struct tls_memory *memory);

#endif
