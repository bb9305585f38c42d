/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drivers/crypto/ipsec_mb.h"

#include <intel-ipsec-mb.h>
#include <string.h>

#include "base/assert.h"
#include "drivers/crypto/ipsec_mb_parts.h"

#define ALIGNED(bytes) (((bytes) + CRYPTO_ALIGNMENT - 1) / CRYPTO_ALIGNMENT * CRYPTO_ALIGNMENT)
#define SCHEDULE_BYTES_MAX IPSEC_MB_SCHEDULE_BYTES(IPSEC_MB_ROUNDS_256)
_Static_assert(
	ALIGNED(sizeof(struct gcm_key_data)) <= CRYPTO_EXPANDED_BYTES_MAX, "the bound of expanded keys");

/* The library's own state follows, aligned. */
struct ipsec_mb {
	struct crypto_backend backend;
	IMB_MGR *manager;
	bool sha_extensions;
};

struct block_key {
	_Alignas(16) uint8_t encrypt[IPSEC_MB_SCHEDULE_BYTES(IPSEC_MB_ROUNDS_128)];
	_Alignas(16) uint8_t decrypt[IPSEC_MB_SCHEDULE_BYTES(IPSEC_MB_ROUNDS_128)];
};

static void
expand_key(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key, void *expanded)
{
	IMB_MGR *manager = ((struct ipsec_mb *)backend)->manager;

	switch (aead) {
	case CRYPTO_AES_128_GCM:
		IMB_AES128_GCM_PRE(manager, key, expanded);
		break;
	case CRYPTO_AES_256_GCM:
		IMB_AES256_GCM_PRE(manager, key, expanded);
		break;
	default:
		memcpy(expanded, key, CRYPTO_KEY_BYTES_MAX);
	}
}

static void
expand_mask_key(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key, void *expanded)
{
	IMB_MGR *manager = ((struct ipsec_mb *)backend)->manager;
	_Alignas(16) uint8_t unused[SCHEDULE_BYTES_MAX];

	switch (aead) {
	case CRYPTO_AES_128_GCM:
		IMB_AES_KEYEXP_128(manager, key, expanded, unused);
		break;
	case CRYPTO_AES_256_GCM:
		IMB_AES_KEYEXP_256(manager, key, expanded, unused);
		break;
	default:
		memcpy(expanded, key, CRYPTO_KEY_BYTES_MAX);
		return;
	}
	crypto_wipe(unused, sizeof(unused));
}

static void
expand_block_key(struct crypto_backend *backend, const uint8_t *key, void *expanded)
{
	IMB_MGR *manager = ((struct ipsec_mb *)backend)->manager;
	struct block_key *both = expanded;

	IMB_AES_KEYEXP_128(manager, key, both->encrypt, both->decrypt);
}

/* Submits the job just prepared. The modes used here are done at once; the flush is for a library that differs. */
static void
run_job(IMB_MGR *manager)
{
	IMB_JOB *done = IMB_SUBMIT_JOB(manager);

	if (done == NULL)
		done = IMB_FLUSH_JOB(manager);
	base_assert(done != NULL && done->status == IMB_STATUS_COMPLETED);
}

static void
chacha20_poly1305(
	IMB_MGR *manager, const struct crypto_job *job, IMB_CIPHER_DIRECTION direction, uint8_t *tag)
{
	IMB_JOB *imb = IMB_GET_NEXT_JOB(manager);

	imb->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	imb->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	imb->cipher_direction = direction;
	imb->chain_order = direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	imb->enc_keys = job->key;
	imb->dec_keys = job->key;
	imb->key_len_in_bytes = CRYPTO_KEY_BYTES_MAX;
	imb->u.CHACHA20_POLY1305.aad = job->aad;
	imb->u.CHACHA20_POLY1305.aad_len_in_bytes = job->aad_length;
	imb->src = job->data;
	imb->dst = job->data;
	imb->cipher_start_src_offset_in_bytes = 0;
	imb->hash_start_src_offset_in_bytes = 0;
	imb->msg_len_to_cipher_in_bytes = job->length;
	imb->msg_len_to_hash_in_bytes = job->length;
	imb->iv = job->nonce;
	imb->iv_len_in_bytes = CRYPTO_NONCE_BYTES;
	imb->auth_tag_output = tag;
	imb->auth_tag_output_len_in_bytes = CRYPTO_TAG_BYTES;
	run_job(manager);
}

static void
seal(struct crypto_backend *backend, struct crypto_job *jobs, uint32_t count)
{
	IMB_MGR *manager = ((struct ipsec_mb *)backend)->manager;
	struct gcm_context_data context;

	for (uint32_t i = 0; i < count; i++) {
		struct crypto_job *job = &jobs[i];
		uint8_t *tag = job->data + job->length;

		switch (job->aead) {
		case CRYPTO_AES_128_GCM:
			IMB_AES128_GCM_ENC(manager, job->key, &context, job->data, job->data, job->length,
				job->nonce, job->aad, job->aad_length, tag, CRYPTO_TAG_BYTES);
			break;
		case CRYPTO_AES_256_GCM:
			IMB_AES256_GCM_ENC(manager, job->key, &context, job->data, job->data, job->length,
				job->nonce, job->aad, job->aad_length, tag, CRYPTO_TAG_BYTES);
			break;
		default:
			chacha20_poly1305(manager, job, IMB_DIR_ENCRYPT, tag);
		}
		job->ok = true;
	}
}

static void
open_jobs(struct crypto_backend *backend, struct crypto_job *jobs, uint32_t count)
{
	IMB_MGR *manager = ((struct ipsec_mb *)backend)->manager;
	struct gcm_context_data context;

	for (uint32_t i = 0; i < count; i++) {
		struct crypto_job *job = &jobs[i];
		uint8_t tag[CRYPTO_TAG_BYTES];

		switch (job->aead) {
		case CRYPTO_AES_128_GCM:
			IMB_AES128_GCM_DEC(manager, job->key, &context, job->data, job->data, job->length,
				job->nonce, job->aad, job->aad_length, tag, CRYPTO_TAG_BYTES);
			break;
		case CRYPTO_AES_256_GCM:
			IMB_AES256_GCM_DEC(manager, job->key, &context, job->data, job->data, job->length,
				job->nonce, job->aad, job->aad_length, tag, CRYPTO_TAG_BYTES);
			break;
		default:
			chacha20_poly1305(manager, job, IMB_DIR_DECRYPT, tag);
		}
		job->ok = crypto_equal(tag, job->data + job->length, CRYPTO_TAG_BYTES);
	}
}

static void
mask(struct crypto_backend *backend, struct crypto_mask_job *jobs, uint32_t count)
{
	/* Run by run of neighbours with the same AEAD; nearly always one run. */
	while (count > 0) {
		uint32_t run = 1;

		while (run < count && jobs[run].aead == jobs[0].aead)
			run++;
		if (jobs[0].aead == CRYPTO_AES_128_GCM)
			ipsec_mb_mask_aes(jobs, run, IPSEC_MB_ROUNDS_128);
		else if (jobs[0].aead == CRYPTO_AES_256_GCM)
			ipsec_mb_mask_aes(jobs, run, IPSEC_MB_ROUNDS_256);
		else
			ipsec_mb_mask_chacha20(jobs, run);
		jobs += run;
		count -= run;
	}
}

static void
block_encrypt(struct crypto_backend *backend, const void *key, uint8_t *blocks, uint32_t count)
{
	const struct block_key *both = key;

	ipsec_mb_block_encrypt(both->encrypt, blocks, count);
}

static void
block_decrypt(struct crypto_backend *backend, const void *key, uint8_t *blocks, uint32_t count)
{
	const struct block_key *both = key;

	ipsec_mb_block_decrypt(both->decrypt, blocks, count);
}

/* The library hashes only what lies in one piece. */
static void
hash_pieces(struct crypto_backend *backend, enum crypto_hash hash, const struct crypto_piece *pieces,
	uint32_t count, uint8_t *digest)
{
	IMB_MGR *manager = ((struct ipsec_mb *)backend)->manager;
	uint8_t joined[CRYPTO_HASH_PIECES_BYTES_MAX];
	const void *octets = joined;
	size_t length = 0;

	if (count == 1 && pieces[0].length > 0) {
		octets = pieces[0].octets;
		length = pieces[0].length;
	} else {
		for (uint32_t i = 0; i < count; i++) {
			base_assert(pieces[i].length <= sizeof(joined) - length);
			if (pieces[i].length > 0)
				memcpy(joined + length, pieces[i].octets, pieces[i].length);
			length += pieces[i].length;
		}
	}
	if (hash == CRYPTO_SHA256 && ((struct ipsec_mb *)backend)->sha_extensions)
		ipsec_mb_sha256(octets, length, digest);
	else if (hash == CRYPTO_SHA256)
		IMB_SHA256(manager, octets, length, digest);
	else
		IMB_SHA384(manager, octets, length, digest);
	if (octets == joined)
		crypto_wipe(joined, length);
}

static const struct crypto_backend functions = {
	.name = "ipsec_mb",
	.aead_key_bytes = {[CRYPTO_AES_128_GCM] = ALIGNED(sizeof(struct gcm_key_data)),
		[CRYPTO_AES_256_GCM] = ALIGNED(sizeof(struct gcm_key_data)),
		[CRYPTO_CHACHA20_POLY1305] = ALIGNED(CRYPTO_KEY_BYTES_MAX)},
	.mask_key_bytes = {[CRYPTO_AES_128_GCM] = ALIGNED(IPSEC_MB_SCHEDULE_BYTES(IPSEC_MB_ROUNDS_128)),
		[CRYPTO_AES_256_GCM] = ALIGNED(IPSEC_MB_SCHEDULE_BYTES(IPSEC_MB_ROUNDS_256)),
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

const char *
crypto_ipsec_mb_version(void)
{
	return imb_get_version_str();
}

size_t
crypto_ipsec_mb_bytes(void)
{
	return ALIGNED(sizeof(struct ipsec_mb)) + ALIGNED(imb_get_mb_mgr_size());
}

struct crypto_backend *
crypto_ipsec_mb_open(void *memory, enum crypto_ipsec_mb_code code)
{
	static void (*const init[CRYPTO_IPSEC_MB_CODE_COUNT])(IMB_MGR *) = {
		[CRYPTO_IPSEC_MB_SSE] = init_mb_mgr_sse,
		[CRYPTO_IPSEC_MB_AVX] = init_mb_mgr_avx,
		[CRYPTO_IPSEC_MB_AVX2] = init_mb_mgr_avx2,
	};
	struct ipsec_mb *ipsec_mb = memory;
	uint8_t *state = (uint8_t *)memory + ALIGNED(sizeof(*ipsec_mb));

	base_assert((uintptr_t)memory % CRYPTO_ALIGNMENT == 0 && code < CRYPTO_IPSEC_MB_CODE_COUNT);
	ipsec_mb->backend = functions;
	ipsec_mb->manager = imb_set_pointers_mb_mgr(state, 0, 1);
	if (ipsec_mb->manager == NULL)
		return NULL;
	if (code == CRYPTO_IPSEC_MB_AUTO)
		init_mb_mgr_auto(ipsec_mb->manager, NULL);
	else
		init[code](ipsec_mb->manager);
	if (imb_get_errno(ipsec_mb->manager) != 0 || !(ipsec_mb->manager->features & IMB_FEATURE_AESNI))
		return NULL;
	ipsec_mb->sha_extensions =
		code == CRYPTO_IPSEC_MB_AUTO && (ipsec_mb->manager->features & IMB_FEATURE_SHANI) != 0;
	return &ipsec_mb->backend;
}

void
crypto_ipsec_mb_close(struct crypto_backend *backend)
{
	crypto_wipe(backend, crypto_ipsec_mb_bytes());
}
