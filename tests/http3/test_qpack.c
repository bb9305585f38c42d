/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/qpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECTION_BYTES = 4096 };

static int
open_qpack(void **state)
{
	/* Of exactly the size asked for, so that the sanitizer sees a step beyond. */
	*state = http3_qpack_open(aligned_alloc(64, http3_qpack_bytes(SECTION_BYTES)), SECTION_BYTES);
	return 0;
}

static int
close_qpack(void **state)
{
	free(*state);
	return 0;
}

static void
http3_qpack_decode__literals_of_appendix_b_1(void **state)
{
	/* RFC 9204 appendix B.1: ":path" by the static table, "/index.html" as a literal. */
	static const uint8_t section[] = {
		0x00, 0x00, 0x51, 0x0b, 0x2f, 0x69, 0x6e, 0x64, 0x65, 0x78, 0x2e, 0x68, 0x74, 0x6d, 0x6c};
	const struct http3_field *fields;
	uint16_t count;

	assert_int_equal(
		http3_qpack_decode(*state, section, sizeof(section), &fields, &count), HTTP3_QPACK_OK);
	assert_int_equal(count, 1);
	assert_true(http3_text_is(fields[0].name, ":path"));
	assert_true(http3_text_is(fields[0].value, "/index.html"));
}

static void
http3_qpack_encode__is_decoded_again(void **state)
{
	const struct http3_field in[] = {
		{http3_text(":status"), http3_text("200")},
		{http3_text("content-type"), http3_text("text/html; charset=utf-8")},
		{http3_text("x-new"), http3_text("")},
		{http3_text("etag"), http3_text("\"0123456789abcdef\"")},
	};
	uint8_t octets[256];
	const struct http3_field *out;
	uint16_t count;

	for (int round = 0; round < 1000; round++) {
		struct base_writer writer = base_writer(octets, sizeof(octets));

		http3_qpack_encode(*state, &writer, in, 4);
		assert_true(base_writer_ok(&writer));
		assert_int_equal(
			http3_qpack_decode(*state, octets, base_writer_length(&writer), &out, &count),
			HTTP3_QPACK_OK);
		assert_int_equal(count, 4);
		for (int i = 0; i < 4; i++) {
			assert_true(http3_text_equal(in[i].name, out[i].name));
			assert_true(http3_text_equal(in[i].value, out[i].value));
			assert_non_null(out[i].value.octets);
		}
	}
	assert_int_equal(http3_qpack_statistics(*state).remembered, 999);
}

static void
http3_qpack_encode__leaves_the_fields_decoded_last(void **state)
{
	static const uint8_t section[] = {0x00, 0x00, 0x51, 0x03, '/', 'a', 'b'};
	const struct http3_field in[] = {{http3_text("some-name"), http3_text("some value that takes room")}};
	const struct http3_field *fields;
	uint8_t octets[128];
	struct base_writer writer = base_writer(octets, sizeof(octets));
	uint16_t count;

	http3_qpack_decode(*state, section, sizeof(section), &fields, &count);
	http3_qpack_encode(*state, &writer, in, 1);
	assert_true(http3_text_is(fields[0].value, "/ab"));
}

static void
http3_qpack_decode__what_is_wrong_fails(void **state)
{
	static const struct {
		uint8_t section[8];
		size_t length;
	} rows[] = {
		{{0}, 0},                      /* no prefix */
		{{0x00}, 1},                   /* half a prefix */
		{{0x01, 0x00, 0x80}, 3},       /* Required Insert Count above 0 */
		{{0x00, 0x00, 0x80}, 3},       /* a reference to the dynamic table */
		{{0x00, 0x00, 0x10}, 3},       /* post-base index */
		{{0x00, 0x00, 0xff, 0x7f}, 4}, /* static index out of range */
		{{0x00, 0x00, 0x51}, 3},       /* a literal that is cut off */
		{{0x00, 0x00, 0x51, 0x05, '/'}, 5},
		{{0x00, 0x00, 0x51, 0x81, 0x00}, 5}, /* Huffman padding that is not all ones */
	};
	const struct http3_field *fields;
	uint16_t count;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(http3_qpack_decode(*state, rows[i].section, rows[i].length, &fields, &count),
			HTTP3_QPACK_FAILED);
		assert_int_equal(count, 0);
		/* And the coder is as good as new. */
		http3_qpack_decode__literals_of_appendix_b_1(state);
	}
}

static void
http3_qpack_decode__limits(void **state)
{
	uint8_t section[SECTION_BYTES + 1] = {0x00, 0x00};
	const struct http3_field *fields;
	uint16_t count;

	/* ":method: GET", one octet each: more fields than there is room for. */
	memset(section + 2, 0xd1, sizeof(section) - 2);
	assert_int_equal(http3_qpack_decode(*state, section, 2 + HTTP3_FIELDS_MAX, &fields, &count),
		HTTP3_QPACK_TOO_LARGE);
	assert_int_equal(http3_qpack_decode(*state, section, 2 + 64, &fields, &count), HTTP3_QPACK_OK);
	assert_int_equal(count, 64);
	assert_int_equal(
		http3_qpack_decode(*state, section, sizeof(section), &fields, &count), HTTP3_QPACK_TOO_LARGE);
	/* A literal that says to be longer than anything. */
	memcpy(section + 2, (uint8_t[]){0x51, 0x7f, 0xff, 0xff, 0xff, 0x7f}, 6);
	assert_int_not_equal(http3_qpack_decode(*state, section, 100, &fields, &count), HTTP3_QPACK_OK);
	http3_qpack_decode__literals_of_appendix_b_1(state);
}

static void
http3_qpack_encode_headers__fails_where_there_is_no_room(void **state)
{
	const struct http3_field in[] = {{http3_text("some-name"), http3_text("some value")}};
	uint8_t octets[8];
	struct base_writer writer = base_writer(octets, sizeof(octets));

	http3_qpack_encode_headers(*state, &writer, in, 1);
	assert_false(base_writer_ok(&writer));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			http3_qpack_decode__literals_of_appendix_b_1, open_qpack, close_qpack),
		cmocka_unit_test_setup_teardown(
			http3_qpack_encode__is_decoded_again, open_qpack, close_qpack),
		cmocka_unit_test_setup_teardown(
			http3_qpack_encode__leaves_the_fields_decoded_last, open_qpack, close_qpack),
		cmocka_unit_test_setup_teardown(
			http3_qpack_decode__what_is_wrong_fails, open_qpack, close_qpack),
		cmocka_unit_test_setup_teardown(http3_qpack_decode__limits, open_qpack, close_qpack),
		cmocka_unit_test_setup_teardown(
			http3_qpack_encode_headers__fails_where_there_is_no_room, open_qpack, close_qpack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
