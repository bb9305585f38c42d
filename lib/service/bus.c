/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/bus.h"

#include <string.h>

#include "base/assert.h"

enum { NONE = UINT32_MAX, SCANNED_AT_ONCE = 64 };

struct service_bus_topic {
	uint64_t number;
	uint32_t first; /* subscriber */
	uint32_t count; /* 0: the place is free */
};

struct service_bus_subscriber {
	struct quic_handle handle;
	uint64_t topic;
	uint32_t subscription; /* 0: free */
	uint32_t number;       /* of the next post to it; wraps */
	uint32_t next;
	uint8_t service;
	bool confirmed; /* it has been told that it is one */
};

static const char *const counter_names[SERVICE_BUS_COUNTERS] = {
	[SERVICE_BUS_SUBSCRIBED] = "subscribed",
	[SERVICE_BUS_UNSUBSCRIBED] = "unsubscribed",
	[SERVICE_BUS_GONE] = "gone",
	[SERVICE_BUS_REFUSED] = "refused",
	[SERVICE_BUS_PUBLISHED] = "published",
	[SERVICE_BUS_SENT] = "sent",
	[SERVICE_BUS_DROP_FULL] = "drop_full",
};

/* Places for twice as many topics as there may be, so that searches are short and end. */
static uint32_t
topic_places(const struct service_bus_limits *limits)
{
	uint32_t places = 2;

	while (places < 2 * limits->topics)
		places *= 2;
	return places;
}

static size_t
topic_bytes(const struct service_bus_limits *limits)
{
	return (topic_places(limits) * sizeof(struct service_bus_topic) + 63) & ~(size_t)63;
}

size_t
service_bus_bytes(const struct service_bus_limits *limits)
{
	return topic_bytes(limits) + limits->subscribers * sizeof(struct service_bus_subscriber);
}

void
service_bus_init(struct service_bus *bus, const struct service_bus_limits *limits, void *memory)
{
	*bus = (struct service_bus){.limits = *limits, .free_first = NONE};
	memset(memory, 0, service_bus_bytes(limits));
	bus->topics = memory;
	bus->topic_mask = topic_places(limits) - 1;
	bus->subscribers = (void *)((uint8_t *)memory + topic_bytes(limits));
	for (uint32_t i = limits->subscribers; i > 0; i--) {
		bus->subscribers[i - 1].next = bus->free_first;
		bus->free_first = i - 1;
	}
}

void
service_bus_bind(struct service_bus *bus, const struct quic_slots *slots,
	enum service_posted (*send)(void *with, struct service_post *post), void *with)
{
	bus->slots = slots;
	bus->send = send;
	bus->with = with;
}

/* ---- topics ---- */

/* Its place, or the free one where it would be. Numbers are of a keyed hash. */
static struct service_bus_topic *
find_topic(const struct service_bus *bus, uint64_t number)
{
	uint32_t at = (uint32_t)(number >> 32) & bus->topic_mask;

	while (bus->topics[at].count > 0 && bus->topics[at].number != number)
		at = (at + 1) & bus->topic_mask;
	return &bus->topics[at];
}

/* Those behind it that a search would not find any more move up. */
static void
remove_topic(struct service_bus *bus, struct service_bus_topic *topic)
{
	uint32_t hole = (uint32_t)(topic - bus->topics), at = hole;

	bus->topic_count--;
	for (;;) {
		uint32_t home;

		at = (at + 1) & bus->topic_mask;
		if (bus->topics[at].count == 0)
			break;
		home = (uint32_t)(bus->topics[at].number >> 32) & bus->topic_mask;
		if (((at - home) & bus->topic_mask) < ((at - hole) & bus->topic_mask))
			continue;
		bus->topics[hole] = bus->topics[at];
		hole = at;
	}
	bus->topics[hole] = (struct service_bus_topic){0};
}

/* ---- subscribers ---- */

/* Takes the subscriber that *link names out of its topic, which may vanish with it. */
static void
remove_subscriber(struct service_bus *bus, struct service_bus_topic *topic, uint32_t *link)
{
	uint32_t index = *link;
	struct service_bus_subscriber *subscriber = &bus->subscribers[index];

	*link = subscriber->next;
	if (!subscriber->confirmed)
		bus->owed--;
	*subscriber = (struct service_bus_subscriber){.next = bus->free_first};
	bus->free_first = index;
	if (--topic->count == 0)
		remove_topic(bus, topic);
}

/* The link to a connection's subscriber, NULL: it has none. */
static uint32_t *
find_subscriber(struct service_bus *bus, struct service_bus_topic *topic, struct quic_handle handle)
{
	uint32_t *link = &topic->first;

	for (uint32_t i = 0; i < topic->count; i++) {
		const struct service_bus_subscriber *subscriber = &bus->subscribers[*link];

		if (subscriber->handle.slot == handle.slot &&
			subscriber->handle.generation == handle.generation)
			return link;
		link = &bus->subscribers[*link].next;
	}
	return NULL;
}

static bool
lives(const struct service_bus *bus, struct quic_handle handle)
{
	struct quic_slot_owner owner;

	return quic_slots_owner(bus->slots, handle.slot, &owner) && owner.generation == handle.generation &&
		(owner.state == QUIC_SLOT_OWNED || owner.state == QUIC_SLOT_IN_TRANSIT);
}

/* Looks at some subscribers for those whose connection is over, and that could not unsubscribe. */
static void
sweep(struct service_bus *bus)
{
	for (uint32_t i = 0; i < SCANNED_AT_ONCE; i++) {
		const struct service_bus_subscriber *subscriber = &bus->subscribers[bus->scan];
		struct service_bus_topic *topic;

		bus->scan = (bus->scan + 1) % bus->limits.subscribers;
		if (subscriber->subscription == 0 || lives(bus, subscriber->handle))
			continue;
		topic = find_topic(bus, subscriber->topic);
		bus->counters[SERVICE_BUS_GONE]++;
		remove_subscriber(bus, topic, find_subscriber(bus, topic, subscriber->handle));
	}
}

/* ---- what goes out ---- */

/* False when the subscriber is over. */
static bool
send_to(struct service_bus *bus, struct service_bus_subscriber *subscriber, struct service_post *post)
{
	post->to = subscriber->handle;
	post->subscription = subscriber->subscription;
	post->number = subscriber->number;
	switch (bus->send(bus->with, post)) {
	case SERVICE_POSTED:
		subscriber->number++;
		return true;
	case SERVICE_POST_GONE:
		bus->counters[SERVICE_BUS_GONE]++;
		return false;
	default:
		return true;
	}
}

/* The first that a subscriber hears; owed until there is a place for it. */
static bool
confirm(struct service_bus *bus, struct service_bus_subscriber *subscriber)
{
	struct service_post post = {.from.slot = BASE_SLOT_NONE,
		.topic = subscriber->topic,
		.service = subscriber->service,
		.kind = SERVICE_POST_SUBSCRIBED};
	bool there = send_to(bus, subscriber, &post);

	subscriber->confirmed = subscriber->number > 0;
	bus->owed -= subscriber->confirmed;
	return there;
}

static void
publish(struct service_bus *bus, const struct service_post *from)
{
	struct service_bus_topic *topic = find_topic(bus, from->topic);
	struct service_post post = *from;
	uint32_t *link = &topic->first;

	bus->counters[SERVICE_BUS_PUBLISHED]++;
	post.kind = SERVICE_POST_DELIVER;
	/* With the last subscriber the topic's place may become another's. */
	for (uint32_t left = topic->count; left > 0; left--) {
		struct service_bus_subscriber *subscriber = &bus->subscribers[*link];
		bool there = subscriber->confirmed || confirm(bus, subscriber);
		uint32_t number = subscriber->number;

		if (there && subscriber->confirmed)
			there = send_to(bus, subscriber, &post);
		if (!there) {
			remove_subscriber(bus, topic, link);
			continue;
		}
		bus->counters[subscriber->number != number ? SERVICE_BUS_SENT : SERVICE_BUS_DROP_FULL]++;
		link = &subscriber->next;
	}
}

/* ---- what comes in ---- */

static void
refuse(struct service_bus *bus, const struct service_post *from)
{
	struct service_post post = {.to = from->from,
		.from.slot = BASE_SLOT_NONE,
		.topic = from->topic,
		.subscription = from->subscription,
		.service = from->service,
		.kind = SERVICE_POST_REFUSED};

	bus->counters[SERVICE_BUS_REFUSED]++;
	bus->send(bus->with, &post);
}

static bool
has_room(const struct service_bus *bus, const struct service_bus_topic *topic)
{
	return bus->free_first != NONE && topic->count < bus->limits.topic_subscribers &&
		(topic->count > 0 || bus->topic_count < bus->limits.topics);
}

static void
subscribe(struct service_bus *bus, const struct service_post *post)
{
	struct service_bus_topic *topic = find_topic(bus, post->topic);
	uint32_t index, *link = find_subscriber(bus, topic, post->from);

	/* It unsubscribed, and that was lost. */
	if (link != NULL)
		remove_subscriber(bus, topic, link);
	topic = find_topic(bus, post->topic);
	if (!has_room(bus, topic)) {
		sweep(bus);
		topic = find_topic(bus, post->topic);
	}
	if (!has_room(bus, topic)) {
		refuse(bus, post);
		return;
	}
	index = bus->free_first;
	bus->free_first = bus->subscribers[index].next;
	if (topic->count == 0) {
		*topic = (struct service_bus_topic){.number = post->topic, .first = NONE};
		bus->topic_count++;
	}
	bus->subscribers[index] = (struct service_bus_subscriber){.handle = post->from,
		.topic = post->topic,
		.subscription = post->subscription,
		.service = post->service,
		.next = topic->first};
	topic->first = index;
	topic->count++;
	bus->owed++;
	bus->counters[SERVICE_BUS_SUBSCRIBED]++;
	if (!confirm(bus, &bus->subscribers[index]))
		remove_subscriber(bus, topic, &topic->first);
}

static void
unsubscribe(struct service_bus *bus, const struct service_post *post)
{
	struct service_bus_topic *topic = find_topic(bus, post->topic);
	uint32_t *link = find_subscriber(bus, topic, post->from);

	if (link == NULL || bus->subscribers[*link].subscription != post->subscription)
		return;
	bus->counters[SERVICE_BUS_UNSUBSCRIBED]++;
	remove_subscriber(bus, topic, link);
}

void
service_bus_take(struct service_bus *bus, const struct service_post *post)
{
	switch (post->kind) {
	case SERVICE_POST_SUBSCRIBE:
		subscribe(bus, post);
		break;
	case SERVICE_POST_UNSUBSCRIBE:
		unsubscribe(bus, post);
		break;
	default:
		base_assert(post->kind == SERVICE_POST_PUBLISH);
		publish(bus, post);
	}
}

void
service_bus_turn(struct service_bus *bus)
{
	for (uint32_t i = 0; bus->owed > 0 && i < SCANNED_AT_ONCE; i++) {
		struct service_bus_subscriber *subscriber = &bus->subscribers[bus->scan];
		struct service_bus_topic *topic;

		bus->scan = (bus->scan + 1) % bus->limits.subscribers;
		if (subscriber->subscription == 0 || subscriber->confirmed || confirm(bus, subscriber))
			continue;
		topic = find_topic(bus, subscriber->topic);
		remove_subscriber(bus, topic, find_subscriber(bus, topic, subscriber->handle));
	}
}

uint32_t
service_bus_count(const struct service_bus *bus, uint64_t topic)
{
	return find_topic(bus, topic)->count;
}

struct base_counters
service_bus_counters(const struct service_bus *bus)
{
	return (struct base_counters){.library = "bus",
		.names = counter_names,
		.values = bus->counters,
		.count = SERVICE_BUS_COUNTERS};
}
