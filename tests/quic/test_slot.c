/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "quic/slot.h"

enum { SLOT_BYTES = 64, COUNT = 21, SHARDS = 4, STEPS = 20000 };

static struct quic_slots slots;
static _Alignas(64) uint8_t memory[2][16 * SLOT_BYTES];

static int
set_up(void **state)
{
	struct quic_slots_config config = {.count = COUNT,
		.slot_bytes = SLOT_BYTES,
		.region_slots = 16,
		.shards = SHARDS,
		.regions = {memory[0], memory[1]}};

	*state = aligned_alloc(64, (quic_slots_memory_bytes(COUNT, SHARDS) + 63) / 64 * 64);
	quic_slots_init(&slots, &config, *state);
	return 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static struct quic_slot_owner
owner_of(uint32_t slot)
{
	struct quic_slot_owner owner;

	assert_true(quic_slots_owner(&slots, slot, &owner));
	return owner;
}

static void
slots_init__deals_all_slots_out_evenly(void **state)
{
	uint32_t total = 0;

	for (uint16_t shard = 0; shard < SHARDS; shard++) {
		uint32_t count = quic_slots_free_count(&slots, shard);

		assert_in_range(count, COUNT / SHARDS, COUNT / SHARDS + 1);
		total += count;
		quic_slots_check(&slots, shard);
	}
	assert_int_equal(total, COUNT);
}

static void
slots_at__crosses_regions(void **state)
{
	assert_ptr_equal(quic_slots_at(&slots, 0), memory[0]);
	assert_ptr_equal(quic_slots_at(&slots, 15), memory[0] + 15 * SLOT_BYTES);
	assert_ptr_equal(quic_slots_at(&slots, 16), memory[1]);
	assert_ptr_equal(quic_slots_at(&slots, 20), memory[1] + 4 * SLOT_BYTES);
}

static void
slots_owner__refuses_numbers_that_are_no_slot(void **state)
{
	struct quic_slot_owner owner;

	assert_false(quic_slots_owner(&slots, COUNT, &owner));
	assert_false(quic_slots_owner(&slots, BASE_SLOT_NONE, &owner));
	assert_false(quic_slots_owner(&slots, 0xffffff, &owner));
}

static void
slots_take__is_seen_by_nobody_before_publish(void **state)
{
	struct quic_handle handle = quic_slots_take(&slots, 2);

	assert_int_equal(owner_of(handle.slot).state, QUIC_SLOT_FREE);
	quic_slots_publish(&slots, handle, 2);
	assert_int_equal(owner_of(handle.slot).state, QUIC_SLOT_OWNED);
	assert_int_equal(owner_of(handle.slot).owner, 2);
	assert_int_equal(owner_of(handle.slot).generation, handle.generation);
}

static void
slots_take__gives_none_when_all_are_taken(void **state)
{
	uint32_t count = quic_slots_free_count(&slots, 0);
	struct quic_handle handle;

	for (uint32_t i = 0; i < count; i++)
		assert_int_not_equal(quic_slots_take(&slots, 0).slot, BASE_SLOT_NONE);
	handle = quic_slots_take(&slots, 0);
	assert_int_equal(handle.slot, BASE_SLOT_NONE);
	assert_int_not_equal(quic_slots_take(&slots, 1).slot, BASE_SLOT_NONE);
}

static void
slots_untake__leaves_the_generation(void **state)
{
	struct quic_handle handle = quic_slots_take(&slots, 0);
	struct quic_handle again;

	quic_slots_untake(&slots, handle, 0);
	again = quic_slots_take(&slots, 0);
	assert_int_equal(again.slot, handle.slot);
	assert_int_equal(again.generation, handle.generation);
}

static void
slots_free__raises_the_generation(void **state)
{
	struct quic_handle handle = quic_slots_take(&slots, 0);

	quic_slots_publish(&slots, handle, 0);
	assert_true(quic_slots_free(&slots, handle.slot, 0));
	assert_int_equal(owner_of(handle.slot).state, QUIC_SLOT_FREE);
	assert_int_equal(owner_of(handle.slot).generation, handle.generation + 1);
}

/* No ID is issued twice under one key: a generation that would wrap ends the slot's use. */
static void
slots_free__retires_a_slot_whose_generation_would_wrap(void **state)
{
	uint32_t count = quic_slots_free_count(&slots, 0);
	struct quic_handle handle = quic_slots_take(&slots, 0);

	atomic_store(&slots.words[handle.slot], (uint64_t)QUIC_SLOT_GENERATION_MAX << 40 | 0xffffff);
	handle.generation = QUIC_SLOT_GENERATION_MAX;
	quic_slots_publish(&slots, handle, 0);
	assert_false(quic_slots_free(&slots, handle.slot, 0));
	assert_int_equal(owner_of(handle.slot).state, QUIC_SLOT_RETIRED);
	assert_int_equal(quic_slots_free_count(&slots, 0), count - 1);
}

static void
slots_grant__makes_the_other_shard_owner(void **state)
{
	struct quic_handle handle = quic_slots_take(&slots, 0);

	quic_slots_publish(&slots, handle, 0);
	quic_slots_grant(&slots, handle.slot, 0, 3);
	assert_int_equal(owner_of(handle.slot).state, QUIC_SLOT_IN_TRANSIT);
	assert_int_equal(owner_of(handle.slot).owner, 3);
	quic_slots_attach(&slots, handle.slot, 3);
	assert_int_equal(owner_of(handle.slot).state, QUIC_SLOT_OWNED);
	assert_int_equal(owner_of(handle.slot).generation, handle.generation);
}

static void
slots_surplus__sends_moved_slots_home(void **state)
{
	uint32_t numbers[COUNT];
	uint16_t home = 99;

	for (int i = 0; i < 3; i++) {
		struct quic_handle handle = quic_slots_take(&slots, 1);

		quic_slots_publish(&slots, handle, 1);
		quic_slots_grant(&slots, handle.slot, 1, 2);
		quic_slots_attach(&slots, handle.slot, 2);
		quic_slots_free(&slots, handle.slot, 2);
	}
	quic_slots_check(&slots, 2);
	assert_int_equal(quic_slots_surplus(&slots, 2, &home, numbers, 2), 2);
	assert_int_equal(home, 1);
	quic_slots_come(&slots, 1, numbers, 2);
	assert_int_equal(quic_slots_surplus(&slots, 2, &home, numbers, COUNT), 1);
	quic_slots_come(&slots, 1, numbers, 1);
	assert_int_equal(quic_slots_surplus(&slots, 2, &home, numbers, COUNT), 0);
	quic_slots_check(&slots, 1);
	quic_slots_check(&slots, 2);
}

/* All that `shard` has free. */
static void
take_all(uint16_t shard)
{
	for (struct quic_handle handle; (handle = quic_slots_take(&slots, shard)).slot != BASE_SLOT_NONE;)
		quic_slots_publish(&slots, handle, shard);
}

static void
slots_surplus__gives_to_who_wants_some_and_once(void **state)
{
	uint32_t numbers[COUNT], free = quic_slots_free_count(&slots, 1);
	uint16_t to = 99;

	/* Enough everywhere. */
	for (uint16_t i = 0; i < SHARDS; i++)
		assert_int_equal(quic_slots_surplus(&slots, i, &to, numbers, COUNT), 0);
	while (quic_slots_free_count(&slots, 0) > 0)
		quic_slots_publish(&slots, quic_slots_take(&slots, 0), 0);
	/* It is low, and says so when it looks. */
	assert_int_equal(quic_slots_surplus(&slots, 1, &to, numbers, COUNT), 0);
	assert_int_equal(quic_slots_surplus(&slots, 0, &to, numbers, COUNT), 0);
	assert_int_equal(quic_slots_surplus(&slots, 1, &to, numbers, COUNT), free / 2);
	assert_int_equal(to, 0);
	assert_int_equal(quic_slots_surplus(&slots, 2, &to, numbers + free / 2, COUNT), 0);
	quic_slots_come(&slots, 0, numbers, free / 2);
	assert_int_equal(quic_slots_free_count(&slots, 0), free / 2);
	assert_int_equal(quic_slots_free_count(&slots, 1), free - free / 2);
	/* They stay where they are needed. */
	assert_int_equal(quic_slots_surplus(&slots, 0, &to, numbers, COUNT), 0);
	quic_slots_check(&slots, 0);
	quic_slots_check(&slots, 1);
}

static void
slots_surplus__gives_the_last_to_who_had_to_refuse(void **state)
{
	uint32_t numbers[COUNT], owned = 0;
	uint16_t to = 99;

	take_all(0);
	for (uint32_t round = 0; round < COUNT; round++)
		for (uint16_t i = 1; i < SHARDS; i++) {
			uint32_t count = quic_slots_surplus(&slots, i, &to, numbers, 2);

			assert_in_range(count, 0, 2);
			if (count > 0) {
				assert_int_equal(to, 0);
				quic_slots_come(&slots, 0, numbers, count);
				take_all(0);
			}
			quic_slots_check(&slots, i);
		}
	for (uint32_t slot = 0; slot < COUNT; slot++)
		owned += owner_of(slot).state == QUIC_SLOT_OWNED && owner_of(slot).owner == 0;
	assert_int_equal(owned, COUNT);
	/* What ends goes back by bursts. */
	for (uint32_t slot = 0; slot < COUNT; slot++)
		quic_slots_free(&slots, slot, 0);
	for (uint32_t count; (count = quic_slots_surplus(&slots, 0, &to, numbers, 2)) > 0;)
		quic_slots_come(&slots, to, numbers, count);
	quic_slots_check(&slots, 0);
	for (uint16_t i = 1; i < SHARDS; i++)
		assert_true(quic_slots_free_count(&slots, i) >= 2);
}

/* Whatever is taken, moved, freed and passed on: no slot is lost or given twice, and no handle comes back. */
static void
slots__stay_whole_through_any_history(void **state)
{
	struct quic_handle held[COUNT];
	uint16_t owner[COUNT];
	uint32_t next_generation[COUNT] = {0};
	uint32_t count = 0;
	struct base_random random;

	base_random_init(&random, 5);
	for (int step = 0; step < STEPS; step++) {
		uint16_t shard = (uint16_t)base_random_below(&random, SHARDS);
		uint32_t at = count > 0 ? (uint32_t)base_random_below(&random, count) : 0;
		uint64_t what = base_random_below(&random, 4);
		uint32_t total = count;

		if (what == 0) {
			struct quic_handle handle = quic_slots_take(&slots, shard);

			if (handle.slot != BASE_SLOT_NONE) {
				assert_int_equal(handle.generation, next_generation[handle.slot]);
				quic_slots_publish(&slots, handle, shard);
				owner[count] = shard;
				held[count++] = handle;
				total++;
			}
		} else if (count > 0 && what == 1) {
			quic_slots_grant(&slots, held[at].slot, owner[at], shard);
			quic_slots_attach(&slots, held[at].slot, shard);
			owner[at] = shard;
		} else if (what == 2) {
			uint32_t numbers[COUNT], passed;
			uint16_t to;

			passed = quic_slots_surplus(&slots, shard, &to, numbers, 3);
			if (passed > 0)
				quic_slots_come(&slots, to, numbers, passed);
		} else if (count > 0) {
			assert_true(quic_slots_free(&slots, held[at].slot, owner[at]));
			next_generation[held[at].slot] = held[at].generation + 1;
			held[at] = held[--count];
			owner[at] = owner[count];
			total--;
		}
		for (uint16_t i = 0; i < SHARDS; i++) {
			quic_slots_check(&slots, i);
			total += quic_slots_free_count(&slots, i);
		}
		assert_int_equal(total, COUNT);
	}
}

int
main(void)
{
#define SLOT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SLOT_TEST(slots_init__deals_all_slots_out_evenly),
		SLOT_TEST(slots_at__crosses_regions),
		SLOT_TEST(slots_owner__refuses_numbers_that_are_no_slot),
		SLOT_TEST(slots_take__is_seen_by_nobody_before_publish),
		SLOT_TEST(slots_take__gives_none_when_all_are_taken),
		SLOT_TEST(slots_untake__leaves_the_generation),
		SLOT_TEST(slots_free__raises_the_generation),
		SLOT_TEST(slots_free__retires_a_slot_whose_generation_would_wrap),
		SLOT_TEST(slots_surplus__gives_to_who_wants_some_and_once),
		SLOT_TEST(slots_surplus__gives_the_last_to_who_had_to_refuse),
		SLOT_TEST(slots_grant__makes_the_other_shard_owner),
		SLOT_TEST(slots_surplus__sends_moved_slots_home),
		SLOT_TEST(slots__stay_whole_through_any_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
