/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "app/millrace/limits.h"

static struct config config;

static int
setup(void **state)
{
	config_example(&config);
	return 0;
}

/*
 * Defaults of the file and of the library are the same, but for what is shared out between the shards of a
 * gateway.
 */
static void
limits_quic__is_the_default_by_default(void **state)
{
	struct quic_limits limits = limits_quic(&config), expected = quic_limits_default();

	expected.connections = config.memory.connections;
	expected.handshakes = config.quic.handshakes_max;
	expected.retry_above = config.quic.retry_above;
	assert_int_equal(limits.connections, expected.connections);
	assert_int_equal(limits.handshakes, expected.handshakes);
	assert_int_equal(limits.retry_above, expected.retry_above);
	assert_int_equal(limits.stateless_per_second, expected.stateless_per_second);
	assert_int_equal(limits.resets_per_second, expected.resets_per_second);
	assert_int_equal(limits.segments_per_turn, expected.segments_per_turn);
	assert_int_equal(limits.chunks_in_stock, expected.chunks_in_stock);
	assert_int_equal(limits.handshake_timeout_ns, expected.handshake_timeout_ns);
	assert_int_equal(limits.idle_timeout_ns, expected.idle_timeout_ns);
	assert_int_equal(limits.max_ack_delay_ns, expected.max_ack_delay_ns);
	assert_int_equal(limits.initial_rtt_ns, expected.initial_rtt_ns);
	assert_int_equal(limits.token_lifetime_ns, expected.token_lifetime_ns);
	assert_int_equal(limits.connection_window_bytes, expected.connection_window_bytes);
	assert_int_equal(limits.connection_window_max_bytes, expected.connection_window_max_bytes);
	assert_int_equal(limits.stream_window_bytes, expected.stream_window_bytes);
	assert_int_equal(limits.stream_window_max_bytes, expected.stream_window_max_bytes);
	assert_int_equal(limits.streams_bidi, expected.streams_bidi);
	assert_int_equal(limits.streams_uni, expected.streams_uni);
	assert_int_equal(limits.crypto_buffer_bytes, expected.crypto_buffer_bytes);
	assert_int_equal(limits.send_buffer_bytes, expected.send_buffer_bytes);
	assert_int_equal(limits.chunks_received, expected.chunks_received);
	assert_int_equal(limits.datagrams_queued, expected.datagrams_queued);
	assert_int_equal(limits.ack_delay_exponent, expected.ack_delay_exponent);
	assert_int_equal(limits.active_connection_ids, expected.active_connection_ids);
	assert_int_equal(limits.own_connection_ids, expected.own_connection_ids);
	assert_int_equal(limits.move_dwell_ns, expected.move_dwell_ns);
	assert_int_equal(limits.move_give_up_ptos, expected.move_give_up_ptos);
	assert_int_equal(limits.move_give_up_ns, expected.move_give_up_ns);
	assert_int_equal(limits.max_udp_payload_bytes, expected.max_udp_payload_bytes);
	assert_int_equal(limits.max_datagram_frame_bytes, expected.max_datagram_frame_bytes);
	assert_int_equal(limits.packets_sent_per_turn, expected.packets_sent_per_turn);
	assert_int_equal(limits.ack_threshold, expected.ack_threshold);
	assert_int_equal(limits.congestion, expected.congestion);
	assert_int_equal(limits.initial_window_packets, expected.initial_window_packets);
	assert_int_equal(limits.ecn, expected.ecn);
	assert_int_equal(limits.key_update_packets, expected.key_update_packets);
}

static void
limits_idle__polls_for_ever_when_told(void **state)
{
	assert_int_equal(limits_idle(&config).spin_turns, 64);
	config.idle.sleep = false;
	assert_true(limits_idle(&config).spin_turns == UINT32_MAX);
}

/* The policy's defaults and the file's are the same. */
static void
limits_rebalance__is_the_default_by_default(void **state)
{
	struct manager_policy_limits limits = limits_rebalance(&config);
	const struct manager_policy_limits *expected = &manager_policy_defaults;

	assert_int_equal(limits.high_permille, expected->high_permille);
	assert_int_equal(limits.low_permille, expected->low_permille);
	assert_int_equal(limits.least_permille, expected->least_permille);
	assert_int_equal(limits.windows, expected->windows);
	assert_int_equal(limits.moves_per_second, expected->moves_per_second);
	assert_int_equal(limits.moves_in_flight, expected->moves_in_flight);
	assert_int_equal(limits.dwell_ns, expected->dwell_ns);
	assert_int_equal(limits.across_sockets, expected->across_sockets);
}

static void
limits_rebalance__has_no_more_moves_in_flight_than_the_group(void **state)
{
	config.shards.moves_max = 4;
	assert_int_equal(limits_rebalance(&config).moves_in_flight, 4);
	config.rebalance.moves_in_flight = 3;
	assert_int_equal(limits_rebalance(&config).moves_in_flight, 3);
}

static void
limits_interface__finds_each_address_its_gateway(void **state)
{
	struct net_interface_config interface = limits_interface(&config, &config.ports[0]);

	assert_int_equal(interface.address_count, 2);
	assert_int_equal(interface.addresses[0].prefix_bits, 24);
	assert_true(interface.addresses[0].has_gateway);
	assert_int_equal(interface.addresses[0].gateway[15], 254);
	assert_true(interface.addresses[1].has_gateway);
	assert_int_equal(interface.addresses[1].gateway[15], 0xff);
	config.ports[0].gateways.count = 1;
	interface = limits_interface(&config, &config.ports[0]);
	assert_false(interface.addresses[1].has_gateway);
}

static void
limits_tls__offers_the_protocols_of_the_services(void **state)
{
	struct tls_settings settings = limits_tls(&config);

	assert_int_equal(settings.alpn_count, 1);
	assert_string_equal(settings.alpn[0], "h3");
	assert_int_equal(settings.suite_count, 3);
	assert_int_equal(settings.suites[2], TLS_CHACHA20_POLY1305_SHA256);
	assert_int_equal(settings.group_count, 0);
	config.services.echo = true;
	assert_int_equal(limits_tls(&config).alpn_count, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(limits_quic__is_the_default_by_default, setup),
		cmocka_unit_test_setup(limits_idle__polls_for_ever_when_told, setup),
		cmocka_unit_test_setup(limits_rebalance__is_the_default_by_default, setup),
		cmocka_unit_test_setup(limits_rebalance__has_no_more_moves_in_flight_than_the_group, setup),
		cmocka_unit_test_setup(limits_interface__finds_each_address_its_gateway, setup),
		cmocka_unit_test_setup(limits_tls__offers_the_protocols_of_the_services, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
