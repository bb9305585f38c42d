/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/conn_id.h"

#include "base/assert.h"
#include "base/datagram.h"
#include "base/reader.h"
#include "base/writer.h"
#include "quic/cmac.h"

enum {
	BLOCK = CRYPTO_BLOCK_BYTES,
	CONFIG_ID_UNROUTABLE = 7, /* the draft's code point for IDs that no balancer can route */
};

void
quic_conn_id_codec_init(struct quic_conn_id_codec *codec, struct crypto_backend *backend,
	const struct quic_conn_id_config *config)
{
	static const uint8_t lengths[] = {
		[QUIC_CONN_ID_SEALED] = QUIC_CONN_ID_SEALED_BYTES,
		[QUIC_CONN_ID_CLEAR] = QUIC_CONN_ID_CLEAR_BYTES,
		[QUIC_CONN_ID_EMPTY] = 0,
	};

	base_assert(config->config_id < CONFIG_ID_UNROUTABLE);
	base_assert(config->mode != QUIC_CONN_ID_CLEAR || config->steering_words != NULL);
	base_assert(backend->block_key_bytes <= CRYPTO_EXPANDED_BYTES_MAX);
	codec->backend = backend;
	codec->mode = config->mode;
	codec->length = lengths[config->mode];
	codec->config_id = config->config_id;
	codec->gateway = config->gateway;
	codec->epoch = config->epoch;
	codec->steering_words = config->steering_words;
	codec->shards = config->shards;
	crypto_expand_block_key(backend, config->key, codec->key);
	crypto_expand_block_key(backend, config->reset_key, codec->reset_key);
}

/* Config id and, as the draft has it, the length of what follows. */
static uint8_t
first_octet(const struct quic_conn_id_codec *codec)
{
	return (uint8_t)(codec->config_id << 5 | (codec->length - 1));
}

static void
pack(const struct quic_conn_id_codec *codec, const struct quic_conn_id_fields *fields, uint8_t block[BLOCK])
{
	base_put_uint(block, codec->gateway, 2);
	/* 12 bits and 24 bits, then 20 and 24 and 32: two whole octet strings. */
	base_put_uint(block + 2,
		(uint64_t)fields->shard << 44 | (uint64_t)fields->slot << 20 | fields->sequence, 7);
	base_put_uint(block + 9, fields->generation, 3);
	base_put_uint(block + 12, codec->epoch, 4);
}

static void
unpack(const uint8_t block[BLOCK], struct quic_conn_id_fields *fields)
{
	struct base_reader reader = base_reader(block, BLOCK);
	uint64_t middle;

	fields->gateway = base_reader_u16(&reader);
	middle = base_reader_uint(&reader, 7);
	fields->shard = (uint16_t)(middle >> 44);
	fields->slot = (uint32_t)(middle >> 20) & 0xffffff;
	fields->sequence = (uint32_t)middle & QUIC_CONN_ID_SEQUENCE_MAX;
	fields->generation = base_reader_u24(&reader);
	fields->epoch = base_reader_u32(&reader);
}

void
quic_conn_id_encode(
	struct quic_conn_id_codec *codec, const struct quic_conn_id_fields *fields, struct quic_cid *cid)
{
	uint8_t block[BLOCK];
	uint8_t *at = cid->octets;

	base_assert(fields->shard <= QUIC_CONN_ID_SHARD_MAX && fields->slot <= QUIC_CONN_ID_SLOT_NONE);
	base_assert(fields->sequence <= QUIC_CONN_ID_SEQUENCE_MAX);
	base_assert(fields->generation <= QUIC_CONN_ID_GENERATION_MAX);
	*cid = (struct quic_cid){.length = codec->length};
	if (codec->mode == QUIC_CONN_ID_EMPTY)
		return;
	pack(codec, fields, block);
	crypto_block_encrypt(codec->backend, codec->key, block, 1);
	*at++ = first_octet(codec);
	if (codec->mode == QUIC_CONN_ID_CLEAR) {
		base_assert(fields->shard < codec->shards);
		base_put_uint(at, codec->steering_words[fields->shard], 2);
		at[2] = (uint8_t)codec->gateway;
		at += 3;
	}
	memcpy(at, block, BLOCK);
}

/* In clear mode the octets that a card saw must say what the block says. */
static bool
clear_octets_match(
	const struct quic_conn_id_codec *codec, const uint8_t *id, const struct quic_conn_id_fields *fields)
{
	struct base_reader reader = base_reader(id + 1, 3);

	if (codec->mode == QUIC_CONN_ID_SEALED)
		return true;
	return fields->shard < codec->shards &&
		base_reader_u16(&reader) == codec->steering_words[fields->shard] &&
		base_reader_u8(&reader) == (uint8_t)codec->gateway;
}

void
quic_conn_id_decode(struct quic_conn_id_codec *codec, const uint8_t *const ids[],
	struct quic_conn_id_fields fields[], enum quic_conn_id_result results[], size_t count)
{
	_Alignas(16) uint8_t blocks[BASE_BURST_MAX * BLOCK];
	size_t block_offset = codec->length - (size_t)BLOCK;
	uint8_t first = first_octet(codec);

	base_assert(count <= BASE_BURST_MAX && codec->mode != QUIC_CONN_ID_EMPTY);
	/* Malformed ones go through the cipher with the rest, as zeros: a hole would cost more than a block. */
	for (size_t i = 0; i < count; i++) {
		bool formed = ids[i] != NULL && ids[i][0] == first;

		results[i] = formed ? QUIC_CONN_ID_OURS : QUIC_CONN_ID_MALFORMED;
		if (formed)
			memcpy(blocks + i * BLOCK, ids[i] + block_offset, BLOCK);
		else
			memset(blocks + i * BLOCK, 0, BLOCK);
	}
	crypto_block_decrypt(codec->backend, codec->key, blocks, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		if (results[i] == QUIC_CONN_ID_MALFORMED)
			continue;
		unpack(blocks + i * BLOCK, &fields[i]);
		if (fields[i].gateway != codec->gateway)
			results[i] = QUIC_CONN_ID_OTHER_GATEWAY;
		else if (fields[i].epoch != codec->epoch)
			results[i] = QUIC_CONN_ID_OTHER_EPOCH;
		else if (!clear_octets_match(codec, ids[i], &fields[i]))
			results[i] = QUIC_CONN_ID_OTHER_GATEWAY;
	}
}

bool
quic_conn_id_same_connection(const struct quic_conn_id_fields *a, const struct quic_conn_id_fields *b)
{
	return a->slot == b->slot && a->generation == b->generation && a->epoch == b->epoch &&
		a->gateway == b->gateway;
}

void
quic_conn_id_reset_token(struct quic_conn_id_codec *codec, const uint8_t *id, size_t length,
	uint8_t token[QUIC_RESET_TOKEN_BYTES])
{
	quic_cmac(codec->backend, codec->reset_key, id, length, token);
}
