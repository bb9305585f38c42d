/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A gateway without QUIC, for the test of a port: it answers ARP, neighbour solicitations, echo requests and UDP echo with two
 * shards until SIGTERM, then prints its counters.
 *
 *   echo_gateway EAL-ARGUMENTS… -- DEVICE
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include "drivers/port/ethdev.h"
#include "shard/buffer.h"
#include "shard/group.h"

enum { SHARDS = 2, BUFFERS = 16383, MTU = 1500, ECHO = 7777 };

static volatile sig_atomic_t stopping;

static void
on_signal(int number)
{
	stopping = number;
}

static void
set_address(struct net_interface_address *address, const uint8_t ip[16], uint8_t prefix_bits)
{
	memcpy(address->ip, ip, 16);
	address->prefix_bits = prefix_bits;
}

static void
print_counters(struct shard_group *group)
{
	struct base_counters counters[4];
	char line[SHARD_PORT_TEXT];

	for (unsigned i = 0; i < group->count; i++) {
		uint32_t count = shard_get_counters(group->shards[i], counters, 4);

		for (uint32_t library = 0; library < count; library++)
			for (size_t at = 0; at < counters[library].count; at++)
				if (counters[library].values[at] != 0)
					printf("shard %u %s %s %lu\n", i, counters[library].library,
						counters[library].names[at],
						(unsigned long)counters[library].values[at]);
	}
	printf("%s\n", shard_port_text(group->config.ports[0].port, line));
}

static int
run(const char *device)
{
	static const uint8_t ipv4[16] = {[10] = 0xff, 0xff, 10, 77, 0, 1}, ipv6[16] = {0xfd, 0x77, [15] = 1};
	struct rte_mempool *buffers = shard_buffers_open("buffers", BUFFERS, MTU, SOCKET_ID_ANY);
	struct port_ethdev_config port = {
		.device = device, .queues = SHARDS, .mtu = MTU, .buffers = {buffers, buffers}};
	static struct shard_group_config config = {
		.shards = SHARDS, .port_count = 1, .mailbox_datagrams = 1024, .udp_echo_port = ECHO};
	struct shard_group *group;
	char error[512] = "";
	unsigned lcore = rte_get_next_lcore(-1, 1, 0);

	config.idle = shard_idle_defaults;
	config.ports[0].port = port_ethdev_open(&port, error, sizeof(error));
	for (unsigned i = 0; i < SHARDS; i++) {
		config.seats[i].lcore = (uint16_t)lcore;
		config.seats[i].buffers = buffers;
		lcore = rte_get_next_lcore(lcore, 1, 0);
	}
	config.ports[0].interface.neighbours = net_neighbour_defaults;
	config.ports[0].interface.address_count = 2;
	set_address(&config.ports[0].interface.addresses[0], ipv4, 24);
	set_address(&config.ports[0].interface.addresses[1], ipv6, 64);
	group = config.ports[0].port != NULL ? shard_group_open(&config, error, sizeof(error)) : NULL;
	if (group == NULL || !config.ports[0].port->ops->start(config.ports[0].port, error, sizeof(error)) ||
		!shard_group_start(group, error, sizeof(error))) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	while (!stopping)
		pause();
	shard_group_stop(group, 1000);
	print_counters(group);
	config.ports[0].port->ops->stop(config.ports[0].port);
	shard_group_close(group);
	config.ports[0].port->ops->close(config.ports[0].port);
	printf("buffers in use %u\n", rte_mempool_in_use_count(buffers));
	return 0;
}

int
main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	int result = rte_eal_init(argc, argv);

	if (result < 0 || argc - result < 2)
		return 2;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	result = run(argv[result + 1]);
	rte_eal_cleanup();
	return result;
}
