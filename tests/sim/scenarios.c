/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the simulated networks and applications are like, each under a name. */
#include <string.h>

#include "base/time.h"
#include "quic/conn_state.h"
#include "quic/error.h"
#include "tests/sim/sim.h"

#define PERCENT(n) ((uint32_t)((n)*10000))
#define START_NS BASE_SECOND

static void
both(struct sim_config *config, struct net_impair_config link)
{
	config->up = link;
	config->down = link;
}

static void
patient(struct sim_config *config, uint64_t seconds)
{
	config->time_limit_ns = seconds * BASE_SECOND;
	config->server_limits.handshake_timeout_ns = seconds * BASE_SECOND;
	config->client_limits.handshake_timeout_ns = seconds * BASE_SECOND;
	config->server_limits.idle_timeout_ns = seconds * BASE_SECOND;
	config->client_limits.idle_timeout_ns = seconds * BASE_SECOND;
}

static void
handshake(struct sim_config *config, struct base_random *random)
{
	config->download_bytes = base_random_below(random, 2000);
	config->upload_bytes = base_random_below(random, 2000);
	config->time_limit_ns = BASE_SECOND;
}

static void
transfer(struct sim_config *config, struct base_random *random)
{
	config->requests = 4;
	config->download_bytes = 200000 + base_random_below(random, 300000);
	config->upload_bytes = base_random_below(random, 300000);
}

static void
loss(struct sim_config *config, struct base_random *random)
{
	transfer(config, random);
	patient(config, 300);
	both(config, (struct net_impair_config){.delay_ns = 15 * BASE_MS, .loss = PERCENT(5)});
}

static void
loss_in_handshake(struct sim_config *config, struct base_random *random)
{
	handshake(config, random);
	patient(config, 600);
	both(config,
		(struct net_impair_config){
			.delay_ns = 15 * BASE_MS, .loss = PERCENT(30), .burst_loss = PERCENT(30)});
}

static void
reordering(struct sim_config *config, struct base_random *random)
{
	transfer(config, random);
	both(config,
		(struct net_impair_config){
			.delay_ns = 10 * BASE_MS, .reorder = PERCENT(10), .reorder_ns = 8 * BASE_MS});
}

static void
duplication(struct sim_config *config, struct base_random *random)
{
	transfer(config, random);
	both(config, (struct net_impair_config){.delay_ns = 10 * BASE_MS, .duplicate = PERCENT(20)});
}

static void
corruption(struct sim_config *config, struct base_random *random)
{
	transfer(config, random);
	patient(config, 300);
	both(config, (struct net_impair_config){.delay_ns = 10 * BASE_MS, .corrupt = PERCENT(3)});
}

static void
corruption_in_handshake(struct sim_config *config, struct base_random *random)
{
	handshake(config, random);
	patient(config, 600);
	both(config, (struct net_impair_config){.delay_ns = 15 * BASE_MS, .corrupt = PERCENT(30)});
}

static struct net_impair_config
any_link(struct base_random *random)
{
	return (struct net_impair_config){
		.delay_ns = base_random_below(random, 100 * BASE_MS),
		.jitter_ns = base_random_below(random, 10 * BASE_MS),
		.rate_bits_per_second = 2000000 + base_random_below(random, 100000000),
		.queue_ns = 20 * BASE_MS + base_random_below(random, 200 * BASE_MS),
		.mark_ns = base_random_below(random, 2) * 10 * BASE_MS,
		.loss = (uint32_t)base_random_below(random, PERCENT(8)),
		.burst_loss = (uint32_t)base_random_below(random, PERCENT(30)),
		.reorder = (uint32_t)base_random_below(random, PERCENT(8)),
		.reorder_ns = base_random_below(random, 30 * BASE_MS),
		.duplicate = (uint32_t)base_random_below(random, PERCENT(5)),
		.corrupt = (uint32_t)base_random_below(random, PERCENT(3)),
	};
}

static void
anything(struct sim_config *config, struct base_random *random)
{
	config->connections = 1 + (uint32_t)base_random_below(random, 4);
	config->requests = 1 + (uint32_t)base_random_below(random, 8);
	config->at_once = 1 + (uint32_t)base_random_below(random, 8);
	config->download_bytes = base_random_below(random, 100000);
	config->upload_bytes = base_random_below(random, 50000);
	config->unidirectional = base_random_below(random, 4) == 0;
	config->datagrams = (uint32_t)base_random_below(random, 5);
	patient(config, 900);
	config->up = any_link(random);
	config->down = any_link(random);
	config->server_limits.stream_window_bytes = 2000 + base_random_below(random, 100000);
	config->server_limits.connection_window_bytes = 4000 + base_random_below(random, 100000);
	config->client_limits.stream_window_bytes = 2000 + base_random_below(random, 100000);
	config->client_limits.connection_window_bytes = 4000 + base_random_below(random, 100000);
	config->server_limits.active_connection_ids = 2 + (uint8_t)base_random_below(random, 3);
	config->client_limits.active_connection_ids = 2 + (uint8_t)base_random_below(random, 3);
	config->server_limits.congestion =
		(enum quic_congestion_algorithm)base_random_below(random, QUIC_CONGESTION_COUNT);
	config->server_limits.retry_above = base_random_below(random, 3) == 0 ? 0 : 1024;
	config->server_limits.key_update_packets = base_random_below(random, 2) * 50;
}

/* Nothing passes for two seconds, several times. */
static void
blackhole_tick(struct sim *sim)
{
	uint64_t phase_ns = (sim->now_ns - START_NS) % (7 * BASE_SECOND);
	struct net_impair_config up = sim->config.up, down = sim->config.down;

	if (phase_ns > 100 * BASE_MS && phase_ns < 2100 * BASE_MS) {
		up.loss = NET_IMPAIR_WHOLE;
		down.loss = NET_IMPAIR_WHOLE;
	}
	net_impair_change(&sim->up, &up);
	net_impair_change(&sim->down, &down);
}

static void
blackhole(struct sim_config *config, struct base_random *random)
{
	config->download_bytes = 6000000;
	config->tick = blackhole_tick;
	config->down.rate_bits_per_second = 10000000;
	config->down.queue_ns = 100 * BASE_MS;
	patient(config, 120);
}

static void
key_update_tick(struct sim *sim)
{
	struct quic_conn *conn = sim_client_conn(sim, 0);

	if (conn != NULL && base_random_below(&sim->random, 20) == 0)
		quic_conn_update_keys(conn);
}

static void
key_update_verify(struct sim *sim)
{
	if (sim_counter(&sim->client, "key_updates") < 2 || sim_counter(&sim->server, "key_updates") < 2)
		sim_fail(sim, "keys were updated less than twice");
}

static void
key_update(struct sim_config *config, struct base_random *random)
{
	config->download_bytes = 2000000;
	config->upload_bytes = 500000;
	config->tick = key_update_tick;
	config->verify = key_update_verify;
	config->server_limits.key_update_packets = 200;
	config->down.rate_bits_per_second = 20000000;
	config->down.queue_ns = 50 * BASE_MS;
	config->up.loss = PERCENT(2);
	config->down.loss = PERCENT(2);
	patient(config, 120);
}

static void
key_update_by_count_verify(struct sim *sim)
{
	if (sim_counter(&sim->server, "key_updates") < 5 ||
		sim_counter(&sim->server, "key_updates") > sim_counter(&sim->client, "key_updates") + 1)
		sim_fail(sim, "the server updated its keys %llu times and the client %llu times",
			(unsigned long long)sim_counter(&sim->server, "key_updates"),
			(unsigned long long)sim_counter(&sim->client, "key_updates"));
}

static void
key_update_by_count(struct sim_config *config, struct base_random *random)
{
	key_update(config, random);
	config->tick = NULL;
	config->verify = key_update_by_count_verify;
	config->server_limits.key_update_packets = 100;
}

/* Not before the handshake is confirmed: nobody could follow. */
static bool
may_rebind(const struct sim *sim, uint64_t every_ms)
{
	return sim->connections[0].answered >= 1 && (sim->now_ns / BASE_MS) % every_ms == 0;
}

/* A client that only listens would never be heard of again, by any server. */
static void
ping_server(struct sim *sim)
{
	struct quic_conn *conn = sim_client_conn(sim, 0);

	if (conn != NULL)
		quic_conn_ping(conn);
}

static void
rebind_port_tick(struct sim *sim)
{
	if (may_rebind(sim, 150)) {
		sim->nat_port = (uint16_t)((sim->nat_port + SIM_CONNECTIONS_MAX) % 20000);
		ping_server(sim);
	}
}

static void
rebind_address_tick(struct sim *sim)
{
	if (may_rebind(sim, 300)) {
		sim->nat_ip = (uint8_t)(sim->nat_ip == 200 ? 2 : sim->nat_ip + 1);
		ping_server(sim);
	}
}

static void
rebind_verify(struct sim *sim)
{
	if (sim_counter(&sim->server, "paths_validated") == 0)
		sim_fail(sim, "no path was validated");
}

static void
rebind_port(struct sim_config *config, struct base_random *random)
{
	config->requests = 6;
	config->at_once = 1;
	config->upload_bytes = 200000;
	config->download_bytes = 800000;
	config->tick = rebind_port_tick;
	config->verify = rebind_verify;
	config->down.rate_bits_per_second = 20000000;
	config->down.queue_ns = 50 * BASE_MS;
	config->up.loss = PERCENT(1);
	patient(config, 120);
}

static void
rebind_address(struct sim_config *config, struct base_random *random)
{
	rebind_port(config, random);
	config->tick = rebind_address_tick;
}

enum { SPOOFED_IP = 99 };

/* As a client's packet forwarded by someone else, faster than the network does it. */
static void
spoof(struct sim *sim, const struct base_datagram *datagram)
{
	struct base_datagram copy = *datagram;

	copy.path = (struct base_path){.local = datagram->path.remote, .remote = datagram->path.local};
	copy.path.remote.ip[15] = SPOOFED_IP;
	net_impair_push(&sim->up, &copy, sim->now_ns);
}

static bool
is_1rtt(const struct base_datagram *datagram)
{
	return (datagram->octets[0] & 0x80) == 0;
}

/* RFC 9000 section 9.3.3: now and then a packet is forwarded, and its original comes late or never. */
static bool
forward_some(struct sim *sim, bool from_server, struct base_datagram *datagram)
{
	if (from_server || !is_1rtt(datagram) || sim->connections[0].answered == 0 ||
		base_random_below(&sim->random, 10) != 0)
		return false;
	spoof(sim, datagram);
	sim->marks[0]++;
	return base_random_below(&sim->random, 2) == 0;
}

static void
forwarded_verify(struct sim *sim)
{
	if (sim->marks[0] == 0)
		sim_fail(sim, "nothing was forwarded");
	if (sim_counter(&sim->server, "paths_validated") != 0)
		sim_fail(sim, "a path was validated that nobody is at");
}

static void
forwarded(struct sim_config *config, struct base_random *random)
{
	rebind_port(config, random);
	config->up.loss = 0;
	config->tick = NULL;
	config->intercept = forward_some;
	config->verify = forwarded_verify;
}

/* RFC 9000 section 9.3.2: one forwarded packet, then silence for longer than the validation of its path takes. */
static bool
forward_one(struct sim *sim, bool from_server, struct base_datagram *datagram)
{
	bool silent = sim->marks[0] != 0 && sim->now_ns < sim->marks[0] + 8 * BASE_SECOND;

	if (from_server) {
		sim->marks[1] += datagram->path.remote.ip[15] == SPOOFED_IP;
		sim->marks[2] +=
			silent && sim->marks[1] != 0 && sim_counter(&sim->server, "paths_failed") == 1;
		return false;
	}
	if (sim->marks[0] == 0 && is_1rtt(datagram) && sim->connections[0].answered == 1) {
		sim->marks[0] = sim->now_ns;
		spoof(sim, datagram);
		return true;
	}
	return silent;
}

static void
failed_migration_verify(struct sim *sim)
{
	if (sim_counter(&sim->server, "paths_failed") != 1 || sim->marks[1] == 0)
		sim_fail(sim, "no validation of a path has failed");
	else if (sim->marks[2] == 0)
		sim_fail(sim, "the server did not go back to the path it knew");
}

static void
failed_migration(struct sim_config *config, struct base_random *random)
{
	rebind_port(config, random);
	config->up.loss = 0;
	config->tick = NULL;
	config->intercept = forward_one;
	config->verify = failed_migration_verify;
}

static void
version_negotiation(struct sim_config *config, struct base_random *random)
{
	handshake(config, random);
	config->first_version = 0x1a2a3a4a;
}

static void
retry_verify(struct sim *sim)
{
	if (sim_counter(&sim->server, "retries_sent") == 0)
		sim_fail(sim, "no Retry was sent");
}

static void
retry(struct sim_config *config, struct base_random *random)
{
	handshake(config, random);
	config->server_limits.retry_above = 0;
	config->verify = retry_verify;
	config->up.loss = PERCENT(10);
	config->down.loss = PERCENT(10);
	patient(config, 120);
}

static bool
first_closed(const struct sim *sim)
{
	return sim->connections[0].closed;
}

/* The token is too old by the time it comes back: RFC 9000 section 8.1.3. */
static void
late_token_verify(struct sim *sim)
{
	if (sim->connections[0].error_code != QUIC_INVALID_TOKEN || !sim->connections[0].closed_by_peer)
		sim_fail(sim, "not closed for its token, but with 0x%llx",
			(unsigned long long)sim->connections[0].error_code);
	if (quic_endpoint_connections(sim->server.endpoint) != 0)
		sim_fail(sim, "a connection began with a token that was too old");
}

static void
late_token(struct sim_config *config, struct base_random *random)
{
	handshake(config, random);
	config->server_limits.retry_above = 0;
	config->server_limits.token_lifetime_ns = 15 * BASE_MS;
	config->done = first_closed;
	config->verify = late_token_verify;
}

static void
refused_tick(struct sim *sim)
{
	quic_endpoint_stop_accepting(sim->server.endpoint);
}

static void
refused_verify(struct sim *sim)
{
	if (sim->connections[0].error_code != QUIC_CONNECTION_REFUSED || !sim->connections[0].closed_by_peer)
		sim_fail(sim, "not refused, but closed with 0x%llx",
			(unsigned long long)sim->connections[0].error_code);
	if (sim_counter(&sim->server, "accepted") != 0)
		sim_fail(sim, "a connection was accepted all the same");
}

static void
refused(struct sim_config *config, struct base_random *random)
{
	handshake(config, random);
	config->tick = refused_tick;
	config->done = first_closed;
	config->verify = refused_verify;
}

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

static void
eviction(struct sim_config *config, struct base_random *random)
{
	handshake(config, random);
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

static void
going_away(struct sim_config *config, struct base_random *random)
{
	config->connections = 40;
	config->requests = 50;
	config->at_once = 2;
	config->tick = going_away_tick;
	config->done = all_closed;
	config->verify = going_away_verify;
}

/* ECN-capable packets of the server's vanish (RFC 9000 section 13.4.2). */
static bool
vanish_marked(struct sim *sim, bool from_server, struct base_datagram *datagram)
{
	sim->marks[0] += from_server && datagram->ecn != BASE_ECN_NOT_ECT;
	return from_server && datagram->ecn != BASE_ECN_NOT_ECT;
}

/* Or somebody on the way clears the mark. */
static bool
bleach(struct sim *sim, bool from_server, struct base_datagram *datagram)
{
	sim->marks[0] += from_server && datagram->ecn != BASE_ECN_NOT_ECT;
	datagram->ecn = BASE_ECN_NOT_ECT;
	return false;
}

static void
unmarked_verify(struct sim *sim)
{
	if (sim->marks[0] == 0 || sim->marks[0] > 200)
		sim_fail(sim, "%llu packets were sent ECN-capable on a path that is not",
			(unsigned long long)sim->marks[0]);
}

static void
ecn_vanishes(struct sim_config *config, struct base_random *random)
{
	config->download_bytes = 2000000;
	config->intercept = vanish_marked;
	config->verify = unmarked_verify;
}

static void
ecn_bleached(struct sim_config *config, struct base_random *random)
{
	ecn_vanishes(config, random);
	config->intercept = bleach;
}

static void
ranges_forgotten_verify(struct sim *sim)
{
	const struct quic_conn *conn = sim_client_conn(sim, 0);

	if (conn->space.ack.report_from == 0)
		sim_fail(sim, "a receiver that only sends ACKs reports all ranges for ever");
}

/* RFC 9000 section 13.2.4. */
static void
ranges_forgotten(struct sim_config *config, struct base_random *random)
{
	config->download_bytes = 3000000;
	config->down.loss = PERCENT(2);
	config->verify = ranges_forgotten_verify;
	patient(config, 120);
}

static void
give_back(struct sim *sim)
{
	while (sim->stolen != NULL) {
		void **chunk = sim->stolen;

		sim->stolen = *chunk;
		base_pool_give(sim->server.pools[QUIC_POOL_CHUNK], chunk);
	}
}

/* All but two chunks of the server's are gone for half a second. */
static void
steal_tick(struct sim *sim)
{
	struct base_pool *pool = sim->server.pools[QUIC_POOL_CHUNK];
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
static void
starved(struct sim_config *config, struct base_random *random)
{
	config->connections = 12;
	config->requests = 3;
	config->upload_bytes = 200;
	config->tick = steal_tick;
	config->verify = starved_verify;
	config->server_limits.chunks_in_stock = 0;
	config->time_limit_ns = 10 * BASE_SECOND;
}

static void
restart_tick(struct sim *sim)
{
	if (sim->connections[0].answered == 3)
		sim_restart(sim, &sim->server);
}

static void
reset_verify(struct sim *sim)
{
	if (sim->connections[0].timed_out || sim_counter(&sim->client, "resets_received") != 1)
		sim_fail(sim, "the stateless reset was not understood");
}

static void
stateless_reset(struct sim_config *config, struct base_random *random)
{
	config->requests = 100;
	config->at_once = 1;
	config->tick = restart_tick;
	config->done = first_closed;
	config->verify = reset_verify;
}

static void
idle_verify(struct sim *sim)
{
	/* The answers have just come: nothing may be given up before two seconds of silence. */
	if (quic_endpoint_connections(sim->server.endpoint) != sim->config.connections)
		sim_fail(sim, "a connection went before its idle timeout");
}

static void
idle_timeout(struct sim_config *config, struct base_random *random)
{
	handshake(config, random);
	config->connections = 10;
	config->idle_end = true;
	config->server_limits.idle_timeout_ns = 2 * BASE_SECOND;
	config->verify = idle_verify;
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

static void
unopenable_initials(struct sim_config *config, struct base_random *random)
{
	handshake(config, random);
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

static void
amplification(struct sim_config *config, struct base_random *random)
{
	handshake(config, random);
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
static void
elephant(struct sim_config *config, struct base_random *random)
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
static void
uploader(struct sim_config *config, struct base_random *random)
{
	elephant(config, random);
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

static void
crowd(struct sim_config *config, struct base_random *random)
{
	config->connections = 60;
	config->requests = 5;
	config->at_once = 2;
	config->download_bytes = 3000;
	config->up.loss = PERCENT(1);
	config->down.loss = PERCENT(1);
	patient(config, 120);
}

static void
few_ids(struct sim_config *config, struct base_random *random)
{
	rebind_address(config, random);
	config->server_limits.active_connection_ids = 2;
	config->client_limits.active_connection_ids = 2;
}

static void
unidirectional(struct sim_config *config, struct base_random *random)
{
	config->unidirectional = true;
	config->requests = 40;
	config->at_once = 8;
	config->upload_bytes = base_random_below(random, 20000);
	config->download_bytes = base_random_below(random, 20000);
	config->down.loss = PERCENT(1);
	patient(config, 120);
}

static void
datagrams_verify(struct sim *sim)
{
	if (sim->connections[0].datagrams_back != sim->config.datagrams)
		sim_fail(sim, "%u of %u DATAGRAM frames came back", sim->connections[0].datagrams_back,
			sim->config.datagrams);
}

static void
datagrams(struct sim_config *config, struct base_random *random)
{
	config->datagrams = 20;
	config->verify = datagrams_verify;
}

/* The public interop case: 10 MB at 10 Mbit/s, 15 ms, a queue of 25 packets. */
static void
goodput_verify(struct sim *sim)
{
	if (sim_goodput(sim) < 8000000)
		sim_fail(sim, "%.2f Mbit/s over a path of 10", (double)sim_goodput(sim) / 1e6);
}

static void
goodput(struct sim_config *config, struct base_random *random)
{
	config->upload_bytes = 0;
	config->download_bytes = 10000000;
	both(config,
		(struct net_impair_config){.delay_ns = 15 * BASE_MS,
			.rate_bits_per_second = 10000000,
			.queue_ns = 30 * BASE_MS});
	config->verify = goodput_verify;
}

static void
long_path(struct sim_config *config, struct base_random *random)
{
	config->download_bytes = 3000000;
	both(config,
		(struct net_impair_config){.delay_ns = 375 * BASE_MS,
			.rate_bits_per_second = 50000000,
			.queue_ns = 100 * BASE_MS});
}

static void
marked_verify(struct sim *sim)
{
	if (sim->down.counters[NET_IMPAIR_MARKED] == 0)
		sim_fail(sim, "nothing ECN-capable was sent");
}

static void
marking(struct sim_config *config, struct base_random *random)
{
	goodput(config, random);
	config->download_bytes = 3000000;
	config->verify = marked_verify;
	config->down.queue_ns = 100 * BASE_MS;
	config->down.mark_ns = 5 * BASE_MS;
}

static void
small_mtu_verify(struct sim *sim)
{
	struct quic_conn_statistics statistics;

	quic_conn_statistics(sim_client_conn(sim, 0), &statistics);
	if (statistics.datagram_bytes > 1300)
		sim_fail(sim, "the path takes 1300 octets and not %u", statistics.datagram_bytes);
	if (statistics.datagram_bytes <= 1200)
		sim_fail(sim, "nothing larger than 1200 octets was found to pass");
}

static void
small_mtu(struct sim_config *config, struct base_random *random)
{
	transfer(config, random);
	config->download_bytes = 2000000;
	config->upload_bytes = 2000000;
	both(config,
		(struct net_impair_config){.delay_ns = 10 * BASE_MS,
			.rate_bits_per_second = 10000000,
			.queue_ns = 50 * BASE_MS,
			.length_max = 1300});
	config->verify = small_mtu_verify;
}

static void
small_windows(struct sim_config *config, struct base_random *random)
{
	transfer(config, random);
	config->download_bytes = 50000;
	config->upload_bytes = 50000;
	config->server_limits.stream_window_bytes = 1500;
	config->server_limits.connection_window_bytes = 2500;
	config->client_limits.stream_window_bytes = 1500;
	config->client_limits.connection_window_bytes = 2500;
	config->up.loss = PERCENT(2);
	config->down.loss = PERCENT(2);
	patient(config, 300);
}

const struct sim_scenario sim_scenarios[] = {
	{"handshake", "a handshake and a small request, without a fault", handshake},
	{"transfer", "several streams, both directions", transfer},
	{"loss", "5 % lost each way", loss},
	{"loss_in_handshake", "30 % lost each way, in bursts, during handshake and a small request",
		loss_in_handshake},
	{"reordering", "10 % come 8 ms late", reordering},
	{"duplication", "20 % come twice", duplication},
	{"corruption", "3 % have an octet changed", corruption},
	{"corruption_in_handshake", "30 % have an octet changed, during handshake and a small request",
		corruption_in_handshake},
	{"anything", "links, limits and loads drawn from the seed", anything},
	{"blackhole", "nothing passes for two seconds out of seven", blackhole},
	{"key_update", "keys updated again and again by both sides", key_update},
	{"key_update_by_count", "the server updates its keys after every 100 packets", key_update_by_count},
	{"rebind_port", "the client's port changes during the transfer", rebind_port},
	{"rebind_address", "the client's address changes during the transfer", rebind_address},
	{"forwarded", "packets of the client's come from an address where nobody is", forwarded},
	{"failed_migration", "the client falls silent after such a packet", failed_migration},
	{"few_ids", "the same with active_connection_id_limit 2", few_ids},
	{"version_negotiation", "the client begins with a version nobody speaks", version_negotiation},
	{"retry", "every client is sent a Retry", retry},
	{"late_token", "the Retry token comes back too late", late_token},
	{"refused", "the server accepts nobody any more", refused},
	{"eviction", "30 clients, 4 handshakes allowed, and only the last client goes on", eviction},
	{"going_away", "the server closes all connections at once", going_away},
	{"ecn_vanishes", "ECN-capable packets do not pass", ecn_vanishes},
	{"ecn_bleached", "ECN marks are cleared on the way", ecn_bleached},
	{"ranges_forgotten", "a client that does nothing but receive", ranges_forgotten},
	{"starved", "the server's chunks are used up for half a second", starved},
	{"stateless_reset", "the server forgets all connections", stateless_reset},
	{"idle_timeout", "nobody closes", idle_timeout},
	{"unopenable_initials", "handshakes beside a flood of Initials that cannot be opened",
		unopenable_initials},
	{"amplification", "a client that falls silent after its first flight", amplification},
	{"elephant", "100 small requesters beside an elephant", elephant},
	{"uploader", "60 small requesters beside one that floods", uploader},
	{"crowd", "60 connections at once", crowd},
	{"unidirectional", "requests and answers on unidirectional streams", unidirectional},
	{"datagrams", "DATAGRAM frames echoed", datagrams},
	{"goodput", "10 MB at 10 Mbit/s, 15 ms, a queue of 25 packets", goodput},
	{"long_path", "a round trip of 750 ms", long_path},
	{"marking", "a queue that marks CE", marking},
	{"small_mtu", "a path that takes 1300 octets", small_mtu},
	{"small_windows", "flow control of little more than a packet", small_windows},
};
const unsigned sim_scenario_count = sizeof(sim_scenarios) / sizeof(sim_scenarios[0]);
