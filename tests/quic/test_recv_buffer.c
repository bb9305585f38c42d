/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/random.h"
#include "quic/recv_buffer.h"

enum { CHUNKS = 64, SEGMENTS = 8, STREAM_BYTES = 12000, SEEDS = 3000, STEPS = 200 };

static struct base_pool *chunks;
static struct quic_memory memory;
static struct quic_segment segments[SEGMENTS];
static struct quic_chunk_account account;
static struct quic_recv_buffer buffer;
static uint8_t octets_of_stream[STREAM_BYTES];

static int
set_up(void **state)
{
	(void)state;
	chunks = base_pool_open(NULL, QUIC_CHUNK_BYTES, CHUNKS);
	quic_memory_init(&memory, chunks, NULL, segments, SEGMENTS, 4);
	account = (struct quic_chunk_account){.limit = 16};
	quic_recv_buffer_init(&buffer);
	for (int i = 0; i < STREAM_BYTES; i++)
		octets_of_stream[i] = (uint8_t)(i * 31 + i / 251);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	quic_recv_buffer_discard(&buffer, &memory, &account);
	assert_int_equal(account.used, 0);
	quic_memory_end_turn(&memory);
	quic_memory_fini(&memory);
	assert_int_equal(chunks->in_use, 0);
	base_pool_close(chunks);
	return 0;
}

static bool
store(uint64_t offset, size_t length, bool fin)
{
	return quic_recv_buffer_store(
		&buffer, &memory, &account, offset, octets_of_stream + offset, length, fin);
}

static void
end_turn(void)
{
	quic_recv_buffer_settle(&buffer, &memory, &account);
	quic_recv_buffer_check(&buffer, &memory);
	quic_memory_end_turn(&memory);
}

/* Reads all that is in order, piece by piece, compares it, and consumes at most `limit` of it. */
static uint64_t
read_and_consume(uint64_t limit)
{
	const uint8_t *octets;
	size_t length;
	uint64_t taken = 0;

	while (taken < limit && quic_recv_buffer_read(&buffer, &memory, &octets, &length)) {
		assert_true(length > 0 && buffer.read_offset + length <= buffer.in_order_end);
		assert_memory_equal(octets, octets_of_stream + buffer.read_offset, length);
		if (length > limit - taken)
			length = limit - taken;
		quic_recv_buffer_consume(&buffer, &memory, &account, length);
		taken += length;
	}
	return taken;
}

static void
store__offers_octets_in_order_in_place(void **state)
{
	const uint8_t *octets;
	size_t length;

	(void)state;
	assert_true(store(0, 1200, false));
	assert_true(quic_recv_buffer_borrows(&buffer));
	assert_true(quic_recv_buffer_read(&buffer, &memory, &octets, &length));
	assert_ptr_equal(octets, octets_of_stream);
	assert_int_equal(length, 1200);
	quic_recv_buffer_consume(&buffer, &memory, &account, 1200);
	assert_false(quic_recv_buffer_borrows(&buffer));
	assert_int_equal(account.used, 0);
	assert_int_equal(memory.reserved, 0);
}

static void
store__keeps_what_is_out_of_order(void **state)
{
	(void)state;
	assert_true(store(5000, 100, false));
	assert_int_equal(read_and_consume(UINT64_MAX), 0);
	assert_int_equal(account.used, 1);
	end_turn();
	assert_true(store(0, 5000, false));
	assert_int_equal(buffer.in_order_end, 5100);
	assert_int_equal(read_and_consume(UINT64_MAX), 5100);
	assert_int_equal(account.used, 0);
}

static void
store__refuses_when_the_account_is_used_up(void **state)
{
	(void)state;
	account.limit = 2;
	assert_true(store(2 * QUIC_RECV_BLOCK_BYTES, 1, false));
	assert_true(store(4 * QUIC_RECV_BLOCK_BYTES, 1, false));
	assert_false(store(6 * QUIC_RECV_BLOCK_BYTES, 1, false));
	assert_int_equal(buffer.highest_end, 4 * QUIC_RECV_BLOCK_BYTES + 1);
	assert_int_equal(memory.refused, 1);
	/* A block that has its chunk takes more. */
	assert_true(store(2 * QUIC_RECV_BLOCK_BYTES + 2, 1, false));
	/* And what is in order is what sets the others free. */
	assert_true(store(0, 10, false));
	assert_int_equal(buffer.in_order_end, 10);
}

static void
store__one_octet_at_every_second_offset_costs_its_blocks_only(void **state)
{
	(void)state;
	for (uint64_t offset = 1; offset < STREAM_BYTES; offset += 2)
		assert_true(store(offset, 1, false));
	assert_int_equal(account.used, (STREAM_BYTES + QUIC_RECV_BLOCK_BYTES - 1) / QUIC_RECV_BLOCK_BYTES);
	for (uint64_t offset = 0; offset < STREAM_BYTES; offset += 2) {
		assert_true(store(offset, 1, false));
		end_turn();
	}
	assert_int_equal(read_and_consume(UINT64_MAX), STREAM_BYTES);
	assert_int_equal(account.used, 0);
}

static void
store__copies_when_descriptors_run_out(void **state)
{
	(void)state;
	for (int i = 0; i < SEGMENTS + 5; i++)
		assert_true(store((uint64_t)i * 100, 100, false));
	assert_int_equal(memory.segment_count, SEGMENTS);
	assert_int_equal(read_and_consume(UINT64_MAX), (SEGMENTS + 5) * 100);
	assert_int_equal(account.used, 0);
}

static void
settle__never_lacks_memory_for_what_was_taken(void **state)
{
	void *taken[CHUNKS + 1];
	int count = 0;

	(void)state;
	assert_true(store(0, 4000, false));
	/* Somebody else empties the pool before the turn ends. */
	while ((taken[count] = base_pool_take(chunks)) != NULL)
		count++;
	end_turn();
	assert_int_equal(read_and_consume(UINT64_MAX), 4000);
	while (count > 0)
		base_pool_give(chunks, taken[--count]);
}

/* RFC 9000 section 4.5: "Once a final size for a stream is known, it cannot change." */
static void
check_final__a_final_size_cannot_change(void **state)
{
	(void)state;
	assert_true(store(0, 100, false));
	assert_int_equal(quic_recv_buffer_check_final(&buffer, 99, true), QUIC_FINAL_SIZE_ERROR);
	assert_int_equal(quic_recv_buffer_check_final(&buffer, 100, true), QUIC_NO_ERROR);
	assert_true(store(200, 10, true));
	assert_int_equal(quic_recv_buffer_check_final(&buffer, 211, false), QUIC_FINAL_SIZE_ERROR);
	assert_int_equal(quic_recv_buffer_check_final(&buffer, 209, true), QUIC_FINAL_SIZE_ERROR);
	assert_int_equal(quic_recv_buffer_check_final(&buffer, 211, true), QUIC_FINAL_SIZE_ERROR);
	assert_int_equal(quic_recv_buffer_check_final(&buffer, 210, true), QUIC_NO_ERROR);
	assert_false(quic_recv_buffer_complete(&buffer));
	assert_true(store(100, 100, false));
	assert_true(quic_recv_buffer_complete(&buffer));
	assert_false(quic_recv_buffer_finished(&buffer));
	assert_int_equal(read_and_consume(UINT64_MAX), 210);
	assert_true(quic_recv_buffer_finished(&buffer));
}

/* A plain array of received octets says what the buffer must offer. */
static void
one_seed(uint64_t seed)
{
	static bool received[STREAM_BYTES];
	struct base_random random;
	uint64_t in_order = 0;

	memset(received, 0, sizeof(received));
	base_random_init(&random, seed);
	quic_recv_buffer_init(&buffer);
	account = (struct quic_chunk_account){.limit = (uint16_t)(1 + base_random_below(&random, 12))};
	for (int step = 0; step < STEPS; step++) {
		uint64_t length = base_random_below(&random, 1 + base_random_below(&random, 1500));
		uint64_t base = base_random_below(&random, 3) == 0 ? buffer.in_order_end : buffer.read_offset;
		uint64_t offset = base + base_random_below(&random, 2) * base_random_below(&random, 3000);

		if (offset > STREAM_BYTES)
			offset = STREAM_BYTES;
		if (length > STREAM_BYTES - offset)
			length = STREAM_BYTES - offset;
		if (store(offset, length, offset + length == STREAM_BYTES))
			memset(received + offset, 1, length);
		while (in_order < STREAM_BYTES && received[in_order])
			in_order++;
		assert_int_equal(buffer.in_order_end, in_order);
		quic_recv_buffer_check(&buffer, &memory);
		if (base_random_below(&random, 3) == 0)
			read_and_consume(base_random_below(&random, 4000));
		quic_recv_buffer_check(&buffer, &memory);
		if (base_random_below(&random, 4) == 0)
			end_turn();
	}
	end_turn();
	read_and_consume(UINT64_MAX);
	assert_int_equal(buffer.read_offset, in_order);
	quic_recv_buffer_discard(&buffer, &memory, &account);
	assert_int_equal(account.used, 0);
	assert_int_equal(memory.reserved, 0);
}

static void
model__thousands_of_seeds_agree_with_an_array(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		one_seed(seed);
}

static void
store__finds_nothing_that_another_endpoint_gave_back(void **state)
{
	struct quic_memory other;
	struct quic_segment none[1];

	(void)state;
	assert_true(store(5000, 100, false));
	end_turn();
	/* The buffer goes elsewhere, is given back there, and comes again. */
	quic_memory_forget(&memory);
	quic_memory_init(&other, chunks, NULL, none, 1, 0);
	quic_recv_buffer_discard(&buffer, &other, &account);
	quic_memory_end_turn(&other);
	quic_memory_fini(&other);
	quic_recv_buffer_init(&buffer);
	assert_true(store(5200, 100, false));
	end_turn();
	assert_non_null(buffer.first);
	assert_int_equal(account.used, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(store__offers_octets_in_order_in_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(store__keeps_what_is_out_of_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			store__refuses_when_the_account_is_used_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			store__one_octet_at_every_second_offset_costs_its_blocks_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(store__copies_when_descriptors_run_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			settle__never_lacks_memory_for_what_was_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			store__finds_nothing_that_another_endpoint_gave_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(check_final__a_final_size_cannot_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			model__thousands_of_seeds_agree_with_an_array, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
