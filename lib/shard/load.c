/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/load.h"

#include <string.h>

#include "base/assert.h"
#include "quic/conn.h"
#include "quic/move.h"
#include "shard/bucket.h"

/* A datagram takes off less than the shortest distance, so each brings one sample at most. */
enum {
	DISTANCE_MIN = 2,
	DISTANCE_SPAN = 2 * (SHARD_LOAD_DISTANCE - DISTANCE_MIN) + 1,
	NONE = SHARD_LOAD_PLACES
};
_Static_assert((int)DISTANCE_MIN >= (int)SHARD_LOAD_RECEIVED, "no datagram is seen twice");

static int32_t
draw(struct shard_load *load)
{
	return DISTANCE_MIN + (int32_t)((base_random_next(&load->random) >> 32) * DISTANCE_SPAN >> 32);
}

static void
clear(struct shard_load *load)
{
	load->samples = 0;
	for (uint32_t i = 0; i < SHARD_LOAD_PLACES; i++) {
		load->slots[i] = BASE_SLOT_NONE;
		load->ranks[i] = (int32_t)i;
		load->errors[i] = 0;
	}
	for (uint32_t i = 0; i < SHARD_PORTS_MAX; i++)
		memset(load->buckets[i], 0, load->bucket_counts[i] * sizeof(load->buckets[i][0]));
}

void
shard_load_init(struct shard_load *load, uint64_t seed, uint64_t now_ns)
{
	memset(load, 0, sizeof(*load));
	base_random_init(&load->random, seed);
	load->credit = draw(load);
	load->from_ns = now_ns;
	clear(load);
}

void
shard_load_count_buckets(
	struct shard_load *load, uint8_t port_index, uint16_t reta_size, const struct net_rss *rss)
{
	base_assert(port_index < SHARD_PORTS_MAX && reta_size > 0 && reta_size <= NET_RSS_RETA_MAX);
	load->bucket_counts[port_index] = reta_size;
	load->rss[port_index] = rss;
}

/* The card's own hash if the datagram has one. */
static uint16_t
bucket_of(
	const struct shard_load *load, uint16_t port_index, const struct base_path *path, uint32_t tuple_hash)
{
	if (port_index >= SHARD_PORTS_MAX || load->bucket_counts[port_index] == 0)
		return SHARD_LOAD_NO_BUCKET;
	return shard_bucket_of(load->rss[port_index], load->bucket_counts[port_index], path, tuple_hash);
}

/* Samples, less those that may be another's. */
static uint32_t
weight_of(const struct shard_load *load, uint32_t at)
{
	return (uint32_t)(load->ranks[at] / SHARD_LOAD_PLACES) - load->errors[at];
}

/* Both of 32 bits and without an early end, so that any compiler takes several places at a time. */
static uint32_t
find(const struct shard_load *load, uint32_t slot)
{
	uint32_t at = NONE;

	for (uint32_t i = 0; i < SHARD_LOAD_PLACES; i++)
		at = load->slots[i] == slot ? i : at;
	return at;
}

static uint32_t
least(const struct shard_load *load)
{
	int32_t rank = INT32_MAX;

	for (uint32_t i = 0; i < SHARD_LOAD_PLACES; i++)
		rank = load->ranks[i] < rank ? load->ranks[i] : rank;
	return (uint32_t)rank % SHARD_LOAD_PLACES;
}

/* Space saving: the least gives way, and its count is what the newcomer may have too much. An earlier life of the slot is over. */
static void
count_connection(struct shard_load *load, uint32_t slot, uint32_t generation)
{
	uint32_t at = find(load, slot);

	if (at == NONE || load->generations[at] != generation) {
		at = at == NONE ? least(load) : at;
		load->slots[at] = slot;
		load->generations[at] = generation;
		load->errors[at] = (uint32_t)(load->ranks[at] / SHARD_LOAD_PLACES);
	}
	load->ranks[at] += SHARD_LOAD_PLACES;
}

void
shard_load_sample(struct shard_load *load, const struct base_datagram *datagram)
{
	uint16_t bucket;

	load->credit += draw(load);
	load->samples++;
	if (datagram->slot == BASE_SLOT_NONE)
		return;
	count_connection(load, datagram->slot, datagram->generation);
	bucket = bucket_of(load, datagram->port_index, &datagram->path, datagram->tuple_hash);
	if (bucket != SHARD_LOAD_NO_BUCKET)
		load->buckets[datagram->port_index][bucket]++;
}

/* False: it has closed, or has gone to another shard. */
static bool
describe(const struct shard_load *load, const struct shard_load_sources *sources, uint32_t at,
	struct shard_load_connection *connection)
{
	struct quic_handle handle = {load->slots[at], load->generations[at]};
	struct quic_conn *conn =
		sources->endpoint != NULL ? quic_endpoint_find(sources->endpoint, handle) : NULL;

	if (conn == NULL)
		return false;
	*connection = (struct shard_load_connection){.handle = handle,
		.weight = weight_of(load, at),
		.movable = quic_conn_movable(conn, sources->now_ns) &&
			(sources->services == NULL || service_can_move(sources->services, conn)),
		.port_index = quic_conn_port_index(conn),
		.moved_ns = quic_conn_moved_ns(conn),
		.path = *quic_conn_path(conn)};
	connection->bucket = bucket_of(load, connection->port_index, &connection->path, 0);
	return true;
}

/* Places by weight, the heaviest first; returns how many have any. */
static uint32_t
rank(const struct shard_load *load, uint8_t *order)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < SHARD_LOAD_PLACES; i++) {
		uint32_t weight = weight_of(load, i), at = count;

		if (weight == 0)
			continue;
		for (; at > 0 && weight_of(load, order[at - 1]) < weight; at--)
			order[at] = order[at - 1];
		order[at] = (uint8_t)i;
		count++;
	}
	return count;
}

static void
begin_window(struct shard_load *load, const struct shard_load_sources *sources)
{
	load->from_ns = sources->now_ns;
	load->busy_cycles = sources->busy_cycles;
	load->idle_cycles = sources->idle_cycles;
	clear(load);
}

void
shard_load_publish(struct shard_load *load, const struct shard_load_sources *sources)
{
	uint32_t asked = atomic_load_explicit(&load->asked, memory_order_acquire);
	struct shard_load_report *report = &load->report;
	uint8_t order[SHARD_LOAD_PLACES];
	uint32_t ranked = rank(load, order);

	base_assert(shard_load_wanted(load));
	report->window = asked;
	report->from_ns = load->from_ns;
	report->to_ns = sources->now_ns;
	report->busy_cycles = sources->busy_cycles - load->busy_cycles;
	report->idle_cycles = sources->idle_cycles - load->idle_cycles;
	report->weight = load->samples;
	report->count = 0;
	for (uint32_t i = 0; i < ranked && report->count < SHARD_LOAD_HEAVY_MAX; i++)
		report->count += describe(load, sources, order[i], &report->heavy[report->count]);
	for (uint32_t i = 0; i < SHARD_PORTS_MAX; i++) {
		report->bucket_counts[i] = load->bucket_counts[i];
		memcpy(report->buckets[i], load->buckets[i],
			load->bucket_counts[i] * sizeof(load->buckets[i][0]));
	}
	begin_window(load, sources);
	atomic_store_explicit(&load->published, asked, memory_order_release);
}

bool
shard_load_ask(struct shard_load *load, uint32_t window)
{
	uint32_t asked = atomic_load_explicit(&load->asked, memory_order_relaxed);

	base_assert(window != 0 && window != asked);
	if (atomic_load_explicit(&load->published, memory_order_acquire) != asked)
		return false;
	/* What was read of the last report has been read before the shard sees this. */
	atomic_store_explicit(&load->asked, window, memory_order_release);
	return true;
}

const struct shard_load_report *
shard_load_take(const struct shard_load *load)
{
	uint32_t asked = atomic_load_explicit(&load->asked, memory_order_relaxed);

	if (asked == 0 || atomic_load_explicit(&load->published, memory_order_acquire) != asked)
		return NULL;
	return &load->report;
}
