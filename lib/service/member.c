/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/member.h"

#include "base/assert.h"

void
service_member_init(struct service_member *member, struct quic_handle handle)
{
	*member = (struct service_member){.handle = handle};
	base_list_init(&member->waiting);
	base_list_init(&member->holding);
	base_list_init(&member->held);
}

static void
give_back(struct service_member *member, struct service_held *item, struct base_pool *held)
{
	base_list_remove(&item->link);
	member->held_count--;
	base_pool_give(held, item);
}

void
service_member_fini(struct service_member *member, struct base_pool *held)
{
	base_list_remove(&member->waiting);
	base_list_remove(&member->holding);
	while (!base_list_empty(&member->held))
		give_back(member, base_container(member->held.next, struct service_held, link), held);
	base_assert(member->held_count == 0);
}

/* ---- the rate ---- */

uint64_t
service_member_post_ns(const struct service_member *member, uint64_t interval_ns, uint32_t burst)
{
	uint64_t ahead_ns = interval_ns * (burst - 1);

	return member->due_ns > ahead_ns ? member->due_ns - ahead_ns : 0;
}

bool
service_member_may_post(struct service_member *member, uint64_t now_ns, uint64_t interval_ns, uint32_t burst)
{
	if (now_ns < service_member_post_ns(member, interval_ns, burst))
		return false;
	member->due_ns = (member->due_ns > now_ns ? member->due_ns : now_ns) + interval_ns;
	return true;
}

void
service_member_unpost(struct service_member *member, uint64_t interval_ns)
{
	member->due_ns -= interval_ns;
}

/* ---- subscriptions ---- */

struct service_subscription *
service_member_by_topic(struct service_member *member, uint64_t topic)
{
	for (int i = 0; i < SERVICE_SUBSCRIPTIONS_MAX; i++)
		if (member->subscriptions[i].id != 0 && member->subscriptions[i].topic == topic)
			return &member->subscriptions[i];
	return NULL;
}

struct service_subscription *
service_member_by_id(struct service_member *member, uint32_t id)
{
	for (int i = 0; i < SERVICE_SUBSCRIPTIONS_MAX; i++)
		if (member->subscriptions[i].id == id)
			return &member->subscriptions[i];
	return NULL;
}

struct service_subscription *
service_member_subscribe(struct service_member *member, uint64_t topic, uint32_t id, uint8_t service)
{
	struct service_subscription *subscription = service_member_by_id(member, 0);

	base_assert(id != 0);
	if (subscription != NULL)
		*subscription = (struct service_subscription){.topic = topic, .id = id, .service = service};
	return subscription;
}

void
service_member_unsubscribe(
	struct service_member *member, struct service_subscription *subscription, struct base_pool *held)
{
	struct base_list *link = member->held.next;

	while (link != &member->held) {
		struct service_held *item = base_container(link, struct service_held, link);

		link = link->next;
		if (item->post.subscription == subscription->id)
			give_back(member, item, held);
	}
	*subscription = (struct service_subscription){0};
}

/* ---- order ---- */

enum service_order
service_member_order(struct service_member *member, struct service_subscription *subscription,
	const struct service_post *post, struct base_pool *held, uint64_t now_ns)
{
	struct service_held *item;

	if (post->number == subscription->next_number) {
		subscription->next_number++;
		return SERVICE_ORDER_NEXT;
	}
	if ((int32_t)(post->number - subscription->next_number) < 0)
		return SERVICE_ORDER_PAST;
	if (member->held_count == SERVICE_MEMBER_HELD_MAX)
		return SERVICE_ORDER_FULL;
	item = base_pool_take(held);
	if (item == NULL)
		return SERVICE_ORDER_FULL;
	item->post = *post;
	if (member->held_count++ == 0)
		member->held_since_ns = now_ns;
	base_list_init(&item->link);
	base_list_push_back(&member->held, &item->link);
	return SERVICE_ORDER_HELD;
}

bool
service_member_next(struct service_member *member, struct base_pool *held, struct service_post *post)
{
	for (struct base_list *link = member->held.next; link != &member->held; link = link->next) {
		struct service_held *item = base_container(link, struct service_held, link);
		struct service_subscription *subscription =
			service_member_by_id(member, item->post.subscription);

		base_assert(subscription != NULL);
		if (item->post.number != subscription->next_number)
			continue;
		subscription->next_number++;
		*post = item->post;
		give_back(member, item, held);
		return true;
	}
	return false;
}

uint32_t
service_member_give_up(struct service_member *member)
{
	uint32_t given_up = 0;

	for (int i = 0; i < SERVICE_SUBSCRIPTIONS_MAX; i++) {
		struct service_subscription *subscription = &member->subscriptions[i];
		uint32_t missing = UINT32_MAX;

		for (struct base_list *link = member->held.next; link != &member->held; link = link->next) {
			const struct service_post *post =
				&base_container(link, struct service_held, link)->post;

			if (post->subscription == subscription->id &&
				post->number - subscription->next_number < missing)
				missing = post->number - subscription->next_number;
		}
		if (subscription->id == 0 || missing == UINT32_MAX)
			continue;
		given_up += missing;
		subscription->next_number += missing;
	}
	return given_up;
}
