/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/hkdf.h"

#include <string.h>

#include "base/assert.h"
#include "base/writer.h"

#define PIECES_MAX 8
#define LABEL_BYTES_MAX 255

void
crypto_hmac(struct crypto_backend *backend, enum crypto_hash hash, const void *key, size_t key_length,
	const struct crypto_piece *pieces, uint32_t count, uint8_t *mac)
{
	size_t block_bytes = crypto_hash_block_bytes(hash);
	uint8_t inner[CRYPTO_HASH_BLOCK_BYTES_MAX] = {0};
	uint8_t outer[CRYPTO_HASH_BLOCK_BYTES_MAX];
	struct crypto_piece inputs[1 + PIECES_MAX];

	base_assert(count <= PIECES_MAX);
	if (key_length > block_bytes)
		crypto_hash(backend, hash, &(struct crypto_piece){key, key_length}, 1, inner);
	else if (key_length > 0)
		memcpy(inner, key, key_length);
	for (size_t i = 0; i < block_bytes; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}

	inputs[0] = (struct crypto_piece){inner, block_bytes};
	for (uint32_t i = 0; i < count; i++)
		inputs[1 + i] = pieces[i];
	crypto_hash(backend, hash, inputs, 1 + count, mac);
	inputs[0] = (struct crypto_piece){outer, block_bytes};
	inputs[1] = (struct crypto_piece){mac, crypto_digest_bytes(hash)};
	crypto_hash(backend, hash, inputs, 2, mac);
	crypto_wipe(inner, sizeof(inner));
	crypto_wipe(outer, sizeof(outer));
}

void
crypto_hkdf_extract(struct crypto_backend *backend, enum crypto_hash hash, const void *salt,
	size_t salt_length, const void *input, size_t input_length, uint8_t *prk)
{
	/* RFC 5869 2.2: no salt is a digest of zeros, which HMAC's padding of the key comes to as well. */
	crypto_hmac(backend, hash, salt, salt_length, &(struct crypto_piece){input, input_length}, 1, prk);
}

void
crypto_hkdf_expand(struct crypto_backend *backend, enum crypto_hash hash, const uint8_t *prk,
	const void *info, size_t info_length, uint8_t *output, size_t length)
{
	size_t digest_bytes = crypto_digest_bytes(hash);
	uint8_t digest[CRYPTO_DIGEST_BYTES_MAX];
	uint8_t counter = 0;

	base_assert(length <= 255 * digest_bytes);
	while (length > 0) {
		size_t part = length < digest_bytes ? length : digest_bytes;
		struct crypto_piece pieces[3] = {
			{digest, counter == 0 ? 0 : digest_bytes}, {info, info_length}, {&counter, 1}};

		counter++;
		crypto_hmac(backend, hash, prk, digest_bytes, pieces, 3, digest);
		memcpy(output, digest, part);
		output += part;
		length -= part;
	}
	crypto_wipe(digest, sizeof(digest));
}

void
crypto_hkdf_expand_label(struct crypto_backend *backend, enum crypto_hash hash, const uint8_t *secret,
	const char *label, uint8_t *output, size_t length)
{
	static const char prefix[] = "tls13 ";
	uint8_t info[2 + 1 + LABEL_BYTES_MAX + 1];
	struct base_writer writer = base_writer(info, sizeof(info));
	size_t prefix_length = sizeof(prefix) - 1;
	size_t label_length = strlen(label);

	base_assert(length <= UINT16_MAX && prefix_length + label_length <= LABEL_BYTES_MAX);
	base_writer_u16(&writer, (uint16_t)length);
	base_writer_u8(&writer, (uint8_t)(prefix_length + label_length));
	base_writer_octets(&writer, prefix, prefix_length);
	base_writer_octets(&writer, label, label_length);
	base_writer_u8(&writer, 0);
	base_assert(base_writer_ok(&writer));
	crypto_hkdf_expand(backend, hash, secret, info, base_writer_length(&writer), output, length);
}
