/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/cmac.h"

#include <string.h>

#include "base/assert.h"

enum { BLOCK = CRYPTO_BLOCK_BYTES, TEXT_MAX = 512 };

static void
xor_block(uint8_t *to, const uint8_t *with)
{
	for (size_t i = 0; i < BLOCK; i++)
		to[i] ^= with[i];
}

/* Multiplication by x in GF(2^128), in a time that does not depend on the value. */
static void
double_block(uint8_t *block)
{
	uint8_t carry = block[0] >> 7;

	for (size_t i = 0; i + 1 < BLOCK; i++)
		block[i] = (uint8_t)(block[i] << 1 | block[i + 1] >> 7);
	block[BLOCK - 1] = (uint8_t)(block[BLOCK - 1] << 1 ^ (0x87 & -carry));
}

void
quic_cmac(struct crypto_backend *backend, const void *key, const uint8_t *octets, size_t length,
	uint8_t mac[QUIC_CMAC_BYTES])
{
	uint8_t subkey[BLOCK] = {0};
	uint8_t last[BLOCK] = {0};
	size_t full = length == 0 ? 0 : (length - 1) / BLOCK;
	size_t tail = length - full * BLOCK;

	crypto_block_encrypt(backend, key, subkey, 1);
	double_block(subkey);
	if (tail > 0)
		memcpy(last, octets + full * BLOCK, tail);
	if (tail < BLOCK) {
		last[tail] = 0x80;
		double_block(subkey);
	}
	xor_block(last, subkey);
	memset(mac, 0, BLOCK);
	for (size_t i = 0; i < full; i++) {
		xor_block(mac, octets + i * BLOCK);
		crypto_block_encrypt(backend, key, mac, 1);
	}
	xor_block(mac, last);
	crypto_block_encrypt(backend, key, mac, 1);
	crypto_wipe(subkey, sizeof(subkey));
}

/* S2V of RFC 5297 section 2.4 for one string of associated data and the text. */
static void
synthetic_iv(struct crypto_backend *backend, const void *key, const uint8_t *aad, size_t aad_length,
	const uint8_t *text, size_t length, uint8_t iv[BLOCK])
{
	static const uint8_t zero[BLOCK];
	uint8_t buffer[TEXT_MAX];
	uint8_t sum[BLOCK];
	uint8_t mac[BLOCK];

	base_assert(length <= TEXT_MAX);
	quic_cmac(backend, key, zero, BLOCK, sum);
	double_block(sum);
	quic_cmac(backend, key, aad, aad_length, mac);
	xor_block(sum, mac);
	if (length >= BLOCK) {
		memcpy(buffer, text, length);
		xor_block(buffer + length - BLOCK, sum);
		quic_cmac(backend, key, buffer, length, iv);
		return;
	}
	memset(buffer, 0, BLOCK);
	if (length > 0)
		memcpy(buffer, text, length);
	buffer[length] = 0x80;
	double_block(sum);
	xor_block(buffer, sum);
	quic_cmac(backend, key, buffer, BLOCK, iv);
}

/* Counter mode from the IV with bits 31 and 63 cleared, RFC 5297 section 2.5: so 31 bits of counter will do. */
static void
counter_mode(struct crypto_backend *backend, const void *key, const uint8_t iv[BLOCK], uint8_t *text,
	size_t length)
{
	uint8_t counter[BLOCK];
	uint8_t stream[BLOCK];

	memcpy(counter, iv, BLOCK);
	counter[8] &= 0x7f;
	counter[12] &= 0x7f;
	for (size_t at = 0; at < length; at += BLOCK) {
		memcpy(stream, counter, BLOCK);
		crypto_block_encrypt(backend, key, stream, 1);
		for (size_t i = 0; i < BLOCK && at + i < length; i++)
			text[at + i] ^= stream[i];
		for (size_t i = BLOCK; i > 0 && ++counter[i - 1] == 0; i--)
			;
	}
}

void
quic_siv_seal(struct crypto_backend *backend, const void *mac_key, const void *cipher_key, const uint8_t *aad,
	size_t aad_length, uint8_t *text, size_t length, uint8_t iv[QUIC_CMAC_BYTES])
{
	synthetic_iv(backend, mac_key, aad, aad_length, text, length, iv);
	counter_mode(backend, cipher_key, iv, text, length);
}

bool
quic_siv_open(struct crypto_backend *backend, const void *mac_key, const void *cipher_key, const uint8_t *aad,
	size_t aad_length, uint8_t *text, size_t length, const uint8_t iv[QUIC_CMAC_BYTES])
{
	uint8_t expected[BLOCK];

	counter_mode(backend, cipher_key, iv, text, length);
	synthetic_iv(backend, mac_key, aad, aad_length, text, length, expected);
	if (crypto_equal(expected, iv, BLOCK))
		return true;
	crypto_wipe(text, length);
	return false;
}
