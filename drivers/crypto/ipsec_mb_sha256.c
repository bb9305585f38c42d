/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SHA-256 (FIPS 180-4) by the CPU's own instructions. The library uses them for batches only; one hash of its
 * takes five times as long, and the key schedule is a chain of single ones.
 */
#include <immintrin.h>
#include <string.h>

#include "base/writer.h"
#include "drivers/crypto/ipsec_mb_parts.h"

#define SHANI __attribute__((target("sha,sse4.1,ssse3")))
#define BLOCK_BYTES 64

static const uint32_t round_constants[64] __attribute__((aligned(16))) = {0x428a2f98, 0x71374491, 0xb5c0fbcf,
	0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
	0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6,
	0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
	0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70,
	0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
	0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814,
	0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* The eight words in the order that the instructions want: A in the highest lane of the first. */
struct state {
	__m128i abef;
	__m128i cdgh;
};

SHANI static inline void
four_rounds(struct state *state, __m128i words, const uint32_t *constants)
{
	__m128i sum = _mm_add_epi32(words, _mm_load_si128((const void *)constants));

	state->cdgh = _mm_sha256rnds2_epu32(state->cdgh, state->abef, sum);
	state->abef = _mm_sha256rnds2_epu32(state->abef, state->cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/* The next four words of the message schedule, from the sixteen before them. */
SHANI static inline __m128i
schedule(__m128i words0, __m128i words1, __m128i words2, __m128i words3)
{
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(words0, words1), _mm_alignr_epi8(words3, words2, 4));

	return _mm_sha256msg2_epu32(sum, words3);
}

SHANI static void
compress(struct state *state, const uint8_t *octets, size_t blocks)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	for (; blocks > 0; blocks--, octets += BLOCK_BYTES) {
		struct state before = *state;
		const __m128i *at = (const void *)octets;
		__m128i words0 = _mm_shuffle_epi8(_mm_loadu_si128(at), big_endian);
		__m128i words1 = _mm_shuffle_epi8(_mm_loadu_si128(at + 1), big_endian);
		__m128i words2 = _mm_shuffle_epi8(_mm_loadu_si128(at + 2), big_endian);
		__m128i words3 = _mm_shuffle_epi8(_mm_loadu_si128(at + 3), big_endian);

		for (int round = 0; round < 64; round += 16) {
			four_rounds(state, words0, &round_constants[round]);
			four_rounds(state, words1, &round_constants[round + 4]);
			four_rounds(state, words2, &round_constants[round + 8]);
			four_rounds(state, words3, &round_constants[round + 12]);
			/* The last time round these go unused. */
			words0 = schedule(words0, words1, words2, words3);
			words1 = schedule(words1, words2, words3, words0);
			words2 = schedule(words2, words3, words0, words1);
			words3 = schedule(words3, words0, words1, words2);
		}
		state->abef = _mm_add_epi32(state->abef, before.abef);
		state->cdgh = _mm_add_epi32(state->cdgh, before.cdgh);
	}
}

SHANI void
ipsec_mb_sha256(const uint8_t *octets, size_t length, uint8_t *digest)
{
	struct state state = {_mm_set_epi32(0x6a09e667, (int)0xbb67ae85, 0x510e527f, (int)0x9b05688c),
		_mm_set_epi32(0x3c6ef372, (int)0xa54ff53a, 0x1f83d9ab, 0x5be0cd19)};
	uint8_t last[2 * BLOCK_BYTES] = {0};
	size_t whole = length / BLOCK_BYTES, left = length % BLOCK_BYTES;
	size_t last_bytes = left + 1 + sizeof(uint64_t) <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;
	uint32_t abef[4], cdgh[4];

	compress(&state, octets, whole);
	if (left > 0)
		memcpy(last, octets + whole * BLOCK_BYTES, left);
	last[left] = 0x80;
	base_put_uint(last + last_bytes - sizeof(uint64_t), (uint64_t)length * 8, sizeof(uint64_t));
	compress(&state, last, last_bytes / BLOCK_BYTES);
	crypto_wipe(last, sizeof(last));

	_mm_storeu_si128((void *)abef, state.abef);
	_mm_storeu_si128((void *)cdgh, state.cdgh);
	for (size_t i = 0; i < 2; i++) {
		base_put_uint(digest + 4 * i, abef[3 - i], 4);
		base_put_uint(digest + 8 + 4 * i, cdgh[3 - i], 4);
		base_put_uint(digest + 16 + 4 * i, abef[1 - i], 4);
		base_put_uint(digest + 24 + 4 * i, cdgh[1 - i], 4);
	}
}
