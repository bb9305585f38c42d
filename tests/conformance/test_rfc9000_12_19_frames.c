/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 9000 sections 12.4 and 19, as far as a frame says it without a connection. */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "quic/frame.h"
#include "tests/support/hex.h"

static struct quic_frame frame;
static uint64_t type;

static uint64_t
parse_in(enum quic_packet_type packet_type, const char *text)
{
	uint8_t octets[64];
	size_t length = support_hex(text, octets, sizeof(octets));
	struct base_reader reader = base_reader(octets, length);

	return quic_frame_parse(&reader, packet_type, &frame, &type);
}

static uint64_t
parse(const char *text)
{
	return parse_in(QUIC_PACKET_ONE_RTT, text);
}

/* Section 12.4, table 3, column "Pkts": "An endpoint MUST treat receipt of a frame in a packet type that is
 * not permitted as a connection error of type PROTOCOL_VIOLATION." RFC 9221 section 4 adds DATAGRAM. */
static void
section_12_4__frames_are_taken_in_their_packet_types_only(void **state)
{
	static const struct {
		uint64_t first, last;
		const char *packets; /* of "IH01" */
	} table[] = {
		{0x00, 0x01, "IH01"},
		{0x02, 0x03, "IH1"},
		{0x04, 0x05, "01"},
		{0x06, 0x06, "IH1"},
		{0x07, 0x07, "1"},
		{0x08, 0x1a, "01"},
		{0x1b, 0x1b, "1"},
		{0x1c, 0x1c, "IH01"},
		{0x1d, 0x1d, "01"},
		{0x1e, 0x1e, "1"},
		{0x30, 0x31, "01"},
	};
	static const struct {
		char letter;
		enum quic_packet_type packet_type;
	} letters[] = {
		{'I', QUIC_PACKET_INITIAL},
		{'H', QUIC_PACKET_HANDSHAKE},
		{'0', QUIC_PACKET_ZERO_RTT},
		{'1', QUIC_PACKET_ONE_RTT},
	};

	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++)
		for (uint64_t i = table[row].first; i <= table[row].last; i++)
			for (size_t j = 0; j < 4; j++) {
				uint8_t octets[40] = {(uint8_t)i, [1] = 1, [2] = 1, [3] = 1};
				struct base_reader reader = base_reader(octets, sizeof(octets));
				uint64_t error =
					quic_frame_parse(&reader, letters[j].packet_type, &frame, &type);

				assert_int_equal(type, i);
				assert_int_equal(error != QUIC_PROTOCOL_VIOLATION,
					strchr(table[row].packets, letters[j].letter) != NULL);
			}
}

/* Section 12.4, table 3, column "Spec": N, not ack-eliciting; C, not counted as in flight; P, probing; F,
 * flow controlled. */
static void
section_12_4__marks_are_those_of_table_3(void **state)
{
	for (uint64_t i = 0; i <= 0x1e; i++) {
		const struct quic_frame_rule *rule = quic_frame_rule(i);
		bool is_ack = i == 0x02 || i == 0x03;
		bool is_close = i == 0x1c || i == 0x1d;

		assert_int_equal(rule->ack_eliciting, !(i == 0 || is_ack || is_close));
		assert_int_equal(rule->congestion_controlled, !is_ack);
		assert_int_equal(rule->probing, i == 0 || i == 0x18 || i == 0x1a || i == 0x1b);
		assert_int_equal(rule->flow_controlled, i >= 0x08 && i <= 0x0f);
	}
	assert_true(quic_frame_rule(0x30)->ack_eliciting && quic_frame_rule(0x30)->congestion_controlled);
}

/* Section 12.4: "An endpoint MUST treat the receipt of a frame of unknown type as a connection error of type
 * FRAME_ENCODING_ERROR." */
static void
section_12_4__an_unknown_frame_type_is_refused(void **state)
{
	assert_int_equal(parse("1f"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(type, 0x1f);
	assert_int_equal(parse("32"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("4041"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("ffffffffffffffff"), QUIC_FRAME_ENCODING_ERROR);
}

/* Section 12.4: "a frame type MUST use the shortest possible encoding." "An endpoint MAY treat the receipt
 * of a frame type that uses a longer encoding than necessary as a connection error of type
 * PROTOCOL_VIOLATION." */
static void
section_12_4__a_frame_type_in_more_octets_than_needed_is_refused(void **state)
{
	assert_int_equal(parse("01"), QUIC_NO_ERROR);
	assert_int_equal(parse("4001"), QUIC_PROTOCOL_VIOLATION);
	assert_int_equal(parse("80000001"), QUIC_PROTOCOL_VIOLATION);
	assert_int_equal(parse("c000000000000001"), QUIC_PROTOCOL_VIOLATION);
}

/* Section 19.3.1: "If any computed packet number is negative, an endpoint MUST generate a connection error of
 * type FRAME_ENCODING_ERROR." */
static void
section_19_3_1__negative_packet_numbers_are_refused(void **state)
{
	assert_int_equal(parse("02 04 00 00 04"), QUIC_NO_ERROR);
	assert_int_equal(parse("02 04 00 00 05"), QUIC_FRAME_ENCODING_ERROR);
	/* 10..9, gap 8..7 (6 - 0 = 6 below), then 6..0 */
	assert_int_equal(parse("02 0a 00 01 01 01 06"), QUIC_NO_ERROR);
	assert_int_equal(parse("02 0a 00 01 01 01 07"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("02 0a 00 01 01 07 00"), QUIC_NO_ERROR);
	assert_int_equal(parse("02 0a 00 01 01 08 00"), QUIC_FRAME_ENCODING_ERROR);
	/* A count that no packet could hold. */
	assert_int_equal(parse("02 0a 00 ffffffffffffffff 00"), QUIC_FRAME_ENCODING_ERROR);
}

/* Section 19.6: "The largest offset delivered on a stream -- the sum of the offset and data length -- cannot
 * exceed 2^62-1. Receipt of a frame that exceeds this limit MUST be treated as a connection error of type
 * FRAME_ENCODING_ERROR or CRYPTO_BUFFER_EXCEEDED." Section 19.8 has the same for STREAM. */
static void
section_19_6_and_19_8__offsets_end_at_2_62(void **state)
{
	assert_int_equal(parse("06 fffffffffffffffe 01 aa"), QUIC_NO_ERROR);
	assert_int_equal(parse("06 ffffffffffffffff 01 aa"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("0e 00 fffffffffffffffe 01 aa"), QUIC_NO_ERROR);
	assert_int_equal(parse("0e 00 ffffffffffffffff 01 aa"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("0c 00 fffffffffffffffe aa bb"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("0d 00 ffffffffffffffff"), QUIC_NO_ERROR);
}

/* Section 19.7: "A client MUST treat receipt of a NEW_TOKEN frame with an empty Token field as a connection
 * error of type FRAME_ENCODING_ERROR." */
static void
section_19_7__an_empty_token_is_refused(void **state)
{
	assert_int_equal(parse("07 00"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("07 01 aa"), QUIC_NO_ERROR);
}

/* Section 19.11: "Receipt of a frame that permits opening of a stream larger than this limit MUST be treated
 * as a connection error of type FRAME_ENCODING_ERROR." Section 19.14: "Receipt of a frame that encodes a
 * larger stream ID MUST be treated as a connection error of type STREAM_LIMIT_ERROR or
 * FRAME_ENCODING_ERROR." */
static void
section_19_11_and_19_14__stream_counts_end_at_2_60(void **state)
{
	static const char *const types[] = {"12", "13", "16", "17"};
	char text[32];

	for (size_t i = 0; i < 4; i++) {
		strcpy(text, types[i]);
		assert_int_equal(parse(strcat(text, "d000000000000000")), QUIC_NO_ERROR);
		strcpy(text, types[i]);
		assert_int_equal(parse(strcat(text, "d000000000000001")), QUIC_FRAME_ENCODING_ERROR);
	}
}

/* Section 19.15: "Values less than 1 and greater than 20 are invalid and MUST be treated as a connection
 * error of type FRAME_ENCODING_ERROR." "Receiving a value in the Retire Prior To field that is greater than
 * that in the Sequence Number field MUST be treated as a connection error of type FRAME_ENCODING_ERROR." */
static void
section_19_15__new_connection_id_is_checked(void **state)
{
	assert_int_equal(parse("18 01 01 01 aa 00112233445566778899aabbccddeeff"), QUIC_NO_ERROR);
	assert_int_equal(parse("18 01 01 00 00112233445566778899aabbccddeeff"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("18 01 02 01 aa 00112233445566778899aabbccddeeff"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("18 01 00 14 0102030405060708090a0b0c0d0e0f1011121314"
			       "00112233445566778899aabbccddeeff"),
		QUIC_NO_ERROR);
	assert_int_equal(parse("18 01 00 15 0102030405060708090a0b0c0d0e0f101112131415"
			       "00112233445566778899aabbccddeeff"),
		QUIC_FRAME_ENCODING_ERROR);
}

/* Section 19: without a length field a frame extends to the end of the packet; a length that
 * goes beyond it is a FRAME_ENCODING_ERROR (section 20.1: "a frame that was badly formatted"). */
static void
section_19__lengths_end_with_the_packet(void **state)
{
	assert_int_equal(parse("06 00 02 aa"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("0a 00 02 aa"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("07 02 aa"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("1c 00 00 02 aa"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("1d 00 02 aa"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("31 02 aa"), QUIC_FRAME_ENCODING_ERROR);
	assert_int_equal(parse("1a 00112233445566"), QUIC_FRAME_ENCODING_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_12_4__frames_are_taken_in_their_packet_types_only),
		cmocka_unit_test(section_12_4__marks_are_those_of_table_3),
		cmocka_unit_test(section_12_4__an_unknown_frame_type_is_refused),
		cmocka_unit_test(section_12_4__a_frame_type_in_more_octets_than_needed_is_refused),
		cmocka_unit_test(section_19_3_1__negative_packet_numbers_are_refused),
		cmocka_unit_test(section_19_6_and_19_8__offsets_end_at_2_62),
		cmocka_unit_test(section_19_7__an_empty_token_is_refused),
		cmocka_unit_test(section_19_11_and_19_14__stream_counts_end_at_2_60),
		cmocka_unit_test(section_19_15__new_connection_id_is_checked),
		cmocka_unit_test(section_19__lengths_end_with_the_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
