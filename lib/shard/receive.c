/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first half of a turn: frames and mailbox -> datagrams -> their owners. */
#include <rte_mbuf.h>

#include "base/assert.h"
#include "service/udp_echo.h"
#include "shard/state.h"

/* Datagrams of one burst; buffer is the mbuf of each. */
struct arrivals {
	uint16_t count; /* set alone: an initialiser would clear 5 KB, in turns with nothing to do as well */
	struct base_datagram datagrams[BASE_BURST_MAX];
};

static void
frame_of(const struct shard_port_facts *facts, struct rte_mbuf *mbuf, struct net_frame *frame)
{
	uint64_t flags = facts->receive_checksums ? mbuf->ol_flags : 0;

	frame->octets = rte_pktmbuf_mtod(mbuf, uint8_t *);
	frame->length = mbuf->data_len;
	frame->room = (uint16_t)(mbuf->buf_len - mbuf->data_off);
	frame->flags = 0;
	if ((flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
		frame->flags |= NET_FRAME_IP_CHECKSUM_GOOD;
	if ((flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		frame->flags |= NET_FRAME_UDP_CHECKSUM_GOOD;
}

/* Long headers alone are placed by it; where the card gives none, it is not computed for the others. */
static void
set_hash(struct shard *shard, uint8_t port, const struct rte_mbuf *mbuf, struct base_datagram *datagram)
{
	if (shard->facts[port]->rss && (mbuf->ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0)
		datagram->tuple_hash = mbuf->hash.rss;
	else if (datagram->length > 0 && (datagram->octets[0] & 0x80) != 0)
		datagram->tuple_hash = net_rss_path(&shard->rss[port], &datagram->path);
}

/* All code behind this one sees frames in one piece. Returns how many are left. */
static uint16_t
drop_segmented(struct shard *shard, struct rte_mbuf **mbufs, uint16_t count)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < count; i++) {
		if (mbufs[i]->nb_segs == 1)
			mbufs[kept++] = mbufs[i];
		else
			rte_pktmbuf_free(mbufs[i]);
	}
	if (kept < count)
		shard_count(shard, SHARD_DROP_SEGMENTS, count - kept);
	return kept;
}

/* One burst of frames; replies leave at once, what is not for us is freed. */
static void
receive_frames(
	struct shard *shard, uint8_t port, struct rte_mbuf **mbufs, uint16_t count, struct arrivals *arrivals)
{
	struct net_frame frames[BASE_BURST_MAX];
	struct base_datagram datagrams[BASE_BURST_MAX];
	enum net_verdict verdicts[BASE_BURST_MAX];
	uint64_t octets = 0;

	for (uint16_t i = 0; i < count; i++) {
		frame_of(shard->facts[port], mbufs[i], &frames[i]);
		octets += frames[i].length;
	}
	shard_count(shard, SHARD_FRAMES_RECEIVED, count);
	shard_count(shard, SHARD_OCTETS_RECEIVED, octets);
	net_interface_receive_burst(
		&shard->interfaces[port], frames, count, shard->now_ns, datagrams, verdicts);
	for (uint16_t i = 0; i < count; i++) {
		if (verdicts[i] == NET_DATAGRAM) {
			struct base_datagram *datagram = &arrivals->datagrams[arrivals->count++];

			*datagram = datagrams[i];
			datagram->buffer = mbufs[i];
			set_hash(shard, port, mbufs[i], datagram);
		} else if (verdicts[i] == NET_REPLY) {
			shard_transmit(shard, port, mbufs[i], &frames[i]);
		} else {
			rte_pktmbuf_free(mbufs[i]);
		}
	}
}

/* Of a burst to a mailbox, beyond its first half. */
enum { CROWDED_SHARE = 4 };

/* Of the datagrams of a hand that are kept, a bit for each, how many are of this connection. */
static uint16_t
kept_of(const struct shard_hand *hand, uint64_t kept, uint32_t slot)
{
	uint16_t count = 0;

	for (; kept != 0; kept &= kept - 1)
		count += shard_buffer_datagram(hand->mbufs[__builtin_ctzll(kept)])->slot == slot;
	return count;
}

/*
 * The first half of a mailbox is for whoever comes. The second is for connections alone, and for all of them: none has more of a burst than its
 * share, so that neither a flood of first packets nor one busy client keeps the others out. Which ones of a burst is drawn, or who comes last
 * in it would never have a place; those that are kept stay in order.
 */
static void
leave_out_crowds(struct shard *shard, struct shard_hand *hand, uint32_t for_all)
{
	uint32_t first = (uint32_t)base_random_below(&shard->load.random, hand->count);
	uint16_t count = hand->count;
	uint64_t kept = 0;

	_Static_assert((int)BASE_BURST_MAX <= 64, "a bit for each");
	for (uint16_t i = 0; i < count; i++) {
		uint32_t at = (first + i) % count, slot = shard_buffer_datagram(hand->mbufs[at])->slot;

		if ((uint32_t)__builtin_popcountll(kept) < for_all ||
			(slot != BASE_SLOT_NONE && kept_of(hand, kept, slot) < CROWDED_SHARE))
			kept |= UINT64_C(1) << at;
	}
	hand->count = 0;
	for (uint16_t i = 0; i < count; i++) {
		if ((kept >> i & 1) != 0)
			hand->mbufs[hand->count++] = hand->mbufs[i];
		else
			rte_pktmbuf_free(hand->mbufs[i]);
	}
	shard_count(shard, SHARD_DROP_MAILBOX_SHARE, count - hand->count);
}

static void
post_hand(struct shard *shard, uint16_t to)
{
	struct shard_hand *hand = &shard->hands[to];
	struct shard_mailbox *mailbox = shard->mailbox + to - shard->config.index;
	uint32_t for_all = shard_mailbox_first_half(mailbox);
	uint16_t taken;

	if (hand->count > for_all)
		leave_out_crowds(shard, hand, for_all);
	taken = shard_mailbox_post_datagrams(mailbox, hand->mbufs, hand->count);
	shard_count(shard, SHARD_DATAGRAMS_HANDED, taken);
	if (taken < hand->count) {
		shard_count(shard, SHARD_DROP_MAILBOX_FULL, hand->count - taken);
		rte_pktmbuf_free_bulk(hand->mbufs + taken, hand->count - taken);
	}
	hand->count = 0;
}

static void
hand_over(struct shard *shard, uint16_t to, const struct base_datagram *datagram)
{
	struct rte_mbuf *mbuf = datagram->buffer;
	struct shard_hand *hand = &shard->hands[to];
	struct base_datagram *handed = shard_buffer_datagram(mbuf);

	if (datagram->hops >= SHARD_HOPS_MAX) {
		shard_count(shard, SHARD_DROP_HOPS, 1);
		rte_pktmbuf_free(mbuf);
		return;
	}
	*handed = *datagram;
	handed->hops++;
	hand->mbufs[hand->count++] = mbuf;
	shard->hands_used |= UINT64_C(1) << to;
	if (hand->count == BASE_BURST_MAX)
		post_hand(shard, to);
}

static void
post_hands(struct shard *shard)
{
	while (shard->hands_used != 0) {
		uint16_t to = (uint16_t)__builtin_ctzll(shard->hands_used);

		shard->hands_used &= shard->hands_used - 1;
		if (shard->hands[to].count > 0)
			post_hand(shard, to);
	}
}

/* A connection of ours whose packets another shard gets. */
static void
follow_bucket(struct shard *shard, const struct base_datagram *datagram)
{
	struct shard_bucket_order order;

	if (shard_buckets_find(&shard->buckets, datagram, &order))
		shard_moves_follow(&shard->moves, datagram, &order, shard->now_ns);
}

static void
give_to_endpoint(struct shard *shard, struct arrivals *own)
{
	struct base_batch batch = {.datagrams = own->datagrams, .count = own->count, .capacity = own->count};

	if (own->count == 0)
		return;
	for (uint16_t i = 0; i < own->count; i++) {
		const struct base_datagram *datagram = &own->datagrams[i];

		shard->received[shard->received_count++] = datagram->buffer;
		shard_load_count(&shard->load, datagram, SHARD_LOAD_RECEIVED);
		if (datagram->slot == BASE_SLOT_NONE)
			continue;
		shard_moves_see(&shard->moves, (struct quic_handle){datagram->slot, datagram->generation},
			shard->now_ns);
		if (datagram->hops > 0)
			follow_bucket(shard, datagram);
	}
	shard_count(shard, SHARD_DATAGRAMS_OWN, own->count);
	quic_endpoint_receive(shard->endpoint, &batch, shard->now_ns);
}

/* Each datagram of a burst to its connection's shard. */
static void
route(struct shard *shard, struct arrivals *arrivals)
{
	uint16_t destinations[BASE_BURST_MAX], kept = 0;
	uint64_t unplaced = 0;

	if (arrivals->count == 0)
		return;
	shard_route(&shard->router, shard->facts, arrivals->datagrams, arrivals->count, destinations);
	shard_placement_burst(
		&shard->placement, arrivals->datagrams, arrivals->count, destinations, shard->now_ns);
	for (uint16_t i = 0; i < arrivals->count; i++) {
		struct base_datagram *datagram = &arrivals->datagrams[i];

		if (destinations[i] != shard->config.index) {
			hand_over(shard, destinations[i], datagram);
			continue;
		}
		unplaced += datagram->slot == BASE_SLOT_NONE && datagram->length > 0 &&
			datagram->octets[0] < 0x80;
		if (kept != i)
			arrivals->datagrams[kept] = *datagram;
		kept++;
	}
	shard_count(shard, SHARD_DATAGRAMS_UNPLACED, unplaced);
	arrivals->count = kept;
	give_to_endpoint(shard, arrivals);
}

static void
echo(struct shard *shard, struct base_datagram *datagram)
{
	if (!service_udp_echo(datagram)) {
		shard_count(shard, SHARD_DROP_NO_SERVICE, 1);
		rte_pktmbuf_free(datagram->buffer);
		return;
	}
	shard_count(shard, SHARD_UDP_ECHOED, 1);
	shard_send_datagram(shard, datagram);
}

/* By our UDP port: QUIC is kept in the burst, the echo is answered, nobody is at any other. */
static void
sort_by_port(struct shard *shard, struct arrivals *arrivals)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < arrivals->count; i++) {
		struct base_datagram *datagram = &arrivals->datagrams[i];
		uint16_t port = datagram->path.local.port;

		if (shard->endpoint != NULL && port == shard->config.quic_port) {
			if (kept != i)
				arrivals->datagrams[kept] = *datagram;
			kept++;
		} else if (port == shard->config.udp_echo_port) {
			echo(shard, datagram);
		} else {
			shard_count(shard, SHARD_DROP_NO_SERVICE, 1);
			rte_pktmbuf_free(datagram->buffer);
		}
	}
	arrivals->count = kept;
}

static void
receive_queue(struct shard *shard, uint8_t port)
{
	struct shard_port_use *use = &shard->config.ports[port];
	struct rte_mbuf *mbufs[BASE_BURST_MAX];
	struct arrivals arrivals;
	uint16_t count;

	if (use->queue == SHARD_NO_QUEUE)
		return;
	count = shard_port_receive(use->port, use->queue, mbufs, BASE_BURST_MAX);
	if (count == 0)
		return;
	shard->busy = true;
	arrivals.count = 0;
	count = drop_segmented(shard, mbufs, count);
	receive_frames(shard, port, mbufs, count, &arrivals);
	sort_by_port(shard, &arrivals);
	route(shard, &arrivals);
}

static void
receive_mailbox(struct shard *shard)
{
	struct rte_mbuf *mbufs[BASE_BURST_MAX];
	struct arrivals arrivals;
	uint16_t count = shard_mailbox_take_datagrams(shard->mailbox, mbufs, BASE_BURST_MAX);

	if (count == 0)
		return;
	shard->busy = true;
	arrivals.count = 0;
	shard_count(shard, SHARD_DATAGRAMS_TAKEN, count);
	for (uint16_t i = 0; i < count; i++)
		arrivals.datagrams[arrivals.count++] = *shard_buffer_datagram(mbufs[i]);
	route(shard, &arrivals);
}

void
shard_receive(struct shard *shard)
{
	base_assert(shard->received_count == 0);
	for (uint8_t port = 0; port < shard->config.port_count; port++)
		receive_queue(shard, port);
	receive_mailbox(shard);
	post_hands(shard);
}
