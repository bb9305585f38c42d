/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shards on lcores of their own that pass connections on by the real ownership words (quic/slot.h), routing (shard/route.h), moves
 * (shard/move.h) and mailboxes (shard/mailbox.h). QUIC alone is not there: words_conn.c stands in its place, with a connection
 * that is plain memory in its slot, written by each datagram, and a peer that switches when chance wants it to. Datagrams arrive at
 * random shards, connections end and slots are taken again all the while.
 */
#ifndef TESTS_TSAN_WORDS_H
#define TESTS_TSAN_WORDS_H

#include <stdatomic.h>

#include "base/random.h"
#include "quic/slot.h"
#include "shard/move.h"
#include "shard/route.h"

struct rte_mempool;

enum { WORDS_SHARDS = 3, WORDS_SLOTS = 24, WORDS_SWITCHED = 64, WORDS_FILL = 24 };

/* In its slot. */
struct quic_conn {
	struct quic_endpoint *endpoint; /* NULL: between two */
	struct quic_handle handle;
	enum quic_move_state move;
	bool expired; /* the move has ended, its IDs have not */
	uint16_t target;
	uint64_t settled_ns;
	struct base_path path; /* told with the result of a move */
	uint64_t datagrams;
	uint64_t fill[WORDS_FILL]; /* all of them `datagrams` */
};

struct quic_endpoint {
	uint16_t shard;
	struct quic_slots *slots;
	struct base_random random;
	uint32_t switched_count;
	struct quic_handle switched[WORDS_SWITCHED];
};

/* ---- words_conn.c ---- */
/* A new connection in a slot that was taken. */
void words_conn_open(struct quic_endpoint *endpoint, struct quic_handle handle);
/* A datagram for it. Asserts that nobody else has touched it. */
void words_conn_receive(struct quic_endpoint *endpoint, struct quic_handle handle);
/* Chance ends its move. */
void words_conn_expire(struct quic_endpoint *endpoint, struct quic_conn *conn);

enum words_counter {
	WORDS_ARRIVED,
	WORDS_HANDLED,
	WORDS_HANDED,
	WORDS_FREE,         /* dropped: its connection has ended */
	WORDS_MAILBOX_FULL, /* dropped */
	WORDS_HOPS,         /* dropped */
	WORDS_OPENED,
	WORDS_CLOSED,
	WORDS_COUNTERS
};

enum words_stage { WORDS_BUSY, WORDS_NOTHING_NEW, WORDS_END };

struct words_shard {
	_Alignas(64) struct words *words;
	uint16_t index;
	struct quic_endpoint endpoint;
	struct shard_router router;
	struct shard_moves moves;
	void *crypto_memory;
	_Atomic uint64_t counters[WORDS_COUNTERS];
	_Atomic bool ended; /* what DPDK's waiting for an lcore says, ThreadSanitizer does not see */
};

struct words {
	struct quic_slots slots;
	void *words_memory, *slot_memory;
	struct rte_mempool *buffers;
	struct shard_mailbox mailboxes[WORDS_SHARDS + 1]; /* the last one is the manager's */
	struct words_shard shards[WORDS_SHARDS];
	_Atomic uint32_t stage; /* enum words_stage */
};

/* ---- words_shard.c ---- */
struct words *words_open(void);
/* Asserts that every buffer has come back. */
void words_close(struct words *words);
/* A shard's life, for rte_eal_remote_launch(). */
int words_run(void *shard);
uint64_t words_sum(const struct words *words, enum words_counter counter);

#endif
