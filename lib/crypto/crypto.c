/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/crypto.h"

#include <string.h>

#include "base/assert.h"

size_t
crypto_key_bytes(enum crypto_aead aead)
{
	base_assert(aead < CRYPTO_AEAD_COUNT);
	return aead == CRYPTO_AES_128_GCM ? 16 : 32;
}

enum crypto_hash
crypto_aead_hash(enum crypto_aead aead)
{
	base_assert(aead < CRYPTO_AEAD_COUNT);
	return aead == CRYPTO_AES_256_GCM ? CRYPTO_SHA384 : CRYPTO_SHA256;
}

size_t
crypto_digest_bytes(enum crypto_hash hash)
{
	base_assert(hash < CRYPTO_HASH_COUNT);
	return hash == CRYPTO_SHA256 ? 32 : 48;
}

size_t
crypto_hash_block_bytes(enum crypto_hash hash)
{
	base_assert(hash < CRYPTO_HASH_COUNT);
	return hash == CRYPTO_SHA256 ? 64 : 128;
}

bool
crypto_equal(const void *a, const void *b, size_t length)
{
	const uint8_t *left = a;
	const uint8_t *right = b;
	uint64_t difference = 0;

	while (length > 0) {
		size_t part = length < sizeof(uint64_t) ? length : sizeof(uint64_t);
		uint64_t x = 0, y = 0;

		memcpy(&x, left, part);
		memcpy(&y, right, part);
		difference |= x ^ y;
		/* The compiler must not learn that a difference found is final. */
		__asm__ volatile("" : "+r"(difference));
		left += part;
		right += part;
		length -= part;
	}
	return difference == 0;
}

void
crypto_wipe(void *octets, size_t length)
{
	explicit_bzero(octets, length);
}
