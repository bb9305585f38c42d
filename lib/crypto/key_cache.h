/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The expanded keys of hot connections. An expanded key takes about 1 KB and an idle connection must not, so a
 * shard has a fixed number of entries, in memory given at start, and a connection has a handle of 8 octets per
 * direction. The entry behind a handle may be taken away at any time (second chance), except in the burst that
 * asked for it: what crypto_key_cache_get() returned stays valid until crypto_key_cache_begin_burst().
 *
 * Handles are of one cache. The owner drops them when keys change (key update, key discard), when the
 * connection moves to another shard, and when it ends; a handle of zero is of nothing.
 */
#ifndef CRYPTO_KEY_CACHE_H
#define CRYPTO_KEY_CACHE_H

#include "crypto/crypto.h"
#include "crypto/keys.h"

/* Index of the entry and stamp of its filling; a stale one finds nothing. */
struct crypto_key_handle {
	uint64_t value;
};

/* What a job needs of one direction; owned by the cache. */
struct crypto_hot_keys {
	const void *key;  /* expanded, for crypto_job */
	const void *mask; /* expanded, for crypto_mask_job */
	uint8_t aead;     /* enum crypto_aead */
	uint8_t iv[CRYPTO_NONCE_BYTES];
};

/* Values since the start, written by the owning shard. */
enum crypto_key_cache_counter {
	CRYPTO_KEY_CACHE_HIT,
	CRYPTO_KEY_CACHE_MISS,
	CRYPTO_KEY_CACHE_EVICTION,
	CRYPTO_KEY_CACHE_FULL, /* every entry is used by the current burst */
	CRYPTO_KEY_CACHE_COUNTER_COUNT
};
extern const char *const crypto_key_cache_counter_names[CRYPTO_KEY_CACHE_COUNTER_COUNT];

struct crypto_key_cache;

/* Entries: 1 to 2^24 - 1, and at least as many as a burst has different keys. */
size_t crypto_key_cache_bytes(const struct crypto_backend *backend, uint32_t entries);
/* `memory` has crypto_key_cache_bytes() octets, aligned to CRYPTO_ALIGNMENT. The backend must outlive the cache. */
struct crypto_key_cache *crypto_key_cache_open(
	void *memory, struct crypto_backend *backend, uint32_t entries);
/* Wipes all keys. The memory stays the caller's. */
void crypto_key_cache_close(struct crypto_key_cache *cache);

/* Before each burst: entries used by the last one may be evicted from here on. */
void crypto_key_cache_begin_burst(struct crypto_key_cache *cache);

/* The keys if they are still here, else NULL; both outcomes are counted. */
const struct crypto_hot_keys *crypto_key_cache_find(
	struct crypto_key_cache *cache, const struct crypto_key_handle *handle);

/*
 * Finds the keys, or expands them into an entry and writes its handle. NULL if every entry is used by the
 * current burst: run what there is of the burst, begin another and ask again.
 */
const struct crypto_hot_keys *crypto_key_cache_get(struct crypto_key_cache *cache,
	struct crypto_key_handle *handle, const struct crypto_packet_keys *keys);

/*
 * The same for a connection that keeps no more than a secret and the header-protection key: after an eviction
 * key and IV are derived from the secret again (crypto_secret_bytes(aead) octets; `hp` crypto_key_bytes(aead)).
 */
const struct crypto_hot_keys *crypto_key_cache_get_derived(struct crypto_key_cache *cache,
	struct crypto_key_handle *handle, enum crypto_aead aead, const uint8_t *secret, const uint8_t *hp);

/* Wipes the entry, if it is still the handle's, and zeroes the handle. Not while a burst refers to the keys. */
void crypto_key_cache_drop(struct crypto_key_cache *cache, struct crypto_key_handle *handle);

/* [CRYPTO_KEY_CACHE_COUNTER_COUNT] */
const uint64_t *crypto_key_cache_counters(const struct crypto_key_cache *cache);

#endif
