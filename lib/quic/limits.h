/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every size and limit of lib/quic, in one struct: filled in by quic_limits_default(), changed by the
 * configuration, copied into the endpoint and read from there. Counts are per endpoint (one shard) or per
 * connection, as said.
 */
#ifndef QUIC_LIMITS_H
#define QUIC_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

enum quic_congestion_algorithm { QUIC_CONGESTION_CUBIC, QUIC_CONGESTION_NEWRENO, QUIC_CONGESTION_COUNT };

struct quic_limits {
	/* Per endpoint. */
	uint32_t connections;          /* owned at once, all states together */
	uint32_t handshakes;           /* not confirmed at once; the oldest gives way to a new one */
	uint32_t retry_above;          /* handshakes from which on new clients get a Retry */
	uint32_t stateless_per_second; /* Retry; and as many Version Negotiations and refusals together */
	uint32_t resets_per_second;    /* stateless resets */
	uint32_t segments_per_turn;    /* pieces of received datagrams offered in place; more are copied */
	uint32_t chunks_in_stock;      /* chunks kept at hand between turns */

	/* Times. */
	uint64_t handshake_timeout_ns;
	uint64_t idle_timeout_ns;   /* max_idle_timeout that we announce; 0: none */
	uint64_t max_ack_delay_ns;  /* that we announce; whole milliseconds */
	uint64_t initial_rtt_ns;    /* RFC 9002 section 6.2.2 */
	uint64_t token_lifetime_ns; /* of Retry tokens */

	/* Per connection, flow control (RFC 9000 section 4). */
	uint64_t connection_window_bytes;     /* initial_max_data */
	uint64_t connection_window_max_bytes; /* up to which the window grows by itself */
	uint64_t stream_window_bytes;         /* initial_max_stream_data_*, all three */
	uint64_t stream_window_max_bytes;
	uint32_t streams_bidi; /* that the peer may have open at once */
	uint32_t streams_uni;

	/* Per connection, memory. */
	uint32_t crypto_buffer_bytes; /* CRYPTO octets out of order or not taken by TLS; per level */
	uint32_t send_buffer_bytes;   /* octets copied in and not acknowledged, per stream */
	uint16_t chunks_received;     /* pool chunks that octets received out of order may occupy */
	uint16_t datagrams_queued;    /* DATAGRAM frames waiting to be sent */

	/* Per connection, what we announce. */
	uint8_t ack_delay_exponent;
	uint8_t active_connection_ids;  /* active_connection_id_limit, 2 at least and at most QUIC_PEER_IDS */
	uint8_t own_connection_ids;     /* that we issue at most, whatever the peer allows */
	uint16_t max_udp_payload_bytes; /* largest datagram we take, and the largest we probe for */
	uint16_t max_datagram_frame_bytes; /* RFC 9221; 0: none taken */

	/* Per connection and turn. */
	uint16_t packets_sent_per_turn;
	uint16_t
		packets_received_per_turn; /* in one burst; more are dropped; 0: they only wait for the others */
	uint16_t ack_threshold;            /* ack-eliciting packets per ACK, RFC 9000 section 13.2.2 */

	/* Moves between shards. */
	uint64_t
		move_dwell_ns; /* a connection stays at least so long after a move, and after one that failed */
	uint16_t
		move_give_up_ptos; /* a peer that has not switched connection IDs by then is left in peace, */
	uint64_t move_give_up_ns;  /* or by then: how long its PTO is, the peer decides */

	/* Congestion control. */
	enum quic_congestion_algorithm congestion;
	uint16_t initial_window_packets;
	bool ecn; /* send ECT(0) and validate (RFC 9000 section 13.4) */

	bool client_tickets; /* clients take session tickets, and keep their handshake's memory for it */

	/* Keys: packets under one key before a key update; 0: only the limits of RFC 9001 section 6.6. */
	uint64_t key_update_packets;
};

/* What a gateway for browsers wants. */
struct quic_limits quic_limits_default(void);

#endif
