/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/h3.h"

#include <string.h>

#include "base/assert.h"
#include "http3/error.h"

void
service_h3_init(struct service_h3 *h3, struct http3 *http3)
{
	const struct http3_field fields[] = {
		{http3_text(":status"), http3_text("404")},
		{http3_text("content-length"), http3_text("0")},
	};
	struct base_writer writer;

	*h3 = (struct service_h3){.http3 = http3};
	writer = base_writer(h3->not_found, sizeof(h3->not_found));
	http3_qpack_encode_headers(http3_qpack(http3), &writer, fields, 2);
	base_assert(base_writer_ok(&writer));
	h3->not_found_length = (uint8_t)base_writer_length(&writer);
}

/* ---- handlers ---- */

/* Whether `a` has to be asked before `b`. */
static bool
before(const struct service_handler *a, const struct service_handler *b)
{
	size_t a_length = strlen(a->path), b_length = strlen(b->path);

	if ((a->authority != NULL) != (b->authority != NULL))
		return a->authority != NULL;
	return a_length > b_length;
}

enum service_result
service_h3_add(struct service_h3 *h3, const struct service_handler *handler)
{
	uint32_t at = h3->count;

	if (handler->path == NULL || handler->path[0] != '/' || handler->ops->on_request == NULL)
		return SERVICE_INCOMPLETE;
	if (h3->count == SERVICE_HANDLERS_MAX)
		return SERVICE_TOO_MANY;
	while (at > 0 && before(handler, &h3->handlers[at - 1])) {
		h3->handlers[at] = h3->handlers[at - 1];
		at--;
	}
	h3->handlers[at] = *handler;
	h3->count++;
	return SERVICE_OK;
}

/* The host of an authority: without ":443", and in "[…]" for IPv6. */
static struct http3_text
host_of(struct http3_text authority)
{
	uint32_t at = authority.length;

	while (at > 0 && authority.octets[at - 1] >= '0' && authority.octets[at - 1] <= '9')
		at--;
	if (at > 0 && authority.octets[at - 1] == ':')
		authority.length = at - 1;
	return authority;
}

static bool
same_host(struct http3_text host, const char *name)
{
	if (strlen(name) != host.length)
		return false;
	for (uint32_t i = 0; i < host.length; i++) {
		char a = host.octets[i], b = name[i];

		a = a >= 'A' && a <= 'Z' ? (char)(a + 32) : a;
		b = b >= 'A' && b <= 'Z' ? (char)(b + 32) : b;
		if (a != b)
			return false;
	}
	return true;
}

/* Whole segments: "/a" is a prefix of "/a" and "/a/b", not of "/ab". */
static bool
below(struct http3_text path, const char *prefix)
{
	size_t length = strlen(prefix);

	if (path.length < length || memcmp(path.octets, prefix, length) != 0)
		return false;
	return prefix[length - 1] == '/' || path.length == length ||
		strchr("/?#", path.octets[length]) != NULL;
}

const struct service_handler *
service_h3_find(const struct service_h3 *h3, struct http3_text authority, struct http3_text path)
{
	struct http3_text host = host_of(authority);

	for (uint32_t i = 0; i < h3->count; i++) {
		const struct service_handler *handler = &h3->handlers[i];

		if (below(path, handler->path) &&
			(handler->authority == NULL || same_host(host, handler->authority)))
			return handler;
	}
	return NULL;
}

/* ---- events ---- */

static void
request(struct service_h3 *h3, const struct http3_event *event)
{
	const struct service_handler *handler =
		service_h3_find(h3, event->message.authority, event->message.path);

	if (handler == NULL) {
		h3->no_handler++;
		http3_request_discard(event->request);
		if (!http3_request_write_static(event->request, h3->not_found, h3->not_found_length, true))
			http3_request_reset(event->request, HTTP3_INTERNAL_ERROR);
		return;
	}
	/*
	 * Every shard has the same handlers in the same order, so the number survives a move and a pointer
	 * would not.
	 */
	http3_request_set_user(event->request, (void *)(uintptr_t)(handler - h3->handlers + 1));
	handler->ops->on_request(handler->instance, event->request, &event->message);
}

static void
serve(struct service_h3 *h3)
{
	struct http3_event event;

	while (http3_next_event(h3->http3, &event)) {
		const struct service_handler *handler;
		uintptr_t number;

		if (event.type == HTTP3_EVENT_REQUEST) {
			request(h3, &event);
			continue;
		}
		number = event.request != NULL ? (uintptr_t)http3_request_user(event.request) : 0;
		if (number == 0)
			continue;
		handler = &h3->handlers[number - 1];
		if (handler->ops->on_event != NULL)
			handler->ops->on_event(handler->instance, &event);
	}
}

static void
on_connected(void *instance, struct quic_conn *quic)
{
	struct service_h3 *h3 = instance;
	struct http3_conn *conn = http3_conn_open(h3->http3, quic);
	struct quic_event event = {.type = QUIC_EVENT_CONNECTED, .conn = quic};

	if (conn == NULL) {
		quic_conn_close(quic, HTTP3_EXCESSIVE_LOAD, "no memory");
		return;
	}
	service_set_state(quic, conn);
	http3_handle(h3->http3, conn, &event);
	serve(h3);
}

static void
on_event(void *instance, const struct quic_event *event)
{
	struct service_h3 *h3 = instance;
	struct http3_conn *conn = service_state(event->conn);

	if (conn == NULL)
		return;
	http3_handle(h3->http3, conn, event);
	serve(h3);
}

static void
on_shutdown(void *instance)
{
	struct service_h3 *h3 = instance;

	http3_goaway(h3->http3);
}

static void
on_detach(void *instance, struct quic_conn *quic)
{
	struct http3_conn *conn = service_state(quic);

	if (conn != NULL)
		http3_conn_detach(conn);
}

static void
on_attach(void *instance, struct quic_conn *quic)
{
	struct service_h3 *h3 = instance;
	struct http3_conn *conn = service_state(quic);

	if (conn != NULL)
		http3_conn_attach(h3->http3, conn);
}

static struct base_counters
counters(void *instance)
{
	const struct service_h3 *h3 = instance;

	return http3_counters(h3->http3);
}

const struct service_ops service_h3_ops = {.name = "h3",
	.alpn = "h3",
	.on_connected = on_connected,
	.on_event = on_event,
	.on_closed = on_event,
	.on_shutdown = on_shutdown,
	.on_detach = on_detach,
	.on_attach = on_attach,
	.counters = counters};
