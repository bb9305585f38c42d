/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes into a packet, in order of urgency, each frame with the record that tells its owner what became of it. */
#include "base/assert.h"
#include "quic/conn_send.h"

enum { STREAM_FRAME_MIN_BYTES = 32, MINIMUM_CRYPTO_BYTES = 16, ACKS_PER_PING = 32 };

static bool
full(const struct quic_building *packet)
{
	return packet->frame_count == QUIC_SENT_FRAMES_MAX;
}

bool
quic_building_add(
	struct quic_building *packet, const struct quic_frame *frame, const struct quic_sent_frame *sent)
{
	if (full(packet) || !quic_frame_write(&packet->writer, frame))
		return false;
	packet->frames[packet->frame_count++] = *sent;
	packet->ack_eliciting = true;
	return true;
}

/* RFC 9000 section 13.2. */
static void
add_ack(struct quic_building *packet)
{
	struct quic_conn *conn = packet->conn;
	struct quic_space *space = quic_conn_space(conn, packet->space);
	uint64_t now_ns = conn->endpoint->now_ns;
	struct base_ranges ranges = quic_ack_report(&space->ack);
	uint64_t delay = (quic_ack_delay_ns(&space->ack, now_ns) / BASE_US) >>
		conn->endpoint->limits.ack_delay_exponent;
	const struct quic_ecn_counts *ecn = &space->ack.ecn;

	if (ranges.count == 0)
		return;
	if (ecn->ect0 + ecn->ect1 + ecn->ce == 0)
		ecn = NULL;
	if (!quic_frame_write_ack(&packet->writer, &ranges, delay, ecn))
		return;
	packet->frames[packet->frame_count++] = (struct quic_sent_frame){
		.type = QUIC_SENT_ACK, .offset = ranges.ranges[ranges.count - 1].end - 1};
}

static void
add_close(struct quic_building *packet)
{
	struct quic_conn *conn = packet->conn;
	bool application = conn->application_error && packet->space == QUIC_SPACE_APPLICATION;
	struct quic_frame frame = {
		.type = application ? QUIC_FRAME_CONNECTION_CLOSE_APPLICATION : QUIC_FRAME_CONNECTION_CLOSE};

	frame.close.code = conn->error_code;
	frame.close.frame_type = conn->close->frame_type;
	frame.close.reason = (const uint8_t *)conn->close->reason;
	frame.close.reason_length = conn->close->reason_length;
	/* RFC 9000 section 10.2.3: what the application says is not for Initial and Handshake packets. */
	if (conn->application_error && !application) {
		frame.close.code = QUIC_APPLICATION_ERROR;
		frame.close.frame_type = 0;
		frame.close.reason_length = 0;
	}
	quic_frame_write(&packet->writer, &frame);
}

static void
add_crypto(struct quic_building *packet)
{
	struct quic_handshake *handshake = packet->conn->handshake;
	struct quic_crypto_stream *crypto;
	struct quic_send_piece piece;

	if (handshake == NULL)
		return;
	crypto = &handshake->crypto[packet->space];
	while (!full(packet)) {
		size_t room = base_writer_room(&packet->writer);
		size_t overhead;
		struct quic_frame frame = {.type = QUIC_FRAME_CRYPTO};
		struct quic_sent_frame sent = {.type = QUIC_SENT_CRYPTO};

		if (room < MINIMUM_CRYPTO_BYTES || !quic_crypto_stream_next(crypto, room, &piece))
			return;
		overhead = quic_frame_crypto_overhead(piece.offset, piece.length);
		if (overhead >= room)
			return;
		if (piece.length > room - overhead)
			piece.length = room - overhead;
		sent.offset = frame.stream.offset = piece.offset;
		frame.stream.length = piece.length;
		sent.length = (uint32_t)piece.length;
		if (!quic_building_add_data(packet, &frame, &sent, &crypto->send))
			return;
		quic_send_buffer_on_sent(&crypto->send, &piece);
	}
}

bool
quic_building_add_data(struct quic_building *packet, const struct quic_frame *frame,
	const struct quic_sent_frame *sent, const struct quic_send_buffer *from)
{
	base_assert(frame->stream.octets == NULL);
	if (!quic_building_add(packet, frame, sent))
		return false;
	quic_send_buffer_copy(
		from, frame->stream.offset, packet->writer.at - frame->stream.length, frame->stream.length);
	return true;
}

static void
add_handshake_done(struct quic_building *packet)
{
	struct quic_conn *conn = packet->conn;
	struct quic_frame frame = {.type = QUIC_FRAME_HANDSHAKE_DONE};
	struct quic_sent_frame sent = {.type = QUIC_SENT_HANDSHAKE_DONE};

	if ((conn->want & QUIC_WANT_HANDSHAKE_DONE) != 0 && quic_building_add(packet, &frame, &sent))
		conn->want &= (uint16_t)~QUIC_WANT_HANDSHAKE_DONE;
}

/* RFC 9000 section 8.1.3: the next connection from this address may skip a Retry. */
static void
add_new_token(struct quic_building *packet)
{
	struct quic_conn *conn = packet->conn;
	struct quic_endpoint *endpoint = conn->endpoint;
	struct quic_token token = {.kind = QUIC_TOKEN_NEW};
	struct quic_frame frame = {.type = QUIC_FRAME_NEW_TOKEN};
	struct quic_sent_frame sent = {.type = QUIC_SENT_NEW_TOKEN};
	uint8_t octets[QUIC_TOKEN_MAX_BYTES];
	struct base_writer writer = base_writer(octets, sizeof(octets));

	if ((conn->want & QUIC_WANT_NEW_TOKEN) == 0 ||
		base_writer_room(&packet->writer) < QUIC_TOKEN_MAX_BYTES + 4)
		return;
	token.issued_unix_ns = endpoint->now_ns + endpoint->unix_offset_ns;
	if (!quic_token_seal(&endpoint->tokens, &token, &conn->path.remote, &writer)) {
		conn->want &= (uint16_t)~QUIC_WANT_NEW_TOKEN;
		return;
	}
	frame.new_token.octets = octets;
	frame.new_token.length = base_writer_length(&writer);
	if (quic_building_add(packet, &frame, &sent))
		conn->want &= (uint16_t)~QUIC_WANT_NEW_TOKEN;
}

static void
add_path_frames(struct quic_building *packet)
{
	struct quic_migration *migration = packet->conn->migration;
	struct quic_frame frame = {.type = QUIC_FRAME_PATH_CHALLENGE};
	struct quic_sent_frame sent = {.type = QUIC_SENT_PATH_CHALLENGE};

	if (migration == NULL || !migration->want_challenge)
		return;
	memcpy(frame.path_data, migration->challenges[0], sizeof(frame.path_data));
	if (!quic_building_add(packet, &frame, &sent))
		return;
	migration->want_challenge = false;
	packet->wants_padding = true;
}

static void
add_retirements(struct quic_building *packet)
{
	struct quic_conn *conn = packet->conn;

	for (int i = 0; i < QUIC_RETIRE_PLACES && conn->retiring_want != 0; i++) {
		struct quic_frame frame = {.type = QUIC_FRAME_RETIRE_CONNECTION_ID};
		struct quic_sent_frame sent = {.type = QUIC_SENT_RETIRE_CONNECTION_ID};

		if ((conn->retiring_want & 1 << i) == 0)
			continue;
		sent.id = frame.retire_connection_id.sequence = conn->retiring[i] - 1;
		if (!quic_building_add(packet, &frame, &sent))
			return;
		conn->retiring_want &= (uint8_t) ~(1 << i);
	}
}

static void
add_new_ids(struct quic_building *packet)
{
	struct quic_conn *conn = packet->conn;
	struct quic_own_ids *ids = &conn->own_ids;

	while (ids->want != 0) {
		uint32_t bit = (uint32_t)__builtin_ctz(ids->want);
		struct quic_frame frame = {.type = QUIC_FRAME_NEW_CONNECTION_ID};
		struct quic_sent_frame sent = {.type = QUIC_SENT_NEW_CONNECTION_ID};

		sent.id = frame.new_connection_id.sequence = ids->base + bit;
		frame.new_connection_id.retire_prior_to = quic_conn_retire_prior_to(conn, ids->base + bit);
		quic_conn_own_id(conn, ids->base + bit, &frame.new_connection_id.cid);
		quic_conn_id_reset_token(&conn->endpoint->codec, frame.new_connection_id.cid.octets,
			frame.new_connection_id.cid.length, frame.new_connection_id.reset_token);
		if (!quic_building_add(packet, &frame, &sent))
			return;
		ids->want &= ~(UINT32_C(1) << bit);
	}
}

static void
add_stream_control(struct quic_building *packet)
{
	struct quic_conn *conn = packet->conn;
	struct quic_frame frame;
	struct quic_sent_frame sent;

	while (!full(packet) &&
		quic_stream_set_next_control(
			&conn->streams, conn->rtt.smoothed_ns, conn->endpoint->now_ns, &frame, &sent)) {
		if (!quic_building_add(packet, &frame, &sent))
			return;
		quic_stream_set_on_control_sent(&conn->streams, &sent);
	}
}

/* RFC 9221: whole or not at all, once. */
static void
add_datagrams(struct quic_building *packet)
{
	struct quic_conn *conn = packet->conn;
	const uint8_t *octets;
	uint16_t length;

	while (!full(packet) && quic_conn_datagram_front(conn, &octets, &length)) {
		struct quic_frame frame = {.type = QUIC_FRAME_DATAGRAM};
		struct quic_sent_frame sent = {.type = QUIC_SENT_DATAGRAM};

		frame.stream.octets = octets;
		frame.stream.length = length;
		/* One that cannot fit any more, since the path's size fell, would block the others. */
		if (!quic_building_add(packet, &frame, &sent) &&
			(packet->ack_eliciting || packet->frame_count > 0))
			return;
		quic_conn_datagram_pop(conn);
	}
}

static void
add_streams(struct quic_building *packet)
{
	struct quic_stream_set *set = &packet->conn->streams;
	struct quic_stream *stream;

	while (!full(packet) && (stream = quic_stream_set_next_to_send(set)) != NULL) {
		size_t room = base_writer_room(&packet->writer);
		struct quic_frame frame = {.type = QUIC_FRAME_STREAM};
		struct quic_sent_frame sent = {.type = QUIC_SENT_STREAM, .id = stream->id};
		struct quic_send_piece piece;
		size_t overhead;

		if (room < STREAM_FRAME_MIN_BYTES || !quic_stream_set_piece(set, stream, room, &piece))
			return;
		overhead = quic_frame_stream_overhead(stream->id, piece.offset, piece.length);
		if (piece.length > room - overhead) {
			piece.length = room - overhead;
			piece.fin = false;
		}
		frame.stream.stream_id = stream->id;
		sent.offset = frame.stream.offset = piece.offset;
		frame.stream.length = piece.length;
		sent.length = (uint32_t)piece.length;
		sent.fin = frame.stream.fin = piece.fin;
		if (!quic_building_add_data(packet, &frame, &sent, &stream->send))
			return;
		quic_stream_set_on_sent(set, stream, &piece);
	}
}

bool
quic_conn_has_data(struct quic_conn *conn)
{
	const struct quic_handshake *handshake = conn->handshake;

	for (int i = 0; handshake != NULL && i < QUIC_SPACE_COUNT; i++)
		if (quic_send_buffer_has_lost(&handshake->crypto[i].send) ||
			quic_send_buffer_has_unsent(&handshake->crypto[i].send))
			return true;
	return conn->want != 0 || conn->own_ids.want != 0 || conn->retiring_want != 0 ||
		conn->datagrams != NULL || (conn->migration != NULL && conn->migration->want_challenge) ||
		quic_stream_set_has_to_send(&conn->streams);
}

static void
add_application(struct quic_building *packet)
{
	add_handshake_done(packet);
	add_path_frames(packet);
	add_retirements(packet);
	add_new_ids(packet);
	add_stream_control(packet);
	add_crypto(packet);
	add_new_token(packet);
	add_datagrams(packet);
	add_streams(packet);
}

/*
 * A receiver that sends nothing but ACKs would never learn that they have arrived and report the same ranges for ever (RFC 9000 section 13.2.4).
 */
static bool
wants_ping(const struct quic_building *packet, const struct quic_ack *ack)
{
	const struct quic_conn *conn = packet->conn;

	if (packet->ack_eliciting)
		return false;
	if (conn->probes[packet->space] > 0)
		return true;
	return packet->space == QUIC_SPACE_APPLICATION && packet->may_send_data &&
		((conn->want & QUIC_WANT_PING) != 0 ||
			(conn->acks_only >= ACKS_PER_PING && ack->count > 1 && packet->frame_count > 0));
}

bool
quic_conn_write_frames(struct quic_building *packet)
{
	struct quic_conn *conn = packet->conn;
	struct quic_space *space = quic_conn_space(conn, packet->space);
	bool ack_due = quic_ack_deadline(&space->ack) <= conn->endpoint->now_ns;
	bool with_ack = quic_ack_has_news(&space->ack);
	struct quic_frame ping = {.type = QUIC_FRAME_PING};
	struct quic_sent_frame sent_ping = {.type = QUIC_SENT_PING};

	if (conn->state == QUIC_CONN_CLOSING) {
		add_close(packet);
		return base_writer_length(&packet->writer) > 0;
	}
	if (with_ack)
		add_ack(packet);
	with_ack = packet->frame_count > 0;
	if (packet->may_send_data && packet->space == QUIC_SPACE_APPLICATION)
		add_application(packet);
	else if (packet->may_send_data)
		add_crypto(packet);
	if (wants_ping(packet, &space->ack))
		quic_building_add(packet, &ping, &sent_ping);
	if (packet->ack_eliciting && packet->space == QUIC_SPACE_APPLICATION)
		conn->want &= (uint16_t)~QUIC_WANT_PING;
	if (!packet->ack_eliciting && !(with_ack && ack_due))
		return false;
	if (packet->space == QUIC_SPACE_APPLICATION)
		conn->acks_only = packet->ack_eliciting ? 0 : conn->acks_only + (conn->acks_only < UINT8_MAX);
	if (with_ack)
		quic_ack_on_sent(&space->ack);
	return true;
}
