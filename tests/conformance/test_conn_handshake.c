/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 9000 sections 5.2.2, 6, 7, 8.1 and 14.1, RFC 9001 sections 4.8 and 8: how connections begin, as a client sees the server. */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "tests/conformance/raw_client.h"
#include "tests/support/hex.h"

#define CID "6120636c69656e74" /* "a client", of raw_from_scratch() */
#define ISCID "0f08" CID

static struct raw *
begun(const struct quic_limits *limits)
{
	struct raw *raw = raw_open(limits, NULL);

	raw_from_scratch(raw);
	raw_hello(raw, NULL, 0);
	return raw;
}

/* ---- transport parameters ---- */

/* Section 7.4: "An endpoint MUST treat receipt of a transport parameter with an invalid value as a connection
 * error of type TRANSPORT_PARAMETER_ERROR. An endpoint MUST NOT send a parameter more than once in a given
 * transport parameters extension. An endpoint SHOULD treat receipt of duplicate transport parameters as a
 * connection error of type TRANSPORT_PARAMETER_ERROR." Section 18.2 says which are invalid, and: "A server MUST
 * treat receipt of any of these transport parameters as a connection error of type TRANSPORT_PARAMETER_ERROR",
 * of those that only servers send. Section 7.3: "An endpoint MUST treat the absence of the
 * initial_source_connection_id transport parameter from either endpoint [...] as a connection error of type
 * TRANSPORT_PARAMETER_ERROR." */
static void
receive_params__each_fault_is_a_transport_parameter_error(void **state)
{
	static const char *const faults[] = {
		"0104 80001000",               /* initial_source_connection_id is missing */
		"0f08 6120636c69656e00",       /* and is another one */
		"0f00",                        /* and is empty */
		ISCID ISCID,                   /* twice */
		ISCID "0101 05 0101 05",       /* max_idle_timeout twice */
		ISCID "0302 44af",             /* max_udp_payload_size below 1200 */
		ISCID "0a01 15",               /* ack_delay_exponent above 20 */
		ISCID "0b02 8000",             /* a torn integer */
		ISCID "0b04 80004000",         /* max_ack_delay of 2^14 */
		ISCID "0e01 01",               /* active_connection_id_limit below 2 */
		ISCID "0808 d000000000000001", /* initial_max_streams_bidi above 2^60 */
		ISCID "0908 d000000000000001", /* initial_max_streams_uni above 2^60 */
		ISCID "0c01 00",               /* disable_active_migration with a value */
		ISCID "0402 05 00",            /* octets behind the integer */
		ISCID "0009",                  /* a torn parameter */
		ISCID "0008 " CID,             /* original_destination_connection_id */
		ISCID "0210 " CID CID,         /* stateless_reset_token */
		ISCID "1008 " CID,             /* retry_source_connection_id */
		ISCID "0d2d 7f000001 01bb 00000000000000000000000000000001 01bb 04 aabbccdd " CID
			CID, /* preferred_address */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct raw *raw = raw_open(NULL, NULL);
		uint8_t octets[128];

		raw_from_scratch(raw);
		raw_hello(raw, octets, support_hex(faults[i], octets, sizeof(octets)));
		raw_send_hello(raw);
		raw_expect_close(raw, QUIC_TRANSPORT_PARAMETER_ERROR, 0x06);
		raw_close(raw);
	}
}

/* Section 7.4.2: "An endpoint MUST ignore transport parameters that it does not support." */
static void
receive_params__unknown_ones_are_ignored(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);
	uint8_t octets[128];

	(void)state;
	raw_from_scratch(raw);
	raw_hello(raw, octets, support_hex("1b03 aabbcc 7fff00" ISCID, octets, sizeof(octets)));
	raw_send_hello(raw);
	raw_expect_open(raw);
	assert_true(raw_count(raw, QUIC_FRAME_CRYPTO) > 0);
	raw_finish_handshake(raw);
	raw_close(raw);
}

/* The extension's type becomes one that nobody knows. */
static void
rename_extension(struct raw *raw, uint8_t type)
{
	for (size_t i = raw->hello_length - 4; i > 40; i--) {
		uint8_t *at = raw->hello + i;
		size_t length = (size_t)at[2] << 8 | at[3];

		if (at[0] == 0 && at[1] == type && i + 4 + length <= raw->hello_length && length > 2 &&
			length < 200) {
			at[0] = at[1] = 0x3a;
			return;
		}
	}
	fail_msg("no extension %u", type);
}

/* RFC 9001 section 8.2: "Endpoints MUST send the quic_transport_parameters extension; endpoints that receive ClientHello or EncryptedExtensions
 * messages without the quic_transport_parameters extension MUST close the connection with an error of type 0x016d". */
static void
receive_hello__without_transport_parameters_is_error_0x16d(void **state)
{
	struct raw *raw = begun(NULL);

	(void)state;
	rename_extension(raw, 0x39);
	raw_send_hello(raw);
	raw_expect_close(raw, QUIC_CRYPTO_ERROR(109), 0x06);
	raw_close(raw);
}

/* RFC 9001 section 8.1: "When using ALPN, endpoints MUST immediately close a connection [...] with a
 * no_application_protocol TLS alert (QUIC error code 0x0178; see Section 4.8) if an application protocol is not
 * negotiated." */
static void
receive_hello__without_a_common_protocol_is_error_0x178(void **state)
{
	(void)state;
	for (int other = 0; other < 2; other++) {
		struct raw *raw = begun(NULL);
		uint8_t *name = NULL;

		for (size_t i = 0; i + 4 <= raw->hello_length; i++)
			if (memcmp(raw->hello + i, "\3raw", 4) == 0)
				name = raw->hello + i;
		assert_non_null(name);
		if (other)
			memcpy(name, "\3war", 4);
		else
			rename_extension(raw, 0x10);
		raw_send_hello(raw);
		raw_expect_close(raw, QUIC_CRYPTO_ERROR(120), 0x06);
		raw_close(raw);
	}
}

/* RFC 9001 section 4.8: "a TLS alert is converted into a QUIC connection error"; a first message that is no ClientHello: unexpected_message. */
static void
receive_crypto__what_is_no_client_hello_is_a_crypto_error(void **state)
{
	struct raw *raw = begun(NULL);
	struct quic_frame frame;

	(void)state;
	raw_hex(raw, QUIC_PACKET_INITIAL, "06 00 08 14000004 00000000");
	assert_non_null(raw_find(raw, QUIC_FRAME_CONNECTION_CLOSE, &frame));
	assert_int_equal(frame.close.code, QUIC_CRYPTO_ERROR(10));
	assert_int_equal(frame.close.frame_type, 0x06);
	raw_close(raw);
}

/* RFC 9000 section 13.1: "A packet MUST NOT be acknowledged until packet protection has been successfully removed and all frames contained in
 * the packet have been processed", and no rule says in which order they stand: picoquic repeats a lost Finished in front of its ACK. The Finished
 * confirms the handshake (RFC 9001 section 4.1.2), and Handshake keys are discarded (4.9.2) before those frames are reached. */
static void
receive_finished__before_other_frames_of_its_packet_is_taken(void **state)
{
	struct raw *raw = begun(NULL);

	(void)state;
	raw->finish_with_more = true;
	raw_send_hello(raw);
	raw_finish_handshake(raw);
	raw_expect_open(raw);
	raw_close(raw);
}

/* ---- the first datagram ---- */

/* Section 14.1: "A server MUST discard an Initial packet that is carried in a UDP datagram with a payload that is smaller than the smallest
 * allowed maximum datagram size of 1200 bytes." */
static void
accept__short_datagram_is_dropped(void **state)
{
	struct raw *raw = begun(NULL);

	(void)state;
	raw->short_initial = true;
	raw_send_hello(raw);
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "drop_short_initial"), 1);
	assert_int_equal(raw_counter(raw, "accepted"), 0);
	raw_close(raw);
}

/* The same rule for a connection that is there already. */
static void
receive_initial__in_a_short_datagram_is_dropped(void **state)
{
	struct raw *raw = begun(NULL);
	uint64_t before;

	(void)state;
	raw_send_hello(raw);
	raw_forget(raw);
	before = raw_counter(raw, "drop_malformed");
	raw->short_initial = true;
	raw_hex(raw, QUIC_PACKET_INITIAL, "01");
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "drop_malformed"), before + 1);
	raw_expect_open(raw);
	raw_close(raw);
}

/* Section 7.2: "This Destination Connection ID MUST be at least 8 bytes in length." */
static void
accept__destination_connection_id_below_8_octets_is_dropped(void **state)
{
	struct raw *raw = begun(NULL);

	(void)state;
	raw->dcid.length = 7;
	raw_initial_keys(raw, &raw->dcid);
	raw_send_hello(raw);
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "drop_short_initial"), 1);
	raw_close(raw);
}

/* Section 5.2.2: "Servers MUST drop incoming packets under all other circumstances." Only an Initial packet
 * begins a connection. */
static void
accept__only_initial_packets_begin_a_connection(void **state)
{
	struct raw *raw = begun(NULL);

	(void)state;
	raw->keys[QUIC_SPACE_HANDSHAKE] = raw->keys[QUIC_SPACE_INITIAL];
	raw_hex(raw, QUIC_PACKET_HANDSHAKE, "01");
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "drop_unknown_connection"), 1);
	raw_close(raw);
}

/* Section 5.2.2: "If a server refuses to accept a new connection, it SHOULD send an Initial packet containing a CONNECTION_CLOSE frame with error
 * code CONNECTION_REFUSED." */
static void
accept__refused_says_connection_refused(void **state)
{
	struct raw *raw = begun(NULL);
	struct quic_frame frame;

	(void)state;
	quic_endpoint_stop_accepting(raw->nodes[QUIC_SERVER].endpoint);
	raw_send_hello(raw);
	assert_non_null(raw_find(raw, QUIC_FRAME_CONNECTION_CLOSE, &frame));
	assert_int_equal(frame.close.code, QUIC_CONNECTION_REFUSED);
	assert_int_equal(raw_counter(raw, "drop_refused"), 1);
	assert_int_equal(quic_endpoint_connections(raw->nodes[QUIC_SERVER].endpoint), 0);
	raw_close(raw);
}

/* Section 7.2: "if subsequent Initial packets include a different Source Connection ID, they MUST be
 * discarded." */
static void
receive_initial__with_another_source_connection_id_is_dropped(void **state)
{
	struct raw *raw = begun(NULL);

	(void)state;
	raw_send_hello(raw);
	raw_forget(raw);
	raw->scid.octets[0] ^= 1;
	raw_hex(raw, QUIC_PACKET_INITIAL, "1e");
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "drop_malformed"), 1);
	raw_expect_open(raw);
	raw_close(raw);
}

/* ---- amplification ---- */

static uint64_t
bytes_back(const struct raw *raw)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < raw->datagram_count; i++)
		bytes += raw->datagrams[i].length;
	return bytes;
}

/* Section 8.1: "Prior to validating the client address, servers MUST NOT send more than three times as many bytes as the number of bytes they
 * have received." */
static void
send__at_most_three_times_what_came_before_the_address_is_validated(void **state)
{
	struct raw *raw = begun(NULL);

	(void)state;
	raw_send_hello(raw);
	raw_wait(raw, 3 * BASE_SECOND);
	assert_in_range(bytes_back(raw), 1200, 3 * 1200);
	raw_hex(raw, QUIC_PACKET_INITIAL, "01");
	raw_wait(raw, 6 * BASE_SECOND);
	assert_in_range(bytes_back(raw), 3 * 1200 + 1, 6 * 1200);
	raw_close(raw);
}

/* The same section: CONNECTION_CLOSE, and its repetitions, are no exception. */
static void
send_close__keeps_to_three_times_what_came(void **state)
{
	struct raw *raw = begun(NULL);
	uint64_t received = 1200;

	(void)state;
	rename_extension(raw, 0x39);
	raw_send_hello(raw);
	for (int i = 0; i < 20; i++) {
		raw->short_initial = true;
		raw_hex(raw, QUIC_PACKET_INITIAL, "01");
		received += 60;
		assert_true(bytes_back(raw) <= 3 * received);
	}
	raw_close(raw);
}

/* Section 8.1: an Initial from another address, with the same IDs, is another beginning or nothing; it draws no more than its share either. */
static void
send__to_another_address_has_a_share_of_its_own(void **state)
{
	struct raw *raw = begun(NULL);
	uint64_t before;

	(void)state;
	raw_send_hello(raw);
	before = bytes_back(raw);
	raw->path.remote.port++;
	raw_hex(raw, QUIC_PACKET_INITIAL, "01");
	raw_wait(raw, BASE_SECOND / 10);
	for (uint32_t i = 0; i < raw->datagram_count; i++)
		if (raw->datagrams[i].path.remote.port == raw->path.remote.port)
			fail_msg("an answer to an address that asked for nothing");
	assert_true(bytes_back(raw) <= before + 3600);
	raw_close(raw);
}

/* Section 14.1: "a server MUST expand the payload of all UDP datagrams carrying ack-eliciting Initial packets to at least [...] 1200 bytes." */
static void
send__ack_eliciting_initials_fill_1200_octets(void **state)
{
	struct raw *raw = begun(NULL);
	uint32_t seen = 0;

	(void)state;
	raw_send_hello(raw);
	for (uint32_t i = 0; i < raw->packet_count; i++) {
		if (raw->packets[i].type != QUIC_PACKET_INITIAL)
			continue;
		assert_true(raw->datagrams[raw->packets[i].datagram].length >= QUIC_DATAGRAM_MIN_BYTES);
		seen++;
	}
	assert_true(seen > 0);
	raw_close(raw);
}

/* ---- limits ---- */

static void
begin_another(struct raw *raw, uint8_t number)
{
	raw_from_scratch(raw);
	raw->dcid.octets[7] = raw->scid.octets[7] = number;
	raw_initial_keys(raw, &raw->dcid);
	raw_hello(raw, NULL, 0);
	raw_forget(raw);
	raw_send_hello(raw);
}

/* The design's limits: handshakes are bounded, and the oldest gives way to a new one. */
static void
accept__above_the_handshake_limit_the_oldest_gives_way(void **state)
{
	struct quic_limits limits = raw_limits();
	struct raw *raw;

	(void)state;
	limits.handshakes = 2;
	limits.retry_above = 100;
	raw = raw_open(&limits, NULL);
	for (uint8_t i = 0; i < 5; i++) {
		begin_another(raw, i);
		assert_true(raw_count(raw, QUIC_FRAME_CRYPTO) > 0);
		assert_int_equal(raw_counter(raw, "handshakes_evicted"), i < 2 ? 0 : i - 1);
		assert_true(quic_endpoint_connections(raw->nodes[QUIC_SERVER].endpoint) <= 2);
	}
	raw_finish_handshake(raw);
	raw_close(raw);
}

/* ---- Retry and tokens ---- */

static struct raw *
with_retry(void)
{
	struct quic_limits limits = raw_limits();

	limits.retry_above = 0;
	return begun(&limits);
}

/* Takes ID and token of the Retry; gives what the client must know. */
static void
follow_retry(struct raw *raw, struct quic_packet *packet)
{
	struct raw_datagram *datagram = &raw->datagrams[0];

	assert_int_equal(raw->datagram_count, 1);
	assert_int_equal(
		quic_packet_parse(datagram->octets, datagram->length, 0, packet), QUIC_PACKET_PARSED);
	assert_int_equal(packet->type, QUIC_PACKET_RETRY);
	raw->dcid = quic_cid(packet->scid, packet->scid_length);
	raw_initial_keys(raw, &raw->dcid);
	raw->token = packet->token;
	raw->token_length = packet->token_length;
	raw->follow_scid = true;
}

/* Section 8.1.2: "Upon receiving the client's Initial packet, the server can request address validation by sending a Retry packet containing a
 * token." Section 17.2.5.1: SCID another than the client's choice, DCID the client's SCID; RFC 9001 section 5.8: the integrity tag. */
static void
retry__names_the_client_and_carries_a_right_tag(void **state)
{
	struct raw *raw = with_retry();
	struct quic_cid original = raw->dcid;
	struct quic_packet packet;
	uint8_t tag[CRYPTO_TAG_BYTES];

	(void)state;
	raw_send_hello(raw);
	assert_int_equal(raw_counter(raw, "retries_sent"), 1);
	assert_int_equal(quic_endpoint_connections(raw->nodes[QUIC_SERVER].endpoint), 0);
	follow_retry(raw, &packet);
	assert_int_equal(packet.dcid_length, raw->scid.length);
	assert_memory_equal(packet.dcid, raw->scid.octets, raw->scid.length);
	assert_false(quic_cid_equal(&raw->dcid, &original));
	assert_true(crypto_retry_tag(raw->crypto, original.octets, original.length, packet.octets,
		packet.length - CRYPTO_TAG_BYTES, tag));
	assert_memory_equal(tag, packet.rest, CRYPTO_TAG_BYTES);
	/* With the token it goes on, and the address counts as validated (section 8.1). */
	struct raw_datagram kept = raw->datagrams[0];
	raw->token = kept.octets + (packet.token - raw->datagrams[0].octets);
	raw_forget(raw);
	raw_send_hello(raw);
	assert_true(raw_conn(raw, QUIC_SERVER)->address_validated);
	raw->token = NULL;
	raw->token_length = 0;
	raw_finish_handshake(raw);
	raw_close(raw);
}

/* Section 8.1.2: "If a server receives a client Initial that contains an invalid Retry token but is otherwise valid [...] the server SHOULD
 * immediately close the connection with an INVALID_TOKEN error." Too old, or come back to another ID than the Retry's. */
static void
retry__token_that_is_not_valid_is_an_invalid_token_error(void **state)
{
	(void)state;
	for (int fault = 0; fault < 2; fault++) {
		struct raw *raw = with_retry();
		struct quic_packet packet;
		struct quic_frame frame;
		struct raw_datagram kept;

		raw_send_hello(raw);
		follow_retry(raw, &packet);
		kept = raw->datagrams[0];
		raw->token = kept.octets + (packet.token - raw->datagrams[0].octets);
		if (fault == 0)
			raw->now_ns += 60 * BASE_SECOND;
		else
			raw->dcid.octets[2] ^= 1;
		raw_initial_keys(raw, &raw->dcid);
		raw_forget(raw);
		raw_send_hello(raw);
		assert_non_null(raw_find(raw, QUIC_FRAME_CONNECTION_CLOSE, &frame));
		assert_int_equal(frame.close.code, QUIC_INVALID_TOKEN);
		assert_int_equal(raw_counter(raw, "drop_refused"), 1);
		assert_int_equal(quic_endpoint_connections(raw->nodes[QUIC_SERVER].endpoint), 0);
		raw_close(raw);
	}
}

/* Whoever sends tokens that are refused uses up his own share: the next client still gets its Retry. */
static void
retry__is_sent_while_refusals_are_at_their_limit(void **state)
{
	struct quic_limits limits = raw_limits();
	struct raw *raw;
	struct quic_packet packet;
	struct raw_datagram kept;

	(void)state;
	limits.retry_above = 0;
	limits.stateless_per_second = 1;
	raw = begun(&limits);
	raw_send_hello(raw);
	follow_retry(raw, &packet);
	kept = raw->datagrams[0];
	raw->token = kept.octets + (packet.token - raw->datagrams[0].octets);
	raw->now_ns += 60 * BASE_SECOND;
	for (int i = 0; i < 150; i++) {
		raw_forget(raw);
		raw_send_hello(raw);
	}
	assert_int_equal(raw_counter(raw, "drop_refused"), 150);
	assert_in_range(raw_counter(raw, "drop_limited"), 40, 60);
	assert_int_equal(raw->datagram_count, 0);
	raw->token = NULL;
	raw->token_length = 0;
	raw_send_hello(raw);
	assert_int_equal(raw_counter(raw, "retries_sent"), 2);
	raw_close(raw);
}

/* Section 8.1.4: a token is bound to the address; another's, or an altered one, proves nothing and is as none: section 8.1.3, "the server SHOULD
 * proceed as if the client did not have a validated address". */
static void
retry__token_of_another_address_is_as_none(void **state)
{
	(void)state;
	for (int fault = 0; fault < 2; fault++) {
		struct raw *raw = with_retry();
		struct quic_packet packet;
		struct raw_datagram kept;

		raw_send_hello(raw);
		follow_retry(raw, &packet);
		kept = raw->datagrams[0];
		raw->token = kept.octets + (packet.token - raw->datagrams[0].octets);
		if (fault == 0)
			raw->path.remote.ip[15]++;
		else
			kept.octets[raw->token - kept.octets + 20] ^= 1;
		raw_forget(raw);
		raw_send_hello(raw);
		assert_int_equal(raw_counter(raw, "retries_sent"), 2);
		assert_int_equal(quic_endpoint_connections(raw->nodes[QUIC_SERVER].endpoint), 0);
		raw_close(raw);
	}
}

/* ---- versions ---- */

/* A long header of an unknown version, 1200 octets or as many as said. */
static void
send_version(struct raw *raw, uint32_t version, size_t length)
{
	struct base_writer writer = base_writer(raw->out, RAW_BUFFER_BYTES);

	base_writer_u8(&writer, 0xc3);
	base_writer_u32(&writer, version);
	base_writer_u8(&writer, 30);
	base_writer_fill(&writer, 0xd1, 30);
	base_writer_u8(&writer, 5);
	base_writer_fill(&writer, 0x5c, 5);
	base_writer_fill(&writer, 0x99, length - base_writer_length(&writer));
	raw->out_length = (uint16_t)length;
	raw_send(raw);
}

/* Section 6.1: "If the version selected by the client is not acceptable to the server, the server responds with a Version Negotiation packet";
 * RFC 8999 section 6: the IDs swapped, whatever their length. Section 17.2.1. */
static void
negotiate__unknown_version_draws_version_negotiation(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);
	struct quic_packet packet;
	bool valid;

	(void)state;
	raw->role = QUIC_CLIENT;
	send_version(raw, 0x1a2a3a4a, 1200);
	assert_int_equal(raw->datagram_count, 1);
	assert_int_equal(quic_packet_parse(raw->datagrams[0].octets, raw->datagrams[0].length, 0, &packet),
		QUIC_PACKET_PARSED);
	assert_int_equal(packet.type, QUIC_PACKET_VERSION_NEGOTIATION);
	assert_int_equal(packet.dcid_length, 5);
	assert_int_equal(packet.dcid[0], 0x5c);
	assert_int_equal(packet.scid_length, 30);
	assert_int_equal(packet.scid[0], 0xd1);
	assert_true(quic_version_negotiation_lists(&packet, QUIC_VERSION_1, &valid));
	assert_false(quic_version_negotiation_lists(&packet, 0x1a2a3a4a, &valid));
	assert_true(valid);
	assert_int_equal(raw_counter(raw, "version_negotiations_sent"), 1);
	raw_close(raw);
}

/* Section 5.2.2: "Servers MUST drop smaller packets that specify unsupported versions." Section 6.1: "An
 * endpoint MUST NOT send a Version Negotiation packet in response to receiving a Version Negotiation packet."
 * */
static void
negotiate__short_datagram_or_version_zero_draws_nothing(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw->role = QUIC_CLIENT;
	send_version(raw, 0x1a2a3a4a, 1199);
	assert_int_equal(raw_counter(raw, "drop_version"), 1);
	send_version(raw, 0, 1200);
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(raw_counter(raw, "version_negotiations_sent"), 0);
	raw_close(raw);
}

/* What is no packet at all is dropped, and draws nothing. */
static void
receive__noise_is_dropped(void **state)
{
	struct raw *raw = raw_open(NULL, NULL);

	(void)state;
	raw->role = QUIC_CLIENT;
	for (uint16_t length = 1; length < 60; length++) {
		memset(raw->out, (uint8_t)(length * 37), length);
		raw->out_length = length;
		raw_send(raw);
	}
	assert_int_equal(raw->datagram_count, 0);
	assert_int_equal(quic_endpoint_connections(raw->nodes[QUIC_SERVER].endpoint), 0);
	raw_close(raw);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receive_params__each_fault_is_a_transport_parameter_error),
		cmocka_unit_test(receive_params__unknown_ones_are_ignored),
		cmocka_unit_test(receive_hello__without_transport_parameters_is_error_0x16d),
		cmocka_unit_test(receive_hello__without_a_common_protocol_is_error_0x178),
		cmocka_unit_test(receive_crypto__what_is_no_client_hello_is_a_crypto_error),
		cmocka_unit_test(receive_finished__before_other_frames_of_its_packet_is_taken),
		cmocka_unit_test(accept__short_datagram_is_dropped),
		cmocka_unit_test(receive_initial__in_a_short_datagram_is_dropped),
		cmocka_unit_test(accept__destination_connection_id_below_8_octets_is_dropped),
		cmocka_unit_test(accept__only_initial_packets_begin_a_connection),
		cmocka_unit_test(accept__refused_says_connection_refused),
		cmocka_unit_test(receive_initial__with_another_source_connection_id_is_dropped),
		cmocka_unit_test(send__at_most_three_times_what_came_before_the_address_is_validated),
		cmocka_unit_test(send_close__keeps_to_three_times_what_came),
		cmocka_unit_test(send__to_another_address_has_a_share_of_its_own),
		cmocka_unit_test(send__ack_eliciting_initials_fill_1200_octets),
		cmocka_unit_test(accept__above_the_handshake_limit_the_oldest_gives_way),
		cmocka_unit_test(retry__names_the_client_and_carries_a_right_tag),
		cmocka_unit_test(retry__token_that_is_not_valid_is_an_invalid_token_error),
		cmocka_unit_test(retry__is_sent_while_refusals_are_at_their_limit),
		cmocka_unit_test(retry__token_of_another_address_is_as_none),
		cmocka_unit_test(negotiate__unknown_version_draws_version_negotiation),
		cmocka_unit_test(negotiate__short_datagram_or_version_zero_draws_nothing),
		cmocka_unit_test(receive__noise_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
