/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/limits.h"

#include "base/time.h"

struct quic_limits
quic_limits_default(void)
{
	return (struct quic_limits){
		.connections = 16384,
		.handshakes = 2048,
		.retry_above = 1024,
		.stateless_per_second = 10000,
		.resets_per_second = 100,
		.segments_per_turn = 256,
		.chunks_in_stock = 256,
		.handshake_timeout_ns = 10 * BASE_SECOND,
		.idle_timeout_ns = 30 * BASE_SECOND,
		.max_ack_delay_ns = 25 * BASE_MS,
		.initial_rtt_ns = 333 * BASE_MS,
		.token_lifetime_ns = 10 * BASE_SECOND,
		.connection_window_bytes = 512 << 10,
		.connection_window_max_bytes = 4 << 20,
		.stream_window_bytes = 256 << 10,
		.stream_window_max_bytes = 2 << 20,
		.streams_bidi = 100,
		.streams_uni = 16,
		.crypto_buffer_bytes = 16 << 10,
		.send_buffer_bytes = 256 << 10,
		.chunks_received = 512,
		.datagrams_queued = 32,
		.ack_delay_exponent = 3,
		.active_connection_ids = 4,
		.own_connection_ids = 4,
		.max_udp_payload_bytes = 1452,
		.max_datagram_frame_bytes = 1200,
		.packets_sent_per_turn = 16,
		.packets_received_per_turn = 0,
		.ack_threshold = 2,
		.move_dwell_ns = BASE_SECOND,
		.move_give_up_ptos = 3,
		.move_give_up_ns = 5 * BASE_SECOND,
		.congestion = QUIC_CONGESTION_CUBIC,
		.initial_window_packets = 10,
		.ecn = true,
		.client_tickets = true,
		.key_update_packets = 0,
	};
}
