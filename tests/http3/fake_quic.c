/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_quic.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct quic_conn *
fake_open(bool server, const char *alpn)
{
	struct quic_conn *conn = calloc(1, sizeof(*conn));

	base_assert(conn != NULL);
	conn->server = server;
	conn->alpn = alpn;
	conn->close_code = FAKE_NO_CODE;
	conn->segment_bytes = SIZE_MAX;
	conn->room_bytes = FAKE_STREAM_BYTES;
	conn->allowed[0] = conn->allowed[1] = 100;
	conn->references_max = 16;
	return conn;
}

void
fake_close(struct quic_conn *conn)
{
	for (int i = 0; i < FAKE_STREAMS; i++) {
		free(conn->streams[i].in);
		free(conn->streams[i].out);
	}
	free(conn);
}

static struct fake_stream *
find(struct quic_conn *conn, uint64_t stream_id)
{
	for (int i = 0; i < FAKE_STREAMS; i++) {
		if (conn->streams[i].used && conn->streams[i].id == stream_id)
			return &conn->streams[i];
	}
	return NULL;
}

struct fake_stream *
fake_stream(struct quic_conn *conn, uint64_t stream_id)
{
	struct fake_stream *stream = find(conn, stream_id);

	for (int i = 0; stream == NULL && i < FAKE_STREAMS; i++) {
		if (!conn->streams[i].used)
			stream = &conn->streams[i];
	}
	base_assert(stream != NULL);
	if (!stream->used) {
		*stream = (struct fake_stream){.used = true,
			.id = stream_id,
			.reset_code = FAKE_NO_CODE,
			.stop_code = FAKE_NO_CODE,
			.urgency = 3,
			.in = malloc(FAKE_STREAM_BYTES),
			.out = malloc(FAKE_STREAM_BYTES)};
	}
	return stream;
}

void
fake_deliver(struct quic_conn *conn, uint64_t stream_id, const void *octets, size_t length, bool fin)
{
	struct fake_stream *stream = fake_stream(conn, stream_id);

	base_assert(!stream->in_fin && stream->in_length + length <= FAKE_STREAM_BYTES);
	if (length > 0)
		memcpy(stream->in + stream->in_length, octets, length);
	stream->in_length += length;
	stream->in_fin = fin;
}

struct quic_event
fake_event(struct quic_conn *conn, enum quic_event_type type, uint64_t stream_id)
{
	struct fake_stream *stream = find(conn, stream_id);

	return (struct quic_event){.type = type,
		.conn = conn,
		.stream_id = stream_id,
		.stream_user = stream != NULL ? stream->user : NULL};
}

/* ---- quic/conn.h ---- */

struct quic_handle
quic_conn_handle(const struct quic_conn *conn)
{
	return conn->handle;
}

bool
quic_conn_is_open(const struct quic_conn *conn)
{
	return !conn->closed;
}

struct quic_conn *
quic_endpoint_find(struct quic_endpoint *endpoint, struct quic_handle handle)
{
	return endpoint->conns[handle.slot];
}

bool
quic_conn_is_server(const struct quic_conn *conn)
{
	return conn->server;
}

void *
quic_conn_user(const struct quic_conn *conn)
{
	return conn->user;
}

void
quic_conn_set_user(struct quic_conn *conn, void *user)
{
	conn->user = user;
}

const char *
quic_conn_alpn(const struct quic_conn *conn, size_t *length)
{
	*length = strlen(conn->alpn);
	return conn->alpn;
}

bool
quic_conn_stream_open(struct quic_conn *conn, bool bidirectional, uint64_t *stream_id)
{
	if (conn->opened[bidirectional] >= conn->allowed[bidirectional])
		return false;
	if (conn->opens_short > 0) {
		conn->opens_short--;
		return false;
	}
	*stream_id = conn->opened[bidirectional]++ * 4 + (bidirectional ? 0 : 2) + (conn->server ? 1 : 0);
	fake_stream(conn, *stream_id);
	return true;
}

uint64_t
quic_conn_streams_allowed(const struct quic_conn *conn, bool bidirectional)
{
	return conn->allowed[bidirectional] - conn->opened[bidirectional];
}

bool
quic_conn_stream_set_user(struct quic_conn *conn, uint64_t stream_id, void *user)
{
	struct fake_stream *stream = find(conn, stream_id);

	if (stream != NULL)
		stream->user = user;
	return stream != NULL;
}

void *
quic_conn_stream_user(struct quic_conn *conn, uint64_t stream_id)
{
	struct fake_stream *stream = find(conn, stream_id);

	return stream != NULL ? stream->user : NULL;
}

void
quic_conn_stream_set_priority(struct quic_conn *conn, uint64_t stream_id, uint8_t urgency, bool incremental)
{
	struct fake_stream *stream = find(conn, stream_id);

	if (stream != NULL) {
		stream->urgency = urgency;
		stream->incremental = incremental;
	}
}

bool
quic_conn_stream_read(
	struct quic_conn *conn, uint64_t stream_id, const uint8_t **octets, size_t *length, bool *fin)
{
	struct fake_stream *stream = find(conn, stream_id);
	size_t left;

	if (stream == NULL || stream->in_done || stream->stop_code != FAKE_NO_CODE)
		return false;
	left = stream->in_length - stream->in_read;
	*octets = stream->in + stream->in_read;
	*length = left < conn->segment_bytes ? left : conn->segment_bytes;
	*fin = stream->in_fin && *length == left;
	return *length > 0 || *fin;
}

void
quic_conn_stream_consume(struct quic_conn *conn, uint64_t stream_id, size_t length)
{
	struct fake_stream *stream = find(conn, stream_id);

	if (stream == NULL)
		return;
	base_assert(length <= stream->in_length - stream->in_read);
	stream->in_read += length;
	if (stream->in_fin && stream->in_read == stream->in_length)
		stream->in_done = true;
}

size_t
quic_conn_stream_room(struct quic_conn *conn, uint64_t stream_id)
{
	struct fake_stream *stream = find(conn, stream_id);

	if (stream == NULL || stream->out_length >= conn->room_bytes)
		return 0;
	return conn->room_bytes - stream->out_length;
}

static void
append(struct fake_stream *stream, const uint8_t *octets, size_t length, bool fin)
{
	base_assert(!stream->out_fin);
	base_assert(stream->out_length + length <= FAKE_STREAM_BYTES);
	if (length > 0)
		memcpy(stream->out + stream->out_length, octets, length);
	stream->out_length += length;
	stream->out_fin = fin;
}

size_t
quic_conn_stream_write(
	struct quic_conn *conn, uint64_t stream_id, const uint8_t *octets, size_t length, bool fin)
{
	struct fake_stream *stream = find(conn, stream_id);
	size_t room = quic_conn_stream_room(conn, stream_id);

	if (stream == NULL || stream->reset_code != FAKE_NO_CODE)
		return 0;
	if (room < length) {
		append(stream, octets, room, false);
		return room;
	}
	append(stream, octets, length, fin);
	return length;
}

bool
quic_conn_stream_write_static(struct quic_conn *conn, uint64_t stream_id, const uint8_t *octets,
	size_t length, bool fin, uint64_t cookie)
{
	struct fake_stream *stream = find(conn, stream_id);

	if (stream == NULL || stream->reset_code != FAKE_NO_CODE ||
		stream->references >= conn->references_max)
		return false;
	append(stream, octets, length, fin);
	stream->cookies[stream->references++] = cookie;
	return true;
}

void
quic_conn_stream_reset(struct quic_conn *conn, uint64_t stream_id, uint64_t error_code)
{
	struct fake_stream *stream = find(conn, stream_id);

	if (stream != NULL && stream->reset_code == FAKE_NO_CODE)
		stream->reset_code = error_code;
}

void
quic_conn_stream_stop(struct quic_conn *conn, uint64_t stream_id, uint64_t error_code)
{
	struct fake_stream *stream = find(conn, stream_id);

	if (stream != NULL && stream->stop_code == FAKE_NO_CODE)
		stream->stop_code = error_code;
}

size_t
quic_conn_datagram_room(const struct quic_conn *conn)
{
	return FAKE_DATAGRAM_BYTES;
}

bool
quic_conn_datagram_send(struct quic_conn *conn, const uint8_t *octets, size_t length)
{
	if (length > FAKE_DATAGRAM_BYTES)
		return false;
	memcpy(conn->datagram, octets, length);
	conn->datagram_length = length;
	conn->datagrams_sent++;
	return true;
}

void
quic_conn_close(struct quic_conn *conn, uint64_t error_code, const char *reason)
{
	base_assert(!conn->closed);
	conn->closed = true;
	conn->close_code = error_code;
}
