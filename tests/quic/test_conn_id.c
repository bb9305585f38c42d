/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/datagram.h"
#include "base/random.h"
#include "quic/conn_id.h"
#include "tests/support/backend.h"
#include "tests/support/hex.h"

static struct quic_conn_id_codec codec;
static const uint16_t words[4] = {0x1234, 0x2345, 0x3456, 0x4567};

static struct quic_conn_id_config
config_of(enum quic_conn_id_mode mode)
{
	struct quic_conn_id_config config = {.mode = mode,
		.config_id = 3,
		.gateway = 0x0102,
		.epoch = 7,
		.steering_words = words,
		.shards = 4};

	memset(config.key, 0x11, sizeof(config.key));
	memset(config.reset_key, 0x22, sizeof(config.reset_key));
	return config;
}

static enum quic_conn_id_result
decode_one(const struct quic_cid *cid, struct quic_conn_id_fields *fields)
{
	const uint8_t *ids[1] = {cid->octets};
	enum quic_conn_id_result result;

	quic_conn_id_decode(&codec, ids, fields, &result, 1);
	return result;
}

/* draft-ietf-quic-load-balancers-21 appendix B.2, the case of 16 octets: our fields are its server ID and nonce,
 * cut elsewhere. */
static void
conn_id_encode__matches_the_single_pass_vector(void **state)
{
	struct quic_conn_id_config config = {.config_id = 2, .gateway = 0xed79, .epoch = 0x48c0d1e5};
	struct quic_conn_id_fields fields = {
		.shard = 0x3a5, .slot = 0x1d49b8, .sequence = 0xf5fee, .generation = 0x080dbf};
	struct quic_conn_id_fields decoded;
	uint8_t expected[17];
	struct quic_cid cid;

	support_hex("8f95f09245765f80256934e50c66207f", config.key, sizeof(config.key));
	support_hex("504dd2d05a7b0de9b2b9907afb5ecf8cc3", expected, sizeof(expected));
	quic_conn_id_codec_init(&codec, support_backend(), &config);
	quic_conn_id_encode(&codec, &fields, &cid);
	assert_int_equal(cid.length, 17);
	assert_memory_equal(cid.octets, expected, 17);
	assert_int_equal(decode_one(&cid, &decoded), QUIC_CONN_ID_OURS);
	assert_int_equal(decoded.gateway, 0xed79);
	assert_int_equal(decoded.epoch, 0x48c0d1e5);
	assert_true(quic_conn_id_same_connection(&decoded, &decoded));
}

static void
round_trip(enum quic_conn_id_mode mode)
{
	struct quic_conn_id_config config = config_of(mode);
	struct quic_conn_id_fields fields[BASE_BURST_MAX];
	struct quic_conn_id_fields decoded[BASE_BURST_MAX];
	enum quic_conn_id_result results[BASE_BURST_MAX];
	struct quic_cid cids[BASE_BURST_MAX];
	const uint8_t *ids[BASE_BURST_MAX];
	struct base_random random;

	base_random_init(&random, 1);
	quic_conn_id_codec_init(&codec, support_backend(), &config);
	for (size_t i = 0; i < BASE_BURST_MAX; i++) {
		fields[i] = (struct quic_conn_id_fields){.gateway = config.gateway,
			.epoch = config.epoch,
			.shard = (uint16_t)base_random_below(&random, 4),
			.slot = (uint32_t)base_random_below(&random, 1 << 24),
			.sequence = (uint32_t)base_random_below(&random, 1 << 20),
			.generation = (uint32_t)base_random_below(&random, 1 << 24)};
		quic_conn_id_encode(&codec, &fields[i], &cids[i]);
		assert_int_equal(cids[i].length, codec.length);
		ids[i] = cids[i].octets;
	}
	ids[5] = NULL;
	quic_conn_id_decode(&codec, ids, decoded, results, BASE_BURST_MAX);
	for (size_t i = 0; i < BASE_BURST_MAX; i++) {
		if (i == 5) {
			assert_int_equal(results[i], QUIC_CONN_ID_MALFORMED);
			continue;
		}
		assert_int_equal(results[i], QUIC_CONN_ID_OURS);
		assert_int_equal(decoded[i].shard, fields[i].shard);
		assert_int_equal(decoded[i].slot, fields[i].slot);
		assert_int_equal(decoded[i].sequence, fields[i].sequence);
		assert_int_equal(decoded[i].generation, fields[i].generation);
	}
}

static void
conn_id_decode__gives_back_a_burst_of_sealed_ids(void **state)
{
	round_trip(QUIC_CONN_ID_SEALED);
}

static void
conn_id_decode__gives_back_a_burst_of_clear_ids(void **state)
{
	round_trip(QUIC_CONN_ID_CLEAR);
}

static void
conn_id_encode__gives_nothing_in_empty_mode(void **state)
{
	struct quic_conn_id_config config = config_of(QUIC_CONN_ID_EMPTY);
	struct quic_conn_id_fields fields = {.shard = 1, .slot = 2};
	struct quic_cid cid = {.length = 1};

	quic_conn_id_codec_init(&codec, support_backend(), &config);
	assert_int_equal(codec.length, 0);
	quic_conn_id_encode(&codec, &fields, &cid);
	assert_int_equal(cid.length, 0);
}

static void
conn_id_decode__tells_epoch_gateway_and_form_apart(void **state)
{
	struct quic_conn_id_config config = config_of(QUIC_CONN_ID_SEALED);
	struct quic_conn_id_fields fields = {.shard = 1, .slot = 2};
	struct quic_cid cid;

	quic_conn_id_codec_init(&codec, support_backend(), &config);
	quic_conn_id_encode(&codec, &fields, &cid);
	config.epoch++;
	quic_conn_id_codec_init(&codec, support_backend(), &config);
	assert_int_equal(decode_one(&cid, &fields), QUIC_CONN_ID_OTHER_EPOCH);
	config.epoch--;
	config.gateway++;
	quic_conn_id_codec_init(&codec, support_backend(), &config);
	assert_int_equal(decode_one(&cid, &fields), QUIC_CONN_ID_OTHER_GATEWAY);
	assert_int_equal(fields.gateway, 0x0102);
	cid.octets[0] ^= 0x20;
	assert_int_equal(decode_one(&cid, &fields), QUIC_CONN_ID_MALFORMED);
}

/* A card steers by the clear octets: who alters them must not keep a valid ID. */
static void
conn_id_decode__refuses_clear_octets_that_belie_the_block(void **state)
{
	struct quic_conn_id_config config = config_of(QUIC_CONN_ID_CLEAR);
	struct quic_conn_id_fields fields = {.shard = 1, .slot = 2};
	struct quic_cid cid;

	quic_conn_id_codec_init(&codec, support_backend(), &config);
	quic_conn_id_encode(&codec, &fields, &cid);
	assert_int_equal(cid.octets[1] << 8 | cid.octets[2], words[1]);
	for (size_t i = 1; i <= 3; i++) {
		cid.octets[i] ^= 1;
		assert_int_equal(decode_one(&cid, &fields), QUIC_CONN_ID_OTHER_GATEWAY);
		cid.octets[i] ^= 1;
	}
	assert_int_equal(decode_one(&cid, &fields), QUIC_CONN_ID_OURS);
}

static void
conn_id_decode__refuses_every_changed_bit(void **state)
{
	struct quic_conn_id_config config = config_of(QUIC_CONN_ID_SEALED);
	struct quic_conn_id_fields fields = {.shard = 1, .slot = 2};
	struct quic_cid cid;

	quic_conn_id_codec_init(&codec, support_backend(), &config);
	quic_conn_id_encode(&codec, &fields, &cid);
	for (size_t bit = 0; bit < 8 * (size_t)cid.length; bit++) {
		cid.octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(decode_one(&cid, &fields), QUIC_CONN_ID_OURS);
		cid.octets[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static void
conn_id_reset_token__depends_on_id_and_key(void **state)
{
	struct quic_conn_id_config config = config_of(QUIC_CONN_ID_SEALED);
	struct quic_conn_id_fields fields = {.shard = 1, .slot = 2};
	uint8_t a[16];
	uint8_t b[16];
	struct quic_cid cid;

	quic_conn_id_codec_init(&codec, support_backend(), &config);
	quic_conn_id_encode(&codec, &fields, &cid);
	quic_conn_id_reset_token(&codec, cid.octets, cid.length, a);
	quic_conn_id_reset_token(&codec, cid.octets, cid.length, b);
	assert_memory_equal(a, b, 16);
	cid.octets[16] ^= 1;
	quic_conn_id_reset_token(&codec, cid.octets, cid.length, b);
	assert_memory_not_equal(a, b, 16);
	cid.octets[16] ^= 1;
	config.reset_key[0] ^= 1;
	quic_conn_id_codec_init(&codec, support_backend(), &config);
	quic_conn_id_reset_token(&codec, cid.octets, cid.length, b);
	assert_memory_not_equal(a, b, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conn_id_encode__matches_the_single_pass_vector),
		cmocka_unit_test(conn_id_decode__gives_back_a_burst_of_sealed_ids),
		cmocka_unit_test(conn_id_decode__gives_back_a_burst_of_clear_ids),
		cmocka_unit_test(conn_id_encode__gives_nothing_in_empty_mode),
		cmocka_unit_test(conn_id_decode__tells_epoch_gateway_and_form_apart),
		cmocka_unit_test(conn_id_decode__refuses_clear_octets_that_belie_the_block),
		cmocka_unit_test(conn_id_decode__refuses_every_changed_bit),
		cmocka_unit_test(conn_id_reset_token__depends_on_id_and_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
