/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shards of gateway.h on lcores of their own; tests/tsan has real connections on them. */
#include <rte_cycles.h>

#include "shard/state.h"
#include "tests/shard/gateway.h"

enum { ROUNDS = 300 };

static void
group_start__runs_every_shard_until_stop(void **state)
{
	struct fixture *f = *state;
	uint8_t initial[64] = {0xc0, 0, 0, 0, 1, 8};
	struct base_datagram datagram;
	uint64_t own = 0, lost = 0, handed = 0, taken = 0;
	unsigned echoed = 0, sent = 0;
	char error[256];

	assert_true(shard_group_start(f->group, error, sizeof(error)));
	for (unsigned round = 0; round < ROUNDS; round++) {
		client_send(f, (uint16_t)(5000 + round), ECHO, "echo", 4);
		if (echoed > 0) { /* neighbours are known: nothing is lost in waiting any more */
			client_send(f, (uint16_t)(20000 + round), QUIC, initial, sizeof(initial));
			sent++;
		}
		rte_delay_us_sleep(200);
		echoed += client_turn(f, &datagram);
	}
	for (unsigned i = 0; i < 100; i++) {
		rte_delay_us_sleep(1000);
		echoed += client_turn(f, &datagram);
	}
	assert_true(shard_group_stop(f->group, 1000));
	for (unsigned i = 0; i < SHARDS; i++) {
		assert_false(shard_running(f->group->shards[i]));
		assert_true(gateway_counter(f, i, SHARD_TURNS) > 0);
		own += gateway_counter(f, i, SHARD_DATAGRAMS_OWN);
		lost += gateway_counter(f, i, SHARD_DROP_MAILBOX_FULL);
		handed += gateway_counter(f, i, SHARD_DATAGRAMS_HANDED);
		taken += gateway_counter(f, i, SHARD_DATAGRAMS_TAKEN);
	}
	assert_true(echoed > ROUNDS / 2);
	assert_int_equal(own + lost, sent);
	assert_int_equal(handed, taken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			group_start__runs_every_shard_until_stop, gateway_setup, gateway_teardown),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
