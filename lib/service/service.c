/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/service.h"

#include <string.h>

#include "base/assert.h"
#include "service/host.h"

/* The number of a service plus one stands in the low bits of the user pointer, the state in the others. */
enum { NUMBER_MASK = 15 };

_Static_assert(
	(int)SERVICE_MAX <= (int)NUMBER_MASK, "a number and 0 for none fit the bits that alignment leaves");

enum service_result
service_add(struct service_set *set, const struct service_ops *ops, void *instance)
{
	if (ops->name == NULL || ops->alpn == NULL || ops->on_event == NULL)
		return SERVICE_INCOMPLETE;
	for (uint32_t i = 0; i < set->count; i++) {
		if (strcmp(set->services[i].ops->alpn, ops->alpn) == 0)
			return SERVICE_ALPN_TAKEN;
	}
	if (set->count == SERVICE_MAX)
		return SERVICE_TOO_MANY;
	set->services[set->count++] = (struct service){.ops = ops, .instance = instance};
	return SERVICE_OK;
}

const char *
service_result_text(enum service_result result)
{
	switch (result) {
	case SERVICE_OK:
		return "added";
	case SERVICE_TOO_MANY:
		return "there are too many services or handlers";
	case SERVICE_ALPN_TAKEN:
		return "another service has this protocol already";
	case SERVICE_INCOMPLETE:
		return "it has no name, no protocol or no event function";
	}
	return "unknown";
}

uint8_t
service_number(const struct quic_conn *conn)
{
	return (uintptr_t)quic_conn_user(conn) & NUMBER_MASK;
}

void *
service_state(const struct quic_conn *conn)
{
	return (void *)((uintptr_t)quic_conn_user(conn) & ~(uintptr_t)NUMBER_MASK);
}

void
service_set_state(struct quic_conn *conn, void *state)
{
	uintptr_t number = service_number(conn);

	base_assert(((uintptr_t)state & NUMBER_MASK) == 0);
	quic_conn_set_user(conn, (void *)((uintptr_t)state | number));
}

static struct service *
service_of(struct service_set *set, const struct quic_conn *conn)
{
	uint8_t number = service_number(conn);

	return number == 0 ? NULL : &set->services[number - 1];
}

static void
connected(struct service_set *set, const struct quic_event *event)
{
	size_t length;
	const char *alpn = quic_conn_alpn(event->conn, &length);

	for (uint32_t i = 0; i < set->count; i++) {
		const struct service *service = &set->services[i];

		if (strlen(service->ops->alpn) != length || memcmp(service->ops->alpn, alpn, length) != 0)
			continue;
		quic_conn_set_user(event->conn, (void *)(uintptr_t)(i + 1));
		if (service->ops->on_connected != NULL)
			service->ops->on_connected(service->instance, event->conn);
		return;
	}
	/* TLS offers what is configured, so this is a connection of a protocol that was taken out since. */
	set->no_service++;
	quic_conn_close(event->conn, 0, "no service");
}

void
service_dispatch(struct service_set *set, const struct quic_event *event)
{
	const struct service *service;

	/* A client's connection has its user pointer from the start and is served by whoever opened it. */
	if (event->type == QUIC_EVENT_CONNECTED && quic_conn_is_server(event->conn)) {
		connected(set, event);
		return;
	}
	service = service_of(set, event->conn);
	if (service == NULL)
		return;
	if (event->type != QUIC_EVENT_CLOSED) {
		service->ops->on_event(service->instance, event);
		return;
	}
	if (service->ops->on_closed != NULL)
		service->ops->on_closed(service->instance, event);
	if (set->host != NULL)
		service_host_closed(set->host, event->conn);
}

void
service_shutdown(struct service_set *set)
{
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->services[i].ops->on_shutdown != NULL)
			set->services[i].ops->on_shutdown(set->services[i].instance);
	}
}

bool
service_can_move(struct service_set *set, struct quic_conn *conn)
{
	const struct service *service = service_of(set, conn);

	return service == NULL || service->ops->can_move == NULL ||
		service->ops->can_move(service->instance, conn);
}

void
service_detach(struct service_set *set, struct quic_conn *conn)
{
	const struct service *service = service_of(set, conn);

	if (service != NULL && service->ops->on_detach != NULL)
		service->ops->on_detach(service->instance, conn);
	if (service != NULL && set->host != NULL)
		service_host_detach(set->host, conn);
}

void
service_attach(struct service_set *set, struct quic_conn *conn)
{
	const struct service *service = service_of(set, conn);

	if (service != NULL && set->host != NULL)
		service_host_attach(set->host, conn);
	if (service != NULL && service->ops->on_attach != NULL)
		service->ops->on_attach(service->instance, conn);
}
