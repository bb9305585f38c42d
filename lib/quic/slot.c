/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/slot.h"

#include <string.h>

#include "base/assert.h"

/*
 * The word: generation 24, owner 12, state 4, link 24. The link is of no meaning but while the slot waits in a
 * chain of foreign free slots, where only the shard that holds the chain reads it.
 */
enum {
	GENERATION_SHIFT = 40,
	OWNER_SHIFT = 28,
	STATE_SHIFT = 24,
	CACHE_LINE = 64,
};

enum { LOW_MARK = 64, KEPT_MARKS = 2, LOOKS_REMEMBERED = 1024 };

#define LINK_NONE UINT32_C(0xffffff)

static uint64_t
word_of(uint32_t generation, uint16_t owner, enum quic_slot_state state, uint32_t link)
{
	return (uint64_t)generation << GENERATION_SHIFT | (uint64_t)owner << OWNER_SHIFT |
		(uint64_t)state << STATE_SHIFT | link;
}

static struct quic_slot_owner
owner_of(uint64_t word)
{
	return (struct quic_slot_owner){
		.generation = (uint32_t)(word >> GENERATION_SHIFT),
		.owner = (uint16_t)(word >> OWNER_SHIFT & 0xfff),
		.state = (enum quic_slot_state)(word >> STATE_SHIFT & 0xf),
	};
}

/* What the one who may write the word reads of it. */
static uint64_t
word_read(const struct quic_slots *slots, uint32_t slot)
{
	base_assert(slot < slots->count);
	return atomic_load_explicit(&slots->words[slot], memory_order_relaxed);
}

static void
word_write(struct quic_slots *slots, uint32_t slot, uint64_t word)
{
	atomic_store_explicit(&slots->words[slot], word, memory_order_release);
}

static size_t
round_up(size_t bytes)
{
	return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

/* The first slot at home at `shard`: the least whose home is not below it. */
static uint32_t
home_first(uint32_t count, uint16_t shards, uint32_t shard)
{
	return (uint32_t)(((uint64_t)shard * count + shards - 1) / shards);
}

uint16_t
quic_slots_home(const struct quic_slots *slots, uint32_t slot)
{
	return (uint16_t)((uint64_t)slot * slots->shards / slots->count);
}

size_t
quic_slots_memory_bytes(uint32_t count, uint16_t shards)
{
	size_t bytes = round_up(count * sizeof(uint64_t)) + shards * sizeof(struct quic_slot_shard);

	/* Lists of different shards share no cache line. */
	for (uint32_t shard = 0; shard < shards; shard++)
		bytes += round_up((home_first(count, shards, shard + 1) - home_first(count, shards, shard)) *
			sizeof(uint32_t));
	return bytes + quic_reset_table_memory_bytes((uint64_t)count * QUIC_PEER_IDS);
}

void
quic_slots_init(struct quic_slots *slots, const struct quic_slots_config *config, void *memory)
{
	uint8_t *at = memory;

	base_assert(config->count > 0 && config->count <= QUIC_SLOTS_MAX);
	base_assert(config->shards > 0 && config->shards <= QUIC_SHARDS_MAX);
	base_assert((config->count - 1) / config->region_slots < QUIC_SLOT_REGIONS_MAX);
	base_assert((uintptr_t)memory % CACHE_LINE == 0 && config->slot_bytes % CACHE_LINE == 0);
	memcpy(slots->regions, config->regions, sizeof(slots->regions));
	slots->region_slots = config->region_slots;
	slots->slot_bytes = config->slot_bytes;
	slots->count = config->count;
	slots->shards = config->shards;
	slots->words = (_Atomic uint64_t *)at;
	at += round_up(config->count * sizeof(uint64_t));
	slots->per_shard = (struct quic_slot_shard *)at;
	at += config->shards * sizeof(struct quic_slot_shard);
	for (uint32_t i = 0; i < config->shards; i++) {
		struct quic_slot_shard *shard = &slots->per_shard[i];
		uint32_t first = home_first(config->count, config->shards, i);
		uint32_t end = home_first(config->count, config->shards, i + 1);

		*shard = (struct quic_slot_shard){.home_free = (uint32_t *)at,
			.home_capacity = end - first,
			.foreign_first = BASE_SLOT_NONE};
		at += round_up((end - first) * sizeof(uint32_t));
		/* Highest first, so that the lowest is taken first. */
		for (uint32_t slot = end; slot > first; slot--) {
			shard->home_free[shard->home_count++] = slot - 1;
			atomic_init(
				&slots->words[slot - 1], word_of(0, (uint16_t)i, QUIC_SLOT_FREE, LINK_NONE));
		}
	}
	quic_reset_table_init(&slots->resets, (uint64_t)config->count * QUIC_PEER_IDS, at);
}

bool
quic_slots_owner(const struct quic_slots *slots, uint32_t slot, struct quic_slot_owner *owner)
{
	if (slot >= slots->count)
		return false;
	*owner = owner_of(atomic_load_explicit(&slots->words[slot], memory_order_acquire));
	return true;
}

bool
quic_slots_of_reset(const struct quic_slots *slots, uint64_t key, struct quic_handle *handle)
{
	struct quic_slot_owner owner;

	if (!quic_reset_table_find(&slots->resets, key, &handle->slot) ||
		!quic_slots_owner(slots, handle->slot, &owner) ||
		(owner.state != QUIC_SLOT_OWNED && owner.state != QUIC_SLOT_IN_TRANSIT))
		return false;
	handle->generation = owner.generation;
	return true;
}

static uint32_t
unchain(struct quic_slots *slots, struct quic_slot_shard *mine)
{
	uint32_t slot = mine->foreign_first, link = (uint32_t)word_read(slots, slot) & LINK_NONE;

	mine->foreign_first = link == LINK_NONE ? BASE_SLOT_NONE : link;
	mine->foreign_count--;
	return slot;
}

struct quic_handle
quic_slots_take(struct quic_slots *slots, uint16_t shard)
{
	struct quic_slot_shard *mine = &slots->per_shard[shard];
	uint32_t slot;

	base_assert(shard < slots->shards);
	if (mine->home_count > 0) {
		slot = mine->home_free[--mine->home_count];
	} else if (mine->foreign_first != BASE_SLOT_NONE) {
		slot = unchain(slots, mine);
	} else {
		mine->refused += mine->refused < LOW_MARK;
		atomic_store_explicit(&mine->wants, QUIC_SLOTS_NONE, memory_order_relaxed);
		return (struct quic_handle){.slot = BASE_SLOT_NONE};
	}
	mine->refused -= mine->refused > 0;
	return (struct quic_handle){.slot = slot, .generation = owner_of(word_read(slots, slot)).generation};
}

void
quic_slots_publish(struct quic_slots *slots, struct quic_handle handle, uint16_t shard)
{
	struct quic_slot_owner owner = owner_of(word_read(slots, handle.slot));

	base_assert(owner.state == QUIC_SLOT_FREE && owner.generation == handle.generation);
	word_write(slots, handle.slot, word_of(handle.generation, shard, QUIC_SLOT_OWNED, LINK_NONE));
}

/* Marks a slot free and then lists it with `shard`: at home in its array, else in its chain. */
static void
list_free(struct quic_slots *slots, uint32_t slot, uint32_t generation, uint16_t shard)
{
	struct quic_slot_shard *mine = &slots->per_shard[shard];
	uint32_t link = LINK_NONE;

	if (quic_slots_home(slots, slot) == shard) {
		word_write(slots, slot, word_of(generation, shard, QUIC_SLOT_FREE, link));
		base_assert(mine->home_count < mine->home_capacity);
		mine->home_free[mine->home_count++] = slot;
		return;
	}
	if (mine->foreign_first != BASE_SLOT_NONE)
		link = mine->foreign_first;
	word_write(slots, slot, word_of(generation, shard, QUIC_SLOT_FREE, link));
	mine->foreign_first = slot;
	mine->foreign_count++;
}

void
quic_slots_untake(struct quic_slots *slots, struct quic_handle handle, uint16_t shard)
{
	struct quic_slot_owner owner = owner_of(word_read(slots, handle.slot));

	base_assert(owner.state == QUIC_SLOT_FREE && owner.generation == handle.generation);
	list_free(slots, handle.slot, handle.generation, shard);
}

bool
quic_slots_free(struct quic_slots *slots, uint32_t slot, uint16_t shard)
{
	struct quic_slot_owner owner = owner_of(word_read(slots, slot));

	base_assert(owner.state == QUIC_SLOT_OWNED && owner.owner == shard);
	if (owner.generation == QUIC_SLOT_GENERATION_MAX) {
		quic_slots_retire(slots, slot, shard);
		return false;
	}
	list_free(slots, slot, owner.generation + 1, shard);
	return true;
}

void
quic_slots_retire(struct quic_slots *slots, uint32_t slot, uint16_t shard)
{
	struct quic_slot_owner owner = owner_of(word_read(slots, slot));

	base_assert(owner.state == QUIC_SLOT_OWNED && owner.owner == shard);
	word_write(slots, slot, word_of(owner.generation, shard, QUIC_SLOT_RETIRED, LINK_NONE));
}

void
quic_slots_grant(struct quic_slots *slots, uint32_t slot, uint16_t from, uint16_t to)
{
	struct quic_slot_owner owner = owner_of(word_read(slots, slot));

	base_assert(owner.state == QUIC_SLOT_OWNED && owner.owner == from && to < slots->shards);
	word_write(slots, slot, word_of(owner.generation, to, QUIC_SLOT_IN_TRANSIT, LINK_NONE));
}

void
quic_slots_attach(struct quic_slots *slots, uint32_t slot, uint16_t shard)
{
	/* Acquire: what the last owner wrote in the slot must be seen before it is touched. */
	struct quic_slot_owner owner =
		owner_of(atomic_load_explicit(&slots->words[slot], memory_order_acquire));

	base_assert(owner.state == QUIC_SLOT_IN_TRANSIT && owner.owner == shard);
	word_write(slots, slot, word_of(owner.generation, shard, QUIC_SLOT_OWNED, LINK_NONE));
}

uint32_t
quic_slots_free_count(const struct quic_slots *slots, uint16_t shard)
{
	return slots->per_shard[shard].home_count + slots->per_shard[shard].foreign_count;
}

/* ---- free slots go where they are needed ---- */

/* Below this a shard wants some: what it may use up until somebody has looked, and half of its share at most. */
static uint32_t
low_mark(const struct quic_slot_shard *shard)
{
	return shard->home_capacity / 2 < LOW_MARK ? shard->home_capacity / 2 : LOW_MARK;
}

/* Who has had to refuse some wants as many for when they come back. */
static bool
is_short(const struct quic_slot_shard *mine, uint32_t free)
{
	return free < mine->refused;
}

static void
say_what_is_wanted(struct quic_slot_shard *mine, uint32_t free)
{
	uint32_t wants = is_short(mine, free) ? QUIC_SLOTS_NONE
		: free < low_mark(mine)       ? QUIC_SLOTS_LOW
					      : QUIC_SLOTS_ENOUGH;

	atomic_store_explicit(&mine->wants, wants, memory_order_relaxed);
}

/* How many of `free` a shard gives to one that wants so. */
static uint32_t
spared(const struct quic_slot_shard *mine, uint32_t free, uint32_t wants)
{
	/* Two that are short do not pass the last ones to and fro. */
	if (is_short(mine, free))
		return 0;
	if (wants == QUIC_SLOTS_NONE)
		return free;
	return wants == QUIC_SLOTS_LOW && free > low_mark(mine) ? (free - low_mark(mine) + 1) / 2 : 0;
}

/* A shard that wants some, and how many it is to get; it is answered by us alone, and says again what it wants when they are there. */
static uint32_t
find_who_wants(struct quic_slots *slots, uint16_t shard, uint32_t free, uint16_t *to)
{
	struct quic_slot_shard *mine = &slots->per_shard[shard];

	for (uint32_t i = 1; i < slots->shards; i++) {
		uint16_t other = (uint16_t)((shard + i) % slots->shards);
		_Atomic uint32_t *wants = &slots->per_shard[other].wants;
		uint32_t wanted = atomic_load_explicit(wants, memory_order_relaxed);
		uint32_t count = spared(mine, free, wanted);

		if (count == 0 ||
			!atomic_compare_exchange_strong_explicit(wants, &wanted, QUIC_SLOTS_ENOUGH,
				memory_order_relaxed, memory_order_relaxed))
			continue;
		*to = other;
		return count;
	}
	return 0;
}

uint32_t
quic_slots_surplus(struct quic_slots *slots, uint16_t shard, uint16_t *to, uint32_t *numbers, uint32_t room)
{
	struct quic_slot_shard *mine = &slots->per_shard[shard];
	uint32_t free = quic_slots_free_count(slots, shard), count = 0, wanted, kept;

	/* Who does not come back for long is forgotten. */
	if (mine->refused > 0 && ++mine->looks % LOOKS_REMEMBERED == 0)
		mine->refused--;
	say_what_is_wanted(mine, free);
	wanted = find_who_wants(slots, shard, free, to);
	while (count < room && count < wanted)
		numbers[count++] =
			mine->foreign_count > 0 ? unchain(slots, mine) : mine->home_free[--mine->home_count];
	if (count > 0)
		return count;
	/* What keeps us above the mark for a while stays. */
	kept = KEPT_MARKS * low_mark(mine) + mine->refused;
	while (count < room && mine->foreign_count > 0 && free - count > kept) {
		if (count == 0)
			*to = quic_slots_home(slots, mine->foreign_first);
		else if (quic_slots_home(slots, mine->foreign_first) != *to)
			break;
		numbers[count++] = unchain(slots, mine);
	}
	return count;
}

void
quic_slots_come(struct quic_slots *slots, uint16_t shard, const uint32_t *numbers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct quic_slot_owner owner = owner_of(word_read(slots, numbers[i]));

		base_assert(owner.state == QUIC_SLOT_FREE);
		list_free(slots, numbers[i], owner.generation, shard);
	}
	say_what_is_wanted(&slots->per_shard[shard], quic_slots_free_count(slots, shard));
}

void
quic_slots_check(const struct quic_slots *slots, uint16_t shard)
{
	const struct quic_slot_shard *mine = &slots->per_shard[shard];
	uint32_t foreign = 0;

	base_assert(mine->home_count <= mine->home_capacity);
	for (uint32_t i = 0; i < mine->home_count; i++) {
		base_assert(quic_slots_home(slots, mine->home_free[i]) == shard);
		base_assert(owner_of(word_read(slots, mine->home_free[i])).state == QUIC_SLOT_FREE);
	}
	for (uint32_t slot = mine->foreign_first; slot != BASE_SLOT_NONE && slot != LINK_NONE; foreign++) {
		uint64_t word = word_read(slots, slot);

		base_assert(owner_of(word).state == QUIC_SLOT_FREE && quic_slots_home(slots, slot) != shard);
		base_assert(foreign < mine->foreign_count);
		slot = (uint32_t)word & LINK_NONE;
	}
	base_assert(foreign == mine->foreign_count);
}
