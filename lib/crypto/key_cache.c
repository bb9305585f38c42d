/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/key_cache.h"

#include <string.h>

#include "base/assert.h"

#define INDEX_BITS 24
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)
#define NO_ENTRY UINT32_MAX
/*
 * Second chances taken away at one eviction. Without a bound, one packet would pay for a walk over the whole
 * cache whenever every entry was in use since the last round.
 */
#define CHANCES_PER_EVICTION 16

/* Followed by the expanded mask key and the expanded AEAD key. */
struct entry {
	uint64_t stamp; /* of this filling; it also changes when the entry is dropped */
	uint64_t burst; /* the last one that used it */
	struct crypto_hot_keys hot;
	uint32_t next_free;
	bool referenced; /* used since the hand last came by */
};

struct crypto_key_cache {
	struct crypto_backend *backend;
	uint8_t *entries;
	size_t entry_bytes;
	uint32_t count;
	uint32_t hand;
	uint32_t first_free;
	uint64_t burst;
	uint64_t counters[CRYPTO_KEY_CACHE_COUNTER_COUNT];
};

const char *const crypto_key_cache_counter_names[CRYPTO_KEY_CACHE_COUNTER_COUNT] = {
	[CRYPTO_KEY_CACHE_HIT] = "key_cache_hit",
	[CRYPTO_KEY_CACHE_MISS] = "key_cache_miss",
	[CRYPTO_KEY_CACHE_EVICTION] = "key_cache_eviction",
	[CRYPTO_KEY_CACHE_FULL] = "key_cache_full",
};

static size_t
aligned(size_t bytes)
{
	return (bytes + CRYPTO_ALIGNMENT - 1) / CRYPTO_ALIGNMENT * CRYPTO_ALIGNMENT;
}

static size_t
mask_offset(void)
{
	return aligned(sizeof(struct entry));
}

/* Room for the largest AEAD in every entry: which one a connection has is the peer's choice. */
static size_t
key_offset(const struct crypto_backend *backend)
{
	size_t bytes = 0;

	for (int i = 0; i < CRYPTO_AEAD_COUNT; i++)
		bytes = backend->mask_key_bytes[i] > bytes ? backend->mask_key_bytes[i] : bytes;
	return mask_offset() + aligned(bytes);
}

static size_t
entry_bytes(const struct crypto_backend *backend)
{
	size_t bytes = 0;

	for (int i = 0; i < CRYPTO_AEAD_COUNT; i++)
		bytes = backend->aead_key_bytes[i] > bytes ? backend->aead_key_bytes[i] : bytes;
	return key_offset(backend) + aligned(bytes);
}

static struct entry *
entry_at(const struct crypto_key_cache *cache, uint32_t index)
{
	return (struct entry *)(void *)(cache->entries + index * cache->entry_bytes);
}

/* The handle's entry, if it is still filled with what the handle stands for. */
static struct entry *
entry_of(const struct crypto_key_cache *cache, const struct crypto_key_handle *handle)
{
	uint64_t index = handle->value & INDEX_MASK;
	struct entry *entry;

	if (handle->value == 0 || index >= cache->count)
		return NULL;
	entry = entry_at(cache, (uint32_t)index);
	return entry->stamp == handle->value >> INDEX_BITS ? entry : NULL;
}

size_t
crypto_key_cache_bytes(const struct crypto_backend *backend, uint32_t entries)
{
	return aligned(sizeof(struct crypto_key_cache)) + entries * entry_bytes(backend);
}

struct crypto_key_cache *
crypto_key_cache_open(void *memory, struct crypto_backend *backend, uint32_t entries)
{
	struct crypto_key_cache *cache = memory;

	base_assert((uintptr_t)memory % CRYPTO_ALIGNMENT == 0);
	base_assert(entries >= 1 && entries <= INDEX_MASK);
	memset(cache, 0, sizeof(*cache));
	cache->backend = backend;
	cache->entries = (uint8_t *)memory + aligned(sizeof(*cache));
	cache->entry_bytes = entry_bytes(backend);
	cache->count = entries;
	cache->burst = 1;
	for (uint32_t i = 0; i < entries; i++) {
		struct entry *entry = entry_at(cache, i);

		*entry = (struct entry){.next_free = i + 1 < entries ? i + 1 : NO_ENTRY};
		entry->hot.mask = (uint8_t *)entry + mask_offset();
		entry->hot.key = (uint8_t *)entry + key_offset(backend);
	}
	return cache;
}

void
crypto_key_cache_close(struct crypto_key_cache *cache)
{
	crypto_wipe(cache->entries, cache->count * cache->entry_bytes);
	crypto_wipe(cache, sizeof(*cache));
}

void
crypto_key_cache_begin_burst(struct crypto_key_cache *cache)
{
	cache->burst++;
}

const struct crypto_hot_keys *
crypto_key_cache_find(struct crypto_key_cache *cache, const struct crypto_key_handle *handle)
{
	struct entry *entry = entry_of(cache, handle);

	if (entry == NULL) {
		cache->counters[CRYPTO_KEY_CACHE_MISS]++;
		return NULL;
	}
	cache->counters[CRYPTO_KEY_CACHE_HIT]++;
	entry->burst = cache->burst;
	entry->referenced = true;
	return &entry->hot;
}

/* The hand's next entry that may go, NO_ENTRY if the current burst uses them all. */
static uint32_t
evict(struct crypto_key_cache *cache)
{
	uint32_t chances = 0;

	/* Twice round is enough: the first round takes away what chances there are. */
	for (uint64_t steps = 0; steps < 2 * (uint64_t)cache->count; steps++) {
		uint32_t index = cache->hand;
		struct entry *entry = entry_at(cache, index);

		cache->hand = index + 1 < cache->count ? index + 1 : 0;
		if (entry->burst == cache->burst)
			continue;
		if (entry->referenced && chances < CHANCES_PER_EVICTION) {
			entry->referenced = false;
			chances++;
			continue;
		}
		cache->counters[CRYPTO_KEY_CACHE_EVICTION]++;
		return index;
	}
	return NO_ENTRY;
}

/* Stamps are 40 bits, never 0: an old handle finds a later filling once in 2^40 of them. */
static void
restamp(struct entry *entry)
{
	entry->stamp = (entry->stamp + 1) & (UINT64_MAX >> INDEX_BITS);
	if (entry->stamp == 0)
		entry->stamp = 1;
}

/* An entry of its own for the handle, whose keys are not written yet; NULL if there is none. */
static struct entry *
take(struct crypto_key_cache *cache, struct crypto_key_handle *handle)
{
	uint32_t index = cache->first_free;
	struct entry *entry;

	if (index != NO_ENTRY) {
		cache->first_free = entry_at(cache, index)->next_free;
	} else {
		index = evict(cache);
		if (index == NO_ENTRY) {
			cache->counters[CRYPTO_KEY_CACHE_FULL]++;
			return NULL;
		}
	}
	entry = entry_at(cache, index);
	restamp(entry);
	entry->burst = cache->burst;
	entry->referenced = true;
	handle->value = entry->stamp << INDEX_BITS | index;
	return entry;
}

static void
fill(struct crypto_key_cache *cache, struct entry *entry, const struct crypto_packet_keys *keys,
	const uint8_t *hp)
{
	enum crypto_aead aead = keys->aead;

	entry->hot.aead = keys->aead;
	memcpy(entry->hot.iv, keys->iv, sizeof(entry->hot.iv));
	crypto_expand_key(cache->backend, aead, keys->key, (uint8_t *)entry + key_offset(cache->backend));
	crypto_expand_mask_key(cache->backend, aead, hp, (uint8_t *)entry + mask_offset());
}

const struct crypto_hot_keys *
crypto_key_cache_get(struct crypto_key_cache *cache, struct crypto_key_handle *handle,
	const struct crypto_packet_keys *keys)
{
	const struct crypto_hot_keys *hot = crypto_key_cache_find(cache, handle);
	struct entry *entry;

	if (hot != NULL)
		return hot;
	entry = take(cache, handle);
	if (entry == NULL)
		return NULL;
	fill(cache, entry, keys, keys->hp);
	return &entry->hot;
}

const struct crypto_hot_keys *
crypto_key_cache_get_derived(struct crypto_key_cache *cache, struct crypto_key_handle *handle,
	enum crypto_aead aead, const uint8_t *secret, const uint8_t *hp)
{
	const struct crypto_hot_keys *hot = crypto_key_cache_find(cache, handle);
	struct crypto_packet_keys keys;
	struct entry *entry;

	if (hot != NULL)
		return hot;
	entry = take(cache, handle);
	if (entry == NULL)
		return NULL;
	crypto_packet_keys_derive_key(cache->backend, aead, secret, &keys);
	fill(cache, entry, &keys, hp);
	crypto_wipe(&keys, sizeof(keys));
	return &entry->hot;
}

void
crypto_key_cache_drop(struct crypto_key_cache *cache, struct crypto_key_handle *handle)
{
	struct entry *entry = entry_of(cache, handle);

	if (entry != NULL) {
		crypto_wipe((uint8_t *)entry + mask_offset(), cache->entry_bytes - mask_offset());
		crypto_wipe(entry->hot.iv, sizeof(entry->hot.iv));
		restamp(entry);
		entry->referenced = false;
		entry->next_free = cache->first_free;
		cache->first_free = (uint32_t)(handle->value & INDEX_MASK);
	}
	handle->value = 0;
}

const uint64_t *
crypto_key_cache_counters(const struct crypto_key_cache *cache)
{
	return cache->counters;
}
