/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/reader.h"

static void
reader_uint__reads_network_order(void **state)
{
	static const uint8_t octets[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
	struct base_reader reader = base_reader(octets, sizeof(octets));

	assert_int_equal(base_reader_u8(&reader), 0x01);
	assert_int_equal(base_reader_u16(&reader), 0x0203);
	assert_int_equal(base_reader_u24(&reader), 0x040506);
	assert_int_equal(base_reader_u32(&reader), 0x0708090a);
	assert_true(base_reader_u64(&reader) == UINT64_C(0x0b0c0d0e0f101112));
	assert_true(base_reader_ok(&reader));
	assert_int_equal(base_reader_left(&reader), 0);
}

static void
reader_octets__fails_for_good_past_the_end(void **state)
{
	static const uint8_t octets[] = {1, 2, 3};
	struct base_reader reader = base_reader(octets, sizeof(octets));

	assert_null(base_reader_octets(&reader, 4));
	assert_false(base_reader_ok(&reader));
	assert_int_equal(base_reader_left(&reader), 0);
	assert_null(base_reader_octets(&reader, 1));
	assert_int_equal(base_reader_u8(&reader), 0);
}

static void
reader_octets__takes_no_length_that_wraps(void **state)
{
	static const uint8_t octets[] = {1, 2, 3};
	struct base_reader reader = base_reader(octets, sizeof(octets));

	assert_null(base_reader_octets(&reader, SIZE_MAX));
	assert_false(base_reader_ok(&reader));
}

static void
reader_copy__leaves_the_target_alone_when_short(void **state)
{
	static const uint8_t octets[] = {1, 2};
	struct base_reader reader = base_reader(octets, sizeof(octets));
	uint8_t target[3] = {9, 9, 9};

	base_reader_copy(&reader, target, 3);
	assert_int_equal(target[0], 9);
	assert_false(base_reader_ok(&reader));
}

static void
reader_sub__is_bounded_by_its_length(void **state)
{
	static const uint8_t octets[] = {1, 2, 3, 4};
	struct base_reader reader = base_reader(octets, sizeof(octets));
	struct base_reader sub = base_reader_sub(&reader, 2);

	assert_int_equal(base_reader_u16(&sub), 0x0102);
	assert_int_equal(base_reader_u8(&sub), 0);
	assert_false(base_reader_ok(&sub));
	assert_int_equal(base_reader_u8(&reader), 3);
	sub = base_reader_sub(&reader, 2);
	assert_false(base_reader_ok(&sub));
}

/* RFC 9000 appendix A.1. */
static void
reader_varint__reads_the_rfc_samples(void **state)
{
	static const uint8_t eight[] = {0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c};
	static const uint8_t four[] = {0x9d, 0x7f, 0x3e, 0x7d}, two[] = {0x7b, 0xbd}, one[] = {0x25},
			     long_one[] = {0x40, 0x25};
	struct base_reader reader = base_reader(eight, sizeof(eight));

	assert_true(base_reader_varint(&reader) == UINT64_C(151288809941952652));
	reader = base_reader(four, sizeof(four));
	assert_true(base_reader_varint(&reader) == 494878333);
	reader = base_reader(two, sizeof(two));
	assert_true(base_reader_varint(&reader) == 15293);
	reader = base_reader(one, sizeof(one));
	assert_true(base_reader_varint(&reader) == 37);
	reader = base_reader(long_one, sizeof(long_one));
	assert_true(base_reader_varint(&reader) == 37);
	assert_true(base_reader_ok(&reader));
}

static void
reader_varint__fails_when_cut_short(void **state)
{
	static const uint8_t octets[] = {0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8};
	struct base_reader reader;

	for (size_t length = 0; length <= sizeof(octets); length++) {
		reader = base_reader(octets, length);
		assert_true(base_reader_varint(&reader) == 0);
		assert_false(base_reader_ok(&reader));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_uint__reads_network_order),
		cmocka_unit_test(reader_octets__fails_for_good_past_the_end),
		cmocka_unit_test(reader_octets__takes_no_length_that_wraps),
		cmocka_unit_test(reader_copy__leaves_the_target_alone_when_short),
		cmocka_unit_test(reader_sub__is_bounded_by_its_length),
		cmocka_unit_test(reader_varint__reads_the_rfc_samples),
		cmocka_unit_test(reader_varint__fails_when_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
