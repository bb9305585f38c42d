/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/millrace/gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include "app/millrace/eal.h"
#include "app/millrace/limits.h"
#include "app/millrace/objects.h"
#include "app/millrace/report.h"
#include "app/millrace/seats.h"
#include "app/millrace/services.h"
#include "app/millrace/site.h"
#include "base/log.h"
#include "drivers/port/ethdev.h"
#include "manager/manager.h"
#include "manager/socket.h"
#include "manager/telemetry.h"
#include "shard/buffer.h"
#include "shard/group.h"

enum { SOCKETS_MAX = 8, ROOM = GATEWAY_SENTENCE_BYTES };

struct gateway {
	const struct config *config;
	struct site site;
	int sockets[CONFIG_SHARDS_MAX]; /* of each shard's lcore */
	struct rte_mempool *buffers[SOCKETS_MAX];
	struct shard_port *ports[CONFIG_PORTS_MAX];
	uint16_t queues[CONFIG_PORTS_MAX];
	struct seat seats[CONFIG_SHARDS_MAX];
	struct objects *objects;
	struct services *services;
	struct shard_group_config group_config;
	struct shard_group *group;
	struct manager manager;
};

static bool
find_sockets(struct gateway *gateway, char *error)
{
	for (uint16_t i = 0; i < gateway->config->shards.count; i++) {
		unsigned int lcore = i + EAL_FIRST_SHARD_LCORE;

		if (!rte_lcore_is_enabled(lcore)) {
			snprintf(error, ROOM,
				"shard %u has no lcore %u: leave --lcores and -l out of the EAL arguments", i,
				lcore);
			return false;
		}
		gateway->sockets[i] = (int)rte_lcore_to_socket_id(lcore);
		if (gateway->sockets[i] < 0 || gateway->sockets[i] >= SOCKETS_MAX)
			gateway->sockets[i] = 0;
	}
	return true;
}

static const char *
device_name(const struct config *config, uint32_t port)
{
	return config->ports[port].name[0] != '\0' ? config->ports[port].name : config->ports[port].device;
}

/* As many as the port has and the shards can use. */
static bool
count_queues(struct gateway *gateway, uint32_t index, char *error)
{
	const struct config_port *port = &gateway->config->ports[index];
	uint16_t wanted = port->queues > 0 ? port->queues : gateway->config->shards.count;
	uint16_t has = port_ethdev_queues(port->device, error, ROOM);

	if (has == 0)
		return false;
	if (wanted > gateway->config->shards.count)
		wanted = gateway->config->shards.count;
	if (port->queues > has)
		base_log(BASE_LOG_WARNING,
			"port %s has %u queues and %u are configured: the other shards are served by mailbox",
			device_name(gateway->config, index), has, port->queues);
	gateway->queues[index] = wanted < has ? wanted : has;
	return true;
}

/* Architecture O7, for each CPU socket. */
static bool
open_buffers(struct gateway *gateway, int socket, uint16_t mtu, char *error)
{
	const struct config *config = gateway->config;
	struct shard_buffer_needs needs = {.ports = config->port_count};
	char name[32];
	uint32_t needed;

	for (uint16_t i = 0; i < config->shards.count; i++) {
		if (gateway->sockets[i] != socket)
			continue;
		needs.shards++;
		/* Datagrams, and frames for a port on which this shard sends for others. */
		needs.mailbox_places += 2 * config->memory.mailbox;
		for (uint32_t port = 0; port < config->port_count; port++) {
			needs.waiting +=
				net_neighbour_defaults.incomplete_max * net_neighbour_defaults.waiting_max;
			if (i < gateway->queues[port])
				needs.descriptors += config->ports[port].receive_descriptors +
					config->ports[port].send_descriptors;
		}
	}
	needed = shard_buffers_needed(&needs);
	if (config->memory.mbufs < needed) {
		snprintf(error, ROOM,
			"[memory] mbufs = %u is too few for CPU socket %d: %u descriptors + %u mailbox places + %u waiting for "
			"neighbours + bursts and caches of %u shards are %u; raise it to that, or lower descriptors or mailbox",
			config->memory.mbufs, socket, needs.descriptors, needs.mailbox_places, needs.waiting,
			needs.shards, needed);
		return false;
	}
	snprintf(name, sizeof(name), "buffers%d", socket);
	gateway->buffers[socket] = shard_buffers_open(name, config->memory.mbufs, mtu, socket);
	if (gateway->buffers[socket] == NULL)
		snprintf(error, ROOM,
			"there is no memory for %u packet buffers (%zu MB) on CPU socket %d: raise [memory] megabytes or lower mbufs",
			config->memory.mbufs, ((size_t)config->memory.mbufs * shard_buffer_bytes(mtu)) >> 20,
			socket);
	return gateway->buffers[socket] != NULL;
}

static bool
open_all_buffers(struct gateway *gateway, char *error)
{
	uint16_t mtu = 0;

	for (uint32_t i = 0; i < gateway->config->port_count; i++)
		if (gateway->config->ports[i].mtu > mtu)
			mtu = gateway->config->ports[i].mtu;
	for (uint16_t i = 0; i < gateway->config->shards.count; i++)
		if (gateway->buffers[gateway->sockets[i]] == NULL &&
			!open_buffers(gateway, gateway->sockets[i], mtu, error))
			return false;
	return true;
}

static bool
open_port(struct gateway *gateway, uint32_t index, char *error)
{
	const struct config_port *port = &gateway->config->ports[index];
	struct port_ethdev_config config = {.device = port->device,
		.queues = gateway->queues[index],
		.mtu = port->mtu,
		.rx_descriptors = port->receive_descriptors,
		.tx_descriptors = port->send_descriptors,
		.no_offloads = !port->checksum_offload,
		.promiscuous = port->promiscuous};

	for (uint16_t i = 0; i < config.queues; i++)
		config.buffers[i] = gateway->buffers[gateway->sockets[i]];
	gateway->ports[index] = port_ethdev_open(&config, error, ROOM);
	if (gateway->ports[index] == NULL)
		return false;
	for (uint16_t i = 0; i < config.queues; i++)
		report_remote(
			device_name(gateway->config, index), gateway->ports[index], i, gateway->sockets[i]);
	return true;
}

static void
describe_group(struct gateway *gateway)
{
	const struct config *config = gateway->config;
	struct shard_group_config *group = &gateway->group_config;
	bool quic = gateway->seats[0].tls != NULL;

	group->shards = config->shards.count;
	group->port_count = (uint8_t)config->port_count;
	group->connections = config->memory.connections;
	group->mailbox_datagrams = config->memory.mailbox;
	group->posts_share = config->bus.posts_waiting;
	group->moves_max = config->shards.moves_max;
	group->idle = limits_idle(config);
	group->quic_port = quic ? config->listen_port : 0;
	group->udp_echo_port = config->services.udp_echo_port;
	group->pool_elements[QUIC_POOL_HANDSHAKE] = config->quic.handshakes_max * config->shards.count;
	group->pool_elements[QUIC_POOL_STREAM] = config->memory.streams;
	group->pool_elements[QUIC_POOL_CHUNK] = config->memory.chunks;
	group->pool_elements[QUIC_POOL_SENT] = config->memory.sent_chunks;
	group->quic.limits = limits_quic(config);
	group->quic.keys = gateway->site.keys;
	group->quic.id_mode =
		config->routing.mode == CONFIG_ROUTING_CLEAR ? QUIC_CONN_ID_CLEAR : QUIC_CONN_ID_SEALED;
	group->quic.gateway = config->quic.gateway_id;
	group->quic.epoch = gateway->site.epoch;
	site_random(group->quic.entropy, sizeof(group->quic.entropy));
	for (uint32_t i = 0; i < config->port_count; i++)
		group->ports[i] = (struct shard_group_port){
			gateway->ports[i], limits_interface(config, &config->ports[i])};
	for (uint16_t i = 0; i < config->shards.count; i++)
		group->seats[i] = (struct shard_seat){.lcore = (uint16_t)(i + EAL_FIRST_SHARD_LCORE),
			.buffers = gateway->buffers[gateway->sockets[i]],
			.crypto = gateway->seats[i].crypto,
			.tls_server = gateway->seats[i].tls,
			.tls_memory = gateway->seats[i].tls_memory,
			.services = services_of(gateway->services, i)};
}

static bool
open_seats(struct gateway *gateway, char *error)
{
	for (uint16_t i = 0; i < gateway->config->shards.count; i++)
		if (!seat_open(&gateway->seats[i], gateway->config, gateway->objects, &gateway->site,
			    gateway->sockets[i], error, ROOM))
			return false;
	return true;
}

static bool
start_ports(struct gateway *gateway, char *error)
{
	for (uint32_t i = 0; i < gateway->config->port_count; i++) {
		struct shard_port *port = gateway->ports[i];

		if (!port->ops->start(port, error, ROOM))
			return false;
		report_port(device_name(gateway->config, i), port);
	}
	return true;
}

/* Before anything is served: who may control the gateway is its owner alone. */
static bool
close_control_to_others(char *error)
{
	enum manager_socket_result result = manager_socket_secure(rte_eal_get_runtime_dir(), error, ROOM);

	if (result == MANAGER_SOCKET_NONE)
		base_log(BASE_LOG_WARNING, "%s", error);
	return result != MANAGER_SOCKET_OPEN;
}

static bool
open_all(struct gateway *gateway, char *error)
{
	const struct config *config = gateway->config;

	if (!close_control_to_others(error))
		return false;
	if (!site_open(&gateway->site, config->keys.file, error, ROOM) || !find_sockets(gateway, error))
		return false;
	/* What an operator most likely has wrong comes before what takes long. */
	gateway->objects = objects_open(config, error, ROOM);
	if (gateway->objects == NULL || !open_seats(gateway, error))
		return false;
	for (uint32_t i = 0; i < config->port_count; i++)
		if (!count_queues(gateway, i, error))
			return false;
	if (!open_all_buffers(gateway, error))
		return false;
	for (uint32_t i = 0; i < config->port_count; i++)
		if (!open_port(gateway, i, error))
			return false;
	gateway->services = services_open(config, gateway->sockets, gateway->objects, error, ROOM);
	if (gateway->services == NULL)
		return false;
	describe_group(gateway);
	gateway->group = shard_group_open(&gateway->group_config, error, ROOM);
	return gateway->group != NULL && start_ports(gateway, error) &&
		shard_group_start(gateway->group, error, ROOM);
}

static void
close_all(struct gateway *gateway)
{
	const struct config *config = gateway->config;

	if (gateway->group != NULL)
		shard_group_stop(gateway->group, 0);
	for (uint32_t i = 0; i < config->port_count; i++)
		if (gateway->ports[i] != NULL)
			gateway->ports[i]->ops->stop(gateway->ports[i]);
	shard_group_close(gateway->group);
	for (uint32_t i = 0; i < config->port_count; i++)
		if (gateway->ports[i] != NULL)
			gateway->ports[i]->ops->close(gateway->ports[i]);
	services_close(gateway->services);
	objects_close(gateway->objects);
	for (uint16_t i = 0; i < config->shards.count; i++)
		seat_close(&gateway->seats[i]);
	for (int i = 0; i < SOCKETS_MAX; i++)
		if (gateway->buffers[i] != NULL)
			shard_buffers_close(gateway->buffers[i]);
}

static bool
serve(struct gateway *gateway, const volatile sig_atomic_t *stop, const char *version)
{
	const struct config *config = gateway->config;
	const struct manager_config manager = {.group = gateway->group,
		.tick_ms = config->control.tick_ms,
		.stuck_ms = config->control.stuck_ms,
		.stop_deadline_ms = config->control.stop_deadline_ms,
		.rebalance = config->rebalance.enabled,
		.window_ms = config->rebalance.window_ms,
		.limits = limits_rebalance(config)};
	bool orderly;

	manager_init(&gateway->manager, &manager);
	if (!manager_telemetry_open(&gateway->manager, version))
		base_log(BASE_LOG_WARNING, "DPDK refuses our telemetry: millracectl will find nothing");
	report_shards(config, gateway->group, seat_bytes(config));
	report_ready(config, gateway->objects, services_files(gateway->services));
	orderly = manager_run(&gateway->manager, stop);
	manager_telemetry_close();
	base_log(BASE_LOG_INFO,
		orderly ? "stopped"
			: "stopped; connections that were still open after the deadline were cut off");
	return orderly;
}

bool
gateway_run(const struct config *config, const volatile sig_atomic_t *stop, const char *version,
	char error[GATEWAY_SENTENCE_BYTES])
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	bool opened;

	if (gateway == NULL) {
		snprintf(error, ROOM, "there is no memory; give the machine more");
		return false;
	}
	gateway->config = config;
	opened = open_all(gateway, error);
	if (opened)
		serve(gateway, stop, version);
	close_all(gateway);
	free(gateway);
	return opened;
}
