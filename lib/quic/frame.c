/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/frame.h"

#include "base/assert.h"

enum {
	I = 1 << QUIC_PACKET_INITIAL,
	H = 1 << QUIC_PACKET_HANDSHAKE,
	Z = 1 << QUIC_PACKET_ZERO_RTT,
	A = 1 << QUIC_PACKET_ONE_RTT,
	STREAM_FIN = 0x01,
	STREAM_LEN = 0x02,
	STREAM_OFF = 0x04,
	DATAGRAM_LEN = 0x01,
	DATAGRAM_ROW = 0x1f, /* where DATAGRAM's rule stands in the table */
};

#define RULE(frame_name, where, eliciting, controlled, probe, flow)                            \
	{                                                                                      \
		.name = frame_name, .packets = where, .ack_eliciting = eliciting,              \
		.congestion_controlled = controlled, .probing = probe, .flow_controlled = flow \
	}

/* RFC 9000 table 3; DATAGRAM: RFC 9221 sections 4 and 5. */
static const struct quic_frame_rule rules[] = {
	[QUIC_FRAME_PADDING] = RULE("PADDING", I | H | Z | A, false, true, true, false),
	[QUIC_FRAME_PING] = RULE("PING", I | H | Z | A, true, true, false, false),
	[QUIC_FRAME_ACK] = RULE("ACK", I | H | A, false, false, false, false),
	[QUIC_FRAME_ACK_ECN] = RULE("ACK", I | H | A, false, false, false, false),
	[QUIC_FRAME_RESET_STREAM] = RULE("RESET_STREAM", Z | A, true, true, false, false),
	[QUIC_FRAME_STOP_SENDING] = RULE("STOP_SENDING", Z | A, true, true, false, false),
	[QUIC_FRAME_CRYPTO] = RULE("CRYPTO", I | H | A, true, true, false, false),
	[QUIC_FRAME_NEW_TOKEN] = RULE("NEW_TOKEN", A, true, true, false, false),
	[QUIC_FRAME_STREAM] = RULE("STREAM", Z | A, true, true, false, true),
	[QUIC_FRAME_MAX_DATA] = RULE("MAX_DATA", Z | A, true, true, false, false),
	[QUIC_FRAME_MAX_STREAM_DATA] = RULE("MAX_STREAM_DATA", Z | A, true, true, false, false),
	[QUIC_FRAME_MAX_STREAMS_BIDI] = RULE("MAX_STREAMS", Z | A, true, true, false, false),
	[QUIC_FRAME_MAX_STREAMS_UNI] = RULE("MAX_STREAMS", Z | A, true, true, false, false),
	[QUIC_FRAME_DATA_BLOCKED] = RULE("DATA_BLOCKED", Z | A, true, true, false, false),
	[QUIC_FRAME_STREAM_DATA_BLOCKED] = RULE("STREAM_DATA_BLOCKED", Z | A, true, true, false, false),
	[QUIC_FRAME_STREAMS_BLOCKED_BIDI] = RULE("STREAMS_BLOCKED", Z | A, true, true, false, false),
	[QUIC_FRAME_STREAMS_BLOCKED_UNI] = RULE("STREAMS_BLOCKED", Z | A, true, true, false, false),
	[QUIC_FRAME_NEW_CONNECTION_ID] = RULE("NEW_CONNECTION_ID", Z | A, true, true, true, false),
	[QUIC_FRAME_RETIRE_CONNECTION_ID] = RULE("RETIRE_CONNECTION_ID", Z | A, true, true, false, false),
	[QUIC_FRAME_PATH_CHALLENGE] = RULE("PATH_CHALLENGE", Z | A, true, true, true, false),
	[QUIC_FRAME_PATH_RESPONSE] = RULE("PATH_RESPONSE", A, true, true, true, false),
	[QUIC_FRAME_CONNECTION_CLOSE] = RULE("CONNECTION_CLOSE", I | H | Z | A, false, true, false, false),
	[QUIC_FRAME_CONNECTION_CLOSE_APPLICATION] =
		RULE("CONNECTION_CLOSE", Z | A, false, true, false, false),
	[QUIC_FRAME_HANDSHAKE_DONE] = RULE("HANDSHAKE_DONE", A, true, true, false, false),
	[DATAGRAM_ROW] = RULE("DATAGRAM", Z | A, true, true, false, false),
};

/* The type without the bits that only say how the frame is encoded; UINT64_MAX for an unknown type. */
static uint64_t
base_type(uint64_t type)
{
	if (type < QUIC_FRAME_STREAM || (type >= QUIC_FRAME_MAX_DATA && type <= QUIC_FRAME_HANDSHAKE_DONE))
		return type;
	if (type < QUIC_FRAME_MAX_DATA)
		return QUIC_FRAME_STREAM;
	if (type == QUIC_FRAME_DATAGRAM || type == (QUIC_FRAME_DATAGRAM | DATAGRAM_LEN))
		return QUIC_FRAME_DATAGRAM;
	return UINT64_MAX;
}

const struct quic_frame_rule *
quic_frame_rule(uint64_t type)
{
	uint64_t base = base_type(type);

	if (base == UINT64_MAX)
		return NULL;
	return &rules[base == QUIC_FRAME_DATAGRAM ? (uint64_t)DATAGRAM_ROW : base];
}

static void
parse_padding(struct base_reader *reader, struct quic_frame *frame)
{
	const uint8_t *at = reader->at;

	while (at < reader->end && *at == 0)
		at++;
	frame->padding_length = 1 + (size_t)(at - reader->at);
	reader->at = at;
}

/* Section 19.3.1: no computed packet number may be negative. */
static uint64_t
parse_ack(struct base_reader *reader, struct quic_frame *frame)
{
	struct quic_frame_ack *ack = &frame->ack;
	uint64_t smallest;

	ack->largest_acked = base_reader_varint(reader);
	ack->ack_delay = base_reader_varint(reader);
	ack->range_count = base_reader_varint(reader);
	ack->first_range = base_reader_varint(reader);
	if (!base_reader_ok(reader) || ack->first_range > ack->largest_acked)
		return QUIC_FRAME_ENCODING_ERROR;
	smallest = ack->largest_acked - ack->first_range;
	ack->ranges = reader->at;
	for (uint64_t i = 0; i < ack->range_count; i++) {
		uint64_t gap = base_reader_varint(reader);
		uint64_t length = base_reader_varint(reader);

		if (!base_reader_ok(reader) || smallest < gap + 2 || smallest - gap - 2 < length)
			return QUIC_FRAME_ENCODING_ERROR;
		smallest -= gap + 2 + length;
	}
	ack->ranges_length = (size_t)(reader->at - ack->ranges);
	if (frame->type == QUIC_FRAME_ACK_ECN) {
		ack->ecn.ect0 = base_reader_varint(reader);
		ack->ecn.ect1 = base_reader_varint(reader);
		ack->ecn.ce = base_reader_varint(reader);
	}
	return QUIC_NO_ERROR;
}

/* `length` octets of data at `offset`: neither beyond the packet nor beyond 2^62 - 1 (sections 19.6, 19.8). */
static uint64_t
parse_data(struct base_reader *reader, struct quic_frame_stream *stream, uint64_t length)
{
	if (!base_reader_ok(reader) || length > base_reader_left(reader) ||
		length > BASE_VARINT_MAX - stream->offset)
		return QUIC_FRAME_ENCODING_ERROR;
	stream->length = (size_t)length;
	stream->octets = base_reader_octets(reader, stream->length);
	return QUIC_NO_ERROR;
}

static uint64_t
parse_stream(struct base_reader *reader, uint64_t type, struct quic_frame_stream *stream)
{
	stream->stream_id = base_reader_varint(reader);
	stream->offset = (type & STREAM_OFF) != 0 ? base_reader_varint(reader) : 0;
	stream->fin = (type & STREAM_FIN) != 0;
	stream->to_the_end = (type & STREAM_LEN) == 0;
	return parse_data(
		reader, stream, stream->to_the_end ? base_reader_left(reader) : base_reader_varint(reader));
}

static uint64_t
parse_new_token(struct base_reader *reader, struct quic_frame *frame)
{
	uint64_t length = base_reader_varint(reader);

	/* Section 19.7: an empty token is a FRAME_ENCODING_ERROR. */
	if (!base_reader_ok(reader) || length == 0 || length > base_reader_left(reader))
		return QUIC_FRAME_ENCODING_ERROR;
	frame->new_token.length = (size_t)length;
	frame->new_token.octets = base_reader_octets(reader, frame->new_token.length);
	return QUIC_NO_ERROR;
}

static uint64_t
parse_limit(struct base_reader *reader, struct quic_frame *frame)
{
	bool of_stream =
		frame->type == QUIC_FRAME_MAX_STREAM_DATA || frame->type == QUIC_FRAME_STREAM_DATA_BLOCKED;
	bool of_streams = frame->type == QUIC_FRAME_MAX_STREAMS_BIDI ||
		frame->type == QUIC_FRAME_MAX_STREAMS_UNI || frame->type == QUIC_FRAME_STREAMS_BLOCKED_BIDI ||
		frame->type == QUIC_FRAME_STREAMS_BLOCKED_UNI;

	frame->limit.stream_id = of_stream ? base_reader_varint(reader) : 0;
	frame->limit.maximum = base_reader_varint(reader);
	/* Sections 19.11, 19.14: no stream could have an ID above 2^62 - 1. */
	return of_streams && frame->limit.maximum > QUIC_STREAMS_MAX ? QUIC_FRAME_ENCODING_ERROR
								     : QUIC_NO_ERROR;
}

static uint64_t
parse_new_connection_id(struct base_reader *reader, struct quic_frame *frame)
{
	uint8_t length;

	frame->new_connection_id.sequence = base_reader_varint(reader);
	frame->new_connection_id.retire_prior_to = base_reader_varint(reader);
	length = base_reader_u8(reader);
	/* Section 19.15. */
	if (!base_reader_ok(reader) || length < 1 || length > QUIC_CID_MAX_BYTES ||
		frame->new_connection_id.retire_prior_to > frame->new_connection_id.sequence)
		return QUIC_FRAME_ENCODING_ERROR;
	frame->new_connection_id.cid = (struct quic_cid){.length = length};
	base_reader_copy(reader, frame->new_connection_id.cid.octets, length);
	base_reader_copy(reader, frame->new_connection_id.reset_token, QUIC_RESET_TOKEN_BYTES);
	return QUIC_NO_ERROR;
}

static uint64_t
parse_close(struct base_reader *reader, struct quic_frame *frame)
{
	uint64_t length;

	frame->close.code = base_reader_varint(reader);
	frame->close.frame_type = frame->type == QUIC_FRAME_CONNECTION_CLOSE ? base_reader_varint(reader) : 0;
	length = base_reader_varint(reader);
	if (!base_reader_ok(reader) || length > base_reader_left(reader))
		return QUIC_FRAME_ENCODING_ERROR;
	frame->close.reason_length = (size_t)length;
	frame->close.reason = base_reader_octets(reader, frame->close.reason_length);
	return QUIC_NO_ERROR;
}

/* The fields behind the type; a reader that failed is the caller's to see. */
static uint64_t
parse_fields(struct base_reader *reader, uint64_t type, struct quic_frame *frame)
{
	switch (frame->type) {
	case QUIC_FRAME_PADDING:
		parse_padding(reader, frame);
		return QUIC_NO_ERROR;
	case QUIC_FRAME_PING:
	case QUIC_FRAME_HANDSHAKE_DONE:
		return QUIC_NO_ERROR;
	case QUIC_FRAME_ACK:
	case QUIC_FRAME_ACK_ECN:
		return parse_ack(reader, frame);
	case QUIC_FRAME_RESET_STREAM:
		frame->reset_stream.stream_id = base_reader_varint(reader);
		frame->reset_stream.code = base_reader_varint(reader);
		frame->reset_stream.final_size = base_reader_varint(reader);
		return QUIC_NO_ERROR;
	case QUIC_FRAME_STOP_SENDING:
		frame->stop_sending.stream_id = base_reader_varint(reader);
		frame->stop_sending.code = base_reader_varint(reader);
		return QUIC_NO_ERROR;
	case QUIC_FRAME_CRYPTO:
		frame->stream = (struct quic_frame_stream){.offset = base_reader_varint(reader)};
		return parse_data(reader, &frame->stream, base_reader_varint(reader));
	case QUIC_FRAME_NEW_TOKEN:
		return parse_new_token(reader, frame);
	case QUIC_FRAME_STREAM:
		return parse_stream(reader, type, &frame->stream);
	case QUIC_FRAME_NEW_CONNECTION_ID:
		return parse_new_connection_id(reader, frame);
	case QUIC_FRAME_RETIRE_CONNECTION_ID:
		frame->retire_connection_id.sequence = base_reader_varint(reader);
		return QUIC_NO_ERROR;
	case QUIC_FRAME_PATH_CHALLENGE:
	case QUIC_FRAME_PATH_RESPONSE:
		base_reader_copy(reader, frame->path_data, QUIC_PATH_DATA_BYTES);
		return QUIC_NO_ERROR;
	case QUIC_FRAME_CONNECTION_CLOSE:
	case QUIC_FRAME_CONNECTION_CLOSE_APPLICATION:
		return parse_close(reader, frame);
	case QUIC_FRAME_DATAGRAM:
		frame->stream = (struct quic_frame_stream){.to_the_end = (type & DATAGRAM_LEN) == 0};
		return parse_data(reader, &frame->stream,
			frame->stream.to_the_end ? base_reader_left(reader) : base_reader_varint(reader));
	default:
		return parse_limit(reader, frame);
	}
}

uint64_t
quic_frame_parse(struct base_reader *reader, enum quic_packet_type packet_type, struct quic_frame *frame,
	uint64_t *type)
{
	const uint8_t *start = reader->at;
	const struct quic_frame_rule *rule;
	uint64_t error;

	*type = base_reader_varint(reader);
	if (!base_reader_ok(reader)) {
		*type = 0;
		return QUIC_FRAME_ENCODING_ERROR;
	}
	/* Section 12.4: the type is in its shortest encoding; a longer one may be a PROTOCOL_VIOLATION. */
	if ((size_t)(reader->at - start) != base_varint_length(*type))
		return QUIC_PROTOCOL_VIOLATION;
	rule = quic_frame_rule(*type);
	if (rule == NULL)
		return QUIC_FRAME_ENCODING_ERROR;
	if ((rule->packets & 1 << packet_type) == 0)
		return QUIC_PROTOCOL_VIOLATION;
	frame->type = (enum quic_frame_type)base_type(*type);
	error = parse_fields(reader, *type, frame);
	if (error == QUIC_NO_ERROR && !base_reader_ok(reader))
		error = QUIC_FRAME_ENCODING_ERROR;
	return error;
}

void
quic_ack_ranges_begin(struct quic_ack_ranges *walk, const struct quic_frame_ack *ack)
{
	walk->reader = base_reader(ack->ranges, ack->ranges_length);
	walk->left = ack->range_count + 1;
	walk->end = ack->largest_acked + 1;
	walk->length = ack->first_range + 1;
}

bool
quic_ack_ranges_next(struct quic_ack_ranges *walk, struct base_range *range)
{
	if (walk->left == 0)
		return false;
	range->end = walk->end;
	range->start = walk->end - walk->length;
	if (--walk->left > 0) {
		walk->end = range->start - base_reader_varint(&walk->reader) - 1;
		walk->length = base_reader_varint(&walk->reader) + 1;
	}
	return true;
}
