/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The neighbours of one interface, IPv4 and IPv6 in one bounded table: RFC 826 and the states of RFC 4861 section
 * 7.3.2 without DELAY, since nothing above confirms reachability.
 *
 *   (none) -> INCOMPLETE: something is to be sent there, a request goes out, datagrams wait (few).
 *   INCOMPLETE, PROBE -> REACHABLE: an answer to our request came.
 *   REACHABLE -> STALE after reachable_ns; STALE -> PROBE when used (the old address serves meanwhile).
 *   INCOMPLETE, PROBE -> (none) after NET_NEIGHBOUR_TRIES requests without an answer.
 *
 * Against poisoning: only a reply to an outstanding request makes or changes an entry. An unsolicited claim of
 * another link address makes us ask again, and no traffic is ever learnt from. Requests are rate-limited, the
 * incomplete entries limited; the oldest incomplete gives way, as does the longest unused stale one.
 *
 * One shard, the resolver, asks; every other has a copy. They exchange struct net_neighbour_update: a copy
 * whose entry wants resolving says WANTED where the resolver would send a request, whoever hears an answer says
 * HEARD, and the resolver says RESOLVED or FAILED to all. A lost update is made good by the next retry.
 */
#ifndef NET_NEIGHBOUR_H
#define NET_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/datagram.h"
#include "base/time.h"
#include "net/frame.h"

enum {
	NET_NEIGHBOURS_MAX = 512,
	NET_NEIGHBOUR_BUCKETS = 512,
	NET_NEIGHBOUR_RECENT = 64,
	NET_NEIGHBOUR_WAITING_MAX = 64, /* datagrams of all incomplete entries together */
	NET_NEIGHBOUR_UPDATES_MAX = 64,
	NET_NEIGHBOUR_REQUESTS_MAX = 32,
	NET_NEIGHBOUR_TRIES = 3,
};

enum net_neighbour_kind {
	NET_NEIGHBOUR_WANTED,
	NET_NEIGHBOUR_HEARD,
	NET_NEIGHBOUR_ANNOUNCED, /* resolver to all: this is the link address */
	NET_NEIGHBOUR_GONE,      /* resolver to all: no answer */
};

/* What shards tell each other. */
struct net_neighbour_update {
	uint8_t kind; /* enum net_neighbour_kind */
	bool reply;   /* HEARD: an ARP reply to us or a solicited advertisement */
	uint8_t mac[NET_MAC_BYTES];
	uint8_t ip[16];
};

struct net_neighbour_config {
	uint16_t capacity;       /* entries, NET_NEIGHBOURS_MAX at most */
	uint16_t incomplete_max; /* entries without a link address */
	uint16_t waiting_max;    /* datagrams waiting per entry */
	uint16_t requests_per_second;
	bool resolver;          /* this copy asks on the wire */
	bool learn_unsolicited; /* believe what nobody asked for; off unless configured */
	uint64_t reachable_ns;
	uint64_t retry_ns;
	uint64_t stale_ns;    /* an unused stale entry is forgotten after this */
	uint8_t hash_key[16]; /* for the table, secret */
};

/* 256 entries, 32 incomplete, 4 waiting, 50 requests a second, 30 s, 1 s, 600 s; resolver. */
extern const struct net_neighbour_config net_neighbour_defaults;

enum net_neighbour_state {
	NET_NEIGHBOUR_FREE,
	NET_NEIGHBOUR_INCOMPLETE,
	NET_NEIGHBOUR_REACHABLE,
	NET_NEIGHBOUR_STALE,
	NET_NEIGHBOUR_PROBE,
	NET_NEIGHBOUR_STATIC,
};

struct net_neighbour {
	uint8_t ip[16];
	uint8_t mac[NET_MAC_BYTES];
	uint8_t state; /* enum net_neighbour_state */
	uint8_t tries;
	bool pinned; /* a gateway: never forgotten, kept fresh, asked for ever */
	uint8_t waiting;
	uint16_t next; /* in its bucket or the free list */
	uint64_t used_ns;
	uint64_t deadline_ns;
};

/* A request to be written: to the neighbour alone when `known`, else to all. */
struct net_neighbour_request {
	uint8_t ip[16];
	uint8_t mac[NET_MAC_BYTES];
	bool known;
};

struct net_neighbours {
	struct net_neighbour_config config;
	uint64_t *counters; /* [NET_COUNTER_COUNT], the interface's */
	uint16_t buckets[NET_NEIGHBOUR_BUCKETS];
	uint16_t free;
	uint16_t recent[NET_NEIGHBOUR_RECENT]; /* found last, by a cheap hash: most traffic goes to few */
	uint16_t in_use;
	uint16_t incomplete;
	uint64_t deadline_ns;
	uint64_t tokens_ns; /* time of the rate limit's bucket */
	uint16_t update_head, update_count, request_head, request_count, waiting_count, released_count;
	struct net_neighbour entries[NET_NEIGHBOURS_MAX];
	struct net_neighbour_update updates[NET_NEIGHBOUR_UPDATES_MAX];
	struct net_neighbour_request requests[NET_NEIGHBOUR_REQUESTS_MAX];
	struct {
		uint16_t entry; /* or one of the marks in neighbour.c: resolved, failed */
		struct base_datagram datagram;
	} waiting[NET_NEIGHBOUR_WAITING_MAX];
};

void net_neighbours_init(
	struct net_neighbours *table, const struct net_neighbour_config *config, uint64_t *counters);

/* An entry that is never asked for. False when the table is full. */
bool net_neighbours_add_static(
	struct net_neighbours *table, const uint8_t ip[16], const uint8_t mac[NET_MAC_BYTES]);
/* A gateway: asked for at once and for ever. False when the table is full. */
bool net_neighbours_pin(struct net_neighbours *table, const uint8_t ip[16], uint64_t now_ns);

/*
 * The link address of a neighbour, or NULL after having begun to ask; the address is valid until the next call.
 * *index is the entry for net_neighbours_hold(), UINT16_MAX when there is no place for it.
 */
const uint8_t *net_neighbours_resolve(
	struct net_neighbours *table, const uint8_t ip[16], uint64_t now_ns, uint16_t *index);
/* Keeps a datagram, buffer included, until the entry is resolved or given up. False: not taken. */
bool net_neighbours_hold(struct net_neighbours *table, uint16_t index, const struct base_datagram *datagram);
/* A datagram that waits no longer; *resolved says whether it can be sent now or is to be freed. */
bool net_neighbours_next_released(
	struct net_neighbours *table, struct base_datagram *datagram, bool *resolved);

/* From the wire (HEARD) or from another shard. */
void net_neighbours_import(
	struct net_neighbours *table, const struct net_neighbour_update *update, uint64_t now_ns);
/* An update for others: WANTED and HEARD for the resolver, ANNOUNCED and GONE from it for all. */
bool net_neighbours_next_update(struct net_neighbours *table, struct net_neighbour_update *update);
bool net_neighbours_next_request(struct net_neighbours *table, struct net_neighbour_request *request);

static inline uint64_t
net_neighbours_deadline(const struct net_neighbours *table)
{
	return table->deadline_ns;
}
void net_neighbours_expire(struct net_neighbours *table, uint64_t now_ns);
/* Asserts counts, chains and states. */
void net_neighbours_check(const struct net_neighbours *table);

#endif
