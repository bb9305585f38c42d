/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/object.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum { ALPN_BYTES_MAX = 32, BYTES_MAX = 1 << 20, STATE_ALIGNMENT = 16 };

_Static_assert((int)MILLRACE_POST_BYTES == (int)SERVICE_POST_BYTES, "a message is a message");
_Static_assert(MILLRACE_NO_SLOT == BASE_SLOT_NONE, "none is none");
_Static_assert((int)MILLRACE_OK == (int)SERVICE_POSTED && (int)MILLRACE_FULL == (int)SERVICE_POST_FULL &&
		(int)MILLRACE_GONE == (int)SERVICE_POST_GONE &&
		(int)MILLRACE_WRONG == (int)SERVICE_POST_WRONG,
	"results are the same");
_Static_assert((int)MILLRACE_POSTED == (int)SERVICE_MESSAGE_POSTED &&
		(int)MILLRACE_SUBSCRIBED == (int)SERVICE_MESSAGE_SUBSCRIBED &&
		(int)MILLRACE_REFUSED == (int)SERVICE_MESSAGE_REFUSED &&
		(int)MILLRACE_PUBLISHED == (int)SERVICE_MESSAGE_PUBLISHED,
	"kinds are the same");

/* 0: none of theirs. */
static const uint32_t event_types[QUIC_EVENT_COUNT] = {
	[QUIC_EVENT_STREAM_READABLE] = MILLRACE_STREAM_READABLE,
	[QUIC_EVENT_STREAM_WRITABLE] = MILLRACE_STREAM_WRITABLE,
	[QUIC_EVENT_STREAM_RESET] = MILLRACE_STREAM_RESET,
	[QUIC_EVENT_STREAM_STOPPED] = MILLRACE_STREAM_STOPPED,
	[QUIC_EVENT_STREAM_RELEASED] = MILLRACE_STREAM_RELEASED,
	[QUIC_EVENT_STREAM_CLOSED] = MILLRACE_STREAM_CLOSED,
	[QUIC_EVENT_STREAMS_ALLOWED] = MILLRACE_STREAMS_ALLOWED,
	[QUIC_EVENT_DATAGRAM] = MILLRACE_DATAGRAM,
	[QUIC_EVENT_CLOSED] = MILLRACE_CLOSED,
};

/* ---- calls ---- */

static struct service_object *
object_of(struct millrace_shard *shard)
{
	return (struct service_object *)(void *)shard;
}

static const struct service_object *
const_object_of(const struct millrace_shard *shard)
{
	return (const struct service_object *)(const void *)shard;
}

static uint32_t
shard_number(const struct millrace_shard *shard)
{
	return const_object_of(shard)->host->shard.self;
}

static uint32_t
shard_count(const struct millrace_shard *shard)
{
	return const_object_of(shard)->host->shard.shards;
}

static uint64_t
now_ns(const struct millrace_shard *shard)
{
	return const_object_of(shard)->host->now_ns;
}

static void *
take(struct millrace_shard *shard)
{
	struct base_pool *objects = object_of(shard)->objects;

	return objects != NULL ? base_pool_take(objects) : NULL;
}

static void
give(struct millrace_shard *shard, void *element)
{
	base_pool_give(object_of(shard)->objects, element);
}

static int
post(struct millrace_shard *shard, struct quic_conn *from, struct millrace_handle to, const void *octets,
	size_t length)
{
	struct service_object *object = object_of(shard);
	struct quic_handle handle = {to.slot, to.generation};

	return (int)service_host_post(object->host, object->number, from, handle, octets, length);
}

static int
post_shard(
	struct millrace_shard *shard, struct quic_conn *from, uint32_t to, const void *octets, size_t length)
{
	struct service_object *object = object_of(shard);

	if (to >= object->host->shard.shards)
		return MILLRACE_WRONG;
	return (int)service_host_post_shard(object->host, object->number, from, (uint16_t)to, octets, length);
}

static int
post_operator(struct millrace_shard *shard, struct quic_conn *from, const void *text, size_t length)
{
	struct service_object *object = object_of(shard);

	return (int)service_host_post_manager(object->host, object->number, from, text, length);
}

static uint64_t
topic(const struct millrace_shard *shard, const void *name, size_t length)
{
	const struct service_object *object = const_object_of(shard);

	return service_host_topic(object->host, object->number, name, length);
}

static int
publish(struct millrace_shard *shard, struct quic_conn *from, uint64_t number, const void *octets,
	size_t length)
{
	struct service_object *object = object_of(shard);

	return (int)service_host_publish(object->host, object->number, from, number, octets, length);
}

static int
subscribe(struct millrace_shard *shard, struct quic_conn *conn, uint64_t number)
{
	return (int)service_host_subscribe(object_of(shard)->host, conn, number);
}

static void
unsubscribe(struct millrace_shard *shard, struct quic_conn *conn, uint64_t number)
{
	service_host_unsubscribe(object_of(shard)->host, conn, number);
}

static struct millrace_handle
handle(const struct quic_conn *conn)
{
	struct quic_handle of_conn = quic_conn_handle(conn);

	return (struct millrace_handle){of_conn.slot, of_conn.generation};
}

static const struct millrace_calls calls = {
	.abi = MILLRACE_ABI,
	.bytes = sizeof(calls),
	.shard_number = shard_number,
	.shard_count = shard_count,
	.now_ns = now_ns,
	.take = take,
	.give = give,
	.post = post,
	.post_shard = post_shard,
	.post_operator = post_operator,
	.topic = topic,
	.publish = publish,
	.subscribe = subscribe,
	.unsubscribe = unsubscribe,
	.handle = handle,
	.state = service_state,
	.is_open = quic_conn_is_open,
	.close = quic_conn_close,
	.stream_open = quic_conn_stream_open,
	.stream_set_user = quic_conn_stream_set_user,
	.stream_read = quic_conn_stream_read,
	.stream_consume = quic_conn_stream_consume,
	.stream_room = quic_conn_stream_room,
	.stream_write = quic_conn_stream_write,
	.stream_write_static = quic_conn_stream_write_static,
	.stream_reset = quic_conn_stream_reset,
	.stream_stop = quic_conn_stream_stop,
	.datagram_room = quic_conn_datagram_room,
	.datagram_send = quic_conn_datagram_send,
};

/* ---- what happens ---- */

/* A connection for which there was no memory has been closed, and nobody has heard of it. */
static bool
is_known(const struct service_object *object, const struct quic_conn *conn)
{
	return object->states == NULL || service_state(conn) != NULL;
}

static void
on_connected(void *instance, struct quic_conn *conn)
{
	struct service_object *object = instance;
	void *state = NULL;

	if (object->states != NULL) {
		state = base_pool_take(object->states);
		if (state == NULL) {
			object->host->counters[SERVICE_HOST_NO_MEMBER]++;
			quic_conn_close(conn, 0, "no memory");
			return;
		}
		memset(state, 0, object->states->element_bytes);
		service_set_state(conn, state);
	}
	if (object->service->on_connected != NULL)
		object->service->on_connected(object->instance, conn, state);
}

static struct millrace_event
event_of(const struct quic_event *event)
{
	return (struct millrace_event){.type = event_types[event->type],
		.length = event->length,
		.octets = event->octets,
		.stream_id = event->stream_id,
		.stream_user = event->stream_user,
		.cookie = event->cookie,
		.error_code = event->error_code,
		.closed_by_peer = event->closed_by_peer,
		.application_error = event->application_error,
		.timed_out = event->timed_out};
}

static void
on_event(void *instance, const struct quic_event *event)
{
	struct service_object *object = instance;
	const struct millrace_event theirs = event_of(event);

	if (theirs.type != 0 && is_known(object, event->conn))
		object->service->on_event(object->instance, event->conn, service_state(event->conn), &theirs);
}

static void
on_closed(void *instance, const struct quic_event *event)
{
	struct service_object *object = instance;
	void *state = service_state(event->conn);
	const struct millrace_event theirs = event_of(event);

	if (!is_known(object, event->conn))
		return;
	if (object->service->on_closed != NULL)
		object->service->on_closed(object->instance, event->conn, state, &theirs);
	if (state != NULL)
		base_pool_give(object->states, state);
}

static void
on_shutdown(void *instance)
{
	struct service_object *object = instance;

	if (object->service->on_shutdown != NULL)
		object->service->on_shutdown(object->instance);
}

static bool
can_move(void *instance, struct quic_conn *conn)
{
	struct service_object *object = instance;

	return object->service->can_move == NULL || !is_known(object, conn) ||
		object->service->can_move(object->instance, conn, service_state(conn));
}

static void
on_detach(void *instance, struct quic_conn *conn)
{
	struct service_object *object = instance;

	if (object->service->on_detach != NULL && is_known(object, conn))
		object->service->on_detach(object->instance, conn, service_state(conn));
}

static void
on_attach(void *instance, struct quic_conn *conn)
{
	struct service_object *object = instance;

	if (object->service->on_attach != NULL && is_known(object, conn))
		object->service->on_attach(object->instance, conn, service_state(conn));
}

static struct millrace_message
message_of(const struct service_message *message)
{
	return (struct millrace_message){.kind = message->kind,
		.length = message->length,
		.octets = message->octets,
		.topic = message->topic,
		.from = {message->from.slot, message->from.generation},
		.from_shard = message->from_shard};
}

static void
on_post(void *instance, struct quic_conn *conn, const struct service_message *message)
{
	struct service_object *object = instance;
	const struct millrace_message theirs = message_of(message);

	if (object->service->on_post != NULL && (conn == NULL || is_known(object, conn)))
		object->service->on_post(
			object->instance, conn, conn != NULL ? service_state(conn) : NULL, &theirs);
}

static void
on_message(void *instance, struct quic_conn *conn, const struct service_message *message)
{
	struct service_object *object = instance;
	const struct millrace_message theirs = message_of(message);

	if (object->service->on_message != NULL)
		object->service->on_message(object->instance, conn, service_state(conn), &theirs);
}

static void
on_room(void *instance, struct quic_conn *conn)
{
	struct service_object *object = instance;

	if (object->service->on_room != NULL)
		object->service->on_room(object->instance, conn, service_state(conn));
}

static struct base_counters
counters(void *instance)
{
	const struct service_object *object = instance;

	return (struct base_counters){.library = object->service->name,
		.names = object->service->counter_names,
		.values = object->service->counters(object->instance),
		.count = object->service->counter_count};
}

/* ---- opening ---- */

static bool
is_text(const char *text, size_t longest)
{
	return text != NULL && text[0] != '\0' && strnlen(text, longest + 1) <= longest;
}

const char *
service_object_fault(const struct millrace_service *service)
{
	/* Nothing behind these two is read before they are right. */
	if (service->abi != MILLRACE_ABI)
		return "it was built with another version of millrace/service.h; build it with this gateway's";
	if (service->bytes != sizeof(*service))
		return "its struct millrace_service has another size; set bytes to the sizeof it, and build it with this gateway's "
		       "millrace/service.h";
	if (!is_text(service->name, ALPN_BYTES_MAX) || !is_text(service->alpn, ALPN_BYTES_MAX))
		return "it has no name or no ALPN of 32 octets at most; set both";
	if (service->on_event == NULL)
		return "it has no on_event; write one";
	if (service->instance_bytes > BYTES_MAX * 64u || service->conn_bytes > BYTES_MAX ||
		service->object_bytes > BYTES_MAX)
		return "it wants more than 1 MiB for a connection or an object, or 64 MiB for an instance; make it less";
	if ((service->object_bytes == 0) != (service->object_count == 0))
		return "it has object_bytes without object_count, or the other way round; set both or none";
	if (service->counter_count > 0 && (service->counter_names == NULL || service->counters == NULL))
		return "it has counters without names or values; set counter_names and counters";
	for (uint32_t i = 0; i < service->counter_count; i++)
		if (!is_text(service->counter_names[i], MILLRACE_COUNTER_NAME_BYTES))
			return "it has a counter without a name, or with one of more than 30 octets; shorten it";
	return NULL;
}

uint32_t
service_object_state_bytes(const struct millrace_service *service)
{
	return (service->conn_bytes + STATE_ALIGNMENT - 1) & ~(uint32_t)(STATE_ALIGNMENT - 1);
}

bool
service_object_open(
	struct service_object *object, struct service_set *set, const char *options, char *error, size_t room)
{
	const struct millrace_service *service = object->service;
	enum service_result result;

	base_assert(set->host != NULL && (object->states != NULL) == (service->conn_bytes > 0));
	object->ops = (struct service_ops){.name = service->name,
		.alpn = service->alpn,
		.on_connected = on_connected,
		.on_event = on_event,
		.on_closed = on_closed,
		.on_shutdown = on_shutdown,
		.can_move = can_move,
		.on_detach = on_detach,
		.on_attach = on_attach,
		.counters = service->counter_count > 0 ? counters : NULL,
		.on_post = on_post,
		.on_message = on_message,
		.on_room = on_room};
	object->host = set->host;
	result = service_add(set, &object->ops, object);
	if (result != SERVICE_OK) {
		snprintf(error, room, "%s; leave one out", service_result_text(result));
		return false;
	}
	object->number = (uint8_t)set->count;
	snprintf(error, room, "it does not open, and does not say why");
	return service->open == NULL ||
		service->open(object->instance, (struct millrace_shard *)(void *)object, &calls, options,
			error, room);
}

void
service_object_close(struct service_object *object)
{
	service_host_unbind(object->host);
	if (object->service->close != NULL)
		object->service->close(object->instance);
}
