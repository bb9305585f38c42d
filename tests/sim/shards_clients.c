/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clients that do with connection IDs, addresses and streams what they like while they are moved. */
#include "base/time.h"
#include "quic/conn_internal.h"
#include "tests/sim/shards_scenarios.h"

static struct quic_conn *
confirmed_client(struct sim *sim, uint32_t number)
{
	struct quic_conn *conn = sim_client_conn(sim, number);

	return conn != NULL && conn->state == QUIC_CONN_OPEN && conn->handshake_confirmed ? conn : NULL;
}

/* RFC 9000 section 5.1.2: it retires the ID that it uses, unasked, and goes on with another. */
static bool
switch_id(struct sim *sim, struct quic_conn *conn)
{
	if (!quic_conn_switch_peer_id(conn))
		return false;
	quic_conn_ping(conn);
	sim->seen[SIM_SEEN_CLIENT_SWITCHES]++;
	return true;
}

static void
retire_tick(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++) {
		struct quic_conn *conn = confirmed_client(sim, i);

		if (conn != NULL && base_random_below(&sim->random, 60) == 0)
			switch_id(sim, conn);
	}
}

void
sim_shards_retiring(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
	config->connections = 2;
	config->up.loss = PERCENT(2);
	config->down.loss = PERCENT(2);
	config->tick = retire_tick;
}

/* Clients without connection IDs of their own, as browsers are. */
void
sim_shards_empty_ids(struct sim_config *config, struct base_random *random)
{
	sim_shards_retiring(config, random);
	config->empty_ids = true;
}

/* Clients that take as many IDs as this build has places for: two, or eight (meson.build). */
void
sim_shards_many_ids(struct sim_config *config, struct base_random *random)
{
	sim_shards_renewing(config, random);
	config->client_limits.active_connection_ids = base_random_below(random, 2) == 0 ? 4 : 8;
	config->server_limits.active_connection_ids = config->client_limits.active_connection_ids;
	config->server_limits.own_connection_ids = 8;
	config->client_limits.own_connection_ids = 8;
}

/* The other direction of the rule: new IDs of the client's, and Retire Prior To above all older ones. */
static void
renew_ids(struct sim *sim, struct quic_conn *conn)
{
	struct quic_own_ids *ids = &conn->own_ids;
	uint32_t count = quic_conn_own_ids_most(conn);

	if (ids->next - ids->base + count > QUIC_OWN_ID_WINDOW ||
		(ids->base < ids->retire_prior_to &&
			(ids->active & (quic_own_id_bit(ids, ids->retire_prior_to) - 1)) != 0))
		return;
	ids->retire_prior_to = ids->next;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t bit = quic_own_id_bit(ids, ids->next++);

		ids->active |= bit;
		ids->want |= bit;
	}
	quic_conn_set_ready(conn);
	sim->seen[SIM_SEEN_CLIENT_RENEWALS]++;
}

void
sim_shards_renew_tick(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->config.connections; i++) {
		struct quic_conn *conn = confirmed_client(sim, i);

		if (conn != NULL && base_random_below(&sim->random, 60) == 0)
			renew_ids(sim, conn);
	}
	retire_tick(sim);
}

void
sim_shards_renewing(struct sim_config *config, struct base_random *random)
{
	sim_shards_retiring(config, random);
	config->tick = sim_shards_renew_tick;
}

/* RFC 9000 section 9: to another address with another ID, so both sides change theirs, and paths are validated. */
static void
migrate_tick(struct sim *sim)
{
	struct quic_conn *conn = confirmed_client(sim, 0);

	if (conn == NULL || base_random_below(&sim->random, 80) != 0 || !sim_shards_all_answered_once(sim) ||
		!switch_id(sim, conn))
		return;
	sim_shards_rebind(sim);
}

void
sim_shards_migrating(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
	config->requests = 8;
	config->at_once = 1;
	config->download_bytes = 100000;
	config->upload_bytes = 20000;
	config->up.loss = PERCENT(1);
	config->down.loss = PERCENT(1);
	config->tick = migrate_tick;
}

static void
no_tick(struct sim *sim)
{
	(void)sim;
}

/* Credit of a few packets both ways, and an application that reads when it likes. */
void
sim_shards_blocked(struct sim_config *config, struct base_random *random)
{
	struct quic_limits *sides[2] = {&config->server_limits, &config->client_limits};

	sim_shards_moves(config, random);
	for (int i = 0; i < 2; i++) {
		sides[i]->stream_window_bytes = 3000 + base_random_below(random, 6000);
		sides[i]->stream_window_max_bytes = sides[i]->stream_window_bytes;
		sides[i]->connection_window_bytes = 2 * sides[i]->stream_window_bytes - 1000;
		sides[i]->connection_window_max_bytes = sides[i]->connection_window_bytes;
		sides[i]->send_buffer_bytes = 4000;
	}
	config->requests = 4;
	config->at_once = 3;
	config->download_bytes = 40000;
	config->upload_bytes = 40000;
	config->up.loss = PERCENT(2);
	config->down.loss = PERCENT(2);
	config->reads_late = true;
	config->tick = no_tick;
}

static void
datagram_tick(struct sim *sim)
{
	static const uint8_t octets[100];

	for (uint32_t i = 0; i < sim->config.connections; i++) {
		struct quic_conn *conn = confirmed_client(sim, i);

		for (int k = 0; conn != NULL && k < 3; k++)
			quic_conn_datagram_send(conn, octets, sizeof(octets));
	}
}

static void
datagrams_verify(struct sim *sim)
{
	sim_shards_say(sim);
	if (sim->connections[0].datagrams_back < 100)
		sim_fail(sim, "%u DATAGRAM frames came back", sim->connections[0].datagrams_back);
}

/* RFC 9221: their queue goes along. */
void
sim_shards_datagrams(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
	config->down.rate_bits_per_second = 4000000;
	config->datagrams = 20;
	config->tick = datagram_tick;
	config->verify = datagrams_verify;
}

static void
straggler_verify(struct sim *sim)
{
	uint64_t resets = 0;

	sim_shards_say(sim);
	for (uint16_t i = 0; i < sim->config.shards; i++)
		resets += sim_counter(sim->shards->shards[i].node, "resets_sent");
	/* RFC 9000 section 21.11: none for a connection that lives. */
	if (resets > 0)
		sim_fail(sim, "%llu stateless resets were sent", (unsigned long long)resets);
}

/* Packets that are seconds late: IDs are taken for three PTO more, then dropped without a word. */
void
sim_shards_stragglers(struct sim_config *config, struct base_random *random)
{
	sim_shards_moves(config, random);
	config->upload_bytes = 100000;
	config->server_limits.move_dwell_ns = 0;
	config->up.reorder = PERCENT(2);
	config->up.reorder_ns = 200 * BASE_MS + base_random_below(random, 2 * BASE_SECOND);
	config->verify = straggler_verify;
}
