/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/tsan/talk.h"

#include <stdlib.h>
#include <string.h>

#include <rte_mempool.h>

#include "base/assert.h"
#include "base/time.h"

enum { POSTS_SHARE = 8, MEMBERS = 255, HELD = 255, FILL = 23, PLACES = 10, SAID_AT_ONCE = 3 };

struct message {
	uint32_t shard; /* the poster's */
	uint32_t number;
	uint64_t fill[FILL]; /* what follows from them */
};

struct talk talk;

static const struct service_bus_limits bus_limits = {
	.topics = TALK_TOPICS, .subscribers = 32, .topic_subscribers = 6};

/* ---- messages ---- */

static uint64_t
fill_of(const struct message *message)
{
	return ((uint64_t)message->shard << 32 | message->number) * UINT64_C(0x9e3779b97f4a7c15);
}

static struct message
next_message(struct talk_shard *shard)
{
	struct message message = {.shard = shard->index, .number = ++shard->number};

	for (int i = 0; i < FILL; i++)
		message.fill[i] = fill_of(&message);
	return message;
}

/* As it was sent, and the first time. */
static struct message
look_at(const uint8_t *octets, size_t length)
{
	struct message message;

	base_assert(length == sizeof(message));
	memcpy(&message, octets, sizeof(message));
	base_assert(message.shard < LIVE_SHARDS_MAX && message.number < TALK_NUMBERS);
	for (int i = 0; i < FILL; i++)
		base_assert(message.fill[i] == fill_of(&message));
	return message;
}

static void
hear_once(const struct message *message)
{
	uint8_t before = atomic_exchange_explicit(
		&talk.heard[message->shard][message->number], 1, memory_order_relaxed);

	base_assert(before == 0);
}

static struct talk_conn *
conn_of(const struct talk_shard *shard, const struct quic_conn *conn)
{
	struct quic_handle handle = quic_conn_handle(conn);
	struct talk_conn *own = &talk.conns[handle.slot];

	base_assert(own->handle.slot == handle.slot && own->handle.generation == handle.generation);
	base_assert(own->shard == shard->index);
	return own;
}

/* ---- what connections do ---- */

static uint64_t
topic_number(const struct talk_shard *shard, uint32_t topic)
{
	const char name = (char)('a' + topic);

	return service_host_topic(&shard->host, 1, &name, 1);
}

static uint32_t
topic_index(const struct talk_shard *shard, uint64_t number)
{
	uint32_t topic = 0;

	while (topic_number(shard, topic) != number)
		topic++;
	base_assert(topic < TALK_TOPICS);
	return topic;
}

static void
account(struct talk_shard *shard, enum service_posted posted, enum talk_counter counter)
{
	base_assert(posted != SERVICE_POST_WRONG);
	shard->counters[posted == SERVICE_POSTED      ? counter
			: posted == SERVICE_POST_FULL ? TALK_FULL
						      : TALK_GONE]++;
}

static void
post_to_any(struct talk_shard *shard, struct quic_conn *poster)
{
	uint32_t slot = (uint32_t)base_random_below(&shard->random, TALK_SLOTS);
	struct message message = next_message(shard);
	struct quic_slot_owner owner;

	quic_slots_owner(shard->host.shard.slots, slot, &owner);
	account(shard,
		service_host_post(&shard->host, 1, poster, (struct quic_handle){slot, owner.generation},
			&message, sizeof(message)),
		TALK_MESSAGES);
}

static void
post_to_shard(struct talk_shard *shard, struct quic_conn *poster)
{
	uint16_t to = (uint16_t)base_random_below(&shard->random, shard->host.shard.shards);
	struct message message = next_message(shard);

	account(shard, service_host_post_shard(&shard->host, 1, poster, to, &message, sizeof(message)),
		TALK_MESSAGES);
}

static void
post_to_manager(struct talk_shard *shard, struct quic_conn *poster)
{
	struct message message = next_message(shard);

	account(shard, service_host_post_manager(&shard->host, 1, poster, &message, sizeof(message)),
		TALK_NOTICES);
}

static void
publish(struct talk_shard *shard, struct quic_conn *poster, uint64_t topic)
{
	struct message message = next_message(shard);

	account(shard, service_host_publish(&shard->host, 1, poster, topic, &message, sizeof(message)),
		TALK_PUBLISHED);
}

static void
say_something(struct talk_shard *shard, struct quic_conn *conn)
{
	uint32_t topic = (uint32_t)base_random_below(&shard->random, TALK_TOPICS);
	struct quic_conn *poster = base_random_below(&shard->random, 4) == 0 ? NULL : conn;
	struct talk_conn *own = conn_of(shard, conn);

	if (shard->number + 1 == TALK_NUMBERS)
		return;
	switch (base_random_below(&shard->random, PLACES)) {
	case 0:
	case 1:
	case 2:
		post_to_any(shard, poster);
		break;
	case 3:
	case 4:
		post_to_shard(shard, poster);
		break;
	case 5:
		post_to_manager(shard, poster);
		break;
	case 6:
		service_host_subscribe(&shard->host, conn, topic_number(shard, topic));
		break;
	case 7:
		if (base_random_below(&shard->random, 8) != 0)
			break;
		service_host_unsubscribe(&shard->host, conn, topic_number(shard, topic));
		own->records[topic] = NULL;
		break;
	default:
		publish(shard, poster, topic_number(shard, topic));
		break;
	}
}

/* ---- the service ---- */

static void
on_connected(void *instance, struct quic_conn *conn)
{
	struct talk_shard *shard = instance;
	struct quic_handle handle = quic_conn_handle(conn);

	talk.conns[handle.slot] = (struct talk_conn){.handle = handle, .shard = shard->index};
}

static void
on_event(void *instance, const struct quic_event *event)
{
	struct talk_shard *shard = instance;

	service_echo_ops.on_event(&shard->echo, event);
	for (int i = 0; i < SAID_AT_ONCE && quic_conn_is_open(event->conn); i++)
		say_something(shard, event->conn);
}

static void
on_detach(void *instance, struct quic_conn *conn)
{
	conn_of(instance, conn)->shard = UINT16_MAX;
}

static void
on_attach(void *instance, struct quic_conn *conn)
{
	struct talk_shard *shard = instance;
	struct talk_conn *own = &talk.conns[quic_conn_handle(conn).slot];

	base_assert(own->shard == UINT16_MAX);
	own->shard = shard->index;
}

static void
on_post(void *instance, struct quic_conn *conn, const struct service_message *post)
{
	struct talk_shard *shard = instance;
	struct message message = look_at(post->octets, post->length);

	base_assert(post->from_shard == message.shard);
	hear_once(&message);
	shard->counters[TALK_HEARD]++;
	if (conn != NULL) {
		conn_of(shard, conn)->heard++;
		return;
	}
	base_assert(message.number > shard->last[message.shard]);
	shard->last[message.shard] = message.number;
}

static void
on_message(void *instance, struct quic_conn *conn, const struct service_message *heard)
{
	struct talk_shard *shard = instance;
	struct talk_conn *own = conn_of(shard, conn);
	uint32_t topic = topic_index(shard, heard->topic);
	struct talk_record *record = own->records[topic];
	struct message message;

	if (heard->kind != SERVICE_MESSAGE_PUBLISHED) {
		uint32_t at = atomic_fetch_add_explicit(&talk.record_count, 1, memory_order_relaxed);

		base_assert(record == NULL && at < TALK_RECORDS);
		shard->counters[heard->kind == SERVICE_MESSAGE_REFUSED ? TALK_REFUSED : TALK_CONFIRMED]++;
		if (heard->kind == SERVICE_MESSAGE_SUBSCRIBED)
			own->records[topic] = &talk.records[at];
		talk.records[at].topic = topic;
		return;
	}
	message = look_at(heard->octets, heard->length);
	base_assert(record != NULL);
	shard->counters[TALK_TOPIC]++;
	own->heard++;
	if (record->count < TALK_RECORD)
		record->ids[record->count++] = message.shard * TALK_NUMBERS + message.number;
}

static void
on_room(void *instance, struct quic_conn *conn)
{
	struct talk_shard *shard = instance;

	shard->counters[TALK_ROOM]++;
	say_something(shard, conn);
}

static const struct service_ops ops = {.name = "talk",
	.alpn = "echo",
	.on_connected = on_connected,
	.on_event = on_event,
	.on_detach = on_detach,
	.on_attach = on_attach,
	.on_post = on_post,
	.on_message = on_message,
	.on_room = on_room};

/* ---- memory ---- */

static void
open_shard(struct live *live, uint16_t index)
{
	struct talk_shard *shard = &talk.shards[index];
	size_t bytes = (service_bus_bytes(&bus_limits) + 63) & ~(size_t)63;
	struct service_host_config host = {.self = index,
		.shards = live->options.shards,
		.limits = {.bus = bus_limits,
			.posts_per_s = 1000,
			.posts_burst = 32,
			.posts_per_turn = 32,
			.hold_ns = 100 * BASE_MS},
		.topic_key = {1, 2, 3},
		.members = talk.of_slot,
		.member_pool = &shard->members.pool,
		.held_pool = &shard->held.pool};

	shard->index = index;
	base_random_init(&shard->random, index + 1U);
	shard_pool_init(&shard->members, talk.members, live->options.shards);
	shard_pool_init(&shard->held, talk.held, live->options.shards);
	host.bus_memory = shard->bus_memory = aligned_alloc(64, bytes);
	base_assert(shard->bus_memory != NULL);
	service_host_init(&shard->host, &host, &shard->set);
	service_add(&shard->set, &ops, shard);
	live->config.seats[index].services = &shard->set;
}

void
talk_prepare(struct live *live)
{
	memset(&talk, 0, sizeof(talk));
	base_assert(live->config.connections == TALK_SLOTS);
	talk.members = shard_pool_memory_open(
		"talk_members", sizeof(struct service_member), MEMBERS, live->options.shards, SOCKET_ID_ANY);
	talk.held = shard_pool_memory_open(
		"talk_held", sizeof(struct service_held), HELD, live->options.shards, SOCKET_ID_ANY);
	base_assert(talk.members != NULL && talk.held != NULL);
	for (uint16_t i = 0; i < live->options.shards; i++)
		open_shard(live, i);
	live->config.posts_share = POSTS_SHARE;
}

void
talk_close(void)
{
	for (int i = 0; i < LIVE_SHARDS_MAX; i++)
		free(talk.shards[i].bus_memory);
	base_assert(rte_mempool_in_use_count(talk.members) == 0 && rte_mempool_in_use_count(talk.held) == 0);
	shard_pool_memory_close(talk.members);
	shard_pool_memory_close(talk.held);
}

/* ---- the manager ---- */

void
talk_take_notices(struct live *live)
{
	struct service_post post;

	while (shard_group_next_notice(live->group, &post)) {
		struct message message = look_at(post.octets, post.length);

		hear_once(&message);
		base_assert(post.from_shard == message.shard && message.number > talk.last[message.shard]);
		talk.last[message.shard] = message.number;
		talk.notices++;
	}
}

bool
talk_silent(const struct live *live)
{
	for (uint16_t i = 0; i < live->group->count; i++)
		if (shard_mailbox_posts(&live->group->mailboxes[i]) > 0)
			return false;
	return shard_mailbox_posts(&live->group->notices) == 0;
}
