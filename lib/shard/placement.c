/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/placement.h"

#include <string.h>

#include "base/assert.h"
#include "base/reader.h"
#include "base/time.h"

enum {
	LONG_HEADER = 0x80,
	TYPE_SHIFT = 4,
	TYPE_MASK = 3,
	TYPE_INITIAL = 0,
	TYPE_ZERO_RTT = 1,
	VERSION_1 = 1
};
enum { NONE = SHARD_PLACEMENT_PLACES, SETS = SHARD_PLACEMENT_PLACES / SHARD_PLACEMENT_WAYS };

static const char *const counter_names[SHARD_PLACEMENT_COUNTERS] = {
	[SHARD_PLACEMENT_PLACED] = "placed",
	[SHARD_PLACEMENT_REMEMBERED] = "remembered",
	[SHARD_PLACEMENT_OVERWRITTEN] = "overwritten",
};

void
shard_placement_init(struct shard_placement *placement, const struct shard_placement_config *config)
{
	memset(placement, 0, sizeof(*placement));
	placement->config = *config;
	memcpy(placement->keyed.hash_key, config->hash_key, sizeof(config->hash_key));
}

/*
 * The key of the client's ID, 0 for what is neither Initial nor 0-RTT of version 1 (RFC 9000 section 17.2): all others carry IDs of ours, or are
 * answered at home.
 */
static uint64_t
client_key(const struct shard_placement *placement, const struct base_datagram *datagram, uint8_t *type)
{
	struct base_reader reader = base_reader(datagram->octets, datagram->length);
	uint8_t first = base_reader_u8(&reader);
	uint32_t version = base_reader_u32(&reader);
	uint8_t length = base_reader_u8(&reader);
	const uint8_t *dcid = base_reader_octets(&reader, length);

	*type = first >> TYPE_SHIFT & TYPE_MASK;
	if (dcid == NULL || (first & LONG_HEADER) == 0 || version != VERSION_1 || *type > TYPE_ZERO_RTT ||
		length < QUIC_INITIAL_DCID_MIN_BYTES || length > QUIC_CID_MAX_BYTES)
		return 0;
	return quic_initial_key(&placement->keyed, dcid, length, &datagram->path);
}

static uint32_t
find(const struct shard_placement *placement, uint64_t key, uint64_t now_ns)
{
	uint32_t first = (uint32_t)(key % SETS) * SHARD_PLACEMENT_WAYS;

	for (uint32_t i = first; i < first + SHARD_PLACEMENT_WAYS; i++)
		if (placement->keys[i] == key && placement->until_ns[i] > now_ns)
			return i;
	return NONE;
}

static void
keep(struct shard_placement *placement, uint32_t at, uint64_t now_ns)
{
	placement->until_ns[at] = base_time_after(now_ns, placement->config.keep_ns);
	placement->last_ns = placement->until_ns[at];
}

static void
remember(struct shard_placement *placement, uint64_t key, uint16_t target, uint64_t now_ns)
{
	uint32_t first = (uint32_t)(key % SETS) * SHARD_PLACEMENT_WAYS, oldest = first;

	for (uint32_t i = first; i < first + SHARD_PLACEMENT_WAYS; i++)
		if (placement->until_ns[i] < placement->until_ns[oldest])
			oldest = i;
	placement->counters[SHARD_PLACEMENT_OVERWRITTEN] += placement->until_ns[oldest] > now_ns;
	placement->keys[oldest] = key;
	placement->targets[oldest] = target;
	keep(placement, oldest, now_ns);
}

/* The table takes the low bits of the key, the draw its high ones. */
static bool
drawn(uint64_t key, uint16_t permille)
{
	return (key >> 32) * SHARD_PLACEMENT_ALL >> 32 < permille;
}

/* Where the bucket leads by which it came; a shard that there is. */
static uint16_t
home_now(const struct shard_placement *placement, const struct base_datagram *datagram)
{
	const struct shard_placement_config *config = &placement->config;
	struct shard_bucket_order order;

	return config->buckets != NULL && shard_buckets_find(config->buckets, datagram, &order) &&
			order.shard < config->shards
		? order.shard
		: config->self;
}

/* Where what begins now at this home goes. */
static uint16_t
target_of(const struct shard_placement *placement, uint16_t home, uint64_t key)
{
	uint32_t order = atomic_load_explicit(&placement->config.orders[home], memory_order_relaxed);
	uint16_t target = (uint16_t)(order >> 16), permille = (uint16_t)order;

	return target < placement->config.shards && drawn(key, permille) ? target : home;
}

/* True: it was placed, here or elsewhere. */
static bool
place(struct shard_placement *placement, const struct base_datagram *datagram, uint64_t now_ns,
	uint16_t *destination)
{
	const struct shard_placement_config *config = &placement->config;
	uint16_t home = home_now(placement, datagram), target;
	uint8_t type;
	uint64_t key = client_key(placement, datagram, &type);
	uint32_t at;

	if (key == 0)
		return false;
	at = find(placement, key, now_ns);
	if (at != NONE) {
		placement->counters[SHARD_PLACEMENT_REMEMBERED]++;
		keep(placement, at, now_ns);
		*destination = placement->targets[at];
		return true;
	}
	target = target_of(placement, home, key);
	/* RFC 9000 section 14.1: a smaller one begins nothing. */
	if (type != TYPE_INITIAL || datagram->length < QUIC_DATAGRAM_MIN_BYTES ||
		(home == config->self && target == config->self) ||
		quic_endpoint_has_initial(config->endpoint, key))
		return false;
	remember(placement, key, target, now_ns);
	placement->counters[SHARD_PLACEMENT_PLACED]++;
	*destination = target;
	return true;
}

/* Nothing to place and nothing to remember: the way of nearly every burst. */
static bool
has_nothing_to_do(const struct shard_placement *placement, uint64_t now_ns)
{
	const struct shard_placement_config *config = &placement->config;
	uint32_t order = atomic_load_explicit(&config->orders[config->self], memory_order_relaxed);

	return (uint16_t)order == 0 && now_ns >= placement->last_ns &&
		(config->buckets == NULL || !shard_buckets_any(config->buckets));
}

void
shard_placement_burst(struct shard_placement *placement, struct base_datagram *datagrams, uint16_t count,
	uint16_t *destinations, uint64_t now_ns)
{
	if (has_nothing_to_do(placement, now_ns))
		return;
	for (uint16_t i = 0; i < count; i++) {
		struct base_datagram *datagram = &datagrams[i];

		if (destinations[i] != placement->config.self || datagram->slot != BASE_SLOT_NONE ||
			datagram->placed || datagram->length == 0 || (datagram->octets[0] & LONG_HEADER) == 0)
			continue;
		datagram->placed = place(placement, datagram, now_ns, &destinations[i]);
	}
}

struct base_counters
shard_placement_counters(const struct shard_placement *placement)
{
	return (struct base_counters){.library = "placement",
		.names = counter_names,
		.values = placement->counters,
		.count = SHARD_PLACEMENT_COUNTERS};
}
