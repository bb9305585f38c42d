/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/notices.h"

#include <string.h>

#include "base/time.h"
#include "tests/support/cmocka_all.h"

static void
manager_notices_may_tell__allows_so_many_a_second(void **state)
{
	struct manager_notices notices = {0};
	uint64_t now_ns = 7 * BASE_SECOND;
	uint32_t left_out;

	for (int i = 0; i < MANAGER_NOTICES_PER_SECOND; i++)
		assert_true(manager_notices_may_tell(&notices, now_ns, &left_out));
	for (int i = 0; i < 3; i++)
		assert_false(manager_notices_may_tell(&notices, now_ns + 999 * BASE_MS, &left_out));
	assert_int_equal(left_out, 0);
	assert_true(manager_notices_may_tell(&notices, now_ns + BASE_SECOND, &left_out));
	assert_int_equal(left_out, 3);
	assert_true(manager_notices_may_tell(&notices, now_ns + 2 * BASE_SECOND, &left_out));
	assert_int_equal(left_out, 0);
	assert_int_equal(notices.dropped, 3);
	assert_int_equal(notices.taken, MANAGER_NOTICES_PER_SECOND + 5);
}

static void
manager_notice_text__leaves_nothing_for_a_terminal_to_obey(void **state)
{
	struct service_post post = {.length = 6, .octets = "a\n\x1b[2\x7f"};
	char text[MANAGER_NOTICE_BYTES];

	manager_notice_text(&post, text);
	assert_string_equal(text, "a??[2?");
	post.length = 4;
	memcpy(post.octets, "\x9b\xc3\xbc\xc2", 4);
	manager_notice_text(&post, text);
	assert_string_equal(text, "?\xc3\xbc?");
	post.length = 255;
	memset(post.octets, 'x', sizeof(post.octets));
	manager_notice_text(&post, text);
	assert_int_equal(strlen(text), SERVICE_POST_BYTES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manager_notices_may_tell__allows_so_many_a_second),
		cmocka_unit_test(manager_notice_text__leaves_nothing_for_a_terminal_to_obey),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
