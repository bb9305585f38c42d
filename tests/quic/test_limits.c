/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/time.h"
#include "quic/limits.h"
#include "quic/recv_buffer.h"

static void
limits_default__is_consistent(void **state)
{
	struct quic_limits limits = quic_limits_default();

	(void)state;
	assert_true(limits.connection_window_bytes <= limits.connection_window_max_bytes);
	assert_true(limits.stream_window_bytes <= limits.stream_window_max_bytes);
	assert_true(limits.stream_window_bytes <= limits.connection_window_bytes);
	assert_true(limits.handshakes <= limits.connections);
	assert_true(limits.congestion < QUIC_CONGESTION_COUNT);
	/* A whole first window may arrive out of order. */
	assert_true(
		(uint64_t)limits.chunks_received * QUIC_RECV_BLOCK_BYTES >= limits.connection_window_bytes);
}

/* RFC 9000 section 18.2: bounds of the transport parameters that are announced. */
static void
limits_default__can_be_announced(void **state)
{
	struct quic_limits limits = quic_limits_default();

	(void)state;
	assert_true(limits.ack_delay_exponent <= 20);
	assert_true(limits.max_ack_delay_ns < (UINT64_C(1) << 14) * BASE_MS);
	assert_int_equal(limits.max_ack_delay_ns % BASE_MS, 0);
	assert_true(limits.active_connection_ids >= 2);
	assert_true(limits.max_udp_payload_bytes >= 1200);
	/* Section 7.5: at least 4096 octets of CRYPTO data must be buffered. */
	assert_true(limits.crypto_buffer_bytes >= 4096);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_default__is_consistent),
		cmocka_unit_test(limits_default__can_be_announced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
