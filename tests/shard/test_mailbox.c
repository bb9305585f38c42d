/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/shard/eal.h"

#include <rte_mempool.h>

#include "shard/buffer.h"
#include "shard/mailbox.h"
#include "shard/pool.h"

static void
buffers__hold_a_datagram_and_its_headers(void **state)
{
	struct rte_mempool *buffers = shard_buffers_open("test_buffers", 600, 1500, SOCKET_ID_ANY);
	struct rte_mbuf *mbuf;

	assert_non_null(buffers);
	mbuf = rte_pktmbuf_alloc(buffers);
	assert_non_null(mbuf);
	shard_buffer_datagram(mbuf)->length = 1452;
	assert_int_equal((uintptr_t)mbuf->buf_addr % 64, 0);
	assert_true((uint8_t *)shard_buffer_datagram(mbuf) + sizeof(struct base_datagram) <=
		(uint8_t *)mbuf->buf_addr);
	assert_true(rte_pktmbuf_tailroom(mbuf) >= 2048);
	rte_pktmbuf_free(mbuf);
	shard_buffers_close(buffers);
}

static void
buffers_needed__counts_every_place_a_buffer_can_be(void **state)
{
	struct shard_buffer_needs needs = {.shards = 1, .ports = 1};
	uint32_t one = shard_buffers_needed(&needs);

	needs = (struct shard_buffer_needs){
		.descriptors = 2048, .mailbox_places = 1024, .shards = 2, .ports = 1, .waiting = 64};
	assert_int_equal(shard_buffers_needed(&needs), 2 * one + 2048 + 1024 + 64);
}

static void
mailbox__refuses_what_has_no_place_and_keeps_order(void **state)
{
	struct rte_mempool *buffers = shard_buffers_open("test_buffers", 600, 1500, SOCKET_ID_ANY);
	struct rte_mbuf *mbufs[20], *taken[20];
	struct shard_mailbox mailbox;

	assert_true(shard_mailbox_open(&mailbox, "test", 16, 16, SOCKET_ID_ANY));
	assert_true(shard_mailbox_empty(&mailbox));
	assert_int_equal(rte_pktmbuf_alloc_bulk(buffers, mbufs, 20), 0);
	assert_int_equal(shard_mailbox_post_datagrams(&mailbox, mbufs, 20), 15);
	assert_false(shard_mailbox_empty(&mailbox));
	assert_int_equal(shard_mailbox_take_datagrams(&mailbox, taken, 20), 15);
	assert_memory_equal(taken, mbufs, 15 * sizeof(mbufs[0]));
	assert_int_equal(shard_mailbox_post_frames(&mailbox, mbufs, 5), 5);
	assert_int_equal(shard_mailbox_take_frames(&mailbox, taken, 3), 3);
	rte_pktmbuf_free_bulk(taken, 3);
	rte_pktmbuf_free_bulk(mbufs + 5, 15);
	shard_mailbox_close(&mailbox); /* frees the two that are left */
	assert_int_equal(rte_mempool_in_use_count(buffers), 0);
	shard_buffers_close(buffers);
}

static void
mailbox__carries_messages_by_value(void **state)
{
	struct shard_control control = {.kind = SHARD_CONTROL_SLOTS, .count = 2, .slots = {7, 9}}, back;
	struct shard_update update = {.port_index = 1, .update = {.kind = NET_NEIGHBOUR_WANTED}}, update_back;
	struct shard_mailbox mailbox;

	assert_true(shard_mailbox_open(&mailbox, "test", 16, 16, SOCKET_ID_ANY));
	assert_int_equal(shard_mailbox_control_room(&mailbox), 15);
	assert_false(shard_mailbox_has_control(&mailbox));
	shard_mailbox_post_control(&mailbox, &control);
	assert_int_equal(shard_mailbox_control_room(&mailbox), 14);
	assert_true(shard_mailbox_has_control(&mailbox));
	assert_true(shard_mailbox_take_control(&mailbox, &back));
	assert_memory_equal(&control, &back, sizeof(control));
	assert_false(shard_mailbox_take_control(&mailbox, &back));
	assert_true(shard_mailbox_post_update(&mailbox, &update));
	assert_true(shard_mailbox_take_update(&mailbox, &update_back));
	assert_memory_equal(&update, &update_back, sizeof(update));
	shard_mailbox_close(&mailbox);
}

static void
pool__lets_another_view_give_back(void **state)
{
	struct rte_mempool *memory = shard_pool_memory_open("test_pool", 100, 64, 2, SOCKET_ID_ANY);
	struct shard_pool a, b;
	void *elements[64];
	unsigned count = 0;

	assert_non_null(memory);
	shard_pool_init(&a, memory, 2);
	shard_pool_init(&b, memory, 2);
	assert_int_equal(a.pool.element_bytes >= 100, 1);
	assert_int_equal(a.pool.capacity, 32);
	while (count < 64 && (elements[count] = base_pool_take(&a.pool)) != NULL)
		count++;
	assert_int_equal(count, 64);
	assert_null(base_pool_take(&a.pool));
	assert_int_equal(a.pool.in_use, 64);
	while (count > 0)
		base_pool_give(&b.pool, elements[--count]);
	assert_int_equal((int32_t)(a.pool.in_use + b.pool.in_use), 0);
	assert_int_equal(rte_mempool_in_use_count(memory), 0);
	shard_pool_memory_close(memory);
}

static void
mailbox__gives_each_poster_its_share_of_the_posts(void **state)
{
	struct shard_mailbox mailbox = {0};
	struct service_post post = {.via = 1}, taken;

	assert_false(shard_mailbox_post_post(&mailbox, &post));
	assert_true(shard_mailbox_open(&mailbox, "shares", 16, 16, SOCKET_ID_ANY));
	assert_true(shard_mailbox_open_posts(&mailbox, "shares", 3, 5, SOCKET_ID_ANY));
	for (uint32_t round = 0; round < 100; round++) {
		for (uint32_t i = 0; i < 5; i++) {
			post.number = i;
			assert_true(shard_mailbox_post_post(&mailbox, &post));
		}
		assert_false(shard_mailbox_post_post(&mailbox, &post));
		/* Another is not held up by it. */
		post.via = 2;
		assert_true(shard_mailbox_post_post(&mailbox, &post));
		assert_int_equal(shard_mailbox_posts(&mailbox), 6);
		assert_false(shard_mailbox_empty(&mailbox));
		for (uint32_t i = 0; i < 6; i++) {
			assert_true(shard_mailbox_take_post(&mailbox, &taken));
			assert_int_equal(taken.via, i < 5 ? 1 : 2);
			assert_int_equal(taken.number, i < 5 ? i : 4);
		}
		assert_false(shard_mailbox_take_post(&mailbox, &taken));
		post.via = 1;
	}
	assert_true(shard_mailbox_empty(&mailbox));
	shard_mailbox_close(&mailbox);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers__hold_a_datagram_and_its_headers),
		cmocka_unit_test(buffers_needed__counts_every_place_a_buffer_can_be),
		cmocka_unit_test(mailbox__refuses_what_has_no_place_and_keeps_order),
		cmocka_unit_test(mailbox__gives_each_poster_its_share_of_the_posts),
		cmocka_unit_test(mailbox__carries_messages_by_value),
		cmocka_unit_test(pool__lets_another_view_give_back),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
