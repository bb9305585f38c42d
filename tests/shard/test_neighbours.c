/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "net/counters.h"
#include "tests/shard/gateway.h"

static uint64_t
net_counter(const struct fixture *f, unsigned shard, enum net_counter counter)
{
	struct base_counters counters[8];
	uint32_t count = shard_get_counters(f->group->shards[shard], counters, 8);

	for (uint32_t i = 0; i < count; i++)
		if (strcmp(counters[i].library, "net") == 0)
			return counters[i].values[counter];
	fail();
	return 0;
}

static void
turns(struct fixture *f, unsigned count, unsigned *echoed)
{
	struct base_datagram datagram;

	while (count-- > 0) {
		for (unsigned i = 0; i < SHARDS; i++)
			shard_turn(f->group->shards[i]);
		*echoed += client_turn(f, &datagram);
	}
}

/*
 * Architecture section 3: neighbours are resolved by one shard and announced to the others. Both queues have datagrams to answer;
 * one request is on the wire, and each shard that answered knows the address.
 */
static void
shard_neighbours__resolves_once_and_tells_all(void **state)
{
	struct fixture *f = *state;
	uint16_t resolver = shard_get_config(f->group->shards[0])->ports[0].resolver;
	unsigned echoed = 0;

	for (uint16_t port = 6000; port < 6004; port++)
		client_send(f, port, ECHO, "hello", 5);
	turns(f, 10, &echoed);
	for (uint16_t port = 6004; port < 6020; port++)
		client_send(f, port, ECHO, "hello", 5);
	turns(f, 10, &echoed);
	assert_int_equal(echoed, 20);
	for (unsigned i = 0; i < SHARDS; i++) {
		assert_int_equal(net_counter(f, i, NET_SENT_REQUESTS), i == resolver ? 1 : 0);
		if (i < QUEUES) {
			assert_true(gateway_counter(f, i, SHARD_UDP_ECHOED) > 0);
			assert_int_equal(net_counter(f, i, NET_NEIGHBOUR_RESOLVED), 1);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			shard_neighbours__resolves_once_and_tells_all, gateway_setup, gateway_teardown),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
