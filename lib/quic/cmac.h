/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * AES-CMAC (RFC 4493) and AES-SIV (RFC 5297) over the block function of a crypto backend: for a few short
 * strings per connection, such as tokens, and never for packets.
 */
#ifndef QUIC_CMAC_H
#define QUIC_CMAC_H

#include "crypto/crypto.h"

enum { QUIC_CMAC_BYTES = CRYPTO_BLOCK_BYTES };

/* `key` is a block key that the backend expanded. */
void quic_cmac(struct crypto_backend *backend, const void *key, const uint8_t *octets, size_t length,
	uint8_t mac[QUIC_CMAC_BYTES]);
/* The synthetic IV and, in place, the ciphertext of `text`; one string of associated data. */
void quic_siv_seal(struct crypto_backend *backend, const void *mac_key, const void *cipher_key,
	const uint8_t *aad, size_t aad_length, uint8_t *text, size_t length, uint8_t iv[QUIC_CMAC_BYTES]);
/* Opens in place; false, with `text` wiped, when it or `aad` was altered. */
bool quic_siv_open(struct crypto_backend *backend, const void *mac_key, const void *cipher_key,
	const uint8_t *aad, size_t aad_length, uint8_t *text, size_t length,
	const uint8_t iv[QUIC_CMAC_BYTES]);

#endif
