/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/stream.h"

#include "base/assert.h"

void
quic_stream_init(struct quic_stream *stream, uint64_t id, bool sends, bool receives, uint64_t send_limit,
	uint64_t window_bytes, uint64_t window_max_bytes)
{
	*stream = (struct quic_stream){
		.id = id,
		.send_state = sends ? QUIC_SEND_SEND : QUIC_SEND_NONE,
		.recv_state = receives ? QUIC_RECV_RECV : QUIC_RECV_NONE,
		.urgency = QUIC_URGENCY_DEFAULT,
	};
	base_list_init(&stream->send_link);
	base_list_init(&stream->control_link);
	base_list_init(&stream->event_link);
	base_list_init(&stream->borrow_link);
	quic_flow_send_init(&stream->send_flow, send_limit);
	quic_flow_receive_init(&stream->receive_flow, window_bytes, window_max_bytes);
	quic_recv_buffer_init(&stream->receive);
	quic_send_buffer_init(&stream->send);
}

void
quic_stream_fini(struct quic_stream *stream, struct quic_memory *memory, struct quic_chunk_account *account)
{
	quic_recv_buffer_discard(&stream->receive, memory, account);
	quic_send_buffer_discard(&stream->send, memory);
}

/* ---- the receiving part ---- */

static bool
receiving(const struct quic_stream *stream)
{
	return stream->recv_state == QUIC_RECV_RECV || stream->recv_state == QUIC_RECV_SIZE_KNOWN;
}

/* Final size and flow control of both levels; *growth is by how much the highest offset rises. */
static uint64_t
check_received(const struct quic_stream *stream, const struct quic_flow_receive *connection, uint64_t end,
	bool fin, uint64_t *growth)
{
	uint64_t error = quic_recv_buffer_check_final(&stream->receive, end, fin);

	*growth = end > stream->receive_flow.received ? end - stream->receive_flow.received : 0;
	if (error == QUIC_NO_ERROR)
		error = quic_flow_receive_allows(&stream->receive_flow, *growth);
	if (error == QUIC_NO_ERROR)
		error = quic_flow_receive_allows(connection, *growth);
	return error;
}

/* Nothing that was received and not consumed will be read any more: its credit goes back. */
static uint64_t
consume_rest(struct quic_stream *stream)
{
	uint64_t rest = stream->receive_flow.received - stream->receive_flow.consumed;

	quic_flow_receive_consume(&stream->receive_flow, rest);
	return rest;
}

uint64_t
quic_stream_receive(struct quic_stream *stream, struct quic_memory *memory,
	struct quic_chunk_account *account, const struct quic_flow_receive *connection, uint64_t offset,
	const uint8_t *octets, size_t length, bool fin, struct quic_stream_effect *effect)
{
	struct quic_recv_buffer *buffer = &stream->receive;
	uint64_t in_order_end = buffer->in_order_end, growth;
	uint64_t error = check_received(stream, connection, offset + length, fin, &growth);

	*effect = (struct quic_stream_effect){0};
	if (error != QUIC_NO_ERROR || !receiving(stream))
		return error;
	if (stream->stopped)
		quic_recv_buffer_note(buffer, offset + length, fin);
	else if (!quic_recv_buffer_store(buffer, memory, account, offset, octets, length, fin))
		return QUIC_SHORT_OF_MEMORY;
	quic_flow_receive_use(&stream->receive_flow, growth);
	effect->received = growth;
	if (stream->stopped) {
		effect->consumed = consume_rest(stream);
		if (buffer->final_size != QUIC_FINAL_SIZE_UNKNOWN) {
			stream->recv_state = QUIC_RECV_DATA_READ;
			stream->control &= (uint8_t)~QUIC_STREAM_CONTROL_STOP;
		}
		return QUIC_NO_ERROR;
	}
	if (buffer->final_size != QUIC_FINAL_SIZE_UNKNOWN) {
		stream->recv_state = QUIC_RECV_SIZE_KNOWN;
		stream->control &= (uint8_t)~QUIC_STREAM_CONTROL_MAX_DATA;
	}
	if (quic_recv_buffer_complete(buffer))
		stream->recv_state = QUIC_RECV_DATA_RECVD;
	if (buffer->in_order_end > in_order_end || stream->recv_state == QUIC_RECV_DATA_RECVD)
		stream->events |= QUIC_STREAM_EVENT_READABLE;
	return QUIC_NO_ERROR;
}

uint64_t
quic_stream_receive_reset(struct quic_stream *stream, struct quic_memory *memory,
	struct quic_chunk_account *account, const struct quic_flow_receive *connection, uint64_t code,
	uint64_t final_size, struct quic_stream_effect *effect)
{
	uint64_t growth, error = check_received(stream, connection, final_size, true, &growth);

	*effect = (struct quic_stream_effect){0};
	/* Section 3.2: once all data has been received, a reset may be ignored. */
	if (error != QUIC_NO_ERROR || !receiving(stream))
		return error;
	quic_recv_buffer_discard(&stream->receive, memory, account);
	quic_recv_buffer_note(&stream->receive, final_size, true);
	quic_flow_receive_use(&stream->receive_flow, growth);
	effect->received = growth;
	effect->consumed = consume_rest(stream);
	stream->peer_reset_code = code;
	stream->control &= (uint8_t) ~(QUIC_STREAM_CONTROL_STOP | QUIC_STREAM_CONTROL_MAX_DATA);
	stream->events &= (uint8_t)~QUIC_STREAM_EVENT_READABLE;
	if (stream->stopped) {
		stream->recv_state = QUIC_RECV_RESET_READ;
	} else {
		stream->recv_state = QUIC_RECV_RESET_RECVD;
		stream->events |= QUIC_STREAM_EVENT_RESET;
	}
	return QUIC_NO_ERROR;
}

bool
quic_stream_read(const struct quic_stream *stream, const struct quic_memory *memory, const uint8_t **octets,
	size_t *length, bool *fin)
{
	*octets = NULL;
	*length = 0;
	*fin = false;
	if (stream->stopped || (!receiving(stream) && stream->recv_state != QUIC_RECV_DATA_RECVD))
		return false;
	if (!quic_recv_buffer_read(&stream->receive, memory, octets, length)) {
		*fin = quic_recv_buffer_finished(&stream->receive);
		return *fin;
	}
	*fin = stream->receive.read_offset + *length == stream->receive.final_size;
	return true;
}

void
quic_stream_consume(struct quic_stream *stream, struct quic_memory *memory,
	struct quic_chunk_account *account, uint64_t length, struct quic_stream_effect *effect)
{
	*effect = (struct quic_stream_effect){0};
	if (stream->stopped || (!receiving(stream) && stream->recv_state != QUIC_RECV_DATA_RECVD))
		return;
	quic_recv_buffer_consume(&stream->receive, memory, account, length);
	quic_flow_receive_consume(&stream->receive_flow, length);
	effect->consumed = length;
	if (quic_recv_buffer_finished(&stream->receive)) {
		stream->recv_state = QUIC_RECV_DATA_READ;
		stream->events &= (uint8_t)~QUIC_STREAM_EVENT_READABLE;
	} else if (stream->recv_state == QUIC_RECV_RECV && quic_flow_receive_due(&stream->receive_flow)) {
		stream->control |= QUIC_STREAM_CONTROL_MAX_DATA;
	}
}

void
quic_stream_stop(struct quic_stream *stream, struct quic_memory *memory, struct quic_chunk_account *account,
	uint64_t code, struct quic_stream_effect *effect)
{
	*effect = (struct quic_stream_effect){0};
	if (stream->stopped || (!receiving(stream) && stream->recv_state != QUIC_RECV_DATA_RECVD))
		return;
	quic_recv_buffer_discard(&stream->receive, memory, account);
	effect->consumed = consume_rest(stream);
	stream->stopped = true;
	stream->stop_code = code;
	stream->control &= (uint8_t)~QUIC_STREAM_CONTROL_MAX_DATA;
	stream->events &= (uint8_t)~QUIC_STREAM_EVENT_READABLE;
	/*
	 * Section 3.5: a peer that has told the final size will not send more, so there is nothing to stop.
	 */
	if (stream->recv_state == QUIC_RECV_RECV)
		stream->control |= QUIC_STREAM_CONTROL_STOP;
	else
		stream->recv_state = QUIC_RECV_DATA_READ;
}

/* ---- the sending part ---- */

static bool
sending(const struct quic_stream *stream)
{
	return stream->send_state == QUIC_SEND_SEND || stream->send_state == QUIC_SEND_DATA_SENT;
}

void
quic_stream_reset(struct quic_stream *stream, struct quic_memory *memory, uint64_t code)
{
	if (!sending(stream))
		return;
	quic_send_buffer_discard(&stream->send, memory);
	stream->send_state = QUIC_SEND_RESET_SENT;
	stream->reset_code = code;
	stream->control |= QUIC_STREAM_CONTROL_RESET;
	stream->control &= (uint8_t)~QUIC_STREAM_CONTROL_BLOCKED;
	stream->events &= (uint8_t) ~(QUIC_STREAM_EVENT_RELEASED | QUIC_STREAM_EVENT_WRITABLE);
}

void
quic_stream_receive_stop(struct quic_stream *stream, struct quic_memory *memory, uint64_t code)
{
	if (!sending(stream))
		return;
	stream->peer_stop_code = code;
	stream->events |= QUIC_STREAM_EVENT_STOPPED;
	quic_stream_reset(stream, memory, code);
}

/* Tells a blocked limit to the peer, and takes it back when it is not true any more. */
static void
update_blocked(struct quic_stream *stream)
{
	bool blocked = stream->send_state == QUIC_SEND_SEND &&
		stream->send.unsent_offset < stream->send.end && quic_flow_send_blocked(&stream->send_flow);

	if (blocked)
		stream->control |= QUIC_STREAM_CONTROL_BLOCKED;
	else
		stream->control &= (uint8_t)~QUIC_STREAM_CONTROL_BLOCKED;
}

void
quic_stream_receive_max_data(struct quic_stream *stream, uint64_t limit)
{
	if (quic_flow_send_raise(&stream->send_flow, limit))
		update_blocked(stream);
}

size_t
quic_stream_room(const struct quic_stream *stream, uint32_t send_buffer_bytes)
{
	if (stream->send_state != QUIC_SEND_SEND || stream->send.fin ||
		stream->send.copied_bytes >= send_buffer_bytes)
		return 0;
	return send_buffer_bytes - stream->send.copied_bytes;
}

size_t
quic_stream_write(struct quic_stream *stream, struct quic_memory *memory, const uint8_t *octets,
	size_t length, bool fin, uint32_t send_buffer_bytes)
{
	size_t taken;

	if (stream->send_state != QUIC_SEND_SEND || stream->send.fin)
		return 0;
	taken = quic_send_buffer_write(&stream->send, memory, octets, length, send_buffer_bytes);
	if (taken < length)
		stream->write_short = true;
	else if (fin)
		quic_send_buffer_finish(&stream->send);
	update_blocked(stream);
	return taken;
}

bool
quic_stream_write_static(struct quic_stream *stream, struct quic_memory *memory, const uint8_t *octets,
	size_t length, bool fin, uint64_t cookie)
{
	if (stream->send_state != QUIC_SEND_SEND || stream->send.fin)
		return false;
	if (!quic_send_buffer_write_static(&stream->send, memory, octets, length, cookie)) {
		stream->write_short = true;
		return false;
	}
	if (fin)
		quic_send_buffer_finish(&stream->send);
	if (quic_send_buffer_has_released(&stream->send))
		stream->events |= QUIC_STREAM_EVENT_RELEASED;
	update_blocked(stream);
	return true;
}

bool
quic_stream_next(const struct quic_stream *stream, uint64_t max_length, uint64_t connection_room,
	struct quic_send_piece *piece)
{
	uint64_t room = quic_flow_send_room(&stream->send_flow);

	*piece = (struct quic_send_piece){0};
	if (!sending(stream))
		return false;
	if (room > connection_room)
		room = connection_room;
	return quic_send_buffer_next(&stream->send, max_length, stream->send.unsent_offset + room, piece);
}

uint64_t
quic_stream_on_sent(struct quic_stream *stream, const struct quic_send_piece *piece)
{
	uint64_t used = piece->again ? 0 : piece->length;

	base_assert(sending(stream));
	quic_send_buffer_on_sent(&stream->send, piece);
	quic_flow_send_use(&stream->send_flow, used);
	if (piece->fin)
		stream->send_state = QUIC_SEND_DATA_SENT;
	update_blocked(stream);
	return used;
}

bool
quic_stream_starved(const struct quic_stream *stream)
{
	return stream->write_short && stream->send.start == stream->send.end;
}

void
quic_stream_wake(struct quic_stream *stream)
{
	stream->write_short = false;
	stream->events |= QUIC_STREAM_EVENT_WRITABLE;
}

void
quic_stream_on_acked(
	struct quic_stream *stream, struct quic_memory *memory, uint64_t offset, uint64_t length, bool fin)
{
	uint64_t start = stream->send.start;

	if (!sending(stream))
		return;
	quic_send_buffer_on_acked(&stream->send, memory, offset, length, fin);
	if (quic_send_buffer_complete(&stream->send))
		stream->send_state = QUIC_SEND_DATA_RECVD;
	if (quic_send_buffer_has_released(&stream->send))
		stream->events |= QUIC_STREAM_EVENT_RELEASED;
	/* Told for progress only: a write that is cut again must not be told again at once, for ever. */
	if (stream->write_short && stream->send.start > start) {
		stream->write_short = false;
		stream->events |= QUIC_STREAM_EVENT_WRITABLE;
	}
}

void
quic_stream_on_lost(
	struct quic_stream *stream, struct quic_memory *memory, uint64_t offset, uint64_t length, bool fin)
{
	if (sending(stream))
		quic_send_buffer_on_lost(&stream->send, memory, offset, length, fin);
}

void
quic_stream_on_reset_acked(struct quic_stream *stream)
{
	if (stream->send_state == QUIC_SEND_RESET_SENT) {
		stream->send_state = QUIC_SEND_RESET_RECVD;
		stream->control &= (uint8_t)~QUIC_STREAM_CONTROL_RESET;
	}
}

bool
quic_stream_wants_to_send(const struct quic_stream *stream)
{
	struct quic_send_piece piece;

	return quic_stream_next(stream, 1, UINT64_MAX, &piece);
}

bool
quic_stream_over(const struct quic_stream *stream)
{
	bool sent = stream->send_state == QUIC_SEND_NONE || stream->send_state == QUIC_SEND_DATA_RECVD ||
		stream->send_state == QUIC_SEND_RESET_RECVD;
	bool received = stream->recv_state == QUIC_RECV_NONE || stream->recv_state == QUIC_RECV_DATA_READ ||
		stream->recv_state == QUIC_RECV_RESET_READ;

	return sent && received;
}
