/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/random.h"
#include "quic/send_buffer.h"

enum { CHUNKS = 64, STREAM_BYTES = 40000, SEEDS = 3000, IN_FLIGHT = 256, LIMIT_BYTES = 16000 };

static struct base_pool *chunks;
static struct quic_memory memory;
static struct quic_send_buffer buffer;
static uint8_t octets_of_stream[STREAM_BYTES];

static int
set_up(void **state)
{
	(void)state;
	chunks = base_pool_open(NULL, QUIC_CHUNK_BYTES, CHUNKS);
	quic_memory_init(&memory, chunks, NULL, NULL, 0, 4);
	quic_send_buffer_init(&buffer);
	for (int i = 0; i < STREAM_BYTES; i++)
		octets_of_stream[i] = (uint8_t)(i * 31 + i / 251);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	quic_send_buffer_discard(&buffer, &memory);
	quic_memory_fini(&memory);
	assert_int_equal(chunks->in_use, 0);
	base_pool_close(chunks);
	return 0;
}

/* Takes the next piece of at most `max` octets as sent, and compares what would be on the wire. */
static bool
send_piece(uint64_t max, struct quic_send_piece *piece)
{
	static uint8_t wire[STREAM_BYTES];

	if (!quic_send_buffer_next(&buffer, max, UINT64_MAX, piece))
		return false;
	assert_true(piece->length <= max);
	quic_send_buffer_copy(&buffer, piece->offset, wire, piece->length);
	assert_memory_equal(wire, octets_of_stream + piece->offset, piece->length);
	quic_send_buffer_on_sent(&buffer, piece);
	quic_send_buffer_check(&buffer);
	return true;
}

static void
write__stops_at_the_limit(void **state)
{
	(void)state;
	assert_int_equal(quic_send_buffer_write(&buffer, &memory, octets_of_stream, 5000, 3000), 3000);
	assert_int_equal(quic_send_buffer_write(&buffer, &memory, octets_of_stream + 3000, 1, 3000), 0);
	quic_send_buffer_check(&buffer);
}

static void
write__takes_what_there_are_chunks_for(void **state)
{
	size_t taken = quic_send_buffer_write(&buffer, &memory, octets_of_stream, STREAM_BYTES, UINT32_MAX);

	(void)state;
	assert_int_equal(taken, STREAM_BYTES);
	quic_send_buffer_discard(&buffer, &memory);
	assert_int_equal(buffer.copied_bytes, 0);
}

static void
next__sends_what_was_lost_before_what_is_new(void **state)
{
	struct quic_send_piece piece;

	(void)state;
	assert_int_equal(quic_send_buffer_write(&buffer, &memory, octets_of_stream, 4000, UINT32_MAX), 4000);
	assert_true(send_piece(1000, &piece));
	assert_true(send_piece(1000, &piece));
	quic_send_buffer_on_lost(&buffer, &memory, 0, 1000, false);
	assert_true(send_piece(600, &piece));
	assert_true(piece.again);
	assert_int_equal(piece.offset, 0);
	assert_int_equal(piece.length, 600);
	assert_true(send_piece(600, &piece));
	assert_int_equal(piece.offset, 600);
	assert_int_equal(piece.length, 400);
	assert_true(send_piece(600, &piece));
	assert_false(piece.again);
	assert_int_equal(piece.offset, 2000);
}

static void
next__keeps_to_the_limit_of_flow_control(void **state)
{
	struct quic_send_piece piece;

	(void)state;
	assert_int_equal(quic_send_buffer_write(&buffer, &memory, octets_of_stream, 4000, UINT32_MAX), 4000);
	quic_send_buffer_finish(&buffer);
	assert_true(quic_send_buffer_next(&buffer, 5000, 1500, &piece));
	assert_int_equal(piece.length, 1500);
	assert_false(piece.fin);
	quic_send_buffer_on_sent(&buffer, &piece);
	assert_false(quic_send_buffer_next(&buffer, 5000, 1500, &piece));
	assert_true(quic_send_buffer_next(&buffer, 5000, 4000, &piece));
	assert_true(piece.fin);
}

static void
next__sends_a_fin_alone(void **state)
{
	struct quic_send_piece piece;

	(void)state;
	quic_send_buffer_finish(&buffer);
	assert_true(quic_send_buffer_has_unsent(&buffer));
	assert_true(quic_send_buffer_next(&buffer, 0, 0, &piece));
	assert_true(piece.fin && piece.length == 0);
	quic_send_buffer_on_sent(&buffer, &piece);
	assert_false(quic_send_buffer_next(&buffer, 0, 0, &piece));
	quic_send_buffer_on_lost(&buffer, &memory, 0, 0, true);
	assert_true(quic_send_buffer_next(&buffer, 0, 0, &piece));
	assert_true(piece.fin && piece.again);
	quic_send_buffer_on_sent(&buffer, &piece);
	quic_send_buffer_on_acked(&buffer, &memory, 0, 0, true);
	assert_true(quic_send_buffer_complete(&buffer));
}

static void
next_released__tells_cookies_in_order_when_acknowledged(void **state)
{
	struct quic_send_piece piece;
	uint64_t cookie;

	(void)state;
	for (uint64_t i = 0; i < 12; i++)
		assert_true(quic_send_buffer_write_static(
			&buffer, &memory, octets_of_stream + i * 100, 100, 1000 + i));
	assert_false(quic_send_buffer_write_static(&buffer, &memory, octets_of_stream, 1, 0));
	assert_true(send_piece(1200, &piece));
	quic_send_buffer_on_acked(&buffer, &memory, 100, 1100, false);
	assert_false(quic_send_buffer_next_released(&buffer, &memory, &cookie));
	quic_send_buffer_on_acked(&buffer, &memory, 0, 100, false);
	for (uint64_t i = 0; i < 12; i++) {
		assert_true(quic_send_buffer_next_released(&buffer, &memory, &cookie));
		assert_int_equal(cookie, 1000 + i);
	}
	assert_false(quic_send_buffer_has_released(&buffer));
	assert_null(buffer.extra);
}

static void
on_lost__without_places_or_chunks_repeats_more_and_loses_nothing(void **state)
{
	struct quic_send_piece piece;
	void *taken[CHUNKS + 1];
	int count = 0;

	(void)state;
	assert_true(quic_send_buffer_write_static(&buffer, &memory, octets_of_stream, STREAM_BYTES, 1));
	while ((taken[count] = base_pool_take(chunks)) != NULL)
		count++;
	while (send_piece(1000, &piece))
		;
	for (uint64_t offset = 1000; offset < STREAM_BYTES; offset += 2000)
		quic_send_buffer_on_acked(&buffer, &memory, offset, 1000, false);
	for (uint64_t offset = 0; offset < STREAM_BYTES; offset += 2000)
		quic_send_buffer_on_lost(&buffer, &memory, offset, 1000, false);
	quic_send_buffer_check(&buffer);
	while (send_piece(1000, &piece))
		quic_send_buffer_on_acked(&buffer, &memory, piece.offset, piece.length, piece.fin);
	assert_int_equal(buffer.start, STREAM_BYTES);
	while (count > 0)
		base_pool_give(chunks, taken[--count]);
}

/* What is in flight, and which octets the peer has: the model. */
struct model {
	struct quic_send_piece in_flight[IN_FLIGHT];
	int count;
	bool peer_has[STREAM_BYTES];
	bool peer_has_fin;
	uint64_t cookies_given;
	uint64_t cookies_back;
	uint64_t cookie_end[STREAM_BYTES];
};

static struct model model;

static void
write_something(struct base_random *random)
{
	uint64_t left = STREAM_BYTES - buffer.end, length = base_random_below(random, 3000);

	if (buffer.fin)
		return;
	if (length > left)
		length = left;
	if (base_random_below(random, 3) != 0) {
		(void)quic_send_buffer_write(
			&buffer, &memory, octets_of_stream + buffer.end, length, LIMIT_BYTES);
	} else if (quic_send_buffer_write_static(
			   &buffer, &memory, octets_of_stream + buffer.end, length, model.cookies_given)) {
		model.cookie_end[model.cookies_given++] = buffer.end;
	}
	if (buffer.end == STREAM_BYTES)
		quic_send_buffer_finish(&buffer);
}

/* One packet of those in flight arrives (its ACK too), or is declared lost, though it may have arrived. */
static void
decide_something(struct base_random *random)
{
	int which = (int)base_random_below(random, (uint64_t)model.count);
	struct quic_send_piece piece = model.in_flight[which];

	if (base_random_below(random, 4) == 0) {
		quic_send_buffer_on_lost(&buffer, &memory, piece.offset, piece.length, piece.fin);
	} else {
		quic_send_buffer_on_acked(&buffer, &memory, piece.offset, piece.length, piece.fin);
		memset(model.peer_has + piece.offset, 1, piece.length);
		model.peer_has_fin |= piece.fin;
	}
	model.in_flight[which] = model.in_flight[--model.count];
	quic_send_buffer_check(&buffer);
}

static void
one_seed(uint64_t seed)
{
	struct base_random random;
	struct quic_send_piece piece;
	uint64_t cookie;
	int step = 0;

	memset(&model, 0, sizeof(model));
	base_random_init(&random, seed);
	quic_send_buffer_init(&buffer);
	while (!quic_send_buffer_complete(&buffer)) {
		uint64_t what = base_random_below(&random, 3);

		assert_true(++step < 100000);
		if (what == 0)
			write_something(&random);
		else if (what == 1 && model.count < IN_FLIGHT &&
			send_piece(1 + base_random_below(&random, 1400), &piece))
			model.in_flight[model.count++] = piece;
		else if (model.count > 0)
			decide_something(&random);
		while (quic_send_buffer_next_released(&buffer, &memory, &cookie)) {
			assert_int_equal(cookie, model.cookies_back);
			assert_true(buffer.start >= model.cookie_end[cookie]);
			model.cookies_back++;
		}
		for (uint64_t offset = 0; offset < buffer.start; offset += 997)
			assert_true(model.peer_has[offset]);
	}
	for (int i = 0; i < STREAM_BYTES; i++)
		assert_true(model.peer_has[i]);
	assert_true(model.peer_has_fin);
	assert_int_equal(model.cookies_back, model.cookies_given);
	assert_null(buffer.first);
	assert_null(buffer.extra);
	assert_int_equal(buffer.copied_bytes, 0);
}

static void
model__thousands_of_seeds_bring_every_octet(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		one_seed(seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(write__stops_at_the_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(write__takes_what_there_are_chunks_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			next__sends_what_was_lost_before_what_is_new, set_up, tear_down),
		cmocka_unit_test_setup_teardown(next__keeps_to_the_limit_of_flow_control, set_up, tear_down),
		cmocka_unit_test_setup_teardown(next__sends_a_fin_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			next_released__tells_cookies_in_order_when_acknowledged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			on_lost__without_places_or_chunks_repeats_more_and_loses_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			model__thousands_of_seeds_bring_every_octet, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
