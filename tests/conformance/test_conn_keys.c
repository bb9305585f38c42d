/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 9001 sections 4.9 and 6: keys that are discarded and updated, as a client sees the server. */
#include "tests/support/cmocka_all.h"

#include "tests/conformance/raw_client.h"

static struct raw *
connected(void)
{
	struct raw *raw = raw_open(NULL, NULL);

	raw_handshake(raw, QUIC_CLIENT);
	return raw;
}

/* Section 4.9.1: "a server MUST discard Initial keys when it first successfully processes a Handshake packet." */
static void
discard__initial_keys_go_with_the_first_handshake_packet(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_half_handshake(raw);
	raw_hex(raw, QUIC_PACKET_INITIAL, "01");
	assert_int_equal(raw_counter(raw, "drop_no_keys"), 0);
	raw_hex(raw, QUIC_PACKET_HANDSHAKE, "01");
	raw_hex(raw, QUIC_PACKET_INITIAL, "1e");
	assert_int_equal(raw_counter(raw, "drop_no_keys"), 1);
	raw_expect_open(raw);
	/* "Endpoints MUST NOT send Initial packets after this point." */
	raw_forget(raw);
	raw_wait(raw, 2 * BASE_SECOND);
	assert_true(raw->packet_count > 0);
	for (uint32_t i = 0; i < raw->packet_count; i++)
		assert_int_not_equal(raw->packets[i].type, QUIC_PACKET_INITIAL);
	raw_close(raw);
}

/* Section 4.9.2: "An endpoint MUST discard its Handshake keys when the TLS handshake is confirmed." */
static void
discard__handshake_keys_go_with_the_confirmation(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_from_scratch(raw);
	raw_hello(raw, NULL, 0);
	raw_send_hello(raw);
	raw_finish_handshake(raw);
	raw_hex(raw, QUIC_PACKET_HANDSHAKE, "1e");
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "drop_no_keys"), 1);
	raw_close(raw);
}

/* RFC 9001 section 4.1.2: the server says HANDSHAKE_DONE. RFC 9000 section 13.3: "The HANDSHAKE_DONE frame MUST
 * be retransmitted until it is acknowledged." */
static void
confirm__handshake_done_is_repeated_until_acknowledged(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_from_scratch(raw);
	raw_hello(raw, NULL, 0);
	raw_send_hello(raw);
	raw_finish_handshake(raw);
	raw_wait(raw, 4 * BASE_SECOND);
	assert_true(raw_count(raw, QUIC_FRAME_HANDSHAKE_DONE) >= 1);
	raw_close(raw);
}

/* Section 6.2: "If a packet is successfully processed using the next key and IV, then the peer has initiated a key update. The endpoint MUST
 * update its send keys to the corresponding key phase in response". */
static void
receive_key_update__is_answered_with_the_next_keys(void **state)
{
	struct raw *raw = connected();

	(void)state;
	for (uint32_t i = 1; i <= 3; i++) {
		raw_update_keys(raw);
		raw_forget(raw);
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
		assert_int_equal(raw_count(raw, QUIC_FRAME_ACK), 1);
		assert_int_equal(raw->packets[0].key_generation, i);
		assert_int_equal(raw_counter(raw, "key_updates"), i);
		raw_wait(raw, BASE_SECOND);
	}
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 6.2: "If an endpoint detects a second update before it has sent any packets with updated keys
 * containing an acknowledgment for the packet that initiated the key update, it indicates that its peer has
 * updated keys twice without awaiting confirmation. An endpoint MAY treat such consecutive key updates as a
 * connection error of type KEY_UPDATE_ERROR." */
static void
receive_key_update__twice_without_an_answer_is_a_key_update_error(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_update_keys(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_int_equal(raw->datagram_count, 0);
	raw_update_keys(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	raw_expect_close(raw, QUIC_KEY_UPDATE_ERROR, 0);
	raw_close(raw);
}

/* Section 6.3: a packet with the other key phase that cannot be opened is dropped and changes nothing. */
static void
receive_key_update__forged_changes_nothing(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw->flip_first = 0x04;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	raw->flip_first = 0;
	assert_int_equal(raw_counter(raw, "drop_not_authentic"), 1);
	assert_int_equal(raw_counter(raw, "key_updates"), 0);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 1);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 6.5: "An endpoint SHOULD retain old read keys for no more than three times the PTO after having
 * received a packet protected using the new keys." */
static void
receive_key_update__older_packets_are_read_for_three_pto(void **state)
{
	struct raw *raw = connected();
	struct raw_keys *keys = &raw->keys[QUIC_SPACE_APPLICATION];
	uint64_t *next = &raw->next_packet_number[QUIC_SPACE_APPLICATION];
	struct raw_keys old = *keys, new;

	(void)state;
	*next += 10;
	raw_update_keys(raw);
	new = *keys;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	*keys = old;
	*next -= 5;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 1);
	*keys = new;
	raw_wait(raw, 2 * BASE_SECOND);
	old.receive_generation = keys->receive_generation;
	*keys = old;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 1);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 6.4: "An endpoint that successfully removes protection with old keys when newer keys were used for packets with lower packet
 * numbers MUST treat this as a connection error of type KEY_UPDATE_ERROR." Ours never tries old keys there, so it drops. */
static void
receive_key_update__old_keys_above_the_new_ones_are_never_taken(void **state)
{
	struct raw *raw = connected();
	struct raw_keys old = raw->keys[QUIC_SPACE_APPLICATION];

	(void)state;
	raw_update_keys(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	raw->keys[QUIC_SPACE_APPLICATION] = old;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 0);
	raw_close(raw);
}

/* Section 6.1: "An endpoint MUST NOT initiate a subsequent key update unless it has received an acknowledgment for a packet that was sent
 * protected with keys from the current key phase." */
static void
update_keys__again_only_after_an_acknowledgment(void **state)
{
	struct raw *raw = connected();
	struct quic_conn *conn = raw_conn(raw, QUIC_SERVER);

	(void)state;
	assert_true(quic_conn_update_keys(conn));
	assert_false(quic_conn_update_keys(conn));
	raw_wait(raw, BASE_SECOND);
	assert_int_equal(raw->packets[0].key_generation, 1);
	assert_false(quic_conn_update_keys(conn));
	raw_update_keys(raw);
	{
		uint8_t ack[] = {0x02, (uint8_t)(0x40 | raw->packets[0].packet_number >> 8),
			(uint8_t)raw->packets[0].packet_number, 0, 0, 0};

		raw_packet(raw, QUIC_PACKET_ONE_RTT, ack, sizeof(ack));
		raw_send(raw);
	}
	raw_wait(raw, 5 * BASE_SECOND);
	assert_true(quic_conn_update_keys(conn));
	raw_close(raw);
}

/* Section 6.5 again: the peer does not know of our update until it hears of it, and it may take long. Until then its packets come with the
 * old keys, which must not be gone. */
static void
update_keys__old_ones_stay_until_the_peer_follows(void **state)
{
	struct raw *raw = connected();

	(void)state;
	assert_true(quic_conn_update_keys(raw_conn(raw, QUIC_SERVER)));
	raw_wait(raw, 4 * BASE_SECOND);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 1);
	raw_update_keys(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 2);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 6.1: "An endpoint MUST NOT initiate a key update prior to having confirmed the handshake (Section
 * 4.1.2)." */
static void
update_keys__not_before_the_handshake_is_confirmed(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_half_handshake(raw);
	assert_false(quic_conn_update_keys(raw_conn(raw, QUIC_SERVER)));
	raw_close(raw);
}

/* Section 6: "Endpoints MUST treat the receipt of a TLS KeyUpdate message as a connection error of type 0x010a". Section 4.8: a TLS alert
 * is 0x0100 and its description. */
static void
receive_crypto__key_update_message_is_error_0x10a(void **state)
{
	static const struct raw_row rows[] = {
		{"06 00 05 18000001 00", QUIC_CRYPTO_ERROR(10), 0x06},
		{"06 00 05 18000001 01", QUIC_CRYPTO_ERROR(10), 0x06},
	};

	(void)state;
	raw_expect_rows(NULL, rows, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(discard__initial_keys_go_with_the_first_handshake_packet),
		cmocka_unit_test(discard__handshake_keys_go_with_the_confirmation),
		cmocka_unit_test(confirm__handshake_done_is_repeated_until_acknowledged),
		cmocka_unit_test(receive_key_update__is_answered_with_the_next_keys),
		cmocka_unit_test(receive_key_update__twice_without_an_answer_is_a_key_update_error),
		cmocka_unit_test(receive_key_update__forged_changes_nothing),
		cmocka_unit_test(receive_key_update__older_packets_are_read_for_three_pto),
		cmocka_unit_test(receive_key_update__old_keys_above_the_new_ones_are_never_taken),
		cmocka_unit_test(update_keys__again_only_after_an_acknowledgment),
		cmocka_unit_test(update_keys__old_ones_stay_until_the_peer_follows),
		cmocka_unit_test(update_keys__not_before_the_handshake_is_confirmed),
		cmocka_unit_test(receive_crypto__key_update_message_is_error_0x10a),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
