/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A packet that was opened, up to its frames and after them: RFC 9000 sections 5.2, 7.2, 9, 12 and 17. */
#include "base/assert.h"
#include "quic/conn_internal.h"

void
quic_conn_datagram_received(struct quic_conn *conn, const struct base_datagram *datagram)
{
	conn->bytes_received += datagram->length;
	/* RFC 9000 section 8.1: what came from an address allows three times as much towards it. */
	if (!conn->address_validated && base_path_equal(&conn->path, &datagram->path)) {
		bool was_blocked = quic_conn_blocked_by_credit(conn);

		conn->credit_bytes += QUIC_ANTI_AMPLIFICATION_FACTOR * datagram->length;
		/* RFC 9002 appendix A.6: the timer stood still while nothing could be sent. */
		if (was_blocked) {
			quic_conn_set_loss_timer(conn);
			quic_conn_set_ready(conn);
		}
	}
}

/* Section 7.2: each side takes the other's ID from its first packet and goes by it. False: discard. */
static bool
check_long_header(struct quic_conn *conn, const struct quic_received *received)
{
	const struct quic_packet *packet = &received->packet;
	struct quic_handshake *handshake = conn->handshake;
	struct quic_cid scid = quic_cid(packet->scid, packet->scid_length);

	/* Section 14.1. */
	if (conn->is_server && packet->type == QUIC_PACKET_INITIAL &&
		received->datagram->length < QUIC_DATAGRAM_MIN_BYTES)
		return false;
	/* Section 17.2.2: a server has no token to give. */
	if (!conn->is_server && packet->type == QUIC_PACKET_INITIAL && packet->token_length > 0)
		return false;
	if (handshake->has_peer_scid)
		return quic_cid_equal(&handshake->peer_scid, &scid);
	handshake->peer_scid = scid;
	handshake->has_peer_scid = true;
	quic_conn_set_peer_id(conn, &scid);
	return true;
}

/* What does not need the frames. False: the packet is dropped. */
static bool
admit(struct quic_conn *conn, const struct quic_received *received, struct quic_space *space)
{
	struct quic_endpoint *endpoint = conn->endpoint;

	if (quic_ack_is_duplicate(&space->ack, received->packet_number)) {
		quic_count(endpoint, QUIC_COUNTER_DROP_DUPLICATE);
		return false;
	}
	/* Section 9: nobody changes paths before the handshake is confirmed; a server never does. */
	if ((!conn->is_server || !conn->handshake_confirmed) &&
		!base_path_equal(&conn->path, &received->datagram->path)) {
		quic_count(endpoint, QUIC_COUNTER_DROP_MIGRATION);
		return false;
	}
	if (received->packet.long_header && !check_long_header(conn, received)) {
		quic_count(endpoint, QUIC_COUNTER_DROP_MALFORMED);
		return false;
	}
	/* RFC 9000 section 8.1: only the client's address could send it, whatever is wrong in it: it is told. */
	if (conn->is_server && received->space == QUIC_SPACE_HANDSHAKE)
		conn->address_validated = true;
	if (!quic_packet_reserved_bits_zero(received->packet.octets[0])) {
		quic_conn_fail(conn, QUIC_PROTOCOL_VIOLATION, 0, "reserved bits");
		return false;
	}
	return true;
}

/* After the frames. */
static void
accept(struct quic_conn *conn, const struct quic_received *received, bool ack_eliciting, bool probing_only)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	struct quic_level_keys *keys = quic_conn_level_keys(conn, received->space);
	struct quic_space *space = quic_conn_space(conn, received->space);
	bool newest;

	if (conn->handshake != NULL)
		conn->handshake->processed_packet = true;
	/* RFC 9001 section 4.9.1. */
	if (conn->is_server && received->space == QUIC_SPACE_HANDSHAKE)
		quic_conn_discard_space(conn, QUIC_SPACE_INITIAL);
	conn->eliciting_since_receive = false;
	quic_conn_restart_idle(conn);
	quic_conn_set_ready(conn);
	/* The keys may have been discarded by what the packet said. */
	if (keys == NULL || !keys->can_receive)
		return;
	newest = received->packet_number >= quic_ack_expected(&space->ack);
	quic_ack_on_received(&space->ack, endpoint->pools[QUIC_POOL_CHUNK], received->packet_number,
		ack_eliciting, (enum base_ecn)received->datagram->ecn, endpoint->now_ns,
		endpoint->limits.max_ack_delay_ns);
	if (received->space == QUIC_SPACE_APPLICATION && newest && !probing_only &&
		!base_path_equal(&conn->path, &received->datagram->path))
		quic_conn_path_changed(conn, received->datagram);
	if (received->space == QUIC_SPACE_APPLICATION && newest)
		conn->last_id_sequence = received->datagram->id_sequence;
	if (received->space == QUIC_SPACE_APPLICATION)
		quic_conn_move_received(conn, received->datagram->id_sequence);
}

/* Section 10.2: in the closing state only the peer's CONNECTION_CLOSE is of interest. */
static void
receive_closing(struct quic_conn *conn, const struct quic_received *received)
{
	struct base_reader payload =
		base_reader(received->packet.octets + received->payload_offset, received->payload_length);
	struct quic_frame frame;
	uint64_t type;

	while (conn->state == QUIC_CONN_CLOSING && base_reader_left(&payload) > 0 &&
		quic_frame_parse(&payload, received->packet.type, &frame, &type) == QUIC_NO_ERROR)
		if (frame.type == QUIC_FRAME_CONNECTION_CLOSE ||
			frame.type == QUIC_FRAME_CONNECTION_CLOSE_APPLICATION)
			quic_conn_receive_close(conn, &frame);
	quic_conn_closing_received(conn);
}

void
quic_conn_receive(struct quic_conn *conn, const struct quic_received *received)
{
	struct quic_level_keys *keys = quic_conn_level_keys(conn, received->space);
	struct base_reader payload =
		base_reader(received->packet.octets + received->payload_offset, received->payload_length);
	bool ack_eliciting, probing_only;
	uint64_t frame_type;
	uint64_t error = QUIC_NO_ERROR;

	if (keys == NULL || !keys->can_receive) {
		quic_count(conn->endpoint, QUIC_COUNTER_DROP_NO_KEYS);
		return;
	}
	if (conn->state != QUIC_CONN_OPEN) {
		receive_closing(conn, received);
		return;
	}
	if (!admit(conn, received, quic_conn_space(conn, received->space)))
		return;
	if (received->space == QUIC_SPACE_APPLICATION)
		error = quic_conn_key_phase_received(conn, received->key_generation, received->packet_number);
	if (error != QUIC_NO_ERROR) {
		quic_conn_fail(conn, error, 0, "key update");
		return;
	}
	error = quic_conn_receive_frames(
		conn, received, &payload, &ack_eliciting, &probing_only, &frame_type);
	if (error == QUIC_SHORT_OF_MEMORY) {
		/* Not acknowledged, so it comes again. */
		quic_count(conn->endpoint, QUIC_COUNTER_DROP_NO_MEMORY);
		return;
	}
	if (error != QUIC_NO_ERROR)
		quic_conn_fail(conn, error, frame_type, NULL);
	if (conn->state == QUIC_CONN_OPEN)
		accept(conn, received, ack_eliciting, probing_only);
}

void
quic_conn_not_authentic(struct quic_conn *conn, const struct quic_received *received)
{
	/* RFC 9000 section 10.3.1: a stateless reset looks like a packet that cannot be opened. */
	if (!received->packet.long_header &&
		quic_endpoint_reset_target(conn->endpoint, received->datagram) == conn) {
		quic_conn_receive_reset(conn);
		return;
	}
	if (received->space != QUIC_SPACE_APPLICATION)
		return;
	/* RFC 9001 section 6.6: over all keys of the connection. The limits, 2^36 and more, are beyond the counter: its end is ours. */
	if (++conn->not_authentic == UINT32_MAX)
		quic_conn_fail(conn, QUIC_AEAD_LIMIT_REACHED, 0, "too many forgeries");
}

/* RFC 9000 sections 8.1.2 and 17.2.5: everything is sent again, to another ID, with the token. */
void
quic_conn_receive_retry(struct quic_conn *conn, const struct quic_packet *packet)
{
	struct quic_handshake *handshake = conn->handshake;
	struct quic_endpoint *endpoint = conn->endpoint;
	struct quic_loss_result none = {0};
	struct quic_cid scid = quic_cid(packet->scid, packet->scid_length);
	struct quic_space *space;
	uint8_t tag[CRYPTO_TAG_BYTES];

	if (conn->is_server || handshake == NULL || handshake->processed_packet ||
		handshake->has_retry_scid || conn->state != QUIC_CONN_OPEN ||
		packet->version != QUIC_VERSION_1 || packet->token_length == 0 ||
		packet->token_length > QUIC_CLIENT_TOKEN_BYTES ||
		quic_cid_equal(&scid, &handshake->original_dcid) ||
		!crypto_retry_tag(endpoint->crypto, handshake->original_dcid.octets,
			handshake->original_dcid.length, packet->octets, packet->length - CRYPTO_TAG_BYTES,
			tag) ||
		!crypto_equal(tag, packet->rest, CRYPTO_TAG_BYTES)) {
		quic_count(endpoint, QUIC_COUNTER_DROP_MALFORMED);
		return;
	}
	handshake->has_retry_scid = true;
	handshake->retry_scid = scid;
	memcpy(handshake->token, packet->token, packet->token_length);
	handshake->token_length = (uint16_t)packet->token_length;
	quic_conn_set_peer_id(conn, &handshake->retry_scid);
	quic_conn_install_initial_keys(conn, &handshake->retry_scid);
	space = &handshake->spaces[QUIC_SPACE_INITIAL];
	quic_congestion_on_discarded(&conn->congestion, quic_sent_forget_all(&space->sent));
	conn->pto_count = 0;
	quic_conn_settle_sent(conn, QUIC_SPACE_INITIAL, &none);
}

/* RFC 9000 section 6.2: there is but one version that we could choose. */
void
quic_conn_receive_version_negotiation(struct quic_conn *conn, const struct quic_packet *packet)
{
	struct quic_handshake *handshake = conn->handshake;
	struct quic_cid scid = {0};
	bool valid;

	if (packet->scid_length <= QUIC_CID_MAX_BYTES)
		scid = quic_cid(packet->scid, packet->scid_length);
	if (conn->is_server || handshake == NULL || handshake->processed_packet ||
		conn->state != QUIC_CONN_OPEN || !quic_cid_equal(&scid, &handshake->original_dcid) ||
		quic_version_negotiation_lists(packet, QUIC_VERSION_1, &valid) || !valid) {
		quic_count(conn->endpoint, QUIC_COUNTER_DROP_VERSION);
		return;
	}
	conn->closed_by_peer = true;
	conn->error_code = QUIC_VERSION_NEGOTIATION_ERROR;
	quic_conn_over(conn);
}
