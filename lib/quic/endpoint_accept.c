/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The beginning of connections: a client's first Initial, Retry, and our own first flight as a client. */
#include "base/assert.h"
#include "crypto/keys.h"
#include "quic/conn_internal.h"

enum { CLIENT_DCID_BYTES = 16 };

/* RFC 9000 section 17.2.5: nothing is kept; the token brings it all back. */
static void
send_retry(struct quic_endpoint *endpoint, const struct base_datagram *datagram,
	const struct quic_packet *packet)
{
	struct quic_token token = {.kind = QUIC_TOKEN_RETRY};
	const struct quic_conn_id_fields none = {
		.shard = endpoint->shard,
		.slot = QUIC_CONN_ID_SLOT_NONE,
		.sequence = (uint32_t)base_random_below(&endpoint->random, QUIC_CONN_ID_SEQUENCE_MAX + 1),
		.generation = (uint32_t)base_random_below(&endpoint->random, QUIC_CONN_ID_GENERATION_MAX + 1),
	};
	struct quic_cid client_scid = quic_cid(packet->scid, packet->scid_length);
	uint8_t sealed[QUIC_TOKEN_MAX_BYTES], tag[CRYPTO_TAG_BYTES];
	struct base_writer token_writer = base_writer(sealed, sizeof(sealed));
	struct quic_stateless *answer = quic_endpoint_stateless(endpoint, datagram, &endpoint->retry_limiter);
	struct base_writer writer;

	if (answer == NULL)
		return;
	token.issued_unix_ns = endpoint->now_ns + endpoint->unix_offset_ns;
	token.original_destination_connection_id = quic_cid(packet->dcid, packet->dcid_length);
	quic_conn_id_encode(&endpoint->codec, &none, &token.retry_source_connection_id);
	writer = base_writer(answer->octets, sizeof(answer->octets));
	if (!quic_token_seal(&endpoint->tokens, &token, &datagram->path.remote, &token_writer) ||
		!quic_retry_write(&writer, &client_scid, &token.retry_source_connection_id, sealed,
			base_writer_length(&token_writer), (uint8_t)base_random_next(&endpoint->random),
			packet->version) ||
		!crypto_retry_tag(endpoint->crypto, packet->dcid, packet->dcid_length, answer->octets,
			base_writer_length(&writer), tag)) {
		endpoint->stateless_count--;
		return;
	}
	base_writer_octets(&writer, tag, sizeof(tag));
	answer->length = (uint16_t)base_writer_length(&writer);
	quic_count(endpoint, QUIC_COUNTER_RETRIES_SENT);
}

/* An Initial that is answered by CONNECTION_CLOSE without keeping anything (RFC 9000 sections 5.2.2 and 8.1.2). */
static void
refuse(struct quic_endpoint *endpoint, const struct base_datagram *datagram, const struct quic_packet *packet,
	uint64_t error_code)
{
	struct quic_stateless *answer =
		quic_endpoint_stateless(endpoint, datagram, &endpoint->stateless_limiter);
	struct quic_header header = {
		.type = QUIC_PACKET_INITIAL,
		.version = packet->version,
		.dcid = quic_cid(packet->scid, packet->scid_length),
		.scid = quic_cid(packet->dcid, packet->dcid_length),
		.packet_number_length = 1,
	};
	struct quic_frame frame = {.type = QUIC_FRAME_CONNECTION_CLOSE, .close.code = error_code};
	uint8_t client[CRYPTO_SECRET_BYTES_MAX], server[CRYPTO_SECRET_BYTES_MAX];
	struct crypto_packet_keys keys;
	struct base_writer writer;
	uint8_t *packet_number, *payload;

	quic_count(endpoint, QUIC_COUNTER_DROP_REFUSED);
	if (answer == NULL)
		return;
	writer = base_writer(answer->octets, sizeof(answer->octets));
	quic_header_write(&writer, &header, &packet_number);
	payload = writer.at;
	quic_frame_write(&writer, &frame);
	base_assert(base_writer_ok(&writer));
	quic_header_set_length(packet_number, (size_t)(writer.at - packet_number) + CRYPTO_TAG_BYTES);
	crypto_initial_secrets(endpoint->crypto, packet->dcid, packet->dcid_length, client, server);
	crypto_packet_keys_derive(endpoint->crypto, CRYPTO_AES_128_GCM, server, &keys);
	quic_endpoint_seal_now(
		endpoint, &keys, answer->octets, packet_number, payload, (size_t)(writer.at - payload));
	answer->length = (uint16_t)(base_writer_length(&writer) + CRYPTO_TAG_BYTES);
}

/* What an Initial's token says. False: the packet has been dealt with. */
static bool
check_token(struct quic_endpoint *endpoint, const struct base_datagram *datagram,
	const struct quic_packet *packet, struct quic_token *token, bool *valid)
{
	enum quic_token_result result = QUIC_TOKEN_UNKNOWN;

	if (packet->token_length > 0)
		result = quic_token_open(&endpoint->tokens, packet->token, packet->token_length,
			&datagram->path.remote, endpoint->now_ns + endpoint->unix_offset_ns, token);
	if (result == QUIC_TOKEN_RETRY_INVALID) {
		refuse(endpoint, datagram, packet, QUIC_INVALID_TOKEN);
		return false;
	}
	*valid = result == QUIC_TOKEN_VALID;
	/* A Retry token that came back to another ID than the Retry's is not its own. */
	if (*valid && token->kind == QUIC_TOKEN_RETRY) {
		struct quic_cid dcid = quic_cid(packet->dcid, packet->dcid_length);

		if (!quic_cid_equal(&dcid, &token->retry_source_connection_id)) {
			refuse(endpoint, datagram, packet, QUIC_INVALID_TOKEN);
			return false;
		}
	}
	if (!*valid && endpoint->handshake_count >= endpoint->limits.retry_above) {
		send_retry(endpoint, datagram, packet);
		return false;
	}
	return true;
}

/*
 * A bounded number of handshakes: what is left of the oldest confirmed one gives way, then the oldest that is not. Those that
 * linger count, for they hold elements and TLS memory too.
 */
static void
make_room(struct quic_endpoint *endpoint)
{
	while (endpoint->handshake_count + endpoint->lingering_count >= endpoint->limits.handshakes &&
		!base_list_empty(&endpoint->lingering)) {
		struct quic_handshake *oldest =
			base_container(endpoint->lingering.next, struct quic_handshake, link);

		quic_conn_give_up_handshake(oldest->conn);
	}
	while (endpoint->handshake_count >= endpoint->limits.handshakes &&
		!base_list_empty(&endpoint->handshakes)) {
		struct quic_handshake *oldest =
			base_container(endpoint->handshakes.next, struct quic_handshake, link);

		quic_count(endpoint, QUIC_COUNTER_HANDSHAKES_EVICTED);
		base_list_remove(&oldest->link);
		endpoint->handshake_count--;
		oldest->conn->timed_out = true;
		quic_conn_over(oldest->conn);
	}
}

/*
 * Anybody can write to this address. Who does not even know what Initial packets are sealed with costs a few hashes, but neither a slot nor a
 * TLS session, and crowds nobody out.
 */
static bool
is_authentic(struct quic_endpoint *endpoint, struct quic_received *first)
{
	uint8_t client[CRYPTO_SECRET_BYTES_MAX], server[CRYPTO_SECRET_BYTES_MAX];
	struct crypto_packet_keys keys;

	crypto_initial_secrets(
		endpoint->crypto, first->packet.dcid, first->packet.dcid_length, client, server);
	crypto_packet_keys_derive(endpoint->crypto, CRYPTO_AES_128_GCM, client, &keys);
	if (quic_endpoint_open_now(endpoint, &keys, first))
		return true;
	quic_count(endpoint, QUIC_COUNTER_DROP_NOT_AUTHENTIC);
	return false;
}

static struct quic_conn *
accept(struct quic_endpoint *endpoint, struct quic_received *first, uint64_t key)
{
	const struct base_datagram *datagram = first->datagram;
	const struct quic_packet *packet = &first->packet;
	struct quic_token token;
	struct quic_cid dcid = quic_cid(packet->dcid, packet->dcid_length);
	struct quic_conn *conn;
	bool validated;

	if (!check_token(endpoint, datagram, packet, &token, &validated) || !is_authentic(endpoint, first))
		return NULL;
	make_room(endpoint);
	conn = quic_conn_create(endpoint, true, &datagram->path, datagram->port_index);
	if (conn == NULL)
		return NULL;
	conn->address_validated = validated;
	conn->settled_ns = datagram->placed ? endpoint->now_ns : 0;
	conn->handshake->original_dcid = dcid;
	if (validated && token.kind == QUIC_TOKEN_RETRY) {
		conn->handshake->original_dcid = token.original_destination_connection_id;
		conn->handshake->retry_scid = token.retry_source_connection_id;
		conn->handshake->has_retry_scid = true;
	}
	if (!quic_table_insert(&endpoint->initials, key, quic_conn_handle(conn)) ||
		!quic_conn_tls_start(conn, NULL)) {
		quic_count(endpoint, QUIC_COUNTER_DROP_NO_MEMORY);
		quic_table_remove(&endpoint->initials, key, quic_conn_handle(conn));
		quic_conn_over(conn);
		return NULL;
	}
	conn->handshake->initial_key = key;
	quic_conn_install_initial_keys(conn, &dcid);
	quic_count(endpoint, QUIC_COUNTER_ACCEPTED);
	quic_conn_arm(conn);
	return conn;
}

bool
quic_endpoint_has_initial(const struct quic_endpoint *endpoint, uint64_t key)
{
	struct quic_handle handle;
	struct quic_slot_owner owner;

	return quic_table_find(&endpoint->initials, key, &handle) &&
		quic_slots_owner(endpoint->slots, handle.slot, &owner) &&
		owner.generation == handle.generation && owner.state == QUIC_SLOT_OWNED &&
		owner.owner == endpoint->shard;
}

struct quic_conn *
quic_endpoint_accept(struct quic_endpoint *endpoint, struct quic_received *first)
{
	const struct base_datagram *datagram = first->datagram;
	const struct quic_packet *packet = &first->packet;
	struct quic_handle handle;
	uint64_t key;

	/* RFC 9000 sections 14.1 and 7.2. */
	if (endpoint->tls_server == NULL || datagram->length < QUIC_DATAGRAM_MIN_BYTES ||
		packet->dcid_length < QUIC_INITIAL_DCID_MIN_BYTES || !packet->fixed_bit) {
		quic_count(endpoint, QUIC_COUNTER_DROP_SHORT_INITIAL);
		return NULL;
	}
	key = quic_initial_key(&endpoint->initials, packet->dcid, packet->dcid_length, &datagram->path);
	if (quic_table_find(&endpoint->initials, key, &handle)) {
		struct quic_conn *conn = quic_endpoint_find(endpoint, handle);

		if (conn != NULL)
			return conn;
	}
	if (!endpoint->accepting) {
		refuse(endpoint, datagram, packet, QUIC_CONNECTION_REFUSED);
		return NULL;
	}
	return accept(endpoint, first, key);
}

struct quic_conn *
quic_endpoint_connect(struct quic_endpoint *endpoint, const struct quic_connect *connect, uint64_t now_ns)
{
	struct quic_conn *conn;
	uint8_t octets[16];

	endpoint->now_ns = now_ns;
	base_assert(endpoint->tls_client != NULL);
	conn = quic_conn_create(endpoint, false, &connect->path, 0);
	if (conn == NULL)
		return NULL;
	conn->user = connect->user;
	conn->told = true;
	/* RFC 9000 section 7.2: unpredictable, and at least 8 octets. */
	quic_endpoint_unpredictable(endpoint, octets);
	conn->handshake->original_dcid = quic_cid(octets, CLIENT_DCID_BYTES);
	quic_conn_set_peer_id(conn, &conn->handshake->original_dcid);
	if (connect->token != NULL && connect->token_length <= QUIC_CLIENT_TOKEN_BYTES) {
		memcpy(conn->handshake->token, connect->token, connect->token_length);
		conn->handshake->token_length = (uint16_t)connect->token_length;
	}
	quic_conn_install_initial_keys(conn, &conn->handshake->original_dcid);
	if (!quic_conn_tls_start(conn, connect)) {
		quic_count(endpoint, QUIC_COUNTER_DROP_NO_MEMORY);
		conn->told = false;
		quic_conn_over(conn);
		return NULL;
	}
	quic_conn_set_ready(conn);
	quic_conn_arm(conn);
	return conn;
}
