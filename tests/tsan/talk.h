/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A service whose connections echo what they are sent, and at every event do one of all that a service may ask of its host: posts to any
 * connection, to any shard and to the manager, publications, subscriptions. Each message has the poster's shard and a number, and octets
 * that follow from them. What is heard is looked at here; what became of the rest, the counters have to say (talk_check()).
 */
#ifndef TESTS_TSAN_TALK_H
#define TESTS_TSAN_TALK_H

#include <stdatomic.h>

#include "base/random.h"
#include "service/host.h"
#include "shard/pool.h"
#include "tests/shard/live.h"

enum { TALK_TOPICS = 3, TALK_SLOTS = 64, TALK_NUMBERS = 1 << 18, TALK_RECORDS = 2048, TALK_RECORD = 512 };

/* What one subscription has heard, in its order. */
struct talk_record {
	uint32_t topic;
	uint32_t count;
	uint32_t ids[TALK_RECORD]; /* of messages */
};

/* Of a connection: plain memory that its owner writes. */
struct talk_conn {
	struct quic_handle handle;
	uint16_t shard; /* that it is attached to */
	uint64_t heard;
	struct talk_record *records[TALK_TOPICS]; /* NULL: not subscribed, or not confirmed */
};

enum talk_counter {
	TALK_MESSAGES,  /* taken of us: posts to connections and to shards */
	TALK_NOTICES,   /* posts to the manager */
	TALK_PUBLISHED, /* publications */
	TALK_FULL,      /* refused */
	TALK_GONE,
	TALK_HEARD,     /* of the messages */
	TALK_TOPIC,     /* of what was published */
	TALK_CONFIRMED, /* subscriptions */
	TALK_REFUSED,
	TALK_ROOM, /* told that it may post again */
	TALK_COUNTERS
};

struct talk_shard {
	_Alignas(64) struct service_set set;
	struct service_host host;
	struct service_echo echo;
	struct shard_pool members, held;
	void *bus_memory;
	uint16_t index;
	struct base_random random;
	uint32_t number;                /* of its last message */
	uint32_t last[LIVE_SHARDS_MAX]; /* that came to this shard, of each poster */
	uint64_t counters[TALK_COUNTERS];
};

struct talk {
	struct rte_mempool *members, *held;
	struct service_member *of_slot[TALK_SLOTS];
	struct talk_conn conns[TALK_SLOTS];
	struct talk_shard shards[LIVE_SHARDS_MAX];
	_Atomic uint32_t record_count;
	struct talk_record records[TALK_RECORDS];
	_Atomic uint8_t heard[LIVE_SHARDS_MAX][TALK_NUMBERS];
	/* The manager. */
	uint32_t last[LIVE_SHARDS_MAX];
	uint64_t notices;
};

/* There is one. */
extern struct talk talk;

/* For struct live_options. */
void talk_prepare(struct live *live);
/* The manager's turn. */
void talk_take_notices(struct live *live);
/* Shards have nothing left to take. */
bool talk_silent(const struct live *live);
/* After the shards have stopped: asserts that each post is accounted for, and that topics have one order. */
void talk_check(const struct live *live);
void talk_close(void);

#endif
