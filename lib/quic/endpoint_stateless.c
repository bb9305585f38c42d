/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is answered without a connection: version negotiation, Retry, refusal, stateless reset. */
#include "base/assert.h"
#include "crypto/keys.h"
#include "quic/conn_internal.h"
#include "quic/endpoint_internal.h"

struct quic_stateless *
quic_endpoint_stateless(
	struct quic_endpoint *endpoint, const struct base_datagram *datagram, struct quic_limiter *limiter)
{
	struct quic_stateless *answer;

	if (endpoint->stateless_count == QUIC_STATELESS_PLACES ||
		!quic_limiter_take(limiter, endpoint->now_ns)) {
		quic_count(endpoint, QUIC_COUNTER_DROP_LIMITED);
		return NULL;
	}
	answer = &endpoint->stateless[endpoint->stateless_count++];
	answer->path = datagram->path;
	answer->port_index = datagram->port_index;
	answer->length = 0;
	return answer;
}

void
quic_endpoint_negotiate(struct quic_endpoint *endpoint, const struct base_datagram *datagram,
	const struct quic_packet *packet)
{
	struct quic_stateless *answer;
	struct base_writer writer;

	/* RFC 9000 section 6.1: only a datagram that could begin a connection; section 14.1: never a short one. */
	if (endpoint->tls_server == NULL || datagram->length < QUIC_DATAGRAM_MIN_BYTES) {
		quic_count(endpoint, QUIC_COUNTER_DROP_VERSION);
		return;
	}
	answer = quic_endpoint_stateless(endpoint, datagram, &endpoint->stateless_limiter);
	if (answer == NULL)
		return;
	writer = base_writer(answer->octets, sizeof(answer->octets));
	if (!quic_version_negotiation_write(&writer, packet, (uint32_t)base_random_next(&endpoint->random))) {
		endpoint->stateless_count--;
		return;
	}
	answer->length = (uint16_t)base_writer_length(&writer);
	quic_count(endpoint, QUIC_COUNTER_VERSION_NEGOTIATIONS_SENT);
}

struct quic_conn *
quic_endpoint_reset_target(struct quic_endpoint *endpoint, const struct base_datagram *datagram)
{
	const uint8_t *token = quic_reset_token_of(datagram->octets, datagram->length);
	uint64_t key = token != NULL ? quic_reset_key(endpoint->initials.hash_key, token) : 0;
	struct quic_handle handle;
	struct quic_conn *conn;

	if (token == NULL || !quic_slots_of_reset(endpoint->slots, key, &handle))
		return NULL;
	conn = quic_endpoint_find(endpoint, handle);
	/* The table knows a part of the key. */
	for (int i = 0; conn != NULL && i < QUIC_PEER_IDS; i++)
		if (conn->peer_ids[i].reset_key == key)
			return conn;
	return NULL;
}

/*
 * RFC 9000 section 10.3. Only for an ID that this gateway issued and whose connection is gone: its slot is free,
 * or of another generation or epoch. A live slot is never reset, whatever the sequence number (section 21.11).
 */
static bool
reset_is_due(struct quic_endpoint *endpoint, const struct quic_packet *packet)
{
	enum quic_conn_id_result result;
	struct quic_conn_id_fields fields;
	struct quic_slot_owner owner;
	const uint8_t *id = packet->dcid;

	if (endpoint->codec.mode == QUIC_CONN_ID_EMPTY)
		return false;
	quic_conn_id_decode(&endpoint->codec, &id, &fields, &result, 1);
	if (result == QUIC_CONN_ID_OTHER_EPOCH)
		return true;
	if (result != QUIC_CONN_ID_OURS || !quic_slots_owner(endpoint->slots, fields.slot, &owner))
		return false;
	return owner.state == QUIC_SLOT_FREE || owner.state == QUIC_SLOT_RETIRED ||
		owner.generation != fields.generation;
}

void
quic_endpoint_unplaced(struct quic_endpoint *endpoint, const struct base_datagram *datagram,
	const struct quic_packet *packet)
{
	struct quic_conn *conn = quic_endpoint_reset_target(endpoint, datagram);
	size_t length = quic_reset_size(datagram->length);
	struct quic_stateless *answer;
	struct base_writer writer;
	uint8_t token[QUIC_RESET_TOKEN_BYTES];

	if (conn != NULL) {
		quic_conn_receive_reset(conn);
		return;
	}
	quic_count(endpoint, QUIC_COUNTER_DROP_UNKNOWN_CONNECTION);
	if (length == 0 || !reset_is_due(endpoint, packet))
		return;
	answer = quic_endpoint_stateless(endpoint, datagram, &endpoint->reset_limiter);
	if (answer == NULL)
		return;
	quic_conn_id_reset_token(&endpoint->codec, packet->dcid, packet->dcid_length, token);
	writer = base_writer(answer->octets, sizeof(answer->octets));
	if (!quic_reset_write(&writer, length, token, &endpoint->random)) {
		endpoint->stateless_count--;
		return;
	}
	answer->length = (uint16_t)base_writer_length(&writer);
	quic_count(endpoint, QUIC_COUNTER_RESETS_SENT);
}

void
quic_endpoint_unparsed(struct quic_endpoint *endpoint, const struct base_datagram *datagram)
{
	/* A stateless reset may be shorter than any packet that could be opened. */
	struct quic_conn *conn = quic_endpoint_reset_target(endpoint, datagram);

	if (conn != NULL)
		quic_conn_receive_reset(conn);
	else
		quic_count(endpoint, QUIC_COUNTER_DROP_MALFORMED);
}
