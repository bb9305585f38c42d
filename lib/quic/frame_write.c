/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/frame.h"

#include "base/assert.h"

enum { STREAM_FIN = 0x01, STREAM_LEN = 0x02, STREAM_OFF = 0x04, DATAGRAM_LEN = 0x01 };

/* The integers that follow the type, in their order; frames that end in octets add these. */
static size_t
integers_of(const struct quic_frame *frame, uint64_t values[4])
{
	switch (frame->type) {
	case QUIC_FRAME_RESET_STREAM:
		values[0] = frame->reset_stream.stream_id;
		values[1] = frame->reset_stream.code;
		values[2] = frame->reset_stream.final_size;
		return 3;
	case QUIC_FRAME_STOP_SENDING:
		values[0] = frame->stop_sending.stream_id;
		values[1] = frame->stop_sending.code;
		return 2;
	case QUIC_FRAME_CRYPTO:
		values[0] = frame->stream.offset;
		values[1] = frame->stream.length;
		return 2;
	case QUIC_FRAME_NEW_TOKEN:
		values[0] = frame->new_token.length;
		return 1;
	case QUIC_FRAME_MAX_STREAM_DATA:
	case QUIC_FRAME_STREAM_DATA_BLOCKED:
		values[0] = frame->limit.stream_id;
		values[1] = frame->limit.maximum;
		return 2;
	case QUIC_FRAME_MAX_DATA:
	case QUIC_FRAME_MAX_STREAMS_BIDI:
	case QUIC_FRAME_MAX_STREAMS_UNI:
	case QUIC_FRAME_DATA_BLOCKED:
	case QUIC_FRAME_STREAMS_BLOCKED_BIDI:
	case QUIC_FRAME_STREAMS_BLOCKED_UNI:
		values[0] = frame->limit.maximum;
		return 1;
	case QUIC_FRAME_NEW_CONNECTION_ID:
		values[0] = frame->new_connection_id.sequence;
		values[1] = frame->new_connection_id.retire_prior_to;
		return 2;
	case QUIC_FRAME_RETIRE_CONNECTION_ID:
		values[0] = frame->retire_connection_id.sequence;
		return 1;
	case QUIC_FRAME_CONNECTION_CLOSE:
		values[0] = frame->close.code;
		values[1] = frame->close.frame_type;
		values[2] = frame->close.reason_length;
		return 3;
	case QUIC_FRAME_CONNECTION_CLOSE_APPLICATION:
		values[0] = frame->close.code;
		values[1] = frame->close.reason_length;
		return 2;
	default:
		return 0;
	}
}

/* The integers of STREAM and DATAGRAM, where some may be absent, and the type that says which. */
static size_t
stream_integers(const struct quic_frame *frame, uint64_t values[4], uint64_t *type)
{
	const struct quic_frame_stream *stream = &frame->stream;
	size_t count = 0;

	*type = frame->type;
	if (frame->type == QUIC_FRAME_STREAM) {
		values[count++] = stream->stream_id;
		if (stream->offset > 0) {
			values[count++] = stream->offset;
			*type |= STREAM_OFF;
		}
		if (stream->fin)
			*type |= STREAM_FIN;
	}
	if (!stream->to_the_end) {
		values[count++] = stream->length;
		*type |= frame->type == QUIC_FRAME_STREAM ? STREAM_LEN : DATAGRAM_LEN;
	}
	return count;
}

static size_t
all_integers(const struct quic_frame *frame, uint64_t values[4], uint64_t *type)
{
	if (frame->type == QUIC_FRAME_STREAM || frame->type == QUIC_FRAME_DATAGRAM)
		return stream_integers(frame, values, type);
	*type = frame->type;
	return integers_of(frame, values);
}

/* The octets at a frame's end, as they stand. */
static const uint8_t *
octets_of(const struct quic_frame *frame, size_t *length)
{
	switch (frame->type) {
	case QUIC_FRAME_CRYPTO:
	case QUIC_FRAME_STREAM:
	case QUIC_FRAME_DATAGRAM:
		*length = frame->stream.length;
		return frame->stream.octets;
	case QUIC_FRAME_NEW_TOKEN:
		*length = frame->new_token.length;
		return frame->new_token.octets;
	case QUIC_FRAME_PATH_CHALLENGE:
	case QUIC_FRAME_PATH_RESPONSE:
		*length = QUIC_PATH_DATA_BYTES;
		return frame->path_data;
	case QUIC_FRAME_CONNECTION_CLOSE:
	case QUIC_FRAME_CONNECTION_CLOSE_APPLICATION:
		*length = frame->close.reason_length;
		return frame->close.reason;
	default:
		*length = 0;
		return NULL;
	}
}

size_t
quic_frame_size(const struct quic_frame *frame)
{
	uint64_t values[4];
	uint64_t type;
	size_t length;
	size_t count;
	size_t size = 1;

	base_assert(frame->type != QUIC_FRAME_ACK && frame->type != QUIC_FRAME_ACK_ECN);
	if (frame->type == QUIC_FRAME_PADDING)
		return frame->padding_length;
	count = all_integers(frame, values, &type);
	for (size_t i = 0; i < count; i++)
		size += base_varint_length(values[i]);
	octets_of(frame, &length);
	if (frame->type == QUIC_FRAME_NEW_CONNECTION_ID)
		length = 1 + frame->new_connection_id.cid.length + QUIC_RESET_TOKEN_BYTES;
	return size + length;
}

bool
quic_frame_write(struct base_writer *writer, const struct quic_frame *frame)
{
	uint8_t *mark = base_writer_mark(writer);
	uint64_t values[4];
	uint64_t type;
	size_t length;
	const uint8_t *octets;
	size_t count;

	base_assert(frame->type != QUIC_FRAME_ACK && frame->type != QUIC_FRAME_ACK_ECN);
	if (frame->type == QUIC_FRAME_PADDING) {
		base_writer_fill(writer, 0, frame->padding_length);
	} else {
		count = all_integers(frame, values, &type);
		octets = octets_of(frame, &length);
		base_writer_u8(writer, (uint8_t)type);
		for (size_t i = 0; i < count; i++)
			base_writer_varint(writer, values[i]);
		if (octets == NULL)
			base_writer_reserve(writer, length);
		else
			base_writer_octets(writer, octets, length);
	}
	if (frame->type == QUIC_FRAME_NEW_CONNECTION_ID) {
		const struct quic_cid *cid = &frame->new_connection_id.cid;

		base_writer_u8(writer, cid->length);
		base_writer_octets(writer, cid->octets, cid->length);
		base_writer_octets(writer, frame->new_connection_id.reset_token, QUIC_RESET_TOKEN_BYTES);
	}
	if (base_writer_ok(writer))
		return true;
	base_writer_rewind(writer, mark);
	return false;
}

/* How many ranges after the first fit into `room` octets, and what they take. */
static size_t
ack_ranges_that_fit(const struct base_ranges *ranges, size_t room, size_t *bytes)
{
	size_t count = 0;

	*bytes = 0;
	for (size_t i = ranges->count - 1; i > 0; i--) {
		const struct base_range *above = &ranges->ranges[i];
		const struct base_range *range = &ranges->ranges[i - 1];
		size_t size = base_varint_length(above->start - range->end - 1) +
			base_varint_length(range->end - range->start - 1);

		/* The count itself may grow by an octet. */
		if (*bytes + size + base_varint_length(count + 1) > room)
			break;
		*bytes += size;
		count++;
	}
	return count;
}

bool
quic_frame_write_ack(struct base_writer *writer, const struct base_ranges *ranges, uint64_t ack_delay,
	const struct quic_ecn_counts *ecn)
{
	const struct base_range *range = &ranges->ranges[ranges->count - 1];
	uint64_t largest = range->end - 1;
	uint64_t first = range->end - range->start - 1;
	size_t fixed;
	size_t bytes;
	size_t count;

	base_assert(ranges->count > 0);
	fixed = 1 + base_varint_length(largest) + base_varint_length(ack_delay) + base_varint_length(first);
	if (ecn != NULL)
		fixed += base_varint_length(ecn->ect0) + base_varint_length(ecn->ect1) +
			base_varint_length(ecn->ce);
	if (base_writer_room(writer) < fixed + 1)
		return false;
	count = ack_ranges_that_fit(ranges, base_writer_room(writer) - fixed, &bytes);
	base_writer_u8(writer, ecn != NULL ? QUIC_FRAME_ACK_ECN : QUIC_FRAME_ACK);
	base_writer_varint(writer, largest);
	base_writer_varint(writer, ack_delay);
	base_writer_varint(writer, count);
	base_writer_varint(writer, first);
	for (size_t i = 0; i < count; i++, range--) {
		base_writer_varint(writer, range[0].start - range[-1].end - 1);
		base_writer_varint(writer, range[-1].end - range[-1].start - 1);
	}
	if (ecn != NULL) {
		base_writer_varint(writer, ecn->ect0);
		base_writer_varint(writer, ecn->ect1);
		base_writer_varint(writer, ecn->ce);
	}
	base_assert(base_writer_ok(writer));
	return true;
}

size_t
quic_frame_stream_overhead(uint64_t stream_id, uint64_t offset, size_t length)
{
	return 1 + base_varint_length(stream_id) + (offset > 0 ? base_varint_length(offset) : 0) +
		base_varint_length(length);
}

size_t
quic_frame_crypto_overhead(uint64_t offset, size_t length)
{
	return 1 + base_varint_length(offset) + base_varint_length(length);
}
