/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "manager/drain.h"

enum { SHARDS = 4, SLOTS = 40000, RATE = 100, ROOM = 16, STEP_MS = 10 };

static struct quic_slots slots;
static struct manager_rebalance rebalance;
static struct manager_drain drain;
static struct manager_drain_move moves[ROOM];
static uint64_t now_ns;

static int
setup(void **state)
{
	/* Nobody touches the slots themselves. */
	const struct quic_slots_config config = {
		.count = SLOTS, .slot_bytes = 64, .region_slots = SLOTS, .shards = SHARDS};

	*state = aligned_alloc(64, (quic_slots_memory_bytes(SLOTS, SHARDS) + 63) / 64 * 64);
	quic_slots_init(&slots, &config, *state);
	now_ns = 100 * BASE_SECOND;
	manager_rebalance_init(&rebalance, &manager_policy_defaults, true, now_ns);
	rebalance.shard_count = SHARDS;
	for (uint16_t i = 0; i < SHARDS; i++)
		rebalance.shards[i].usable = true;
	manager_drain_init(&drain, &slots, SHARDS, RATE, now_ns);
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

static struct quic_handle
open_at(uint16_t shard)
{
	struct quic_handle handle = quic_slots_take(&slots, shard);

	assert_int_not_equal(handle.slot, BASE_SLOT_NONE);
	quic_slots_publish(&slots, handle, shard);
	return handle;
}

static uint32_t
step(void)
{
	now_ns += STEP_MS * BASE_MS;
	return manager_drain_step(&drain, &rebalance, now_ns, moves, ROOM);
}

/* As both shards would. */
static void
carry_out(const struct manager_drain_move *move)
{
	quic_slots_grant(&slots, move->handle.slot, move->from, move->to);
	quic_slots_attach(&slots, move->handle.slot, move->to);
}

static uint32_t
owned_by(uint16_t shard)
{
	struct quic_slot_owner owner;
	uint32_t count = 0;

	for (uint32_t i = 0; i < SLOTS; i++) {
		quic_slots_owner(&slots, i, &owner);
		count += owner.state == QUIC_SLOT_OWNED && owner.owner == shard;
	}
	return count;
}

static void
manager_drain_begin__refuses_with_a_sentence(void **state)
{
	assert_string_equal(manager_drain_begin(&drain, &rebalance, SHARDS), "there is no such shard");
	assert_null(manager_drain_begin(&drain, &rebalance, 0));
	assert_string_equal(manager_drain_begin(&drain, &rebalance, 0), "it is being drained already");
	assert_null(manager_drain_begin(&drain, &rebalance, 1));
	/* One has not reported. */
	rebalance.shards[2].usable = false;
	assert_non_null(strstr(manager_drain_begin(&drain, &rebalance, 3), "the last shard in use"));
	assert_null(manager_drain_begin(&drain, &rebalance, 2));
	assert_non_null(strstr(manager_drain_begin(&drain, &rebalance, 3), "the last shard in use"));
}

static void
manager_drain_end__refuses_with_a_sentence(void **state)
{
	assert_string_equal(manager_drain_end(&drain, UINT16_MAX), "there is no such shard");
	assert_string_equal(manager_drain_end(&drain, 1), "it is not being drained");
	assert_null(manager_drain_begin(&drain, &rebalance, 1));
	assert_true(manager_drain_any(&drain));
	assert_null(manager_drain_end(&drain, 1));
	assert_false(manager_drain_any(&drain));
}

static void
manager_drain_step__empties_the_shard_and_no_other(void **state)
{
	for (uint32_t i = 0; i < 300; i++)
		open_at((uint16_t)(i % SHARDS));
	assert_int_equal(step(), 0);
	assert_null(manager_drain_begin(&drain, &rebalance, 1));
	for (int i = 0; i < 400 && owned_by(1) > 0; i++) {
		uint32_t count = step();

		for (uint32_t j = 0; j < count; j++) {
			assert_int_equal(moves[j].from, 1);
			assert_int_not_equal(moves[j].to, 1);
			carry_out(&moves[j]);
		}
	}
	assert_int_equal(owned_by(1), 0);
	/* Dealt out evenly, as all are idle. */
	assert_int_equal(owned_by(0), 100);
	assert_int_equal(owned_by(2), 100);
	assert_int_equal(owned_by(3), 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(step(), 0);
}

static void
manager_drain_step__keeps_to_the_rate(void **state)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < 2000; i++)
		open_at(0);
	assert_null(manager_drain_begin(&drain, &rebalance, 0));
	for (int i = 0; i < 5000 / STEP_MS; i++) {
		uint32_t more = step();

		for (uint32_t j = 0; j < more; j++)
			carry_out(&moves[j]);
		count += more;
	}
	/* Five seconds, and what had been saved up before. */
	assert_in_range(count, 5 * RATE, 6 * RATE);
}

static void
manager_drain_step__asks_again_for_what_was_refused(void **state)
{
	struct quic_handle handle = open_at(2);
	uint32_t asked = 0;

	assert_null(manager_drain_begin(&drain, &rebalance, 2));
	for (int i = 0; i < 1000 / STEP_MS; i++) {
		uint32_t count = step();

		assert_true(count <= 1);
		asked += count;
		if (count == 1)
			assert_int_equal(moves[0].handle.slot, handle.slot);
	}
	/* Once in a walk, and not at every step. */
	assert_in_range(asked, 4, 6);
	quic_slots_free(&slots, handle.slot, 2);
	for (int i = 0; i < 50; i++)
		assert_int_equal(step(), 0);
}

static void
manager_drain_step__leaves_what_is_in_transit(void **state)
{
	struct quic_handle handle = open_at(2);

	assert_null(manager_drain_begin(&drain, &rebalance, 1));
	quic_slots_grant(&slots, handle.slot, 2, 1);
	for (int i = 0; i < 50; i++)
		assert_int_equal(step(), 0);
	quic_slots_attach(&slots, handle.slot, 1);
	for (int i = 0; i < 50 && step() == 0; i++)
		;
	assert_int_equal(moves[0].handle.slot, handle.slot);
	assert_int_equal(moves[0].from, 1);
}

static void
manager_drain_step__waits_while_nobody_is_in_use(void **state)
{
	open_at(0);
	assert_null(manager_drain_begin(&drain, &rebalance, 0));
	for (uint16_t i = 1; i < SHARDS; i++)
		rebalance.shards[i].usable = false;
	for (int i = 0; i < 50; i++)
		assert_int_equal(step(), 0);
	rebalance.shards[3].usable = true;
	assert_int_equal(step(), 1);
	assert_int_equal(moves[0].to, 3);
}

static void
manager_drain_step__prefers_the_least_loaded(void **state)
{
	rebalance.shards[0].busy_cycles = MANAGER_WINDOW_PARTS;
	rebalance.shards[2].busy_cycles = MANAGER_WINDOW_PARTS / 2;
	rebalance.shards[3].busy_cycles = MANAGER_WINDOW_PARTS / 4;
	manager_drain_on_window(&drain, &rebalance);
	open_at(1);
	assert_null(manager_drain_begin(&drain, &rebalance, 1));
	assert_int_equal(step(), 1);
	assert_int_equal(moves[0].to, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			manager_drain_begin__refuses_with_a_sentence, setup, teardown),
		cmocka_unit_test_setup_teardown(manager_drain_end__refuses_with_a_sentence, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_drain_step__empties_the_shard_and_no_other, setup, teardown),
		cmocka_unit_test_setup_teardown(manager_drain_step__keeps_to_the_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_drain_step__asks_again_for_what_was_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_drain_step__leaves_what_is_in_transit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_drain_step__waits_while_nobody_is_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_drain_step__prefers_the_least_loaded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
