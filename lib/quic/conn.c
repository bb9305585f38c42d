/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection from birth to death, and what others may ask about it. */
#include "quic/conn.h"

#include "base/assert.h"
#include "quic/conn_internal.h"

/* RFC 9000 section 8.1, counted down: three octets may be sent for each one received. */
static void
init_path(struct quic_conn *conn, const struct base_path *path, uint16_t port_index)
{
	const struct quic_limits *limits = &conn->endpoint->limits;
	uint64_t now_ns = conn->endpoint->now_ns;

	conn->path = *path;
	conn->port_index = port_index;
	conn->datagram_bytes = QUIC_DATAGRAM_MIN_BYTES;
	conn->address_validated = !conn->is_server;
	conn->ecn_capable = limits->ecn;
	quic_rtt_init(&conn->rtt, limits->initial_rtt_ns);
	quic_congestion_init(&conn->congestion, limits->congestion, limits->initial_window_packets,
		conn->datagram_bytes, now_ns);
	quic_pacer_init(&conn->pacer);
}

static void
init_space(struct quic_space *space, uint16_t ack_threshold)
{
	quic_ack_init(&space->ack, ack_threshold);
	quic_sent_init(&space->sent);
	quic_loss_init(&space->loss);
}

static struct quic_handshake *
take_handshake(struct quic_conn *conn)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	struct quic_handshake *handshake = base_pool_take(endpoint->pools[QUIC_POOL_HANDSHAKE]);

	if (handshake == NULL)
		return NULL;
	memset(handshake, 0, sizeof(*handshake));
	handshake->conn = conn;
	handshake->account.limit = endpoint->limits.chunks_received;
	handshake->deadline_ns = base_time_after(endpoint->now_ns, endpoint->limits.handshake_timeout_ns);
	init_space(&handshake->spaces[QUIC_SPACE_INITIAL], 1);
	init_space(&handshake->spaces[QUIC_SPACE_HANDSHAKE], 1);
	for (int i = 0; i < QUIC_SPACE_COUNT; i++)
		quic_crypto_stream_init(&handshake->crypto[i]);
	base_list_push_back(&endpoint->handshakes, &handshake->link);
	endpoint->handshake_count++;
	return handshake;
}

struct quic_conn *
quic_conn_create(
	struct quic_endpoint *endpoint, bool is_server, const struct base_path *path, uint16_t port_index)
{
	struct quic_handle handle = quic_slots_take(endpoint->slots, endpoint->shard);
	struct quic_conn *conn;

	if (handle.slot == BASE_SLOT_NONE) {
		quic_count(endpoint, QUIC_COUNTER_DROP_NO_SLOT);
		return NULL;
	}
	conn = quic_slots_at(endpoint->slots, handle.slot);
	memset(conn, 0, sizeof(*conn));
	conn->endpoint = endpoint;
	conn->slot = handle.slot;
	conn->generation = handle.generation;
	conn->is_server = is_server;
	conn->handshake = take_handshake(conn);
	if (conn->handshake == NULL) {
		quic_count(endpoint, QUIC_COUNTER_DROP_NO_MEMORY);
		quic_slots_untake(endpoint->slots, handle, endpoint->shard);
		return NULL;
	}
	base_list_init(&conn->ready_link);
	base_list_init(&conn->event_link);
	base_list_init(&conn->turn_link);
	base_wheel_node_init(&conn->timer);
	for (int i = 0; i < QUIC_TIMER_COUNT; i++)
		conn->deadlines[i] = BASE_NEVER;
	conn->phase_first_received = UINT64_MAX;
	conn->own_ids =
		(struct quic_own_ids){.next = 1, .active = 1, .shards = {endpoint->shard, endpoint->shard}};
	conn->peer_max_ack_delay_ms = 25;
	conn->peer_udp_payload_bytes = UINT16_MAX;
	conn->idle_timeout_ms = (uint32_t)(endpoint->limits.idle_timeout_ns / BASE_MS);
	init_path(conn, path, port_index);
	init_space(&conn->space, endpoint->limits.ack_threshold);
	quic_stream_set_init(&conn->streams, is_server ? QUIC_SERVER : QUIC_CLIENT, &endpoint->limits);
	quic_conn_restart_idle(conn);
	quic_slots_publish(endpoint->slots, handle, endpoint->shard);
	endpoint->connection_count++;
	return conn;
}

static void
fini_space(struct quic_conn *conn, struct quic_space *space)
{
	quic_ack_fini(&space->ack, conn->endpoint->pools[QUIC_POOL_CHUNK]);
	quic_sent_fini(&space->sent, conn->endpoint->pools[QUIC_POOL_SENT]);
}

static void
free_handshake(struct quic_conn *conn)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	struct quic_handshake *handshake = conn->handshake;
	struct quic_handle handle = quic_conn_handle(conn);

	quic_conn_drop_level_keys(conn, QUIC_SPACE_INITIAL);
	quic_conn_drop_level_keys(conn, QUIC_SPACE_HANDSHAKE);
	fini_space(conn, &handshake->spaces[QUIC_SPACE_INITIAL]);
	fini_space(conn, &handshake->spaces[QUIC_SPACE_HANDSHAKE]);
	for (int i = 0; i < QUIC_SPACE_COUNT; i++)
		quic_crypto_stream_fini(&handshake->crypto[i], &endpoint->memory, &handshake->account);
	if (handshake->tls != NULL)
		tls_close(handshake->tls);
	if (handshake->ticket != NULL)
		quic_memory_give(&endpoint->memory, (struct quic_chunk *)(void *)handshake->ticket);
	if (handshake->initial_key != 0)
		quic_table_remove(&endpoint->initials, handshake->initial_key, handle);
	if (!base_list_empty(&handshake->link)) {
		base_list_remove(&handshake->link);
		if (conn->handshake_confirmed)
			endpoint->lingering_count--;
		else
			endpoint->handshake_count--;
	}
	base_pool_give(endpoint->pools[QUIC_POOL_HANDSHAKE], handshake);
	conn->handshake = NULL;
}

void
quic_conn_release_handshake(struct quic_conn *conn)
{
	struct quic_handshake *handshake = conn->handshake;
	const struct quic_send_buffer *send;

	if (handshake == NULL || !conn->handshake_confirmed)
		return;
	/* A client's stays as long as tickets are wanted: TLS must take them in. */
	if (!conn->is_server && conn->endpoint->limits.client_tickets)
		return;
	send = &handshake->crypto[QUIC_SPACE_APPLICATION].send;
	/* The ticket's octets are repeated from here until they are acknowledged; and Initials that are late find their connection. */
	if (send->start != send->end ||
		(conn->is_server && conn->endpoint->now_ns < handshake->initial_key_until_ns))
		return;
	free_handshake(conn);
}

void
quic_conn_give_up_handshake(struct quic_conn *conn)
{
	base_assert(conn->is_server && conn->handshake_confirmed && conn->handshake != NULL);
	free_handshake(conn);
}

static void
free_chunks(struct quic_conn *conn)
{
	struct quic_memory *memory = &conn->endpoint->memory;

	while (conn->datagrams != NULL) {
		struct quic_datagram_queue *queue = conn->datagrams;

		conn->datagrams = queue->next;
		quic_memory_give(memory, (struct quic_chunk *)(void *)queue);
	}
	if (conn->migration != NULL)
		quic_memory_give(memory, (struct quic_chunk *)(void *)conn->migration);
	if (conn->close != NULL)
		quic_memory_give(memory, (struct quic_chunk *)(void *)conn->close);
	conn->migration = NULL;
	conn->close = NULL;
}

void
quic_conn_over(struct quic_conn *conn)
{
	if (conn->state == QUIC_CONN_OVER)
		return;
	conn->state = QUIC_CONN_OVER;
	base_list_remove(&conn->ready_link);
	base_list_remove(&conn->turn_link);
	quic_stream_set_fini(&conn->streams, &conn->endpoint->memory);
	base_list_push_back(&conn->endpoint->over, &conn->turn_link);
	quic_conn_add_event(conn, QUIC_CONN_EVENT_CLOSED);
}

void
quic_conn_destroy(struct quic_conn *conn)
{
	struct quic_endpoint *endpoint = conn->endpoint;

	quic_stream_set_fini(&conn->streams, &endpoint->memory);
	if (conn->handshake != NULL)
		free_handshake(conn);
	fini_space(conn, &conn->space);
	free_chunks(conn);
	quic_conn_drop_peer_ids(conn);
	quic_conn_drop_keys(conn);
	crypto_wipe(&conn->keys, sizeof(conn->keys));
	base_list_remove(&conn->ready_link);
	base_list_remove(&conn->event_link);
	base_list_remove(&conn->turn_link);
	base_wheel_arm(&endpoint->wheel, &conn->timer, BASE_NEVER);
	endpoint->connection_count--;
	/* Sequence numbers begin again with the generation: a peer that used them up has not used up the slot. */
	quic_slots_free(endpoint->slots, conn->slot, endpoint->shard);
}

void
quic_conn_set_ready(struct quic_conn *conn)
{
	if (conn->state != QUIC_CONN_OVER && base_list_empty(&conn->ready_link))
		base_list_push_back(&conn->endpoint->ready, &conn->ready_link);
}

void
quic_conn_add_event(struct quic_conn *conn, enum quic_conn_event event)
{
	conn->events |= (uint8_t)event;
	if (base_list_empty(&conn->event_link))
		base_list_push_back(&conn->endpoint->eventful, &conn->event_link);
}

void
quic_conn_streams_changed(struct quic_conn *conn)
{
	if (quic_stream_set_has_event(&conn->streams) && base_list_empty(&conn->event_link))
		base_list_push_back(&conn->endpoint->eventful, &conn->event_link);
	/* Asked last: with no credit of the connection left it looks at every stream. */
	if (base_list_empty(&conn->ready_link) && quic_stream_set_has_to_send(&conn->streams))
		quic_conn_set_ready(conn);
}

void
quic_conn_set_ping(struct quic_conn *conn)
{
	conn->want |= QUIC_WANT_PING;
	quic_conn_set_ready(conn);
}

struct quic_space *
quic_conn_space(struct quic_conn *conn, enum quic_packet_number_space space)
{
	if (space == QUIC_SPACE_APPLICATION)
		return &conn->space;
	return conn->handshake == NULL ? NULL : &conn->handshake->spaces[space];
}

uint64_t
quic_conn_largest_received(struct quic_conn *conn, enum quic_packet_number_space space)
{
	/* The codec's "none yet" is UINT64_MAX, which is what 0 - 1 gives. */
	return quic_ack_expected(&quic_conn_space(conn, space)->ack) - 1;
}

uint64_t
quic_conn_next_packet_number(struct quic_conn *conn, enum quic_packet_number_space space)
{
	return quic_conn_space(conn, space)->sent.next_packet_number;
}

struct quic_handle
quic_conn_handle(const struct quic_conn *conn)
{
	return (struct quic_handle){.slot = conn->slot, .generation = conn->generation};
}

struct quic_endpoint *
quic_conn_endpoint(const struct quic_conn *conn)
{
	return conn->endpoint;
}

bool
quic_conn_is_server(const struct quic_conn *conn)
{
	return conn->is_server;
}

bool
quic_conn_is_open(const struct quic_conn *conn)
{
	return conn->state == QUIC_CONN_OPEN;
}

void *
quic_conn_user(const struct quic_conn *conn)
{
	return conn->user;
}

void
quic_conn_set_user(struct quic_conn *conn, void *user)
{
	conn->user = user;
}

const struct base_path *
quic_conn_path(const struct quic_conn *conn)
{
	return &conn->path;
}

uint16_t
quic_conn_port_index(const struct quic_conn *conn)
{
	return conn->port_index;
}

const char *
quic_conn_alpn(const struct quic_conn *conn, size_t *length)
{
	*length = conn->handshake_complete ? conn->alpn_length : 0;
	return conn->alpn;
}

const char *
quic_conn_server_name(const struct quic_conn *conn)
{
	if (conn->handshake == NULL || conn->handshake->tls == NULL)
		return "";
	return tls_server_name(conn->handshake->tls);
}

bool
quic_conn_handshake_confirmed(const struct quic_conn *conn)
{
	return conn->handshake_confirmed;
}

bool
quic_conn_resumed(const struct quic_conn *conn)
{
	return conn->resumed;
}

const uint8_t *
quic_conn_ticket(const struct quic_conn *conn, size_t *length)
{
	*length = conn->handshake == NULL ? 0 : conn->handshake->ticket_length;
	return *length == 0 ? NULL : conn->handshake->ticket;
}

const uint8_t *
quic_conn_token(const struct quic_conn *conn, size_t *length)
{
	bool has = conn->handshake != NULL && conn->handshake->token_is_new;

	*length = has ? conn->handshake->token_length : 0;
	return has ? conn->handshake->token : NULL;
}

void
quic_conn_ping(struct quic_conn *conn)
{
	quic_conn_set_ping(conn);
}

void
quic_conn_statistics(const struct quic_conn *conn, struct quic_conn_statistics *statistics)
{
	*statistics = (struct quic_conn_statistics){
		.packets_sent = conn->space.sent.next_packet_number,
		.packets_received = quic_ack_expected(&conn->space.ack),
		.packets_lost = conn->packets_lost,
		.bytes_sent = conn->bytes_sent,
		.bytes_received = conn->bytes_received,
		.smoothed_rtt_ns = conn->rtt.smoothed_ns,
		.min_rtt_ns = conn->rtt.min_ns,
		.congestion_window_bytes = conn->congestion.window_bytes,
		.bytes_in_flight = conn->congestion.in_flight_bytes,
		.key_updates = conn->key_generation,
		.datagram_bytes = conn->datagram_bytes,
	};
}

void
quic_conn_check(const struct quic_conn *conn)
{
	base_assert(conn->state <= QUIC_CONN_OVER);
	base_assert(!conn->handshake_confirmed || conn->handshake_complete);
	base_assert(conn->own_ids.next - conn->own_ids.base <= 32);
	base_assert(conn->state == QUIC_CONN_OPEN || conn->state == QUIC_CONN_CLOSING ||
		conn->close == NULL || conn->state == QUIC_CONN_OVER || conn->state == QUIC_CONN_DRAINING);
	quic_ack_check(&conn->space.ack);
	quic_sent_check(&conn->space.sent);
	quic_congestion_check(&conn->congestion);
	if (conn->state == QUIC_CONN_OPEN)
		quic_stream_set_check(&conn->streams, &conn->endpoint->memory);
}
