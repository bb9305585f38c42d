/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many clients in one program, each with a socket of its own:
 *
 *   crowd ADDRESS PORT CONNECTIONS OCTETS
 *
 * All connect (ALPN echo), and then, for each line on standard input, each sends so many octets on a new stream, and wants them back
 * as they were. "connected N" and after each round "round R: N connections, OCTETS octets" are printed when all have got there. At the
 * end of the input all close. It ends with 0 only if no connection was lost and every octet came.
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

enum { CONNECTIONS_MAX = 500, HANDSHAKES = 16, BURST = 32, PATIENCE_S = 30, PING_MS = 500 };

struct member {
	int socket;
	struct base_path path;
	struct quic_handle handle;
	uint64_t stream;
	uint64_t sent, received; /* of the stream */
	uint64_t heard_ns;       /* something came, or it was asked whether anybody is there */
	bool connected;
};

struct crowd {
	struct peer peer;
	uint32_t count;
	uint64_t octets;                  /* of a stream */
	uint32_t begun, connected, ready; /* members; ready: of this round */
	uint32_t round;
	uint64_t total;    /* octets that came back */
	uint64_t moved_ns; /* when something was received last */
	uint32_t lost, wrong;
	bool closing;
	struct member members[CONNECTIONS_MAX];
};

/* ---- what they do ---- */

static void
write_more(struct crowd *crowd, struct member *member, struct quic_conn *conn)
{
	uint8_t octets[PEER_PATTERN];

	while (member->sent < crowd->octets) {
		uint64_t left = crowd->octets - member->sent;
		size_t length = left < PEER_PATTERN ? (size_t)left : PEER_PATTERN, written;

		peer_pattern(member->sent, octets, length);
		written = quic_conn_stream_write(conn, member->stream, octets, length, length == left);
		member->sent += written;
		if (written < length)
			return;
	}
}

static void
begin_round(struct crowd *crowd)
{
	crowd->round++;
	crowd->ready = 0;
	crowd->moved_ns = peer_now_ns();
	for (uint32_t i = 0; i < crowd->count; i++) {
		struct member *member = &crowd->members[i];
		struct quic_conn *conn = quic_endpoint_find(crowd->peer.endpoint, member->handle);

		if (conn == NULL || !quic_conn_stream_open(conn, true, &member->stream))
			peer_die("a connection is gone, or has no stream");
		member->sent = member->received = 0;
		write_more(crowd, member, conn);
	}
}

static void
read_more(struct crowd *crowd, struct member *member, const struct quic_event *event)
{
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	while (!fin && quic_conn_stream_read(event->conn, event->stream_id, &octets, &length, &fin)) {
		crowd->wrong += !peer_is_pattern(member->received, octets, length);
		member->received += length;
		crowd->total += length;
		quic_conn_stream_consume(event->conn, event->stream_id, length);
	}
	if (!fin)
		return;
	crowd->wrong += member->received != crowd->octets;
	if (++crowd->ready == crowd->count) {
		printf("round %u: %u connections, %llu octets there and back\n", crowd->round, crowd->ready,
			(unsigned long long)crowd->octets * crowd->count);
		fflush(stdout);
	}
}

static void
on_event(struct crowd *crowd, const struct quic_event *event)
{
	struct member *member = quic_conn_user(event->conn);

	switch (event->type) {
	case QUIC_EVENT_CONNECTED:
		member->connected = true;
		if (++crowd->connected == crowd->count) {
			printf("connected %u\n", crowd->connected);
			fflush(stdout);
		}
		break;
	case QUIC_EVENT_STREAM_WRITABLE:
		write_more(crowd, member, event->conn);
		break;
	case QUIC_EVENT_STREAM_READABLE:
		read_more(crowd, member, event);
		break;
	case QUIC_EVENT_STREAM_RESET:
		crowd->wrong++;
		break;
	case QUIC_EVENT_CLOSED:
		if (crowd->closing && event->error_code == 0 && !event->timed_out)
			break;
		crowd->lost++;
		fprintf(stderr, "crowd: a connection is lost: %s, 0x%llx\n",
			event->timed_out                ? "idle"
				: event->closed_by_peer ? "closed by the peer"
							: "closed by us",
			(unsigned long long)event->error_code);
		break;
	default:
		break;
	}
}

/* ---- datagrams ---- */

static void
receive(struct crowd *crowd, struct member *member)
{
	static uint8_t octets[BURST][PEER_ROOM];
	struct base_datagram datagrams[BURST];
	struct base_batch batch = {.datagrams = datagrams, .capacity = BURST};

	while (batch.count < BURST) {
		ssize_t length = recv(member->socket, octets[batch.count], PEER_ROOM, MSG_DONTWAIT);

		if (length <= 0)
			break;
		datagrams[batch.count] =
			peer_datagram(&crowd->peer, octets[batch.count], (size_t)length, &member->path);
		batch.count++;
	}
	if (batch.count == 0)
		return;
	crowd->moved_ns = member->heard_ns = peer_now_ns();
	quic_endpoint_receive(crowd->peer.endpoint, &batch, crowd->moved_ns);
}

/* The member whose local port it is. */
static const struct member *
sender(const struct crowd *crowd, const struct base_path *path)
{
	for (uint32_t i = 0; i < crowd->begun; i++)
		if (crowd->members[i].path.local.port == path->local.port)
			return &crowd->members[i];
	peer_die("a datagram is nobody's");
}

static void
transmit(struct crowd *crowd)
{
	static uint8_t octets[BURST][PEER_ROOM];
	uint16_t count;

	do {
		struct base_datagram datagrams[BURST];
		struct base_batch batch = {.datagrams = datagrams, .capacity = BURST};

		for (int i = 0; i < BURST; i++)
			datagrams[i] = (struct base_datagram){.octets = octets[i], .room = PEER_ROOM};
		count = quic_endpoint_send(crowd->peer.endpoint, &batch, peer_now_ns());
		/* What the kernel does not take is lost, as on a network. */
		for (uint16_t i = 0; i < count; i++)
			(void)!send(sender(crowd, &datagrams[i].path)->socket, datagrams[i].octets,
				datagrams[i].length, 0);
	} while (count == BURST);
}

/*
 * Who only listens is not heard of again after a rebinding, as a NAT lets nothing in that was not asked for: so those who wait for octets and
 * hear nothing send a PING, like a browser with a request (RFC 9000 section 10.1.2).
 */
static void
ping_silent(struct crowd *crowd)
{
	uint64_t now = peer_now_ns();

	for (uint32_t i = 0; i < crowd->begun; i++) {
		struct member *member = &crowd->members[i];
		struct quic_conn *conn = quic_endpoint_find(crowd->peer.endpoint, member->handle);

		if (conn == NULL || member->received == crowd->octets || crowd->round == 0 ||
			now - member->heard_ns < PING_MS * BASE_MS)
			continue;
		member->heard_ns = now;
		quic_conn_ping(conn);
	}
}

static void
pull(struct crowd *crowd)
{
	struct quic_event event;

	while (quic_endpoint_next_event(crowd->peer.endpoint, &event))
		on_event(crowd, &event);
}

static void
turn(struct crowd *crowd, struct pollfd *polls)
{
	uint64_t now = peer_now_ns(), deadline;

	for (uint32_t i = 0; i < crowd->begun; i++)
		if ((polls[i].revents & POLLIN) != 0) {
			receive(crowd, &crowd->members[i]);
			pull(crowd);
			transmit(crowd);
		}
	ping_silent(crowd);
	quic_endpoint_expire(crowd->peer.endpoint, peer_now_ns());
	pull(crowd);
	transmit(crowd);
	for (uint32_t i = 0; i < crowd->begun; i++)
		polls[i] = (struct pollfd){.fd = crowd->members[i].socket, .events = POLLIN};
	polls[crowd->begun] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	deadline = quic_endpoint_deadline(crowd->peer.endpoint);
	now = peer_now_ns();
	if (deadline > now + 100 * BASE_MS)
		deadline = now + 100 * BASE_MS;
	poll(polls, crowd->begun + 1, deadline > now ? (int)((deadline - now) / BASE_MS + 1) : 0);
}

/* ---- the rounds ---- */

static void
begin_some(struct crowd *crowd, const char *host, const char *port)
{
	while (crowd->begun < crowd->count && crowd->begun - crowd->connected < HANDSHAKES) {
		struct member *member = &crowd->members[crowd->begun++];
		struct quic_connect connect = {.server_name = "millrace.test", .user = member};
		struct quic_conn *conn;

		member->socket = peer_socket(host, port, &member->path);
		connect.path = member->path;
		conn = quic_endpoint_connect(crowd->peer.endpoint, &connect, peer_now_ns());
		if (conn == NULL)
			peer_die("a connection cannot begin");
		member->handle = quic_conn_handle(conn);
	}
}

/* A line was read: another round. False at the end of the input. */
static bool
read_lines(struct crowd *crowd, const struct pollfd *input)
{
	char octets[64];
	ssize_t length;

	if ((input->revents & (POLLIN | POLLHUP)) == 0)
		return true;
	length = read(STDIN_FILENO, octets, sizeof(octets));
	if (length == 0)
		return false;
	if (length > 0 && memchr(octets, '\n', (size_t)length) != NULL)
		begin_round(crowd);
	return true;
}

static bool
waits(const struct crowd *crowd)
{
	return crowd->connected < crowd->count || (crowd->round > 0 && crowd->ready < crowd->count) ||
		crowd->closing;
}

static void
serve(struct crowd *crowd, const char *host, const char *port)
{
	static struct pollfd polls[CONNECTIONS_MAX + 1];

	crowd->moved_ns = peer_now_ns();
	while (crowd->lost == 0 && crowd->wrong == 0) {
		begin_some(crowd, host, port);
		turn(crowd, polls);
		if (crowd->closing && quic_endpoint_connections(crowd->peer.endpoint) == 0)
			return;
		if (!crowd->closing && crowd->connected == crowd->count &&
			!read_lines(crowd, &polls[crowd->begun])) {
			crowd->closing = true;
			quic_endpoint_close_all(crowd->peer.endpoint, 0, true, peer_now_ns());
		}
		if (waits(crowd) && peer_now_ns() - crowd->moved_ns > PATIENCE_S * BASE_SECOND)
			peer_die("nothing came for thirty seconds");
	}
}

int
main(int count, char **items)
{
	static struct crowd crowd;

	if (count != 5 || strtoul(items[3], NULL, 10) > CONNECTIONS_MAX) {
		fputs("crowd ADDRESS PORT CONNECTIONS OCTETS\n", stderr);
		return 2;
	}
	crowd.count = (uint32_t)strtoul(items[3], NULL, 10);
	crowd.octets = strtoull(items[4], NULL, 10);
	peer_open(&crowd.peer, "echo", crowd.count);
	serve(&crowd, items[1], items[2]);
	printf("%u lost, %u wrong, %llu octets came back\n", crowd.lost, crowd.wrong,
		(unsigned long long)crowd.total);
	return crowd.lost == 0 && crowd.wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
