/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/random.h"
#include "quic/packet.h"
#include "tests/support/hex.h"

static uint8_t octets[2048];

/* Writes a packet with `payload` octets behind the packet number, and returns its length. */
static size_t
write_packet(uint8_t *to, size_t room, const struct quic_header *header, size_t payload)
{
	struct base_writer writer = base_writer(to, room);
	uint8_t *number;

	assert_true(quic_header_write(&writer, header, &number));
	assert_int_equal(base_writer_length(&writer), quic_header_size(header));
	base_writer_fill(&writer, 0xaa, payload);
	if (header->type != QUIC_PACKET_ONE_RTT)
		quic_header_set_length(number, (size_t)(writer.at - number));
	assert_true(base_writer_ok(&writer));
	return base_writer_length(&writer);
}

static struct quic_header
header_of(enum quic_packet_type type)
{
	return (struct quic_header){.type = type,
		.version = QUIC_VERSION_1,
		.dcid = quic_cid("destination", 11),
		.scid = quic_cid("source", 6),
		.token = (const uint8_t *)"token",
		.token_length = 5,
		.packet_number = 0x1234,
		.packet_number_length = 2};
}

static void
packet_parse__gives_back_what_header_write_wrote(void **state)
{
	enum quic_packet_type types[] = {
		QUIC_PACKET_INITIAL, QUIC_PACKET_ZERO_RTT, QUIC_PACKET_HANDSHAKE, QUIC_PACKET_ONE_RTT};

	for (size_t i = 0; i < 4; i++) {
		struct quic_header header = header_of(types[i]);
		size_t length = write_packet(octets, sizeof(octets), &header, 40);
		struct quic_packet packet;

		assert_int_equal(quic_packet_parse(octets, length, 11, &packet), QUIC_PACKET_PARSED);
		assert_int_equal(packet.type, types[i]);
		assert_int_equal(packet.length, length);
		assert_int_equal(packet.packet_number_offset, length - 42);
		assert_true(packet.fixed_bit);
		assert_int_equal(packet.dcid_length, 11);
		assert_memory_equal(packet.dcid, "destination", 11);
		assert_int_equal(quic_packet_number_length_of(octets[0]), 2);
		assert_true(quic_packet_reserved_bits_zero(octets[0]));
		if (types[i] == QUIC_PACKET_ONE_RTT)
			continue;
		assert_int_equal(packet.version, QUIC_VERSION_1);
		assert_int_equal(packet.scid_length, 6);
		assert_memory_equal(packet.scid, "source", 6);
		assert_int_equal(packet.token_length, types[i] == QUIC_PACKET_INITIAL ? 5 : 0);
	}
}

static void
packet_parse__walks_a_coalesced_datagram(void **state)
{
	struct quic_header header = header_of(QUIC_PACKET_INITIAL);
	size_t first = write_packet(octets, sizeof(octets), &header, 30);
	size_t second;
	size_t third;
	struct quic_packet packet;

	header.type = QUIC_PACKET_HANDSHAKE;
	second = write_packet(octets + first, sizeof(octets) - first, &header, 50);
	header.type = QUIC_PACKET_ONE_RTT;
	third = write_packet(octets + first + second, sizeof(octets) - first - second, &header, 60);
	assert_int_equal(quic_packet_parse(octets, first + second + third, 11, &packet), QUIC_PACKET_PARSED);
	assert_int_equal(packet.length, first);
	assert_int_equal(quic_packet_parse(octets + first, second + third, 11, &packet), QUIC_PACKET_PARSED);
	assert_int_equal(packet.type, QUIC_PACKET_HANDSHAKE);
	assert_int_equal(packet.length, second);
	assert_int_equal(quic_packet_parse(octets + first + second, third, 11, &packet), QUIC_PACKET_PARSED);
	assert_int_equal(packet.type, QUIC_PACKET_ONE_RTT);
	assert_int_equal(packet.length, third);
}

static void
packet_parse__refuses_every_cut(void **state)
{
	enum quic_packet_type types[] = {QUIC_PACKET_INITIAL, QUIC_PACKET_HANDSHAKE};
	struct quic_packet packet;

	for (size_t i = 0; i < 2; i++) {
		struct quic_header header = header_of(types[i]);
		size_t length = write_packet(octets, sizeof(octets), &header, 40);

		for (size_t cut = 0; cut < length; cut++)
			assert_int_equal(quic_packet_parse(octets, cut, 11, &packet), QUIC_PACKET_TRUNCATED);
	}
}

static void
packet_parse__says_the_length_of_a_packet_without_a_sample(void **state)
{
	struct quic_header header = header_of(QUIC_PACKET_HANDSHAKE);
	size_t length = write_packet(octets, sizeof(octets), &header, 17);
	struct quic_packet packet;

	assert_int_equal(quic_packet_parse(octets, length + 5, 11, &packet), QUIC_PACKET_NO_SAMPLE);
	assert_int_equal(packet.length, length);
	length = write_packet(octets, sizeof(octets), &header, 18);
	assert_int_equal(quic_packet_parse(octets, length, 11, &packet), QUIC_PACKET_PARSED);
	header.type = QUIC_PACKET_ONE_RTT;
	length = write_packet(octets, sizeof(octets), &header, 17);
	assert_int_equal(quic_packet_parse(octets, length, 11, &packet), QUIC_PACKET_NO_SAMPLE);
	assert_int_equal(quic_packet_parse(octets, 5, 11, &packet), QUIC_PACKET_TRUNCATED);
}

/* RFC 9001 appendix A.2: the header of the client's Initial. */
static void
packet_parse__reads_the_initial_of_rfc_9001(void **state)
{
	struct quic_packet packet;

	memset(octets, 0, sizeof(octets));
	support_hex("c300000001088394c8f03e5157080000449e00000002", octets, 22);
	assert_int_equal(quic_packet_parse(octets, 1200, 0, &packet), QUIC_PACKET_PARSED);
	assert_int_equal(packet.type, QUIC_PACKET_INITIAL);
	assert_int_equal(packet.dcid_length, 8);
	assert_int_equal(packet.scid_length, 0);
	assert_int_equal(packet.token_length, 0);
	assert_int_equal(packet.packet_number_offset, 18);
	assert_int_equal(packet.length, 1200);
	assert_int_equal(quic_packet_number_length_of(octets[0]), 4);
}

/* RFC 9001 appendix A.4. */
static void
packet_parse__reads_the_retry_of_rfc_9001(void **state)
{
	struct quic_packet packet;
	size_t length =
		support_hex("ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba",
			octets, sizeof(octets));
	struct base_writer writer = base_writer(octets + 100, 100);
	struct quic_cid none = {0};
	struct quic_cid scid;

	assert_int_equal(quic_packet_parse(octets, length, 0, &packet), QUIC_PACKET_PARSED);
	assert_int_equal(packet.type, QUIC_PACKET_RETRY);
	assert_int_equal(packet.dcid_length, 0);
	assert_int_equal(packet.scid_length, 8);
	assert_int_equal(packet.token_length, 5);
	assert_memory_equal(packet.token, "token", 5);
	assert_int_equal(packet.rest_length, 16);
	scid = quic_cid(packet.scid, packet.scid_length);
	assert_true(
		quic_retry_write(&writer, &none, &scid, (const uint8_t *)"token", 5, 0x0f, QUIC_VERSION_1));
	assert_int_equal(base_writer_length(&writer), length - 16);
	assert_memory_equal(octets + 100, octets, length - 16);
	/* Without a token it is no Retry. */
	memmove(octets + 15, octets + 20, 16);
	assert_int_equal(quic_packet_parse(octets, length - 5, 0, &packet), QUIC_PACKET_TRUNCATED);
}

static void
packet_number_size__follows_the_distance(void **state)
{
	/* RFC 9000 A.2's examples. */
	assert_int_equal(quic_packet_number_size(0xac5c02, 0xabe8b3), 2);
	assert_int_equal(quic_packet_number_size(0xace8fe, 0xabe8b3), 3);
	assert_int_equal(quic_packet_number_size(0, UINT64_MAX), 1);
	assert_int_equal(quic_packet_number_size(127, UINT64_MAX), 1);
	assert_int_equal(quic_packet_number_size(128, UINT64_MAX), 2);
}

static void
packet_number_decode__finds_the_number_meant(void **state)
{
	struct base_random random;

	/* RFC 9000 A.3's example. */
	assert_true(quic_packet_number_decode(0xa82f30ea, 0x9b32, 2) == 0xa82f9b32);
	assert_true(quic_packet_number_decode(UINT64_MAX, 0, 1) == 0);
	base_random_init(&random, 1);
	for (int i = 0; i < 100000; i++) {
		uint64_t number = base_random_next(&random) >> (2 + base_random_below(&random, 60));
		uint64_t distance =
			1 + base_random_below(&random, UINT64_C(1) << base_random_below(&random, 24));
		uint64_t acked = distance > number ? UINT64_MAX : number - distance;
		size_t length = quic_packet_number_size(number, acked);
		uint64_t truncated = number & ((UINT64_C(1) << 8 * length) - 1);
		uint64_t largest = acked;

		/* Wherever the receiver stands between what it acknowledged and what it gets. */
		if (number > 0 && acked != UINT64_MAX)
			largest += base_random_below(&random, distance);
		assert_true(quic_packet_number_decode(largest, truncated, length) == number);
	}
}

static void
header_write__does_nothing_without_room(void **state)
{
	struct quic_header header = header_of(QUIC_PACKET_INITIAL);
	size_t size = quic_header_size(&header);
	uint8_t *number;

	for (size_t room = 0; room < size; room++) {
		struct base_writer writer = base_writer(octets, room);

		assert_false(quic_header_write(&writer, &header, &number));
		assert_int_equal(base_writer_length(&writer), 0);
		assert_true(base_writer_ok(&writer));
	}
}

static void
version_negotiation_write__swaps_ids_and_lists_versions(void **state)
{
	struct base_writer writer = base_writer(octets + 600, 600);
	struct quic_packet packet;
	struct quic_packet answer;
	bool valid;

	/* A version nobody knows, with IDs of 255 and 21 octets. */
	memset(octets, 7, 600);
	support_hex("c01a2a3a4aff", octets, 6);
	octets[6 + 255] = 21;
	assert_int_equal(quic_packet_parse(octets, 600, 0, &packet), QUIC_PACKET_UNKNOWN_VERSION);
	assert_int_equal(packet.dcid_length, 255);
	assert_int_equal(packet.scid_length, 21);
	assert_true(quic_version_negotiation_write(&writer, &packet, 0x12345678));
	assert_int_equal(
		quic_packet_parse(octets + 600, base_writer_length(&writer), 0, &answer), QUIC_PACKET_PARSED);
	assert_int_equal(answer.type, QUIC_PACKET_VERSION_NEGOTIATION);
	assert_int_equal(answer.dcid_length, 21);
	assert_int_equal(answer.scid_length, 255);
	assert_true(quic_version_negotiation_lists(&answer, QUIC_VERSION_1, &valid));
	assert_true(valid);
	assert_false(quic_version_negotiation_lists(&answer, 2, &valid));
	assert_true(quic_version_negotiation_lists(&answer, 0x1a3a5a7a, &valid));
	answer.rest_length--;
	quic_version_negotiation_lists(&answer, 1, &valid);
	assert_false(valid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packet_parse__gives_back_what_header_write_wrote),
		cmocka_unit_test(packet_parse__walks_a_coalesced_datagram),
		cmocka_unit_test(packet_parse__refuses_every_cut),
		cmocka_unit_test(packet_parse__says_the_length_of_a_packet_without_a_sample),
		cmocka_unit_test(packet_parse__reads_the_initial_of_rfc_9001),
		cmocka_unit_test(packet_parse__reads_the_retry_of_rfc_9001),
		cmocka_unit_test(packet_number_size__follows_the_distance),
		cmocka_unit_test(packet_number_decode__finds_the_number_meant),
		cmocka_unit_test(header_write__does_nothing_without_room),
		cmocka_unit_test(version_negotiation_write__swaps_ids_and_lists_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
