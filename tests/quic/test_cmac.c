/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "quic/cmac.h"
#include "tests/support/backend.h"
#include "tests/support/hex.h"

static _Alignas(CRYPTO_ALIGNMENT) uint8_t mac_key[CRYPTO_EXPANDED_BYTES_MAX];
static _Alignas(CRYPTO_ALIGNMENT) uint8_t cipher_key[CRYPTO_EXPANDED_BYTES_MAX];

static void
expand(const char *text, uint8_t *expanded)
{
	uint8_t key[16];

	support_hex(text, key, sizeof(key));
	crypto_expand_block_key(support_backend(), key, expanded);
}

/* RFC 4493 section 4. */
static void
cmac__matches_rfc_4493(void **state)
{
	static const struct {
		size_t length;
		const char *mac;
	} examples[] = {
		{0, "bb1d6929e95937287fa37d129b756746"},
		{16, "070a16b46b4d4144f79bdd9dd04a287c"},
		{40, "dfa66747de9ae63030ca32611497c827"},
		{64, "51f0bebf7e3b9d92fc49741779363cfe"},
	};
	uint8_t message[64];
	uint8_t expected[16];
	uint8_t mac[16];

	expand("2b7e151628aed2a6abf7158809cf4f3c", mac_key);
	support_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
		    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
		message, sizeof(message));
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		support_hex(examples[i].mac, expected, sizeof(expected));
		quic_cmac(support_backend(), mac_key, message, examples[i].length, mac);
		assert_memory_equal(mac, expected, sizeof(mac));
	}
}

/* RFC 5297 appendix A.1. */
static void
siv_seal__matches_rfc_5297(void **state)
{
	uint8_t aad[24];
	uint8_t text[14];
	uint8_t sealed[14];
	uint8_t expected[16];
	uint8_t iv[16];

	expand("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0", mac_key);
	expand("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", cipher_key);
	support_hex("101112131415161718191a1b1c1d1e1f2021222324252627", aad, sizeof(aad));
	support_hex("112233445566778899aabbccddee", text, sizeof(text));
	memcpy(sealed, text, sizeof(text));
	quic_siv_seal(support_backend(), mac_key, cipher_key, aad, sizeof(aad), sealed, sizeof(sealed), iv);
	support_hex("85632d07c6e8f37f950acd320a2ecc93", expected, 16);
	assert_memory_equal(iv, expected, 16);
	support_hex("40c02b9690c4dc04daef7f6afe5c", expected, 14);
	assert_memory_equal(sealed, expected, 14);
	assert_true(quic_siv_open(
		support_backend(), mac_key, cipher_key, aad, sizeof(aad), sealed, sizeof(sealed), iv));
	assert_memory_equal(sealed, text, sizeof(text));
}

static void
siv_open__refuses_what_was_altered_at_every_length(void **state)
{
	uint8_t aad[3] = {1, 2, 3};
	uint8_t text[100];
	uint8_t iv[16];

	expand("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0", mac_key);
	expand("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", cipher_key);
	for (size_t length = 0; length <= sizeof(text); length++) {
		memset(text, 0x5a, sizeof(text));
		quic_siv_seal(support_backend(), mac_key, cipher_key, aad, 3, text, length, iv);
		assert_true(quic_siv_open(support_backend(), mac_key, cipher_key, aad, 3, text, length, iv));
		for (size_t i = 0; i < length; i++)
			assert_int_equal(text[i], 0x5a);
		quic_siv_seal(support_backend(), mac_key, cipher_key, aad, 3, text, length, iv);
		if (length > 0)
			text[length / 2] ^= 1;
		else
			iv[15] ^= 1;
		assert_false(quic_siv_open(support_backend(), mac_key, cipher_key, aad, 3, text, length, iv));
	}
	memset(text, 0x5a, sizeof(text));
	quic_siv_seal(support_backend(), mac_key, cipher_key, aad, 3, text, sizeof(text), iv);
	assert_false(quic_siv_open(support_backend(), mac_key, cipher_key, aad, 2, text, sizeof(text), iv));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cmac__matches_rfc_4493),
		cmocka_unit_test(siv_seal__matches_rfc_5297),
		cmocka_unit_test(siv_open__refuses_what_was_altered_at_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
