/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a packet's protection costs: ipsec_mb beside wolfCrypt, in the same run, in bursts of 32. A figure is the
 * median over rounds that alternate between the two, in ns per operation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/random.h"
#include "crypto/key_cache.h"
#include "crypto/keys.h"
#include "drivers/crypto/ipsec_mb.h"
#include "drivers/crypto/wolfcrypt.h"

#define BURST 32
#define ROUNDS 301
#define BURSTS_PER_ROUND 8
#define KEYS 4096
#define DATA_MAX 1400
#define CACHE_ENTRIES 1024
#define CACHE_CONNECTIONS (4 * CACHE_ENTRIES)

enum { IPSEC_MB, WOLFCRYPT, BACKENDS };

struct bench {
	struct crypto_backend *backend;
	uint8_t *expanded[CRYPTO_AEAD_COUNT];      /* [KEYS] */
	uint8_t *expanded_mask[CRYPTO_AEAD_COUNT]; /* [BURST] */
	void *block_key;
	struct crypto_key_cache *cache;
	struct crypto_key_handle *handles; /* [CACHE_CONNECTIONS] */
	struct crypto_packet_keys keys;
	uint8_t secret[CRYPTO_SECRET_BYTES_MAX];
	uint8_t data[BURST][DATA_MAX + 2 * CRYPTO_TAG_BYTES];
	uint8_t blocks[BURST * CRYPTO_BLOCK_BYTES];
	struct crypto_job jobs[BURST];
	struct crypto_mask_job mask_jobs[BURST];
	uint32_t next;
};

/* One burst of operations; returns how long it took, in ns. */
typedef uint64_t (*operation)(struct bench *bench, enum crypto_aead aead, uint32_t length);

static uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void *
take(size_t bytes)
{
	void *memory = aligned_alloc(
		CRYPTO_ALIGNMENT, (bytes + CRYPTO_ALIGNMENT - 1) / CRYPTO_ALIGNMENT * CRYPTO_ALIGNMENT);

	base_assert(memory != NULL);
	memset(memory, 0, bytes);
	return memory;
}

static void
fill_jobs(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	static const uint8_t header[17];

	for (uint32_t i = 0; i < BURST; i++)
		bench->jobs[i] = (struct crypto_job){.key = bench->expanded[aead],
			.data = bench->data[i],
			.aad = header,
			.length = length,
			.aad_length = sizeof(header),
			.aead = (uint8_t)aead};
}

static uint64_t
seal(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns;

	fill_jobs(bench, aead, length);
	start_ns = clock_ns();
	crypto_seal(bench->backend, bench->jobs, BURST);
	return clock_ns() - start_ns;
}

/* A key for each packet, out of as many as do not fit into the nearer caches. */
static uint64_t
seal_many_keys(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns;

	fill_jobs(bench, aead, length);
	for (uint32_t i = 0; i < BURST; i++) {
		bench->next = bench->next * 1664525 + 1013904223;
		bench->jobs[i].key = bench->expanded[aead] +
			(size_t)(bench->next >> 20) % KEYS * bench->backend->aead_key_bytes[aead];
	}
	start_ns = clock_ns();
	crypto_seal(bench->backend, bench->jobs, BURST);
	return clock_ns() - start_ns;
}

static uint64_t
open_sealed(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns, end_ns;

	seal(bench, aead, length);
	start_ns = clock_ns();
	crypto_open(bench->backend, bench->jobs, BURST);
	end_ns = clock_ns();
	for (uint32_t i = 0; i < BURST; i++)
		base_assert(bench->jobs[i].ok);
	return end_ns - start_ns;
}

static uint64_t
mask(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns;

	for (uint32_t i = 0; i < BURST; i++)
		bench->mask_jobs[i] = (struct crypto_mask_job){.sample = bench->data[i],
			.aead = (uint8_t)aead,
			.key = bench->expanded_mask[aead] + i * bench->backend->mask_key_bytes[aead]};
	start_ns = clock_ns();
	crypto_mask(bench->backend, bench->mask_jobs, BURST);
	return clock_ns() - start_ns;
}

static uint64_t
expand_key(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns = clock_ns();

	for (uint32_t i = 0; i < BURST; i++)
		crypto_expand_key(bench->backend, aead, bench->data[i], bench->expanded[aead]);
	return clock_ns() - start_ns;
}

static uint64_t
expand_mask_key(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns = clock_ns();

	for (uint32_t i = 0; i < BURST; i++)
		crypto_expand_mask_key(bench->backend, aead, bench->data[i], bench->expanded_mask[aead]);
	return clock_ns() - start_ns;
}

static uint64_t
derive_keys(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns = clock_ns();

	for (uint32_t i = 0; i < BURST; i++)
		crypto_packet_keys_derive(bench->backend, aead, bench->secret, &bench->keys);
	return clock_ns() - start_ns;
}

static uint64_t
initial_secrets(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint8_t client[CRYPTO_INITIAL_SECRET_BYTES], server[CRYPTO_INITIAL_SECRET_BYTES];
	uint64_t start_ns = clock_ns();

	for (uint32_t i = 0; i < BURST; i++)
		crypto_initial_secrets(bench->backend, bench->data[i], 8, client, server);
	return clock_ns() - start_ns;
}

/* Keys that the burst before has asked for. */
static uint64_t
cache_hit(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns;

	bench->keys.aead = (uint8_t)aead;
	crypto_key_cache_begin_burst(bench->cache);
	for (uint32_t i = 0; i < BURST; i++)
		crypto_key_cache_get(bench->cache, &bench->handles[i * 7], &bench->keys);
	crypto_key_cache_begin_burst(bench->cache);
	start_ns = clock_ns();
	for (uint32_t i = 0; i < BURST; i++)
		crypto_key_cache_get(bench->cache, &bench->handles[i * 7], &bench->keys);
	return clock_ns() - start_ns;
}

/* Round and round over four times as many connections as entries: never there. */
static uint64_t
cache_miss(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns;

	bench->keys.aead = (uint8_t)aead;
	crypto_key_cache_begin_burst(bench->cache);
	start_ns = clock_ns();
	for (uint32_t i = 0; i < BURST; i++)
		crypto_key_cache_get(
			bench->cache, &bench->handles[bench->next++ % CACHE_CONNECTIONS], &bench->keys);
	return clock_ns() - start_ns;
}

static uint64_t
cache_miss_derived(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns;

	crypto_key_cache_begin_burst(bench->cache);
	start_ns = clock_ns();
	for (uint32_t i = 0; i < BURST; i++)
		crypto_key_cache_get_derived(bench->cache, &bench->handles[bench->next++ % CACHE_CONNECTIONS],
			aead, bench->secret, bench->keys.hp);
	return clock_ns() - start_ns;
}

static uint64_t
block_decrypt(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns = clock_ns();

	crypto_block_decrypt(bench->backend, bench->block_key, bench->blocks, BURST);
	return clock_ns() - start_ns;
}

static uint64_t
block_encrypt(struct bench *bench, enum crypto_aead aead, uint32_t length)
{
	uint64_t start_ns = clock_ns();

	crypto_block_encrypt(bench->backend, bench->block_key, bench->blocks, BURST);
	return clock_ns() - start_ns;
}

static void
bench_open(struct bench *bench, struct crypto_backend *backend)
{
	struct base_random random;

	base_random_init(&random, 1);
	memset(bench, 0, sizeof(*bench));
	bench->backend = backend;
	for (int aead = 0; aead < CRYPTO_AEAD_COUNT; aead++) {
		uint8_t key[CRYPTO_KEY_BYTES_MAX];

		bench->expanded[aead] = take((size_t)KEYS * backend->aead_key_bytes[aead]);
		bench->expanded_mask[aead] = take((size_t)BURST * backend->mask_key_bytes[aead]);
		for (size_t i = 0; i < KEYS; i++) {
			base_random_fill(&random, key, sizeof(key));
			crypto_expand_key(backend, aead, key,
				bench->expanded[aead] + i * backend->aead_key_bytes[aead]);
			if (i < BURST)
				crypto_expand_mask_key(backend, aead, key,
					bench->expanded_mask[aead] + i * backend->mask_key_bytes[aead]);
		}
	}
	base_random_fill(&random, bench->data, sizeof(bench->data));
	base_random_fill(&random, bench->secret, sizeof(bench->secret));
	bench->block_key = take(backend->block_key_bytes);
	crypto_expand_block_key(backend, bench->secret, bench->block_key);
	bench->cache = crypto_key_cache_open(
		take(crypto_key_cache_bytes(backend, CACHE_ENTRIES)), backend, CACHE_ENTRIES);
	bench->handles = take(CACHE_CONNECTIONS * sizeof(*bench->handles));
}

static int
by_size(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* `length` 0 is of no meaning to the operation. */
static void
measure(struct bench benches[BACKENDS], const char *name, operation run, enum crypto_aead aead,
	uint32_t length)
{
	static const char *const aeads[] = {"aes-128-gcm", "aes-256-gcm", "chacha20"};
	static uint64_t rounds_ns[BACKENDS][ROUNDS];
	double per_operation[BACKENDS];
	char size[16] = "";

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < BACKENDS; i++) {
			rounds_ns[i][round] = 0;
			for (int burst = 0; burst < BURSTS_PER_ROUND; burst++)
				rounds_ns[i][round] += run(&benches[i], aead, length);
		}
	}
	for (int i = 0; i < BACKENDS; i++) {
		qsort(rounds_ns[i], ROUNDS, sizeof(rounds_ns[i][0]), by_size);
		per_operation[i] = (double)rounds_ns[i][ROUNDS / 2] / (BURST * BURSTS_PER_ROUND);
	}
	if (length > 0)
		snprintf(size, sizeof(size), "%u", length);
	printf("%-20s %-12s %5s %9.1f %9.1f %7.2f\n", name, aeads[aead], size, per_operation[IPSEC_MB],
		per_operation[WOLFCRYPT], per_operation[WOLFCRYPT] / per_operation[IPSEC_MB]);
}

static void
measure_aead(struct bench benches[BACKENDS], enum crypto_aead aead)
{
	static const uint32_t lengths[] = {64, 1200, 1400};

	for (int i = 0; i < 3; i++)
		measure(benches, "seal", seal, aead, lengths[i]);
	for (int i = 0; i < 3; i++)
		measure(benches, "open", open_sealed, aead, lengths[i]);
	measure(benches, "seal, 4096 keys", seal_many_keys, aead, 1400);
	measure(benches, "mask", mask, aead, 0);
	measure(benches, "expand mask key", expand_mask_key, aead, 0);
	measure(benches, "expand key", expand_key, aead, 0);
	measure(benches, "derive keys", derive_keys, aead, 0);
	measure(benches, "cache hit", cache_hit, aead, 0);
	measure(benches, "cache miss", cache_miss, aead, 0);
	measure(benches, "cache miss, derived", cache_miss_derived, aead, 0);
}

int
main(void)
{
	static struct bench benches[BACKENDS];
	struct crypto_backend *ipsec_mb =
		crypto_ipsec_mb_open(take(crypto_ipsec_mb_bytes()), CRYPTO_IPSEC_MB_AUTO);

	if (ipsec_mb == NULL) {
		printf("crypto: IPsec-MB has no code for this CPU\n");
		return 1;
	}
	bench_open(&benches[IPSEC_MB], ipsec_mb);
	bench_open(&benches[WOLFCRYPT], crypto_wolfcrypt_open(take(crypto_wolfcrypt_bytes())));
	printf("%-20s %-12s %5s %9s %9s %7s\n", "ns per operation", "", "", "ipsec_mb", "wolfcrypt", "ratio");
	for (int aead = 0; aead < CRYPTO_AEAD_COUNT; aead++)
		measure_aead(benches, aead);
	measure(benches, "initial secrets", initial_secrets, CRYPTO_AES_128_GCM, 0);
	measure(benches, "block decrypt", block_decrypt, CRYPTO_AES_128_GCM, 0);
	measure(benches, "block encrypt", block_encrypt, CRYPTO_AES_128_GCM, 0);
	return 0;
}
