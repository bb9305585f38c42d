/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connection IDs that we issue: the format of draft-ietf-quic-load-balancers-21 with one AES-128-ECB block
 * (single pass), and what the block says: which gateway, shard and slot, and a nonce that is never the same
 * twice under one key. An ID is computed from its fields and never stored.
 *
 *   sealed, 17 octets: [config id:3 length:5] [block]
 *   clear, 20 octets:  [config id:3 length:5] [steering word:16] [gateway:8] [block]
 *   block: gateway:16 shard:12 slot:24 sequence:20 generation:24 epoch:32
 *
 * In clear mode a card steers by the word, which names the shard. One AES key per mode.
 */
#ifndef QUIC_CONN_ID_H
#define QUIC_CONN_ID_H

#include "crypto/crypto.h"
#include "quic/constants.h"

enum quic_conn_id_mode {
	QUIC_CONN_ID_SEALED,
	QUIC_CONN_ID_CLEAR,
	/* Of length zero (RFC 9000 section 5.1), for an endpoint of clients alone whose datagrams are told apart by their paths; nothing is decoded. */
	QUIC_CONN_ID_EMPTY,
};

enum {
	QUIC_CONN_ID_SEALED_BYTES = 17,
	QUIC_CONN_ID_CLEAR_BYTES = 20,
};

#define QUIC_CONN_ID_SHARD_MAX UINT16_C(0xfff)
#define QUIC_CONN_ID_SEQUENCE_MAX UINT32_C(0xfffff)
#define QUIC_CONN_ID_GENERATION_MAX UINT32_C(0xffffff)
/* The reserved slot that no connection has: the SCID of a Retry names it. */
#define QUIC_CONN_ID_SLOT_NONE UINT32_C(0xffffff)

struct quic_conn_id_fields {
	uint16_t gateway;
	uint16_t shard;      /* 12 bits; a hint for the card, not the owner */
	uint32_t slot;       /* 24 bits */
	uint32_t sequence;   /* 20 bits */
	uint32_t generation; /* 24 bits */
	uint32_t epoch;
};

/* One per shard: it uses the shard's crypto backend. */
struct quic_conn_id_codec {
	struct crypto_backend *backend;
	enum quic_conn_id_mode mode;
	uint8_t length; /* octets of every ID */
	uint8_t config_id;
	uint16_t gateway;
	uint32_t epoch;
	const uint16_t *steering_words; /* clear mode: [shards] */
	uint16_t shards;
	_Alignas(CRYPTO_ALIGNMENT) uint8_t key[CRYPTO_EXPANDED_BYTES_MAX];
	_Alignas(CRYPTO_ALIGNMENT) uint8_t reset_key[CRYPTO_EXPANDED_BYTES_MAX];
};

struct quic_conn_id_config {
	enum quic_conn_id_mode mode;
	uint8_t config_id; /* 0 to 6 */
	uint16_t gateway;
	uint32_t epoch;
	uint8_t key[16];                /* of this mode */
	uint8_t reset_key[16];          /* of stateless reset tokens */
	const uint16_t *steering_words; /* clear mode: [shards], borrowed */
	uint16_t shards;                /* clear mode */
};

enum quic_conn_id_result {
	QUIC_CONN_ID_OURS,          /* gateway and epoch are ours: fields say the slot */
	QUIC_CONN_ID_OTHER_EPOCH,   /* names this gateway in another epoch: a reset may be due */
	QUIC_CONN_ID_OTHER_GATEWAY, /* of another gateway, or not an ID of ours at all: drop */
	QUIC_CONN_ID_MALFORMED,     /* first octet or length is not what we issue: drop */
	QUIC_CONN_ID_RESULT_COUNT
};

void quic_conn_id_codec_init(struct quic_conn_id_codec *codec, struct crypto_backend *backend,
	const struct quic_conn_id_config *config);
/* Computes an ID; gateway and epoch are the codec's own, whatever the fields say. */
void quic_conn_id_encode(
	struct quic_conn_id_codec *codec, const struct quic_conn_id_fields *fields, struct quic_cid *cid);
/*
 * Decodes a burst. ids[i] points to codec->length readable octets, or is NULL (the datagram is too short:
 * MALFORMED). fields[i] is set unless MALFORMED. At most BASE_BURST_MAX in one call.
 */
void quic_conn_id_decode(struct quic_conn_id_codec *codec, const uint8_t *const ids[],
	struct quic_conn_id_fields fields[], enum quic_conn_id_result results[], size_t count);
/* True when two IDs that differ in sequence only belong to one connection: what a datagram's later packets are
 * compared by (RFC 9000 section 12.2). */
bool quic_conn_id_same_connection(const struct quic_conn_id_fields *a, const struct quic_conn_id_fields *b);
/* The stateless reset token of an ID, RFC 9000 section 10.3.2: AES-CMAC of it under the reset key. */
void quic_conn_id_reset_token(struct quic_conn_id_codec *codec, const uint8_t *id, size_t length,
	uint8_t token[QUIC_RESET_TOKEN_BYTES]);

#endif
