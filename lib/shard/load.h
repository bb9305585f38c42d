/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a shard tells the manager of its work: how busy it was in a window, and which connections made it so. No DPDK: the simulator
 * of several shards has it too.
 *
 * Nobody walks over slots and nobody counts every packet. Each datagram that is received for a connection or sent by one weighs
 * something, and about every SHARD_LOAD_DISTANCE weights, at a distance drawn at random so that no pattern of the traffic can hide from it or
 * be seen too often, one is looked at: a sample. Samples are counted by connection in a small table (space saving, Metwally 2005): who is not in it takes
 * the place of the least and inherits its count as a possible error, so every connection with more than one sample in
 * SHARD_LOAD_PLACES is in it at the end. What is reported is the count less the possible error: never too much, and exact for whoever was there
 * from the beginning.
 *
 * The cycles of a connection are about busy_cycles * weight / report.weight. What belongs to no connection (the first Initial,
 * a stateless answer) is in report.weight alone.
 *
 * Windows are the manager's. It asks (shard_load_ask), the shard publishes at the end of its next turn (shard_load_publish), the manager reads
 * (shard_load_take) and asks again. One buffer is enough: the shard writes it only between the question and the answer, the manager reads it only
 * between the answer and the next question.
 */
#ifndef SHARD_LOAD_H
#define SHARD_LOAD_H

#include <stdatomic.h>

#include "base/random.h"
#include "net/rss.h"
#include "shard/shard.h"

enum {
	SHARD_LOAD_HEAVY_MAX = 16, /* connections in a report */
	SHARD_LOAD_PLACES = 64,    /* connections that are counted at once */
	SHARD_LOAD_DISTANCE =
		24, /* weight from one sample to the next, on average: about one datagram in 16 */
};

/* What a datagram weighs: a received one costs about twice as much as one sent (perf/NOTEBOOK.md). */
enum shard_load_kind { SHARD_LOAD_SENT = 1, SHARD_LOAD_RECEIVED = 2 };

#define SHARD_LOAD_NO_BUCKET UINT16_MAX

struct shard_load_connection {
	struct quic_handle handle;
	uint32_t weight;       /* samples in the window */
	bool movable;          /* a move that began now would not be refused; its service agrees */
	uint16_t port_index;   /* that its path comes by */
	uint16_t bucket;       /* of that port, or SHARD_LOAD_NO_BUCKET: they are not counted */
	uint64_t moved_ns;     /* when its last move ended, whichever way; 0: never */
	struct base_path path; /* now */
};

/* Times are those of the group's clock, which is not the management thread's. */
struct shard_load_report {
	uint32_t window; /* as it was asked for */
	uint64_t from_ns;
	uint64_t to_ns;
	uint64_t busy_cycles; /* in the window */
	uint64_t idle_cycles;
	uint32_t weight; /* samples in the window, those without a connection too */
	uint16_t count;
	struct shard_load_connection
		heavy[SHARD_LOAD_HEAVY_MAX]; /* the heaviest first; only those owned now */
	/* By port and hash % reta_size: samples of the datagrams of the shard's own connections, in and out. */
	uint16_t bucket_counts[SHARD_PORTS_MAX]; /* reta_size; 0: this port's are not counted */
	uint32_t buckets[SHARD_PORTS_MAX][NET_RSS_RETA_MAX];
};

struct shard_load {
	/* The shard's. */
	int32_t credit; /* weight until the next sample */
	uint32_t samples;
	uint32_t slots[SHARD_LOAD_PLACES];
	uint32_t generations[SHARD_LOAD_PLACES];
	int32_t ranks
		[SHARD_LOAD_PLACES]; /* count * SHARD_LOAD_PLACES + place: the smallest says where it is */
	uint32_t errors[SHARD_LOAD_PLACES]; /* of the count: as much may be another's */
	struct base_random random;
	uint64_t from_ns;
	uint64_t busy_cycles; /* when the window began */
	uint64_t idle_cycles;
	const struct net_rss *rss[SHARD_PORTS_MAX];
	uint16_t bucket_counts[SHARD_PORTS_MAX];
	uint32_t buckets[SHARD_PORTS_MAX][NET_RSS_RETA_MAX];

	/* Between both. */
	_Alignas(64) _Atomic uint32_t asked; /* written by the manager, */
	_Atomic uint32_t published;          /* and by the shard: equal to asked once it is answered */
	struct shard_load_report report;
};

/* The first window begins. Cycles are running totals, here and below. */
void shard_load_init(struct shard_load *load, uint64_t seed, uint64_t now_ns);
/* Before the shard runs: the work of this port's datagrams is counted by bucket from now on. `rss` is borrowed. */
void shard_load_count_buckets(
	struct shard_load *load, uint8_t port_index, uint16_t reta_size, const struct net_rss *rss);

/* This one is looked at. */
void shard_load_sample(struct shard_load *load, const struct base_datagram *datagram);

/* For each datagram given to the endpoint, or got from it: slot and generation say whose it is. */
static inline void
shard_load_count(struct shard_load *load, const struct base_datagram *datagram, enum shard_load_kind kind)
{
	load->credit -= (int32_t)kind;
	if (__builtin_expect(load->credit <= 0, 0))
		shard_load_sample(load, datagram);
}

/* For the shard, at the end of each turn: whether the manager wants to know. */
static inline bool
shard_load_wanted(const struct shard_load *load)
{
	return atomic_load_explicit(&load->asked, memory_order_acquire) !=
		atomic_load_explicit(&load->published, memory_order_relaxed);
}

struct shard_load_sources {
	struct quic_endpoint *endpoint; /* may be NULL: no QUIC */
	struct service_set *services;   /* may be NULL */
	uint64_t now_ns;
	uint64_t busy_cycles; /* since the beginning */
	uint64_t idle_cycles;
};
/* The answer: the window ends and the next one begins. Only if it is wanted. */
void shard_load_publish(struct shard_load *load, const struct shard_load_sources *sources);

/* For the manager: the next answer is to have this number, not 0, and another than the last. False: the last question has not been answered. */
bool shard_load_ask(struct shard_load *load, uint32_t window);
/* The answer to the last question, to be read until the next; NULL: it is not there yet, or nothing was asked. */
const struct shard_load_report *shard_load_take(const struct shard_load *load);

#endif
