/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every port that DPDK drives, physical or virtual, behind shard/port.h. It is configured by what the device says of
 * itself: hash functions are masked, offloads used only where they are offered, queues are as many as it has.
 */
#ifndef DRIVERS_PORT_ETHDEV_H
#define DRIVERS_PORT_ETHDEV_H

#include "shard/port.h"

struct rte_mempool;

struct port_ethdev_config {
	const char *
		device; /* PCI address, device name, or vdev arguments ("net_af_packet0,iface=mill0"), which are probed */
	uint16_t queues; /* wanted: one per shard */
	uint16_t mtu;
	uint16_t rx_descriptors; /* wanted; 0: the device's own choice */
	uint16_t tx_descriptors;
	bool no_offloads; /* compute every checksum ourselves */
	bool promiscuous;
	struct rte_mempool *buffers[SHARD_PORT_QUEUES_MAX]; /* [queues], of each queue's shard */
};

/*
 * Finds the device, or probes it, and configures it; it is started by ops->start. NULL with one readable sentence in
 * `error`: what, where, the mend.
 */
struct shard_port *port_ethdev_open(const struct port_ethdev_config *config, char *error, size_t room);

/* The queues that a device can have, before it is opened; 0 when there is no such device. */
uint16_t port_ethdev_queues(const char *device, char *error, size_t room);

#endif
