/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packet protection keys of a connection: installing, finding, updating and discarding (RFC 9001 sections 4.9 and 6). */
#include "base/assert.h"
#include "crypto/keys.h"
#include "quic/conn_internal.h"

/* Packets short of the confidentiality limit at which the keys are updated (RFC 9001 section 6.6). */
#define UPDATE_BEFORE_LIMIT 65536

struct quic_level_keys *
quic_conn_level_keys(struct quic_conn *conn, enum quic_packet_number_space space)
{
	if (space == QUIC_SPACE_APPLICATION)
		return &conn->keys;
	return conn->handshake == NULL ? NULL : &conn->handshake->keys[space];
}

void
quic_conn_install_initial_keys(struct quic_conn *conn, const struct quic_cid *dcid)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	struct quic_level_keys *keys = &conn->handshake->keys[QUIC_SPACE_INITIAL];
	uint8_t client[CRYPTO_SECRET_BYTES_MAX], server[CRYPTO_SECRET_BYTES_MAX];

	crypto_initial_secrets(endpoint->crypto, dcid->octets, dcid->length, client, server);
	quic_conn_install_secret(conn, QUIC_SPACE_INITIAL, !conn->is_server, CRYPTO_AES_128_GCM, client);
	quic_conn_install_secret(conn, QUIC_SPACE_INITIAL, conn->is_server, CRYPTO_AES_128_GCM, server);
	base_assert(keys->can_send && keys->can_receive);
}

void
quic_conn_install_secret(struct quic_conn *conn, enum quic_packet_number_space space, bool sending,
	enum crypto_aead aead, const uint8_t *secret)
{
	struct quic_level_keys *keys = quic_conn_level_keys(conn, space);
	struct quic_direction_keys *direction = sending ? &keys->send : &keys->receive;
	struct crypto_packet_keys derived;

	quic_endpoint_drop_keys(conn->endpoint, &direction->handle);
	crypto_packet_keys_derive(conn->endpoint->crypto, aead, secret, &derived);
	memcpy(direction->secret, secret, crypto_secret_bytes(aead));
	memcpy(direction->hp, derived.hp, crypto_key_bytes(aead));
	crypto_wipe(&derived, sizeof(derived));
	keys->aead = (uint8_t)aead;
	if (sending)
		keys->can_send = true;
	else
		keys->can_receive = true;
}

static const struct crypto_hot_keys *
hot_keys(struct quic_conn *conn, struct quic_direction_keys *direction, uint8_t aead)
{
	return crypto_key_cache_get_derived(conn->endpoint->key_cache, &direction->handle,
		(enum crypto_aead)aead, direction->secret, direction->hp);
}

const struct crypto_hot_keys *
quic_conn_receive_keys(struct quic_conn *conn, enum quic_packet_number_space space)
{
	struct quic_level_keys *keys = quic_conn_level_keys(conn, space);

	if (keys == NULL || !keys->can_receive)
		return NULL;
	/* RFC 9001 section 5.7: no 1-RTT packet is processed before the handshake is complete. */
	if (space == QUIC_SPACE_APPLICATION && !conn->handshake_complete)
		return NULL;
	return hot_keys(conn, &keys->receive, keys->aead);
}

const struct crypto_hot_keys *
quic_conn_send_keys(struct quic_conn *conn, enum quic_packet_number_space space)
{
	struct quic_level_keys *keys = quic_conn_level_keys(conn, space);

	base_assert(keys != NULL && keys->can_send);
	return hot_keys(conn, &keys->send, keys->aead);
}

const struct crypto_hot_keys *
quic_conn_phase_keys(struct quic_conn *conn, bool phase, uint64_t packet_number, uint32_t *generation)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	const struct crypto_hot_keys *hot;
	uint8_t next[CRYPTO_SECRET_BYTES_MAX];

	*generation = conn->key_generation;
	if (phase == ((conn->key_generation & 1) != 0))
		return hot_keys(conn, &conn->keys.receive, conn->keys.aead);
	/* A packet from before the update, while the old keys are kept (section 6.5). */
	if (conn->previous_receive.value != 0 && packet_number < conn->phase_first_received) {
		*generation = conn->key_generation - 1;
		return crypto_key_cache_find(endpoint->key_cache, &conn->previous_receive);
	}
	*generation = conn->key_generation + 1;
	hot = crypto_key_cache_find(endpoint->key_cache, &conn->next_receive);
	if (hot != NULL)
		return hot;
	crypto_next_secret(
		endpoint->crypto, (enum crypto_aead)conn->keys.aead, conn->keys.receive.secret, next);
	hot = crypto_key_cache_get_derived(endpoint->key_cache, &conn->next_receive,
		(enum crypto_aead)conn->keys.aead, next, conn->keys.receive.hp);
	crypto_wipe(next, sizeof(next));
	return hot;
}

/* Both directions go to the next generation (RFC 9001 section 6.1). */
static void
update(struct quic_conn *conn)
{
	struct quic_endpoint *endpoint = conn->endpoint;
	enum crypto_aead aead = (enum crypto_aead)conn->keys.aead;

	quic_endpoint_drop_keys(endpoint, &conn->previous_receive);
	conn->previous_receive = conn->keys.receive.handle;
	conn->keys.receive.handle = conn->next_receive;
	conn->next_receive = (struct crypto_key_handle){0};
	quic_endpoint_drop_keys(endpoint, &conn->keys.send.handle);
	crypto_next_secret(endpoint->crypto, aead, conn->keys.receive.secret, conn->keys.receive.secret);
	crypto_next_secret(endpoint->crypto, aead, conn->keys.send.secret, conn->keys.send.secret);
	conn->key_generation++;
	conn->phase_first_sent = quic_conn_next_packet_number(conn, QUIC_SPACE_APPLICATION);
	conn->phase_first_received = UINT64_MAX;
	conn->phase_acknowledged = false;
	/* The handle keeps the old keys as long as they are in the cache; their time runs from the peer's first packet. */
	conn->deadlines[QUIC_TIMER_KEYS] = BASE_NEVER;
	quic_count(endpoint, QUIC_COUNTER_KEY_UPDATES);
}

uint64_t
quic_conn_key_phase_received(struct quic_conn *conn, uint32_t generation, uint64_t packet_number)
{
	if (generation == conn->key_generation + 1) {
		/* RFC 9001 section 6.2: a second update before any packet of ours in this phase. */
		if (conn->key_generation > 0 &&
			conn->phase_first_sent == quic_conn_next_packet_number(conn, QUIC_SPACE_APPLICATION))
			return QUIC_KEY_UPDATE_ERROR;
		update(conn);
	}
	if (generation != conn->key_generation)
		return QUIC_NO_ERROR;
	/* Section 6.5: packets of the last phase may still be on their way. */
	if (conn->phase_first_received == UINT64_MAX && generation > 0)
		conn->deadlines[QUIC_TIMER_KEYS] =
			base_time_after(conn->endpoint->now_ns, 3 * quic_conn_pto_ns(conn));
	if (packet_number < conn->phase_first_received)
		conn->phase_first_received = packet_number;
	return QUIC_NO_ERROR;
}

void
quic_conn_key_phase_acknowledged(struct quic_conn *conn, uint64_t largest_acked)
{
	if (largest_acked >= conn->phase_first_sent)
		conn->phase_acknowledged = true;
}

/* RFC 9001 section 6.5: wait three PTO after an update; 6.1: not before a packet of this phase is acknowledged. */
static bool
update_allowed(const struct quic_conn *conn)
{
	if (!conn->handshake_confirmed || conn->state != QUIC_CONN_OPEN)
		return false;
	return conn->phase_acknowledged && conn->phase_first_received != UINT64_MAX &&
		conn->deadlines[QUIC_TIMER_KEYS] == BASE_NEVER;
}

bool
quic_conn_update_keys(struct quic_conn *conn)
{
	if (!update_allowed(conn))
		return false;
	update(conn);
	quic_conn_set_ping(conn);
	return true;
}

bool
quic_conn_keys_usable(struct quic_conn *conn)
{
	uint64_t limit = crypto_confidentiality_limit((enum crypto_aead)conn->keys.aead);
	uint64_t update_at = limit - UPDATE_BEFORE_LIMIT;
	uint64_t configured = conn->endpoint->limits.key_update_packets;
	uint64_t sealed = quic_conn_next_packet_number(conn, QUIC_SPACE_APPLICATION) - conn->phase_first_sent;

	if (configured != 0 && configured < update_at)
		update_at = configured;
	if (sealed >= update_at && update_allowed(conn)) {
		update(conn);
		return true;
	}
	if (sealed < limit)
		return true;
	/* Section 6.6: not even a CONNECTION_CLOSE may be sealed with these keys. */
	conn->error_code = QUIC_AEAD_LIMIT_REACHED;
	quic_conn_over(conn);
	return false;
}

void
quic_conn_previous_keys_expire(struct quic_conn *conn)
{
	quic_endpoint_drop_keys(conn->endpoint, &conn->previous_receive);
	conn->deadlines[QUIC_TIMER_KEYS] = BASE_NEVER;
}

void
quic_conn_drop_level_keys(struct quic_conn *conn, enum quic_packet_number_space space)
{
	struct quic_level_keys *keys = quic_conn_level_keys(conn, space);

	if (keys == NULL)
		return;
	quic_endpoint_drop_keys(conn->endpoint, &keys->receive.handle);
	quic_endpoint_drop_keys(conn->endpoint, &keys->send.handle);
	crypto_wipe(keys, sizeof(*keys));
}

void
quic_conn_drop_keys(struct quic_conn *conn)
{
	for (int space = 0; space < QUIC_SPACE_COUNT; space++)
		quic_conn_drop_level_keys(conn, (enum quic_packet_number_space)space);
	quic_endpoint_drop_keys(conn->endpoint, &conn->previous_receive);
	quic_endpoint_drop_keys(conn->endpoint, &conn->next_receive);
}
