/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Single AES blocks, four at a time: a round has a latency of three to four cycles and a CPU starts one or two
 * in each, so four independent blocks take little longer than one.
 */
#include <immintrin.h>
#include <string.h>

#include "drivers/crypto/ipsec_mb_parts.h"

#define AESNI __attribute__((target("aes,sse4.1")))

AESNI static inline __m128i
load(const void *octets)
{
	return _mm_loadu_si128(octets);
}

AESNI static inline void
mask_store(struct crypto_mask_job *job, __m128i state)
{
	uint64_t low = (uint64_t)_mm_cvtsi128_si64(state);

	memcpy(job->mask, &low, CRYPTO_MASK_BYTES);
}

AESNI static void
mask_one(struct crypto_mask_job *job, int rounds)
{
	const __m128i *key = job->key;
	__m128i state = _mm_xor_si128(load(job->sample), key[0]);

	for (int i = 1; i < rounds; i++)
		state = _mm_aesenc_si128(state, key[i]);
	mask_store(job, _mm_aesenclast_si128(state, key[rounds]));
}

AESNI static void
mask_four(struct crypto_mask_job *jobs, int rounds)
{
	const __m128i *key0 = jobs[0].key, *key1 = jobs[1].key, *key2 = jobs[2].key, *key3 = jobs[3].key;
	__m128i state0 = _mm_xor_si128(load(jobs[0].sample), key0[0]);
	__m128i state1 = _mm_xor_si128(load(jobs[1].sample), key1[0]);
	__m128i state2 = _mm_xor_si128(load(jobs[2].sample), key2[0]);
	__m128i state3 = _mm_xor_si128(load(jobs[3].sample), key3[0]);

	for (int i = 1; i < rounds; i++) {
		state0 = _mm_aesenc_si128(state0, key0[i]);
		state1 = _mm_aesenc_si128(state1, key1[i]);
		state2 = _mm_aesenc_si128(state2, key2[i]);
		state3 = _mm_aesenc_si128(state3, key3[i]);
	}
	mask_store(&jobs[0], _mm_aesenclast_si128(state0, key0[rounds]));
	mask_store(&jobs[1], _mm_aesenclast_si128(state1, key1[rounds]));
	mask_store(&jobs[2], _mm_aesenclast_si128(state2, key2[rounds]));
	mask_store(&jobs[3], _mm_aesenclast_si128(state3, key3[rounds]));
}

AESNI void
ipsec_mb_mask_aes(struct crypto_mask_job *jobs, uint32_t count, int rounds)
{
	for (; count >= 4; count -= 4, jobs += 4)
		mask_four(jobs, rounds);
	for (; count > 0; count--, jobs++)
		mask_one(jobs, rounds);
}

AESNI void
ipsec_mb_block_encrypt(const void *schedule, uint8_t *blocks, uint32_t count)
{
	const __m128i *key = schedule;
	__m128i *at = (void *)blocks;

	for (; count >= 4; count -= 4, at += 4) {
		__m128i state0 = _mm_xor_si128(load(at), key[0]);
		__m128i state1 = _mm_xor_si128(load(at + 1), key[0]);
		__m128i state2 = _mm_xor_si128(load(at + 2), key[0]);
		__m128i state3 = _mm_xor_si128(load(at + 3), key[0]);

		for (int i = 1; i < IPSEC_MB_ROUNDS_128; i++) {
			state0 = _mm_aesenc_si128(state0, key[i]);
			state1 = _mm_aesenc_si128(state1, key[i]);
			state2 = _mm_aesenc_si128(state2, key[i]);
			state3 = _mm_aesenc_si128(state3, key[i]);
		}
		_mm_storeu_si128(at, _mm_aesenclast_si128(state0, key[IPSEC_MB_ROUNDS_128]));
		_mm_storeu_si128(at + 1, _mm_aesenclast_si128(state1, key[IPSEC_MB_ROUNDS_128]));
		_mm_storeu_si128(at + 2, _mm_aesenclast_si128(state2, key[IPSEC_MB_ROUNDS_128]));
		_mm_storeu_si128(at + 3, _mm_aesenclast_si128(state3, key[IPSEC_MB_ROUNDS_128]));
	}
	for (; count > 0; count--, at++) {
		__m128i state = _mm_xor_si128(load(at), key[0]);

		for (int i = 1; i < IPSEC_MB_ROUNDS_128; i++)
			state = _mm_aesenc_si128(state, key[i]);
		_mm_storeu_si128(at, _mm_aesenclast_si128(state, key[IPSEC_MB_ROUNDS_128]));
	}
}

AESNI void
ipsec_mb_block_decrypt(const void *schedule, uint8_t *blocks, uint32_t count)
{
	const __m128i *key = schedule;
	__m128i *at = (void *)blocks;

	for (; count >= 4; count -= 4, at += 4) {
		__m128i state0 = _mm_xor_si128(load(at), key[0]);
		__m128i state1 = _mm_xor_si128(load(at + 1), key[0]);
		__m128i state2 = _mm_xor_si128(load(at + 2), key[0]);
		__m128i state3 = _mm_xor_si128(load(at + 3), key[0]);

		for (int i = 1; i < IPSEC_MB_ROUNDS_128; i++) {
			state0 = _mm_aesdec_si128(state0, key[i]);
			state1 = _mm_aesdec_si128(state1, key[i]);
			state2 = _mm_aesdec_si128(state2, key[i]);
			state3 = _mm_aesdec_si128(state3, key[i]);
		}
		_mm_storeu_si128(at, _mm_aesdeclast_si128(state0, key[IPSEC_MB_ROUNDS_128]));
		_mm_storeu_si128(at + 1, _mm_aesdeclast_si128(state1, key[IPSEC_MB_ROUNDS_128]));
		_mm_storeu_si128(at + 2, _mm_aesdeclast_si128(state2, key[IPSEC_MB_ROUNDS_128]));
		_mm_storeu_si128(at + 3, _mm_aesdeclast_si128(state3, key[IPSEC_MB_ROUNDS_128]));
	}
	for (; count > 0; count--, at++) {
		__m128i state = _mm_xor_si128(load(at), key[0]);

		for (int i = 1; i < IPSEC_MB_ROUNDS_128; i++)
			state = _mm_aesdec_si128(state, key[i]);
		_mm_storeu_si128(at, _mm_aesdeclast_si128(state, key[IPSEC_MB_ROUNDS_128]));
	}
}
