/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection's part in posts and topics: how fast it may post, what it has subscribed to, and what came too early. It belongs to
 * the owner of the connection and moves with it; the elements are of pools that all shards share.
 *
 * What a subscription is sent is numbered from 0 (bus.h). When a connection moves, what was sent to its old shard is passed on and may
 * come after what was sent to the new one: what is too early is held until the rest is there. A number that does not come within a time
 * was lost, which is counted where it was lost, and is given up.
 */
#ifndef SERVICE_MEMBER_H
#define SERVICE_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/pool.h"
#include "quic/slot.h"
#include "service/post.h"

enum { SERVICE_SUBSCRIPTIONS_MAX = 4, SERVICE_MEMBER_HELD_MAX = 64 };

struct service_subscription {
	uint64_t topic;
	uint32_t id;          /* 0: none */
	uint32_t next_number; /* wraps */
	uint8_t service;
};

/* A post that came too early. */
struct service_held {
	struct base_list link;
	struct service_post post;
};

struct service_member {
	struct quic_handle handle;
	struct base_list waiting; /* in its shard's list: it wants to hear when it may post again */
	struct base_list holding; /* in its shard's list: something is held */
	bool is_waiting;
	uint16_t held_count;
	uint64_t due_ns;        /* its next post by the rate; posts may be ahead of it by the burst */
	uint64_t held_since_ns; /* the oldest gap */
	struct base_list held;
	struct service_subscription subscriptions[SERVICE_SUBSCRIPTIONS_MAX];
};

void service_member_init(struct service_member *member, struct quic_handle handle);
/* Gives back what it holds. */
void service_member_fini(struct service_member *member, struct base_pool *held);

/* Whether one more may be posted now, `interval_ns` apart in the long run and `burst` at once; if so it is counted. */
bool service_member_may_post(
	struct service_member *member, uint64_t now_ns, uint64_t interval_ns, uint32_t burst);
/* That post was not taken. */
void service_member_unpost(struct service_member *member, uint64_t interval_ns);
/* When one more may be posted. */
uint64_t service_member_post_ns(const struct service_member *member, uint64_t interval_ns, uint32_t burst);

/* NULL: none. */
struct service_subscription *service_member_by_topic(struct service_member *member, uint64_t topic);
struct service_subscription *service_member_by_id(struct service_member *member, uint32_t id);
/* A free one is taken and given this id; NULL: there are too many. */
struct service_subscription *service_member_subscribe(
	struct service_member *member, uint64_t topic, uint32_t id, uint8_t service);
/* Forgets it and what is held of it. */
void service_member_unsubscribe(
	struct service_member *member, struct service_subscription *subscription, struct base_pool *held);

enum service_order {
	SERVICE_ORDER_NEXT, /* the one that is expected: deliver it, then what service_member_next() brings */
	SERVICE_ORDER_HELD, /* kept for later */
	SERVICE_ORDER_PAST, /* its place was given up */
	SERVICE_ORDER_FULL  /* no place to hold it: as if it had not come */
};
enum service_order service_member_order(struct service_member *member,
	struct service_subscription *subscription, const struct service_post *post, struct base_pool *held,
	uint64_t now_ns);
/* The next that is held and expected now, copied out; false: none. */
bool service_member_next(struct service_member *member, struct base_pool *held, struct service_post *post);
/* Gives up what all subscriptions wait for: how many numbers. service_member_next() brings the rest. */
uint32_t service_member_give_up(struct service_member *member);

#endif
