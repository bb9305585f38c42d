/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of an endpoint: its tables, lists, the burst that is being received and the one that is being sent.
 * For endpoint_*.c and conn_*.c only. Everything is taken at open; a list holds each connection at most once.
 */
#ifndef QUIC_ENDPOINT_INTERNAL_H
#define QUIC_ENDPOINT_INTERNAL_H

#include "base/list.h"
#include "base/random.h"
#include "base/wheel.h"
#include "crypto/key_cache.h"
#include "quic/conn_id.h"
#include "quic/endpoint.h"
#include "quic/endpoint_counters.h"
#include "quic/initial_table.h"
#include "quic/memory.h"
#include "quic/packet.h"
#include "quic/reset.h"
#include "quic/token.h"

enum {
	QUIC_BURST_PACKETS = 128,      /* packets opened, or sealed, in one go */
	QUIC_PACKETS_PER_DATAGRAM = 8, /* more are not coalesced by anyone and are dropped */
	QUIC_STALE_KEYS = 256,
	QUIC_STATELESS_PLACES = 32, /* answers without a connection that wait for send() */
	QUIC_STATELESS_BYTES = 640, /* Version Negotiation with two connection IDs of 255 octets */
	QUIC_DATAGRAM_PLACES = 128, /* received DATAGRAM frames that wait for next_event() */
	QUIC_REPATHED_PLACES = 64,  /* connections whose path has changed, per turn; more are counted */
	QUIC_SWITCHED_PLACES = 64,  /* connections whose peer has gone over to the IDs of a move, per turn */
};

/* One packet on its way through the stages of receive(). */
struct quic_received {
	struct quic_packet packet;
	struct quic_conn *conn;
	struct base_datagram *datagram;
	const struct crypto_hot_keys *keys;
	uint64_t packet_number;
	uint32_t payload_offset; /* from packet.octets */
	uint32_t payload_length; /* the tag not counted */
	uint32_t key_generation; /* 1-RTT: key update generation that it was opened with */
	enum quic_packet_number_space space;
	bool opened; /* already before the stages: the first Initial of a connection */
};

/* One packet on its way through the stages of send(); pointers go into the datagram. */
struct quic_sealed {
	uint8_t *octets;
	uint32_t packet_number_offset;
	const struct crypto_hot_keys *keys;
};

/* A packet that answers without a connection. */
struct quic_stateless {
	struct base_path path;
	uint16_t port_index;
	uint16_t length;
	uint8_t octets[QUIC_STATELESS_BYTES];
};

/* A DATAGRAM frame in place, until send(). */
struct quic_datagram_received {
	struct quic_handle handle;
	const uint8_t *octets;
	uint32_t length;
};

struct quic_endpoint {
	struct quic_limits limits;
	struct crypto_backend *crypto;
	struct tls_context *tls_server;
	struct tls_context *tls_client;
	struct quic_slots *slots;
	struct base_pool *pools[QUIC_POOL_COUNT];
	struct crypto_key_cache *key_cache;
	uint64_t now_ns;         /* of the call that is running */
	uint64_t unix_offset_ns; /* added to now_ns it gives the time of tokens */
	uint16_t shard;
	bool accepting;

	struct quic_memory memory; /* of streams and CRYPTO */
	struct base_wheel wheel;
	struct base_list ready;      /* connections that may have something to send, in turn */
	struct base_list eventful;   /* connections with events to be pulled */
	struct base_list borrowing;  /* connections whose streams still point into received datagrams */
	struct base_list over;       /* connections to be freed at the end of the turn */
	struct base_list handshakes; /* elements of QUIC_POOL_HANDSHAKE not confirmed yet, oldest first */
	struct base_list
		lingering; /* elements of confirmed servers that late Initials and tickets still need, oldest first */
	uint32_t handshake_count;
	uint32_t lingering_count;
	uint32_t connection_count;

	struct quic_table initials; /* client's connection ID and path -> connection */
	struct quic_limiter reset_limiter;
	struct quic_limiter retry_limiter; /* its own: what is refused must not keep Retries from others */
	struct quic_limiter stateless_limiter; /* version negotiation and refusals */
	struct base_random random;             /* jitter and grease; nothing that a peer must not guess */
	uint64_t unpredictable_count;

	uint32_t received_count;
	uint32_t sealed_count;
	uint32_t stale_count;
	uint32_t stateless_count;
	uint32_t switched_count;
	uint32_t repathed_count;
	uint32_t repathed_lost;
	uint32_t datagram_first;
	uint32_t datagram_count;
	uint64_t counters[QUIC_COUNTER_COUNT];

	struct quic_conn_id_codec codec;
	struct quic_token_codec tokens;
	_Alignas(CRYPTO_ALIGNMENT) uint8_t unpredictable_key[CRYPTO_EXPANDED_BYTES_MAX];
	struct quic_received received[QUIC_BURST_PACKETS];
	uint8_t order[QUIC_BURST_PACKETS]; /* of the received packets that still wait */
	uint8_t turn[QUIC_BURST_PACKETS];  /* those of one pass */
	struct quic_sealed sealed[QUIC_BURST_PACKETS];
	struct crypto_key_handle stale[QUIC_STALE_KEYS];
	struct crypto_job jobs[QUIC_BURST_PACKETS];
	struct crypto_mask_job mask_jobs[QUIC_BURST_PACKETS];
	struct quic_stateless stateless[QUIC_STATELESS_PLACES];
	struct quic_datagram_received datagrams[QUIC_DATAGRAM_PLACES];
	struct quic_handle switched[QUIC_SWITCHED_PLACES];
	struct quic_handle repathed[QUIC_REPATHED_PLACES];
};

static inline void
quic_count(struct quic_endpoint *endpoint, enum quic_counter counter)
{
	endpoint->counters[counter]++;
}

/* The keys of a handle go once no burst refers to them; the handle is zero at once. */
void quic_endpoint_drop_keys(struct quic_endpoint *endpoint, struct crypto_key_handle *handle);
void quic_endpoint_drop_stale_keys(struct quic_endpoint *endpoint);
/* 16 octets that no peer can guess: connection IDs, PATH_CHALLENGE data. */
void quic_endpoint_unpredictable(struct quic_endpoint *endpoint, uint8_t octets[16]);

/* ---- endpoint_burst.c ---- */

/* All stages for the packets listed. */
void quic_endpoint_process_burst(struct quic_endpoint *endpoint);
/* Unmasks and opens the first packet of a space outside of a burst; false when it is not authentic. */
bool quic_endpoint_open_now(struct quic_endpoint *endpoint, const struct crypto_packet_keys *keys,
	struct quic_received *received);

/* ---- endpoint_accept.c, endpoint_stateless.c ---- */

/*
 * The connection that an Initial with slot BASE_SLOT_NONE belongs to; NULL: dealt with. A connection begins only with a packet that could be
 * opened, and then it has been.
 */
struct quic_conn *quic_endpoint_accept(struct quic_endpoint *endpoint, struct quic_received *first);
/* Answers a version that we do not speak (RFC 9000 section 6.1), if an answer is due. */
void quic_endpoint_negotiate(struct quic_endpoint *endpoint, const struct base_datagram *datagram,
	const struct quic_packet *packet);
/* A datagram that nobody can place: a stateless reset of a peer's, or perhaps a reason to send one. */
void quic_endpoint_unplaced(struct quic_endpoint *endpoint, const struct base_datagram *datagram,
	const struct quic_packet *packet);
/* Seals and masks one packet of packet number 0 outside of a burst; the tag is written behind the payload. */
void quic_endpoint_seal_now(struct quic_endpoint *endpoint, const struct crypto_packet_keys *keys,
	uint8_t *packet, uint8_t *packet_number, uint8_t *payload, size_t length);
/* A datagram that is not even a packet. */
void quic_endpoint_unparsed(struct quic_endpoint *endpoint, const struct base_datagram *datagram);
/* The connection whose peer's token ends this datagram, or NULL. */
struct quic_conn *quic_endpoint_reset_target(
	struct quic_endpoint *endpoint, const struct base_datagram *datagram);
/* Room for an answer without a connection, or NULL when there are too many. */
struct quic_stateless *quic_endpoint_stateless(
	struct quic_endpoint *endpoint, const struct base_datagram *datagram, struct quic_limiter *limiter);

#endif
