/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "config/mistakes.h"

static bool
within(const struct config_address *ip, const struct config_address *prefix)
{
	unsigned int bits = prefix->prefix_bits + (config_address_is_ipv4(prefix) ? 96u : 0u);
	unsigned int octets = bits / 8, rest = bits % 8;

	if (config_address_is_ipv4(ip) != config_address_is_ipv4(prefix) ||
		memcmp(ip->ip, prefix->ip, octets) != 0)
		return false;
	return rest == 0 || (ip->ip[octets] ^ prefix->ip[octets]) >> (8 - rest) == 0;
}

/* Unspecified, multicast and, for IPv4, broadcast addresses are nobody's. */
static bool
may_be_ours(const struct config_address *address)
{
	static const uint8_t zero[16];

	if (config_address_is_ipv4(address))
		return address->ip[12] != 0 && address->ip[12] < 224;
	return address->ip[0] != 0xff && memcmp(address->ip, zero, sizeof(zero)) != 0;
}

static bool
is_taken(const struct config *config, uint32_t entry, uint32_t index)
{
	const struct config_address *address = &config->ports[entry].addresses.items[index];

	for (uint32_t i = 0; i <= entry; i++)
		for (uint32_t j = 0; j < (i == entry ? index : config->ports[i].addresses.count); j++)
			if (memcmp(config->ports[i].addresses.items[j].ip, address->ip,
				    sizeof(address->ip)) == 0)
				return true;
	return false;
}

static void
check_addresses(struct config_reading *reading, uint32_t entry)
{
	const struct config_port *port = &reading->config->ports[entry];

	for (uint32_t i = 0; i < port->addresses.count; i++) {
		if (!may_be_ours(&port->addresses.items[i]))
			mistake_at(reading, "port", entry, "addresses",
				"number %u cannot be the address of a port; write one of a single host",
				i + 1);
		else if (is_taken(reading->config, entry, i))
			mistake_at(reading, "port", entry, "addresses",
				"number %u is there twice; leave one out", i + 1);
	}
	for (uint32_t i = 0; i < port->gateways.count; i++) {
		bool reachable = false;

		for (uint32_t j = 0; j < port->addresses.count; j++)
			reachable = reachable || within(&port->gateways.items[i], &port->addresses.items[j]);
		if (!reachable)
			mistake_at(reading, "port", entry, "gateways",
				"number %u is within the prefix of no address of the port; mend the prefix or the gateway",
				i + 1);
	}
}

static void
check_ports(struct config_reading *reading)
{
	const struct config *config = reading->config;

	if (config->port_count == 0)
		mistake(reading, (struct document_place){1, 1},
			"port: there is no port; write [[port]] with a device and addresses, as config/demo.toml has it");
	for (uint32_t entry = 0; entry < config->port_count; entry++) {
		const struct config_port *port = &config->ports[entry];

		if (port->device[0] == '\0')
			mistake_at(reading, "port", entry, "device",
				"the text is empty; write a PCI address or a virtual device");
		for (uint32_t i = 0; i < entry; i++)
			if (strcmp(port->device, config->ports[i].device) == 0)
				mistake_at(reading, "port", entry, "device",
					"another port has it already; leave one out");
		check_addresses(reading, entry);
	}
}

static void
check_shards(struct config_reading *reading)
{
	const struct config_shards *shards = &reading->config->shards;

	if (shards->cpus.count > 0 && shards->cpus.count != shards->count)
		mistake_at(reading, "shards", 0, "cpus", "%u CPUs for %u shards; write one for each, or []",
			shards->cpus.count, shards->count);
}

static void
check_memory(struct config_reading *reading)
{
	const struct config_memory *memory = &reading->config->memory;

	if ((memory->mailbox & (memory->mailbox - 1)) != 0)
		mistake_at(reading, "memory", 0, "mailbox", "%u is not a power of two; write one, 1024 say",
			memory->mailbox);
	if (memory->connections < reading->config->shards.count)
		mistake_at(reading, "memory", 0, "connections", "%u are fewer than the %u shards; raise it",
			memory->connections, reading->config->shards.count);
}

static void
check_quic(struct config_reading *reading)
{
	const struct config_quic *quic = &reading->config->quic;

	if (quic->connection_window_max_bytes < quic->connection_window_bytes)
		mistake_at(reading, "quic", 0, "connection_window_max_bytes",
			"it is below connection_window_bytes; raise it");
	if (quic->stream_window_max_bytes < quic->stream_window_bytes)
		mistake_at(reading, "quic", 0, "stream_window_max_bytes",
			"it is below stream_window_bytes; raise it");
}

static void
check_rebalance(struct config_reading *reading)
{
	const struct config_rebalance *rebalance = &reading->config->rebalance;

	if (rebalance->high_permille <= rebalance->low_permille)
		mistake_at(reading, "rebalance", 0, "high_permille",
			"%u is not above low_permille, which is %u; raise it, or lower that",
			rebalance->high_permille, rebalance->low_permille);
}

static void
check_services(struct config_reading *reading)
{
	const struct config *config = reading->config;
	const struct config_services *services = &config->services;

	if (!services->h3 && !services->hq && !services->echo && !services->chat &&
		services->udp_echo_port == 0 && config->service_count == 0)
		mistake_at(reading, "services", 0, "h3", "every service is off; turn one on");
	if (services->udp_echo_port == config->listen_port)
		mistake_at(reading, "services", 0, "udp_echo_port", "%u is the port of QUIC; write another",
			config->listen_port);
	if ((services->h3 || services->hq) && config->files.root[0] == '\0')
		mistake_at(reading, "files", 0, "root",
			"there is nothing for h3 and hq to serve; name a folder");
	if (config->tls.certificate[0] == '\0')
		mistake_at(reading, "tls", 0, "certificate", "the text is empty; name a PEM file");
	if (config->tls.key[0] == '\0')
		mistake_at(reading, "tls", 0, "key", "the text is empty; name a PEM file");
	if (config->control.name[0] == '\0' || strchr(config->control.name, '/') != NULL)
		mistake_at(reading, "control", 0, "name", "it names a folder; write a word");
}

void
config_check(struct config_reading *reading)
{
	check_ports(reading);
	check_shards(reading);
	check_memory(reading);
	check_quic(reading);
	check_rebalance(reading);
	check_services(reading);
}
