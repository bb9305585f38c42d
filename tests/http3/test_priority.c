/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/priority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
http3_priority_parse__dictionaries(void **state)
{
	static const struct {
		const char *value;
		uint8_t urgency;
		bool incremental;
	} rows[] = {
		{"", 3, false},
		{"u=0", 0, false},
		{"u=7, i", 7, true},
		{"i,u=1", 1, true},
		{"i=?1", 3, true},
		{"i=?0", 3, false},
		{"u=8", 3, false},
		{"u=-1", 3, false},
		{"u=1;x=2", 1, false},
		{"a=\"u=0, i\", u=5", 5, false},
		{"u=2, u=4", 4, false},
		{"  u=2 , i ", 2, true},
		{"u=", 3, false},
		{",,,", 3, false},
		{"a=\"\\", 3, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http3_priority priority = http3_priority_parse(http3_text(rows[i].value));

		assert_int_equal(priority.urgency, rows[i].urgency);
		assert_int_equal(priority.incremental, rows[i].incremental);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http3_priority_parse__dictionaries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
