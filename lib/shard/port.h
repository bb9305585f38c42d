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

/* No rule: what install_rule says when the card refuses. */
#define SHARD_PORT_NO_RULE UINT32_C(0)

enum { SHARD_PORT_NAME = 64, SHARD_PORT_QUEUES_MAX = 128, SHARD_PORT_TEXT = 512 };

/* How a packet of a moved connection finds its shard, best last; the levels of architecture section 6. */
enum shard_steering {
	SHARD_STEERING_SOFTWARE, /* any port: through the mailbox */
	SHARD_STEERING_BUCKETS,  /* the RSS indirection table can be rewritten */
	SHARD_STEERING_TUPLE,    /* exact 5-tuple rules */
	SHARD_STEERING_CID,      /* rules on the steering word of connection IDs */
	SHARD_STEERING_COUNT
};

/* What the port is and has, once started; never changes afterwards. */
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
	uint16_t reta_size; /* 0: none */
	/*
	 * Queue of hash modulo reta_size when the port was opened. It names the home of what begins a connection, so it
	 * stays as it is when set_reta() rewrites the card's own.
	 */
	uint16_t reta[NET_RSS_RETA_MAX];
	enum shard_steering steering; /* the best of `levels` */
	uint8_t levels; /* a bit for each enum shard_steering that the port took when it was tried */
	char steering_how[SHARD_PORT_NAME]; /* "RAW item", or why there is no better level; for people */
};

struct shard_port_statistics {
	uint64_t received, received_octets, sent, sent_octets;
	uint64_t missed; /* no descriptor or no buffer */
	uint64_t errors;
};

/* A rule for a card: these datagrams go to this queue, whatever their hash. */
struct shard_port_rule {
	enum shard_steering level; /* SHARD_STEERING_TUPLE or SHARD_STEERING_CID */
	uint16_t queue;
	uint16_t udp_port;      /* ours, SHARD_STEERING_CID */
	uint16_t steering_word; /* SHARD_STEERING_CID: UDP payload octets 2 and 3, of either IP version */
	struct base_path path;  /* SHARD_STEERING_TUPLE: local is ours */
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
	/*
	 * These three are for one thread, the management lcore, while the port is started; a card may take milliseconds. A
	 * refusal changes nothing: datagrams come by the hash, and their shard hands them on. NULL where no level
	 * has them.
	 */
	/* The rule's number, or SHARD_PORT_NO_RULE when the card has no place or will not do it. */
	uint32_t (*install_rule)(struct shard_port *port, const struct shard_port_rule *rule);
	/* False when the card would not let go of it: it may still match. The number is void all the same. */
	bool (*remove_rule)(struct shard_port *port, uint32_t rule);
	/* Rewrites the indirection table: the queue of each of facts.reta_size buckets. False: it is as it was. */
	bool (*set_reta)(struct shard_port *port, const uint16_t *queues);
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

static inline bool
shard_port_has(const struct shard_port *port, enum shard_steering level)
{
	return (port->facts.levels >> level & 1) != 0;
}

/* One line for people: driver, queues, RSS or why not, offloads, steering level and how. `text` has
 * SHARD_PORT_TEXT octets. */
const char *shard_port_text(const struct shard_port *port, char *text);
const char *shard_steering_text(enum shard_steering steering);

#endif
