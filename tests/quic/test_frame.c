/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "quic/frame.h"
#include "tests/support/frames.h"
#include "tests/support/hex.h"

static struct quic_frame frame;
static uint64_t type;

static uint64_t
parse_in(enum quic_packet_type packet_type, const char *text)
{
	uint8_t octets[128];
	size_t length = support_hex(text, octets, sizeof(octets));
	struct base_reader reader = base_reader(octets, length);

	return quic_frame_parse(&reader, packet_type, &frame, &type);
}

static uint64_t
parse(const char *text)
{
	return parse_in(QUIC_PACKET_ONE_RTT, text);
}

static void
frame_rule__knows_all_types_and_no_others(void **state)
{
	for (uint64_t i = 0; i < 0x1000; i++)
		assert_int_equal(quic_frame_rule(i) != NULL, i <= 0x1e || i == 0x30 || i == 0x31);
	assert_null(quic_frame_rule(BASE_VARINT_MAX));
	assert_string_equal(quic_frame_rule(0x0f)->name, "STREAM");
	assert_string_equal(quic_frame_rule(0x31)->name, "DATAGRAM");
	for (uint64_t i = 0; i <= 0x1e; i++)
		assert_non_null(quic_frame_rule(i)->name);
}

static void
frame_parse__takes_a_run_of_padding_as_one(void **state)
{
	uint8_t octets[5] = {0, 0, 0, 1, 0};
	struct base_reader reader = base_reader(octets, sizeof(octets));

	assert_int_equal(quic_frame_parse(&reader, QUIC_PACKET_INITIAL, &frame, &type), QUIC_NO_ERROR);
	assert_int_equal(frame.padding_length, 3);
	assert_int_equal(quic_frame_parse(&reader, QUIC_PACKET_INITIAL, &frame, &type), QUIC_NO_ERROR);
	assert_int_equal(frame.type, QUIC_FRAME_PING);
	assert_int_equal(quic_frame_parse(&reader, QUIC_PACKET_INITIAL, &frame, &type), QUIC_NO_ERROR);
	assert_int_equal(frame.padding_length, 1);
	assert_int_equal(base_reader_left(&reader), 0);
}

static void
frame_parse__reads_every_form_of_stream(void **state)
{
	assert_int_equal(parse("08 04 aabb"), QUIC_NO_ERROR);
	assert_int_equal(frame.type, QUIC_FRAME_STREAM);
	assert_int_equal(frame.stream.length, 2);
	assert_true(frame.stream.to_the_end && !frame.stream.fin);
	assert_int_equal(parse("0b 04 01 aabb"), QUIC_NO_ERROR);
	assert_int_equal(frame.stream.length, 1);
	assert_true(!frame.stream.to_the_end && frame.stream.fin && frame.stream.offset == 0);
	assert_int_equal(parse("0e 04 4100 02 aabb"), QUIC_NO_ERROR);
	assert_int_equal(frame.stream.offset, 256);
	assert_int_equal(parse("0d 04 05"), QUIC_NO_ERROR);
	assert_true(frame.stream.fin && frame.stream.offset == 5 && frame.stream.length == 0);
	assert_int_equal(type, 0x0d);
}

/* Whatever frame is cut off says so; where the cut leaves a whole frame, it has no length of its own. */
static void
frame_parse__refuses_every_cut(void **state)
{
	uint8_t octets[128];

	for (size_t i = 0; i < SUPPORT_FRAMES; i++) {
		struct base_writer writer = base_writer(octets, sizeof(octets));
		bool has_stream = support_frames[i].type == QUIC_FRAME_STREAM ||
			support_frames[i].type == QUIC_FRAME_DATAGRAM;

		if (support_frames[i].type == QUIC_FRAME_PADDING)
			continue;
		if (has_stream && support_frames[i].stream.to_the_end)
			continue;
		assert_true(quic_frame_write(&writer, &support_frames[i]));
		for (size_t cut = 0; cut < base_writer_length(&writer); cut++) {
			struct base_reader reader = base_reader(octets, cut);

			assert_int_equal(quic_frame_parse(&reader, QUIC_PACKET_ONE_RTT, &frame, &type),
				QUIC_FRAME_ENCODING_ERROR);
			assert_int_equal(type, cut == 0 ? 0 : octets[0]);
		}
	}
}

static void
ack_ranges__walk_downwards(void **state)
{
	static const struct base_range expected[] = {{90, 101}, {80, 86}, {0, 79}};
	struct quic_ack_ranges walk;
	struct base_range range;
	size_t count = 0;
	uint8_t octets[] = {0x02, 0x40, 100, 0x05, 0x02, 10, 3, 5, 0, 0x40, 78};
	struct base_reader reader = base_reader(octets, sizeof(octets));

	/* 100..90, 85..80 (gap: 89..86), 78..0 (gap: 79). */
	assert_int_equal(quic_frame_parse(&reader, QUIC_PACKET_INITIAL, &frame, &type), QUIC_NO_ERROR);
	assert_int_equal(frame.ack.largest_acked, 100);
	assert_int_equal(frame.ack.ack_delay, 5);
	quic_ack_ranges_begin(&walk, &frame.ack);
	for (; quic_ack_ranges_next(&walk, &range); count++) {
		assert_true(count < 3);
		assert_int_equal(range.start, expected[count].start);
		assert_int_equal(range.end, expected[count].end);
	}
	assert_int_equal(count, 3);
}

static void
ack_ranges__end_after_the_first_when_it_is_alone(void **state)
{
	struct quic_ack_ranges walk;
	struct base_range range;

	assert_int_equal(parse("03 00 00 00 00 01 02 03"), QUIC_NO_ERROR);
	assert_true(frame.ack.ecn.ect0 == 1 && frame.ack.ecn.ect1 == 2 && frame.ack.ecn.ce == 3);
	quic_ack_ranges_begin(&walk, &frame.ack);
	assert_true(quic_ack_ranges_next(&walk, &range));
	assert_true(range.start == 0 && range.end == 1);
	assert_false(quic_ack_ranges_next(&walk, &range));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_rule__knows_all_types_and_no_others),
		cmocka_unit_test(frame_parse__takes_a_run_of_padding_as_one),
		cmocka_unit_test(frame_parse__reads_every_form_of_stream),
		cmocka_unit_test(frame_parse__refuses_every_cut),
		cmocka_unit_test(ack_ranges__walk_downwards),
		cmocka_unit_test(ack_ranges__end_after_the_first_when_it_is_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
