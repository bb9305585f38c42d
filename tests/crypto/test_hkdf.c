/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "crypto/hkdf.h"
#include "support.h"

static void
hmac_of(struct crypto_backend *backend, enum crypto_hash hash, const void *key, size_t key_length,
	const char *text, const char *wanted)
{
	uint8_t mac[CRYPTO_DIGEST_BYTES_MAX];
	/* In two pieces, so that joining them is seen. */
	struct crypto_piece pieces[2] = {{text, 3}, {text + 3, strlen(text) - 3}};

	crypto_hmac(backend, hash, key, key_length, pieces, 2, mac);
	assert_hex(mac, wanted);
}

/* RFC 4231 test cases 2 and 6. */
static void
crypto_hmac__gives_the_macs_of_rfc_4231(void **state)
{
	const struct backends *backends = *state;
	const char *text = "what do ya want for nothing?";
	const char *long_key_text = "Test Using Larger Than Block-Size Key - Hash Key First";
	uint8_t long_key[131];

	memset(long_key, 0xaa, sizeof(long_key));
	for (uint32_t i = 0; i < backends->count; i++) {
		struct crypto_backend *backend = backends->backend[i];

		hmac_of(backend, CRYPTO_SHA256, "Jefe", 4, text,
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
		hmac_of(backend, CRYPTO_SHA384, "Jefe", 4, text,
			"af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
			"8e2240ca5e69e2c78b3239ecfab21649");
		hmac_of(backend, CRYPTO_SHA256, long_key, sizeof(long_key), long_key_text,
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
		hmac_of(backend, CRYPTO_SHA384, long_key, sizeof(long_key), long_key_text,
			"4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
			"0c2ef6ab4030fe8296248df163f44952");
	}
}

struct hkdf_vector {
	const char *input, *salt, *info, *prk, *output;
};

/* RFC 5869 A.1, A.2, A.3. */
static const struct hkdf_vector hkdf_vectors[] = {
	{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
		"077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
		"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
	{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	 "404142434445464748494a4b4c4d4e4f",
		"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
		"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
		"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		"b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
		"d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
		"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		"06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
		"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		"59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		"cc30c58179ec3e87c14c01d5c1f3434f1d87"},
	{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		"19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
		"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

static void
crypto_hkdf_expand__gives_the_keys_of_rfc_5869(void **state)
{
	const struct backends *backends = *state;

	for (uint32_t i = 0; i < backends->count; i++) {
		for (size_t v = 0; v < sizeof(hkdf_vectors) / sizeof(hkdf_vectors[0]); v++) {
			const struct hkdf_vector *vector = &hkdf_vectors[v];
			uint8_t input[80], salt[80], info[80], prk[32], output[82];
			size_t input_length = hex(vector->input, input);
			size_t salt_length = hex(vector->salt, salt);
			size_t info_length = hex(vector->info, info);

			crypto_hkdf_extract(backends->backend[i], CRYPTO_SHA256, salt, salt_length, input,
				input_length, prk);
			assert_hex(prk, vector->prk);
			crypto_hkdf_expand(backends->backend[i], CRYPTO_SHA256, prk, info, info_length,
				output, strlen(vector->output) / 2);
			assert_hex(output, vector->output);
		}
	}
}

/* RFC 9001 A.1 gives the label itself: 00200f746c73313320636c69656e7420696e00. */
static void
crypto_hkdf_expand_label__prefixes_tls13(void **state)
{
	const struct backends *backends = *state;
	uint8_t secret[32] = {1, 2, 3}, info[32], wanted[32], output[32];
	size_t info_length = hex("00200f746c73313320636c69656e7420696e00", info);

	for (uint32_t i = 0; i < backends->count; i++) {
		crypto_hkdf_expand(backends->backend[i], CRYPTO_SHA256, secret, info, info_length, wanted,
			sizeof(wanted));
		crypto_hkdf_expand_label(
			backends->backend[i], CRYPTO_SHA256, secret, "client in", output, sizeof(output));
		assert_memory_equal(output, wanted, sizeof(wanted));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crypto_hmac__gives_the_macs_of_rfc_4231),
		cmocka_unit_test(crypto_hkdf_expand__gives_the_keys_of_rfc_5869),
		cmocka_unit_test(crypto_hkdf_expand_label__prefixes_tls13),
	};

	return cmocka_run_group_tests(tests, backends_open, backends_close);
}
