/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 9000 sections 5.1, 8.2, 9, 10.3, 19.15 and 19.16: connection IDs, paths and stateless resets, as a client sees the server. */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/time.h"
#include "quic/move.h"
#include "tests/conformance/raw_client.h"

#define ROWS(rows) raw_expect_rows(NULL, rows, sizeof(rows) / sizeof((rows)[0]))
#define TOKEN "00112233445566778899aabbccddeeff"

static struct raw *
connected(void)
{
	struct raw *raw = raw_open(NULL, NULL);

	raw_handshake(raw, QUIC_CLIENT);
	return raw;
}

/* Section 19.15: "Values less than 1 and greater than 20 are invalid and MUST be treated as a connection error of type
 * FRAME_ENCODING_ERROR." And of Retire Prior To: "Receiving a value in the Retire Prior To field that is greater than that in the
 * Sequence Number field MUST be treated as a connection error of type FRAME_ENCODING_ERROR." */
static void
receive_new_connection_id__malformed_is_a_frame_encoding_error(void **state)
{
	static const struct raw_row rows[] = {
		{"18 02 01 00 " TOKEN, QUIC_FRAME_ENCODING_ERROR, 0x18},
		{"18 02 01 15 aabbccddeeaabbccddeeaabbccddeeaabbccddeeff " TOKEN, QUIC_FRAME_ENCODING_ERROR,
			0x18},
		{"18 02 03 04 aabbccdd " TOKEN, QUIC_FRAME_ENCODING_ERROR, 0x18},
		{"18 02 01 04 aabbccdd 0011", QUIC_FRAME_ENCODING_ERROR, 0x18},
	};

	(void)state;
	ROWS(rows);
}

/* Section 5.1.1: "After processing a NEW_CONNECTION_ID frame and adding and retiring active connection IDs, if the number of active
 * connection IDs exceeds the value advertised in its active_connection_id_limit transport parameter, an endpoint MUST close the
 * connection with an error of type CONNECTION_ID_LIMIT_ERROR." The limit is two and both are given after the handshake. */
static void
receive_new_connection_id__above_the_limit_is_a_connection_id_limit_error(void **state)
{
	static const struct raw_row rows[] = {
		{"18 02 00 04 aabbccdd " TOKEN, QUIC_CONNECTION_ID_LIMIT_ERROR, 0x18},
	};

	(void)state;
	ROWS(rows);
}

/* Section 5.1.2: "Upon receipt of an increased Retire Prior To field, the peer MUST stop using the corresponding connection IDs and retire
 * them with RETIRE_CONNECTION_ID frames before adding the newly provided connection ID to the set of active connection IDs." */
static void
receive_new_connection_id__retires_what_is_below_retire_prior_to(void **state)
{
	struct raw *raw = connected();
	const struct raw_packet *packet;
	struct quic_frame frame;

	(void)state;
	raw->scid.length = 4;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 02 02 04 aabbccdd " TOKEN);
	packet = raw_find(raw, QUIC_FRAME_RETIRE_CONNECTION_ID, &frame);
	assert_non_null(packet);
	assert_memory_equal(packet->dcid.octets, "\xaa\xbb\xcc\xdd", 4);
	assert_int_equal(raw_count(raw, QUIC_FRAME_RETIRE_CONNECTION_ID), 2);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 19.15: "An endpoint that receives a NEW_CONNECTION_ID frame with a sequence number smaller than the Retire Prior To field of a
 * previously received NEW_CONNECTION_ID frame MUST send a corresponding RETIRE_CONNECTION_ID frame". */
static void
receive_new_connection_id__below_an_earlier_retire_prior_to_is_retired_at_once(void **state)
{
	struct raw *raw = connected();
	struct quic_frame frame;

	(void)state;
	raw->scid.length = 4;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 04 04 04 aabbccdd " TOKEN);
	raw_forget(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 03 00 04 aabbccee " TOKEN);
	assert_non_null(raw_find(raw, QUIC_FRAME_RETIRE_CONNECTION_ID, &frame));
	assert_int_equal(frame.retire_connection_id.sequence, 3);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 19.15: "if a sequence number is used for different connection IDs, the endpoint MAY treat that receipt as a connection error of
 * type PROTOCOL_VIOLATION"; the same of one ID with two sequence numbers. */
static void
receive_new_connection_id__repeated_differently_is_a_protocol_violation(void **state)
{
	static const struct raw_row rows[] = {
		{"18 01 00 04 aabbccdd " TOKEN, QUIC_PROTOCOL_VIOLATION, 0x18},
	};

	struct raw *raw = connected();

	(void)state;
	ROWS(rows);
	raw->scid.length = 4;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 02 02 04 aabbccdd " TOKEN " 18 03 02 04 aabbccdd " TOKEN);
	raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, 0x18);
	raw_close(raw);
}

/* Section 19.15: "Transmission errors, timeouts, and retransmissions might cause the same NEW_CONNECTION_ID frame to be received multiple
 * times. Receipt of the same frame multiple times MUST NOT be treated as a connection error." */
static void
receive_new_connection_id__repeated_as_it_was_is_no_error(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw->scid.length = 4;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 02 02 04 aabbccdd " TOKEN);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 02 02 04 aabbccdd " TOKEN);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 03 02 04 aabbccee " TOKEN);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 03 02 04 aabbccee " TOKEN " 18 02 02 04 aabbccdd " TOKEN);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 19.15: "An endpoint that is sending packets with a zero-length Destination Connection ID MUST treat receipt of a
 * NEW_CONNECTION_ID frame as a connection error of type PROTOCOL_VIOLATION." */
static void
receive_new_connection_id__from_a_peer_without_ids_is_a_protocol_violation(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw_from_scratch(raw);
	raw->scid.length = 0;
	raw_hello(raw, NULL, 0);
	raw_send_hello(raw);
	raw_finish_handshake(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "18 01 00 04 aabbccdd " TOKEN);
	raw_expect_close(raw, QUIC_PROTOCOL_VIOLATION, 0x18);
	raw_close(raw);
}

/* Section 5.1.2: "An endpoint SHOULD limit the number of connection IDs it has retired locally for which RETIRE_CONNECTION_ID frames have
 * not yet been acknowledged. [...] An endpoint MAY treat [too many] as a connection error of type CONNECTION_ID_LIMIT_ERROR." */
static void
receive_new_connection_id__retiring_without_end_is_a_connection_id_limit_error(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw->scid.length = 4;
	for (uint8_t i = 2; i < 20 && raw_count(raw, QUIC_FRAME_CONNECTION_CLOSE) == 0; i++) {
		uint8_t octets[] = {0x18, i, i, 4, 0xaa, 0xbb, 0xcc, i, [23] = 0};

		raw_forget(raw);
		raw_packet(raw, QUIC_PACKET_ONE_RTT, octets, sizeof(octets));
		raw_send(raw);
		assert_true(i < 19);
	}
	raw_expect_close(raw, QUIC_CONNECTION_ID_LIMIT_ERROR, 0x18);
	raw_close(raw);
}

/* Section 19.16: "Receipt of a RETIRE_CONNECTION_ID frame containing a sequence number greater than any previously sent to the peer MUST be
 * treated as a connection error of type PROTOCOL_VIOLATION. The sequence number specified [...] MUST NOT refer to the Destination Connection
 * ID field of the packet in which the frame is contained. The peer MAY treat this as a connection error of type PROTOCOL_VIOLATION." */
static void
receive_retire_connection_id__not_issued_or_in_use_is_a_protocol_violation(void **state)
{
	static const struct raw_row rows[] = {
		{"19 02", QUIC_PROTOCOL_VIOLATION, 0x19},
		{"19 c000000100000000", QUIC_PROTOCOL_VIOLATION, 0x19},
		{"19 00", QUIC_PROTOCOL_VIOLATION, 0x19},
	};

	(void)state;
	ROWS(rows);
}

/* Section 5.1.1: "An endpoint SHOULD supply a new connection ID when the peer retires a connection ID." Section 5.1.2: one that is retired
 * may be late; afterwards it is dropped. Section 21.11: never reset, since the connection lives. */
static void
receive_retire_connection_id__is_replaced_lingers_and_is_dropped(void **state)
{
	struct raw *raw = connected();
	struct quic_cid first = raw->dcid;
	struct quic_frame frame;

	(void)state;
	quic_conn_own_id(raw_conn(raw, QUIC_SERVER), 1, &raw->dcid);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "19 00");
	assert_non_null(raw_find(raw, QUIC_FRAME_NEW_CONNECTION_ID, &frame));
	assert_int_equal(frame.new_connection_id.sequence, 2);
	/* Repeated it says nothing new. */
	raw_forget(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "19 00");
	assert_int_equal(raw_count(raw, QUIC_FRAME_NEW_CONNECTION_ID), 0);
	raw->dcid = first;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 1);
	raw_wait(raw, 3 * BASE_SECOND);
	raw_forget(raw);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "30 aa");
	assert_int_equal(raw->events[QUIC_EVENT_DATAGRAM], 1);
	assert_int_equal(raw_counter(raw, "drop_retired_id"), 1);
	assert_int_equal(raw_counter(raw, "resets_sent"), 0);
	raw_expect_open(raw);
	raw_close(raw);
}

/* ---- stateless resets ---- */

/* A short-header packet that nobody can open any more, long enough to be answered. */
static void
send_stray(struct raw *raw, size_t length)
{
	memset(raw->out, 0x5e, length);
	raw->out[0] = 0x40;
	memcpy(raw->out + 1, raw->dcid.octets, raw->dcid.length);
	raw->out_length = (uint16_t)length;
	raw_send(raw);
}

static void
expect_reset(struct raw *raw, const uint8_t token[QUIC_RESET_TOKEN_BYTES], size_t trigger)
{
	const struct raw_datagram *datagram = &raw->datagrams[0];

	assert_int_equal(raw->datagram_count, 1);
	assert_in_range(datagram->length, QUIC_RESET_MIN_BYTES, trigger - 1);
	assert_int_equal(datagram->octets[0] & 0xc0, 0x40);
	assert_memory_equal(
		datagram->octets + datagram->length - QUIC_RESET_TOKEN_BYTES, token, QUIC_RESET_TOKEN_BYTES);
}

/* Section 10.3: a stateless reset is for an endpoint that has lost the state of a connection. Section 10.3.3:
 * "An endpoint MUST ensure that every Stateless Reset that it sends is smaller than the packet that triggered
 * it, unless it maintains state sufficient to prevent looping." */
static void
unplaced__id_of_a_connection_that_is_gone_draws_a_smaller_reset(void **state)
{
	static const size_t lengths[] = {1200, 100, 44, 43, 38};
	struct raw *raw = connected();
	uint8_t token[QUIC_RESET_TOKEN_BYTES];

	(void)state;
	quic_conn_id_reset_token(&raw->nodes[QUIC_SERVER].codec, raw->dcid.octets, raw->dcid.length, token);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1d 00 00");
	raw_wait(raw, 5 * BASE_SECOND);
	assert_int_equal(quic_endpoint_connections(raw->nodes[QUIC_SERVER].endpoint), 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		raw_forget(raw);
		send_stray(raw, lengths[i]);
		expect_reset(raw, token, lengths[i]);
	}
	/* Shorter than any packet of ours: no answer. */
	raw_forget(raw);
	send_stray(raw, QUIC_RESET_MIN_BYTES);
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "resets_sent"), 5);
	raw_close(raw);
}

/* The slot may have gone to another connection: its generation tells. */
static void
unplaced__id_of_an_earlier_generation_draws_a_reset(void **state)
{
	struct raw *raw = connected();
	struct quic_cid gone = raw->dcid;
	uint8_t token[QUIC_RESET_TOKEN_BYTES];

	(void)state;
	quic_conn_id_reset_token(&raw->nodes[QUIC_SERVER].codec, gone.octets, gone.length, token);
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1d 00 00");
	raw_wait(raw, 5 * BASE_SECOND);
	for (int i = 0; i < 3; i++) {
		struct quic_cid scid = quic_cid("client a", RAW_CID_BYTES);

		raw_from_scratch(raw);
		scid.octets[7] = raw->dcid.octets[7] = (uint8_t)('a' + i);
		raw->scid = scid;
		raw_initial_keys(raw, &raw->dcid);
		raw_hello(raw, NULL, 0);
		raw_send_hello(raw);
	}
	raw_forget(raw);
	raw->dcid = gone;
	send_stray(raw, 200);
	expect_reset(raw, token, 200);
	raw_close(raw);
}

/* After a restart with the same keys: another epoch. */
static void
unplaced__id_of_another_epoch_draws_a_reset(void **state)
{
	struct raw *raw = connected();
	struct quic_conn_id_codec codec = raw->nodes[QUIC_SERVER].codec;
	struct quic_conn_id_fields fields = {.slot = 1, .sequence = 1};
	uint8_t token[QUIC_RESET_TOKEN_BYTES];

	(void)state;
	codec.epoch = 0;
	quic_conn_id_encode(&codec, &fields, &raw->dcid);
	quic_conn_id_reset_token(&codec, raw->dcid.octets, raw->dcid.length, token);
	send_stray(raw, 200);
	expect_reset(raw, token, 200);
	raw_close(raw);
}

/* Another gateway's, or nobody's: no answer. Section 21.11 and the design's section 4: never for a live slot. */
static void
unplaced__id_that_is_not_ours_or_alive_draws_nothing(void **state)
{
	struct raw *raw = connected();
	struct quic_conn *conn = raw_conn(raw, QUIC_SERVER);
	struct quic_conn_id_codec codec = raw->nodes[QUIC_SERVER].codec;
	struct quic_conn_id_fields fields = {.slot = 1, .sequence = 1};

	(void)state;
	/* A sequence number of the live connection that was never issued. */
	quic_conn_own_id(conn, 7, &raw->dcid);
	send_stray(raw, 200);
	assert_int_equal(raw_counter(raw, "drop_retired_id"), 1);
	codec.gateway = 99;
	quic_conn_id_encode(&codec, &fields, &raw->dcid);
	send_stray(raw, 200);
	memset(raw->dcid.octets, 0x77, sizeof(raw->dcid.octets));
	send_stray(raw, 200);
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "resets_sent"), 0);
	assert_int_equal(raw_counter(raw, "drop_unknown_connection"), 2);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 10.3.3 speaks of loops and section 10.3 of limits on their rate: there are only so many resets in a
 * second. */
static void
unplaced__resets_are_limited(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1d 00 00");
	raw_wait(raw, 5 * BASE_SECOND);
	for (int i = 0; i < 50; i++)
		send_stray(raw, 100);
	assert_in_range(raw_counter(raw, "resets_sent"), 1, 20);
	assert_true(raw_counter(raw, "drop_limited") >= 30);
	raw_close(raw);
}

/* ---- paths ---- */

/* Section 8.2.2: "On receiving a PATH_CHALLENGE frame, an endpoint MUST respond by echoing the data contained in the PATH_CHALLENGE frame in
 * a PATH_RESPONSE frame. [...] A PATH_RESPONSE frame MUST be sent on the network path where the PATH_CHALLENGE frame was received. [...] An
 * endpoint MUST expand datagrams that contain a PATH_RESPONSE frame to at least the smallest allowed maximum datagram size of 1200 bytes." */
static void
receive_path_challenge__is_answered_on_its_path_in_1200_octets(void **state)
{
	struct raw *raw = connected();
	struct base_path usual = raw->path;
	uint8_t payload[1100] = {0x1a, 1, 2, 3, 4, 5, 6, 7, 8};
	const struct raw_packet *packet;
	struct quic_frame frame;

	(void)state;
	for (int i = 0; i < 2; i++) {
		raw->path.remote.port = (uint16_t)(usual.remote.port + i);
		raw_forget(raw);
		raw_packet(raw, QUIC_PACKET_ONE_RTT, payload, sizeof(payload));
		raw_send(raw);
		packet = raw_find(raw, QUIC_FRAME_PATH_RESPONSE, &frame);
		assert_non_null(packet);
		assert_int_equal(raw_count(raw, QUIC_FRAME_PATH_RESPONSE), 1);
		assert_memory_equal(frame.path_data, payload + 1, QUIC_PATH_DATA_BYTES);
		assert_true(base_path_equal(&raw->datagrams[packet->datagram].path, &raw->path));
		assert_int_equal(raw->datagrams[packet->datagram].length, QUIC_DATAGRAM_MIN_BYTES);
	}
	/* Section 9.1: a probing packet alone moves nothing. */
	assert_true(base_path_equal(quic_conn_path(raw_conn(raw, QUIC_SERVER)), &usual));
	raw_close(raw);
}

/* Section 8.2.2: "An endpoint MUST NOT expand the datagram containing the PATH_RESPONSE if the resulting data exceeds the anti-amplification
 * limit." */
static void
receive_path_challenge__answer_to_an_unvalidated_path_is_at_most_three_times_as_long(void **state)
{
	struct raw *raw = connected();
	const struct raw_packet *packet;
	struct quic_frame frame;

	(void)state;
	raw->path.remote.port++;
	raw_packet_hex(raw, QUIC_PACKET_ONE_RTT, "1a 0102030405060708 000000000000000000000000");
	uint16_t sent = raw->out_length;
	raw_send(raw);
	packet = raw_find(raw, QUIC_FRAME_PATH_RESPONSE, &frame);
	assert_non_null(packet);
	assert_in_range(raw->datagrams[packet->datagram].length, 1, 3 * sent);
	raw_close(raw);
}

/* Section 19.18 lets an endpoint ignore a PATH_RESPONSE that answers nothing. */
static void
receive_path_response__to_no_challenge_is_ignored(void **state)
{
	struct raw *raw = connected();

	(void)state;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "1b 0102030405060708");
	raw_expect_open(raw);
	assert_int_equal(raw_counter(raw, "paths_validated"), 0);
	raw_close(raw);
}

/* Section 9.3: "it MUST send subsequent packets to the new peer address and MUST initiate path validation
 * (Section 8.2) to verify the peer's ownership of the address if validation is not already underway", by a
 * challenge of its own in 1200 octets where the limit of section 8.1 allows it. */
static void
path_changed__is_validated_by_a_challenge(void **state)
{
	struct raw *raw = connected();
	uint8_t payload[1000] = {0x01};
	const struct raw_packet *packet;
	struct quic_frame frame, response = {.type = QUIC_FRAME_PATH_RESPONSE};

	(void)state;
	raw->path.remote.port++;
	raw_packet(raw, QUIC_PACKET_ONE_RTT, payload, sizeof(payload));
	raw_send(raw);
	packet = raw_find(raw, QUIC_FRAME_PATH_CHALLENGE, &frame);
	assert_non_null(packet);
	assert_int_equal(raw->datagrams[packet->datagram].length, QUIC_DATAGRAM_MIN_BYTES);
	assert_true(base_path_equal(&raw->datagrams[packet->datagram].path, &raw->path));
	memcpy(response.path_data, frame.path_data, sizeof(response.path_data));
	/* Section 8.2.3: other data than the challenge's validates nothing. */
	response.path_data[0] ^= 1;
	raw_frame(raw, QUIC_PACKET_ONE_RTT, &response);
	assert_int_equal(raw_counter(raw, "paths_validated"), 0);
	response.path_data[0] ^= 1;
	raw_frame(raw, QUIC_PACKET_ONE_RTT, &response);
	assert_int_equal(raw_counter(raw, "paths_validated"), 1);
	raw_expect_open(raw);
	raw_close(raw);
}

/*
 * Section 8.2.3: "Path validation succeeds when a PATH_RESPONSE frame is received that contains the data that was sent in a previous
 * PATH_CHALLENGE frame." On a path with a round trip of a second that is not the newest one.
 */
static void
path_changed__is_validated_on_a_path_longer_than_the_interval(void **state)
{
	struct raw *raw = connected();
	uint8_t payload[1000] = {0x01};
	struct quic_frame frame, response = {.type = QUIC_FRAME_PATH_RESPONSE};
	uint64_t round_trip_ns = BASE_SECOND, validated = 0;
	struct {
		uint64_t time_ns;
		uint8_t data[QUIC_PATH_DATA_BYTES];
	} challenges[64];
	uint32_t count = 0, answered = 0;

	(void)state;
	raw->path.remote.port++;
	raw_packet(raw, QUIC_PACKET_ONE_RTT, payload, sizeof(payload));
	raw_forget(raw);
	raw_send(raw);
	while (validated == 0 && raw->now_ns < 100 * BASE_SECOND && count < 64) {
		if (raw_find(raw, QUIC_FRAME_PATH_CHALLENGE, &frame) != NULL) {
			memcpy(challenges[count].data, frame.path_data, sizeof(frame.path_data));
			challenges[count++].time_ns = raw->now_ns;
		}
		raw_forget(raw);
		raw_wait(raw, 5 * BASE_MS);
		if (answered < count && challenges[answered].time_ns + round_trip_ns <= raw->now_ns) {
			memcpy(response.path_data, challenges[answered++].data, sizeof(response.path_data));
			raw_frame(raw, QUIC_PACKET_ONE_RTT, &response);
		}
		validated = raw_counter(raw, "paths_validated");
		if (raw_counter(raw, "paths_failed") > 0)
			break;
	}
	assert_int_equal(validated, 1);
	assert_true(count > 1);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 9.3: "An endpoint only changes the address to which it sends packets in response to the
 * highest-numbered non-probing packet." */
static void
path_changed__not_by_an_older_packet(void **state)
{
	struct raw *raw = connected();
	struct base_path usual = raw->path;

	(void)state;
	raw->next_packet_number[QUIC_SPACE_APPLICATION]++;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	raw->next_packet_number[QUIC_SPACE_APPLICATION] -= 2;
	raw->path.remote.port++;
	raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
	assert_true(base_path_equal(quic_conn_path(raw_conn(raw, QUIC_SERVER)), &usual));
	raw_close(raw);
}

/* Section 9: "An endpoint MUST NOT initiate connection migration before the handshake is confirmed". */
static void
path_changed__not_during_the_handshake(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);
	struct base_path usual = raw->path;

	(void)state;
	raw_half_handshake(raw);
	raw->path.remote.port++;
	raw_hex(raw, QUIC_PACKET_HANDSHAKE, "01");
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "drop_migration"), 1);
	assert_true(base_path_equal(quic_conn_path(raw_conn(raw, QUIC_SERVER)), &usual));
	raw_close(raw);
}

/* Whoever steers by paths is told of a new one, of the way back too, and once of any number between two questions. */
static void
path_changed__is_told_to_who_steers_by_it(void **state)
{
	struct raw *raw = connected();
	struct quic_endpoint *server = raw->nodes[QUIC_SERVER].endpoint;
	uint32_t lost = 0, told = 0;
	struct quic_conn *conn;

	(void)state;
	assert_null(quic_endpoint_next_repathed(server, &lost));
	for (int i = 0; i < 2; i++) {
		raw->path.remote.port =
			(uint16_t)(i == 0 ? raw->path.remote.port + 1 : raw->path.remote.port - 1);
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
		conn = quic_endpoint_next_repathed(server, &lost);
		assert_ptr_equal(conn, raw_conn(raw, QUIC_SERVER));
		assert_true(base_path_equal(quic_conn_path(conn), &raw->path));
		assert_int_equal(quic_conn_port_index(conn), 0);
		assert_null(quic_endpoint_next_repathed(server, &lost));
	}
	assert_int_equal(lost, 0);
	for (uint32_t i = 0; i < 200; i++) {
		raw->path.remote.port++;
		raw_hex(raw, QUIC_PACKET_ONE_RTT, "01");
		raw_forget(raw);
	}
	while (quic_endpoint_next_repathed(server, &lost) != NULL)
		told++;
	assert_int_equal(told, 1);
	assert_null(quic_endpoint_next_repathed(server, &lost));
	assert_int_equal(lost, 0);
	raw_close(raw);
}

/* What a report of load says of it: not while a move is in flight, nor for the dwell time after it. */
static void
conn_movable__is_what_a_move_would_be_told(void **state)
{
	struct raw *raw = connected();
	struct quic_conn *conn = raw_conn(raw, QUIC_SERVER);
	uint64_t begun_ns;

	(void)state;
	raw_wait(raw, BASE_SECOND); /* what is left of the handshake is given back */
	assert_true(quic_conn_movable(conn, raw->now_ns));
	assert_int_equal(quic_conn_moved_ns(conn), 0);
	begun_ns = raw->now_ns;
	assert_int_equal(quic_conn_move_begin(conn, 1, raw->now_ns), QUIC_MOVE_BEGUN);
	assert_false(quic_conn_movable(conn, raw->now_ns));
	while (quic_conn_move_state(conn) == QUIC_MOVE_WAITING)
		raw_wait(raw, BASE_MS);
	assert_in_range(quic_conn_moved_ns(conn), begun_ns + BASE_MS, raw->now_ns);
	assert_false(quic_conn_movable(conn, raw->now_ns));
	raw_close(raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receive_new_connection_id__malformed_is_a_frame_encoding_error),
		cmocka_unit_test(receive_new_connection_id__above_the_limit_is_a_connection_id_limit_error),
		cmocka_unit_test(receive_new_connection_id__retires_what_is_below_retire_prior_to),
		cmocka_unit_test(
			receive_new_connection_id__below_an_earlier_retire_prior_to_is_retired_at_once),
		cmocka_unit_test(receive_new_connection_id__repeated_differently_is_a_protocol_violation),
		cmocka_unit_test(receive_new_connection_id__repeated_as_it_was_is_no_error),
		cmocka_unit_test(receive_new_connection_id__from_a_peer_without_ids_is_a_protocol_violation),
		cmocka_unit_test(
			receive_new_connection_id__retiring_without_end_is_a_connection_id_limit_error),
		cmocka_unit_test(receive_retire_connection_id__not_issued_or_in_use_is_a_protocol_violation),
		cmocka_unit_test(receive_retire_connection_id__is_replaced_lingers_and_is_dropped),
		cmocka_unit_test(unplaced__id_of_a_connection_that_is_gone_draws_a_smaller_reset),
		cmocka_unit_test(unplaced__id_of_an_earlier_generation_draws_a_reset),
		cmocka_unit_test(unplaced__id_of_another_epoch_draws_a_reset),
		cmocka_unit_test(unplaced__id_that_is_not_ours_or_alive_draws_nothing),
		cmocka_unit_test(unplaced__resets_are_limited),
		cmocka_unit_test(receive_path_challenge__is_answered_on_its_path_in_1200_octets),
		cmocka_unit_test(
			receive_path_challenge__answer_to_an_unvalidated_path_is_at_most_three_times_as_long),
		cmocka_unit_test(receive_path_response__to_no_challenge_is_ignored),
		cmocka_unit_test(path_changed__is_validated_by_a_challenge),
		cmocka_unit_test(path_changed__is_validated_on_a_path_longer_than_the_interval),
		cmocka_unit_test(path_changed__not_by_an_older_packet),
		cmocka_unit_test(path_changed__not_during_the_handshake),
		cmocka_unit_test(path_changed__is_told_to_who_steers_by_it),
		cmocka_unit_test(conn_movable__is_what_a_move_would_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
