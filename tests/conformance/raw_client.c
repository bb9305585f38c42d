/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "tests/conformance/raw_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "tests/support/backend.h"
#include "tests/support/hex.h"
#include "tests/support/route.h"
#include "tests/tls/certificates.h"

enum { SERVER_PORT = 443, CLIENT_PORT = 20000, UNIX_SECONDS = 1700000000, ROUNDS_MAX = 40 };

#define START_NS BASE_SECOND

static enum quic_role
other(enum quic_role role)
{
	return role == QUIC_CLIENT ? QUIC_SERVER : QUIC_CLIENT;
}

/* ---- endpoints ---- */

struct quic_limits
raw_limits(void)
{
	struct quic_limits limits = quic_limits_default();

	limits.connections = 16;
	limits.handshakes = 8;
	limits.retry_above = 8;
	limits.max_udp_payload_bytes = QUIC_DATAGRAM_MIN_BYTES;
	limits.ecn = false;
	return limits;
}

static void *
taken(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	assert_non_null(memory);
	return memory;
}

static struct tls_context *
open_tls(bool is_server)
{
	static const struct tls_settings server = {.role = TLS_SERVER,
		.certificate = {.octets = (const uint8_t *)certificate_ed25519,
			.length = sizeof(certificate_ed25519) - 1},
		.key = {.octets = (const uint8_t *)key_ed25519, .length = sizeof(key_ed25519) - 1},
		.alpn = {"raw"},
		.alpn_count = 1};
	/* One small key share: the ClientHello fits one packet. */
	static const struct tls_settings client = {.role = TLS_CLIENT,
		.alpn = {"raw"},
		.alpn_count = 1,
		.groups = {TLS_GROUP_X25519},
		.group_count = 1,
		.verify = TLS_VERIFY_OFF};
	char sentence[TLS_SENTENCE_BYTES];
	struct tls_context *context = tls_context_open(is_server ? &server : &client, UNIX_SECONDS, sentence);

	assert_non_null(context);
	return context;
}

static void
open_node(struct raw *raw, struct raw_node *node, const struct quic_limits *limits, bool is_server)
{
	static const uint32_t elements[QUIC_POOL_COUNT] = {[QUIC_POOL_HANDSHAKE] = 32,
		[QUIC_POOL_STREAM] = 400,
		[QUIC_POOL_CHUNK] = 1200,
		[QUIC_POOL_SENT] = 300};
	struct quic_endpoint_config config = {
		.limits = *limits,
		.gateway = is_server ? 7 : 8,
		.epoch = 1,
		.entropy = {1, 2, 3, is_server},
		.unix_offset_ns = UNIX_SECONDS * BASE_SECOND,
		.crypto = raw->crypto,
		.slots = &node->slots,
	};
	struct quic_conn_id_config codec = {.gateway = config.gateway, .epoch = 1};
	struct quic_slots_config slots = {.count = limits->connections,
		.slot_bytes = quic_endpoint_slot_bytes(),
		.shards = 1,
		.region_slots = limits->connections};

	memset(&config.keys, is_server ? 0x5a : 0xa5, sizeof(config.keys));
	node->tls = open_tls(is_server);
	*(is_server ? &config.tls_server : &config.tls_client) = node->tls;
	node->slot_memory = taken((size_t)slots.count * slots.slot_bytes);
	node->table_memory = taken(quic_slots_memory_bytes(slots.count, 1));
	slots.regions[0] = node->slot_memory;
	quic_slots_init(&node->slots, &slots, node->table_memory);
	for (int i = 0; i < QUIC_POOL_COUNT; i++)
		config.pools[i] = node->pools[i] =
			base_pool_open(NULL, quic_endpoint_pool_bytes((enum quic_pool)i), elements[i]);
	memcpy(codec.key, config.keys.conn_id, sizeof(codec.key));
	memcpy(codec.reset_key, config.keys.stateless_reset, sizeof(codec.reset_key));
	quic_conn_id_codec_init(&node->codec, raw->crypto, &codec);
	node->buffers = taken(sizeof(*node->buffers) * RAW_BATCH);
	node->endpoint_memory = taken(quic_endpoint_bytes(limits));
	node->endpoint = quic_endpoint_open(node->endpoint_memory, &config, raw->now_ns);
}

static struct base_address
address(uint8_t last, uint16_t port)
{
	return (struct base_address){
		.ip = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = last}, .port = port};
}

struct raw *
raw_open(const struct quic_limits *server, const struct quic_limits *client)
{
	struct quic_limits usual = raw_limits();
	struct raw *raw = calloc(1, sizeof(*raw));

	assert_non_null(raw);
	raw->now_ns = START_NS;
	raw->crypto = support_backend();
	raw->path = (struct base_path){.local = address(1, SERVER_PORT), .remote = address(2, CLIENT_PORT)};
	for (int i = 0; i < QUIC_SPACE_COUNT; i++)
		raw->largest_seen[i] = UINT64_MAX;
	open_node(raw, &raw->nodes[QUIC_SERVER], server != NULL ? server : &usual, true);
	open_node(raw, &raw->nodes[QUIC_CLIENT], client != NULL ? client : &usual, false);
	return raw;
}

static void
close_node(struct raw_node *node)
{
	quic_endpoint_check(node->endpoint);
	quic_endpoint_close(node->endpoint);
	for (int i = 0; i < QUIC_POOL_COUNT; i++) {
		assert_int_equal(node->pools[i]->in_use, 0);
		base_pool_close(node->pools[i]);
	}
	assert_int_equal(quic_slots_free_count(&node->slots, 0), node->slots.count);
	tls_context_close(node->tls);
	free(node->endpoint_memory);
	free(node->slot_memory);
	free(node->table_memory);
	free(node->buffers);
}

void
raw_close(struct raw *raw)
{
	if (raw->session != NULL)
		tls_close(raw->session);
	close_node(&raw->nodes[QUIC_CLIENT]);
	close_node(&raw->nodes[QUIC_SERVER]);
	free(raw);
}

/* ---- turns ---- */

static void
pull_events(struct raw *raw, struct raw_node *node)
{
	bool tested = node == &raw->nodes[other(raw->role)];
	struct quic_event event;

	while (quic_endpoint_next_event(node->endpoint, &event)) {
		if (!tested)
			continue;
		raw->events[event.type]++;
		if (event.type == QUIC_EVENT_CLOSED)
			raw->closed = event;
	}
}

static void
receive(struct raw *raw, struct raw_node *node, struct base_batch *batch)
{
	for (uint16_t i = 0; i < batch->count; i++)
		support_route(&node->codec, &node->slots, &batch->datagrams[i]);
	quic_endpoint_receive(node->endpoint, batch, raw->now_ns);
	pull_events(raw, node);
	quic_endpoint_expire(node->endpoint, raw->now_ns);
	pull_events(raw, node);
}

static struct base_batch
empty_batch(struct raw_node *node)
{
	for (int i = 0; i < RAW_BATCH; i++)
		node->datagrams[i] =
			(struct base_datagram){.octets = node->buffers[i], .room = RAW_BUFFER_BYTES};
	return (struct base_batch){.datagrams = node->datagrams, .capacity = RAW_BATCH};
}

uint32_t
raw_move(struct raw *raw, enum quic_role from)
{
	struct raw_node *node = &raw->nodes[from];
	struct base_batch batch = empty_batch(node);

	quic_endpoint_send(node->endpoint, &batch, raw->now_ns);
	for (uint16_t i = 0; i < batch.count; i++) {
		struct base_path path = batch.datagrams[i].path;

		batch.datagrams[i].path = (struct base_path){.local = path.remote, .remote = path.local};
	}
	receive(raw, &raw->nodes[other(from)], &batch);
	return batch.count;
}

struct quic_conn *
raw_connect(struct raw *raw)
{
	struct quic_connect connect = {
		.path = {.local = raw->path.remote, .remote = raw->path.local},
		.server_name = "localhost",
	};
	struct quic_conn *conn =
		quic_endpoint_connect(raw->nodes[QUIC_CLIENT].endpoint, &connect, raw->now_ns);

	assert_non_null(conn);
	raw->client = quic_conn_handle(conn);
	return conn;
}

struct quic_conn *
raw_conn(struct raw *raw, enum quic_role role)
{
	struct raw_node *node = &raw->nodes[role];
	struct quic_slot_owner owner;

	if (role == QUIC_CLIENT)
		return quic_endpoint_find(node->endpoint, raw->client);
	for (uint32_t slot = 0; slot < node->slots.count; slot++)
		if (quic_slots_owner(&node->slots, slot, &owner) && owner.state == QUIC_SLOT_OWNED)
			return quic_slots_at(&node->slots, slot);
	return NULL;
}

void
raw_handshake(struct raw *raw, enum quic_role role)
{
	raw->role = role;
	raw_connect(raw);
	/* Long enough for the last ACK to be due, and acknowledged probes. */
	for (int round = 0; round < ROUNDS_MAX; round++) {
		raw_move(raw, QUIC_CLIENT);
		raw->now_ns += 5 * BASE_MS;
		raw_move(raw, QUIC_SERVER);
		raw->now_ns += 5 * BASE_MS;
	}
	assert_true(raw_conn(raw, QUIC_CLIENT)->handshake_confirmed);
	assert_true(raw_conn(raw, QUIC_SERVER)->handshake_confirmed);
	raw_take_over(raw, role);
}

void
raw_half_handshake(struct raw *raw)
{
	raw_connect(raw);
	raw_move(raw, QUIC_CLIENT);
	raw_move(raw, QUIC_SERVER);
	raw_take_over(raw, QUIC_CLIENT);
	assert_true(raw->keys[QUIC_SPACE_INITIAL].present);
	assert_true(raw->keys[QUIC_SPACE_HANDSHAKE].present);
}

static void
take_keys(struct raw *raw, struct quic_conn *conn, enum quic_packet_number_space space)
{
	const struct quic_level_keys *level = quic_conn_level_keys(conn, space);
	struct raw_keys *keys = &raw->keys[space];

	keys->present = level != NULL && level->can_send && level->can_receive;
	if (!keys->present)
		return;
	keys->aead = level->aead;
	memcpy(keys->send, level->send.secret, sizeof(keys->send));
	memcpy(keys->receive, level->receive.secret, sizeof(keys->receive));
	memcpy(keys->send_hp, level->send.hp, sizeof(keys->send_hp));
	memcpy(keys->receive_hp, level->receive.hp, sizeof(keys->receive_hp));
	raw->next_packet_number[space] = quic_conn_next_packet_number(conn, space);
	raw->largest_seen[space] = quic_conn_largest_received(conn, space);
}

void
raw_take_over(struct raw *raw, enum quic_role role)
{
	struct quic_conn *conn = raw_conn(raw, role);
	struct base_path path = *quic_conn_path(conn);

	raw->role = role;
	for (int space = 0; space < QUIC_SPACE_COUNT; space++)
		take_keys(raw, conn, (enum quic_packet_number_space)space);
	raw->dcid = conn->peer_ids[0].cid;
	quic_conn_own_id(conn, 0, &raw->scid);
	raw->path = (struct base_path){.local = path.remote, .remote = path.local};
	raw_forget(raw);
}

/* ---- what the tested sent ---- */

static bool
open_with(struct raw *raw, struct raw_keys *keys, const struct quic_packet *packet, struct raw_packet *to)
{
	_Alignas(CRYPTO_ALIGNMENT) uint8_t expanded[CRYPTO_EXPANDED_BYTES_MAX];
	enum crypto_aead aead = (enum crypto_aead)keys->aead;
	enum quic_packet_number_space space = quic_packet_space(packet->type);
	struct crypto_mask_job mask = {.key = expanded, .aead = keys->aead};
	struct crypto_job job = {.key = expanded, .aead = keys->aead, .aad = packet->octets};
	uint8_t secret[CRYPTO_SECRET_BYTES_MAX];
	struct crypto_packet_keys derived;
	size_t offset = packet->packet_number_offset, length;
	struct base_reader reader;

	crypto_expand_mask_key(raw->crypto, aead, keys->receive_hp, expanded);
	mask.sample = packet->octets + crypto_sample_offset(offset);
	crypto_mask(raw->crypto, &mask, 1);
	length = crypto_header_unprotect(mask.mask, packet->octets, offset);
	reader = base_reader(packet->octets + offset, length);
	to->packet_number = quic_packet_number_decode(
		raw->largest_seen[space], base_reader_uint(&reader, length), length);
	to->first = packet->octets[0];
	to->key_generation = keys->receive_generation;
	memcpy(secret, keys->receive, sizeof(secret));
	if (!packet->long_header && quic_packet_key_phase(to->first) != ((to->key_generation & 1) != 0)) {
		crypto_next_secret(raw->crypto, aead, secret, secret);
		to->key_generation++;
	}
	crypto_packet_keys_derive(raw->crypto, aead, secret, &derived);
	crypto_expand_key(raw->crypto, aead, derived.key, expanded);
	crypto_nonce(derived.iv, to->packet_number, job.nonce);
	job.data = packet->octets + offset + length;
	job.aad_length = (uint16_t)(offset + length);
	job.length = (uint32_t)(packet->length - offset - length - CRYPTO_TAG_BYTES);
	crypto_open(raw->crypto, &job, 1);
	if (!job.ok)
		return false;
	memcpy(keys->receive, secret, sizeof(secret));
	keys->receive_generation = to->key_generation;
	to->length = (uint16_t)job.length;
	memcpy(to->payload, job.data, job.length);
	if (raw->largest_seen[space] == UINT64_MAX || to->packet_number > raw->largest_seen[space])
		raw->largest_seen[space] = to->packet_number;
	return true;
}

static void
keep_packet(struct raw *raw, const struct quic_packet *packet)
{
	struct raw_packet *to = &raw->packets[raw->packet_count++];
	struct raw_keys *keys;

	assert_true(raw->packet_count <= RAW_PACKETS);
	*to = (struct raw_packet){.type = packet->type, .datagram = raw->datagram_count - 1};
	if (packet->dcid_length <= QUIC_CID_MAX_BYTES)
		to->dcid = quic_cid(packet->dcid, packet->dcid_length);
	if (packet->long_header && packet->scid_length <= QUIC_CID_MAX_BYTES)
		to->scid = quic_cid(packet->scid, packet->scid_length);
	if (packet->type == QUIC_PACKET_RETRY || packet->type == QUIC_PACKET_VERSION_NEGOTIATION)
		return;
	keys = &raw->keys[quic_packet_space(packet->type)];
	if (!keys->present || !open_with(raw, keys, packet, to)) {
		to->type = QUIC_PACKET_TYPE_COUNT;
		return;
	}
	if (raw->follow_scid && packet->long_header) {
		raw->dcid = to->scid;
		raw->follow_scid = false;
	}
}

void
raw_keep(struct raw *raw, const struct base_datagram *datagram)
{
	struct raw_datagram *to = &raw->datagrams[raw->datagram_count++];
	uint8_t octets[RAW_BUFFER_BYTES];
	struct quic_packet packet;
	size_t at = 0;

	assert_true(raw->datagram_count <= RAW_DATAGRAMS);
	assert_in_range(datagram->length, 1, RAW_BUFFER_BYTES);
	*to = (struct raw_datagram){.path = datagram->path,
		.time_ns = raw->now_ns,
		.length = datagram->length,
		.ecn = datagram->ecn};
	memcpy(to->octets, datagram->octets, datagram->length);
	memcpy(octets, datagram->octets, datagram->length);
	while (at < datagram->length &&
		quic_packet_parse(octets + at, datagram->length - at, raw->scid.length, &packet) ==
			QUIC_PACKET_PARSED) {
		keep_packet(raw, &packet);
		at += packet.length;
	}
}

/* One turn of the tested: what has arrived, its deadlines, what it sends. */
static void
turn(struct raw *raw, struct base_batch *arrived)
{
	struct raw_node *node = &raw->nodes[other(raw->role)];
	struct base_batch batch;

	receive(raw, node, arrived);
	do {
		batch = empty_batch(node);
		quic_endpoint_send(node->endpoint, &batch, raw->now_ns);
		for (uint16_t i = 0; i < batch.count; i++)
			raw_keep(raw, &batch.datagrams[i]);
	} while (batch.count > 0);
	pull_events(raw, node);
	quic_endpoint_check(node->endpoint);
}

void
raw_wait(struct raw *raw, uint64_t time_ns)
{
	struct raw_node *node = &raw->nodes[other(raw->role)];
	uint64_t end_ns = raw->now_ns + time_ns;
	struct base_batch none = {0};
	uint32_t turns = 0;

	while (raw->now_ns < end_ns) {
		uint64_t next_ns = quic_endpoint_deadline(node->endpoint);

		if (next_ns <= raw->now_ns)
			next_ns = raw->now_ns + BASE_US;
		raw->now_ns = base_time_earlier(next_ns, end_ns);
		turn(raw, &none);
		/* Deadlines that have passed and are not acted on would spin a shard. */
		assert_true(++turns < 20000);
	}
}

/* ---- what the test sends ---- */

static void
seal(struct raw *raw, const struct raw_keys *keys, uint64_t packet_number, uint8_t *packet, size_t offset,
	size_t length)
{
	_Alignas(CRYPTO_ALIGNMENT) uint8_t expanded[CRYPTO_EXPANDED_BYTES_MAX];
	enum crypto_aead aead = (enum crypto_aead)keys->aead;
	struct crypto_job job = {.key = expanded, .aead = keys->aead, .aad = packet};
	struct crypto_mask_job mask = {.key = expanded, .aead = keys->aead};
	struct crypto_packet_keys derived;

	crypto_packet_keys_derive(raw->crypto, aead, keys->send, &derived);
	crypto_expand_key(raw->crypto, aead, derived.key, expanded);
	crypto_nonce(derived.iv, packet_number, job.nonce);
	job.data = packet + offset + QUIC_PACKET_NUMBER_MAX_BYTES;
	job.aad_length = (uint16_t)(offset + QUIC_PACKET_NUMBER_MAX_BYTES);
	job.length = (uint32_t)length;
	crypto_seal(raw->crypto, &job, 1);
	crypto_expand_mask_key(raw->crypto, aead, keys->send_hp, expanded);
	mask.sample = packet + crypto_sample_offset(offset);
	crypto_mask(raw->crypto, &mask, 1);
	crypto_header_protect(mask.mask, packet, offset);
}

/* Octets of PADDING that make an Initial's datagram as long as it must be. */
static size_t
padding(const struct raw *raw, enum quic_packet_type type, const struct quic_header *header, size_t length)
{
	size_t so_far = raw->out_length + quic_header_size(header) + length + CRYPTO_TAG_BYTES;

	if (type != QUIC_PACKET_INITIAL || raw->short_initial || so_far >= QUIC_DATAGRAM_MIN_BYTES)
		return 0;
	return QUIC_DATAGRAM_MIN_BYTES - so_far;
}

void
raw_packet(struct raw *raw, enum quic_packet_type type, const uint8_t *payload, size_t length)
{
	enum quic_packet_number_space space = quic_packet_space(type);
	struct raw_keys *keys = &raw->keys[space];
	struct base_writer writer =
		base_writer(raw->out + raw->out_length, RAW_BUFFER_BYTES - raw->out_length);
	uint8_t *start = writer.at, *packet_number_at;
	struct quic_header header = {.type = type,
		.version = QUIC_VERSION_1,
		.dcid = raw->dcid,
		.scid = raw->scid,
		.token = raw->token,
		.token_length = type == QUIC_PACKET_INITIAL ? raw->token_length : 0,
		.packet_number = raw->next_packet_number[space]++,
		.packet_number_length = QUIC_PACKET_NUMBER_MAX_BYTES,
		.key_phase = (keys->send_generation & 1) != 0};
	size_t pad = padding(raw, type, &header, length);

	assert_true(keys->present);
	assert_true(quic_header_write(&writer, &header, &packet_number_at));
	start[0] ^= raw->flip_first;
	base_writer_octets(&writer, payload, length);
	base_writer_fill(&writer, QUIC_FRAME_PADDING, pad);
	base_writer_fill(&writer, 0, CRYPTO_TAG_BYTES);
	assert_true(base_writer_ok(&writer));
	if (type != QUIC_PACKET_ONE_RTT)
		quic_header_set_length(packet_number_at, (size_t)(writer.at - packet_number_at));
	seal(raw, keys, header.packet_number, start, (size_t)(packet_number_at - start), length + pad);
	if (raw->corrupt)
		writer.at[-1] ^= 1;
	raw->out_length = (uint16_t)(writer.at - raw->out);
}

void
raw_packet_hex(struct raw *raw, enum quic_packet_type type, const char *payload)
{
	uint8_t octets[1200];

	raw_packet(raw, type, octets, support_hex(payload, octets, sizeof(octets)));
}

static struct base_datagram
datagram_of(struct raw *raw)
{
	return (struct base_datagram){.octets = raw->out,
		.length = raw->out_length,
		.room = RAW_BUFFER_BYTES,
		.ecn = (uint8_t)raw->ecn,
		.path = raw->path};
}

void
raw_send(struct raw *raw)
{
	struct base_datagram datagram = datagram_of(raw);
	struct base_batch batch = {.datagrams = &datagram, .count = 1, .capacity = 1};

	turn(raw, &batch);
	raw->out_length = 0;
}

void
raw_deliver(struct raw *raw)
{
	struct base_datagram datagram = datagram_of(raw);
	struct base_batch batch = {.datagrams = &datagram, .count = 1, .capacity = 1};

	receive(raw, &raw->nodes[other(raw->role)], &batch);
	raw->out_length = 0;
}

void
raw_frame(struct raw *raw, enum quic_packet_type type, const struct quic_frame *frame)
{
	uint8_t octets[1200];
	struct base_writer writer = base_writer(octets, sizeof(octets));

	assert_true(quic_frame_write(&writer, frame));
	raw_packet(raw, type, octets, base_writer_length(&writer));
	raw_send(raw);
}

void
raw_hex(struct raw *raw, enum quic_packet_type type, const char *payload)
{
	raw_packet_hex(raw, type, payload);
	raw_send(raw);
}

void
raw_update_keys(struct raw *raw)
{
	struct raw_keys *keys = &raw->keys[QUIC_SPACE_APPLICATION];

	crypto_next_secret(raw->crypto, (enum crypto_aead)keys->aead, keys->send, keys->send);
	keys->send_generation++;
}

/* ---- asking ---- */

void
raw_forget(struct raw *raw)
{
	raw->packet_count = 0;
	raw->datagram_count = 0;
}

/* Walks all frames of what came back; the first of `type` is given, and how many there are. */
static uint32_t
walk(struct raw *raw, enum quic_frame_type type, struct quic_frame *found, const struct raw_packet **packet)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < raw->packet_count; i++) {
		struct base_reader reader = base_reader(raw->packets[i].payload, raw->packets[i].length);
		struct quic_frame frame;
		uint64_t frame_type;

		while (base_reader_left(&reader) > 0) {
			assert_int_equal(
				quic_frame_parse(&reader, raw->packets[i].type, &frame, &frame_type), 0);
			if (frame.type != type || count++ > 0)
				continue;
			*found = frame;
			*packet = &raw->packets[i];
		}
	}
	return count;
}

const struct raw_packet *
raw_find(struct raw *raw, enum quic_frame_type type, struct quic_frame *frame)
{
	const struct raw_packet *packet = NULL;

	(void)walk(raw, type, frame, &packet);
	return packet;
}

uint32_t
raw_count(struct raw *raw, enum quic_frame_type type)
{
	const struct raw_packet *packet;
	struct quic_frame frame;

	return walk(raw, type, &frame, &packet);
}

uint64_t
raw_counter(const struct raw *raw, const char *name)
{
	struct base_counters counters = quic_endpoint_counters(raw->nodes[other(raw->role)].endpoint);

	for (size_t i = 0; i < counters.count; i++)
		if (strcmp(counters.names[i], name) == 0)
			return counters.values[i];
	fail_msg("no counter %s", name);
	return 0;
}

void
raw_expect_close(struct raw *raw, uint64_t error_code, uint64_t frame_type)
{
	struct quic_frame frame;

	assert_non_null(raw_find(raw, QUIC_FRAME_CONNECTION_CLOSE, &frame));
	assert_int_equal(frame.close.code, error_code);
	assert_int_equal(frame.close.frame_type, frame_type);
	assert_int_equal(raw_counter(raw, "errors_sent"), 1);
	assert_int_equal(raw_conn(raw, other(raw->role))->state, QUIC_CONN_CLOSING);
}

void
raw_expect_open(struct raw *raw)
{
	assert_int_equal(raw_count(raw, QUIC_FRAME_CONNECTION_CLOSE), 0);
	assert_int_equal(raw_count(raw, QUIC_FRAME_CONNECTION_CLOSE_APPLICATION), 0);
	assert_int_equal(raw_conn(raw, other(raw->role))->state, QUIC_CONN_OPEN);
}

void
raw_expect_rows(const struct quic_limits *server, const struct raw_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct raw *raw = raw_open(server, NULL);

		raw_handshake(raw, QUIC_CLIENT);
		raw_hex(raw, QUIC_PACKET_ONE_RTT, rows[i].payload);
		raw_expect_close(raw, rows[i].error_code, rows[i].frame_type);
		raw_close(raw);
	}
}
