/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
http3_field_name_valid__lower_case_tokens(void **state)
{
	static const char *const good[] = {"a", ":path", "x-y", "!#$%&'*+-.^_`|~09az"};
	static const char *const bad[] = {
		"", ":", "Host", "a b", "a:b", "a\x7f", "a\x80", "(", ",", "[", "{"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(http3_field_name_valid(http3_text(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http3_field_name_valid(http3_text(bad[i])));
	assert_false(http3_field_name_valid((struct http3_text){.octets = "a\0b", .length = 3}));
}

static void
http3_field_value_valid__no_controls(void **state)
{
	static const char *const good[] = {"", "a b\tc", "\x80\xff", "~"};
	static const char *const bad[] = {"a\r", "a\nb", " a", "a ", "\ta", "a\x7f", "\x01"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(http3_field_value_valid(http3_text(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(http3_field_value_valid(http3_text(bad[i])));
	assert_false(http3_field_value_valid((struct http3_text){.octets = "a\0b", .length = 3}));
}

static void
http3_field_connection_specific__all_of_section_4_2(void **state)
{
	static const struct {
		const char *name, *value;
		bool specific;
	} rows[] = {
		{"connection", "close", true},
		{"keep-alive", "1", true},
		{"proxy-connection", "1", true},
		{"transfer-encoding", "chunked", true},
		{"upgrade", "h2c", true},
		{"te", "gzip", true},
		{"te", "trailers", false},
		{"accept", "connection", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http3_field field = {http3_text(rows[i].name), http3_text(rows[i].value)};

		assert_int_equal(http3_field_connection_specific(&field), rows[i].specific);
	}
}

static void
http3_field_number__digits_below_2_to_62(void **state)
{
	uint64_t number;

	assert_true(http3_field_number(http3_text("0"), &number));
	assert_int_equal(number, 0);
	assert_true(http3_field_number(http3_text("4611686018427387903"), &number));
	assert_int_equal(number, (UINT64_C(1) << 62) - 1);
	assert_false(http3_field_number(http3_text("4611686018427387904"), &number));
	assert_false(http3_field_number(http3_text("99999999999999999999"), &number));
	assert_false(http3_field_number(http3_text(""), &number));
	assert_false(http3_field_number(http3_text("-1"), &number));
	assert_false(http3_field_number(http3_text("1 "), &number));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http3_field_name_valid__lower_case_tokens),
		cmocka_unit_test(http3_field_value_valid__no_controls),
		cmocka_unit_test(http3_field_connection_specific__all_of_section_4_2),
		cmocka_unit_test(http3_field_number__digits_below_2_to_62),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
