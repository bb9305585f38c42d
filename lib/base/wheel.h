/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hierarchical timing wheel: one node per connection, armed at the earliest of its deadlines. Arming and
 * disarming cost a few stores whatever the number of nodes, and each call of base_wheel_expire() does a
 * bounded amount of work, so ten million armed nodes never stop a shard. A node fires within one tick after
 * its deadline, never before it.
 *
 * Four levels of 256 places over ticks of BASE_WHEEL_TICK_NS; what is further away than the wheel reaches
 * waits in the top level and is placed again when it comes round. Links are pointers: nodes must not move
 * while armed.
 */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/time.h"

enum { BASE_WHEEL_LEVELS = 4, BASE_WHEEL_PLACES = 256 };
#define BASE_WHEEL_TICK_NS (UINT64_C(1) << 17) /* 131 microseconds; reaches 156 hours */

struct base_wheel_node {
	struct base_list link;
	uint64_t deadline_ns; /* as armed; BASE_NEVER when it is not */
};

struct base_wheel {
	uint64_t tick;  /* next tick to expire */
	uint64_t armed; /* nodes in the wheel */
	uint64_t occupied[BASE_WHEEL_LEVELS][BASE_WHEEL_PLACES / 64];
	struct base_list due; /* past their deadline, waiting to be taken */
	struct base_list places[BASE_WHEEL_LEVELS][BASE_WHEEL_PLACES];
};

void base_wheel_init(struct base_wheel *wheel, uint64_t now_ns);
void base_wheel_node_init(struct base_wheel_node *node);

/* Arms, or arms again; BASE_NEVER disarms. */
void base_wheel_arm(struct base_wheel *wheel, struct base_wheel_node *node, uint64_t deadline_ns);

static inline bool
base_wheel_armed(const struct base_wheel_node *node)
{
	return node->deadline_ns != BASE_NEVER;
}

/*
 * The next node whose deadline has passed, disarmed, or NULL. `budget` is the number of ticks and cascaded
 * nodes that this turn may still cost and is counted down; at zero the rest waits for the next turn.
 */
struct base_wheel_node *base_wheel_expire(struct base_wheel *wheel, uint64_t now_ns, uint32_t *budget);

/* A time at or before which nothing fires: exact to a tick within the lowest level, early beyond it. */
uint64_t base_wheel_deadline(const struct base_wheel *wheel);

#endif
