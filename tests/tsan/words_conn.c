/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In the place of lib/quic's connections and endpoints, as far as lib/shard/move.c asks them. */
#include "base/assert.h"
#include "tests/tsan/words.h"

enum { SWITCHES_OF = 3, EXPIRES_OF = 400 };

static void
write_all(struct quic_conn *conn, uint64_t value)
{
	conn->datagrams = value;
	for (int i = 0; i < WORDS_FILL; i++)
		conn->fill[i] = value;
}

void
words_conn_open(struct quic_endpoint *endpoint, struct quic_handle handle)
{
	struct quic_conn *conn = quic_slots_at(endpoint->slots, handle.slot);

	*conn = (struct quic_conn){.endpoint = endpoint, .handle = handle};
	write_all(conn, 0);
}

void
words_conn_receive(struct quic_endpoint *endpoint, struct quic_handle handle)
{
	struct quic_conn *conn = quic_endpoint_find(endpoint, handle);

	base_assert(conn != NULL && conn->endpoint == endpoint);
	for (int i = 0; i < WORDS_FILL; i++)
		base_assert(conn->fill[i] == conn->datagrams);
	write_all(conn, conn->datagrams + 1);
	if ((conn->move == QUIC_MOVE_WAITING || conn->expired) && conn->move != QUIC_MOVE_SWITCHED &&
		endpoint->switched_count < WORDS_SWITCHED &&
		base_random_below(&endpoint->random, SWITCHES_OF) == 0) {
		conn->move = QUIC_MOVE_SWITCHED;
		endpoint->switched[endpoint->switched_count++] = handle;
	}
}

void
words_conn_expire(struct quic_endpoint *endpoint, struct quic_conn *conn)
{
	if (conn->move != QUIC_MOVE_WAITING || base_random_below(&endpoint->random, EXPIRES_OF) != 0)
		return;
	conn->move = QUIC_MOVE_NONE;
	conn->expired = true;
}

struct quic_conn *
quic_endpoint_find(struct quic_endpoint *endpoint, struct quic_handle handle)
{
	struct quic_slot_owner owner;

	if (!quic_slots_owner(endpoint->slots, handle.slot, &owner) || owner.state != QUIC_SLOT_OWNED ||
		owner.owner != endpoint->shard || owner.generation != handle.generation)
		return NULL;
	return quic_slots_at(endpoint->slots, handle.slot);
}

bool
quic_endpoint_next_switched(struct quic_endpoint *endpoint, struct quic_conn **conn, uint16_t *target)
{
	while (endpoint->switched_count > 0) {
		*conn = quic_endpoint_find(endpoint, endpoint->switched[--endpoint->switched_count]);
		if (*conn == NULL || (*conn)->move != QUIC_MOVE_SWITCHED)
			continue;
		*target = (*conn)->target;
		return true;
	}
	return false;
}

void
quic_endpoint_detach(struct quic_endpoint *endpoint, struct quic_conn *conn, uint16_t target)
{
	conn->move = QUIC_MOVE_NONE;
	conn->expired = false;
	conn->endpoint = NULL;
	quic_slots_grant(endpoint->slots, conn->handle.slot, endpoint->shard, target);
}

struct quic_conn *
quic_endpoint_attach(struct quic_endpoint *endpoint, struct quic_handle handle, uint64_t now_ns)
{
	struct quic_conn *conn = quic_slots_at(endpoint->slots, handle.slot);

	quic_slots_attach(endpoint->slots, handle.slot, endpoint->shard);
	base_assert(conn->endpoint == NULL && conn->handle.generation == handle.generation);
	conn->endpoint = endpoint;
	return conn;
}

enum quic_move_verdict
quic_conn_move_begin(struct quic_conn *conn, uint16_t target, uint64_t now_ns)
{
	if (target == conn->endpoint->shard)
		return QUIC_MOVE_HERE;
	if (conn->move != QUIC_MOVE_NONE || conn->expired)
		return QUIC_MOVE_IN_FLIGHT;
	conn->move = QUIC_MOVE_WAITING;
	conn->target = target;
	return QUIC_MOVE_BEGUN;
}

enum quic_move_state
quic_conn_move_state(const struct quic_conn *conn)
{
	return conn->move;
}

void
quic_conn_move_stay(struct quic_conn *conn)
{
	conn->move = QUIC_MOVE_NONE;
}

bool
quic_conn_is_open(const struct quic_conn *conn)
{
	return true;
}

struct quic_handle
quic_conn_handle(const struct quic_conn *conn)
{
	return conn->handle;
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

const struct base_path *
quic_conn_path(const struct quic_conn *conn)
{
	return &conn->path;
}

uint16_t
quic_conn_port_index(const struct quic_conn *conn)
{
	return 0;
}

void
quic_conn_close(struct quic_conn *conn, uint64_t error_code, const char *reason)
{
}

const char *
quic_move_text(enum quic_move_verdict verdict)
{
	return "";
}

/* No services: they are not asked. */
bool
service_can_move(struct service_set *set, struct quic_conn *conn)
{
	return true;
}

void
service_detach(struct service_set *set, struct quic_conn *conn)
{
}

void
service_attach(struct service_set *set, struct quic_conn *conn)
{
}
