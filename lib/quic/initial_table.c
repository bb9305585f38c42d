/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/initial_table.h"

#include "base/assert.h"
#include "base/random.h"

static uint32_t
places_for(uint32_t limit)
{
	uint32_t places = 4;

	base_assert(limit > 0 && limit <= UINT32_C(1) << 28);
	while (places / 4 * 3 < limit)
		places *= 2;
	return places;
}

size_t
quic_table_memory_bytes(uint32_t limit)
{
	return (size_t)places_for(limit) * sizeof(struct quic_table_entry);
}

void
quic_table_init(struct quic_table *table, uint32_t limit, const uint8_t hash_key[16], void *memory)
{
	table->entries = memory;
	table->mask = places_for(limit) - 1;
	table->count = 0;
	table->limit = limit;
	memcpy(table->hash_key, hash_key, sizeof(table->hash_key));
	memset(memory, 0, quic_table_memory_bytes(limit));
}

bool
quic_table_insert(struct quic_table *table, uint64_t key, struct quic_handle handle)
{
	uint32_t at = (uint32_t)key & table->mask;

	base_assert(key != 0);
	if (table->count == table->limit)
		return false;
	while (table->entries[at].key != 0)
		at = (at + 1) & table->mask;
	table->entries[at] = (struct quic_table_entry){.key = key, .handle = handle};
	table->count++;
	return true;
}

bool
quic_table_find(const struct quic_table *table, uint64_t key, struct quic_handle *handle)
{
	uint32_t at = (uint32_t)key & table->mask;

	for (; table->entries[at].key != 0; at = (at + 1) & table->mask) {
		if (table->entries[at].key == key) {
			*handle = table->entries[at].handle;
			return true;
		}
	}
	return false;
}

/* Fills the hole with the next entry that may stand there, and so on, so that no search ends too early. */
static void
close_hole(struct quic_table *table, uint32_t hole)
{
	for (uint32_t at = (hole + 1) & table->mask; table->entries[at].key != 0;
		at = (at + 1) & table->mask) {
		uint32_t wanted = (uint32_t)table->entries[at].key & table->mask;

		if (((at - wanted) & table->mask) >= ((at - hole) & table->mask)) {
			table->entries[hole] = table->entries[at];
			hole = at;
		}
	}
	table->entries[hole].key = 0;
}

bool
quic_table_remove(struct quic_table *table, uint64_t key, struct quic_handle handle)
{
	uint32_t at = (uint32_t)key & table->mask;

	for (; table->entries[at].key != 0; at = (at + 1) & table->mask) {
		const struct quic_table_entry *entry = &table->entries[at];

		if (entry->key == key && entry->handle.slot == handle.slot &&
			entry->handle.generation == handle.generation) {
			close_hole(table, at);
			table->count--;
			return true;
		}
	}
	return false;
}

void
quic_table_check(const struct quic_table *table)
{
	struct quic_handle handle;
	uint32_t count = 0;

	for (uint32_t at = 0; at <= table->mask; at++) {
		if (table->entries[at].key == 0)
			continue;
		base_assert(quic_table_find(table, table->entries[at].key, &handle));
		count++;
	}
	base_assert(count == table->count && count <= table->limit);
}

uint64_t
quic_initial_key(
	const struct quic_table *table, const uint8_t *dcid, size_t dcid_length, const struct base_path *path)
{
	uint8_t octets[QUIC_CID_MAX_BYTES + 2 * (16 + 2)];
	size_t length = dcid_length;
	uint64_t key;

	base_assert(dcid_length <= QUIC_CID_MAX_BYTES);
	if (dcid_length > 0)
		memcpy(octets, dcid, dcid_length);
	/* Member by member: a structure may have octets between its members. */
	memcpy(octets + length, path->local.ip, 16);
	memcpy(octets + length + 16, &path->local.port, 2);
	memcpy(octets + length + 18, path->remote.ip, 16);
	memcpy(octets + length + 34, &path->remote.port, 2);
	key = base_siphash(table->hash_key, octets, length + 36);
	return key != 0 ? key : 1;
}
