/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/quic/loss_fixture.h"

enum { CHUNKS = 4 };

static int
set_up(void **state)
{
	(void)state;
	return loss_set_up(CHUNKS);
}

static void
send(uint64_t time_ns)
{
	send_as(QUIC_SENT_ACK_ELICITING, time_ns);
}

/* An ACK frame with one range, first to last. */
static struct quic_loss_result
acknowledge(uint64_t first, uint64_t last, uint64_t now_ns)
{
	struct quic_loss_ack ack;

	assert_int_equal(quic_loss_ack_begin(&ack, &sent, last), QUIC_NO_ERROR);
	assert_int_equal(
		quic_loss_ack_range(&ack, &sent, (struct base_range){first, last + 1}), QUIC_NO_ERROR);
	return quic_loss_ack_end(&ack, &loss, &sent, &rtt, 0, MAX_ACK_DELAY_NS, true, now_ns);
}

static void
settle(void)
{
	const struct quic_sent_frame *frames;

	while (quic_sent_next_done(&sent, &frames) != NULL)
		;
	quic_sent_sweep(&sent, pool);
	quic_sent_check(&sent);
}

/* The RTT is settled and does not vary: PTO without backoff is rtt + 1 ms + max_ack_delay. */
static void
steady_rtt(uint64_t rtt_ns)
{
	rtt = (struct quic_rtt){
		.latest_ns = rtt_ns, .smoothed_ns = rtt_ns, .min_ns = rtt_ns, .first_sample_ns = 0};
}

/*
 * RFC 9000 section 13.1: "An endpoint SHOULD treat receipt of an acknowledgment for a packet it did not send as a
 * connection error of type PROTOCOL_VIOLATION, if it is able to detect the condition."
 */
static void
loss_ack_begin__refuses_what_was_never_sent(void **state)
{
	struct quic_loss_ack ack;

	(void)state;
	assert_int_equal(quic_loss_ack_begin(&ack, &sent, 0), QUIC_PROTOCOL_VIOLATION);
	send(1);
	assert_int_equal(quic_loss_ack_begin(&ack, &sent, 0), QUIC_NO_ERROR);
	assert_int_equal(quic_loss_ack_begin(&ack, &sent, 1), QUIC_PROTOCOL_VIOLATION);
	assert_int_equal(quic_loss_ack_begin(&ack, &sent, QUIC_PACKET_NUMBER_MAX), QUIC_PROTOCOL_VIOLATION);
}

/* RFC 9000 section 21.4: a peer that acknowledges a number left out acknowledges what it did not receive. */
static void
loss_ack_range__refuses_a_skipped_number(void **state)
{
	struct quic_loss_ack ack;

	(void)state;
	send(1);
	quic_sent_skip_number(&sent);
	send(1);
	assert_int_equal(quic_loss_ack_begin(&ack, &sent, 2), QUIC_NO_ERROR);
	assert_int_equal(quic_loss_ack_range(&ack, &sent, (struct base_range){2, 3}), QUIC_NO_ERROR);
	assert_int_equal(
		quic_loss_ack_range(&ack, &sent, (struct base_range){0, 2}), QUIC_PROTOCOL_VIOLATION);
}

static void
loss_ack_end__sums_up_what_is_newly_acknowledged(void **state)
{
	struct quic_loss_result result;

	(void)state;
	send_as(QUIC_SENT_ACK_ELICITING | QUIC_SENT_ECT, 10);
	send_as(QUIC_SENT_ACK_ELICITING, 20);
	send_as(QUIC_SENT_ECT, 30);
	result = acknowledge(0, 2, 50);
	assert_int_equal(result.acked_packets, 3);
	assert_int_equal(result.acked_bytes, 3 * BYTES);
	assert_int_equal(result.acked_ect, 2);
	assert_int_equal(result.largest_acked_time_ns, 30);
	assert_true(result.largest_advanced);
	assert_int_equal(result.lost_packets, 0);
	settle();
	assert_int_equal(pool->in_use, 0);
	/* The same ACK again brings nothing. */
	result = acknowledge(0, 2, 60);
	assert_int_equal(result.acked_packets, 0);
	assert_false(result.largest_advanced);
	assert_false(result.rtt_sample);
}

/*
 * RFC 9002 section 5.1: an RTT sample is taken when "the largest acknowledged packet number is newly acknowledged, and
 * at least one of the newly acknowledged packets was ack-eliciting."
 */
static void
loss_ack_end__takes_an_rtt_sample_of_the_largest_only(void **state)
{
	struct quic_loss_result result;

	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		send(i * BASE_MS);
	result = acknowledge(2, 2, 42 * BASE_MS);
	assert_true(result.rtt_sample);
	assert_int_equal(result.rtt_ns, 40 * BASE_MS);
	assert_int_equal(rtt.latest_ns, 40 * BASE_MS);
	/* The largest has been acknowledged before. */
	result = acknowledge(1, 2, 43 * BASE_MS);
	assert_int_equal(result.acked_packets, 1);
	assert_false(result.rtt_sample);
	/* Nothing ack-eliciting is newly acknowledged. */
	send_as(0, 44 * BASE_MS);
	result = acknowledge(3, 3, 99 * BASE_MS);
	assert_int_equal(result.acked_packets, 1);
	assert_false(result.rtt_sample);
	assert_int_equal(rtt.latest_ns, 40 * BASE_MS);
}

/*
 * RFC 9002 section 6.1: a lost packet "is unacknowledged, in flight, and was sent prior to an acknowledged packet" and
 * "was sent kPacketThreshold packets before an acknowledged packet"; section 6.1.1: "The RECOMMENDED initial value for
 * the packet reordering threshold (kPacketThreshold) is 3".
 */
static void
loss_ack_end__loses_three_packets_before_an_acknowledged_one(void **state)
{
	const struct quic_sent_frame *frames;
	const struct quic_sent_packet *packet;
	struct quic_loss_result result;

	(void)state;
	steady_rtt(100 * BASE_MS);
	for (uint64_t i = 0; i < 6; i++)
		send(1000 * BASE_MS);
	result = acknowledge(2, 2, 1050 * BASE_MS);
	assert_int_equal(result.lost_packets, 0);
	result = acknowledge(4, 4, 1050 * BASE_MS);
	assert_int_equal(result.lost_packets, 2);
	assert_int_equal(result.lost_bytes, 2 * BYTES);
	assert_int_equal(result.largest_lost_time_ns, 1000 * BASE_MS);
	assert_int_equal(sent.in_flight, 2);
	packet = quic_sent_next_done(&sent, &frames);
	assert_int_equal(packet->packet_number, 0);
	assert_int_equal(packet->state, QUIC_SENT_LOST);
	settle();
	/* What is lost and acknowledged after all is no news. */
	assert_int_equal(acknowledge(0, 1, 1060 * BASE_MS).acked_packets, 0);
}

/* A packet that is not recorded, because it held an ACK only, counts for the threshold as well. */
static void
loss_ack_end__finds_losses_below_a_packet_not_recorded(void **state)
{
	struct quic_loss_result result;

	(void)state;
	steady_rtt(100 * BASE_MS);
	send(1000 * BASE_MS);
	for (int i = 0; i < 3; i++)
		(void)quic_sent_take_number(&sent);
	result = acknowledge(3, 3, 1010 * BASE_MS);
	assert_int_equal(result.acked_packets, 0);
	assert_true(result.largest_advanced);
	assert_false(result.rtt_sample);
	assert_int_equal(result.lost_packets, 1);
	settle();
}

/*
 * RFC 9002 section 6.1.2: "The time threshold is: max(kTimeThreshold * max(smoothed_rtt, latest_rtt), kGranularity)",
 * and "The RECOMMENDED time threshold (kTimeThreshold), expressed as an RTT multiplier, is 9/8."
 */
static void
loss_expire__loses_what_is_nine_eighths_of_an_rtt_old(void **state)
{
	struct quic_loss_result result;

	(void)state;
	steady_rtt(80 * BASE_MS);
	send(1000 * BASE_MS);
	send(1004 * BASE_MS);
	send(1005 * BASE_MS);
	result = acknowledge(2, 2, 1085 * BASE_MS);
	assert_int_equal(result.lost_packets, 0);
	assert_int_equal(loss.loss_time_ns, 1090 * BASE_MS);
	result = quic_loss_expire(&loss, &sent, &rtt, MAX_ACK_DELAY_NS, 1090 * BASE_MS - 1);
	assert_int_equal(result.lost_packets, 0);
	result = quic_loss_expire(&loss, &sent, &rtt, MAX_ACK_DELAY_NS, 1090 * BASE_MS);
	assert_int_equal(result.lost_packets, 1);
	assert_int_equal(loss.loss_time_ns, 1094 * BASE_MS);
	result = quic_loss_expire(&loss, &sent, &rtt, MAX_ACK_DELAY_NS, 1200 * BASE_MS);
	assert_int_equal(result.lost_packets, 1);
	assert_int_equal(loss.loss_time_ns, BASE_NEVER);
	settle();
	assert_int_equal(pool->in_use, 0);
}

static void
loss_expire__waits_for_the_granularity_at_least(void **state)
{
	(void)state;
	steady_rtt(10 * BASE_US);
	send(BASE_SECOND);
	send(BASE_SECOND);
	(void)acknowledge(1, 1, BASE_SECOND + 10 * BASE_US);
	assert_int_equal(loss.loss_time_ns, BASE_SECOND + QUIC_GRANULARITY_NS);
}

/* Only packets sent before an acknowledged one are lost: with nothing acknowledged, none is. */
static void
loss_expire__loses_nothing_before_the_first_ack(void **state)
{
	(void)state;
	send(1);
	send(2);
	assert_int_equal(
		quic_loss_expire(&loss, &sent, &rtt, MAX_ACK_DELAY_NS, 100 * BASE_SECOND).lost_packets, 0);
	assert_int_equal(loss.loss_time_ns, BASE_NEVER);
}

/* RFC 9000 section 14.4: the loss of an MTU probe is "not a reliable indication of congestion". */
static void
loss_ack_end__leaves_an_mtu_probe_out_of_the_last_time(void **state)
{
	struct quic_loss_result result;

	(void)state;
	steady_rtt(80 * BASE_MS);
	send(1000 * BASE_MS);
	send_as(QUIC_SENT_ACK_ELICITING | QUIC_SENT_PROBE, 1001 * BASE_MS);
	for (int i = 0; i < 3; i++)
		send(1002 * BASE_MS);
	result = acknowledge(4, 4, 1080 * BASE_MS);
	assert_int_equal(result.lost_packets, 2);
	assert_int_equal(result.largest_lost_time_ns, 1000 * BASE_MS);
	settle();
}

/*
 * RFC 9002 section 7.6.3, the example: packets 2 to 8 are sent from 1 s to 8 s and lost, 1 and 9 are acknowledged. It
 * takes the PTO for 2 s; here most of that is max_ack_delay, so that the sample of packet 9 hardly moves it.
 */
static const uint64_t example_seconds[] = {0, 1, 2, 3, 4, 5, 6, 8, 12};

static struct quic_loss_result
acknowledge_example(uint64_t first, uint64_t last, uint64_t now_ns)
{
	struct quic_loss_ack ack;

	assert_int_equal(quic_loss_ack_begin(&ack, &sent, last), QUIC_NO_ERROR);
	assert_int_equal(
		quic_loss_ack_range(&ack, &sent, (struct base_range){first, last + 1}), QUIC_NO_ERROR);
	return quic_loss_ack_end(&ack, &loss, &sent, &rtt, 0, 1800 * BASE_MS, true, now_ns);
}

static void
send_example(uint8_t flags_of_first_lost)
{
	steady_rtt(200 * BASE_MS);
	for (unsigned i = 0; i < 9; i++) {
		send_as(i == 1 ? flags_of_first_lost : QUIC_SENT_ACK_ELICITING,
			example_seconds[i] * BASE_SECOND);
		if (i == 1)
			assert_int_equal(acknowledge_example(0, 0, 1200 * BASE_MS).lost_packets, 0);
	}
	/* The sample at 1.2 s was one of 1.2 s. */
	steady_rtt(200 * BASE_MS);
}

static void
loss_ack_end__finds_the_persistent_congestion_of_the_example(void **state)
{
	struct quic_loss_result result;

	(void)state;
	send_example(QUIC_SENT_ACK_ELICITING);
	result = acknowledge_example(8, 8, 12200 * BASE_MS);
	assert_int_equal(result.lost_packets, 7);
	assert_true(result.persistent_congestion);
	settle();
}

/* Section 7.6.2: "across all packet number spaces, none of the packets sent between the send times of these two
 * packets are acknowledged". */
static void
loss_ack_end__sees_no_persistent_congestion_around_an_acknowledged_packet(void **state)
{
	struct quic_loss_result result;

	(void)state;
	send_example(QUIC_SENT_ACK_ELICITING);
	assert_int_equal(acknowledge_example(4, 4, 4200 * BASE_MS).lost_packets, 3);
	steady_rtt(200 * BASE_MS);
	result = acknowledge_example(8, 8, 12200 * BASE_MS);
	assert_int_equal(result.lost_packets, 3);
	assert_false(result.persistent_congestion);
	settle();
}

/* Section 7.6.2: "These two packets MUST be ack-eliciting". Without the packet of 1 s the period is 6 s: too short. */
static void
loss_ack_end__bounds_persistent_congestion_by_ack_eliciting_packets(void **state)
{
	static const uint8_t flags[] = {0, QUIC_SENT_ACK_ELICITING | QUIC_SENT_PROBE};

	for (int i = 0; i < 2; i++) {
		struct quic_loss_result result;

		send_example(flags[i]);
		result = acknowledge_example(8, 8, 12200 * BASE_MS);
		assert_int_equal(result.lost_packets, 7);
		assert_false(result.persistent_congestion);
		tear_down(state);
		set_up(state);
	}
}

/* Section 7.6.2: "a prior RTT sample existed when these two packets were sent." */
static void
loss_ack_end__sees_no_persistent_congestion_before_the_first_sample(void **state)
{
	(void)state;
	send_example(QUIC_SENT_ACK_ELICITING);
	rtt.first_sample_ns = 1500 * BASE_MS;
	assert_false(acknowledge_example(8, 8, 12200 * BASE_MS).persistent_congestion);
	settle();
}

static void
loss_ack_end__finds_persistent_congestion_over_several_acks(void **state)
{
	struct quic_loss_result result;

	(void)state;
	/* Lost in two steps: by the packet threshold, then by time. */
	steady_rtt(200 * BASE_MS);
	for (unsigned i = 0; i < 9; i++)
		send(BASE_SECOND + example_seconds[i] * BASE_SECOND);
	result = acknowledge_example(8, 8, 13001 * BASE_MS);
	assert_true(result.persistent_congestion);
	settle();
	tear_down(NULL);
	set_up(NULL);
	steady_rtt(2 * BASE_SECOND);
	send(1 * BASE_SECOND);
	for (int i = 0; i < 3; i++)
		(void)quic_sent_take_number(&sent);
	assert_int_equal(acknowledge(3, 3, 2 * BASE_SECOND).lost_packets, 1);
	settle();
	send(10 * BASE_SECOND);
	for (int i = 0; i < 3; i++)
		(void)quic_sent_take_number(&sent);
	result = acknowledge(7, 7, 11 * BASE_SECOND);
	assert_int_equal(result.lost_packets, 1);
	assert_true(result.persistent_congestion);
	settle();
}

/* ---- the timer ---- */

static struct quic_sent idle_sent[2];
static struct quic_loss idle_loss[2];

/* A confirmed connection with one space: Initial and Handshake keys are discarded. */
static struct quic_loss_view
view_at(uint64_t now_ns)
{
	return (struct quic_loss_view){
		.loss = {[QUIC_SPACE_APPLICATION] = &loss},
		.sent = {[QUIC_SPACE_APPLICATION] = &sent},
		.rtt = &rtt,
		.max_ack_delay_ns = MAX_ACK_DELAY_NS,
		.now_ns = now_ns,
		.handshake_confirmed = true,
		.peer_completed_address_validation = true,
	};
}

static void
expect_timer(const struct quic_loss_view *view, enum quic_loss_timer_kind kind, uint64_t deadline_ns)
{
	struct quic_loss_timer timer = quic_loss_timer(view);

	assert_int_equal(timer.kind, kind);
	assert_int_equal(timer.deadline_ns, deadline_ns);
}

/* RFC 9002 section 6.2.1: "PTO = smoothed_rtt + max(4*rttvar, kGranularity) + max_ack_delay". */
static void
loss_timer__counts_the_pto_from_the_last_ack_eliciting_packet(void **state)
{
	struct quic_loss_view view = view_at(0);

	(void)state;
	rtt = (struct quic_rtt){
		.latest_ns = 100 * BASE_MS, .smoothed_ns = 100 * BASE_MS, .variance_ns = 10 * BASE_MS};
	expect_timer(&view, QUIC_LOSS_TIMER_NONE, BASE_NEVER);
	send(1000 * BASE_MS);
	send(1010 * BASE_MS);
	send_as(0, 1020 * BASE_MS);
	expect_timer(&view, QUIC_LOSS_TIMER_PTO, (1010 + 100 + 40 + 25) * BASE_MS);
	assert_int_equal(quic_loss_timer(&view).space, QUIC_SPACE_APPLICATION);
}

/* Section 6.2.1: "the PTO backoff MUST be increased, resulting in the PTO period being set to twice its current
 * value". */
static void
loss_timer__doubles_with_each_pto(void **state)
{
	struct quic_loss_view view = view_at(0);

	(void)state;
	steady_rtt(99 * BASE_MS);
	send(1000 * BASE_MS);
	view.pto_count = 3;
	expect_timer(&view, QUIC_LOSS_TIMER_PTO, (1000 + 8 * 125) * BASE_MS);
	/* However often, it does not overflow. */
	view.pto_count = UINT16_MAX;
	assert_true(quic_loss_timer(&view).deadline_ns > 1000 * BASE_SECOND);
	rtt.smoothed_ns = BASE_NEVER / 4;
	assert_int_equal(quic_loss_timer(&view).deadline_ns, BASE_NEVER);
}

/* Section 6.2.1: "The PTO timer MUST NOT be set if a timer is set for time threshold loss detection". */
static void
loss_timer__prefers_the_loss_time(void **state)
{
	struct quic_loss_view view = view_at(0);

	(void)state;
	steady_rtt(80 * BASE_MS);
	for (int i = 0; i < 3; i++)
		send(1000 * BASE_MS);
	(void)acknowledge(1, 1, 1080 * BASE_MS);
	expect_timer(&view, QUIC_LOSS_TIMER_LOSS_TIME, 1090 * BASE_MS);
	/* Not even the anti-amplification limit stops it: it sends nothing. */
	view.at_anti_amplification_limit = true;
	expect_timer(&view, QUIC_LOSS_TIMER_LOSS_TIME, 1090 * BASE_MS);
	settle();
}

/* Section 6.2.2.1: "the server's PTO timer MUST NOT be armed until datagrams have been received from the client". */
static void
loss_timer__has_no_pto_at_the_anti_amplification_limit(void **state)
{
	struct quic_loss_view view = view_at(0);

	(void)state;
	send(1);
	view.at_anti_amplification_limit = true;
	expect_timer(&view, QUIC_LOSS_TIMER_NONE, BASE_NEVER);
}

/*
 * Section 6.2.1: "An endpoint MUST NOT set its PTO timer for the Application Data packet number space until the
 * handshake is confirmed."
 */
static void
loss_timer__has_no_application_pto_before_the_handshake_is_confirmed(void **state)
{
	struct quic_loss_view view = view_at(0);

	(void)state;
	send(1);
	view.handshake_confirmed = false;
	expect_timer(&view, QUIC_LOSS_TIMER_NONE, BASE_NEVER);
}

/* A client's view with all three spaces; the application's is the one that send() fills. */
static struct quic_loss_view
handshake_view(uint64_t now_ns)
{
	struct quic_loss_view view = view_at(now_ns);

	for (int i = 0; i < 2; i++) {
		quic_sent_init(&idle_sent[i]);
		quic_loss_init(&idle_loss[i]);
		view.loss[i] = &idle_loss[i];
		view.sent[i] = &idle_sent[i];
	}
	view.handshake_confirmed = false;
	view.peer_completed_address_validation = false;
	return view;
}

/*
 * Section 6.2.2.1: "the client MUST set the PTO timer if the client has not received an acknowledgment for any of its
 * Handshake packets and the handshake is not confirmed … even if there are no packets in flight."
 */
static void
loss_timer__probes_so_that_a_client_is_not_deadlocked(void **state)
{
	struct quic_loss_view view = handshake_view(5 * BASE_SECOND);

	(void)state;
	steady_rtt(99 * BASE_MS);
	expect_timer(&view, QUIC_LOSS_TIMER_PTO, 5100 * BASE_MS);
	assert_int_equal(quic_loss_timer(&view).space, QUIC_SPACE_INITIAL);
	view.has_handshake_keys = true;
	assert_int_equal(quic_loss_timer(&view).space, QUIC_SPACE_HANDSHAKE);
	/* Once a packet was sent, looking later does not move the deadline. */
	idle_loss[QUIC_SPACE_INITIAL].last_eliciting_ns = 4 * BASE_SECOND;
	expect_timer(&view, QUIC_LOSS_TIMER_PTO, 4100 * BASE_MS);
	view.now_ns = 9 * BASE_SECOND;
	expect_timer(&view, QUIC_LOSS_TIMER_PTO, 4100 * BASE_MS);
	/* 0-RTT packets in flight do not take the duty away. */
	send(4 * BASE_SECOND);
	assert_int_equal(quic_loss_timer(&view).kind, QUIC_LOSS_TIMER_PTO);
	view.peer_completed_address_validation = true;
	expect_timer(&view, QUIC_LOSS_TIMER_NONE, BASE_NEVER);
}

/* Appendix A.8: the earliest of the spaces; max_ack_delay is of the application's only. */
static void
loss_timer__takes_the_earliest_space(void **state)
{
	struct quic_loss_view view = handshake_view(0);

	(void)state;
	steady_rtt(99 * BASE_MS);
	view.handshake_confirmed = view.peer_completed_address_validation = true;
	send(1000 * BASE_MS);
	idle_loss[QUIC_SPACE_HANDSHAKE].last_eliciting_ns = 1010 * BASE_MS;
	idle_sent[QUIC_SPACE_HANDSHAKE].eliciting = 1;
	expect_timer(&view, QUIC_LOSS_TIMER_PTO, 1110 * BASE_MS);
	assert_int_equal(quic_loss_timer(&view).space, QUIC_SPACE_HANDSHAKE);
	idle_loss[QUIC_SPACE_INITIAL].loss_time_ns = 1300 * BASE_MS;
	idle_loss[QUIC_SPACE_HANDSHAKE].loss_time_ns = 1200 * BASE_MS;
	expect_timer(&view, QUIC_LOSS_TIMER_LOSS_TIME, 1200 * BASE_MS);
	assert_int_equal(quic_loss_timer(&view).space, QUIC_SPACE_HANDSHAKE);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(loss_ack_begin__refuses_what_was_never_sent),
		TEST(loss_ack_range__refuses_a_skipped_number),
		TEST(loss_ack_end__sums_up_what_is_newly_acknowledged),
		TEST(loss_ack_end__takes_an_rtt_sample_of_the_largest_only),
		TEST(loss_ack_end__loses_three_packets_before_an_acknowledged_one),
		TEST(loss_ack_end__finds_losses_below_a_packet_not_recorded),
		TEST(loss_expire__loses_what_is_nine_eighths_of_an_rtt_old),
		TEST(loss_expire__waits_for_the_granularity_at_least),
		TEST(loss_expire__loses_nothing_before_the_first_ack),
		TEST(loss_ack_end__leaves_an_mtu_probe_out_of_the_last_time),
		TEST(loss_ack_end__finds_the_persistent_congestion_of_the_example),
		TEST(loss_ack_end__sees_no_persistent_congestion_around_an_acknowledged_packet),
		TEST(loss_ack_end__bounds_persistent_congestion_by_ack_eliciting_packets),
		TEST(loss_ack_end__sees_no_persistent_congestion_before_the_first_sample),
		TEST(loss_ack_end__finds_persistent_congestion_over_several_acks),
		TEST(loss_timer__counts_the_pto_from_the_last_ack_eliciting_packet),
		TEST(loss_timer__doubles_with_each_pto),
		TEST(loss_timer__prefers_the_loss_time),
		TEST(loss_timer__has_no_pto_at_the_anti_amplification_limit),
		TEST(loss_timer__has_no_application_pto_before_the_handshake_is_confirmed),
		TEST(loss_timer__probes_so_that_a_client_is_not_deadlocked),
		TEST(loss_timer__takes_the_earliest_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
