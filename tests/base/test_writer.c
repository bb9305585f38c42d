/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/reader.h"
#include "base/writer.h"

static void
writer_uint__writes_network_order(void **state)
{
	static const uint8_t expected[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t octets[15];
	struct base_writer writer = base_writer(octets, sizeof(octets));

	base_writer_u8(&writer, 0x01);
	base_writer_u16(&writer, 0x0203);
	base_writer_u32(&writer, 0x04050607);
	base_writer_u64(&writer, UINT64_C(0x08090a0b0c0d0e0f));
	assert_true(base_writer_ok(&writer));
	assert_int_equal(base_writer_length(&writer), 15);
	assert_int_equal(base_writer_room(&writer), 0);
	assert_memory_equal(octets, expected, sizeof(expected));
}

static void
writer_octets__changes_nothing_when_there_is_no_room(void **state)
{
	uint8_t octets[3] = {7, 7, 7};
	struct base_writer writer = base_writer(octets, 2);

	base_writer_octets(&writer, "abc", 3);
	assert_false(base_writer_ok(&writer));
	base_writer_u8(&writer, 1);
	assert_int_equal(base_writer_length(&writer), 0);
	assert_int_equal(octets[0], 7);
}

static void
writer_rewind__takes_back_a_failed_attempt(void **state)
{
	uint8_t octets[4];
	struct base_writer writer = base_writer(octets, sizeof(octets));
	uint8_t *mark;

	base_writer_u16(&writer, 1);
	mark = base_writer_mark(&writer);
	base_writer_u16(&writer, 2);
	base_writer_u16(&writer, 3);
	assert_false(base_writer_ok(&writer));
	base_writer_rewind(&writer, mark);
	assert_true(base_writer_ok(&writer));
	assert_int_equal(base_writer_length(&writer), 2);
}

static void
writer_varint__is_what_the_reader_reads(void **state)
{
	static const uint64_t values[] = {
		0, 1, 63, 64, 16383, 16384, 1073741823, 1073741824, BASE_VARINT_MAX};
	static const size_t lengths[] = {1, 1, 1, 2, 2, 4, 4, 8, 8};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint8_t octets[8];
		struct base_writer writer = base_writer(octets, sizeof(octets));
		struct base_reader reader;

		base_writer_varint(&writer, values[i]);
		assert_int_equal(base_writer_length(&writer), lengths[i]);
		reader = base_reader(octets, base_writer_length(&writer));
		assert_true(base_reader_varint(&reader) == values[i]);
		assert_true(base_reader_ok(&reader));
	}
}

static void
put_varint__may_be_longer_than_the_shortest(void **state)
{
	uint8_t octets[4] = {0};
	struct base_reader reader = base_reader(octets, sizeof(octets));

	base_put_varint(octets, 37, 4);
	assert_int_equal(octets[0], 0x80);
	assert_true(base_reader_varint(&reader) == 37);
	assert_int_equal(base_reader_left(&reader), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(writer_uint__writes_network_order),
		cmocka_unit_test(writer_octets__changes_nothing_when_there_is_no_room),
		cmocka_unit_test(writer_rewind__takes_back_a_failed_attempt),
		cmocka_unit_test(writer_varint__is_what_the_reader_reads),
		cmocka_unit_test(put_varint__may_be_longer_than_the_shortest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
