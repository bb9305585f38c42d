/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A packet's payload as frames. The first octet says the packet type. Every frame that is parsed lies within the
 * payload; written again and parsed again, it is the same frame.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "quic/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_ack(const struct quic_frame_ack *ack)
{
	struct quic_ack_ranges walk;
	struct base_range range;
	uint64_t above = UINT64_MAX;
	uint64_t count = 0;

	quic_ack_ranges_begin(&walk, ack);
	for (; quic_ack_ranges_next(&walk, &range); count++) {
		base_assert(range.start < range.end && range.end < above);
		above = range.start;
	}
	base_assert(count == ack->range_count + 1);
}

static void
check_frame(const struct quic_frame *frame, enum quic_packet_type packet_type)
{
	static uint8_t first[1 << 17];
	static uint8_t second[1 << 17];
	struct base_writer one = base_writer(first, sizeof(first));
	struct base_writer two = base_writer(second, sizeof(second));
	struct base_reader reader;
	struct quic_frame again;
	uint64_t type;

	if (frame->type == QUIC_FRAME_ACK || frame->type == QUIC_FRAME_ACK_ECN) {
		check_ack(&frame->ack);
		return;
	}
	base_assert(quic_frame_write(&one, frame));
	base_assert(base_writer_length(&one) == quic_frame_size(frame));
	reader = base_reader(first, base_writer_length(&one));
	base_assert(quic_frame_parse(&reader, packet_type, &again, &type) == QUIC_NO_ERROR);
	base_assert(base_reader_left(&reader) == 0 && again.type == frame->type);
	base_assert(quic_frame_write(&two, &again));
	base_assert(base_writer_length(&two) == base_writer_length(&one));
	base_assert(memcmp(first, second, base_writer_length(&one)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum quic_packet_type packet_type;
	struct base_reader reader;
	struct quic_frame frame;
	uint64_t error;
	uint64_t type;

	if (size == 0 || size > 1 << 16)
		return 0;
	packet_type = (enum quic_packet_type)(data[0] % QUIC_PACKET_TYPE_COUNT);
	reader = base_reader(data + 1, size - 1);
	while (base_reader_left(&reader) > 0) {
		error = quic_frame_parse(&reader, packet_type, &frame, &type);
		base_assert(error == QUIC_NO_ERROR || error == QUIC_FRAME_ENCODING_ERROR ||
			error == QUIC_PROTOCOL_VIOLATION);
		if (error != QUIC_NO_ERROR)
			break;
		check_frame(&frame, packet_type);
	}
	return 0;
}
