/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/bucket.h"

#include <string.h>

#include "tests/support/cmocka_all.h"

enum { PORT = 1, COUNT = 128, BUCKET = 9, SHARD = SHARDS_MAX - 1 };
#define NOW_NS UINT64_C(1790000000123456789)

static struct shard_bucket_orders orders;
static struct net_rss rss;
static struct shard_buckets buckets;

static int
setup(void **state)
{
	memset(&orders, 0, sizeof(orders));
	net_rss_init(&rss, net_rss_key_default);
	buckets =
		(struct shard_buckets){.orders = &orders, .counts = {[PORT] = COUNT}, .rss = {[PORT] = &rss}};
	return 0;
}

static struct base_datagram
datagram_of(uint16_t port_index, uint32_t tuple_hash)
{
	return (struct base_datagram){.port_index = port_index,
		.tuple_hash = tuple_hash,
		.path = {.remote = {.ip = {1, 2, 3}, .port = 4433}, .local = {.port = 443}}};
}

static void
bucket_order__tells_shard_and_time(void **state)
{
	struct base_datagram datagram = datagram_of(PORT, 3 * COUNT + BUCKET);
	struct shard_bucket_order order;

	assert_false(shard_buckets_any(&buckets));
	assert_false(shard_buckets_find(&buckets, &datagram, &order));
	shard_bucket_order(&orders, PORT, BUCKET, SHARD, NOW_NS);
	assert_true(shard_buckets_any(&buckets));
	assert_true(shard_buckets_find(&buckets, &datagram, &order));
	assert_int_equal(order.shard, SHARD);
	assert_in_range(NOW_NS - order.at_ns, 0, 255);
}

static void
bucket_order__is_younger_than_all_before_it(void **state)
{
	struct base_datagram datagram = datagram_of(PORT, BUCKET);
	struct shard_bucket_order order;
	uint64_t last_ns = 0;

	for (uint16_t shard = 0; shard < SHARDS_MAX; shard++) {
		shard_bucket_order(&orders, PORT, BUCKET, shard, NOW_NS);
		assert_true(shard_buckets_find(&buckets, &datagram, &order));
		assert_int_equal(order.shard, shard);
		assert_true(order.at_ns > last_ns);
		last_ns = order.at_ns;
	}
}

static void
buckets_find__knows_the_bucket_by_either_hash(void **state)
{
	struct base_datagram datagram = datagram_of(PORT, 0);
	uint16_t bucket = shard_bucket_of(&rss, COUNT, &datagram.path, 0);
	struct shard_bucket_order order;

	shard_bucket_order(&orders, PORT, bucket, 2, NOW_NS);
	assert_true(shard_buckets_find(&buckets, &datagram, &order));
	assert_int_equal(order.shard, 2);
	/* The card's own hash is what counts. */
	datagram.tuple_hash = bucket + 1U;
	assert_false(shard_buckets_find(&buckets, &datagram, &order));
}

static void
buckets_find__has_nothing_to_say_of_other_ports(void **state)
{
	struct base_datagram datagram = datagram_of(PORT + 1, BUCKET);
	struct shard_bucket_order order;

	shard_bucket_order(&orders, PORT + 1, BUCKET, 2, NOW_NS);
	assert_false(shard_buckets_find(&buckets, &datagram, &order));
	datagram.port_index = SHARD_PORTS_MAX;
	assert_false(shard_buckets_find(&buckets, &datagram, &order));
	buckets.orders = NULL;
	assert_false(shard_buckets_any(&buckets));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bucket_order__tells_shard_and_time, setup),
		cmocka_unit_test_setup(bucket_order__is_younger_than_all_before_it, setup),
		cmocka_unit_test_setup(buckets_find__knows_the_bucket_by_either_hash, setup),
		cmocka_unit_test_setup(buckets_find__has_nothing_to_say_of_other_ports, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
