/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/file_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
file_range_parse__of_a_hundred_octets(void **state)
{
	static const struct {
		const char *value;
		enum file_range_result result;
		uint64_t first, last;
	} rows[] = {
		{"bytes=0-0", FILE_RANGE_PART, 0, 0},
		{"bytes=0-99", FILE_RANGE_PART, 0, 99},
		{"bytes=10-", FILE_RANGE_PART, 10, 99},
		{"bytes=90-1000", FILE_RANGE_PART, 90, 99},
		{"Bytes=5-6", FILE_RANGE_PART, 5, 6},
		{"bytes=-1", FILE_RANGE_PART, 99, 99},
		{"bytes=-1000", FILE_RANGE_PART, 0, 99},
		{"bytes=100-", FILE_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=100-200", FILE_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=-0", FILE_RANGE_UNSATISFIABLE, 0, 0},
		{"bytes=5-4", FILE_RANGE_WHOLE, 0, 0},
		{"bytes=0-1,3-4", FILE_RANGE_WHOLE, 0, 0},
		{"bytes=", FILE_RANGE_WHOLE, 0, 0},
		{"bytes=-", FILE_RANGE_WHOLE, 0, 0},
		{"bytes=a-b", FILE_RANGE_WHOLE, 0, 0},
		{"bytes=1", FILE_RANGE_WHOLE, 0, 0},
		{"bytes=99999999999999999999-", FILE_RANGE_WHOLE, 0, 0},
		{"lines=0-1", FILE_RANGE_WHOLE, 0, 0},
		{"", FILE_RANGE_WHOLE, 0, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct file_range range = {0};

		assert_int_equal(file_range_parse(http3_text(rows[i].value), 100, &range), rows[i].result);
		if (rows[i].result == FILE_RANGE_PART) {
			assert_int_equal(range.first, rows[i].first);
			assert_int_equal(range.last, rows[i].last);
		}
	}
}

static void
file_range_parse__of_an_empty_file(void **state)
{
	struct file_range range;

	assert_int_equal(file_range_parse(http3_text("bytes=0-"), 0, &range), FILE_RANGE_UNSATISFIABLE);
	assert_int_equal(file_range_parse(http3_text("bytes=-1"), 0, &range), FILE_RANGE_UNSATISFIABLE);
	assert_int_equal(file_range_parse((struct http3_text){0}, 0, &range), FILE_RANGE_WHOLE);
}

static void
file_etag_listed__weak_comparison(void **state)
{
	struct http3_text etag = http3_text("\"ab\"");

	assert_true(file_etag_listed(http3_text("\"ab\""), etag));
	assert_true(file_etag_listed(http3_text("W/\"ab\""), etag));
	assert_true(file_etag_listed(http3_text("\"x\", W/\"y\" ,  \"ab\" "), etag));
	assert_true(file_etag_listed(http3_text("*"), etag));
	assert_false(file_etag_listed(http3_text("\"abc\""), etag));
	assert_false(file_etag_listed(http3_text("ab"), etag));
	assert_false(file_etag_listed(http3_text(""), etag));
	assert_false(file_etag_listed(http3_text(",, ,"), etag));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_range_parse__of_a_hundred_octets),
		cmocka_unit_test(file_range_parse__of_an_empty_file),
		cmocka_unit_test(file_etag_listed__weak_comparison),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
