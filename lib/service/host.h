/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a service may ask of the shard it runs on: posts to a connection, to a shard and to the manager, and the bus, by which
 * connections on all shards hear what is published on a topic. The shard gives the way out (`send`) and the time; this side sees to it
 * that one connection does not take the places of all others, that a connection hears what is published in one order, and that nothing is
 * left behind when it ends.
 *
 * A post or publication by a connection that is refused as FULL is told again: on_room() of its service is called when it may try once more.
 * Nothing is delivered from within these calls.
 *
 * One host per shard, in its service set; set->host is NULL in a gateway without.
 */
#ifndef SERVICE_HOST_H
#define SERVICE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counters.h"
#include "base/list.h"
#include "service/bus.h"
#include "service/member.h"
#include "service/service.h"

struct service_host_limits {
	struct service_bus_limits bus;
	uint32_t posts_per_s; /* by one connection in the long run, and at once */
	uint32_t posts_burst;
	uint32_t posts_per_turn; /* that a shard takes */
	uint64_t hold_ns;        /* what came too early waits so long for what is missing */
};

struct service_host_config {
	uint16_t self, shards; /* as service_host_shard has them, for who asks before */
	struct service_host_limits limits;
	uint8_t topic_key[16]; /* SipHash key of topics; the same on all shards, and nobody else's */
	struct service_member *
		*members; /* [slots], all NULL; shared by all shards, each touches those of its connections */
	struct base_pool *member_pool; /* struct service_member, struct service_held; shared elements */
	struct base_pool *held_pool;
	void *bus_memory; /* service_bus_bytes(), aligned to 64 */
};

/* What the shard gives. */
struct service_host_shard {
	uint16_t self, shards;
	const struct quic_slots *slots;
	struct quic_endpoint *endpoint;
	enum service_posted (*send)(void *with, struct service_post *post);
	void *with;
};

enum service_host_counter {
	SERVICE_HOST_TOO_FAST, /* a connection was over its rate, and waits */
	SERVICE_HOST_NO_MEMBER, /* no memory for one more connection that posts, subscribes, or is an object's */
	SERVICE_HOST_OTHERS,    /* dropped: for a connection of another service */
	SERVICE_HOST_LATE,      /* dropped: of a subscription that has ended */
	SERVICE_HOST_HELD,      /* came too early and were put in order */
	SERVICE_HOST_DROP_HELD, /* dropped: came too early, and no place to hold it */
	SERVICE_HOST_GIVEN_UP,  /* numbers that did not come in time: lost, and counted there too */
	SERVICE_HOST_COUNTERS
};

struct service_host {
	struct service_host_config config;
	struct service_host_shard shard;
	struct service_set *set;
	struct service_bus bus;
	uint64_t now_ns;
	uint64_t interval_ns;
	uint32_t last_subscription;
	struct base_list waiting, holding;
	uint64_t counters[SERVICE_HOST_COUNTERS];
};

/* Becomes the host of `set`. */
void service_host_init(
	struct service_host *host, const struct service_host_config *config, struct service_set *set);
/* Before the first turn, and after the last: without a shard every post is WRONG. */
void service_host_bind(struct service_host *host, const struct service_host_shard *shard);
void service_host_unbind(struct service_host *host);

/* ---- for services: `service` is the number of the one that asks, `conn` its connection, or NULL for its instance ---- */

enum service_posted service_host_post(struct service_host *host, uint8_t service, struct quic_conn *conn,
	struct quic_handle to, const void *octets, size_t length);
enum service_posted service_host_post_shard(struct service_host *host, uint8_t service,
	struct quic_conn *conn, uint16_t shard, const void *octets, size_t length);
/* Text for the operator: the manager puts it into the log, so many lines a second. */
enum service_posted service_host_post_manager(struct service_host *host, uint8_t service,
	struct quic_conn *conn, const void *octets, size_t length);
/* The topic of a name; topics of different services never meet. */
uint64_t service_host_topic(
	const struct service_host *host, uint8_t service, const void *name, size_t length);
enum service_posted service_host_publish(struct service_host *host, uint8_t service, struct quic_conn *conn,
	uint64_t topic, const void *octets, size_t length);
/* on_message() brings SUBSCRIBED or REFUSED, then what is published. WRONG also when it is subscribed already, or to too many. */
enum service_posted service_host_subscribe(struct service_host *host, struct quic_conn *conn, uint64_t topic);
/* From now on nothing of it comes. Subscriptions end with the connection by themselves. */
void service_host_unsubscribe(struct service_host *host, struct quic_conn *conn, uint64_t topic);

/* ---- for the shard ---- */

/* A post that has arrived; `conn` is NULL when it is for the shard. */
void service_host_deliver(struct service_host *host, struct quic_conn *conn, const struct service_post *post);
/* Once in a turn, before posts are taken. */
void service_host_turn(struct service_host *host, uint64_t now_ns);
/* When the next turn is wanted at the latest. */
uint64_t service_host_deadline(const struct service_host *host);
/* Of what moves and what ends. */
void service_host_detach(struct service_host *host, struct quic_conn *conn);
void service_host_attach(struct service_host *host, struct quic_conn *conn);
void service_host_closed(struct service_host *host, struct quic_conn *conn);
struct base_counters service_host_counters(const struct service_host *host);

#endif
