/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet buffers: DPDK mbufs whose private area holds the struct base_datagram, so that handing a datagram to another
 * shard moves a pointer. In front of the octets there is always room for the headers that lib/net writes.
 */
#ifndef SHARD_BUFFER_H
#define SHARD_BUFFER_H

#include <assert.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "base/datagram.h"
#include "net/frame.h"

/* Two cache lines, so that the octets begin on one. */
enum { SHARD_BUFFER_PRIVATE_BYTES = 128, SHARD_BUFFER_CACHE = 256 };

static_assert(sizeof(struct base_datagram) <= SHARD_BUFFER_PRIVATE_BYTES, "a datagram fits the private area");
static_assert(RTE_PKTMBUF_HEADROOM >= NET_HEADROOM_BYTES, "headers fit the headroom");

static inline struct base_datagram *
shard_buffer_datagram(struct rte_mbuf *mbuf)
{
	return rte_mbuf_to_priv(mbuf);
}

/* `count` buffers for frames of `mtu` and link headers, on a CPU socket (or SOCKET_ID_ANY). NULL: no memory. */
struct rte_mempool *shard_buffers_open(const char *name, uint32_t count, uint16_t mtu, int socket);
void shard_buffers_close(struct rte_mempool *buffers);
/* Octets that one buffer takes. */
uint32_t shard_buffer_bytes(uint16_t mtu);

/* How many buffers are enough, architecture O7; every buffer that can be elsewhere is counted. */
struct shard_buffer_needs {
	uint32_t descriptors;    /* receive and send, of all queues of all ports on the pool */
	uint32_t mailbox_places; /* datagrams and frames, of all shards */
	uint32_t shards;         /* each has bursts in hand, a backlog for each port and a cache */
	uint32_t ports;
	uint32_t waiting; /* for neighbours */
};
uint32_t shard_buffers_needed(const struct shard_buffer_needs *needs);

#endif
