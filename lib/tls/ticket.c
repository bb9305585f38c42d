/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Session tickets sealed under keys that all gateways of a site share (RFC 5077's layout, RFC 8446 section 4.6.1).
 * Every ticket has a key of its own, derived from the shared one and 128 random bits, so that many gateways may
 * seal any number of tickets without a nonce ever meeting itself. In wolfSSL's room for a MAC stand: the tag of
 * AES-256-GCM (16 octets), the time of issue (8), the length of the resumption chain (1), zeros (7).
 */
#include "tls/internal.h"

#include <string.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/hmac.h>

#include "base/reader.h"
#include "base/writer.h"

enum {
	TAG_BYTES = 16,
	SALT_BYTES = 16,
	KEY_BYTES = 32,
	NONCE_BYTES = 12,
	/* wolfSSL counts resumptions in the octet of the ticket nonce and fails when it is full. */
	CHAIN_MAX = 200,
	/* Gateways whose clocks differ by less than this take each other's tickets. */
	CLOCK_SKEW_S = 60
};

struct stamp {
	uint8_t octets[WOLFSSL_TICKET_MAC_SZ - TAG_BYTES];
};

static struct stamp
stamp_write(uint64_t issued_s, uint8_t chain)
{
	struct stamp stamp;
	struct base_writer writer = base_writer(stamp.octets, sizeof(stamp.octets));

	base_writer_u64(&writer, issued_s);
	base_writer_u8(&writer, chain);
	base_writer_fill(&writer, 0, base_writer_room(&writer));
	return stamp;
}

static bool
derive(const uint8_t *key, const uint8_t *salt, uint8_t out[KEY_BYTES + NONCE_BYTES])
{
	static const uint8_t info[] = "millrace session ticket";

	return wc_HKDF(WC_SHA256, key, KEY_BYTES, salt, SALT_BYTES, info, sizeof(info) - 1, out,
		       KEY_BYTES + NONCE_BYTES) == 0;
}

/* A ticket counts for the name it was issued for only, so the name is authenticated with it. */
static size_t
associated_data(const struct tls_session *session, const uint8_t *key_name, const uint8_t *salt,
	const uint8_t *stamp, uint8_t *out, size_t room)
{
	struct base_writer writer = base_writer(out, room);

	base_writer_octets(&writer, key_name, WOLFSSL_TICKET_NAME_SZ);
	base_writer_octets(&writer, salt, SALT_BYTES);
	base_writer_octets(&writer, stamp, sizeof(struct stamp));
	base_writer_octets(&writer, session->server_name, strlen(session->server_name));
	return base_writer_length(&writer);
}

enum { ASSOCIATED_DATA_MAX = 64 + TLS_SERVER_NAME_BYTES };

/* Seals or opens `length` octets in place. */
static bool
protect(const struct tls_session *session, const uint8_t *key, const uint8_t *key_name, const uint8_t *salt,
	uint8_t *mac, bool seal, uint8_t *octets, size_t length)
{
	uint8_t material[KEY_BYTES + NONCE_BYTES], data[ASSOCIATED_DATA_MAX];
	size_t data_length = associated_data(session, key_name, salt, mac + TAG_BYTES, data, sizeof(data));
	const uint8_t *nonce = material + KEY_BYTES;
	Aes aes;
	bool ok = false;

	if (!derive(key, salt, material))
		return false;
	if (wc_AesInit(&aes, NULL, INVALID_DEVID) != 0)
		return false;
	if (wc_AesGcmSetKey(&aes, material, KEY_BYTES) == 0) {
		if (seal)
			ok = wc_AesGcmEncrypt(&aes, octets, octets, (word32)length, nonce, NONCE_BYTES, mac,
				     TAG_BYTES, data, (word32)data_length) == 0;
		else
			ok = wc_AesGcmDecrypt(&aes, octets, octets, (word32)length, nonce, NONCE_BYTES, mac,
				     TAG_BYTES, data, (word32)data_length) == 0;
	}
	wc_AesFree(&aes);
	explicit_bzero(material, sizeof(material));
	return ok;
}

static int
seal_ticket(struct tls_session *session, uint8_t *key_name, uint8_t *salt, uint8_t *mac, uint8_t *ticket,
	int length)
{
	struct tls_context *context = session->context;
	struct stamp stamp = stamp_write(context->unix_s, session->ticket_chain);

	if (context->ticket_keys.count == 0)
		return WOLFSSL_TICKET_RET_FATAL;
	memcpy(key_name, context->ticket_keys.keys[0].id, WOLFSSL_TICKET_NAME_SZ);
	if (wc_RNG_GenerateBlock(&context->random, salt, SALT_BYTES) != 0)
		return WOLFSSL_TICKET_RET_FATAL;
	memcpy(mac + TAG_BYTES, stamp.octets, sizeof(stamp.octets));
	if (!protect(session, context->ticket_keys.keys[0].key, key_name, salt, mac, true, ticket,
		    (size_t)length))
		return WOLFSSL_TICKET_RET_FATAL;
	return WOLFSSL_TICKET_RET_OK;
}

static const uint8_t *
key_of(const struct tls_ticket_keys *keys, const uint8_t *key_name)
{
	for (uint32_t i = 0; i < keys->count; i++) {
		if (memcmp(keys->keys[i].id, key_name, sizeof(keys->keys[i].id)) == 0)
			return keys->keys[i].key;
	}
	return NULL;
}

/* What cannot be opened is no error: the handshake is a full one then (RFC 8446 section 4.2.11). */
static int
open_ticket(struct tls_session *session, uint8_t *key_name, uint8_t *salt, uint8_t *mac, uint8_t *ticket,
	int length)
{
	const struct tls_context *context = session->context;
	const uint8_t *key = key_of(&context->ticket_keys, key_name);
	struct base_reader stamp = base_reader(mac + TAG_BYTES, sizeof(struct stamp));
	uint64_t issued_s = base_reader_u64(&stamp);
	uint8_t chain = base_reader_u8(&stamp);

	if (key == NULL || !protect(session, key, key_name, salt, mac, false, ticket, (size_t)length))
		return WOLFSSL_TICKET_RET_REJECT;
	if (issued_s > context->unix_s + CLOCK_SKEW_S ||
		issued_s + context->ticket_lifetime_s < context->unix_s || chain >= CHAIN_MAX)
		return WOLFSSL_TICKET_RET_REJECT;
	session->ticket_chain = chain + 1;
	/* wolfSSL sends a new one with every handshake anyway, and takes RET_CREATE for a refusal in TLS 1.3. */
	return WOLFSSL_TICKET_RET_OK;
}

int
tls_ticket_crypt(WOLFSSL *library, unsigned char *key_name, unsigned char *iv, unsigned char *mac,
	int encrypt, unsigned char *ticket, int length, int *out_length, void *user)
{
	struct tls_session *session = wolfSSL_get_app_data(library);

	*out_length = length;
	return encrypt ? seal_ticket(session, key_name, iv, mac, ticket, length)
		       : open_ticket(session, key_name, iv, mac, ticket, length);
}
