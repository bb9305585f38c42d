/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each frame of RFC 9000 section 19 and RFC 9221 does to a connection. */
#include "quic/conn_internal.h"

/* RFC 9221 section 3: the limit counts type and length too. */
static uint64_t
receive_datagram(struct quic_conn *conn, const struct quic_frame *frame)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	uint32_t most = endpoint->limits.max_datagram_frame_bytes;
	uint32_t place;

	if (quic_frame_size(frame) > most)
		return QUIC_PROTOCOL_VIOLATION;
	if (endpoint->datagram_count == QUIC_DATAGRAM_PLACES) {
		/* Unreliable on purpose: what finds no place is gone. */
		quic_count(endpoint, QUIC_COUNTER_DROP_DATAGRAM_FRAME);
		return QUIC_NO_ERROR;
	}
	place = (endpoint->datagram_first + endpoint->datagram_count++) % QUIC_DATAGRAM_PLACES;
	endpoint->datagrams[place] = (struct quic_datagram_received){
		.handle = quic_conn_handle(conn),
		.octets = frame->stream.octets,
		.length = (uint32_t)frame->stream.length,
	};
	return QUIC_NO_ERROR;
}

/* RFC 9000 section 19.20. */
static uint64_t
receive_handshake_done(struct quic_conn *conn)
{
	if (conn->is_server)
		return QUIC_PROTOCOL_VIOLATION;
	quic_conn_confirm_handshake(conn);
	return QUIC_NO_ERROR;
}

/* Section 19.7. The newest is kept; one that is too long is no use to us. */
static uint64_t
receive_new_token(struct quic_conn *conn, const struct quic_frame *frame)
{
	struct quic_handshake *handshake = conn->handshake;

	if (conn->is_server)
		return QUIC_PROTOCOL_VIOLATION;
	if (frame->new_token.length == 0)
		return QUIC_FRAME_ENCODING_ERROR;
	if (handshake == NULL || !conn->handshake_complete ||
		frame->new_token.length > QUIC_CLIENT_TOKEN_BYTES)
		return QUIC_NO_ERROR;
	memcpy(handshake->token, frame->new_token.octets, frame->new_token.length);
	handshake->token_length = (uint16_t)frame->new_token.length;
	handshake->token_is_new = true;
	quic_conn_add_event(conn, QUIC_CONN_EVENT_RESUMABLE);
	return QUIC_NO_ERROR;
}

/* Once for all frames of a packet: it costs a look at every stream that waits for credit. */
static void
settle_streams(struct quic_conn *conn)
{
	if (conn->state != QUIC_CONN_OPEN)
		return;
	quic_conn_streams_changed(conn);
	if (quic_stream_set_borrows(&conn->streams) && base_list_empty(&conn->turn_link))
		base_list_push_back(&conn->endpoint->borrowing, &conn->turn_link);
}

/*
 * RFC 9001 section 4.9: an earlier frame of this packet has discarded the packet number space that this frame is about.
 * A client's Finished may well stand before an ACK, or before another CRYPTO frame with the same octets.
 */
static bool
is_about_the_discarded(
	struct quic_conn *conn, const struct quic_received *received, const struct quic_frame *frame)
{
	const struct quic_level_keys *keys;

	if (received->space == QUIC_SPACE_APPLICATION)
		return false;
	keys = quic_conn_level_keys(conn, received->space);
	return (keys == NULL || !keys->can_receive) &&
		(frame->type == QUIC_FRAME_ACK || frame->type == QUIC_FRAME_ACK_ECN ||
			frame->type == QUIC_FRAME_CRYPTO);
}

static uint64_t
receive_frame(struct quic_conn *conn, const struct quic_received *received, const struct quic_frame *frame)
{
	if (is_about_the_discarded(conn, received, frame))
		return QUIC_NO_ERROR;
	switch (frame->type) {
	case QUIC_FRAME_PADDING:
	case QUIC_FRAME_PING:
		return QUIC_NO_ERROR;
	case QUIC_FRAME_ACK:
	case QUIC_FRAME_ACK_ECN:
		return quic_conn_receive_ack(conn, received->space, frame);
	case QUIC_FRAME_CRYPTO:
		return quic_conn_receive_crypto(conn, received->space, &frame->stream);
	case QUIC_FRAME_NEW_TOKEN:
		return receive_new_token(conn, frame);
	case QUIC_FRAME_NEW_CONNECTION_ID:
		return quic_conn_receive_new_id(conn, frame);
	case QUIC_FRAME_RETIRE_CONNECTION_ID:
		return quic_conn_receive_retire_id(
			conn, frame->retire_connection_id.sequence, received->datagram->id_sequence);
	case QUIC_FRAME_PATH_CHALLENGE:
		quic_conn_receive_path_challenge(conn, received->datagram, frame->path_data);
		return QUIC_NO_ERROR;
	case QUIC_FRAME_PATH_RESPONSE:
		quic_conn_receive_path_response(conn, frame->path_data);
		return QUIC_NO_ERROR;
	case QUIC_FRAME_CONNECTION_CLOSE:
	case QUIC_FRAME_CONNECTION_CLOSE_APPLICATION:
		quic_conn_receive_close(conn, frame);
		return QUIC_NO_ERROR;
	case QUIC_FRAME_HANDSHAKE_DONE:
		return receive_handshake_done(conn);
	case QUIC_FRAME_DATAGRAM:
		return receive_datagram(conn, frame);
	default:
		return quic_stream_set_receive(&conn->streams, &conn->endpoint->memory, frame);
	}
}

static uint64_t
receive_all(struct quic_conn *conn, const struct quic_received *received, struct base_reader *payload,
	bool *ack_eliciting, bool *probing_only, uint64_t *frame_type)
{
	struct quic_frame frame;
	uint64_t error;

	*ack_eliciting = false;
	*probing_only = true;
	*frame_type = 0;
	/* RFC 9000 section 12.4. */
	if (base_reader_left(payload) == 0)
		return QUIC_PROTOCOL_VIOLATION;
	while (base_reader_left(payload) > 0) {
		const struct quic_frame_rule *rule;

		error = quic_frame_parse(payload, received->packet.type, &frame, frame_type);
		if (error != QUIC_NO_ERROR)
			return error;
		rule = quic_frame_rule(frame.type);
		*ack_eliciting |= rule->ack_eliciting;
		*probing_only &= rule->probing;
		error = receive_frame(conn, received, &frame);
		if (error != QUIC_NO_ERROR)
			return error;
		/* A CONNECTION_CLOSE, or an error of TLS, may have ended it. */
		if (conn->state != QUIC_CONN_OPEN)
			return QUIC_NO_ERROR;
	}
	return QUIC_NO_ERROR;
}

uint64_t
quic_conn_receive_frames(struct quic_conn *conn, const struct quic_received *received,
	struct base_reader *payload, bool *ack_eliciting, bool *probing_only, uint64_t *frame_type)
{
	uint64_t error = receive_all(conn, received, payload, ack_eliciting, probing_only, frame_type);

	/* Also after an error: what came before it may lie in the datagram. */
	settle_streams(conn);
	return error;
}
