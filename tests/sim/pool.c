/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/sim/pool.h"

#include <string.h>

#include "tests/sim/sim.h"

enum { FRONT_BYTES = 64, GIVEN_BACK = 0xa5 };

/* In front of each element, on a cache line of its own. */
struct front {
	uint32_t taker; /* shard plus one; 0: nobody */
};

static void *
take(struct base_pool *base)
{
	struct sim_pool *pool = (struct sim_pool *)base;
	struct front *front = base_pool_take(pool->elements);

	if (front == NULL)
		return NULL;
	front->taker = pool->shard + 1u;
	return (uint8_t *)front + FRONT_BYTES;
}

static void
give(struct base_pool *base, void *element)
{
	struct sim_pool *pool = (struct sim_pool *)base;
	struct front *front = (void *)((uint8_t *)element - FRONT_BYTES);

	if (front->taker == 0) {
		sim_fail(pool->sim, "shard %u gave an element back that nobody had", pool->shard);
		return;
	}
	if (front->taker != pool->shard + 1u)
		pool->sim->seen[SIM_SEEN_GIVEN_ELSEWHERE]++;
	front->taker = 0;
	memset(element, GIVEN_BACK, base->element_bytes);
	base_pool_give(pool->elements, front);
}

uint32_t
sim_pool_element_bytes(uint32_t bytes)
{
	return bytes + FRONT_BYTES;
}

void
sim_pool_init(struct sim_pool *pool, struct sim *sim, struct base_pool *elements, uint16_t shard)
{
	*pool = (struct sim_pool){.pool = {.take = take,
					  .give = give,
					  .element_bytes = elements->element_bytes - FRONT_BYTES,
					  .capacity = elements->capacity},
		.elements = elements,
		.sim = sim,
		.shard = shard};
}
