/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The client of the world: connections that download, request or upload. Its cycles are nobody's concern. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base/assert.h"
#include "drivers/crypto/ipsec_mb.h"
#include "net/rss.h"
#include "perf/histogram.h"
#include "perf/wire.h"
#include "shard/buffer.h"

enum { BUFFERS = 8191, UPLOAD_PIECE = 16384, FIRST_PORT = 20000 };

static const char *const protocols[WIRE_PROTOCOLS] = {"h3", "hq-interop", "echo"};
static const uint8_t upload[UPLOAD_PIECE];

/* ---- what the connections do ---- */

static struct http3_request *
open_h3(struct wire_client *client, struct wire_conn *conn)
{
	const struct http3_field fields[] = {{http3_text(":method"), http3_text("GET")},
		{http3_text(":scheme"), http3_text("https")},
		{http3_text(":authority"), http3_text("localhost")},
		{http3_text(":path"), http3_text(client->task->path)},
		{http3_text("user-agent"), http3_text("bench_wire")},
		{http3_text("accept"), http3_text("*/*")}};

	return http3_request_open(conn->h3, fields, sizeof(fields) / sizeof(fields[0]), true);
}

static void
upload_more(struct wire_conn *conn, struct quic_conn *quic, uint64_t stream)
{
	while (conn->left > 0) {
		size_t length = conn->left < sizeof(upload) ? conn->left : sizeof(upload), taken;

		taken = quic_conn_stream_write(quic, stream, upload, length, length == conn->left);
		conn->left -= taken;
		if (taken < length)
			return;
	}
}

static bool
open_stream(struct wire_client *client, struct wire_conn *conn, struct quic_conn *quic)
{
	char line[64];
	uint64_t stream;
	int length;

	if (!quic_conn_stream_open(quic, true, &stream))
		return false;
	if (client->task->upload_bytes > 0) {
		conn->left = client->task->upload_bytes;
		upload_more(conn, quic, stream);
		return true;
	}
	length = snprintf(line, sizeof(line), "GET %s\r\n", client->task->path);
	quic_conn_stream_write(quic, stream, (const uint8_t *)line, (size_t)length, true);
	return true;
}

static void
open_requests(struct wire_client *client, struct wire_conn *conn, struct quic_conn *quic)
{
	const struct wire_task *task = client->task;

	if (!client->started)
		return;
	while (conn->opened < task->requests && conn->opened - conn->answered < task->at_once) {
		if (!(conn->h3 != NULL ? open_h3(client, conn) != NULL : open_stream(client, conn, quic)))
			return;
		conn->opened++;
	}
}

static void
open_asked(struct wire_client *client, struct wire_conn *conn)
{
	while (conn->asked_count > 0) {
		struct http3_request *request = open_h3(client, conn);

		if (request == NULL)
			return;
		http3_request_set_user(request, (void *)(uintptr_t)conn->asked_ns[conn->asked_first]);
		conn->asked_first = (conn->asked_first + 1) % WIRE_ASKED_MAX;
		conn->asked_count--;
	}
}

static struct quic_conn *
find(struct wire_client *client, uint32_t number)
{
	struct quic_conn *quic = quic_endpoint_find(client->endpoint, client->connections[number].handle);

	base_assert(quic != NULL && quic_conn_is_open(quic));
	return quic;
}

void
wire_client_ask(struct wire_client *client, uint32_t number, uint64_t asked_ns)
{
	struct wire_conn *conn = &client->connections[number];

	find(client, number);
	base_assert(client->task->driven);
	if (conn->asked_count == WIRE_ASKED_MAX)
		wire_fail(
			"more requests wait than a connection has room for: the machine is too busy for this load");
	conn->asked_ns[(conn->asked_first + conn->asked_count++) % WIRE_ASKED_MAX] = asked_ns;
	open_asked(client, conn);
}

void
wire_client_ping(struct wire_client *client, uint32_t number)
{
	quic_conn_ping(find(client, number));
}

static void
answered(struct wire_client *client, struct wire_conn *conn, struct quic_conn *quic)
{
	conn->answered++;
	client->figures->answered++;
	if (client->task->driven)
		return;
	open_requests(client, conn, quic);
	/* With as many connections as there will be, wire_end() closes. */
	if (conn->answered == client->task->requests && client->task->total > client->task->connections)
		quic_conn_close(quic, 0x100, NULL);
}

static void
connected(struct wire_client *client, struct wire_conn *conn, struct quic_conn *quic)
{
	const struct wire_task *task = client->task;

	client->connected++;
	if (strcmp(task->alpn, "h3") == 0) {
		conn->h3 = http3_conn_open(client->http3, quic);
		base_assert(conn->h3 != NULL);
	}
	open_requests(client, conn, quic);
	if (task->requests == 0 && !task->driven)
		quic_conn_close(quic, 0x100, NULL);
}

void
wire_client_start(struct wire_client *client)
{
	client->started = true;
	for (uint32_t i = 0; i < client->task->connections; i++)
		open_requests(client, &client->connections[i],
			quic_endpoint_find(client->endpoint, client->connections[i].handle));
}

static void
read_stream(struct wire_client *client, struct wire_conn *conn, const struct quic_event *event)
{
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	while (!fin && quic_conn_stream_read(event->conn, event->stream_id, &octets, &length, &fin)) {
		client->figures->payload_octets += length;
		quic_conn_stream_consume(event->conn, event->stream_id, length);
	}
	if (fin)
		answered(client, conn, event->conn);
}

static void
record(struct wire_client *client, uint64_t asked_ns)
{
	uint64_t arrived_ns = client->arrived_ns != 0 ? client->arrived_ns : client->now_ns;

	base_assert(arrived_ns >= asked_ns);
	perf_histogram_record(client->latency, arrived_ns - asked_ns);
}

static void
pull_h3(struct wire_client *client, struct wire_conn *conn, const struct quic_event *event)
{
	struct http3_event h3;

	http3_handle(client->http3, conn->h3, event);
	while (http3_next_event(client->http3, &h3)) {
		if (h3.type == HTTP3_EVENT_BODY) {
			client->figures->payload_octets += h3.length;
			http3_request_consume(h3.request, h3.length);
		} else if (h3.type == HTTP3_EVENT_END) {
			if (client->latency != NULL && client->task->driven)
				record(client, (uintptr_t)http3_request_user(h3.request));
			answered(client, conn, event->conn);
		}
	}
}

static void
handle(struct wire_client *client, const struct quic_event *event)
{
	struct wire_conn *conn = quic_conn_user(event->conn);

	if (event->type == QUIC_EVENT_CONNECTED)
		connected(client, conn, event->conn);
	else if (conn->h3 != NULL)
		pull_h3(client, conn, event);
	else if (event->type == QUIC_EVENT_STREAM_READABLE)
		read_stream(client, conn, event);
	else if (event->type == QUIC_EVENT_STREAM_WRITABLE)
		upload_more(conn, event->conn, event->stream_id);
	if (event->type == QUIC_EVENT_STREAMS_ALLOWED) {
		open_requests(client, conn, event->conn);
		open_asked(client, conn);
	}
	if (event->type == QUIC_EVENT_CLOSED) {
		client->figures->closed++;
		*conn = (struct wire_conn){0};
	}
}

/* The queue that the server's card chooses by its hash. */
static int
queue_of(const struct wire_client *client, const struct base_path *path)
{
	const struct base_path mirrored = {.local = path->remote, .remote = path->local};

	if (client->server->reta_size == 0)
		return 0;
	return client->server->reta[net_rss_path(&client->rss, &mirrored) % client->server->reta_size];
}

static void
connect_one(struct wire_client *client, struct wire_conn *conn, uint64_t now_ns)
{
	struct quic_connect connect = {.path.remote = wire_address(WIRE_SERVER_LAST, WIRE_QUIC_PORT),
		.server_name = "localhost",
		.user = conn};
	struct quic_conn *quic;

	do {
		connect.path.local =
			wire_address(WIRE_CLIENT_LAST, (uint16_t)(FIRST_PORT + client->next_port++ % 40000));
	} while (client->queue != WIRE_ANY_QUEUE && queue_of(client, &connect.path) != client->queue);
	quic = quic_endpoint_connect(client->endpoint, &connect, now_ns);

	base_assert(quic != NULL);
	*conn = (struct wire_conn){.live = true, .handle = quic_conn_handle(quic)};
	client->begun++;
}

void
wire_client_connect(struct wire_client *client, uint64_t now_ns)
{
	const struct wire_task *task = client->task;

	for (uint32_t i = 0; i < task->connections && client->begun < task->total; i++)
		if (!client->connections[i].live)
			connect_one(client, &client->connections[i], now_ns);
}

/* ---- frames ---- */

static void
route(struct wire_client *client, struct base_datagram *datagrams, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		struct base_datagram *datagram = &datagrams[i];
		const uint8_t *id = datagram->octets + ((datagram->octets[0] & 0x80) != 0 ? 6 : 1);
		struct quic_conn_id_fields fields;
		enum quic_conn_id_result result = QUIC_CONN_ID_MALFORMED;

		if (datagram->length > 6 + QUIC_CONN_ID_SEALED_BYTES)
			quic_conn_id_decode(&client->codec, &id, &fields, &result, 1);
		if (result != QUIC_CONN_ID_OURS)
			continue;
		datagram->slot = fields.slot;
		datagram->generation = fields.generation;
		datagram->id_sequence = fields.sequence;
	}
}

static uint16_t
receive(struct wire_client *client, struct rte_mbuf **mbufs, uint64_t now_ns)
{
	struct base_datagram datagrams[BASE_BURST_MAX];
	struct base_batch batch = {.datagrams = datagrams, .capacity = BASE_BURST_MAX};
	uint16_t count = shard_port_receive(client->port, 0, mbufs, BASE_BURST_MAX);

	for (uint16_t i = 0; i < count; i++) {
		struct net_frame frame = {.octets = rte_pktmbuf_mtod(mbufs[i], uint8_t *),
			.length = mbufs[i]->data_len,
			.room = mbufs[i]->data_len,
			.flags = NET_FRAME_IP_CHECKSUM_GOOD | NET_FRAME_UDP_CHECKSUM_GOOD};

		if (net_interface_receive(&client->interface, &frame, now_ns, &datagrams[batch.count]) ==
			NET_DATAGRAM)
			batch.count++;
	}
	route(client, datagrams, batch.count);
	if (batch.count > 0)
		quic_endpoint_receive(client->endpoint, &batch, now_ns);
	return count;
}

static void
transmit(struct wire_client *client, const struct base_datagram *datagram, uint64_t now_ns)
{
	struct rte_mbuf *mbuf = datagram->buffer;
	struct net_frame frame = {0};

	if (net_interface_send(&client->interface, datagram, now_ns, &frame) != NET_SEND)
		abort();
	mbuf->data_off = (uint16_t)(frame.octets - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = frame.length;
	mbuf->pkt_len = frame.length;
	if (shard_port_send(client->port, 0, &mbuf, 1) != 1)
		abort();
}

static bool
send_burst(struct wire_client *client, uint64_t now_ns)
{
	struct base_datagram datagrams[BASE_BURST_MAX];
	struct rte_mbuf *mbufs[BASE_BURST_MAX];
	struct base_batch batch = {.datagrams = datagrams, .capacity = BASE_BURST_MAX};
	uint16_t count;

	if (rte_pktmbuf_alloc_bulk(client->buffers, mbufs, BASE_BURST_MAX) != 0)
		abort();
	for (unsigned i = 0; i < BASE_BURST_MAX; i++)
		datagrams[i] = (struct base_datagram){.octets = rte_pktmbuf_mtod(mbufs[i], uint8_t *),
			.room = WIRE_MTU,
			.buffer = mbufs[i]};
	count = quic_endpoint_send(client->endpoint, &batch, now_ns);
	for (uint16_t i = 0; i < count; i++)
		transmit(client, &datagrams[i], now_ns);
	rte_pktmbuf_free_bulk(mbufs + count, BASE_BURST_MAX - count);
	return count == BASE_BURST_MAX;
}

bool
wire_client_turn(struct wire_client *client, uint64_t now_ns)
{
	struct rte_mbuf *mbufs[4 * BASE_BURST_MAX];
	struct quic_event event;
	uint16_t count = 0;

	client->now_ns = now_ns;

	for (int i = 0; i < 4; i++)
		count = (uint16_t)(count + receive(client, mbufs + count, now_ns));
	while (quic_endpoint_next_event(client->endpoint, &event))
		handle(client, &event);
	quic_endpoint_expire(client->endpoint, now_ns);
	while (quic_endpoint_next_event(client->endpoint, &event))
		handle(client, &event);
	while (send_burst(client, now_ns))
		;
	rte_pktmbuf_free_bulk(mbufs, count);
	return count == 4 * BASE_BURST_MAX;
}

/* ---- memory ---- */

static void
open_pools(struct wire_client *client)
{
	static const uint32_t elements[QUIC_POOL_COUNT] = {[QUIC_POOL_HANDSHAKE] = 2048,
		[QUIC_POOL_STREAM] = 16384,
		[QUIC_POOL_CHUNK] = 32768,
		[QUIC_POOL_SENT] = 4096};
	struct http3_config http3 = {.limits = {.section_bytes = 4096}};

	for (int i = 0; i < QUIC_POOL_COUNT; i++)
		client->config.pools[i] =
			base_pool_open(NULL, quic_endpoint_pool_bytes((enum quic_pool)i), elements[i]);
	for (int i = 0; i < HTTP3_POOL_COUNT; i++)
		http3.pools[i] = base_pool_open(NULL, http3_pool_bytes((enum http3_pool)i, &http3.limits),
			i == HTTP3_POOL_SECTION ? 64 : 16384);
	client->http3 = http3_open(wire_memory(http3_bytes(&http3.limits)), &http3);
}

static void
open_tls(struct wire_client *client)
{
	for (int i = 0; i < WIRE_PROTOCOLS; i++) {
		const struct tls_settings settings = {.role = TLS_CLIENT,
			.alpn = {protocols[i]},
			.alpn_count = 1,
			.verify = TLS_VERIFY_OFF};
		char sentence[TLS_SENTENCE_BYTES];

		client->tls[i] = tls_context_open(&settings, 1700000000, sentence);
		if (client->tls[i] == NULL)
			abort();
	}
	client->config.tls_client = client->tls[0];
}

void
wire_client_open(struct wire_client *client)
{
	struct quic_conn_id_config codec = {.gateway = 2, .epoch = 1};
	struct quic_slots_config slots = {.count = 2 * WIRE_CONNECTIONS_MAX,
		.slot_bytes = quic_endpoint_slot_bytes(),
		.region_slots = 2 * WIRE_CONNECTIONS_MAX,
		.shards = 1};

	client->buffers = shard_buffers_open("client", BUFFERS, WIRE_MTU, SOCKET_ID_ANY);
	client->config = (struct quic_endpoint_config){.limits = wire_limits(),
		.gateway = 2,
		.epoch = 1,
		.entropy = {5, 6, 7, 8},
		.slots = &client->slots};
	client->config.crypto =
		crypto_ipsec_mb_open(wire_memory(crypto_ipsec_mb_bytes()), CRYPTO_IPSEC_MB_AUTO);
	if (client->buffers == NULL || client->config.crypto == NULL)
		abort();
	slots.regions[0] = wire_memory((size_t)slots.count * slots.slot_bytes);
	quic_slots_init(&client->slots, &slots, wire_memory(quic_slots_memory_bytes(slots.count, 1)));
	quic_conn_id_codec_init(&client->codec, client->config.crypto, &codec);
	open_tls(client);
	open_pools(client);
	client->endpoint_memory = wire_memory(quic_endpoint_bytes(&client->config.limits));
	net_rss_init(&client->rss, client->server->rss_key);
}

void
wire_client_use(struct wire_client *client, const struct wire_task *task, uint64_t now_ns)
{
	struct net_interface_config interface = wire_interface(WIRE_CLIENT_LAST);

	if (client->endpoint != NULL)
		quic_endpoint_close(client->endpoint);
	for (int i = 0; i < WIRE_PROTOCOLS; i++)
		if (strcmp(protocols[i], task->alpn) == 0)
			client->config.tls_client = client->tls[i];
	client->endpoint = quic_endpoint_open(client->endpoint_memory, &client->config, now_ns);
	net_interface_init(&client->interface, &interface, now_ns);
	net_neighbours_add_static(
		&client->interface.neighbours, wire_address(WIRE_SERVER_LAST, 0).ip, wire_macs[0]);
	client->task = task;
	client->started = task->handshake;
	client->begun = client->connected = 0;
	memset(client->connections, 0, sizeof(client->connections));
}

void
wire_client_close(struct wire_client *client)
{
	if (client->endpoint != NULL)
		quic_endpoint_close(client->endpoint);
	for (int i = 0; i < WIRE_PROTOCOLS; i++)
		tls_context_close(client->tls[i]);
	crypto_ipsec_mb_close(client->config.crypto);
	shard_buffers_close(client->buffers);
}
