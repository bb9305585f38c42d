/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The first words of one ChaCha20 block (RFC 8439 2.3) for each of four keys at once, a lane per key: the
 * library's ChaCha20 starts at a block counter of its own, header protection at one out of the sample.
 */
#include <string.h>

#include "drivers/crypto/ipsec_mb_parts.h"

#define LANES 4
#define WORDS 16
#define DOUBLE_ROUNDS 10

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

static inline __attribute__((always_inline)) void
quarter_round(lanes *a, lanes *b, lanes *c, lanes *d)
{
	*a += *b;
	*d ^= *a;
	*d = *d << 16 | *d >> 16;
	*c += *d;
	*b ^= *c;
	*b = *b << 12 | *b >> 20;
	*a += *b;
	*d ^= *a;
	*d = *d << 8 | *d >> 24;
	*c += *d;
	*b ^= *c;
	*b = *b << 7 | *b >> 25;
}

/* Constants, key, then counter and nonce, which are the sample as it stands: x86 is little-endian as ChaCha20. */
static void
load(lanes state[WORDS], const struct crypto_mask_job *jobs, uint32_t count)
{
	static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

	for (uint32_t lane = 0; lane < LANES; lane++) {
		/* Lanes with no job repeat the first. */
		const struct crypto_mask_job *job = &jobs[lane < count ? lane : 0];
		uint32_t words[WORDS];

		memcpy(words, constants, sizeof(constants));
		memcpy(words + 4, job->key, CRYPTO_KEY_BYTES_MAX);
		memcpy(words + 12, job->sample, CRYPTO_SAMPLE_BYTES);
		for (int i = 0; i < WORDS; i++)
			state[i][lane] = words[i];
	}
}

static void
mask_four(struct crypto_mask_job *jobs, uint32_t count)
{
	lanes state[WORDS];
	lanes first[2];

	load(state, jobs, count);
	/* The mask is 5 octets: of the result two words matter. */
	first[0] = state[0];
	first[1] = state[1];
	for (int i = 0; i < DOUBLE_ROUNDS; i++) {
		quarter_round(&state[0], &state[4], &state[8], &state[12]);
		quarter_round(&state[1], &state[5], &state[9], &state[13]);
		quarter_round(&state[2], &state[6], &state[10], &state[14]);
		quarter_round(&state[3], &state[7], &state[11], &state[15]);
		quarter_round(&state[0], &state[5], &state[10], &state[15]);
		quarter_round(&state[1], &state[6], &state[11], &state[12]);
		quarter_round(&state[2], &state[7], &state[8], &state[13]);
		quarter_round(&state[3], &state[4], &state[9], &state[14]);
	}
	first[0] += state[0];
	first[1] += state[1];
	for (uint32_t lane = 0; lane < count; lane++) {
		uint32_t words[2] = {first[0][lane], first[1][lane]};

		memcpy(jobs[lane].mask, words, CRYPTO_MASK_BYTES);
	}
}

void
ipsec_mb_mask_chacha20(struct crypto_mask_job *jobs, uint32_t count)
{
	for (; count > LANES; count -= LANES, jobs += LANES)
		mask_four(jobs, LANES);
	if (count > 0)
		mask_four(jobs, count);
}
