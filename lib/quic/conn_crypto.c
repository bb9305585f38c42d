/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The handshake: CRYPTO octets and transport parameters between the packets and TLS (RFC 9001 section 4). */
#include "base/assert.h"
#include "quic/conn_internal.h"

enum { ALERT_UNEXPECTED_MESSAGE = 10, ALERT_MISSING_EXTENSION = 109 };

static const enum tls_level levels[QUIC_SPACE_COUNT] = {
	[QUIC_SPACE_INITIAL] = TLS_LEVEL_INITIAL,
	[QUIC_SPACE_HANDSHAKE] = TLS_LEVEL_HANDSHAKE,
	[QUIC_SPACE_APPLICATION] = TLS_LEVEL_APPLICATION,
};

static enum quic_packet_number_space
space_of(enum tls_level level)
{
	return level == TLS_LEVEL_INITIAL      ? QUIC_SPACE_INITIAL
		: level == TLS_LEVEL_HANDSHAKE ? QUIC_SPACE_HANDSHAKE
					       : QUIC_SPACE_APPLICATION;
}

static enum crypto_aead
aead_of(uint16_t cipher_suite)
{
	return cipher_suite == TLS_AES_256_GCM_SHA384          ? CRYPTO_AES_256_GCM
		: cipher_suite == TLS_CHACHA20_POLY1305_SHA256 ? CRYPTO_CHACHA20_POLY1305
							       : CRYPTO_AES_128_GCM;
}

/* RFC 9000 section 7.4. */
static void
own_params(struct quic_conn *conn, struct quic_params *params)
{
	const struct quic_limits *limits = &conn->endpoint->limits;
	struct quic_handshake *handshake = conn->handshake;

	quic_params_init(params);
	params->max_idle_timeout_ms = limits->idle_timeout_ns / BASE_MS;
	params->max_udp_payload_size = limits->max_udp_payload_bytes;
	params->initial_max_data = limits->connection_window_bytes;
	params->initial_max_stream_data_bidi_local = limits->stream_window_bytes;
	params->initial_max_stream_data_bidi_remote = limits->stream_window_bytes;
	params->initial_max_stream_data_uni = limits->stream_window_bytes;
	params->initial_max_streams_bidi = limits->streams_bidi;
	params->initial_max_streams_uni = limits->streams_uni;
	params->active_connection_id_limit =
		limits->active_connection_ids < QUIC_PEER_IDS ? limits->active_connection_ids : QUIC_PEER_IDS;
	params->max_datagram_frame_size = limits->max_datagram_frame_bytes;
	params->max_ack_delay_ms = (uint16_t)(limits->max_ack_delay_ns / BASE_MS);
	params->ack_delay_exponent = limits->ack_delay_exponent;
	params->has_initial_source_connection_id = true;
	quic_conn_own_id(conn, 0, &params->initial_source_connection_id);
	if (!conn->is_server)
		return;
	params->has_original_destination_connection_id = true;
	params->original_destination_connection_id = handshake->original_dcid;
	params->has_retry_source_connection_id = handshake->has_retry_scid;
	params->retry_source_connection_id = handshake->retry_scid;
	params->has_stateless_reset_token = true;
	quic_conn_id_reset_token(&conn->endpoint->codec, params->initial_source_connection_id.octets,
		params->initial_source_connection_id.length, params->stateless_reset_token);
}

static uint16_t
at_most(uint64_t value, uint16_t most)
{
	return value > most ? most : (uint16_t)value;
}

static void
apply_params(struct quic_conn *conn, const struct quic_params *params)
{
	const struct quic_stream_peer_limits limits = {
		.max_data = params->initial_max_data,
		.max_stream_data_bidi_local = params->initial_max_stream_data_bidi_local,
		.max_stream_data_bidi_remote = params->initial_max_stream_data_bidi_remote,
		.max_stream_data_uni = params->initial_max_stream_data_uni,
		.max_streams_bidi = params->initial_max_streams_bidi,
		.max_streams_uni = params->initial_max_streams_uni,
	};

	quic_stream_set_peer_limits(&conn->streams, &limits);
	/* RFC 9000 section 10.1: the smaller of the two, where none is infinite. */
	if (params->max_idle_timeout_ms != 0 &&
		(conn->idle_timeout_ms == 0 || params->max_idle_timeout_ms < conn->idle_timeout_ms))
		conn->idle_timeout_ms = (uint32_t)params->max_idle_timeout_ms;
	conn->peer_max_ack_delay_ms = params->max_ack_delay_ms;
	conn->peer_ack_delay_exponent = params->ack_delay_exponent;
	conn->peer_active_connection_ids = (uint8_t)at_most(params->active_connection_id_limit, UINT8_MAX);
	conn->peer_udp_payload_bytes = at_most(params->max_udp_payload_size, UINT16_MAX);
	conn->peer_datagram_bytes = at_most(params->max_datagram_frame_size, UINT16_MAX);
	conn->peer_disable_active_migration = params->disable_active_migration;
	if (params->has_stateless_reset_token)
		quic_conn_set_peer_token(conn, params->stateless_reset_token);
}

static uint64_t
receive_params(struct quic_conn *conn, const uint8_t *octets, size_t length)
{
	struct quic_handshake *handshake = conn->handshake;
	enum quic_role sender = conn->is_server ? QUIC_CLIENT : QUIC_SERVER;
	struct quic_params params;
	uint64_t error = quic_params_parse(&params, octets, length, sender);

	if (error != QUIC_NO_ERROR)
		return error;
	error = quic_params_authenticate(&params, sender, conn->is_server ? NULL : &handshake->original_dcid,
		&handshake->peer_scid, handshake->has_retry_scid ? &handshake->retry_scid : NULL);
	if (error != QUIC_NO_ERROR)
		return error;
	handshake->has_params = true;
	apply_params(conn, &params);
	/* Its ID has sequence number 1, whether we go there or not (section 5.1.1). */
	if (params.has_preferred_address)
		return quic_conn_store_peer_id(
			conn, 1, &params.preferred_address.cid, params.preferred_address.reset_token);
	return QUIC_NO_ERROR;
}

static uint64_t
complete(struct quic_conn *conn)
{
	/* RFC 9001 section 8.2. */
	if (!conn->handshake->has_params)
		return QUIC_CRYPTO_ERROR(ALERT_MISSING_EXTENSION);
	conn->handshake_complete = true;
	quic_count(conn->endpoint, QUIC_COUNTER_CONNECTED);
	quic_conn_add_event(conn, QUIC_CONN_EVENT_CONNECTED);
	/* RFC 9001 section 4.1.2: for a server complete is confirmed. */
	if (conn->is_server) {
		conn->want |= QUIC_WANT_HANDSHAKE_DONE | QUIC_WANT_NEW_TOKEN;
		quic_conn_confirm_handshake(conn);
	}
	return QUIC_NO_ERROR;
}

/* One, the newest. Without memory, or where it is longer than a chunk, the next handshake will be a full one. */
static void
keep_ticket(struct quic_conn *conn, const struct tls_event *event)
{
	struct quic_handshake *handshake = conn->handshake;

	if (!conn->endpoint->limits.client_tickets || event->length > QUIC_CHUNK_BYTES)
		return;
	if (handshake->ticket == NULL)
		handshake->ticket = (uint8_t *)quic_memory_take(&conn->endpoint->memory);
	if (handshake->ticket == NULL) {
		quic_count(conn->endpoint, QUIC_COUNTER_DROP_NO_MEMORY);
		return;
	}
	memcpy(handshake->ticket, event->octets, event->length);
	handshake->ticket_length = (uint16_t)event->length;
	quic_conn_add_event(conn, QUIC_CONN_EVENT_RESUMABLE);
}

static uint64_t
on_tls_event(struct quic_conn *conn, const struct tls_event *event)
{
	switch (event->type) {
	case TLS_EVENT_CRYPTO:
		if (!quic_crypto_stream_write(&conn->handshake->crypto[space_of(event->level)],
			    &conn->endpoint->memory, event->octets, event->length))
			return QUIC_INTERNAL_ERROR;
		quic_conn_set_ready(conn);
		return QUIC_NO_ERROR;
	case TLS_EVENT_SECRET:
		if (event->level != TLS_LEVEL_EARLY_DATA)
			quic_conn_install_secret(conn, space_of(event->level), event->direction == TLS_SEND,
				aead_of(event->cipher_suite), event->octets);
		return QUIC_NO_ERROR;
	case TLS_EVENT_TRANSPORT_PARAMETERS:
		return receive_params(conn, event->octets, event->length);
	case TLS_EVENT_ALPN:
		base_assert(event->length <= sizeof(conn->alpn));
		memcpy(conn->alpn, event->octets, event->length);
		conn->alpn_length = (uint8_t)event->length;
		return QUIC_NO_ERROR;
	case TLS_EVENT_COMPLETE:
		conn->resumed = event->resumed;
		return complete(conn);
	case TLS_EVENT_TICKET:
		keep_ticket(conn, event);
		return QUIC_NO_ERROR;
	case TLS_EVENT_ERROR:
		return event->error;
	default:
		return QUIC_NO_ERROR;
	}
}

static uint64_t
pump(struct quic_conn *conn)
{
	struct tls_event event;
	uint64_t error = QUIC_NO_ERROR;

	while (error == QUIC_NO_ERROR && tls_next_event(conn->handshake->tls, &event))
		error = on_tls_event(conn, &event);
	return error;
}

bool
quic_conn_tls_start(struct quic_conn *conn, const struct quic_connect *connect)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	uint8_t octets[512];
	struct base_writer writer = base_writer(octets, sizeof(octets));
	struct quic_params params;
	struct tls_start start = {.transport_parameters = octets};

	own_params(conn, &params);
	if (!quic_params_write(
		    &writer, &params, conn->is_server ? QUIC_SERVER : QUIC_CLIENT, &endpoint->random))
		return false;
	start.transport_parameters_length = base_writer_length(&writer);
	if (connect != NULL) {
		start.server_name = connect->server_name;
		start.ticket = connect->ticket;
		start.ticket_length = connect->ticket_length;
	}
	conn->handshake->tls =
		tls_open(conn->is_server ? endpoint->tls_server : endpoint->tls_client, &start);
	return conn->handshake->tls != NULL && pump(conn) == QUIC_NO_ERROR;
}

uint64_t
quic_conn_receive_crypto(
	struct quic_conn *conn, enum quic_packet_number_space space, const struct quic_frame_stream *frame)
{
	struct quic_memory *memory = &conn->endpoint->memory;
	struct quic_handshake *handshake = conn->handshake;
	struct quic_crypto_stream *crypto;
	const uint8_t *octets;
	size_t length;
	uint64_t error;

	/* A client that wants no tickets has given TLS back. */
	if (handshake == NULL && !conn->is_server)
		return QUIC_NO_ERROR;
	if (handshake == NULL || handshake->tls == NULL || (conn->is_server && conn->handshake_complete)) {
		/* A client has nothing to say after its Finished (RFC 9001 section 6: KeyUpdate neither). Repetitions
		 * of older levels cannot get here: their keys are gone. */
		return frame->length == 0 ? QUIC_NO_ERROR : QUIC_CRYPTO_ERROR(ALERT_UNEXPECTED_MESSAGE);
	}
	crypto = &handshake->crypto[space];
	error = quic_crypto_stream_receive(crypto, memory, &conn->handshake->account, frame->offset,
		frame->octets, frame->length, conn->endpoint->limits.crypto_buffer_bytes);
	while (error == QUIC_NO_ERROR && quic_recv_buffer_read(&crypto->receive, memory, &octets, &length)) {
		error = tls_receive(handshake->tls, levels[space], octets, length);
		quic_recv_buffer_consume(&crypto->receive, memory, &conn->handshake->account, length);
		/* What TLS says first is about the octets it got first; its error comes last. */
		if (error == QUIC_NO_ERROR)
			error = pump(conn);
		else
			(void)pump(conn);
		if (conn->handshake == NULL)
			return error;
	}
	quic_recv_buffer_settle(&crypto->receive, memory, &conn->handshake->account);
	return error;
}

void
quic_conn_discard_space(struct quic_conn *conn, enum quic_packet_number_space space)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	struct quic_handshake *handshake = conn->handshake;
	struct quic_level_keys *keys = quic_conn_level_keys(conn, space);
	struct quic_space *gone;

	if (keys == NULL || !(keys->can_send || keys->can_receive))
		return;
	gone = &handshake->spaces[space];
	/* RFC 9002 section 6.4. */
	quic_congestion_on_discarded(&conn->congestion, quic_sent_bytes_in_flight(&gone->sent));
	quic_sent_fini(&gone->sent, endpoint->pools[QUIC_POOL_SENT]);
	quic_ack_fini(&gone->ack, endpoint->pools[QUIC_POOL_CHUNK]);
	quic_crypto_stream_fini(&handshake->crypto[space], &endpoint->memory, &conn->handshake->account);
	quic_sent_init(&gone->sent);
	quic_ack_init(&gone->ack, 1);
	quic_loss_init(&gone->loss);
	quic_crypto_stream_init(&handshake->crypto[space]);
	quic_conn_drop_level_keys(conn, space);
	handshake->discarded_ns = endpoint->now_ns;
	conn->probes[space] = 0;
	conn->pto_count = 0;
	quic_conn_set_loss_timer(conn);
}

void
quic_conn_confirm_handshake(struct quic_conn *conn)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	struct quic_handshake *handshake = conn->handshake;

	if (conn->handshake_confirmed)
		return;
	conn->handshake_confirmed = true;
	conn->phase_acknowledged = conn->space.loss.largest_acked != QUIC_LARGEST_ACKED_NONE;
	quic_count(endpoint, QUIC_COUNTER_CONFIRMED);
	if (!base_list_empty(&handshake->link)) {
		base_list_remove(&handshake->link);
		endpoint->handshake_count--;
	}
	if (conn->is_server) {
		base_list_push_back(&endpoint->lingering, &handshake->link);
		endpoint->lingering_count++;
	}
	handshake->initial_key_until_ns = base_time_after(endpoint->now_ns, 3 * quic_conn_pto_ns(conn));
	quic_conn_discard_space(conn, QUIC_SPACE_INITIAL);
	quic_conn_discard_space(conn, QUIC_SPACE_HANDSHAKE);
	quic_conn_issue_ids(conn);
	quic_conn_mtu_start(conn);
	quic_conn_set_ready(conn);
}
