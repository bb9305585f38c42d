/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/time.h"
#include "net/impair.h"

enum { CAPACITY = 4096, LENGTH = 100 };

struct fixture {
	struct base_pool *pool;
	struct net_impair_item *heap[CAPACITY];
	struct net_impair link;
	uint8_t octets[LENGTH];
};

static void
begin(struct fixture *f, const struct net_impair_config *config)
{
	f->pool = base_pool_open(NULL, net_impair_element_bytes(LENGTH), CAPACITY);
	memset(f->octets, 0, sizeof(f->octets));
	net_impair_init(&f->link, config, f->pool, f->heap, CAPACITY);
}

static void
finish(struct fixture *f)
{
	net_impair_fini(&f->link);
	assert_int_equal(f->pool->in_use, 0);
	base_pool_close(f->pool);
}

static void
push(struct fixture *f, uint32_t number, uint16_t length, uint64_t now_ns)
{
	struct base_datagram datagram = {.octets = f->octets, .length = length, .ecn = BASE_ECN_ECT_0};

	memcpy(f->octets, &number, sizeof(number));
	net_impair_push(&f->link, &datagram, now_ns);
}

/* The number of the next arrival, or UINT32_MAX. */
static uint32_t
pop(struct fixture *f, uint64_t now_ns)
{
	struct net_impair_item *item = net_impair_pop(&f->link, now_ns);
	uint32_t number = UINT32_MAX;

	if (item == NULL)
		return number;
	memcpy(&number, item->datagram.octets, sizeof(number));
	net_impair_release(&f->link, item);
	return number;
}

static void
impair_pop__keeps_delay_and_order(void **state)
{
	struct net_impair_config config = {.delay_ns = 10, .jitter_ns = 50};
	struct fixture f;

	begin(&f, &config);
	assert_true(net_impair_deadline(&f.link) == BASE_NEVER);
	for (uint32_t i = 0; i < 100; i++)
		push(&f, i, LENGTH, i);
	assert_true(net_impair_deadline(&f.link) >= 10);
	assert_int_equal(pop(&f, 9), UINT32_MAX);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(pop(&f, 200), i);
	assert_int_equal(pop(&f, BASE_SECOND), UINT32_MAX);
	finish(&f);
}

static void
impair_push__serves_at_the_rate_and_drops_a_full_queue(void **state)
{
	/* 100 octets at 8 Mbit/s take 100 us. */
	struct net_impair_config config = {
		.rate_bits_per_second = 8000000, .queue_ns = 1000 * BASE_US, .mark_ns = 500 * BASE_US};
	struct fixture f;

	begin(&f, &config);
	for (uint32_t i = 0; i < 20; i++)
		push(&f, i, LENGTH, 0);
	assert_true(net_impair_deadline(&f.link) == 100 * BASE_US);
	assert_int_equal(f.link.counters[NET_IMPAIR_QUEUE_FULL], 9);
	assert_int_equal(f.link.counters[NET_IMPAIR_MARKED], 5);
	for (uint32_t i = 0; i < 11; i++) {
		assert_int_equal(pop(&f, (i + 1) * 100 * BASE_US - 1), UINT32_MAX);
		assert_int_equal(pop(&f, (i + 1) * 100 * BASE_US), i);
	}
	finish(&f);
}

static void
impair_push__loses_duplicates_and_corrupts_by_its_chances(void **state)
{
	struct net_impair_config config = {.seed = 7, .loss = 100000, .duplicate = 50000, .corrupt = 20000};
	uint32_t arrived = 0;
	struct fixture f;

	begin(&f, &config);
	for (uint32_t round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < 1000; i++)
			push(&f, i, LENGTH, round);
		while (pop(&f, round) != UINT32_MAX)
			arrived++;
	}
	assert_in_range(f.link.counters[NET_IMPAIR_LOST], 4700, 5300);
	assert_in_range(f.link.counters[NET_IMPAIR_DUPLICATED], 2000, 2500);
	assert_in_range(f.link.counters[NET_IMPAIR_CORRUPTED], 750, 1050);
	assert_int_equal(
		arrived, 50000 - f.link.counters[NET_IMPAIR_LOST] + f.link.counters[NET_IMPAIR_DUPLICATED]);
	finish(&f);
}

static void
impair_push__lets_others_overtake_the_reordered(void **state)
{
	struct net_impair_config config = {.seed = 3, .delay_ns = 5, .reorder = 100000, .reorder_ns = 20};
	uint32_t late = 0, highest = 0;
	struct fixture f;

	begin(&f, &config);
	for (uint32_t i = 1; i <= 1000; i++)
		push(&f, i, LENGTH, i);
	for (uint32_t i = 1; i <= 1000; i++) {
		uint32_t number = pop(&f, 5000);

		late += number < highest;
		highest = number > highest ? number : highest;
	}
	assert_int_equal(f.link.counters[NET_IMPAIR_REORDERED], late);
	assert_in_range(late, 60, 140);
	finish(&f);
}

static void
impair_push__repeats_itself_from_a_seed(void **state)
{
	struct net_impair_config config = {.seed = 11,
		.jitter_ns = 90,
		.loss = 300000,
		.burst_loss = 500000,
		.reorder = 200000,
		.reorder_ns = 50,
		.duplicate = 100000,
		.corrupt = 100000};
	uint32_t seen[2][3000];
	struct fixture f;

	memset(seen, 0, sizeof(seen));
	for (unsigned run = 0; run < 2; run++) {
		begin(&f, &config);
		for (uint32_t i = 0; i < 1500; i++)
			push(&f, i, LENGTH, i);
		for (unsigned i = 0; i < 3000; i++)
			seen[run][i] = pop(&f, 10000);
		finish(&f);
	}
	assert_memory_equal(seen[0], seen[1], sizeof(seen[0]));
}

static void
impair_push__counts_what_has_no_place(void **state)
{
	struct net_impair_config config = {.delay_ns = 1, .length_max = 50};
	struct fixture f;

	begin(&f, &config);
	push(&f, 0, 51, 0);
	assert_int_equal(f.link.counters[NET_IMPAIR_TOO_LONG], 1);
	for (uint32_t i = 0; i < CAPACITY + 10; i++)
		push(&f, i, 50, 0);
	assert_int_equal(f.link.counters[NET_IMPAIR_NO_MEMORY], 10);
	config.length_max = 0;
	config.loss = NET_IMPAIR_WHOLE;
	net_impair_change(&f.link, &config);
	push(&f, 0, 51, 1);
	assert_int_equal(f.link.counters[NET_IMPAIR_LOST], 1);
	finish(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(impair_pop__keeps_delay_and_order),
		cmocka_unit_test(impair_push__serves_at_the_rate_and_drops_a_full_queue),
		cmocka_unit_test(impair_push__loses_duplicates_and_corrupts_by_its_chances),
		cmocka_unit_test(impair_push__lets_others_overtake_the_reordered),
		cmocka_unit_test(impair_push__repeats_itself_from_a_seed),
		cmocka_unit_test(impair_push__counts_what_has_no_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
