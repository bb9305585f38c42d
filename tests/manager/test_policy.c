/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/time.h"
#include "manager/policy.h"

enum { WINDOW_MS = 100, WINDOW_CYCLES = 1000000, ROOM = MANAGER_POLICY_MOVES_MAX };

/* ---- one round, by hand: loads in thousandths of a window ---- */

static struct manager_policy policy;
static struct manager_policy_limits limits;
static struct manager_policy_shard shards[MANAGER_POLICY_SHARDS_MAX];
static struct manager_policy_sample sample;
static struct manager_policy_move moves[ROOM];

static int
setup(void **state)
{
	limits = manager_policy_defaults;
	limits.windows = 1;
	memset(shards, 0, sizeof(shards));
	sample = (struct manager_policy_sample){
		.now_ns = 100 * BASE_SECOND, .window_cycles = WINDOW_CYCLES, .shards = shards};
	manager_policy_init(&policy, &limits, sample.now_ns);
	return 0;
}

static struct manager_policy_shard *
add_shard(uint64_t busy_permille)
{
	struct manager_policy_shard *shard = &shards[sample.shard_count++];

	shard->busy_cycles = busy_permille * WINDOW_CYCLES / 1000;
	shard->usable = true;
	return shard;
}

static struct manager_policy_connection *
add_connection(struct manager_policy_shard *shard, uint64_t load_permille)
{
	struct manager_policy_connection *connection = &shard->heavy[shard->count++];

	connection->handle.slot = (uint32_t)(shard - shards) * MANAGER_POLICY_HEAVY_MAX + shard->count;
	connection->cycles = load_permille * WINDOW_CYCLES / 1000;
	connection->movable = true;
	return connection;
}

static uint32_t
decide(void)
{
	uint32_t count = manager_policy_decide(&policy, &sample, moves, ROOM);

	sample.now_ns += WINDOW_MS * BASE_MS;
	return count;
}

/* All that is pending has moved, and the window that saw it is over. */
static void
settle(void)
{
	while (policy.pending_count > 0)
		manager_policy_on_result(&policy, policy.pending[0], true, sample.now_ns);
	assert_int_equal(decide(), 0);
}

static void
manager_policy_decide__leaves_even_loads_alone(void **state)
{
	add_connection(add_shard(540), 20);
	add_connection(add_shard(500), 20);
	assert_int_equal(decide(), 0);
}

static void
manager_policy_decide__leaves_idle_shards_alone(void **state)
{
	add_connection(add_shard(150), 70);
	add_shard(0);
	assert_int_equal(decide(), 0);
}

static void
manager_policy_decide__moves_the_one_that_evens_out(void **state)
{
	struct manager_policy_shard *shard = add_shard(800);

	add_shard(400);
	add_connection(shard, 50);
	add_connection(shard, 195);
	add_connection(shard, 60);
	assert_int_equal(decide(), 1);
	assert_int_equal(moves[0].handle.slot, shard->heavy[1].handle.slot);
	assert_int_equal(moves[0].from, 0);
	assert_int_equal(moves[0].to, 1);
	assert_false(moves[0].is_bucket);
}

static void
manager_policy_decide__moves_the_neighbours_of_an_elephant(void **state)
{
	struct manager_policy_shard *shard = add_shard(900);

	add_shard(300);
	add_connection(shard, 600);
	add_connection(shard, 150);
	add_connection(shard, 150);
	assert_int_equal(decide(), 2);
	assert_int_not_equal(moves[0].handle.slot, shard->heavy[0].handle.slot);
	assert_int_not_equal(moves[1].handle.slot, shard->heavy[0].handle.slot);
}

static void
manager_policy_decide__keeps_an_elephant_that_another_could_bear(void **state)
{
	struct manager_policy_shard *shard = add_shard(900);

	add_shard(400);
	add_shard(600);
	add_connection(shard, 450);
	add_connection(shard, 150);
	assert_int_equal(decide(), 1);
	assert_int_equal(moves[0].handle.slot, shard->heavy[1].handle.slot);
}

/* The target would be as busy as the shard was. */
static void
manager_policy_decide__makes_no_target_the_next_to_be_relieved(void **state)
{
	struct manager_policy_shard *shard = add_shard(700);

	for (int i = 0; i < 9; i++)
		add_shard(600);
	add_connection(shard, 85);
	assert_int_equal(decide(), 0);
	add_connection(shard, 40);
	assert_int_equal(decide(), 1);
	assert_int_equal(moves[0].cycles, shard->heavy[1].cycles);
}

static void
manager_policy_decide__leaves_an_elephant_that_is_alone(void **state)
{
	add_connection(add_shard(900), 890);
	add_shard(100);
	assert_int_equal(decide(), 0);
	assert_int_equal(decide(), 0);
}

static void
manager_policy_decide__helps_the_next_where_the_busiest_cannot_be_helped(void **state)
{
	add_connection(add_shard(900), 890);
	add_connection(add_shard(800), 100);
	add_shard(100);
	assert_int_equal(decide(), 1);
	assert_int_equal(moves[0].from, 1);
	assert_int_equal(moves[0].to, 2);
}

static void
manager_policy_decide__spreads_over_several_targets(void **state)
{
	struct manager_policy_shard *shard = add_shard(900);

	add_shard(300);
	add_shard(300);
	for (int i = 0; i < 6; i++)
		add_connection(shard, 100);
	assert_int_equal(decide(), 4);
	assert_int_not_equal(moves[0].to, moves[1].to);
}

static void
manager_policy_decide__waits_for_windows_in_a_row(void **state)
{
	struct manager_policy_shard *busy = add_shard(800), *other = add_shard(400);

	limits.windows = 3;
	manager_policy_init(&policy, &limits, sample.now_ns);
	add_connection(busy, 190);
	assert_int_equal(decide(), 0);
	assert_int_equal(decide(), 0);
	other->busy_cycles = busy->busy_cycles;
	assert_int_equal(decide(), 0);
	other->busy_cycles = busy->busy_cycles / 2;
	assert_int_equal(decide(), 0);
	assert_int_equal(decide(), 0);
	assert_int_equal(decide(), 1);
}

static void
manager_policy_decide__acts_until_below_the_low_mark(void **state)
{
	struct manager_policy_shard *busy = add_shard(800), *other = add_shard(400);

	add_connection(busy, 10);
	assert_int_equal(decide(), 1);
	settle();
	/* 8 % above the mean: not enough to begin, enough to go on. */
	busy->busy_cycles = 540000;
	other->busy_cycles = 460000;
	assert_int_equal(decide(), 1);
	settle();
	busy->busy_cycles = 520000;
	other->busy_cycles = 480000;
	assert_int_equal(decide(), 0);
	busy->busy_cycles = 540000;
	other->busy_cycles = 460000;
	assert_int_equal(decide(), 0);
}

static void
manager_policy_decide__leaves_what_may_not_move(void **state)
{
	struct manager_policy_shard *shard = add_shard(800);

	add_shard(400);
	add_connection(shard, 190)->movable = false;
	add_connection(shard, 180)->moved_ns = sample.now_ns - limits.dwell_ns + 1;
	add_connection(shard, 170)->moved_ns = sample.now_ns - limits.dwell_ns;
	assert_int_equal(decide(), 1);
	assert_int_equal(moves[0].handle.slot, shard->heavy[2].handle.slot);
}

static void
manager_policy_decide__never_crosses_sockets_unless_told_to(void **state)
{
	struct manager_policy_shard *shard = add_shard(800);

	add_shard(400)->socket = 1;
	add_connection(shard, 190);
	assert_int_equal(decide(), 0);
	limits.across_sockets = true;
	manager_policy_init(&policy, &limits, sample.now_ns);
	assert_int_equal(decide(), 1);
}

static void
manager_policy_decide__evens_out_each_socket_by_itself(void **state)
{
	for (uint16_t socket = 0; socket < 2; socket++) {
		struct manager_policy_shard *busy = add_shard(800);

		busy->socket = socket;
		add_connection(busy, 190);
		add_shard(400)->socket = socket;
	}
	assert_int_equal(decide(), 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(moves[i].to, moves[i].from + 1);
}

static void
manager_policy_decide__leaves_out_shards_that_are_not_usable(void **state)
{
	struct manager_policy_shard *shard = add_shard(800);

	add_shard(0)->usable = false;
	add_shard(400);
	add_connection(shard, 190);
	assert_int_equal(decide(), 1);
	assert_int_equal(moves[0].to, 2);
}

static void
manager_policy_decide__moves_buckets_before_connections(void **state)
{
	const struct manager_policy_bucket buckets[] = {
		{.port = 1, .number = 7, .shard = 0, .cycles = 150000},
		{.port = 1, .number = 8, .shard = 0, .cycles = 30000, .moved_ns = sample.now_ns - 1},
		{.port = 1, .number = 9, .shard = 1, .cycles = 50000},
	};
	struct manager_policy_shard *shard = add_shard(800);

	add_shard(400);
	add_connection(shard, 190);
	add_connection(shard, 40);
	sample.buckets = buckets;
	sample.bucket_count = 3;
	assert_int_equal(decide(), 2);
	assert_true(moves[0].is_bucket);
	assert_int_equal(moves[0].number, 7);
	assert_false(moves[1].is_bucket);
	assert_int_equal(moves[1].handle.slot, shard->heavy[1].handle.slot);
}

static void
manager_policy_decide__waits_a_window_after_a_bucket(void **state)
{
	const struct manager_policy_bucket bucket = {.number = 7, .shard = 0, .cycles = 150000};

	add_shard(800);
	add_shard(400);
	sample.buckets = &bucket;
	sample.bucket_count = 1;
	assert_int_equal(decide(), 1);
	assert_int_equal(decide(), 0);
	assert_int_equal(decide(), 1);
}

static void
manager_policy_decide__keeps_to_moves_in_flight(void **state)
{
	struct manager_policy_shard *shard = add_shard(800);

	add_shard(400);
	for (int i = 0; i < 10; i++)
		add_connection(shard, 20);
	limits.moves_in_flight = 8;
	manager_policy_init(&policy, &limits, sample.now_ns);
	sample.in_flight = 6;
	assert_int_equal(decide(), 2);
	/* The next round comes when these have ended, and a whole window after it. */
	assert_int_equal(decide(), 0);
	settle();
	sample.in_flight = 8;
	assert_int_equal(decide(), 0);
	sample.in_flight = 0;
	assert_int_equal(decide(), 8);
}

static void
manager_policy_decide__keeps_to_moves_per_second(void **state)
{
	struct manager_policy_shard *shard = add_shard(900);
	uint32_t count;

	add_shard(100);
	for (int i = 0; i < 16; i++)
		add_connection(shard, 20);
	limits.moves_per_second = 5;
	manager_policy_init(&policy, &limits, sample.now_ns);
	count = decide();
	assert_int_equal(count, 5);
	for (int window = 1; window < 30; window++) {
		while (policy.pending_count > 0)
			manager_policy_on_result(&policy, policy.pending[0], true, sample.now_ns);
		count += decide();
	}
	assert_in_range(count, 15, 20);
}

static void
manager_policy_on_result__lets_the_refused_rest(void **state)
{
	struct manager_policy_shard *shard = add_shard(800);

	add_shard(400);
	add_connection(shard, 190);
	assert_int_equal(decide(), 1);
	manager_policy_on_result(&policy, moves[0].handle, false, sample.now_ns);
	assert_int_equal(decide(), 0);
	assert_int_equal(decide(), 0);
	/* It was waited for during a window. */
	sample.now_ns += limits.dwell_ns + 16 * WINDOW_MS * BASE_MS;
	assert_int_equal(decide(), 1);
}

/* A client that never switches holds up every decision until its move is given up. */
static void
manager_policy_on_result__lets_who_kept_all_waiting_rest_for_longer(void **state)
{
	struct manager_policy_shard *shard = add_shard(800);

	add_shard(400);
	add_connection(shard, 190);
	assert_int_equal(decide(), 1);
	sample.now_ns += 5 * BASE_SECOND - WINDOW_MS * BASE_MS;
	manager_policy_on_result(&policy, moves[0].handle, false, sample.now_ns);
	sample.now_ns += limits.dwell_ns + 79 * BASE_SECOND;
	assert_int_equal(decide(), 0);
	assert_int_equal(decide(), 0);
	sample.now_ns += BASE_SECOND;
	assert_int_equal(decide(), 1);
}

static void
manager_policy_on_result__ignores_what_it_has_not_decided(void **state)
{
	struct manager_policy_shard *shard = add_shard(800);

	add_shard(400);
	add_connection(shard, 190);
	manager_policy_on_result(&policy, (struct quic_handle){77, 1}, true, sample.now_ns);
	assert_int_equal(decide(), 1);
}

/* ---- many rounds: a gateway in virtual time ---- */

enum { FLEET_MAX = 1024, FLEET_WINDOWS = 300 };

struct fleet_connection {
	uint64_t cycles;
	uint64_t moved_ns;
	uint64_t been; /* a bit for each shard it has been on */
	uint16_t shard;
	uint16_t to;
	uint32_t windows_left; /* of its move; 0: none */
};

static struct fleet {
	struct base_random random;
	uint16_t shards;
	uint32_t count;
	uint32_t moved;
	uint32_t returned;
	struct fleet_connection connections[FLEET_MAX];
} fleet;

/* Light and middling connections, most of them on few shards. */
static void
populate(uint64_t seed)
{
	uint64_t loads[MANAGER_POLICY_SHARDS_MAX] = {0}, sum = 0;

	memset(&fleet, 0, sizeof(fleet));
	base_random_init(&fleet.random, seed);
	fleet.shards = (uint16_t)(2 + base_random_below(&fleet.random, 15));
	fleet.count = fleet.shards * 40U;
	for (uint32_t i = 0; i < fleet.count; i++) {
		struct fleet_connection *connection = &fleet.connections[i];

		connection->shard = (uint16_t)base_random_below(&fleet.random,
			base_random_below(&fleet.random, 3) == 0 ? fleet.shards : (fleet.shards + 1) / 2);
		connection->been = UINT64_C(1) << connection->shard;
		connection->cycles = 2000 + base_random_below(&fleet.random, 16000);
		loads[connection->shard] += connection->cycles;
		sum += connection->cycles;
	}
	assert_true(sum > 0 && loads[0] > 0);
}

static int
heavier_first(const void *a, const void *b)
{
	uint64_t left = ((const struct manager_policy_connection *)a)->cycles,
		 right = ((const struct manager_policy_connection *)b)->cycles;

	return left < right ? 1 : -(left > right);
}

/* A shard's sample: its heaviest, each measured with an error of up to 5 %. */
static void
measure(uint16_t at)
{
	static struct manager_policy_connection all[FLEET_MAX];
	struct manager_policy_shard *shard = &shards[at];
	uint32_t count = 0;

	*shard = (struct manager_policy_shard){.usable = true};
	for (uint32_t i = 0; i < fleet.count; i++) {
		const struct fleet_connection *connection = &fleet.connections[i];
		uint64_t noise = 950 + base_random_below(&fleet.random, 101);

		if (connection->shard != at)
			continue;
		all[count++] = (struct manager_policy_connection){.handle = {i, 1},
			.cycles = connection->cycles * noise / 1000,
			.moved_ns = connection->moved_ns,
			.movable = true};
		shard->busy_cycles += connection->cycles * noise / 1000;
	}
	qsort(all, count, sizeof(all[0]), heavier_first);
	shard->count = (uint16_t)(count < MANAGER_POLICY_HEAVY_MAX ? count : MANAGER_POLICY_HEAVY_MAX);
	memcpy(shard->heavy, all, shard->count * sizeof(all[0]));
}

/* A move takes some windows, and one in ten is refused. */
static void
advance_moves(uint64_t now_ns)
{
	for (uint32_t i = 0; i < fleet.count; i++) {
		struct fleet_connection *connection = &fleet.connections[i];
		bool moved = base_random_below(&fleet.random, 10) > 0;

		if (connection->windows_left == 0 || --connection->windows_left > 0)
			continue;
		if (moved) {
			fleet.moved++;
			fleet.returned += connection->been >> connection->to & 1;
			connection->been |= UINT64_C(1) << connection->to;
			connection->shard = connection->to;
			connection->moved_ns = now_ns;
		}
		manager_policy_on_result(&policy, (struct quic_handle){i, 1}, moved, now_ns);
	}
}

/* The busiest in thousandths of the mean, as it is, not as it is measured. */
static uint64_t
unevenness(void)
{
	uint64_t loads[MANAGER_POLICY_SHARDS_MAX] = {0}, sum = 0, most = 0;

	for (uint32_t i = 0; i < fleet.count; i++) {
		loads[fleet.connections[i].shard] += fleet.connections[i].cycles;
		sum += fleet.connections[i].cycles;
	}
	for (uint16_t i = 0; i < fleet.shards; i++)
		most = loads[i] > most ? loads[i] : most;
	return most * 1000 * fleet.shards / sum;
}

/* The sum of what shards have above the mean, by the mean connection. */
static uint64_t
moves_needed(void)
{
	uint64_t loads[MANAGER_POLICY_SHARDS_MAX] = {0}, sum = 0, above = 0;

	for (uint32_t i = 0; i < fleet.count; i++) {
		loads[fleet.connections[i].shard] += fleet.connections[i].cycles;
		sum += fleet.connections[i].cycles;
	}
	for (uint16_t i = 0; i < fleet.shards; i++)
		above += loads[i] > sum / fleet.shards ? loads[i] - sum / fleet.shards : 0;
	return above / (sum / fleet.count);
}

static void
window(void)
{
	uint32_t count;

	sample.now_ns += WINDOW_MS * BASE_MS;
	sample.in_flight = policy.pending_count;
	for (uint16_t i = 0; i < fleet.shards; i++)
		measure(i);
	count = manager_policy_decide(&policy, &sample, moves, ROOM);
	for (uint32_t i = 0; i < count; i++) {
		struct fleet_connection *connection = &fleet.connections[moves[i].handle.slot];

		assert_int_equal(connection->shard, moves[i].from);
		assert_int_equal(connection->windows_left, 0);
		assert_true(connection->moved_ns == 0 ||
			sample.now_ns - connection->moved_ns >= policy.limits.dwell_ns);
		connection->to = moves[i].to;
		connection->windows_left = 1 + (uint32_t)base_random_below(&fleet.random, 3);
	}
	advance_moves(sample.now_ns);
}

static void
manager_policy_decide__evens_out_any_fleet(void **state)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		uint64_t needed, worst = 0;
		uint32_t moved;

		setup(state);
		limits = manager_policy_defaults;
		manager_policy_init(&policy, &limits, sample.now_ns);
		populate(seed);
		sample.shard_count = fleet.shards;
		needed = moves_needed();
		for (int i = 0; i < FLEET_WINDOWS; i++)
			window();
		moved = fleet.moved;
		/* Even, and it stays so: hardly a move in as many windows again. */
		for (int i = 0; i < FLEET_WINDOWS; i++) {
			window();
			worst = unevenness() > worst ? unevenness() : worst;
		}
		if (worst > 1100 || moved > needed + 1 || fleet.returned > 0 || fleet.moved > moved + 2)
			fail_msg("seed %lu: %lu permille, %u moves of %lu, %u later, %u returned", seed,
				worst, moved, needed, fleet.moved - moved, fleet.returned);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(manager_policy_decide__leaves_even_loads_alone, setup),
		cmocka_unit_test_setup(manager_policy_decide__leaves_idle_shards_alone, setup),
		cmocka_unit_test_setup(manager_policy_decide__moves_the_one_that_evens_out, setup),
		cmocka_unit_test_setup(manager_policy_decide__moves_the_neighbours_of_an_elephant, setup),
		cmocka_unit_test_setup(
			manager_policy_decide__keeps_an_elephant_that_another_could_bear, setup),
		cmocka_unit_test_setup(manager_policy_decide__makes_no_target_the_next_to_be_relieved, setup),
		cmocka_unit_test_setup(manager_policy_decide__leaves_an_elephant_that_is_alone, setup),
		cmocka_unit_test_setup(
			manager_policy_decide__helps_the_next_where_the_busiest_cannot_be_helped, setup),
		cmocka_unit_test_setup(manager_policy_decide__spreads_over_several_targets, setup),
		cmocka_unit_test_setup(manager_policy_decide__waits_for_windows_in_a_row, setup),
		cmocka_unit_test_setup(manager_policy_decide__acts_until_below_the_low_mark, setup),
		cmocka_unit_test_setup(manager_policy_decide__leaves_what_may_not_move, setup),
		cmocka_unit_test_setup(manager_policy_decide__never_crosses_sockets_unless_told_to, setup),
		cmocka_unit_test_setup(manager_policy_decide__evens_out_each_socket_by_itself, setup),
		cmocka_unit_test_setup(manager_policy_decide__leaves_out_shards_that_are_not_usable, setup),
		cmocka_unit_test_setup(manager_policy_decide__moves_buckets_before_connections, setup),
		cmocka_unit_test_setup(manager_policy_decide__waits_a_window_after_a_bucket, setup),
		cmocka_unit_test_setup(manager_policy_decide__keeps_to_moves_in_flight, setup),
		cmocka_unit_test_setup(manager_policy_decide__keeps_to_moves_per_second, setup),
		cmocka_unit_test_setup(manager_policy_on_result__lets_the_refused_rest, setup),
		cmocka_unit_test_setup(
			manager_policy_on_result__lets_who_kept_all_waiting_rest_for_longer, setup),
		cmocka_unit_test_setup(manager_policy_on_result__ignores_what_it_has_not_decided, setup),
		cmocka_unit_test_setup(manager_policy_decide__evens_out_any_fleet, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
