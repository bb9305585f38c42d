/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one thing that services send across shards: a message of fixed size, to a connection wherever it is (it follows the
 * owner), to a shard, or to the manager. Posts between two shards keep their order; a post to a connection that moves may overtake
 * another, which the bus (bus.h) puts right by number. A post that finds no place is refused, and the poster counts it: nothing waits
 * for room.
 *
 * A post carries the number of the poster's service and reaches that service alone.
 */
#ifndef SERVICE_POST_H
#define SERVICE_POST_H

#include <stdint.h>

#include "quic/slot.h"

enum { SERVICE_POST_BYTES = 214, SERVICE_POST_HOPS = 4 };
enum { SERVICE_POST_MANAGER = UINT16_MAX };

enum service_post_kind {
	SERVICE_POST_MESSAGE, /* the service's own */
	/* Of the bus: to the topic's home, which is a shard. */
	SERVICE_POST_SUBSCRIBE,
	SERVICE_POST_UNSUBSCRIBE,
	SERVICE_POST_PUBLISH,
	/* From there to a subscriber. */
	SERVICE_POST_SUBSCRIBED,
	SERVICE_POST_REFUSED, /* too many topics or subscribers */
	SERVICE_POST_DELIVER,
	SERVICE_POST_KINDS
};

struct service_post {
	struct quic_handle to;   /* a connection; slot BASE_SLOT_NONE: the shard `shard` */
	struct quic_handle from; /* the poster's connection; slot BASE_SLOT_NONE: its instance */
	uint64_t topic;          /* of the bus */
	uint32_t subscription;   /* of the bus: one life of a connection's subscription */
	uint32_t number;         /* of the bus: counts what is sent to a subscription */
	uint16_t shard;          /* or SERVICE_POST_MANAGER */
	uint16_t from_shard;
	uint16_t via;    /* who put it into the ring it is in */
	uint8_t service; /* from 1, the same on every shard */
	uint8_t kind;    /* enum service_post_kind */
	uint8_t hops;
	uint8_t length;
	uint8_t octets[SERVICE_POST_BYTES];
};

enum service_posted {
	SERVICE_POSTED,
	SERVICE_POST_FULL, /* no place now: later, maybe */
	SERVICE_POST_GONE, /* the connection is over */
	SERVICE_POST_WRONG /* too long, no such shard, or no bus in this gateway */
};

#endif
