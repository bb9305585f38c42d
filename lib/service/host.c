/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/host.h"

#include <string.h>

#include "base/assert.h"
#include "base/random.h"
#include "base/time.h"

enum { WOKEN_PER_TURN = 16, SUBSCRIPTION_BITS = 20, TOPIC_NAME_MAX = 64 };

static const char *const counter_names[SERVICE_HOST_COUNTERS] = {
	[SERVICE_HOST_TOO_FAST] = "too_fast",
	[SERVICE_HOST_NO_MEMBER] = "no_member",
	[SERVICE_HOST_OTHERS] = "drop_others",
	[SERVICE_HOST_LATE] = "drop_late",
	[SERVICE_HOST_HELD] = "held",
	[SERVICE_HOST_DROP_HELD] = "drop_held",
	[SERVICE_HOST_GIVEN_UP] = "given_up",
};

/* As services may ask when they are opened and closed, and there is no shard. */
static enum service_posted
send_nowhere(void *with, struct service_post *post)
{
	(void)with;
	(void)post;
	return SERVICE_POST_WRONG;
}

void
service_host_init(
	struct service_host *host, const struct service_host_config *config, struct service_set *set)
{
	*host = (struct service_host){.config = *config, .set = set};
	host->interval_ns = BASE_SECOND / config->limits.posts_per_s;
	base_list_init(&host->waiting);
	base_list_init(&host->holding);
	service_bus_init(&host->bus, &config->limits.bus, config->bus_memory);
	service_host_unbind(host);
	set->host = host;
}

void
service_host_unbind(struct service_host *host)
{
	base_assert(host->config.shards > 0);
	host->shard = (struct service_host_shard){
		.self = host->config.self, .shards = host->config.shards, .send = send_nowhere};
	service_bus_bind(&host->bus, NULL, send_nowhere, NULL);
}

void
service_host_bind(struct service_host *host, const struct service_host_shard *shard)
{
	base_assert(shard->self == host->config.self && shard->shards == host->config.shards);
	host->shard = *shard;
	service_bus_bind(&host->bus, shard->slots, shard->send, shard->with);
}

/* ---- members ---- */

/* NULL: the connection has neither posted nor subscribed. */
static struct service_member *
member_of(const struct service_host *host, const struct quic_conn *conn)
{
	struct quic_handle handle = quic_conn_handle(conn);
	struct service_member *member = host->config.members[handle.slot];

	base_assert(member == NULL || member->handle.generation == handle.generation);
	return member;
}

static struct service_member *
make_member(struct service_host *host, struct quic_conn *conn)
{
	struct service_member *member = member_of(host, conn);

	if (member != NULL)
		return member;
	member = base_pool_take(host->config.member_pool);
	if (member == NULL) {
		host->counters[SERVICE_HOST_NO_MEMBER]++;
		return NULL;
	}
	service_member_init(member, quic_conn_handle(conn));
	host->config.members[member->handle.slot] = member;
	return member;
}

static void
wait_for_room(struct service_host *host, struct service_member *member)
{
	if (member->is_waiting)
		return;
	member->is_waiting = true;
	base_list_push_back(&host->waiting, &member->waiting);
}

/* ---- posting ---- */

/* By the rate of the connection that posts; the instance itself is trusted. */
static enum service_posted
send_at_rate(struct service_host *host, struct quic_conn *conn, struct service_post *post)
{
	const struct service_host_limits *limits = &host->config.limits;
	struct service_member *member;
	enum service_posted posted;

	if (conn == NULL) {
		post->from.slot = BASE_SLOT_NONE;
		return host->shard.send(host->shard.with, post);
	}
	member = make_member(host, conn);
	if (member == NULL)
		return SERVICE_POST_WRONG;
	post->from = member->handle;
	if (!service_member_may_post(member, host->now_ns, host->interval_ns, limits->posts_burst)) {
		host->counters[SERVICE_HOST_TOO_FAST]++;
		wait_for_room(host, member);
		return SERVICE_POST_FULL;
	}
	posted = host->shard.send(host->shard.with, post);
	if (posted == SERVICE_POST_FULL) {
		service_member_unpost(member, host->interval_ns);
		wait_for_room(host, member);
	}
	return posted;
}

static enum service_posted
send_octets(struct service_host *host, struct quic_conn *conn, struct service_post *post, const void *octets,
	size_t length)
{
	if (host == NULL || length > SERVICE_POST_BYTES)
		return SERVICE_POST_WRONG;
	memcpy(post->octets, octets, length);
	post->length = (uint8_t)length;
	return send_at_rate(host, conn, post);
}

enum service_posted
service_host_post(struct service_host *host, uint8_t service, struct quic_conn *conn, struct quic_handle to,
	const void *octets, size_t length)
{
	struct service_post post = {.to = to, .service = service, .kind = SERVICE_POST_MESSAGE};

	return to.slot == BASE_SLOT_NONE ? SERVICE_POST_GONE : send_octets(host, conn, &post, octets, length);
}

enum service_posted
service_host_post_shard(struct service_host *host, uint8_t service, struct quic_conn *conn, uint16_t shard,
	const void *octets, size_t length)
{
	struct service_post post = {
		.to.slot = BASE_SLOT_NONE, .shard = shard, .service = service, .kind = SERVICE_POST_MESSAGE};

	return shard == SERVICE_POST_MANAGER ? SERVICE_POST_WRONG
					     : send_octets(host, conn, &post, octets, length);
}

enum service_posted
service_host_post_manager(
	struct service_host *host, uint8_t service, struct quic_conn *conn, const void *octets, size_t length)
{
	struct service_post post = {.to.slot = BASE_SLOT_NONE,
		.shard = SERVICE_POST_MANAGER,
		.service = service,
		.kind = SERVICE_POST_MESSAGE};

	return send_octets(host, conn, &post, octets, length);
}

/* ---- topics ---- */

uint64_t
service_host_topic(const struct service_host *host, uint8_t service, const void *name, size_t length)
{
	uint8_t octets[1 + TOPIC_NAME_MAX];
	uint64_t hash;

	if (host == NULL || length > TOPIC_NAME_MAX)
		return 0;
	octets[0] = service;
	memcpy(octets + 1, name, length);
	hash = base_siphash(host->config.topic_key, octets, 1 + length);
	return hash != 0 ? hash : 1;
}

static struct service_post
to_home(const struct service_host *host, uint8_t service, uint64_t topic, enum service_post_kind kind)
{
	return (struct service_post){.to.slot = BASE_SLOT_NONE,
		.shard = (uint16_t)(topic % host->shard.shards),
		.topic = topic,
		.service = service,
		.kind = (uint8_t)kind};
}

enum service_posted
service_host_publish(struct service_host *host, uint8_t service, struct quic_conn *conn, uint64_t topic,
	const void *octets, size_t length)
{
	struct service_post post;

	if (host == NULL || topic == 0)
		return SERVICE_POST_WRONG;
	post = to_home(host, service, topic, SERVICE_POST_PUBLISH);
	return send_octets(host, conn, &post, octets, length);
}

/* Told apart from all others that this connection had or has, on whatever shard. */
static uint32_t
next_subscription(struct service_host *host)
{
	uint32_t mask = (UINT32_C(1) << SUBSCRIPTION_BITS) - 1;

	host->last_subscription = (host->last_subscription + 1) & mask;
	if (host->last_subscription == 0)
		host->last_subscription = 1;
	return (uint32_t)host->shard.self << SUBSCRIPTION_BITS | host->last_subscription;
}

enum service_posted
service_host_subscribe(struct service_host *host, struct quic_conn *conn, uint64_t topic)
{
	struct service_subscription *subscription;
	struct service_member *member;
	struct service_post post;
	enum service_posted posted;
	uint8_t service = service_number(conn);

	if (host == NULL || topic == 0)
		return SERVICE_POST_WRONG;
	member = make_member(host, conn);
	if (member == NULL || service_member_by_topic(member, topic) != NULL)
		return SERVICE_POST_WRONG;
	subscription = service_member_subscribe(member, topic, next_subscription(host), service);
	if (subscription == NULL)
		return SERVICE_POST_WRONG;
	post = to_home(host, service, topic, SERVICE_POST_SUBSCRIBE);
	post.subscription = subscription->id;
	posted = send_at_rate(host, conn, &post);
	if (posted != SERVICE_POSTED)
		service_member_unsubscribe(member, subscription, host->config.held_pool);
	return posted;
}

/* By the home, should this not reach it: what is sent to a subscription that is not there is answered so again. */
static void
tell_home(struct service_host *host, struct quic_handle handle, uint8_t service, uint64_t topic, uint32_t id)
{
	struct service_post post = to_home(host, service, topic, SERVICE_POST_UNSUBSCRIBE);

	post.from = handle;
	post.subscription = id;
	host->shard.send(host->shard.with, &post);
}

static void
unsubscribe(
	struct service_host *host, struct service_member *member, struct service_subscription *subscription)
{
	tell_home(host, member->handle, subscription->service, subscription->topic, subscription->id);
	service_member_unsubscribe(member, subscription, host->config.held_pool);
	if (member->held_count == 0)
		base_list_remove(&member->holding);
}

void
service_host_unsubscribe(struct service_host *host, struct quic_conn *conn, uint64_t topic)
{
	struct service_member *member = host != NULL ? member_of(host, conn) : NULL;
	struct service_subscription *subscription =
		member != NULL ? service_member_by_topic(member, topic) : NULL;

	if (subscription != NULL)
		unsubscribe(host, member, subscription);
}

/* ---- what arrives ---- */

static struct service_message
message_of(const struct service_post *post, enum service_message_kind kind)
{
	return (struct service_message){.kind = kind,
		.from_shard = post->from_shard,
		.from = post->from,
		.topic = post->topic,
		.octets = post->octets,
		.length = post->length};
}

static void
tell_message(struct service_host *host, struct quic_conn *conn, const struct service_post *post)
{
	const struct service *service = &host->set->services[post->service - 1];
	struct service_message message = message_of(post,
		post->kind == SERVICE_POST_DELIVER           ? SERVICE_MESSAGE_PUBLISHED
			: post->kind == SERVICE_POST_REFUSED ? SERVICE_MESSAGE_REFUSED
							     : SERVICE_MESSAGE_SUBSCRIBED);

	/* The service may have closed the connection, or ended the subscription, in the call before this one. */
	if (service->ops->on_message != NULL && quic_conn_is_open(conn))
		service->ops->on_message(service->instance, conn, &message);
}

static void
tell_held(struct service_host *host, struct quic_conn *conn, struct service_member *member)
{
	struct service_post post;

	while (service_member_next(member, host->config.held_pool, &post))
		tell_message(host, conn, &post);
	if (member->held_count == 0)
		base_list_remove(&member->holding);
}

static void
take_numbered(struct service_host *host, struct quic_conn *conn, struct service_member *member,
	struct service_subscription *subscription, const struct service_post *post)
{
	switch (service_member_order(member, subscription, post, host->config.held_pool, host->now_ns)) {
	case SERVICE_ORDER_NEXT:
		tell_message(host, conn, post);
		if (member->held_count > 0)
			tell_held(host, conn, member);
		break;
	case SERVICE_ORDER_HELD:
		host->counters[SERVICE_HOST_HELD]++;
		if (base_list_empty(&member->holding))
			base_list_push_back(&host->holding, &member->holding);
		break;
	case SERVICE_ORDER_PAST:
		host->counters[SERVICE_HOST_LATE]++;
		break;
	case SERVICE_ORDER_FULL:
		host->counters[SERVICE_HOST_DROP_HELD]++;
		break;
	}
}

static void
take_of_bus(struct service_host *host, struct quic_conn *conn, const struct service_post *post)
{
	struct service_member *member = member_of(host, conn);
	struct service_subscription *subscription = member != NULL && post->subscription != 0
		? service_member_by_id(member, post->subscription)
		: NULL;

	if (subscription == NULL) {
		host->counters[SERVICE_HOST_LATE]++;
		if (post->kind != SERVICE_POST_REFUSED)
			tell_home(host, post->to, post->service, post->topic, post->subscription);
		return;
	}
	if (post->kind == SERVICE_POST_REFUSED) {
		service_member_unsubscribe(member, subscription, host->config.held_pool);
		tell_message(host, conn, post);
		return;
	}
	take_numbered(host, conn, member, subscription, post);
}

void
service_host_deliver(struct service_host *host, struct quic_conn *conn, const struct service_post *post)
{
	const struct service *service;
	struct service_message message;

	base_assert(post->service > 0 && post->service <= host->set->count);
	service = &host->set->services[post->service - 1];
	if (conn != NULL && service_number(conn) != post->service) {
		host->counters[SERVICE_HOST_OTHERS]++;
		return;
	}
	if (post->kind != SERVICE_POST_MESSAGE) {
		if (conn == NULL)
			service_bus_take(&host->bus, post);
		else
			take_of_bus(host, conn, post);
		return;
	}
	message = message_of(post, SERVICE_MESSAGE_POSTED);
	if (service->ops->on_post != NULL)
		service->ops->on_post(service->instance, conn, &message);
}

/* ---- turns ---- */

static void
give_up(struct service_host *host)
{
	while (!base_list_empty(&host->holding)) {
		struct service_member *member =
			base_container(host->holding.next, struct service_member, holding);
		struct quic_conn *conn = quic_endpoint_find(host->shard.endpoint, member->handle);

		if (host->now_ns - member->held_since_ns < host->config.limits.hold_ns)
			return;
		host->counters[SERVICE_HOST_GIVEN_UP] += service_member_give_up(member);
		member->held_since_ns = host->now_ns;
		base_list_remove(&member->holding);
		base_list_push_back(&host->holding, &member->holding);
		tell_held(host, conn, member);
	}
}

static void
wake(struct service_host *host)
{
	const struct service_host_limits *limits = &host->config.limits;
	const struct base_list *last = host->waiting.previous;
	bool more = !base_list_empty(&host->waiting);

	/* Who has to wait again is behind the last. */
	for (int i = 0; i < WOKEN_PER_TURN && more; i++) {
		struct service_member *member =
			base_container(host->waiting.next, struct service_member, waiting);
		struct quic_conn *conn = quic_endpoint_find(host->shard.endpoint, member->handle);
		const struct service *service = &host->set->services[service_number(conn) - 1];

		more = &member->waiting != last;
		base_list_remove(&member->waiting);
		if (host->now_ns < service_member_post_ns(member, host->interval_ns, limits->posts_burst)) {
			base_list_push_back(&host->waiting, &member->waiting);
			continue;
		}
		member->is_waiting = false;
		if (service->ops->on_room != NULL && quic_conn_is_open(conn))
			service->ops->on_room(service->instance, conn);
	}
}

void
service_host_turn(struct service_host *host, uint64_t now_ns)
{
	host->now_ns = now_ns;
	give_up(host);
	wake(host);
	service_bus_turn(&host->bus);
}

uint64_t
service_host_deadline(const struct service_host *host)
{
	bool wanted =
		!base_list_empty(&host->waiting) || !base_list_empty(&host->holding) || host->bus.owed > 0;

	return wanted ? host->now_ns + BASE_MS : BASE_NEVER;
}

/* ---- connections move and end ---- */

void
service_host_detach(struct service_host *host, struct quic_conn *conn)
{
	struct service_member *member = member_of(host, conn);

	if (member == NULL)
		return;
	base_list_remove(&member->waiting);
	base_list_remove(&member->holding);
}

void
service_host_attach(struct service_host *host, struct quic_conn *conn)
{
	struct service_member *member = member_of(host, conn);

	if (member == NULL)
		return;
	if (member->is_waiting)
		base_list_push_back(&host->waiting, &member->waiting);
	if (member->held_count > 0)
		base_list_push_back(&host->holding, &member->holding);
}

void
service_host_closed(struct service_host *host, struct quic_conn *conn)
{
	struct service_member *member = member_of(host, conn);

	if (member == NULL)
		return;
	for (int i = 0; i < SERVICE_SUBSCRIPTIONS_MAX; i++)
		if (member->subscriptions[i].id != 0)
			unsubscribe(host, member, &member->subscriptions[i]);
	host->config.members[member->handle.slot] = NULL;
	service_member_fini(member, host->config.held_pool);
	base_pool_give(host->config.member_pool, member);
}

struct base_counters
service_host_counters(const struct service_host *host)
{
	return (struct base_counters){.library = "host",
		.names = counter_names,
		.values = host->counters,
		.count = SERVICE_HOST_COUNTERS};
}
