/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the home shard does with datagrams that begin connections, with an endpoint without QUIC. */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "shard/placement.h"
#include "tests/shard/fake_endpoint.h"

enum { SELF = 1, TARGET = 3, SHARDS = 4, OCTETS = 1200, CLIENTS = 4000, BUCKETS = 8 };
enum { INITIAL = 0xc0, ZERO_RTT = 0xd0, HANDSHAKE = 0xe0, SHORT = 0x40 };
#define KEEP_NS (10 * BASE_SECOND)

struct fixture {
	struct shard_placement placement;
	struct quic_endpoint endpoint;
	struct shard_bucket_orders bucket_orders;
	struct shard_buckets buckets;
	_Atomic uint32_t orders[SHARDS];
	uint64_t now_ns;
	uint8_t octets[OCTETS];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct shard_placement_config config = {.self = SELF,
		.shards = SHARDS,
		.orders = f->orders,
		.buckets = &f->buckets,
		.endpoint = &f->endpoint,
		.hash_key = {1, 2, 3},
		.keep_ns = KEEP_NS};

	f->buckets = (struct shard_buckets){.orders = &f->bucket_orders, .counts = {BUCKETS}};
	shard_placement_init(&f->placement, &config);
	f->now_ns = BASE_SECOND;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

static struct base_datagram
datagram_of(struct fixture *f, uint32_t client, uint8_t first, uint16_t length)
{
	struct base_datagram datagram = {.octets = f->octets, .length = length, .slot = BASE_SLOT_NONE};

	memset(f->octets, 0, sizeof(f->octets));
	memcpy(f->octets, (uint8_t[]){first, 0, 0, 0, 1, 8}, 6);
	memcpy(f->octets + 6, &client, sizeof(client));
	datagram.path.remote.port = (uint16_t)(1024 + client % 1000);
	return datagram;
}

/* Where a datagram at home here goes. */
static uint16_t
send(struct fixture *f, struct base_datagram *datagram)
{
	uint16_t destination = SELF;

	shard_placement_burst(&f->placement, datagram, 1, &destination, f->now_ns);
	assert_int_equal(datagram->placed, destination != SELF);
	return destination;
}

static uint16_t
send_initial(struct fixture *f, uint32_t client)
{
	struct base_datagram datagram = datagram_of(f, client, INITIAL, OCTETS);

	return send(f, &datagram);
}

static void
placement_burst__places_the_share_that_was_ordered(void **state)
{
	struct fixture *f = *state;

	for (uint16_t permille = 0; permille <= SHARD_PLACEMENT_ALL; permille += 250) {
		uint32_t placed = 0;

		f->orders[SELF] = shard_placement_order(TARGET, permille);
		for (uint32_t client = 0; client < CLIENTS; client++)
			placed += send_initial(f, permille * CLIENTS + client) == TARGET;
		assert_in_range(
			placed, CLIENTS * permille / 1000 * 9 / 10, CLIENTS * permille / 1000 * 11 / 10);
	}
}

static void
placement_burst__stays_with_its_word_when_the_order_changes(void **state)
{
	struct fixture *f = *state;

	f->orders[SELF] = shard_placement_order(TARGET, SHARD_PLACEMENT_ALL);
	assert_int_equal(send_initial(f, 7), TARGET);
	f->orders[SELF] = shard_placement_order(2, SHARD_PLACEMENT_ALL);
	assert_int_equal(send_initial(f, 7), TARGET);
	assert_int_equal(send_initial(f, 8), 2);
	f->orders[SELF] = 0;
	/* Each packet begins the time anew, as it does for the handshake at the target. */
	for (int i = 0; i < 3; i++) {
		f->now_ns += KEEP_NS - 1;
		assert_int_equal(send_initial(f, 7), TARGET);
	}
	f->now_ns += KEEP_NS;
	assert_int_equal(send_initial(f, 7), SELF);
	assert_int_equal(f->placement.counters[SHARD_PLACEMENT_PLACED], 2);
	assert_int_equal(f->placement.counters[SHARD_PLACEMENT_REMEMBERED], 4);
}

static void
placement_burst__takes_a_clients_0_rtt_along(void **state)
{
	struct fixture *f = *state;
	struct base_datagram early = datagram_of(f, 7, ZERO_RTT, OCTETS);

	f->orders[SELF] = shard_placement_order(TARGET, SHARD_PLACEMENT_ALL);
	/* By itself it begins nothing. */
	assert_int_equal(send(f, &early), SELF);
	assert_int_equal(send_initial(f, 7), TARGET);
	early = datagram_of(f, 7, ZERO_RTT, 100);
	assert_int_equal(send(f, &early), TARGET);
	early.path.remote.port++;
	early.placed = false;
	assert_int_equal(send(f, &early), SELF);
}

static void
placement_burst__keeps_what_begins_no_connection(void **state)
{
	struct fixture *f = *state;
	struct base_datagram datagram;
	uint16_t elsewhere = 2;

	f->orders[SELF] = shard_placement_order(TARGET, SHARD_PLACEMENT_ALL);
	/* RFC 9000 section 14.1: "A server MUST discard an Initial packet that is carried in a UDP datagram with a
	 * payload that is smaller than the smallest allowed maximum datagram size of 1200 bytes." */
	datagram = datagram_of(f, 1, INITIAL, OCTETS - 1);
	assert_int_equal(send(f, &datagram), SELF);
	datagram = datagram_of(f, 2, HANDSHAKE, OCTETS);
	assert_int_equal(send(f, &datagram), SELF);
	datagram = datagram_of(f, 3, SHORT, OCTETS);
	assert_int_equal(send(f, &datagram), SELF);
	datagram = datagram_of(f, 4, INITIAL, OCTETS);
	f->octets[4] = 9; /* version */
	assert_int_equal(send(f, &datagram), SELF);
	for (uint16_t length = 0; length < 14; length++) {
		datagram = datagram_of(f, 5, INITIAL, length);
		assert_int_equal(send(f, &datagram), SELF);
	}
	datagram = datagram_of(f, 6, INITIAL, OCTETS);
	datagram.octets[5] = 7; /* RFC 9000 section 7.2: at least 8 octets */
	assert_int_equal(send(f, &datagram), SELF);
	datagram.octets[5] = 21;
	assert_int_equal(send(f, &datagram), SELF);
	/* Of a connection, of another shard. */
	datagram = datagram_of(f, 7, INITIAL, OCTETS);
	datagram.slot = 5;
	assert_int_equal(send(f, &datagram), SELF);
	datagram.slot = BASE_SLOT_NONE;
	shard_placement_burst(&f->placement, &datagram, 1, &elsewhere, f->now_ns);
	assert_int_equal(elsewhere, 2);
	assert_false(datagram.placed);
	assert_int_equal(f->placement.counters[SHARD_PLACEMENT_PLACED], 0);
}

static void
placement_burst__keeps_what_was_accepted_here(void **state)
{
	struct fixture *f = *state;
	struct base_datagram datagram = datagram_of(f, 7, INITIAL, OCTETS);

	f->orders[SELF] = shard_placement_order(TARGET, SHARD_PLACEMENT_ALL);
	f->endpoint.initial_key =
		quic_initial_key(&f->placement.keyed, datagram.octets + 6, 8, &datagram.path);
	assert_int_equal(send(f, &datagram), SELF);
	assert_int_equal(send_initial(f, 8), TARGET);
}

static void
placement_burst__does_not_pass_on_what_was_given_to_us(void **state)
{
	struct fixture *f = *state;
	struct base_datagram datagram = datagram_of(f, 7, INITIAL, OCTETS);
	uint16_t destination = SELF;

	f->orders[SELF] = shard_placement_order(TARGET, SHARD_PLACEMENT_ALL);
	datagram.placed = true;
	shard_placement_burst(&f->placement, &datagram, 1, &destination, f->now_ns);
	assert_int_equal(destination, SELF);
}

static void
placement_burst__ignores_orders_that_name_us_or_nobody(void **state)
{
	struct fixture *f = *state;

	f->orders[SELF] = shard_placement_order(SELF, SHARD_PLACEMENT_ALL);
	assert_int_equal(send_initial(f, 7), SELF);
	f->orders[SELF] = shard_placement_order(SHARDS, SHARD_PLACEMENT_ALL);
	assert_int_equal(send_initial(f, 7), SELF);
}

static void
placement_burst__forgets_the_oldest_under_a_flood(void **state)
{
	struct fixture *f = *state;

	f->orders[SELF] = shard_placement_order(TARGET, SHARD_PLACEMENT_ALL);
	assert_int_equal(send_initial(f, 0), TARGET);
	for (uint32_t client = 1; client <= 16 * SHARD_PLACEMENT_PLACES; client++) {
		f->now_ns++;
		send_initial(f, client);
	}
	assert_true(f->placement.counters[SHARD_PLACEMENT_OVERWRITTEN] > 14 * SHARD_PLACEMENT_PLACES);
	/* The draw finds the one of before the flood again, as long as the order stands. */
	assert_int_equal(send_initial(f, 0), TARGET);
	assert_int_equal(f->placement.counters[SHARD_PLACEMENT_REMEMBERED], 0);
	/* And the newest of the flood is remembered. */
	f->orders[SELF] = 0;
	assert_int_equal(send_initial(f, 16 * SHARD_PLACEMENT_PLACES), TARGET);
	/* What is over is no loss. */
	f->now_ns += KEEP_NS;
	f->orders[SELF] = shard_placement_order(TARGET, SHARD_PLACEMENT_ALL);
	f->placement.counters[SHARD_PLACEMENT_OVERWRITTEN] = 0;
	for (uint32_t client = 0; client < SHARD_PLACEMENT_PLACES / 8; client++)
		send_initial(f, client);
	assert_true(f->placement.counters[SHARD_PLACEMENT_OVERWRITTEN] < SHARD_PLACEMENT_PLACES / 64);
}

/* An Initial by this bucket; the mark is the caller's. */
static struct base_datagram
by_bucket(struct fixture *f, uint32_t client, uint16_t bucket)
{
	struct base_datagram datagram = datagram_of(f, client, INITIAL, OCTETS);

	datagram.tuple_hash = BUCKETS + bucket;
	return datagram;
}

static void
placement_burst__places_what_comes_by_a_moved_bucket_where_it_leads(void **state)
{
	struct fixture *f = *state;
	struct base_datagram datagram;

	shard_bucket_order(&f->bucket_orders, 0, 5, TARGET, f->now_ns);
	for (uint16_t bucket = 0; bucket < BUCKETS; bucket++) {
		datagram = by_bucket(f, bucket, bucket);
		assert_int_equal(send(f, &datagram), bucket == 5 ? TARGET : SELF);
	}
	/* It stays with its word when the bucket leads elsewhere, or home again. */
	shard_bucket_order(&f->bucket_orders, 0, 5, SELF, f->now_ns);
	datagram = by_bucket(f, 5, 5);
	assert_int_equal(send(f, &datagram), TARGET);
	datagram = by_bucket(f, 50, 5);
	assert_int_equal(send(f, &datagram), SELF);
	assert_int_equal(f->placement.counters[SHARD_PLACEMENT_PLACED], 1);
	/* What it has accepted before the bucket was moved is its own. */
	shard_bucket_order(&f->bucket_orders, 0, 5, TARGET, f->now_ns);
	datagram = by_bucket(f, 51, 5);
	f->endpoint.initial_key =
		quic_initial_key(&f->placement.keyed, datagram.octets + 6, 8, &datagram.path);
	assert_int_equal(send(f, &datagram), SELF);
}

static void
placement_burst__heeds_the_order_of_the_shard_that_a_bucket_leads_to(void **state)
{
	struct fixture *f = *state;
	struct base_datagram datagram;
	uint16_t destination = SELF;

	f->orders[SELF] = shard_placement_order(0, SHARD_PLACEMENT_ALL);
	shard_bucket_order(&f->bucket_orders, 0, 5, TARGET, f->now_ns);
	datagram = by_bucket(f, 1, 5);
	assert_int_equal(send(f, &datagram), TARGET);
	f->orders[TARGET] = shard_placement_order(2, SHARD_PLACEMENT_ALL);
	datagram = by_bucket(f, 2, 5);
	assert_int_equal(send(f, &datagram), 2);
	/* Here on purpose: the mark says so, or it would follow the bucket after all. */
	f->orders[TARGET] = shard_placement_order(SELF, SHARD_PLACEMENT_ALL);
	datagram = by_bucket(f, 3, 5);
	shard_placement_burst(&f->placement, &datagram, 1, &destination, f->now_ns);
	assert_int_equal(destination, SELF);
	assert_true(datagram.placed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			placement_burst__places_the_share_that_was_ordered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			placement_burst__stays_with_its_word_when_the_order_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			placement_burst__takes_a_clients_0_rtt_along, setup, teardown),
		cmocka_unit_test_setup_teardown(
			placement_burst__keeps_what_begins_no_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(
			placement_burst__keeps_what_was_accepted_here, setup, teardown),
		cmocka_unit_test_setup_teardown(
			placement_burst__does_not_pass_on_what_was_given_to_us, setup, teardown),
		cmocka_unit_test_setup_teardown(
			placement_burst__ignores_orders_that_name_us_or_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(
			placement_burst__forgets_the_oldest_under_a_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(
			placement_burst__places_what_comes_by_a_moved_bucket_where_it_leads, setup, teardown),
		cmocka_unit_test_setup_teardown(
			placement_burst__heeds_the_order_of_the_shard_that_a_bucket_leads_to, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
