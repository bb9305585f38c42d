/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client for services that speak in lines, for people and for tests: what standard input says goes onto one stream, what comes back
 * goes to standard output.
 *
 *   talk ADDRESS PORT ALPN [LINES]    talk 10.77.0.1 443 chat
 *
 * The end of the input is the end of the stream, and then of the program; with LINES it listens on and ends when so many have come, those that
 * begin with "*" (the service's own) not counted. It ends with 0 only if that worked, with LINES within ten seconds of the last octet.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"
#include "quic/conn.h"
#include "tests/system/peer.h"

enum { BURST = 32, INPUT_BYTES = 4096, KEEP_ALIVE_S = 10, PATIENCE_S = 10, WAIT_MS = 100 };

struct talk {
	int socket;
	struct base_path path;
	struct peer peer;
	struct quic_handle handle;
	uint64_t stream;
	uint64_t heard_ns; /* when something came last */
	uint64_t pinged_ns;
	char input[INPUT_BYTES]; /* read, and not on the stream yet */
	size_t input_length;
	uint64_t lines, lines_wanted; /* 0: until one side ends it */
	bool input_over, open, over, failed, closed;
	bool line_begun, line_counts;
};

/* ---- what is heard ---- */

static void
hear(struct talk *talk, const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!talk->line_begun)
			talk->line_counts = octets[i] != '*';
		talk->line_begun = octets[i] != '\n';
		talk->lines += !talk->line_begun && talk->line_counts;
	}
	talk->failed |= fwrite(octets, 1, length, stdout) != length || fflush(stdout) != 0;
}

static void
on_event(struct talk *talk, const struct quic_event *event)
{
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	switch (event->type) {
	case QUIC_EVENT_CONNECTED:
		talk->handle = event->handle;
		talk->open = quic_conn_stream_open(event->conn, true, &talk->stream);
		if (!talk->open)
			peer_die("the peer allows no stream");
		break;
	case QUIC_EVENT_STREAM_READABLE:
		while (!fin && quic_conn_stream_read(event->conn, event->stream_id, &octets, &length, &fin)) {
			hear(talk, octets, length);
			quic_conn_stream_consume(event->conn, event->stream_id, length);
		}
		talk->over |= fin || (talk->lines_wanted > 0 && talk->lines >= talk->lines_wanted);
		if (talk->over)
			quic_conn_close(event->conn, 0, NULL);
		break;
	case QUIC_EVENT_STREAM_RESET:
	case QUIC_EVENT_STREAM_STOPPED:
		fprintf(stderr, "talk: the stream was reset or stopped with 0x%llx\n",
			(unsigned long long)event->error_code);
		talk->failed = true;
		break;
	case QUIC_EVENT_CLOSED:
		talk->closed = true;
		talk->failed |= event->timed_out || event->closed_by_peer;
		break;
	default:
		break;
	}
}

/* ---- what is said ---- */

static bool
wants_input(const struct talk *talk)
{
	return talk->open && !talk->input_over && talk->input_length == 0;
}

static void
read_input(struct talk *talk, struct quic_conn *conn)
{
	ssize_t length = read(STDIN_FILENO, talk->input, sizeof(talk->input));

	talk->input_length = length > 0 ? (size_t)length : 0;
	talk->input_over = length <= 0;
	if (talk->input_over && talk->lines_wanted == 0)
		quic_conn_stream_write(conn, talk->stream, NULL, 0, true);
}

static void
speak(struct talk *talk, bool readable)
{
	struct quic_conn *conn = talk->open ? quic_endpoint_find(talk->peer.endpoint, talk->handle) : NULL;
	size_t written;

	if (conn == NULL)
		return;
	if (readable && wants_input(talk))
		read_input(talk, conn);
	written = quic_conn_stream_write(
		conn, talk->stream, (const uint8_t *)talk->input, talk->input_length, false);
	talk->input_length -= written;
	memmove(talk->input, talk->input + written, talk->input_length);
	if (peer_now_ns() - talk->pinged_ns > KEEP_ALIVE_S * BASE_SECOND) {
		talk->pinged_ns = peer_now_ns();
		quic_conn_ping(conn);
	}
}

/* ---- datagrams ---- */

static void
receive(struct talk *talk)
{
	static uint8_t octets[BURST][PEER_ROOM];
	struct base_datagram datagrams[BURST];
	struct base_batch batch = {.datagrams = datagrams, .capacity = BURST};
	ssize_t length;

	while (batch.count < BURST &&
		(length = recv(talk->socket, octets[batch.count], PEER_ROOM, MSG_DONTWAIT)) > 0) {
		datagrams[batch.count] =
			peer_datagram(&talk->peer, octets[batch.count], (size_t)length, &talk->path);
		batch.count++;
	}
	if (batch.count > 0)
		talk->heard_ns = peer_now_ns();
	quic_endpoint_receive(talk->peer.endpoint, &batch, peer_now_ns());
}

static void
transmit(struct talk *talk)
{
	static uint8_t octets[BURST][PEER_ROOM];
	struct base_datagram datagrams[BURST];
	struct base_batch batch = {.datagrams = datagrams, .capacity = BURST};

	do {
		batch.count = 0;
		for (int i = 0; i < BURST; i++)
			datagrams[i] = (struct base_datagram){.octets = octets[i], .room = PEER_ROOM};
		quic_endpoint_send(talk->peer.endpoint, &batch, peer_now_ns());
		/* What the kernel does not take is lost, as on a network. */
		for (uint16_t i = 0; i < batch.count; i++)
			(void)!send(talk->socket, datagrams[i].octets, datagrams[i].length, 0);
	} while (batch.count == BURST);
}

static void
pull(struct talk *talk)
{
	struct quic_event event;

	while (quic_endpoint_next_event(talk->peer.endpoint, &event))
		on_event(talk, &event);
}

static bool
serve(struct talk *talk)
{
	talk->heard_ns = peer_now_ns();
	while (quic_endpoint_connections(talk->peer.endpoint) > 0 && !talk->failed && !talk->closed) {
		struct pollfd wait_for[2] = {{.fd = talk->socket, .events = POLLIN},
			{.fd = wants_input(talk) ? STDIN_FILENO : -1, .events = POLLIN}};
		uint64_t deadline = quic_endpoint_deadline(talk->peer.endpoint), now = peer_now_ns();
		uint64_t wait_ms = deadline <= now ? 0 : (deadline - now) / BASE_MS + 1;

		poll(wait_for, 2, wait_ms < WAIT_MS ? (int)wait_ms : WAIT_MS);
		receive(talk);
		pull(talk);
		speak(talk, wait_for[1].revents != 0);
		quic_endpoint_expire(talk->peer.endpoint, peer_now_ns());
		pull(talk);
		transmit(talk);
		if (talk->lines_wanted > 0 && peer_now_ns() - talk->heard_ns > PATIENCE_S * BASE_SECOND)
			peer_die("nothing came for ten seconds");
	}
	transmit(talk);
	return talk->over && !talk->failed;
}

int
main(int count, char **items)
{
	static struct talk talk;
	struct quic_connect connect = {.server_name = "millrace.test"};

	if (count < 4 || count > 5) {
		fputs("talk ADDRESS PORT ALPN [LINES]\n", stderr);
		return 2;
	}
	talk.lines_wanted = count == 5 ? strtoull(items[4], NULL, 10) : 0;
	talk.socket = peer_socket(items[1], items[2], &talk.path);
	peer_open(&talk.peer, items[3], 4);
	connect.path = talk.path;
	if (quic_endpoint_connect(talk.peer.endpoint, &connect, peer_now_ns()) == NULL)
		peer_die("the connection cannot begin");
	transmit(&talk);
	return serve(&talk) ? EXIT_SUCCESS : EXIT_FAILURE;
}
