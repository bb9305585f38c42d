/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sending side of a stream set: which frames go next, and what became of those that went. */
#include "base/assert.h"
#include "quic/stream_set_internal.h"

/* ---- control frames ---- */

/* MAX_STREAMS is due when a quarter has been closed, and at once when the peer may open no more (4.6). */
static bool
max_streams_due(const struct quic_stream_kind *kind)
{
	uint64_t growth = kind->closed + kind->window - kind->limit;

	return growth > 0 && (growth >= kind->window / 4 || kind->opened == kind->limit);
}

/* Octets wait that the stream's credit allows and the connection's does not (4.1). */
static bool
data_blocked(const struct quic_stream_set *set)
{
	return quic_flow_send_blocked(&set->send) && !base_list_empty(&set->sending) &&
		quic_stream_set_next_to_send(set) == NULL;
}

static bool
limit_frame(struct quic_frame *frame, struct quic_sent_frame *record, enum quic_frame_type type,
	enum quic_sent_type sent_type, uint64_t stream_id, uint64_t maximum)
{
	frame->type = type;
	frame->limit.stream_id = stream_id;
	frame->limit.maximum = maximum;
	*record = (struct quic_sent_frame){.type = (uint8_t)sent_type, .id = stream_id, .offset = maximum};
	return true;
}

static bool
connection_control(struct quic_stream_set *set, uint64_t smoothed_rtt_ns, uint64_t now_ns,
	struct quic_frame *frame, struct quic_sent_frame *record)
{
	if (quic_flow_receive_due(&set->receive)) {
		(void)quic_flow_receive_update(&set->receive, smoothed_rtt_ns, now_ns);
		set->control |= QUIC_SET_CONTROL_MAX_DATA;
	}
	if (set->control & QUIC_SET_CONTROL_MAX_DATA)
		return limit_frame(
			frame, record, QUIC_FRAME_MAX_DATA, QUIC_SENT_MAX_DATA, 0, set->receive.limit);
	for (unsigned uni = 0; uni < 2; uni++) {
		struct quic_stream_kind *kind = &set->kinds[quic_stream_set_kind(set, false, uni == 0)];

		if (max_streams_due(kind)) {
			kind->limit = kind->closed + kind->window;
			set->control |= (uint8_t)(QUIC_SET_CONTROL_MAX_STREAMS << uni);
		}
		if (set->control & (QUIC_SET_CONTROL_MAX_STREAMS << uni))
			return limit_frame(frame, record, QUIC_FRAME_MAX_STREAMS_BIDI + uni,
				QUIC_SENT_MAX_STREAMS_BIDI + uni, 0, kind->limit);
	}
	if (data_blocked(set))
		return limit_frame(
			frame, record, QUIC_FRAME_DATA_BLOCKED, QUIC_SENT_DATA_BLOCKED, 0, set->send.limit);
	for (unsigned uni = 0; uni < 2; uni++) {
		const struct quic_stream_kind *kind = &set->kinds[quic_stream_set_kind(set, true, uni == 0)];

		if (set->control & (QUIC_SET_CONTROL_STREAMS_BLOCKED << uni))
			return limit_frame(frame, record, QUIC_FRAME_STREAMS_BLOCKED_BIDI + uni,
				QUIC_SENT_STREAMS_BLOCKED_BIDI + uni, 0, kind->limit);
	}
	return false;
}

static bool
stream_control(struct quic_stream *stream, uint64_t smoothed_rtt_ns, uint64_t now_ns,
	struct quic_frame *frame, struct quic_sent_frame *record)
{
	*record = (struct quic_sent_frame){.id = stream->id};
	if (stream->control & QUIC_STREAM_CONTROL_RESET) {
		frame->type = QUIC_FRAME_RESET_STREAM;
		frame->reset_stream.stream_id = stream->id;
		frame->reset_stream.code = stream->reset_code;
		frame->reset_stream.final_size = stream->send_flow.used;
		record->type = QUIC_SENT_RESET_STREAM;
		return true;
	}
	if (stream->control & QUIC_STREAM_CONTROL_STOP) {
		frame->type = QUIC_FRAME_STOP_SENDING;
		frame->stop_sending.stream_id = stream->id;
		frame->stop_sending.code = stream->stop_code;
		record->type = QUIC_SENT_STOP_SENDING;
		return true;
	}
	if (stream->control & QUIC_STREAM_CONTROL_MAX_DATA) {
		if (quic_flow_receive_due(&stream->receive_flow))
			(void)quic_flow_receive_update(&stream->receive_flow, smoothed_rtt_ns, now_ns);
		return limit_frame(frame, record, QUIC_FRAME_MAX_STREAM_DATA, QUIC_SENT_MAX_STREAM_DATA,
			stream->id, stream->receive_flow.limit);
	}
	base_assert(stream->control & QUIC_STREAM_CONTROL_BLOCKED);
	return limit_frame(frame, record, QUIC_FRAME_STREAM_DATA_BLOCKED, QUIC_SENT_STREAM_DATA_BLOCKED,
		stream->id, stream->send_flow.limit);
}

bool
quic_stream_set_next_control(struct quic_stream_set *set, uint64_t smoothed_rtt_ns, uint64_t now_ns,
	struct quic_frame *frame, struct quic_sent_frame *record)
{
	if (connection_control(set, smoothed_rtt_ns, now_ns, frame, record))
		return true;
	if (base_list_empty(&set->controlling))
		return false;
	return stream_control(base_container(set->controlling.next, struct quic_stream, control_link),
		smoothed_rtt_ns, now_ns, frame, record);
}

static void
stream_control_sent(struct quic_stream_set *set, const struct quic_sent_frame *record)
{
	static const uint8_t bits[QUIC_SENT_TYPE_COUNT] = {
		[QUIC_SENT_RESET_STREAM] = QUIC_STREAM_CONTROL_RESET,
		[QUIC_SENT_STOP_SENDING] = QUIC_STREAM_CONTROL_STOP,
		[QUIC_SENT_MAX_STREAM_DATA] = QUIC_STREAM_CONTROL_MAX_DATA,
		[QUIC_SENT_STREAM_DATA_BLOCKED] = QUIC_STREAM_CONTROL_BLOCKED,
	};
	struct quic_stream *stream = quic_stream_set_find(set, record->id);

	base_assert(stream != NULL && bits[record->type] != 0);
	stream->control &= (uint8_t)~bits[record->type];
	if (record->type == QUIC_SENT_STREAM_DATA_BLOCKED)
		quic_flow_send_on_blocked_sent(&stream->send_flow);
	quic_stream_set_update(set, stream);
}

void
quic_stream_set_on_control_sent(struct quic_stream_set *set, const struct quic_sent_frame *record)
{
	unsigned uni =
		record->type == QUIC_SENT_MAX_STREAMS_UNI || record->type == QUIC_SENT_STREAMS_BLOCKED_UNI;

	switch (record->type) {
	case QUIC_SENT_MAX_DATA:
		set->control &= (uint8_t)~QUIC_SET_CONTROL_MAX_DATA;
		break;
	case QUIC_SENT_MAX_STREAMS_BIDI:
	case QUIC_SENT_MAX_STREAMS_UNI:
		set->control &= (uint8_t) ~(QUIC_SET_CONTROL_MAX_STREAMS << uni);
		break;
	case QUIC_SENT_DATA_BLOCKED:
		quic_flow_send_on_blocked_sent(&set->send);
		break;
	case QUIC_SENT_STREAMS_BLOCKED_BIDI:
	case QUIC_SENT_STREAMS_BLOCKED_UNI:
		set->control &= (uint8_t) ~(QUIC_SET_CONTROL_STREAMS_BLOCKED << uni);
		break;
	default:
		stream_control_sent(set, record);
		break;
	}
}

/* ---- octets ---- */

struct quic_stream *
quic_stream_set_next_to_send(const struct quic_stream_set *set)
{
	const struct base_list *link;
	struct quic_send_piece piece;

	/* Without credit of the connection only what is sent again, or a fin alone, can go. */
	for (link = set->sending.next; link != &set->sending; link = link->next) {
		struct quic_stream *stream = base_container(link, struct quic_stream, send_link);

		if (quic_stream_set_piece(set, stream, 1, &piece))
			return stream;
	}
	return NULL;
}

bool
quic_stream_set_piece(const struct quic_stream_set *set, const struct quic_stream *stream,
	uint64_t max_length, struct quic_send_piece *piece)
{
	return quic_stream_next(stream, max_length, quic_flow_send_room(&set->send), piece);
}

void
quic_stream_set_on_sent(
	struct quic_stream_set *set, struct quic_stream *stream, const struct quic_send_piece *piece)
{
	quic_flow_send_use(&set->send, quic_stream_on_sent(stream, piece));
	/* Streams of one urgency that are not incremental go one after the other (RFC 9218 section 10). */
	if (stream->incremental)
		base_list_remove(&stream->send_link);
	quic_stream_set_update(set, stream);
}

bool
quic_stream_set_has_to_send(const struct quic_stream_set *set)
{
	if (set->control != 0 || !base_list_empty(&set->controlling) || quic_flow_receive_due(&set->receive))
		return true;
	for (unsigned uni = 0; uni < 2; uni++)
		if (max_streams_due(&set->kinds[quic_stream_set_kind(set, false, uni == 0)]))
			return true;
	return quic_stream_set_next_to_send(set) != NULL || data_blocked(set);
}

/* ---- what became of frames ---- */

void
quic_stream_set_on_acked(
	struct quic_stream_set *set, struct quic_memory *memory, const struct quic_sent_frame *frame)
{
	struct quic_stream *stream;

	if (frame->type != QUIC_SENT_STREAM && frame->type != QUIC_SENT_RESET_STREAM)
		return;
	stream = quic_stream_set_find(set, frame->id);
	if (stream == NULL)
		return;
	if (frame->type == QUIC_SENT_STREAM)
		quic_stream_on_acked(stream, memory, frame->offset, frame->length, frame->fin);
	else
		quic_stream_on_reset_acked(stream);
	quic_stream_set_update(set, stream);
}

/* RFC 9000 section 13.3: repeated is what is still true, and the newest state of it. */
static void
stream_frame_lost(struct quic_stream_set *set, struct quic_memory *memory, struct quic_stream *stream,
	const struct quic_sent_frame *frame)
{
	switch (frame->type) {
	case QUIC_SENT_STREAM:
		quic_stream_on_lost(stream, memory, frame->offset, frame->length, frame->fin);
		break;
	case QUIC_SENT_RESET_STREAM:
		if (stream->send_state == QUIC_SEND_RESET_SENT)
			stream->control |= QUIC_STREAM_CONTROL_RESET;
		break;
	case QUIC_SENT_STOP_SENDING:
		if (stream->recv_state == QUIC_RECV_RECV)
			stream->control |= QUIC_STREAM_CONTROL_STOP;
		break;
	case QUIC_SENT_MAX_STREAM_DATA:
		if (stream->recv_state == QUIC_RECV_RECV && !stream->stopped &&
			frame->offset == stream->receive_flow.limit)
			stream->control |= QUIC_STREAM_CONTROL_MAX_DATA;
		break;
	default: /* STREAM_DATA_BLOCKED */
		quic_flow_send_on_blocked_lost(&stream->send_flow, frame->offset);
		if (stream->send_state == QUIC_SEND_SEND && stream->send.unsent_offset < stream->send.end &&
			quic_flow_send_blocked(&stream->send_flow))
			stream->control |= QUIC_STREAM_CONTROL_BLOCKED;
		break;
	}
	quic_stream_set_update(set, stream);
}

void
quic_stream_set_on_lost(
	struct quic_stream_set *set, struct quic_memory *memory, const struct quic_sent_frame *frame)
{
	unsigned uni =
		frame->type == QUIC_SENT_MAX_STREAMS_UNI || frame->type == QUIC_SENT_STREAMS_BLOCKED_UNI;
	struct quic_stream *stream;

	switch (frame->type) {
	case QUIC_SENT_MAX_DATA:
		if (frame->offset == set->receive.limit)
			set->control |= QUIC_SET_CONTROL_MAX_DATA;
		break;
	case QUIC_SENT_MAX_STREAMS_BIDI:
	case QUIC_SENT_MAX_STREAMS_UNI:
		if (frame->offset == set->kinds[quic_stream_set_kind(set, false, !uni)].limit)
			set->control |= (uint8_t)(QUIC_SET_CONTROL_MAX_STREAMS << uni);
		break;
	case QUIC_SENT_DATA_BLOCKED:
		quic_flow_send_on_blocked_lost(&set->send, frame->offset);
		break;
	case QUIC_SENT_STREAMS_BLOCKED_BIDI:
	case QUIC_SENT_STREAMS_BLOCKED_UNI:
		if (frame->offset == set->kinds[quic_stream_set_kind(set, true, !uni)].limit)
			set->control |= (uint8_t)(QUIC_SET_CONTROL_STREAMS_BLOCKED << uni);
		break;
	case QUIC_SENT_STREAM:
	case QUIC_SENT_RESET_STREAM:
	case QUIC_SENT_STOP_SENDING:
	case QUIC_SENT_MAX_STREAM_DATA:
	case QUIC_SENT_STREAM_DATA_BLOCKED:
		stream = quic_stream_set_find(set, frame->id);
		if (stream != NULL)
			stream_frame_lost(set, memory, stream, frame);
		break;
	default: /* not ours */
		break;
	}
}
