/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A shard's view of a pool that all shards of the gateway share (architecture, O6): who took an element is written beside it, so that it
 * is given back once and by anyone; what is given back is overwritten. In front of the heap pool of base/pool.h.
 */
#ifndef SIM_POOL_H
#define SIM_POOL_H

#include "base/pool.h"

struct sim;

struct sim_pool {
	struct base_pool pool; /* what the endpoint has; in_use is this shard's part and may be below zero */
	struct base_pool *elements;
	struct sim *sim;
	uint16_t shard;
};

/* Octets of an element of the shared pool for elements of `bytes`. */
uint32_t sim_pool_element_bytes(uint32_t bytes);
void sim_pool_init(struct sim_pool *pool, struct sim *sim, struct base_pool *elements, uint16_t shard);

#endif
