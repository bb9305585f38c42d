/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connection IDs, RFC 9000 sections 5.1 and 19.15. Ours are computed from slot, generation and sequence number, so a window of bits says
 * which are valid. The peer's are stored: one in use and one that is next.
 */
#include "base/assert.h"
#include "quic/conn_internal.h"

uint32_t
quic_own_id_bit(const struct quic_own_ids *ids, uint32_t sequence)
{
	if (sequence < ids->base || sequence - ids->base >= QUIC_OWN_ID_WINDOW)
		return 0;
	return UINT32_C(1) << (sequence - ids->base);
}

bool
quic_conn_own_id_valid(const struct quic_conn *conn, uint32_t sequence)
{
	return ((conn->own_ids.active | conn->own_ids.lingering) &
		       quic_own_id_bit(&conn->own_ids, sequence)) != 0;
}

void
quic_conn_own_id(struct quic_conn *conn, uint32_t sequence, struct quic_cid *cid)
{
	const struct quic_own_ids *ids = &conn->own_ids;
	struct quic_conn_id_fields fields = {
		.shard = ids->shards[(ids->second & quic_own_id_bit(ids, sequence)) != 0],
		.slot = conn->slot,
		.sequence = sequence,
		.generation = conn->generation,
	};

	quic_conn_id_encode(&conn->endpoint->codec, &fields, cid);
}

uint32_t
quic_conn_own_ids_most(const struct quic_conn *conn)
{
	uint32_t most = conn->endpoint->limits.own_connection_ids;

	/* RFC 9000 section 5.1.1: without IDs there are none to issue. */
	if (conn->endpoint->codec.mode == QUIC_CONN_ID_EMPTY)
		return 0;
	return most < conn->peer_active_connection_ids ? most : conn->peer_active_connection_ids;
}

uint32_t
quic_conn_retire_prior_to(const struct quic_conn *conn, uint32_t sequence)
{
	uint32_t most = quic_conn_own_ids_most(conn), left = conn->peer_active_connection_ids - most;
	uint32_t silent = left < most ? left : most - 1;

	return sequence < conn->own_ids.retire_prior_to + silent ? 0 : conn->own_ids.retire_prior_to;
}

void
quic_conn_issue_ids(struct quic_conn *conn)
{
	struct quic_own_ids *ids = &conn->own_ids;
	uint32_t most = quic_conn_own_ids_most(conn);
	/* What replaces an ID that the peer gave up goes where the connection is going, or is. */
	uint16_t named = conn->move == QUIC_MOVE_NONE ? conn->endpoint->shard : ids->shards[1];

	while ((uint32_t)__builtin_popcount(ids->active) < most &&
		ids->next - ids->base < QUIC_OWN_ID_WINDOW && ids->next <= QUIC_CONN_ID_SEQUENCE_MAX) {
		uint32_t bit = quic_own_id_bit(ids, ids->next++);

		ids->active |= bit;
		ids->want |= bit;
		if (named != ids->shards[0])
			ids->second |= bit;
	}
	if (ids->want != 0)
		quic_conn_set_ready(conn);
}

/* The window moves up over what is neither valid nor lingering. */
static void
slide(struct quic_own_ids *ids)
{
	while (ids->base < ids->next && ((ids->active | ids->lingering) & 1) == 0) {
		ids->base++;
		ids->active >>= 1;
		ids->lingering >>= 1;
		ids->want >>= 1;
		ids->second >>= 1;
	}
}

void
quic_conn_own_ids_expire(struct quic_conn *conn)
{
	conn->own_ids.lingering = 0;
	slide(&conn->own_ids);
	quic_conn_issue_ids(conn);
}

uint64_t
quic_conn_receive_retire_id(struct quic_conn *conn, uint64_t sequence, uint32_t used_sequence)
{
	struct quic_own_ids *ids = &conn->own_ids;
	uint32_t bit;

	/* RFC 9000 section 19.16: never issued, or the one that this packet came with. */
	if (sequence >= ids->next || sequence == used_sequence)
		return QUIC_PROTOCOL_VIOLATION;
	bit = quic_own_id_bit(ids, (uint32_t)sequence);
	if ((ids->active & bit) == 0)
		return QUIC_NO_ERROR;
	ids->active &= ~bit;
	ids->want &= ~bit;
	ids->lingering |= bit;
	/* Packets that were sent before may still be on their way. */
	conn->deadlines[QUIC_TIMER_IDS] = base_time_after(conn->endpoint->now_ns, 3 * quic_conn_pto_ns(conn));
	quic_conn_issue_ids(conn);
	return QUIC_NO_ERROR;
}

/* ---- the peer's ---- */

static void
drop_peer_id(struct quic_conn *conn, struct quic_peer_id *id)
{
	if (id->reset_key != 0)
		quic_reset_table_remove(&conn->endpoint->slots->resets, id->reset_key, conn->slot);
	*id = (struct quic_peer_id){0};
}

void
quic_conn_drop_peer_ids(struct quic_conn *conn)
{
	for (int i = 0; i < QUIC_PEER_IDS; i++)
		drop_peer_id(conn, &conn->peer_ids[i]);
}

void
quic_conn_set_peer_id(struct quic_conn *conn, const struct quic_cid *cid)
{
	conn->peer_ids[0].cid = *cid;
	conn->peer_ids[0].valid = true;
	conn->peer_ids[0].sequence = 0;
	conn->peer_ids_seen = 1;
}

static void
set_token(struct quic_conn *conn, struct quic_peer_id *id, const uint8_t token[QUIC_RESET_TOKEN_BYTES])
{
	uint64_t key = quic_reset_key(conn->endpoint->initials.hash_key, token);

	/*
	 * Without a place in the table resets of this peer go unnoticed: it times out instead. So does the same token for
	 * another ID, which RFC 9000 section 10.3 forbids.
	 */
	if (quic_reset_table_insert(&conn->endpoint->slots->resets, key, conn->slot))
		id->reset_key = key;
	else
		quic_count(conn->endpoint, QUIC_COUNTER_DROP_NO_MEMORY);
}

void
quic_conn_set_peer_token(struct quic_conn *conn, const uint8_t token[QUIC_RESET_TOKEN_BYTES])
{
	set_token(conn, &conn->peer_ids[0], token);
}

/* RETIRE_CONNECTION_ID is to be sent. Section 5.1.2: a peer that makes us keep too many of them is cut off. */
static uint64_t
retire(struct quic_conn *conn, uint64_t sequence)
{
	for (int i = 0; i < QUIC_RETIRE_PLACES; i++) {
		if (conn->retiring[i] != 0)
			continue;
		conn->retiring[i] = sequence + 1;
		conn->retiring_want |= (uint8_t)(1 << i);
		quic_conn_set_ready(conn);
		return QUIC_NO_ERROR;
	}
	return QUIC_CONNECTION_ID_LIMIT_ERROR;
}

/* Was there ever a NEW_CONNECTION_ID with this sequence number? Marks it. */
static bool
seen_before(struct quic_conn *conn, uint64_t sequence)
{
	uint64_t distance;

	if (sequence > conn->peer_ids_largest) {
		distance = sequence - conn->peer_ids_largest;
		conn->peer_ids_seen = distance < 64 ? conn->peer_ids_seen << distance : 0;
		conn->peer_ids_largest = sequence;
		conn->peer_ids_seen |= 1;
		return false;
	}
	distance = conn->peer_ids_largest - sequence;
	if (distance >= 64 || (conn->peer_ids_seen >> distance & 1) != 0)
		return true;
	conn->peer_ids_seen |= UINT64_C(1) << distance;
	return false;
}

/* Section 19.15: one sequence number, one ID; one ID, one sequence number. */
static uint64_t
check_repeated(const struct quic_conn *conn, uint64_t sequence, const struct quic_cid *cid)
{
	for (int i = 0; i < QUIC_PEER_IDS; i++) {
		const struct quic_peer_id *id = &conn->peer_ids[i];

		if (id->valid && (id->sequence == sequence) != quic_cid_equal(&id->cid, cid))
			return QUIC_PROTOCOL_VIOLATION;
	}
	return QUIC_NO_ERROR;
}

/* Section 5.1.2: everything below retire_prior_to goes, at once. */
static uint64_t
retire_below(struct quic_conn *conn, uint64_t retire_prior_to)
{
	uint64_t error = QUIC_NO_ERROR;

	if (retire_prior_to <= conn->peer_retire_prior_to)
		return QUIC_NO_ERROR;
	conn->peer_retire_prior_to = retire_prior_to;
	for (int i = 0; i < QUIC_PEER_IDS && error == QUIC_NO_ERROR; i++) {
		struct quic_peer_id *id = &conn->peer_ids[i];

		if (!id->valid || id->sequence >= retire_prior_to)
			continue;
		error = retire(conn, id->sequence);
		drop_peer_id(conn, id);
	}
	return error;
}

uint64_t
quic_conn_store_peer_id(struct quic_conn *conn, uint64_t sequence, const struct quic_cid *cid,
	const uint8_t token[QUIC_RESET_TOKEN_BYTES])
{
	struct quic_peer_id *free_place = NULL;

	if (seen_before(conn, sequence))
		return QUIC_NO_ERROR;
	if (sequence < conn->peer_retire_prior_to)
		return retire(conn, sequence);
	for (int i = QUIC_PEER_IDS - 1; i >= 0; i--)
		if (!conn->peer_ids[i].valid)
			free_place = &conn->peer_ids[i];
	if (free_place == NULL)
		return QUIC_CONNECTION_ID_LIMIT_ERROR;
	*free_place = (struct quic_peer_id){.sequence = sequence, .cid = *cid, .valid = true};
	set_token(conn, free_place, token);
	return QUIC_NO_ERROR;
}

static uint64_t
receive_new_id(struct quic_conn *conn, const struct quic_frame *frame)
{
	uint64_t sequence = frame->new_connection_id.sequence;
	const struct quic_cid *cid = &frame->new_connection_id.cid;
	uint64_t error;

	/* Section 19.15: a peer that chose zero-length IDs has none to give. */
	if (conn->peer_ids[0].valid && conn->peer_ids[0].cid.length == 0)
		return QUIC_PROTOCOL_VIOLATION;
	error = check_repeated(conn, sequence, cid);
	if (error != QUIC_NO_ERROR)
		return error;
	/* Retired first: the limit counts what is left (section 5.1.1). */
	error = retire_below(conn, frame->new_connection_id.retire_prior_to);
	if (error != QUIC_NO_ERROR)
		return error;
	error = quic_conn_store_peer_id(conn, sequence, cid, frame->new_connection_id.reset_token);
	if (error != QUIC_NO_ERROR)
		return error;
	if (!conn->peer_ids[0].valid && conn->peer_ids[1].valid) {
		conn->peer_ids[0] = conn->peer_ids[1];
		conn->peer_ids[1] = (struct quic_peer_id){0};
	}
	return conn->peer_ids[0].valid ? QUIC_NO_ERROR : QUIC_PROTOCOL_VIOLATION;
}

uint64_t
quic_conn_receive_new_id(struct quic_conn *conn, const struct quic_frame *frame)
{
	struct quic_cid before = conn->peer_ids[0].cid;
	uint64_t error = receive_new_id(conn, frame);

	/* CONNECTION_CLOSE must find its way even when every ID was retired. */
	if (error != QUIC_NO_ERROR && !conn->peer_ids[0].valid)
		conn->peer_ids[0].cid = before;
	return error;
}

bool
quic_conn_switch_peer_id(struct quic_conn *conn)
{
	if (conn->peer_ids[0].cid.length == 0)
		return true;
	if (!conn->peer_ids[1].valid || retire(conn, conn->peer_ids[0].sequence) != QUIC_NO_ERROR)
		return false;
	drop_peer_id(conn, &conn->peer_ids[0]);
	conn->peer_ids[0] = conn->peer_ids[1];
	conn->peer_ids[1] = (struct quic_peer_id){0};
	return true;
}
