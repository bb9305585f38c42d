/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/random.h"

#include <string.h>

#include "base/assert.h"

static uint64_t
rotate_left(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

/* splitmix64 spreads a small seed over the state, as the authors of xoshiro advise. */
void
base_random_init(struct base_random *random, uint64_t seed)
{
	for (size_t i = 0; i < 4; i++) {
		uint64_t mixed = seed += UINT64_C(0x9e3779b97f4a7c15);

		mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
		random->state[i] = mixed ^ mixed >> 31;
	}
}

uint64_t
base_random_next(struct base_random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate_left(s[0] + s[3], 23) + s[0];
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

/* The full product of two 64-bit numbers; ISO C has no such type. */
__extension__ typedef unsigned __int128 product;

uint64_t
base_random_below(struct base_random *random, uint64_t limit)
{
	base_assert(limit > 0);
	return (uint64_t)((product)base_random_next(random) * limit >> 64);
}

void
base_random_fill(struct base_random *random, void *octets, size_t length)
{
	uint8_t *to = octets;

	while (length > 0) {
		uint64_t value = base_random_next(random);
		size_t part = length < sizeof(value) ? length : sizeof(value);

		memcpy(to, &value, part);
		to += part;
		length -= part;
	}
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate_left(v[1], 13) ^ v[0];
	v[0] = rotate_left(v[0], 32);
	v[2] += v[3];
	v[3] = rotate_left(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate_left(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate_left(v[1], 17) ^ v[2];
	v[2] = rotate_left(v[2], 32);
}

static uint64_t
load_little(const uint8_t *octets, size_t length)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++)
		value |= (uint64_t)octets[i] << (8 * i);
	return value;
}

uint64_t
base_siphash(const uint8_t key[16], const void *octets, size_t length)
{
	const uint8_t *at = octets;
	uint64_t k0 = load_little(key, 8), k1 = load_little(key + 8, 8);
	uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
	size_t whole = length & ~(size_t)7;
	uint64_t word;

	for (size_t i = 0; i < whole; i += 8) {
		word = load_little(at + i, 8);
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
	}
	word = load_little(at + whole, length & 7) | (uint64_t)length << 56;
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
