/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "tls/allocate.h"
#include "tls/memory.h"

static void
tls_allocate__aligns_and_reuses(void **state)
{
	struct tls_memory *memory = tls_memory_open(NULL, 65536, 0);
	void *first, *second;

	tls_memory_bind(memory);
	first = tls_allocate(100);
	assert_int_equal((uintptr_t)first % 16, 0);
	tls_release(first);
	second = tls_allocate(90);
	assert_ptr_equal(first, second);
	tls_release(second);
	assert_int_equal(tls_memory_counters(memory)->allocations, 2);
	assert_int_equal(tls_memory_counters(memory)->blocks_in_use, 0);
	tls_memory_close(memory);
}

static void
tls_allocate__fails_beyond_its_memory(void **state)
{
	struct tls_memory *memory = tls_memory_open(NULL, 4096, 0);
	void *blocks[8];

	tls_memory_bind(memory);
	assert_null(tls_allocate(5000));
	assert_null(tls_allocate(SIZE_MAX));
	for (int i = 0; i < 4; i++)
		assert_non_null(blocks[i] = tls_allocate(1000));
	assert_null(tls_allocate(1000));
	assert_int_equal(tls_memory_counters(memory)->refused, 3);
	for (int i = 0; i < 4; i++)
		tls_release(blocks[i]);
	tls_memory_close(memory);
}

static void
tls_allocate__counts_what_the_heap_gives(void **state)
{
	struct tls_memory *memory = tls_memory_open(NULL, 4096, 512 * 1024);
	void *blocks[64];
	int count = 0;

	tls_memory_bind(memory);
	while (count < 64 && (blocks[count] = tls_allocate(12000)) != NULL)
		count++;
	/* Two extents of 256 KiB with 21 blocks of 12,288 octets each. */
	assert_int_equal(count, 42);
	assert_int_equal(tls_memory_counters(memory)->heap_extents, 2);
	assert_int_equal(tls_memory_counters(memory)->heap_bytes, 512 * 1024);
	for (int i = 0; i < count; i++)
		tls_release(blocks[i]);
	tls_memory_close(memory);
}

static void
tls_release__finds_the_owner(void **state)
{
	struct tls_memory *one = tls_memory_open(NULL, 8192, 0), *other = tls_memory_open(NULL, 8192, 0);
	void *plain, *of_one;

	tls_memory_bind(NULL);
	plain = tls_allocate(100);
	tls_memory_bind(one);
	of_one = tls_allocate(100);
	tls_memory_bind(other);
	tls_release(plain);
	tls_release(of_one);
	tls_release(NULL);
	assert_int_equal(tls_memory_counters(one)->blocks_in_use, 0);
	assert_int_equal(tls_memory_counters(other)->allocations, 0);
	tls_memory_close(one);
	tls_memory_close(other);
}

static void
tls_reallocate__keeps_the_octets(void **state)
{
	struct tls_memory *memory = tls_memory_open(NULL, 65536, 0);
	uint8_t *block;

	tls_memory_bind(memory);
	block = tls_reallocate(NULL, 40);
	memset(block, 0x5a, 40);
	assert_ptr_equal(tls_reallocate(block, 44), block);
	block = tls_reallocate(block, 4000);
	for (int i = 0; i < 40; i++)
		assert_int_equal(block[i], 0x5a);
	/* A failure leaves it as it was. */
	assert_null(tls_reallocate(block, 100000));
	assert_int_equal(block[39], 0x5a);
	tls_release(block);
	assert_int_equal(tls_memory_counters(memory)->blocks_in_use, 0);
	tls_memory_close(memory);
}

static void
tls_plan_add__keeps_its_promises(void **state)
{
	struct tls_memory *memory = tls_memory_open(NULL, 10240, 1 << 20);
	void *block;

	tls_memory_bind(memory);
	block = tls_allocate(10);
	assert_true(tls_plan_add(6000));
	assert_false(tls_plan_add(6000));
	tls_plan_remove(block, 6000);
	assert_true(tls_plan_add(10240));
	tls_plan_remove(NULL, 10240);
	tls_release(block);
	tls_memory_bind(NULL);
	assert_true(tls_plan_add(SIZE_MAX));
	tls_memory_close(memory);
}

static void
tls_allocate__survives_a_random_life(void **state)
{
	struct tls_memory *memory = tls_memory_open(NULL, 1 << 20, 0);
	uint8_t *blocks[256] = {0};
	size_t lengths[256] = {0};
	struct base_random random;

	base_random_init(&random, 7);
	tls_memory_bind(memory);
	for (int i = 0; i < 20000; i++) {
		uint32_t at = (uint32_t)base_random_below(&random, 256);

		for (size_t k = 0; k < lengths[at]; k += 97)
			assert_int_equal(blocks[at][k], (uint8_t)at);
		tls_release(blocks[at]);
		lengths[at] = base_random_below(&random, 3000);
		blocks[at] = tls_allocate(lengths[at]);
		if (blocks[at] == NULL)
			lengths[at] = 0;
		else
			memset(blocks[at], (int)at, lengths[at]);
	}
	for (int i = 0; i < 256; i++)
		tls_release(blocks[i]);
	assert_int_equal(tls_memory_counters(memory)->blocks_in_use, 0);
	assert_int_equal(tls_memory_counters(memory)->bytes_in_use, 0);
	tls_memory_close(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_allocate__aligns_and_reuses),
		cmocka_unit_test(tls_allocate__fails_beyond_its_memory),
		cmocka_unit_test(tls_allocate__counts_what_the_heap_gives),
		cmocka_unit_test(tls_release__finds_the_owner),
		cmocka_unit_test(tls_reallocate__keeps_the_octets),
		cmocka_unit_test(tls_plan_add__keeps_its_promises),
		cmocka_unit_test(tls_allocate__survives_a_random_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
