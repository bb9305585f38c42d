/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/crypto/ipsec_mb.h"
#include "shard/route.h"

enum { SLOTS = 64, SHARDS = 4, OCTETS = 64 };

struct fixture {
	void *crypto_memory;
	void *words;
	struct crypto_backend *crypto;
	struct quic_slots slots;
	struct shard_router router;
	struct shard_port_facts facts;
	const struct shard_port_facts *ports[1];
	uint8_t regions[SLOTS * 64];
	uint8_t octets[BASE_BURST_MAX][OCTETS];
	struct base_datagram datagrams[BASE_BURST_MAX];
	uint16_t destinations[BASE_BURST_MAX];
};

static int
setup(void **state)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) / 64 * 64);
	struct quic_conn_id_config config = {.gateway = 7, .epoch = 3, .key = {1, 2, 3}};
	struct quic_slots_config slots = {
		.count = SLOTS, .slot_bytes = 64, .region_slots = SLOTS, .shards = SHARDS};

	memset(f, 0, sizeof(*f));
	f->crypto_memory = aligned_alloc(64, (crypto_ipsec_mb_bytes() + 63) / 64 * 64);
	f->crypto = crypto_ipsec_mb_open(f->crypto_memory, CRYPTO_IPSEC_MB_AUTO);
	f->words = aligned_alloc(64, (quic_slots_memory_bytes(SLOTS, SHARDS) + 63) / 64 * 64);
	slots.regions[0] = f->regions;
	quic_slots_init(&f->slots, &slots, f->words);
	quic_conn_id_codec_init(&f->router.codec, f->crypto, &config);
	f->router.slots = &f->slots;
	f->router.self = 1;
	f->router.shards = SHARDS;
	f->ports[0] = &f->facts;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	crypto_ipsec_mb_close(f->crypto);
	free(f->crypto_memory);
	free(f->words);
	free(f);
	return 0;
}

static struct base_datagram *
datagram(struct fixture *f, uint16_t index)
{
	memset(f->octets[index], 0, OCTETS);
	f->datagrams[index] = (struct base_datagram){
		.octets = f->octets[index], .length = OCTETS, .tuple_hash = 1000U + index};
	return &f->datagrams[index];
}

/* A short header with an ID of this connection. */
static void
short_header(struct fixture *f, uint16_t index, struct quic_handle handle, uint32_t sequence)
{
	struct quic_conn_id_fields fields = {
		.shard = 0, .slot = handle.slot, .generation = handle.generation, .sequence = sequence};
	struct quic_cid cid;

	quic_conn_id_encode(&f->router.codec, &fields, &cid);
	datagram(f, index)->octets[0] = 0x40;
	memcpy(f->octets[index] + 1, cid.octets, cid.length);
}

static void
long_header(struct fixture *f, uint16_t index, const uint8_t *id, uint8_t length)
{
	datagram(f, index)->octets[0] = 0xc0;
	f->octets[index][4] = 1;
	f->octets[index][5] = length;
	memcpy(f->octets[index] + 6, id, length);
}

static struct quic_handle
connection(struct fixture *f, uint16_t owner)
{
	struct quic_handle handle = quic_slots_take(&f->slots, owner);

	quic_slots_publish(&f->slots, handle, owner);
	return handle;
}

/* A short header with nothing of ours in it but a token at its end. */
static void
reset(struct fixture *f, uint16_t index, const uint8_t token[QUIC_RESET_TOKEN_BYTES])
{
	memset(datagram(f, index)->octets, 0x55, OCTETS);
	memcpy(f->octets[index] + OCTETS - QUIC_RESET_TOKEN_BYTES, token, QUIC_RESET_TOKEN_BYTES);
}

static void
route(struct fixture *f, uint16_t count)
{
	shard_route(&f->router, f->ports, f->datagrams, count, f->destinations);
}

static void
route__sends_each_datagram_to_the_owner_of_its_slot(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handles[SHARDS];

	for (uint16_t i = 0; i < SHARDS; i++) {
		handles[i] = connection(f, i);
		short_header(f, i, handles[i], 5U + i);
	}
	route(f, SHARDS);
	for (uint16_t i = 0; i < SHARDS; i++) {
		assert_int_equal(f->destinations[i], i);
		assert_int_equal(f->datagrams[i].slot, handles[i].slot);
		assert_int_equal(f->datagrams[i].generation, handles[i].generation);
		assert_int_equal(f->datagrams[i].id_sequence, 5 + i);
	}
}

static void
route__finds_our_id_in_a_long_header_too(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handle = connection(f, 3);

	short_header(f, 0, handle, 0);
	long_header(f, 1, f->octets[0] + 1, f->router.codec.length);
	route(f, 2);
	assert_int_equal(f->destinations[1], 3);
	assert_int_equal(f->datagrams[1].slot, handle.slot);
}

static void
route__follows_a_slot_that_has_a_new_owner(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handle = connection(f, 2);

	short_header(f, 0, handle, 0);
	quic_slots_grant(&f->slots, handle.slot, 2, 0);
	route(f, 1);
	assert_int_equal(f->destinations[0], 0);
}

static void
route__leaves_what_names_no_connection_where_it_is(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handle = connection(f, 0), old = handle;

	short_header(f, 0, (struct quic_handle){.slot = QUIC_CONN_ID_SLOT_NONE, .generation = 0}, 0);
	old.generation++;
	short_header(f, 1, old, 0); /* of another generation */
	short_header(f, 2, handle, 0);
	f->octets[2][9] ^= 1; /* of nobody */
	short_header(f, 3, handle, 0);
	f->datagrams[3].length = 10; /* no whole ID */
	datagram(f, 4)->length = 0;
	quic_slots_free(&f->slots, handle.slot, 0);
	short_header(f, 5, handle, 0); /* of a slot that is free */
	route(f, 6);
	for (uint16_t i = 0; i < 6; i++) {
		assert_int_equal(f->destinations[i], f->router.self);
		assert_int_equal(f->datagrams[i].slot, BASE_SLOT_NONE);
	}
}

static void
route__sends_initials_to_the_shard_of_their_tuple(void **state)
{
	static const uint8_t id[20] = {9, 9, 9};
	struct fixture *f = *state;

	for (uint16_t i = 0; i < 40; i++)
		long_header(f, i, id, (uint8_t)(i % 21));
	route(f, 40);
	for (uint16_t i = 0; i < 40; i++) {
		assert_int_equal(f->destinations[i], (1000 + i) % SHARDS);
		assert_int_equal(f->datagrams[i].slot, BASE_SLOT_NONE);
	}
}

static void
route_home__is_the_receiving_shard_where_the_card_spreads(void **state)
{
	struct fixture *f = *state;

	f->facts.rss = true;
	f->facts.reta_size = 128;
	f->facts.queues = SHARDS;
	f->facts.reta[5] = 3;
	assert_int_equal(shard_route_home(&f->router, &f->facts, 128 + 5), 3);
	f->facts.queues = 2; /* fewer than shards: the others would get no client */
	assert_int_equal(shard_route_home(&f->router, &f->facts, 128 + 5), (128 + 5) % SHARDS);
}

/*
 * RFC 9000 section 10.3.1: "An endpoint detects a potential Stateless Reset using the last 16 bytes of the UDP datagram." It carries
 * no connection ID of ours, so any shard may have received it.
 */
static void
route__brings_a_stateless_reset_to_the_owner(void **state)
{
	struct fixture *f = *state;
	struct quic_handle mine = connection(f, 1), others = connection(f, 2), moving = connection(f, 2),
			   gone = connection(f, 3);
	const struct quic_handle handles[] = {mine, others, moving, gone};
	uint8_t tokens[5][QUIC_RESET_TOKEN_BYTES] = {{1}, {2}, {3}, {4}, {5}};
	const uint16_t wanted[] = {1, 2, 3, 1, 1};

	memset(f->router.hash_key, 0x33, sizeof(f->router.hash_key));
	for (int i = 0; i < 4; i++)
		assert_true(quic_reset_table_insert(
			&f->slots.resets, quic_reset_key(f->router.hash_key, tokens[i]), handles[i].slot));
	quic_slots_grant(&f->slots, moving.slot, 2, 3);
	quic_slots_free(&f->slots, gone.slot, 3);
	for (uint16_t i = 0; i < 5; i++)
		reset(f, i, tokens[i]);
	route(f, 5);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(f->destinations[i], wanted[i]);
		assert_int_equal(f->datagrams[i].slot, BASE_SLOT_NONE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			route__sends_each_datagram_to_the_owner_of_its_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(route__finds_our_id_in_a_long_header_too, setup, teardown),
		cmocka_unit_test_setup_teardown(route__follows_a_slot_that_has_a_new_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(
			route__leaves_what_names_no_connection_where_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(
			route__sends_initials_to_the_shard_of_their_tuple, setup, teardown),
		cmocka_unit_test_setup_teardown(
			route__brings_a_stateless_reset_to_the_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(
			route_home__is_the_receiving_shard_where_the_card_spreads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
