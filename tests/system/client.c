/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of ours over a kernel socket, for what no client of others speaks:
 *
 *   client ADDRESS PORT hq PATH     HTTP/0.9, ALPN hq-interop: the file goes to standard output
 *   client ADDRESS PORT echo OCTETS ALPN echo: that many on a stream and some datagrams, there and back, compared
 *   client ADDRESS PORT wait        ALPN echo: says "connected", waits for the peer's CONNECTION_CLOSE and says what was in it
 *
 * It ends with 0 only if that worked, within ten seconds of the last octet.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "quic/conn.h"
#include "quic/endpoint.h"
#include "tests/support/backend.h"
#include "tls/tls.h"

enum { ROOM = 1500, BURST = 32, DATAGRAMS = 8, PATTERN = 251, PATIENCE_S = 10 };

struct client {
	const char *what, *argument;
	int socket;
	struct base_path path;
	struct quic_slots slots;
	struct quic_conn_id_codec codec;
	struct quic_endpoint *endpoint;
	uint64_t heard_ns; /* when something came last */
	uint64_t stream;
	uint64_t octets, sent, received; /* of the stream */
	uint32_t datagrams;              /* that came back */
	bool stream_over, wrong, failed, closed;
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * BASE_SECOND + (uint64_t)now.tv_nsec;
}

static void
die(const char *sentence)
{
	fprintf(stderr, "client: %s\n", sentence);
	exit(EXIT_FAILURE);
}

static void *
taken(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	if (memory == NULL)
		die("there is no memory");
	return memset(memory, 0, bytes);
}

static bool
is(const struct client *client, const char *what)
{
	return strcmp(client->what, what) == 0;
}

/* ---- what it does ---- */

static void
write_more(struct client *client, struct quic_conn *conn)
{
	uint8_t octets[PATTERN];

	while (client->sent < client->octets) {
		size_t length =
			client->octets - client->sent < PATTERN ? client->octets - client->sent : PATTERN;
		size_t written;

		for (size_t i = 0; i < length; i++)
			octets[i] = (uint8_t)((client->sent + i) % PATTERN);
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
	if (!quic_conn_stream_open(conn, true, &client->stream))
		die("the peer allows no stream");
	if (is(client, "hq")) {
		int length = snprintf(line, sizeof(line), "GET %s\r\n", client->argument);

		quic_conn_stream_write(conn, client->stream, (uint8_t *)line, (size_t)length, true);
		return;
	}
	client->octets = strtoull(client->argument, NULL, 10);
	write_more(client, conn);
	for (uint8_t i = 0; i < DATAGRAMS; i++)
		if (!quic_conn_datagram_send(conn, &i, 1))
			die("a datagram was not taken");
}

static void
take(struct client *client, const uint8_t *octets, size_t length)
{
	if (is(client, "hq"))
		client->wrong |= fwrite(octets, 1, length, stdout) != length;
	else
		for (size_t i = 0; i < length; i++)
			client->wrong |= octets[i] != (client->received + i) % PATTERN;
	client->received += length;
}

static void
end_if_done(struct client *client, struct quic_conn *conn)
{
	if (client->stream_over && (is(client, "hq") || client->datagrams == DATAGRAMS))
		quic_conn_close(conn, 0, NULL);
}

static void
on_event(struct client *client, const struct quic_event *event)
{
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	switch (event->type) {
	case QUIC_EVENT_CONNECTED:
		begin(client, event->conn);
		break;
	case QUIC_EVENT_STREAM_WRITABLE:
		write_more(client, event->conn);
		break;
	case QUIC_EVENT_STREAM_READABLE:
		while (!fin && quic_conn_stream_read(event->conn, event->stream_id, &octets, &length, &fin)) {
			take(client, octets, length);
			quic_conn_stream_consume(event->conn, event->stream_id, length);
		}
		client->stream_over |= fin;
		end_if_done(client, event->conn);
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
	static uint8_t octets[BURST][ROOM];
	struct base_datagram datagrams[BURST];
	struct base_batch batch = {.datagrams = datagrams, .capacity = BURST};

	while (batch.count < BURST) {
		struct base_datagram *datagram = &datagrams[batch.count];
		ssize_t length = recv(client->socket, octets[batch.count], ROOM, MSG_DONTWAIT);
		const uint8_t *id = octets[batch.count] + ((octets[batch.count][0] & 0x80) != 0 ? 6 : 1);
		struct quic_conn_id_fields fields;
		enum quic_conn_id_result result = QUIC_CONN_ID_MALFORMED;

		if (length <= 0)
			break;
		*datagram = (struct base_datagram){.octets = octets[batch.count],
			.length = (uint16_t)length,
			.path = client->path,
			.slot = BASE_SLOT_NONE};
		if (length > 6 + QUIC_CONN_ID_SEALED_BYTES)
			quic_conn_id_decode(&client->codec, &id, &fields, &result, 1);
		if (result == QUIC_CONN_ID_OURS) {
			datagram->slot = fields.slot;
			datagram->generation = fields.generation;
			datagram->id_sequence = fields.sequence;
		}
		batch.count++;
	}
	if (batch.count > 0)
		client->heard_ns = now_ns();
	quic_endpoint_receive(client->endpoint, &batch, now_ns());
}

static void
transmit(struct client *client)
{
	static uint8_t octets[BURST][ROOM];
	uint16_t count;

	do {
		struct base_datagram datagrams[BURST];
		struct base_batch batch = {.datagrams = datagrams, .capacity = BURST};

		for (int i = 0; i < BURST; i++)
			datagrams[i] = (struct base_datagram){.octets = octets[i], .room = ROOM};
		count = quic_endpoint_send(client->endpoint, &batch, now_ns());
		/* What the kernel does not take is lost, as on a network. */
		for (uint16_t i = 0; i < count; i++)
			(void)!send(client->socket, datagrams[i].octets, datagrams[i].length, 0);
	} while (count == BURST);
}

static void
pull(struct client *client)
{
	struct quic_event event;

	while (quic_endpoint_next_event(client->endpoint, &event))
		on_event(client, &event);
}

static bool
serve(struct client *client)
{
	client->heard_ns = now_ns();
	while (quic_endpoint_connections(client->endpoint) > 0 && !client->failed && !client->closed) {
		struct pollfd poll_for = {.fd = client->socket, .events = POLLIN};
		uint64_t deadline = quic_endpoint_deadline(client->endpoint), now = now_ns();
		uint64_t wait_ms = deadline <= now ? 0 : (deadline - now) / BASE_MS + 1;

		poll(&poll_for, 1, wait_ms < 100 ? (int)wait_ms : 100);
		receive(client);
		pull(client);
		quic_endpoint_expire(client->endpoint, now_ns());
		pull(client);
		transmit(client);
		if (now_ns() - client->heard_ns > PATIENCE_S * BASE_SECOND)
			die("nothing came for ten seconds");
	}
	transmit(client);
	if (client->wrong)
		die("what came is not what was sent");
	return !client->failed && (is(client, "wait") || client->stream_over);
}

/* ---- the start ---- */

static struct base_address
address_of(const struct sockaddr_storage *from)
{
	struct base_address to = {.ip = {[10] = 0xff, [11] = 0xff}};
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)from;

	if (from->ss_family == AF_INET)
		memcpy(to.ip + 12, &ipv4->sin_addr, 4);
	else
		memcpy(to.ip, &ipv6->sin6_addr, 16);
	to.port = ntohs(from->ss_family == AF_INET ? ipv4->sin_port : ipv6->sin6_port);
	return to;
}

static void
open_socket(struct client *client, const char *host, const char *port)
{
	struct sockaddr_storage remote = {0}, local = {0};
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&remote;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&remote;
	socklen_t length = sizeof(local);
	uint16_t number = htons((uint16_t)strtoul(port, NULL, 10));

	if (inet_pton(AF_INET, host, &ipv4->sin_addr) == 1) {
		remote.ss_family = AF_INET;
		ipv4->sin_port = number;
	} else if (inet_pton(AF_INET6, host, &ipv6->sin6_addr) == 1) {
		remote.ss_family = AF_INET6;
		ipv6->sin6_port = number;
	} else {
		die("the address is none");
	}
	client->socket = socket(remote.ss_family, SOCK_DGRAM, 0);
	if (client->socket < 0 || connect(client->socket, (struct sockaddr *)&remote, sizeof(remote)) != 0 ||
		getsockname(client->socket, (struct sockaddr *)&local, &length) != 0)
		die("there is no way to the address");
	client->path = (struct base_path){.local = address_of(&local), .remote = address_of(&remote)};
}

static struct tls_context *
open_tls(const struct client *client)
{
	const struct tls_settings settings = {.role = TLS_CLIENT,
		.alpn = {is(client, "hq") ? "hq-interop" : "echo"},
		.alpn_count = 1,
		.verify = TLS_VERIFY_OFF};
	char sentence[TLS_SENTENCE_BYTES];
	struct tls_context *context = tls_context_open(&settings, (uint64_t)time(NULL), sentence);

	if (context == NULL)
		die(sentence);
	return context;
}

static void
open_endpoint(struct client *client)
{
	static const uint32_t elements[QUIC_POOL_COUNT] = {[QUIC_POOL_HANDSHAKE] = 2,
		[QUIC_POOL_STREAM] = 16,
		[QUIC_POOL_CHUNK] = 4096,
		[QUIC_POOL_SENT] = 1024};
	struct quic_endpoint_config config = {.limits = quic_limits_default(),
		.epoch = 1,
		.crypto = support_backend(),
		.tls_client = open_tls(client),
		.slots = &client->slots};
	struct quic_slots_config slots = {
		.count = 4, .slot_bytes = quic_endpoint_slot_bytes(), .region_slots = 4, .shards = 1};
	struct quic_connect connect = {.path = client->path, .server_name = "millrace.test"};
	struct quic_conn_id_config codec;

	config.limits.connections = 4;
	config.limits.handshakes = 2;
	if (getrandom(&config.keys, sizeof(config.keys), 0) < 0 ||
		getrandom(config.entropy, sizeof(config.entropy), 0) < 0)
		die("the kernel has no random octets");
	slots.regions[0] = taken((size_t)slots.count * slots.slot_bytes);
	quic_slots_init(&client->slots, &slots, taken(quic_slots_memory_bytes(slots.count, 1)));
	for (int i = 0; i < QUIC_POOL_COUNT; i++)
		config.pools[i] =
			base_pool_open(NULL, quic_endpoint_pool_bytes((enum quic_pool)i), elements[i]);
	codec = quic_endpoint_conn_id_config(&config);
	quic_conn_id_codec_init(&client->codec, config.crypto, &codec);
	client->endpoint = quic_endpoint_open(taken(quic_endpoint_bytes(&config.limits)), &config, now_ns());
	if (quic_endpoint_connect(client->endpoint, &connect, now_ns()) == NULL)
		die("the connection cannot begin");
	transmit(client);
}

int
main(int count, char **items)
{
	static struct client client;

	if (count < 4 || (count < 5 && strcmp(items[3], "wait") != 0)) {
		fputs("client ADDRESS PORT hq PATH | echo OCTETS | wait\n", stderr);
		return 2;
	}
	client.what = items[3];
	client.argument = items[4];
	open_socket(&client, items[1], items[2]);
	open_endpoint(&client);
	return serve(&client) ? EXIT_SUCCESS : EXIT_FAILURE;
}
