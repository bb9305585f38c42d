/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The home of topics: what one shard knows of those that are at home on it. A topic is a 64-bit number (host.h makes it of a name) whose
 * home is the shard `number mod shards`; there is the list of its subscribers, connections on any shard, by handle. What is published comes
 * here as a post and goes out as one post for each subscriber, so that all see one order.
 *
 * What is sent to a subscription is counted from 0, the confirmation first, modulo 2^32, and the count goes up only when the post was taken: the
 * subscriber's shard restores the order (member.h) when posts overtake each other behind a connection that moves. A subscriber whose
 * connection is over is found out when something is sent to it, or when there is no room for another.
 *
 * Memory is taken at start; belongs to one shard.
 */
#ifndef SERVICE_BUS_H
#define SERVICE_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counters.h"
#include "quic/slot.h"
#include "service/post.h"

struct service_bus_limits {
	uint32_t topics;            /* at home on one shard */
	uint32_t subscribers;       /* of all of them together */
	uint32_t topic_subscribers; /* of one */
};

enum service_bus_counter {
	SERVICE_BUS_SUBSCRIBED,
	SERVICE_BUS_UNSUBSCRIBED,
	SERVICE_BUS_GONE,    /* subscribers whose connection was over */
	SERVICE_BUS_REFUSED, /* no room for a topic or a subscriber */
	SERVICE_BUS_PUBLISHED,
	SERVICE_BUS_SENT,      /* one for each subscriber */
	SERVICE_BUS_DROP_FULL, /* a subscriber's shard had no place: it misses one */
	SERVICE_BUS_COUNTERS
};

struct service_bus_topic;
struct service_bus_subscriber;

struct service_bus {
	struct service_bus_limits limits;
	const struct quic_slots *slots; /* borrowed */
	enum service_posted (*send)(void *with, struct service_post *post);
	void *with;
	struct service_bus_topic *topics; /* open addressing, a power of two of them */
	uint32_t topic_mask, topic_count;
	struct service_bus_subscriber *subscribers;
	uint32_t free_first;
	uint32_t owed; /* subscribers that have not been told yet that they are */
	uint32_t scan; /* where the next look for those, or for subscribers that are over, begins */
	uint64_t counters[SERVICE_BUS_COUNTERS];
};

/* Octets of memory, aligned to 64. */
size_t service_bus_bytes(const struct service_bus_limits *limits);
void service_bus_init(struct service_bus *bus, const struct service_bus_limits *limits, void *memory);
/* Before the first post; `slots` tells whose connection is over, `send` is that of the shard. */
void service_bus_bind(struct service_bus *bus, const struct quic_slots *slots,
	enum service_posted (*send)(void *with, struct service_post *post), void *with);
/* A post of the kinds SUBSCRIBE, UNSUBSCRIBE and PUBLISH. */
void service_bus_take(struct service_bus *bus, const struct service_post *post);
/* Once in a turn: sends what is owed, a bounded number. */
void service_bus_turn(struct service_bus *bus);
/* Subscribers of a topic, for tests. */
uint32_t service_bus_count(const struct service_bus *bus, uint64_t topic);
struct base_counters service_bus_counters(const struct service_bus *bus);

#endif
