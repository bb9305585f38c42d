/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state of a connection. struct quic_conn lives in a slot, one for each of ten million idle connections, so it holds only what an
 * idle connection needs; the rest is in parts (conn_parts.h) that come from pools and go back.
 */
#ifndef QUIC_CONN_STATE_H
#define QUIC_CONN_STATE_H

#include "quic/conn_parts.h"

enum quic_conn_state {
	QUIC_CONN_OPEN,     /* handshake included */
	QUIC_CONN_CLOSING,  /* RFC 9000 section 10.2.1 */
	QUIC_CONN_DRAINING, /* section 10.2.2 */
	QUIC_CONN_OVER,     /* to be freed at the end of the turn */
};

/* Frames to be sent that are one of a kind: bits of quic_conn.want. */
enum quic_want {
	QUIC_WANT_PING = 1 << 0,
	QUIC_WANT_HANDSHAKE_DONE = 1 << 1,
	QUIC_WANT_NEW_TOKEN = 1 << 2,
	QUIC_WANT_CLOSE = 1 << 3,
	QUIC_WANT_MTU_PROBE = 1 << 4,
};

/* Events of the connection itself that wait to be pulled: bits of quic_conn.events. */
enum quic_conn_event {
	QUIC_CONN_EVENT_CONNECTED = 1 << 0,
	QUIC_CONN_EVENT_CLOSED = 1 << 1,
	QUIC_CONN_EVENT_RESUMABLE = 1 << 2,
};

enum quic_timer {
	QUIC_TIMER_IDLE, /* idle timeout; closing and draining: their end */
	QUIC_TIMER_LOSS, /* loss time or PTO, RFC 9002 appendix A.8 */
	QUIC_TIMER_ACK,
	QUIC_TIMER_PACER,
	QUIC_TIMER_KEYS, /* keys of before the last update go */
	QUIC_TIMER_IDS,  /* retired IDs of ours are not taken any more */
	QUIC_TIMER_PATH, /* path validation has failed, or its challenge is repeated */
	QUIC_TIMER_MTU,
	QUIC_TIMER_MOVE, /* the peer has not switched in time; without a move: the next one is allowed */
	QUIC_TIMER_COUNT
};

struct quic_conn {
	struct quic_endpoint *endpoint;
	struct quic_handshake *handshake;
	struct quic_migration *migration;
	struct quic_close *close;              /* chunk, from the closing state on */
	struct quic_datagram_queue *datagrams; /* chunk, while DATAGRAM frames wait to be sent */
	void *user;
	uint32_t slot;
	uint32_t generation;
	uint8_t state; /* enum quic_conn_state */
	uint8_t events;
	uint8_t move; /* enum quic_move_state */
	uint16_t want;
	bool is_server : 1;
	bool handshake_complete : 1;
	bool handshake_confirmed : 1;
	bool address_validated : 1; /* of the current path: no anti-amplification limit */
	bool phase_acknowledged : 1;
	bool told : 1;                    /* CONNECTED was pulled, or we are the client: CLOSED is due */
	bool eliciting_since_receive : 1; /* RFC 9000 section 10.1: sending restarts the idle timer once */
	bool closed_by_peer : 1;
	bool application_error : 1;
	bool timed_out : 1;
	bool reset_by_peer : 1;
	bool peer_disable_active_migration : 1;
	bool ecn_capable : 1; /* not failed */
	bool ecn_proven : 1;
	bool mtu_searching : 1;
	bool resumed : 1; /* the handshake went by a ticket */
	struct base_list ready_link;
	struct base_list event_link;
	struct base_list turn_link; /* borrowing, then over */
	struct base_wheel_node timer;
	uint64_t deadlines[QUIC_TIMER_COUNT];
	uint64_t moved_ns;   /* when the last move ended; 0: never */
	uint64_t settled_ns; /* as of when it is where it is on purpose; 0: by its hash alone */

	struct base_path path;
	uint16_t port_index;
	uint16_t datagram_bytes; /* largest UDP payload known to pass */
	uint16_t probe_bytes;    /* size of the MTU probe under way or next */
	uint16_t probe_ceiling;  /* smallest size known not to pass */
	uint8_t probe_failures;
	uint8_t pto_count;
	uint8_t acks_only;                /* 1-RTT packets in a row that no ACK of the peer's will answer */
	uint8_t probes[QUIC_SPACE_COUNT]; /* packets to send whatever the window says */
	uint32_t credit_bytes;            /* until the address is validated: what may be sent */
	struct quic_rtt rtt;
	struct quic_congestion congestion;
	struct quic_pacer pacer;
	uint32_t ecn_sent;
	uint64_t peer_ect0;
	uint64_t peer_ce;

	struct quic_level_keys keys; /* 1-RTT */
	struct crypto_key_handle previous_receive;
	struct crypto_key_handle next_receive;
	uint64_t phase_first_sent;
	uint64_t phase_first_received;
	uint32_t key_generation;
	uint32_t not_authentic;
	uint32_t last_id_sequence; /* ID of ours that the newest packet came with */
	struct quic_space space;   /* 1-RTT */

	struct quic_own_ids own_ids;
	struct quic_peer_id peer_ids[QUIC_PEER_IDS]; /* the first is in use */
	uint64_t peer_ids_largest;
	uint64_t peer_ids_seen; /* bit i: largest - i */
	uint64_t peer_retire_prior_to;
	uint64_t retiring[QUIC_RETIRE_PLACES]; /* sequence numbers plus one; 0: free */
	uint8_t retiring_want;                 /* bits: frame to be sent */

	struct quic_stream_set streams; /* and the connection's flow control */
	uint32_t idle_timeout_ms;       /* the smaller of both; 0: none */
	uint16_t peer_max_ack_delay_ms;
	uint16_t peer_datagram_bytes; /* max_datagram_frame_size; 0: none taken */
	uint16_t peer_udp_payload_bytes;
	uint8_t peer_ack_delay_exponent;
	uint8_t peer_active_connection_ids;
	uint16_t datagram_count; /* DATAGRAM payloads waiting */
	uint8_t alpn_length;
	char alpn[TLS_ALPN_BYTES];
	uint64_t error_code; /* of CONNECTION_CLOSE, sent or received */
	uint64_t bytes_sent;
	uint64_t bytes_received;
	uint32_t packets_lost;
	uint64_t sent_in_flight_bytes;
};

#endif
