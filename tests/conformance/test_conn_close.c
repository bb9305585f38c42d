/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 9000 section 10: idle timeout, closing and draining, as a client sees the server. */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "tests/conformance/raw_client.h"

static struct raw *
connected(void)
{
	struct raw *raw = raw_open(NULL, NULL);

	raw_handshake(raw, QUIC_CLIENT);
	return raw;
}

/* A client with a max_idle_timeout of its own: transport parameter 0x01. */
static struct raw *
connected_with_idle_timeout(uint16_t timeout_ms, const struct quic_limits *limits)
{
	struct raw *raw = raw_open(limits, NULL);
	uint8_t octets[64];
	struct base_writer writer = base_writer(octets, sizeof(octets));

	raw_from_scratch(raw);
	base_writer_u16(&writer, 0x0102);
	base_writer_u16(&writer, (uint16_t)(0x4000 | timeout_ms));
	base_writer_u16(&writer, (uint16_t)(0x0f00 | raw->scid.length));
	base_writer_octets(&writer, raw->scid.octets, raw->scid.length);
	raw_hello(raw, octets, base_writer_length(&writer));
	raw_send_hello(raw);
	raw_finish_handshake(raw);
	return raw;
}

static uint64_t
acknowledge_all(struct raw *raw)
{
	uint64_t largest = raw->largest_seen[QUIC_SPACE_APPLICATION];
	uint8_t ack[] = {0x02, (uint8_t)(0x40 | largest >> 8), (uint8_t)largest, 0, 0,
		(uint8_t)(0x40 | largest >> 8), (uint8_t)largest};

	raw_packet(raw, QUIC_PACKET_ONE_RTT, ack, sizeof(ack));
	raw_send(raw);
	return raw->now_ns;
}

/* Section 10.1: "If a max_idle_timeout is specified by either endpoint in its transport parameters, the connection is silently closed and its
 * state is discarded when it remains idle for longer than the minimum of the max_idle_timeout value advertised by both endpoints." */
static void
idle__the_client_timeout_counts_when_it_is_the_smaller(void **state)
{
	struct raw *raw = connected_with_idle_timeout(5000, NULL);

	(void)state;
	acknowledge_all(raw);
	raw_wait(raw, 100 * BASE_MS);
	acknowledge_all(raw);
	raw_wait(raw, 4900 * BASE_MS);
	raw_expect_open(raw);
	raw_forget(raw);
	raw_wait(raw, 200 * BASE_MS);
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 1);
	assert_true(raw->closed.timed_out);
	assert_int_equal(raw_counter(raw, "idle_timeouts"), 1);
	assert_int_equal(quic_endpoint_connections(raw->nodes[QUIC_SERVER].endpoint), 0);
	raw_close(raw);
}

static void
idle__the_server_timeout_counts_when_it_is_the_smaller(void **state)
{
	struct quic_limits limits = raw_limits();
	struct raw *raw;

	(void)state;
	limits.idle_timeout_ns = 4 * BASE_SECOND;
	raw = connected_with_idle_timeout(16000, &limits);
	acknowledge_all(raw);
	raw_wait(raw, 100 * BASE_MS);
	acknowledge_all(raw);
	raw_wait(raw, 3900 * BASE_MS);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 0);
	raw_wait(raw, 200 * BASE_MS);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 1);
	raw_close(raw);
}

/* Section 10.1: "To avoid excessively small idle timeout periods, endpoints MUST increase the idle timeout period to be at least three times
 * the current Probe Timeout (PTO)." */
static void
idle__never_below_three_pto(void **state)
{
	struct raw *raw = connected_with_idle_timeout(1, NULL);
	uint64_t pto_ns;

	(void)state;
	acknowledge_all(raw);
	pto_ns = quic_conn_pto_ns(raw_conn(raw, QUIC_SERVER));
	raw_wait(raw, 3 * pto_ns - BASE_MS);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 0);
	raw_wait(raw, 2 * BASE_MS);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 1);
	raw_close(raw);
}

/* Section 10.1: "An endpoint restarts its idle timer when a packet from its peer is received and processed successfully. An endpoint also
 * restarts its idle timer when sending an ack-eliciting packet if no other ack-eliciting packets have been sent since last receiving and
 * processing a packet." So probes without an answer do not keep it alive. */
static void
idle__own_probes_do_not_keep_it_alive(void **state)
{
	struct raw *raw = connected_with_idle_timeout(5000, NULL);

	(void)state;
	acknowledge_all(raw);
	raw_wait(raw, BASE_SECOND);
	quic_conn_ping(raw_conn(raw, QUIC_SERVER));
	raw_wait(raw, 4900 * BASE_MS);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 0);
	assert_true(raw_count(raw, QUIC_FRAME_PING) > 1);
	raw_wait(raw, 200 * BASE_MS);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 1);
	raw_close(raw);
}

/* Section 10.2.1: "An endpoint SHOULD limit the rate at which it generates packets in the closing state. For
 * instance, an endpoint could wait for a progressively increasing number of received packets or amount of time
 * before responding to received packets." */
static void
closing__replies_get_rarer(void **state)
{
	struct raw *raw = connected();
	uint32_t replies = 0;

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1e");
	raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, 0x1e);
	for (int i = 0; i < 60; i++) {
		raw_forget(raw);
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
		assert_in_range(raw->datagram_count, 0, 1);
		if (raw->datagram_count == 0)
			continue;
		replies++;
		raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, 0x1e);
	}
	assert_in_range(replies, 2, 8);
	assert_int_equal(raw_counter(raw, "drop_closed"), 60);
	raw_close(raw);
}

/* Section 10.2: "These states SHOULD persist for at least three times the current PTO interval"; and they end. */
static void
closing__ends_after_three_pto_and_frees_the_slot(void **state)
{
	struct raw *raw = connected();
	uint64_t pto_ns = quic_conn_pto_ns(raw_conn(raw, QUIC_SERVER));

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1e");
	raw_forget(raw);
	raw_wait(raw, 3 * pto_ns - BASE_MS);
	assert_non_null(raw_conn(raw, QUIC_SERVER));
	raw_wait(raw, 100 * BASE_MS);
	assert_null(raw_conn(raw, QUIC_SERVER));
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 1);
	raw_close(raw);
}

/* Section 10.2.2: "An endpoint MAY enter the draining state from the closing state if it receives a
 * CONNECTION_CLOSE frame, which indicates that the peer is also closing or draining." */
static void
closing__the_peers_close_ends_the_replies(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1e");
	raw_forget(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1c 00 00 00");
	for (int i = 0; i < 10; i++)
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 1);
	raw_close(raw);
}

/* Section 10.2.2: "While otherwise identical to the closing state, an endpoint in the draining state MUST NOT send any packets." */
static void
draining__is_silent(void **state)
{
	static const char *const closes[] = {"1d 2a 03 627965", "1c 0a 08 00"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct raw *raw = connected();

		/* Stream octets that are not acknowledged would be sent again. */
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "0a 00 01 aa");
		assert_int_equal(quic_conn_stream_write(
					 raw_conn(raw, QUIC_SERVER), 0, (const uint8_t *)"octets", 6, false),
			6);
		raw_hex(raw, QUIC_PACKET_ONE_RTT, closes[i]);
		raw_forget(raw);
		for (int k = 0; k < 10; k++)
			raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
		raw_wait(raw, 5 * BASE_SECOND);
		assert_int_equal(raw->datagram_count, 0);
		assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 1);
		assert_true(raw->closed.closed_by_peer);
		assert_int_equal(raw->closed.application_error, i == 0);
		assert_int_equal(raw->closed.error_code, i == 0 ? 0x2a : 0x0a);
		assert_null(raw_conn(raw, QUIC_SERVER));
		raw_close(raw);
	}
}

/* Frames behind the CONNECTION_CLOSE in its packet do nothing any more. */
static void
draining__nothing_behind_the_close_is_processed(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1d 00 00 1e 21");
	assert_int_equal(raw_counter(raw, "errors_sent"), 0);
	assert_int_equal(raw->datagram_count, 0);
	raw_close(raw);
}

/* Section 10.2.3: "A CONNECTION_CLOSE of type 0x1d MUST be replaced by a CONNECTION_CLOSE of type 0x1c when sending the frame in Initial or
 * Handshake packets. [...] Endpoints MUST clear the value of the Reason Phrase field and SHOULD use the APPLICATION_ERROR code". */
static void
close__of_the_application_is_veiled_in_the_handshake(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);
	struct quic_frame frame;

	(void)state;
	raw_half_handshake(raw);
	quic_conn_close(raw_conn(raw, QUIC_SERVER), 0x77, "why");
	raw_wait(raw, BASE_MS);
	assert_int_equal(raw_count(raw, QUIC_FRAME_CONNECTION_CLOSE_APPLICATION), 0);
	assert_non_null(raw_find(raw, QUIC_FRAME_CONNECTION_CLOSE, &frame));
	assert_int_equal(frame.close.code, QUIC_APPLICATION_ERROR);
	assert_int_equal(frame.close.reason_length, 0);
	/* Section 10.2.3: the client may have keys of either level only. */
	assert_int_equal(raw_count(raw, QUIC_FRAME_CONNECTION_CLOSE), 2);
	raw_close(raw);
}

static void
close__of_the_application_says_its_code_and_reason(void **state)
{
	struct raw *raw = connected();
	struct quic_frame frame;

	(void)state;
	quic_conn_close(raw_conn(raw, QUIC_SERVER), 0x77, "why");
	raw_wait(raw, BASE_MS);
	assert_non_null(raw_find(raw, QUIC_FRAME_CONNECTION_CLOSE_APPLICATION, &frame));
	assert_int_equal(frame.close.code, 0x77);
	assert_int_equal(frame.close.reason_length, 3);
	assert_memory_equal(frame.close.reason, "why", 3);
	raw_close(raw);
}

/* A close late in a handshake outlives the handshake's own deadline: that one is over and must not fire for ever. */
static void
close__shortly_before_the_handshake_deadline_ends_quietly(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_half_handshake(raw);
	raw_wait(raw, 9 * BASE_SECOND + 500 * BASE_MS);
	assert_non_null(raw_conn(raw, QUIC_SERVER));
	raw_forget(raw);
	raw_hex(raw, QUIC_PACKET_HANDSHAKE, "1e");
	raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, 0x1e);
	raw_wait(raw, 10 * BASE_SECOND);
	assert_null(raw_conn(raw, QUIC_SERVER));
	raw_close(raw);
}

/* A handshake that is never finished ends at its deadline; nobody is told (section 10.1 is about silence, too). */
static void
idle__handshake_that_is_not_finished_times_out(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_half_handshake(raw);
	raw_wait(raw, 11 * BASE_SECOND);
	assert_null(raw_conn(raw, QUIC_SERVER));
	assert_int_equal(raw_counter(raw, "handshakes_timed_out"), 1);
	assert_int_equal(raw_count(raw, QUIC_FRAME_CONNECTION_CLOSE), 0);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 0);
	raw_close(raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle__the_client_timeout_counts_when_it_is_the_smaller),
		cmocka_unit_test(idle__the_server_timeout_counts_when_it_is_the_smaller),
		cmocka_unit_test(idle__never_below_three_pto),
		cmocka_unit_test(idle__own_probes_do_not_keep_it_alive),
		cmocka_unit_test(closing__replies_get_rarer),
		cmocka_unit_test(closing__ends_after_three_pto_and_frees_the_slot),
		cmocka_unit_test(closing__the_peers_close_ends_the_replies),
		cmocka_unit_test(draining__is_silent),
		cmocka_unit_test(draining__nothing_behind_the_close_is_processed),
		cmocka_unit_test(close__of_the_application_is_veiled_in_the_handshake),
		cmocka_unit_test(close__of_the_application_says_its_code_and_reason),
		cmocka_unit_test(close__shortly_before_the_handshake_deadline_ends_quietly),
		cmocka_unit_test(idle__handshake_that_is_not_finished_times_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
