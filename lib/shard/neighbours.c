/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neighbours are resolved by one shard for each port and announced to the others (net/neighbour.h). */
#include <rte_mbuf.h>

#include "base/assert.h"
#include "shard/group.h"
#include "shard/state.h"

static void
post(struct shard *shard, uint16_t to, const struct shard_update *update)
{
	/* One that is lost is repeated by the next retry. */
	shard_mailbox_post_update(shard->mailbox + to - shard->config.index, update);
}

static void
post_updates(struct shard *shard, uint8_t port)
{
	uint16_t resolver = shard->config.ports[port].resolver;
	struct shard_update update = {.port_index = port, .from = shard->config.index};

	while (net_interface_next_update(&shard->interfaces[port], &update.update)) {
		shard->busy = true;
		if (resolver != shard->config.index) {
			post(shard, resolver, &update);
			continue;
		}
		for (uint16_t to = 0; to < shard->router.shards; to++)
			if (to != shard->config.index)
				post(shard, to, &update);
	}
}

static void
take_updates(struct shard *shard)
{
	struct shard_update update;

	while (shard_mailbox_take_update(shard->mailbox, &update)) {
		base_assert(update.port_index < shard->config.port_count);
		shard->busy = true;
		net_interface_import(&shard->interfaces[update.port_index], &update.update, shard->now_ns);
	}
}

static void
send_requests(struct shard *shard, uint8_t port)
{
	struct net_interface *interface = &shard->interfaces[port];

	while (net_interface_wants_request(interface)) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(shard->config.buffers);
		struct net_frame frame = {0};

		if (mbuf == NULL) {
			shard_count(shard, SHARD_NO_BUFFER, 1);
			return;
		}
		frame.octets = rte_pktmbuf_mtod(mbuf, uint8_t *);
		frame.length = net_interface_next_request(interface, frame.octets);
		if (frame.length > 0)
			shard_transmit(shard, port, mbuf, &frame);
		else
			rte_pktmbuf_free(mbuf);
	}
}

static void
send_released(struct shard *shard, uint8_t port)
{
	struct net_interface *interface = &shard->interfaces[port];
	struct base_datagram datagram;
	enum net_send_verdict verdict;
	struct net_frame frame = {0};

	while (net_interface_next_released(interface, shard->now_ns, &datagram, &verdict, &frame)) {
		if (verdict == NET_SEND)
			shard_transmit(shard, port, datagram.buffer, &frame);
		else if (verdict == NET_REFUSE)
			rte_pktmbuf_free(datagram.buffer);
	}
}

void
shard_neighbours(struct shard *shard)
{
	take_updates(shard);
	for (uint8_t port = 0; port < shard->config.port_count; port++) {
		net_interface_expire(&shard->interfaces[port], shard->now_ns);
		post_updates(shard, port);
		send_requests(shard, port);
		send_released(shard, port);
	}
}

uint64_t
shard_neighbours_deadline(const struct shard *shard)
{
	uint64_t deadline_ns = BASE_NEVER;

	for (uint8_t port = 0; port < shard->config.port_count; port++)
		deadline_ns =
			base_time_earlier(deadline_ns, net_interface_deadline(&shard->interfaces[port]));
	return deadline_ns;
}
