/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Change of path (RFC 9000 sections 8.2 and 9), as a server sees it, and the search for the largest datagram that passes (section
 * 14.3, RFC 8899). The server follows the newest packet at once, under the anti-amplification limit, validates the new path and goes back
 * if that fails.
 */
#include "base/assert.h"
#include "quic/conn_internal.h"

enum { MTU_FAILURES_MAX = 3, MTU_STEP_MIN_BYTES = 20 };
#define MTU_RAISE_NS (600 * BASE_SECOND) /* RFC 8899 section 5.1.1, PMTU_RAISE_TIMER */

static struct quic_migration *
take_migration(struct quic_conn *conn)
{
	if (conn->migration != NULL)
		return conn->migration;
	conn->migration = (struct quic_migration *)(void *)quic_memory_take(&conn->endpoint->memory);
	if (conn->migration == NULL) {
		quic_count(conn->endpoint, QUIC_COUNTER_DROP_NO_MEMORY);
		return NULL;
	}
	memset(conn->migration, 0, sizeof(*conn->migration));
	return conn->migration;
}

void
quic_conn_release_migration(struct quic_conn *conn)
{
	struct quic_migration *migration = conn->migration;

	if (migration == NULL || migration->challenging || migration->want_response)
		return;
	quic_memory_give(&conn->endpoint->memory, (struct quic_chunk *)(void *)migration);
	conn->migration = NULL;
	conn->deadlines[QUIC_TIMER_PATH] = BASE_NEVER;
}

/* Section 9.4: another path has another capacity, unless only the port has changed, as NATs do. */
static void
reset_path_state(struct quic_conn *conn)
{
	const struct quic_limits *limits = &conn->endpoint->limits;
	const struct quic_loss_result none = {0};

	/* What went by the old path says nothing about the new one: it is sent again, without a verdict. */
	quic_congestion_on_discarded(&conn->congestion, quic_sent_forget_all(&conn->space.sent));
	quic_rtt_init(&conn->rtt, limits->initial_rtt_ns);
	conn->datagram_bytes = QUIC_DATAGRAM_MIN_BYTES;
	quic_congestion_init(&conn->congestion, limits->congestion, limits->initial_window_packets,
		conn->datagram_bytes, conn->endpoint->now_ns);
	quic_pacer_init(&conn->pacer);
	conn->ecn_capable = limits->ecn;
	conn->ecn_proven = false;
	conn->mtu_searching = false;
	conn->want &= (uint16_t)~QUIC_WANT_MTU_PROBE;
	conn->pto_count = 0;
	quic_conn_settle_sent(conn, QUIC_SPACE_APPLICATION, &none);
}

/*
 * Section 8.2.1: each PATH_CHALLENGE has data of its own. The last ones are kept, since a path may be longer than the interval says, and its
 * response answers an earlier one than the newest.
 */
static void
draw_challenges(struct quic_conn *conn)
{
	struct quic_migration *migration = conn->migration;
	uint8_t octets[16];

	quic_endpoint_unpredictable(conn->endpoint, octets);
	memmove(migration->challenges[1], migration->challenges[0],
		(QUIC_CHALLENGES - 1) * QUIC_PATH_DATA_BYTES);
	memmove(migration->previous_challenges[1], migration->previous_challenges[0],
		(QUIC_CHALLENGES - 1) * QUIC_PATH_DATA_BYTES);
	memcpy(migration->challenges[0], octets, QUIC_PATH_DATA_BYTES);
	memcpy(migration->previous_challenges[0], octets + QUIC_PATH_DATA_BYTES, QUIC_PATH_DATA_BYTES);
	if (migration->challenge_count < QUIC_CHALLENGES)
		migration->challenge_count++;
}

static bool
answers(const struct quic_migration *migration, const uint8_t (*challenges)[QUIC_PATH_DATA_BYTES],
	const uint8_t *data)
{
	for (uint8_t i = 0; i < migration->challenge_count; i++)
		if (crypto_equal(data, challenges[i], QUIC_PATH_DATA_BYTES))
			return true;
	return false;
}

static void
challenge(struct quic_conn *conn)
{
	struct quic_migration *migration = conn->migration;
	uint64_t now_ns = conn->endpoint->now_ns;

	/* What has not left yet need not be replaced. */
	if (migration->challenge_count == 0 || !migration->want_challenge)
		draw_challenges(conn);
	migration->want_challenge = true;
	/*
	 * Section 9.3.3: whoever forwarded a packet of the peer's may have made it look like a migration. The peer answers the old path from
	 * there, and the packet that it does so with, a newer one, brings us back.
	 */
	migration->want_previous_challenge = migration->has_previous && !migration->previous_answered;
	/* The interval doubles, so that on the longest path too a response finds its challenge among those kept. */
	migration->next_challenge_ns = base_time_after(now_ns, migration->interval_ns);
	migration->interval_ns *= 2;
	conn->deadlines[QUIC_TIMER_PATH] =
		base_time_earlier(migration->deadline_ns, migration->next_challenge_ns);
	quic_conn_set_ready(conn);
}

static bool
same_host(const struct base_path *a, const struct base_path *b)
{
	return memcmp(a->remote.ip, b->remote.ip, sizeof(a->remote.ip)) == 0;
}

static void
end_challenge(struct quic_conn *conn)
{
	struct quic_migration *migration = conn->migration;

	migration->challenging = false;
	migration->want_challenge = false;
	migration->has_previous = false;
	migration->want_previous_challenge = false;
	conn->deadlines[QUIC_TIMER_PATH] = BASE_NEVER;
	conn->address_validated = true;
	quic_conn_release_migration(conn);
	quic_conn_set_loss_timer(conn);
	quic_conn_set_ready(conn);
}

/*
 * Whoever brings its packets to its shard by their addresses has to know: once, however often it changes before that, or one client that
 * sends from many ports would take the places of all others.
 */
static void
tell_path(struct quic_conn *conn)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	uint32_t slot = quic_conn_handle(conn).slot;

	for (uint32_t i = 0; i < endpoint->repathed_count; i++)
		if (endpoint->repathed[i].slot == slot &&
			endpoint->repathed[i].generation == conn->generation)
			return;
	if (endpoint->repathed_count < QUIC_REPATHED_PLACES)
		endpoint->repathed[endpoint->repathed_count++] = quic_conn_handle(conn);
	else
		endpoint->repathed_lost++;
}

/* To the path that was validated last; it needs no validation (section 9.3.2). */
static void
go_back(struct quic_conn *conn)
{
	struct quic_migration *migration = conn->migration;
	bool other_host = !same_host(&conn->path, &migration->previous);

	conn->path = migration->previous;
	conn->port_index = migration->previous_port;
	tell_path(conn);
	conn->address_validated = true;
	if (other_host)
		reset_path_state(conn);
	end_challenge(conn);
	quic_conn_mtu_start(conn);
}

void
quic_conn_path_changed(struct quic_conn *conn, const struct base_datagram *datagram)
{
	struct quic_migration *migration = take_migration(conn);
	bool other_host = !same_host(&conn->path, &datagram->path);

	if (migration == NULL)
		return;
	if (migration->has_previous && base_path_equal(&migration->previous, &datagram->path)) {
		go_back(conn);
		return;
	}
	/* Section 9.3.3: only a validated path is worth going back to. */
	if (conn->address_validated) {
		migration->previous = conn->path;
		migration->previous_port = conn->port_index;
		migration->has_previous = true;
		migration->previous_answered = false;
	}
	conn->path = datagram->path;
	conn->port_index = datagram->port_index;
	tell_path(conn);
	conn->address_validated = false;
	conn->credit_bytes = QUIC_ANTI_AMPLIFICATION_FACTOR * datagram->length;
	if (other_host)
		reset_path_state(conn);
	/* Section 9.5: an observer must not link the paths, if the peer changed its own choice of ID as well. */
	if (datagram->id_sequence != conn->last_id_sequence)
		quic_conn_switch_peer_id(conn);
	migration->challenging = true;
	migration->begun_ns = conn->endpoint->now_ns;
	/* Section 8.2.4: three times the larger of the current and a new path's PTO. */
	migration->deadline_ns = base_time_after(migration->begun_ns,
		3 * (quic_conn_pto_ns(conn) + 3 * conn->endpoint->limits.initial_rtt_ns));
	/* Challenges of another path prove nothing about this one. */
	migration->challenge_count = 0;
	migration->interval_ns = quic_conn_pto_ns(conn);
	challenge(conn);
}

void
quic_conn_receive_path_challenge(
	struct quic_conn *conn, const struct base_datagram *datagram, const uint8_t *data)
{
	struct quic_migration *migration = take_migration(conn);

	if (migration == NULL)
		return;
	memcpy(migration->response, data, sizeof(migration->response));
	migration->probe = datagram->path;
	migration->probe_port = datagram->port_index;
	migration->probe_credit_bytes = QUIC_ANTI_AMPLIFICATION_FACTOR * datagram->length;
	migration->want_response = true;
	quic_conn_set_ready(conn);
}

void
quic_conn_receive_path_response(struct quic_conn *conn, const uint8_t *data)
{
	struct quic_migration *migration = conn->migration;

	if (migration == NULL || !migration->challenging)
		return;
	if (answers(migration, migration->previous_challenges, data)) {
		migration->previous_answered = true;
		migration->want_previous_challenge = false;
		return;
	}
	/* Section 8.2.3: the data decides, whichever path it came by. */
	if (!answers(migration, migration->challenges, data))
		return;
	quic_count(conn->endpoint, QUIC_COUNTER_PATHS_VALIDATED);
	end_challenge(conn);
	quic_conn_mtu_start(conn);
}

void
quic_conn_path_expire(struct quic_conn *conn)
{
	struct quic_migration *migration = conn->migration;

	if (migration == NULL || !migration->challenging)
		return;
	if (conn->endpoint->now_ns < migration->deadline_ns) {
		challenge(conn);
		return;
	}
	/* Section 9.3.2: back to the last validated address, or silence. */
	quic_count(conn->endpoint, QUIC_COUNTER_PATHS_FAILED);
	if (migration->has_previous)
		go_back(conn);
	else
		quic_conn_over(conn);
}

/* ---- path MTU ---- */

static uint16_t
mtu_most(const struct quic_conn *conn)
{
	uint16_t most = conn->endpoint->limits.max_udp_payload_bytes;

	return most < conn->peer_udp_payload_bytes ? most : conn->peer_udp_payload_bytes;
}

void
quic_conn_mtu_start(struct quic_conn *conn)
{
	uint16_t most = mtu_most(conn);

	if (conn->mtu_searching || !conn->handshake_confirmed ||
		most < conn->datagram_bytes + MTU_STEP_MIN_BYTES)
		return;
	/* The largest first: where it passes, and it mostly does, one probe is the whole search. */
	conn->mtu_searching = true;
	conn->probe_ceiling = most + 1;
	conn->probe_bytes = most;
	conn->probe_failures = 0;
	conn->want |= QUIC_WANT_MTU_PROBE;
	quic_conn_set_ready(conn);
}

/* Between what passes and what did not: RFC 8899 section 5.3. */
static void
mtu_next(struct quic_conn *conn)
{
	if (conn->datagram_bytes + MTU_STEP_MIN_BYTES >= conn->probe_ceiling) {
		conn->mtu_searching = false;
		conn->deadlines[QUIC_TIMER_MTU] = base_time_after(conn->endpoint->now_ns, MTU_RAISE_NS);
		return;
	}
	conn->probe_failures = 0;
	conn->probe_bytes = (uint16_t)((conn->datagram_bytes + conn->probe_ceiling) / 2);
	conn->want |= QUIC_WANT_MTU_PROBE;
	quic_conn_set_ready(conn);
}

void
quic_conn_mtu_acked(struct quic_conn *conn, uint32_t bytes)
{
	if (bytes <= conn->datagram_bytes || !conn->mtu_searching || bytes > mtu_most(conn))
		return;
	conn->datagram_bytes = (uint16_t)bytes;
	quic_congestion_set_datagram_bytes(&conn->congestion, conn->datagram_bytes);
	mtu_next(conn);
}

void
quic_conn_mtu_lost(struct quic_conn *conn, uint32_t bytes)
{
	if (!conn->mtu_searching || bytes != conn->probe_bytes)
		return;
	if (++conn->probe_failures < MTU_FAILURES_MAX) {
		conn->want |= QUIC_WANT_MTU_PROBE;
		quic_conn_set_ready(conn);
		return;
	}
	conn->probe_ceiling = conn->probe_bytes;
	mtu_next(conn);
}

void
quic_conn_mtu_black_hole(struct quic_conn *conn)
{
	if (conn->datagram_bytes == QUIC_DATAGRAM_MIN_BYTES)
		return;
	conn->datagram_bytes = QUIC_DATAGRAM_MIN_BYTES;
	quic_congestion_set_datagram_bytes(&conn->congestion, conn->datagram_bytes);
	conn->mtu_searching = false;
	conn->deadlines[QUIC_TIMER_MTU] = base_time_after(conn->endpoint->now_ns, MTU_RAISE_NS);
}

void
quic_conn_mtu_expire(struct quic_conn *conn)
{
	conn->mtu_searching = false;
	quic_conn_mtu_start(conn);
}
