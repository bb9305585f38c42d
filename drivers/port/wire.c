/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drivers/port/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_spinlock.h>

#include "base/assert.h"
#include "base/time.h"
#include "drivers/port/wire_card.h"

enum { BURST = 64, RETA_SIZE = 128 };

struct wire;

/* One end, and what travels towards it. */
struct end {
	struct shard_port port;
	struct wire *wire;
	unsigned index;
	struct rte_ring *queues[SHARD_PORT_QUEUES_MAX]; /* frames that this end may receive */
	struct rte_mempool *buffers;
	struct wire_card card;
	bool impaired;
	rte_spinlock_t lock; /* of the impairment: the other end's queues push, this end's pull */
	struct net_impair impair;
	struct base_pool *pool;
	struct net_impair_item **heap;
	uint64_t sent, sent_octets, missed; /* statistics of the way towards this end */
};

struct wire {
	struct port_wire_config config;
	unsigned open; /* ends */
	struct end ends[2];
};

static struct end *
of(struct shard_port *port)
{
	return (struct end *)port;
}

static uint64_t
now_ns(const struct wire *wire)
{
	if (wire->config.clock != NULL)
		return wire->config.clock(wire->config.clock_user);
	return (uint64_t)((unsigned __int128)rte_rdtsc() * BASE_SECOND / rte_get_tsc_hz());
}

/* Into the queues of an end, in runs for the same queue; what finds no place is lost, as on a card. */
static void
deliver(struct end *to, struct rte_mbuf **mbufs, uint16_t count)
{
	uint16_t queues[BURST], first = 0;
	uint64_t missed = 0;

	for (uint16_t i = 0; i < count; i++)
		queues[i] = wire_card_spread(&to->card, mbufs[i]);
	for (uint16_t i = 1; i <= count; i++) {
		unsigned taken, run = i - first;

		if (i < count && queues[i] == queues[first])
			continue;
		taken = rte_ring_enqueue_burst(to->queues[queues[first]], (void **)mbufs + first, run, NULL);
		if (taken < run)
			rte_pktmbuf_free_bulk(mbufs + first + taken, run - taken);
		missed += run - taken;
		first = i;
	}
	if (missed > 0)
		__atomic_fetch_add(&to->missed, missed, __ATOMIC_RELAXED);
}

static void
push(struct end *to, struct rte_mbuf **mbufs, uint16_t count)
{
	uint64_t now = now_ns(to->wire);

	rte_spinlock_lock(&to->lock);
	for (uint16_t i = 0; i < count; i++) {
		struct base_datagram frame = {
			.octets = rte_pktmbuf_mtod(mbufs[i], uint8_t *), .length = mbufs[i]->data_len};

		net_impair_push(&to->impair, &frame, now);
	}
	rte_spinlock_unlock(&to->lock);
	rte_pktmbuf_free_bulk(mbufs, count);
}

/* What has arrived by now goes into buffers of this end. */
static void
pull(struct end *end)
{
	struct rte_mbuf *mbufs[BURST];
	struct net_impair_item *item;
	uint16_t count = 0;

	if (!rte_spinlock_trylock(&end->lock))
		return;
	while (count < BURST && (item = net_impair_pop(&end->impair, now_ns(end->wire))) != NULL) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(end->buffers);
		char *octets = mbuf != NULL ? rte_pktmbuf_append(mbuf, item->datagram.length) : NULL;

		if (octets != NULL) {
			memcpy(octets, item->datagram.octets, item->datagram.length);
			mbufs[count++] = mbuf;
		} else {
			rte_pktmbuf_free(mbuf);
			__atomic_fetch_add(&end->missed, 1, __ATOMIC_RELAXED);
		}
		net_impair_release(&end->impair, item);
	}
	deliver(end, mbufs, count);
	rte_spinlock_unlock(&end->lock);
}

static uint16_t
receive_burst(struct shard_port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	struct end *end = of(port);

	if (end->impaired)
		pull(end);
	return (uint16_t)rte_ring_dequeue_burst(end->queues[queue], (void **)mbufs, count, NULL);
}

static uint16_t
send_burst(struct shard_port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	struct end *to = &of(port)->wire->ends[1 - of(port)->index];
	uint64_t octets = 0;

	for (uint16_t i = 0; i < count; i++)
		octets += mbufs[i]->data_len;
	__atomic_fetch_add(&to->sent, count, __ATOMIC_RELAXED);
	__atomic_fetch_add(&to->sent_octets, octets, __ATOMIC_RELAXED);
	for (uint16_t done = 0; done < count; done += BURST) {
		uint16_t part = count - done < BURST ? (uint16_t)(count - done) : BURST;

		if (to->impaired)
			push(to, mbufs + done, part);
		else
			deliver(to, mbufs + done, part);
	}
	return count;
}

static bool
join_groups(struct shard_port *port, const uint8_t (*macs)[NET_MAC_BYTES], uint8_t count)
{
	return true; /* everything comes through */
}

static bool
start(struct shard_port *port, char *error, size_t room)
{
	return true;
}

static void
stop(struct shard_port *port)
{
}

static void
close_end(struct end *end)
{
	struct rte_mbuf *mbuf;

	for (unsigned i = 0; i < SHARD_PORT_QUEUES_MAX && end->queues[i] != NULL; i++) {
		while (rte_ring_dequeue(end->queues[i], (void **)&mbuf) == 0)
			rte_pktmbuf_free(mbuf);
		rte_ring_free(end->queues[i]);
	}
	if (end->pool != NULL) {
		net_impair_fini(&end->impair);
		base_pool_close(end->pool);
	}
	free(end->heap);
}

static void
close_port(struct shard_port *port)
{
	struct wire *wire = of(port)->wire;

	if (--wire->open > 0)
		return;
	close_end(&wire->ends[0]);
	close_end(&wire->ends[1]);
	free(wire);
}

static bool
link_up(struct shard_port *port)
{
	return of(port)->wire->open == 2;
}

static void
statistics(struct shard_port *port, struct shard_port_statistics *to)
{
	struct end *end = of(port), *other = &end->wire->ends[1 - end->index];

	*to = (struct shard_port_statistics){.sent = __atomic_load_n(&other->sent, __ATOMIC_RELAXED),
		.sent_octets = __atomic_load_n(&other->sent_octets, __ATOMIC_RELAXED),
		.received = __atomic_load_n(&end->sent, __ATOMIC_RELAXED),
		.received_octets = __atomic_load_n(&end->sent_octets, __ATOMIC_RELAXED),
		.missed = __atomic_load_n(&end->missed, __ATOMIC_RELAXED)};
}

static uint32_t
install_rule(struct shard_port *port, const struct shard_port_rule *rule)
{
	base_assert(rule->queue < port->facts.queues);
	return wire_card_install(&of(port)->card, rule);
}

static bool
remove_rule(struct shard_port *port, uint32_t rule)
{
	return wire_card_remove(&of(port)->card, rule);
}

static bool
set_reta(struct shard_port *port, const uint16_t *queues)
{
	for (uint16_t i = 0; i < port->facts.reta_size; i++)
		base_assert(queues[i] < port->facts.queues);
	return wire_card_set_reta(&of(port)->card, queues);
}

static const struct shard_port_ops ops = {.receive = receive_burst,
	.send = send_burst,
	.join_groups = join_groups,
	.start = start,
	.stop = stop,
	.close = close_port,
	.link_up = link_up,
	.statistics = statistics,
	.install_rule = install_rule,
	.remove_rule = remove_rule,
	.set_reta = set_reta};

static void
state_levels(const struct port_wire_config *config, struct shard_port_facts *facts)
{
	uint8_t wanted = config->levels == 0 ? 1U << SHARD_STEERING_BUCKETS : config->levels;

	if (facts->queues == 1)
		wanted = 0;
	if (!facts->rss)
		wanted &= (uint8_t) ~(1U << SHARD_STEERING_BUCKETS);
	facts->levels = wanted | 1U << SHARD_STEERING_SOFTWARE;
	while (facts->levels >> (facts->steering + 1) != 0)
		facts->steering++;
	snprintf(facts->steering_how, sizeof(facts->steering_how), "a model of a card");
}

static void
state_facts(struct end *end)
{
	const struct port_wire_config *config = &end->wire->config;
	struct shard_port_facts *facts = &end->port.facts;

	snprintf(facts->name, sizeof(facts->name), "%s.%u", config->name, end->index);
	snprintf(facts->driver, sizeof(facts->driver), "wire");
	memcpy(facts->mac, config->macs[end->index], NET_MAC_BYTES);
	memcpy(facts->rss_key, net_rss_key_default, NET_RSS_KEY_BYTES);
	facts->socket = -1;
	facts->queues = config->queues[end->index];
	facts->mtu = config->mtu;
	facts->rx_descriptors = (uint16_t)config->ring_frames;
	facts->receive_checksums = config->checksums;
	if (config->checksums)
		facts->send_flags = NET_FRAME_IP_CHECKSUM_CARD | NET_FRAME_UDP_CHECKSUM_CARD;
	facts->rss = config->rss && facts->queues > 1;
	snprintf(facts->rss_reason, sizeof(facts->rss_reason), "%s",
		facts->rss            ? ""
			: config->rss ? "one queue is enough"
				      : "not wanted");
	state_levels(config, facts);
	if (!facts->rss)
		return;
	facts->reta_size = RETA_SIZE;
	for (unsigned i = 0; i < RETA_SIZE; i++)
		facts->reta[i] = i % facts->queues;
}

static bool
open_end(struct wire *wire, unsigned index)
{
	const struct port_wire_config *config = &wire->config;
	struct end *end = &wire->ends[index];
	const struct net_impair_config *impair = config->impair[1 - index];
	uint16_t frame_bytes = config->mtu + NET_ETHERNET_BYTES + NET_VLAN_BYTES;

	end->port.ops = &ops;
	end->wire = wire;
	end->index = index;
	end->buffers = config->buffers[index];
	rte_spinlock_init(&end->lock);
	state_facts(end);
	wire_card_init(&end->card, &end->port.facts, config->tuple_rules, config->checksums);
	for (unsigned i = 0; i < config->queues[index]; i++) {
		char name[RTE_RING_NAMESIZE];

		snprintf(name, sizeof(name), "%.12s.%u.%u", config->name, index, i);
		end->queues[i] = rte_ring_create(
			name, config->ring_frames, SOCKET_ID_ANY, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
		if (end->queues[i] == NULL)
			return false;
	}
	if (impair == NULL)
		return true;
	end->impaired = true;
	end->pool = base_pool_open(NULL, net_impair_element_bytes(frame_bytes), config->impair_frames);
	end->heap = calloc(config->impair_frames, sizeof(end->heap[0]));
	if (end->pool == NULL || end->heap == NULL)
		return false;
	net_impair_init(&end->impair, impair, end->pool, end->heap, config->impair_frames);
	return true;
}

bool
port_wire_open(const struct port_wire_config *config, struct shard_port *ends[2], char *error, size_t room)
{
	struct wire *wire = calloc(1, sizeof(*wire));

	if (wire != NULL) {
		wire->config = *config;
		wire->open = 2;
		if (open_end(wire, 0) && open_end(wire, 1)) {
			ends[0] = &wire->ends[0].port;
			ends[1] = &wire->ends[1].port;
			return true;
		}
		close_end(&wire->ends[0]);
		close_end(&wire->ends[1]);
		free(wire);
	}
	snprintf(error, room,
		"wire %s: no memory for %u frames a queue: lower them or reserve more hugepages",
		config->name, config->ring_frames);
	return false;
}

void
port_wire_change(struct shard_port *end, const struct net_impair_config *impair)
{
	struct end *to = &of(end)->wire->ends[1 - of(end)->index];

	rte_spinlock_lock(&to->lock);
	net_impair_change(&to->impair, impair);
	rte_spinlock_unlock(&to->lock);
}

void
port_wire_fail(struct shard_port *end, enum shard_steering level)
{
	wire_card_fail(&of(end)->card, level);
}
