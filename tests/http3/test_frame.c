/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http3/error.h"

static void
http3_pair_read__every_cut_gives_the_same_values(void **state)
{
	/* Two integers of eight and four octets (RFC 9000 appendix A.1), and one octet that is not theirs. */
	static const uint8_t octets[] = {
		0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c, 0x9d, 0x7f, 0x3e, 0x7d, 0xee};

	for (size_t cut = 0; cut <= 12; cut++) {
		struct http3_pair pair = {0};
		uint64_t first = 0, second = 0;
		bool complete;
		size_t taken = http3_pair_read(&pair, octets, cut, &complete, &first, &second);

		assert_int_equal(taken, cut);
		assert_int_equal(complete, cut == 12);
		if (!complete)
			taken += http3_pair_read(
				&pair, octets + cut, sizeof(octets) - cut, &complete, &first, &second);
		assert_true(complete);
		assert_int_equal(taken, 12);
		assert_int_equal(first, UINT64_C(151288809941952652));
		assert_int_equal(second, 494878333);
		assert_int_equal(pair.have, 0);
	}
}

static void
http3_pair_read__one_octet_at_a_time(void **state)
{
	static const uint8_t octets[] = {0x00, 0x40, 0x05};
	struct http3_pair pair = {0};
	uint64_t first = 9, second = 9;
	bool complete = false;

	for (size_t i = 0; i < sizeof(octets); i++) {
		assert_false(complete);
		assert_int_equal(http3_pair_read(&pair, octets + i, 1, &complete, &first, &second), 1);
	}
	assert_true(complete);
	assert_int_equal(first, 0);
	assert_int_equal(second, 5);
}

static void
http3_pair_read_one__takes_no_more_than_one(void **state)
{
	static const uint8_t octets[] = {0x7b, 0xbd, 0x01};
	struct http3_pair pair = {0};
	uint64_t value;
	bool complete;

	assert_int_equal(http3_pair_read_one(&pair, octets, sizeof(octets), &complete, &value), 2);
	assert_true(complete);
	assert_int_equal(value, 15293);
}

static void
http3_frame_header_write__is_read_back(void **state)
{
	uint8_t octets[16];
	struct base_writer writer = base_writer(octets, sizeof(octets));
	struct http3_pair pair = {0};
	uint64_t type, length;
	bool complete;

	http3_frame_header_write(&writer, HTTP3_FRAME_PRIORITY_UPDATE_REQUEST, 70000);
	assert_int_equal(base_writer_length(&writer),
		http3_frame_header_length(HTTP3_FRAME_PRIORITY_UPDATE_REQUEST, 70000));
	http3_pair_read(&pair, octets, base_writer_length(&writer), &complete, &type, &length);
	assert_true(complete);
	assert_int_equal(type, HTTP3_FRAME_PRIORITY_UPDATE_REQUEST);
	assert_int_equal(length, 70000);
}

static void
http3_frame_check__follows_table_1(void **state)
{
	static const struct {
		uint64_t type;
		bool request_server, request_client, control_server, control_client;
	} rows[] = {
		{HTTP3_FRAME_DATA, true, true, false, false},
		{HTTP3_FRAME_HEADERS, true, true, false, false},
		{HTTP3_FRAME_CANCEL_PUSH, false, false, true, true},
		{HTTP3_FRAME_SETTINGS, false, false, false, false}, /* only first */
		{HTTP3_FRAME_PUSH_PROMISE, false, true, false, false},
		{HTTP3_FRAME_GOAWAY, false, false, true, true},
		{HTTP3_FRAME_MAX_PUSH_ID, false, false, true, false},
		{HTTP3_FRAME_PRIORITY_UPDATE_REQUEST, false, false, true, false},
		{HTTP3_FRAME_PRIORITY_UPDATE_PUSH, false, false, true, false},
		{0x02, false, false, false, false},
		{0x06, false, false, false, false},
		{0x08, false, false, false, false},
		{0x09, false, false, false, false},
		{0x21, true, true, true, true},
		{0x3fffffff, true, true, true, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t type = rows[i].type;

		assert_int_equal(http3_frame_check_request(type, true),
			rows[i].request_server ? 0 : HTTP3_FRAME_UNEXPECTED);
		assert_int_equal(http3_frame_check_request(type, false),
			rows[i].request_client ? 0 : HTTP3_FRAME_UNEXPECTED);
		assert_int_equal(http3_frame_check_control(type, false, true),
			rows[i].control_server ? 0 : HTTP3_FRAME_UNEXPECTED);
		assert_int_equal(http3_frame_check_control(type, false, false),
			rows[i].control_client ? 0 : HTTP3_FRAME_UNEXPECTED);
		assert_int_equal(http3_frame_check_control(type, true, true),
			type == HTTP3_FRAME_SETTINGS ? 0 : HTTP3_MISSING_SETTINGS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http3_pair_read__every_cut_gives_the_same_values),
		cmocka_unit_test(http3_pair_read__one_octet_at_a_time),
		cmocka_unit_test(http3_pair_read_one__takes_no_more_than_one),
		cmocka_unit_test(http3_frame_header_write__is_read_back),
		cmocka_unit_test(http3_frame_check__follows_table_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
