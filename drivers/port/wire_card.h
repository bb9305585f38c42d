/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the card of a wire's end chooses the queue of a frame: rules on the payload first, then exact 5-tuples, then the
 * indirection table by the hash. Like a card it matches octets: a payload rule knows no header form. Rules and table
 * change while frames come: one thread changes them, any may ask.
 */
#ifndef DRIVERS_PORT_WIRE_CARD_H
#define DRIVERS_PORT_WIRE_CARD_H

#include <stdatomic.h>

#include <rte_rwlock.h>

#include "shard/port.h"

struct rte_mbuf;

enum { WIRE_CARD_PAYLOAD_RULES = 64, WIRE_CARD_TUPLE_RULES_MAX = 256 };

struct wire_card_tuple {
	bool used;
	uint16_t queue;
	struct base_path path;
};

struct wire_card {
	struct net_rss rss;
	uint8_t levels;       /* a bit for each enum shard_steering */
	uint16_t tuple_rules; /* at most */
	bool hashes;          /* RSS is on */
	bool checksums;       /* said to be good */
	uint16_t reta_size;
	_Atomic uint8_t refused; /* levels whose rules are refused from now on */
	_Atomic uint16_t reta[NET_RSS_RETA_MAX];
	_Atomic uint32_t payload_count, tuple_count;
	_Atomic uint64_t payload[WIRE_CARD_PAYLOAD_RULES]; /* 0: none; else a bit, UDP port, word, queue */
	rte_rwlock_t lock;                                 /* of the tuples */
	struct wire_card_tuple tuples[WIRE_CARD_TUPLE_RULES_MAX];
};

/* By the facts of the port; `tuple_rules` at most WIRE_CARD_TUPLE_RULES_MAX. */
void wire_card_init(
	struct wire_card *card, const struct shard_port_facts *facts, uint16_t tuple_rules, bool checksums);
/* The queue for a frame, and what a card would write into its mbuf. */
uint16_t wire_card_spread(struct wire_card *card, struct rte_mbuf *mbuf);
uint32_t wire_card_install(struct wire_card *card, const struct shard_port_rule *rule);
bool wire_card_remove(struct wire_card *card, uint32_t rule);
bool wire_card_set_reta(struct wire_card *card, const uint16_t *queues);
/* The card forgets the rules of a level and takes no more: what a reset or a fault does. The table stays as it is. */
void wire_card_fail(struct wire_card *card, enum shard_steering level);

#endif
