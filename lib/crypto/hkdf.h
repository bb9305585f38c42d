/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HMAC (RFC 2104), HKDF (RFC 5869) and TLS 1.3's HKDF-Expand-Label (RFC 8446 7.1) over a backend's hash. For
 * the key schedule and tokens: input together with labels is at most CRYPTO_HMAC_BYTES_MAX octets, which the
 * caller answers for.
 */
#ifndef CRYPTO_HKDF_H
#define CRYPTO_HKDF_H

#include "crypto/crypto.h"

#define CRYPTO_HMAC_BYTES_MAX (CRYPTO_HASH_PIECES_BYTES_MAX - CRYPTO_HASH_BLOCK_BYTES_MAX)

/* `count` pieces, 8 at most; `mac` has crypto_digest_bytes(hash) octets. A key of any length. */
void crypto_hmac(struct crypto_backend *backend, enum crypto_hash hash, const void *key, size_t key_length,
	const struct crypto_piece *pieces, uint32_t count, uint8_t *mac);

/* The pseudorandom key, crypto_digest_bytes(hash) octets. */
void crypto_hkdf_extract(struct crypto_backend *backend, enum crypto_hash hash, const void *salt,
	size_t salt_length, const void *input, size_t input_length, uint8_t *prk);

/* `length` octets, at most 255 digests of them. `prk` has crypto_digest_bytes(hash) octets. */
void crypto_hkdf_expand(struct crypto_backend *backend, enum crypto_hash hash, const uint8_t *prk,
	const void *info, size_t info_length, uint8_t *output, size_t length);

/* With an empty context, as QUIC uses it. `label` comes without "tls13 ". */
void crypto_hkdf_expand_label(struct crypto_backend *backend, enum crypto_hash hash, const uint8_t *secret,
	const char *label, uint8_t *output, size_t length);

#endif
