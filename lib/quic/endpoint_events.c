/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events, pulled: of the endpoint's connections in turn, of a connection its own first, CLOSED last. */
#include "base/assert.h"
#include "quic/conn_internal.h"

static void
fill(const struct quic_conn *conn, enum quic_event_type type, struct quic_event *event)
{
	*event = (struct quic_event){.type = type, .handle = quic_conn_handle(conn)};
	event->conn = (struct quic_conn *)conn;
}

static bool
next_datagram(struct quic_endpoint *endpoint, struct quic_event *event)
{
	while (endpoint->datagram_count > 0) {
		const struct quic_datagram_received *received =
			&endpoint->datagrams[endpoint->datagram_first];
		struct quic_conn *conn = quic_endpoint_find(endpoint, received->handle);

		/* A DATAGRAM may come with the client's Finished: first the application hears of the connection. */
		if (conn != NULL && (conn->events & QUIC_CONN_EVENT_CONNECTED) != 0)
			return false;
		endpoint->datagram_first = (endpoint->datagram_first + 1) % QUIC_DATAGRAM_PLACES;
		endpoint->datagram_count--;
		if (conn == NULL || conn->state != QUIC_CONN_OPEN)
			continue;
		fill(conn, QUIC_EVENT_DATAGRAM, event);
		event->octets = received->octets;
		event->length = received->length;
		return true;
	}
	return false;
}

static void
fill_closed(struct quic_conn *conn, struct quic_event *event)
{
	fill(conn, QUIC_EVENT_CLOSED, event);
	event->error_code = conn->error_code;
	event->closed_by_peer = conn->closed_by_peer;
	event->application_error = conn->application_error;
	event->timed_out = conn->timed_out;
	quic_count(conn->endpoint, QUIC_COUNTER_CLOSED);
}

static bool
next_of(struct quic_conn *conn, struct quic_event *event)
{
	struct quic_stream_event of_stream;

	if ((conn->events & QUIC_CONN_EVENT_CONNECTED) != 0) {
		conn->events &= (uint8_t)~QUIC_CONN_EVENT_CONNECTED;
		/* A connection that ended before the application knew of it stays unknown. */
		if (conn->state == QUIC_CONN_OPEN) {
			conn->told = true;
			fill(conn, QUIC_EVENT_CONNECTED, event);
			return true;
		}
	}
	if ((conn->events & QUIC_CONN_EVENT_RESUMABLE) != 0) {
		conn->events &= (uint8_t)~QUIC_CONN_EVENT_RESUMABLE;
		if (conn->state == QUIC_CONN_OPEN) {
			fill(conn, QUIC_EVENT_RESUMABLE, event);
			return true;
		}
	}
	if (conn->state == QUIC_CONN_OPEN &&
		quic_stream_set_next_event(&conn->streams, &conn->endpoint->memory, &of_stream)) {
		fill(conn, of_stream.type, event);
		event->stream_id = of_stream.stream_id;
		event->stream_user = of_stream.user;
		event->cookie = of_stream.cookie;
		event->error_code = of_stream.error_code;
		return true;
	}
	if ((conn->events & QUIC_CONN_EVENT_CLOSED) != 0) {
		conn->events &= (uint8_t)~QUIC_CONN_EVENT_CLOSED;
		if (conn->told) {
			conn->told = false;
			fill_closed(conn, event);
			return true;
		}
	}
	return false;
}

bool
quic_endpoint_next_event(struct quic_endpoint *endpoint, struct quic_event *event)
{
	if (next_datagram(endpoint, event))
		return true;
	while (!base_list_empty(&endpoint->eventful)) {
		struct quic_conn *conn =
			base_container(endpoint->eventful.next, struct quic_conn, event_link);

		if (next_of(conn, event))
			return true;
		base_list_remove(&conn->event_link);
	}
	return next_datagram(endpoint, event);
}
