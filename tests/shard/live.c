/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/shard/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_mbuf.h>

#include "base/assert.h"
#include "base/time.h"
#include "drivers/crypto/ipsec_mb.h"
#include "quic/conn.h"
#include "shard/buffer.h"
#include "shard/state.h"
#include "tests/tls/certificates.h"
#include "tls/tls.h"

enum {
	BUFFERS = 8191,
	MTU = 1500,
	RING_FRAMES = 1024,
	SLOTS = 64,
	PATTERN = 251,
	FIRST_PORT = 20000,
	PORTS = 4000,
	TLS_BYTES = 8 << 20,
};

static const uint8_t macs[2][NET_MAC_BYTES] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

static void *
taken(size_t bytes)
{
	size_t rounded = (bytes + 63) & ~(size_t)63;
	void *memory = aligned_alloc(64, rounded);

	base_assert(memory != NULL);
	return memset(memory, 0, rounded);
}

static struct base_address
address(unsigned end, uint16_t port)
{
	return (struct base_address){
		.ip = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = (uint8_t)(end + 1)},
		.port = port};
}

static uint64_t
now_ns(const struct live *live)
{
	return shard_clock_ns(&live->group->clock, shard_clock_cycles());
}

/* ---- what connections do ---- */

static void
write_more(struct live *live, struct live_conn *conn, struct quic_conn *quic)
{
	uint8_t octets[PATTERN];

	while (conn->sent < live->options.octets) {
		uint64_t left = live->options.octets - conn->sent;
		size_t length = left < PATTERN ? (size_t)left : PATTERN, written;

		for (size_t i = 0; i < length; i++)
			octets[i] = (uint8_t)((conn->sent + i) % PATTERN);
		written = quic_conn_stream_write(quic, conn->stream, octets, length, length == left);
		conn->sent += written;
		if (written < length)
			return;
	}
}

static void
begin_stream(struct live *live, struct live_conn *conn, struct quic_conn *quic)
{
	conn->sent = conn->received = 0;
	if (quic_conn_stream_open(quic, true, &conn->stream))
		write_more(live, conn, quic);
	else
		live->wrong++;
}

static void
end_stream(struct live *live, struct live_conn *conn)
{
	live->wrong += conn->received != live->options.octets;
	live->streams++;
}

static void
read_more(struct live *live, struct live_conn *conn, const struct quic_event *event)
{
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	while (!fin && quic_conn_stream_read(event->conn, event->stream_id, &octets, &length, &fin)) {
		for (size_t i = 0; i < length; i++)
			live->wrong += octets[i] != (conn->received + i) % PATTERN;
		conn->received += length;
		live->octets += length;
		quic_conn_stream_consume(event->conn, event->stream_id, length);
	}
	if (fin)
		end_stream(live, conn);
}

static void
on_event(struct live *live, const struct quic_event *event)
{
	struct live_conn *conn = quic_conn_user(event->conn);

	switch (event->type) {
	case QUIC_EVENT_CONNECTED:
		live->connected++;
		begin_stream(live, conn, event->conn);
		break;
	case QUIC_EVENT_STREAM_WRITABLE:
		write_more(live, conn, event->conn);
		break;
	case QUIC_EVENT_STREAM_READABLE:
		read_more(live, conn, event);
		break;
	case QUIC_EVENT_STREAM_CLOSED:
		if (quic_conn_is_open(event->conn))
			begin_stream(live, conn, event->conn);
		break;
	case QUIC_EVENT_STREAM_RESET:
	case QUIC_EVENT_STREAM_STOPPED:
		live->wrong++;
		break;
	case QUIC_EVENT_CLOSED:
		if (event->closed_by_peer || event->timed_out || event->error_code != 0) {
			fprintf(stderr, "a connection is closed by %s with 0x%llx\n",
				event->timed_out                ? "time"
					: event->closed_by_peer ? "the gateway"
								: "the client",
				(unsigned long long)event->error_code);
			live->wrong++;
		}
		conn->handle.slot = BASE_SLOT_NONE;
		break;
	default:
		break;
	}
}

static uint16_t
bucket_of(const struct live *live, uint16_t port)
{
	const struct base_path path = {.local = address(0, LIVE_QUIC_PORT), .remote = address(1, port)};

	return (uint16_t)(net_rss_path(&live->rss, &path) % live->ends[0]->facts.reta_size);
}

static uint16_t
next_port(struct live *live)
{
	uint16_t port;

	do
		port = (uint16_t)(FIRST_PORT + live->next_port++ % PORTS);
	while (live->options.one_bucket && bucket_of(live, port) != LIVE_BUCKET);
	return port;
}

static void
connect_missing(struct live *live)
{
	for (uint32_t i = 0; i < live->options.connections && !live->closing; i++) {
		struct live_conn *conn = &live->connections[i];
		struct quic_connect connect = {.path = {.remote = address(0, LIVE_QUIC_PORT)},
			.server_name = "localhost",
			.user = conn};
		struct quic_conn *quic;

		if (conn->handle.slot != BASE_SLOT_NONE)
			continue;
		*conn = (struct live_conn){.port = next_port(live)};
		connect.path.local = address(1, conn->port);
		quic = quic_endpoint_connect(live->endpoint, &connect, now_ns(live));
		conn->handle =
			quic != NULL ? quic_conn_handle(quic) : (struct quic_handle){.slot = BASE_SLOT_NONE};
	}
}

/* ---- the client's datagrams ---- */

static void
route(struct live *live, struct base_datagram *datagrams, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		struct base_datagram *datagram = &datagrams[i];
		const uint8_t *id = datagram->octets + ((datagram->octets[0] & 0x80) != 0 ? 6 : 1);
		struct quic_conn_id_fields fields;
		enum quic_conn_id_result result = QUIC_CONN_ID_MALFORMED;

		datagram->slot = BASE_SLOT_NONE;
		if (datagram->length > 6 + QUIC_CONN_ID_SEALED_BYTES)
			quic_conn_id_decode(&live->codec, &id, &fields, &result, 1);
		if (result != QUIC_CONN_ID_OURS)
			continue;
		datagram->slot = fields.slot;
		datagram->generation = fields.generation;
		datagram->id_sequence = fields.sequence;
	}
}

static uint16_t
receive(struct live *live, struct rte_mbuf **mbufs, uint64_t at_ns)
{
	struct base_datagram datagrams[BASE_BURST_MAX];
	struct base_batch batch = {.datagrams = datagrams, .capacity = BASE_BURST_MAX};
	uint16_t count = shard_port_receive(live->ends[1], 0, mbufs, BASE_BURST_MAX);

	for (uint16_t i = 0; i < count; i++) {
		struct net_frame frame = {.octets = rte_pktmbuf_mtod(mbufs[i], uint8_t *),
			.length = mbufs[i]->data_len,
			.room = mbufs[i]->data_len,
			.flags = NET_FRAME_IP_CHECKSUM_GOOD | NET_FRAME_UDP_CHECKSUM_GOOD};

		if (net_interface_receive(&live->interface, &frame, at_ns, &datagrams[batch.count]) !=
			NET_DATAGRAM)
			continue;
		if (datagrams[batch.count].path.local.port >= FIRST_PORT + PORTS)
			datagrams[batch.count].path.local.port =
				(uint16_t)(datagrams[batch.count].path.local.port - LIVE_NAT_PORTS);
		batch.count++;
	}
	route(live, datagrams, batch.count);
	if (batch.count > 0)
		quic_endpoint_receive(live->endpoint, &batch, at_ns);
	return count;
}

static void
transmit(struct live *live, const struct base_datagram *datagram, uint64_t at_ns)
{
	struct rte_mbuf *mbuf = datagram->buffer;
	struct net_frame frame = {0};
	enum net_send_verdict verdict = net_interface_send(&live->interface, datagram, at_ns, &frame);

	base_assert(verdict == NET_SEND);
	mbuf->data_off = (uint16_t)(frame.octets - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = frame.length;
	mbuf->pkt_len = frame.length;
	shard_port_send(live->ends[1], 0, &mbuf, 1);
}

static bool
send_burst(struct live *live, uint64_t at_ns)
{
	struct base_datagram datagrams[BASE_BURST_MAX];
	struct rte_mbuf *mbufs[BASE_BURST_MAX];
	struct base_batch batch = {.datagrams = datagrams, .capacity = BASE_BURST_MAX};
	uint16_t count;

	if (rte_pktmbuf_alloc_bulk(live->buffers, mbufs, BASE_BURST_MAX) != 0)
		return false;
	for (uint16_t i = 0; i < BASE_BURST_MAX; i++)
		datagrams[i] = (struct base_datagram){
			.octets = rte_pktmbuf_mtod(mbufs[i], uint8_t *), .room = MTU, .buffer = mbufs[i]};
	count = quic_endpoint_send(live->endpoint, &batch, at_ns);
	for (uint16_t i = 0; i < count; i++) {
		if (live->rebound)
			datagrams[i].path.local.port =
				(uint16_t)(datagrams[i].path.local.port + LIVE_NAT_PORTS);
		transmit(live, &datagrams[i], at_ns);
	}
	rte_pktmbuf_free_bulk(mbufs + count, BASE_BURST_MAX - count);
	return count == BASE_BURST_MAX;
}

static void
pull(struct live *live)
{
	struct quic_event event;

	while (quic_endpoint_next_event(live->endpoint, &event))
		on_event(live, &event);
}

void
live_client_turn(struct live *live)
{
	struct rte_mbuf *mbufs[BASE_BURST_MAX];
	uint64_t at_ns = now_ns(live);
	uint16_t count;

	connect_missing(live);
	count = receive(live, mbufs, at_ns);
	pull(live);
	quic_endpoint_expire(live->endpoint, at_ns);
	pull(live);
	while (send_burst(live, at_ns))
		;
	rte_pktmbuf_free_bulk(mbufs, count);
}

void
live_send(struct live *live, uint16_t from_port, const void *octets, uint16_t length)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(live->buffers);
	struct base_datagram datagram = {
		.path = {address(1, from_port), address(0, LIVE_QUIC_PORT)}, .length = length};

	base_assert(mbuf != NULL);
	datagram.octets = rte_pktmbuf_mtod(mbuf, uint8_t *);
	datagram.buffer = mbuf;
	memcpy(datagram.octets, octets, length);
	transmit(live, &datagram, now_ns(live));
}

void
live_shard_turn(struct live *live, uint16_t shard)
{
	tls_memory_bind(live->config.seats[shard].tls_memory);
	shard_turn(live->group->shards[shard]);
	tls_memory_bind(NULL);
}

void
live_close_one(struct live *live)
{
	uint32_t at = (uint32_t)base_random_below(&live->random, live->options.connections);
	struct quic_conn *quic = quic_endpoint_find(live->endpoint, live->connections[at].handle);

	if (quic != NULL && quic_conn_is_open(quic))
		quic_conn_close(quic, 0, NULL);
}

void
live_begin_to_close(struct live *live)
{
	live->closing = true;
	quic_endpoint_close_all(live->endpoint, 0, false, now_ns(live));
}

bool
live_idle(const struct live *live)
{
	struct quic_slot_owner owner;

	for (uint32_t slot = 0; slot < live->group->slots.count; slot++)
		if (quic_slots_owner(&live->group->slots, slot, &owner) && owner.state != QUIC_SLOT_FREE)
			return false;
	return quic_endpoint_connections(live->endpoint) == 0 && live->group->moves_in_flight == 0;
}

/* ---- the manager ---- */

bool
live_ask_for_move(struct live *live)
{
	struct shard_group *group = live->group;
	uint32_t slot = (uint32_t)base_random_below(&live->random, group->slots.count);
	uint16_t target = (uint16_t)base_random_below(&live->random, group->count);
	struct quic_slot_owner owner;

	if (!quic_slots_owner(&group->slots, slot, &owner) || owner.state != QUIC_SLOT_OWNED ||
		shard_group_move(group, (struct quic_handle){slot, owner.generation}, target, live->asked) !=
			SHARD_MOVE_ASKED)
		return false;
	live->asked++;
	return true;
}

void
live_take_results(struct live *live)
{
	struct shard_control_move result;

	while (shard_group_next_result(live->group, &result)) {
		live->told++;
		live->outcomes[result.outcome]++;
	}
}

uint16_t
live_bucket(const struct live *live, uint32_t connection)
{
	return bucket_of(live, live->connections[connection].port);
}

uint64_t
live_sum(const struct live *live, enum shard_counter counter)
{
	struct shard_statistics statistics;
	uint64_t sum = 0;

	for (uint16_t i = 0; i < live->group->count; i++) {
		shard_get_statistics(live->group->shards[i], &statistics);
		sum += statistics.counters[counter];
	}
	return sum;
}

uint64_t
live_counter(const struct live *live, uint16_t shard, const char *library, const char *name)
{
	struct base_counters counters[8];
	uint32_t count = shard_get_counters(live->group->shards[shard], counters, 8);

	for (uint32_t i = 0; i < count; i++)
		for (size_t j = 0; strcmp(counters[i].library, library) == 0 && j < counters[i].count; j++)
			if (strcmp(counters[i].names[j], name) == 0)
				return counters[i].values[j];
	fprintf(stderr, "live: no counter %s/%s\n", library, name);
	abort();
}

/* ---- memory ---- */

static struct net_interface_config
interface_of(unsigned end)
{
	struct net_interface_config config = {.mtu = MTU,
		.address_count = 1,
		.send_flags = NET_FRAME_IP_CHECKSUM_CARD | NET_FRAME_UDP_CHECKSUM_CARD,
		.neighbours = net_neighbour_defaults};

	memcpy(config.mac, macs[end], NET_MAC_BYTES);
	memcpy(config.addresses[0].ip, address(end, 0).ip, sizeof(config.addresses[0].ip));
	config.addresses[0].prefix_bits = 24;
	return config;
}

static struct quic_limits
limits(void)
{
	struct quic_limits limits = quic_limits_default();

	limits.connections = limits.handshakes = limits.retry_above = SLOTS;
	limits.move_dwell_ns = 0;
	return limits;
}

static struct tls_context *
open_tls(bool server)
{
	const struct tls_settings settings = {.role = server ? TLS_SERVER : TLS_CLIENT,
		.certificate = {.octets = (const uint8_t *)certificate_ed25519,
			.length = server ? sizeof(certificate_ed25519) - 1 : 0},
		.key = {.octets = (const uint8_t *)key_ed25519,
			.length = server ? sizeof(key_ed25519) - 1 : 0},
		.groups = {TLS_GROUP_X25519},
		.group_count = 1,
		.alpn = {"echo"},
		.alpn_count = 1,
		.verify = TLS_VERIFY_OFF};
	char sentence[TLS_SENTENCE_BYTES];
	struct tls_context *context = tls_context_open(&settings, (uint64_t)time(NULL), sentence);

	base_assert(context != NULL);
	return context;
}

static void
open_seat(struct live *live, uint16_t index)
{
	struct shard_seat *seat = &live->config.seats[index];
	enum service_result result = service_add(&live->sets[index], &service_echo_ops, &live->echoes[index]);

	base_assert(result == SERVICE_OK);
	live->crypto_memory[index] = taken(crypto_ipsec_mb_bytes());
	*seat = (struct shard_seat){.lcore = (uint16_t)(index + 1),
		.buffers = live->buffers,
		.crypto = crypto_ipsec_mb_open(live->crypto_memory[index], CRYPTO_IPSEC_MB_AUTO),
		.tls_memory = tls_memory_open(NULL, TLS_BYTES, TLS_BYTES),
		.services = &live->sets[index]};
	tls_memory_bind(seat->tls_memory);
	seat->tls_server = open_tls(true);
	tls_memory_bind(NULL);
}

static void
open_group(struct live *live)
{
	static const uint32_t elements[QUIC_POOL_COUNT] = {[QUIC_POOL_HANDSHAKE] = 255,
		[QUIC_POOL_STREAM] = 1023,
		[QUIC_POOL_CHUNK] = 2047,
		[QUIC_POOL_SENT] = 2047};
	char error[256] = "";

	live->config = (struct shard_group_config){.shards = live->options.shards,
		.port_count = 1,
		.connections = SLOTS,
		.mailbox_datagrams = live->options.mailbox_datagrams,
		.moves_max = 16,
		.idle = shard_idle_defaults,
		.quic = {.limits = limits(),
			.id_mode = live->options.mode,
			.gateway = 1,
			.epoch = 1,
			.entropy = {1, 2, 3, 4}},
		.quic_port = LIVE_QUIC_PORT};
	memcpy(live->config.pool_elements, elements, sizeof(elements));
	memset(&live->config.quic.keys, 0x5a, sizeof(live->config.quic.keys));
	if (live->options.retry)
		live->config.quic.limits.retry_above = 0;
	live->config.ports[0].port = live->ends[0];
	live->config.ports[0].interface = interface_of(0);
	for (uint16_t i = 0; i < live->options.shards; i++)
		open_seat(live, i);
	if (live->options.prepare != NULL)
		live->options.prepare(live);
	live->group = shard_group_open(&live->config, error, sizeof(error));
	if (live->group == NULL)
		fprintf(stderr, "%s\n", error);
	base_assert(live->group != NULL);
	for (uint16_t i = 0; i < live->options.shards; i++)
		net_neighbours_add_static(
			&live->group->shards[i]->interfaces[0].neighbours, address(1, 0).ip, macs[1]);
}

static void
open_client(struct live *live)
{
	static const uint32_t elements[QUIC_POOL_COUNT] = {[QUIC_POOL_HANDSHAKE] = SLOTS,
		[QUIC_POOL_STREAM] = 1024,
		[QUIC_POOL_CHUNK] = 4096,
		[QUIC_POOL_SENT] = 4096};
	struct net_interface_config interface = interface_of(1);
	struct quic_conn_id_config ids;
	struct quic_slots_config slots = {
		.count = SLOTS, .slot_bytes = quic_endpoint_slot_bytes(), .region_slots = SLOTS, .shards = 1};

	net_interface_init(&live->interface, &interface, now_ns(live));
	net_neighbours_add_static(&live->interface.neighbours, address(0, 0).ip, macs[0]);
	live->slot_memory = taken((size_t)slots.count * slots.slot_bytes);
	live->word_memory = taken(quic_slots_memory_bytes(slots.count, 1));
	slots.regions[0] = live->slot_memory;
	quic_slots_init(&live->slots, &slots, live->word_memory);
	live->crypto_memory[LIVE_SHARDS_MAX] = taken(crypto_ipsec_mb_bytes());
	live->client = (struct quic_endpoint_config){.limits = limits(),
		.gateway = 2,
		.epoch = 1,
		.entropy = {5, 6, 7, 8},
		.crypto = crypto_ipsec_mb_open(live->crypto_memory[LIVE_SHARDS_MAX], CRYPTO_IPSEC_MB_AUTO),
		.tls_client = open_tls(false),
		.slots = &live->slots};
	for (int i = 0; i < QUIC_POOL_COUNT; i++)
		live->client.pools[i] =
			base_pool_open(NULL, quic_endpoint_pool_bytes((enum quic_pool)i), elements[i]);
	ids = quic_endpoint_conn_id_config(&live->client);
	quic_conn_id_codec_init(&live->codec, live->client.crypto, &ids);
	live->endpoint_memory = taken(quic_endpoint_bytes(&live->client.limits));
	live->endpoint = quic_endpoint_open(live->endpoint_memory, &live->client, now_ns(live));
	for (uint32_t i = 0; i < LIVE_CONNECTIONS_MAX; i++)
		live->connections[i].handle.slot = BASE_SLOT_NONE;
}

struct live *
live_open(const struct live_options *options)
{
	struct live *live = taken(sizeof(*live));
	struct port_wire_config wire = {.name = "live",
		.queues = {options->queues, 1},
		.mtu = MTU,
		.ring_frames = RING_FRAMES,
		.checksums = true,
		.rss = true,
		.levels = options->levels,
		.tuple_rules = 16};
	char error[256] = "";
	bool opened;

	base_assert(options->shards <= LIVE_SHARDS_MAX && options->connections <= LIVE_CONNECTIONS_MAX);
	live->options = *options;
	base_random_init(&live->random, 1);
	live->buffers = shard_buffers_open("live", BUFFERS, MTU, SOCKET_ID_ANY);
	memcpy(wire.macs, macs, sizeof(macs));
	opened = live->buffers != NULL && port_wire_open(&wire, live->ends, error, sizeof(error));
	base_assert(opened);
	net_rss_init(&live->rss, live->ends[0]->facts.rss_key);
	open_group(live);
	open_client(live);
	return live;
}

void
live_close(struct live *live)
{
	quic_endpoint_close(live->endpoint);
	tls_context_close(live->client.tls_client);
	crypto_ipsec_mb_close(live->client.crypto);
	for (int i = 0; i < QUIC_POOL_COUNT; i++)
		base_pool_close(live->client.pools[i]);
	shard_group_close(live->group);
	for (uint16_t i = 0; i < live->options.shards; i++) {
		struct shard_seat *seat = &live->config.seats[i];

		tls_memory_bind(seat->tls_memory);
		tls_context_close(seat->tls_server);
		tls_memory_bind(NULL);
		tls_memory_close(seat->tls_memory);
		crypto_ipsec_mb_close(seat->crypto);
	}
	live->ends[0]->ops->close(live->ends[0]);
	live->ends[1]->ops->close(live->ends[1]);
	base_assert(rte_mempool_in_use_count(live->buffers) == 0);
	shard_buffers_close(live->buffers);
	for (unsigned i = 0; i <= LIVE_SHARDS_MAX; i++)
		free(live->crypto_memory[i]);
	free(live->endpoint_memory);
	free(live->slot_memory);
	free(live->word_memory);
	free(live);
}
