/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RFC 9000 sections 7.3, 7.4, 14 and 18: transport parameters. */
#include "tests/support/cmocka_all.h"

#include "quic/params.h"
#include "tests/support/hex.h"

static struct quic_params params;

static uint64_t
parse(enum quic_role sender, const char *text)
{
	uint8_t octets[256];
	size_t length = support_hex(text, octets, sizeof(octets));

	return quic_params_parse(&params, octets, length, sender);
}

static void
assert_both(const char *text, uint64_t error)
{
	assert_int_equal(parse(QUIC_CLIENT, text), error);
	assert_int_equal(parse(QUIC_SERVER, text), error);
}

/* Section 7.4: "An endpoint MUST NOT send a parameter more than once in a given transport parameters
 * extension. An endpoint SHOULD treat receipt of duplicate transport parameters as a connection error of
 * type TRANSPORT_PARAMETER_ERROR." */
static void
section_7_4__duplicates_are_refused(void **state)
{
	assert_both("0401 01 0501 01", QUIC_NO_ERROR);
	assert_both("0401 01 0501 01 0401 01", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0c00 0c00", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("6ab200 6ab200", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("1b00 1b00", QUIC_TRANSPORT_PARAMETER_ERROR);
}

/* Section 7.4.2: "An endpoint MUST ignore transport parameters that it does not support." Section 18.1:
 * "These transport parameters have no semantics and can carry arbitrary values." */
static void
section_7_4_2__unknown_parameters_are_ignored(void **state)
{
	assert_both("1b03 aabbcc 8000ff00 00 0401 05", QUIC_NO_ERROR);
	assert_int_equal(params.initial_max_data, 5);
}

/* Section 7.4: "An endpoint MUST treat receipt of a transport parameter with an invalid value as a connection
 * error of type TRANSPORT_PARAMETER_ERROR." Section 18: a parameter has the length that its header says. */
static void
section_7_4__badly_formed_parameters_are_refused(void **state)
{
	assert_both("04", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0402 01", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0402 0101", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0400", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0401 40", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0c01 00", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0f15 000102030405060708090a0b0c0d0e0f1011121314", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_int_equal(
		parse(QUIC_SERVER, "020f 000102030405060708090a0b0c0d0e"), QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_int_equal(parse(QUIC_SERVER, "0210 000102030405060708090a0b0c0d0e0f"), QUIC_NO_ERROR);
}

/* Section 18.2: "A client MUST NOT include any server-only transport parameter:
 * original_destination_connection_id, preferred_address, retry_source_connection_id, or
 * stateless_reset_token. A server MUST treat receipt of any of these transport parameters as a connection
 * error of type TRANSPORT_PARAMETER_ERROR." */
static void
section_18_2__server_only_parameters_of_a_client_are_refused(void **state)
{
	static const char *const texts[] = {
		"0001 aa",
		"0210 000102030405060708090a0b0c0d0e0f",
		"1001 aa",
		"0d2a 00000000 0000 00000000000000000000000000000000 0000 01 aa 000102030405060708090a0b0c0d0e0f",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(QUIC_SERVER, texts[i]), QUIC_NO_ERROR);
		assert_int_equal(parse(QUIC_CLIENT, texts[i]), QUIC_TRANSPORT_PARAMETER_ERROR);
	}
}

/* Section 18.2, max_udp_payload_size: "Values below 1200 are invalid." ack_delay_exponent: "Values above 20
 * are invalid." max_ack_delay: "Values of 2^14 or greater are invalid." initial_max_streams_*: above 2^60,
 * "the connection MUST be closed immediately with a connection error of type TRANSPORT_PARAMETER_ERROR". */
static void
section_18_2__values_out_of_range_are_refused(void **state)
{
	assert_both("0302 44b0", QUIC_NO_ERROR);
	assert_both("0302 44af", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0a01 14", QUIC_NO_ERROR);
	assert_both("0a01 15", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0b02 7fff", QUIC_NO_ERROR);
	assert_both("0b04 80004000", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0808 d000000000000000", QUIC_NO_ERROR);
	assert_both("0808 d000000000000001", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0908 d000000000000000", QUIC_NO_ERROR);
	assert_both("0908 d000000000000001", QUIC_TRANSPORT_PARAMETER_ERROR);
}

/* Section 18.2: "The value of the active_connection_id_limit parameter MUST be at least 2. An endpoint that
 * receives a value less than 2 MUST close the connection with an error of type TRANSPORT_PARAMETER_ERROR." */
static void
section_18_2__active_connection_id_limit_is_at_least_2(void **state)
{
	assert_both("0e01 02", QUIC_NO_ERROR);
	assert_both("0e01 01", QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_both("0e01 00", QUIC_TRANSPORT_PARAMETER_ERROR);
}

/* Section 18.2, preferred_address: "A server that chooses a zero-length connection ID MUST NOT provide a
 * preferred address. Similarly, a server MUST NOT include a zero-length connection ID in this transport
 * parameter. A client MUST treat a violation of these requirements as a connection error of type
 * TRANSPORT_PARAMETER_ERROR." */
static void
section_18_2__preferred_address_needs_connection_ids(void **state)
{
	assert_int_equal(parse(QUIC_SERVER,
				 "0d29 00000000 0000 00000000000000000000000000000000 0000 00"
				 "000102030405060708090a0b0c0d0e0f"),
		QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_int_equal(parse(QUIC_SERVER,
				 "0f00 0d2a 00000000 0000 00000000000000000000000000000000 0000 01 aa"
				 "000102030405060708090a0b0c0d0e0f"),
		QUIC_TRANSPORT_PARAMETER_ERROR);
}

/* Section 7.3: "An endpoint MUST treat the absence of the initial_source_connection_id transport parameter
 * from either endpoint or the absence of the original_destination_connection_id transport parameter from the
 * server as a connection error of type TRANSPORT_PARAMETER_ERROR." The same, or PROTOCOL_VIOLATION, for
 * "absence of the retry_source_connection_id transport parameter from the server after receiving a Retry
 * packet", for "presence of the retry_source_connection_id transport parameter when no Retry packet was
 * received", and for "a mismatch between values received from a peer in these transport parameters and the
 * value sent in the corresponding Destination or Source Connection ID fields of Initial packets". */
static void
section_7_3__connection_ids_are_authenticated(void **state)
{
	struct quic_cid odcid = quic_cid("\xaa", 1);
	struct quic_cid scid = quic_cid("\xbb", 1);
	struct quic_cid retry = quic_cid("\xcc", 1);

	parse(QUIC_SERVER, "0001 aa 0f01 bb");
	assert_int_equal(quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, NULL), QUIC_NO_ERROR);
	assert_int_not_equal(
		quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, &retry), QUIC_NO_ERROR);
	assert_int_not_equal(
		quic_params_authenticate(&params, QUIC_SERVER, &scid, &scid, NULL), QUIC_NO_ERROR);
	parse(QUIC_SERVER, "0001 aa 0f01 bb 1001 cc");
	assert_int_equal(
		quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, &retry), QUIC_NO_ERROR);
	assert_int_not_equal(
		quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, NULL), QUIC_NO_ERROR);
	parse(QUIC_SERVER, "0f01 bb");
	assert_int_not_equal(
		quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, NULL), QUIC_NO_ERROR);
	parse(QUIC_CLIENT, "");
	assert_int_not_equal(
		quic_params_authenticate(&params, QUIC_CLIENT, NULL, &scid, NULL), QUIC_NO_ERROR);
}

/* Section 7.4.1: "If 0-RTT data is accepted by the server, the server MUST NOT reduce any limits or alter
 * any values that might be violated by the client with its 0-RTT data." */
static void
section_7_4_1__remembered_limits_are_not_lowered(void **state)
{
	static const char *const lower[] = {"0401", "0501", "0601", "0701", "0801", "0901", "0e01"};
	struct quic_params remembered;

	assert_int_equal(
		parse(QUIC_SERVER, "0401 09 0501 09 0601 09 0701 09 0801 09 0901 09 0e01 09"), QUIC_NO_ERROR);
	remembered = params;
	assert_int_equal(quic_params_check_remembered(&remembered, &params), QUIC_NO_ERROR);
	for (size_t i = 0; i < sizeof(lower) / sizeof(lower[0]); i++) {
		char text[] = "0401 09 0501 09 0601 09 0701 09 0801 09 0901 09 0e01 09";

		text[i * 8 + 6] = '8';
		assert_int_equal(parse(QUIC_SERVER, text), QUIC_NO_ERROR);
		assert_int_equal(quic_params_check_remembered(&remembered, &params), QUIC_PROTOCOL_VIOLATION);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_7_4__duplicates_are_refused),
		cmocka_unit_test(section_7_4_2__unknown_parameters_are_ignored),
		cmocka_unit_test(section_7_4__badly_formed_parameters_are_refused),
		cmocka_unit_test(section_18_2__server_only_parameters_of_a_client_are_refused),
		cmocka_unit_test(section_18_2__values_out_of_range_are_refused),
		cmocka_unit_test(section_18_2__active_connection_id_limit_is_at_least_2),
		cmocka_unit_test(section_18_2__preferred_address_needs_connection_ids),
		cmocka_unit_test(section_7_3__connection_ids_are_authenticated),
		cmocka_unit_test(section_7_4_1__remembered_limits_are_not_lowered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
