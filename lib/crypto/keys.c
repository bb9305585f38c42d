/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/keys.h"

#include <string.h>

#include "base/assert.h"
#include "base/writer.h"
#include "crypto/hkdf.h"

/* RFC 9001 5.2. */
static const uint8_t initial_salt[20] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a,
	0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
/* RFC 9001 5.8. */
static const uint8_t retry_key[16] = {
	0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e};
static const uint8_t retry_nonce[CRYPTO_NONCE_BYTES] = {
	0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb};

size_t
crypto_secret_bytes(enum crypto_aead aead)
{
	return crypto_digest_bytes(crypto_aead_hash(aead));
}

void
crypto_initial_secrets(struct crypto_backend *backend, const uint8_t *conn_id, size_t conn_id_length,
	uint8_t *client_secret, uint8_t *server_secret)
{
	uint8_t initial[CRYPTO_INITIAL_SECRET_BYTES];

	crypto_hkdf_extract(
		backend, CRYPTO_SHA256, initial_salt, sizeof(initial_salt), conn_id, conn_id_length, initial);
	crypto_hkdf_expand_label(
		backend, CRYPTO_SHA256, initial, "client in", client_secret, CRYPTO_INITIAL_SECRET_BYTES);
	crypto_hkdf_expand_label(
		backend, CRYPTO_SHA256, initial, "server in", server_secret, CRYPTO_INITIAL_SECRET_BYTES);
	crypto_wipe(initial, sizeof(initial));
}

void
crypto_packet_keys_derive(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *secret,
	struct crypto_packet_keys *keys)
{
	crypto_packet_keys_derive_key(backend, aead, secret, keys);
	crypto_hkdf_expand_label(
		backend, crypto_aead_hash(aead), secret, "quic hp", keys->hp, crypto_key_bytes(aead));
}

void
crypto_packet_keys_derive_key(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *secret,
	struct crypto_packet_keys *keys)
{
	enum crypto_hash hash = crypto_aead_hash(aead);

	keys->aead = (uint8_t)aead;
	crypto_hkdf_expand_label(backend, hash, secret, "quic key", keys->key, crypto_key_bytes(aead));
	crypto_hkdf_expand_label(backend, hash, secret, "quic iv", keys->iv, sizeof(keys->iv));
}

void
crypto_next_secret(
	struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *secret, uint8_t *next)
{
	crypto_hkdf_expand_label(
		backend, crypto_aead_hash(aead), secret, "quic ku", next, crypto_secret_bytes(aead));
}

bool
crypto_retry_tag(struct crypto_backend *backend, const uint8_t *original, size_t original_length,
	const uint8_t *retry, size_t retry_length, uint8_t tag[CRYPTO_TAG_BYTES])
{
	_Alignas(CRYPTO_ALIGNMENT) uint8_t expanded[CRYPTO_EXPANDED_BYTES_MAX];
	uint8_t pseudo[1 + UINT8_MAX + CRYPTO_RETRY_BYTES_MAX];
	struct base_writer writer = base_writer(pseudo, sizeof(pseudo));
	struct crypto_job job = {.key = expanded, .data = tag, .aad = pseudo, .aead = CRYPTO_AES_128_GCM};

	base_assert(original_length <= UINT8_MAX);
	base_assert(backend->aead_key_bytes[CRYPTO_AES_128_GCM] <= sizeof(expanded));
	if (retry_length > CRYPTO_RETRY_BYTES_MAX)
		return false;
	base_writer_u8(&writer, (uint8_t)original_length);
	base_writer_octets(&writer, original, original_length);
	base_writer_octets(&writer, retry, retry_length);
	base_assert(base_writer_ok(&writer));

	/* The key is no secret, so nothing is wiped. The text is empty: what is sealed is the tag alone. */
	crypto_expand_key(backend, CRYPTO_AES_128_GCM, retry_key, expanded);
	job.aad_length = (uint16_t)base_writer_length(&writer);
	memcpy(job.nonce, retry_nonce, sizeof(job.nonce));
	crypto_seal(backend, &job, 1);
	return true;
}

uint64_t
crypto_confidentiality_limit(enum crypto_aead aead)
{
	base_assert(aead < CRYPTO_AEAD_COUNT);
	return aead == CRYPTO_CHACHA20_POLY1305 ? UINT64_MAX : UINT64_C(1) << 23;
}

uint64_t
crypto_integrity_limit(enum crypto_aead aead)
{
	base_assert(aead < CRYPTO_AEAD_COUNT);
	return UINT64_C(1) << (aead == CRYPTO_CHACHA20_POLY1305 ? 36 : 52);
}
