/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections leave an endpoint and come to another: what ties them to one is untied here, and tied again. */
#include "base/assert.h"
#include "quic/conn_internal.h"

bool
quic_endpoint_next_switched(struct quic_endpoint *endpoint, struct quic_conn **conn, uint16_t *target)
{
	while (endpoint->switched_count > 0) {
		struct quic_handle handle = endpoint->switched[--endpoint->switched_count];

		*conn = quic_endpoint_find(endpoint, handle);
		if (*conn == NULL || quic_conn_move_state(*conn) != QUIC_MOVE_SWITCHED)
			continue;
		*target = (*conn)->own_ids.shards[1];
		return true;
	}
	return false;
}

struct quic_conn *
quic_endpoint_next_repathed(struct quic_endpoint *endpoint, uint32_t *lost)
{
	*lost += endpoint->repathed_lost;
	endpoint->repathed_lost = 0;
	while (endpoint->repathed_count > 0) {
		struct quic_conn *conn =
			quic_endpoint_find(endpoint, endpoint->repathed[--endpoint->repathed_count]);

		if (conn != NULL)
			return conn;
	}
	return NULL;
}

/* Expanded keys are of this shard's cache; the next owner derives them from the secrets. */
static void
drop_hot_keys(struct quic_endpoint *endpoint, struct quic_conn *conn)
{
	quic_endpoint_drop_keys(endpoint, &conn->keys.receive.handle);
	quic_endpoint_drop_keys(endpoint, &conn->keys.send.handle);
	/* The secret of before the last update is gone: what still comes under it is lost, and sent again. */
	quic_endpoint_drop_keys(endpoint, &conn->previous_receive);
	quic_endpoint_drop_keys(endpoint, &conn->next_receive);
	quic_endpoint_drop_stale_keys(endpoint);
}

void
quic_endpoint_detach(struct quic_endpoint *endpoint, struct quic_conn *conn, uint16_t target)
{
	struct quic_handle handle = quic_conn_handle(conn);

	base_assert(conn->endpoint == endpoint && conn->state == QUIC_CONN_OPEN && conn->handshake == NULL);
	base_assert(endpoint->received_count == 0 && endpoint->sealed_count == 0);
	base_assert(base_list_empty(&conn->turn_link) && !quic_stream_set_borrows(&conn->streams));
	base_assert(endpoint->memory.reserved == 0);
	base_list_remove(&conn->ready_link);
	base_list_remove(&conn->event_link);
	base_wheel_arm(&endpoint->wheel, &conn->timer, BASE_NEVER);
	drop_hot_keys(endpoint, conn);
	quic_memory_forget(&endpoint->memory);
	conn->move = QUIC_MOVE_NONE;
	conn->endpoint = NULL;
	endpoint->connection_count--;
	quic_slots_grant(endpoint->slots, handle.slot, endpoint->shard, target);
}

struct quic_conn *
quic_endpoint_attach(struct quic_endpoint *endpoint, struct quic_handle handle, uint64_t now_ns)
{
	struct quic_conn *conn = quic_slots_at(endpoint->slots, handle.slot);

	endpoint->now_ns = now_ns;
	quic_slots_attach(endpoint->slots, handle.slot, endpoint->shard);
	base_assert(conn->endpoint == NULL && conn->generation == handle.generation);
	conn->endpoint = endpoint;
	endpoint->connection_count++;
	conn->moved_ns = now_ns;
	conn->deadlines[QUIC_TIMER_MOVE] = base_time_after(now_ns, endpoint->limits.move_dwell_ns);
	quic_conn_arm(conn);
	/* What there is to send and to tell is found out by those who ask. */
	quic_conn_set_ready(conn);
	if (base_list_empty(&conn->event_link))
		base_list_push_back(&endpoint->eventful, &conn->event_link);
	return conn;
}
