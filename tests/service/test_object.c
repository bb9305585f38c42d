/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A service in the shape of millrace.h, called as the gateway calls its own. */
#include "service/object.h"

#include <stdio.h>
#include <string.h>

#include "bus_world.h"

struct instance {
	struct millrace_shard *shard;
	const struct millrace_calls *calls;
	uint32_t connected, closed, events, detached, attached, posts, messages, rooms, shutdowns;
	uint32_t last_type, last_kind;
	void *state;
	bool holds;
	int opening, closing; /* what is said to who posts then */
};

static bool
open_it(void *instance, struct millrace_shard *shard, const struct millrace_calls *calls, const char *options,
	char *error, size_t room)
{
	struct instance *it = instance;

	it->shard = shard;
	it->calls = calls;
	assert_int_equal(calls->shard_number(shard), 0);
	assert_int_equal(calls->shard_count(shard), BUS_SHARDS);
	it->opening = calls->publish(shard, NULL, calls->topic(shard, "t", 1), "x", 1);
	if (strcmp(options, "silent") == 0)
		return false;
	snprintf(error, room, "because");
	return options[0] == '\0';
}

static void
close_it(void *instance)
{
	struct instance *it = instance;

	it->closing = it->calls->post_operator(it->shard, NULL, "bye", 3);
	it->shard = NULL;
}

static void
on_connected(void *instance, struct quic_conn *conn, void *state)
{
	struct instance *it = instance;

	it->connected++;
	it->state = state;
	if (state != NULL)
		assert_int_equal(*(uint32_t *)state, 0);
}

static void
on_event(void *instance, struct quic_conn *conn, void *state, const struct millrace_event *event)
{
	struct instance *it = instance;

	assert_ptr_equal(state, it->calls->state(conn));
	it->events++;
	it->last_type = event->type;
}

static void
on_closed(void *instance, struct quic_conn *conn, void *state, const struct millrace_event *event)
{
	struct instance *it = instance;

	it->closed++;
	assert_int_equal(event->type, MILLRACE_CLOSED);
	assert_ptr_equal(state, it->state);
}

static void
on_shutdown(void *instance)
{
	((struct instance *)instance)->shutdowns++;
}

static bool
can_move(void *instance, struct quic_conn *conn, void *state)
{
	return !((struct instance *)instance)->holds;
}

static void
on_detach(void *instance, struct quic_conn *conn, void *state)
{
	((struct instance *)instance)->detached++;
}

static void
on_attach(void *instance, struct quic_conn *conn, void *state)
{
	((struct instance *)instance)->attached++;
}

static void
on_post(void *instance, struct quic_conn *conn, void *state, const struct millrace_message *message)
{
	struct instance *it = instance;

	assert_true((conn == NULL) == (state == NULL));
	assert_int_equal(message->kind, MILLRACE_POSTED);
	it->posts++;
}

static void
on_message(void *instance, struct quic_conn *conn, void *state, const struct millrace_message *message)
{
	struct instance *it = instance;

	it->messages++;
	it->last_kind = message->kind;
}

static void
on_room(void *instance, struct quic_conn *conn, void *state)
{
	((struct instance *)instance)->rooms++;
}

static const struct millrace_service whole = {.abi = MILLRACE_ABI,
	.bytes = sizeof(whole),
	.name = "whole",
	.alpn = "whole",
	.instance_bytes = sizeof(struct instance),
	.conn_bytes = 20,
	.object_bytes = 32,
	.object_count = 2,
	.open = open_it,
	.close = close_it,
	.on_connected = on_connected,
	.on_event = on_event,
	.on_closed = on_closed,
	.on_shutdown = on_shutdown,
	.can_move = can_move,
	.on_detach = on_detach,
	.on_attach = on_attach,
	.on_post = on_post,
	.on_message = on_message,
	.on_room = on_room};
static const struct millrace_service least = {
	.abi = MILLRACE_ABI, .bytes = sizeof(least), .name = "least", .alpn = "least", .on_event = on_event};

/* The object in the set of shard 0 of a world, and a connection of it there. */
struct fixture {
	struct bus_world *world;
	struct instance instance;
	struct service_object object;
	struct base_pool *states, *objects;
	struct quic_conn *conn;
	char error[100];
};

static void
event(struct fixture *f, enum quic_event_type type)
{
	struct quic_event to_tell = fake_event(f->conn, type, 0);

	service_dispatch(&f->world->shards[0].set, &to_tell);
}

static bool
open_object(struct fixture *f, const struct millrace_service *service, const char *options)
{
	struct service_host *host;
	struct service_host_shard shard;
	bool opened;

	memset(f, 0, sizeof(*f));
	f->world = bus_open(NULL);
	host = &f->world->shards[0].host;
	f->states = base_pool_open(NULL, service_object_state_bytes(&whole), 1);
	f->objects = base_pool_open(NULL, whole.object_bytes, whole.object_count);
	f->object = (struct service_object){.service = service, .instance = &f->instance};
	if (service->conn_bytes > 0)
		f->object.states = f->states;
	if (service->object_bytes > 0)
		f->object.objects = f->objects;
	f->conn = f->world->conns[0].quic;
	/* As in a gateway, whose shards are opened after that. */
	shard = host->shard;
	service_host_unbind(host);
	opened = service_object_open(&f->object, host->set, options, f->error, sizeof(f->error));
	service_host_bind(host, &shard);
	return opened;
}

/* What was the recorder's connection is the object's. */
static void
connect_it(struct fixture *f)
{
	event(f, QUIC_EVENT_CLOSED);
	f->conn->alpn = f->object.service->alpn;
	f->conn->user = NULL;
	event(f, QUIC_EVENT_CONNECTED);
}

static void
close_object(struct fixture *f)
{
	for (uint32_t i = 0; i < BUS_CONNS; i++)
		bus_end(f->world, i);
	bus_settle(f->world);
	assert_int_equal(f->states->in_use, 0);
	assert_int_equal(f->objects->in_use, 0);
	service_object_close(&f->object);
	bus_close(f->world);
	base_pool_close(f->states);
	base_pool_close(f->objects);
}

static const uint64_t *
no_counters(const void *instance)
{
	static const uint64_t none[1];

	return none;
}

static void
service_object_fault__finds_what_cannot_be(void **state)
{
	struct millrace_service service = whole;

	assert_null(service_object_fault(&service));
	assert_null(service_object_fault(&least));
	service.abi++;
	assert_non_null(strstr(service_object_fault(&service), "another version"));
	service = whole;
	service.bytes--;
	assert_non_null(strstr(service_object_fault(&service), "another size"));
	service = whole;
	service.alpn = "this one is longer than 32 octets";
	assert_non_null(strstr(service_object_fault(&service), "ALPN"));
	service.alpn = NULL;
	assert_non_null(service_object_fault(&service));
	service = whole;
	service.on_event = NULL;
	assert_non_null(strstr(service_object_fault(&service), "on_event"));
	service = whole;
	service.conn_bytes = (1 << 20) + 1;
	assert_non_null(strstr(service_object_fault(&service), "1 MiB"));
	service = whole;
	service.object_count = 0;
	assert_non_null(strstr(service_object_fault(&service), "object_count"));
	service = whole;
	service.counter_count = 1;
	assert_non_null(strstr(service_object_fault(&service), "counter"));
	service.counters = no_counters;
	service.counter_names = (const char *const[]){"a_name_of_more_than_thirty_octets"};
	assert_non_null(strstr(service_object_fault(&service), "30 octets"));
	service.counter_names = (const char *const[]){"a_name_of_just_thirty_octets_x"};
	assert_null(service_object_fault(&service));
}

static void
service_object_open__says_why_it_does_not(void **state)
{
	static struct fixture f;

	assert_false(open_object(&f, &whole, "no"));
	assert_string_equal(f.error, "because");
	close_object(&f);
	assert_false(open_object(&f, &whole, "silent"));
	assert_string_equal(f.error, "it does not open, and does not say why");
	close_object(&f);
	assert_true(open_object(&f, &whole, ""));
	assert_false(service_object_open(&f.object, &f.world->shards[0].set, "", f.error, sizeof(f.error)));
	assert_non_null(strstr(f.error, "leave one out"));
	assert_int_equal(f.instance.opening, MILLRACE_WRONG);
	close_object(&f);
	assert_null(f.instance.shard);
	assert_int_equal(f.instance.closing, MILLRACE_WRONG);
}

static void
service_object__has_state_for_each_connection(void **state)
{
	static struct fixture f;

	assert_true(open_object(&f, &whole, ""));
	connect_it(&f);
	assert_int_equal(f.instance.connected, 1);
	assert_non_null(f.instance.state);
	assert_int_equal(f.states->in_use, 1);
	event(&f, QUIC_EVENT_STREAM_READABLE);
	assert_int_equal(f.instance.last_type, MILLRACE_STREAM_READABLE);
	/* What services have nothing to do with. */
	event(&f, QUIC_EVENT_RESUMABLE);
	assert_int_equal(f.instance.events, 1);
	assert_true(service_can_move(&f.world->shards[0].set, f.conn));
	f.instance.holds = true;
	assert_false(service_can_move(&f.world->shards[0].set, f.conn));
	service_detach(&f.world->shards[0].set, f.conn);
	service_attach(&f.world->shards[0].set, f.conn);
	assert_int_equal(f.instance.detached, 1);
	assert_int_equal(f.instance.attached, 1);
	service_shutdown(&f.world->shards[0].set);
	assert_int_equal(f.instance.shutdowns, 1);
	close_object(&f);
	assert_int_equal(f.instance.closed, 1);
}

static void
service_object__without_memory_closes_and_says_nothing(void **state)
{
	static struct fixture f;
	void *taken;

	assert_true(open_object(&f, &whole, ""));
	taken = base_pool_take(f.states);
	connect_it(&f);
	assert_true(f.conn->closed);
	assert_int_equal(f.instance.connected, 0);
	assert_int_equal(bus_counter(f.world, SERVICE_HOST_NO_MEMBER), 1);
	event(&f, QUIC_EVENT_STREAM_READABLE);
	assert_int_equal(f.instance.events, 0);
	base_pool_give(f.states, taken);
	close_object(&f);
	assert_int_equal(f.instance.closed, 0);
}

static void
service_object__posts_and_subscribes(void **state)
{
	static struct fixture f;
	const struct millrace_calls *calls;
	uint64_t topic;

	assert_true(open_object(&f, &whole, ""));
	connect_it(&f);
	calls = f.instance.calls;
	assert_int_equal(calls->shard_number(f.instance.shard), 0);
	assert_int_equal(calls->shard_count(f.instance.shard), BUS_SHARDS);
	bus_host(f.world, 0);
	assert_int_equal(calls->now_ns(f.instance.shard), f.world->now_ns);
	assert_int_equal(calls->post(f.instance.shard, f.conn, calls->handle(f.conn), "x", 1), MILLRACE_OK);
	assert_int_equal(calls->post_shard(f.instance.shard, NULL, 0, "x", 1), MILLRACE_OK);
	assert_int_equal(calls->post_shard(f.instance.shard, NULL, BUS_SHARDS, "x", 1), MILLRACE_WRONG);
	assert_int_equal(calls->post_shard(f.instance.shard, NULL, 0x10000, "x", 1), MILLRACE_WRONG);
	assert_int_equal(calls->post_operator(f.instance.shard, NULL, "x", 1), MILLRACE_OK);
	assert_int_equal(f.world->notices, 1);
	bus_settle(f.world);
	assert_int_equal(f.instance.posts, 2);
	topic = calls->topic(f.instance.shard, "news", 4);
	assert_int_equal(calls->subscribe(f.instance.shard, f.conn, topic), MILLRACE_OK);
	assert_int_equal(f.world->shards[topic % BUS_SHARDS].count, 1);
	/* The other shards lack the object in this world: its topics are at home here. */
	f.world->shards[topic % BUS_SHARDS].count = 0;
	calls->unsubscribe(f.instance.shard, f.conn, topic);
	f.world->shards[topic % BUS_SHARDS].count = 0;
	assert_int_equal(calls->topic(f.instance.shard, "news", 65), 0);
	assert_int_equal(calls->publish(f.instance.shard, f.conn, 0, "x", 1), MILLRACE_WRONG);
	close_object(&f);
}

static void
service_object__takes_from_a_bounded_pool(void **state)
{
	static struct fixture f;
	void *one, *two;

	assert_true(open_object(&f, &whole, ""));
	one = f.instance.calls->take(f.instance.shard);
	two = f.instance.calls->take(f.instance.shard);
	assert_non_null(two);
	assert_null(f.instance.calls->take(f.instance.shard));
	f.instance.calls->give(f.instance.shard, one);
	f.instance.calls->give(f.instance.shard, two);
	close_object(&f);
}

static void
service_object__may_have_nothing_but_on_event(void **state)
{
	static struct fixture f;
	struct service_set *set;

	assert_true(open_object(&f, &least, ""));
	set = &f.world->shards[0].set;
	/* Its on_event asks the instance that open() would have filled in. */
	f.instance.calls = NULL;
	connect_it(&f);
	assert_true(service_can_move(set, f.conn));
	service_detach(set, f.conn);
	service_attach(set, f.conn);
	service_shutdown(set);
	assert_int_equal(
		service_host_post(bus_host(f.world, 0), f.object.number, NULL, f.conn->handle, "x", 1),
		SERVICE_POSTED);
	bus_settle(f.world);
	assert_null(set->services[f.object.number - 1].ops->counters);
	close_object(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_object_fault__finds_what_cannot_be),
		cmocka_unit_test(service_object_open__says_why_it_does_not),
		cmocka_unit_test(service_object__has_state_for_each_connection),
		cmocka_unit_test(service_object__without_memory_closes_and_says_nothing),
		cmocka_unit_test(service_object__posts_and_subscribes),
		cmocka_unit_test(service_object__takes_from_a_bounded_pool),
		cmocka_unit_test(service_object__may_have_nothing_but_on_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
