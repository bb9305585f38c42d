/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The second half of a turn: datagrams -> frames -> the ports' queues. */
#include <string.h>

#include <rte_mbuf.h>

#include "base/assert.h"
#include "shard/state.h"

enum { BURSTS_PER_TURN = 4 };

static void
proxy_frame(struct shard *shard, uint8_t port, struct rte_mbuf *mbuf)
{
	uint16_t proxy = shard->config.ports[port].proxy;

	mbuf->port = port;
	if (shard_mailbox_post_frames(shard->mailbox + proxy - shard->config.index, &mbuf, 1) == 1) {
		shard_count(shard, SHARD_FRAMES_PROXIED, 1);
		return;
	}
	shard_count(shard, SHARD_DROP_MAILBOX_FULL, 1);
	rte_pktmbuf_free(mbuf);
}

static void
flush(struct shard *shard, uint8_t port)
{
	struct shard_backlog *backlog = &shard->backlogs[port];
	struct shard_port_use *use = &shard->config.ports[port];
	uint16_t sent;

	if (backlog->count == 0)
		return;
	sent = shard_port_send(use->port, use->queue, backlog->mbufs, backlog->count);
	if (sent == 0)
		return;
	shard_count(shard, SHARD_FRAMES_SENT, sent);
	backlog->count -= sent;
	memmove(backlog->mbufs, backlog->mbufs + sent, backlog->count * sizeof(backlog->mbufs[0]));
}

void
shard_queue_frame(struct shard *shard, uint8_t port, struct rte_mbuf *mbuf)
{
	struct shard_backlog *backlog = &shard->backlogs[port];

	if (shard->config.ports[port].queue == SHARD_NO_QUEUE) {
		proxy_frame(shard, port, mbuf);
		return;
	}
	if (backlog->count == SHARD_BACKLOG_MAX)
		flush(shard, port);
	if (backlog->count == SHARD_BACKLOG_MAX) {
		shard_count(shard, SHARD_DROP_SEND_FULL, 1);
		rte_pktmbuf_free(mbuf);
		return;
	}
	shard_count(shard, SHARD_OCTETS_SENT, mbuf->pkt_len);
	backlog->mbufs[backlog->count++] = mbuf;
}

/* What DPDK wants to know of a frame whose checksums the card fills in. */
static void
set_offloads(struct rte_mbuf *mbuf, const struct net_frame *frame)
{
	mbuf->ol_flags = 0;
	if (!(frame->flags & (NET_FRAME_IP_CHECKSUM_CARD | NET_FRAME_UDP_CHECKSUM_CARD)))
		return;
	mbuf->l2_len = frame->network_bytes;
	mbuf->l3_len = frame->transport_bytes;
	if (frame->transport_bytes == NET_IPV4_BYTES) {
		mbuf->ol_flags |= RTE_MBUF_F_TX_IPV4;
		if (frame->flags & NET_FRAME_IP_CHECKSUM_CARD)
			mbuf->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	} else {
		mbuf->ol_flags |= RTE_MBUF_F_TX_IPV6;
	}
	if (frame->flags & NET_FRAME_UDP_CHECKSUM_CARD)
		mbuf->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
}

void
shard_transmit(struct shard *shard, uint8_t port, struct rte_mbuf *mbuf, const struct net_frame *frame)
{
	mbuf->data_off = (uint16_t)(frame->octets - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = frame->length;
	mbuf->pkt_len = frame->length;
	set_offloads(mbuf, frame);
	shard_queue_frame(shard, port, mbuf);
}

void
shard_send_datagram(struct shard *shard, const struct base_datagram *datagram)
{
	struct rte_mbuf *mbuf = datagram->buffer;
	uint8_t port = (uint8_t)datagram->port_index;
	struct net_frame frame = {0};

	base_assert(port < shard->config.port_count);
	switch (net_interface_send(&shard->interfaces[port], datagram, shard->now_ns, &frame)) {
	case NET_SEND:
		shard_transmit(shard, port, mbuf, &frame);
		return;
	case NET_WAIT: /* the interface keeps it until shard_neighbours() */
		return;
	case NET_REFUSE:
		rte_pktmbuf_free(mbuf);
		return;
	}
}

/* Octets begin behind the headroom; what fits any port's MTU over either IP version may be written. */
static void
prepare(struct shard *shard, uint16_t index, struct rte_mbuf *mbuf)
{
	uint32_t room = (uint32_t)mbuf->buf_len - RTE_PKTMBUF_HEADROOM;

	if (room > UINT16_MAX)
		room = UINT16_MAX;
	shard->outgoing_mbufs[index] = mbuf;
	shard->outgoing[index] =
		(struct base_datagram){.octets = (uint8_t *)mbuf->buf_addr + RTE_PKTMBUF_HEADROOM,
			.room = (uint16_t)room,
			.slot = BASE_SLOT_NONE,
			.buffer = mbuf};
}

/* Replaces the first `used` buffers; when there are none, the rest moves to the front. */
static void
replace(struct shard *shard, uint16_t used)
{
	struct rte_mbuf *mbufs[BASE_BURST_MAX];
	uint16_t missing;

	if (used > 0 && rte_pktmbuf_alloc_bulk(shard->config.buffers, mbufs, used) == 0) {
		for (uint16_t i = 0; i < used; i++)
			prepare(shard, i, mbufs[i]);
		return;
	}
	shard->outgoing_count -= used;
	memmove(shard->outgoing, shard->outgoing + used, shard->outgoing_count * sizeof(shard->outgoing[0]));
	memmove(shard->outgoing_mbufs, shard->outgoing_mbufs + used,
		shard->outgoing_count * sizeof(shard->outgoing_mbufs[0]));
	if (used > 0)
		shard_count(shard, SHARD_NO_BUFFER, 1);
	missing = BASE_BURST_MAX - shard->outgoing_count;
	if (used > 0 || missing == 0)
		return;
	if (rte_pktmbuf_alloc_bulk(shard->config.buffers, mbufs, missing) != 0) {
		shard_count(shard, SHARD_NO_BUFFER, 1);
		return;
	}
	for (uint16_t i = 0; i < missing; i++)
		prepare(shard, shard->outgoing_count++, mbufs[i]);
}

static bool
backlog_is_high(const struct shard *shard)
{
	for (uint8_t port = 0; port < shard->config.port_count; port++)
		if (shard->backlogs[port].count >= SHARD_BACKLOG_HIGH)
			return true;
	return false;
}

/*
 * One burst out of the endpoint; true when it may have more. It is asked even when there is no room: until then its
 * connections refer to the octets received in this turn.
 */
static bool
send_burst(struct shard *shard)
{
	struct base_batch batch = {.datagrams = shard->outgoing};
	uint16_t count;

	if (shard->outgoing_count < BASE_BURST_MAX)
		replace(shard, 0);
	batch.capacity = backlog_is_high(shard) ? 0 : shard->outgoing_count;
	count = quic_endpoint_send(shard->endpoint, &batch, shard->now_ns);
	if (count == 0)
		return false;
	shard->busy = true;
	for (uint16_t i = 0; i < count; i++) {
		shard_load_count(&shard->load, &shard->outgoing[i], SHARD_LOAD_SENT);
		shard_send_datagram(shard, &shard->outgoing[i]);
	}
	replace(shard, count);
	return count == batch.capacity;
}

/* Frames of shards without a queue. */
static void
take_frames(struct shard *shard)
{
	struct rte_mbuf *mbufs[BASE_BURST_MAX];
	uint16_t count = shard_mailbox_take_frames(shard->mailbox, mbufs, BASE_BURST_MAX);

	shard->busy |= count > 0;
	for (uint16_t i = 0; i < count; i++)
		shard_queue_frame(shard, (uint8_t)mbufs[i]->port, mbufs[i]);
}

void
shard_send(struct shard *shard)
{
	take_frames(shard);
	for (unsigned i = 0; shard->endpoint != NULL && i < BURSTS_PER_TURN; i++) {
		if (!send_burst(shard))
			break;
		for (uint8_t port = 0; port < shard->config.port_count; port++)
			flush(shard, port);
	}
	for (uint8_t port = 0; port < shard->config.port_count; port++)
		flush(shard, port);
	/* Nothing refers to what was received any more. */
	if (shard->received_count > 0)
		rte_pktmbuf_free_bulk(shard->received, shard->received_count);
	shard->received_count = 0;
}
