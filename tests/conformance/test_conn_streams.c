/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 9000 sections 3, 4 and 19.4 to 19.14, as a client that breaks them sees the server. */
#include "tests/support/cmocka_all.h"

#include "tests/conformance/raw_client.h"

#define ROWS(server, rows) raw_expect_rows(server, rows, sizeof(rows) / sizeof((rows)[0]))

/* Windows that one packet can overrun: 3000 octets for the connection, 2000 for each stream. */
static struct quic_limits
narrow(void)
{
	struct quic_limits limits = raw_limits();

	limits.connection_window_bytes = 3000;
	limits.stream_window_bytes = 2000;
	return limits;
}

/* RFC 9000 section 4.6: "An endpoint that receives a frame with a stream ID exceeding the limit it has sent MUST treat this as a
 * connection error of type STREAM_LIMIT_ERROR". */
static void
receive_stream__id_above_the_limit_is_a_stream_limit_error(void **state)
{
	static const struct raw_row rows[] = {
		{"0a 4190 01 aa", QUIC_STREAM_LIMIT_ERROR, 0x0a}, /* stream 400 is the 101st */
		{"0a 4042 01 aa", QUIC_STREAM_LIMIT_ERROR, 0x0a}, /* unidirectional 66 is the 17th */
		{"04 4190 00 00", QUIC_STREAM_LIMIT_ERROR, 0x04},
		{"05 4190 00", QUIC_STREAM_LIMIT_ERROR, 0x05},
		{"11 4190 4400", QUIC_STREAM_LIMIT_ERROR, 0x11},
		{"15 4190 00", QUIC_STREAM_LIMIT_ERROR, 0x15},
	};

	(void)state;
	ROWS(NULL, rows);
}

static void
receive_stream__last_id_within_the_limit_is_taken(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_handshake(raw, QUIC_CLIENT);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "0a 418c 01 aa 0a 403e 01 aa");
	raw_expect_open(raw);
	assert_int_equal(raw->events[QUIC_EVENT_STREAM_READABLE], 2);
	raw_close(raw);
}

/* RFC 9000 section 4.1: "A receiver MUST close the connection with an error of type FLOW_CONTROL_ERROR if the sender violates the
 * advertised connection or stream data limits". */
static void
receive_stream__octets_above_the_stream_window_are_a_flow_control_error(void **state)
{
	static const struct raw_row rows[] = {
		{"0e 00 47d0 01 aa", QUIC_FLOW_CONTROL_ERROR, 0x0e},
		{"0f 00 47d0 01 aa", QUIC_FLOW_CONTROL_ERROR, 0x0f},
		{"0c 00 47cf aaaa", QUIC_FLOW_CONTROL_ERROR, 0x0c},
		{"04 00 00 47d1", QUIC_FLOW_CONTROL_ERROR, 0x04},
	};
	struct quic_limits limits = narrow();

	(void)state;
	ROWS(&limits, rows);
}

static void
receive_stream__octets_above_the_connection_window_are_a_flow_control_error(void **state)
{
	static const struct raw_row rows[] = {
		/* 2000 and 1001, by gaps */
		{"0e 00 47cf 01 aa 0e 04 43e8 01 aa", QUIC_FLOW_CONTROL_ERROR, 0x0e},
		/* section 4.5: the final size of a reset stream counts */
		{"04 00 00 47d0 04 04 00 43e9", QUIC_FLOW_CONTROL_ERROR, 0x04},
		{"0e 00 47cf 01 aa 0f 02 43e8 01 aa", QUIC_FLOW_CONTROL_ERROR, 0x0f},
	};
	struct quic_limits limits = narrow();

	(void)state;
	ROWS(&limits, rows);
}

static void
receive_stream__octets_up_to_both_windows_are_taken(void **state)
{
	struct quic_limits limits = narrow();
	struct raw *raw = raw_open(&limits, NULL);

	(void)state;
	raw_handshake(raw, QUIC_CLIENT);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "0e 00 47cf 01 aa 0e 04 43e7 01 aa");
	/* The same octets again cost nothing. */
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "0e 00 47cf 01 aa 0e 04 43e7 01 aa");
	raw_expect_open(raw);
	raw_close(raw);
}

/* RFC 9000 section 4.5: "Once a final size for a stream is known, it cannot change. If a RESET_STREAM or STREAM frame is received
 * indicating a change in the final size for the stream, an endpoint SHOULD respond with an error of type FINAL_SIZE_ERROR". */
static void
receive_stream__another_final_size_is_a_final_size_error(void **state)
{
	static const struct raw_row rows[] = {
		{"0f 00 05 01 aa 0f 00 06 01 aa", QUIC_FINAL_SIZE_ERROR, 0x0f},
		{"0f 00 05 01 aa 0f 00 04 01 aa", QUIC_FINAL_SIZE_ERROR, 0x0f},
		{"0f 00 05 01 aa 04 00 00 07", QUIC_FINAL_SIZE_ERROR, 0x04},
		{"0f 00 05 01 aa 04 00 00 05", QUIC_FINAL_SIZE_ERROR, 0x04},
	};

	(void)state;
	ROWS(NULL, rows);
}

/* The same section: "A receiver SHOULD treat receipt of data at or beyond the final size as an error of type FINAL_SIZE_ERROR". */
static void
receive_stream__octets_beyond_the_final_size_are_a_final_size_error(void **state)
{
	static const struct raw_row rows[] = {
		{"0f 00 05 01 aa 0e 00 06 01 aa", QUIC_FINAL_SIZE_ERROR, 0x0e},
		{"0b 00 00 0a 00 01 aa", QUIC_FINAL_SIZE_ERROR, 0x0a},
	};

	(void)state;
	ROWS(NULL, rows);
}

/* RFC 9000 section 20.1, FINAL_SIZE_ERROR: "An endpoint received a STREAM frame or a RESET_STREAM frame containing a final size that
 * was lower than the size of stream data that was already received." */
static void
receive_stream__final_size_below_what_came_is_a_final_size_error(void **state)
{
	static const struct raw_row rows[] = {
		{"0e 00 09 01 aa 0f 00 05 01 aa", QUIC_FINAL_SIZE_ERROR, 0x0f},
		{"0e 00 09 01 aa 04 00 00 09", QUIC_FINAL_SIZE_ERROR, 0x04},
	};

	(void)state;
	ROWS(NULL, rows);
}

/* Section 19.4: "An endpoint that receives a RESET_STREAM frame for a send-only stream MUST terminate the connection with error
 * STREAM_STATE_ERROR." */
static void
receive_reset_stream__send_only_stream_is_a_stream_state_error(void **state)
{
	static const struct raw_row rows[] = {
		{"04 03 00 00", QUIC_STREAM_STATE_ERROR, 0x04},
		/* section 20.1: "a frame for a stream that was not in a state that permitted that frame" */
		{"04 01 00 00", QUIC_STREAM_STATE_ERROR, 0x04},
	};

	(void)state;
	ROWS(NULL, rows);
}

/* Section 19.5: "Receiving a STOP_SENDING frame for a locally initiated stream that has not yet been created MUST be treated as a
 * connection error of type STREAM_STATE_ERROR. An endpoint that receives a STOP_SENDING frame for a receive-only stream MUST
 * terminate the connection with error STREAM_STATE_ERROR." */
static void
receive_stop_sending__wrong_stream_is_a_stream_state_error(void **state)
{
	static const struct raw_row rows[] = {
		{"05 01 00", QUIC_STREAM_STATE_ERROR, 0x05},
		{"05 03 00", QUIC_STREAM_STATE_ERROR, 0x05},
		{"05 02 00", QUIC_STREAM_STATE_ERROR, 0x05},
	};

	(void)state;
	ROWS(NULL, rows);
}

/* Section 19.8: "An endpoint MUST terminate the connection with error STREAM_STATE_ERROR if it receives a STREAM frame for a locally
 * initiated stream that has not yet been created, or for a send-only stream." */
static void
receive_stream__wrong_stream_is_a_stream_state_error(void **state)
{
	static const struct raw_row rows[] = {
		{"0a 01 01 aa", QUIC_STREAM_STATE_ERROR, 0x0a},
		{"0a 03 01 aa", QUIC_STREAM_STATE_ERROR, 0x0a},
	};

	(void)state;
	ROWS(NULL, rows);
}

static void
receive_stream__send_only_stream_that_is_open_is_a_stream_state_error(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);
	uint64_t stream_id;

	(void)state;
	raw_handshake(raw, QUIC_CLIENT);
	assert_true(quic_conn_stream_open(raw_conn(raw, QUIC_SERVER), false, &stream_id));
	assert_int_equal(stream_id, 3);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "0a 03 01 aa");
	raw_expect_close(raw, QUIC_STREAM_STATE_ERROR, 0x0a);
	raw_close(raw);
}

/* Section 19.10: "Receiving a MAX_STREAM_DATA frame for a locally initiated stream that has not yet been created MUST be treated as a
 * connection error of type STREAM_STATE_ERROR. An endpoint that receives a MAX_STREAM_DATA frame for a receive-only stream MUST
 * terminate the connection with error STREAM_STATE_ERROR." */
static void
receive_max_stream_data__wrong_stream_is_a_stream_state_error(void **state)
{
	static const struct raw_row rows[] = {
		{"11 01 4400", QUIC_STREAM_STATE_ERROR, 0x11},
		{"11 03 4400", QUIC_STREAM_STATE_ERROR, 0x11},
		{"11 02 4400", QUIC_STREAM_STATE_ERROR, 0x11},
	};

	(void)state;
	ROWS(NULL, rows);
}

/* Section 19.13: "An endpoint that receives a STREAM_DATA_BLOCKED frame for a send-only stream MUST terminate the connection with error
 * STREAM_STATE_ERROR." */
static void
receive_stream_data_blocked__send_only_stream_is_a_stream_state_error(void **state)
{
	static const struct raw_row rows[] = {{"15 03 00", QUIC_STREAM_STATE_ERROR, 0x15}};

	(void)state;
	ROWS(NULL, rows);
}

/* Sections 19.8 and 19.11: an offset above 2^62 - 1, "Receipt of a frame that permits opening of a stream larger than this limit (2^60)
 * MUST be treated as a connection error of type FRAME_ENCODING_ERROR"; section 19.14 likewise. */
static void
receive_frame__numbers_too_large_are_a_frame_encoding_error(void **state)
{
	static const struct raw_row rows[] = {
		{"0e 00 ffffffffffffffff 01 aa", QUIC_FRAME_ENCODING_ERROR, 0x0e},
		{"12 d000000000000001", QUIC_FRAME_ENCODING_ERROR, 0x12},
		{"13 d000000000000001", QUIC_FRAME_ENCODING_ERROR, 0x13},
		{"16 d000000000000001", QUIC_FRAME_ENCODING_ERROR, 0x16},
		{"17 d000000000000001", QUIC_FRAME_ENCODING_ERROR, 0x17},
		{"0a 00 05 aa", QUIC_FRAME_ENCODING_ERROR, 0x0a},
		{"04 00 00", QUIC_FRAME_ENCODING_ERROR, 0x04},
	};

	(void)state;
	ROWS(NULL, rows);
}

/* Section 4.1: "Once a receiver advertises a limit for the connection or a stream, it MAY advertise a smaller limit, but this has no
 * effect." Section 4.6: "MAX_STREAMS frames that do not increase the stream limit MUST be ignored." */
static void
receive_max__smaller_limits_are_ignored(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);
	struct quic_conn *conn;

	(void)state;
	raw_handshake(raw, QUIC_CLIENT);
	conn = raw_conn(raw, QUIC_SERVER);
	assert_int_equal(quic_conn_streams_allowed(conn, true), 100);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "10 00 12 00 13 00");
	assert_int_equal(quic_conn_streams_allowed(conn, true), 100);
	assert_int_equal(quic_conn_streams_allowed(conn, false), 16);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 3.5: "An endpoint that receives a STOP_SENDING frame MUST send a RESET_STREAM frame if the stream is in the "Ready" or "Send"
 * state." */
static void
receive_stop_sending__is_answered_by_reset_stream(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);
	struct quic_frame frame;

	(void)state;
	raw_handshake(raw, QUIC_CLIENT);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "05 00 07");
	assert_non_null(raw_find(raw, QUIC_FRAME_RESET_STREAM, &frame));
	assert_int_equal(frame.reset_stream.stream_id, 0);
	assert_int_equal(frame.reset_stream.code, 7);
	assert_int_equal(frame.reset_stream.final_size, 0);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 3.2: "Before a stream is created, all streams of the same type with lower-numbered stream IDs MUST be created." */
static void
receive_stream__creates_the_lower_numbered_ones(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_handshake(raw, QUIC_CLIENT);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "0a 08 01 aa");
	assert_true(quic_conn_stream_set_user(raw_conn(raw, QUIC_SERVER), 0, raw));
	assert_true(quic_conn_stream_set_user(raw_conn(raw, QUIC_SERVER), 4, raw));
	assert_false(quic_conn_stream_set_user(raw_conn(raw, QUIC_SERVER), 12, raw));
	raw_close(raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receive_stream__id_above_the_limit_is_a_stream_limit_error),
		cmocka_unit_test(receive_stream__last_id_within_the_limit_is_taken),
		cmocka_unit_test(receive_stream__octets_above_the_stream_window_are_a_flow_control_error),
		cmocka_unit_test(receive_stream__octets_above_the_connection_window_are_a_flow_control_error),
		cmocka_unit_test(receive_stream__octets_up_to_both_windows_are_taken),
		cmocka_unit_test(receive_stream__another_final_size_is_a_final_size_error),
		cmocka_unit_test(receive_stream__octets_beyond_the_final_size_are_a_final_size_error),
		cmocka_unit_test(receive_stream__final_size_below_what_came_is_a_final_size_error),
		cmocka_unit_test(receive_reset_stream__send_only_stream_is_a_stream_state_error),
		cmocka_unit_test(receive_stop_sending__wrong_stream_is_a_stream_state_error),
		cmocka_unit_test(receive_stream__wrong_stream_is_a_stream_state_error),
		cmocka_unit_test(receive_stream__send_only_stream_that_is_open_is_a_stream_state_error),
		cmocka_unit_test(receive_max_stream_data__wrong_stream_is_a_stream_state_error),
		cmocka_unit_test(receive_stream_data_blocked__send_only_stream_is_a_stream_state_error),
		cmocka_unit_test(receive_frame__numbers_too_large_are_a_frame_encoding_error),
		cmocka_unit_test(receive_max__smaller_limits_are_ignored),
		cmocka_unit_test(receive_stop_sending__is_answered_by_reset_stream),
		cmocka_unit_test(receive_stream__creates_the_lower_numbered_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
