/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The slot table: connections live in slots, one table for all shards. A slot has one owner, and only the owner
 * touches it. Who that is says one 64-bit atomic word per slot, in an array apart from the slots: only the owner
 * writes it (release), anyone reads it (acquire). Free slots are numbers in per-shard arrays; a shard's array
 * holds the slots whose home it is, and free slots of other homes wait in a chain through their words.
 *
 * Free slots go from shard to shard in bursts, by messages, so that the share of one is not the limit of the connections there: a shard that
 * has few left says so in a word that all may read, and the next one that looks and has some to spare gives it a burst. Who has had to refuse a
 * connection gets what another has left, however little that is. Free slots of other homes that are not needed go home.
 *
 * Taking: quic_slots_take(), initialise the slot, quic_slots_publish(). Freeing, at the end of a turn only:
 * quic_slots_free(), which raises the generation, marks the word free, then lists the slot. A slot whose
 * generation would wrap is retired: it is not used again in this epoch, so that no connection ID comes twice.
 */
#ifndef QUIC_SLOT_H
#define QUIC_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/datagram.h"
#include "quic/reset_table.h"

enum {
	QUIC_SLOT_REGIONS_MAX = 8,
	QUIC_SHARDS_MAX = 4096, /* 12 bits of a connection ID */
};

#define QUIC_SLOTS_MAX UINT32_C(0xffffff) /* 24 bits, less the reserved number "none" */
#define QUIC_SLOT_GENERATION_MAX UINT32_C(0xffffff)

enum quic_slot_state { QUIC_SLOT_FREE, QUIC_SLOT_OWNED, QUIC_SLOT_IN_TRANSIT, QUIC_SLOT_RETIRED };

/* What an ownership word says. */
struct quic_slot_owner {
	uint32_t generation;
	uint16_t owner; /* shard */
	enum quic_slot_state state;
};

/* Names a connection for as long as it lives and never another; survives a move to another shard. */
struct quic_handle {
	uint32_t slot; /* BASE_SLOT_NONE: none */
	uint32_t generation;
};

enum quic_slot_want { QUIC_SLOTS_ENOUGH, QUIC_SLOTS_LOW, QUIC_SLOTS_NONE };

struct quic_slot_shard {
	_Alignas(64) uint32_t *home_free; /* numbers of free slots at home here */
	uint32_t home_count;
	uint32_t home_capacity;
	uint32_t foreign_first; /* chain of free slots of other homes, or BASE_SLOT_NONE */
	uint32_t foreign_count;
	uint32_t refused; /* connections that found no slot, and may come back; at most 64 */
	uint32_t looks;   /* of quic_slots_surplus() */
	_Alignas(64) _Atomic uint32_t
		wants; /* enum quic_slot_want: set by the shard, taken back by who gives */
};

struct quic_slots {
	uint8_t *regions[QUIC_SLOT_REGIONS_MAX]; /* slot memory, one region per CPU socket */
	uint32_t region_slots;
	uint32_t slot_bytes;
	uint32_t count;
	uint16_t shards;
	_Atomic uint64_t *words;
	struct quic_slot_shard *per_shard;
	struct quic_reset_table resets; /* tokens of peers, for connections in these slots */
};

struct quic_slots_config {
	uint32_t count;
	uint32_t slot_bytes;   /* a multiple of 64 */
	uint32_t region_slots; /* slots in each region; count for a single one */
	uint16_t shards;
	uint8_t *regions[QUIC_SLOT_REGIONS_MAX]; /* 64-aligned, region_slots * slot_bytes each; borrowed */
};

/* Octets of words, free lists and the table of reset tokens, to be given to quic_slots_init() aligned to 64. */
size_t quic_slots_memory_bytes(uint32_t count, uint16_t shards);
void quic_slots_init(struct quic_slots *slots, const struct quic_slots_config *config, void *memory);

static inline void *
quic_slots_at(const struct quic_slots *slots, uint32_t slot)
{
	if (slot < slots->region_slots)
		return slots->regions[0] + (size_t)slot * slots->slot_bytes;
	return slots->regions[slot / slots->region_slots] +
		(size_t)(slot % slots->region_slots) * slots->slot_bytes;
}

/* Reads a slot's word; any shard may. False for a number that is no slot. */
bool quic_slots_owner(const struct quic_slots *slots, uint32_t slot, struct quic_slot_owner *owner);

/*
 * The connection that a reset token with this key may be of (quic_reset_key()); false: none lives. Any shard may ask; whether
 * the key is the connection's knows its owner.
 */
bool quic_slots_of_reset(const struct quic_slots *slots, uint64_t key, struct quic_handle *handle);

/* A free slot for `shard`, not yet visible: handle.slot is BASE_SLOT_NONE when there is none. */
struct quic_handle quic_slots_take(struct quic_slots *slots, uint16_t shard);
/* The initialised slot becomes visible as owned by `shard`, which took it. */
void quic_slots_publish(struct quic_slots *slots, struct quic_handle handle, uint16_t shard);
/* Gives back a slot that was taken and not published. */
void quic_slots_untake(struct quic_slots *slots, struct quic_handle handle, uint16_t shard);
/* Frees a slot of `shard`; false when it is retired instead. */
bool quic_slots_free(struct quic_slots *slots, uint32_t slot, uint16_t shard);
/* Frees a slot of `shard` for good in this epoch: its next ID sequence would wrap. */
void quic_slots_retire(struct quic_slots *slots, uint32_t slot, uint16_t shard);

/* Moves (architecture, section 5): the owner writes the new one, in transit; the new one attaches. */
void quic_slots_grant(struct quic_slots *slots, uint32_t slot, uint16_t from, uint16_t to);
void quic_slots_attach(struct quic_slots *slots, uint32_t slot, uint16_t shard);

/* Free slots that `shard` can take. */
uint32_t quic_slots_free_count(const struct quic_slots *slots, uint16_t shard);
/* The shard whose list a free slot belongs in: slots are dealt out evenly, in one piece per shard. */
uint16_t quic_slots_home(const struct quic_slots *slots, uint32_t slot);
/*
 * Now and then: says what `shard` wants itself, and takes up to `room` free slots out of its lists, to be sent to shard `to`, which wants
 * some or is their home; 0: none.
 */
uint32_t quic_slots_surplus(
	struct quic_slots *slots, uint16_t shard, uint16_t *to, uint32_t *numbers, uint32_t room);
/* Free slots that were sent to `shard`. */
void quic_slots_come(struct quic_slots *slots, uint16_t shard, const uint32_t *numbers, uint32_t count);
/* Asserts the invariants of one shard's lists. */
void quic_slots_check(const struct quic_slots *slots, uint16_t shard);

#endif
