/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client role: a server that breaks RFC 9000 sections 6, 7, 9, 10.3, 17.2 and 19, as our client sees it. */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "tests/conformance/raw_client.h"

static struct raw *
connected(void)
{
	struct raw *raw = raw_open(NULL, NULL);

	raw_handshake(raw, QUIC_SERVER);
	return raw;
}

/* A client that has not sent anything, and the test in the server's place. */
static struct raw *
about_to_begin(struct quic_cid *original)
{
	struct raw *raw = raw_open(NULL, NULL);
	struct base_path path = raw->path;
	struct quic_conn *conn;

	raw->role = QUIC_SERVER;
	conn = raw_connect(raw);
	raw->path = (struct base_path){.local = path.remote, .remote = path.local};
	*original = conn->handshake->original_dcid;
	raw_initial_keys(raw, original);
	quic_conn_own_id(conn, 0, &raw->dcid);
	raw->scid = quic_cid("a server", RAW_CID_BYTES);
	return raw;
}

/* The same when its first Initial is out. */
static struct raw *
begun(struct quic_cid *original)
{
	struct raw *raw = about_to_begin(original);

	raw_wait(raw, BASE_US);
	assert_int_equal(raw->packets[0].type, QUIC_PACKET_INITIAL);
	raw_forget(raw);
	return raw;
}

/* ---- frames ---- */

/* Section 19.20; retransmissions (section 13.3) bring it more than once. */
static void
receive_handshake_done__twice_is_no_error(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1e");
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1e 1e");
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "confirmed"), 1);
	raw_close(raw);
}

/* Section 19.7: "A client MUST treat receipt of a NEW_TOKEN frame with an empty Token field as a connection error of type FRAME_ENCODING_ERROR." */
static void
receive_new_token__empty_is_a_frame_encoding_error(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "07 02 aabb");
	raw_expect_open(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "07 00");
	raw_expect_close(raw, QUIC_FRAME_ENCODING_ERROR, 0x07);
	raw_close(raw);
}

/* Sections 19.4 to 19.13, from the other side: 0 and 2 are the client's, 1 and 3 the server's. */
static void
receive_stream__wrong_stream_is_an_error_for_a_client_too(void **state)
{
	static const struct raw_row rows[] = {
		{"0a 00 01 aa", QUIC_STREAM_STATE_ERROR, 0x0a},
		{"0a 02 01 aa", QUIC_STREAM_STATE_ERROR, 0x0a},
		{"04 02 00 00", QUIC_STREAM_STATE_ERROR, 0x04},
		{"05 00 00", QUIC_STREAM_STATE_ERROR, 0x05},
		{"05 03 00", QUIC_STREAM_STATE_ERROR, 0x05},
		{"11 00 4400", QUIC_STREAM_STATE_ERROR, 0x11},
		{"11 03 4400", QUIC_STREAM_STATE_ERROR, 0x11},
		{"15 02 00", QUIC_STREAM_STATE_ERROR, 0x15},
		{"0a 4191 01 aa", QUIC_STREAM_LIMIT_ERROR, 0x0a},
		{"0a 4043 01 aa", QUIC_STREAM_LIMIT_ERROR, 0x0a},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct raw *raw = connected();

		raw_hex(raw, QUIC_PACKET_ONE_RTT, rows[i].payload);
		raw_expect_close(raw, rows[i].error_code, rows[i].frame_type);
		raw_close(raw);
	}
}

/* RFC 9001 section 6: "Endpoints MUST treat the receipt of a TLS KeyUpdate message as a connection error of type 0x010a". */
static void
receive_crypto__key_update_message_is_error_0x10a(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "06 00 05 18000001 00");
	raw_expect_close(raw, QUIC_CRYPTO_ERROR(10), 0x06);
	raw_close(raw);
}

/* ---- paths and resets ---- */

/* Section 9: "If a client receives packets from an unknown server address, the client MUST discard these packets." */
static void
receive__from_another_server_address_is_dropped(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw->path.remote.port++;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 0);
	assert_int_equal(raw_counter(raw, "drop_migration"), 1);
	raw_wait(raw, BASE_SECOND);
	assert_int_equal(raw->datagram_count, 0);
	raw_expect_open(raw);
	raw_close(raw);
}

static void
send_reset(struct raw *raw, const struct quic_cid *of, size_t length)
{
	memset(raw->out, 0x5e, length);
	raw->out[0] = 0x4a;
	quic_conn_id_reset_token(&raw->nodes[QUIC_SERVER].codec, of->octets, of->length,
		raw->out + length - QUIC_RESET_TOKEN_BYTES);
	raw->out_length = (uint16_t)length;
	raw_send(raw);
}

/* Section 10.3.1: "If the last 16 bytes of the datagram are identical in value to a stateless reset token, the endpoint MUST enter the draining
 * period and not send any further packets on this connection." */
static void
receive_reset__ends_the_connection_in_silence(void **state)
{
	static const size_t lengths[] = {21, 43, 200};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct raw *raw = connected();
		struct quic_cid in_use = raw_conn(raw, QUIC_CLIENT)->peer_ids[0].cid;

		send_reset(raw, &in_use, lengths[i]);
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
		raw_wait(raw, 5 * BASE_SECOND);
		assert_int_equal(raw->datagram_count, 0);
		assert_int_equal(raw_counter(raw, "resets_received"), 1);
		assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 1);
		assert_true(raw->closed.closed_by_peer);
		raw_close(raw);
	}
}

/* Section 10.3.1: "An endpoint MUST NOT check for any stateless reset tokens associated with connection IDs it has not used or for connection IDs
 * that have been retired." A token of nobody's is noise in any case. */
static void
receive_reset__with_a_token_of_nobody_is_dropped(void **state)
{
	struct raw *raw = connected();
	struct quic_cid nobody = quic_cid("nobody's", RAW_CID_BYTES);

	(void)state;
	send_reset(raw, &nobody, 43);
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "resets_received"), 0);
	raw_close(raw);
}

/* ---- Retry ---- */

/* A Retry with this SCID and token; `fault` is put over one bit of the tag. */
static void
make_retry(struct raw *raw, const struct quic_cid *original, const struct quic_cid *scid, size_t token_length,
	uint8_t fault)
{
	struct base_writer writer = base_writer(raw->out, RAW_BUFFER_BYTES);
	uint8_t token[32] = "a token that opens nothing", tag[CRYPTO_TAG_BYTES];

	/* The writer refuses to make an empty token: it stands last, so it is cut off. */
	assert_true(quic_retry_write(&writer, &raw->dcid, scid, token, sizeof(token), 0, QUIC_VERSION_1));
	writer.at -= sizeof(token) - token_length;
	assert_true(crypto_retry_tag(
		raw->crypto, original->octets, original->length, raw->out, base_writer_length(&writer), tag));
	tag[3] ^= fault;
	base_writer_octets(&writer, tag, sizeof(tag));
	raw->out_length = (uint16_t)base_writer_length(&writer);
}

/* Section 17.2.5.2: "Clients MUST discard Retry packets that have a Retry Integrity Tag that cannot be validated"; "A client MUST discard a Retry
 * packet with a zero-length Retry Token field." Section 17.2.5.1: "A client MUST discard a Retry packet that contains a Source Connection ID field
 * that is identical to the Destination Connection ID field of its Initial packet." */
static void
receive_retry__that_is_not_right_is_dropped(void **state)
{
	(void)state;
	for (int fault = 0; fault < 3; fault++) {
		struct quic_cid original;
		struct raw *raw = begun(&original);

		make_retry(
			raw, &original, fault == 2 ? &original : &raw->scid, fault == 1 ? 0 : 20, fault == 0);
		raw_send(raw);
		assert_int_equal(raw->datagram_count, 0);
		assert_int_equal(raw_counter(raw, "drop_malformed"), 1);
		raw_expect_open(raw);
		raw_close(raw);
	}
}

/* Section 17.2.5.3: "subsequent Initial packets from the client include the connection ID and token values from the Retry packet"; section
 * 17.2.5.2: "A client MUST accept and process at most one Retry packet for each connection attempt." */
static void
receive_retry__is_followed_once(void **state)
{
	struct quic_cid original;
	struct raw *raw = begun(&original);
	struct quic_cid first = raw->scid, second = quic_cid("another.", RAW_CID_BYTES);
	struct quic_packet packet;

	(void)state;
	make_retry(raw, &original, &first, 20, 0);
	raw_send(raw);
	assert_true(raw->datagram_count > 0);
	assert_int_equal(quic_packet_parse(raw->datagrams[0].octets, raw->datagrams[0].length, 0, &packet),
		QUIC_PACKET_PARSED);
	assert_int_equal(packet.type, QUIC_PACKET_INITIAL);
	assert_memory_equal(packet.dcid, first.octets, first.length);
	assert_int_equal(packet.token_length, 20);
	assert_int_equal(raw->datagrams[0].length, QUIC_DATAGRAM_MIN_BYTES);
	/* "A client MUST NOT reset the packet number for any packet number space after processing a Retry packet." */
	raw_initial_keys(raw, &first);
	raw_forget(raw);
	make_retry(raw, &original, &second, 20, 0);
	raw_send(raw);
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "drop_malformed"), 1);
	raw_wait(raw, 2 * BASE_SECOND);
	assert_true(raw->packet_count > 0);
	assert_int_equal(raw->packets[0].type, QUIC_PACKET_INITIAL);
	assert_true(raw->packets[0].packet_number >= 2);
	assert_true(quic_cid_equal(&raw->packets[0].dcid, &first));
	raw_close(raw);
}

/* Section 17.2.5.2: "After the client has received and processed an Initial or Retry packet from the server, it MUST discard any subsequent Retry
 * packets that it receives." */
static void
receive_retry__after_an_initial_is_dropped(void **state)
{
	struct quic_cid original;
	struct raw *raw = begun(&original);

	(void)state;
	raw_hex(raw, QUIC_PACKET_INITIAL, "01");
	raw_forget(raw);
	make_retry(raw, &original, &raw->scid, 20, 0);
	raw_send(raw);
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "drop_malformed"), 1);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 7.3: "An endpoint MUST treat the following as a connection error of type TRANSPORT_PARAMETER_ERROR or
 * PROTOCOL_VIOLATION: absence of the retry_source_connection_id transport parameter from the server after
 * receiving a Retry packet, presence of the retry_source_connection_id transport parameter when no Retry packet
 * was received, or a mismatch between values received from a peer in these transport parameters and the value
 * sent in the corresponding Destination or Source Connection ID fields of Initial packets." Here someone on the
 * way made the Retry. */
static void
receive_params__of_a_server_that_knows_of_no_retry_are_an_error(void **state)
{
	struct quic_cid original;
	struct raw *raw = about_to_begin(&original);

	(void)state;
	raw_wait(raw, BASE_US);
	make_retry(raw, &original, &raw->scid, 20, 0);
	raw_deliver(raw);
	assert_true(raw_move(raw, QUIC_CLIENT) > 0);
	assert_true(raw_move(raw, QUIC_SERVER) > 0);
	assert_int_equal(raw_conn(raw, QUIC_CLIENT)->state, QUIC_CONN_CLOSING);
	assert_int_equal(raw_conn(raw, QUIC_CLIENT)->error_code, QUIC_TRANSPORT_PARAMETER_ERROR);
	raw_close(raw);
}

/* ---- versions ---- */

static void
send_versions(struct raw *raw, const struct quic_cid *scid, const uint32_t *versions, size_t count)
{
	struct base_writer writer = base_writer(raw->out, RAW_BUFFER_BYTES);

	base_writer_u8(&writer, 0xca);
	base_writer_u32(&writer, 0);
	base_writer_u8(&writer, raw->dcid.length);
	base_writer_octets(&writer, raw->dcid.octets, raw->dcid.length);
	base_writer_u8(&writer, scid->length);
	base_writer_octets(&writer, scid->octets, scid->length);
	for (size_t i = 0; i < count; i++)
		base_writer_u32(&writer, versions[i]);
	raw->out_length = (uint16_t)base_writer_length(&writer);
	raw_send(raw);
}

/* Section 6.2: "A client MUST discard a Version Negotiation packet that lists the QUIC version selected by the client." And "A client MUST discard any
 * Version Negotiation packet if it has received and successfully processed any other packet, including an earlier Version Negotiation packet." */
static void
receive_version_negotiation__that_is_not_for_it_is_dropped(void **state)
{
	static const uint32_t with[] = {0x0a0a0a0a, 1}, without[] = {0x0a0a0a0a, 0xff00001d};
	struct quic_cid original, other = quic_cid("no id of its own", 16);
	struct raw *raw = begun(&original);

	(void)state;
	send_versions(raw, &original, with, 2);
	raw_expect_open(raw);
	/* RFC 8999 section 6: the Source Connection ID is the client's first destination. */
	send_versions(raw, &other, without, 2);
	raw_expect_open(raw);
	send_versions(raw, &original, without, 0);
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "drop_version"), 3);
	raw_hex(raw, QUIC_PACKET_INITIAL, "01");
	send_versions(raw, &original, without, 2);
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "drop_version"), 4);
	raw_close(raw);
}

/* Section 6.2: "A client that supports only this version of QUIC MUST abandon the current connection attempt if it receives a Version Negotiation
 * packet", with those exceptions. */
static void
receive_version_negotiation__without_our_version_ends_the_attempt(void **state)
{
	static const uint32_t without[] = {0x0a0a0a0a, 0xff00001d};
	struct quic_cid original;
	struct raw *raw = begun(&original);

	(void)state;
	send_versions(raw, &original, without, 2);
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw->events[QUIC_EVENT_CLOSED], 1);
	assert_int_equal(raw->closed.error_code, QUIC_VERSION_NEGOTIATION_ERROR);
	raw_close(raw);
}

/* ---- Initial packets ---- */

/* Section 14.1: "A client MUST expand the payload of all UDP datagrams carrying Initial packets to at least the smallest allowed maximum datagram size
 * of 1200 bytes"; the ones that only acknowledge, too. */
static void
send__every_datagram_with_an_initial_has_1200_octets(void **state)
{
	struct quic_cid original;
	struct raw *raw = about_to_begin(&original);

	(void)state;
	raw_wait(raw, BASE_US);
	raw_hex(raw, QUIC_PACKET_INITIAL, "01");
	raw_wait(raw, 4 * BASE_SECOND);
	assert_true(raw->datagram_count > 2);
	for (uint32_t i = 0; i < raw->packet_count; i++)
		if (raw->packets[i].type == QUIC_PACKET_INITIAL)
			assert_true(
				raw->datagrams[raw->packets[i].datagram].length >= QUIC_DATAGRAM_MIN_BYTES);
	raw_close(raw);
}

/* Section 17.2.2: "Initial packets sent by the server MUST set the Token Length field to 0; clients that receive an Initial packet with a non-zero Token
 * Length field MUST either discard the packet or generate a connection error of type PROTOCOL_VIOLATION." */
static void
receive_initial__with_a_token_is_dropped(void **state)
{
	struct quic_cid original;
	struct raw *raw = begun(&original);

	(void)state;
	raw->token = (const uint8_t *)"token";
	raw->token_length = 5;
	raw_hex(raw, QUIC_PACKET_INITIAL, "1e");
	raw_expect_open(raw);
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "drop_malformed"), 1);
	raw_close(raw);
}

/* Section 7.2: "Once a client has received a valid Initial packet from the server, it MUST discard any subsequent packet it receives on that connection
 * with a different Source Connection ID." And it goes by the first one. */
static void
receive_initial__with_another_source_connection_id_is_dropped(void **state)
{
	struct quic_cid original;
	struct raw *raw = begun(&original);
	struct quic_cid first = raw->scid;

	(void)state;
	raw_hex(raw, QUIC_PACKET_INITIAL, "01");
	raw->scid.octets[0] ^= 1;
	raw_hex(raw, QUIC_PACKET_INITIAL, "1e");
	assert_int_equal(raw_counter(raw, "drop_malformed"), 1);
	raw_expect_open(raw);
	raw_wait(raw, 2 * BASE_SECOND);
	assert_true(raw->packet_count > 0);
	assert_true(quic_cid_equal(&raw->packets[raw->packet_count - 1].dcid, &first));
	raw_close(raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receive_handshake_done__twice_is_no_error),
		cmocka_unit_test(receive_new_token__empty_is_a_frame_encoding_error),
		cmocka_unit_test(receive_stream__wrong_stream_is_an_error_for_a_client_too),
		cmocka_unit_test(receive_crypto__key_update_message_is_error_0x10a),
		cmocka_unit_test(receive__from_another_server_address_is_dropped),
		cmocka_unit_test(receive_reset__ends_the_connection_in_silence),
		cmocka_unit_test(receive_reset__with_a_token_of_nobody_is_dropped),
		cmocka_unit_test(receive_retry__that_is_not_right_is_dropped),
		cmocka_unit_test(receive_retry__is_followed_once),
		cmocka_unit_test(receive_retry__after_an_initial_is_dropped),
		cmocka_unit_test(receive_params__of_a_server_that_knows_of_no_retry_are_an_error),
		cmocka_unit_test(receive_version_negotiation__that_is_not_for_it_is_dropped),
		cmocka_unit_test(receive_version_negotiation__without_our_version_ends_the_attempt),
		cmocka_unit_test(send__every_datagram_with_an_initial_has_1200_octets),
		cmocka_unit_test(receive_initial__with_a_token_is_dropped),
		cmocka_unit_test(receive_initial__with_another_source_connection_id_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
