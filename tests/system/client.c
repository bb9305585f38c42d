/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of ours over a kernel socket, for what no client of others speaks:
 *
 *   client ADDRESS PORT hq PATH     HTTP/0.9, ALPN hq-interop: the file goes to standard output
 *   client ADDRESS PORT hq PATH MBIT  the same, read no faster than so many Mbit/s: flow control holds the server back
 *   client ADDRESS PORT echo OCTETS ALPN echo: that many on a stream and some datagrams, there and back, compared
 *   client ADDRESS PORT wait        ALPN echo: says "connected", waits for the peer's CONNECTION_CLOSE and says what was in it
 *
 * It ends with 0 only if that worked, within ten seconds of the last octet.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/time.h"
#include "quic/conn.h"
#include "tests/system/peer.h"

enum { BURST = 32, DATAGRAMS = 8, PATIENCE_S = 10, HELD_MS = 5 };

struct client {
	const char *what, *argument;
	int socket;
	struct base_path path;
	struct peer peer;
	uint64_t heard_ns;    /* when something came last */
	uint64_t bytes_per_s; /* hq: are read; 0: all there is */
	uint64_t begun_ns;
	struct quic_conn *held; /* has more than may be read now */
	uint64_t stream;
	uint64_t octets, sent, received; /* of the stream */
	uint32_t datagrams;              /* that came back */
	bool stream_over, wrong, failed, closed;
};

static bool
is(const struct client *client, const char *what)
{
	return strcmp(client->what, what) == 0;
}

/* ---- what it does ---- */

static void
write_more(struct client *client, struct quic_conn *conn)
{
	uint8_t octets[PEER_PATTERN];

	while (client->sent < client->octets) {
		size_t length = client->octets - client->sent < PEER_PATTERN ? client->octets - client->sent
									     : PEER_PATTERN;
		size_t written;

		peer_pattern(client->sent, octets, length);
		written = quic_conn_stream_write(
			conn, client->stream, octets, length, client->sent + length == client->octets);
		client->sent += written;
		if (written < length)
			return;
	}
}

static void
begin(struct client *client, struct quic_conn *conn)
{
	char line[300];

	if (is(client, "wait")) {
		puts("connected");
		fflush(stdout);
		return;
	}
	client->begun_ns = peer_now_ns();
	if (!quic_conn_stream_open(conn, true, &client->stream))
		peer_die("the peer allows no stream");
	if (is(client, "hq")) {
		int length = snprintf(line, sizeof(line), "GET %s\r\n", client->argument);

		quic_conn_stream_write(conn, client->stream, (uint8_t *)line, (size_t)length, true);
		return;
	}
	client->octets = strtoull(client->argument, NULL, 10);
	write_more(client, conn);
	for (uint8_t i = 0; i < DATAGRAMS; i++)
		if (!quic_conn_datagram_send(conn, &i, 1))
			peer_die("a datagram was not taken");
}

static void
take(struct client *client, const uint8_t *octets, size_t length)
{
	if (is(client, "hq"))
		client->wrong |= fwrite(octets, 1, length, stdout) != length;
	else
		client->wrong |= !peer_is_pattern(client->received, octets, length);
	client->received += length;
}

static void
end_if_done(struct client *client, struct quic_conn *conn)
{
	if (client->stream_over && (is(client, "hq") || client->datagrams == DATAGRAMS))
		quic_conn_close(conn, 0, NULL);
}

static bool
may_read(const struct client *client)
{
	return client->bytes_per_s == 0 ||
		client->received * BASE_SECOND / client->bytes_per_s <= peer_now_ns() - client->begun_ns;
}

/* What has come, as far as it may be read now. */
static void
read_more(struct client *client, struct quic_conn *conn)
{
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	client->held = NULL;
	while (!fin && may_read(client)) {
		if (!quic_conn_stream_read(conn, client->stream, &octets, &length, &fin))
			return;
		take(client, octets, length);
		quic_conn_stream_consume(conn, client->stream, length);
	}
	if (!fin)
		client->held = conn;
	client->stream_over |= fin;
	end_if_done(client, conn);
}

static void
on_event(struct client *client, const struct quic_event *event)
{
	switch (event->type) {
	case QUIC_EVENT_CONNECTED:
		begin(client, event->conn);
		break;
	case QUIC_EVENT_STREAM_WRITABLE:
		write_more(client, event->conn);
		break;
	case QUIC_EVENT_STREAM_READABLE:
		read_more(client, event->conn);
		break;
	case QUIC_EVENT_STREAM_RESET:
		fprintf(stderr, "client: the stream was reset with 0x%llx\n",
			(unsigned long long)event->error_code);
		client->failed = true;
		break;
	case QUIC_EVENT_DATAGRAM:
		client->wrong |= event->length != 1 || event->octets[0] >= DATAGRAMS;
		client->datagrams++;
		end_if_done(client, event->conn);
		break;
	case QUIC_EVENT_CLOSED:
		client->closed = true;
		client->held = NULL;
		if (is(client, "wait"))
			printf("closed: %s, %s error 0x%llx\n",
				event->timed_out                ? "idle"
					: event->closed_by_peer ? "by the peer"
								: "by us",
				event->application_error ? "application" : "transport",
				(unsigned long long)event->error_code);
		client->failed |= event->timed_out || event->closed_by_peer != is(client, "wait");
		break;
	default:
		break;
	}
}

/* ---- datagrams ---- */

static void
receive(struct client *client)
{
	static uint8_t octets[BURST][PEER_ROOM];
	struct base_datagram datagrams[BURST];
	struct base_batch batch = {.datagrams = datagrams, .capacity = BURST};

	while (batch.count < BURST) {
		ssize_t length = recv(client->socket, octets[batch.count], PEER_ROOM, MSG_DONTWAIT);

		if (length <= 0)
			break;
		datagrams[batch.count] =
			peer_datagram(&client->peer, octets[batch.count], (size_t)length, &client->path);
		batch.count++;
	}
	if (batch.count > 0)
		client->heard_ns = peer_now_ns();
	quic_endpoint_receive(client->peer.endpoint, &batch, peer_now_ns());
}

static void
transmit(struct client *client)
{
	static uint8_t octets[BURST][PEER_ROOM];
	uint16_t count;

	do {
		struct base_datagram datagrams[BURST];
		struct base_batch batch = {.datagrams = datagrams, .capacity = BURST};

		for (int i = 0; i < BURST; i++)
			datagrams[i] = (struct base_datagram){.octets = octets[i], .room = PEER_ROOM};
		count = quic_endpoint_send(client->peer.endpoint, &batch, peer_now_ns());
		/* What the kernel does not take is lost, as on a network. */
		for (uint16_t i = 0; i < count; i++)
			(void)!send(client->socket, datagrams[i].octets, datagrams[i].length, 0);
	} while (count == BURST);
}

static void
pull(struct client *client)
{
	struct quic_event event;

	while (quic_endpoint_next_event(client->peer.endpoint, &event))
		on_event(client, &event);
}

static bool
serve(struct client *client)
{
	client->heard_ns = peer_now_ns();
	while (quic_endpoint_connections(client->peer.endpoint) > 0 && !client->failed && !client->closed) {
		struct pollfd poll_for = {.fd = client->socket, .events = POLLIN};
		uint64_t deadline = quic_endpoint_deadline(client->peer.endpoint), now = peer_now_ns();
		uint64_t wait_ms = deadline <= now ? 0 : (deadline - now) / BASE_MS + 1;

		if (client->held != NULL && wait_ms > HELD_MS)
			wait_ms = HELD_MS;
		poll(&poll_for, 1, wait_ms < 100 ? (int)wait_ms : 100);
		receive(client);
		pull(client);
		if (client->held != NULL)
			read_more(client, client->held);
		quic_endpoint_expire(client->peer.endpoint, peer_now_ns());
		pull(client);
		transmit(client);
		if (peer_now_ns() - client->heard_ns > PATIENCE_S * BASE_SECOND)
			peer_die("nothing came for ten seconds");
	}
	transmit(client);
	if (client->wrong)
		peer_die("what came is not what was sent");
	return !client->failed && (is(client, "wait") || client->stream_over);
}

static void
begin_connection(struct client *client)
{
	struct quic_connect connect = {.path = client->path, .server_name = "millrace.test"};

	peer_open(&client->peer, is(client, "hq") ? "hq-interop" : "echo", 4);
	if (quic_endpoint_connect(client->peer.endpoint, &connect, peer_now_ns()) == NULL)
		peer_die("the connection cannot begin");
	transmit(client);
}

int
main(int count, char **items)
{
	static struct client client;

	if (count < 4 || (count < 5 && strcmp(items[3], "wait") != 0)) {
		fputs("client ADDRESS PORT hq PATH [MBIT] | echo OCTETS | wait\n", stderr);
		return 2;
	}
	client.what = items[3];
	client.argument = items[4];
	if (is(&client, "hq") && count > 5)
		client.bytes_per_s = strtoull(items[5], NULL, 10) * 1000000 / 8;
	client.socket = peer_socket(items[1], items[2], &client.path);
	begin_connection(&client);
	return serve(&client) ? EXIT_SUCCESS : EXIT_FAILURE;
}
