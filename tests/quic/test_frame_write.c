/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/random.h"
#include "quic/frame.h"
#include "tests/support/frames.h"

static uint8_t octets[2048];

/* Equal by what they are on the wire. */
static void
assert_same(const struct quic_frame *a, const struct quic_frame *b)
{
	uint8_t first[128];
	uint8_t second[128];
	struct base_writer one = base_writer(first, sizeof(first));
	struct base_writer two = base_writer(second, sizeof(second));

	assert_int_equal(a->type, b->type);
	assert_true(quic_frame_write(&one, a));
	assert_true(quic_frame_write(&two, b));
	assert_int_equal(base_writer_length(&one), base_writer_length(&two));
	assert_memory_equal(first, second, base_writer_length(&one));
}

static void
frame_write__is_what_frame_parse_reads(void **state)
{
	for (size_t i = 0; i < SUPPORT_FRAMES; i++) {
		struct base_writer writer = base_writer(octets, sizeof(octets));
		struct base_reader reader;
		struct quic_frame frame;
		uint64_t type;

		assert_true(quic_frame_write(&writer, &support_frames[i]));
		assert_int_equal(base_writer_length(&writer), quic_frame_size(&support_frames[i]));
		reader = base_reader(octets, base_writer_length(&writer));
		assert_int_equal(
			quic_frame_parse(&reader, QUIC_PACKET_ONE_RTT, &frame, &type), QUIC_NO_ERROR);
		assert_int_equal(base_reader_left(&reader), 0);
		assert_same(&frame, &support_frames[i]);
	}
}

static void
frame_write__does_nothing_without_room(void **state)
{
	for (size_t i = 0; i < SUPPORT_FRAMES; i++) {
		size_t size = quic_frame_size(&support_frames[i]);

		for (size_t room = 0; room < size; room++) {
			struct base_writer writer = base_writer(octets, room);

			assert_false(quic_frame_write(&writer, &support_frames[i]));
			assert_int_equal(base_writer_length(&writer), 0);
			assert_true(base_writer_ok(&writer));
		}
	}
}

static void
frame_stream_overhead__is_the_size_without_the_data(void **state)
{
	for (size_t i = 0; i < SUPPORT_FRAMES; i++) {
		const struct quic_frame *frame = &support_frames[i];
		const struct quic_frame_stream *stream = &frame->stream;
		size_t size = quic_frame_size(frame);

		if (frame->type == QUIC_FRAME_CRYPTO)
			assert_int_equal(
				quic_frame_crypto_overhead(stream->offset, stream->length) + stream->length,
				size);
		if (frame->type == QUIC_FRAME_STREAM && !stream->to_the_end)
			assert_int_equal(quic_frame_stream_overhead(
						 stream->stream_id, stream->offset, stream->length) +
					stream->length,
				size);
	}
}

/* In any room, from ranges of any kind: what is written is read as the highest ranges, in order. */
static void
frame_write_ack__writes_as_many_ranges_as_fit(void **state)
{
	struct base_range memory[80];
	struct quic_ecn_counts ecn = {1, 70, 20000};
	struct base_random random;

	base_random_init(&random, 2);
	for (int round = 0; round < 2000; round++) {
		struct base_ranges set = base_ranges(memory, 80);
		uint64_t at = base_random_below(&random, 100);
		size_t room = base_random_below(&random, 200);
		struct base_writer writer = base_writer(octets, room);
		struct base_reader reader;
		struct quic_ack_ranges walk;
		struct quic_frame frame;
		struct base_range range;
		uint64_t type;
		size_t place;

		for (size_t i = 1 + base_random_below(&random, 79); i > 0; i--) {
			uint64_t length = 1 + base_random_below(&random, round % 3 == 0 ? 2 : 20000);

			assert_true(base_ranges_add(&set, at, at + length));
			at += length + 1 + base_random_below(&random, round % 2 == 0 ? 2 : 300);
		}
		if (!quic_frame_write_ack(&writer, &set, 77, round % 5 == 0 ? &ecn : NULL)) {
			assert_true(room < 30);
			assert_int_equal(base_writer_length(&writer), 0);
			continue;
		}
		reader = base_reader(octets, base_writer_length(&writer));
		assert_int_equal(
			quic_frame_parse(&reader, QUIC_PACKET_INITIAL, &frame, &type), QUIC_NO_ERROR);
		assert_int_equal(base_reader_left(&reader), 0);
		assert_int_equal(frame.ack.ack_delay, 77);
		place = set.count;
		quic_ack_ranges_begin(&walk, &frame.ack);
		while (quic_ack_ranges_next(&walk, &range)) {
			place--;
			assert_true(range.start == memory[place].start && range.end == memory[place].end);
		}
		/* No range was left out for which there was room, the count's own octets apart. */
		assert_true(place == 0 || base_writer_room(&writer) < 10);
		if (round % 5 == 0)
			assert_int_equal(frame.ack.ecn.ce, 20000);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_write__is_what_frame_parse_reads),
		cmocka_unit_test(frame_write__does_nothing_without_room),
		cmocka_unit_test(frame_stream_overhead__is_the_size_without_the_data),
		cmocka_unit_test(frame_write_ack__writes_as_many_ranges_as_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
