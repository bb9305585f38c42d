/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where posts go, with an endpoint that has one connection; posts to connections that move are in tests/sim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shard/post.h"
#include "tests/shard/fake_endpoint.h"

enum { SLOTS = 8, SHARDS = 3, SELF = 1, POSTED_MAX = 8 };

struct fixture {
	struct quic_slots slots;
	void *memory;
	_Alignas(64) uint8_t region[SLOTS * 64];
	struct shard_moves moves;
	struct shard_posts posts;
	bool full;
	uint32_t posted, delivered;
	struct service_post last;
	uint16_t to[POSTED_MAX];
	struct quic_conn *delivered_to;
};

static bool
post(void *with, uint16_t to, const struct service_post *post)
{
	struct fixture *f = with;

	if (f->full)
		return false;
	assert_true(f->posted < POSTED_MAX);
	f->to[f->posted++] = to;
	f->last = *post;
	return true;
}

static void
deliver(void *with, struct quic_conn *conn, const struct service_post *post)
{
	struct fixture *f = with;

	f->delivered++;
	f->delivered_to = conn;
	f->last = *post;
}

static int
setup(void **state)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) / 64 * 64);
	struct quic_slots_config slots = {
		.count = SLOTS, .slot_bytes = 64, .region_slots = SLOTS, .shards = SHARDS};
	struct shard_moves_config moves = {.self = SELF};
	struct shard_posts_config posts = {.self = SELF, .shards = SHARDS, .post = post, .deliver = deliver};

	memset(f, 0, sizeof(*f));
	slots.regions[0] = f->region;
	f->memory = aligned_alloc(64, (quic_slots_memory_bytes(SLOTS, SHARDS) + 63) / 64 * 64);
	quic_slots_init(&f->slots, &slots, f->memory);
	moves.slots = &f->slots;
	shard_moves_init(&f->moves, &moves);
	posts.slots = &f->slots;
	posts.moves = &f->moves;
	posts.with = f;
	shard_posts_init(&f->posts, &posts);
	fake_conn = NULL;
	fake_conn_open = true;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	free(f->memory);
	free(f);
	return 0;
}

static struct service_post
to_shard(uint16_t shard)
{
	return (struct service_post){.to.slot = BASE_SLOT_NONE, .shard = shard, .length = 3, .hops = 9};
}

static struct quic_handle
owned_by(struct fixture *f, uint16_t shard)
{
	struct quic_handle handle = quic_slots_take(&f->slots, shard);

	quic_slots_publish(&f->slots, handle, shard);
	return handle;
}

static void
shard_posts_send__finds_the_ring(void **state)
{
	struct fixture *f = *state;
	struct service_post post = to_shard(2);

	assert_int_equal(shard_posts_send(&f->posts, &post), SERVICE_POSTED);
	assert_int_equal(f->to[0], 2);
	assert_int_equal(f->last.from_shard, SELF);
	assert_int_equal(f->last.via, SELF);
	assert_int_equal(f->last.hops, 0);
	post = to_shard(SERVICE_POST_MANAGER);
	assert_int_equal(shard_posts_send(&f->posts, &post), SERVICE_POSTED);
	assert_int_equal(f->to[1], SERVICE_POST_MANAGER);
	post = to_shard(SHARDS);
	assert_int_equal(shard_posts_send(&f->posts, &post), SERVICE_POST_WRONG);
	post.to = owned_by(f, 2);
	assert_int_equal(shard_posts_send(&f->posts, &post), SERVICE_POSTED);
	assert_int_equal(f->to[2], 2);
	/* To oneself, by the same way. */
	post.to = owned_by(f, SELF);
	assert_int_equal(shard_posts_send(&f->posts, &post), SERVICE_POSTED);
	assert_int_equal(f->to[3], SELF);
	assert_int_equal(f->delivered, 0);
	assert_int_equal(f->posts.counters[SHARD_POSTS_SENT], 4);
}

static void
shard_posts_send__says_that_there_is_no_place_or_no_connection(void **state)
{
	struct fixture *f = *state;
	struct service_post post = to_shard(0);

	f->full = true;
	assert_int_equal(shard_posts_send(&f->posts, &post), SERVICE_POST_FULL);
	assert_int_equal(f->posts.counters[SHARD_POSTS_REFUSED], 1);
	post.to = owned_by(f, 0);
	post.to.generation++;
	assert_int_equal(shard_posts_send(&f->posts, &post), SERVICE_POST_GONE);
	post.to.slot = SLOTS;
	assert_int_equal(shard_posts_send(&f->posts, &post), SERVICE_POST_GONE);
	assert_int_equal(f->posts.counters[SHARD_POSTS_REFUSED_GONE], 2);
	assert_int_equal(f->posted, 0);
}

static void
shard_posts_take__delivers_what_is_ours(void **state)
{
	struct fixture *f = *state;
	struct service_post post = to_shard(SELF);

	shard_posts_take(&f->posts, &post, 1);
	assert_int_equal(f->delivered, 1);
	assert_null(f->delivered_to);
	fake_conn = (struct quic_conn *)f;
	post.to = owned_by(f, SELF);
	shard_posts_take(&f->posts, &post, 1);
	assert_int_equal(f->delivered, 2);
	assert_ptr_equal(f->delivered_to, f);
	fake_conn_open = false;
	shard_posts_take(&f->posts, &post, 1);
	assert_int_equal(f->delivered, 2);
	assert_int_equal(f->posts.counters[SHARD_POSTS_DROP_GONE], 1);
}

static void
shard_posts_take__attaches_a_connection_in_transit(void **state)
{
	struct fixture *f = *state;
	struct service_post post = {.to = owned_by(f, 0)};

	quic_slots_grant(&f->slots, post.to.slot, 0, SELF);
	fake_conn = (struct quic_conn *)f;
	shard_posts_take(&f->posts, &post, 1);
	assert_int_equal(f->moves.counters[SHARD_MOVES_BY_SIGHT], 1);
	assert_int_equal(f->delivered, 1);
}

static void
shard_posts_take__follows_the_owner_four_hops_at_most(void **state)
{
	struct fixture *f = *state;
	struct service_post post = {.to = owned_by(f, 2)};

	for (int i = 1; i <= SERVICE_POST_HOPS; i++) {
		shard_posts_take(&f->posts, &post, 1);
		assert_int_equal(f->posted, i);
		assert_int_equal(f->to[i - 1], 2);
		assert_int_equal(f->last.hops, i);
		assert_int_equal(f->last.via, SELF);
	}
	shard_posts_take(&f->posts, &post, 1);
	assert_int_equal(f->posted, SERVICE_POST_HOPS);
	assert_int_equal(f->posts.counters[SHARD_POSTS_DROP_HOPS], 1);
	post.hops = 0;
	f->full = true;
	shard_posts_take(&f->posts, &post, 1);
	assert_int_equal(f->posts.counters[SHARD_POSTS_DROP_PASSING], 1);
	/* Its life ended on the way. */
	quic_slots_free(&f->slots, post.to.slot, 2);
	shard_posts_take(&f->posts, &post, 1);
	assert_int_equal(f->posts.counters[SHARD_POSTS_DROP_GONE], 1);
	assert_int_equal(f->delivered, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(shard_posts_send__finds_the_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_posts_send__says_that_there_is_no_place_or_no_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(shard_posts_take__delivers_what_is_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_posts_take__attaches_a_connection_in_transit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_posts_take__follows_the_owner_four_hops_at_most, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
