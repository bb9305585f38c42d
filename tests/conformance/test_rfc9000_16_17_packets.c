/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 9000 sections 16 and 17 and RFC 8999, as far as a packet says it without keys and without a
 * connection. */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "quic/packet.h"
#include "quic/reset.h"
#include "tests/support/hex.h"

static uint8_t octets[1500];
static struct quic_packet packet;

static enum quic_packet_result
parse(const char *text, size_t length)
{
	memset(octets, 0, sizeof(octets));
	support_hex(text, octets, sizeof(octets));
	return quic_packet_parse(octets, length, 8, &packet);
}

/* Section 16, and the examples of appendix A.1: "The QUIC variable-length integer encoding reserves the two
 * most significant bits of the first byte to encode the base-2 logarithm of the integer encoding length in
 * bytes". */
static void
section_16__integers_are_read_in_every_length(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} examples[] = {
		{"c2197c5eff14e88c", 151288809941952652},
		{"9d7f3e7d", 494878333},
		{"7bbd", 15293},
		{"25", 37},
		{"4025", 37},
	};

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		size_t length = support_hex(examples[i].text, octets, sizeof(octets));
		struct base_reader reader = base_reader(octets, length);

		assert_true(base_reader_varint(&reader) == examples[i].value);
		assert_true(base_reader_ok(&reader) && base_reader_left(&reader) == 0);
	}
}

/* Section 17.2: "The next bit (0x40) of byte 0 is set to 1, unless the packet is a Version Negotiation
 * packet. Packets containing a zero value for this bit are not valid packets in this version and MUST be
 * discarded." */
static void
section_17_2__the_fixed_bit_is_told(void **state)
{
	assert_int_equal(parse("c0 00000001 00 00 00 4020", 60), QUIC_PACKET_PARSED);
	assert_true(packet.fixed_bit);
	assert_int_equal(parse("80 00000001 00 00 00 4020", 60), QUIC_PACKET_PARSED);
	assert_false(packet.fixed_bit);
	assert_int_equal(parse("00", 60), QUIC_PACKET_PARSED);
	assert_false(packet.fixed_bit);
}

/* Section 17.2: "In QUIC version 1, this value MUST NOT exceed 20 bytes. Endpoints that receive a version 1
 * long header with a value larger than 20 MUST drop the packet. In order to properly form a Version
 * Negotiation packet, servers SHOULD be able to read longer connection IDs from other QUIC versions." */
static void
section_17_2__connection_ids_above_20_octets_are_of_other_versions(void **state)
{
	assert_int_equal(parse("c0 00000001 15", 100), QUIC_PACKET_CID_TOO_LONG);
	assert_int_equal(parse("c0 00000001 00 15", 100), QUIC_PACKET_CID_TOO_LONG);
	assert_int_equal(parse("c0 6b3343cf 15", 100), QUIC_PACKET_UNKNOWN_VERSION);
	assert_int_equal(packet.dcid_length, 21);
	assert_int_equal(parse("c0 faceb00c ff", 600), QUIC_PACKET_UNKNOWN_VERSION);
	assert_int_equal(packet.dcid_length, 255);
	assert_int_equal(parse("c0 faceb00c ff", 200), QUIC_PACKET_TRUNCATED);
}

/* Section 17.2: "The value included prior to protection MUST be set to 0. An endpoint MUST treat receipt of a
 * packet that has a non-zero value for these bits after removing both packet and header protection as a
 * connection error of type PROTOCOL_VIOLATION." Section 17.3.1 has the same for 0x18 of a short header. */
static void
section_17__reserved_bits_are_told(void **state)
{
	assert_true(quic_packet_reserved_bits_zero(0xc3));
	assert_false(quic_packet_reserved_bits_zero(0xc4));
	assert_false(quic_packet_reserved_bits_zero(0xc8));
	assert_true(quic_packet_reserved_bits_zero(0x67));
	assert_false(quic_packet_reserved_bits_zero(0x48));
	assert_false(quic_packet_reserved_bits_zero(0x50));
}

/* Section 17.1: "Prior to receiving an acknowledgment for a packet number space, the full packet number MUST
 * be included"; "the sender MUST use a packet number size able to represent more than twice as large a range
 * as the difference between the largest acknowledged packet number and the packet number being sent." */
static void
section_17_1__packet_numbers_are_long_enough(void **state)
{
	for (uint64_t number = 0; number < 70000; number++) {
		size_t size = quic_packet_number_size(number, UINT64_MAX);

		assert_true(number >> (8 * size) == 0);
		if (number == 0)
			continue;
		size = quic_packet_number_size(number + 1000000, 1000000);
		assert_true(UINT64_C(1) << 8 * size >= 2 * number);
	}
}

/* Section 12.2: "Every QUIC packet that is coalesced into a single UDP datagram is separate and complete.
 * The receiver of coalesced QUIC packets MUST individually process each QUIC packet". Section 17.2: the
 * Length field is "the length of the remainder of the packet (that is, the Packet Number and Payload fields)
 * in bytes". */
static void
section_12_2__length_says_where_the_next_packet_is(void **state)
{
	assert_int_equal(parse("e0 00000001 00 00 4020", 100), QUIC_PACKET_PARSED);
	assert_int_equal(packet.type, QUIC_PACKET_HANDSHAKE);
	assert_int_equal(packet.length, 9 + 32);
	assert_int_equal(parse("e0 00000001 00 00 4020", 40), QUIC_PACKET_TRUNCATED);
	assert_int_equal(parse("e0 00000001 00 00 4020", 41), QUIC_PACKET_PARSED);
}

/* RFC 9001 section 5.4.2: "An endpoint MUST discard packets that are not long enough to contain a complete
 * sample." The next packet of the datagram is none the worse for it. */
static void
section_5_4_2_of_9001__a_packet_without_a_sample_is_passed_over(void **state)
{
	assert_int_equal(parse("e0 00000001 00 00 13", 100), QUIC_PACKET_NO_SAMPLE);
	assert_int_equal(packet.length, 8 + 19);
	assert_int_equal(parse("e0 00000001 00 00 14", 100), QUIC_PACKET_PARSED);
	assert_int_equal(parse("40", 1 + 8 + 19), QUIC_PACKET_NO_SAMPLE);
	assert_int_equal(parse("40", 1 + 8 + 20), QUIC_PACKET_PARSED);
}

/* Section 17.2.1: "The server MUST include the value from the Source Connection ID field of the packet it
 * receives in the Destination Connection ID field. The value for Source Connection ID MUST be copied from the
 * Destination Connection ID of the received packet". Section 6.3: "Endpoints MAY add reserved versions". */
static void
section_17_2_1__version_negotiation_swaps_the_connection_ids(void **state)
{
	uint8_t answer[100];
	struct base_writer writer = base_writer(answer, sizeof(answer));
	struct quic_packet parsed;
	bool valid;

	assert_int_equal(parse("c0 1a2a3a4a 03 aabbcc 02 ddee", 1200), QUIC_PACKET_UNKNOWN_VERSION);
	assert_true(quic_version_negotiation_write(&writer, &packet, 0xffffffff));
	assert_int_equal(
		quic_packet_parse(answer, base_writer_length(&writer), 8, &parsed), QUIC_PACKET_PARSED);
	assert_int_equal(parsed.type, QUIC_PACKET_VERSION_NEGOTIATION);
	assert_true(parsed.dcid_length == 2 && memcmp(parsed.dcid, "\xdd\xee", 2) == 0);
	assert_true(parsed.scid_length == 3 && memcmp(parsed.scid, "\xaa\xbb\xcc", 3) == 0);
	assert_true(quic_version_negotiation_lists(&parsed, QUIC_VERSION_1, &valid));
	assert_int_equal(parsed.rest[0] & 0x0f, 0x0a);
	assert_int_equal(parsed.rest[3] & 0x0f, 0x0a);
}

/* Section 17.2.5.2: "A client MUST discard a Retry packet with a zero-length Retry Token field." */
static void
section_17_2_5_2__a_retry_without_a_token_is_refused(void **state)
{
	assert_int_equal(parse("f0 00000001 00 00", 7 + 16), QUIC_PACKET_TRUNCATED);
	assert_int_equal(parse("f0 00000001 00 00", 7 + 17), QUIC_PACKET_PARSED);
	assert_int_equal(packet.token_length, 1);
}

/* Section 10.3: "An endpoint MUST NOT send a Stateless Reset that is three times or more larger than the
 * packet it receives"; 10.3.3: "An endpoint MUST ensure that every Stateless Reset that it sends is smaller
 * than the packet that triggered it". 10.3: "Endpoints MUST discard packets that are too small to be valid
 * QUIC packets." */
static void
section_10_3__resets_are_smaller_than_their_cause(void **state)
{
	for (size_t length = 0; length <= sizeof(octets); length++)
		assert_true(quic_reset_size(length) < length || quic_reset_size(length) == 0);
	assert_null(quic_reset_token_of(octets, 20));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_16__integers_are_read_in_every_length),
		cmocka_unit_test(section_17_2__the_fixed_bit_is_told),
		cmocka_unit_test(section_17_2__connection_ids_above_20_octets_are_of_other_versions),
		cmocka_unit_test(section_17__reserved_bits_are_told),
		cmocka_unit_test(section_17_1__packet_numbers_are_long_enough),
		cmocka_unit_test(section_12_2__length_says_where_the_next_packet_is),
		cmocka_unit_test(section_5_4_2_of_9001__a_packet_without_a_sample_is_passed_over),
		cmocka_unit_test(section_17_2_1__version_negotiation_swaps_the_connection_ids),
		cmocka_unit_test(section_17_2_5_2__a_retry_without_a_token_is_refused),
		cmocka_unit_test(section_10_3__resets_are_smaller_than_their_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
