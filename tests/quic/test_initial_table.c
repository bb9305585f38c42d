/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>

#include "base/random.h"
#include "quic/initial_table.h"

enum { LIMIT = 100, STEPS = 20000 };

static struct quic_table table;
static const uint8_t hash_key[16] = {9};

static int
set_up(void **state)
{
	*state = malloc(quic_table_memory_bytes(LIMIT));
	quic_table_init(&table, LIMIT, hash_key, *state);
	return 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static void
table_insert__is_bounded(void **state)
{
	for (uint32_t i = 0; i < LIMIT; i++)
		assert_true(quic_table_insert(&table, i + 1, (struct quic_handle){.slot = i}));
	assert_false(quic_table_insert(&table, 1000, (struct quic_handle){.slot = 1000}));
	quic_table_check(&table);
}

static void
table_insert__keeps_two_connections_of_one_key(void **state)
{
	struct quic_handle a = {.slot = 1, .generation = 1};
	struct quic_handle b = {.slot = 2, .generation = 9};
	struct quic_handle found;

	quic_table_insert(&table, 77, a);
	quic_table_insert(&table, 77, b);
	assert_true(quic_table_remove(&table, 77, a));
	assert_false(quic_table_remove(&table, 77, a));
	assert_true(quic_table_find(&table, 77, &found));
	assert_int_equal(found.slot, 2);
}

/* Against a plain array, with keys that crowd a few places. */
static void
table__finds_what_was_inserted_through_any_history(void **state)
{
	uint64_t keys[LIMIT];
	struct quic_handle found;
	struct base_random random;
	uint32_t count = 0;

	base_random_init(&random, 11);
	for (uint32_t step = 0; step < STEPS; step++) {
		if (count < LIMIT && base_random_below(&random, 2) == 0) {
			keys[count] = 1 + base_random_below(&random, 24) + ((uint64_t)step << 32);
			assert_true(quic_table_insert(&table, keys[count],
				(struct quic_handle){.slot = (uint32_t)(keys[count] >> 32)}));
			count++;
		} else if (count > 0) {
			uint32_t victim = (uint32_t)base_random_below(&random, count);

			assert_true(quic_table_remove(&table, keys[victim],
				(struct quic_handle){.slot = (uint32_t)(keys[victim] >> 32)}));
			assert_false(quic_table_find(&table, keys[victim], &found));
			keys[victim] = keys[--count];
		}
		quic_table_check(&table);
		for (uint32_t i = 0; i < count; i += 7) {
			assert_true(quic_table_find(&table, keys[i], &found));
			assert_int_equal(found.slot, keys[i] >> 32);
		}
	}
}

static void
initial_key__depends_on_id_path_and_hash_key(void **state)
{
	struct base_path path = {.local.port = 443, .remote.port = 1000};
	struct quic_table other = table;
	uint64_t key = quic_initial_key(&table, (const uint8_t *)"12345678", 8, &path);

	assert_true(key == quic_initial_key(&table, (const uint8_t *)"12345678", 8, &path));
	assert_false(key == quic_initial_key(&table, (const uint8_t *)"12345679", 8, &path));
	path.remote.port++;
	assert_false(key == quic_initial_key(&table, (const uint8_t *)"12345678", 8, &path));
	path.remote.port--;
	path.remote.ip[3]++;
	assert_false(key == quic_initial_key(&table, (const uint8_t *)"12345678", 8, &path));
	path.remote.ip[3]--;
	other.hash_key[15]++;
	assert_false(key == quic_initial_key(&other, (const uint8_t *)"12345678", 8, &path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(table_insert__is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			table_insert__keeps_two_connections_of_one_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			table__finds_what_was_inserted_through_any_history, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			initial_key__depends_on_id_path_and_hash_key, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
