/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "quic/memory.h"

enum { CHUNKS = 8, SEGMENTS = 3, STOCK = 2 };

static struct base_pool *chunks;
static struct quic_memory memory;
static struct quic_segment segments[SEGMENTS];

static int
set_up(void **state)
{
	(void)state;
	chunks = base_pool_open(NULL, QUIC_CHUNK_BYTES, CHUNKS);
	quic_memory_init(&memory, chunks, NULL, segments, SEGMENTS, STOCK);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	quic_memory_fini(&memory);
	assert_int_equal(chunks->in_use, 0);
	base_pool_close(chunks);
	return 0;
}

static void
reserve__charges_the_account_and_fills_the_stock(void **state)
{
	struct quic_chunk_account account = {.limit = 4};
	struct quic_chunk *chunk;

	(void)state;
	assert_true(quic_memory_reserve(&memory, &account, 3, false));
	assert_int_equal(account.used, 3);
	assert_true(memory.stock_count >= 3);
	chunk = quic_memory_take_reserved(&memory);
	assert_int_equal(memory.reserved, 2);
	assert_int_equal(account.used, 3);
	quic_memory_unreserve(&memory, &account, 2);
	assert_int_equal(account.used, 1);
	quic_memory_give(&memory, chunk);
}

static void
reserve__refuses_beyond_account_and_pool_and_counts_it(void **state)
{
	struct quic_chunk_account account = {.limit = 4}, big = {.limit = 100};

	(void)state;
	assert_false(quic_memory_reserve(&memory, &account, 5, false));
	assert_int_equal(account.used, 0);
	assert_false(quic_memory_reserve(&memory, &big, CHUNKS + 1, true));
	assert_int_equal(big.used, 0);
	assert_int_equal(memory.reserved, 0);
	assert_int_equal(memory.refused, 2);
}

static void
reserve__takes_octets_in_order_beyond_the_limit(void **state)
{
	struct quic_chunk_account account = {.limit = 1};

	(void)state;
	assert_true(quic_memory_reserve(&memory, &account, 1, false));
	assert_false(quic_memory_reserve(&memory, &account, 1, false));
	assert_true(quic_memory_reserve(&memory, &account, 1, true));
	assert_int_equal(account.used, 2);
	quic_memory_unreserve(&memory, &account, 2);
}

static void
reserve__keeps_the_last_eighth_of_the_pool_for_octets_in_order(void **state)
{
	struct quic_chunk_account account = {.limit = 100};

	(void)state;
	assert_true(quic_memory_reserve(&memory, &account, CHUNKS, false));
	quic_memory_unreserve(&memory, &account, 1);
	assert_false(quic_memory_reserve(&memory, &account, 1, false));
	assert_true(quic_memory_reserve(&memory, &account, 1, true));
	quic_memory_unreserve(&memory, &account, CHUNKS);
}

static void
take__leaves_reserved_chunks_alone(void **state)
{
	struct quic_chunk_account account = {.limit = 100};
	struct quic_chunk *chunk;

	(void)state;
	assert_true(quic_memory_reserve(&memory, &account, CHUNKS - 1, true));
	chunk = quic_memory_take(&memory);
	assert_non_null(chunk);
	assert_null(quic_memory_take(&memory));
	quic_memory_give(&memory, chunk);
	quic_memory_unreserve(&memory, &account, CHUNKS - 1);
}

static void
end_turn__cuts_the_stock_and_frees_descriptors(void **state)
{
	struct quic_chunk_account account = {.limit = 100};

	(void)state;
	for (uint32_t i = 1; i <= SEGMENTS; i++)
		assert_int_equal(quic_memory_segment(&memory), i);
	assert_int_equal(quic_memory_segment(&memory), 0);
	assert_true(quic_memory_reserve(&memory, &account, 5, false));
	quic_memory_unreserve(&memory, &account, 5);
	quic_memory_end_turn(&memory);
	assert_int_equal(memory.stock_count, STOCK);
	assert_int_equal(chunks->in_use, STOCK);
	assert_int_equal(quic_memory_segment(&memory), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			reserve__charges_the_account_and_fills_the_stock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			reserve__refuses_beyond_account_and_pool_and_counts_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			reserve__takes_octets_in_order_beyond_the_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			reserve__keeps_the_last_eighth_of_the_pool_for_octets_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(take__leaves_reserved_chunks_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			end_turn__cuts_the_stock_and_frees_descriptors, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
