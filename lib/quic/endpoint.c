/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/endpoint.h"

#include "base/assert.h"
#include "quic/conn_internal.h"

enum { KEYS_PER_CONN = 2, KEYS_MIN = 512, KEYS_MAX = 4096, WHEEL_BUDGET = 4096, EXPIRE_MAX = 1024 };

static const char *const counter_names[QUIC_COUNTER_COUNT] = {
	[QUIC_COUNTER_DATAGRAMS_RECEIVED] = "datagrams_received",
	[QUIC_COUNTER_DATAGRAMS_SENT] = "datagrams_sent",
	[QUIC_COUNTER_PACKETS_RECEIVED] = "packets_received",
	[QUIC_COUNTER_PACKETS_SENT] = "packets_sent",
	[QUIC_COUNTER_PACKETS_LOST] = "packets_lost",
	[QUIC_COUNTER_ACCEPTED] = "accepted",
	[QUIC_COUNTER_CONNECTED] = "connected",
	[QUIC_COUNTER_CONFIRMED] = "confirmed",
	[QUIC_COUNTER_CLOSED] = "closed",
	[QUIC_COUNTER_RETRIES_SENT] = "retries_sent",
	[QUIC_COUNTER_VERSION_NEGOTIATIONS_SENT] = "version_negotiations_sent",
	[QUIC_COUNTER_RESETS_SENT] = "resets_sent",
	[QUIC_COUNTER_RESETS_RECEIVED] = "resets_received",
	[QUIC_COUNTER_KEY_UPDATES] = "key_updates",
	[QUIC_COUNTER_PATHS_VALIDATED] = "paths_validated",
	[QUIC_COUNTER_PATHS_FAILED] = "paths_failed",
	[QUIC_COUNTER_HANDSHAKES_TIMED_OUT] = "handshakes_timed_out",
	[QUIC_COUNTER_HANDSHAKES_EVICTED] = "handshakes_evicted",
	[QUIC_COUNTER_IDLE_TIMEOUTS] = "idle_timeouts",
	[QUIC_COUNTER_ERRORS_SENT] = "errors_sent",
	[QUIC_COUNTER_ERRORS_RECEIVED] = "errors_received",
	[QUIC_COUNTER_DROP_MALFORMED] = "drop_malformed",
	[QUIC_COUNTER_DROP_FIXED_BIT] = "drop_fixed_bit",
	[QUIC_COUNTER_DROP_VERSION] = "drop_version",
	[QUIC_COUNTER_DROP_SHORT_INITIAL] = "drop_short_initial",
	[QUIC_COUNTER_DROP_COALESCED] = "drop_coalesced",
	[QUIC_COUNTER_DROP_UNKNOWN_CONNECTION] = "drop_unknown_connection",
	[QUIC_COUNTER_DROP_RETIRED_ID] = "drop_retired_id",
	[QUIC_COUNTER_DROP_NO_KEYS] = "drop_no_keys",
	[QUIC_COUNTER_DROP_NOT_AUTHENTIC] = "drop_not_authentic",
	[QUIC_COUNTER_DROP_DUPLICATE] = "drop_duplicate",
	[QUIC_COUNTER_DROP_CLOSED] = "drop_closed",
	[QUIC_COUNTER_DROP_MIGRATION] = "drop_migration",
	[QUIC_COUNTER_DROP_REFUSED] = "drop_refused",
	[QUIC_COUNTER_DROP_NO_SLOT] = "drop_no_slot",
	[QUIC_COUNTER_DROP_NO_MEMORY] = "drop_no_memory",
	[QUIC_COUNTER_DROP_LIMITED] = "drop_limited",
	[QUIC_COUNTER_DROP_DATAGRAM_FRAME] = "drop_datagram_frame",
	[QUIC_COUNTER_DROP_BUDGET] = "drop_budget",
};

/* The size of ten million idle connections; what a handshake needs beside it is given back. */
_Static_assert(sizeof(struct quic_conn) <= 1584 + (QUIC_PEER_IDS - 2) * sizeof(struct quic_peer_id),
	"an idle connection is too large");
_Static_assert(sizeof(struct quic_migration) <= QUIC_CHUNK_BYTES, "a migration is a chunk");
_Static_assert(sizeof(struct quic_close) <= QUIC_CHUNK_BYTES, "a close is a chunk");
_Static_assert(sizeof(struct quic_datagram_queue) <= QUIC_CHUNK_BYTES, "a datagram queue is a chunk");

static size_t
align(size_t bytes)
{
	return (bytes + 63) / 64 * 64;
}

static uint32_t
key_entries(const struct quic_limits *limits)
{
	uint64_t entries = (uint64_t)limits->connections * KEYS_PER_CONN;

	return entries < KEYS_MIN ? KEYS_MIN : entries > KEYS_MAX ? KEYS_MAX : (uint32_t)entries;
}

uint32_t
quic_endpoint_pool_bytes(enum quic_pool pool)
{
	switch (pool) {
	case QUIC_POOL_HANDSHAKE:
		return (uint32_t)align(sizeof(struct quic_handshake));
	case QUIC_POOL_STREAM:
		return (uint32_t)align(sizeof(struct quic_stream));
	case QUIC_POOL_CHUNK:
		return QUIC_CHUNK_BYTES;
	default:
		return QUIC_SENT_CHUNK_BYTES;
	}
}

uint32_t
quic_endpoint_slot_bytes(void)
{
	return (uint32_t)align(sizeof(struct quic_conn));
}

/* Parts of the endpoint's memory, one behind the other. */
struct layout {
	size_t initials;
	size_t segments;
	size_t keys;
	size_t total;
};

static struct layout
lay_out(const struct quic_limits *limits, const struct crypto_backend *crypto)
{
	struct layout layout;
	size_t at = align(sizeof(struct quic_endpoint));

	layout.initials = at;
	at += align(quic_table_memory_bytes(limits->handshakes + limits->connections / 4));
	layout.segments = at;
	at += align(limits->segments_per_turn * sizeof(struct quic_segment));
	layout.keys = at;
	at += align(crypto_key_cache_bytes(crypto, key_entries(limits)));
	layout.total = at;
	return layout;
}

size_t
quic_endpoint_bytes(const struct quic_limits *limits)
{
	/* The backend is not known yet: as large as any may ask for. */
	static const struct crypto_backend any = {
		.aead_key_bytes = {CRYPTO_EXPANDED_BYTES_MAX, CRYPTO_EXPANDED_BYTES_MAX,
			CRYPTO_EXPANDED_BYTES_MAX},
		.mask_key_bytes = {CRYPTO_EXPANDED_BYTES_MAX, CRYPTO_EXPANDED_BYTES_MAX,
			CRYPTO_EXPANDED_BYTES_MAX},
		.block_key_bytes = CRYPTO_EXPANDED_BYTES_MAX,
	};

	return lay_out(limits, &any).total;
}

static void
open_codecs(struct quic_endpoint *endpoint, const struct quic_endpoint_config *config)
{
	struct quic_conn_id_config id = quic_endpoint_conn_id_config(config);

	quic_conn_id_codec_init(&endpoint->codec, config->crypto, &id);
	quic_token_codec_init(
		&endpoint->tokens, config->crypto, config->limits.token_lifetime_ns, 24 * 3600 * BASE_SECOND);
	quic_token_codec_add_key(&endpoint->tokens, 0, config->keys.token);
	crypto_expand_block_key(
		config->crypto, (const uint8_t *)config->entropy, endpoint->unpredictable_key);
	base_random_init(&endpoint->random, config->entropy[2] ^ config->entropy[3]);
}

struct quic_endpoint *
quic_endpoint_open(void *memory, const struct quic_endpoint_config *config, uint64_t now_ns)
{
	struct quic_endpoint *endpoint = memory;
	const struct quic_limits *limits = &config->limits;
	struct layout layout = lay_out(limits, config->crypto);
	uint8_t *octets = memory;

	memset(endpoint, 0, sizeof(*endpoint));
	endpoint->limits = *limits;
	endpoint->crypto = config->crypto;
	endpoint->tls_server = config->tls_server;
	endpoint->tls_client = config->tls_client;
	endpoint->slots = config->slots;
	memcpy(endpoint->pools, config->pools, sizeof(endpoint->pools));
	endpoint->now_ns = now_ns;
	endpoint->unix_offset_ns = config->unix_offset_ns;
	endpoint->shard = config->shard;
	endpoint->accepting = true;
	base_wheel_init(&endpoint->wheel, now_ns);
	base_list_init(&endpoint->ready);
	base_list_init(&endpoint->eventful);
	base_list_init(&endpoint->borrowing);
	base_list_init(&endpoint->over);
	base_list_init(&endpoint->handshakes);
	base_list_init(&endpoint->lingering);
	quic_table_init(&endpoint->initials, limits->handshakes + limits->connections / 4, config->keys.table,
		octets + layout.initials);
	quic_memory_init(&endpoint->memory, endpoint->pools[QUIC_POOL_CHUNK],
		endpoint->pools[QUIC_POOL_STREAM], (struct quic_segment *)(void *)(octets + layout.segments),
		limits->segments_per_turn, limits->chunks_in_stock);
	quic_limiter_init(&endpoint->reset_limiter, limits->resets_per_second, 10);
	quic_limiter_init(&endpoint->retry_limiter, limits->stateless_per_second, 100);
	quic_limiter_init(&endpoint->stateless_limiter, limits->stateless_per_second, 100);
	endpoint->key_cache =
		crypto_key_cache_open(octets + layout.keys, config->crypto, key_entries(limits));
	open_codecs(endpoint, config);
	return endpoint;
}

/* Calls `act` for every connection that this endpoint owns. */
static void
each_conn(struct quic_endpoint *endpoint, void (*act)(struct quic_conn *conn, void *with), void *with)
{
	struct quic_slot_owner owner;

	for (uint32_t slot = 0; slot < endpoint->slots->count; slot++)
		if (quic_slots_owner(endpoint->slots, slot, &owner) && owner.state == QUIC_SLOT_OWNED &&
			owner.owner == endpoint->shard)
			act(quic_slots_at(endpoint->slots, slot), with);
}

static void
destroy(struct quic_conn *conn, void *with)
{
	(void)with;
	quic_conn_destroy(conn);
}

void
quic_endpoint_close(struct quic_endpoint *endpoint)
{
	each_conn(endpoint, destroy, NULL);
	base_assert(endpoint->connection_count == 0);
	quic_memory_end_turn(&endpoint->memory);
	quic_memory_fini(&endpoint->memory);
	crypto_key_cache_close(endpoint->key_cache);
	crypto_wipe(endpoint->unpredictable_key, sizeof(endpoint->unpredictable_key));
}

void
quic_endpoint_unpredictable(struct quic_endpoint *endpoint, uint8_t octets[16])
{
	memset(octets, 0, 16);
	base_put_uint(octets, ++endpoint->unpredictable_count, 8);
	crypto_block_encrypt(endpoint->crypto, endpoint->unpredictable_key, octets, 1);
}

void
quic_endpoint_drop_keys(struct quic_endpoint *endpoint, struct crypto_key_handle *handle)
{
	/* Without a place it stays in the cache until others need its entry. */
	if (handle->value != 0 && endpoint->stale_count < QUIC_STALE_KEYS)
		endpoint->stale[endpoint->stale_count++] = *handle;
	handle->value = 0;
}

void
quic_endpoint_drop_stale_keys(struct quic_endpoint *endpoint)
{
	while (endpoint->stale_count > 0)
		crypto_key_cache_drop(endpoint->key_cache, &endpoint->stale[--endpoint->stale_count]);
}

void
quic_endpoint_expire(struct quic_endpoint *endpoint, uint64_t now_ns)
{
	struct base_wheel_node *node;
	uint32_t budget = WHEEL_BUDGET;

	endpoint->now_ns = now_ns;
	for (uint32_t n = 0; n < EXPIRE_MAX; n++) {
		node = base_wheel_expire(&endpoint->wheel, now_ns, &budget);
		if (node == NULL)
			break;
		quic_conn_expire(base_container(node, struct quic_conn, timer));
	}
}

uint64_t
quic_endpoint_deadline(const struct quic_endpoint *endpoint)
{
	if (!base_list_empty(&endpoint->ready) || !base_list_empty(&endpoint->eventful) ||
		endpoint->stateless_count > 0)
		return 0;
	return base_wheel_deadline(&endpoint->wheel);
}

struct quic_conn *
quic_endpoint_find(struct quic_endpoint *endpoint, struct quic_handle handle)
{
	struct quic_slot_owner owner;

	if (!quic_slots_owner(endpoint->slots, handle.slot, &owner) || owner.state != QUIC_SLOT_OWNED ||
		owner.generation != handle.generation || owner.owner != endpoint->shard)
		return NULL;
	return quic_slots_at(endpoint->slots, handle.slot);
}

void
quic_endpoint_stop_accepting(struct quic_endpoint *endpoint)
{
	endpoint->accepting = false;
}

void
quic_endpoint_resume_accepting(struct quic_endpoint *endpoint)
{
	endpoint->accepting = true;
}

struct closing {
	uint64_t error_code;
	bool application;
};

static void
close_one(struct quic_conn *conn, void *with)
{
	const struct closing *closing = with;

	if (closing->application)
		quic_conn_close(conn, closing->error_code, NULL);
	else
		quic_conn_fail(conn, closing->error_code, 0, NULL);
}

void
quic_endpoint_close_all(
	struct quic_endpoint *endpoint, uint64_t error_code, bool application, uint64_t now_ns)
{
	struct closing closing = {.error_code = error_code, .application = application};

	endpoint->now_ns = now_ns;
	each_conn(endpoint, close_one, &closing);
}

uint32_t
quic_endpoint_connections(const struct quic_endpoint *endpoint)
{
	return endpoint->connection_count;
}

struct base_counters
quic_endpoint_counters(const struct quic_endpoint *endpoint)
{
	return (struct base_counters){
		.library = "quic",
		.names = counter_names,
		.values = endpoint->counters,
		.count = QUIC_COUNTER_COUNT,
	};
}

static void
check_one(struct quic_conn *conn, void *with)
{
	uint32_t *count = with;

	quic_conn_check(conn);
	++*count;
}

void
quic_endpoint_check(const struct quic_endpoint *endpoint)
{
	uint32_t count = 0;

	each_conn((struct quic_endpoint *)endpoint, check_one, &count);
	base_assert(count == endpoint->connection_count);
	quic_table_check(&endpoint->initials);
}
