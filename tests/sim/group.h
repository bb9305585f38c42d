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
};

#endif
