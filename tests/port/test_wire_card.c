/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/shard/eal.h"

#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "base/writer.h"
#include "drivers/port/wire_card.h"
#include "shard/buffer.h"
#include "shard/steering.h"

enum { QUEUES = 8, TUPLES = 2, OUR_PORT = 443, HASHED = 7 };

static struct rte_mempool *buffers;
static struct wire_card card;

/* A card of every level, whose table sends all to the last queue. */
static int
setup(void **state)
{
	struct shard_port_facts facts = {.queues = QUEUES,
		.rss = true,
		.reta_size = 4,
		.reta = {HASHED, HASHED, HASHED, HASHED},
		.levels = 15};

	memcpy(facts.rss_key, net_rss_key_default, NET_RSS_KEY_BYTES);
	wire_card_init(&card, &facts, TUPLES, false);
	return 0;
}

static struct base_path
path_of(uint8_t last, uint16_t port)
{
	return (struct base_path){.local = {.ip = {[10] = 0xff, 0xff, 192, 0, 2, 1}, .port = OUR_PORT},
		.remote = {.ip = {[10] = 0xff, 0xff, 192, 0, 2, last}, .port = port}};
}

/* The queue of a datagram that begins so. */
static uint16_t
queue_of(const struct base_path *path, const void *octets, uint16_t length)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(buffers);
	struct base_datagram datagram = {.octets = rte_pktmbuf_mtod(mbuf, uint8_t *),
		.length = length,
		.path = {.local = path->remote, .remote = path->local}};
	struct net_link link = {.vlan = 0};
	struct net_frame frame = {0};
	uint16_t queue;

	memcpy(datagram.octets, octets, length);
	net_frame_build(&datagram, &link, &frame);
	mbuf->data_off = (uint16_t)(frame.octets - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = frame.length;
	queue = wire_card_spread(&card, mbuf);
	assert_true(mbuf->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
	rte_pktmbuf_free(mbuf);
	return queue;
}

static void
wire_card__matches_the_word_of_short_headers_alone(void **state)
{
	static const uint8_t versions[][4] = {
		{0, 0, 0, 0}, {0, 0, 0, 1}, {0x6b, 0x33, 0x43, 0xcf}, {0x1a, 0x2a, 0x3a, 0x4a}};
	struct base_path path = path_of(2, 5000);
	uint8_t octets[24] = {0x40, 0x13};
	uint32_t rules[SHARDS_MAX];

	for (uint16_t shard = 0; shard < SHARDS_MAX; shard++) {
		struct shard_port_rule rule = {.level = SHARD_STEERING_CID,
			.queue = shard % (QUEUES - 1),
			.udp_port = OUR_PORT,
			.steering_word = shard_steering_word(shard)};

		rules[shard] = wire_card_install(&card, &rule);
		assert_int_not_equal(rules[shard], SHARD_PORT_NO_RULE);
	}
	for (uint16_t shard = 0; shard < SHARDS_MAX; shard++) {
		base_put_uint(octets + 2, shard_steering_word(shard), 2);
		assert_int_equal(queue_of(&path, octets, sizeof(octets)), shard % (QUEUES - 1));
		assert_int_equal(queue_of(&path, octets, 3), HASHED); /* too short */
	}
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		octets[0] = 0xc0;
		memcpy(octets + 1, versions[i], 4);
		assert_int_equal(queue_of(&path, octets, sizeof(octets)), HASHED);
	}
	path.local.port++; /* not ours */
	base_put_uint(octets + 2, shard_steering_word(0), 2);
	assert_int_equal(queue_of(&path, octets, sizeof(octets)), HASHED);
	path.local.port--;
	assert_true(wire_card_remove(&card, rules[0]));
	assert_false(wire_card_remove(&card, rules[0]));
	assert_int_equal(queue_of(&path, octets, sizeof(octets)), HASHED);
}

static void
wire_card__matches_tuples_as_far_as_there_is_place(void **state)
{
	struct shard_port_rule rule = {.level = SHARD_STEERING_TUPLE, .queue = 3, .path = path_of(2, 5000)};
	struct base_path other = path_of(2, 5001), third = path_of(3, 5000);
	uint32_t first = wire_card_install(&card, &rule);

	assert_int_not_equal(first, SHARD_PORT_NO_RULE);
	assert_int_equal(queue_of(&rule.path, "x", 1), 3);
	assert_int_equal(queue_of(&other, "x", 1), HASHED);
	assert_int_equal(queue_of(&third, "x", 1), HASHED);
	rule.path = other;
	assert_int_not_equal(wire_card_install(&card, &rule), SHARD_PORT_NO_RULE);
	rule.path = third;
	assert_int_equal(wire_card_install(&card, &rule), SHARD_PORT_NO_RULE);
	assert_true(wire_card_remove(&card, first));
	assert_int_not_equal(wire_card_install(&card, &rule), SHARD_PORT_NO_RULE);
	assert_int_equal(queue_of(&third, "x", 1), 3);
}

static void
wire_card__spreads_by_the_table_as_it_is_now(void **state)
{
	static const uint16_t queues[] = {1, 1, 1, 1}, later[] = {2, 2, 2, 2};
	struct base_path path = path_of(2, 5000);

	assert_int_equal(queue_of(&path, "x", 1), HASHED);
	assert_true(wire_card_set_reta(&card, queues));
	assert_int_equal(queue_of(&path, "x", 1), 1);
	wire_card_fail(&card, SHARD_STEERING_BUCKETS);
	assert_false(wire_card_set_reta(&card, later));
	assert_int_equal(queue_of(&path, "x", 1), 1);
}

static void
wire_card__forgets_a_level_that_fails(void **state)
{
	struct shard_port_rule tuple = {.level = SHARD_STEERING_TUPLE, .queue = 3, .path = path_of(2, 5000)};
	struct shard_port_rule word = {
		.level = SHARD_STEERING_CID, .queue = 4, .udp_port = OUR_PORT, .steering_word = 0x4d00};
	static const uint8_t octets[] = {0x40, 0x13, 0x4d, 0x00};

	wire_card_install(&card, &tuple);
	wire_card_install(&card, &word);
	assert_int_equal(queue_of(&tuple.path, octets, 4), 4);
	wire_card_fail(&card, SHARD_STEERING_CID);
	assert_int_equal(queue_of(&tuple.path, octets, 4), 3);
	wire_card_fail(&card, SHARD_STEERING_TUPLE);
	assert_int_equal(queue_of(&tuple.path, octets, 4), HASHED);
	assert_int_equal(wire_card_install(&card, &word), SHARD_PORT_NO_RULE);
	assert_int_equal(wire_card_install(&card, &tuple), SHARD_PORT_NO_RULE);
}

static int
open_all(void **state)
{
	if (eal_setup(state) != 0)
		return -1;
	buffers = shard_buffers_open("buffers", 2047, 1500, SOCKET_ID_ANY);
	return buffers != NULL ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(wire_card__matches_the_word_of_short_headers_alone, setup),
		cmocka_unit_test_setup(wire_card__matches_tuples_as_far_as_there_is_place, setup),
		cmocka_unit_test_setup(wire_card__spreads_by_the_table_as_it_is_now, setup),
		cmocka_unit_test_setup(wire_card__forgets_a_level_that_fails, setup),
	};

	return cmocka_run_group_tests(tests, open_all, eal_teardown);
}
