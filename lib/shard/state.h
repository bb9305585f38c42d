/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A shard from the inside, for the files that are its stages: shard.c, receive.c, send.c, neighbours.c. */
#ifndef SHARD_STATE_H
#define SHARD_STATE_H

#include <stdatomic.h>

#include "net/rss.h"
#include "shard/bucket.h"
#include "shard/buffer.h"
#include "shard/clock.h"
#include "shard/idle.h"
#include "shard/load.h"
#include "shard/move.h"
#include "shard/placement.h"
#include "shard/post.h"
#include "shard/route.h"
#include "shard/shard.h"

enum {
	SHARD_BACKLOG_MAX = 512,  /* frames per port that wait for its queue */
	SHARD_BACKLOG_HIGH = 192, /* from here on nothing new is built */
	SHARD_HOPS_MAX = 4,
	/* A burst of each queue and of the mailbox. */
	SHARD_RECEIVED_MAX = (SHARD_PORTS_MAX + 1) * BASE_BURST_MAX,
};

/* Frames on their way out by one port, oldest first. */
struct shard_backlog {
	uint16_t count;
	struct rte_mbuf *mbufs[SHARD_BACKLOG_MAX];
};

/* Datagrams on their way to another shard's mailbox. */
struct shard_hand {
	uint16_t count;
	struct rte_mbuf *mbufs[BASE_BURST_MAX];
};

enum shard_stage { SHARD_NEW, SHARD_RUNNING, SHARD_DRAINING, SHARD_ENDED };

struct shard {
	struct shard_config config;
	struct shard_clock clock;
	struct shard_idler idler;
	struct shard_mailbox *mailbox;
	struct quic_endpoint *endpoint; /* NULL: no QUIC */
	void *endpoint_memory;
	struct shard_router router;
	struct shard_moves moves;
	struct shard_buckets buckets;
	struct shard_posts posts;
	struct net_rss rss[SHARD_PORTS_MAX];
	const struct shard_port_facts *facts[SHARD_PORTS_MAX];

	/* This turn. Received buffers are free after send: the endpoint refers to their octets until then. */
	uint64_t now_ns;
	bool busy;
	uint16_t received_count;
	struct rte_mbuf *received[SHARD_RECEIVED_MAX];

	/* Empty buffers with their datagrams, for the endpoint to fill: [0, outgoing_count). */
	uint16_t outgoing_count;
	struct rte_mbuf *outgoing_mbufs[BASE_BURST_MAX];
	struct base_datagram outgoing[BASE_BURST_MAX];

	struct shard_backlog backlogs[SHARD_PORTS_MAX];
	struct shard_hand hands[SHARDS_MAX];
	uint64_t hands_used; /* a bit per shard with something in hand */

	_Atomic uint32_t stage;          /* enum shard_stage */
	_Atomic uint32_t stop_within_ms; /* not 0: asked to stop */
	_Atomic bool refuse;             /* new connections: asked to */
	bool refuses;                    /* and does */
	uint64_t stop_ns;
	_Atomic uint32_t connections;
	_Atomic uint64_t busy_cycles;
	_Atomic uint64_t idle_cycles;
	_Atomic uint64_t counters[SHARD_COUNTER_COUNT];
	_Atomic uint32_t place; /* enum shard_place */
	bool tells_paths;
	struct shard_load load;
	struct shard_placement placement;
	struct net_interface interfaces[SHARD_PORTS_MAX];
};

static inline void
shard_is_at(struct shard *shard, enum shard_place place)
{
	atomic_store_explicit(&shard->place, (uint32_t)place, memory_order_relaxed);
}

/* Only the owner writes, so a load and a store do; readers see a value that was true a moment ago. */
static inline void
shard_count(struct shard *shard, enum shard_counter counter, uint64_t more)
{
	uint64_t value = atomic_load_explicit(&shard->counters[counter], memory_order_relaxed);

	atomic_store_explicit(&shard->counters[counter], value + more, memory_order_relaxed);
}

/* receive.c: bursts of the queues and the mailbox, routed; ours go to the endpoint. */
void shard_receive(struct shard *shard);

/* send.c: what the endpoint wants to send, then the backlog. */
void shard_send(struct shard *shard);
/* A frame of this mbuf leaves by the port; takes the mbuf. */
void shard_transmit(struct shard *shard, uint8_t port, struct rte_mbuf *mbuf, const struct net_frame *frame);
/* A datagram in its mbuf (datagram->buffer) becomes a frame and leaves; takes the mbuf. */
void shard_send_datagram(struct shard *shard, const struct base_datagram *datagram);
/* An mbuf that is a whole frame; takes it. */
void shard_queue_frame(struct shard *shard, uint8_t port, struct rte_mbuf *mbuf);

/* deliver.c: posts of services; once after the moves are open, then in each turn. */
void shard_deliver_open(struct shard *shard);
void shard_deliver(struct shard *shard);
uint64_t shard_deliver_deadline(const struct shard *shard);

/* neighbours.c: requests go out, updates are exchanged, what waited for an answer is sent. */
void shard_neighbours(struct shard *shard);
uint64_t shard_neighbours_deadline(const struct shard *shard);

#endif
