/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From the stateless reset tokens that peers gave for connection IDs in use (RFC 9000 section 10.3.1) to the slot of the connection. There is one
 * table for all shards: a reset carries no connection ID of ours, so it may come to any of them, and whoever receives it
 * looks here and hands it to the slot's owner. An entry names a slot, not a shard, so it stays as it is when the connection moves.
 *
 * An entry is one atomic word: 40 bits of the key and the slot's number. Only the slot's owner inserts and removes its entries,
 * everybody reads; an owner looks for a free word and takes it by compare and exchange, since the owners of other slots may want the same.
 * No key is found by 40 bits alone: the owner compares all 64 (struct quic_peer_id). The key is SipHash of the token under a
 * key of the site, so that no peer can crowd a bucket, and no time says anything about a token.
 */
#ifndef QUIC_RESET_TABLE_H
#define QUIC_RESET_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/constants.h"

enum { QUIC_RESET_BUCKET = 8 }; /* words in a cache line; a key has two of them */

struct quic_reset_table {
	_Atomic uint64_t *words; /* 0: free */
	uint32_t buckets;
};

/* Octets, aligned to 64, for a table of at most `entries`. */
size_t quic_reset_table_memory_bytes(uint64_t entries);
void quic_reset_table_init(struct quic_reset_table *table, uint64_t entries, void *memory);
/* The key of a token, never 0. */
uint64_t quic_reset_key(const uint8_t hash_key[16], const uint8_t token[QUIC_RESET_TOKEN_BYTES]);
/* False when both buckets are full, or the key is there already: one token is for one connection. */
bool quic_reset_table_insert(struct quic_reset_table *table, uint64_t key, uint32_t slot);
/* A slot that may have this key; false when there is none. For any shard. */
bool quic_reset_table_find(const struct quic_reset_table *table, uint64_t key, uint32_t *slot);
/* By the owner of the slot; what is not there is left alone. */
void quic_reset_table_remove(struct quic_reset_table *table, uint64_t key, uint32_t slot);
/* Entries now, for tests; all shards must stand still. */
uint64_t quic_reset_table_count(const struct quic_reset_table *table);

#endif
