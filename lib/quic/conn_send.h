/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A packet while it is being written: between conn_send.c, which knows datagrams, and conn_send_frames.c, which knows frames. */
#ifndef QUIC_CONN_SEND_H
#define QUIC_CONN_SEND_H

#include "quic/conn_internal.h"

struct quic_building {
	struct quic_conn *conn;
	enum quic_packet_number_space space;
	const struct crypto_hot_keys *keys;
	uint64_t packet_number;
	uint8_t *start;
	uint8_t *packet_number_at;
	uint8_t *payload;
	struct base_writer writer; /* of the payload; ends before the tag */
	bool may_send_data;        /* window and pacer are open, or it is a probe */
	bool ack_eliciting;
	bool padded;
	bool wants_padding; /* PATH_CHALLENGE, PATH_RESPONSE: RFC 9000 section 8.2.1 */
	bool mtu_probe;
	uint8_t frame_count;
	struct quic_sent_frame frames[QUIC_SENT_FRAMES_MAX];
};

/* Writes what there is for this packet; false when there is nothing that would justify it. */
bool quic_conn_write_frames(struct quic_building *packet);
/* One ack-eliciting frame with its record; false when it does not fit. */
bool quic_building_add(
	struct quic_building *packet, const struct quic_frame *frame, const struct quic_sent_frame *sent);
/* A STREAM or CRYPTO frame whose octets come from a send buffer. The caller has seen that it fits. */
bool quic_building_add_data(struct quic_building *packet, const struct quic_frame *frame,
	const struct quic_sent_frame *sent, const struct quic_send_buffer *from);
/* The DATAGRAM payload to be sent next, and its end. conn_datagrams.c */
bool quic_conn_datagram_front(const struct quic_conn *conn, const uint8_t **octets, uint16_t *length);
void quic_conn_datagram_pop(struct quic_conn *conn);
/* Anything that waits for window and pacer. */
bool quic_conn_has_data(struct quic_conn *conn);
/* The packet joins the burst to be sealed. */
void quic_endpoint_seal(struct quic_endpoint *endpoint, const struct quic_building *packet);

#endif
