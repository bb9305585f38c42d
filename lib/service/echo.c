/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/echo.h"

#include <stddef.h>

static const char *const counter_names[SERVICE_ECHO_COUNTERS] = {
	[SERVICE_ECHO_BYTES] = "bytes",
	[SERVICE_ECHO_DATAGRAMS] = "datagrams",
	[SERVICE_ECHO_DATAGRAMS_DROPPED] = "datagrams_dropped",
};

/* Back what can be taken back; the rest stays with the core, and its flow control holds the peer. */
static void
pump(struct service_echo *echo, struct quic_conn *conn, uint64_t stream_id)
{
	const uint8_t *octets;
	size_t length;
	bool fin;

	while (quic_conn_stream_read(conn, stream_id, &octets, &length, &fin)) {
		size_t written = quic_conn_stream_write(conn, stream_id, octets, length, fin);

		quic_conn_stream_consume(conn, stream_id, written);
		echo->counters[SERVICE_ECHO_BYTES] += written;
		if (written < length || fin)
			return;
	}
}

static void
on_event(void *instance, const struct quic_event *event)
{
	struct service_echo *echo = instance;
	/* Of the client's streams only the bidirectional ones have a way back. */
	bool bidirectional = (event->stream_id & 2) == 0;

	switch (event->type) {
	case QUIC_EVENT_STREAM_READABLE:
		if (!bidirectional) {
			quic_conn_stream_stop(event->conn, event->stream_id, 0);
			break;
		}
		pump(echo, event->conn, event->stream_id);
		break;
	case QUIC_EVENT_STREAM_WRITABLE:
		pump(echo, event->conn, event->stream_id);
		break;
	case QUIC_EVENT_STREAM_RESET:
		if (bidirectional)
			quic_conn_stream_reset(event->conn, event->stream_id, event->error_code);
		break;
	case QUIC_EVENT_STREAM_STOPPED:
		/* What cannot go back need not come. */
		quic_conn_stream_stop(event->conn, event->stream_id, event->error_code);
		break;
	case QUIC_EVENT_DATAGRAM:
		if (quic_conn_datagram_send(event->conn, event->octets, event->length))
			echo->counters[SERVICE_ECHO_DATAGRAMS]++;
		else
			echo->counters[SERVICE_ECHO_DATAGRAMS_DROPPED]++;
		break;
	default:
		break;
	}
}

static struct base_counters
counters(void *instance)
{
	const struct service_echo *echo = instance;

	return (struct base_counters){.library = "echo",
		.names = counter_names,
		.values = echo->counters,
		.count = SERVICE_ECHO_COUNTERS};
}

const struct service_ops service_echo_ops = {
	.name = "echo", .alpn = "echo", .on_event = on_event, .counters = counters};
