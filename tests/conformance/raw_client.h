/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A peer that says what a test wants it to say. Two endpoints of ours shake hands in virtual time; then one of them falls silent and
 * the test speaks in its place, with its keys and packet numbers: any frames, at any level, in any packet. The other one, "the tested",
 * is driven as always, and what it sends is opened and kept. Or the test begins by itself, with Initial packets made from scratch.
 *
 *   raw_open() -> raw_handshake() -> raw_frame(), raw_hex() or raw_packet() + raw_send() -> raw_expect_close() -> raw_close()
 *
 * Nothing here knows the world: one path, no loss, no delay, and time goes on only when the test says so.
 */
#ifndef CONFORMANCE_RAW_CLIENT_H
#define CONFORMANCE_RAW_CLIENT_H

#include "crypto/keys.h"
#include "quic/conn_internal.h"
#include "quic/params.h"

enum {
	RAW_BATCH = 32,
	RAW_BUFFER_BYTES = 1500,
	RAW_PACKETS = 128,
	RAW_DATAGRAMS = 128,
	RAW_HELLO_BYTES = 1024,
	RAW_CID_BYTES = 8,
};

struct raw_node {
	struct quic_endpoint *endpoint;
	void *endpoint_memory, *slot_memory, *table_memory;
	struct quic_slots slots;
	struct quic_conn_id_codec codec;
	struct base_pool *pools[QUIC_POOL_COUNT];
	struct tls_context *tls;
	struct base_datagram datagrams[RAW_BATCH];
	uint8_t (*buffers)[RAW_BUFFER_BYTES];
};

/* A packet that the tested sent. */
struct raw_packet {
	enum quic_packet_type type; /* QUIC_PACKET_TYPE_COUNT: could not be opened */
	uint64_t packet_number;
	uint8_t first; /* unmasked */
	uint32_t key_generation;
	struct quic_cid dcid, scid;
	uint32_t datagram; /* which one it was in, of raw->datagrams */
	uint16_t length;
	uint8_t payload[RAW_BUFFER_BYTES];
};

struct raw_datagram {
	struct base_path path; /* as the tested sees it */
	uint64_t time_ns;
	uint16_t length;
	uint8_t ecn;
	uint8_t octets[RAW_BUFFER_BYTES];
};

/* Keys of one level, and the generation of each direction (RFC 9001 section 6). */
struct raw_keys {
	bool present;
	uint8_t aead;
	uint8_t send[CRYPTO_SECRET_BYTES_MAX], receive[CRYPTO_SECRET_BYTES_MAX];
	uint8_t send_hp[CRYPTO_KEY_BYTES_MAX], receive_hp[CRYPTO_KEY_BYTES_MAX];
	uint32_t send_generation, receive_generation;
};

struct raw {
	uint64_t now_ns;
	struct crypto_backend *crypto;
	struct raw_node nodes[2]; /* by enum quic_role */
	enum quic_role role;      /* who the test speaks for; the other one is the tested */
	struct quic_handle client;

	struct raw_keys keys[QUIC_SPACE_COUNT];
	uint64_t next_packet_number[QUIC_SPACE_COUNT];
	struct quic_cid dcid, scid; /* of what the test sends */
	struct base_path path;      /* as the tested sees it */
	bool follow_scid;           /* take the tested's SCID over from its first packet */

	/* How what the test sends differs from what is right; all zero at first. */
	uint8_t flip_first;   /* bits of the first octet, before protection */
	bool corrupt;         /* one bit of the payload, after protection */
	bool short_initial;   /* not padded to 1200 octets */
	enum base_ecn ecn;    /* of the datagrams */
	const uint8_t *token; /* of Initial packets */
	size_t token_length;
	bool finish_with_more; /* the client's Finished is said twice, and an ACK follows it in the packet */

	uint8_t out[RAW_BUFFER_BYTES]; /* the datagram in the making */
	uint16_t out_length;

	struct raw_packet packets[RAW_PACKETS]; /* what came back, since raw_forget() */
	uint32_t packet_count;
	struct raw_datagram datagrams[RAW_DATAGRAMS];
	uint32_t datagram_count;
	uint64_t largest_seen[QUIC_SPACE_COUNT];
	uint32_t events[QUIC_EVENT_COUNT];
	struct quic_event closed; /* the last CLOSED event */

	struct tls_session *session; /* of raw_hello() */
	uint8_t hello[RAW_HELLO_BYTES];
	size_t hello_length;
};

/* Small limits, no search for a larger MTU: what comes back is what the test asked for. */
struct quic_limits raw_limits(void);
/* Both endpoints, at rest. NULL: raw_limits() for both. */
struct raw *raw_open(const struct quic_limits *server, const struct quic_limits *client);
/* Asserts the invariants of both endpoints, and that every pool element came back. */
void raw_close(struct raw *raw);

/* ---- both endpoints speak ---- */

/* The client's connection begins; nothing is sent yet. `alpn` NULL: the one that the server speaks. */
struct quic_conn *raw_connect(struct raw *raw);
/* What one endpoint has to send arrives at the other. Returns the number of datagrams. */
uint32_t raw_move(struct raw *raw, enum quic_role from);
/* A handshake from beginning to end, all acknowledged; the test speaks for `role` from then on. */
void raw_handshake(struct raw *raw, enum quic_role role);
/* Takes over from the endpoint of `role`, with the keys that it has at this moment. */
void raw_take_over(struct raw *raw, enum quic_role role);
struct quic_conn *raw_conn(struct raw *raw, enum quic_role role);

/* ---- the test speaks ---- */

/* Begins as a client without an endpoint: connection IDs and Initial keys. */
void raw_from_scratch(struct raw *raw);
/* Initial keys of a client's first destination connection ID, for the role that the test has. */
void raw_initial_keys(struct raw *raw, const struct quic_cid *dcid);
/* A ClientHello with these transport parameters, NULL: usual ones; it is in raw->hello. */
void raw_hello(struct raw *raw, const uint8_t *parameters, size_t length);
/* Puts it into one Initial packet and sends it. */
void raw_send_hello(struct raw *raw);
/* The rest of that handshake, to the server's ACK of the client's Finished. */
void raw_finish_handshake(struct raw *raw);
/* As far as the server's first flight, which the client does not answer: the test does, at both levels. */
void raw_half_handshake(struct raw *raw);
/* A sealed packet at the end of the datagram in the making. */
void raw_packet(struct raw *raw, enum quic_packet_type type, const uint8_t *payload, size_t length);
void raw_packet_hex(struct raw *raw, enum quic_packet_type type, const char *payload);
/* The datagram goes off; the tested has one turn. */
void raw_send(struct raw *raw);
/* It arrives, and the tested does not send yet. */
void raw_deliver(struct raw *raw);
/* One packet with one frame; one packet with these octets. */
void raw_frame(struct raw *raw, enum quic_packet_type type, const struct quic_frame *frame);
void raw_hex(struct raw *raw, enum quic_packet_type type, const char *payload);
/* The next generation of the keys we send with. */
void raw_update_keys(struct raw *raw);
/* The tested has a turn at each of its deadlines until so much time has passed. */
void raw_wait(struct raw *raw, uint64_t time_ns);

/* ---- what came back ---- */

void raw_forget(struct raw *raw);
/* Opens and keeps a datagram; what the tested sends is kept by itself. */
void raw_keep(struct raw *raw, const struct base_datagram *datagram);
/* The first frame of this type since raw_forget(), and its packet; NULL: none. */
const struct raw_packet *raw_find(struct raw *raw, enum quic_frame_type type, struct quic_frame *frame);
uint32_t raw_count(struct raw *raw, enum quic_frame_type type);
uint64_t raw_counter(const struct raw *raw, const char *name);
/* The tested closed with this transport error and frame type, once. */
void raw_expect_close(struct raw *raw, uint64_t error_code, uint64_t frame_type);
/* It did not, and the connection lives. */
void raw_expect_open(struct raw *raw);

/* A packet that must end the connection, and how. */
struct raw_row {
	const char *payload; /* hex */
	uint64_t error_code, frame_type;
};
/* Each row in a connection of its own, sent by a client in a 1-RTT packet. */
void raw_expect_rows(const struct quic_limits *server, const struct raw_row *rows, size_t count);

#endif
