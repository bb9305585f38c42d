/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "crypto/key_cache.h"
#include "support.h"

#define ENTRIES 8
#define CONNECTIONS 100

struct fixture {
	struct crypto_backend *backend;
	struct crypto_key_cache *cache;
	struct crypto_packet_keys keys[CONNECTIONS];
	struct crypto_key_handle handles[CONNECTIONS];
	void *memory;
};

static struct fixture fixture;

static int
set_up(void **state)
{
	static struct backends *backends;
	struct base_random random;

	if (backends == NULL) {
		void *opened;

		backends_open(&opened);
		backends = opened;
	}
	memset(&fixture, 0, sizeof(fixture));
	/* The fast one where it is built. */
	fixture.backend = backends->backend[backends->count > 1 ? 1 : 0];
	fixture.memory = aligned_alloc(CRYPTO_ALIGNMENT, crypto_key_cache_bytes(fixture.backend, ENTRIES));
	fixture.cache = crypto_key_cache_open(fixture.memory, fixture.backend, ENTRIES);
	base_random_init(&random, 1);
	base_random_fill(&random, fixture.keys, sizeof(fixture.keys));
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		fixture.keys[i].aead = (uint8_t)(i % CRYPTO_AEAD_COUNT);
	*state = &fixture;
	return 0;
}

static int
tear_down(void **state)
{
	crypto_key_cache_close(fixture.cache);
	free(fixture.memory);
	return 0;
}

static const struct crypto_hot_keys *
get(uint32_t connection)
{
	return crypto_key_cache_get(fixture.cache, &fixture.handles[connection], &fixture.keys[connection]);
}

static bool
is_here(uint32_t connection)
{
	return crypto_key_cache_find(fixture.cache, &fixture.handles[connection]) != NULL;
}

/* Seals and masks with the cached keys and with keys expanded apart. */
static void
assert_right(const struct crypto_hot_keys *hot, const struct crypto_packet_keys *keys)
{
	uint8_t data[2][32 + CRYPTO_TAG_BYTES] = {{0}}, sample[CRYPTO_SAMPLE_BYTES] = {5};
	void *key = expand(fixture.backend, keys->aead, keys->key);
	void *mask = expand_mask(fixture.backend, keys->aead, keys->hp);
	struct crypto_job jobs[2] = {
		{.key = hot->key, .data = data[0], .aad = sample, .length = 32, .aead = hot->aead},
		{.key = key, .data = data[1], .aad = sample, .length = 32, .aead = keys->aead}};
	struct crypto_mask_job mask_jobs[2] = {{.key = hot->mask, .sample = sample, .aead = hot->aead},
		{.key = mask, .sample = sample, .aead = keys->aead}};

	assert_int_equal((uintptr_t)hot->key % CRYPTO_ALIGNMENT, 0);
	assert_int_equal((uintptr_t)hot->mask % CRYPTO_ALIGNMENT, 0);
	assert_memory_equal(hot->iv, keys->iv, sizeof(hot->iv));
	crypto_seal(fixture.backend, jobs, 2);
	assert_memory_equal(data[0], data[1], sizeof(data[0]));
	crypto_mask(fixture.backend, mask_jobs, 2);
	assert_memory_equal(mask_jobs[0].mask, mask_jobs[1].mask, CRYPTO_MASK_BYTES);
	free(key);
	free(mask);
}

static void
key_cache_begin_burst__lets_entries_go(void **state)
{
	for (uint32_t i = 0; i < ENTRIES; i++)
		assert_non_null(get(i));
	assert_null(get(ENTRIES));
	assert_int_equal(crypto_key_cache_counters(fixture.cache)[CRYPTO_KEY_CACHE_FULL], 1);
	assert_int_equal(fixture.handles[ENTRIES].value, 0);
	crypto_key_cache_begin_burst(fixture.cache);
	assert_non_null(get(ENTRIES));
	assert_int_equal(crypto_key_cache_counters(fixture.cache)[CRYPTO_KEY_CACHE_EVICTION], 1);
}

static void
key_cache_find__knows_no_handle_of_zero(void **state)
{
	assert_false(is_here(0));
	get(0);
	assert_true(is_here(0));
	assert_int_not_equal(fixture.handles[0].value, 0);
	assert_int_equal(crypto_key_cache_counters(fixture.cache)[CRYPTO_KEY_CACHE_HIT], 1);
	assert_int_equal(crypto_key_cache_counters(fixture.cache)[CRYPTO_KEY_CACHE_MISS], 2);
}

/* A handle from another cache, or out of a peer's hands, must not lead out of the memory. */
static void
key_cache_find__refuses_an_index_beyond(void **state)
{
	struct crypto_key_handle handle = {UINT64_C(1) << 24 | ENTRIES};

	assert_null(crypto_key_cache_find(fixture.cache, &handle));
	handle.value = UINT64_MAX;
	assert_null(crypto_key_cache_find(fixture.cache, &handle));
}

static void
key_cache_get__gives_the_right_keys_after_evictions(void **state)
{
	struct base_random random;

	base_random_init(&random, 2);
	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t connection = (uint32_t)base_random_below(&random, CONNECTIONS);

		crypto_key_cache_begin_burst(fixture.cache);
		assert_right(get(connection), &fixture.keys[connection]);
	}
	assert_true(crypto_key_cache_counters(fixture.cache)[CRYPTO_KEY_CACHE_HIT] > 0);
	assert_true(crypto_key_cache_counters(fixture.cache)[CRYPTO_KEY_CACHE_EVICTION] > 1000);
}

/* Bursts that use every entry: what the first job got is still right when the last has come. */
static void
key_cache_get__keeps_what_the_burst_uses(void **state)
{
	const struct crypto_hot_keys *hot[ENTRIES];
	struct base_random random;

	base_random_init(&random, 3);
	for (uint32_t burst = 0; burst < 200; burst++) {
		uint32_t first = (uint32_t)base_random_below(&random, CONNECTIONS - ENTRIES);

		crypto_key_cache_begin_burst(fixture.cache);
		for (uint32_t i = 0; i < ENTRIES; i++)
			assert_non_null(hot[i] = get(first + i));
		for (uint32_t i = 0; i < ENTRIES; i++)
			assert_right(hot[i], &fixture.keys[first + i]);
	}
}

/* The second chance: what is used between evictions stays, what is not goes. */
static void
key_cache_get__evicts_what_is_not_used(void **state)
{
	for (uint32_t i = 0; i < ENTRIES; i++)
		get(i);
	for (uint32_t i = ENTRIES; i < 60; i++) {
		crypto_key_cache_begin_burst(fixture.cache);
		get(0);
		crypto_key_cache_begin_burst(fixture.cache);
		get(i);
	}
	assert_true(is_here(0));
	for (uint32_t i = 1; i < ENTRIES; i++)
		assert_false(is_here(i));
}

static void
key_cache_get_derived__derives_key_and_iv_alone(void **state)
{
	for (int aead = 0; aead < CRYPTO_AEAD_COUNT; aead++) {
		struct crypto_packet_keys keys;
		struct crypto_key_handle handle = {0};
		uint8_t secret[CRYPTO_SECRET_BYTES_MAX] = {(uint8_t)aead, 77};
		const struct crypto_hot_keys *hot;

		crypto_packet_keys_derive(fixture.backend, aead, secret, &keys);
		memset(keys.hp, 0x3c, sizeof(keys.hp)); /* of the first key phase */
		hot = crypto_key_cache_get_derived(fixture.cache, &handle, aead, secret, keys.hp);
		assert_right(hot, &keys);
		assert_ptr_equal(crypto_key_cache_find(fixture.cache, &handle), hot);
	}
}

static void
key_cache_drop__frees_the_entry(void **state)
{
	struct crypto_key_handle old;

	for (uint32_t i = 0; i < ENTRIES; i++)
		get(i);
	old = fixture.handles[3];
	crypto_key_cache_drop(fixture.cache, &fixture.handles[3]);
	assert_int_equal(fixture.handles[3].value, 0);
	assert_null(crypto_key_cache_find(fixture.cache, &old));
	/* The burst still uses the others, so this takes the free one. */
	assert_right(get(50), &fixture.keys[50]);
	assert_null(crypto_key_cache_find(fixture.cache, &old));
	assert_int_equal(crypto_key_cache_counters(fixture.cache)[CRYPTO_KEY_CACHE_EVICTION], 0);
}

/* A stale handle frees nothing of its successor's, and twice is as once. */
static void
key_cache_drop__leaves_a_successor_alone(void **state)
{
	struct crypto_key_handle old;

	for (uint32_t i = 0; i < ENTRIES; i++)
		get(i);
	old = fixture.handles[0];
	crypto_key_cache_begin_burst(fixture.cache);
	for (uint32_t i = ENTRIES; i < 2 * ENTRIES; i++)
		get(i);
	crypto_key_cache_drop(fixture.cache, &old);
	crypto_key_cache_drop(fixture.cache, &old);
	for (uint32_t i = ENTRIES; i < 2 * ENTRIES; i++)
		assert_right(crypto_key_cache_find(fixture.cache, &fixture.handles[i]), &fixture.keys[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(key_cache_begin_burst__lets_entries_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(key_cache_find__knows_no_handle_of_zero, set_up, tear_down),
		cmocka_unit_test_setup_teardown(key_cache_find__refuses_an_index_beyond, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			key_cache_get__gives_the_right_keys_after_evictions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(key_cache_get__keeps_what_the_burst_uses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(key_cache_get__evicts_what_is_not_used, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			key_cache_get_derived__derives_key_and_iv_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(key_cache_drop__frees_the_entry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(key_cache_drop__leaves_a_successor_alone, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
