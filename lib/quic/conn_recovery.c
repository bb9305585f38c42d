/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What became of the packets sent: RFC 9002 sections 6 and 7, RFC 9000 sections 13.3 and 13.4.2. */
#include "base/assert.h"
#include "quic/conn_internal.h"

enum { ECN_DOUBT_PTOS = 2, MTU_DOUBT_PTOS = 3 };

static uint64_t
peer_max_ack_delay_ns(const struct quic_conn *conn)
{
	return conn->peer_max_ack_delay_ms * BASE_MS;
}

uint64_t
quic_conn_pto_ns(const struct quic_conn *conn)
{
	return quic_rtt_pto_ns(&conn->rtt, conn->handshake_confirmed ? peer_max_ack_delay_ns(conn) : 0);
}

static int
free_retiring(struct quic_conn *conn, uint64_t sequence)
{
	for (int i = 0; i < QUIC_RETIRE_PLACES; i++)
		if (conn->retiring[i] == sequence + 1)
			return i;
	return -1;
}

static void
on_acked(struct quic_conn *conn, enum quic_packet_number_space space, const struct quic_sent_frame *frame)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	int place;

	switch (frame->type) {
	case QUIC_SENT_ACK:
		quic_ack_on_acked(
			&quic_conn_space(conn, space)->ack, endpoint->pools[QUIC_POOL_CHUNK], frame->offset);
		break;
	case QUIC_SENT_CRYPTO:
		if (conn->handshake != NULL)
			quic_send_buffer_on_acked(&conn->handshake->crypto[space].send, &endpoint->memory,
				frame->offset, frame->length, false);
		break;
	case QUIC_SENT_RETIRE_CONNECTION_ID:
		place = free_retiring(conn, frame->id);
		if (place >= 0) {
			conn->retiring[place] = 0;
			conn->retiring_want &= (uint8_t) ~(1 << place);
		}
		break;
	case QUIC_SENT_MTU_PROBE:
		quic_conn_mtu_acked(conn, (uint32_t)frame->offset);
		break;
	default:
		quic_stream_set_on_acked(&conn->streams, &endpoint->memory, frame);
		break;
	}
}

/* Also for frames that are repeated by a probe without being lost. */
static void
on_lost(struct quic_conn *conn, enum quic_packet_number_space space, const struct quic_sent_frame *frame)
{
	struct quic_own_ids *ids = &conn->own_ids;
	int place;

	switch (frame->type) {
	case QUIC_SENT_CRYPTO:
		if (conn->handshake != NULL)
			quic_send_buffer_on_lost(&conn->handshake->crypto[space].send,
				&conn->endpoint->memory, frame->offset, frame->length, false);
		break;
	case QUIC_SENT_NEW_CONNECTION_ID:
		if (frame->id >= ids->base && frame->id < ids->next)
			ids->want |= ids->active & UINT32_C(1) << (frame->id - ids->base);
		break;
	case QUIC_SENT_RETIRE_CONNECTION_ID:
		place = free_retiring(conn, frame->id);
		if (place >= 0)
			conn->retiring_want |= (uint8_t)(1 << place);
		break;
	case QUIC_SENT_HANDSHAKE_DONE:
		conn->want |= QUIC_WANT_HANDSHAKE_DONE;
		break;
	case QUIC_SENT_NEW_TOKEN:
		conn->want |= QUIC_WANT_NEW_TOKEN;
		break;
	default:
		quic_stream_set_on_lost(&conn->streams, &conn->endpoint->memory, frame);
		break;
	}
}

/* Tells the owners of all frames; returns the octets of MTU probes that were lost, which are no congestion. */
static uint64_t
tell_owners(struct quic_conn *conn, enum quic_packet_number_space number)
{
	struct quic_space *space = quic_conn_space(conn, number);
	const struct quic_sent_frame *frames;
	const struct quic_sent_packet *packet;
	uint64_t probe_bytes = 0;

	while ((packet = quic_sent_next_done(&space->sent, &frames)) != NULL) {
		bool acked = packet->state == QUIC_SENT_ACKED;

		for (uint8_t i = 0; i < packet->frame_count; i++) {
			if (acked)
				on_acked(conn, number, &frames[i]);
			else if (frames[i].type == QUIC_SENT_MTU_PROBE)
				quic_conn_mtu_lost(conn, (uint32_t)frames[i].offset);
			else
				on_lost(conn, number, &frames[i]);
		}
		if (!acked && (packet->flags & QUIC_SENT_PROBE) != 0)
			probe_bytes += packet->bytes;
		if (!acked)
			conn->packets_lost++;
	}
	quic_sent_sweep(&space->sent, conn->endpoint->pools[QUIC_POOL_SENT]);
	return probe_bytes;
}

void
quic_conn_settle_sent(
	struct quic_conn *conn, enum quic_packet_number_space space, const struct quic_loss_result *result)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	uint64_t probe_bytes;

	endpoint->counters[QUIC_COUNTER_PACKETS_LOST] += result->lost_packets;
	probe_bytes = tell_owners(conn, space);
	/* Probes that were forgotten with all else are not in flight any more. */
	if (probe_bytes > result->lost_bytes)
		probe_bytes = result->lost_bytes;
	quic_congestion_on_discarded(&conn->congestion, probe_bytes);
	if (result->lost_bytes > probe_bytes)
		quic_congestion_on_lost(&conn->congestion, result->lost_bytes - probe_bytes,
			result->largest_lost_time_ns, endpoint->now_ns);
	if (result->persistent_congestion)
		quic_congestion_on_persistent(&conn->congestion, endpoint->now_ns);
	if (result->acked_bytes > 0) {
		const struct quic_congestion_ack ack = {
			.bytes = result->acked_bytes,
			.largest_time_ns = result->largest_acked_time_ns,
			.now_ns = endpoint->now_ns,
		};

		quic_congestion_on_acked(&conn->congestion, &ack, &conn->rtt);
	}
	quic_conn_set_loss_timer(conn);
	quic_conn_streams_changed(conn);
	quic_conn_set_ready(conn);
}

/* RFC 9000 section 13.4.2.1: counts that cannot be true end the marking. */
static void
check_ecn(struct quic_conn *conn, const struct quic_frame *frame, const struct quic_loss_result *result)
{
	const struct quic_ecn_counts *ecn = &frame->ack.ecn;

	if (!conn->ecn_capable || !result->largest_advanced)
		return;
	if (frame->type != QUIC_FRAME_ACK_ECN) {
		conn->ecn_capable = result->acked_ect == 0;
		return;
	}
	if (ecn->ect0 < conn->peer_ect0 || ecn->ce < conn->peer_ce || ecn->ect1 != 0 ||
		ecn->ect0 - conn->peer_ect0 + (ecn->ce - conn->peer_ce) < result->acked_ect ||
		ecn->ect0 + ecn->ce > conn->ecn_sent) {
		conn->ecn_capable = false;
		return;
	}
	conn->ecn_proven = conn->ecn_proven || result->acked_ect > 0;
	if (ecn->ce > conn->peer_ce)
		quic_congestion_on_ce(
			&conn->congestion, result->largest_acked_time_ns, conn->endpoint->now_ns);
	conn->peer_ect0 = ecn->ect0;
	conn->peer_ce = ecn->ce;
}

static uint64_t
ack_delay_ns(
	const struct quic_conn *conn, enum quic_packet_number_space space, const struct quic_frame *frame)
{
	/* RFC 9000 section 13.2.5: in Initial and Handshake packets it is not used. */
	if (space != QUIC_SPACE_APPLICATION)
		return 0;
	if (frame->ack.ack_delay > (UINT64_MAX / BASE_US) >> conn->peer_ack_delay_exponent)
		return BASE_SECOND;
	return (frame->ack.ack_delay << conn->peer_ack_delay_exponent) * BASE_US;
}

uint64_t
quic_conn_receive_ack(
	struct quic_conn *conn, enum quic_packet_number_space number, const struct quic_frame *frame)
{
	struct quic_space *space = quic_conn_space(conn, number);
	struct quic_loss_ack ack;
	struct quic_ack_ranges walk;
	struct quic_loss_result result;
	struct base_range range;
	uint64_t error = quic_loss_ack_begin(&ack, &space->sent, frame->ack.largest_acked);

	quic_ack_ranges_begin(&walk, &frame->ack);
	while (error == QUIC_NO_ERROR && quic_ack_ranges_next(&walk, &range))
		error = quic_loss_ack_range(&ack, &space->sent, range);
	if (error != QUIC_NO_ERROR)
		return error;
	result = quic_loss_ack_end(&ack, &space->loss, &space->sent, &conn->rtt,
		ack_delay_ns(conn, number, frame), peer_max_ack_delay_ns(conn), conn->handshake_confirmed,
		conn->endpoint->now_ns);
	if (number == QUIC_SPACE_APPLICATION) {
		quic_conn_key_phase_acknowledged(conn, frame->ack.largest_acked);
		check_ecn(conn, frame, &result);
	}
	if (number == QUIC_SPACE_HANDSHAKE && conn->handshake != NULL)
		conn->handshake->peer_completed_address_validation = true;
	/* RFC 9002 section 6.2.1: not while the server may still wait for our address to be validated. */
	if (result.acked_packets > 0 &&
		(conn->is_server || conn->handshake_confirmed || conn->handshake == NULL ||
			conn->handshake->peer_completed_address_validation))
		conn->pto_count = 0;
	/* One that says nothing new costs nothing more: a packet has room for hundreds. */
	if (result.acked_packets > 0 || result.largest_advanced)
		quic_conn_settle_sent(conn, number, &result);
	return QUIC_NO_ERROR;
}

static struct quic_loss_timer
loss_timer(struct quic_conn *conn)
{
	struct quic_handshake *handshake = conn->handshake;
	struct quic_loss_view view = {
		.rtt = &conn->rtt,
		.max_ack_delay_ns = peer_max_ack_delay_ns(conn),
		/* A time that stands still, or a client whose Handshake packets so far elicit nothing never probes. */
		.now_ns = handshake != NULL && handshake->discarded_ns != 0 ? handshake->discarded_ns
									    : conn->endpoint->now_ns,
		.pto_count = conn->pto_count,
		.handshake_confirmed = conn->handshake_confirmed,
		.at_anti_amplification_limit = quic_conn_blocked_by_credit(conn),
		.peer_completed_address_validation = conn->is_server || conn->handshake_confirmed ||
			handshake == NULL || handshake->peer_completed_address_validation,
	};

	for (int i = 0; i < QUIC_SPACE_COUNT; i++) {
		struct quic_level_keys *keys = quic_conn_level_keys(conn, (enum quic_packet_number_space)i);
		struct quic_space *space = quic_conn_space(conn, (enum quic_packet_number_space)i);

		if (keys == NULL || !keys->can_send)
			continue;
		view.loss[i] = &space->loss;
		view.sent[i] = &space->sent;
		view.has_handshake_keys |= i == QUIC_SPACE_HANDSHAKE;
	}
	return quic_loss_timer(&view);
}

void
quic_conn_set_loss_timer(struct quic_conn *conn)
{
	conn->deadlines[QUIC_TIMER_LOSS] =
		conn->state == QUIC_CONN_OPEN ? loss_timer(conn).deadline_ns : BASE_NEVER;
}

/* RFC 9002 section 6.2.4: what is oldest goes again; with nothing in flight it will be a PING. */
static void
probe(struct quic_conn *conn, enum quic_packet_number_space number, uint8_t packets)
{
	struct quic_space *space = quic_conn_space(conn, number);
	const struct quic_sent_frame *frames;
	const struct quic_sent_packet *packet = quic_sent_oldest(&space->sent, &frames);

	conn->probes[number] = packets;
	for (uint8_t i = 0; packet != NULL && i < packet->frame_count; i++)
		on_lost(conn, number, &frames[i]);
	quic_conn_set_ready(conn);
}

void
quic_conn_loss_expire(struct quic_conn *conn)
{
	struct quic_loss_timer timer = loss_timer(conn);
	struct quic_loss_result result;

	if (timer.kind == QUIC_LOSS_TIMER_NONE || timer.deadline_ns > conn->endpoint->now_ns) {
		conn->deadlines[QUIC_TIMER_LOSS] = timer.deadline_ns;
		return;
	}
	if (timer.kind == QUIC_LOSS_TIMER_LOSS_TIME) {
		struct quic_space *space = quic_conn_space(conn, timer.space);

		result = quic_loss_expire(&space->loss, &space->sent, &conn->rtt, peer_max_ack_delay_ns(conn),
			conn->endpoint->now_ns);
		quic_conn_settle_sent(conn, timer.space, &result);
		return;
	}
	if (conn->pto_count < UINT8_MAX)
		conn->pto_count++;
	/* Marked packets may be what the path does not like (RFC 9000 section 13.4.2). */
	if (conn->pto_count >= ECN_DOUBT_PTOS && !conn->ecn_proven)
		conn->ecn_capable = false;
	if (conn->pto_count >= MTU_DOUBT_PTOS)
		quic_conn_mtu_black_hole(conn);
	probe(conn, timer.space, 2);
	/* What is unacknowledged at the other levels of the handshake goes along in the same datagrams. */
	for (int i = 0; i < QUIC_SPACE_APPLICATION; i++) {
		struct quic_level_keys *keys = quic_conn_level_keys(conn, (enum quic_packet_number_space)i);

		if (keys != NULL && keys->can_send && i != (int)timer.space &&
			quic_conn_space(conn, (enum quic_packet_number_space)i)->sent.eliciting > 0)
			probe(conn, (enum quic_packet_number_space)i, 1);
	}
	quic_conn_set_loss_timer(conn);
}
