/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "limits.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"
#include "site.h"

struct quic_limits
limits_quic(const struct config *config)
{
	const struct config_quic *quic = &config->quic;
	struct quic_limits limits = quic_limits_default();

	limits.connections = config->memory.connections;
	limits.handshakes = quic->handshakes_max;
	limits.retry_above = quic->retry_above;
	limits.stateless_per_second = quic->stateless_per_s;
	limits.resets_per_second = quic->resets_per_s;
	limits.handshake_timeout_ns = quic->handshake_timeout_ms * BASE_MS;
	limits.idle_timeout_ns = quic->idle_timeout_ms * BASE_MS;
	limits.max_ack_delay_ns = quic->max_ack_delay_ms * BASE_MS;
	limits.initial_rtt_ns = quic->initial_rtt_ms * BASE_MS;
	limits.token_lifetime_ns = quic->token_lifetime_s * BASE_SECOND;
	limits.connection_window_bytes = quic->connection_window_bytes;
	limits.connection_window_max_bytes = quic->connection_window_max_bytes;
	limits.stream_window_bytes = quic->stream_window_bytes;
	limits.stream_window_max_bytes = quic->stream_window_max_bytes;
	limits.streams_bidi = quic->streams_bidi_max;
	limits.streams_uni = quic->streams_uni_max;
	limits.crypto_buffer_bytes = quic->crypto_buffer_bytes;
	limits.send_buffer_bytes = quic->stream_send_bytes;
	limits.chunks_received = quic->chunks_received_max;
	limits.datagrams_queued = quic->datagrams_queued_max;
	limits.active_connection_ids = (uint8_t)quic->active_connection_ids;
	limits.own_connection_ids = (uint8_t)quic->own_connection_ids;
	limits.move_dwell_ns = quic->move_dwell_ms * BASE_MS;
	limits.move_give_up_ptos = quic->move_give_up_ptos;
	limits.move_give_up_ns = quic->move_give_up_ms * BASE_MS;
	limits.max_udp_payload_bytes = quic->udp_payload_bytes;
	limits.max_datagram_frame_bytes = quic->datagram_bytes;
	limits.packets_sent_per_turn = quic->send_budget;
	limits.packets_received_per_turn = quic->receive_budget;
	limits.segments_per_turn = quic->segments_per_turn;
	limits.chunks_in_stock = quic->chunks_in_stock;
	limits.ack_threshold = quic->ack_threshold;
	limits.congestion =
		quic->congestion == CONFIG_NEW_RENO ? QUIC_CONGESTION_NEWRENO : QUIC_CONGESTION_CUBIC;
	limits.initial_window_packets = quic->initial_window_packets;
	limits.ecn = quic->ecn;
	limits.key_update_packets = quic->key_update_packets;
	return limits;
}

struct shard_idle
limits_idle(const struct config *config)
{
	const struct config_idle *idle = &config->idle;

	return (struct shard_idle){
		.spin_turns = idle->sleep ? idle->spin_turns : UINT32_MAX,
		.pause_turns = idle->pause_turns,
		.sleep_min_us = idle->sleep_min_us,
		.sleep_max_us = idle->sleep_max_us,
		.sleep_long_us = idle->sleep_long_us,
		.long_after_ms = idle->long_after_ms,
	};
}

struct manager_policy_limits
limits_rebalance(const struct config *config)
{
	const struct config_rebalance *rebalance = &config->rebalance;
	uint32_t at_once = config->shards.moves_max;

	return (struct manager_policy_limits){
		.high_permille = rebalance->high_permille,
		.low_permille = rebalance->low_permille,
		.least_permille = rebalance->least_permille,
		.windows = rebalance->windows,
		.moves_per_second = rebalance->moves_per_s,
		.moves_in_flight =
			rebalance->moves_in_flight < at_once ? rebalance->moves_in_flight : at_once,
		.dwell_ns = rebalance->dwell_ms * BASE_MS,
		.across_sockets = rebalance->across_sockets,
	};
}

static bool
within(const uint8_t ip[16], const struct config_address *prefix)
{
	unsigned int bits = prefix->prefix_bits + (config_address_is_ipv4(prefix) ? 96u : 0u);

	for (unsigned int i = 0; i < bits; i++)
		if (((ip[i / 8] ^ prefix->ip[i / 8]) >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

static struct net_neighbour_config
neighbours_of(const struct config_neighbours *from)
{
	struct net_neighbour_config to = net_neighbour_defaults;

	to.capacity = from->entries_max;
	to.incomplete_max = from->incomplete_max;
	to.waiting_max = from->waiting_max;
	to.requests_per_second = from->requests_per_s;
	to.reachable_ns = from->reachable_s * BASE_SECOND;
	to.stale_ns = from->stale_s * BASE_SECOND;
	to.learn_unsolicited = from->learn_unsolicited;
	return to;
}

struct net_interface_config
limits_interface(const struct config *config, const struct config_port *port)
{
	struct net_interface_config interface = {
		.vlan = port->vlan, .neighbours = neighbours_of(&config->neighbours)};

	_Static_assert((int)CONFIG_ADDRESSES_MAX <= (int)NET_ADDRESSES_MAX - 1,
		"the link-local address has a place");
	site_random(interface.neighbours.hash_key, sizeof(interface.neighbours.hash_key));
	interface.address_count = (uint8_t)port->addresses.count;
	for (uint32_t i = 0; i < port->addresses.count; i++) {
		const struct config_address *from = &port->addresses.items[i];
		struct net_interface_address *to = &interface.addresses[i];

		memcpy(to->ip, from->ip, sizeof(to->ip));
		to->prefix_bits = from->prefix_bits;
		for (uint32_t j = 0; j < port->gateways.count && !to->has_gateway; j++) {
			to->has_gateway = within(port->gateways.items[j].ip, from);
			memcpy(to->gateway, port->gateways.items[j].ip, sizeof(to->gateway));
		}
	}
	return interface;
}

static void
add_alpn(struct tls_settings *settings, bool on, const char *protocol)
{
	if (on)
		settings->alpn[settings->alpn_count++] = protocol;
}

struct tls_settings
limits_tls(const struct config *config)
{
	static const uint16_t suites[CONFIG_CIPHER_COUNT] = {
		TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256};
	static const uint16_t groups[CONFIG_GROUP_COUNT] = {
		TLS_GROUP_X25519, TLS_GROUP_SECP256R1, TLS_GROUP_SECP384R1, TLS_GROUP_X25519MLKEM768};
	struct tls_settings settings = {.role = TLS_SERVER,
		.certificate = {.file = config->tls.certificate},
		.key = {.file = config->tls.key},
		.ticket_lifetime_s = config->tls.ticket_lifetime_s};

	for (uint32_t i = 0; i < config->tls.ciphers.count; i++)
		settings.suites[settings.suite_count++] = suites[config->tls.ciphers.items[i]];
	for (uint32_t i = 0; i < config->tls.groups.count; i++)
		settings.groups[settings.group_count++] = groups[config->tls.groups.items[i]];
	add_alpn(&settings, config->services.h3, "h3");
	add_alpn(&settings, config->services.hq, "hq-interop");
	add_alpn(&settings, config->services.echo, "echo");
	add_alpn(&settings, config->services.chat, "chat");
	return settings;
}
