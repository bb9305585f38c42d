/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the application does with streams: the stream set does it, and the connection gets its turn to send. */
#include "quic/conn_internal.h"

/* One that found no memory is woken later, by the timer that the end of the turn arms. */
static void
written(struct quic_conn *conn)
{
	quic_conn_streams_changed(conn);
	if (conn->streams.starved)
		quic_conn_set_ready(conn);
}

static bool
usable(const struct quic_conn *conn)
{
	return conn->state == QUIC_CONN_OPEN && conn->handshake_complete;
}

bool
quic_conn_stream_open(struct quic_conn *conn, bool bidirectional, uint64_t *stream_id)
{
	bool opened = usable(conn) &&
		quic_stream_set_open(&conn->streams, &conn->endpoint->memory, bidirectional, stream_id);

	/* Without one it may be STREAMS_BLOCKED that is to be sent. */
	if (usable(conn))
		quic_conn_streams_changed(conn);
	return opened;
}

uint64_t
quic_conn_streams_allowed(const struct quic_conn *conn, bool bidirectional)
{
	return usable(conn) ? quic_stream_set_allowed(&conn->streams, bidirectional) : 0;
}

bool
quic_conn_stream_set_user(struct quic_conn *conn, uint64_t stream_id, void *user)
{
	struct quic_stream *stream = usable(conn) ? quic_stream_set_find(&conn->streams, stream_id) : NULL;

	if (stream != NULL)
		stream->user = user;
	return stream != NULL;
}

void *
quic_conn_stream_user(struct quic_conn *conn, uint64_t stream_id)
{
	struct quic_stream *stream = usable(conn) ? quic_stream_set_find(&conn->streams, stream_id) : NULL;

	return stream == NULL ? NULL : stream->user;
}

void
quic_conn_stream_set_priority(struct quic_conn *conn, uint64_t stream_id, uint8_t urgency, bool incremental)
{
	if (usable(conn))
		quic_stream_set_priority(&conn->streams, stream_id, urgency, incremental);
}

bool
quic_conn_stream_read(
	struct quic_conn *conn, uint64_t stream_id, const uint8_t **octets, size_t *length, bool *fin)
{
	return usable(conn) &&
		quic_stream_set_read(&conn->streams, &conn->endpoint->memory, stream_id, octets, length, fin);
}

void
quic_conn_stream_consume(struct quic_conn *conn, uint64_t stream_id, size_t length)
{
	if (!usable(conn))
		return;
	quic_stream_set_consume(&conn->streams, &conn->endpoint->memory, stream_id, length);
	quic_conn_streams_changed(conn);
}

size_t
quic_conn_stream_room(struct quic_conn *conn, uint64_t stream_id)
{
	return usable(conn) ? quic_stream_set_room(&conn->streams, stream_id) : 0;
}

size_t
quic_conn_stream_write(
	struct quic_conn *conn, uint64_t stream_id, const uint8_t *octets, size_t length, bool fin)
{
	size_t taken;

	if (!usable(conn))
		return 0;
	taken = quic_stream_set_write(
		&conn->streams, &conn->endpoint->memory, stream_id, octets, length, fin);
	written(conn);
	return taken;
}

bool
quic_conn_stream_write_static(struct quic_conn *conn, uint64_t stream_id, const uint8_t *octets,
	size_t length, bool fin, uint64_t cookie)
{
	bool taken = usable(conn) &&
		quic_stream_set_write_static(
			&conn->streams, &conn->endpoint->memory, stream_id, octets, length, fin, cookie);

	if (usable(conn))
		written(conn);
	return taken;
}

void
quic_conn_stream_reset(struct quic_conn *conn, uint64_t stream_id, uint64_t error_code)
{
	if (!usable(conn))
		return;
	quic_stream_set_reset(&conn->streams, &conn->endpoint->memory, stream_id, error_code);
	quic_conn_streams_changed(conn);
}

void
quic_conn_stream_stop(struct quic_conn *conn, uint64_t stream_id, uint64_t error_code)
{
	if (!usable(conn))
		return;
	quic_stream_set_stop(&conn->streams, &conn->endpoint->memory, stream_id, error_code);
	quic_conn_streams_changed(conn);
}
