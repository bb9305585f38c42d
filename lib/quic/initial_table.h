/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A shard's bounded table from the client's destination connection ID and path to the connection's handle, for Initial and 0-RTT
 * packets, from the first Initial until the handshake is confirmed and 3 PTO have passed. Keyed by SipHash, so that no
 * client can crowd a bucket. An entry is 16 octets. Who inserted an entry keeps its key and removes it.
 */
#ifndef QUIC_INITIAL_TABLE_H
#define QUIC_INITIAL_TABLE_H

#include "base/datagram.h"
#include "quic/constants.h"
#include "quic/slot.h"

struct quic_table_entry {
	uint64_t key; /* 0: empty */
	struct quic_handle handle;
};

struct quic_table {
	struct quic_table_entry *entries;
	uint32_t mask; /* places - 1 */
	uint32_t count;
	uint32_t limit; /* entries at most: three quarters of the places */
	uint8_t hash_key[16];
};

/* Octets for a table that holds `limit` entries. */
size_t quic_table_memory_bytes(uint32_t limit);
void quic_table_init(struct quic_table *table, uint32_t limit, const uint8_t hash_key[16], void *memory);
/* False when the table is full. Two connections may have one key; both are kept. */
bool quic_table_insert(struct quic_table *table, uint64_t key, struct quic_handle handle);
/* The first entry of that key; false when there is none. The slot may have been freed since: compare the
 * generation with the ownership word. */
bool quic_table_find(const struct quic_table *table, uint64_t key, struct quic_handle *handle);
/* Removes the entry of that key and handle; false when there is none. */
bool quic_table_remove(struct quic_table *table, uint64_t key, struct quic_handle handle);
/* Asserts that every entry can be found. */
void quic_table_check(const struct quic_table *table);

/* Never 0. */
uint64_t quic_initial_key(const struct quic_table *table, const uint8_t *dcid, size_t dcid_length,
	const struct base_path *path);

#endif
