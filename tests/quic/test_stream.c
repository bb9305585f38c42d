/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "quic/stream.h"

enum { CHUNKS = 16, SEGMENTS = 8, WINDOW_BYTES = 4000, SEND_LIMIT = 3000, BUFFER_BYTES = 6000 };

static struct base_pool *chunks;
static struct quic_memory memory;
static struct quic_segment segments[SEGMENTS];
static struct quic_chunk_account account;
static struct quic_flow_receive connection;
static struct quic_stream stream;
static struct quic_stream_effect effect;
static const uint8_t octets[8000];

static int
set_up(void **state)
{
	(void)state;
	chunks = base_pool_open(NULL, QUIC_CHUNK_BYTES, CHUNKS);
	quic_memory_init(&memory, chunks, NULL, segments, SEGMENTS, 0);
	account = (struct quic_chunk_account){.limit = 8};
	quic_flow_receive_init(&connection, 100000, 100000);
	quic_stream_init(&stream, 0, true, true, SEND_LIMIT, WINDOW_BYTES, WINDOW_BYTES);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	quic_stream_fini(&stream, &memory, &account);
	assert_int_equal(account.used, 0);
	quic_memory_fini(&memory);
	assert_int_equal(chunks->in_use, 0);
	base_pool_close(chunks);
	return 0;
}

static uint64_t
receive(uint64_t offset, size_t length, bool fin)
{
	return quic_stream_receive(
		&stream, &memory, &account, &connection, offset, octets, length, fin, &effect);
}

static uint64_t
receive_reset(uint64_t code, uint64_t final_size)
{
	return quic_stream_receive_reset(&stream, &memory, &account, &connection, code, final_size, &effect);
}

static void
send_all(void)
{
	struct quic_send_piece piece;

	while (quic_stream_next(&stream, 1000, UINT64_MAX, &piece))
		quic_stream_on_sent(&stream, &piece);
}

/* ---- the receiving part, RFC 9000 section 3.2 ---- */

static void
receive__goes_through_the_states_of_section_3_2(void **state)
{
	const uint8_t *at;
	size_t length;
	bool fin;

	(void)state;
	assert_int_equal(receive(500, 500, true), QUIC_NO_ERROR);
	assert_int_equal(effect.received, 1000);
	assert_int_equal(stream.recv_state, QUIC_RECV_SIZE_KNOWN);
	assert_false(quic_stream_read(&stream, &memory, &at, &length, &fin));
	assert_int_equal(receive(0, 500, false), QUIC_NO_ERROR);
	assert_int_equal(effect.received, 0);
	assert_int_equal(stream.recv_state, QUIC_RECV_DATA_RECVD);
	assert_true(stream.events & QUIC_STREAM_EVENT_READABLE);
	assert_true(quic_stream_read(&stream, &memory, &at, &length, &fin));
	assert_int_equal(length, 500);
	assert_false(fin);
	quic_stream_consume(&stream, &memory, &account, 500, &effect);
	assert_true(quic_stream_read(&stream, &memory, &at, &length, &fin));
	assert_true(fin);
	quic_stream_consume(&stream, &memory, &account, 500, &effect);
	assert_int_equal(effect.consumed, 500);
	assert_int_equal(stream.recv_state, QUIC_RECV_DATA_READ);
	assert_false(quic_stream_read(&stream, &memory, &at, &length, &fin));
}

static void
receive__an_empty_frame_with_fin_ends_the_stream(void **state)
{
	const uint8_t *at;
	size_t length;
	bool fin;

	(void)state;
	assert_int_equal(receive(0, 0, true), QUIC_NO_ERROR);
	assert_true(stream.events & QUIC_STREAM_EVENT_READABLE);
	assert_true(quic_stream_read(&stream, &memory, &at, &length, &fin));
	assert_true(fin && length == 0);
	quic_stream_consume(&stream, &memory, &account, 0, &effect);
	assert_int_equal(stream.recv_state, QUIC_RECV_DATA_READ);
}

static void
receive__beyond_a_limit_is_a_flow_control_error(void **state)
{
	(void)state;
	assert_int_equal(receive(WINDOW_BYTES, 1, false), QUIC_FLOW_CONTROL_ERROR);
	assert_int_equal(receive_reset(1, WINDOW_BYTES + 1), QUIC_FLOW_CONTROL_ERROR);
	quic_flow_receive_init(&connection, 100, 100);
	assert_int_equal(receive(0, 101, false), QUIC_FLOW_CONTROL_ERROR);
	assert_int_equal(receive(0, 100, false), QUIC_NO_ERROR);
}

static void
receive__after_the_end_still_checks_the_final_size(void **state)
{
	(void)state;
	assert_int_equal(receive(0, 10, true), QUIC_NO_ERROR);
	quic_stream_consume(&stream, &memory, &account, 10, &effect);
	assert_int_equal(receive(5, 5, true), QUIC_NO_ERROR);
	assert_int_equal(receive(5, 6, false), QUIC_FINAL_SIZE_ERROR);
	assert_int_equal(receive_reset(1, 11), QUIC_FINAL_SIZE_ERROR);
	assert_int_equal(receive_reset(1, 10), QUIC_NO_ERROR);
	assert_int_equal(stream.recv_state, QUIC_RECV_DATA_READ);
}

static void
receive__short_of_memory_changes_nothing(void **state)
{
	(void)state;
	account.limit = 0;
	assert_int_equal(receive(1, 10, true), QUIC_SHORT_OF_MEMORY);
	assert_int_equal(stream.recv_state, QUIC_RECV_RECV);
	assert_int_equal(stream.receive_flow.received, 0);
	assert_int_equal(stream.receive.final_size, QUIC_FINAL_SIZE_UNKNOWN);
	assert_int_equal(effect.received, 0);
}

static void
receive_reset__gives_all_credit_back(void **state)
{
	(void)state;
	assert_int_equal(receive(100, 100, false), QUIC_NO_ERROR);
	assert_int_equal(receive_reset(7, 1000), QUIC_NO_ERROR);
	assert_int_equal(effect.received, 800);
	assert_int_equal(effect.consumed, 1000);
	assert_int_equal(stream.recv_state, QUIC_RECV_RESET_RECVD);
	assert_int_equal(stream.peer_reset_code, 7);
	assert_int_equal(stream.events, QUIC_STREAM_EVENT_RESET);
	assert_int_equal(account.used, 0);
	/* Section 4.5: the same again changes nothing, another final size is an error. */
	assert_int_equal(receive_reset(7, 1000), QUIC_NO_ERROR);
	assert_int_equal(effect.consumed, 0);
	assert_int_equal(receive_reset(7, 999), QUIC_FINAL_SIZE_ERROR);
}

static void
consume__asks_for_max_stream_data_at_half_the_window(void **state)
{
	(void)state;
	assert_int_equal(receive(0, 3000, false), QUIC_NO_ERROR);
	quic_stream_consume(&stream, &memory, &account, WINDOW_BYTES / 2 - 1, &effect);
	assert_int_equal(stream.control, 0);
	quic_stream_consume(&stream, &memory, &account, 1, &effect);
	assert_int_equal(stream.control, QUIC_STREAM_CONTROL_MAX_DATA);
	/* Section 4.1: with the final size known, no more credit is needed. */
	assert_int_equal(receive(3000, 100, true), QUIC_NO_ERROR);
	assert_int_equal(stream.control, 0);
}

static void
stop__throws_away_what_comes_until_the_end(void **state)
{
	(void)state;
	assert_int_equal(receive(0, 100, false), QUIC_NO_ERROR);
	quic_stream_stop(&stream, &memory, &account, 5, &effect);
	assert_int_equal(effect.consumed, 100);
	assert_int_equal(stream.control, QUIC_STREAM_CONTROL_STOP);
	assert_int_equal(stream.events, 0);
	assert_int_equal(receive(200, 100, false), QUIC_NO_ERROR);
	assert_int_equal(effect.received, 200);
	assert_int_equal(effect.consumed, 200);
	assert_int_equal(account.used, 0);
	assert_int_equal(receive_reset(5, 400), QUIC_NO_ERROR);
	assert_int_equal(effect.consumed, 100);
	assert_int_equal(stream.recv_state, QUIC_RECV_RESET_READ);
	assert_int_equal(stream.events, 0);
	assert_int_equal(stream.control, 0);
}

static void
stop__needs_no_frame_when_the_size_is_known(void **state)
{
	(void)state;
	assert_int_equal(receive(100, 100, true), QUIC_NO_ERROR);
	quic_stream_stop(&stream, &memory, &account, 5, &effect);
	assert_int_equal(effect.consumed, 200);
	assert_int_equal(stream.control, 0);
	assert_int_equal(stream.recv_state, QUIC_RECV_DATA_READ);
}

/* ---- the sending part, RFC 9000 section 3.1 ---- */

static void
write__goes_through_the_states_of_section_3_1(void **state)
{
	(void)state;
	assert_int_equal(quic_stream_write(&stream, &memory, octets, 1500, true, BUFFER_BYTES), 1500);
	assert_int_equal(stream.send_state, QUIC_SEND_SEND);
	send_all();
	assert_int_equal(stream.send_state, QUIC_SEND_DATA_SENT);
	quic_stream_on_acked(&stream, &memory, 1000, 500, true);
	assert_int_equal(stream.send_state, QUIC_SEND_DATA_SENT);
	quic_stream_on_acked(&stream, &memory, 0, 1000, false);
	assert_int_equal(stream.send_state, QUIC_SEND_DATA_RECVD);
	assert_int_equal(quic_stream_write(&stream, &memory, octets, 1, false, BUFFER_BYTES), 0);
}

static void
write__beyond_credit_is_told_once_for_each_limit(void **state)
{
	(void)state;
	assert_int_equal(quic_stream_write(&stream, &memory, octets, 5000, false, BUFFER_BYTES), 5000);
	send_all();
	assert_int_equal(stream.send_flow.used, SEND_LIMIT);
	assert_int_equal(stream.control, QUIC_STREAM_CONTROL_BLOCKED);
	quic_stream_receive_max_data(&stream, SEND_LIMIT - 1);
	assert_int_equal(stream.control, QUIC_STREAM_CONTROL_BLOCKED);
	quic_stream_receive_max_data(&stream, 4000);
	assert_int_equal(stream.control, 0);
	assert_true(quic_stream_wants_to_send(&stream));
	send_all();
	assert_int_equal(stream.send_flow.used, 4000);
}

static void
write__cut_short_is_told_once_there_is_progress(void **state)
{
	(void)state;
	assert_int_equal(quic_stream_write(&stream, &memory, octets, 8000, true, 2000), 2000);
	assert_false(stream.send.fin);
	assert_int_equal(quic_stream_room(&stream, 2000), 0);
	send_all();
	assert_int_equal(stream.events, 0);
	quic_stream_on_acked(&stream, &memory, 0, 2000, false);
	assert_int_equal(stream.events, QUIC_STREAM_EVENT_WRITABLE);
	assert_int_equal(quic_stream_room(&stream, 2000), 2000);
}

static void
next__keeps_to_the_credit_of_the_connection(void **state)
{
	struct quic_send_piece piece;

	(void)state;
	assert_int_equal(quic_stream_write(&stream, &memory, octets, 2000, false, BUFFER_BYTES), 2000);
	assert_false(quic_stream_next(&stream, 1000, 0, &piece));
	assert_true(quic_stream_next(&stream, 1000, 10, &piece));
	assert_int_equal(piece.length, 10);
	assert_int_equal(quic_stream_on_sent(&stream, &piece), 10);
	quic_stream_on_lost(&stream, &memory, 0, 10, false);
	/* Section 4.1: octets sent again take no credit. */
	assert_true(quic_stream_next(&stream, 1000, 0, &piece));
	assert_true(piece.again);
	assert_int_equal(quic_stream_on_sent(&stream, &piece), 0);
}

/* RFC 9000 section 3.5: "An endpoint that receives a STOP_SENDING frame MUST send a RESET_STREAM frame". */
static void
receive_stop__resets_with_the_same_code(void **state)
{
	(void)state;
	assert_int_equal(quic_stream_write(&stream, &memory, octets, 2000, false, BUFFER_BYTES), 2000);
	send_all();
	quic_stream_receive_stop(&stream, &memory, 9);
	assert_int_equal(stream.send_state, QUIC_SEND_RESET_SENT);
	assert_int_equal(stream.reset_code, 9);
	assert_int_equal(stream.control, QUIC_STREAM_CONTROL_RESET);
	assert_int_equal(stream.events, QUIC_STREAM_EVENT_STOPPED);
	assert_false(quic_stream_wants_to_send(&stream));
	/* ACKs of what was sent before are of no interest any more. */
	quic_stream_on_acked(&stream, &memory, 0, 1000, false);
	quic_stream_on_lost(&stream, &memory, 1000, 1000, false);
	assert_false(quic_stream_wants_to_send(&stream));
	quic_stream_on_reset_acked(&stream);
	assert_int_equal(stream.send_state, QUIC_SEND_RESET_RECVD);
}

static void
reset__after_all_is_acknowledged_does_nothing(void **state)
{
	(void)state;
	assert_int_equal(quic_stream_write(&stream, &memory, octets, 10, true, BUFFER_BYTES), 10);
	send_all();
	quic_stream_on_acked(&stream, &memory, 0, 10, true);
	quic_stream_reset(&stream, &memory, 1);
	assert_int_equal(stream.send_state, QUIC_SEND_DATA_RECVD);
	assert_int_equal(stream.control, 0);
}

static void
over__needs_both_parts(void **state)
{
	struct quic_stream one_way;

	(void)state;
	assert_int_equal(quic_stream_write(&stream, &memory, octets, 10, true, BUFFER_BYTES), 10);
	send_all();
	quic_stream_on_acked(&stream, &memory, 0, 10, true);
	assert_false(quic_stream_over(&stream));
	assert_int_equal(receive(0, 0, true), QUIC_NO_ERROR);
	assert_false(quic_stream_over(&stream));
	quic_stream_consume(&stream, &memory, &account, 0, &effect);
	assert_true(quic_stream_over(&stream));
	quic_stream_init(&one_way, 3, true, false, 0, 0, 0);
	assert_false(quic_stream_over(&one_way));
	quic_stream_reset(&one_way, &memory, 1);
	quic_stream_on_reset_acked(&one_way);
	assert_true(quic_stream_over(&one_way));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(receive__goes_through_the_states_of_section_3_2),
		TEST(receive__an_empty_frame_with_fin_ends_the_stream),
		TEST(receive__beyond_a_limit_is_a_flow_control_error),
		TEST(receive__after_the_end_still_checks_the_final_size),
		TEST(receive__short_of_memory_changes_nothing),
		TEST(receive_reset__gives_all_credit_back),
		TEST(consume__asks_for_max_stream_data_at_half_the_window),
		TEST(stop__throws_away_what_comes_until_the_end),
		TEST(stop__needs_no_frame_when_the_size_is_known),
		TEST(write__goes_through_the_states_of_section_3_1),
		TEST(write__beyond_credit_is_told_once_for_each_limit),
		TEST(write__cut_short_is_told_once_there_is_progress),
		TEST(next__keeps_to_the_credit_of_the_connection),
		TEST(receive_stop__resets_with_the_same_code),
		TEST(reset__after_all_is_acknowledged_does_nothing),
		TEST(over__needs_both_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
