/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "quic/params.h"

static uint8_t octets[1024];

static struct quic_params
params_of(enum quic_role sender)
{
	struct quic_params params;

	quic_params_init(&params);
	params.max_idle_timeout_ms = 30000;
	params.max_udp_payload_size = 1472;
	params.initial_max_data = 1 << 20;
	params.initial_max_stream_data_bidi_local = 1;
	params.initial_max_stream_data_bidi_remote = 2;
	params.initial_max_stream_data_uni = 3;
	params.initial_max_streams_bidi = QUIC_STREAMS_MAX;
	params.initial_max_streams_uni = 5;
	params.ack_delay_exponent = 20;
	params.max_ack_delay_ms = 16383;
	params.active_connection_id_limit = 8;
	params.max_datagram_frame_size = 65535;
	params.disable_active_migration = true;
	params.grease_quic_bit = true;
	params.has_initial_source_connection_id = true;
	params.initial_source_connection_id = quic_cid("scid", 4);
	if (sender == QUIC_CLIENT)
		return params;
	params.has_original_destination_connection_id = true;
	params.original_destination_connection_id = quic_cid("original", 8);
	params.has_retry_source_connection_id = true;
	params.retry_source_connection_id = quic_cid("retry", 5);
	params.has_stateless_reset_token = true;
	memset(params.stateless_reset_token, 0x77, 16);
	params.has_preferred_address = true;
	params.preferred_address = (struct quic_preferred_address){.ipv4 = {192, 0, 2, 1},
		.ipv4_port = 443,
		.ipv6 = {0x20, 1},
		.ipv6_port = 444,
		.cid = quic_cid("preferred", 9),
		.reset_token = {5}};
	return params;
}

static size_t
write_params(const struct quic_params *params, enum quic_role sender, struct base_random *grease)
{
	struct base_writer writer = base_writer(octets, sizeof(octets));

	assert_true(quic_params_write(&writer, params, sender, grease));
	return base_writer_length(&writer);
}

static void
params_init__has_the_defaults_of_section_18_2(void **state)
{
	struct quic_params params;

	quic_params_init(&params);
	assert_int_equal(params.max_udp_payload_size, 65527);
	assert_int_equal(params.ack_delay_exponent, 3);
	assert_int_equal(params.max_ack_delay_ms, 25);
	assert_int_equal(params.active_connection_id_limit, 2);
	assert_int_equal(params.initial_max_data, 0);
	assert_int_equal(write_params(&params, QUIC_SERVER, NULL), 0);
	assert_int_equal(quic_params_parse(&params, octets, 0, QUIC_SERVER), QUIC_NO_ERROR);
	assert_int_equal(params.max_ack_delay_ms, 25);
}

static void
params_parse__gives_back_what_was_written(void **state)
{
	enum quic_role roles[] = {QUIC_CLIENT, QUIC_SERVER};
	struct base_random grease;

	base_random_init(&grease, 4);
	for (int i = 0; i < 200; i++) {
		struct quic_params params = params_of(roles[i % 2]);
		size_t length = write_params(&params, roles[i % 2], i < 2 ? NULL : &grease);
		struct quic_params parsed;

		assert_int_equal(quic_params_parse(&parsed, octets, length, roles[i % 2]), QUIC_NO_ERROR);
		assert_memory_equal(&parsed.max_idle_timeout_ms, &params.max_idle_timeout_ms,
			offsetof(struct quic_params, has_original_destination_connection_id));
		assert_true(quic_cid_equal(
			&parsed.initial_source_connection_id, &params.initial_source_connection_id));
		assert_int_equal(parsed.has_preferred_address, roles[i % 2] == QUIC_SERVER);
		if (roles[i % 2] == QUIC_CLIENT)
			continue;
		assert_true(quic_cid_equal(&parsed.original_destination_connection_id,
			&params.original_destination_connection_id));
		assert_true(quic_cid_equal(
			&parsed.retry_source_connection_id, &params.retry_source_connection_id));
		assert_memory_equal(parsed.stateless_reset_token, params.stateless_reset_token, 16);
		assert_int_equal(parsed.preferred_address.ipv6_port, 444);
		assert_true(quic_cid_equal(&parsed.preferred_address.cid, &params.preferred_address.cid));
	}
}

static void
params_write__fails_without_room(void **state)
{
	struct quic_params params = params_of(QUIC_SERVER);
	size_t length = write_params(&params, QUIC_SERVER, NULL);

	for (size_t room = 0; room < length; room++) {
		struct base_writer writer = base_writer(octets, room);

		assert_false(quic_params_write(&writer, &params, QUIC_SERVER, NULL));
	}
}

static void
params_authenticate__compares_what_is_said_with_what_was_seen(void **state)
{
	struct quic_params params = params_of(QUIC_SERVER);
	struct quic_cid odcid = quic_cid("original", 8);
	struct quic_cid scid = quic_cid("scid", 4);
	struct quic_cid retry = quic_cid("retry", 5);

	assert_int_equal(
		quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, &retry), QUIC_NO_ERROR);
	assert_int_equal(quic_params_authenticate(&params, QUIC_SERVER, &scid, &scid, &retry),
		QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_int_equal(quic_params_authenticate(&params, QUIC_SERVER, &odcid, &odcid, &retry),
		QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_int_equal(quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, &scid),
		QUIC_TRANSPORT_PARAMETER_ERROR);
	/* Said, though there was no Retry; not said, though there was. */
	assert_int_equal(quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, NULL),
		QUIC_TRANSPORT_PARAMETER_ERROR);
	params.has_retry_source_connection_id = false;
	assert_int_equal(quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, NULL), QUIC_NO_ERROR);
	assert_int_equal(quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, &retry),
		QUIC_TRANSPORT_PARAMETER_ERROR);
	params.has_original_destination_connection_id = false;
	assert_int_equal(quic_params_authenticate(&params, QUIC_SERVER, &odcid, &scid, NULL),
		QUIC_TRANSPORT_PARAMETER_ERROR);
	assert_int_equal(quic_params_authenticate(&params, QUIC_CLIENT, NULL, &scid, NULL), QUIC_NO_ERROR);
	params.has_initial_source_connection_id = false;
	assert_int_equal(quic_params_authenticate(&params, QUIC_CLIENT, NULL, &scid, NULL),
		QUIC_TRANSPORT_PARAMETER_ERROR);
}

static void
params_check_remembered__refuses_a_lower_limit(void **state)
{
	struct quic_params remembered = params_of(QUIC_SERVER);
	struct quic_params now = remembered;

	assert_int_equal(quic_params_check_remembered(&remembered, &now), QUIC_NO_ERROR);
	now.initial_max_data++;
	now.max_idle_timeout_ms = 1;
	assert_int_equal(quic_params_check_remembered(&remembered, &now), QUIC_NO_ERROR);
	now.initial_max_streams_uni--;
	assert_int_equal(quic_params_check_remembered(&remembered, &now), QUIC_PROTOCOL_VIOLATION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(params_init__has_the_defaults_of_section_18_2),
		cmocka_unit_test(params_parse__gives_back_what_was_written),
		cmocka_unit_test(params_write__fails_without_room),
		cmocka_unit_test(params_authenticate__compares_what_is_said_with_what_was_seen),
		cmocka_unit_test(params_check_remembered__refuses_a_lower_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
