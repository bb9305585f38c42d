/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/reader.h"
#include "http3/error.h"

static void
http3_settings_take__known_values_are_kept(void **state)
{
	struct http3_settings settings;

	http3_settings_init(&settings);
	assert_int_equal(settings.max_field_section_bytes, UINT64_MAX);
	assert_int_equal(http3_settings_take(&settings, HTTP3_SETTING_MAX_FIELD_SECTION_SIZE, 1000), 0);
	assert_int_equal(http3_settings_take(&settings, HTTP3_SETTING_H3_DATAGRAM, 1), 0);
	assert_int_equal(http3_settings_take(&settings, HTTP3_SETTING_ENABLE_CONNECT_PROTOCOL, 0), 0);
	assert_int_equal(http3_settings_take(&settings, HTTP3_SETTING_QPACK_MAX_TABLE_CAPACITY, 4096), 0);
	assert_int_equal(http3_settings_take(&settings, HTTP3_SETTING_QPACK_BLOCKED_STREAMS, 100), 0);
	assert_int_equal(settings.max_field_section_bytes, 1000);
	assert_true(settings.h3_datagram);
	assert_false(settings.enable_connect_protocol);
}

static void
http3_settings_take__duplicates_and_http2_are_errors(void **state)
{
	static const uint64_t known[] = {1, 6, 7, 8, 0x33};
	struct http3_settings settings;

	http3_settings_init(&settings);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(http3_settings_take(&settings, known[i], 1), 0);
		assert_int_equal(http3_settings_take(&settings, known[i], 1), HTTP3_SETTINGS_ERROR);
	}
	for (uint64_t id = 2; id <= 5; id++)
		assert_int_equal(http3_settings_take(&settings, id, 0), HTTP3_SETTINGS_ERROR);
}

static void
http3_settings_take__flags_are_0_or_1(void **state)
{
	struct http3_settings settings;

	http3_settings_init(&settings);
	assert_int_equal(http3_settings_take(&settings, HTTP3_SETTING_H3_DATAGRAM, 2), HTTP3_SETTINGS_ERROR);
	assert_int_equal(http3_settings_take(&settings, HTTP3_SETTING_ENABLE_CONNECT_PROTOCOL, 2),
		HTTP3_SETTINGS_ERROR);
}

static void
http3_settings_write__is_taken_back(void **state)
{
	uint8_t octets[96];
	struct base_writer writer = base_writer(octets, sizeof(octets));
	struct base_reader reader;
	struct http3_settings settings;
	uint64_t length;

	http3_settings_write(&writer, 16384, 12345);
	reader = base_reader(octets, base_writer_length(&writer));
	http3_settings_init(&settings);
	assert_int_equal(base_reader_varint(&reader), 4);
	length = base_reader_varint(&reader);
	assert_int_equal(length, base_reader_left(&reader));
	while (base_reader_left(&reader) > 0) {
		uint64_t id = base_reader_varint(&reader);

		assert_int_equal(http3_settings_take(&settings, id, base_reader_varint(&reader)), 0);
	}
	assert_true(base_reader_ok(&reader));
	assert_int_equal(settings.max_field_section_bytes, 16384);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http3_settings_take__known_values_are_kept),
		cmocka_unit_test(http3_settings_take__duplicates_and_http2_are_errors),
		cmocka_unit_test(http3_settings_take__flags_are_0_or_1),
		cmocka_unit_test(http3_settings_write__is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
