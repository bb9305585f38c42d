/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The backends of drivers/crypto against published vectors, and against each other. */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "crypto/crypto.h"
#include "support.h"

#define LENGTH_MAX 1500
#define AAD_MAX 64
#define BURST 33

static struct base_random random_state;

static void
random_job(struct crypto_job *job, uint8_t *data, uint8_t *aad, enum crypto_aead aead, uint32_t length)
{
	base_random_fill(&random_state, data, length);
	base_random_fill(&random_state, aad, AAD_MAX);
	*job = (struct crypto_job){.data = data,
		.aad = aad,
		.length = length,
		.aead = (uint8_t)aead,
		.aad_length = (uint16_t)base_random_below(&random_state, AAD_MAX + 1)};
	base_random_fill(&random_state, job->nonce, sizeof(job->nonce));
}

/* Every backend's ciphertext and tag equal the reference's, at every length and at odd addresses. */
static void
seal__agrees_at_every_length(void **state)
{
	const struct backends *backends = *state;
	uint8_t text[LENGTH_MAX], aad[AAD_MAX], wanted[LENGTH_MAX + CRYPTO_TAG_BYTES];

	base_random_init(&random_state, 1);
	for (int aead = 0; aead < CRYPTO_AEAD_COUNT; aead++) {
		uint8_t key[CRYPTO_KEY_BYTES_MAX];
		void *expanded[BACKENDS_MAX];

		base_random_fill(&random_state, key, sizeof(key));
		for (uint32_t i = 0; i < backends->count; i++)
			expanded[i] = expand(backends->backend[i], aead, key);
		for (uint32_t length = 0; length <= LENGTH_MAX; length++) {
			struct crypto_job job;

			random_job(&job, text, aad, aead, length);
			for (uint32_t i = 0; i < backends->count; i++) {
				/* So long and not longer: a sanitizer sees what is written beyond. */
				uint8_t *data = malloc(1 + length + CRYPTO_TAG_BYTES);

				memcpy(data + 1, text, length);
				job.data = data + 1;
				job.key = expanded[i];
				crypto_seal(backends->backend[i], &job, 1);
				assert_true(job.ok);
				if (i == 0)
					memcpy(wanted, job.data, length + CRYPTO_TAG_BYTES);
				assert_memory_equal(job.data, wanted, length + CRYPTO_TAG_BYTES);
				free(data);
			}
		}
		for (uint32_t i = 0; i < backends->count; i++)
			free(expanded[i]);
	}
}

/* What one backend seals every other opens, at every length. */
static void
open__takes_what_another_sealed(void **state)
{
	const struct backends *backends = *state;
	uint8_t text[LENGTH_MAX], aad[AAD_MAX], data[LENGTH_MAX + CRYPTO_TAG_BYTES];

	base_random_init(&random_state, 2);
	for (uint32_t length = 0; length <= LENGTH_MAX; length++) {
		enum crypto_aead aead = length % CRYPTO_AEAD_COUNT;
		uint32_t sealer = length / CRYPTO_AEAD_COUNT % backends->count;
		uint8_t key[CRYPTO_KEY_BYTES_MAX];

		base_random_fill(&random_state, key, sizeof(key));
		for (uint32_t opener = 0; opener < backends->count; opener++) {
			struct crypto_job job;
			void *sealing = expand(backends->backend[sealer], aead, key);
			void *opening = expand(backends->backend[opener], aead, key);

			random_job(&job, text, aad, aead, length);
			memcpy(data, text, length);
			job.data = data;
			job.key = sealing;
			crypto_seal(backends->backend[sealer], &job, 1);
			job.key = opening;
			job.ok = false;
			crypto_open(backends->backend[opener], &job, 1);
			assert_true(job.ok);
			assert_memory_equal(data, text, length);
			free(sealing);
			free(opening);
		}
	}
}

/* Opens a copy of `sealed` with one octet changed, which must be refused. */
static void
refused(struct crypto_backend *backend, const struct crypto_job *job, const uint8_t *sealed, uint32_t octet)
{
	uint8_t data[64 + CRYPTO_TAG_BYTES];
	struct crypto_job changed = *job;

	memcpy(data, sealed, job->length + CRYPTO_TAG_BYTES);
	data[octet] ^= (uint8_t)(1 << octet % 8);
	changed.data = data;
	changed.ok = true;
	crypto_open(backend, &changed, 1);
	assert_false(changed.ok);
}

static void
open__refuses_a_change_of_any_octet(void **state)
{
	const struct backends *backends = *state;

	base_random_init(&random_state, 3);
	for (uint32_t i = 0; i < backends->count; i++) {
		struct crypto_backend *backend = backends->backend[i];

		for (int aead = 0; aead < CRYPTO_AEAD_COUNT; aead++) {
			uint8_t key[CRYPTO_KEY_BYTES_MAX], aad[AAD_MAX], data[64 + CRYPTO_TAG_BYTES];
			struct crypto_job job;
			void *expanded;

			base_random_fill(&random_state, key, sizeof(key));
			expanded = expand(backend, aead, key);
			random_job(&job, data, aad, aead, 64);
			job.aad_length = 20;
			job.key = expanded;
			crypto_seal(backend, &job, 1);
			for (uint32_t octet = 0; octet < sizeof(data); octet++)
				refused(backend, &job, data, octet);
			crypto_open(backend, &job, 1);
			assert_true(job.ok);
			free(expanded);
		}
	}
}

/* A change of the additional data or the nonce alone. */
static void
open__refuses_another_header_or_nonce(void **state)
{
	const struct backends *backends = *state;

	base_random_init(&random_state, 4);
	for (uint32_t i = 0; i < backends->count; i++) {
		struct crypto_backend *backend = backends->backend[i];

		for (int aead = 0; aead < CRYPTO_AEAD_COUNT; aead++) {
			uint8_t key[CRYPTO_KEY_BYTES_MAX] = {3}, aad[AAD_MAX], data[64 + CRYPTO_TAG_BYTES];
			uint8_t sealed[sizeof(data)];
			struct crypto_job job;
			void *expanded = expand(backend, aead, key);

			random_job(&job, data, aad, aead, 64);
			job.aad_length = 20;
			job.key = expanded;
			crypto_seal(backend, &job, 1);
			memcpy(sealed, data, sizeof(data));
			for (uint32_t octet = 0; octet < 20u + CRYPTO_NONCE_BYTES; octet++) {
				uint8_t *changed = octet < 20 ? &aad[octet] : &job.nonce[octet - 20];

				*changed ^= 1;
				memcpy(data, sealed, sizeof(data));
				crypto_open(backend, &job, 1);
				assert_false(job.ok);
				*changed ^= 1;
			}
			free(expanded);
		}
	}
}

/* Jobs of all AEADs in one burst; every third one is broken, and only these fail. */
static void
open__fails_job_by_job(void **state)
{
	const struct backends *backends = *state;
	static uint8_t data[BURST][LENGTH_MAX + CRYPTO_TAG_BYTES], aad[BURST][AAD_MAX],
		text[BURST][LENGTH_MAX];

	base_random_init(&random_state, 5);
	for (uint32_t i = 0; i < backends->count; i++) {
		struct crypto_backend *backend = backends->backend[i];
		struct crypto_job jobs[BURST];
		uint8_t key[CRYPTO_KEY_BYTES_MAX] = {9};
		void *expanded[CRYPTO_AEAD_COUNT];

		for (int aead = 0; aead < CRYPTO_AEAD_COUNT; aead++)
			expanded[aead] = expand(backend, aead, key);
		for (uint32_t j = 0; j < BURST; j++) {
			random_job(&jobs[j], data[j], aad[j], j % 7 % CRYPTO_AEAD_COUNT, j * 45);
			memcpy(text[j], data[j], jobs[j].length);
			jobs[j].key = expanded[jobs[j].aead];
		}
		crypto_seal(backend, jobs, BURST);
		for (uint32_t j = 0; j < BURST; j += 3)
			data[j][jobs[j].length + j % CRYPTO_TAG_BYTES] ^= 0x10;
		crypto_open(backend, jobs, BURST);
		for (uint32_t j = 0; j < BURST; j++) {
			assert_int_equal(jobs[j].ok, j % 3 != 0);
			if (jobs[j].ok)
				assert_memory_equal(data[j], text[j], jobs[j].length);
		}
		for (int aead = 0; aead < CRYPTO_AEAD_COUNT; aead++)
			free(expanded[aead]);
	}
}

/* FIPS 197 C.1 and C.3: a mask is the first octets of the sample's block. */
static void
mask__is_the_block_of_fips_197(void **state)
{
	const struct backends *backends = *state;
	uint8_t key[32], sample[16];

	hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", key);
	hex("00112233445566778899aabbccddeeff", sample);
	for (uint32_t i = 0; i < backends->count; i++) {
		struct crypto_backend *backend = backends->backend[i];
		struct crypto_mask_job jobs[2] = {{.key = expand_mask(backend, CRYPTO_AES_128_GCM, key),
							  .sample = sample,
							  .aead = CRYPTO_AES_128_GCM},
			{.key = expand_mask(backend, CRYPTO_AES_256_GCM, key),
				.sample = sample,
				.aead = CRYPTO_AES_256_GCM}};

		crypto_mask(backend, jobs, 2);
		assert_hex(jobs[0].mask, "69c4e0d86a");
		assert_hex(jobs[1].mask, "8ea2b7ca51");
		free((void *)(uintptr_t)jobs[0].key);
		free((void *)(uintptr_t)jobs[1].key);
	}
}

/* Bursts of every size, a key for each job, AEADs in runs and mixed. */
static void
mask__agrees_over_bursts(void **state)
{
	const struct backends *backends = *state;
	uint8_t keys[BURST][CRYPTO_KEY_BYTES_MAX], samples[BURST][CRYPTO_SAMPLE_BYTES];
	uint8_t wanted[BURST][CRYPTO_MASK_BYTES];

	base_random_init(&random_state, 6);
	for (uint32_t count = 0; count <= BURST; count++) {
		uint32_t run = 1 + (uint32_t)base_random_below(&random_state, BURST);

		base_random_fill(&random_state, keys, sizeof(keys));
		base_random_fill(&random_state, samples, sizeof(samples));
		for (uint32_t i = 0; i < backends->count; i++) {
			struct crypto_mask_job jobs[BURST];

			for (uint32_t j = 0; j < count; j++) {
				enum crypto_aead aead = j / run % CRYPTO_AEAD_COUNT;

				jobs[j] = (struct crypto_mask_job){.sample = samples[j],
					.aead = (uint8_t)aead,
					.key = expand_mask(backends->backend[i], aead, keys[j])};
			}
			crypto_mask(backends->backend[i], jobs, count);
			for (uint32_t j = 0; j < count; j++) {
				if (i == 0)
					memcpy(wanted[j], jobs[j].mask, CRYPTO_MASK_BYTES);
				assert_memory_equal(jobs[j].mask, wanted[j], CRYPTO_MASK_BYTES);
				free((void *)(uintptr_t)jobs[j].key);
			}
		}
	}
}

/* FIPS 197 C.1, in bursts of every size. */
static void
block__encrypts_and_decrypts_as_fips_197(void **state)
{
	const struct backends *backends = *state;
	uint8_t key[16], blocks[BURST * CRYPTO_BLOCK_BYTES];

	hex("000102030405060708090a0b0c0d0e0f", key);
	for (uint32_t i = 0; i < backends->count; i++) {
		struct crypto_backend *backend = backends->backend[i];
		void *expanded = aligned_alloc(CRYPTO_ALIGNMENT, backend->block_key_bytes);

		crypto_expand_block_key(backend, key, expanded);
		for (uint32_t count = 0; count <= BURST; count++) {
			for (uint32_t j = 0; j < count; j++)
				hex("00112233445566778899aabbccddeeff", blocks + j * CRYPTO_BLOCK_BYTES);
			crypto_block_encrypt(backend, expanded, blocks, count);
			for (uint32_t j = 0; j < count; j++)
				assert_hex(
					blocks + j * CRYPTO_BLOCK_BYTES, "69c4e0d86a7b0430d8cdb78070b4c55a");
			crypto_block_decrypt(backend, expanded, blocks, count);
			for (uint32_t j = 0; j < count; j++)
				assert_hex(
					blocks + j * CRYPTO_BLOCK_BYTES, "00112233445566778899aabbccddeeff");
		}
		free(expanded);
	}
}

/* FIPS 180-2 B.1 and D.1, and the empty message. */
static void
hash__gives_the_digests_of_fips_180(void **state)
{
	const struct backends *backends = *state;
	uint8_t digest[CRYPTO_DIGEST_BYTES_MAX];

	for (uint32_t i = 0; i < backends->count; i++) {
		struct crypto_piece pieces[3] = {{"a", 1}, {NULL, 0}, {"bc", 2}};

		crypto_hash(backends->backend[i], CRYPTO_SHA256, pieces, 3, digest);
		assert_hex(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
		crypto_hash(backends->backend[i], CRYPTO_SHA384, pieces, 3, digest);
		assert_hex(digest,
			"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			"8086072ba1e7cc2358baeca134c825a7");
		crypto_hash(backends->backend[i], CRYPTO_SHA256, pieces, 0, digest);
		assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	}
}

static void
hash__agrees_at_every_length(void **state)
{
	const struct backends *backends = *state;
	uint8_t octets[CRYPTO_HASH_PIECES_BYTES_MAX], wanted[CRYPTO_DIGEST_BYTES_MAX];
	uint8_t digest[CRYPTO_DIGEST_BYTES_MAX];

	base_random_init(&random_state, 7);
	base_random_fill(&random_state, octets, sizeof(octets));
	for (size_t length = 0; length <= sizeof(octets); length++) {
		struct crypto_piece pieces[2] = {
			{octets, length / 3}, {octets + length / 3, length - length / 3}};
		struct crypto_piece whole = {octets, length};

		for (int hash = 0; hash < CRYPTO_HASH_COUNT; hash++) {
			for (uint32_t i = 0; i < backends->count; i++) {
				crypto_hash(backends->backend[i], hash, pieces, 2, i == 0 ? wanted : digest);
				if (i > 0)
					assert_memory_equal(digest, wanted, crypto_digest_bytes(hash));
				crypto_hash(backends->backend[i], hash, &whole, 1, digest);
				assert_memory_equal(digest, wanted, crypto_digest_bytes(hash));
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seal__agrees_at_every_length),
		cmocka_unit_test(open__takes_what_another_sealed),
		cmocka_unit_test(open__refuses_a_change_of_any_octet),
		cmocka_unit_test(open__refuses_another_header_or_nonce),
		cmocka_unit_test(open__fails_job_by_job),
		cmocka_unit_test(mask__is_the_block_of_fips_197),
		cmocka_unit_test(mask__agrees_over_bursts),
		cmocka_unit_test(block__encrypts_and_decrypts_as_fips_197),
		cmocka_unit_test(hash__gives_the_digests_of_fips_180),
		cmocka_unit_test(hash__agrees_at_every_length),
	};

	return cmocka_run_group_tests(tests, backends_open, backends_close);
}
