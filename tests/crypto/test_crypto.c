/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "crypto/crypto.h"

static void
crypto_key_bytes__are_those_of_the_cipher_suites(void **state)
{
	assert_int_equal(crypto_key_bytes(CRYPTO_AES_128_GCM), 16);
	assert_int_equal(crypto_key_bytes(CRYPTO_AES_256_GCM), 32);
	assert_int_equal(crypto_key_bytes(CRYPTO_CHACHA20_POLY1305), 32);
}

static void
crypto_aead_hash__is_sha384_for_aes_256_alone(void **state)
{
	assert_int_equal(crypto_aead_hash(CRYPTO_AES_128_GCM), CRYPTO_SHA256);
	assert_int_equal(crypto_aead_hash(CRYPTO_AES_256_GCM), CRYPTO_SHA384);
	assert_int_equal(crypto_aead_hash(CRYPTO_CHACHA20_POLY1305), CRYPTO_SHA256);
	assert_int_equal(crypto_digest_bytes(CRYPTO_SHA256), 32);
	assert_int_equal(crypto_digest_bytes(CRYPTO_SHA384), 48);
	assert_int_equal(crypto_hash_block_bytes(CRYPTO_SHA256), 64);
	assert_int_equal(crypto_hash_block_bytes(CRYPTO_SHA384), 128);
}

static void
crypto_equal__sees_every_octet(void **state)
{
	uint8_t a[33], b[33];

	for (size_t length = 0; length <= sizeof(a); length++) {
		memset(a, 0x5a, sizeof(a));
		memset(b, 0x5a, sizeof(b));
		assert_true(crypto_equal(a, b, length));
		for (size_t i = 0; i < sizeof(a); i++) {
			b[i] ^= 0x80;
			assert_int_equal(crypto_equal(a, b, length), i >= length);
			b[i] ^= 0x80;
		}
	}
}

static void
crypto_wipe__leaves_zeros(void **state)
{
	uint8_t octets[5] = {1, 2, 3, 4, 5};
	const uint8_t wanted[5] = {0, 0, 0, 0, 5};

	crypto_wipe(octets, 4);
	assert_memory_equal(octets, wanted, sizeof(octets));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crypto_key_bytes__are_those_of_the_cipher_suites),
		cmocka_unit_test(crypto_aead_hash__is_sha384_for_aes_256_alone),
		cmocka_unit_test(crypto_equal__sees_every_octet),
		cmocka_unit_test(crypto_wipe__leaves_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
