/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One shard's view of one port: link address, VLAN, our IP addresses, gateways, neighbours and counters. Frames
 * become datagrams, datagrams become frames; ARP, neighbour discovery and echo requests are answered where the
 * frame lies. Every shard has one per port and shares nothing; struct net_neighbour_update keeps the copies
 * alike (neighbour.h).
 *
 * Routing: what lies within the prefix of one of our addresses (or in fe80::/10) is on link, all else goes to the
 * gateway of the address that the datagram is sent from. Link addresses are never learnt from traffic: behind one
 * gateway there is one neighbour to resolve, and an address heard in passing could be anyone's.
 *
 * Duplicate address detection is left to the operator: addresses are configured, and announced at start.
 */
#ifndef NET_INTERFACE_H
#define NET_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/datagram.h"
#include "net/counters.h"
#include "net/frame.h"
#include "net/neighbour.h"

enum { NET_ADDRESSES_MAX = 16, NET_GROUPS_MAX = NET_ADDRESSES_MAX + 2 };

struct net_interface_address {
	uint8_t ip[16];      /* IPv4-mapped for IPv4 */
	uint8_t prefix_bits; /* 0 to 32 for IPv4, 0 to 128 for IPv6 */
	bool has_gateway;
	uint8_t gateway[16];
};

struct net_interface_config {
	uint8_t mac[NET_MAC_BYTES];
	uint16_t vlan;       /* 0: no tag */
	uint16_t mtu;        /* octets of an IP packet */
	uint16_t port_index; /* written into datagrams */
	uint16_t send_flags; /* NET_FRAME_*_CARD: what the card computes */
	uint8_t address_count;
	struct net_interface_address addresses[NET_ADDRESSES_MAX - 1]; /* the link-local one is added */
	struct net_neighbour_config neighbours;
};

struct net_interface {
	struct net_interface_config config;
	uint8_t address_count;
	uint8_t announced; /* addresses announced so far */
	struct net_interface_address addresses[NET_ADDRESSES_MAX];
	struct net_neighbours neighbours;
	uint64_t counters[NET_COUNTER_COUNT];
};

enum net_verdict {
	NET_DATAGRAM, /* the datagram describes octets of the frame */
	NET_REPLY,    /* the frame has been rewritten in place and is to be transmitted */
	NET_CONSUMED, /* nothing more to do, the frame may go */
	NET_DROP,     /* counted, the frame may go */
};

enum net_send_verdict {
	NET_SEND,   /* the frame is built around the datagram */
	NET_WAIT,   /* the datagram and its buffer are kept until the neighbour is resolved */
	NET_REFUSE, /* counted, the buffer may go */
};

void net_interface_init(
	struct net_interface *interface, const struct net_interface_config *config, uint64_t now_ns);

/* A frame of at least NET_CONTROL_BYTES room. Fills *datagram for NET_DATAGRAM, its buffer excepted. */
enum net_verdict net_interface_receive(struct net_interface *interface, struct net_frame *frame,
	uint64_t now_ns, struct base_datagram *datagram);
/* A burst; datagrams[i] and verdicts[i] belong to frames[i]. */
void net_interface_receive_burst(struct net_interface *interface, struct net_frame *frames, uint16_t count,
	uint64_t now_ns, struct base_datagram *datagrams, enum net_verdict *verdicts);

/*
 * A datagram whose path.local is an address of ours and in front of whose octets NET_HEADROOM_BYTES are free. Fills
 * *frame for NET_SEND.
 */
enum net_send_verdict net_interface_send(struct net_interface *interface,
	const struct base_datagram *datagram, uint64_t now_ns, struct net_frame *frame);

/* As net_interface_send(), for a datagram that had to wait; false when there is none. */
bool net_interface_next_released(struct net_interface *interface, uint64_t now_ns,
	struct base_datagram *datagram, enum net_send_verdict *verdict, struct net_frame *frame);

/* True while net_interface_next_request() would write something. */
static inline bool
net_interface_wants_request(const struct net_interface *interface)
{
	return interface->neighbours.request_count > 0 || interface->announced < interface->address_count;
}
/*
 * Writes a request or announcement of our own into `octets`, of NET_CONTROL_BYTES; returns its length, 0 when there
 * is none.
 */
uint16_t net_interface_next_request(struct net_interface *interface, uint8_t *octets);

/* Exchange with the interface's copies on other shards. */
static inline bool
net_interface_next_update(struct net_interface *interface, struct net_neighbour_update *update)
{
	return net_neighbours_next_update(&interface->neighbours, update);
}
static inline void
net_interface_import(
	struct net_interface *interface, const struct net_neighbour_update *update, uint64_t now_ns)
{
	net_neighbours_import(&interface->neighbours, update, now_ns);
}

static inline uint64_t
net_interface_deadline(const struct net_interface *interface)
{
	return net_neighbours_deadline(&interface->neighbours);
}
static inline void
net_interface_expire(struct net_interface *interface, uint64_t now_ns)
{
	net_neighbours_expire(&interface->neighbours, now_ns);
}

/* True when `ip` is an address of this interface. */
bool net_interface_is_local(const struct net_interface *interface, const uint8_t ip[16]);
/* The multicast link addresses a card must let through, NET_GROUPS_MAX at most; returns how many. */
uint8_t net_interface_groups(const struct net_interface *interface, uint8_t (*macs)[NET_MAC_BYTES]);
struct base_counters net_interface_counters(const struct net_interface *interface);

#endif
