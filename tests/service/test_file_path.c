/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/file_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
file_path_normal__one_form(void **state)
{
	static const struct {
		const char *target, *normal; /* NULL: bad */
	} rows[] = {
		{"/", "/index.html"},
		{"/a", "/a"},
		{"/a/", "/a/index.html"},
		{"//a///b", "/a/b"},
		{"/a/./b", "/a/b"},
		{"/a/../b", "/b"},
		{"/a/b/../../c", "/c"},
		{"/a/..", "/index.html"},
		{"/a/.", "/a/index.html"},
		{"/a?b=/../..", "/a"},
		{"/a#b", "/a"},
		{"/%61%2Fb", "/a/b"},
		{"/a%20b", "/a b"},
		{"/...", "/..."},
		{"/..", NULL},
		{"/../a", NULL},
		{"/a/../../b", NULL},
		{"/%2e%2e/a", NULL},
		{"/%2e%2E%2fa", NULL},
		{"/a%00", NULL},
		{"/a%", NULL},
		{"/a%1", NULL},
		{"/a%xy", NULL},
		{"", NULL},
		{"a", NULL},
		{"*", NULL},
		{"http://a/b", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char normal[64];
		size_t length;
		bool good = file_path_normal(http3_text(rows[i].target), normal, sizeof(normal), &length);

		assert_int_equal(good, rows[i].normal != NULL);
		if (good) {
			struct http3_text text = {.octets = normal, .length = (uint32_t)length};

			assert_true(http3_text_is(text, rows[i].normal));
		}
	}
}

static void
file_path_normal__does_not_leave_its_room(void **state)
{
	static const char *const targets[] = {"/abcdef/../ghijkl/", "/abcdefghijkl", "/a/b/c/d/e/f/"};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		for (size_t room = 0; room < 40; room++) {
			char normal[41];
			size_t length;

			memset(normal, '~', sizeof(normal));
			if (file_path_normal(http3_text(targets[i]), normal, room, &length))
				assert_true(length <= room);
			assert_int_equal(normal[room], '~');
		}
	}
}

static void
file_content_type__by_extension(void **state)
{
	assert_true(http3_text_is(file_content_type(http3_text("/a/b.html")), "text/html; charset=utf-8"));
	assert_true(http3_text_is(file_content_type(http3_text("/B.PNG")), "image/png"));
	assert_true(http3_text_is(file_content_type(http3_text("/a.tar.gz")), "application/gzip"));
	assert_true(http3_text_is(file_content_type(http3_text("/a.js/b")), "application/octet-stream"));
	assert_true(http3_text_is(file_content_type(http3_text("/js")), "application/octet-stream"));
	assert_true(http3_text_is(file_content_type(http3_text("/a.")), "application/octet-stream"));
	assert_true(http3_text_is(file_content_type(http3_text("")), "application/octet-stream"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_path_normal__one_form),
		cmocka_unit_test(file_path_normal__does_not_leave_its_room),
		cmocka_unit_test(file_content_type__by_extension),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
