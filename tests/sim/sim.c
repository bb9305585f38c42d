/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The world of the simulator: two nodes, a NAT, two links, and time that jumps from event to event. */
#include "tests/sim/group.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "quic/packet.h"
#include "service/service.h"
#include "tests/sim/heap.h"
#include "tests/sim/lent.h"
#include "tests/support/backend.h"
#include "tests/support/route.h"
#include "tests/tls/certificates.h"
#include "tls/tls.h"

enum {
	SERVER_PORT = 443,
	LINK_PLACES = 4096,
	UNIX_SECONDS = 1700000000,
	STEPS_MAX = 5000000,
	CHECK_EVERY = 64,
};

#define START_NS BASE_SECOND

void
sim_fail(struct sim *sim, const char *format, ...)
{
	va_list arguments;

	if (sim->failure[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(sim->failure, sizeof(sim->failure), format, arguments);
	va_end(arguments);
	/* What has been done wrong on purpose cannot be tidied up. */
	if (sim->config.finding != NULL) {
		printf("%s  seed %" PRIu64 ": %s\n",
			strstr(sim->failure, sim->config.finding) != NULL ? "found " : "FAILED", sim->seed,
			sim->failure);
		fflush(stdout);
		_exit(strstr(sim->failure, sim->config.finding) == NULL);
	}
}

struct sim_config
sim_config_default(void)
{
	struct sim_config config = {
		.server_limits = quic_limits_default(),
		.client_limits = quic_limits_default(),
		.connections = 1,
		.requests = 1,
		.at_once = 10,
		.upload_bytes = 1000,
		.download_bytes = 100000,
		.time_limit_ns = 60 * BASE_SECOND,
		.control_ns = 4 * BASE_MS,
	};

	config.server_limits.connections = 256;
	config.server_limits.handshakes = 256;
	config.client_limits.connections = 256;
	config.client_limits.handshakes = 256;
	config.up.delay_ns = 10 * BASE_MS;
	config.down.delay_ns = 10 * BASE_MS;
	return config;
}

static void *
taken(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	if (memory == NULL)
		abort();
	return memory;
}

static struct tls_context *
open_tls(bool is_server, bool tickets)
{
	struct tls_settings server = {.role = TLS_SERVER,
		.certificate = {.octets = (const uint8_t *)certificate_ed25519,
			.length = sizeof(certificate_ed25519) - 1},
		.key = {.octets = (const uint8_t *)key_ed25519, .length = sizeof(key_ed25519) - 1},
		.alpn = {"sim"},
		.alpn_count = 1};
	static const struct tls_settings client = {
		.role = TLS_CLIENT, .alpn = {"sim"}, .alpn_count = 1, .verify = TLS_VERIFY_OFF};
	char sentence[TLS_SENTENCE_BYTES];
	struct tls_context *context;

	server.ticket_keys.count = tickets;
	memset(&server.ticket_keys.keys[0], 0xa5, sizeof(server.ticket_keys.keys[0]));
	context = tls_context_open(is_server ? &server : &client, UNIX_SECONDS, sentence);

	if (context == NULL) {
		fprintf(stderr, "sim: %s\n", sentence);
		abort();
	}
	return context;
}

/* Of one shard. */
static const uint16_t steering_words[] = {0x4d00, 0x4d02, 0x4d04, 0x4d06};

static void
open_node(struct sim *sim, struct sim_node *node, bool is_server)
{
	static const uint32_t elements[QUIC_POOL_COUNT] = {[QUIC_POOL_HANDSHAKE] = 300,
		[QUIC_POOL_STREAM] = 4000,
		[QUIC_POOL_CHUNK] = 8000,
		[QUIC_POOL_SENT] = 2000};
	struct quic_endpoint_config config = {
		.limits = is_server ? sim->config.server_limits : sim->config.client_limits,
		.gateway = is_server ? 7 : 8,
		.shard = 0,
		.epoch = 1,
		.crypto = sim->crypto,
		.slots = &node->slots,
		.id_mode = is_server && sim->config.clear_ids ? QUIC_CONN_ID_CLEAR : QUIC_CONN_ID_SEALED,
		.steering_words = steering_words,
		.steering_word_count = sizeof(steering_words) / sizeof(steering_words[0]),
	};
	struct quic_conn_id_config codec;
	struct quic_slots_config slots = {.count = config.limits.connections,
		.slot_bytes = quic_endpoint_slot_bytes(),
		.shards = is_server && sim->config.group != NULL ? sim->config.shards : 1};

	node->is_server = is_server;
	node->tls = open_tls(is_server, sim->config.tickets);
	base_random_fill(&sim->random, &config.keys, sizeof(config.keys));
	base_random_fill(&sim->random, config.entropy, sizeof(config.entropy));
	*(is_server ? &config.tls_server : &config.tls_client) = node->tls;
	node->slot_memory = taken((size_t)slots.count * slots.slot_bytes);
	node->table_memory = taken(quic_slots_memory_bytes(slots.count, slots.shards));
	slots.region_slots = slots.count;
	slots.regions[0] = node->slot_memory;
	quic_slots_init(&node->slots, &slots, node->table_memory);
	for (int i = 0; i < QUIC_POOL_COUNT; i++) {
		uint32_t bytes = sim_pool_element_bytes(quic_endpoint_pool_bytes((enum quic_pool)i));

		node->elements[i] = base_pool_open(NULL, bytes, elements[i]);
		sim_pool_init(&node->pools[i], sim, node->elements[i], 0);
		config.pools[i] = &node->pools[i].pool;
	}
	if (!is_server && sim->config.empty_ids)
		config.id_mode = QUIC_CONN_ID_EMPTY;
	codec = quic_endpoint_conn_id_config(&config);
	quic_conn_id_codec_init(&node->codec, sim->crypto, &codec);
	node->buffers = taken(sizeof(*node->buffers) * SIM_BATCH);
	node->endpoint_memory = taken(quic_endpoint_bytes(&config.limits));
	node->endpoint_config = config;
	node->endpoint = quic_endpoint_open(node->endpoint_memory, &config, sim->now_ns);
}

void
sim_open_shard(struct sim *sim, struct sim_node *node, const struct sim_node *home, uint16_t shard)
{
	node->is_server = true;
	node->endpoint_config = home->endpoint_config;
	node->endpoint_config.shard = shard;
	base_random_fill(&sim->random, node->endpoint_config.entropy, sizeof(node->endpoint_config.entropy));
	for (int i = 0; i < QUIC_POOL_COUNT; i++) {
		sim_pool_init(&node->pools[i], sim, home->elements[i], shard);
		node->endpoint_config.pools[i] = &node->pools[i].pool;
	}
	node->buffers = taken(sizeof(*node->buffers) * SIM_BATCH);
	node->endpoint_memory = taken(quic_endpoint_bytes(&home->endpoint_config.limits));
	node->endpoint = quic_endpoint_open(node->endpoint_memory, &node->endpoint_config, sim->now_ns);
}

void
sim_close_shard(struct sim_node *node)
{
	quic_endpoint_close(node->endpoint);
	free(node->endpoint_memory);
	free(node->buffers);
}

void
sim_restart(struct sim *sim, struct sim_node *node)
{
	quic_endpoint_close(node->endpoint);
	node->endpoint = quic_endpoint_open(node->endpoint_memory, &node->endpoint_config, sim->now_ns);
}

static void
close_node(struct sim *sim, struct sim_node *node)
{
	uint32_t slots = 0;

	quic_endpoint_close(node->endpoint);
	for (int i = 0; i < QUIC_POOL_COUNT; i++) {
		if (node->elements[i]->in_use != 0)
			sim_fail(sim, "%u elements of pool %d were not given back", node->elements[i]->in_use,
				i);
		base_pool_close(node->elements[i]);
	}
	for (uint16_t i = 0; i < node->slots.shards; i++)
		slots += quic_slots_free_count(&node->slots, i);
	if (slots != node->slots.count)
		sim_fail(sim, "not all slots are free at the end");
	tls_context_close(node->tls);
	free(node->endpoint_memory);
	free(node->slot_memory);
	free(node->table_memory);
	free(node->buffers);
}

static struct base_address
address(uint8_t last, uint16_t port)
{
	return (struct base_address){
		.ip = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = last}, .port = port};
}

void
sim_connect(struct sim *sim, uint32_t number)
{
	struct sim_conn *state = &sim->connections[number];
	struct quic_conn *first = number == 0 ? NULL : sim_client_conn(sim, 0);
	size_t ticket_length = 0, token_length = 0;
	struct quic_connect connect = {
		.path = {.local = address(2, (uint16_t)(SIM_CLIENT_PORT + number)),
			.remote = address(1, SERVER_PORT)},
		.server_name = "localhost",
		.user = state,
	};
	struct quic_conn *conn;

	if (first != NULL) {
		connect.ticket = quic_conn_ticket(first, &ticket_length);
		connect.ticket_length = (uint32_t)ticket_length;
		connect.token = quic_conn_token(first, &token_length);
		connect.token_length = (uint32_t)token_length;
	}
	conn = quic_endpoint_connect(sim->client.endpoint, &connect, sim->now_ns);
	*state = (struct sim_conn){.number = number, .begun_ns = sim->now_ns};
	if (conn == NULL) {
		sim_fail(sim, "connection %u could not begin", number);
		return;
	}
	state->handle = quic_conn_handle(conn);
	sim->open_connections++;
}

static void
begin_connections(struct sim *sim)
{
	for (uint32_t i = 0; i + sim->config.later < sim->config.connections; i++)
		sim_connect(sim, i);
}

void
sim_pull_events(struct sim *sim, struct sim_node *node)
{
	struct quic_event event;

	while (quic_endpoint_next_event(node->endpoint, &event)) {
		if (node->services != NULL)
			service_dispatch(node->services, &event);
		else
			sim_app_event(sim, node, &event);
	}
	if (node->is_server && sim->config.reads_late)
		sim_app_read_late(sim, node);
}

uint32_t
sim_number(const struct sim *sim, const struct base_address *remote)
{
	uint32_t port = (uint32_t)remote->port - sim->nat_port - SIM_CLIENT_PORT;

	return port < SIM_CONNECTIONS_MAX ? port : SIM_CONNECTIONS_MAX;
}

void
sim_scribble(struct net_impair_item *item)
{
	memset(item->datagram.octets, 0xdb, item->datagram.length);
}

/* As the NAT has it now: false for an address that is no longer mapped. */
static bool
translate(struct sim *sim, struct sim_node *to, struct base_datagram *datagram)
{
	struct base_path path = datagram->path;

	datagram->path = (struct base_path){.local = path.remote, .remote = path.local};
	if (to->is_server) {
		datagram->path.remote.port = (uint16_t)(datagram->path.remote.port + sim->nat_port);
		datagram->path.remote.ip[15] = sim->nat_ip;
		return true;
	}
	if (datagram->path.local.ip[15] != sim->nat_ip)
		return false;
	datagram->path.local.ip[15] = 2;
	datagram->path.local.port = (uint16_t)(datagram->path.local.port - sim->nat_port);
	return datagram->path.local.port >= SIM_CLIENT_PORT &&
		datagram->path.local.port < SIM_CLIENT_PORT + SIM_CONNECTIONS_MAX;
}

static void
hurt_all(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++)
		sim->connections[i].hurt_ns = sim->now_ns;
}

/* To a client whose connection IDs have no length. */
static void
route_by_port(const struct sim *sim, struct base_datagram *datagram)
{
	const struct sim_conn *state = &sim->connections[datagram->path.local.port - SIM_CLIENT_PORT];

	datagram->slot = state->handle.slot;
	datagram->generation = state->handle.generation;
	datagram->id_sequence = 0;
}

static void
receive(struct sim *sim, struct sim_node *node, struct net_impair *link)
{
	struct net_impair_item *item;
	struct base_datagram datagrams[SIM_BATCH];
	struct base_batch batch = {.datagrams = datagrams, .capacity = SIM_BATCH};

	while (batch.count < SIM_BATCH && (item = net_impair_pop(link, sim->now_ns)) != NULL) {
		struct base_datagram *datagram = &datagrams[batch.count];

		*datagram = item->datagram;
		/* Addresses of the server's side were given when it left; those of the client's are the NAT's now. */
		if (!node->is_server && !translate(sim, node, datagram)) {
			hurt_all(sim);
			net_impair_release(link, item);
			continue;
		}
		node->received_bytes += datagram->length;
		if (node->codec.mode == QUIC_CONN_ID_EMPTY)
			route_by_port(sim, datagram);
		else
			support_route(&node->codec, &node->slots, datagram);
		batch.count++;
		node->items[node->item_count++] = item;
	}
	quic_endpoint_receive(node->endpoint, &batch, sim->now_ns);
	sim_pull_events(sim, node);
	quic_endpoint_expire(node->endpoint, sim->now_ns);
	sim_pull_events(sim, node);
}

/* Datagrams that a link has not passed on as they were, and in order. */
static uint64_t
harm_done(const struct net_impair *link)
{
	return link->counters[NET_IMPAIR_LOST] + link->counters[NET_IMPAIR_QUEUE_FULL] +
		link->counters[NET_IMPAIR_TOO_LONG] + link->counters[NET_IMPAIR_REORDERED] +
		link->counters[NET_IMPAIR_CORRUPTED] + link->counters[NET_IMPAIR_NO_MEMORY];
}

static void
transmit(struct sim *sim, struct sim_node *node, struct base_datagram *datagram, struct net_impair *link)
{
	uint64_t harm;
	uint32_t number;

	node->sent_bytes += datagram->length;
	if (sim->trace)
		printf("%12.6f %s port %u ip %u: %u octets\n", (double)(sim->now_ns - START_NS) / 1e9,
			node->is_server ? "<-- server to" : "--> client at",
			node->is_server ? datagram->path.remote.port : datagram->path.local.port,
			node->is_server ? datagram->path.remote.ip[15] : datagram->path.local.ip[15],
			datagram->length);
	sim->digest = (sim->digest ^ datagram->length ^ sim->now_ns << 11 ^ (uint64_t)node->is_server << 63) *
		UINT64_C(0x100000001b3);
	if (datagram->length == 0 || datagram->length > SIM_BUFFER_BYTES)
		sim_fail(sim, "a datagram of %u octets was sent", datagram->length);
	if (sim->config.intercept != NULL && sim->config.intercept(sim, node->is_server, datagram))
		return;
	if (!node->is_server)
		translate(sim, &sim->server, datagram);
	harm = harm_done(link);
	net_impair_push(link, datagram, sim->now_ns);
	number = sim_number(sim, &datagram->path.remote);
	if (harm_done(link) != harm && number < SIM_CONNECTIONS_MAX)
		sim->connections[number].hurt_ns = sim->now_ns;
}

void
sim_send(struct sim *sim, struct sim_node *node, struct net_impair *link)
{
	struct base_batch batch = {.datagrams = node->datagrams, .capacity = SIM_BATCH};
	uint16_t sent;

	/* The end of the turn frees what was received in place, so send() is called at least once. */
	do {
		batch.count = 0;
		for (int i = 0; i < SIM_BATCH; i++)
			node->datagrams[i] =
				(struct base_datagram){.octets = node->buffers[i], .room = SIM_BUFFER_BYTES};
		sent = quic_endpoint_send(node->endpoint, &batch, sim->now_ns);
		for (uint16_t i = 0; i < sent; i++) {
			if (node->is_server && sim->config.group != NULL)
				sim->config.group->sent(sim, node, &node->datagrams[i]);
			transmit(sim, node, &node->datagrams[i], link);
		}
	} while (sent > 0 && sim->config.turn_ns == 0);
}

/* One turn. What was popped must live until send() has ended the turn. */
static void
turn(struct sim *sim, struct sim_node *node, struct net_impair *from, struct net_impair *to)
{
	receive(sim, node, from);
	sim_send(sim, node, to);
	while (node->item_count > 0) {
		struct net_impair_item *item = node->items[--node->item_count];

		sim_scribble(item);
		net_impair_release(from, item);
	}
}

static void
server_turn(struct sim *sim)
{
	uint64_t before = sim_counter(&sim->server, "packets_received");

	if (sim->now_ns < sim->server_busy_ns)
		return;
	if (sim->config.group != NULL) {
		sim->config.group->turn(sim);
		return;
	}
	turn(sim, &sim->server, &sim->up, &sim->down);
	sim->server_busy_ns = sim->now_ns +
		(sim_counter(&sim->server, "packets_received") - before) * sim->config.packet_ns;
}

static bool
all_answered(const struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++)
		if (sim->connections[i].done_ns == 0)
			return false;
	return true;
}

/* ---- the server: one endpoint or a group of them ---- */

static uint64_t
server_deadline(const struct sim *sim)
{
	return sim->config.group != NULL ? sim->config.group->deadline(sim)
					 : quic_endpoint_deadline(sim->server.endpoint);
}

static uint32_t
server_connections(const struct sim *sim)
{
	return sim->config.group != NULL ? sim->config.group->connections(sim)
					 : quic_endpoint_connections(sim->server.endpoint);
}

static void
check(struct sim *sim)
{
	if (sim->config.group != NULL)
		sim->config.group->check(sim);
	else if (sim->steps % CHECK_EVERY == 0)
		quic_endpoint_check(sim->server.endpoint);
	if (sim->steps % CHECK_EVERY == 0)
		quic_endpoint_check(sim->client.endpoint);
}

static uint64_t
next_time(const struct sim *sim)
{
	uint64_t next_ns = base_time_earlier(net_impair_deadline(&sim->up), net_impair_deadline(&sim->down));

	next_ns = base_time_earlier(next_ns, quic_endpoint_deadline(sim->client.endpoint));
	next_ns = base_time_earlier(next_ns, server_deadline(sim));
	if (sim->config.tick != NULL)
		next_ns = base_time_earlier(next_ns, sim->ticked_ns + BASE_MS);
	if (sim->config.turn_ns != 0 && next_ns < sim->now_ns + sim->config.turn_ns)
		return sim->now_ns + sim->config.turn_ns;
	/* A deadline in the past has been acted on as far as it can: time must go on. */
	return next_ns > sim->now_ns ? next_ns : sim->now_ns + BASE_US;
}

/* Until `done` says so. False when time or patience ran out. */
static bool
run_until(struct sim *sim, bool (*done)(const struct sim *sim), uint64_t limit_ns)
{
	while (!done(sim)) {
		if (sim->failure[0] != '\0')
			return false;
		/* BASE_NEVER is past every limit: nothing would ever happen again. */
		if (sim->now_ns >= limit_ns || ++sim->steps > STEPS_MAX)
			return false;
		if (sim->config.tick != NULL && sim->now_ns >= sim->ticked_ns + BASE_MS) {
			sim->ticked_ns = sim->now_ns;
			sim->config.tick(sim);
		}
		server_turn(sim);
		turn(sim, &sim->client, &sim->down, &sim->up);
		check(sim);
		if (done(sim))
			return true;
		sim->now_ns = next_time(sim);
	}
	return true;
}

static bool
none_left(const struct sim *sim)
{
	return sim->open_connections == 0 && quic_endpoint_connections(sim->client.endpoint) == 0 &&
		server_connections(sim) == 0;
}

struct quic_conn *
sim_client_conn(struct sim *sim, uint32_t number)
{
	return quic_endpoint_find(sim->client.endpoint, sim->connections[number].handle);
}

uint64_t
sim_counter(const struct sim_node *node, const char *name)
{
	struct base_counters counters = quic_endpoint_counters(node->endpoint);

	for (size_t i = 0; i < counters.count; i++)
		if (strcmp(counters.names[i], name) == 0)
			return counters.values[i];
	fprintf(stderr, "sim: no counter %s\n", name);
	abort();
}

static void
say_what_is_missing(struct sim *sim)
{
	const struct sim_conn *first = &sim->connections[0];
	uint32_t done = 0;

	for (uint32_t i = 0; i < sim->config.connections; i++)
		done += sim->connections[i].done_ns != 0;
	sim_fail(sim,
		"%u of %u connections were answered within %.3f s and %llu steps (the first: %s, %u/%u requests, error 0x%llx%s)",
		done, sim->config.connections, (double)(sim->now_ns - START_NS) / 1e9,
		(unsigned long long)sim->steps, first->connected ? "connected" : "not connected",
		first->answered, sim->config.requests, (unsigned long long)first->error_code,
		first->timed_out ? ", timed out" : "");
}

static void
check_none_closed(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++)
		if (sim->connections[i].closed)
			sim_fail(sim, "connection %u was closed: error 0x%llx%s%s", i,
				(unsigned long long)sim->connections[i].error_code,
				sim->connections[i].closed_by_peer ? ", by the server" : "",
				sim->connections[i].timed_out ? ", timed out" : "");
}

static void
trace_end(const struct sim *sim)
{
	const struct sim_node *nodes[2] = {&sim->client, &sim->server};
	const struct net_impair *links[2] = {&sim->up, &sim->down};

	for (int i = 0; i < 2; i++) {
		struct base_counters counters = quic_endpoint_counters(nodes[i]->endpoint);

		for (size_t k = 0; k < counters.count; k++)
			if (counters.values[k] != 0)
				printf("%s %s %llu\n", i == 0 ? "client" : "server", counters.names[k],
					(unsigned long long)counters.values[k]);
		counters = net_impair_counters(links[i]);
		for (size_t k = 0; k < counters.count; k++)
			if (counters.values[k] != 0)
				printf("link %s %s %llu\n", i == 0 ? "up" : "down", counters.names[k],
					(unsigned long long)counters.values[k]);
	}
}

static void
run(struct sim *sim)
{
	bool usual = sim->config.done == NULL;

	begin_connections(sim);
	if (!run_until(sim, usual ? all_answered : sim->config.done, START_NS + sim->config.time_limit_ns))
		say_what_is_missing(sim);
	if (usual)
		check_none_closed(sim);
	if (sim->trace)
		trace_end(sim);
	if (sim->failure[0] == '\0' && sim->config.verify != NULL)
		sim->config.verify(sim);
	if (sim->failure[0] != '\0')
		return;
	if (!sim->config.idle_end)
		quic_endpoint_close_all(sim->client.endpoint, 0, true, sim->now_ns);
	if (!run_until(sim, none_left, sim->now_ns + 2000 * BASE_SECOND))
		sim_fail(sim, "%u and %u connections were left over at the end",
			quic_endpoint_connections(sim->client.endpoint), server_connections(sim));
}

bool
sim_run(struct sim *sim, const char *scenario, const struct sim_config *config, uint64_t seed)
{
	*sim = (struct sim){.seed = seed,
		.scenario = scenario,
		.config = *config,
		.now_ns = START_NS,
		.ticked_ns = START_NS,
		.nat_ip = 2,
		.trace = sim->trace,
		.digest = UINT64_C(0xcbf29ce484222325)};
	base_random_init(&sim->random, seed);
	sim->crypto = support_backend();
	sim->items = base_pool_open(NULL, net_impair_element_bytes(SIM_BUFFER_BYTES), 2 * LINK_PLACES);
	sim->heaps = taken(2 * LINK_PLACES * sizeof(*sim->heaps));
	sim->config.up.seed = base_random_next(&sim->random);
	sim->config.down.seed = base_random_next(&sim->random);
	net_impair_init(&sim->up, &sim->config.up, sim->items, sim->heaps, LINK_PLACES);
	net_impair_init(&sim->down, &sim->config.down, sim->items, sim->heaps + LINK_PLACES, LINK_PLACES);
	open_node(sim, &sim->server, true);
	open_node(sim, &sim->client, false);
	if (config->group != NULL)
		config->group->open(sim);
	run(sim);
	if (config->group != NULL)
		config->group->close(sim);
	close_node(sim, &sim->client);
	close_node(sim, &sim->server);
	if (config->group != NULL)
		config->group->fini(sim);
	net_impair_fini(&sim->up);
	net_impair_fini(&sim->down);
	base_pool_close(sim->items);
	free(sim->heaps);
	while (sim->streams != NULL) {
		struct sim_stream *stream = sim->streams;

		sim->streams = stream->next;
		sim_forget_lent(stream);
		sim_heap_give(stream);
	}
	return sim->failure[0] == '\0';
}

uint64_t
sim_goodput(const struct sim *sim)
{
	const struct sim_conn *state = &sim->connections[0];
	uint64_t octets = sim->config.requests * (sim->config.upload_bytes + sim->config.download_bytes);

	return state->done_ns == 0 ? 0 : octets * 8 * BASE_SECOND / (state->done_ns - state->begun_ns);
}
