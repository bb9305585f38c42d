/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/buffer.h"

#include <rte_mempool.h>

#include "shard/state.h"

enum { LINE_BYTES = 64, CACHE_FLUSH_PERCENT = 150 };

static uint16_t
data_room_bytes(uint16_t mtu)
{
	uint32_t bytes = RTE_PKTMBUF_HEADROOM + NET_ETHERNET_BYTES + NET_VLAN_BYTES + (uint32_t)mtu;

	/* Cards want the usual 2,048 octets, and frames that are a little too long still arrive whole. */
	if (bytes < RTE_PKTMBUF_HEADROOM + 2048)
		bytes = RTE_PKTMBUF_HEADROOM + 2048;
	return (uint16_t)((bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES);
}

uint32_t
shard_buffer_bytes(uint16_t mtu)
{
	return (uint32_t)(sizeof(struct rte_mbuf) + sizeof(struct rte_mempool_objhdr)) +
		SHARD_BUFFER_PRIVATE_BYTES + data_room_bytes(mtu);
}

struct rte_mempool *
shard_buffers_open(const char *name, uint32_t count, uint16_t mtu, int socket)
{
	return rte_pktmbuf_pool_create(
		name, count, SHARD_BUFFER_CACHE, SHARD_BUFFER_PRIVATE_BYTES, data_room_bytes(mtu), socket);
}

void
shard_buffers_close(struct rte_mempool *buffers)
{
	rte_mempool_free(buffers);
}

uint32_t
shard_buffers_needed(const struct shard_buffer_needs *needs)
{
	uint32_t cache = SHARD_BUFFER_CACHE * CACHE_FLUSH_PERCENT / 100;
	/* Of each port a burst received and the backlog; of the mailbox and for sending a burst each. */
	uint32_t in_hand = needs->ports * (BASE_BURST_MAX + SHARD_BACKLOG_MAX) + 2 * BASE_BURST_MAX;

	return needs->descriptors + needs->mailbox_places + needs->waiting +
		needs->shards * (cache + in_hand);
}
