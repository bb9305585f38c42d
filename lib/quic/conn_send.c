/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One datagram of a connection: which packets go into it, their headers, their records. What goes into a packet is
 * conn_send_frames.c's. Packets are written in place and handed to the endpoint, which seals them in a burst.
 */
#include "quic/conn_send.h"

#include "base/assert.h"

enum {
	PACKETS_MAX = 3,
	SAMPLE_MIN_BYTES = 4,
	RECORDS_LEAST = 256,    /* packets that any connection may have in flight, however small its window */
	RECORDS_PER_PACKET = 4, /* and for each full packet of its window */
	SKIP_LEAST = 128,       /* packets from one number that is left out to the next; up to 255 more */
};

struct assembly {
	struct quic_conn *conn;
	struct base_datagram *datagram;
	struct base_writer writer;
	struct quic_building packets[PACKETS_MAX];
	uint32_t count;
	bool pad; /* RFC 9000 section 14.1: to 1200 octets */
};

/* All but the frames' records, which are many and written before they are counted. */
static void
begin_packet(struct quic_building *packet, struct quic_conn *conn, enum quic_packet_number_space space,
	bool may_send_data)
{
	packet->conn = conn;
	packet->space = space;
	packet->keys = NULL;
	packet->packet_number = 0;
	packet->start = packet->packet_number_at = packet->payload = NULL;
	packet->may_send_data = may_send_data;
	packet->ack_eliciting = packet->padded = packet->wants_padding = packet->mtu_probe = false;
	packet->frame_count = 0;
}

/*
 * RFC 9000 section 21.4: a number is left out now and then, unpredictably, so that a peer that acknowledges what it never received gives
 * itself away. Only in the space in which much is sent.
 */
static void
take_number(struct quic_conn *conn, enum quic_packet_number_space number)
{
	struct quic_sent *sent = &quic_conn_space(conn, number)->sent;

	quic_sent_take_number(sent);
	if (number != QUIC_SPACE_APPLICATION)
		return;
	if (sent->until_skip == 0) {
		uint8_t octets[16];

		quic_endpoint_unpredictable(conn->endpoint, octets);
		sent->until_skip = SKIP_LEAST + octets[0];
	} else if (--sent->until_skip == 0) {
		quic_sent_skip_number(sent);
	}
}

static enum quic_packet_type
packet_type(enum quic_packet_number_space space)
{
	return space == QUIC_SPACE_INITIAL      ? QUIC_PACKET_INITIAL
		: space == QUIC_SPACE_HANDSHAKE ? QUIC_PACKET_HANDSHAKE
						: QUIC_PACKET_ONE_RTT;
}

static bool
write_header(struct assembly *assembly, struct quic_building *packet)
{
	struct quic_conn *conn = assembly->conn;
	struct quic_space *space = quic_conn_space(conn, packet->space);
	struct quic_header header = {
		.type = packet_type(packet->space),
		.version = QUIC_VERSION_1,
		.dcid = conn->peer_ids[0].cid,
		.packet_number = space->sent.next_packet_number,
		.key_phase = (conn->key_generation & 1) != 0,
	};

	if (packet->space != QUIC_SPACE_APPLICATION)
		quic_conn_own_id(conn, 0, &header.scid);
	if (packet->space == QUIC_SPACE_INITIAL && !conn->is_server) {
		header.token = conn->handshake->token;
		header.token_length = conn->handshake->token_length;
	}
	header.packet_number_length =
		quic_packet_number_size(header.packet_number, space->loss.largest_acked);
	packet->start = assembly->writer.at;
	if (!quic_header_write(&assembly->writer, &header, &packet->packet_number_at))
		return false;
	packet->packet_number = header.packet_number;
	packet->payload = assembly->writer.at;
	return base_writer_room(&assembly->writer) > CRYPTO_TAG_BYTES + SAMPLE_MIN_BYTES;
}

/* Header, frames, room for the tag. False, and nothing is written, when the space has nothing to send. */
static bool
build_packet(struct assembly *assembly, enum quic_packet_number_space number, bool may_send_data)
{
	struct quic_conn *conn = assembly->conn;
	struct quic_level_keys *keys = quic_conn_level_keys(conn, number);
	struct quic_building *packet = &assembly->packets[assembly->count];
	uint8_t *mark = base_writer_mark(&assembly->writer);

	if (keys == NULL || !keys->can_send ||
		(number == QUIC_SPACE_APPLICATION && !conn->handshake_complete))
		return false;
	if (number == QUIC_SPACE_APPLICATION && !quic_conn_keys_usable(conn))
		return false;
	begin_packet(packet, conn, number, may_send_data);
	packet->keys = quic_conn_send_keys(conn, number);
	if (packet->keys == NULL ||
		!quic_sent_reserve(
			&quic_conn_space(conn, number)->sent, conn->endpoint->pools[QUIC_POOL_SENT]) ||
		!write_header(assembly, packet)) {
		base_writer_rewind(&assembly->writer, mark);
		return false;
	}
	packet->writer =
		base_writer(assembly->writer.at, base_writer_room(&assembly->writer) - CRYPTO_TAG_BYTES);
	if (!quic_conn_write_frames(packet)) {
		base_writer_rewind(&assembly->writer, mark);
		return false;
	}
	/* RFC 9001 section 5.4.2: enough for the sample. */
	while (packet->writer.at - packet->packet_number_at < SAMPLE_MIN_BYTES)
		base_writer_u8(&packet->writer, QUIC_FRAME_PADDING);
	take_number(conn, number);
	assembly->writer.at = packet->writer.at + CRYPTO_TAG_BYTES;
	assembly->count++;
	if (number == QUIC_SPACE_INITIAL && (packet->ack_eliciting || !conn->is_server))
		assembly->pad = true;
	return true;
}

/* The last packet takes the padding: PADDING frames are part of its payload. */
static void
pad(struct assembly *assembly, size_t to_bytes)
{
	struct quic_building *last = &assembly->packets[assembly->count - 1];
	size_t length = base_writer_length(&assembly->writer);

	/* Where the anti-amplification limit leaves less room, less it is (RFC 9000 section 8.2.1). */
	if (to_bytes > length + base_writer_room(&assembly->writer))
		to_bytes = length + base_writer_room(&assembly->writer);
	if (length >= to_bytes)
		return;
	base_writer_fill(&last->writer, QUIC_FRAME_PADDING, to_bytes - length);
	base_assert(base_writer_ok(&last->writer));
	assembly->writer.at = last->writer.at + CRYPTO_TAG_BYTES;
	last->padded = true;
}

static void
record(struct assembly *assembly, struct quic_building *packet)
{
	struct quic_conn *conn = assembly->conn;
	struct quic_space *space = quic_conn_space(conn, packet->space);
	struct quic_sent_packet sent = {
		.packet_number = packet->packet_number,
		.time_ns = conn->endpoint->now_ns,
		.bytes = (uint16_t)(packet->writer.at + CRYPTO_TAG_BYTES - packet->start),
		.frame_count = packet->frame_count,
	};

	quic_count(conn->endpoint, QUIC_COUNTER_PACKETS_SENT);
	/* RFC 9002 section 2: in flight is what elicits an ACK or carries PADDING. */
	if (!packet->ack_eliciting && !packet->padded)
		return;
	/* RFC 9000 section 9.4: another path's packets are not this one's: no window, no round trip, no PTO. They are not repeated. */
	if (!base_path_equal(&conn->path, &assembly->datagram->path))
		return;
	if (packet->ack_eliciting)
		sent.flags |= QUIC_SENT_ACK_ELICITING;
	if (packet->mtu_probe)
		sent.flags |= QUIC_SENT_PROBE;
	if (assembly->datagram->ecn == BASE_ECN_ECT_0)
		sent.flags |= QUIC_SENT_ECT;
	quic_sent_record(&space->sent, &sent, packet->frames);
	quic_loss_on_sent(&space->loss, &sent);
	quic_congestion_on_sent(&conn->congestion, sent.bytes, sent.time_ns);
	assembly->conn->sent_in_flight_bytes += sent.bytes;
	/* RFC 9000 section 10.1: the first one after something was received. */
	if (packet->ack_eliciting && !conn->eliciting_since_receive) {
		conn->eliciting_since_receive = true;
		quic_conn_restart_idle(conn);
	}
}

/* Lengths, records, jobs for the burst. */
static void
finish(struct assembly *assembly)
{
	struct quic_conn *conn = assembly->conn;
	struct base_datagram *datagram = assembly->datagram;
	bool only_1rtt = assembly->count == 1 && assembly->packets[0].space == QUIC_SPACE_APPLICATION;

	datagram->length = (uint16_t)base_writer_length(&assembly->writer);
	datagram->ecn = BASE_ECN_NOT_ECT;
	if (only_1rtt && conn->ecn_capable && assembly->packets[0].ack_eliciting) {
		datagram->ecn = BASE_ECN_ECT_0;
		conn->ecn_sent++;
	}
	for (uint32_t i = 0; i < assembly->count; i++) {
		struct quic_building *packet = &assembly->packets[i];
		size_t length = (size_t)(packet->writer.at - packet->packet_number_at) + CRYPTO_TAG_BYTES;

		if (packet->space != QUIC_SPACE_APPLICATION)
			quic_header_set_length(packet->packet_number_at, length);
		record(assembly, packet);
		quic_endpoint_seal(conn->endpoint, packet);
		/* RFC 9001 section 4.9.1: a client's first Handshake packet ends the Initial keys. */
		if (packet->space == QUIC_SPACE_HANDSHAKE && !conn->is_server)
			quic_conn_discard_space(conn, QUIC_SPACE_INITIAL);
	}
	conn->bytes_sent += datagram->length;
	/* The credit is the current path's; what answers a probe of another has that one's. */
	if (!conn->address_validated && base_path_equal(&datagram->path, &conn->path)) {
		base_assert(datagram->length <= conn->credit_bytes);
		conn->credit_bytes -= datagram->length;
	}
}

/* A datagram for the path given, at most `most` octets; false when it is too small to begin with. */
static bool
begin(struct assembly *assembly, struct quic_conn *conn, struct base_datagram *datagram,
	const struct base_path *path, uint16_t port_index, size_t most)
{
	if (most > datagram->room)
		most = datagram->room;
	if (most > conn->peer_udp_payload_bytes)
		most = conn->peer_udp_payload_bytes;
	assembly->conn = conn;
	assembly->datagram = datagram;
	assembly->count = 0;
	assembly->pad = false;
	assembly->writer = base_writer(datagram->octets, most);
	datagram->path = *path;
	datagram->port_index = port_index;
	return most > 0;
}

/*
 * The window counts octets, but what a packet in flight costs is its record. A peer that makes us send small packets and acknowledges none
 * must not have the records of all.
 */
static bool
has_records(const struct quic_conn *conn)
{
	uint32_t window_packets = conn->congestion.window_bytes / conn->congestion.datagram_bytes;

	return conn->space.sent.in_flight < RECORDS_LEAST + RECORDS_PER_PACKET * window_packets;
}

/* A window that is full, and a pacer that says later, keep new data back; probes go all the same. */
static bool
may_send_data(struct quic_conn *conn)
{
	uint64_t next_ns = quic_pacer_next_send(&conn->pacer, conn->endpoint->now_ns);

	if (quic_congestion_room(&conn->congestion) < conn->datagram_bytes || !has_records(conn))
		return false;
	if (next_ns > conn->endpoint->now_ns) {
		if (quic_conn_has_data(conn))
			conn->deadlines[QUIC_TIMER_PACER] = next_ns;
		return false;
	}
	return true;
}

/* Octets that a datagram on this path may have now. */
static size_t
path_bytes(const struct quic_conn *conn)
{
	if (!conn->address_validated && conn->credit_bytes < conn->datagram_bytes)
		return conn->credit_bytes;
	return conn->datagram_bytes;
}

/*
 * Lost octets of the handshake go whatever the window says. The window may be full of 1-RTT packets that the server cannot open
 * before it has them, and no PTO runs for those (RFC 9002 section 6.2.1): neither side would ever move again.
 */
static bool
handshake_is_stuck(const struct quic_conn *conn, enum quic_packet_number_space space)
{
	return space != QUIC_SPACE_APPLICATION && conn->handshake != NULL &&
		quic_send_buffer_has_lost(&conn->handshake->crypto[space].send);
}

/*
 * A PATH_CHALLENGE goes with the first packet on a new path, whatever the window says. What a peer that only listens has sent there may be
 * credit for one small packet: were it spent on an ACK, the challenge could never follow.
 */
static bool
challenge_is_due(const struct quic_conn *conn, enum quic_packet_number_space space)
{
	return space == QUIC_SPACE_APPLICATION && conn->migration != NULL && conn->migration->want_challenge;
}

static bool
send_on_path(struct quic_conn *conn, struct base_datagram *datagram)
{
	struct assembly assembly;
	bool data = may_send_data(conn);

	if (!begin(&assembly, conn, datagram, &conn->path, conn->port_index, path_bytes(conn)))
		return false;
	for (int i = 0; i < QUIC_SPACE_COUNT; i++) {
		enum quic_packet_number_space space = (enum quic_packet_number_space)i;
		bool now = data || conn->probes[i] > 0 || handshake_is_stuck(conn, space) ||
			challenge_is_due(conn, space);

		if (build_packet(&assembly, space, now) && conn->probes[i] > 0 &&
			assembly.packets[assembly.count - 1].ack_eliciting)
			conn->probes[i]--;
	}
	if (assembly.count == 0)
		return false;
	for (uint32_t i = 0; i < assembly.count; i++)
		assembly.pad |= assembly.packets[i].wants_padding;
	if (assembly.pad)
		pad(&assembly, QUIC_DATAGRAM_MIN_BYTES);
	finish(&assembly);
	return true;
}

/* A datagram of `bytes` octets with one 1-RTT packet: a frame and padding. */
static bool
send_padded(struct assembly *assembly, size_t bytes, const struct quic_frame *frame,
	const struct quic_sent_frame *sent)
{
	struct quic_conn *conn = assembly->conn;
	struct quic_building *packet = &assembly->packets[0];

	if (!conn->handshake_complete || !quic_conn_keys_usable(conn))
		return false;
	begin_packet(packet, conn, QUIC_SPACE_APPLICATION, false);
	packet->mtu_probe = sent->type == QUIC_SENT_MTU_PROBE;
	packet->keys = quic_conn_send_keys(conn, packet->space);
	if (packet->keys == NULL ||
		!quic_sent_reserve(&conn->space.sent, conn->endpoint->pools[QUIC_POOL_SENT]) ||
		!write_header(assembly, packet))
		return false;
	packet->writer =
		base_writer(assembly->writer.at, base_writer_room(&assembly->writer) - CRYPTO_TAG_BYTES);
	if (!quic_building_add(packet, frame, sent))
		return false;
	take_number(conn, QUIC_SPACE_APPLICATION);
	assembly->writer.at = packet->writer.at + CRYPTO_TAG_BYTES;
	assembly->count = 1;
	pad(assembly, bytes);
	finish(assembly);
	return true;
}

/* A PATH_RESPONSE goes where its PATH_CHALLENGE came from (RFC 9000 section 8.2.2). */
static bool
send_path_response(struct quic_conn *conn, struct base_datagram *datagram)
{
	struct quic_migration *migration = conn->migration;
	struct assembly assembly;
	uint64_t most = migration->probe_credit_bytes;
	struct quic_frame frame = {.type = QUIC_FRAME_PATH_RESPONSE};
	struct quic_sent_frame sent = {.type = QUIC_SENT_PATH_RESPONSE};

	migration->want_response = false;
	/* The window does not hold a response back, so this is all that does. */
	if (!has_records(conn))
		return false;
	if (!conn->address_validated && base_path_equal(&conn->path, &migration->probe) &&
		most > conn->credit_bytes)
		most = conn->credit_bytes;
	if (most > QUIC_DATAGRAM_MIN_BYTES)
		most = QUIC_DATAGRAM_MIN_BYTES;
	if (most < QUIC_SMALL_DATAGRAM_BYTES)
		return false;
	memcpy(frame.path_data, migration->response, sizeof(frame.path_data));
	return begin(&assembly, conn, datagram, &migration->probe, migration->probe_port, most) &&
		send_padded(&assembly, most, &frame, &sent);
}

/* RFC 9000 section 9.3.3. That path was validated, so nothing limits what goes there. */
static bool
send_previous_challenge(struct quic_conn *conn, struct base_datagram *datagram)
{
	struct quic_migration *migration = conn->migration;
	struct assembly assembly;
	struct quic_frame frame = {.type = QUIC_FRAME_PATH_CHALLENGE};
	struct quic_sent_frame sent = {.type = QUIC_SENT_PATH_CHALLENGE};

	migration->want_previous_challenge = false;
	memcpy(frame.path_data, migration->previous_challenges[0], sizeof(frame.path_data));
	return begin(&assembly, conn, datagram, &migration->previous, migration->previous_port,
		       QUIC_DATAGRAM_MIN_BYTES) &&
		send_padded(&assembly, QUIC_DATAGRAM_MIN_BYTES, &frame, &sent);
}

/* What has to go by another path than the current one. */
static bool
send_elsewhere(struct quic_conn *conn, struct base_datagram *datagram)
{
	const struct quic_migration *migration = conn->migration;

	if (migration == NULL)
		return false;
	if (migration->want_response) {
		bool sent = send_path_response(conn, datagram);

		quic_conn_release_migration(conn);
		if (sent)
			return true;
		migration = conn->migration;
		if (migration == NULL)
			return false;
	}
	/* The new path's goes first if it can. */
	return migration->want_previous_challenge &&
		(!migration->want_challenge || quic_conn_blocked_by_credit(conn)) &&
		send_previous_challenge(conn, datagram);
}

/* RFC 9000 section 14.4: a PING padded to the size that is tried. */
static bool
send_mtu_probe(struct quic_conn *conn, struct base_datagram *datagram)
{
	struct assembly assembly;
	struct quic_frame ping = {.type = QUIC_FRAME_PING};
	struct quic_sent_frame sent = {.type = QUIC_SENT_MTU_PROBE, .offset = conn->probe_bytes};

	conn->want &= (uint16_t)~QUIC_WANT_MTU_PROBE;
	return datagram->room >= conn->probe_bytes &&
		begin(&assembly, conn, datagram, &conn->path, conn->port_index, conn->probe_bytes) &&
		send_padded(&assembly, conn->probe_bytes, &ping, &sent);
}

/* RFC 9000 section 10.2.3: at every level that the peer may be able to read. */
static bool
send_close(struct quic_conn *conn, struct base_datagram *datagram)
{
	struct assembly assembly;

	if ((conn->want & QUIC_WANT_CLOSE) == 0)
		return false;
	conn->want &= (uint16_t)~QUIC_WANT_CLOSE;
	if (quic_conn_blocked_by_credit(conn) ||
		!begin(&assembly, conn, datagram, &conn->path, conn->port_index, path_bytes(conn)))
		return false;
	for (int i = 0; i < QUIC_SPACE_COUNT; i++)
		build_packet(&assembly, (enum quic_packet_number_space)i, false);
	if (assembly.count == 0)
		return false;
	if (assembly.pad)
		pad(&assembly, QUIC_DATAGRAM_MIN_BYTES);
	finish(&assembly);
	return true;
}

bool
quic_conn_send(struct quic_conn *conn, struct base_datagram *datagram)
{
	uint64_t in_flight_before = conn->sent_in_flight_bytes;
	bool sent;

	if (conn->state == QUIC_CONN_CLOSING)
		return send_close(conn, datagram);
	if (conn->state != QUIC_CONN_OPEN)
		return false;
	if (send_elsewhere(conn, datagram))
		return true;
	if (quic_conn_blocked_by_credit(conn))
		return false;
	conn->deadlines[QUIC_TIMER_PACER] = BASE_NEVER;
	if ((conn->want & QUIC_WANT_MTU_PROBE) != 0 && conn->address_validated && may_send_data(conn))
		sent = send_mtu_probe(conn, datagram);
	else
		sent = send_on_path(conn, datagram);
	/* The round trip that is assumed before there is a sample would only delay: the window is bound enough. */
	if (sent && conn->sent_in_flight_bytes > in_flight_before && quic_rtt_has_sample(&conn->rtt)) {
		uint64_t rate = quic_congestion_pacing_rate(&conn->congestion, &conn->rtt);

		quic_pacer_on_sent(&conn->pacer, (uint32_t)(conn->sent_in_flight_bytes - in_flight_before),
			rate, quic_congestion_quantum(&conn->congestion, rate), conn->endpoint->now_ns);
	}
	return sent;
}
