/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scenarios about paths: their changes, their size, their rate and their marks. */
#include "tests/sim/scenarios.h"

#include "base/time.h"

#define START_NS BASE_SECOND

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

void
scenario_blackhole(struct sim_config *config, struct base_random *random)
{
	config->download_bytes = 6000000;
	config->tick = blackhole_tick;
	config->down.rate_bits_per_second = 10000000;
	config->down.queue_ns = 100 * BASE_MS;
	scenario_patient(config, 120);
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

void
scenario_rebind_port(struct sim_config *config, struct base_random *random)
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
	scenario_patient(config, 120);
}

void
scenario_rebind_address(struct sim_config *config, struct base_random *random)
{
	scenario_rebind_port(config, random);
	config->tick = rebind_address_tick;
}

/* The network that the client comes to is a satellite's: a round trip of a second, whatever it was before. */
static void
to_satellite_tick(struct sim *sim)
{
	struct net_impair_config up = sim->config.up, down = sim->config.down;

	if (sim->marks[0] != 0 || !may_rebind(sim, 150))
		return;
	sim->marks[0] = sim->now_ns;
	up.delay_ns = down.delay_ns = 500 * BASE_MS;
	net_impair_change(&sim->up, &up);
	net_impair_change(&sim->down, &down);
	sim->nat_port = (uint16_t)((sim->nat_port + SIM_CONNECTIONS_MAX) % 20000);
	ping_server(sim);
}

static void
to_satellite_verify(struct sim *sim)
{
	rebind_verify(sim);
	if (sim_counter(&sim->server, "paths_failed") != 0)
		sim_fail(sim, "the validation of a path that is there has failed");
}

void
scenario_to_satellite(struct sim_config *config, struct base_random *random)
{
	scenario_rebind_port(config, random);
	config->up.loss = 0;
	config->tick = to_satellite_tick;
	config->verify = to_satellite_verify;
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

void
scenario_forwarded(struct sim_config *config, struct base_random *random)
{
	scenario_rebind_port(config, random);
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

void
scenario_failed_migration(struct sim_config *config, struct base_random *random)
{
	scenario_rebind_port(config, random);
	config->up.loss = 0;
	config->tick = NULL;
	config->intercept = forward_one;
	config->verify = failed_migration_verify;
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

void
scenario_ecn_vanishes(struct sim_config *config, struct base_random *random)
{
	config->download_bytes = 2000000;
	config->intercept = vanish_marked;
	config->verify = unmarked_verify;
}

void
scenario_ecn_bleached(struct sim_config *config, struct base_random *random)
{
	scenario_ecn_vanishes(config, random);
	config->intercept = bleach;
}

void
scenario_few_ids(struct sim_config *config, struct base_random *random)
{
	scenario_rebind_address(config, random);
	config->server_limits.active_connection_ids = 2;
	config->client_limits.active_connection_ids = 2;
}

/* The public interop case: 10 MB at 10 Mbit/s, 15 ms, a queue of 25 packets. */
static void
goodput_verify(struct sim *sim)
{
	if (sim_goodput(sim) < 8000000)
		sim_fail(sim, "%.2f Mbit/s over a path of 10", (double)sim_goodput(sim) / 1e6);
}

void
scenario_goodput(struct sim_config *config, struct base_random *random)
{
	config->upload_bytes = 0;
	config->download_bytes = 10000000;
	scenario_both(config,
		(struct net_impair_config){.delay_ns = 15 * BASE_MS,
			.rate_bits_per_second = 10000000,
			.queue_ns = 30 * BASE_MS});
	config->verify = goodput_verify;
}

void
scenario_long_path(struct sim_config *config, struct base_random *random)
{
	config->download_bytes = 3000000;
	scenario_both(config,
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

void
scenario_marking(struct sim_config *config, struct base_random *random)
{
	scenario_goodput(config, random);
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

void
scenario_small_mtu(struct sim_config *config, struct base_random *random)
{
	scenario_transfer(config, random);
	config->download_bytes = 2000000;
	config->upload_bytes = 2000000;
	scenario_both(config,
		(struct net_impair_config){.delay_ns = 10 * BASE_MS,
			.rate_bits_per_second = 10000000,
			.queue_ns = 50 * BASE_MS,
			.length_max = 1300});
	config->verify = small_mtu_verify;
}
