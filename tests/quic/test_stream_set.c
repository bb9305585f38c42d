/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/quic/stream_fixture.h"

static struct stream_fixture server;
static const uint8_t octets[4000];

static int
set_up(void **state)
{
	(void)state;
	stream_fixture_init(&server, QUIC_SERVER);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	stream_fixture_fini(&server);
	return 0;
}

static bool
next_event(struct quic_stream_event *event)
{
	return quic_stream_set_next_event(&server.set, &server.memory, event);
}

/* Sends and acknowledges everything the set has. */
static void
send_and_ack_all(void)
{
	struct quic_send_piece piece;
	struct quic_frame frame;
	struct quic_sent_frame record;
	struct quic_stream *stream;

	while (quic_stream_set_next_control(&server.set, BASE_MS, BASE_SECOND, &frame, &record)) {
		quic_stream_set_on_control_sent(&server.set, &record);
		quic_stream_set_on_acked(&server.set, &server.memory, &record);
	}
	while ((stream = quic_stream_set_next_to_send(&server.set)) != NULL) {
		assert_true(quic_stream_set_piece(&server.set, stream, 1000, &piece));
		record = (struct quic_sent_frame){.type = QUIC_SENT_STREAM,
			.id = stream->id,
			.offset = piece.offset,
			.length = (uint32_t)piece.length,
			.fin = piece.fin};
		quic_stream_set_on_sent(&server.set, stream, &piece);
		quic_stream_set_on_acked(&server.set, &server.memory, &record);
	}
	quic_stream_set_check(&server.set, &server.memory);
}

/*
 * RFC 9000 section 3.2: "Before a stream is created, all streams of the same type with lower-numbered stream
 * IDs MUST be created."
 */
static void
receive__opens_all_lower_numbered_streams(void **state)
{
	struct quic_stream_event event;

	(void)state;
	assert_int_equal(stream_fixture_receive(&server, 8, 0, octets, 10, false), QUIC_NO_ERROR);
	assert_int_equal(server.set.count, 3);
	assert_non_null(quic_stream_set_find(&server.set, 0));
	assert_non_null(quic_stream_set_find(&server.set, 4));
	assert_null(quic_stream_set_find(&server.set, 2));
	assert_true(next_event(&event));
	assert_int_equal(event.type, QUIC_EVENT_STREAM_READABLE);
	assert_int_equal(event.stream_id, 8);
	assert_null(event.user);
	assert_false(next_event(&event));
}

static void
receive__beyond_max_streams_is_a_stream_limit_error(void **state)
{
	(void)state;
	assert_int_equal(
		stream_fixture_receive(&server, 40 * 4, 0, octets, 1, false), QUIC_STREAM_LIMIT_ERROR);
	assert_int_equal(stream_fixture_receive(&server, 39 * 4, 0, octets, 1, false), QUIC_NO_ERROR);
	assert_int_equal(server.set.count, 40);
	assert_non_null(server.set.buckets);
	assert_int_equal(
		stream_fixture_receive(&server, 4 * 4 + 2, 0, octets, 1, false), QUIC_STREAM_LIMIT_ERROR);
	assert_int_equal(stream_fixture_receive(&server, 3 * 4 + 2, 0, octets, 1, false), QUIC_NO_ERROR);
	for (uint64_t id = 0; id < 40 * 4; id += 4)
		assert_int_equal(quic_stream_set_find(&server.set, id)->id, id);
}

static void
receive__frames_for_the_wrong_part_are_stream_state_errors(void **state)
{
	struct quic_frame stop = {.type = QUIC_FRAME_STOP_SENDING, .stop_sending = {.stream_id = 2}};
	struct quic_frame reset = {.type = QUIC_FRAME_RESET_STREAM, .reset_stream = {.stream_id = 3}};
	uint64_t id;

	(void)state;
	/*
	 * Section 19.8: a STREAM frame for a locally initiated stream that has not been created, or a send-
	 * only one.
	 */
	assert_int_equal(stream_fixture_receive(&server, 1, 0, octets, 1, false), QUIC_STREAM_STATE_ERROR);
	assert_true(quic_stream_set_open(&server.set, &server.memory, false, &id));
	assert_int_equal(id, 3);
	assert_int_equal(stream_fixture_receive(&server, 3, 0, octets, 1, false), QUIC_STREAM_STATE_ERROR);
	/* Section 19.4, 19.13: nor may these name a send-only stream. */
	assert_int_equal(
		quic_stream_set_receive(&server.set, &server.memory, &reset), QUIC_STREAM_STATE_ERROR);
	assert_int_equal(
		stream_fixture_limit(&server, QUIC_FRAME_STREAM_DATA_BLOCKED, 3, 0), QUIC_STREAM_STATE_ERROR);
	/* Section 19.5, 19.10: a receive-only stream, or one of ours not yet created. */
	assert_int_equal(
		quic_stream_set_receive(&server.set, &server.memory, &stop), QUIC_STREAM_STATE_ERROR);
	assert_int_equal(
		stream_fixture_limit(&server, QUIC_FRAME_MAX_STREAM_DATA, 2, 9), QUIC_STREAM_STATE_ERROR);
	assert_int_equal(
		stream_fixture_limit(&server, QUIC_FRAME_MAX_STREAM_DATA, 1, 9), QUIC_STREAM_STATE_ERROR);
	/* One of the peer's that it has not used yet opens by MAX_STREAM_DATA. */
	assert_int_equal(stream_fixture_limit(&server, QUIC_FRAME_MAX_STREAM_DATA, 0, 9), QUIC_NO_ERROR);
	assert_non_null(quic_stream_set_find(&server.set, 0));
}

static void
receive__counts_flow_control_over_all_streams(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(
			stream_fixture_receive(&server, i * 4, 3900, octets, 100, false), QUIC_NO_ERROR);
	assert_int_equal(server.set.receive.received, 20000);
	assert_int_equal(stream_fixture_receive(&server, 20, 0, octets, 1, false), QUIC_FLOW_CONTROL_ERROR);
	assert_int_equal(stream_fixture_receive(&server, 0, 0, octets, 4000, false), QUIC_NO_ERROR);
}

static void
receive__without_a_stream_element_is_short_of_memory(void **state)
{
	void *taken[FIXTURE_STREAMS];
	int count = 0;

	(void)state;
	while (count < FIXTURE_STREAMS - 1)
		taken[count++] = base_pool_take(server.streams);
	assert_int_equal(stream_fixture_receive(&server, 4, 0, octets, 1, false), QUIC_SHORT_OF_MEMORY);
	base_pool_give(server.streams, taken[--count]);
	assert_int_equal(stream_fixture_receive(&server, 4, 0, octets, 1, false), QUIC_NO_ERROR);
	assert_int_equal(server.set.count, 2);
	while (count > 0)
		base_pool_give(server.streams, taken[--count]);
}

static void
settle__keeps_what_was_not_consumed(void **state)
{
	uint8_t datagram[100];
	const uint8_t *at;
	size_t length;
	bool fin;

	(void)state;
	memset(datagram, 7, sizeof(datagram));
	assert_int_equal(stream_fixture_receive(&server, 0, 0, datagram, 100, true), QUIC_NO_ERROR);
	assert_true(quic_stream_set_borrows(&server.set));
	quic_stream_set_consume(&server.set, &server.memory, 0, 40);
	stream_fixture_settle(&server);
	assert_false(quic_stream_set_borrows(&server.set));
	memset(datagram, 0, sizeof(datagram));
	assert_true(quic_stream_set_read(&server.set, &server.memory, 0, &at, &length, &fin));
	assert_int_equal(length, 60);
	assert_true(fin);
	assert_int_equal(at[0], 7);
	assert_int_equal(at[59], 7);
}

static void
next_event__closes_and_frees_when_both_parts_are_over(void **state)
{
	struct quic_stream_event event;
	int user;

	(void)state;
	assert_int_equal(stream_fixture_receive(&server, 0, 0, octets, 10, true), QUIC_NO_ERROR);
	assert_true(next_event(&event));
	quic_stream_set_find(&server.set, 0)->user = &user;
	quic_stream_set_consume(&server.set, &server.memory, 0, 10);
	assert_true(quic_stream_set_write_static(&server.set, &server.memory, 0, octets, 500, true, 77));
	send_and_ack_all();
	assert_true(next_event(&event));
	assert_int_equal(event.type, QUIC_EVENT_STREAM_RELEASED);
	assert_int_equal(event.cookie, 77);
	assert_true(next_event(&event));
	assert_int_equal(event.type, QUIC_EVENT_STREAM_CLOSED);
	assert_ptr_equal(event.user, &user);
	assert_false(next_event(&event));
	assert_int_equal(server.set.count, 0);
	assert_int_equal(server.streams->in_use, 0);
	/* Stragglers of a closed stream are ignored. */
	assert_int_equal(stream_fixture_receive(&server, 0, 0, octets, 10, true), QUIC_NO_ERROR);
	assert_int_equal(server.set.count, 0);
	assert_false(quic_stream_set_write(&server.set, &server.memory, 0, octets, 1, false));
}

static void
next_event__tells_reset_and_stop(void **state)
{
	struct quic_frame reset = {.type = QUIC_FRAME_RESET_STREAM,
		.reset_stream = {.stream_id = 0, .code = 11, .final_size = 50}};
	struct quic_frame stop = {
		.type = QUIC_FRAME_STOP_SENDING, .stop_sending = {.stream_id = 0, .code = 12}};
	struct quic_stream_event event;

	(void)state;
	assert_int_equal(stream_fixture_receive(&server, 0, 0, octets, 10, false), QUIC_NO_ERROR);
	assert_int_equal(quic_stream_set_receive(&server.set, &server.memory, &reset), QUIC_NO_ERROR);
	assert_int_equal(quic_stream_set_receive(&server.set, &server.memory, &stop), QUIC_NO_ERROR);
	assert_int_equal(server.set.receive.consumed, 50);
	assert_true(next_event(&event));
	assert_int_equal(event.type, QUIC_EVENT_STREAM_RESET);
	assert_int_equal(event.error_code, 11);
	assert_true(next_event(&event));
	assert_int_equal(event.type, QUIC_EVENT_STREAM_STOPPED);
	assert_int_equal(event.error_code, 12);
	assert_false(next_event(&event));
	send_and_ack_all();
	assert_true(next_event(&event));
	assert_int_equal(event.type, QUIC_EVENT_STREAM_CLOSED);
}

static void
open__keeps_to_the_limit_of_the_peer(void **state)
{
	struct quic_stream_event event;
	uint64_t id;

	(void)state;
	assert_int_equal(quic_stream_set_allowed(&server.set, false), 3);
	for (uint64_t i = 0; i < 3; i++) {
		assert_true(quic_stream_set_open(&server.set, &server.memory, false, &id));
		assert_int_equal(id, i * 4 + 3);
	}
	assert_false(quic_stream_set_open(&server.set, &server.memory, false, &id));
	assert_int_equal(stream_fixture_limit(&server, QUIC_FRAME_MAX_STREAMS_UNI, 0, 2), QUIC_NO_ERROR);
	assert_false(next_event(&event));
	assert_int_equal(stream_fixture_limit(&server, QUIC_FRAME_MAX_STREAMS_UNI, 0, 4), QUIC_NO_ERROR);
	assert_true(next_event(&event));
	assert_int_equal(event.type, QUIC_EVENT_STREAMS_ALLOWED);
	assert_true(quic_stream_set_open(&server.set, &server.memory, false, &id));
}

/* RFC 9000 section 18.2: whose initial_max_stream_data counts for which stream. */
static void
open__takes_the_credit_of_its_kind(void **state)
{
	uint64_t id;

	(void)state;
	assert_true(quic_stream_set_open(&server.set, &server.memory, true, &id));
	assert_int_equal(quic_stream_set_find(&server.set, id)->send_flow.limit, 5000);
	assert_true(quic_stream_set_open(&server.set, &server.memory, false, &id));
	assert_int_equal(quic_stream_set_find(&server.set, id)->send_flow.limit, 6000);
	assert_int_equal(stream_fixture_receive(&server, 0, 0, octets, 1, false), QUIC_NO_ERROR);
	assert_int_equal(quic_stream_set_find(&server.set, 0)->send_flow.limit, 4000);
}

/* The chunks of a connection are bounded whatever it sends, and a stream that is read goes on. */
static void
receive__one_octet_at_every_second_offset_is_bounded(void **state)
{
	uint64_t refused = 0;

	(void)state;
	server.set.account.limit = 6;
	for (uint64_t stream = 0; stream < 4; stream++)
		for (uint64_t offset = 1; offset < 4900; offset += 2) {
			uint64_t error =
				stream_fixture_receive(&server, stream * 4, offset, octets, 1, false);

			assert_true(error == QUIC_NO_ERROR || error == QUIC_SHORT_OF_MEMORY);
			refused += error == QUIC_SHORT_OF_MEMORY;
		}
	stream_fixture_settle(&server);
	assert_int_equal(server.set.account.used, 6);
	assert_true(refused > 0);
	assert_int_equal(server.memory.refused, refused);
	assert_true(server.chunks->in_use <= 6 + 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(receive__opens_all_lower_numbered_streams),
		TEST(receive__beyond_max_streams_is_a_stream_limit_error),
		TEST(receive__frames_for_the_wrong_part_are_stream_state_errors),
		TEST(receive__counts_flow_control_over_all_streams),
		TEST(receive__without_a_stream_element_is_short_of_memory),
		TEST(settle__keeps_what_was_not_consumed),
		TEST(next_event__closes_and_frees_when_both_parts_are_over),
		TEST(next_event__tells_reset_and_stop),
		TEST(open__keeps_to_the_limit_of_the_peer),
		TEST(open__takes_the_credit_of_its_kind),
		TEST(receive__one_octet_at_every_second_offset_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
