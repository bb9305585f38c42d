/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an authenticated peer may do out of malice, and what must not come of it: aborts, spinning shards, amplification. */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "tests/conformance/raw_client.h"

enum { FAR_AWAY = 5000 };

static struct raw *
connected(void)
{
	struct raw *raw = raw_open(NULL, NULL);

	raw_handshake(raw, QUIC_CLIENT);
	return raw;
}

static uint64_t
octets_towards(const struct raw *raw, const struct base_path *path)
{
	uint64_t octets = 0;

	for (uint32_t i = 0; i < raw->datagram_count; i++)
		if (base_path_equal(&raw->datagrams[i].path, path))
			octets += raw->datagrams[i].length;
	return octets;
}

/* A late packet may itself carry the ACK by which everything of its age is forgotten. */
static void
receive_packet__that_its_own_ack_makes_forgotten_is_ignored(void **state)
{
	struct raw *raw = connected();
	uint64_t *next = &raw->next_packet_number[QUIC_SPACE_APPLICATION];
	uint64_t first = *next;
	struct quic_frame frame;
	uint8_t octets[16];
	struct base_writer writer = base_writer(octets, sizeof(octets));

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	*next = first + 10;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	raw_forget(raw);
	/* The ACK goes along with a NEW_CONNECTION_ID, so that its fate is recorded. */
	*next = first + FAR_AWAY;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "19 01");
	assert_non_null(raw_find(raw, QUIC_FRAME_NEW_CONNECTION_ID, &frame));
	assert_non_null(raw_find(raw, QUIC_FRAME_ACK, &frame));
	*next = first + 5;
	base_writer_u8(&writer, QUIC_FRAME_ACK);
	base_writer_varint(&writer, raw->largest_seen[QUIC_SPACE_APPLICATION]);
	base_writer_varint(&writer, 0);
	base_writer_varint(&writer, 0);
	base_writer_varint(&writer, raw->largest_seen[QUIC_SPACE_APPLICATION]);
	base_writer_u8(&writer, QUIC_FRAME_PING);
	raw_packet(raw, QUIC_PACKET_ONE_RTT, octets, base_writer_length(&writer));
	raw_send(raw);
	raw_expect_open(raw);
	raw_close(raw);
}

/* The closing state outlasts the handshake's deadline, which then means nothing any more. */
static void
closing__beyond_the_deadline_of_the_handshake_does_not_spin(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_half_handshake(raw);
	raw_wait(raw, 9 * BASE_SECOND);
	raw_hex(raw, QUIC_PACKET_HANDSHAKE, "1e");
	raw_wait(raw, 1500 * BASE_MS);
	assert_true(quic_endpoint_deadline(raw->nodes[QUIC_SERVER].endpoint) > raw->now_ns);
	raw_wait(raw, 10 * BASE_SECOND);
	raw_close(raw);
}

/* An ACK that is due and may not be sent, since the path is not validated and its credit is used up. */
static void
ack__that_the_amplification_limit_holds_back_does_not_spin(void **state)
{
	struct raw *raw = connected();
	struct base_path path = raw->path;
	uint64_t now_ns;

	(void)state;
	raw->next_packet_number[QUIC_SPACE_APPLICATION] += 10;
	raw->path.remote.port++;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01000000");
	raw->path = path;
	raw->next_packet_number[QUIC_SPACE_APPLICATION] -= 5;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	now_ns = raw->now_ns;
	assert_true(quic_endpoint_deadline(raw->nodes[QUIC_SERVER].endpoint) > now_ns);
	for (int i = 0; i < 8; i++) {
		now_ns = quic_endpoint_deadline(raw->nodes[QUIC_SERVER].endpoint);
		assert_true(now_ns > raw->now_ns);
		raw_wait(raw, now_ns - raw->now_ns);
	}
	raw_close(raw);
}

/* RFC 9000 section 8.2.1 and 9.3: three times what came from an address that is not validated, whatever else is sent meanwhile. */
static void
path_response__to_another_address_gives_no_credit(void **state)
{
	struct raw *raw = connected();
	struct base_path own = raw->path, victim = raw->path;
	uint8_t challenge[1100] = {QUIC_FRAME_PATH_CHALLENGE, 1, 2, 3, 4, 5, 6, 7, 8};
	uint64_t sent_octets = 0;
	struct quic_conn *conn;

	(void)state;
	victim.remote.port += 7;
	raw->next_packet_number[QUIC_SPACE_APPLICATION] += 10;
	raw->path = victim;
	raw_forget(raw);
	raw_packet(raw, QUIC_PACKET_ONE_RTT, (const uint8_t[400]){QUIC_FRAME_PING}, 400);
	sent_octets += raw->out_length;
	raw_send(raw);
	raw->path = own;
	raw->next_packet_number[QUIC_SPACE_APPLICATION] -= 5;
	raw_packet(raw, QUIC_PACKET_ONE_RTT, challenge, sizeof(challenge));
	raw_send(raw);
	conn = raw_conn(raw, QUIC_SERVER);
	assert_false(conn->address_validated);
	assert_in_range(conn->credit_bytes, 0, 3 * sent_octets);
	raw_wait(raw, BASE_SECOND);
	assert_in_range(octets_towards(raw, &victim), 1, 3 * sent_octets);
	raw_close(raw);
}

/* A peer that retires IDs until their sequence numbers are used up must not take the slot with it. */
static void
destroy__of_a_connection_without_sequence_numbers_left_frees_the_slot(void **state)
{
	struct raw *raw = connected();
	struct quic_conn *conn = raw_conn(raw, QUIC_SERVER);
	uint32_t before = quic_slots_free_count(&raw->nodes[QUIC_SERVER].slots, 0);

	(void)state;
	quic_conn_close(conn, 0, NULL);
	conn->own_ids.base = QUIC_CONN_ID_SEQUENCE_MAX;
	conn->own_ids.next = QUIC_CONN_ID_SEQUENCE_MAX + 1;
	raw_wait(raw, 10 * BASE_SECOND);
	assert_int_equal(quic_slots_free_count(&raw->nodes[QUIC_SERVER].slots, 0), before + 1);
	raw_close(raw);
}

/* RFC 9000 section 10.3: "The same stateless reset token MUST NOT be used for multiple connection IDs." */
static void
receive_new_connection_id__with_a_known_token_takes_no_second_place(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 0a 0a 04 a1a2a3a4 000102030405060708090a0b0c0d0e0f");
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 0b 0a 04 b1b2b3b4 000102030405060708090a0b0c0d0e0f");
	raw_expect_open(raw);
	assert_int_equal(quic_reset_table_count(&raw->nodes[QUIC_SERVER].slots.resets), 1);
	raw_close(raw);
}

/* What a PATH_CHALLENGE takes goes back with its answer. */
static void
path_response__leaves_no_memory_behind(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1a 0102030405060708");
	assert_int_equal(raw_count(raw, QUIC_FRAME_PATH_RESPONSE), 1);
	assert_null(raw_conn(raw, QUIC_SERVER)->migration);
	raw_close(raw);
}

/* Provokes packets until the tested leaves a number out; returns it. */
static uint64_t
skipped_number(struct raw *raw)
{
	const struct quic_sent *sent = &raw_conn(raw, QUIC_SERVER)->space.sent;

	for (int i = 0; i < 1000 && sent->skipped == UINT64_MAX; i++) {
		raw_forget(raw);
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	}
	return sent->skipped;
}

/*
 * RFC 9000 section 21.4: "An endpoint that acknowledges packets it has not received might cause a congestion controller to permit sending at
 * rates beyond what the network supports. An endpoint MAY skip packet numbers when sending packets to detect this behavior. An endpoint can
 * then immediately close the connection with a connection error of type PROTOCOL_VIOLATION."
 */
static void
receive_ack__of_a_number_that_was_left_out_is_a_protocol_violation(void **state)
{
	struct raw *raw = connected();
	uint64_t skipped = skipped_number(raw);
	uint8_t octets[16] = {0};
	struct base_writer writer = base_writer(octets, sizeof(octets));

	(void)state;
	assert_int_not_equal(skipped, UINT64_MAX);
	/* What is sent afterwards goes on behind it. */
	raw_forget(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1a 0102030405060708");
	assert_true(raw->largest_seen[QUIC_SPACE_APPLICATION] > skipped);
	raw_expect_open(raw);
	raw_forget(raw);
	base_writer_u8(&writer, QUIC_FRAME_ACK);
	base_writer_varint(&writer, raw->largest_seen[QUIC_SPACE_APPLICATION]);
	base_writer_varint(&writer, 0);
	base_writer_varint(&writer, 0);
	base_writer_varint(&writer, raw->largest_seen[QUIC_SPACE_APPLICATION] - skipped);
	raw_packet(raw, QUIC_PACKET_ONE_RTT, octets, base_writer_length(&writer));
	raw_send(raw);
	raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, QUIC_FRAME_ACK);
	raw_close(raw);
}

/* Each PATH_CHALLENGE draws a response, whatever the window says; what is remembered of them is bounded all the same. */
static void
path_response__is_not_remembered_without_end(void **state)
{
	struct raw *raw = connected();
	const struct base_pool *pool = raw->nodes[QUIC_SERVER].pools[QUIC_POOL_SENT];
	struct quic_conn *conn = raw_conn(raw, QUIC_SERVER);
	uint32_t before = pool->in_use;
	uint8_t octets[16];
	struct base_writer writer = base_writer(octets, sizeof(octets));

	(void)state;
	for (int i = 0; i < 1000; i++) {
		raw_forget(raw);
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "1a 0102030405060708");
	}
	assert_in_range(conn->space.sent.in_flight, 100, 400);
	assert_in_range(pool->in_use - before, 1, 12);
	assert_int_equal(raw_count(raw, QUIC_FRAME_PATH_RESPONSE), 0);
	/* Once something is acknowledged, challenges are answered again. */
	base_writer_u8(&writer, QUIC_FRAME_ACK);
	base_writer_varint(&writer, raw->largest_seen[QUIC_SPACE_APPLICATION]);
	base_writer_varint(&writer, 0);
	base_writer_varint(&writer, 0);
	base_writer_varint(&writer, 64);
	raw_packet(raw, QUIC_PACKET_ONE_RTT, octets, base_writer_length(&writer));
	raw_send(raw);
	raw_expect_open(raw);
	raw_forget(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1a 0102030405060708");
	assert_int_equal(raw_count(raw, QUIC_FRAME_PATH_RESPONSE), 1);
	raw_close(raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receive_packet__that_its_own_ack_makes_forgotten_is_ignored),
		cmocka_unit_test(closing__beyond_the_deadline_of_the_handshake_does_not_spin),
		cmocka_unit_test(ack__that_the_amplification_limit_holds_back_does_not_spin),
		cmocka_unit_test(path_response__to_another_address_gives_no_credit),
		cmocka_unit_test(destroy__of_a_connection_without_sequence_numbers_left_frees_the_slot),
		cmocka_unit_test(receive_new_connection_id__with_a_known_token_takes_no_second_place),
		cmocka_unit_test(path_response__leaves_no_memory_behind),
		cmocka_unit_test(path_response__is_not_remembered_without_end),
		cmocka_unit_test(receive_ack__of_a_number_that_was_left_out_is_a_protocol_violation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
