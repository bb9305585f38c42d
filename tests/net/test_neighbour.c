/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "tests/net/samples.h"

struct fixture {
	struct net_neighbours table;
	uint64_t counters[NET_COUNTER_COUNT];
};

static void
begin(struct fixture *f, bool resolver)
{
	struct net_neighbour_config config = net_neighbour_defaults;

	config.resolver = resolver;
	memset(f->counters, 0, sizeof(f->counters));
	net_neighbours_init(&f->table, &config, f->counters);
}

static void
tell(struct fixture *f, uint8_t kind, const uint8_t ip[16], const uint8_t mac[6], bool reply, uint64_t now_ns)
{
	struct net_neighbour_update update = {.kind = kind, .reply = reply};

	memcpy(update.ip, ip, 16);
	memcpy(update.mac, mac, 6);
	net_neighbours_import(&f->table, &update, now_ns);
	net_neighbours_check(&f->table);
}

static const uint8_t *
resolve(struct fixture *f, const uint8_t ip[16], uint64_t now_ns)
{
	uint16_t index;
	const uint8_t *mac = net_neighbours_resolve(&f->table, ip, now_ns, &index);

	net_neighbours_check(&f->table);
	return mac;
}

static unsigned
requests(struct fixture *f)
{
	struct net_neighbour_request request;
	unsigned count = 0;

	while (net_neighbours_next_request(&f->table, &request))
		count++;
	return count;
}

/* The kind of the next update, or -1. */
static int
next_kind(struct fixture *f)
{
	struct net_neighbour_update update;

	return net_neighbours_next_update(&f->table, &update) ? update.kind : -1;
}

static void
numbered(uint8_t ip[16], unsigned number)
{
	memcpy(ip, sample_peer_ipv6, 16);
	ip[13] = (uint8_t)(number >> 16);
	ip[14] = (uint8_t)(number >> 8);
	ip[15] = (uint8_t)number;
}

static void
neighbours_resolve__asks_once_and_believes_the_reply(void **state)
{
	struct fixture f;

	begin(&f, true);
	assert_null(resolve(&f, sample_peer_ipv4, 0));
	assert_null(resolve(&f, sample_peer_ipv4, 1));
	assert_int_equal(requests(&f), 1);
	tell(&f, NET_NEIGHBOUR_HEARD, sample_peer_ipv4, sample_peer_mac, true, 2);
	assert_memory_equal(resolve(&f, sample_peer_ipv4, 3), sample_peer_mac, 6);
	assert_int_equal(next_kind(&f), NET_NEIGHBOUR_ANNOUNCED);
	assert_int_equal(f.counters[NET_NEIGHBOUR_RESOLVED], 1);
}

static void
neighbours_expire__gives_up_after_three_requests(void **state)
{
	struct base_datagram datagram = {.length = 9};
	struct fixture f;
	uint16_t index;
	bool resolved;

	begin(&f, true);
	assert_null(net_neighbours_resolve(&f.table, sample_peer_ipv4, 0, &index));
	assert_true(net_neighbours_hold(&f.table, index, &datagram));
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(requests(&f), 1);
		assert_true(net_neighbours_deadline(&f.table) == i * BASE_SECOND);
		net_neighbours_expire(&f.table, i * BASE_SECOND - 1);
		assert_int_equal(requests(&f), 0);
		net_neighbours_expire(&f.table, i * BASE_SECOND);
		net_neighbours_check(&f.table);
	}
	assert_int_equal(f.counters[NET_NEIGHBOUR_FAILED], 1);
	assert_int_equal(next_kind(&f), NET_NEIGHBOUR_GONE);
	assert_true(net_neighbours_next_released(&f.table, &datagram, &resolved));
	assert_false(resolved);
	assert_false(net_neighbours_next_released(&f.table, &datagram, &resolved));
	assert_true(net_neighbours_deadline(&f.table) == BASE_NEVER);
}

static void
neighbours_hold__keeps_a_few_in_order(void **state)
{
	struct base_datagram datagram = {0};
	struct fixture f;
	uint16_t index, other;
	bool resolved;

	begin(&f, true);
	net_neighbours_resolve(&f.table, sample_peer_ipv4, 0, &index);
	net_neighbours_resolve(&f.table, sample_peer_ipv6, 0, &other);
	for (datagram.length = 0; datagram.length < 4; datagram.length++) {
		assert_true(net_neighbours_hold(&f.table, index, &datagram));
		assert_true(net_neighbours_hold(&f.table, other, &datagram));
	}
	assert_false(net_neighbours_hold(&f.table, index, &datagram));
	tell(&f, NET_NEIGHBOUR_HEARD, sample_peer_ipv4, sample_peer_mac, true, 1);
	for (uint16_t i = 0; i < 4; i++) {
		assert_true(net_neighbours_next_released(&f.table, &datagram, &resolved));
		assert_true(resolved);
		assert_int_equal(datagram.length, i);
		net_neighbours_check(&f.table);
	}
	assert_false(net_neighbours_next_released(&f.table, &datagram, &resolved));
}

static void
neighbours_import__believes_nothing_that_was_not_asked_for(void **state)
{
	struct fixture f;

	begin(&f, true);
	tell(&f, NET_NEIGHBOUR_HEARD, sample_peer_ipv4, sample_other_mac, true, 0);
	assert_int_equal(f.table.in_use, 0);
	assert_null(resolve(&f, sample_peer_ipv4, 0));
	tell(&f, NET_NEIGHBOUR_HEARD, sample_peer_ipv4, sample_other_mac, false,
		1); /* gratuitous, while asking */
	assert_null(resolve(&f, sample_peer_ipv4, 1));
	tell(&f, NET_NEIGHBOUR_HEARD, sample_peer_ipv4, sample_peer_mac, true, 2);
	requests(&f);
	/* Another address for a known neighbour: asked again, the old one serves until the answer. */
	tell(&f, NET_NEIGHBOUR_HEARD, sample_peer_ipv4, sample_other_mac, true, 3);
	assert_int_equal(f.counters[NET_NEIGHBOUR_CONFLICT], 1);
	assert_memory_equal(resolve(&f, sample_peer_ipv4, 3), sample_peer_mac, 6);
	assert_int_equal(requests(&f), 1);
	tell(&f, NET_NEIGHBOUR_HEARD, sample_peer_ipv4, sample_peer_mac, true, 4);
	assert_memory_equal(resolve(&f, sample_peer_ipv4, 5), sample_peer_mac, 6);
	assert_int_equal(f.counters[NET_NEIGHBOUR_UNSOLICITED], 3);
}

static void
neighbours_import__learns_unsolicited_only_when_told_to(void **state)
{
	struct fixture f;

	begin(&f, true);
	f.table.config.learn_unsolicited = true;
	tell(&f, NET_NEIGHBOUR_HEARD, sample_peer_ipv4, sample_peer_mac, false, 0);
	assert_memory_equal(resolve(&f, sample_peer_ipv4, 1), sample_peer_mac, 6);
}

static void
neighbours_expire__ages_probes_and_forgets(void **state)
{
	uint64_t reachable_ns = net_neighbour_defaults.reachable_ns,
		 stale_ns = net_neighbour_defaults.stale_ns;
	struct fixture f;

	begin(&f, true);
	resolve(&f, sample_peer_ipv4, 0);
	tell(&f, NET_NEIGHBOUR_HEARD, sample_peer_ipv4, sample_peer_mac, true, 0);
	requests(&f);
	net_neighbours_expire(&f.table, reachable_ns);
	assert_int_equal(requests(&f), 0); /* stale and unused: nobody asks */
	assert_non_null(resolve(&f, sample_peer_ipv4, reachable_ns + 1));
	assert_int_equal(requests(&f), 1); /* used: asked, and served meanwhile */
	tell(&f, NET_NEIGHBOUR_HEARD, sample_peer_ipv4, sample_peer_mac, true, reachable_ns + 2);
	net_neighbours_expire(&f.table, 2 * reachable_ns + 2);
	net_neighbours_expire(&f.table, 2 * reachable_ns + stale_ns + 2);
	net_neighbours_check(&f.table);
	assert_int_equal(f.table.in_use, 0);
}

static void
neighbours_pin__asks_for_ever_and_keeps_fresh(void **state)
{
	struct fixture f;

	begin(&f, true);
	assert_true(net_neighbours_pin(&f.table, sample_gateway_ipv4, 0));
	for (uint64_t second = 1; second < 20; second++) {
		assert_int_equal(requests(&f), 1);
		net_neighbours_expire(&f.table, second * BASE_SECOND);
		net_neighbours_check(&f.table);
	}
	tell(&f, NET_NEIGHBOUR_HEARD, sample_gateway_ipv4, sample_peer_mac, true, 20 * BASE_SECOND);
	requests(&f);
	net_neighbours_expire(&f.table, 20 * BASE_SECOND + net_neighbour_defaults.reachable_ns);
	assert_int_equal(requests(&f), 1);
	/* Silent from now on: the address it had still serves. */
	for (uint64_t second = 51; second < 80; second++)
		net_neighbours_expire(&f.table, second * BASE_SECOND);
	assert_non_null(resolve(&f, sample_gateway_ipv4, 80 * BASE_SECOND));
}

static void
neighbours_resolve__holds_to_its_limits_under_a_flood(void **state)
{
	struct fixture f;
	uint8_t ip[16];

	begin(&f, true);
	net_neighbours_add_static(&f.table, sample_peer_ipv4, sample_peer_mac);
	net_neighbours_pin(&f.table, sample_gateway_ipv4, 0);
	for (unsigned i = 0; i < 100000; i++) {
		numbered(ip, i);
		resolve(&f, ip, i * BASE_MS);
		if (i % 100 == 0)
			net_neighbours_expire(&f.table, i * BASE_MS);
		assert_in_range(f.table.incomplete, 0, 33);
	}
	/* 50 a second over 100 seconds, a burst, and the retries. */
	assert_true(f.counters[NET_NEIGHBOUR_RATE] > 90000);
	assert_true(f.counters[NET_NEIGHBOUR_EVICTED] > 0);
	assert_memory_equal(resolve(&f, sample_peer_ipv4, 0), sample_peer_mac, 6);
	net_neighbours_check(&f.table);
}

static void
neighbours_resolve__forgets_the_longest_unused_when_full(void **state)
{
	struct fixture f;
	uint8_t ip[16];

	begin(&f, true);
	for (unsigned i = 0; i < 300; i++) {
		numbered(ip, i);
		resolve(&f, ip, i * BASE_SECOND / 10);
		tell(&f, NET_NEIGHBOUR_HEARD, ip, sample_peer_mac, true, i * BASE_SECOND / 10);
	}
	assert_int_equal(f.table.in_use, 256);
	assert_int_equal(f.counters[NET_NEIGHBOUR_EVICTED], 44);
	numbered(ip, 299);
	assert_non_null(resolve(&f, ip, 30 * BASE_SECOND));
}

static void
neighbours__copies_follow_the_resolver(void **state)
{
	struct net_neighbour_update update;
	struct fixture resolver, copy;

	begin(&resolver, true);
	begin(&copy, false);
	assert_null(resolve(&copy, sample_peer_ipv6, 0));
	assert_int_equal(requests(&copy), 0);
	assert_true(net_neighbours_next_update(&copy.table, &update));
	assert_int_equal(update.kind, NET_NEIGHBOUR_WANTED);
	net_neighbours_import(&resolver.table, &update, 1);
	assert_int_equal(requests(&resolver), 1);
	/* The answer is heard on the copy's queue. */
	tell(&copy, NET_NEIGHBOUR_HEARD, sample_peer_ipv6, sample_peer_mac, true, 2);
	assert_null(resolve(&copy, sample_peer_ipv6, 2));
	assert_true(net_neighbours_next_update(&copy.table, &update));
	assert_int_equal(update.kind, NET_NEIGHBOUR_HEARD);
	net_neighbours_import(&resolver.table, &update, 3);
	assert_true(net_neighbours_next_update(&resolver.table, &update));
	assert_int_equal(update.kind, NET_NEIGHBOUR_ANNOUNCED);
	net_neighbours_import(&copy.table, &update, 4);
	assert_memory_equal(resolve(&copy, sample_peer_ipv6, 5), sample_peer_mac, 6);
	/* A copy that asks for what is known gets its answer at once. */
	tell(&resolver, NET_NEIGHBOUR_WANTED, sample_peer_ipv6, sample_peer_mac, false, 6);
	assert_int_equal(next_kind(&resolver), NET_NEIGHBOUR_ANNOUNCED);
	tell(&copy, NET_NEIGHBOUR_GONE, sample_peer_ipv6, sample_peer_mac, false, 7);
	assert_null(resolve(&copy, sample_peer_ipv6, 8));
}

static void
neighbours_next_update__loses_only_what_is_repeated(void **state)
{
	struct fixture f;
	uint8_t ip[16];

	begin(&f, false);
	for (unsigned i = 0; i < 100; i++) {
		numbered(ip, i);
		tell(&f, NET_NEIGHBOUR_HEARD, ip, sample_peer_mac, true, 0);
	}
	assert_int_equal(f.counters[NET_NEIGHBOUR_UPDATES_LOST], 100 - NET_NEIGHBOUR_UPDATES_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_resolve__asks_once_and_believes_the_reply),
		cmocka_unit_test(neighbours_expire__gives_up_after_three_requests),
		cmocka_unit_test(neighbours_hold__keeps_a_few_in_order),
		cmocka_unit_test(neighbours_import__believes_nothing_that_was_not_asked_for),
		cmocka_unit_test(neighbours_import__learns_unsolicited_only_when_told_to),
		cmocka_unit_test(neighbours_expire__ages_probes_and_forgets),
		cmocka_unit_test(neighbours_pin__asks_for_ever_and_keeps_fresh),
		cmocka_unit_test(neighbours_resolve__holds_to_its_limits_under_a_flood),
		cmocka_unit_test(neighbours_resolve__forgets_the_longest_unused_when_full),
		cmocka_unit_test(neighbours__copies_follow_the_resolver),
		cmocka_unit_test(neighbours_next_update__loses_only_what_is_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
