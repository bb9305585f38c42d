/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "quic/reset.h"

static const uint8_t token[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void
reset_size__is_always_smaller_than_the_cause(void **state)
{
	for (size_t received = 0; received < 1500; received++) {
		size_t size = quic_reset_size(received);

		assert_true(size == 0 || (size < received && size >= QUIC_RESET_MIN_BYTES));
	}
	assert_int_equal(quic_reset_size(21), 0);
	assert_int_equal(quic_reset_size(22), 21);
	assert_int_equal(quic_reset_size(1200), QUIC_RESET_USUAL_BYTES);
}

static void
reset_write__looks_like_a_short_header_and_ends_with_the_token(void **state)
{
	uint8_t octets[64];
	struct base_random random;

	base_random_init(&random, 3);
	for (size_t length = QUIC_RESET_MIN_BYTES; length <= QUIC_RESET_USUAL_BYTES; length++) {
		struct base_writer writer = base_writer(octets, sizeof(octets));
		struct base_writer small = base_writer(octets, length - 1);

		assert_false(quic_reset_write(&small, length, token, &random));
		assert_true(quic_reset_write(&writer, length, token, &random));
		assert_int_equal(base_writer_length(&writer), length);
		assert_int_equal(octets[0] & 0xc0, 0x40);
		assert_memory_equal(quic_reset_token_of(octets, length), token, 16);
	}
}

static void
reset_token_of__refuses_short_datagrams_and_long_headers(void **state)
{
	uint8_t octets[40] = {0x40};

	assert_null(quic_reset_token_of(octets, 20));
	assert_non_null(quic_reset_token_of(octets, 21));
	octets[0] = 0xc0;
	assert_null(quic_reset_token_of(octets, 40));
}

static void
limiter_take__allows_the_burst_then_the_rate(void **state)
{
	struct quic_limiter limiter;
	uint64_t now_ns = 5000000000;
	unsigned taken = 0;

	quic_limiter_init(&limiter, 10, 4);
	for (int i = 0; i < 100; i++)
		taken += quic_limiter_take(&limiter, now_ns);
	assert_int_equal(taken, 4);
	assert_false(quic_limiter_take(&limiter, now_ns + 99999999));
	assert_true(quic_limiter_take(&limiter, now_ns + 100000000));
	assert_false(quic_limiter_take(&limiter, now_ns + 100000000));
	/* A long rest fills the bucket, and no more than that. */
	now_ns += 3600 * UINT64_C(1000000000);
	for (taken = 0; quic_limiter_take(&limiter, now_ns);)
		taken++;
	assert_int_equal(taken, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_size__is_always_smaller_than_the_cause),
		cmocka_unit_test(reset_write__looks_like_a_short_header_and_ends_with_the_token),
		cmocka_unit_test(reset_token_of__refuses_short_datagrams_and_long_headers),
		cmocka_unit_test(limiter_take__allows_the_burst_then_the_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
