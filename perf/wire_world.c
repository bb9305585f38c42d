/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "base/assert.h"
#include "base/time.h"
#include "drivers/crypto/ipsec_mb.h"
#include "drivers/port/wire.h"
#include "perf/wire.h"
#include "quic/conn_state.h"
#include "shard/buffer.h"
#include "shard/state.h"
#include "tests/tls/certificates.h"

enum { BUFFERS = 16383, RING_FRAMES = 4096, TURNS_MAX = 4000000, SECTION_BYTES = 4096 };

/* A turn of the server with full bursts takes about this long. */
#define TURN_NS (20 * BASE_US)

const uint8_t wire_macs[2][NET_MAC_BYTES] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

void *
wire_memory(size_t bytes)
{
	size_t rounded = (bytes + 63) & ~(size_t)63;
	void *memory = aligned_alloc(64, rounded);

	if (memory == NULL)
		abort();
	memset(memory, 0, rounded);
	return memory;
}

struct base_address
wire_address(uint8_t last, uint16_t port)
{
	return (struct base_address){
		.ip = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = last}, .port = port};
}

struct net_interface_config
wire_interface(uint8_t last)
{
	struct net_interface_config config = {.mtu = WIRE_MTU,
		.address_count = 1,
		.send_flags = NET_FRAME_IP_CHECKSUM_CARD | NET_FRAME_UDP_CHECKSUM_CARD,
		.neighbours = net_neighbour_defaults};

	memcpy(config.mac, wire_macs[last - 1], NET_MAC_BYTES);
	memcpy(config.addresses[0].ip, wire_address(last, 0).ip, 16);
	config.addresses[0].prefix_bits = 24;
	return config;
}

struct quic_limits
wire_limits(void)
{
	struct quic_limits limits = quic_limits_default();

	limits.connections = 2 * WIRE_CONNECTIONS_MAX;
	limits.handshakes = 2 * WIRE_CONNECTIONS_MAX;
	limits.retry_above = 2 * WIRE_CONNECTIONS_MAX;
	limits.max_udp_payload_bytes = 1400;
	/* Virtual time passes quickly. */
	limits.idle_timeout_ns = 3600 * BASE_SECOND;
	return limits;
}

void
wire_fail(const char *sentence)
{
	fprintf(stderr, "bench: %s\n", sentence);
	exit(1);
}

static unsigned long
free_hugepages(void)
{
	FILE *stream = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
	unsigned long pages = 0;

	if (stream == NULL)
		return 0;
	if (fscanf(stream, "%lu", &pages) != 1)
		pages = 0;
	fclose(stream);
	return pages;
}

bool
wire_eal_open(const char *program, unsigned shards, bool hugepages)
{
	static char name[32], pci[] = "--no-pci", memory[] = "-m", megabytes[8],
			      telemetry[] = "--no-telemetry", lcores[] = "--lcores", map[] = "0@0-1",
			      level[] = "--log-level", quiet[] = "lib.*:4", huge[] = "--no-huge",
			      shared[] = "--no-shconf", in_memory[] = "--in-memory";
	unsigned needed = 256 + 64 * (shards - 1);
	char *arguments[] = {
		name, pci, telemetry, memory, megabytes, lcores, map, level, quiet, shared, huge};
	unsigned count = sizeof(arguments) / sizeof(arguments[0]);

	hugepages = hugepages && free_hugepages() >= needed / 2 + 2;
	snprintf(name, sizeof(name), "%s", program);
	snprintf(megabytes, sizeof(megabytes), "%u", needed);
	if (hugepages) {
		count--;
		arguments[count - 1] = in_memory;
	}
	if (rte_eal_init((int)count, arguments) < 0)
		wire_fail("DPDK does not start");
	return hugepages;
}

static struct base_pool *
pool(uint32_t bytes, uint32_t count)
{
	struct base_pool *opened = base_pool_open(NULL, bytes, count);

	if (opened == NULL)
		wire_fail("no memory for a pool");
	return opened;
}

static struct http3_qpack *
open_qpack(void)
{
	return http3_qpack_open(wire_memory(http3_qpack_bytes(SECTION_BYTES)), SECTION_BYTES);
}

static void
open_files(struct wire_server *server)
{
	size_t bytes = file_set_bytes(2, WIRE_LARGE_BYTES + WIRE_SMALL_BYTES, 12);

	server->files = file_set_open(wire_memory(bytes), bytes, 2);
	memset(file_set_add(server->files, "/large", WIRE_LARGE_BYTES), 'l', WIRE_LARGE_BYTES);
	memset(file_set_add(server->files, "/small", WIRE_SMALL_BYTES), 's', WIRE_SMALL_BYTES);
	file_set_seal(server->files, open_qpack());
}

/* Elements are common to all shards, as they are in the program: a moved connection's are freed by its new owner. */
static void
open_services(struct wire_server *server, uint16_t shards)
{
	struct http3_config config = {.limits = {.section_bytes = SECTION_BYTES}};
	struct base_pool *hq_conns = pool(service_hq_conn_bytes(), 2 * WIRE_CONNECTIONS_MAX);
	struct base_pool *hq_requests = pool(service_hq_request_bytes(), 1024);

	for (int i = 0; i < HTTP3_POOL_COUNT; i++)
		config.pools[i] = pool(http3_pool_bytes((enum http3_pool)i, &config.limits),
			i == HTTP3_POOL_SECTION ? 64 : 16384);
	for (uint16_t i = 0; i < shards; i++) {
		struct wire_seat *seat = &server->seats[i];
		struct service_handler handler = {
			.path = "/", .ops = &service_files_ops, .instance = &seat->h3_files};

		service_files_init(&seat->h3_files, server->files, open_qpack());
		service_h3_init(&seat->h3, http3_open(wire_memory(http3_bytes(&config.limits)), &config));
		service_h3_add(&seat->h3, &handler);
		service_hq_init(&seat->hq, server->files, hq_conns, hq_requests);
		if (service_add(&seat->set, &service_h3_ops, &seat->h3) != SERVICE_OK ||
			service_add(&seat->set, &service_hq_ops, &seat->hq) != SERVICE_OK ||
			service_add(&seat->set, &service_echo_ops, &seat->echo) != SERVICE_OK)
			wire_fail("a service is refused");
	}
}

static struct shard_seat
open_seat(struct wire_server *server, uint16_t shard)
{
	static const struct tls_settings tls = {.role = TLS_SERVER,
		.certificate = {.octets = (const uint8_t *)certificate_ed25519,
			.length = sizeof(certificate_ed25519) - 1},
		.key = {.octets = (const uint8_t *)key_ed25519, .length = sizeof(key_ed25519) - 1},
		.alpn = {"h3", "hq-interop", "echo"},
		.alpn_count = 3};
	struct shard_seat seat = {.buffers = server->buffers, .services = &server->seats[shard].set};
	char sentence[TLS_SENTENCE_BYTES];

	seat.crypto = crypto_ipsec_mb_open(wire_memory(crypto_ipsec_mb_bytes()), CRYPTO_IPSEC_MB_AUTO);
	seat.tls_memory = tls_memory_open(NULL, 64 << 20, 64 << 20);
	server->seats[shard].tls_memory = seat.tls_memory;
	tls_memory_bind(seat.tls_memory);
	seat.tls_server = tls_context_open(&tls, 1700000000, sentence);
	tls_memory_bind(NULL);
	if (seat.crypto == NULL || seat.tls_server == NULL)
		wire_fail("no ciphers or no TLS");
	return seat;
}

static void
open_server(struct wire_server *server, const struct wire_shape *shape)
{
	static const uint32_t elements[QUIC_POOL_COUNT] = {[QUIC_POOL_HANDSHAKE] = 2048,
		[QUIC_POOL_STREAM] = 16384,
		[QUIC_POOL_CHUNK] = 16384,
		[QUIC_POOL_SENT] = 8192};
	char error[256] = "";

	open_files(server);
	open_services(server, shape->shards);
	server->config = (struct shard_group_config){.shards = shape->shards,
		.port_count = 1,
		.connections = 2 * WIRE_CONNECTIONS_MAX,
		.mailbox_datagrams = 1024,
		.moves_max = SHARD_MOVES_MAX,
		.idle = shard_idle_defaults,
		.quic = {.limits = wire_limits(), .gateway = 1, .epoch = 1, .entropy = {1, 2, 3, 4}},
		.quic_port = WIRE_QUIC_PORT};
	server->config.quic.limits.move_dwell_ns = shape->dwell_ns;
	server->config.quic.id_mode = shape->clear ? QUIC_CONN_ID_CLEAR : QUIC_CONN_ID_SEALED;
	memcpy(server->config.pool_elements, elements, sizeof(elements));
	server->config.ports[0].port = server->port;
	server->config.ports[0].interface = wire_interface(WIRE_SERVER_LAST);
	for (uint16_t i = 0; i < shape->shards; i++)
		server->config.seats[i] = open_seat(server, i);
	server->group = shard_group_open(&server->config, error, sizeof(error));
	if (server->group == NULL)
		wire_fail(error);
	server->shard = server->group->shards[0];
	for (uint16_t i = 0; i < shape->shards; i++)
		net_neighbours_add_static(&server->group->shards[i]->interfaces[0].neighbours,
			wire_address(WIRE_CLIENT_LAST, 0).ip, wire_macs[1]);
}

void
wire_open(struct wire *wire, const struct wire_shape *shape)
{
	struct port_wire_config config = {.name = "bench",
		.queues = {shape->shards, 1},
		.mtu = WIRE_MTU,
		.ring_frames = RING_FRAMES,
		.checksums = true,
		.rss = true,
		.levels = 1U << SHARD_STEERING_CID};
	struct shard_port *ends[2];
	char error[256];

	base_assert(shape->shards > 0 && shape->shards <= WIRE_SHARDS_MAX);
	memset(wire, 0, sizeof(*wire));
	wire->shape = *shape;
	memcpy(config.macs, wire_macs, sizeof(config.macs));
	wire->server.buffers = shard_buffers_open("server", BUFFERS, WIRE_MTU, SOCKET_ID_ANY);
	if (wire->server.buffers == NULL)
		wire_fail("no memory for buffers");
	if (!port_wire_open(&config, ends, error, sizeof(error)))
		wire_fail(error);
	wire->server.port = ends[0];
	wire->client.port = ends[1];
	wire->client.server = &ends[0]->facts;
	wire->client.queue = WIRE_ANY_QUEUE;
	wire->client.figures = &wire->figures;
	open_server(&wire->server, shape);
	wire->now_ns = wire->server.shard->now_ns;
	wire_client_open(&wire->client);
}

void
wire_close(struct wire *wire)
{
	wire_client_close(&wire->client);
	shard_group_close(wire->server.group);
	for (uint16_t i = 0; i < wire->shape.shards; i++) {
		struct shard_seat *seat = &wire->server.config.seats[i];

		tls_memory_bind(seat->tls_memory);
		tls_context_close(seat->tls_server);
		tls_memory_bind(NULL);
		crypto_ipsec_mb_close(seat->crypto);
	}
	wire->server.port->ops->close(wire->server.port);
	wire->client.port->ops->close(wire->client.port);
	shard_buffers_close(wire->server.buffers);
}

static void
serve(struct wire_server *server)
{
	struct quic_event event;

	while (quic_endpoint_next_event(server->shard->endpoint, &event))
		service_dispatch(&server->seats[0].set, &event);
}

uint64_t
wire_counter(const struct wire *wire, uint16_t shard, enum shard_counter which)
{
	return atomic_load_explicit(
		&wire->server.group->shards[shard]->counters[which], memory_order_relaxed);
}

/* shard_turn() in its order, without what several shards want, and at our time. */
void
wire_server_turn(struct wire *wire)
{
	struct wire_server *server = &wire->server;
	struct shard *shard = server->shard;
	uint64_t *cycles = wire->figures.cycles, at[6];

	tls_memory_bind(server->seats[0].tls_memory);
	shard->now_ns = wire->now_ns;
	at[0] = shard_clock_cycles();
	shard_receive(shard);
	shard_neighbours(shard);
	at[1] = shard_clock_cycles();
	serve(server);
	at[2] = shard_clock_cycles();
	quic_endpoint_expire(shard->endpoint, shard->now_ns);
	at[3] = shard_clock_cycles();
	serve(server);
	at[4] = shard_clock_cycles();
	shard_send(shard);
	at[5] = shard_clock_cycles();
	cycles[WIRE_RECEIVE] += at[1] - at[0];
	cycles[WIRE_SERVE] += at[2] - at[1] + at[4] - at[3];
	cycles[WIRE_EXPIRE] += at[3] - at[2];
	cycles[WIRE_SEND] += at[5] - at[4];
	wire->figures.turns++;
	tls_memory_bind(NULL);
}

bool
wire_shard_turn(struct wire *wire, uint16_t index, uint64_t now_ns, uint64_t *cycles)
{
	struct shard *shard = wire->server.group->shards[index];
	uint64_t start;
	bool busy;

	/* A clock that stands still shows our time, whatever the counter says. */
	shard->clock.start_ns = now_ns;
	shard->clock.ns_per_cycle = 0;
	tls_memory_bind(wire->server.seats[index].tls_memory);
	start = shard_clock_cycles();
	busy = shard_turn(shard);
	*cycles = shard_clock_cycles() - start;
	tls_memory_bind(NULL);
	return busy;
}

void
wire_steer(struct wire *wire, bool on)
{
	struct shard_group *group = wire->server.group;
	struct shard_steerer_config config = {.slots = &group->slots,
		.shards = group->count,
		.udp_port = WIRE_QUIC_PORT,
		.clear = wire->shape.clear,
		.port_count = 1,
		.ports = {wire->server.port}};

	if (!on) {
		shard_steerer_close(&group->steerer);
		return;
	}
	shard_steerer_open(&group->steerer, &config);
	if (group->steerer.ports[0].level != SHARD_STEERING_CID)
		wire_fail("the card does not read connection IDs");
}

struct quic_handle
wire_handle(struct wire *wire, uint32_t number)
{
	struct quic_conn *conn =
		quic_endpoint_find(wire->client.endpoint, wire->client.connections[number].handle);
	const uint8_t *id = conn->peer_ids[0].cid.octets;
	enum quic_conn_id_result result;
	struct quic_conn_id_fields fields;

	quic_conn_id_decode(&wire->server.shard->router.codec, &id, &fields, &result, 1);
	base_assert(result == QUIC_CONN_ID_OURS);
	return (struct quic_handle){fields.slot, fields.generation};
}

uint16_t
wire_owner(struct wire *wire, uint32_t number)
{
	struct quic_slot_owner owner;

	if (!quic_slots_owner(&wire->server.group->slots, wire_handle(wire, number).slot, &owner))
		wire_fail("a connection has no owner");
	return owner.owner;
}

static void
turn(struct wire *wire)
{
	uint64_t cycles;

	wire_client_turn(&wire->client, wire->now_ns);
	if (wire->shape.shards == 1 && !wire->whole)
		wire_server_turn(wire);
	else
		for (uint16_t i = 0; i < wire->shape.shards; i++) {
			wire_shard_turn(wire, i, wire->now_ns, &cycles);
			wire->figures.cycles[WIRE_WHOLE] += cycles;
		}
	wire->now_ns += TURN_NS;
}

static void
pass(struct wire *wire, uint64_t duration_ns, uint64_t step_ns)
{
	for (uint64_t passed_ns = 0; passed_ns < duration_ns; passed_ns += step_ns) {
		turn(wire);
		wire->now_ns += step_ns - TURN_NS;
	}
}

void
wire_pass(struct wire *wire, uint64_t duration_ns)
{
	pass(wire, duration_ns, TURN_NS);
}

void
wire_rest(struct wire *wire, uint64_t duration_ns)
{
	pass(wire, duration_ns, 5 * BASE_MS);
}

/* The server's counters before, so that figures can be differences. */
static void
begin_figures(struct wire *wire)
{
	wire->figures = (struct wire_figures){.received = 0 - wire_counter(wire, 0, SHARD_FRAMES_RECEIVED),
		.sent = 0 - wire_counter(wire, 0, SHARD_FRAMES_SENT),
		.received_octets = 0 - wire_counter(wire, 0, SHARD_OCTETS_RECEIVED),
		.sent_octets = 0 - wire_counter(wire, 0, SHARD_OCTETS_SENT)};
}

static void
end_figures(struct wire *wire)
{
	wire->figures.received += wire_counter(wire, 0, SHARD_FRAMES_RECEIVED);
	wire->figures.sent += wire_counter(wire, 0, SHARD_FRAMES_SENT);
	wire->figures.received_octets += wire_counter(wire, 0, SHARD_OCTETS_RECEIVED);
	wire->figures.sent_octets += wire_counter(wire, 0, SHARD_OCTETS_SENT);
}

static bool
done(const struct wire *wire)
{
	const struct wire_task *task = wire->client.task;

	if (task->total > task->connections || (task->handshake && task->requests == 0))
		return wire->figures.closed == task->total;
	return wire->figures.answered == (uint64_t)task->total * task->requests;
}

void
wire_begin(struct wire *wire, const struct wire_task *task)
{
	struct wire_client *client = &wire->client;
	uint64_t turns = 0;

	base_assert(task->connections <= WIRE_CONNECTIONS_MAX);
	wire_client_use(client, task, wire->now_ns);
	begin_figures(wire);
	if (!task->handshake) {
		while (client->connected < task->connections && ++turns < TURNS_MAX) {
			if (turns % 8 == 1 && client->begun < task->connections)
				wire_client_connect(client, wire->now_ns);
			turn(wire);
		}
		/* Acknowledgements and tickets of the handshakes. */
		for (int i = 0; i < 5000; i++)
			turn(wire);
		begin_figures(wire);
		wire_client_start(client);
	}
	for (turns = 0; !done(wire); turns++) {
		if (turns == TURNS_MAX)
			wire_fail("a task does not end");
		wire_client_connect(client, wire->now_ns);
		turn(wire);
	}
	end_figures(wire);
}

static uint32_t
connections(const struct wire *wire)
{
	uint32_t sum = 0;

	for (uint16_t i = 0; i < wire->shape.shards; i++)
		sum += quic_endpoint_connections(wire->server.group->shards[i]->endpoint);
	return sum;
}

void
wire_end(struct wire *wire)
{
	quic_endpoint_close_all(wire->client.endpoint, 0, false, wire->now_ns);
	for (int i = 0; i < 100 || (connections(wire) > 0 && i < 10000); i++) {
		turn(wire);
		wire->now_ns += BASE_MS;
	}
	if (connections(wire) > 0)
		wire_fail("connections do not end");
}

void
wire_run(struct wire *wire, const struct wire_task *task)
{
	struct wire_figures kept;

	wire_begin(wire, task);
	kept = wire->figures;
	wire_end(wire);
	wire->figures = kept;
}
