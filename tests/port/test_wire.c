/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/shard/eal.h"

#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "base/time.h"
#include "drivers/port/wire.h"
#include "shard/buffer.h"

enum { BURST = 64, QUEUES = 4, BUFFERS = 2047 };

struct fixture {
	struct rte_mempool *buffers;
	struct shard_port *ends[2];
	uint64_t now_ns;
};

static uint64_t
clock_of(void *user)
{
	return ((struct fixture *)user)->now_ns;
}

static void
begin(struct fixture *f, const struct net_impair_config *impair)
{
	struct port_wire_config config = {.name = "test",
		.queues = {QUEUES, 1},
		.mtu = 1500,
		.ring_frames = 128,
		.checksums = true,
		.rss = true,
		.impair = {NULL, impair},
		.impair_frames = 512,
		.clock = clock_of,
		.clock_user = f};
	char error[256];

	f->now_ns = BASE_SECOND;
	f->buffers = shard_buffers_open("buffers", BUFFERS, 1500, SOCKET_ID_ANY);
	config.buffers[0] = f->buffers;
	config.buffers[1] = f->buffers;
	assert_true(port_wire_open(&config, f->ends, error, sizeof(error)));
}

static void
finish(struct fixture *f)
{
	f->ends[0]->ops->close(f->ends[0]);
	f->ends[1]->ops->close(f->ends[1]);
	assert_int_equal(rte_mempool_in_use_count(f->buffers), 0);
	shard_buffers_close(f->buffers);
}

/* From the second end, with this source port. */
static uint32_t
send(struct fixture *f, uint16_t source_port)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(f->buffers);
	struct base_datagram datagram = {.octets = rte_pktmbuf_mtod(mbuf, uint8_t *), .length = 100};
	struct net_frame frame = {0};
	struct net_link link = {.vlan = 0};
	struct base_path seen;
	struct net_rss rss;

	memset(datagram.octets, 0x55, 100);
	memcpy(datagram.path.local.ip, (const uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2, 2}, 16);
	memcpy(datagram.path.remote.ip, (const uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2, 1}, 16);
	datagram.path.local.port = source_port;
	datagram.path.remote.port = 443;
	net_frame_build(&datagram, &link, &frame);
	mbuf->data_off = (uint16_t)(frame.octets - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = frame.length;
	mbuf->pkt_len = frame.length;
	assert_int_equal(shard_port_send(f->ends[1], 0, &mbuf, 1), 1);
	net_rss_init(&rss, f->ends[0]->facts.rss_key);
	seen = (struct base_path){.local = datagram.path.remote, .remote = datagram.path.local};
	return net_rss_path(&rss, &seen);
}

static void
wire__spreads_by_the_table_and_gives_the_hash(void **state)
{
	struct rte_mbuf *mbufs[BURST];
	struct fixture f;

	begin(&f, NULL);
	for (uint16_t port = 1; port <= 100; port++) {
		uint32_t hash = send(&f, port);
		uint16_t queue = f.ends[0]->facts.reta[hash % f.ends[0]->facts.reta_size];

		assert_int_equal(shard_port_receive(f.ends[0], queue, mbufs, BURST), 1);
		assert_true(mbufs[0]->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
		assert_int_equal(mbufs[0]->hash.rss, hash);
		rte_pktmbuf_free(mbufs[0]);
	}
	finish(&f);
}

static void
wire__loses_what_a_full_queue_has_no_place_for(void **state)
{
	struct shard_port_statistics statistics;
	struct fixture f;

	begin(&f, NULL);
	for (unsigned i = 0; i < 200; i++)
		send(&f, 9);
	f.ends[0]->ops->statistics(f.ends[0], &statistics);
	assert_int_equal(statistics.received, 200);
	assert_int_equal(statistics.missed, 200 - 127);
	finish(&f); /* what is still in the queue is given back */
}

static void
wire__impairs_in_the_time_it_is_given(void **state)
{
	struct net_impair_config impair = {.seed = 1, .delay_ns = 10 * BASE_MS};
	struct rte_mbuf *mbufs[BURST];
	unsigned came = 0;
	struct fixture f;

	begin(&f, &impair);
	for (uint16_t port = 1; port <= 50; port++)
		send(&f, port);
	assert_int_equal(rte_mempool_in_use_count(f.buffers), 0); /* copied */
	for (uint16_t queue = 0; queue < QUEUES; queue++)
		assert_int_equal(shard_port_receive(f.ends[0], queue, mbufs, BURST), 0);
	f.now_ns += 10 * BASE_MS;
	for (uint16_t queue = 0; queue < QUEUES; queue++) {
		uint16_t count = shard_port_receive(f.ends[0], queue, mbufs, BURST);

		assert_true(count > 0);
		rte_pktmbuf_free_bulk(mbufs, count);
		came += count;
	}
	assert_int_equal(came, 50);
	impair.loss = NET_IMPAIR_WHOLE;
	port_wire_change(f.ends[1], &impair);
	send(&f, 1);
	f.now_ns += BASE_SECOND;
	assert_int_equal(shard_port_receive(f.ends[0], 0, mbufs, BURST), 0);
	finish(&f);
}

static void
wire_open__has_the_levels_that_are_asked_for(void **state)
{
	struct port_wire_config config = {.name = "levels",
		.queues = {QUEUES, 1},
		.mtu = 1500,
		.ring_frames = 128,
		.levels = 1U << SHARD_STEERING_TUPLE | 1U << SHARD_STEERING_BUCKETS};
	struct shard_port *ends[2];
	char error[256];

	assert_true(port_wire_open(&config, ends, error, sizeof(error)));
	/* Without RSS there is no table. */
	assert_int_equal(ends[0]->facts.levels, 1U << SHARD_STEERING_TUPLE | 1U << SHARD_STEERING_SOFTWARE);
	assert_int_equal(ends[0]->facts.steering, SHARD_STEERING_TUPLE);
	assert_int_equal(ends[1]->facts.levels, 1U << SHARD_STEERING_SOFTWARE);
	assert_int_equal(ends[1]->facts.steering, SHARD_STEERING_SOFTWARE);
	ends[0]->ops->close(ends[0]);
	ends[1]->ops->close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire__spreads_by_the_table_and_gives_the_hash),
		cmocka_unit_test(wire__loses_what_a_full_queue_has_no_place_for),
		cmocka_unit_test(wire__impairs_in_the_time_it_is_given),
		cmocka_unit_test(wire_open__has_the_levels_that_are_asked_for),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
