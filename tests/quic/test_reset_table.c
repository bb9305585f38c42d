/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>

#include "base/random.h"
#include "quic/reset_table.h"

enum { ENTRIES = 1000 };

static struct quic_reset_table table;

static int
set_up(void **state)
{
	*state = aligned_alloc(64, quic_reset_table_memory_bytes(ENTRIES));
	quic_reset_table_init(&table, ENTRIES, *state);
	return 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static uint64_t
key_of(uint32_t number)
{
	static const uint8_t hash_key[16] = {7};
	uint8_t token[QUIC_RESET_TOKEN_BYTES] = {(uint8_t)number, (uint8_t)(number >> 8)};

	return quic_reset_key(hash_key, token);
}

static void
reset_key__depends_on_token_and_hash_key(void **state)
{
	uint8_t hash_key[16] = {0}, token[QUIC_RESET_TOKEN_BYTES] = {1};
	uint64_t key = quic_reset_key(hash_key, token);

	(void)state;
	hash_key[15]++;
	assert_true(key != quic_reset_key(hash_key, token));
	hash_key[15]--;
	token[15]++;
	assert_true(key != quic_reset_key(hash_key, token));
}

/* Half of the words are free then, and a key has two buckets. */
static void
insert__has_a_place_for_each_of_as_many_as_promised(void **state)
{
	uint32_t slot;

	for (uint32_t i = 0; i < ENTRIES; i++)
		assert_true(quic_reset_table_insert(&table, key_of(i), i));
	assert_int_equal(quic_reset_table_count(&table), ENTRIES);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		assert_true(quic_reset_table_find(&table, key_of(i), &slot));
		assert_int_equal(slot, i);
	}
	assert_false(quic_reset_table_find(&table, key_of(ENTRIES), &slot));
}

static void
insert__refuses_when_both_buckets_are_full(void **state)
{
	uint32_t inserted = 0;

	for (uint32_t i = 0; i < 4 * ENTRIES; i++)
		inserted += quic_reset_table_insert(&table, key_of(i), i);
	assert_in_range(inserted, ENTRIES, 2 * ENTRIES + QUIC_RESET_BUCKET);
	assert_int_equal(quic_reset_table_count(&table), inserted);
}

/* RFC 9000 section 10.3: "The same stateless reset token MUST NOT be used for multiple connection IDs." */
static void
insert__keeps_one_entry_for_a_key(void **state)
{
	uint32_t slot;

	assert_true(quic_reset_table_insert(&table, key_of(1), 5));
	assert_false(quic_reset_table_insert(&table, key_of(1), 6));
	assert_false(quic_reset_table_insert(&table, key_of(1), 5));
	assert_true(quic_reset_table_find(&table, key_of(1), &slot));
	assert_int_equal(slot, 5);
}

/* Slot 0 and the last one there may be; a key whose upper bits are all zero. */
static void
insert__takes_any_slot_and_any_key(void **state)
{
	uint32_t slot;

	assert_true(quic_reset_table_insert(&table, 1, 0));
	assert_true(quic_reset_table_find(&table, 1, &slot));
	assert_int_equal(slot, 0);
	assert_true(quic_reset_table_insert(&table, UINT64_MAX, 0xfffffe));
	assert_true(quic_reset_table_find(&table, UINT64_MAX, &slot));
	assert_int_equal(slot, 0xfffffe);
	quic_reset_table_remove(&table, 1, 0);
	assert_false(quic_reset_table_find(&table, 1, &slot));
}

static void
remove__takes_that_entry_alone(void **state)
{
	struct base_random random;
	bool in[ENTRIES] = {false};
	uint64_t count = 0;
	uint32_t slot;

	base_random_init(&random, 3);
	for (uint32_t step = 0; step < 20 * ENTRIES; step++) {
		uint32_t i = (uint32_t)base_random_below(&random, ENTRIES);

		if (in[i])
			quic_reset_table_remove(&table, key_of(i), i);
		else
			assert_true(quic_reset_table_insert(&table, key_of(i), i));
		in[i] = !in[i];
		count += in[i] ? 1 : UINT64_MAX;
		assert_int_equal(quic_reset_table_find(&table, key_of(i), &slot), in[i]);
	}
	assert_int_equal(quic_reset_table_count(&table), count);
	/* Not there, or another's. */
	for (uint32_t i = 0; i < ENTRIES; i++)
		quic_reset_table_remove(&table, key_of(i), in[i] ? i + 1 : i);
	assert_int_equal(quic_reset_table_count(&table), count);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_key__depends_on_token_and_hash_key),
		cmocka_unit_test_setup_teardown(
			insert__has_a_place_for_each_of_as_many_as_promised, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			insert__refuses_when_both_buckets_are_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(insert__keeps_one_entry_for_a_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(insert__takes_any_slot_and_any_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(remove__takes_that_entry_alone, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
