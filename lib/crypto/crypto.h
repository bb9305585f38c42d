/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What QUIC asks of a cipher library: AEAD (RFC 9001 5.3), header-protection masks (RFC 9001 5.4) and AES-128
 * blocks (connection IDs), each over a burst of jobs, and a hash for the key schedule. drivers/crypto
 * implements it; the core sees only this table.
 *
 * One backend per shard, used by that shard alone. Keys are expanded once into memory of the caller
 * (aligned to CRYPTO_ALIGNMENT, never copied elsewhere once expanded) and used many times, by that backend
 * only. Nothing here takes memory from a heap. A burst is fastest when jobs of one key are neighbours.
 */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum crypto_aead { CRYPTO_AES_128_GCM, CRYPTO_AES_256_GCM, CRYPTO_CHACHA20_POLY1305, CRYPTO_AEAD_COUNT };
enum crypto_hash { CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_HASH_COUNT };

#define CRYPTO_ALIGNMENT 64
#define CRYPTO_TAG_BYTES 16
#define CRYPTO_NONCE_BYTES 12
#define CRYPTO_KEY_BYTES_MAX 32
#define CRYPTO_SAMPLE_BYTES 16
#define CRYPTO_MASK_BYTES 5
#define CRYPTO_BLOCK_BYTES 16
#define CRYPTO_DIGEST_BYTES_MAX 48
#define CRYPTO_HASH_BLOCK_BYTES_MAX 128
/* An upper bound of what any backend asks for, for keys that live on a stack or in a structure. */
#define CRYPTO_EXPANDED_BYTES_MAX 2048
/* Several pieces hashed together are at most this long; a single piece has no limit. */
#define CRYPTO_HASH_PIECES_BYTES_MAX 1024

/* One packet payload, sealed or opened in place. */
struct crypto_job {
	const void *key; /* expanded for `aead` */
	uint8_t *
		data; /* `length` octets, and behind them CRYPTO_TAG_BYTES: written by seal, checked by open */
	const uint8_t *aad;
	uint32_t length; /* octets of text, the tag not counted; 0 is allowed */
	uint16_t aad_length;
	uint8_t aead; /* enum crypto_aead */
	bool ok;      /* open: the tag was right; if not, the octets of `data` are void. seal: true */
	uint8_t nonce[CRYPTO_NONCE_BYTES];
};

/* One header-protection mask (RFC 9001 5.4.3, 5.4.4). */
struct crypto_mask_job {
	const void *key;       /* expanded by crypto_expand_mask_key for `aead` */
	const uint8_t *sample; /* CRYPTO_SAMPLE_BYTES */
	uint8_t aead;          /* enum crypto_aead */
	uint8_t mask[CRYPTO_MASK_BYTES];
};

/* Octets to be hashed, borrowed. */
struct crypto_piece {
	const void *octets;
	size_t length;
};

struct crypto_backend {
	const char *name;
	uint32_t aead_key_bytes[CRYPTO_AEAD_COUNT]; /* of an expanded key, a multiple of CRYPTO_ALIGNMENT */
	uint32_t mask_key_bytes[CRYPTO_AEAD_COUNT];
	uint32_t block_key_bytes;

	void (*expand_key)(
		struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key, void *expanded);
	void (*expand_mask_key)(
		struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key, void *expanded);
	void (*expand_block_key)(struct crypto_backend *backend, const uint8_t *key, void *expanded);
	void (*seal)(struct crypto_backend *backend, struct crypto_job *jobs, uint32_t count);
	void (*open)(struct crypto_backend *backend, struct crypto_job *jobs, uint32_t count);
	void (*mask)(struct crypto_backend *backend, struct crypto_mask_job *jobs, uint32_t count);
	void (*block_encrypt)(
		struct crypto_backend *backend, const void *key, uint8_t *blocks, uint32_t count);
	void (*block_decrypt)(
		struct crypto_backend *backend, const void *key, uint8_t *blocks, uint32_t count);
	void (*hash)(struct crypto_backend *backend, enum crypto_hash hash, const struct crypto_piece *pieces,
		uint32_t count, uint8_t *digest);
};

/* Octets of a raw key, of the AEAD and of header protection alike: 16 or 32. */
size_t crypto_key_bytes(enum crypto_aead aead);
/* The hash of the TLS cipher suite that an AEAD belongs to. */
enum crypto_hash crypto_aead_hash(enum crypto_aead aead);
/* Octets of a digest, which is also the length of a traffic secret: 32 or 48. */
size_t crypto_digest_bytes(enum crypto_hash hash);
size_t crypto_hash_block_bytes(enum crypto_hash hash);

/* Whether two pieces of equal length are equal, in a time that does not depend on what they hold. */
bool crypto_equal(const void *a, const void *b, size_t length);
/* Overwrites what must not stay in memory; the compiler cannot leave it out. */
void crypto_wipe(void *octets, size_t length);

/* `expanded` has aead_key_bytes[aead] octets. */
static inline void
crypto_expand_key(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key, void *expanded)
{
	backend->expand_key(backend, aead, key, expanded);
}

/* The header-protection key of `aead`; `expanded` has mask_key_bytes[aead] octets. */
static inline void
crypto_expand_mask_key(
	struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key, void *expanded)
{
	backend->expand_mask_key(backend, aead, key, expanded);
}

/* An AES-128 key of 16 octets for both directions; `expanded` has block_key_bytes octets. */
static inline void
crypto_expand_block_key(struct crypto_backend *backend, const uint8_t *key, void *expanded)
{
	backend->expand_block_key(backend, key, expanded);
}

/* Jobs of a burst may have different keys and AEADs, and may fail one by one. */
static inline void
crypto_seal(struct crypto_backend *backend, struct crypto_job *jobs, uint32_t count)
{
	backend->seal(backend, jobs, count);
}

static inline void
crypto_open(struct crypto_backend *backend, struct crypto_job *jobs, uint32_t count)
{
	backend->open(backend, jobs, count);
}

static inline void
crypto_mask(struct crypto_backend *backend, struct crypto_mask_job *jobs, uint32_t count)
{
	backend->mask(backend, jobs, count);
}

/* `count` blocks of CRYPTO_BLOCK_BYTES one after the other, in place, each by itself (ECB). */
static inline void
crypto_block_encrypt(struct crypto_backend *backend, const void *key, uint8_t *blocks, uint32_t count)
{
	backend->block_encrypt(backend, key, blocks, count);
}

static inline void
crypto_block_decrypt(struct crypto_backend *backend, const void *key, uint8_t *blocks, uint32_t count)
{
	backend->block_decrypt(backend, key, blocks, count);
}

/* The digest of the pieces one after the other; see CRYPTO_HASH_PIECES_BYTES_MAX. */
static inline void
crypto_hash(struct crypto_backend *backend, enum crypto_hash hash, const struct crypto_piece *pieces,
	uint32_t count, uint8_t *digest)
{
	backend->hash(backend, hash, pieces, count, digest);
}

#endif
