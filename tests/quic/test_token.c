/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "quic/token.h"
#include "tests/support/backend.h"

#define RETRY_NS UINT64_C(10000000000)
#define NEW_NS UINT64_C(86400000000000)
#define NOW_NS UINT64_C(1700000000000000000)

static struct quic_token_codec codec;
static const struct base_address client = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 4433};
static uint8_t octets[QUIC_TOKEN_MAX_BYTES];

static int
set_up(void **state)
{
	static const uint8_t key[QUIC_TOKEN_KEY_BYTES] = {1, 2, 3};

	quic_token_codec_init(&codec, support_backend(), RETRY_NS, NEW_NS);
	quic_token_codec_add_key(&codec, 1, key);
	return 0;
}

static size_t
seal(enum quic_token_kind kind)
{
	struct quic_token token = {.kind = kind, .issued_unix_ns = NOW_NS};
	struct base_writer writer = base_writer(octets, sizeof(octets));

	token.original_destination_connection_id = quic_cid("12345678901234567890", 20);
	token.retry_source_connection_id = quic_cid("abcdefghijklmnopq", 17);
	assert_true(quic_token_seal(&codec, &token, &client, &writer));
	return base_writer_length(&writer);
}

static void
token_open__gives_back_a_retry_token(void **state)
{
	struct quic_token token;
	size_t length = seal(QUIC_TOKEN_RETRY);

	assert_int_equal(
		quic_token_open(&codec, octets, length, &client, NOW_NS + 1, &token), QUIC_TOKEN_VALID);
	assert_int_equal(token.kind, QUIC_TOKEN_RETRY);
	assert_true(token.issued_unix_ns == NOW_NS);
	assert_int_equal(token.original_destination_connection_id.length, 20);
	assert_memory_equal(token.original_destination_connection_id.octets, "12345678901234567890", 20);
	assert_int_equal(token.retry_source_connection_id.length, 17);
	assert_memory_equal(token.retry_source_connection_id.octets, "abcdefghijklmnopq", 17);
}

static void
token_open__binds_retry_to_the_port_and_new_token_to_the_address(void **state)
{
	struct base_address other_port = client;
	struct base_address other_ip = client;
	struct quic_token token;
	size_t length = seal(QUIC_TOKEN_RETRY);

	other_port.port++;
	other_ip.ip[15]++;
	assert_int_equal(
		quic_token_open(&codec, octets, length, &other_port, NOW_NS, &token), QUIC_TOKEN_UNKNOWN);
	assert_int_equal(
		quic_token_open(&codec, octets, length, &other_ip, NOW_NS, &token), QUIC_TOKEN_UNKNOWN);
	length = seal(QUIC_TOKEN_NEW);
	assert_int_equal(
		quic_token_open(&codec, octets, length, &other_port, NOW_NS, &token), QUIC_TOKEN_VALID);
	assert_int_equal(token.kind, QUIC_TOKEN_NEW);
	assert_int_equal(
		quic_token_open(&codec, octets, length, &other_ip, NOW_NS, &token), QUIC_TOKEN_UNKNOWN);
}

static void
token_open__says_how_a_token_is_too_old(void **state)
{
	struct quic_token token;
	size_t length = seal(QUIC_TOKEN_RETRY);

	assert_int_equal(quic_token_open(&codec, octets, length, &client, NOW_NS + RETRY_NS, &token),
		QUIC_TOKEN_VALID);
	assert_int_equal(quic_token_open(&codec, octets, length, &client, NOW_NS + RETRY_NS + 1, &token),
		QUIC_TOKEN_RETRY_INVALID);
	assert_int_equal(
		quic_token_open(&codec, octets, length, &client, NOW_NS - 1000, &token), QUIC_TOKEN_VALID);
	length = seal(QUIC_TOKEN_NEW);
	assert_int_equal(quic_token_open(&codec, octets, length, &client, NOW_NS + NEW_NS + 1, &token),
		QUIC_TOKEN_EXPIRED);
}

static void
token_open__refuses_every_changed_bit_and_every_cut(void **state)
{
	enum quic_token_kind kinds[] = {QUIC_TOKEN_RETRY, QUIC_TOKEN_NEW};
	struct quic_token token;

	for (size_t k = 0; k < 2; k++) {
		size_t length = seal(kinds[k]);

		for (size_t bit = 0; bit < 8 * length; bit++) {
			octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(quic_token_open(&codec, octets, length, &client, NOW_NS, &token),
				QUIC_TOKEN_UNKNOWN);
			octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		for (size_t cut = 0; cut < length; cut++)
			assert_int_equal(quic_token_open(&codec, octets, cut, &client, NOW_NS, &token),
				QUIC_TOKEN_UNKNOWN);
	}
}

static void
token_open__takes_the_key_before_and_not_the_one_before_that(void **state)
{
	static const uint8_t second[QUIC_TOKEN_KEY_BYTES] = {4};
	static const uint8_t third[QUIC_TOKEN_KEY_BYTES] = {5};
	struct quic_token token;
	size_t length = seal(QUIC_TOKEN_NEW);

	quic_token_codec_add_key(&codec, 2, second);
	assert_int_equal(quic_token_open(&codec, octets, length, &client, NOW_NS, &token), QUIC_TOKEN_VALID);
	quic_token_codec_add_key(&codec, 3, third);
	assert_int_equal(
		quic_token_open(&codec, octets, length, &client, NOW_NS, &token), QUIC_TOKEN_UNKNOWN);
	length = seal(QUIC_TOKEN_NEW);
	assert_int_equal(octets[0] >> 1, 3);
	assert_int_equal(quic_token_open(&codec, octets, length, &client, NOW_NS, &token), QUIC_TOKEN_VALID);
}

static void
token_seal__refuses_when_there_is_no_room(void **state)
{
	struct quic_token token = {.kind = QUIC_TOKEN_NEW, .issued_unix_ns = NOW_NS};
	size_t length = seal(QUIC_TOKEN_NEW);
	struct base_writer writer = base_writer(octets, length - 1);

	assert_false(quic_token_seal(&codec, &token, &client, &writer));
	assert_int_equal(base_writer_length(&writer), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(token_open__gives_back_a_retry_token, set_up),
		cmocka_unit_test_setup(
			token_open__binds_retry_to_the_port_and_new_token_to_the_address, set_up),
		cmocka_unit_test_setup(token_open__says_how_a_token_is_too_old, set_up),
		cmocka_unit_test_setup(token_open__refuses_every_changed_bit_and_every_cut, set_up),
		cmocka_unit_test_setup(token_open__takes_the_key_before_and_not_the_one_before_that, set_up),
		cmocka_unit_test_setup(token_seal__refuses_when_there_is_no_room, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
