/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a shard reports of made-up traffic; connections are no more than their handles. */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "quic/conn.h"
#include "quic/move.h"
#include "shard/load.h"

enum { GONE = 900, HELD = 902 };

struct quic_conn {
	struct quic_handle handle;
	struct base_path path;
};

static struct quic_conn conns[1024];

struct quic_conn *
quic_endpoint_find(struct quic_endpoint *endpoint, struct quic_handle handle)
{
	assert_non_null(endpoint);
	conns[handle.slot].handle = handle;
	conns[handle.slot].path.remote.port = (uint16_t)handle.slot;
	return handle.slot == GONE ? NULL : &conns[handle.slot];
}

bool
quic_conn_movable(const struct quic_conn *conn, uint64_t now_ns)
{
	return now_ns > 0 && conn->handle.slot % 2 == 0;
}

uint64_t
quic_conn_moved_ns(const struct quic_conn *conn)
{
	return conn->handle.slot * 10;
}

const struct base_path *
quic_conn_path(const struct quic_conn *conn)
{
	return &conn->path;
}

uint16_t
quic_conn_port_index(const struct quic_conn *conn)
{
	return 1;
}

bool
service_can_move(struct service_set *set, struct quic_conn *conn)
{
	return conn->handle.slot != HELD;
}

struct fixture {
	struct shard_load load;
	struct shard_load_sources sources;
	struct service_set services;
	struct net_rss rss;
	uint32_t window;
};

static int
setup(void **state)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) / 64 * 64);

	memset(f, 0, sizeof(*f));
	f->sources = (struct shard_load_sources){
		.endpoint = (struct quic_endpoint *)f, .services = &f->services, .now_ns = 1000};
	shard_load_init(&f->load, 42, 1000);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

static void
count(struct fixture *f, uint32_t slot, enum shard_load_kind kind)
{
	struct base_datagram datagram = {.slot = slot, .generation = 3, .port_index = 1};

	shard_load_count(&f->load, &datagram, kind);
}

static const struct shard_load_report *
report(struct fixture *f)
{
	const struct shard_load_report *answer;

	assert_true(shard_load_ask(&f->load, ++f->window));
	assert_null(shard_load_take(&f->load));
	assert_true(shard_load_wanted(&f->load));
	shard_load_publish(&f->load, &f->sources);
	assert_false(shard_load_wanted(&f->load));
	answer = shard_load_take(&f->load);
	assert_non_null(answer);
	return answer;
}

static const struct shard_load_connection *
of(const struct shard_load_report *report, uint32_t slot)
{
	for (uint16_t i = 0; i < report->count; i++)
		if (report->heavy[i].handle.slot == slot)
			return &report->heavy[i];
	return NULL;
}

static void
load_count__samples_in_proportion_to_the_work(void **state)
{
	struct fixture *f = *state;
	const struct shard_load_report *answer;

	/* A pattern as regular as the traffic of two downloads: 8 sent for one received, another of half its rate. */
	for (uint32_t i = 0; i < 20000; i++) {
		for (uint32_t n = 0; n < 8; n++)
			count(f, 10, SHARD_LOAD_SENT);
		count(f, 10, SHARD_LOAD_RECEIVED);
		for (uint32_t n = 0; n < 5; n++)
			count(f, 11, SHARD_LOAD_SENT);
	}
	answer = report(f);
	assert_int_equal(answer->count, 2);
	assert_int_equal(answer->heavy[0].handle.slot, 10);
	assert_int_equal(answer->heavy[0].handle.generation, 3);
	assert_int_equal(answer->weight, answer->heavy[0].weight + answer->heavy[1].weight);
	assert_in_range(answer->weight, 20000 * 15 / SHARD_LOAD_DISTANCE * 98 / 100,
		20000 * 15 / SHARD_LOAD_DISTANCE * 102 / 100);
	assert_in_range(answer->heavy[0].weight, answer->weight * 64 / 100, answer->weight * 69 / 100);
}

static void
load_count__finds_the_heavy_among_very_many(void **state)
{
	struct fixture *f = *state;
	const struct shard_load_report *answer;

	/* Three of 5 % each, the rest of 800 connections that take turns. */
	for (uint32_t i = 0; i < 400000; i++)
		count(f, i % 20 < 3 ? i % 20 : 20 + i % 800, SHARD_LOAD_SENT);
	answer = report(f);
	assert_int_equal(answer->count, SHARD_LOAD_HEAVY_MAX);
	for (uint32_t i = 0; i < 3; i++) {
		assert_in_range(answer->heavy[i].handle.slot, 0, 2);
		assert_in_range(
			answer->heavy[i].weight, answer->weight * 30 / 1000, answer->weight * 56 / 1000);
	}
	/* None of the light ones passes for a heavy one. */
	for (uint32_t i = 3; i < answer->count; i++)
		assert_true(answer->heavy[i].weight < answer->weight / 100);
}

static void
load_count__counts_work_of_nobody_in_the_sum_alone(void **state)
{
	struct fixture *f = *state;
	const struct shard_load_report *answer;

	for (uint32_t i = 0; i < 2000; i++) {
		count(f, BASE_SLOT_NONE, SHARD_LOAD_RECEIVED);
		count(f, 5, SHARD_LOAD_RECEIVED);
	}
	answer = report(f);
	assert_int_equal(answer->count, 1);
	assert_in_range(answer->heavy[0].weight, answer->weight * 40 / 100, answer->weight * 60 / 100);
}

static void
load_publish__says_who_may_move_and_where_they_are(void **state)
{
	struct fixture *f = *state;
	const struct shard_load_report *answer;
	const uint32_t slots[] = {10, 11, GONE, HELD};

	for (uint32_t i = 0; i < 4000; i++)
		for (uint32_t n = 0; n < 4; n++)
			count(f, slots[n], SHARD_LOAD_RECEIVED);
	answer = report(f);
	/* It has closed, or it has gone elsewhere. */
	assert_null(of(answer, GONE));
	assert_int_equal(answer->count, 3);
	assert_true(of(answer, 10)->movable);
	assert_false(of(answer, 11)->movable);
	assert_false(of(answer, HELD)->movable);
	assert_int_equal(of(answer, 10)->moved_ns, 100);
	assert_int_equal(of(answer, 10)->path.remote.port, 10);
	assert_int_equal(of(answer, 10)->port_index, 1);
	assert_int_equal(of(answer, 10)->bucket, SHARD_LOAD_NO_BUCKET);
}

static void
load_publish__begins_a_new_window(void **state)
{
	struct fixture *f = *state;
	const struct shard_load_report *answer;

	f->sources.now_ns = 3000;
	f->sources.busy_cycles = 700;
	f->sources.idle_cycles = 300;
	for (uint32_t i = 0; i < 1000; i++)
		count(f, 5, SHARD_LOAD_RECEIVED);
	answer = report(f);
	assert_int_equal(answer->window, 1);
	assert_int_equal(answer->from_ns, 1000);
	assert_int_equal(answer->to_ns, 3000);
	assert_int_equal(answer->busy_cycles, 700);
	assert_int_equal(answer->idle_cycles, 300);
	f->sources.now_ns = 4000;
	f->sources.busy_cycles = 710;
	answer = report(f);
	assert_int_equal(answer->window, 2);
	assert_int_equal(answer->from_ns, 3000);
	assert_int_equal(answer->to_ns, 4000);
	assert_int_equal(answer->busy_cycles, 10);
	assert_int_equal(answer->idle_cycles, 0);
	assert_int_equal(answer->weight, 0);
	assert_int_equal(answer->count, 0);
}

static void
load_publish__tells_the_work_of_each_bucket(void **state)
{
	struct fixture *f = *state;
	const struct shard_load_report *answer;
	struct base_datagram datagram = {.slot = 6, .port_index = 1, .tuple_hash = 128 + 5};
	struct base_path path = {.remote.port = 6};
	uint32_t sum = 0;
	uint16_t bucket;

	net_rss_init(&f->rss, net_rss_key_default);
	bucket = (uint16_t)(net_rss_path(&f->rss, &path) % 128);
	assert_int_not_equal(bucket, 5);
	shard_load_count_buckets(&f->load, 1, 128, &f->rss);
	for (uint32_t i = 0; i < 1000; i++)
		shard_load_count(&f->load, &datagram, SHARD_LOAD_RECEIVED);
	/* What is sent has no hash of the card's. */
	datagram.tuple_hash = 0;
	datagram.path = path;
	for (uint32_t i = 0; i < 4000; i++)
		shard_load_count(&f->load, &datagram, SHARD_LOAD_SENT);
	datagram.port_index = 0;
	shard_load_count(&f->load, &datagram, SHARD_LOAD_SENT);
	answer = report(f);
	assert_int_equal(answer->bucket_counts[0], 0);
	assert_int_equal(answer->bucket_counts[1], 128);
	for (uint32_t i = 0; i < 128; i++)
		sum += answer->buckets[1][i];
	assert_int_equal(sum, answer->buckets[1][5] + answer->buckets[1][bucket]);
	assert_in_range(answer->buckets[1][5], 70, 100);
	assert_in_range(answer->buckets[1][bucket], 140, 195);
	assert_int_equal(of(answer, 6)->bucket, bucket);
	answer = report(f);
	assert_int_equal(answer->buckets[1][5], 0);
}

static void
load_ask__waits_for_the_answer_to_the_last_question(void **state)
{
	struct fixture *f = *state;

	assert_null(shard_load_take(&f->load));
	assert_false(shard_load_wanted(&f->load));
	assert_true(shard_load_ask(&f->load, 8));
	assert_false(shard_load_ask(&f->load, 9));
	assert_null(shard_load_take(&f->load));
	shard_load_publish(&f->load, &f->sources);
	assert_int_equal(shard_load_take(&f->load)->window, 8);
	assert_true(shard_load_ask(&f->load, 9));
	assert_null(shard_load_take(&f->load));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			load_count__samples_in_proportion_to_the_work, setup, teardown),
		cmocka_unit_test_setup_teardown(load_count__finds_the_heavy_among_very_many, setup, teardown),
		cmocka_unit_test_setup_teardown(
			load_count__counts_work_of_nobody_in_the_sum_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			load_publish__says_who_may_move_and_where_they_are, setup, teardown),
		cmocka_unit_test_setup_teardown(load_publish__begins_a_new_window, setup, teardown),
		cmocka_unit_test_setup_teardown(load_publish__tells_the_work_of_each_bucket, setup, teardown),
		cmocka_unit_test_setup_teardown(
			load_ask__waits_for_the_answer_to_the_last_question, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
