/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bus_world.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

/* ---- the service ---- */

static struct bus_conn *
conn_of(struct bus_shard *shard, const struct quic_conn *quic)
{
	return &shard->world->conns[quic_conn_handle(quic).slot];
}

static void
write_down(struct bus_shard *shard, struct quic_conn *quic, const struct service_message *message)
{
	struct bus_conn *conn = conn_of(shard, quic);

	assert_int_equal(conn->shard, shard->index);
	assert_true(conn->heard_count < BUS_HEARD);
	conn->heard[conn->heard_count].kind = message->kind;
	conn->heard[conn->heard_count].topic = message->topic;
	conn->heard[conn->heard_count].from = message->from;
	memcpy(&conn->heard[conn->heard_count].value, message->octets, sizeof(uint32_t));
	conn->heard_count++;
}

static void
on_post(void *instance, struct quic_conn *conn, const struct service_message *message)
{
	struct bus_shard *shard = instance;

	assert_int_equal(message->kind, SERVICE_MESSAGE_POSTED);
	if (conn != NULL)
		write_down(shard, conn, message);
	else
		shard->posts_to_instance++;
}

static void
on_message(void *instance, struct quic_conn *conn, const struct service_message *message)
{
	write_down(instance, conn, message);
}

static void
on_room(void *instance, struct quic_conn *conn)
{
	conn_of(instance, conn)->rooms++;
}

static void
on_event(void *instance, const struct quic_event *event)
{
}

static const struct service_ops ops = {.name = "recorder",
	.alpn = "recorder",
	.on_event = on_event,
	.on_post = on_post,
	.on_message = on_message,
	.on_room = on_room};
static const struct service_ops other_ops = {.name = "other", .alpn = "other", .on_event = on_event};

/* ---- the world ---- */

static bool
enqueue(struct bus_shard *shard, const struct service_post *post)
{
	if (shard->count == shard->places)
		return false;
	shard->queue[(shard->first + shard->count++) % BUS_QUEUE] = *post;
	return true;
}

static enum service_posted
send_post(void *with, struct service_post *post)
{
	struct bus_shard *from = with;
	struct bus_world *world = from->world;
	struct quic_slot_owner owner;
	uint16_t to = post->shard;

	post->from_shard = from->index;
	if (post->to.slot != BASE_SLOT_NONE) {
		if (!quic_slots_owner(&world->slots, post->to.slot, &owner) ||
			owner.generation != post->to.generation || owner.state == QUIC_SLOT_FREE)
			return SERVICE_POST_GONE;
		to = owner.owner;
	} else if (to == SERVICE_POST_MANAGER) {
		world->notices++;
		return SERVICE_POSTED;
	} else if (to >= BUS_SHARDS) {
		return SERVICE_POST_WRONG;
	}
	return enqueue(&world->shards[to], post) ? SERVICE_POSTED : SERVICE_POST_FULL;
}

static void
open_shard(struct bus_world *world, uint16_t index)
{
	struct bus_shard *shard = &world->shards[index];
	struct service_host_config config = {.self = index,
		.shards = BUS_SHARDS,
		.limits = world->limits,
		.topic_key = {1, 2, 3},
		.members = world->members,
		.member_pool = world->member_pool,
		.held_pool = world->held_pool};
	struct service_host_shard host = {.self = index,
		.shards = BUS_SHARDS,
		.slots = &world->slots,
		.endpoint = &shard->endpoint,
		.send = send_post,
		.with = shard};

	shard->world = world;
	shard->index = index;
	shard->places = BUS_QUEUE;
	shard->bus_memory = aligned_alloc(64, (service_bus_bytes(&world->limits.bus) + 63) & ~(size_t)63);
	config.bus_memory = shard->bus_memory;
	service_host_init(&shard->host, &config, &shard->set);
	assert_int_equal(service_add(&shard->set, &ops, shard), SERVICE_OK);
	assert_int_equal(service_add(&shard->set, &other_ops, shard), SERVICE_OK);
	service_host_bind(&shard->host, &host);
	service_host_turn(&shard->host, world->now_ns);
}

static void
open_conn(struct bus_world *world, uint32_t index)
{
	struct bus_conn *conn = &world->conns[index];
	struct quic_handle handle;
	struct quic_event event;

	conn->shard = (uint16_t)(index % BUS_SHARDS);
	/* Slots are dealt out in pieces, so each shard takes until it has the one with this number. */
	handle = (struct quic_handle){.slot = index};
	conn->quic = fake_open(true, "recorder");
	conn->quic->handle = handle;
	quic_slots_publish(&world->slots, handle, conn->shard);
	world->shards[conn->shard].endpoint.conns[index] = conn->quic;
	event = fake_event(conn->quic, QUIC_EVENT_CONNECTED, 0);
	service_dispatch(&world->shards[conn->shard].set, &event);
	assert_int_equal(service_number(conn->quic), BUS_SERVICE);
}

struct bus_world *
bus_open(const struct service_host_limits *limits)
{
	static const struct service_host_limits generous = {
		.bus = {.topics = 16, .subscribers = 64, .topic_subscribers = 32},
		.posts_per_s = 1000,
		.posts_burst = 1000,
		.posts_per_turn = 64,
		.hold_ns = 100 * BASE_MS};
	struct bus_world *world = aligned_alloc(64, (sizeof(*world) + 63) & ~(size_t)63);
	struct quic_slots_config slots = {
		.count = BUS_CONNS, .slot_bytes = 64, .region_slots = BUS_CONNS, .shards = BUS_SHARDS};

	memset(world, 0, sizeof(*world));
	world->limits = limits != NULL ? *limits : generous;
	world->now_ns = BASE_SECOND;
	slots.regions[0] = world->region;
	world->slot_memory =
		aligned_alloc(64, (quic_slots_memory_bytes(BUS_CONNS, BUS_SHARDS) + 63) / 64 * 64);
	quic_slots_init(&world->slots, &slots, world->slot_memory);
	for (uint16_t i = 0; i < BUS_SHARDS; i++)
		while (quic_slots_take(&world->slots, i).slot != BASE_SLOT_NONE)
			continue;
	world->member_pool = base_pool_open(NULL, sizeof(struct service_member), BUS_CONNS);
	world->held_pool = base_pool_open(NULL, sizeof(struct service_held), 256);
	for (uint16_t i = 0; i < BUS_SHARDS; i++)
		open_shard(world, i);
	for (uint32_t i = 0; i < BUS_CONNS; i++)
		open_conn(world, i);
	return world;
}

void
bus_close(struct bus_world *world)
{
	for (uint32_t i = 0; i < BUS_CONNS; i++)
		if (world->conns[i].quic != NULL)
			bus_end(world, i);
	bus_settle(world);
	assert_int_equal(world->member_pool->in_use, 0);
	assert_int_equal(world->held_pool->in_use, 0);
	base_pool_close(world->member_pool);
	base_pool_close(world->held_pool);
	for (uint16_t i = 0; i < BUS_SHARDS; i++)
		free(world->shards[i].bus_memory);
	free(world->slot_memory);
	free(world);
}

bool
bus_step(struct bus_world *world, uint16_t index)
{
	struct bus_shard *shard = &world->shards[index];
	struct quic_slot_owner owner;
	struct quic_conn *conn = NULL;
	struct service_post post;

	if (shard->count == 0)
		return false;
	post = shard->queue[shard->first];
	shard->first = (shard->first + 1) % BUS_QUEUE;
	shard->count--;
	service_host_turn(&shard->host, world->now_ns);
	if (post.to.slot != BASE_SLOT_NONE) {
		quic_slots_owner(&world->slots, post.to.slot, &owner);
		if (owner.state == QUIC_SLOT_FREE || owner.generation != post.to.generation)
			return true;
		if (owner.owner != index) {
			world->others++;
			assert_true(enqueue(&world->shards[owner.owner], &post));
			return true;
		}
		conn = shard->endpoint.conns[post.to.slot];
	}
	service_host_deliver(&shard->host, conn, &post);
	return true;
}

void
bus_settle(struct bus_world *world)
{
	bool more = true;

	while (more) {
		more = false;
		for (uint16_t i = 0; i < BUS_SHARDS; i++)
			more |= bus_step(world, i);
	}
}

void
bus_move(struct bus_world *world, uint32_t index, uint16_t to)
{
	struct bus_conn *conn = &world->conns[index];
	struct bus_shard *from = &world->shards[conn->shard];

	if (conn->shard == to)
		return;
	service_detach(&from->set, conn->quic);
	from->endpoint.conns[index] = NULL;
	quic_slots_grant(&world->slots, index, conn->shard, to);
	conn->shard = to;
	world->shards[to].endpoint.conns[index] = conn->quic;
	quic_slots_attach(&world->slots, index, to);
	service_attach(&world->shards[to].set, conn->quic);
}

void
bus_end(struct bus_world *world, uint32_t index)
{
	struct bus_conn *conn = &world->conns[index];
	struct bus_shard *shard = &world->shards[conn->shard];
	struct quic_event event = fake_event(conn->quic, QUIC_EVENT_CLOSED, 0);

	service_dispatch(&shard->set, &event);
	shard->endpoint.conns[index] = NULL;
	quic_slots_free(&world->slots, index, conn->shard);
	fake_close(conn->quic);
	conn->quic = NULL;
}

struct service_host *
bus_host(struct bus_world *world, uint32_t conn)
{
	struct service_host *host = &world->shards[world->conns[conn].shard].host;

	service_host_turn(host, world->now_ns);
	return host;
}

enum service_posted
bus_publish(struct bus_world *world, uint32_t conn, uint64_t topic, uint32_t value)
{
	return service_host_publish(
		bus_host(world, conn), BUS_SERVICE, world->conns[conn].quic, topic, &value, sizeof(value));
}

enum service_posted
bus_subscribe(struct bus_world *world, uint32_t conn, uint64_t topic)
{
	return service_host_subscribe(bus_host(world, conn), world->conns[conn].quic, topic);
}

uint64_t
bus_counter(const struct bus_world *world, enum service_host_counter counter)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < BUS_SHARDS; i++)
		sum += world->shards[i].host.counters[counter];
	return sum;
}
