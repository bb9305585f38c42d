/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>

#include "base/pool.h"

static void
pool_take__is_null_when_empty(void **state)
{
	struct base_pool *pool = base_pool_open(NULL, 100, 2);
	void *a = base_pool_take(pool), *b = base_pool_take(pool);

	assert_non_null(a);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	assert_int_equal((uintptr_t)a % 64, 0);
	assert_int_equal((uintptr_t)b % 64, 0);
	assert_null(base_pool_take(pool));
	assert_int_equal(pool->in_use, 2);
	base_pool_give(pool, a);
	assert_ptr_equal(base_pool_take(pool), a);
	base_pool_give(pool, a);
	base_pool_give(pool, b);
	assert_int_equal(pool->in_use, 0);
	base_pool_close(pool);
}

static void
pool_open__builds_in_the_memory_given(void **state)
{
	size_t bytes = base_pool_bytes(64, 10);
	uint8_t *memory = aligned_alloc(64, bytes);
	struct base_pool *pool = base_pool_open(memory, 64, 10);

	for (int i = 0; i < 10; i++) {
		uint8_t *element = base_pool_take(pool);

		assert_true(element >= memory && element + 64 <= memory + bytes);
	}
	assert_null(base_pool_take(pool));
	base_pool_close(pool);
	free(memory);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pool_take__is_null_when_empty),
		cmocka_unit_test(pool_open__builds_in_the_memory_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
