/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "quic/error.h"

static void
error_name__knows_codes_ranges_and_strangers(void **state)
{
	assert_string_equal(quic_error_name(0), "NO_ERROR");
	assert_string_equal(quic_error_name(0x0a), "PROTOCOL_VIOLATION");
	assert_string_equal(quic_error_name(0x10), "NO_VIABLE_PATH");
	assert_string_equal(quic_error_name(QUIC_CRYPTO_ERROR(0x28)), "CRYPTO_ERROR");
	assert_string_equal(quic_error_name(0x1ff), "CRYPTO_ERROR");
	assert_string_equal(quic_error_name(0x200), "unknown");
	assert_string_equal(quic_error_name(0x11), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_name__knows_codes_ranges_and_strangers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
