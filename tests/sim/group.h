/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several shards in place of the one server endpoint (shards.c); sim->server is the first of them. */
#ifndef SIM_GROUP_H
#define SIM_GROUP_H

#include "tests/sim/sim.h"

struct sim_group_ops {
	void (*open)(struct sim *sim);
	void (*turn)(struct sim *sim);
	uint64_t (*deadline)(const struct sim *sim);
	uint32_t (*connections)(const struct sim *sim);
	/* Invariants that hold between any two steps. */
	void (*check)(struct sim *sim);
	/* After the last connection has gone. */
	void (*close)(struct sim *sim);
	/* This node sends a datagram. */
	void (*sent)(struct sim *sim, struct sim_node *node, const struct base_datagram *datagram);
	/* After the endpoints have been closed. */
	void (*fini)(struct sim *sim);
};

/* Another shard of the gateway whose first one is `home`. */
void sim_open_shard(struct sim *sim, struct sim_node *node, const struct sim_node *home, uint16_t shard);
void sim_close_shard(struct sim_node *node);
void sim_pull_events(struct sim *sim, struct sim_node *node);
/* The last stage of a turn: all that it has to send goes into the link. */
void sim_send(struct sim *sim, struct sim_node *node, struct net_impair *link);
/* The number of the client's connection behind an address that the gateway sees now; SIM_CONNECTIONS_MAX: none. */
uint32_t sim_number(const struct sim *sim, const struct base_address *remote);
/* Nobody may look at received octets any more (architecture, O7). */
void sim_scribble(struct net_impair_item *item);

#endif
