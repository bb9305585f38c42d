/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/group.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/random.h"
#include "service/host.h"
#include "shard/pool.h"
#include "shard/state.h"

enum {
	LINE_BYTES = 64,
	CONTROL_PLACES = 512,
	NOTICES_SHARE = 32,
	RESULT_PLACES = 2048,
	/* Of them, for results alone; each shard may have seen the same room and write one message. */
	RESULTS_RESERVED = 2 * SHARD_MOVES_MAX + SHARDS_MAX,
	/* A heavy connection has at least a 64th of its shard's weight, and so many samples. */
	HEAVY_PART = 64,
	HEAVY_SAMPLES = 8,
	RULES_PER_WINDOW = 4, /* of a shard: a card may take milliseconds for each */
	/* As many again for those that have another path, of all shards: a client has another as often as it wants. */
	NEWS_RULES_PER_WINDOW = 16,
	NEWS_AT_ONCE = 256,
};

struct group {
	struct shard_group group;
	struct shard_pool views[SHARDS_MAX][QUIC_POOL_COUNT];
};

static const char *const pool_names[QUIC_POOL_COUNT] = {
	[QUIC_POOL_HANDSHAKE] = "handshake",
	[QUIC_POOL_STREAM] = "stream",
	[QUIC_POOL_CHUNK] = "chunk",
	[QUIC_POOL_SENT] = "sent",
};

static bool
fail(char *error, size_t room, const char *what, size_t bytes)
{
	snprintf(error, room,
		"no hugepage memory for %s (%zu MB): lower [memory] connections or reserve more hugepages "
		"(/proc/sys/vm/nr_hugepages)",
		what, bytes >> 20);
	return false;
}

static size_t
pool_bytes(const struct shard_group_config *config, enum quic_pool pool)
{
	return rte_mempool_calc_obj_size(quic_endpoint_pool_bytes(pool), 0, NULL) *
		(size_t)config->pool_elements[pool];
}

static bool
has_posts(const struct shard_group_config *config)
{
	return config->quic_port != 0 && config->seats[0].services != NULL &&
		config->seats[0].services->host != NULL;
}

static size_t
posts_bytes(const struct shard_group_config *config)
{
	return config->shards * shard_mailbox_posts_bytes(config->shards, config->posts_share) +
		shard_mailbox_posts_bytes(config->shards, NOTICES_SHARE);
}

size_t
shard_group_bytes(const struct shard_group_config *config)
{
	size_t bytes = sizeof(struct group);

	if (config->quic_port == 0)
		return bytes;
	bytes += (size_t)config->connections * quic_endpoint_slot_bytes();
	bytes += quic_slots_memory_bytes(config->connections, config->shards);
	for (unsigned i = 0; i < QUIC_POOL_COUNT; i++)
		bytes += pool_bytes(config, (enum quic_pool)i);
	if (has_posts(config))
		bytes += posts_bytes(config);
	return bytes + config->shards * quic_endpoint_bytes(&config->quic.limits);
}

/* Slots lie on the first shard's socket; a region for each socket comes with machines that have them. */
static bool
open_slots(struct shard_group *group, char *error, size_t room)
{
	const struct shard_group_config *config = &group->config;
	int socket = (int)rte_lcore_to_socket_id(config->seats[0].lcore);
	struct quic_slots_config slots = {.count = config->connections,
		.slot_bytes = quic_endpoint_slot_bytes(),
		.region_slots = config->connections,
		.shards = config->shards};
	size_t bytes = (size_t)slots.count * slots.slot_bytes;

	group->slot_memory = rte_zmalloc_socket("slots", bytes, LINE_BYTES, socket);
	if (group->slot_memory == NULL)
		return fail(error, room, "connection slots", bytes);
	bytes = quic_slots_memory_bytes(slots.count, slots.shards);
	group->slot_words = rte_zmalloc_socket("slot words", bytes, LINE_BYTES, socket);
	if (group->slot_words == NULL)
		return fail(error, room, "the slots' ownership words", bytes);
	slots.regions[0] = group->slot_memory;
	quic_slots_init(&group->slots, &slots, group->slot_words);
	return true;
}

static bool
open_pools(struct group *group, char *error, size_t room)
{
	const struct shard_group_config *config = &group->group.config;
	int socket = (int)rte_lcore_to_socket_id(config->seats[0].lcore);

	for (unsigned i = 0; i < QUIC_POOL_COUNT; i++) {
		uint32_t bytes = quic_endpoint_pool_bytes((enum quic_pool)i);
		struct rte_mempool *pool = shard_pool_memory_open(
			pool_names[i], bytes, config->pool_elements[i], config->shards, socket);

		if (pool == NULL)
			return fail(error, room, pool_names[i], pool_bytes(config, (enum quic_pool)i));
		group->group.pools[i] = pool;
		for (uint16_t shard = 0; shard < config->shards; shard++)
			shard_pool_init(&group->views[shard][i], pool, config->shards);
	}
	return true;
}

static bool
open_mailboxes(struct shard_group *group, char *error, size_t room)
{
	for (uint16_t i = 0; i < group->config.shards; i++) {
		int socket = (int)rte_lcore_to_socket_id(group->config.seats[i].lcore);
		char name[32];

		snprintf(name, sizeof(name), "mailbox%u", i);
		if (!shard_mailbox_open(&group->mailboxes[i], name, group->config.mailbox_datagrams,
			    CONTROL_PLACES, socket))
			return fail(error, room, name,
				(size_t)group->config.mailbox_datagrams * 2 * sizeof(void *));
		if (has_posts(&group->config) &&
			!shard_mailbox_open_posts(&group->mailboxes[i], name, group->config.shards,
				group->config.posts_share, socket))
			return fail(error, room, "posts", posts_bytes(&group->config));
	}
	return !has_posts(&group->config) ||
		shard_mailbox_open_posts(
			&group->notices, "notices", group->config.shards, NOTICES_SHARE, SOCKET_ID_ANY) ||
		fail(error, room, "posts", posts_bytes(&group->config));
}

static bool
open_results(struct shard_group *group, char *error, size_t room)
{
	group->results = rte_ring_create_elem("results", sizeof(struct shard_control), RESULT_PLACES,
		SOCKET_ID_ANY, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
	return group->results != NULL ||
		fail(error, room, "results of moves", RESULT_PLACES * sizeof(struct shard_control));
}

/* Shard i has queue i of each port; one that has none sends by the queues' owners in turn. */
static void
use_port(const struct shard_group_config *config, uint8_t index, uint16_t shard, struct shard_port_use *use)
{
	const struct shard_group_port *from = &config->ports[index];
	const struct shard_port_facts *facts = &from->port->facts;

	*use = (struct shard_port_use){.port = from->port,
		.queue = shard < facts->queues ? shard : SHARD_NO_QUEUE,
		.proxy = shard % facts->queues,
		.resolver = 0,
		.interface = from->interface};
	memcpy(use->interface.mac, facts->mac, NET_MAC_BYTES);
	use->interface.port_index = index;
	use->interface.mtu = facts->mtu;
	use->interface.send_flags = facts->send_flags;
	use->interface.neighbours.resolver = shard == use->resolver;
	memcpy(use->interface.neighbours.hash_key, config->quic.entropy,
		sizeof(use->interface.neighbours.hash_key));
}

static bool
open_shard(struct group *group, uint16_t index, char *error, size_t room)
{
	const struct shard_group_config *config = &group->group.config;
	const struct shard_seat *seat = &config->seats[index];
	struct shard_config shard = {.index = index,
		.lcore = seat->lcore,
		.socket = (int)rte_lcore_to_socket_id(seat->lcore),
		.group = &group->group,
		.buffers = seat->buffers,
		.idle = config->idle,
		.port_count = config->port_count,
		.quic = config->quic,
		.tls_memory = seat->tls_memory,
		.services = seat->services,
		.quic_port = config->quic_port,
		.udp_echo_port = config->udp_echo_port};

	for (uint8_t i = 0; i < config->port_count; i++)
		use_port(config, i, index, &shard.ports[i]);
	shard.quic.shard = index;
	shard.quic.steering_words = group->group.steering_words;
	shard.quic.steering_word_count = config->shards;
	shard.quic.crypto = seat->crypto;
	shard.quic.tls_server = seat->tls_server;
	shard.quic.tls_client = seat->tls_client;
	shard.quic.slots = &group->group.slots;
	for (unsigned i = 0; i < QUIC_POOL_COUNT; i++)
		shard.quic.pools[i] = &group->views[index][i].pool;
	/* Each endpoint has unpredictable values of its own. */
	for (unsigned i = 0; i < 4; i++)
		shard.quic.entropy[i] = base_siphash((const uint8_t *)config->quic.entropy,
						&(uint32_t){(uint32_t)(index << 8) + i}, sizeof(uint32_t)) ^
			config->quic.entropy[i];
	group->group.shards[index] = shard_open(&shard, error, room);
	if (group->group.shards[index] == NULL)
		return false;
	group->group.count++;
	return true;
}

struct shard_group *
shard_group_open(const struct shard_group_config *config, char *error, size_t room)
{
	struct group *group = rte_zmalloc("group", sizeof(*group), LINE_BYTES);
	bool ok = group != NULL;

	base_assert(config->moves_max <= SHARD_MOVES_MAX);
	base_assert(
		config->shards > 0 && config->shards <= SHARDS_MAX && config->port_count <= SHARD_PORTS_MAX);
	if (!ok) {
		fail(error, room, "the shards", sizeof(*group));
		return NULL;
	}
	group->group.config = *config;
	shard_clock_init(&group->group.clock);
	for (uint16_t i = 0; i < config->shards; i++)
		group->group.steering_words[i] = shard_steering_word(i);
	if (config->quic_port != 0)
		ok = open_slots(&group->group, error, room) && open_pools(group, error, room);
	ok = ok && open_mailboxes(&group->group, error, room) && open_results(&group->group, error, room);
	for (uint16_t i = 0; ok && i < config->shards; i++)
		ok = open_shard(group, i, error, room);
	if (ok)
		return &group->group;
	shard_group_close(&group->group);
	return NULL;
}

/* What neighbours ask by multicast must come through the card. */
static void
join_groups(const struct shard *shard, uint8_t index)
{
	uint8_t macs[NET_GROUPS_MAX][NET_MAC_BYTES];
	uint8_t count = net_interface_groups(&shard->interfaces[index], macs);
	struct shard_port *port = shard->config.ports[index].port;

	if (!port->ops->join_groups(port, (const uint8_t(*)[NET_MAC_BYTES])macs, count))
		base_log(BASE_LOG_WARNING,
			"port %s: lets no multicast through; IPv6 neighbours may not find us",
			port->facts.name);
}

static void
account_for_steering(struct shard_group *group)
{
	bool tuples = false;

	for (uint8_t port = 0; port < group->steerer.port_count; port++) {
		tuples |= group->steerer.ports[port].level == SHARD_STEERING_TUPLE;
		for (uint16_t i = 0; i < group->count; i++)
			if (group->steerer.ports[port].level == SHARD_STEERING_BUCKETS)
				shard_follow_buckets(group->shards[i], port);
	}
	for (uint16_t i = 0; i < group->count; i++)
		shard_tell_paths(group->shards[i], tuples);
}

void
shard_group_steer(struct shard_group *group)
{
	const struct shard_group_config *config = &group->config;
	struct shard_steerer_config steerer = {.slots = &group->slots,
		.shards = config->shards,
		.udp_port = config->quic_port,
		.clear = config->quic.id_mode == QUIC_CONN_ID_CLEAR,
		.port_count = config->port_count};

	for (uint8_t i = 0; i < config->port_count; i++)
		steerer.ports[i] = config->ports[i].port;
	if (config->quic_port == 0)
		return;
	group->news_rules = NEWS_RULES_PER_WINDOW;
	shard_steerer_open(&group->steerer, &steerer);
	account_for_steering(group);
}

bool
shard_group_start(struct shard_group *group, char *error, size_t room)
{
	for (uint8_t i = 0; i < group->config.port_count; i++)
		join_groups(group->shards[0], i);
	shard_group_steer(group);
	for (uint16_t i = 0; i < group->count; i++) {
		int result = rte_eal_remote_launch(shard_run, group->shards[i], group->config.seats[i].lcore);

		if (result != 0) {
			snprintf(error, room,
				"shard %u: lcore %u cannot run it (%s): name an lcore of the EAL that is not the main one",
				i, group->config.seats[i].lcore, rte_strerror(-result));
			return false;
		}
		while (!shard_running(group->shards[i]))
			nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
	}
	return true;
}

bool
shard_group_stop(struct shard_group *group, uint32_t within_ms)
{
	struct shard_statistics statistics;
	uint32_t left = 0;

	shard_steerer_close(&group->steerer);
	for (uint16_t i = 0; i < group->count; i++)
		shard_stop(group->shards[i], within_ms);
	for (uint16_t i = 0; i < group->count; i++) {
		if (shard_running(group->shards[i]))
			rte_eal_wait_lcore(group->config.seats[i].lcore);
		shard_get_statistics(group->shards[i], &statistics);
		left += statistics.connections;
	}
	return left == 0;
}

void
shard_group_close(struct shard_group *group)
{
	if (group == NULL)
		return;
	for (uint16_t i = 0; i < group->count; i++)
		shard_close(group->shards[i]);
	for (uint16_t i = 0; i < group->config.shards; i++)
		shard_mailbox_close(&group->mailboxes[i]);
	shard_mailbox_close(&group->notices);
	rte_ring_free(group->results);
	for (unsigned i = 0; i < QUIC_POOL_COUNT; i++)
		shard_pool_memory_close(group->pools[i]);
	rte_free(group->slot_memory);
	rte_free(group->slot_words);
	rte_free(group);
}

static enum shard_group_answer
post_move(struct shard_group *group, const struct shard_control_move *move)
{
	struct shard_control control = {.kind = SHARD_CONTROL_MOVE, .from = SHARD_MANAGER, .move = *move};
	struct quic_handle handle = move->handle;
	struct quic_slot_owner owner;

	if (move->target >= group->count)
		return SHARD_MOVE_NO_SHARD;
	if (group->moves_in_flight >= group->config.moves_max)
		return SHARD_MOVE_TOO_MANY;
	if (group->config.quic_port == 0 || !quic_slots_owner(&group->slots, handle.slot, &owner) ||
		owner.state != QUIC_SLOT_OWNED || owner.generation != handle.generation)
		return SHARD_MOVE_NO_CONNECTION;
	group->moves_in_flight++;
	shard_mailbox_post_control(&group->mailboxes[owner.owner], &control);
	return SHARD_MOVE_ASKED;
}

enum shard_group_answer
shard_group_move(struct shard_group *group, struct quic_handle handle, uint16_t target, uint32_t ticket)
{
	return post_move(
		group, &(struct shard_control_move){.handle = handle, .ticket = ticket, .target = target});
}

enum shard_group_answer
shard_group_move_away(struct shard_group *group, struct quic_handle handle, uint16_t target, uint32_t ticket)
{
	return post_move(group,
		&(struct shard_control_move){
			.handle = handle, .ticket = ticket, .target = target, .anywhere = true});
}

bool
shard_group_move_bucket(struct shard_group *group, uint8_t port_index, uint16_t bucket, uint16_t shard)
{
	if (!shard_steerer_move_bucket(&group->steerer, port_index, bucket, shard))
		return false;
	shard_bucket_order(&group->bucket_orders, port_index, bucket, shard,
		shard_clock_ns(&group->clock, shard_clock_cycles()));
	return true;
}

/*
 * News may be of before a move whose result has been taken: then the owner has changed. Who has another path too often loses its rule until it is
 * found heavy again.
 */
static void
take_path(struct shard_group *group, const struct shard_control_move *path)
{
	const uint64_t *counters = group->steerer.counters;
	uint64_t asked = counters[SHARD_STEERER_INSTALLED] + counters[SHARD_STEERER_REFUSED];
	struct quic_slot_owner owner;

	if (path->port_index >= group->steerer.port_count ||
		!quic_slots_owner(&group->slots, path->handle.slot, &owner) || owner.owner != path->target ||
		owner.generation != path->handle.generation)
		return;
	if (group->news_rules == 0) {
		shard_steerer_forget(&group->steerer, path->handle);
		return;
	}
	shard_steerer_moved_on(
		&group->steerer, path->handle, &path->path, (uint8_t)path->port_index, path->target);
	group->news_rules -= counters[SHARD_STEERER_INSTALLED] + counters[SHARD_STEERER_REFUSED] > asked;
}

bool
shard_group_next_result(struct shard_group *group, struct shard_control_move *result)
{
	uint32_t lost = atomic_load_explicit(&group->paths_lost, memory_order_relaxed);
	struct shard_control control;
	uint32_t taken = 0;

	if (lost != group->paths_lost_seen)
		shard_steerer_doubt(&group->steerer);
	group->paths_lost_seen = lost;
	do {
		if (taken++ == NEWS_AT_ONCE ||
			rte_ring_dequeue_elem(group->results, &control, sizeof(control)) != 0)
			return false;
		if (control.kind == SHARD_CONTROL_PATH)
			take_path(group, &control.move);
	} while (control.kind == SHARD_CONTROL_PATH);
	base_assert(group->moves_in_flight > 0);
	group->moves_in_flight--;
	*result = control.move;
	if (result->outcome == SHARD_MOVE_DONE && result->port_index < group->steerer.port_count)
		shard_steerer_follow(&group->steerer, result->handle, &result->path,
			(uint8_t)result->port_index, result->target);
	return true;
}

bool
shard_group_next_notice(struct shard_group *group, struct service_post *post)
{
	return shard_mailbox_take_post(&group->notices, post);
}

void
shard_group_post_result(struct shard_group *group, const struct shard_control *control)
{
	int result = rte_ring_enqueue_elem(group->results, (void *)(uintptr_t)control, sizeof(*control));

	base_assert(result == 0);
}

bool
shard_group_post_path(struct shard_group *group, const struct shard_control *control)
{
	return rte_ring_free_count(group->results) > RESULTS_RESERVED &&
		rte_ring_enqueue_elem(group->results, (void *)(uintptr_t)control, sizeof(*control)) == 0;
}

void
shard_group_lose_paths(struct shard_group *group)
{
	atomic_fetch_add_explicit(&group->paths_lost, 1, memory_order_relaxed);
}

void
shard_group_ask_load(struct shard_group *group, uint32_t window)
{
	group->news_rules = NEWS_RULES_PER_WINDOW;
	for (uint16_t i = 0; i < group->count; i++)
		shard_load_ask(shard_get_load(group->shards[i]), window);
}

/* Also what was placed at accept, and what has another path: whoever is heavy and away from where its hash leads. */
static void
steer_heavy(struct shard_group *group, uint16_t shard, const struct shard_load_report *report)
{
	struct shard_steerer *steerer = &group->steerer;
	const uint64_t *counters = steerer->counters;
	uint64_t installed = counters[SHARD_STEERER_INSTALLED], refused = counters[SHARD_STEERER_REFUSED];

	for (uint16_t i = 0; i < report->count; i++) {
		const struct shard_load_connection *heavy = &report->heavy[i];

		if (heavy->weight < HEAVY_SAMPLES || heavy->weight < report->weight / HEAVY_PART ||
			counters[SHARD_STEERER_INSTALLED] - installed == RULES_PER_WINDOW ||
			counters[SHARD_STEERER_REFUSED] != refused)
			return;
		if (heavy->port_index < steerer->port_count)
			shard_steerer_follow(
				steerer, heavy->handle, &heavy->path, (uint8_t)heavy->port_index, shard);
	}
}

const struct shard_load_report *
shard_group_take_load(struct shard_group *group, uint16_t shard)
{
	const struct shard_load_report *report;

	base_assert(shard < group->count);
	report = shard_load_take(shard_get_load(group->shards[shard]));
	if (report != NULL && report->window != group->windows_steered[shard]) {
		group->windows_steered[shard] = report->window;
		steer_heavy(group, shard, report);
	}
	return report;
}

bool
shard_group_place(struct shard_group *group, uint16_t home, uint16_t target, uint16_t permille)
{
	if (home >= group->count || target >= group->count || permille > SHARD_PLACEMENT_ALL)
		return false;
	atomic_store_explicit(
		&group->placements[home], shard_placement_order(target, permille), memory_order_relaxed);
	return true;
}
