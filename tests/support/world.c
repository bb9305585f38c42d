/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "crypto/keys.h"
#include "quic/conn_internal.h"
#include "tests/support/backend.h"
#include "tests/support/route.h"
#include "tests/tls/certificates.h"
#include "tls/tls.h"

enum { SERVER_PORT = 443, UNIX_SECONDS = 1700000000 };

static void *
taken(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	base_assert(memory != NULL);
	return memory;
}

struct world_config
world_config_default(void)
{
	struct world_config config = {
		.elements = {[QUIC_POOL_HANDSHAKE] = 64,
			[QUIC_POOL_STREAM] = 1024,
			[QUIC_POOL_CHUNK] = 2048,
			[QUIC_POOL_SENT] = 1024},
		.up.delay_ns = 5 * BASE_MS,
		.down.delay_ns = 5 * BASE_MS,
		.link_places = 4096,
		.alpn = "test",
	};

	for (int side = 0; side < WORLD_SIDES; side++) {
		config.limits[side] = quic_limits_default();
		config.limits[side].connections = 64;
		config.limits[side].handshakes = 64;
		config.limits[side].retry_above = 64;
	}
	return config;
}

static struct tls_context *
open_tls(enum world_side side, const char *alpn)
{
	struct tls_settings server = {.role = TLS_SERVER,
		.certificate = {.octets = (const uint8_t *)certificate_ed25519,
			.length = sizeof(certificate_ed25519) - 1},
		.key = {.octets = (const uint8_t *)key_ed25519, .length = sizeof(key_ed25519) - 1},
		.groups = {TLS_GROUP_X25519},
		.group_count = 1,
		.alpn = {alpn},
		.alpn_count = 1};
	struct tls_settings client = {.role = TLS_CLIENT,
		.groups = {TLS_GROUP_X25519},
		.group_count = 1,
		.alpn = {alpn},
		.alpn_count = 1,
		.verify = TLS_VERIFY_OFF};
	char sentence[TLS_SENTENCE_BYTES];
	struct tls_context *context =
		tls_context_open(side == WORLD_SERVER ? &server : &client, UNIX_SECONDS, sentence);

	if (context == NULL)
		fprintf(stderr, "world: %s\n", sentence);
	base_assert(context != NULL);
	return context;
}

static void
open_slots(struct world_node *node, uint32_t count, uint16_t shards)
{
	struct quic_slots_config slots = {
		.count = count, .slot_bytes = quic_endpoint_slot_bytes(), .shards = shards};

	if (node->slot_memory == NULL)
		node->slot_memory = taken((size_t)slots.count * slots.slot_bytes);
	if (node->table_memory == NULL)
		node->table_memory = taken(quic_slots_memory_bytes(slots.count, shards));
	slots.region_slots = slots.count;
	slots.regions[0] = node->slot_memory;
	quic_slots_init(&node->slots, &slots, node->table_memory);
}

static uint16_t
shards_of(const struct world *world, enum world_side side)
{
	return side == WORLD_SERVER && world->config.shards > 0 ? world->config.shards : 1;
}

static void
open_node(struct world *world, enum world_side side)
{
	struct world_node *node = &world->nodes[side];
	struct quic_endpoint_config config = {
		.limits = world->config.limits[side],
		.gateway = (uint16_t)(7 + side),
		.epoch = 1,
		.entropy = {1, 2, 3, 4 + (uint64_t)side},
		.unix_offset_ns = UNIX_SECONDS * BASE_SECOND,
		.crypto = world->config.crypto,
		.slots = &node->slots,
	};
	struct quic_conn_id_config codec = {.gateway = config.gateway, .epoch = 1};

	memset(&config.keys, 0x11 * (1 + (int)side), sizeof(config.keys));
	if (side == WORLD_SERVER && world->tls_memory != NULL)
		tls_memory_bind(world->tls_memory);
	node->tls = open_tls(side, world->config.alpn);
	tls_memory_bind(NULL);
	*(side == WORLD_SERVER ? &config.tls_server : &config.tls_client) = node->tls;
	open_slots(node, config.limits.connections, shards_of(world, side));
	for (int i = 0; i < QUIC_POOL_COUNT; i++) {
		node->pools[i] = base_pool_open(
			NULL, quic_endpoint_pool_bytes((enum quic_pool)i), world->config.elements[i]);
		config.pools[i] = node->pools[i];
	}
	memcpy(codec.key, config.keys.conn_id, sizeof(codec.key));
	memcpy(codec.reset_key, config.keys.stateless_reset, sizeof(codec.reset_key));
	quic_conn_id_codec_init(&node->codec, config.crypto, &codec);
	node->buffers = taken(sizeof(*node->buffers) * WORLD_BATCH);
	node->endpoint_memory = taken(quic_endpoint_bytes(&config.limits));
	node->endpoint_config = config;
	node->endpoint = quic_endpoint_open(node->endpoint_memory, &config, world->now_ns);
}

static void
open_links(struct world *world)
{
	uint32_t places = world->config.link_places;

	net_impair_init(&world->links[WORLD_CLIENT], &world->config.up, world->items, world->heaps, places);
	net_impair_init(&world->links[WORLD_SERVER], &world->config.down, world->items, world->heaps + places,
		places);
}

void
world_open(struct world *world, const struct world_config *config)
{
	uint32_t places = config->link_places;

	*world = (struct world){.config = *config, .now_ns = BASE_SECOND};
	if (world->config.crypto == NULL)
		world->config.crypto = support_backend();
	if (config->tls_memory_bytes > 0)
		world->tls_memory = tls_memory_open(NULL, config->tls_memory_bytes, 0);
	world->items =
		base_pool_open(NULL, net_impair_element_bytes(WORLD_BUFFER_BYTES), 2 * places + WORLD_BATCH);
	world->heaps = taken(2 * places * sizeof(*world->heaps));
	world->config.up.seed = 2 * config->seed;
	world->config.down.seed = 2 * config->seed + 1;
	open_links(world);
	open_node(world, WORLD_CLIENT);
	open_node(world, WORLD_SERVER);
}

/* All that the endpoint had taken has to come back. */
static void
close_endpoint(struct world_node *node)
{
	uint32_t free_slots = 0;

	quic_endpoint_close(node->endpoint);
	for (int i = 0; i < QUIC_POOL_COUNT; i++)
		base_assert(node->pools[i]->in_use == 0);
	for (uint16_t shard = 0; shard < node->slots.shards; shard++)
		free_slots += quic_slots_free_count(&node->slots, shard);
	base_assert(free_slots == node->slots.count);
}

void
world_restart(struct world *world)
{
	world->now_ns = BASE_SECOND;
	for (enum world_side side = 0; side < WORLD_SIDES; side++) {
		struct world_node *node = &world->nodes[side];

		close_endpoint(node);
		open_slots(node, world->config.limits[side].connections, shards_of(world, side));
		node->endpoint =
			quic_endpoint_open(node->endpoint_memory, &node->endpoint_config, world->now_ns);
		net_impair_fini(&world->links[side]);
	}
	open_links(world);
}

static void
close_node(struct world_node *node)
{
	close_endpoint(node);
	for (int i = 0; i < QUIC_POOL_COUNT; i++)
		base_pool_close(node->pools[i]);
	tls_context_close(node->tls);
	free(node->endpoint_memory);
	free(node->slot_memory);
	free(node->table_memory);
	free(node->buffers);
}

void
world_close(struct world *world)
{
	close_node(&world->nodes[WORLD_CLIENT]);
	close_node(&world->nodes[WORLD_SERVER]);
	net_impair_fini(&world->links[WORLD_CLIENT]);
	net_impair_fini(&world->links[WORLD_SERVER]);
	base_pool_close(world->items);
	free(world->heaps);
	if (world->tls_memory != NULL)
		tls_memory_close(world->tls_memory);
}

struct base_address
world_address(enum world_side side, uint16_t port)
{
	return (struct base_address){
		.ip = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1 + side}, .port = port};
}

struct base_address
world_stranger(uint32_t number)
{
	return (struct base_address){.ip = {[10] = 0xff,
					     [11] = 0xff,
					     [12] = 198,
					     [13] = 51,
					     [14] = (uint8_t)(number >> 8),
					     [15] = (uint8_t)number},
		.port = (uint16_t)(1024 + (number >> 16))};
}

struct quic_handle
world_connect(struct world *world, uint32_t number, void *user)
{
	struct quic_connect connect = {
		.path = {.local = world_address(WORLD_CLIENT, (uint16_t)(WORLD_CLIENT_PORT + number)),
			.remote = world_address(WORLD_SERVER, SERVER_PORT)},
		.server_name = "localhost",
		.user = user,
	};
	struct quic_conn *conn =
		quic_endpoint_connect(world->nodes[WORLD_CLIENT].endpoint, &connect, world->now_ns);

	base_assert(conn != NULL);
	return quic_conn_handle(conn);
}

struct quic_conn *
world_conn(struct world *world, enum world_side side, struct quic_handle handle)
{
	return quic_endpoint_find(world->nodes[side].endpoint, handle);
}

static void
pull_events(struct world *world, enum world_side side)
{
	struct quic_event event;

	while (quic_endpoint_next_event(world->nodes[side].endpoint, &event))
		if (world->config.on_event != NULL)
			world->config.on_event(world, side, &event);
}

static void
transmit(struct world *world, enum world_side from, const struct base_datagram *datagram)
{
	struct base_address client = world_address(WORLD_CLIENT, 0);
	struct base_datagram moved = *datagram;

	base_assert(datagram->length > 0 && datagram->length <= WORLD_BUFFER_BYTES);
	if (world->config.on_sent != NULL && world->config.on_sent(world, from, datagram))
		return;
	if (from == WORLD_SERVER && memcmp(datagram->path.remote.ip, client.ip, sizeof(client.ip)) != 0) {
		world->strays++;
		world->stray_bytes += datagram->length;
		memcpy(world->stray, datagram->octets, datagram->length);
		world->stray_length = datagram->length;
		world->stray_path = datagram->path;
		return;
	}
	moved.path = (struct base_path){.local = datagram->path.remote, .remote = datagram->path.local};
	net_impair_push(&world->links[from], &moved, world->now_ns);
}

static void
send_all(struct world *world, enum world_side side)
{
	struct world_node *node = &world->nodes[side];
	struct base_batch batch = {.datagrams = node->datagrams, .capacity = WORLD_BATCH};
	uint16_t sent;

	/* The end of the turn frees what was received in place, so send() is called at least once. */
	do {
		batch.count = 0;
		for (int i = 0; i < WORLD_BATCH; i++)
			node->datagrams[i] = (struct base_datagram){
				.octets = node->buffers[i], .room = WORLD_BUFFER_BYTES};
		sent = quic_endpoint_send(node->endpoint, &batch, world->now_ns);
		for (uint16_t i = 0; i < sent; i++)
			transmit(world, side, &node->datagrams[i]);
	} while (sent > 0);
}

void
world_turn(struct world *world, enum world_side side, struct base_datagram *datagrams, uint16_t count)
{
	struct world_node *node = &world->nodes[side];
	struct net_impair *link = &world->links[side == WORLD_CLIENT ? WORLD_SERVER : WORLD_CLIENT];
	struct net_impair_item *items[WORLD_BATCH], *item;
	struct base_datagram all[WORLD_BATCH];
	struct base_batch batch = {.datagrams = all, .capacity = WORLD_BATCH};
	uint32_t item_count = 0;

	base_assert(count <= WORLD_BATCH);
	for (uint16_t i = 0; i < count; i++)
		all[batch.count++] = datagrams[i];
	while (batch.count < WORLD_BATCH && (item = net_impair_pop(link, world->now_ns)) != NULL) {
		all[batch.count++] = item->datagram;
		items[item_count++] = item;
	}
	for (uint16_t i = 0; i < batch.count; i++)
		support_route(&node->codec, &node->slots, &all[i]);
	if (side == WORLD_SERVER && world->tls_memory != NULL)
		tls_memory_bind(world->tls_memory);
	quic_endpoint_receive(node->endpoint, &batch, world->now_ns);
	pull_events(world, side);
	quic_endpoint_expire(node->endpoint, world->now_ns);
	pull_events(world, side);
	send_all(world, side);
	tls_memory_bind(NULL);
	while (item_count > 0)
		net_impair_release(link, items[--item_count]);
}

void
world_inject(struct world *world, const uint8_t *octets, size_t length, const struct base_address *remote)
{
	/* Of its own size, so that a sanitizer sees the first octet too many. */
	uint8_t *copy = malloc(length + (length == 0));
	struct base_datagram datagram = {
		.octets = copy,
		.length = (uint16_t)length,
		.path = {.local = world_address(WORLD_SERVER, SERVER_PORT), .remote = *remote},
	};

	base_assert(copy != NULL && length <= UINT16_MAX);
	memcpy(copy, octets, length);
	world_turn(world, WORLD_SERVER, &datagram, 1);
	free(copy);
}

static uint64_t
next_time(const struct world *world)
{
	uint64_t next_ns = BASE_NEVER;

	for (int side = 0; side < WORLD_SIDES; side++) {
		next_ns = base_time_earlier(next_ns, net_impair_deadline(&world->links[side]));
		next_ns = base_time_earlier(next_ns, quic_endpoint_deadline(world->nodes[side].endpoint));
	}
	/* A deadline in the past has been acted on as far as it can: time must go on. */
	return next_ns > world->now_ns ? next_ns : world->now_ns + BASE_US;
}

bool
world_run(struct world *world, bool (*done)(struct world *world), uint64_t limit_ns)
{
	while (done == NULL || !done(world)) {
		uint64_t next_ns;

		world_turn(world, WORLD_SERVER, NULL, 0);
		world_turn(world, WORLD_CLIENT, NULL, 0);
		next_ns = next_time(world);
		if (next_ns > limit_ns) {
			world->now_ns = limit_ns > world->now_ns ? limit_ns : world->now_ns;
			return done == NULL || done(world);
		}
		world->now_ns = next_ns;
	}
	return true;
}

static bool
none_left(struct world *world)
{
	return quic_endpoint_connections(world->nodes[WORLD_CLIENT].endpoint) == 0 &&
		quic_endpoint_connections(world->nodes[WORLD_SERVER].endpoint) == 0;
}

bool
world_drain(struct world *world)
{
	quic_endpoint_close_all(world->nodes[WORLD_CLIENT].endpoint, 0, true, world->now_ns);
	return world_run(world, none_left, world->now_ns + 300 * BASE_SECOND);
}

uint64_t
world_counter(const struct world *world, enum world_side side, const char *name)
{
	struct base_counters counters = quic_endpoint_counters(world->nodes[side].endpoint);

	for (size_t i = 0; i < counters.count; i++)
		if (strcmp(counters.names[i], name) == 0)
			return counters.values[i];
	fprintf(stderr, "world: no counter %s\n", name);
	abort();
}

struct world_keys
world_keys(struct world *world, struct quic_handle client)
{
	const struct quic_conn *conn = world_conn(world, WORLD_CLIENT, client);
	struct world_keys keys;

	base_assert(conn != NULL && conn->keys.can_send);
	keys = (struct world_keys){
		.aead = (enum crypto_aead)conn->keys.aead,
		.dcid = conn->peer_ids[0].cid,
		.address = conn->path.local,
		.packet_number = conn->space.sent.next_packet_number,
		.phase = (conn->key_generation & 1) != 0,
	};
	memcpy(keys.secret, conn->keys.send.secret, sizeof(keys.secret));
	memcpy(keys.hp, conn->keys.send.hp, sizeof(keys.hp));
	return keys;
}

size_t
world_seal(struct world *world, struct world_keys *keys, const uint8_t *payload, size_t length,
	uint8_t *octets, size_t room)
{
	_Alignas(CRYPTO_ALIGNMENT) uint8_t expanded[CRYPTO_EXPANDED_BYTES_MAX];
	struct crypto_backend *crypto = world->config.crypto;
	struct base_writer writer = base_writer(octets, room);
	struct quic_header header = {
		.type = QUIC_PACKET_ONE_RTT,
		.dcid = keys->dcid,
		.packet_number = keys->packet_number++,
		.packet_number_length = 4,
		.key_phase = keys->phase,
	};
	struct crypto_packet_keys derived;
	struct crypto_job job = {.key = expanded, .aead = (uint8_t)keys->aead, .aad = octets};
	struct crypto_mask_job mask = {.key = expanded, .aead = (uint8_t)keys->aead};
	uint8_t *number;

	quic_header_write(&writer, &header, &number);
	job.aad_length = (uint16_t)base_writer_length(&writer);
	job.data = writer.at;
	job.length = (uint32_t)length;
	base_writer_octets(&writer, payload, length);
	base_assert(base_writer_ok(&writer) && base_writer_length(&writer) + CRYPTO_TAG_BYTES <= room);
	crypto_packet_keys_derive(crypto, keys->aead, keys->secret, &derived);
	crypto_nonce(derived.iv, header.packet_number, job.nonce);
	crypto_expand_key(crypto, keys->aead, derived.key, expanded);
	crypto_seal(crypto, &job, 1);
	mask.sample = octets + crypto_sample_offset((size_t)(number - octets));
	crypto_expand_mask_key(crypto, keys->aead, keys->hp, expanded);
	crypto_mask(crypto, &mask, 1);
	crypto_header_protect(mask.mask, octets, (size_t)(number - octets));
	return base_writer_length(&writer) + CRYPTO_TAG_BYTES;
}

void
world_forget_clients(struct world *world)
{
	struct world_node *node = &world->nodes[WORLD_CLIENT];

	quic_endpoint_close(node->endpoint);
	node->endpoint = quic_endpoint_open(node->endpoint_memory, &node->endpoint_config, world->now_ns);
}
