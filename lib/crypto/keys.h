/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key schedule of RFC 9001 for version 1: Initial secrets (5.2), packet protection keys of a secret (5.1),
 * the next generation (6.1), the nonce (5.3), header protection (5.4), the Retry integrity tag (5.8), and the
 * limits on the use of a key (6.6). All memory is the caller's, who wipes it when the keys are discarded.
 */
#ifndef CRYPTO_KEYS_H
#define CRYPTO_KEYS_H

#include "crypto/crypto.h"

/* A traffic secret has crypto_secret_bytes(aead) octets, at most this many. */
#define CRYPTO_SECRET_BYTES_MAX CRYPTO_DIGEST_BYTES_MAX
#define CRYPTO_INITIAL_SECRET_BYTES 32
/* A Retry packet that is longer is not checked but refused; no datagram of ours is. */
#define CRYPTO_RETRY_BYTES_MAX 2048

/* Raw keys of one direction at one encryption level; of key and hp the first crypto_key_bytes(aead) count. */
struct crypto_packet_keys {
	uint8_t aead; /* enum crypto_aead */
	uint8_t iv[CRYPTO_NONCE_BYTES];
	uint8_t key[CRYPTO_KEY_BYTES_MAX];
	uint8_t hp[CRYPTO_KEY_BYTES_MAX];
};

size_t crypto_secret_bytes(enum crypto_aead aead);

/*
 * RFC 9001 5.2, from the Destination Connection ID of the client's first Initial (that of the Retry packet
 * after one). Initial packets use CRYPTO_AES_128_GCM; each secret has CRYPTO_INITIAL_SECRET_BYTES octets.
 */
void crypto_initial_secrets(struct crypto_backend *backend, const uint8_t *conn_id, size_t conn_id_length,
	uint8_t *client_secret, uint8_t *server_secret);

/* RFC 9001 5.1: key, IV and header-protection key of a secret. */
void crypto_packet_keys_derive(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *secret,
	struct crypto_packet_keys *keys);
/* Key and IV only: a key update leaves the header-protection key as it is (RFC 9001 6.1). */
void crypto_packet_keys_derive_key(struct crypto_backend *backend, enum crypto_aead aead,
	const uint8_t *secret, struct crypto_packet_keys *keys);
/* RFC 9001 6.1 "quic ku"; `next` may be `secret`. */
void crypto_next_secret(
	struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *secret, uint8_t *next);

/*
 * RFC 9001 5.8: the tag of a Retry packet (`retry` without its tag) that answers an Initial sent to
 * `original`. False if the packet is longer than CRYPTO_RETRY_BYTES_MAX.
 */
bool crypto_retry_tag(struct crypto_backend *backend, const uint8_t *original, size_t original_length,
	const uint8_t *retry, size_t retry_length, uint8_t tag[CRYPTO_TAG_BYTES]);

/* RFC 9001 6.6: packets that may be sealed with one key; UINT64_MAX where no connection can get there. */
uint64_t crypto_confidentiality_limit(enum crypto_aead aead);
/* RFC 9001 6.6: packets that may fail to open over all keys of a connection. */
uint64_t crypto_integrity_limit(enum crypto_aead aead);

/* RFC 9001 5.3: the IV with the packet number, in network order, over its last 8 octets. */
static inline void
crypto_nonce(const uint8_t iv[CRYPTO_NONCE_BYTES], uint64_t packet_number, uint8_t nonce[CRYPTO_NONCE_BYTES])
{
	for (size_t i = 0; i < 4; i++)
		nonce[i] = iv[i];
	for (size_t i = 4; i < CRYPTO_NONCE_BYTES; i++)
		nonce[i] = iv[i] ^ (uint8_t)(packet_number >> (8 * (11 - i)));
}

/* RFC 9001 5.4.2: the sample starts 4 octets behind the start of the packet number. */
static inline size_t
crypto_sample_offset(size_t packet_number_offset)
{
	return packet_number_offset + 4;
}

/* Whether a packet of `length` octets is long enough to be sampled; if not, it is discarded. */
static inline bool
crypto_sample_fits(size_t packet_number_offset, size_t length)
{
	return length >= crypto_sample_offset(packet_number_offset) + CRYPTO_SAMPLE_BYTES;
}

/* RFC 9001 5.4.1: masks the first octet and the packet number, whose length the clear first octet says. */
static inline void
crypto_header_protect(const uint8_t mask[CRYPTO_MASK_BYTES], uint8_t *packet, size_t packet_number_offset)
{
	size_t packet_number_length = (packet[0] & 0x03) + 1;

	packet[0] ^= mask[0] & (packet[0] & 0x80 ? 0x0f : 0x1f);
	for (size_t i = 0; i < packet_number_length; i++)
		packet[packet_number_offset + i] ^= mask[1 + i];
}

/* The reverse; returns the length of the packet number in octets, 1 to 4. */
static inline size_t
crypto_header_unprotect(const uint8_t mask[CRYPTO_MASK_BYTES], uint8_t *packet, size_t packet_number_offset)
{
	size_t packet_number_length;

	packet[0] ^= mask[0] & (packet[0] & 0x80 ? 0x0f : 0x1f);
	packet_number_length = (packet[0] & 0x03) + 1;
	for (size_t i = 0; i < packet_number_length; i++)
		packet[packet_number_offset + i] ^= mask[1 + i];
	return packet_number_length;
}

#endif
