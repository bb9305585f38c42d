/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection that is asked to move: its IDs, and when the peer has switched to them (RFC 9000 section 5.1.2). */
#include "base/assert.h"
#include "quic/conn_internal.h"

const char *
quic_move_text(enum quic_move_verdict verdict)
{
	static const char *const texts[QUIC_MOVE_VERDICT_COUNT] = {
		[QUIC_MOVE_BEGUN] = "it has begun",
		[QUIC_MOVE_HERE] = "the connection is on that shard",
		[QUIC_MOVE_OVER] = "the connection is closing",
		[QUIC_MOVE_HANDSHAKE] = "its handshake is not over",
		[QUIC_MOVE_IN_FLIGHT] = "a move of it has begun already",
		[QUIC_MOVE_DWELL] = "it has been moved a short time ago",
		[QUIC_MOVE_NOT_RETIRED] =
			"the client has not given up the connection IDs of before the last move",
		[QUIC_MOVE_NO_IDS] = "it has no connection IDs left for now",
	};

	return verdict < QUIC_MOVE_VERDICT_COUNT ? texts[verdict] : "unknown";
}

/* All that the peer may still use name this shard: then two shards are enough to say what an ID names. */
static bool
all_name_us(const struct quic_conn *conn)
{
	const struct quic_own_ids *ids = &conn->own_ids;
	uint16_t self = conn->endpoint->shard;

	return ((ids->active & ids->second) == 0 || ids->shards[1] == self) &&
		((ids->active & ~ids->second) == 0 || ids->shards[0] == self);
}

static enum quic_move_verdict
may_begin(const struct quic_conn *conn, uint16_t target, uint32_t count, uint64_t now_ns)
{
	const struct quic_own_ids *ids = &conn->own_ids;

	if (conn->state != QUIC_CONN_OPEN)
		return QUIC_MOVE_OVER;
	if (target == conn->endpoint->shard)
		return QUIC_MOVE_HERE;
	/* TLS has memory of its thread: it must be gone before. */
	if (!conn->handshake_confirmed || conn->handshake != NULL)
		return QUIC_MOVE_HANDSHAKE;
	if (conn->move != QUIC_MOVE_NONE)
		return QUIC_MOVE_IN_FLIGHT;
	if (conn->deadlines[QUIC_TIMER_MOVE] != BASE_NEVER && conn->deadlines[QUIC_TIMER_MOVE] > now_ns)
		return QUIC_MOVE_DWELL;
	/* Below retire_prior_to are those of before the last move. */
	if (!all_name_us(conn) ||
		(ids->base < ids->retire_prior_to &&
			(ids->active & (quic_own_id_bit(ids, ids->retire_prior_to) - 1)) != 0))
		return QUIC_MOVE_NOT_RETIRED;
	if (ids->next - ids->base + count > QUIC_OWN_ID_WINDOW ||
		ids->next + count - 1 > QUIC_CONN_ID_SEQUENCE_MAX)
		return QUIC_MOVE_NO_IDS;
	return QUIC_MOVE_BEGUN;
}

bool
quic_conn_movable(const struct quic_conn *conn, uint64_t now_ns)
{
	return may_begin(conn, QUIC_SHARDS_MAX, quic_conn_own_ids_most(conn), now_ns) == QUIC_MOVE_BEGUN;
}

uint64_t
quic_conn_moved_ns(const struct quic_conn *conn)
{
	return conn->moved_ns;
}

uint64_t
quic_conn_settled_ns(const struct quic_conn *conn)
{
	return conn->settled_ns;
}

void
quic_conn_settle(struct quic_conn *conn, uint64_t as_of_ns)
{
	conn->settled_ns = as_of_ns;
}

/* A client may claim to acknowledge after 16 seconds (RFC 9000 section 18.2), and all other moves would wait for it. */
static uint64_t
patience_ns(const struct quic_conn *conn)
{
	const struct quic_limits *limits = &conn->endpoint->limits;
	uint64_t ptos_ns = limits->move_give_up_ptos * quic_conn_pto_ns(conn);

	return ptos_ns < limits->move_give_up_ns ? ptos_ns : limits->move_give_up_ns;
}

enum quic_move_verdict
quic_conn_move_begin(struct quic_conn *conn, uint16_t target, uint64_t now_ns)
{
	struct quic_own_ids *ids = &conn->own_ids;
	uint32_t count = quic_conn_own_ids_most(conn);
	enum quic_move_verdict verdict;

	conn->endpoint->now_ns = now_ns;
	verdict = may_begin(conn, target, count, now_ns);
	if (verdict != QUIC_MOVE_BEGUN)
		return verdict;
	ids->shards[0] = conn->endpoint->shard;
	ids->shards[1] = target;
	ids->second = 0;
	ids->retire_prior_to = ids->next;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t bit = quic_own_id_bit(ids, ids->next++);

		ids->active |= bit;
		ids->want |= bit;
		ids->second |= bit;
	}
	conn->move = QUIC_MOVE_WAITING;
	conn->deadlines[QUIC_TIMER_MOVE] = base_time_after(now_ns, patience_ns(conn));
	quic_conn_set_ready(conn);
	quic_conn_arm(conn);
	return QUIC_MOVE_BEGUN;
}

enum quic_move_state
quic_conn_move_state(const struct quic_conn *conn)
{
	return conn->state == QUIC_CONN_OPEN ? (enum quic_move_state)conn->move : QUIC_MOVE_NONE;
}

void
quic_conn_move_received(struct quic_conn *conn, uint32_t sequence)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	const struct quic_own_ids *ids = &conn->own_ids;

	/* Whoever the ID names: stragglers of before the last move name others too. */
	if (ids->shards[1] == endpoint->shard || (ids->second & quic_own_id_bit(ids, sequence)) == 0 ||
		conn->move == QUIC_MOVE_SWITCHED || endpoint->switched_count == QUIC_SWITCHED_PLACES)
		return;
	conn->move = QUIC_MOVE_SWITCHED;
	endpoint->switched[endpoint->switched_count++] = quic_conn_handle(conn);
}

void
quic_conn_move_stay(struct quic_conn *conn)
{
	base_assert(conn->move == QUIC_MOVE_SWITCHED);
	conn->move = QUIC_MOVE_NONE;
}

void
quic_conn_move_expire(struct quic_conn *conn)
{
	/* Otherwise it was the dwell time: another move is allowed. */
	if (conn->move != QUIC_MOVE_WAITING)
		return;
	conn->move = QUIC_MOVE_NONE;
	conn->moved_ns = conn->endpoint->now_ns;
	conn->deadlines[QUIC_TIMER_MOVE] =
		base_time_after(conn->endpoint->now_ns, conn->endpoint->limits.move_dwell_ns);
}
