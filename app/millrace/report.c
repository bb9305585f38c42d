/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/millrace/report.h"

#include <arpa/inet.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_lcore.h>

#include "base/log.h"

void
report_port(const char *name, const struct shard_port *port)
{
	char text[SHARD_PORT_TEXT];

	base_log(BASE_LOG_INFO, "%s: %s", name, shard_port_text(port, text));
}

void
report_remote(const char *name, const struct shard_port *port, uint16_t shard, int socket)
{
	if (port->facts.socket >= 0 && port->facts.socket != socket)
		base_log(BASE_LOG_WARNING,
			"port %s is on CPU socket %d and shard %u on %d, so every packet crosses: give the shard a CPU of socket %d "
			"(shards.cpus)",
			name, port->facts.socket, shard, socket, port->facts.socket);
}

void
report_shards(const struct config *config, const struct shard_group *group, size_t seat_bytes)
{
	int cpus[SHARDS_MAX];
	size_t shared = shard_group_bytes(&group->config);

	for (uint16_t i = 0; i < group->count; i++) {
		const struct shard_config *shard = shard_get_config(group->shards[i]);

		cpus[i] = rte_lcore_to_cpu_id(shard->lcore);

		base_log(BASE_LOG_INFO, "shard %u: lcore %u on CPU %d, socket %d, %zu MB", i, shard->lcore,
			cpus[i], shard->socket, (shared / group->count + seat_bytes) >> 20);
		for (uint16_t j = 0; j < i; j++)
			if (cpus[j] == cpus[i])
				base_log(BASE_LOG_WARNING,
					"shards %u and %u share CPU %d, which is slow: use as many CPUs as shards",
					j, i, cpus[i]);
	}
	base_log(BASE_LOG_INFO, "memory: %u connections, %u mbufs per socket, %u MB in %s",
		config->memory.connections, config->memory.mbufs, config->memory.megabytes,
		rte_eal_has_hugepages() ? "hugepages" : "ordinary pages");
}

void
report_ready(const struct config *config, const struct objects *objects, uint32_t files)
{
	const struct config_services *services = &config->services;
	char text[INET6_ADDRSTRLEN];

	fprintf(stderr, "millrace: ready: UDP port %u of", config->listen_port);
	for (uint32_t i = 0; i < config->port_count; i++)
		for (uint32_t j = 0; j < config->ports[i].addresses.count; j++) {
			const struct config_address *address = &config->ports[i].addresses.items[j];
			bool ipv4 = config_address_is_ipv4(address);

			inet_ntop(
				ipv4 ? AF_INET : AF_INET6, address->ip + (ipv4 ? 12 : 0), text, sizeof(text));
			fprintf(stderr, " %s", text);
		}
	fprintf(stderr, ";%s%s%s%s", services->h3 ? " h3" : "", services->hq ? " hq-interop" : "",
		services->echo ? " echo" : "", services->chat ? " chat" : "");
	for (uint32_t i = 0; objects_alpn(objects, i) != NULL; i++)
		fprintf(stderr, " %s", objects_alpn(objects, i));
	if (services->udp_echo_port != 0)
		fprintf(stderr, ", UDP echo on port %u", services->udp_echo_port);
	fprintf(stderr, "; %u files\n", files);
}
