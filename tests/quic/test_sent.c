/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/random.h"
#include "quic/sent.h"

enum { SEEDS = 3000, STEPS = 120, NUMBERS = 1024, CHUNKS = 8 };

static struct base_pool *pool;
static struct quic_sent sent;

static int
set_up(void **state)
{
	(void)state;
	pool = base_pool_open(NULL, QUIC_SENT_CHUNK_BYTES, CHUNKS);
	assert_non_null(pool);
	quic_sent_init(&sent);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	quic_sent_fini(&sent, pool);
	assert_int_equal(pool->in_use, 0);
	base_pool_close(pool);
	return 0;
}

/* A packet whose frames carry its number, so that they can be told apart; false: no room. */
static bool
send(uint8_t flags, uint16_t bytes, uint8_t frame_count)
{
	struct quic_sent_frame frames[QUIC_SENT_FRAMES_MAX] = {0};
	struct quic_sent_packet packet = {.flags = flags, .bytes = bytes, .frame_count = frame_count};

	if (!quic_sent_reserve(&sent, pool))
		return false;
	packet.packet_number = quic_sent_take_number(&sent);
	packet.time_ns = packet.packet_number * 10;
	for (uint8_t i = 0; i < frame_count; i++)
		frames[i] = (struct quic_sent_frame){
			.type = QUIC_SENT_STREAM, .id = packet.packet_number, .offset = i};
	quic_sent_record(&sent, &packet, frames);
	quic_sent_check(&sent);
	return true;
}

static void
mark(uint64_t packet_number, enum quic_sent_state state)
{
	struct quic_sent_cursor cursor = {0};
	struct quic_sent_packet *packet = quic_sent_find(&sent, &cursor, packet_number);

	assert_non_null(packet);
	assert_int_equal(packet->packet_number, packet_number);
	quic_sent_mark(&sent, &cursor, state);
	quic_sent_check(&sent);
}

/* The next packet reported must be this one, with its frames. */
static void
expect_done(uint64_t packet_number, enum quic_sent_state state, uint8_t frame_count)
{
	const struct quic_sent_frame *frames = NULL;
	const struct quic_sent_packet *packet = quic_sent_next_done(&sent, &frames);

	assert_non_null(packet);
	assert_int_equal(packet->packet_number, packet_number);
	assert_int_equal(packet->state, state);
	assert_int_equal(packet->time_ns, packet_number * 10);
	assert_int_equal(packet->frame_count, frame_count);
	for (uint8_t i = 0; i < frame_count; i++) {
		assert_int_equal(frames[i].id, packet_number);
		assert_int_equal(frames[i].offset, i);
	}
}

static void
expect_no_more(void)
{
	const struct quic_sent_frame *frames = NULL;

	assert_null(quic_sent_next_done(&sent, &frames));
}

static void
sent_reserve__is_false_when_the_pool_is_empty(void **state)
{
	uint32_t packets = 0;

	(void)state;
	while (send(QUIC_SENT_ACK_ELICITING, 1, QUIC_SENT_FRAMES_MAX))
		packets++;
	assert_int_equal(pool->in_use, CHUNKS);
	assert_int_equal(sent.in_flight, packets);
	assert_int_equal(sent.next_packet_number, packets);
	assert_false(quic_sent_reserve(&sent, pool));
}

static void
sent_reserve__twice_takes_one_chunk(void **state)
{
	(void)state;
	assert_true(quic_sent_reserve(&sent, pool));
	assert_true(quic_sent_reserve(&sent, pool));
	assert_int_equal(pool->in_use, 1);
	quic_sent_sweep(&sent, pool);
	assert_int_equal(pool->in_use, 0);
}

static void
sent_skip_number__is_remembered(void **state)
{
	(void)state;
	assert_true(send(0, 1, 0));
	assert_int_equal(sent.skipped, UINT64_MAX);
	quic_sent_skip_number(&sent);
	assert_int_equal(sent.skipped, 1);
	assert_int_equal(quic_sent_take_number(&sent), 2);
}

static void
sent_next_done__gives_packets_in_the_order_sent(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++)
		assert_true(send(QUIC_SENT_ACK_ELICITING, 10, (uint8_t)(i % 3)));
	mark(150, QUIC_SENT_ACKED);
	mark(2, QUIC_SENT_LOST);
	mark(149, QUIC_SENT_ACKED);
	mark(0, QUIC_SENT_LOST);
	assert_int_equal(sent.in_flight, 196);
	expect_done(0, QUIC_SENT_LOST, 0);
	expect_done(2, QUIC_SENT_LOST, 2);
	expect_done(149, QUIC_SENT_ACKED, 2);
	expect_done(150, QUIC_SENT_ACKED, 0);
	expect_no_more();
	quic_sent_sweep(&sent, pool);
	expect_no_more();
}

static void
sent_next_done__gives_no_packet_twice(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(send(QUIC_SENT_ACK_ELICITING, 10, 1));
	mark(5, QUIC_SENT_ACKED);
	expect_done(5, QUIC_SENT_ACKED, 1);
	expect_no_more();
	/* Marked before the sweep, and below. */
	mark(3, QUIC_SENT_LOST);
	mark(7, QUIC_SENT_ACKED);
	expect_done(3, QUIC_SENT_LOST, 1);
	expect_done(7, QUIC_SENT_ACKED, 1);
	expect_no_more();
	quic_sent_sweep(&sent, pool);
	mark(4, QUIC_SENT_ACKED);
	expect_done(4, QUIC_SENT_ACKED, 1);
	expect_no_more();
}

static void
sent_sweep__gives_chunks_back_that_are_done_with(void **state)
{
	uint64_t next = 0;

	(void)state;
	while (pool->in_use < 3)
		assert_true(send(QUIC_SENT_ACK_ELICITING, 10, 1));
	/* All but packet 0: the second chunk is free, the first is not. */
	for (uint64_t i = 1; i < sent.next_packet_number; i++)
		mark(i, QUIC_SENT_ACKED);
	for (uint64_t i = 1; i < sent.next_packet_number; i++)
		expect_done(i, QUIC_SENT_ACKED, 1);
	expect_no_more();
	quic_sent_sweep(&sent, pool);
	quic_sent_check(&sent);
	assert_int_equal(pool->in_use, 1);
	next = sent.next_packet_number;
	assert_true(send(QUIC_SENT_ACK_ELICITING, 10, 1));
	mark(0, QUIC_SENT_LOST);
	mark(next, QUIC_SENT_ACKED);
	expect_done(0, QUIC_SENT_LOST, 1);
	expect_done(next, QUIC_SENT_ACKED, 1);
	expect_no_more();
	quic_sent_sweep(&sent, pool);
	assert_int_equal(pool->in_use, 0);
}

static void
sent_trim__gives_an_unused_reservation_back(void **state)
{
	(void)state;
	assert_true(quic_sent_reserve(&sent, pool));
	assert_int_equal(pool->in_use, 1);
	quic_sent_trim(&sent, pool);
	assert_int_equal(pool->in_use, 0);
	assert_true(send(QUIC_SENT_ACK_ELICITING, 100, 1));
	quic_sent_trim(&sent, pool);
	assert_int_equal(pool->in_use, 1);
	quic_sent_check(&sent);
}

static void
sent_oldest__is_ack_eliciting_and_in_flight(void **state)
{
	const struct quic_sent_frame *frames = NULL;
	const struct quic_sent_packet *packet;

	(void)state;
	assert_null(quic_sent_oldest(&sent, &frames));
	assert_true(send(0, 10, 0));
	assert_null(quic_sent_oldest(&sent, &frames));
	assert_true(send(QUIC_SENT_ACK_ELICITING, 10, 1));
	assert_true(send(QUIC_SENT_ACK_ELICITING, 10, 2));
	mark(1, QUIC_SENT_LOST);
	packet = quic_sent_oldest(&sent, &frames);
	assert_non_null(packet);
	assert_int_equal(packet->packet_number, 2);
	assert_int_equal(frames[1].offset, 1);
	assert_int_equal(sent.eliciting, 1);
	expect_done(1, QUIC_SENT_LOST, 1);
}

static void
sent_forget_all__reports_everything_in_flight_as_lost(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_true(send(QUIC_SENT_ACK_ELICITING, 100, 1));
	mark(1, QUIC_SENT_ACKED);
	assert_int_equal(quic_sent_bytes_in_flight(&sent), 300);
	assert_int_equal(quic_sent_forget_all(&sent), 300);
	assert_int_equal(quic_sent_bytes_in_flight(&sent), 0);
	assert_int_equal(sent.eliciting, 0);
	expect_done(0, QUIC_SENT_LOST, 1);
	expect_done(1, QUIC_SENT_ACKED, 1);
	expect_done(2, QUIC_SENT_LOST, 1);
	expect_done(3, QUIC_SENT_LOST, 1);
	expect_no_more();
	quic_sent_sweep(&sent, pool);
	assert_int_equal(pool->in_use, 0);
}

static void
sent_fini__keeps_the_packet_number(void **state)
{
	(void)state;
	assert_true(send(QUIC_SENT_ACK_ELICITING, 100, 1));
	quic_sent_fini(&sent, pool);
	assert_int_equal(pool->in_use, 0);
	assert_int_equal(sent.in_flight, 0);
	/* RFC 9000 section 12.3: "A QUIC endpoint MUST NOT reuse a packet number within the same packet number space". */
	assert_int_equal(quic_sent_take_number(&sent), 1);
}

struct model_packet {
	bool recorded;
	bool unreported;
	uint8_t state;
	uint8_t flags;
	uint8_t frame_count;
	uint16_t bytes;
};

static struct model_packet model[NUMBERS];

static bool
in_flight(uint64_t packet_number)
{
	return model[packet_number].recorded && model[packet_number].state == QUIC_SENT_IN_FLIGHT;
}

static void
send_random(struct base_random *random)
{
	uint64_t number = sent.next_packet_number;
	uint8_t flags = base_random_below(random, 8) == 0 ? 0 : QUIC_SENT_ACK_ELICITING;
	uint8_t frames = (uint8_t)(base_random_below(random, 4) == 0
			? base_random_below(random, QUIC_SENT_FRAMES_MAX + 1)
			: base_random_below(random, 3));
	uint16_t bytes = (uint16_t)(1 + base_random_below(random, 1500));

	if (number >= NUMBERS)
		return;
	if (base_random_below(random, 8) == 0) {
		quic_sent_skip_number(&sent);
	} else if (send(flags, bytes, frames)) {
		model[number] = (struct model_packet){
			.recorded = true, .flags = flags, .frame_count = frames, .bytes = bytes};
	}
}

/* From any place, find and following lead to the first packet in flight at or above a number. */
static void
find_random(struct base_random *random, struct quic_sent_cursor *cursor)
{
	uint64_t wanted = base_random_below(random, sent.next_packet_number + 2), expected = wanted;
	struct quic_sent_packet *packet = quic_sent_find(&sent, cursor, wanted);

	assert_true(packet == NULL || packet->packet_number >= wanted);
	while (packet != NULL && packet->state != QUIC_SENT_IN_FLIGHT)
		packet = quic_sent_following(cursor);
	while (expected < NUMBERS && !in_flight(expected))
		expected++;
	if (expected >= NUMBERS) {
		assert_null(packet);
		return;
	}
	assert_non_null(packet);
	assert_int_equal(packet->packet_number, expected);
	if (base_random_below(random, 3) == 0)
		return;
	model[expected].state = base_random_below(random, 2) == 0 ? QUIC_SENT_ACKED : QUIC_SENT_LOST;
	model[expected].unreported = true;
	quic_sent_mark(&sent, cursor, model[expected].state);
}

static void
settle(void)
{
	for (uint64_t i = 0; i < NUMBERS; i++) {
		if (!model[i].unreported)
			continue;
		expect_done(i, model[i].state, model[i].frame_count);
		model[i].unreported = false;
	}
	expect_no_more();
}

static void
compare(void)
{
	uint64_t bytes = 0, oldest = UINT64_MAX;
	const struct quic_sent_frame *frames = NULL;
	const struct quic_sent_packet *packet = quic_sent_oldest(&sent, &frames);
	uint32_t count = 0;

	quic_sent_check(&sent);
	for (uint64_t i = NUMBERS; i-- > 0;) {
		if (!in_flight(i))
			continue;
		count++;
		bytes += model[i].bytes;
		if (model[i].flags & QUIC_SENT_ACK_ELICITING)
			oldest = i;
	}
	assert_int_equal(sent.in_flight, count);
	assert_int_equal(quic_sent_bytes_in_flight(&sent), bytes);
	assert_int_equal(packet == NULL ? UINT64_MAX : packet->packet_number, oldest);
}

static void
sent__agrees_with_plain_arrays(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct base_random random;
		struct quic_sent_cursor cursor = {0};

		memset(model, 0, sizeof(model));
		base_random_init(&random, seed);
		for (int i = 0; i < STEPS; i++) {
			uint64_t choice = base_random_below(&random, 8);

			if (choice < 3 + seed % 3) {
				for (uint64_t n = base_random_below(&random, 8); n > 0; n--)
					send_random(&random);
			} else if (choice < 7) {
				for (uint64_t n = base_random_below(&random, 12); n > 0; n--)
					find_random(&random, &cursor);
			} else {
				settle();
				quic_sent_sweep(&sent, pool);
				cursor = (struct quic_sent_cursor){0};
				assert_true(sent.in_flight > 0 || pool->in_use == 0);
			}
		}
		compare();
		tear_down(NULL);
		set_up(NULL);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(sent_reserve__is_false_when_the_pool_is_empty),
		TEST(sent_reserve__twice_takes_one_chunk),
		TEST(sent_skip_number__is_remembered),
		TEST(sent_next_done__gives_packets_in_the_order_sent),
		TEST(sent_next_done__gives_no_packet_twice),
		TEST(sent_sweep__gives_chunks_back_that_are_done_with),
		TEST(sent_trim__gives_an_unused_reservation_back),
		TEST(sent_oldest__is_ack_eliciting_and_in_flight),
		TEST(sent_forget_all__reports_everything_in_flight_as_lost),
		TEST(sent_fini__keeps_the_packet_number),
		TEST(sent__agrees_with_plain_arrays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
