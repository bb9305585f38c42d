/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two generators. base_random is xoshiro256++, fast and replayable from a seed, for simulators, jitter and
 * greasing: never for secrets. base_siphash is SipHash-2-4 of a 16-octet key, for tables whose keys a peer
 * may choose. Unpredictable octets (connection IDs, tokens) come from keyed AES or from struct base_entropy,
 * which the owner seeds.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct base_random {
	uint64_t state[4];
};

void base_random_init(struct base_random *random, uint64_t seed);
uint64_t base_random_next(struct base_random *random);
/* Uniform in [0, limit); limit is not 0. */
uint64_t base_random_below(struct base_random *random, uint64_t limit);
void base_random_fill(struct base_random *random, void *octets, size_t length);

uint64_t base_siphash(const uint8_t key[16], const void *octets, size_t length);

#endif
