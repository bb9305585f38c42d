/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One direction of an unreliable link, in virtual time: a bottleneck with a finite queue, delay with jitter, loss,
 * reordering, duplication and corruption, all from a seed, so that a run can be repeated. What is pushed is
 * copied into an element of a pool the user gives; what is popped belongs to the user until released. It carries
 * datagrams for simulators and whole frames for the `wire` port: it looks at octets and length only.
 */
#ifndef NET_IMPAIR_H
#define NET_IMPAIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/datagram.h"
#include "base/pool.h"
#include "base/random.h"

#define NET_IMPAIR_WHOLE UINT32_C(1000000)

/* Chances are in parts per million. All zero: a perfect link. */
struct net_impair_config {
	uint64_t seed;
	uint64_t delay_ns;
	uint64_t jitter_ns;            /* added to the delay, uniform in [0, jitter]; keeps the order */
	uint64_t rate_bits_per_second; /* of octets pushed; 0: no bottleneck */
	uint64_t queue_ns; /* what would wait longer than this at the bottleneck is dropped; 0: no limit */
	uint64_t mark_ns;  /* what waits longer and is ECN-capable is marked CE; 0: never */
	uint32_t loss;
	uint32_t burst_loss; /* chance that a loss takes the next one too */
	uint32_t reorder;
	uint64_t reorder_ns; /* extra delay of those that are reordered */
	uint32_t duplicate;
	uint32_t corrupt;    /* one octet of it is changed */
	uint16_t length_max; /* longer ones are dropped, as beyond the MTU; 0: no limit */
};

enum net_impair_counter {
	NET_IMPAIR_PUSHED,
	NET_IMPAIR_POPPED,
	NET_IMPAIR_LOST,
	NET_IMPAIR_QUEUE_FULL,
	NET_IMPAIR_TOO_LONG,
	NET_IMPAIR_REORDERED,
	NET_IMPAIR_DUPLICATED,
	NET_IMPAIR_CORRUPTED,
	NET_IMPAIR_MARKED,
	NET_IMPAIR_NO_MEMORY,
	NET_IMPAIR_COUNTER_COUNT
};

/* What is on its way: datagram.octets are its own. */
struct net_impair_item {
	uint64_t due_ns;
	uint64_t order;
	struct base_datagram datagram;
	uint8_t octets[];
};

struct net_impair {
	struct net_impair_config config;
	struct base_random random;
	struct base_pool *pool;
	struct net_impair_item **heap; /* [capacity], the earliest on top */
	uint32_t count;
	uint32_t capacity;
	uint64_t order;
	uint64_t busy_until_ns; /* of the bottleneck */
	uint64_t last_due_ns;
	bool losing;
	uint64_t counters[NET_IMPAIR_COUNTER_COUNT];
};

/* Size of a pool element that carries `length` octets. */
static inline uint32_t
net_impair_element_bytes(uint16_t length)
{
	return (uint32_t)sizeof(struct net_impair_item) + length;
}

/* `heap` has `capacity` places and outlives the link; the pool may be shared with other links. */
void net_impair_init(struct net_impair *impair, const struct net_impair_config *config,
	struct base_pool *pool, struct net_impair_item **heap, uint32_t capacity);
/* Gives everything on its way back to the pool. */
void net_impair_fini(struct net_impair *impair);

/* Copies the datagram's octets and description; drops are counted. `now_ns` never goes back. */
void net_impair_push(struct net_impair *impair, const struct base_datagram *datagram, uint64_t now_ns);
/* The next arrival at or before `now_ns`, or NULL. */
struct net_impair_item *net_impair_pop(struct net_impair *impair, uint64_t now_ns);
void net_impair_release(struct net_impair *impair, struct net_impair_item *item);
/* Time of the next arrival, or BASE_NEVER. */
uint64_t net_impair_deadline(const struct net_impair *impair);
/* Changes the link from now on (a rate drop, an outage); what is on its way stays as it is. */
void net_impair_change(struct net_impair *impair, const struct net_impair_config *config);

struct base_counters net_impair_counters(const struct net_impair *impair);

#endif
