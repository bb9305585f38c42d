/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/token.h"

#include "base/assert.h"
#include "base/reader.h"
#include "quic/cmac.h"

enum {
	AAD_BYTES = 1 + 1 + 16 + 2, /* key id, kind, address, port */
	HEAD_BYTES = 1 + QUIC_CMAC_BYTES,
	TEXT_MIN_BYTES = 1 + 8,
	TEXT_MAX_BYTES = QUIC_TOKEN_MAX_BYTES - HEAD_BYTES,
};

void
quic_token_codec_init(struct quic_token_codec *codec, struct crypto_backend *backend,
	uint64_t retry_lifetime_ns, uint64_t new_token_lifetime_ns)
{
	codec->backend = backend;
	codec->newest = 0;
	codec->retry_lifetime_ns = retry_lifetime_ns;
	codec->new_token_lifetime_ns = new_token_lifetime_ns;
	for (size_t i = 0; i < QUIC_TOKEN_KEYS_MAX; i++)
		codec->keys[i].valid = false;
}

/* The two keys that AES-SIV needs are blocks encrypted under the one of the key file. */
static void
derive(struct crypto_backend *backend, const uint8_t key[QUIC_TOKEN_KEY_BYTES],
	struct quic_token_key *derived)
{
	uint8_t blocks[2 * CRYPTO_BLOCK_BYTES] = {[0] = 1, [CRYPTO_BLOCK_BYTES] = 2};

	base_assert(backend->block_key_bytes <= CRYPTO_EXPANDED_BYTES_MAX);
	crypto_expand_block_key(backend, key, derived->mac);
	crypto_block_encrypt(backend, derived->mac, blocks, 2);
	crypto_expand_block_key(backend, blocks, derived->mac);
	crypto_expand_block_key(backend, blocks + CRYPTO_BLOCK_BYTES, derived->cipher);
	crypto_wipe(blocks, sizeof(blocks));
}

void
quic_token_codec_add_key(struct quic_token_codec *codec, uint8_t id, const uint8_t key[QUIC_TOKEN_KEY_BYTES])
{
	/* Expanded keys are not to be copied: the older place is overwritten. */
	base_assert(id < 128);
	for (size_t i = 0; i < QUIC_TOKEN_KEYS_MAX; i++)
		base_assert(!codec->keys[i].valid || codec->keys[i].id != id);
	codec->newest = codec->keys[codec->newest].valid ? (codec->newest + 1) % QUIC_TOKEN_KEYS_MAX : 0;
	derive(codec->backend, key, &codec->keys[codec->newest]);
	codec->keys[codec->newest].id = id;
	codec->keys[codec->newest].valid = true;
}

/* What a token is bound to and does not carry. A NEW_TOKEN token is not bound to the port. */
static void
bind(uint8_t key_id, enum quic_token_kind kind, const struct base_address *address, uint8_t aad[AAD_BYTES])
{
	aad[0] = key_id;
	aad[1] = (uint8_t)kind;
	memcpy(aad + 2, address->ip, sizeof(address->ip));
	base_put_uint(aad + 18, kind == QUIC_TOKEN_RETRY ? address->port : 0, 2);
}

static void
write_cid(struct base_writer *writer, const struct quic_cid *cid)
{
	base_writer_u8(writer, cid->length);
	base_writer_octets(writer, cid->octets, cid->length);
}

bool
quic_token_seal(struct quic_token_codec *codec, const struct quic_token *token,
	const struct base_address *address, struct base_writer *writer)
{
	const struct quic_token_key *key = &codec->keys[codec->newest];
	uint8_t octets[TEXT_MAX_BYTES];
	struct base_writer text = base_writer(octets, sizeof(octets));
	uint8_t aad[AAD_BYTES];
	uint8_t *head;

	base_assert(key->valid);
	base_writer_u8(&text, (uint8_t)token->kind);
	base_writer_u64(&text, token->issued_unix_ns);
	if (token->kind == QUIC_TOKEN_RETRY) {
		write_cid(&text, &token->original_destination_connection_id);
		write_cid(&text, &token->retry_source_connection_id);
	}
	base_assert(base_writer_ok(&text));
	if (base_writer_room(writer) < HEAD_BYTES + base_writer_length(&text))
		return false;
	head = base_writer_reserve(writer, HEAD_BYTES);
	/* The kind stands in clear beside the key id, since it says what the token is bound to. */
	head[0] = (uint8_t)(key->id << 1 | (token->kind == QUIC_TOKEN_RETRY));
	bind(head[0], token->kind, address, aad);
	quic_siv_seal(codec->backend, key->mac, key->cipher, aad, sizeof(aad), octets,
		base_writer_length(&text), head + 1);
	base_writer_octets(writer, octets, base_writer_length(&text));
	return true;
}

static const struct quic_token_key *
find_key(const struct quic_token_codec *codec, uint8_t id)
{
	for (size_t i = 0; i < QUIC_TOKEN_KEYS_MAX; i++)
		if (codec->keys[i].valid && codec->keys[i].id == id)
			return &codec->keys[i];
	return NULL;
}

static struct quic_cid
read_cid(struct base_reader *reader)
{
	size_t length = base_reader_u8(reader);
	const uint8_t *octets = base_reader_octets(reader, length);

	return octets == NULL || length > QUIC_CID_MAX_BYTES ? (struct quic_cid){0}
							     : quic_cid(octets, length);
}

enum quic_token_result
quic_token_open(struct quic_token_codec *codec, const uint8_t *octets, size_t length,
	const struct base_address *address, uint64_t unix_ns, struct quic_token *token)
{
	const struct quic_token_key *key;
	enum quic_token_kind kind;
	uint8_t opened[TEXT_MAX_BYTES];
	uint8_t aad[AAD_BYTES];
	struct base_reader reader;
	uint64_t lifetime_ns;

	if (length < HEAD_BYTES + TEXT_MIN_BYTES || length > QUIC_TOKEN_MAX_BYTES)
		return QUIC_TOKEN_UNKNOWN;
	key = find_key(codec, octets[0] >> 1);
	if (key == NULL)
		return QUIC_TOKEN_UNKNOWN;
	kind = (octets[0] & 1) != 0 ? QUIC_TOKEN_RETRY : QUIC_TOKEN_NEW;
	length -= HEAD_BYTES;
	memcpy(opened, octets + HEAD_BYTES, length);
	bind(octets[0], kind, address, aad);
	if (!quic_siv_open(
		    codec->backend, key->mac, key->cipher, aad, sizeof(aad), opened, length, octets + 1))
		return QUIC_TOKEN_UNKNOWN;
	reader = base_reader(opened, length);
	*token = (struct quic_token){.kind = (enum quic_token_kind)base_reader_u8(&reader)};
	token->issued_unix_ns = base_reader_u64(&reader);
	if (kind == QUIC_TOKEN_RETRY) {
		token->original_destination_connection_id = read_cid(&reader);
		token->retry_source_connection_id = read_cid(&reader);
	}
	/* A gateway of another version may share the key file and mean another format by it. */
	if (!base_reader_ok(&reader) || base_reader_left(&reader) > 0 || token->kind != kind)
		return QUIC_TOKEN_UNKNOWN;
	lifetime_ns = kind == QUIC_TOKEN_RETRY ? codec->retry_lifetime_ns : codec->new_token_lifetime_ns;
	/* A clock that another gateway of the site runs a little ahead of ours makes no token invalid. */
	if (unix_ns > token->issued_unix_ns && unix_ns - token->issued_unix_ns > lifetime_ns)
		return kind == QUIC_TOKEN_RETRY ? QUIC_TOKEN_RETRY_INVALID : QUIC_TOKEN_EXPIRED;
	return QUIC_TOKEN_VALID;
}
