/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of scenarios, and those about handshakes, transfers and ordinary faults. */
#include "tests/sim/scenario.h"
#include "tests/sim/scenarios.h"

#include <string.h>

#include "base/time.h"
#include "quic/conn_state.h"
#include "quic/error.h"

void
scenario_both(struct sim_config *config, struct net_impair_config link)
{
	config->up = link;
	config->down = link;
}

void
scenario_patient(struct sim_config *config, uint64_t seconds)
{
	config->time_limit_ns = seconds * BASE_SECOND;
	config->server_limits.handshake_timeout_ns = seconds * BASE_SECOND;
	config->client_limits.handshake_timeout_ns = seconds * BASE_SECOND;
	config->server_limits.idle_timeout_ns = seconds * BASE_SECOND;
	config->client_limits.idle_timeout_ns = seconds * BASE_SECOND;
}

void
scenario_handshake(struct sim_config *config, struct base_random *random)
{
	config->download_bytes = base_random_below(random, 2000);
	config->upload_bytes = base_random_below(random, 2000);
	config->time_limit_ns = BASE_SECOND;
}

void
scenario_transfer(struct sim_config *config, struct base_random *random)
{
	config->requests = 4;
	config->download_bytes = 200000 + base_random_below(random, 300000);
	config->upload_bytes = base_random_below(random, 300000);
}

static void
loss(struct sim_config *config, struct base_random *random)
{
	scenario_transfer(config, random);
	scenario_patient(config, 300);
	scenario_both(config, (struct net_impair_config){.delay_ns = 15 * BASE_MS, .loss = PERCENT(5)});
}

static void
loss_in_handshake(struct sim_config *config, struct base_random *random)
{
	scenario_handshake(config, random);
	scenario_patient(config, 600);
	scenario_both(config,
		(struct net_impair_config){
			.delay_ns = 15 * BASE_MS, .loss = PERCENT(30), .burst_loss = PERCENT(30)});
}

static void
reordering(struct sim_config *config, struct base_random *random)
{
	scenario_transfer(config, random);
	scenario_both(config,
		(struct net_impair_config){
			.delay_ns = 10 * BASE_MS, .reorder = PERCENT(10), .reorder_ns = 8 * BASE_MS});
}

static void
duplication(struct sim_config *config, struct base_random *random)
{
	scenario_transfer(config, random);
	scenario_both(config, (struct net_impair_config){.delay_ns = 10 * BASE_MS, .duplicate = PERCENT(20)});
}

static void
corruption(struct sim_config *config, struct base_random *random)
{
	scenario_transfer(config, random);
	scenario_patient(config, 300);
	scenario_both(config, (struct net_impair_config){.delay_ns = 10 * BASE_MS, .corrupt = PERCENT(3)});
}

static void
corruption_in_handshake(struct sim_config *config, struct base_random *random)
{
	scenario_handshake(config, random);
	scenario_patient(config, 600);
	scenario_both(config, (struct net_impair_config){.delay_ns = 15 * BASE_MS, .corrupt = PERCENT(30)});
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
	scenario_patient(config, 900);
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
	scenario_patient(config, 120);
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

/* The first datagram's version becomes one that nobody speaks. RFC 9000 section 6.2: the answer lists what the client speaks, so it goes on. */
static bool
other_version(struct sim *sim, bool from_server, struct base_datagram *datagram)
{
	if (!from_server && sim->marks[0]++ == 0)
		memcpy(datagram->octets + 1, "\x1a\x2a\x3a\x4a", 4);
	return false;
}

static void
version_negotiation_verify(struct sim *sim)
{
	if (sim_counter(&sim->server, "version_negotiations_sent") != 1 ||
		sim_counter(&sim->client, "drop_version") != 1)
		sim_fail(sim, "no version was negotiated");
}

static void
version_negotiation(struct sim_config *config, struct base_random *random)
{
	scenario_handshake(config, random);
	config->time_limit_ns = 10 * BASE_SECOND;
	config->intercept = other_version;
	config->verify = version_negotiation_verify;
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
	scenario_handshake(config, random);
	config->server_limits.retry_above = 0;
	config->verify = retry_verify;
	config->up.loss = PERCENT(10);
	config->down.loss = PERCENT(10);
	scenario_patient(config, 120);
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
	scenario_handshake(config, random);
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
	scenario_handshake(config, random);
	config->tick = refused_tick;
	config->done = first_closed;
	config->verify = refused_verify;
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
	scenario_patient(config, 120);
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
	scenario_handshake(config, random);
	config->connections = 10;
	config->idle_end = true;
	config->server_limits.idle_timeout_ns = 2 * BASE_SECOND;
	config->verify = idle_verify;
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
	scenario_patient(config, 120);
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

static void
small_windows(struct sim_config *config, struct base_random *random)
{
	scenario_transfer(config, random);
	config->download_bytes = 50000;
	config->upload_bytes = 50000;
	config->server_limits.stream_window_bytes = 1500;
	config->server_limits.connection_window_bytes = 2500;
	config->client_limits.stream_window_bytes = 1500;
	config->client_limits.connection_window_bytes = 2500;
	config->up.loss = PERCENT(2);
	config->down.loss = PERCENT(2);
	scenario_patient(config, 300);
}

static void
resumption_tick(struct sim *sim)
{
	size_t ticket_length = 0, token_length = 0;
	struct quic_conn *first = sim_client_conn(sim, 0);

	if (sim->marks[0] != 0 || first == NULL || sim->connections[0].done_ns == 0)
		return;
	quic_conn_ticket(first, &ticket_length);
	quic_conn_token(first, &token_length);
	if (ticket_length > 0 && token_length > 0) {
		sim->marks[0] = sim_counter(&sim->server, "retries_sent");
		sim_connect(sim, 1);
	}
}

static void
resumption_verify(struct sim *sim)
{
	if (!quic_conn_resumed(sim_client_conn(sim, 1)) || quic_conn_resumed(sim_client_conn(sim, 0)))
		sim_fail(sim, "the second handshake, and it alone, should have gone by the ticket");
	if (sim_counter(&sim->server, "retries_sent") != sim->marks[0])
		sim_fail(sim, "the token of the first connection did not spare the second a Retry");
}

static void
resumption(struct sim_config *config, struct base_random *random)
{
	scenario_handshake(config, random);
	config->connections = 2;
	config->later = 1;
	config->tickets = true;
	config->server_limits.retry_above = 0;
	config->tick = resumption_tick;
	config->verify = resumption_verify;
}

static void
no_tickets_verify(struct sim *sim)
{
	if (sim->client.pools[QUIC_POOL_HANDSHAKE].pool.in_use != 0)
		sim_fail(sim, "the client kept its handshake's memory");
}

static void
no_tickets(struct sim_config *config, struct base_random *random)
{
	scenario_transfer(config, random);
	config->download_bytes = 1000000;
	config->tickets = true;
	config->client_limits.client_tickets = false;
	config->verify = no_tickets_verify;
}

const struct sim_scenario sim_scenarios[] = {
	{"handshake", "a handshake and a small request, without a fault", scenario_handshake},
	{"transfer", "several streams, both directions", scenario_transfer},
	{"loss", "5 % lost each way", loss},
	{"loss_in_handshake", "30 % lost each way, in bursts, during handshake and a small request",
		loss_in_handshake},
	{"reordering", "10 % come 8 ms late", reordering},
	{"duplication", "20 % come twice", duplication},
	{"corruption", "3 % have an octet changed", corruption},
	{"corruption_in_handshake", "30 % have an octet changed, during handshake and a small request",
		corruption_in_handshake},
	{"anything", "links, limits and loads drawn from the seed", anything},
	{"blackhole", "nothing passes for two seconds out of seven", scenario_blackhole},
	{"key_update", "keys updated again and again by both sides", key_update},
	{"key_update_by_count", "the server updates its keys after every 100 packets", key_update_by_count},
	{"rebind_port", "the client's port changes during the transfer", scenario_rebind_port},
	{"rebind_address", "the client's address changes during the transfer", scenario_rebind_address},
	{"to_satellite", "the client's port changes, and the path becomes a second long",
		scenario_to_satellite},
	{"forwarded", "packets of the client's come from an address where nobody is", scenario_forwarded},
	{"failed_migration", "the client falls silent after such a packet", scenario_failed_migration},
	{"few_ids", "the same with active_connection_id_limit 2", scenario_few_ids},
	{"version_negotiation", "the client begins with a version nobody speaks", version_negotiation},
	{"retry", "every client is sent a Retry", retry},
	{"late_token", "the Retry token comes back too late", late_token},
	{"refused", "the server accepts nobody any more", refused},
	{"eviction", "30 clients, 4 handshakes allowed, and only the last client goes on", scenario_eviction},
	{"going_away", "the server closes all connections at once", scenario_going_away},
	{"ecn_vanishes", "ECN-capable packets do not pass", scenario_ecn_vanishes},
	{"ecn_bleached", "ECN marks are cleared on the way", scenario_ecn_bleached},
	{"ranges_forgotten", "a client that does nothing but receive", ranges_forgotten},
	{"starved", "the server's chunks are used up for half a second", scenario_starved},
	{"resumption", "a second connection by ticket and token of the first", resumption},
	{"no_tickets", "a client that wants no tickets gives its handshake back", no_tickets},
	{"stateless_reset", "the server forgets all connections", stateless_reset},
	{"idle_timeout", "nobody closes", idle_timeout},
	{"unopenable_initials", "handshakes beside a flood of Initials that cannot be opened",
		scenario_unopenable_initials},
	{"amplification", "a client that falls silent after its first flight", scenario_amplification},
	{"elephant", "100 small requesters beside an elephant", scenario_elephant},
	{"uploader", "60 small requesters beside one that floods", scenario_uploader},
	{"crowd", "60 connections at once", scenario_crowd},
	{"unidirectional", "requests and answers on unidirectional streams", unidirectional},
	{"datagrams", "DATAGRAM frames echoed", datagrams},
	{"goodput", "10 MB at 10 Mbit/s, 15 ms, a queue of 25 packets", scenario_goodput},
	{"long_path", "a round trip of 750 ms", scenario_long_path},
	{"marking", "a queue that marks CE", scenario_marking},
	{"small_mtu", "a path that takes 1300 octets", scenario_small_mtu},
	{"small_windows", "flow control of little more than a packet", small_windows},
};
const unsigned sim_scenario_count = sizeof(sim_scenarios) / sizeof(sim_scenarios[0]);

const struct sim_plant_case sim_plants[1];
const unsigned sim_plant_count = 0;
