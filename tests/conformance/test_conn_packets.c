/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 9000 sections 12, 13, 14, 17 and 19, and RFC 9221, as a client that breaks them sees the server. */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "tests/conformance/raw_client.h"
#include "tests/support/hex.h"

#define ROWS(server, rows) raw_expect_rows(server, rows, sizeof(rows) / sizeof((rows)[0]))

static struct raw *
connected(void)
{
	struct raw *raw = raw_open(NULL, NULL);

	raw_handshake(raw, QUIC_CLIENT);
	return raw;
}

/* Section 17.3.1: "An endpoint MUST treat receipt of a packet that has a non-zero value for these bits, after removing both packet and
 * header protection, as a connection error of type PROTOCOL_VIOLATION." */
static void
receive_short_header__reserved_bits_are_a_protocol_violation(void **state)
{
	static const uint8_t bits[] = {0x08, 0x10, 0x18};

	(void)state;
	for (size_t i = 0; i < sizeof(bits); i++) {
		struct raw *raw = connected();

		raw->flip_first = bits[i];
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
		raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, 0);
		raw_close(raw);
	}
}

/* Section 17.2 says the same of long headers. */
static void
receive_long_header__reserved_bits_are_a_protocol_violation(void **state)
{
	static const uint8_t bits[] = {0x04, 0x08};
	static const enum quic_packet_type types[] = {QUIC_PACKET_INITIAL, QUIC_PACKET_HANDSHAKE};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct raw *raw = raw_open(NULL, NULL);

		raw_half_handshake(raw);
		raw->flip_first = bits[i % 2];
		raw_hex(raw, types[i / 2], "01");
		raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, 0);
		raw_close(raw);
	}
}

/* The same section: without a valid tag the bits say nothing, and section 12.2's packets that cannot be opened are discarded. */
static void
receive_short_header__reserved_bits_of_a_forged_packet_are_dropped(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw->flip_first = 0x18;
	raw->corrupt = true;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "drop_not_authentic"), 1);
	raw_close(raw);
}

/* Sections 17.2 and 17.3.1: "Packets containing a zero value for this bit are not valid packets in this version and MUST be discarded." */
static void
receive_packet__fixed_bit_zero_is_dropped(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw->flip_first = 0x40;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1e");
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "drop_fixed_bit"), 1);
	raw_close(raw);
}

/* Section 12.4: "An endpoint MUST treat receipt of a packet containing no frames as a connection error of type PROTOCOL_VIOLATION." */
static void
receive_packet__without_frames_is_a_protocol_violation(void **state)
{
	static const struct raw_row rows[] = {{"", QUIC_PROTOCOL_VIOLATION, 0}};
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	ROWS(NULL, rows);
	raw_half_handshake(raw);
	raw_hex(raw, QUIC_PACKET_HANDSHAKE, "");
	raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, 0);
	raw_close(raw);
}

/* Section 12.4: "An endpoint MUST treat receipt of a frame in a packet type that is not permitted as a connection error of type
 * PROTOCOL_VIOLATION." */
static void
receive_frame__in_a_wrong_packet_type_is_a_protocol_violation(void **state)
{
	static const char *const frames[] = {"04 00 00 00", "05 00 00", "07 01 aa", "0a 00 01 aa", "10 00",
		"11 00 00", "12 00", "14 00", "18 01 00 01 aa 00000000000000000000000000000000", "19 00",
		"1a 0000000000000000", "1b 0000000000000000", "1d 00 00", "1e", "30 aa"};
	static const enum quic_packet_type types[] = {QUIC_PACKET_INITIAL, QUIC_PACKET_HANDSHAKE};

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		for (size_t j = 0; j < 2; j++) {
			struct raw *raw = raw_open(NULL, NULL);
			uint8_t type = 0;

			raw_half_handshake(raw);
			assert_int_equal(support_hex(frames[i], &type, 1), 1);
			raw_hex(raw, types[j], frames[i]);
			raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, type);
			raw_close(raw);
		}
}

/* Section 12.4: "An endpoint MUST treat the receipt of a frame of unknown type as a connection error of type FRAME_ENCODING_ERROR." And
 * of a type that is not in its shortest encoding: "An endpoint MAY treat the receipt of a frame type that uses a longer encoding than
 * necessary as a connection error of type PROTOCOL_VIOLATION." */
static void
receive_frame__of_unknown_type_is_a_frame_encoding_error(void **state)
{
	static const struct raw_row rows[] = {
		{"21", QUIC_FRAME_ENCODING_ERROR, 0x21},
		{"1f", QUIC_FRAME_ENCODING_ERROR, 0x1f},
		{"9abcdef0", QUIC_FRAME_ENCODING_ERROR, 0x1abcdef0},
		{"4001", QUIC_PROTOCOL_VIOLATION, 0x01},
	};

	(void)state;
	ROWS(NULL, rows);
}

/* Section 19.20: "A server MUST treat receipt of a HANDSHAKE_DONE frame as a connection error of type PROTOCOL_VIOLATION." Section 19.7:
 * "A server MUST treat receipt of a NEW_TOKEN frame as a connection error of type PROTOCOL_VIOLATION." */
static void
receive_frame__that_only_servers_send_is_a_protocol_violation(void **state)
{
	static const struct raw_row rows[] = {
		{"1e", QUIC_PROTOCOL_VIOLATION, 0x1e},
		{"07 01 aa", QUIC_PROTOCOL_VIOLATION, 0x07},
	};

	(void)state;
	ROWS(NULL, rows);
}

/* Section 13.1: "An endpoint SHOULD treat receipt of an acknowledgment for a packet it did not send as a connection error of type
 * PROTOCOL_VIOLATION, if it is able to detect the condition." Section 19.3.1: "If any computed packet number is negative, an endpoint
 * MUST generate a connection error of type FRAME_ENCODING_ERROR." */
static void
receive_ack__of_what_was_not_sent_or_below_zero_is_an_error(void **state)
{
	static const struct raw_row rows[] = {
		{"02 bfffffff 00 00 00", QUIC_PROTOCOL_VIOLATION, 0x02},
		{"03 bfffffff 00 00 00 00 00 00", QUIC_PROTOCOL_VIOLATION, 0x03},
		{"02 01 00 00 02", QUIC_FRAME_ENCODING_ERROR, 0x02},
		{"02 05 00 01 00 09 00", QUIC_FRAME_ENCODING_ERROR, 0x02},
	};
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	ROWS(NULL, rows);
	raw_half_handshake(raw);
	raw_hex(raw, QUIC_PACKET_INITIAL, "02 4100 00 00 00");
	raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, 0x02);
	raw_close(raw);
}

/* Section 7.5: "If an endpoint does not expand its buffer, it MUST close the connection with a
 * CRYPTO_BUFFER_EXCEEDED error code." */
static void
receive_crypto__beyond_the_buffer_is_crypto_buffer_exceeded(void **state)
{
	static const enum quic_packet_type types[] = {QUIC_PACKET_INITIAL, QUIC_PACKET_HANDSHAKE};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct raw *raw = raw_open(NULL, NULL);

		raw_half_handshake(raw);
		raw_hex(raw, types[i], "06 8000f000 01 aa");
		raw_expect_close(raw, QUIC_CRYPTO_BUFFER_EXCEEDED, 0x06);
		raw_close(raw);
	}
}

/* Section 19.6: "The largest offset delivered on a stream [...] cannot exceed 2^62-1. Receipt of a frame that exceeds this limit MUST be
 * treated as a connection error of type FRAME_ENCODING_ERROR or CRYPTO_BUFFER_EXCEEDED." */
static void
receive_crypto__offset_above_the_largest_is_an_error(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_half_handshake(raw);
	raw_hex(raw, QUIC_PACKET_HANDSHAKE, "06 ffffffffffffffff 01 aa");
	raw_expect_close(raw, QUIC_FRAME_ENCODING_ERROR, 0x06);
	raw_close(raw);
}

/* RFC 9221 section 3: "An endpoint that receives a DATAGRAM frame that is larger than the value it sent in its max_datagram_frame_size
 * transport parameter MUST terminate the connection with an error of type PROTOCOL_VIOLATION"; likewise one that sent none. */
static void
receive_datagram__above_the_limit_is_a_protocol_violation(void **state)
{
	static const struct raw_row rows[] = {
		{"31 04 aabbccdd", QUIC_PROTOCOL_VIOLATION, 0x31},
		{"30 aabbccddee", QUIC_PROTOCOL_VIOLATION, 0x30},
	};
	struct quic_limits limits = raw_limits();

	(void)state;
	limits.max_datagram_frame_bytes = 5;
	ROWS(&limits, rows);
	limits.max_datagram_frame_bytes = 0;
	ROWS(&limits, rows);
}

static void
receive_datagram__up_to_the_limit_is_an_event(void **state)
{
	struct quic_limits limits = raw_limits();
	struct raw *raw;

	(void)state;
	limits.max_datagram_frame_bytes = 5;
	raw = raw_open(&limits, NULL);
	raw_handshake(raw, QUIC_CLIENT);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "31 03 aabbcc");
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aabbccdd");
	raw_expect_open(raw);
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 2);
	raw_close(raw);
}

/* Section 12.3: "A receiver MUST discard a newly unprotected packet unless it is certain that it has not processed another packet with
 * the same packet number from the same packet number space." */
static void
receive_packet__duplicate_is_dropped(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	raw->next_packet_number[QUIC_SPACE_APPLICATION]--;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	raw->next_packet_number[QUIC_SPACE_APPLICATION]--;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1e");
	raw_expect_open(raw);
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 1);
	assert_int_equal(raw_counter(raw, "drop_duplicate"), 2);
	raw_close(raw);
}

/* Section 12.2: "Receivers SHOULD ignore any subsequent packets with a different Destination Connection ID than the first packet in the
 * datagram." */
static void
receive_coalesced__other_connection_id_is_ignored(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);
	uint64_t before;

	(void)state;
	raw_half_handshake(raw);
	before = raw_counter(raw, "packets_received");
	raw_packet_hex(raw, QUIC_PACKET_HANDSHAKE, "01");
	raw->dcid.octets[3] ^= 1;
	raw_packet_hex(raw, QUIC_PACKET_HANDSHAKE, "1e");
	raw_send(raw);
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "packets_received"), before + 1);
	assert_int_equal(raw_counter(raw, "drop_coalesced"), 1);
	raw_close(raw);
}

/* Section 12.2: "if decryption fails (because the keys are not available or for any other reason), the receiver MAY either discard or
 * buffer the packet for later processing and MUST attempt to process the remaining packets." */
static void
receive_coalesced__packet_behind_a_corrupted_one_is_processed(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);
	uint64_t before;

	(void)state;
	raw_half_handshake(raw);
	before = raw_counter(raw, "packets_received");
	raw->short_initial = true;
	raw->corrupt = true;
	raw_packet_hex(raw, QUIC_PACKET_INITIAL, "01");
	raw->corrupt = false;
	raw_packet_hex(raw, QUIC_PACKET_HANDSHAKE, "01");
	raw->corrupt = true;
	raw_packet_hex(raw, QUIC_PACKET_HANDSHAKE, "01");
	raw->corrupt = false;
	raw_packet_hex(raw, QUIC_PACKET_HANDSHAKE, "01");
	raw_send(raw);
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "packets_received"), before + 2);
	assert_int_equal(raw_counter(raw, "drop_not_authentic"), 2);
	raw_close(raw);
}

/* Section 12.2 again: octets behind a packet that are none (zeros, mostly) do no harm. */
static void
receive_coalesced__octets_that_are_no_packet_are_ignored(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);
	uint64_t before;

	(void)state;
	raw_half_handshake(raw);
	before = raw_counter(raw, "packets_received");
	raw_packet_hex(raw, QUIC_PACKET_HANDSHAKE, "01");
	memset(raw->out + raw->out_length, 0, 100);
	raw->out_length += 100;
	raw_send(raw);
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "packets_received"), before + 1);
	raw_close(raw);
}

/* Section 13.2.1: "an endpoint MUST acknowledge all ack-eliciting 0-RTT and 1-RTT packets within its advertised max_ack_delay". And
 * section 13.2.5: the ACK Delay field says how long the largest one has waited. */
static void
receive_ack_eliciting__is_acknowledged_within_max_ack_delay(void **state)
{
	struct raw *raw = connected();
	uint64_t begun_ns = raw->now_ns;
	const struct raw_packet *packet;
	struct quic_frame frame;

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_int_equal(raw->datagram_count, 0);
	raw_wait(raw, 100 * BASE_MS);
	packet = raw_find(raw, QUIC_FRAME_ACK, &frame);
	assert_non_null(packet);
	assert_in_range(raw->datagrams[packet->datagram].time_ns - begun_ns, 1, 25 * BASE_MS + 2 * BASE_MS);
	assert_int_equal(frame.ack.largest_acked, raw->next_packet_number[QUIC_SPACE_APPLICATION] - 1);
	assert_in_range((frame.ack.ack_delay << 3) * BASE_US, 20 * BASE_MS, 27 * BASE_MS);
	assert_int_equal(raw->datagram_count, 1);
	raw_close(raw);
}

/* Section 13.2.2: "A receiver SHOULD send an ACK frame after receiving at least two ack-eliciting packets." */
static void
receive_ack_eliciting__second_one_is_acknowledged_at_once(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_int_equal(raw_count(raw, QUIC_FRAME_ACK), 0);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_int_equal(raw_count(raw, QUIC_FRAME_ACK), 1);
	raw_close(raw);
}

/* Section 13.2.1: "an endpoint SHOULD generate and send an ACK frame without delay when it receives an ack-eliciting packet either: when
 * the received packet has a packet number less than another ack-eliciting packet that has been received, or when the packet has a packet
 * number larger than the highest-numbered ack-eliciting packet that has been received and there are missing packets between". */
static void
receive_ack_eliciting__out_of_order_is_acknowledged_at_once(void **state)
{
	struct raw *raw = connected();
	uint64_t *next = &raw->next_packet_number[QUIC_SPACE_APPLICATION];

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	raw_wait(raw, 100 * BASE_MS);
	raw_forget(raw);
	++*next;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_int_equal(raw_count(raw, QUIC_FRAME_ACK), 1);
	raw_forget(raw);
	*next -= 2;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_int_equal(raw_count(raw, QUIC_FRAME_ACK), 1);
	raw_close(raw);
}

/* Section 13.2.1: "An endpoint MUST NOT send a non-ack-eliciting packet in response to a non-ack-eliciting packet, even if there are
 * packet gaps that precede the received packet." */
static void
receive_not_ack_eliciting__is_not_answered(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "00");
	raw->next_packet_number[QUIC_SPACE_APPLICATION] += 5;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "00");
	raw_wait(raw, 500 * BASE_MS);
	assert_int_equal(raw->datagram_count, 0);
	raw_close(raw);
}

/* Section 13.2.1: "An endpoint MUST acknowledge all ack-eliciting Initial and Handshake packets immediately". */
static void
receive_ack_eliciting__at_handshake_levels_is_acknowledged_at_once(void **state)
{
	static const enum quic_packet_type types[] = {QUIC_PACKET_INITIAL, QUIC_PACKET_HANDSHAKE};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct raw *raw = raw_open(NULL, NULL);
		const struct raw_packet *packet;
		struct quic_frame frame;

		raw_half_handshake(raw);
		raw_hex(raw, types[i], "01");
		packet = raw_find(raw, QUIC_FRAME_ACK, &frame);
		assert_non_null(packet);
		assert_int_equal(packet->type, types[i]);
		raw_close(raw);
	}
}

/* Section 13.4.1: "On receiving an IP packet with an ECT(0), ECT(1), or ECN-CE codepoint, an ECN-enabled endpoint [...] increases the
 * corresponding ECT(0), ECT(1), or ECN-CE count. These ECN counts are included in subsequent ACK frames". Section 13.2.1: CE at once. */
static void
receive_ecn__counts_are_echoed_and_ce_at_once(void **state)
{
	struct raw *raw = connected();
	struct quic_frame frame;

	(void)state;
	raw->ecn = BASE_ECN_ECT_0;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_non_null(raw_find(raw, QUIC_FRAME_ACK_ECN, &frame));
	assert_int_equal(frame.ack.ecn.ect0, 2);
	assert_int_equal(frame.ack.ecn.ce, 0);
	raw_forget(raw);
	raw->ecn = BASE_ECN_CE;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_non_null(raw_find(raw, QUIC_FRAME_ACK_ECN, &frame));
	assert_int_equal(frame.ack.ecn.ect0, 2);
	assert_int_equal(frame.ack.ecn.ect1, 0);
	assert_int_equal(frame.ack.ecn.ce, 1);
	/* A duplicate is not counted: section 13.4.1, "duplicate QUIC packets [...] do not result in increments". */
	raw_forget(raw);
	raw->next_packet_number[QUIC_SPACE_APPLICATION]--;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_non_null(raw_find(raw, QUIC_FRAME_ACK_ECN, &frame));
	assert_int_equal(frame.ack.ecn.ce, 2);
	raw_close(raw);
}

/* Section 17.2.3: 0-RTT is not offered, so its packets are dropped; section 5.2.2 lets a server do that. */
static void
receive_zero_rtt__is_dropped(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_half_handshake(raw);
	raw->keys[QUIC_SPACE_APPLICATION] = raw->keys[QUIC_SPACE_HANDSHAKE];
	raw_hex(raw, QUIC_PACKET_ZERO_RTT, "1e");
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "drop_no_keys"), 1);
	raw_close(raw);
}

/* RFC 9001 section 5.7: "a server MUST NOT process incoming 1-RTT protected packets before the TLS handshake is complete." */
static void
receive_one_rtt__before_the_handshake_is_complete_is_not_processed(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_half_handshake(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1e");
	raw_expect_open(raw);
	assert_int_equal(raw->datagram_count, 0);
	raw_close(raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receive_short_header__reserved_bits_are_a_protocol_violation),
		cmocka_unit_test(receive_long_header__reserved_bits_are_a_protocol_violation),
		cmocka_unit_test(receive_short_header__reserved_bits_of_a_forged_packet_are_dropped),
		cmocka_unit_test(receive_packet__fixed_bit_zero_is_dropped),
		cmocka_unit_test(receive_packet__without_frames_is_a_protocol_violation),
		cmocka_unit_test(receive_frame__in_a_wrong_packet_type_is_a_protocol_violation),
		cmocka_unit_test(receive_frame__of_unknown_type_is_a_frame_encoding_error),
		cmocka_unit_test(receive_frame__that_only_servers_send_is_a_protocol_violation),
		cmocka_unit_test(receive_ack__of_what_was_not_sent_or_below_zero_is_an_error),
		cmocka_unit_test(receive_crypto__beyond_the_buffer_is_crypto_buffer_exceeded),
		cmocka_unit_test(receive_crypto__offset_above_the_largest_is_an_error),
		cmocka_unit_test(receive_datagram__above_the_limit_is_a_protocol_violation),
		cmocka_unit_test(receive_datagram__up_to_the_limit_is_an_event),
		cmocka_unit_test(receive_packet__duplicate_is_dropped),
		cmocka_unit_test(receive_coalesced__other_connection_id_is_ignored),
		cmocka_unit_test(receive_coalesced__packet_behind_a_corrupted_one_is_processed),
		cmocka_unit_test(receive_coalesced__octets_that_are_no_packet_are_ignored),
		cmocka_unit_test(receive_ack_eliciting__is_acknowledged_within_max_ack_delay),
		cmocka_unit_test(receive_ack_eliciting__second_one_is_acknowledged_at_once),
		cmocka_unit_test(receive_ack_eliciting__out_of_order_is_acknowledged_at_once),
		cmocka_unit_test(receive_not_ack_eliciting__is_not_answered),
		cmocka_unit_test(receive_ack_eliciting__at_handshake_levels_is_acknowledged_at_once),
		cmocka_unit_test(receive_ecn__counts_are_echoed_and_ce_at_once),
		cmocka_unit_test(receive_zero_rtt__is_dropped),
		cmocka_unit_test(receive_one_rtt__before_the_handshake_is_complete_is_not_processed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
