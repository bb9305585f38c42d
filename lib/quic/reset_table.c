/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/reset_table.h"

#include "base/assert.h"
#include "base/random.h"

enum { SLOT_BITS = 24, PLACES_PER_ENTRY = 2 };

#define SLOT_MASK ((UINT64_C(1) << SLOT_BITS) - 1)

static uint32_t
buckets_for(uint64_t entries)
{
	uint64_t buckets = (entries * PLACES_PER_ENTRY + QUIC_RESET_BUCKET - 1) / QUIC_RESET_BUCKET;

	base_assert(entries > 0 && buckets <= UINT32_MAX);
	return (uint32_t)buckets;
}

size_t
quic_reset_table_memory_bytes(uint64_t entries)
{
	return (size_t)buckets_for(entries) * QUIC_RESET_BUCKET * sizeof(uint64_t);
}

void
quic_reset_table_init(struct quic_reset_table *table, uint64_t entries, void *memory)
{
	base_assert((uintptr_t)memory % 64 == 0);
	table->words = memory;
	table->buckets = buckets_for(entries);
	for (size_t i = 0; i < (size_t)table->buckets * QUIC_RESET_BUCKET; i++)
		atomic_init(&table->words[i], 0);
}

uint64_t
quic_reset_key(const uint8_t hash_key[16], const uint8_t token[QUIC_RESET_TOKEN_BYTES])
{
	uint64_t key = base_siphash(hash_key, token, QUIC_RESET_TOKEN_BYTES);

	return key != 0 ? key : 1;
}

/* Never 0, whatever the slot. */
static uint64_t
word_of(uint64_t key, uint32_t slot)
{
	base_assert(slot <= SLOT_MASK);
	return ((key | UINT64_C(1) << SLOT_BITS) & ~SLOT_MASK) | slot;
}

static bool
same_key(uint64_t word, uint64_t key)
{
	return word != 0 && (word & ~SLOT_MASK) == word_of(key, 0);
}

/* The first or second bucket of a key, by its upper half or by all of it mixed. */
static _Atomic uint64_t *
bucket_of(const struct quic_reset_table *table, uint64_t key, unsigned which)
{
	uint64_t hash = which == 0 ? key >> 32 : key * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	return &table->words[(hash * table->buckets >> 32) * QUIC_RESET_BUCKET];
}

static bool
take_free(_Atomic uint64_t *bucket, uint64_t word)
{
	for (unsigned i = 0; i < QUIC_RESET_BUCKET; i++) {
		uint64_t none = 0;

		if (atomic_compare_exchange_strong_explicit(
			    &bucket[i], &none, word, memory_order_release, memory_order_relaxed))
			return true;
	}
	return false;
}

bool
quic_reset_table_insert(struct quic_reset_table *table, uint64_t key, uint32_t slot)
{
	uint64_t word = word_of(key, slot);
	uint32_t other;

	return !quic_reset_table_find(table, key, &other) &&
		(take_free(bucket_of(table, key, 0), word) || take_free(bucket_of(table, key, 1), word));
}

bool
quic_reset_table_find(const struct quic_reset_table *table, uint64_t key, uint32_t *slot)
{
	for (unsigned i = 0; i < 2 * QUIC_RESET_BUCKET; i++) {
		uint64_t word = atomic_load_explicit(
			&bucket_of(table, key, i / QUIC_RESET_BUCKET)[i % QUIC_RESET_BUCKET],
			memory_order_acquire);

		if (!same_key(word, key))
			continue;
		*slot = (uint32_t)(word & SLOT_MASK);
		return true;
	}
	return false;
}

void
quic_reset_table_remove(struct quic_reset_table *table, uint64_t key, uint32_t slot)
{
	for (unsigned i = 0; i < 2 * QUIC_RESET_BUCKET; i++) {
		_Atomic uint64_t *word = &bucket_of(table, key, i / QUIC_RESET_BUCKET)[i % QUIC_RESET_BUCKET];

		if (atomic_load_explicit(word, memory_order_relaxed) != word_of(key, slot))
			continue;
		atomic_store_explicit(word, 0, memory_order_release);
		return;
	}
}

uint64_t
quic_reset_table_count(const struct quic_reset_table *table)
{
	uint64_t count = 0;

	for (size_t i = 0; i < (size_t)table->buckets * QUIC_RESET_BUCKET; i++)
		count += atomic_load_explicit(&table->words[i], memory_order_relaxed) != 0;
	return count;
}
