/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/keys.h"
#include "rfc9001.h"
#include "support.h"

#define PACKET_BYTES_MAX 2048

/* A packet of the appendix, before and after. */
struct sample {
	enum crypto_aead aead;
	const char *secret, *header, *payload, *packet;
	size_t payload_bytes;
	size_t packet_number_offset;
	uint64_t packet_number;
};

static const struct sample samples[] = {
	{CRYPTO_AES_128_GCM, RFC9001_CLIENT_SECRET, RFC9001_CLIENT_HEADER, RFC9001_CLIENT_PAYLOAD,
		RFC9001_CLIENT_PACKET, RFC9001_CLIENT_PAYLOAD_BYTES, 18, 2},
	{CRYPTO_AES_128_GCM, RFC9001_SERVER_SECRET, RFC9001_SERVER_HEADER, RFC9001_SERVER_PAYLOAD,
		RFC9001_SERVER_PACKET, sizeof(RFC9001_SERVER_PAYLOAD) / 2, 18, 1},
	{CRYPTO_CHACHA20_POLY1305, RFC9001_CHACHA_SECRET, RFC9001_CHACHA_HEADER, "01", RFC9001_CHACHA_PACKET,
		1, 1, RFC9001_CHACHA_PACKET_NUMBER},
};

static void
crypto_initial_secrets__are_those_of_appendix_a1(void **state)
{
	const struct backends *backends = *state;
	uint8_t conn_id[8], client[CRYPTO_INITIAL_SECRET_BYTES], server[CRYPTO_INITIAL_SECRET_BYTES];

	hex(RFC9001_CONN_ID, conn_id);
	for (uint32_t i = 0; i < backends->count; i++) {
		crypto_initial_secrets(backends->backend[i], conn_id, sizeof(conn_id), client, server);
		assert_hex(client, RFC9001_CLIENT_SECRET);
		assert_hex(server, RFC9001_SERVER_SECRET);
	}
}

static void
derived(struct crypto_backend *backend, enum crypto_aead aead, const char *secret_digits, const char *key,
	const char *iv, const char *hp)
{
	struct crypto_packet_keys keys;
	uint8_t secret[CRYPTO_SECRET_BYTES_MAX];

	hex(secret_digits, secret);
	crypto_packet_keys_derive(backend, aead, secret, &keys);
	assert_int_equal(keys.aead, aead);
	assert_hex(keys.key, key);
	assert_hex(keys.iv, iv);
	assert_hex(keys.hp, hp);
}

static void
crypto_packet_keys_derive__gives_the_keys_of_appendix_a(void **state)
{
	const struct backends *backends = *state;

	for (uint32_t i = 0; i < backends->count; i++) {
		derived(backends->backend[i], CRYPTO_AES_128_GCM, RFC9001_CLIENT_SECRET, RFC9001_CLIENT_KEY,
			RFC9001_CLIENT_IV, RFC9001_CLIENT_HP);
		derived(backends->backend[i], CRYPTO_AES_128_GCM, RFC9001_SERVER_SECRET, RFC9001_SERVER_KEY,
			RFC9001_SERVER_IV, RFC9001_SERVER_HP);
		derived(backends->backend[i], CRYPTO_CHACHA20_POLY1305, RFC9001_CHACHA_SECRET,
			RFC9001_CHACHA_KEY, RFC9001_CHACHA_IV, RFC9001_CHACHA_HP);
	}
}

/* RFC 9001 6.1: "The header protection key is not updated." */
static void
crypto_packet_keys_derive_key__leaves_header_protection(void **state)
{
	const struct backends *backends = *state;

	for (uint32_t i = 0; i < backends->count; i++) {
		struct crypto_packet_keys keys;
		uint8_t secret[CRYPTO_SECRET_BYTES_MAX];

		memset(&keys, 0xee, sizeof(keys));
		hex(RFC9001_CLIENT_SECRET, secret);
		crypto_packet_keys_derive_key(backends->backend[i], CRYPTO_AES_128_GCM, secret, &keys);
		assert_hex(keys.key, RFC9001_CLIENT_KEY);
		assert_hex(keys.iv, RFC9001_CLIENT_IV);
		assert_hex(keys.hp, "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
	}
}

static void
crypto_next_secret__is_that_of_appendix_a5(void **state)
{
	const struct backends *backends = *state;
	uint8_t secret[CRYPTO_SECRET_BYTES_MAX];

	for (uint32_t i = 0; i < backends->count; i++) {
		hex(RFC9001_CHACHA_SECRET, secret);
		crypto_next_secret(backends->backend[i], CRYPTO_CHACHA20_POLY1305, secret, secret);
		assert_hex(secret, RFC9001_CHACHA_KU);
	}
}

/* A secret of AES-256-GCM has 48 octets, for which the appendix has no sample: the backends must agree. */
static void
crypto_next_secret__agrees_over_sha384(void **state)
{
	const struct backends *backends = *state;
	struct crypto_packet_keys keys, other;
	uint8_t secret[48] = {7}, next[48], other_next[48];

	assert_int_equal(crypto_secret_bytes(CRYPTO_AES_256_GCM), 48);
	memset(&keys, 0, sizeof(keys));
	memset(&other, 0, sizeof(other));
	crypto_next_secret(backends->backend[0], CRYPTO_AES_256_GCM, secret, next);
	crypto_packet_keys_derive(backends->backend[0], CRYPTO_AES_256_GCM, secret, &keys);
	for (uint32_t i = 1; i < backends->count; i++) {
		crypto_next_secret(backends->backend[i], CRYPTO_AES_256_GCM, secret, other_next);
		crypto_packet_keys_derive(backends->backend[i], CRYPTO_AES_256_GCM, secret, &other);
		assert_memory_equal(next, other_next, sizeof(next));
		assert_memory_equal(&keys, &other, sizeof(keys));
	}
}

static void
crypto_retry_tag__is_that_of_appendix_a4(void **state)
{
	const struct backends *backends = *state;
	uint8_t conn_id[8], retry[64], tag[CRYPTO_TAG_BYTES];
	size_t retry_length = hex(RFC9001_RETRY_BODY, retry);

	hex(RFC9001_CONN_ID, conn_id);
	for (uint32_t i = 0; i < backends->count; i++) {
		assert_true(crypto_retry_tag(
			backends->backend[i], conn_id, sizeof(conn_id), retry, retry_length, tag));
		assert_hex(tag, RFC9001_RETRY_TAG);
	}
}

static void
crypto_retry_tag__refuses_a_packet_too_long(void **state)
{
	const struct backends *backends = *state;
	uint8_t retry[CRYPTO_RETRY_BYTES_MAX + 1] = {0}, tag[CRYPTO_TAG_BYTES], conn_id[20] = {0};

	assert_true(crypto_retry_tag(
		backends->backend[0], conn_id, sizeof(conn_id), retry, CRYPTO_RETRY_BYTES_MAX, tag));
	assert_false(crypto_retry_tag(
		backends->backend[0], conn_id, sizeof(conn_id), retry, CRYPTO_RETRY_BYTES_MAX + 1, tag));
}

/* RFC 9001 6.6. */
static void
crypto_limits__are_those_of_section_6_6(void **state)
{
	assert_int_equal(crypto_confidentiality_limit(CRYPTO_AES_128_GCM), UINT64_C(1) << 23);
	assert_int_equal(crypto_confidentiality_limit(CRYPTO_AES_256_GCM), UINT64_C(1) << 23);
	assert_int_equal(crypto_confidentiality_limit(CRYPTO_CHACHA20_POLY1305), UINT64_MAX);
	assert_int_equal(crypto_integrity_limit(CRYPTO_AES_128_GCM), UINT64_C(1) << 52);
	assert_int_equal(crypto_integrity_limit(CRYPTO_AES_256_GCM), UINT64_C(1) << 52);
	assert_int_equal(crypto_integrity_limit(CRYPTO_CHACHA20_POLY1305), UINT64_C(1) << 36);
}

static void
crypto_nonce__is_that_of_appendix_a5(void **state)
{
	uint8_t iv[CRYPTO_NONCE_BYTES], nonce[CRYPTO_NONCE_BYTES];

	hex(RFC9001_CHACHA_IV, iv);
	crypto_nonce(iv, RFC9001_CHACHA_PACKET_NUMBER, nonce);
	assert_hex(nonce, RFC9001_CHACHA_NONCE);
	memset(iv, 0, sizeof(iv));
	crypto_nonce(iv, UINT64_C(0x0102030405060708), nonce);
	assert_hex(nonce, "000000000102030405060708");
}

static void
crypto_sample_fits__from_twenty_octets_on(void **state)
{
	assert_false(crypto_sample_fits(9, 28));
	assert_true(crypto_sample_fits(9, 29));
	assert_int_equal(crypto_sample_offset(9), 13);
}

static void
make_mask(struct crypto_backend *backend, const struct crypto_packet_keys *keys, const struct sample *sample,
	const uint8_t *packet, uint8_t mask[CRYPTO_MASK_BYTES])
{
	struct crypto_mask_job job = {.key = expand_mask(backend, keys->aead, keys->hp),
		.sample = packet + crypto_sample_offset(sample->packet_number_offset),
		.aead = keys->aead};

	crypto_mask(backend, &job, 1);
	memcpy(mask, job.mask, CRYPTO_MASK_BYTES);
	free((void *)(uintptr_t)job.key);
}

static void
protect_sample(struct crypto_backend *backend, const struct sample *sample)
{
	struct crypto_packet_keys keys;
	uint8_t secret[CRYPTO_SECRET_BYTES_MAX], packet[PACKET_BYTES_MAX] = {0}, mask[CRYPTO_MASK_BYTES];
	size_t header_bytes = hex(sample->header, packet);
	struct crypto_job job = {.data = packet + header_bytes,
		.aad = packet,
		.aead = (uint8_t)sample->aead,
		.length = (uint32_t)sample->payload_bytes,
		.aad_length = (uint16_t)header_bytes};

	hex(sample->payload, job.data);
	hex(sample->secret, secret);
	crypto_packet_keys_derive(backend, sample->aead, secret, &keys);
	crypto_nonce(keys.iv, sample->packet_number, job.nonce);
	job.key = expand(backend, sample->aead, keys.key);
	crypto_seal(backend, &job, 1);
	assert_true(job.ok);
	make_mask(backend, &keys, sample, packet, mask);
	crypto_header_protect(mask, packet, sample->packet_number_offset);
	assert_hex(packet, sample->packet);
	free((void *)(uintptr_t)job.key);
}

static void
unprotect_sample(struct crypto_backend *backend, const struct sample *sample)
{
	struct crypto_packet_keys keys;
	uint8_t secret[CRYPTO_SECRET_BYTES_MAX], packet[PACKET_BYTES_MAX], mask[CRYPTO_MASK_BYTES];
	uint8_t payload[PACKET_BYTES_MAX] = {0};
	size_t packet_bytes = hex(sample->packet, packet);
	size_t header_bytes;
	struct crypto_job job = {.aad = packet, .aead = (uint8_t)sample->aead};

	hex(sample->payload, payload);
	hex(sample->secret, secret);
	crypto_packet_keys_derive(backend, sample->aead, secret, &keys);
	make_mask(backend, &keys, sample, packet, mask);
	header_bytes = sample->packet_number_offset +
		crypto_header_unprotect(mask, packet, sample->packet_number_offset);
	assert_hex(packet, sample->header);
	assert_int_equal(header_bytes, strlen(sample->header) / 2);
	crypto_nonce(keys.iv, sample->packet_number, job.nonce);
	job.data = packet + header_bytes;
	job.length = (uint32_t)(packet_bytes - header_bytes - CRYPTO_TAG_BYTES);
	job.aad_length = (uint16_t)header_bytes;
	job.key = expand(backend, sample->aead, keys.key);
	crypto_open(backend, &job, 1);
	assert_true(job.ok);
	assert_int_equal(job.length, sample->payload_bytes);
	assert_memory_equal(job.data, payload, job.length);
	free((void *)(uintptr_t)job.key);
}

static void
crypto_header_protect__gives_the_packets_of_appendix_a(void **state)
{
	const struct backends *backends = *state;

	for (uint32_t i = 0; i < backends->count; i++)
		for (size_t s = 0; s < sizeof(samples) / sizeof(samples[0]); s++)
			protect_sample(backends->backend[i], &samples[s]);
}

static void
crypto_header_unprotect__opens_the_packets_of_appendix_a(void **state)
{
	const struct backends *backends = *state;

	for (uint32_t i = 0; i < backends->count; i++)
		for (size_t s = 0; s < sizeof(samples) / sizeof(samples[0]); s++)
			unprotect_sample(backends->backend[i], &samples[s]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crypto_initial_secrets__are_those_of_appendix_a1),
		cmocka_unit_test(crypto_packet_keys_derive__gives_the_keys_of_appendix_a),
		cmocka_unit_test(crypto_packet_keys_derive_key__leaves_header_protection),
		cmocka_unit_test(crypto_next_secret__is_that_of_appendix_a5),
		cmocka_unit_test(crypto_next_secret__agrees_over_sha384),
		cmocka_unit_test(crypto_retry_tag__is_that_of_appendix_a4),
		cmocka_unit_test(crypto_retry_tag__refuses_a_packet_too_long),
		cmocka_unit_test(crypto_limits__are_those_of_section_6_6),
		cmocka_unit_test(crypto_nonce__is_that_of_appendix_a5),
		cmocka_unit_test(crypto_sample_fits__from_twenty_octets_on),
		cmocka_unit_test(crypto_header_protect__gives_the_packets_of_appendix_a),
		cmocka_unit_test(crypto_header_unprotect__opens_the_packets_of_appendix_a),
	};

	return cmocka_run_group_tests(tests, backends_open, backends_close);
}
