/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An in-process card: two ends, each with queues, RSS by a Toeplitz hash and an indirection table, rules for tuples and for
 * the steering word of connection IDs (wire_card.h), joined by a perfect wire
 * or by net/impair.h. A perfect wire hands over pointers, so it bounds the stack and not a network; an impaired one
 * copies. It is no DPDK ethdev, but its ends are ports like any other.
 */
#ifndef DRIVERS_PORT_WIRE_H
#define DRIVERS_PORT_WIRE_H

#include "net/impair.h"
#include "shard/port.h"

struct rte_mempool;

struct port_wire_config {
	const char *name;   /* unique, short */
	uint16_t queues[2]; /* of each end */
	uint16_t mtu;
	uint32_t ring_frames; /* places of each queue's ring, a power of two */
	bool checksums;       /* a card that computes and verifies checksums */
	bool rss;
	/*
	 * What both cards can do: a bit for each enum shard_steering, as far as they have several queues; 0: buckets,
	 * where rss says so.
	 */
	uint8_t levels;
	uint16_t tuple_rules; /* at once on each card, 256 at most */
	uint8_t macs[2][NET_MAC_BYTES];
	/* What happens on the way from each end; NULL: a perfect wire. */
	const struct net_impair_config *impair[2];
	uint32_t impair_frames; /* on their way at once */
	struct rte_mempool
		*buffers[2]; /* where an impaired wire takes buffers for the frames it delivers at each end */
	/* Nanoseconds, for the impaired; NULL: the time-stamp counter. */
	uint64_t (*clock)(void *clock_user);
	void *clock_user;
};

/* Opens both ends; each is closed by its own ops->close. False with a readable sentence in `error`. */
bool port_wire_open(
	const struct port_wire_config *config, struct shard_port *ends[2], char *error, size_t room);

/* Changes what happens on the way from `end`, which was opened with an impairment. */
void port_wire_change(struct shard_port *end, const struct net_impair_config *impair);

/* The card of this end forgets its rules of a level and refuses it from now on, for tests. */
void port_wire_fail(struct shard_port *end, enum shard_steering level);

#endif
