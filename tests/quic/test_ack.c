/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/random.h"
#include "base/time.h"
#include "quic/ack.h"

enum { CHUNK_BYTES = 2048, SEEDS = 3000, STEPS = 200, NUMBERS = 512 };

#define DELAY_NS (25 * BASE_MS)

static struct base_pool *chunks;
static struct quic_ack ack;

static void
open_with(uint16_t threshold, uint32_t capacity)
{
	chunks = base_pool_open(NULL, CHUNK_BYTES, capacity);
	assert_non_null(chunks);
	quic_ack_init(&ack, threshold);
}

static int
set_up(void **state)
{
	(void)state;
	open_with(2, 1);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	quic_ack_fini(&ack, chunks);
	assert_int_equal(chunks->in_use, 0);
	base_pool_close(chunks);
	return 0;
}

static void
receive(uint64_t packet_number, bool ack_eliciting, uint64_t now_ns)
{
	assert_false(quic_ack_is_duplicate(&ack, packet_number));
	quic_ack_on_received(&ack, chunks, packet_number, ack_eliciting, BASE_ECN_NOT_ECT, now_ns, DELAY_NS);
	quic_ack_check(&ack);
	assert_true(quic_ack_is_duplicate(&ack, packet_number));
}

/* Every second number from `first` on: `count` ranges. */
static void
receive_with_gaps(uint64_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		receive(first + 2 * i, true, 1);
}

static bool
reported(uint64_t packet_number)
{
	struct base_ranges set = quic_ack_report(&ack);

	return base_ranges_contain(&set, packet_number, packet_number + 1);
}

static void
ack_init__owes_nothing(void **state)
{
	(void)state;
	assert_int_equal(quic_ack_deadline(&ack), BASE_NEVER);
	assert_false(quic_ack_has_news(&ack));
	assert_int_equal(quic_ack_report(&ack).count, 0);
	assert_int_equal(quic_ack_expected(&ack), 0);
	assert_false(quic_ack_is_duplicate(&ack, 0));
}

/*
 * RFC 9000 section 12.3: "A receiver MUST discard a newly unprotected packet unless it is certain that it has not
 * processed another packet with the same packet number from the same packet number space."
 */
static void
ack_is_duplicate__holds_for_all_that_was_forgotten(void **state)
{
	(void)state;
	receive_with_gaps(100, QUIC_ACK_MAX_RANGES);
	assert_false(quic_ack_is_duplicate(&ack, 99));
	assert_false(quic_ack_is_duplicate(&ack, 101));
	/* One range more than there are places: the lowest goes, and what lies below is not certain any more. */
	receive(100 + 2 * QUIC_ACK_MAX_RANGES, true, 1);
	assert_true(quic_ack_is_duplicate(&ack, 100));
	assert_true(quic_ack_is_duplicate(&ack, 99));
	assert_true(quic_ack_is_duplicate(&ack, 0));
	assert_false(quic_ack_is_duplicate(&ack, 101));
	assert_int_equal(quic_ack_report(&ack).count, QUIC_ACK_MAX_RANGES);
}

static void
ack_on_received__borrows_a_chunk_only_for_many_ranges(void **state)
{
	(void)state;
	receive_with_gaps(0, QUIC_ACK_OWN_RANGES);
	assert_int_equal(chunks->in_use, 0);
	receive(2 * QUIC_ACK_OWN_RANGES, true, 1);
	assert_int_equal(chunks->in_use, 1);
	assert_int_equal(quic_ack_report(&ack).count, QUIC_ACK_OWN_RANGES + 1);
}

static void
ack_on_received__goes_on_when_there_is_no_chunk(void **state)
{
	void *taken = base_pool_take(chunks);

	(void)state;
	receive_with_gaps(0, QUIC_ACK_OWN_RANGES + 2);
	assert_int_equal(quic_ack_report(&ack).count, QUIC_ACK_OWN_RANGES);
	assert_false(reported(2));
	assert_true(reported(4));
	assert_true(quic_ack_is_duplicate(&ack, 1));
	assert_false(quic_ack_is_duplicate(&ack, 3));
	/* A straggler with no place is processed once and not reported. */
	receive(3, true, 1);
	receive(100, true, 1);
	receive(5, true, 1);
	assert_true(quic_ack_is_duplicate(&ack, 5));
	base_pool_give(chunks, taken);
}

/* RFC 9000 section 13.2.2: "A receiver SHOULD send an ACK frame after receiving at least two ack-eliciting packets." */
static void
ack_deadline__is_at_once_for_the_second_packet(void **state)
{
	(void)state;
	receive(0, true, 7);
	assert_int_equal(quic_ack_deadline(&ack), 7 + DELAY_NS);
	receive(1, true, 8);
	assert_int_equal(quic_ack_deadline(&ack), 0);
	quic_ack_on_sent(&ack);
	assert_int_equal(quic_ack_deadline(&ack), BASE_NEVER);
	assert_false(quic_ack_has_news(&ack));
}

/*
 * Section 13.2.1: "ack-eliciting packets MUST be acknowledged at least once within the maximum delay an endpoint
 * communicated using the max_ack_delay transport parameter".
 */
static void
ack_deadline__counts_from_the_first_packet_not_acknowledged(void **state)
{
	(void)state;
	ack.threshold = 10;
	receive(0, true, 1 * BASE_MS);
	receive(1, true, 9 * BASE_MS);
	receive(2, false, 12 * BASE_MS);
	assert_int_equal(quic_ack_deadline(&ack), 1 * BASE_MS + DELAY_NS);
}

/* Section 13.2.1: "An endpoint MUST acknowledge all ack-eliciting Initial and Handshake packets immediately". */
static void
ack_deadline__is_at_once_in_the_handshake(void **state)
{
	(void)state;
	quic_ack_init(&ack, 1);
	receive(0, true, 7);
	assert_int_equal(quic_ack_deadline(&ack), 0);
}

/*
 * Section 13.2.1: "without delay when it receives an ack-eliciting packet either: when the received packet has a
 * packet number less than another ack-eliciting packet that has been received, or when the packet has a packet
 * number larger than the highest-numbered ack-eliciting packet that has been received and there are missing packets
 * between that packet and this packet".
 */
static void
ack_deadline__is_at_once_out_of_order(void **state)
{
	(void)state;
	ack.threshold = 10;
	receive(0, true, 1);
	receive(2, true, 1);
	assert_int_equal(quic_ack_deadline(&ack), 0);
	quic_ack_on_sent(&ack);
	receive(1, true, 2);
	assert_int_equal(quic_ack_deadline(&ack), 0);
	quic_ack_on_sent(&ack);
	receive(3, false, 3);
	receive(4, true, 3);
	assert_int_equal(quic_ack_deadline(&ack), 3 + DELAY_NS);
}

/* Section 13.2.1: "packets marked with the ECN Congestion Experienced (CE) codepoint … SHOULD be acknowledged
 * immediately". */
static void
ack_deadline__is_at_once_for_a_ce_mark(void **state)
{
	(void)state;
	ack.threshold = 10;
	quic_ack_on_received(&ack, chunks, 0, true, BASE_ECN_ECT_0, 1, DELAY_NS);
	assert_int_equal(quic_ack_deadline(&ack), 1 + DELAY_NS);
	quic_ack_on_received(&ack, chunks, 1, true, BASE_ECN_CE, 1, DELAY_NS);
	quic_ack_on_received(&ack, chunks, 2, true, BASE_ECN_ECT_1, 1, DELAY_NS);
	assert_int_equal(quic_ack_deadline(&ack), 0);
	assert_int_equal(ack.ecn.ect0, 1);
	assert_int_equal(ack.ecn.ect1, 1);
	assert_int_equal(ack.ecn.ce, 1);
}

/*
 * Section 13.2.1: "An endpoint MUST NOT send a non-ack-eliciting packet in response to a non-ack-eliciting packet,
 * even if there are packet gaps that precede the received packet."
 */
static void
ack_deadline__is_never_for_what_elicits_no_ack(void **state)
{
	(void)state;
	for (uint64_t packet_number = 0; packet_number < 100; packet_number += 3)
		receive(packet_number, false, packet_number);
	assert_int_equal(quic_ack_deadline(&ack), BASE_NEVER);
	assert_true(quic_ack_has_news(&ack));
	/* It is told with the next ACK all the same: "Every packet SHOULD be acknowledged at least once". */
	assert_true(reported(99));
	assert_true(reported(0));
}

static void
ack_expected__is_one_above_the_largest(void **state)
{
	(void)state;
	receive(7, true, 1);
	receive(3, true, 1);
	assert_int_equal(quic_ack_expected(&ack), 8);
}

/* Section 13.2.5: the delay is of the largest packet number, not of the last packet received. */
static void
ack_delay__is_that_of_the_largest(void **state)
{
	(void)state;
	receive(7, true, 100);
	receive(3, true, 150);
	assert_int_equal(quic_ack_delay_ns(&ack, 180), 80);
	assert_int_equal(quic_ack_delay_ns(&ack, 90), 0);
}

/*
 * Section 13.2.4: "When a packet containing an ACK frame is acknowledged, the receiver can stop acknowledging packets"
 * up to the Largest Acknowledged of that frame.
 */
static void
ack_on_acked__ends_the_report_of_old_ranges(void **state)
{
	(void)state;
	receive(0, true, 1);
	receive(2, true, 1);
	quic_ack_on_sent(&ack);
	receive(4, true, 2);
	quic_ack_on_acked(&ack, chunks, 2);
	assert_false(reported(0));
	assert_false(reported(2));
	assert_true(reported(4));
	assert_true(quic_ack_is_duplicate(&ack, 0));
	assert_false(quic_ack_is_duplicate(&ack, 1));
}

static void
ack_on_acked__keeps_a_straggler_that_no_ack_has_told(void **state)
{
	(void)state;
	receive(0, true, 1);
	receive(9, true, 1);
	quic_ack_on_sent(&ack);
	receive(5, true, 2);
	quic_ack_on_acked(&ack, chunks, 9);
	assert_true(reported(5));
	assert_false(reported(0));
}

/* Section 13.2.3: "A receiver SHOULD include an ACK Range containing the largest received packet number in every
 * ACK frame." */
static void
ack_report__has_always_the_largest(void **state)
{
	(void)state;
	receive(5, true, 1);
	quic_ack_on_sent(&ack);
	quic_ack_on_acked(&ack, chunks, 5);
	assert_int_equal(quic_ack_report(&ack).count, 1);
	assert_true(reported(5));
}

static void
ack_on_acked__forgets_what_is_far_below_and_gives_the_chunk_back(void **state)
{
	(void)state;
	receive_with_gaps(0, 10);
	assert_int_equal(chunks->in_use, 1);
	receive(100 + QUIC_ACK_KEPT_PACKETS, true, 1);
	quic_ack_on_sent(&ack);
	quic_ack_on_acked(&ack, chunks, 100 + QUIC_ACK_KEPT_PACKETS);
	quic_ack_check(&ack);
	assert_int_equal(chunks->in_use, 0);
	assert_true(quic_ack_is_duplicate(&ack, 17));
	assert_false(quic_ack_is_duplicate(&ack, 19));
}

static void
ack_compact__leaves_the_highest_ranges(void **state)
{
	(void)state;
	receive_with_gaps(0, 10);
	quic_ack_compact(&ack, chunks);
	quic_ack_check(&ack);
	assert_int_equal(chunks->in_use, 0);
	assert_int_equal(quic_ack_report(&ack).count, QUIC_ACK_OWN_RANGES);
	assert_true(reported(18));
	assert_true(quic_ack_is_duplicate(&ack, 11));
	assert_false(quic_ack_is_duplicate(&ack, 15));
}

/* What plain arrays know of the same packets. */
struct model {
	bool received[NUMBERS];
	bool fresh[NUMBERS]; /* since the last ACK */
	uint64_t acked_below;
	uint64_t expected;
};

static void
compare(const struct model *model)
{
	struct base_ranges set = quic_ack_report(&ack);

	quic_ack_check(&ack);
	assert_int_equal(chunks->in_use, ack.borrowed != NULL);
	assert_int_equal(quic_ack_expected(&ack), model->expected);
	for (uint64_t i = 0; i < NUMBERS; i++) {
		bool duplicate = quic_ack_is_duplicate(&ack, i), told = base_ranges_contain(&set, i, i + 1);

		if (duplicate != (model->received[i] || i < ack.forgotten_below))
			fail_msg("packet %u: duplicate %d", (unsigned)i, duplicate);
		if (told && !model->received[i])
			fail_msg("packet %u is reported and was not received", (unsigned)i);
		if (!told && i >= ack.forgotten_below && model->received[i] &&
			(model->fresh[i] || i >= model->acked_below))
			fail_msg("packet %u is not reported", (unsigned)i);
	}
	assert_true(set.count == 0 || set.ranges[set.count - 1].end == model->expected);
}

static void
step(struct model *model, struct base_random *random, uint64_t spread, uint64_t *sent_largest)
{
	uint64_t choice = base_random_below(random, 16);

	if (choice < 12) {
		uint64_t low = model->expected > spread ? model->expected - spread : 0;
		uint64_t number = low + base_random_below(random, 2 * spread);

		if (number >= NUMBERS || quic_ack_is_duplicate(&ack, number))
			return;
		receive(number, base_random_below(random, 4) != 0, 1);
		model->received[number] = model->fresh[number] = true;
		if (number >= model->expected)
			model->expected = number + 1;
	} else if (choice < 14) {
		if (model->expected == 0)
			return;
		*sent_largest = model->expected - 1;
		quic_ack_on_sent(&ack);
		memset(model->fresh, 0, sizeof(model->fresh));
	} else if (choice < 15) {
		if (*sent_largest == UINT64_MAX)
			return;
		quic_ack_on_acked(&ack, chunks, *sent_largest);
		if (*sent_largest + 1 > model->acked_below)
			model->acked_below = *sent_largest + 1;
	} else if (base_random_below(random, 16) == 0) {
		quic_ack_compact(&ack, chunks);
	}
}

static void
ack__agrees_with_plain_arrays(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct base_random random;
		struct model model = {0};
		uint64_t sent_largest = UINT64_MAX;

		tear_down(NULL);
		base_random_init(&random, seed);
		open_with(2, (uint32_t)(seed % 2));
		for (int i = 0; i < STEPS; i++) {
			step(&model, &random, 1 + seed % 40, &sent_largest);
			if (i % 32 == 31)
				compare(&model);
		}
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(ack_init__owes_nothing),
		TEST(ack_is_duplicate__holds_for_all_that_was_forgotten),
		TEST(ack_on_received__borrows_a_chunk_only_for_many_ranges),
		TEST(ack_on_received__goes_on_when_there_is_no_chunk),
		TEST(ack_deadline__is_at_once_for_the_second_packet),
		TEST(ack_deadline__counts_from_the_first_packet_not_acknowledged),
		TEST(ack_deadline__is_at_once_in_the_handshake),
		TEST(ack_deadline__is_at_once_out_of_order),
		TEST(ack_deadline__is_at_once_for_a_ce_mark),
		TEST(ack_deadline__is_never_for_what_elicits_no_ack),
		TEST(ack_expected__is_one_above_the_largest),
		TEST(ack_delay__is_that_of_the_largest),
		TEST(ack_on_acked__ends_the_report_of_old_ranges),
		TEST(ack_on_acked__keeps_a_straggler_that_no_ack_has_told),
		TEST(ack_report__has_always_the_largest),
		TEST(ack_on_acked__forgets_what_is_far_below_and_gives_the_chunk_back),
		TEST(ack_compact__leaves_the_highest_ranges),
		TEST(ack__agrees_with_plain_arrays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
