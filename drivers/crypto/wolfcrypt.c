/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drivers/crypto/wolfcrypt.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/sha512.h>

#include <string.h>

#include "base/assert.h"

struct block_key {
	Aes encrypt;
	Aes decrypt;
};

#define ALIGNED(bytes) (((bytes) + CRYPTO_ALIGNMENT - 1) / CRYPTO_ALIGNMENT * CRYPTO_ALIGNMENT)
_Static_assert(ALIGNED(sizeof(Aes)) <= CRYPTO_EXPANDED_BYTES_MAX, "the bound of expanded keys");
_Static_assert(ALIGNED(sizeof(struct block_key)) <= CRYPTO_EXPANDED_BYTES_MAX, "the bound of expanded keys");
_Static_assert(CHACHA20_POLY1305_AEAD_AUTHTAG_SIZE == CRYPTO_TAG_BYTES, "RFC 8439 2.8");

static void
expand_key(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key, void *expanded)
{
	if (aead == CRYPTO_CHACHA20_POLY1305) {
		memcpy(expanded, key, CRYPTO_KEY_BYTES_MAX);
		return;
	}
	base_assert(wc_AesInit(expanded, NULL, INVALID_DEVID) == 0);
	base_assert(wc_AesGcmSetKey(expanded, key, (word32)crypto_key_bytes(aead)) == 0);
}

static void
expand_aes(Aes *aes, const uint8_t *key, size_t key_length, int direction)
{
	base_assert(wc_AesInit(aes, NULL, INVALID_DEVID) == 0);
	base_assert(wc_AesSetKeyDirect(aes, key, (word32)key_length, NULL, direction) == 0);
}

static void
expand_mask_key(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key, void *expanded)
{
	if (aead == CRYPTO_CHACHA20_POLY1305)
		memcpy(expanded, key, CRYPTO_KEY_BYTES_MAX);
	else
		expand_aes(expanded, key, crypto_key_bytes(aead), AES_ENCRYPTION);
}

static void
expand_block_key(struct crypto_backend *backend, const uint8_t *key, void *expanded)
{
	struct block_key *both = expanded;

	expand_aes(&both->encrypt, key, 16, AES_ENCRYPTION);
	expand_aes(&both->decrypt, key, 16, AES_DECRYPTION);
}

/* wolfCrypt writes into its key structures here and there, so it wants them not const. */
static Aes *
aes_of(const void *key)
{
	return (Aes *)(uintptr_t)key;
}

static void
seal(struct crypto_backend *backend, struct crypto_job *jobs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct crypto_job *job = &jobs[i];
		uint8_t *tag = job->data + job->length;
		int result;

		if (job->aead == CRYPTO_CHACHA20_POLY1305)
			result = wc_ChaCha20Poly1305_Encrypt(job->key, job->nonce, job->aad, job->aad_length,
				job->data, job->length, job->data, tag);
		else
			result = wc_AesGcmEncrypt(aes_of(job->key), job->data, job->data, job->length,
				job->nonce, CRYPTO_NONCE_BYTES, tag, CRYPTO_TAG_BYTES, job->aad,
				job->aad_length);
		base_assert(result == 0);
		job->ok = true;
	}
}

static void
open_jobs(struct crypto_backend *backend, struct crypto_job *jobs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct crypto_job *job = &jobs[i];
		const uint8_t *tag = job->data + job->length;
		int result;

		if (job->aead == CRYPTO_CHACHA20_POLY1305)
			result = wc_ChaCha20Poly1305_Decrypt(job->key, job->nonce, job->aad, job->aad_length,
				job->data, job->length, tag, job->data);
		else
			result = wc_AesGcmDecrypt(aes_of(job->key), job->data, job->data, job->length,
				job->nonce, CRYPTO_NONCE_BYTES, tag, CRYPTO_TAG_BYTES, job->aad,
				job->aad_length);
		/* Any other failure is ours, not the peer's. */
		base_assert(result == 0 || result == AES_GCM_AUTH_E || result == MAC_CMP_FAILED_E);
		job->ok = result == 0;
	}
}

/* RFC 9001 5.4.4: the sample is the block counter, little-endian, and the nonce. */
static void
mask_chacha20(const struct crypto_mask_job *job, uint8_t mask[CRYPTO_MASK_BYTES])
{
	static const uint8_t zeros[CRYPTO_MASK_BYTES];
	const uint8_t *sample = job->sample;
	uint32_t counter = (uint32_t)sample[0] | (uint32_t)sample[1] << 8 | (uint32_t)sample[2] << 16 |
		(uint32_t)sample[3] << 24;
	ChaCha chacha;

	base_assert(wc_Chacha_SetKey(&chacha, job->key, CRYPTO_KEY_BYTES_MAX) == 0);
	base_assert(wc_Chacha_SetIV(&chacha, sample + 4, counter) == 0);
	base_assert(wc_Chacha_Process(&chacha, mask, zeros, CRYPTO_MASK_BYTES) == 0);
	crypto_wipe(&chacha, sizeof(chacha));
}

static void
mask(struct crypto_backend *backend, struct crypto_mask_job *jobs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t block[CRYPTO_BLOCK_BYTES];

		if (jobs[i].aead == CRYPTO_CHACHA20_POLY1305) {
			mask_chacha20(&jobs[i], jobs[i].mask);
			continue;
		}
		base_assert(wc_AesEncryptDirect(aes_of(jobs[i].key), block, jobs[i].sample) == 0);
		memcpy(jobs[i].mask, block, CRYPTO_MASK_BYTES);
	}
}

static void
block_encrypt(struct crypto_backend *backend, const void *key, uint8_t *blocks, uint32_t count)
{
	const struct block_key *both = key;

	for (uint32_t i = 0; i < count; i++, blocks += CRYPTO_BLOCK_BYTES)
		base_assert(wc_AesEncryptDirect(aes_of(&both->encrypt), blocks, blocks) == 0);
}

static void
block_decrypt(struct crypto_backend *backend, const void *key, uint8_t *blocks, uint32_t count)
{
	const struct block_key *both = key;

	for (uint32_t i = 0; i < count; i++, blocks += CRYPTO_BLOCK_BYTES)
		base_assert(wc_AesDecryptDirect(aes_of(&both->decrypt), blocks, blocks) == 0);
}

static void
hash_sha256(const struct crypto_piece *pieces, uint32_t count, uint8_t *digest)
{
	wc_Sha256 sha;

	base_assert(wc_InitSha256(&sha) == 0);
	for (uint32_t i = 0; i < count; i++)
		if (pieces[i].length > 0)
			base_assert(wc_Sha256Update(&sha, pieces[i].octets, (word32)pieces[i].length) == 0);
	base_assert(wc_Sha256Final(&sha, digest) == 0);
	wc_Sha256Free(&sha);
	crypto_wipe(&sha, sizeof(sha));
}

static void
hash_sha384(const struct crypto_piece *pieces, uint32_t count, uint8_t *digest)
{
	wc_Sha384 sha;

	base_assert(wc_InitSha384(&sha) == 0);
	for (uint32_t i = 0; i < count; i++)
		if (pieces[i].length > 0)
			base_assert(wc_Sha384Update(&sha, pieces[i].octets, (word32)pieces[i].length) == 0);
	base_assert(wc_Sha384Final(&sha, digest) == 0);
	wc_Sha384Free(&sha);
	crypto_wipe(&sha, sizeof(sha));
}

static void
hash_pieces(struct crypto_backend *backend, enum crypto_hash hash, const struct crypto_piece *pieces,
	uint32_t count, uint8_t *digest)
{
	if (hash == CRYPTO_SHA256)
		hash_sha256(pieces, count, digest);
	else
		hash_sha384(pieces, count, digest);
}

static const struct crypto_backend wolfcrypt = {
	.name = "wolfcrypt",
	.aead_key_bytes = {[CRYPTO_AES_128_GCM] = ALIGNED(sizeof(Aes)),
		[CRYPTO_AES_256_GCM] = ALIGNED(sizeof(Aes)),
		[CRYPTO_CHACHA20_POLY1305] = ALIGNED(CRYPTO_KEY_BYTES_MAX)},
	.mask_key_bytes = {[CRYPTO_AES_128_GCM] = ALIGNED(sizeof(Aes)),
		[CRYPTO_AES_256_GCM] = ALIGNED(sizeof(Aes)),
		[CRYPTO_CHACHA20_POLY1305] = ALIGNED(CRYPTO_KEY_BYTES_MAX)},
	.block_key_bytes = ALIGNED(sizeof(struct block_key)),
	.expand_key = expand_key,
	.expand_mask_key = expand_mask_key,
	.expand_block_key = expand_block_key,
	.seal = seal,
	.open = open_jobs,
	.mask = mask,
	.block_encrypt = block_encrypt,
	.block_decrypt = block_decrypt,
	.hash = hash_pieces,
};

size_t
crypto_wolfcrypt_bytes(void)
{
	return ALIGNED(sizeof(struct crypto_backend));
}

struct crypto_backend *
crypto_wolfcrypt_open(void *memory)
{
	base_assert((uintptr_t)memory % CRYPTO_ALIGNMENT == 0);
	return memcpy(memory, &wolfcrypt, sizeof(wolfcrypt));
}

void
crypto_wolfcrypt_close(struct crypto_backend *backend)
{
	crypto_wipe(backend, sizeof(*backend));
}
