/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/qpack_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http3/error.h"

static void
http3_qpack_stream_encoder__only_a_capacity_of_zero(void **state)
{
	assert_int_equal(http3_qpack_stream_encoder((const uint8_t[]){0x20, 0x20}, 2), 0);
	for (unsigned octet = 0; octet < 256; octet++) {
		if (octet != 0x20)
			assert_int_equal(http3_qpack_stream_encoder((const uint8_t[]){(uint8_t)octet}, 1),
				HTTP3_QPACK_ENCODER_STREAM_ERROR);
	}
}

static void
http3_qpack_stream_decoder__cancellations_in_any_cut(void **state)
{
	static const uint8_t octets[] = {0x44, 0x7f, 0x81, 0x01, 0x40, 0x7f, 0x00};

	for (size_t cut = 0; cut <= sizeof(octets); cut++) {
		struct http3_qpack_stream stream = {0};

		assert_int_equal(http3_qpack_stream_decoder(&stream, octets, cut), 0);
		assert_int_equal(http3_qpack_stream_decoder(&stream, octets + cut, sizeof(octets) - cut), 0);
		assert_int_equal(stream.integer_octets, 0);
	}
}

static void
http3_qpack_stream_decoder__the_rest_is_an_error(void **state)
{
	static const uint8_t endless[] = {
		0x7f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
	struct http3_qpack_stream stream = {0};

	for (unsigned octet = 0; octet < 256; octet++) {
		if ((octet & 0xc0) != 0x40)
			assert_int_equal(
				http3_qpack_stream_decoder(&stream, (const uint8_t[]){(uint8_t)octet}, 1),
				HTTP3_QPACK_DECODER_STREAM_ERROR);
	}
	assert_int_equal(http3_qpack_stream_decoder(&stream, endless, sizeof(endless)),
		HTTP3_QPACK_DECODER_STREAM_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http3_qpack_stream_encoder__only_a_capacity_of_zero),
		cmocka_unit_test(http3_qpack_stream_decoder__cancellations_in_any_cut),
		cmocka_unit_test(http3_qpack_stream_decoder__the_rest_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
