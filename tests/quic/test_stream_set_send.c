/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/random.h"
#include "tests/quic/stream_fixture.h"

enum { SEEDS = 1000, FLIGHT_MAX = 64, TRANSFER_BYTES = 30000, TRANSFERS = 6, PIECE_BYTES = 1200 };

static struct stream_fixture server;
static struct stream_fixture client;
static uint8_t pattern[TRANSFER_BYTES];

static int
set_up(void **state)
{
	(void)state;
	for (int i = 0; i < TRANSFER_BYTES; i++)
		pattern[i] = (uint8_t)(i * 13 + i / 250);
	stream_fixture_init(&server, QUIC_SERVER);
	stream_fixture_init(&client, QUIC_CLIENT);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	stream_fixture_fini(&server);
	stream_fixture_fini(&client);
	return 0;
}

static bool
next_control(struct stream_fixture *from, struct quic_frame *frame, struct quic_sent_frame *record)
{
	return quic_stream_set_next_control(&from->set, 10 * BASE_MS, BASE_SECOND, frame, record);
}

static uint64_t
open_and_write(bool bidirectional, size_t length)
{
	uint64_t id;

	assert_true(quic_stream_set_open(&server.set, &server.memory, bidirectional, &id));
	assert_int_equal(
		quic_stream_set_write(&server.set, &server.memory, id, pattern, length, false), length);
	return id;
}

/* The stream whose turn it is; its piece of at most 1,000 octets counts as sent. */
static uint64_t
send_one(struct quic_send_piece *piece)
{
	struct quic_stream *stream = quic_stream_set_next_to_send(&server.set);
	uint64_t id;

	if (stream == NULL)
		return UINT64_MAX;
	id = stream->id;
	assert_true(quic_stream_set_piece(&server.set, stream, 1000, piece));
	quic_stream_set_on_sent(&server.set, stream, piece);
	quic_stream_set_check(&server.set, &server.memory);
	return id;
}

static void
next_to_send__goes_by_urgency_then_in_turn(void **state)
{
	struct quic_send_piece piece;
	uint64_t a = open_and_write(true, 2000), b = open_and_write(true, 2000),
		 c = open_and_write(true, 2000);

	(void)state;
	quic_stream_set_priority(&server.set, a, 3, true);
	quic_stream_set_priority(&server.set, b, 3, true);
	quic_stream_set_priority(&server.set, c, 1, false);
	assert_int_equal(send_one(&piece), c);
	assert_int_equal(send_one(&piece), c);
	assert_int_equal(send_one(&piece), a);
	assert_int_equal(send_one(&piece), b);
	assert_int_equal(send_one(&piece), a);
	assert_int_equal(send_one(&piece), b);
	assert_int_equal(send_one(&piece), UINT64_MAX);
}

static void
next_to_send__not_incremental_goes_one_after_the_other(void **state)
{
	struct quic_send_piece piece;
	uint64_t a = open_and_write(true, 2000), b = open_and_write(true, 2000);

	(void)state;
	assert_int_equal(send_one(&piece), a);
	assert_int_equal(send_one(&piece), a);
	assert_int_equal(send_one(&piece), b);
	assert_int_equal(send_one(&piece), b);
}

static void
next_to_send__without_connection_credit_repeats_only(void **state)
{
	struct quic_send_piece piece;
	struct quic_frame frame;
	struct quic_sent_frame record, lost = {.type = QUIC_SENT_STREAM, .length = 1000};
	uint64_t a = open_and_write(true, 5000), b = open_and_write(true, 5000),
		 c = open_and_write(true, 5000);

	(void)state;
	while (send_one(&piece) != UINT64_MAX)
		;
	assert_int_equal(server.set.send.used, 10000);
	assert_non_null(quic_stream_set_find(&server.set, c));
	assert_true(quic_stream_set_has_to_send(&server.set));
	assert_true(next_control(&server, &frame, &record));
	assert_int_equal(frame.type, QUIC_FRAME_DATA_BLOCKED);
	assert_int_equal(frame.limit.maximum, 10000);
	quic_stream_set_on_control_sent(&server.set, &record);
	/* The streams a and b used up their own credit and stay silent: they had nothing beyond it. */
	assert_false(next_control(&server, &frame, &record));
	assert_false(quic_stream_set_has_to_send(&server.set));
	lost.id = b;
	quic_stream_set_on_lost(&server.set, &server.memory, &lost);
	assert_int_equal(send_one(&piece), b);
	assert_true(piece.again);
	assert_int_equal(send_one(&piece), UINT64_MAX);
	assert_int_equal(stream_fixture_limit(&server, QUIC_FRAME_MAX_DATA, 0, 10001), QUIC_NO_ERROR);
	assert_int_equal(send_one(&piece), c);
	assert_int_equal(piece.length, 1);
	(void)a;
}

static void
next_control__announces_data_and_streams_and_repeats_the_newest(void **state)
{
	struct quic_frame frame;
	struct quic_sent_frame first, second;
	struct quic_stream_event event;

	(void)state;
	assert_int_equal(stream_fixture_receive(&server, 2, 0, pattern, 8000, false), QUIC_NO_ERROR);
	assert_int_equal(stream_fixture_receive(&server, 6, 0, pattern, 4000, false), QUIC_NO_ERROR);
	assert_false(next_control(&server, &frame, &first));
	quic_stream_set_consume(&server.set, &server.memory, 2, 8000);
	quic_stream_set_consume(&server.set, &server.memory, 6, 2000);
	assert_true(next_control(&server, &frame, &first));
	assert_int_equal(frame.type, QUIC_FRAME_MAX_DATA);
	assert_int_equal(frame.limit.maximum, 30000);
	quic_stream_set_on_control_sent(&server.set, &first);
	assert_true(next_control(&server, &frame, &second));
	assert_int_equal(frame.type, QUIC_FRAME_MAX_STREAM_DATA);
	assert_int_equal(frame.limit.stream_id, 2);
	assert_int_equal(frame.limit.maximum, 16000);
	quic_stream_set_on_control_sent(&server.set, &second);
	assert_false(next_control(&server, &frame, &second));
	/* RFC 9000 section 13.3: the current limit is sent when the most recent frame is lost. */
	quic_stream_set_on_lost(&server.set, &server.memory, &first);
	assert_true(next_control(&server, &frame, &second));
	assert_int_equal(frame.limit.maximum, 30000);
	quic_stream_set_on_control_sent(&server.set, &second);
	first.offset = 20000;
	quic_stream_set_on_lost(&server.set, &server.memory, &first);
	assert_false(next_control(&server, &frame, &second));
	/* One of four unidirectional streams closed: that is a quarter. */
	assert_int_equal(stream_fixture_receive(&server, 2, 8000, pattern, 0, true), QUIC_NO_ERROR);
	quic_stream_set_consume(&server.set, &server.memory, 2, 0);
	while (quic_stream_set_next_event(&server.set, &server.memory, &event))
		;
	assert_true(quic_stream_set_has_to_send(&server.set));
	assert_true(next_control(&server, &frame, &first));
	assert_int_equal(frame.type, QUIC_FRAME_MAX_STREAMS_UNI);
	assert_int_equal(frame.limit.maximum, 5);
	quic_stream_set_on_control_sent(&server.set, &first);
	assert_false(next_control(&server, &frame, &first));
}

static void
next_control__repeats_reset_and_stop_until_acknowledged(void **state)
{
	struct quic_send_piece piece;
	struct quic_frame frame;
	struct quic_sent_frame reset, stop;
	uint64_t id = open_and_write(true, 1500);

	(void)state;
	assert_int_equal(send_one(&piece), id);
	quic_stream_set_reset(&server.set, &server.memory, id, 21);
	quic_stream_set_stop(&server.set, &server.memory, id, 22);
	for (int round = 0; round < 2; round++) {
		assert_true(next_control(&server, &frame, &reset));
		assert_int_equal(frame.type, QUIC_FRAME_RESET_STREAM);
		assert_int_equal(frame.reset_stream.code, 21);
		assert_int_equal(frame.reset_stream.final_size, 1000);
		quic_stream_set_on_control_sent(&server.set, &reset);
		assert_true(next_control(&server, &frame, &stop));
		assert_int_equal(frame.type, QUIC_FRAME_STOP_SENDING);
		assert_int_equal(frame.stop_sending.code, 22);
		quic_stream_set_on_control_sent(&server.set, &stop);
		assert_false(next_control(&server, &frame, &stop));
		stop.type = QUIC_SENT_STOP_SENDING;
		stop.id = id;
		quic_stream_set_on_lost(&server.set, &server.memory, &reset);
		quic_stream_set_on_lost(&server.set, &server.memory, &stop);
	}
	quic_stream_set_on_acked(&server.set, &server.memory, &reset);
	assert_true(next_control(&server, &frame, &stop));
	assert_int_equal(frame.type, QUIC_FRAME_STOP_SENDING);
}

static void
next_control__tells_blocked_streams(void **state)
{
	struct quic_frame frame;
	struct quic_sent_frame record;
	uint64_t id;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(quic_stream_set_open(&server.set, &server.memory, false, &id));
	assert_false(quic_stream_set_open(&server.set, &server.memory, false, &id));
	assert_true(next_control(&server, &frame, &record));
	assert_int_equal(frame.type, QUIC_FRAME_STREAMS_BLOCKED_UNI);
	assert_int_equal(frame.limit.maximum, 3);
	quic_stream_set_on_control_sent(&server.set, &record);
	assert_false(next_control(&server, &frame, &record));
}

/* ---- two sets with a network between them that loses, repeats and reorders frames ---- */

struct flying {
	struct stream_fixture *from;
	struct quic_frame frame;
	struct quic_sent_frame record;
	uint8_t octets[PIECE_BYTES];
};

static struct flying flight[FLIGHT_MAX];
static int flying;
static uint64_t received_bytes;
static int finished, closed;

static bool
fly_one(struct stream_fixture *from, struct base_random *random)
{
	struct flying *one = &flight[flying];
	struct quic_send_piece piece;
	struct quic_stream *stream;

	if (flying == FLIGHT_MAX)
		return false;
	*one = (struct flying){.from = from};
	if (next_control(from, &one->frame, &one->record)) {
		quic_stream_set_on_control_sent(&from->set, &one->record);
		flying++;
		return true;
	}
	stream = quic_stream_set_next_to_send(&from->set);
	if (stream == NULL)
		return false;
	assert_true(quic_stream_set_piece(
		&from->set, stream, 1 + base_random_below(random, PIECE_BYTES - 1), &piece));
	quic_send_buffer_copy(&stream->send, piece.offset, one->octets, piece.length);
	one->frame.type = QUIC_FRAME_STREAM;
	one->frame.stream = (struct quic_frame_stream){.stream_id = stream->id,
		.offset = piece.offset,
		.octets = one->octets,
		.length = piece.length,
		.fin = piece.fin};
	one->record = (struct quic_sent_frame){.type = QUIC_SENT_STREAM,
		.id = stream->id,
		.offset = piece.offset,
		.length = (uint32_t)piece.length,
		.fin = piece.fin};
	quic_stream_set_on_sent(&from->set, stream, &piece);
	flying++;
	return true;
}

/* The receiving application: reads at its own pace, compares, and ends each stream. */
static void
serve(struct stream_fixture *to, struct base_random *random)
{
	struct quic_stream_event event;
	const uint8_t *at;
	size_t length;
	bool fin;

	while (quic_stream_set_next_event(&to->set, &to->memory, &event))
		closed += event.type == QUIC_EVENT_STREAM_CLOSED;
	for (uint64_t id = 3; id < TRANSFERS * 4; id += 4)
		while (to == &client && quic_stream_set_read(&to->set, &to->memory, id, &at, &length, &fin)) {
			uint64_t offset = quic_stream_set_find(&to->set, id)->receive.read_offset;
			size_t take = (size_t)base_random_below(random, length + 1);

			assert_memory_equal(at, pattern + offset, length);
			received_bytes += take;
			finished += fin && take == length;
			quic_stream_set_consume(&to->set, &to->memory, id, take);
			if (take < length)
				break;
		}
}

static void
land_one(struct base_random *random)
{
	int which = (int)base_random_below(random, (uint64_t)flying);
	struct flying one = flight[which];
	struct stream_fixture *to = one.from == &server ? &client : &server;
	uint64_t fate = base_random_below(random, 10), error = QUIC_SHORT_OF_MEMORY;

	if (one.frame.type == QUIC_FRAME_STREAM)
		one.frame.stream.octets = one.octets;
	if (fate >= 2) {
		error = quic_stream_set_receive(&to->set, &to->memory, &one.frame);
		assert_true(error == QUIC_NO_ERROR || error == QUIC_SHORT_OF_MEMORY);
		quic_stream_set_check(&to->set, &to->memory);
		if (base_random_below(random, 2) == 0)
			serve(to, random);
		stream_fixture_settle(to);
		serve(to, random);
	}
	/* With fate 2 it arrived and its ACK was lost: it will come again. */
	if (error == QUIC_NO_ERROR && fate > 2)
		quic_stream_set_on_acked(&one.from->set, &one.from->memory, &one.record);
	else
		quic_stream_set_on_lost(&one.from->set, &one.from->memory, &one.record);
	quic_stream_set_check(&one.from->set, &one.from->memory);
	flight[which] = flight[--flying];
}

static void
one_seed(uint64_t seed)
{
	struct base_random random;
	uint64_t written[TRANSFERS] = {0}, id;
	int opened = 0, steps = 0;

	base_random_init(&random, seed);
	flying = finished = closed = 0;
	received_bytes = 0;
	client.set.account.limit = (uint16_t)(3 + base_random_below(&random, 30));
	while (closed < 2 * TRANSFERS) {
		assert_true(++steps < 200000);
		if (opened < TRANSFERS && quic_stream_set_open(&server.set, &server.memory, false, &id))
			quic_stream_set_priority(&server.set, (uint64_t)opened++ * 4 + 3,
				(uint8_t)base_random_below(&random, 8), true);
		for (int i = 0; i < opened; i++)
			written[i] += quic_stream_set_write(&server.set, &server.memory, (uint64_t)i * 4 + 3,
				pattern + written[i], TRANSFER_BYTES - written[i], true);
		serve(&server, &random);
		while (base_random_below(&random, 4) != 0) {
			bool from_server = fly_one(&server, &random), from_client = fly_one(&client, &random);

			if (!from_server && !from_client)
				break;
		}
		if (flying > 0)
			land_one(&random);
		else
			serve(&client, &random);
	}
	assert_int_equal(received_bytes, TRANSFERS * TRANSFER_BYTES);
	assert_int_equal(finished, TRANSFERS);
	assert_int_equal(server.set.count, 0);
	assert_int_equal(client.set.count, 0);
	assert_int_equal(client.set.account.used, 0);
	assert_int_equal(client.set.receive.consumed, TRANSFERS * TRANSFER_BYTES);
}

static void
model__two_sets_bring_every_octet_over_a_bad_network(void **state)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		one_seed(seed);
		(void)tear_down(state);
		(void)set_up(state);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(next_control__announces_data_and_streams_and_repeats_the_newest),
		TEST(next_control__repeats_reset_and_stop_until_acknowledged),
		TEST(next_control__tells_blocked_streams),
		TEST(next_to_send__goes_by_urgency_then_in_turn),
		TEST(next_to_send__not_incremental_goes_one_after_the_other),
		TEST(next_to_send__without_connection_credit_repeats_only),
		TEST(model__two_sets_bring_every_octet_over_a_bad_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
