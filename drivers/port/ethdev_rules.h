/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules of a DPDK port: what it takes is tried by rte_flow_validate() once it is started, and rules come and go by number.
 * Virtual ports are not asked: some accept rules that have no effect (tap). One thread.
 */
#ifndef DRIVERS_PORT_ETHDEV_RULES_H
#define DRIVERS_PORT_ETHDEV_RULES_H

#include "drivers/port/ethdev_flow.h"

enum {
	ETHDEV_RULES_MAX = 1152, /* of shards and of connections that were moved */
	ETHDEV_IP_VERSIONS = 2,
};

/* A rule on the steering word is one rte_flow for each IP version that the port takes. */
struct ethdev_rule {
	struct rte_flow *flows[ETHDEV_IP_VERSIONS];
};

struct ethdev_rules {
	uint16_t id; /* of the port */
	enum ethdev_flow_form form;
	bool tuples[ETHDEV_IP_VERSIONS]; /* IPv4, IPv6 */
	bool words[ETHDEV_IP_VERSIONS];
	struct rte_flow_item_flex_handle *flex; /* the parser of flex_port, or NULL */
	uint16_t flex_port;
	struct ethdev_rule rules[ETHDEV_RULES_MAX];
};

/* Sets levels, steering and steering_how of the facts of a started port, whose RETA can be written if it has one. */
void ethdev_rules_try(struct ethdev_rules *rules, uint16_t id, struct shard_port_facts *facts);
uint32_t ethdev_rules_install(struct ethdev_rules *rules, const struct shard_port_rule *rule);
bool ethdev_rules_remove(struct ethdev_rules *rules, uint32_t rule);
/* Removes what is left, before the port stops. */
void ethdev_rules_close(struct ethdev_rules *rules);

/* The levels of a port by what was found out about it; `how` has SHARD_PORT_NAME octets. */
uint8_t ethdev_rules_levels(
	const struct ethdev_rules *rules, const struct shard_port_facts *facts, bool is_virtual, char *how);

#endif
