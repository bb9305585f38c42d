/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scenarios about load: crowds, floods, and what is short. */
#include "tests/sim/scenarios.h"

#include <string.h>

#include "base/time.h"

/* All clients but the last fall silent after their first datagram. */
static bool
only_the_last(struct sim *sim, bool from_server, struct base_datagram *datagram)
{
	uint32_t number = (uint32_t)datagram->path.local.port - SIM_CLIENT_PORT;
	bool silent =
		!from_server && number + 1 < sim->config.connections && (sim->marks[0] >> number & 1) != 0;

	if (!from_server)
		sim->marks[0] |= UINT64_C(1) << number;
	return silent;
}

static bool
last_answered(const struct sim *sim)
{
	return sim->connections[sim->config.connections - 1].done_ns != 0;
}

static void
eviction_verify(struct sim *sim)
{
	if (sim_counter(&sim->server, "handshakes_evicted") < sim->config.connections - 4)
		sim_fail(sim, "only %llu handshakes gave way",
			(unsigned long long)sim_counter(&sim->server, "handshakes_evicted"));
	if (quic_endpoint_connections(sim->server.endpoint) > 4)
		sim_fail(sim, "%u connections where 4 handshakes are allowed",
			quic_endpoint_connections(sim->server.endpoint));
}

void
scenario_eviction(struct sim_config *config, struct base_random *random)
{
	scenario_handshake(config, random);
	config->connections = 30;
	config->server_limits.handshakes = 4;
	config->intercept = only_the_last;
	config->done = last_answered;
	config->verify = eviction_verify;
}

enum { GOING_AWAY = 0x100 };

static void
going_away_tick(struct sim *sim)
{
	if (sim->connections[0].answered != 2 || sim->marks[0]++ != 0)
		return;
	quic_endpoint_stop_accepting(sim->server.endpoint);
	quic_endpoint_close_all(sim->server.endpoint, GOING_AWAY, true, sim->now_ns);
}

static bool
all_closed(const struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++)
		if (!sim->connections[i].closed)
			return false;
	return true;
}

static void
going_away_verify(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++)
		if (sim->connections[i].error_code != GOING_AWAY || !sim->connections[i].closed_by_peer)
			sim_fail(sim, "connection %u was not told that the server goes", i);
}

void
scenario_going_away(struct sim_config *config, struct base_random *random)
{
	config->connections = 40;
	config->requests = 50;
	config->at_once = 2;
	config->tick = going_away_tick;
	config->done = all_closed;
	config->verify = going_away_verify;
}

static void
give_back(struct sim *sim)
{
	while (sim->stolen != NULL) {
		void **chunk = sim->stolen;

		sim->stolen = *chunk;
		base_pool_give(&sim->server.pools[QUIC_POOL_CHUNK].pool, chunk);
	}
}

/* All but two chunks of the server's are gone for half a second. */
static void
steal_tick(struct sim *sim)
{
	struct base_pool *pool = &sim->server.pools[QUIC_POOL_CHUNK].pool;
	bool ready = true;

	for (uint32_t i = 0; i < sim->config.connections; i++)
		ready = ready && sim->connections[i].connected;
	if (ready && sim->marks[0] == 0) {
		sim->marks[0] = sim->now_ns;
		while (pool->in_use + 2 < pool->capacity) {
			void **chunk = base_pool_take(pool);

			*chunk = sim->stolen;
			sim->stolen = chunk;
		}
	}
	if (sim->now_ns > sim->marks[0] + 500 * BASE_MS)
		give_back(sim);
}

static void
starved_verify(struct sim *sim)
{
	if (sim->marks[0] == 0 || sim->stolen != NULL)
		sim_fail(sim, "nobody had to wait");
	give_back(sim);
}

/* A write that was cut short with nothing in flight: no ACK will wake the application. */
void
scenario_starved(struct sim_config *config, struct base_random *random)
{
	config->connections = 12;
	config->requests = 3;
	config->upload_bytes = 200;
	config->tick = steal_tick;
	config->verify = starved_verify;
	config->server_limits.chunks_in_stock = 0;
	config->time_limit_ns = 10 * BASE_SECOND;
}

/* Initials for nobody, as anyone can make them up who has not read RFC 9001. */
static void
junk_tick(struct sim *sim)
{
	static uint8_t octets[1200];
	struct base_datagram datagram = {.octets = octets, .length = sizeof(octets), .slot = BASE_SLOT_NONE};
	struct base_batch batch = {.datagrams = &datagram, .count = 1, .capacity = 1};
	static const uint8_t header[] = {0xc0, 0, 0, 0, 1, 8};

	for (int i = 0; i < 20; i++) {
		base_random_fill(&sim->random, octets, sizeof(octets));
		memcpy(octets, header, sizeof(header));
		/* Destination and source ID of 8 octets, no token, and all the rest. */
		octets[14] = 8;
		octets[23] = 0;
		octets[24] = 0x40 | (sizeof(octets) - 26) >> 8;
		octets[25] = (sizeof(octets) - 26) & 0xff;
		quic_endpoint_receive(sim->server.endpoint, &batch, sim->now_ns);
	}
}

static void
junk_verify(struct sim *sim)
{
	if (sim_counter(&sim->server, "drop_not_authentic") < 100)
		sim_fail(sim, "the unopenable Initials were not dropped for that reason");
	if (sim_counter(&sim->server, "accepted") != sim->config.connections)
		sim_fail(sim, "an Initial that cannot be opened was accepted");
	if (sim_counter(&sim->server, "handshakes_evicted") != 0)
		sim_fail(sim, "a handshake gave way to an Initial that cannot be opened");
}

void
scenario_unopenable_initials(struct sim_config *config, struct base_random *random)
{
	scenario_handshake(config, random);
	config->connections = 4;
	config->server_limits.handshakes = 4;
	config->tick = junk_tick;
	config->verify = junk_verify;
}

/* A client that falls silent after its first flight: RFC 9000 section 8.1. */
static bool
silence_after_the_first_flight(struct sim *sim, bool from_server, struct base_datagram *datagram)
{
	return !from_server && sim->server.received_bytes > 0;
}

static void
amplification_tick(struct sim *sim)
{
	if (sim->server.sent_bytes > 3 * sim->server.received_bytes)
		sim_fail(sim, "the server sent %llu octets for %llu",
			(unsigned long long)sim->server.sent_bytes,
			(unsigned long long)sim->server.received_bytes);
}

/* The server has had its time for the handshake as well. */
static bool
both_gave_up(const struct sim *sim)
{
	return sim->connections[0].closed &&
		sim->now_ns >
		sim->connections[0].begun_ns + sim->config.server_limits.handshake_timeout_ns + BASE_SECOND;
}

static void
amplification_verify(struct sim *sim)
{
	if (sim->server.sent_bytes < 2 * sim->server.received_bytes)
		sim_fail(sim, "the server said next to nothing: %llu octets",
			(unsigned long long)sim->server.sent_bytes);
	if (quic_endpoint_connections(sim->server.endpoint) != 0)
		sim_fail(sim, "the unfinished handshake was kept");
}

void
scenario_amplification(struct sim_config *config, struct base_random *random)
{
	scenario_handshake(config, random);
	config->time_limit_ns = 60 * BASE_SECOND;
	config->intercept = silence_after_the_first_flight;
	config->tick = amplification_tick;
	config->done = both_gave_up;
	config->verify = amplification_verify;
}

static void
elephant_verify(struct sim *sim)
{
	for (uint32_t i = 1; i < sim->config.connections; i++)
		if (sim->connections[i].slowest_ns > 60 * BASE_MS)
			sim_fail(sim, "a small request took %.1f ms beside the elephant",
				(double)sim->connections[i].slowest_ns / 1e6);
}

static bool
mice_answered(const struct sim *sim)
{
	for (uint32_t i = 1; i < sim->config.connections; i++)
		if (sim->connections[i].done_ns == 0)
			return false;
	return true;
}

/* A shard that can send 32 packets in 100 microseconds, and a connection that would fill all of them. */
void
scenario_elephant(struct sim_config *config, struct base_random *random)
{
	config->connections = 101;
	config->requests = 10;
	config->at_once = 1;
	config->upload_bytes = 100;
	config->download_bytes = 5000;
	config->elephant_bytes = 500000000;
	config->turn_ns = 100 * BASE_US;
	config->done = mice_answered;
	config->verify = elephant_verify;
	config->client_limits.stream_window_bytes = 64 << 20;
	config->client_limits.stream_window_max_bytes = 64 << 20;
	config->client_limits.connection_window_bytes = 64 << 20;
	config->client_limits.connection_window_max_bytes = 64 << 20;
	config->up.delay_ns = 5 * BASE_MS;
	config->down.delay_ns = 5 * BASE_MS;
}

/* One packet of the first connection's, to be sent again and again. */
static bool
keep_one(struct sim *sim, bool from_server, struct base_datagram *datagram)
{
	const struct sim_conn *first = &sim->connections[0];

	if (!from_server && first->connected && sim->kept.length == 0 && datagram->length > 1000 &&
		(datagram->octets[0] & 0x80) == 0 && datagram->path.local.port == SIM_CLIENT_PORT) {
		memcpy(sim->kept_octets, datagram->octets, datagram->length);
		sim->kept = *datagram;
		sim->kept.octets = sim->kept_octets;
		sim->kept.path =
			(struct base_path){.local = datagram->path.remote, .remote = datagram->path.local};
	}
	return false;
}

static void
flood_tick(struct sim *sim)
{
	for (int i = 0; sim->kept.length != 0 && !sim->config.done(sim) && i < 80; i++)
		net_impair_push(&sim->up, &sim->kept, sim->now_ns);
}

static void
uploader_verify(struct sim *sim)
{
	uint64_t slowest_ns = 0;

	for (uint32_t i = 1; i < sim->config.connections; i++)
		if (sim->connections[i].slowest_ns > slowest_ns)
			slowest_ns = sim->connections[i].slowest_ns;
	if (slowest_ns > 60 * BASE_MS)
		sim_fail(sim, "a small request took %.1f ms beside the flood", (double)slowest_ns / 1e6);
	if (sim_counter(&sim->server, "drop_budget") == 0)
		sim_fail(sim, "the flood stayed within the budget");
}

/* The server opens 50,000 packets per second. The first connection sends 80,000, or as many as it can. */
void
scenario_uploader(struct sim_config *config, struct base_random *random)
{
	scenario_elephant(config, random);
	config->connections = 61;
	config->elephant_bytes = 5000;
	config->upload_bytes = 1500;
	config->download_bytes = 1000;
	config->turn_ns = 20 * BASE_US;
	config->packet_ns = 20 * BASE_US;
	config->server_limits.packets_received_per_turn = 4;
	config->up.rate_bits_per_second = 1000000000;
	config->up.queue_ns = 10 * BASE_MS;
	config->intercept = keep_one;
	config->tick = flood_tick;
	config->verify = uploader_verify;
}

void
scenario_crowd(struct sim_config *config, struct base_random *random)
{
	config->connections = 60;
	config->requests = 5;
	config->at_once = 2;
	config->download_bytes = 3000;
	config->up.loss = PERCENT(1);
	config->down.loss = PERCENT(1);
	scenario_patient(config, 120);
}
