/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a connection has only for a while. struct quic_handshake, an element of QUIC_POOL_HANDSHAKE, goes back once the handshake is
 * confirmed and its last CRYPTO octets are acknowledged. What a change of path, a close and waiting DATAGRAM frames need are chunks.
 */
#ifndef QUIC_CONN_PARTS_H
#define QUIC_CONN_PARTS_H

#include "base/list.h"
#include "base/wheel.h"
#include "crypto/key_cache.h"
#include "crypto/keys.h"
#include "quic/ack.h"
#include "quic/congestion.h"
#include "quic/conn.h"
#include "quic/crypto_stream.h"
#include "quic/flow.h"
#include "quic/loss.h"
#include "quic/pacer.h"
#include "quic/params.h"
#include "quic/rtt.h"
#include "quic/sent.h"
#include "quic/stream_set.h"
#include "tls/tls.h"

enum {
	QUIC_RETIRE_PLACES = 8, /* RETIRE_CONNECTION_ID frames not acknowledged, RFC 9000 section 5.1.2 */
	QUIC_CLIENT_TOKEN_BYTES = 256, /* longest token that a client keeps */
	QUIC_REASON_BYTES = 64,
	QUIC_SMALL_DATAGRAM_BYTES = 80, /* room for a PATH_CHALLENGE */
};

/* One direction of an encryption level: what keys and IV are derived from when the connection is hot. */
struct quic_direction_keys {
	struct crypto_key_handle handle;
	uint8_t secret[CRYPTO_SECRET_BYTES_MAX];
	uint8_t hp[CRYPTO_KEY_BYTES_MAX];
};

struct quic_level_keys {
	struct quic_direction_keys receive;
	struct quic_direction_keys send;
	uint8_t aead;
	bool can_receive;
	bool can_send;
};

struct quic_space {
	struct quic_ack ack;
	struct quic_sent sent;
	struct quic_loss loss;
};

struct quic_peer_id {
	uint64_t sequence;
	uint64_t reset_key; /* in the table of reset tokens; 0: no token */
	struct quic_cid cid;
	bool valid;
};

/* Our IDs are computed; this says which are valid. Bits count from `base`. */
struct quic_own_ids {
	uint32_t base;            /* lowest sequence number that is not long gone */
	uint32_t next;            /* sequence number to be issued next */
	uint32_t active;          /* issued and not retired */
	uint32_t lingering;       /* retired, but packets may still be on their way */
	uint32_t want;            /* NEW_CONNECTION_ID to be sent, for the first time or again */
	uint32_t retire_prior_to; /* what the peer is to keep begins here: in NEW_CONNECTION_ID frames */
	uint32_t second;          /* bits: those that name shards[1]; the others name shards[0] */
	uint16_t shards[2];       /* one of them is the owner */
};

enum { QUIC_CHALLENGES = 3 }; /* of a path, that a response may answer */

/* The first path is validated by the handshake; this is for what comes later (RFC 9000 sections 8.2 and 9). */
struct quic_migration {
	struct base_path previous; /* the last one validated, to go back to when the new one cannot be */
	struct base_path probe;    /* where PATH_RESPONSE goes */
	uint64_t begun_ns;
	uint64_t deadline_ns;
	uint64_t next_challenge_ns;
	uint64_t interval_ns; /* from the last challenge to the next; doubles */
	uint64_t probe_credit_bytes;
	uint16_t previous_port;
	uint16_t probe_port;
	bool challenging; /* the current path is being validated */
	bool want_challenge;
	bool has_previous;
	bool want_previous_challenge; /* section 9.3.3 */
	bool previous_answered;
	bool want_response;
	uint8_t challenge_count; /* that were kept, the newest first */
	uint8_t challenges[QUIC_CHALLENGES][QUIC_PATH_DATA_BYTES];
	uint8_t previous_challenges[QUIC_CHALLENGES][QUIC_PATH_DATA_BYTES];
	uint8_t response[QUIC_PATH_DATA_BYTES];
};

struct quic_handshake {
	struct base_list link; /* endpoint's list until the handshake is confirmed */
	struct quic_conn *conn;
	struct tls_session *tls;
	uint64_t deadline_ns; /* of the whole handshake */
	uint64_t initial_key; /* server: in the endpoint's table of client's IDs; 0: not in it */
	uint64_t initial_key_until_ns;
	uint64_t discarded_ns; /* when keys were last discarded; 0: not yet */
	struct quic_level_keys keys[QUIC_SPACE_APPLICATION];
	struct quic_space spaces[QUIC_SPACE_APPLICATION];
	struct quic_crypto_stream crypto[QUIC_SPACE_COUNT];
	struct quic_chunk_account account; /* of their received chunks */
	struct quic_cid original_dcid;     /* the client's first */
	struct quic_cid retry_scid;
	struct quic_cid peer_scid; /* of the peer's first packet */
	bool has_peer_scid;
	bool has_retry_scid;
	bool processed_packet;
	bool peer_completed_address_validation; /* client's view of the server, RFC 9002 section 6.2.2.1 */
	bool has_params;
	bool token_is_new; /* client: of a NEW_TOKEN frame */
	uint8_t *ticket;   /* client: the newest, a chunk; NULL: none */
	uint16_t ticket_length;
	uint16_t token_length;
	uint8_t token[QUIC_CLIENT_TOKEN_BYTES];
};

/* What CONNECTION_CLOSE says, and when to say it again (RFC 9000 section 10.2.1). */
struct quic_close {
	uint64_t frame_type;
	uint32_t received; /* packets since the last CONNECTION_CLOSE */
	uint32_t reply_at; /* the next one is due at that many; doubles */
	uint8_t reason_length;
	char reason[QUIC_REASON_BYTES];
};

enum { QUIC_DATAGRAM_QUEUE_BYTES = QUIC_CHUNK_BYTES - 16 };

/* DATAGRAM payloads to send, each behind two octets of length. */
struct quic_datagram_queue {
	struct quic_datagram_queue *next;
	uint16_t first;
	uint16_t end;
	uint8_t octets[QUIC_DATAGRAM_QUEUE_BYTES];
};

#endif
