/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The port interface: what a shard wants of a network card, and what each driver in drivers/port offers. A driver
 * opens its port by a function of its own, states its facts, and is used through the operations from then on.
 *
 * A queue belongs to one shard. Buffers are DPDK mbufs of one segment from a pool of lib/shard/buffer.h; receive()
 * gives them to the caller, send() takes those that it says it took. Received mbufs carry DPDK's own flags for
 * checksums (RTE_MBUF_F_RX_*) and hash (RTE_MBUF_F_RX_RSS_HASH, hash.rss).
 */
#ifndef SHARD_PORT_H
#define SHARD_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/frame.h"
#include "net/rss.h"

struct rte_mbuf;

enum { SHARD_PORT_NAME = 64, SHARD_PORT_QUEUES_MAX = 128, SHARD_PORT_TEXT = 512 };

/* How a packet of a moved connection finds its shard, best last; the levels of architecture section 6. */
enum shard_steering {
	SHARD_STEERING_SOFTWARE, /* any port: through the mailbox */
	SHARD_STEERING_BUCKETS,  /* the RSS indirection table can be rewritten */
	SHARD_STEERING_TUPLE,    /* exact 5-tuple rules */
	SHARD_STEERING_CID,      /* rules on the steering word of connection IDs */
};

/* What the port is and has, once open; never changes afterwards. */
struct shard_port_facts {
	char name[SHARD_PORT_NAME]; /* PCI address or device name */
	char driver[SHARD_PORT_NAME];
	uint8_t mac[NET_MAC_BYTES];
	int socket;              /* CPU socket, -1 when unknown */
	uint16_t queues;         /* receive and send queues alike, each for one shard */
	uint16_t mtu;            /* octets of an IP packet */
	uint16_t rx_descriptors; /* per queue */
	uint16_t tx_descriptors;
	uint16_t send_flags;              /* NET_FRAME_*_CARD: the card fills in these checksums */
	bool receive_checksums;           /* the card says whether checksums are good */
	bool rss;                         /* spreads by the hash of rss_key, and gives the hash in the mbuf */
	char rss_reason[SHARD_PORT_NAME]; /* why not, when it does not */
	uint8_t rss_key[NET_RSS_KEY_BYTES];
	uint16_t reta_size;              /* 0: none */
	uint16_t reta[NET_RSS_RETA_MAX]; /* queue of hash modulo reta_size */
	enum shard_steering steering;
};

struct shard_port_statistics {
	uint64_t received, received_octets, sent, sent_octets;
	uint64_t missed; /* no descriptor or no buffer */
	uint64_t errors;
};

/* A rule for a card; the live move installs them. */
struct shard_port_rule {
	enum shard_steering level;
	struct base_path path;  /* SHARD_STEERING_TUPLE */
	uint16_t steering_word; /* SHARD_STEERING_CID */
	uint16_t queue;
};

struct shard_port;

struct shard_port_ops {
	uint16_t (*receive)(struct shard_port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);
	uint16_t (*send)(struct shard_port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count);
	/* Lets frames to these group addresses through; false when the port cannot. */
	bool (*join_groups)(struct shard_port *port, const uint8_t (*macs)[NET_MAC_BYTES], uint8_t count);
	bool (*start)(struct shard_port *port, char *error, size_t room);
	void (*stop)(struct shard_port *port);
	/* Frees the port itself too. */
	void (*close)(struct shard_port *port);
	bool (*link_up)(struct shard_port *port);
	void (*statistics)(struct shard_port *port, struct shard_port_statistics *statistics);
	/* NULL where steering is software. */
	bool (*install_rule)(struct shard_port *port, const struct shard_port_rule *rule);
};

/* A driver's own structure begins with this. */
struct shard_port {
	const struct shard_port_ops *ops;
	struct shard_port_facts facts;
};

static inline uint16_t
shard_port_receive(struct shard_port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return port->ops->receive(port, queue, mbufs, count);
}

static inline uint16_t
shard_port_send(struct shard_port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return port->ops->send(port, queue, mbufs, count);
}

/* One line for people: driver, queues, RSS or why not, offloads, steering. `text` has SHARD_PORT_TEXT octets. */
const char *shard_port_text(const struct shard_port *port, char *text);
const char *shard_steering_text(enum shard_steering steering);

#endif
