/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/conn.h"

#include <string.h>

#include "base/assert.h"

/* Cookies of the control stream's two references. */
enum { COOKIE_OPENING = 1, COOKIE_GOAWAY = 2 };

struct http3_conn *
http3_conn_open(struct http3 *http3, struct quic_conn *quic)
{
	struct http3_conn *conn = base_pool_take(http3->config.pools[HTTP3_POOL_CONN]);

	if (conn == NULL) {
		http3->counters[HTTP3_NO_CONN]++;
		return NULL;
	}
	*conn = (struct http3_conn){.quic = quic,
		.control_id = HTTP3_STREAM_NONE,
		.goaway_sent = HTTP3_STREAM_NONE,
		.goaway_received = HTTP3_STREAM_NONE,
		.max_push_id = HTTP3_STREAM_NONE,
		.hint_id = HTTP3_STREAM_NONE,
		.server = quic_conn_is_server(quic)};
	base_list_init(&conn->requests);
	http3_settings_init(&conn->settings);
	http3_conn_attach(http3, conn);
	http3->counters[HTTP3_CONNECTIONS]++;
	return conn;
}

void *
http3_conn_user(const struct http3_conn *conn)
{
	return conn->user;
}

void
http3_conn_set_user(struct http3_conn *conn, void *user)
{
	conn->user = user;
}

struct quic_conn *
http3_conn_quic(const struct http3_conn *conn)
{
	return conn->quic;
}

void
http3_conn_attach(struct http3 *http3, struct http3_conn *conn)
{
	conn->http3 = http3;
	base_list_push_back(&http3->conns, &conn->link);
}

void
http3_conn_detach(struct http3_conn *conn)
{
	/*
	 * Between turns no request is on the ready list, so the connection's link is all that ties it to
	 * this shard.
	 */
	base_list_remove(&conn->link);
	conn->http3 = NULL;
}

void
http3_conn_fail(struct http3_conn *conn, uint64_t error_code, const char *reason)
{
	if (conn->failed)
		return;
	conn->failed = true;
	conn->http3->counters[HTTP3_CONNECTION_ERRORS]++;
	quic_conn_close(conn->quic, error_code, reason);
}

/*
 * Section 6.2.1: the control stream begins with SETTINGS. It waits for STREAMS_ALLOWED where the peer
 * allows no stream yet, and for the next event where memory was short.
 */
static void
open_control(struct http3_conn *conn)
{
	struct http3 *http3 = conn->http3;
	uint64_t stream_id;

	if (conn->control_id != HTTP3_STREAM_NONE || !quic_conn_stream_open(conn->quic, false, &stream_id))
		return;
	conn->control_id = stream_id;
	/* SETTINGS before any request or response: the most urgent stream. */
	quic_conn_stream_set_priority(conn->quic, stream_id, 0, false);
	if (!quic_conn_stream_write_static(
		    conn->quic, stream_id, http3->opening, http3->opening_length, false, COOKIE_OPENING))
		http3_conn_fail(conn, HTTP3_INTERNAL_ERROR, "no room for SETTINGS");
}

/* ---- GOAWAY, section 5.2 ---- */

static void
write_goaway(struct http3_conn *conn)
{
	struct base_writer writer = base_writer(conn->goaway, sizeof(conn->goaway));
	uint64_t id = conn->server ? conn->next_request_id : 0;

	if (!conn->goaway_wanted || conn->goaway_written || conn->control_id == HTTP3_STREAM_NONE)
		return;
	http3_frame_header_write(&writer, HTTP3_FRAME_GOAWAY, base_varint_length(id));
	base_writer_varint(&writer, id);
	base_assert(base_writer_ok(&writer));
	conn->goaway_written = quic_conn_stream_write_static(conn->quic, conn->control_id, conn->goaway,
		base_writer_length(&writer), false, COOKIE_GOAWAY);
	if (conn->goaway_written)
		conn->goaway_sent = id;
}

void
http3_conn_goaway(struct http3_conn *conn)
{
	if (conn->failed)
		return;
	conn->goaway_wanted = true;
	write_goaway(conn);
}

void
http3_conn_close_if_done(struct http3_conn *conn)
{
	if (conn->goaway_written && !conn->failed && base_list_empty(&conn->requests)) {
		conn->failed = true;
		quic_conn_close(conn->quic, HTTP3_NO_ERROR, NULL);
	}
}

/* ---- events ---- */

/* What stands in the user pointer of a request stream that was turned away. */
static char refused;

static void
refuse(struct http3_conn *conn, uint64_t stream_id, uint64_t error_code)
{
	quic_conn_stream_set_user(conn->quic, stream_id, &refused);
	quic_conn_stream_stop(conn->quic, stream_id, error_code);
	quic_conn_stream_reset(conn->quic, stream_id, error_code);
}

static void
request_readable(struct http3_conn *conn, uint64_t stream_id, void *stream_user)
{
	struct http3_request *request = stream_user;

	if (stream_user == &refused)
		return;
	if (request == NULL) {
		/* Section 6.1: a server opens no bidirectional streams. */
		if (!conn->server) {
			http3_conn_fail(conn, HTTP3_STREAM_CREATION_ERROR, "stream of the server's");
			return;
		}
		if (stream_id >= conn->goaway_sent) {
			conn->http3->counters[HTTP3_REJECTED]++;
			refuse(conn, stream_id, HTTP3_REQUEST_REJECTED);
			return;
		}
		request = http3_request_new(conn, stream_id);
		if (request == NULL) {
			refuse(conn, stream_id, HTTP3_REQUEST_REJECTED);
			return;
		}
	}
	request->body_offered = false;
	http3_request_pend(request, HTTP3_PENDING_READABLE);
}

/* The peer gives its part of a request stream up. */
static void
request_reset(struct http3_conn *conn, const struct quic_event *event)
{
	struct http3_request *request = event->stream_user;

	if (request == NULL || !request->announced) {
		/* Nobody will answer it, so our part ends here too. */
		quic_conn_stream_reset(conn->quic, event->stream_id, HTTP3_REQUEST_CANCELLED);
		return;
	}
	request->state = HTTP3_READ_NOTHING;
	request->aborted_code = event->error_code;
	if (!request->end_told)
		http3_request_pend(request, HTTP3_PENDING_ABORTED);
}

static void
request_event(struct http3_conn *conn, const struct quic_event *event)
{
	struct http3_request *request = event->stream_user;

	if (event->type == QUIC_EVENT_STREAM_READABLE) {
		request_readable(conn, event->stream_id, event->stream_user);
		return;
	}
	if (event->stream_user == &refused)
		return;
	if (event->type == QUIC_EVENT_STREAM_RESET) {
		request_reset(conn, event);
		return;
	}
	if (request == NULL)
		return;
	switch (event->type) {
	case QUIC_EVENT_STREAM_WRITABLE:
		http3_request_pend(request, HTTP3_PENDING_WRITABLE);
		break;
	case QUIC_EVENT_STREAM_STOPPED:
		request->stopped_code = event->error_code;
		http3_request_pend(request, HTTP3_PENDING_STOPPED);
		break;
	case QUIC_EVENT_STREAM_RELEASED:
		base_assert(request->references > 0);
		request->references--;
		request->released++;
		http3_request_pend(request, HTTP3_PENDING_RELEASED);
		break;
	case QUIC_EVENT_STREAM_CLOSED:
		http3_request_pend(request, HTTP3_PENDING_CLOSED);
		break;
	default:
		break;
	}
}

static void
unidirectional_event(struct http3_conn *conn, const struct quic_event *event)
{
	uint64_t error = 0;

	if (event->stream_id == conn->control_id) {
		/* Section 6.2.1: nobody may ask for the end of a control stream. */
		if (event->type == QUIC_EVENT_STREAM_STOPPED)
			error = HTTP3_CLOSED_CRITICAL_STREAM;
		else if (event->type == QUIC_EVENT_STREAM_RELEASED && event->cookie == COOKIE_GOAWAY)
			http3_conn_close_if_done(conn);
	} else if (event->type == QUIC_EVENT_STREAM_READABLE) {
		error = http3_conn_stream_readable(conn, event->stream_id, event->stream_user);
	} else if (event->type == QUIC_EVENT_STREAM_RESET) {
		error = http3_conn_stream_reset(conn, event->stream_user);
	}
	if (error != 0)
		http3_conn_fail(conn, error, NULL);
}

static void
closed(struct http3_conn *conn)
{
	conn->failed = true;
	for (struct base_list *link = conn->requests.next; link != &conn->requests; link = link->next) {
		struct http3_request *request = base_container(link, struct http3_request, link);

		request->state = HTTP3_READ_NOTHING;
		http3_request_pend(request, HTTP3_PENDING_CLOSED);
	}
	base_assert(conn->http3->closed == NULL);
	conn->http3->closed = conn;
}

void
http3_handle(struct http3 *http3, struct http3_conn *conn, const struct quic_event *event)
{
	base_assert(conn->http3 == http3);
	conn->quic = event->conn;
	switch (event->type) {
	case QUIC_EVENT_CONNECTED:
	case QUIC_EVENT_STREAMS_ALLOWED:
		break;
	case QUIC_EVENT_STREAM_READABLE:
	case QUIC_EVENT_STREAM_WRITABLE:
	case QUIC_EVENT_STREAM_RESET:
	case QUIC_EVENT_STREAM_STOPPED:
	case QUIC_EVENT_STREAM_RELEASED:
	case QUIC_EVENT_STREAM_CLOSED:
		/* A connection that is being closed only gives back what it holds. */
		if (conn->failed && event->type != QUIC_EVENT_STREAM_RELEASED &&
			event->type != QUIC_EVENT_STREAM_CLOSED)
			break;
		if ((event->stream_id & 2) == 0)
			request_event(conn, event);
		else
			unidirectional_event(conn, event);
		break;
	case QUIC_EVENT_CLOSED:
		closed(conn);
		break;
	default:
		/* Datagrams: RFC 9297 was not negotiated. */
		break;
	}
	if (conn->failed)
		return;
	/* The first time even if it is not allowed: the peer is told that we are blocked. */
	if (conn->control_id == HTTP3_STREAM_NONE &&
		(event->type == QUIC_EVENT_CONNECTED || quic_conn_streams_allowed(conn->quic, false) > 0))
		open_control(conn);
	write_goaway(conn);
}
