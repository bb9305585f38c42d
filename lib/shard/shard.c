/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/shard.h"

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_pause.h>

#include "base/assert.h"
#include "base/log.h"
#include "service/host.h"
#include "shard/group.h"
#include "shard/state.h"
#include "tls/tls.h"

enum { LINE_BYTES = 64, EVENTS_PER_TURN = 4096, TURNS_PER_HOUSEKEEPING = 1024 };

const char *const shard_counter_names[SHARD_COUNTER_COUNT] = {
	[SHARD_TURNS] = "turns",
	[SHARD_TURNS_IDLE] = "turns_idle",
	[SHARD_SLEEPS] = "sleeps",
	[SHARD_FRAMES_RECEIVED] = "frames_received",
	[SHARD_FRAMES_SENT] = "frames_sent",
	[SHARD_OCTETS_RECEIVED] = "octets_received",
	[SHARD_OCTETS_SENT] = "octets_sent",
	[SHARD_DATAGRAMS_OWN] = "datagrams_own",
	[SHARD_DATAGRAMS_HANDED] = "datagrams_handed",
	[SHARD_DATAGRAMS_TAKEN] = "datagrams_taken",
	[SHARD_DATAGRAMS_UNPLACED] = "datagrams_unplaced",
	[SHARD_FRAMES_PROXIED] = "frames_proxied",
	[SHARD_UDP_ECHOED] = "udp_echoed",
	[SHARD_EVENTS] = "events",
	[SHARD_PATHS_UNTOLD] = "paths_untold",
	[SHARD_DROP_NO_SERVICE] = "drop_no_service",
	[SHARD_DROP_MAILBOX_FULL] = "drop_mailbox_full",
	[SHARD_DROP_MAILBOX_SHARE] = "drop_mailbox_share",
	[SHARD_DROP_HOPS] = "drop_hops",
	[SHARD_DROP_SEGMENTS] = "drop_segments",
	[SHARD_DROP_SEND_FULL] = "drop_send_full",
	[SHARD_NO_BUFFER] = "no_buffer",
};

const char *
shard_place_text(enum shard_place place)
{
	static const char *const texts[SHARD_PLACE_COUNT] = {
		[SHARD_AT_START] = "start",
		[SHARD_AT_RECEIVE] = "receive",
		[SHARD_AT_CONTROL] = "control",
		[SHARD_AT_NEIGHBOURS] = "neighbours",
		[SHARD_AT_DELIVER] = "deliver",
		[SHARD_AT_SERVE] = "serve",
		[SHARD_AT_EXPIRE] = "expire",
		[SHARD_AT_SEND] = "send",
		[SHARD_AT_MOVES] = "moves",
		[SHARD_AT_HOUSEKEEPING] = "housekeeping",
		[SHARD_AT_REST] = "rest",
	};

	return place < SHARD_PLACE_COUNT ? texts[place] : "unknown";
}

static void
open_ports(struct shard *shard)
{
	for (uint8_t i = 0; i < shard->config.port_count; i++) {
		struct shard_port_use *use = &shard->config.ports[i];

		shard->facts[i] = &use->port->facts;
		net_rss_init(&shard->rss[i], use->port->facts.rss_key);
		net_interface_init(&shard->interfaces[i], &use->interface, shard->now_ns);
	}
}

/* ---- what moves have to say to others ---- */

static void
post_control(void *with, uint16_t to, const struct shard_control *control)
{
	struct shard *shard = with;

	if (to == SHARD_MANAGER)
		shard_group_post_result(shard->config.group, control);
	else
		shard_mailbox_post_control(shard->mailbox + to - shard->config.index, control);
}

/* Places that nobody holds: each other shard may have seen the same room and write one message. */
static bool
has_control_room(void *with, uint16_t to)
{
	const struct shard *shard = with;

	return shard_mailbox_control_room(shard->mailbox + to - shard->config.index) >
		SHARD_MOVES_MAX + SHARDS_MAX;
}

static void
open_moves(struct shard *shard)
{
	const struct shard_moves_config moves = {.self = shard->config.index,
		.slots = shard->config.quic.slots,
		.endpoint = shard->endpoint,
		.services = shard->config.services,
		.post = post_control,
		.has_room = has_control_room,
		.with = shard};

	shard_moves_init(&shard->moves, &moves);
}

static void
open_placement(struct shard *shard)
{
	const struct quic_endpoint_config *quic = &shard->config.quic;
	struct shard_placement_config placement = {.self = shard->config.index,
		.shards = shard->router.shards,
		.orders = shard->config.group->placements,
		.buckets = &shard->buckets,
		.endpoint = shard->endpoint,
		.keep_ns = quic->limits.handshake_timeout_ns};

	memcpy(placement.hash_key, quic->keys.table, sizeof(placement.hash_key));
	shard_placement_init(&shard->placement, &placement);
}

static bool
open_endpoint(struct shard *shard)
{
	struct quic_endpoint_config *quic = &shard->config.quic;
	struct quic_conn_id_config ids = quic_endpoint_conn_id_config(quic);

	if (shard->config.quic_port == 0)
		return true;
	quic_conn_id_codec_init(&shard->router.codec, quic->crypto, &ids);
	memcpy(shard->router.hash_key, quic->keys.table, sizeof(shard->router.hash_key));
	shard->endpoint_memory = rte_zmalloc_socket(
		"endpoint", quic_endpoint_bytes(&quic->limits), LINE_BYTES, shard->config.socket);
	if (shard->endpoint_memory == NULL)
		return false;
	shard->endpoint = quic_endpoint_open(shard->endpoint_memory, quic, shard->now_ns);
	open_moves(shard);
	open_placement(shard);
	shard_deliver_open(shard);
	return true;
}

struct shard *
shard_open(const struct shard_config *config, char *error, size_t room)
{
	struct shard *shard = rte_zmalloc_socket("shard", sizeof(*shard), LINE_BYTES, config->socket);

	base_assert(config->port_count <= SHARD_PORTS_MAX && config->index < SHARDS_MAX);
	if (shard != NULL) {
		shard->config = *config;
		shard->clock = config->group->clock;
		shard->now_ns = shard_clock_ns(&shard->clock, shard_clock_cycles());
		shard->mailbox = &config->group->mailboxes[config->index];
		shard->router.slots = &config->group->slots;
		shard->router.self = config->index;
		shard->router.shards = config->group->config.shards;
		shard_idler_init(&shard->idler, &config->idle, shard->now_ns);
		shard_load_init(&shard->load, config->quic.entropy[0], shard->now_ns);
		open_ports(shard);
		if (open_endpoint(shard))
			return shard;
	}
	rte_free(shard);
	snprintf(error, room,
		"shard %u: no hugepage memory left on socket %d: lower [memory] connections or reserve more hugepages",
		config->index, config->socket);
	return NULL;
}

static void
serve(struct shard *shard)
{
	struct quic_event event;
	uint32_t count = 0;

	while (count < EVENTS_PER_TURN && quic_endpoint_next_event(shard->endpoint, &event)) {
		service_dispatch(shard->config.services, &event);
		count++;
	}
	shard_count(shard, SHARD_EVENTS, count);
	shard->busy |= count > 0;
}

static void
take_control(struct shard *shard)
{
	struct shard_control control;

	while (shard_mailbox_take_control(shard->mailbox, &control)) {
		shard->busy = true;
		if (control.kind == SHARD_CONTROL_SLOTS)
			quic_slots_come(
				shard->config.quic.slots, shard->config.index, control.slots, control.count);
		else
			shard_moves_take(&shard->moves, &control, shard->now_ns);
	}
}

/* Free slots go where they are wanted or at home, as far as there are places for the message. */
static void
pass_slots_on(struct shard *shard)
{
	struct shard_control control = {.kind = SHARD_CONTROL_SLOTS, .from = shard->config.index};
	uint16_t to;

	for (uint16_t i = 0; i < shard->router.shards; i++) {
		if (!has_control_room(shard, i))
			return;
	}
	control.count = quic_slots_surplus(
		shard->config.quic.slots, shard->config.index, &to, control.slots, SHARD_CONTROL_SLOTS_MAX);
	if (control.count > 0)
		shard_mailbox_post_control(shard->mailbox + to - shard->config.index, &control);
}

/* What the operator wants of new connections; at the end of all, none are taken whatever that is. */
static void
heed_accepting(struct shard *shard)
{
	bool refuse = atomic_load_explicit(&shard->refuse, memory_order_relaxed);

	if (refuse == shard->refuses || atomic_load(&shard->stage) == SHARD_DRAINING)
		return;
	shard->refuses = refuse;
	if (refuse)
		quic_endpoint_stop_accepting(shard->endpoint);
	else
		quic_endpoint_resume_accepting(shard->endpoint);
}

static void
housekeep(struct shard *shard)
{
	shard_is_at(shard, SHARD_AT_HOUSEKEEPING);
	if (shard->endpoint == NULL)
		return;
	/* The clock of the group began at the time of day. */
	if (shard->config.quic.tls_server != NULL)
		tls_context_set_time(shard->config.quic.tls_server, shard->now_ns / BASE_SECOND);
	atomic_store_explicit(
		&shard->connections, quic_endpoint_connections(shard->endpoint), memory_order_relaxed);
	pass_slots_on(shard);
	heed_accepting(shard);
}

/* The manager may have a rule for it. */
static void
tell_paths(struct shard *shard)
{
	struct shard_group *group = shard->config.group;
	struct quic_conn *conn;
	uint32_t lost = 0;

	while ((conn = quic_endpoint_next_repathed(shard->endpoint, &lost)) != NULL) {
		const struct shard_control control = {.kind = SHARD_CONTROL_PATH,
			.from = shard->config.index,
			.move = {.handle = quic_conn_handle(conn),
				.target = shard->config.index,
				.port_index = quic_conn_port_index(conn),
				.path = *quic_conn_path(conn)}};

		lost += shard->tells_paths && !shard_group_post_path(group, &control);
	}
	if (lost > 0 && shard->tells_paths) {
		shard_count(shard, SHARD_PATHS_UNTOLD, lost);
		shard_group_lose_paths(group);
	}
}

/* What the manager asked for, of a shard with connections. */
static void
publish_load(struct shard *shard)
{
	const struct shard_load_sources sources = {.endpoint = shard->endpoint,
		.services = shard->config.services,
		.now_ns = shard->now_ns,
		.busy_cycles = atomic_load_explicit(&shard->busy_cycles, memory_order_relaxed),
		.idle_cycles = atomic_load_explicit(&shard->idle_cycles, memory_order_relaxed)};

	shard_is_at(shard, SHARD_AT_HOUSEKEEPING);
	shard_load_publish(&shard->load, &sources);
}

static void
work(struct shard *shard)
{
	shard_is_at(shard, SHARD_AT_RECEIVE);
	shard_receive(shard); /* queues and mailbox -> frames -> datagrams -> packets */
	shard_is_at(shard, SHARD_AT_CONTROL);
	take_control(shard);
	shard_is_at(shard, SHARD_AT_NEIGHBOURS);
	shard_neighbours(shard);
	if (shard->endpoint != NULL) {
		shard_is_at(shard, SHARD_AT_DELIVER);
		shard_deliver(shard); /* posts of other shards -> services */
		shard_is_at(shard, SHARD_AT_SERVE);
		serve(shard); /* events -> services -> stream octets */
		shard_is_at(shard, SHARD_AT_EXPIRE);
		quic_endpoint_expire(shard->endpoint, shard->now_ns);
		shard_is_at(shard, SHARD_AT_SERVE);
		serve(shard);
	}
	shard_is_at(shard, SHARD_AT_SEND);
	shard_send(shard); /* packets built, sealed in a burst, queued */
	shard_is_at(shard, SHARD_AT_MOVES);
	if (shard->endpoint != NULL) {
		tell_paths(shard);
		shard_moves_end_turn(&shard->moves, shard->now_ns); /* connections leave for other shards */
	}
}

bool
shard_turn(struct shard *shard)
{
	uint64_t start_cycles = shard_clock_cycles(), spent;
	_Atomic uint64_t *account;

	shard->now_ns = shard_clock_ns(&shard->clock, start_cycles);
	shard->busy = false;
	work(shard);
	shard_count(shard, SHARD_TURNS, 1);
	if (atomic_load_explicit(&shard->counters[SHARD_TURNS], memory_order_relaxed) %
			TURNS_PER_HOUSEKEEPING ==
		0)
		housekeep(shard);
	if (!shard->busy)
		shard_count(shard, SHARD_TURNS_IDLE, 1);
	account = shard->busy ? &shard->busy_cycles : &shard->idle_cycles;
	spent = shard_clock_cycles() - start_cycles;
	atomic_store_explicit(
		account, atomic_load_explicit(account, memory_order_relaxed) + spent, memory_order_relaxed);
	if (shard_load_wanted(&shard->load))
		publish_load(shard);
	return shard->busy;
}

static uint64_t
deadline(const struct shard *shard)
{
	uint64_t deadline_ns = shard_neighbours_deadline(shard);

	if (shard->endpoint != NULL) {
		deadline_ns = base_time_earlier(deadline_ns, quic_endpoint_deadline(shard->endpoint));
		deadline_ns = base_time_earlier(deadline_ns, shard_deliver_deadline(shard));
	}
	for (uint8_t i = 0; i < shard->config.port_count; i++)
		if (shard->backlogs[i].count > 0)
			return 0;
	return deadline_ns;
}

static void
rest(struct shard *shard, bool busy)
{
	struct timespec sleep = {0};
	uint64_t sleep_ns, start_cycles;

	switch (shard_idler_next(&shard->idler, busy, shard->now_ns, busy ? 0 : deadline(shard), &sleep_ns)) {
	case SHARD_REST_NONE:
		return;
	case SHARD_REST_PAUSE:
		rte_pause();
		return;
	case SHARD_REST_SLEEP:
		if (!shard_mailbox_empty(shard->mailbox))
			return;
		shard_count(shard, SHARD_SLEEPS, 1);
		housekeep(shard);
		shard_is_at(shard, SHARD_AT_REST);
		start_cycles = shard_clock_cycles();
		sleep.tv_nsec = (long)sleep_ns;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &sleep, NULL);
		atomic_store_explicit(&shard->idle_cycles,
			atomic_load_explicit(&shard->idle_cycles, memory_order_relaxed) +
				shard_clock_cycles() - start_cycles,
			memory_order_relaxed);
		return;
	}
}

static void
begin_to_drain(struct shard *shard, uint32_t within_ms)
{
	shard->stop_ns = shard->now_ns + within_ms * BASE_MS;
	atomic_store(&shard->stage, SHARD_DRAINING);
	if (shard->endpoint == NULL)
		return;
	quic_endpoint_stop_accepting(shard->endpoint);
	shard_moves_stop(&shard->moves);
	service_shutdown(shard->config.services);
	quic_endpoint_close_all(shard->endpoint, 0, false, shard->now_ns);
}

/*
 * A shard that has not heard of the end may still let a connection go to us, and one that has may have done so before: its GRANT is in our
 * mailbox then. So the stages are read first.
 */
static bool
more_may_come(const struct shard *shard)
{
	const struct shard_group *group = shard->config.group;

	for (uint16_t i = 0; i < group->count; i++)
		if (atomic_load(&group->shards[i]->stage) == SHARD_RUNNING)
			return true;
	return shard_mailbox_has_control(shard->mailbox);
}

static bool
drained(struct shard *shard)
{
	return shard->now_ns >= shard->stop_ns || shard->endpoint == NULL ||
		(!more_may_come(shard) && quic_endpoint_connections(shard->endpoint) == 0);
}

int
shard_run(void *argument)
{
	struct shard *shard = argument;

	/* The kernel would round sleeps up by 50 microseconds. */
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
	if (shard->config.tls_memory != NULL)
		tls_memory_bind(shard->config.tls_memory);
	atomic_store(&shard->stage, SHARD_RUNNING);
	for (;;) {
		uint32_t within_ms = atomic_load_explicit(&shard->stop_within_ms, memory_order_relaxed);

		rest(shard, shard_turn(shard));
		if (within_ms == 0)
			continue;
		if (atomic_load(&shard->stage) == SHARD_RUNNING)
			begin_to_drain(shard, within_ms);
		else if (drained(shard))
			break;
	}
	housekeep(shard);
	if (shard->config.tls_memory != NULL)
		tls_memory_bind(NULL);
	shard_is_at(shard, SHARD_AT_START);
	atomic_store(&shard->stage, SHARD_ENDED);
	return 0;
}

void
shard_stop(struct shard *shard, uint32_t within_ms)
{
	atomic_store(&shard->stop_within_ms, within_ms > 0 ? within_ms : 1);
}

void
shard_set_accepting(struct shard *shard, bool accepting)
{
	atomic_store_explicit(&shard->refuse, !accepting, memory_order_relaxed);
}

bool
shard_running(const struct shard *shard)
{
	uint32_t stage = atomic_load(&shard->stage);

	return stage == SHARD_RUNNING || stage == SHARD_DRAINING;
}

/* Datagrams that wait for a neighbour hold buffers: time without end makes the interface give them up. */
static void
give_up_waiting(struct shard *shard, uint8_t port)
{
	struct net_interface *interface = &shard->interfaces[port];
	struct base_datagram datagram;
	enum net_send_verdict verdict;
	struct net_frame frame = {0};
	uint64_t now_ns = shard->now_ns;

	for (unsigned i = 0; i <= NET_NEIGHBOUR_TRIES; i++) {
		now_ns += interface->config.neighbours.retry_ns;
		net_interface_expire(interface, now_ns);
	}
	while (net_interface_next_released(interface, now_ns, &datagram, &verdict, &frame))
		rte_pktmbuf_free(datagram.buffer);
}

void
shard_close(struct shard *shard)
{
	if (shard == NULL)
		return;
	base_assert(!shard_running(shard));
	if (shard->endpoint != NULL)
		quic_endpoint_close(shard->endpoint);
	rte_free(shard->endpoint_memory);
	for (uint8_t i = 0; i < shard->config.port_count; i++) {
		give_up_waiting(shard, i);
		rte_pktmbuf_free_bulk(shard->backlogs[i].mbufs, shard->backlogs[i].count);
	}
	rte_pktmbuf_free_bulk(shard->outgoing_mbufs, shard->outgoing_count);
	rte_pktmbuf_free_bulk(shard->received, shard->received_count);
	rte_free(shard);
}

const struct shard_config *
shard_get_config(const struct shard *shard)
{
	return &shard->config;
}

struct shard_mailbox *
shard_get_mailbox(struct shard *shard)
{
	return shard->mailbox;
}

void
shard_tell_paths(struct shard *shard, bool tell)
{
	base_assert(!shard_running(shard));
	shard->tells_paths = tell;
}

void
shard_follow_buckets(struct shard *shard, uint8_t port_index)
{
	base_assert(!shard_running(shard));
	shard->buckets.orders = &shard->config.group->bucket_orders;
	shard->buckets.counts[port_index] = shard->facts[port_index]->reta_size;
	shard->buckets.rss[port_index] = &shard->rss[port_index];
	shard_load_count_buckets(
		&shard->load, port_index, shard->facts[port_index]->reta_size, &shard->rss[port_index]);
}

struct shard_load *
shard_get_load(struct shard *shard)
{
	return &shard->load;
}

void
shard_get_statistics(const struct shard *shard, struct shard_statistics *statistics)
{
	for (unsigned i = 0; i < SHARD_COUNTER_COUNT; i++)
		statistics->counters[i] = atomic_load_explicit(&shard->counters[i], memory_order_relaxed);
	statistics->busy_cycles = atomic_load_explicit(&shard->busy_cycles, memory_order_relaxed);
	statistics->idle_cycles = atomic_load_explicit(&shard->idle_cycles, memory_order_relaxed);
	statistics->cycles_per_second = shard->clock.cycles_per_second;
	statistics->connections = atomic_load_explicit(&shard->connections, memory_order_relaxed);
	statistics->place = (enum shard_place)atomic_load_explicit(&shard->place, memory_order_relaxed);
	statistics->buffers_free = rte_mempool_avail_count(shard->config.buffers);
}

uint32_t
shard_get_counters(const struct shard *shard, struct base_counters *counters, uint32_t room)
{
	uint32_t count = 0;

	if (count < room)
		counters[count++] = (struct base_counters){.library = "shard",
			.names = shard_counter_names,
			.values = (const uint64_t *)shard->counters,
			.count = SHARD_COUNTER_COUNT};
	for (uint8_t i = 0; i < shard->config.port_count && count < room; i++)
		counters[count++] = net_interface_counters(&shard->interfaces[i]);
	if (shard->endpoint != NULL && count < room)
		counters[count++] = quic_endpoint_counters(shard->endpoint);
	if (shard->endpoint != NULL && count < room)
		counters[count++] = shard_moves_counters(&shard->moves);
	if (shard->endpoint != NULL && count < room)
		counters[count++] = shard_placement_counters(&shard->placement);
	if (shard->endpoint != NULL && shard->config.services != NULL &&
		shard->config.services->host != NULL && count + 3 <= room) {
		counters[count++] = shard_posts_counters(&shard->posts);
		counters[count++] = service_host_counters(shard->config.services->host);
		counters[count++] = service_bus_counters(&shard->config.services->host->bus);
	}
	return count;
}
