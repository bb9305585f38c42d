/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Address validation tokens, RFC 9000 section 8.1: of Retry packets and of NEW_TOKEN frames. A token is sealed
 * by AES-SIV (RFC 5297, so that gateways with one key file need share no nonce; both keys are derived from one) and bound to the client's
 * address, which is not in it: a Retry token to address and port, a NEW_TOKEN token to the address alone, as a
 * client comes back from another port. One octet in clear names the key, so keys can be changed in use.
 *
 * Time is that of the outside world, since tokens outlive a process: nanoseconds since the Unix epoch.
 */
#ifndef QUIC_TOKEN_H
#define QUIC_TOKEN_H

#include "base/datagram.h"
#include "base/writer.h"
#include "crypto/crypto.h"
#include "quic/constants.h"

enum {
	QUIC_TOKEN_KEYS_MAX = 2, /* the one in use and the one before */
	QUIC_TOKEN_KEY_BYTES = 16,
	/* key id and kind, synthetic IV, kind, time, two connection IDs with their lengths */
	QUIC_TOKEN_MAX_BYTES = 1 + 16 + 1 + 8 + 2 * (1 + QUIC_CID_MAX_BYTES),
};

enum quic_token_kind { QUIC_TOKEN_RETRY, QUIC_TOKEN_NEW };

struct quic_token {
	enum quic_token_kind kind;
	uint64_t issued_unix_ns;
	/* Retry only: what the transport parameters of section 7.3 will say. */
	struct quic_cid original_destination_connection_id;
	struct quic_cid retry_source_connection_id;
};

struct quic_token_key {
	bool valid;
	uint8_t id;
	_Alignas(CRYPTO_ALIGNMENT) uint8_t mac[CRYPTO_EXPANDED_BYTES_MAX];
	_Alignas(CRYPTO_ALIGNMENT) uint8_t cipher[CRYPTO_EXPANDED_BYTES_MAX];
};

/* One per shard: it uses the shard's crypto backend. The newest key seals, all open. */
struct quic_token_codec {
	struct crypto_backend *backend;
	struct quic_token_key keys[QUIC_TOKEN_KEYS_MAX];
	uint32_t newest; /* index */
	uint64_t retry_lifetime_ns;
	uint64_t new_token_lifetime_ns;
};

enum quic_token_result {
	QUIC_TOKEN_VALID,
	QUIC_TOKEN_UNKNOWN,       /* not of ours, or altered, or for another address: as if there were none */
	QUIC_TOKEN_EXPIRED,       /* a NEW_TOKEN token that is too old: as if there were none */
	QUIC_TOKEN_RETRY_INVALID, /* a Retry token of ours that is too old: INVALID_TOKEN (section 8.1.3) */
	QUIC_TOKEN_RESULT_COUNT
};

void quic_token_codec_init(struct quic_token_codec *codec, struct crypto_backend *backend,
	uint64_t retry_lifetime_ns, uint64_t new_token_lifetime_ns);
/* Puts a key in use for sealing; the one before still opens. `id`: 0 to 127, another one than those in use. */
void quic_token_codec_add_key(
	struct quic_token_codec *codec, uint8_t id, const uint8_t key[QUIC_TOKEN_KEY_BYTES]);
/* Writes a token for the client's `address`; false when it does not fit. issued_unix_ns is when it is issued. */
bool quic_token_seal(struct quic_token_codec *codec, const struct quic_token *token,
	const struct base_address *address, struct base_writer *writer);
enum quic_token_result quic_token_open(struct quic_token_codec *codec, const uint8_t *octets, size_t length,
	const struct base_address *address, uint64_t unix_ns, struct quic_token *token);

#endif
