/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/datagram.h"

static const struct base_address v4 = {
	.ip = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 1}, .port = 443};
static const struct base_address v6 = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 4433};

static void
address_text__is_what_people_write(void **state)
{
	char text[BASE_ADDRESS_TEXT];

	assert_string_equal(base_address_text(&v4, text), "192.0.2.1:443");
	assert_string_equal(base_address_text(&v6, text), "[2001:db8::1]:4433");
}

static void
path_overhead__is_the_headers_of_its_family(void **state)
{
	assert_int_equal(base_path_overhead_bytes(&(struct base_path){.remote = v4}), 28);
	assert_int_equal(base_path_overhead_bytes(&(struct base_path){.remote = v6}), 48);
}

static void
path_equal__compares_both_ends_and_ports(void **state)
{
	struct base_path a = {.local = v4, .remote = v6}, b = a;

	assert_true(base_path_equal(&a, &b));
	b.remote.port++;
	assert_false(base_path_equal(&a, &b));
	b = a;
	b.local.ip[15]++;
	assert_false(base_path_equal(&a, &b));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_text__is_what_people_write),
		cmocka_unit_test(path_overhead__is_the_headers_of_its_family),
		cmocka_unit_test(path_equal__compares_both_ends_and_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
