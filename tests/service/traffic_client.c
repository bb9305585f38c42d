/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The asking side: one kind of fetch for each ALPN. */
#include <string.h>

#include "base/assert.h"
#include "traffic.h"

enum { ECHO_PERIOD = 4096 };

static struct traffic_fetch *
new_fetch(struct traffic_client *client)
{
	struct traffic *traffic = client->traffic;

	for (int i = 0; i < TRAFFIC_FETCHES; i++)
		if (traffic->fetches[i].client == NULL) {
			traffic->fetches[i] = (struct traffic_fetch){
				.client = client, .file = client->begun % TRAFFIC_FILES};
			return &traffic->fetches[i];
		}
	return NULL;
}

static const struct file *
file_of(const struct traffic_fetch *fetch)
{
	const char path[] = {'/', (char)('a' + (int)fetch->file), '.', 'b', 'i', 'n', 0};
	const struct file *file = file_set_find(fetch->client->traffic->set, http3_text(path));

	base_assert(file != NULL);
	return file;
}

/* What the n-th octet of an echoed stream is; two periods, to be compared from any place of the first. */
static const uint8_t *
echo_at(uint64_t offset)
{
	static uint8_t octets[2 * ECHO_PERIOD];

	if (octets[1] == 0)
		for (uint32_t i = 0; i < sizeof(octets); i++)
			octets[i] = (uint8_t)(i % ECHO_PERIOD * 3 + i % ECHO_PERIOD / 256 + 1);
	return octets + offset % ECHO_PERIOD;
}

static bool
is_echo(const struct traffic *traffic)
{
	return strcmp(traffic->alpn, "echo") == 0;
}

static bool
is_h3(const struct traffic *traffic)
{
	return strcmp(traffic->alpn, "h3") == 0;
}

static uint64_t
expected_bytes(const struct traffic_fetch *fetch)
{
	return is_echo(fetch->client->traffic) ? TRAFFIC_ECHO_BYTES : file_of(fetch)->length;
}

static void
compare(struct traffic_fetch *fetch, const uint8_t *octets, size_t length)
{
	struct traffic *traffic = fetch->client->traffic;
	bool echo = is_echo(traffic);

	while (length > 0) {
		size_t part = echo && length > ECHO_PERIOD ? ECHO_PERIOD : length;

		if (fetch->received + part > expected_bytes(fetch) ||
			memcmp(octets,
				echo ? echo_at(fetch->received) : file_of(fetch)->body + fetch->received,
				part) != 0) {
			traffic->wrong++;
			return;
		}
		fetch->received += part;
		traffic->bytes += part;
		octets += part;
		length -= part;
	}
}

static void
finish(struct traffic_fetch *fetch)
{
	struct traffic_client *client = fetch->client;

	if (fetch->received != expected_bytes(fetch) || (is_h3(client->traffic) && !fetch->answered))
		client->traffic->wrong++;
	client->ended++;
	fetch->client = NULL;
}

static void
write_echo(struct quic_conn *conn, struct traffic_fetch *fetch)
{
	while (fetch->sent < TRAFFIC_ECHO_BYTES) {
		uint64_t left = TRAFFIC_ECHO_BYTES - fetch->sent;
		size_t length = left < ECHO_PERIOD ? left : ECHO_PERIOD;
		size_t written = quic_conn_stream_write(
			conn, fetch->stream_id, echo_at(fetch->sent), length, length == left);

		fetch->sent += written;
		if (written < length)
			break;
	}
}

static bool
begin_http3(struct traffic_client *client, struct traffic_fetch *fetch)
{
	const char path[] = {'/', (char)('a' + (int)fetch->file), '.', 'b', 'i', 'n', 0};
	const struct http3_field fields[] = {
		{http3_text(":method"), http3_text("GET")},
		{http3_text(":scheme"), http3_text("https")},
		{http3_text(":authority"), http3_text("localhost")},
		{http3_text(":path"), http3_text(path)},
		{http3_text("user-agent"), http3_text("traffic")},
	};
	struct http3_request *request = http3_request_open(client->http3, fields, 5, true);

	if (request != NULL)
		http3_request_set_user(request, fetch);
	return request != NULL;
}

static bool
begin_stream(struct quic_conn *conn, struct traffic_fetch *fetch)
{
	const uint8_t line[] = {
		'G', 'E', 'T', ' ', '/', (uint8_t)('a' + fetch->file), '.', 'b', 'i', 'n', '\r', '\n'};

	if (!quic_conn_stream_open(conn, true, &fetch->stream_id))
		return false;
	quic_conn_stream_set_user(conn, fetch->stream_id, fetch);
	if (is_echo(fetch->client->traffic))
		write_echo(conn, fetch);
	else if (quic_conn_stream_write(conn, fetch->stream_id, line, sizeof(line), true) != sizeof(line))
		fetch->client->traffic->wrong++;
	return true;
}

void
traffic_begin_fetches(struct traffic_client *client)
{
	struct traffic *traffic = client->traffic;
	struct quic_conn *conn = world_conn(&traffic->world, WORLD_CLIENT, client->handle);

	while (conn != NULL && client->begun < traffic->fetches_wanted &&
		client->begun - client->ended < traffic->at_once) {
		struct traffic_fetch *fetch = new_fetch(client);

		if (fetch == NULL)
			return;
		if (!(is_h3(traffic) ? begin_http3(client, fetch) : begin_stream(conn, fetch))) {
			fetch->client = NULL;
			return;
		}
		client->begun++;
	}
}

static void
pull_http3(struct traffic *traffic)
{
	struct http3_event event;

	while (http3_next_event(traffic->http3[WORLD_CLIENT], &event)) {
		struct traffic_fetch *fetch =
			event.request != NULL ? http3_request_user(event.request) : NULL;

		if (fetch == NULL || fetch->client == NULL)
			continue;
		switch (event.type) {
		case HTTP3_EVENT_RESPONSE:
			fetch->answered = event.message.status == 200 && event.message.has_content_length &&
				event.message.content_length == expected_bytes(fetch);
			break;
		case HTTP3_EVENT_BODY:
			compare(fetch, event.octets, event.length);
			http3_request_consume(event.request, event.length);
			break;
		case HTTP3_EVENT_ABORTED:
			traffic->wrong++;
			break;
		case HTTP3_EVENT_END:
			http3_request_set_user(event.request, NULL);
			finish(fetch);
			break;
		default:
			break;
		}
	}
}

static void
read_stream(struct quic_conn *conn, struct traffic_fetch *fetch)
{
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	while (!fin && quic_conn_stream_read(conn, fetch->stream_id, &octets, &length, &fin)) {
		compare(fetch, octets, length);
		quic_conn_stream_consume(conn, fetch->stream_id, length);
	}
	if (!fin)
		return;
	quic_conn_stream_set_user(conn, fetch->stream_id, NULL);
	finish(fetch);
}

static void
stream_event(const struct quic_event *event)
{
	struct traffic_fetch *fetch = event->stream_user;

	if (fetch == NULL)
		return;
	if (event->type == QUIC_EVENT_STREAM_READABLE)
		read_stream(event->conn, fetch);
	else if (event->type == QUIC_EVENT_STREAM_WRITABLE)
		write_echo(event->conn, fetch);
	else if (event->type == QUIC_EVENT_STREAM_RESET || event->type == QUIC_EVENT_STREAM_STOPPED)
		fetch->client->traffic->wrong++;
}

void
traffic_client_event(struct traffic *traffic, const struct quic_event *event)
{
	struct traffic_client *client = quic_conn_user(event->conn);

	if (event->type == QUIC_EVENT_CONNECTED) {
		client->connected = true;
		if (is_h3(traffic))
			client->http3 = http3_conn_open(traffic->http3[WORLD_CLIENT], event->conn);
	}
	if (client->http3 != NULL) {
		http3_handle(traffic->http3[WORLD_CLIENT], client->http3, event);
		pull_http3(traffic);
	} else {
		stream_event(event);
	}
	if (event->type == QUIC_EVENT_CLOSED) {
		client->closed = true;
		client->http3 = NULL;
		return;
	}
	traffic_begin_fetches(client);
}
