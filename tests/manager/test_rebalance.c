/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/time.h"
#include "manager/rebalance.h"

/*
 * Four shards that report, window after window in virtual time. A connection makes some load wherever it is; a move takes a few windows, and
 * some are refused or given up.
 */
enum {
	SHARDS = 4,
	CONNECTIONS = 96,
	WINDOW_MS = 200,
	WINDOW_CYCLES = 2000000,
	ROOM = MANAGER_POLICY_MOVES_MAX,
	SEEDS = 100,
};

struct connection {
	uint32_t weight; /* cycles of a window */
	uint16_t owner;
	uint64_t moved_ns;
	bool fixed; /* says that it cannot be moved */
};

struct flight {
	struct manager_policy_move move;
	uint32_t windows; /* left */
	bool fails;
};

static struct manager_rebalance rebalance;
static struct manager_window window;
static struct manager_placement placements[MANAGER_POLICY_SHARDS_MAX];
static struct shard_load_report reports[SHARDS];
static const struct shard_load_report *reported[SHARDS];
static bool leaving[SHARDS];
static int sockets[SHARDS];
static struct connection connections[CONNECTIONS];
static struct flight flights[ROOM];
static struct base_random random_source;
static uint32_t flight_count, connection_count, decided, told;
static uint32_t fail_percent, noise_percent; /* of a load, up and down */
static double cycles_per_sample;             /* 0: weights are told as they are */
static uint32_t drawn[CONNECTIONS];          /* samples in this window */

static int
setup(void **state)
{
	memset(connections, 0, sizeof(connections));
	memset(leaving, 0, sizeof(leaving));
	memset(sockets, 0, sizeof(sockets));
	flight_count = connection_count = decided = told = fail_percent = noise_percent = 0;
	cycles_per_sample = 0;
	base_random_init(&random_source, 1);
	window = (struct manager_window){.now_ns = 1000 * BASE_SECOND,
		.shard_count = SHARDS,
		.reports = reported,
		.leaving = leaving,
		.sockets = sockets};
	manager_rebalance_init(&rebalance, &manager_policy_defaults, true, window.now_ns);
	return 0;
}

static void
add(uint16_t owner, uint32_t permille)
{
	connections[connection_count++] =
		(struct connection){.owner = owner, .weight = permille * (WINDOW_CYCLES / 1000)};
}

static uint64_t
load_of(uint16_t shard)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < connection_count; i++)
		if (connections[i].owner == shard)
			sum += connections[i].weight;
	return sum;
}

/* By Knuth's product of uniform numbers: as many as come by chance where `mean` are to be expected. */
static uint32_t
poisson(double mean)
{
	double limit = exp(-mean), product = 1;
	uint32_t count = 0;

	while ((product *= (double)(base_random_next(&random_source) >> 11) * 0x1p-53) > limit)
		count++;
	return count;
}

static uint32_t
draw(uint16_t shard)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < connection_count; i++) {
		if (connections[i].owner != shard)
			continue;
		drawn[i] = cycles_per_sample == 0 ? connections[i].weight
						  : poisson(connections[i].weight / cycles_per_sample);
		sum += drawn[i];
	}
	return sum;
}

/* The heaviest of a shard, as its report has them. */
static void
report(uint16_t shard)
{
	struct shard_load_report *to = &reports[shard];
	uint32_t last = UINT32_MAX, last_index = UINT32_MAX;

	memset(to, 0, sizeof(*to));
	to->busy_cycles = load_of(shard) *
		(100 - noise_percent + base_random_below(&random_source, 2 * noise_percent + 1)) / 100;
	if (to->busy_cycles > WINDOW_CYCLES)
		to->busy_cycles = WINDOW_CYCLES;
	to->idle_cycles = WINDOW_CYCLES - to->busy_cycles;
	to->weight = draw(shard);
	while (to->count < SHARD_LOAD_HEAVY_MAX) {
		uint32_t best = UINT32_MAX;

		for (uint32_t i = 0; i < connection_count; i++) {
			if (connections[i].owner != shard || drawn[i] == 0 || drawn[i] > last ||
				(drawn[i] == last && i <= last_index && last_index != UINT32_MAX))
				continue;
			if (best == UINT32_MAX || drawn[i] > drawn[best])
				best = i;
		}
		if (best == UINT32_MAX)
			break;
		last = drawn[best];
		last_index = best;
		to->heavy[to->count++] = (struct shard_load_connection){.handle = {.slot = best},
			.weight = last,
			.movable = !connections[best].fixed,
			.moved_ns = connections[best].moved_ns};
	}
	reported[shard] = to;
}

static void
land(struct flight *flight)
{
	struct connection *conn = &connections[flight->move.handle.slot];

	if (!flight->fails) {
		assert_int_equal(conn->owner, flight->move.from);
		conn->owner = flight->move.to;
		conn->moved_ns = window.now_ns;
	}
	manager_rebalance_on_result(&rebalance, flight->move.handle, !flight->fails, window.now_ns);
	told++;
}

/* One window passes; returns how many moves it decided. */
static uint32_t
pass(void)
{
	struct manager_policy_move moves[ROOM];
	uint32_t count;

	window.now_ns += WINDOW_MS * BASE_MS;
	for (uint32_t i = flight_count; i > 0; i--)
		if (flights[i - 1].windows-- == 0) {
			land(&flights[i - 1]);
			flights[i - 1] = flights[--flight_count];
		}
	window.in_flight = flight_count;
	count = manager_rebalance_window(&rebalance, &window, moves, ROOM);
	for (uint32_t i = 0; i < count; i++)
		flights[flight_count++] = (struct flight){.move = moves[i],
			.windows = (uint32_t)base_random_below(&random_source, 3),
			.fails = base_random_below(&random_source, 100) < fail_percent};
	decided += count;
	return count;
}

static uint32_t
pass_all_reporting(void)
{
	for (uint16_t i = 0; i < SHARDS; i++)
		report(i);
	return pass();
}

/* Windows until the busiest is within a tenth of the mean, and stays there. */
static uint32_t
converge(uint32_t at_most)
{
	uint32_t since = 0;

	for (uint32_t i = 0; i < at_most; i++) {
		uint64_t most = 0, sum = 0;

		pass_all_reporting();
		for (uint16_t j = 0; j < SHARDS; j++) {
			most = load_of(j) > most ? load_of(j) : most;
			sum += load_of(j);
		}
		if (most * 10 > sum / SHARDS * 11)
			since = i + 1;
	}
	return since;
}

static void
manager_rebalance_window__evens_out_within_a_tenth(void **state)
{
	for (uint64_t seed = 0; seed < 20; seed++) {
		setup(NULL);
		base_random_init(&random_source, seed);
		fail_percent = seed % 2 == 0 ? 0 : 30;
		/* Enough for the least load at which anything is done. */
		for (int i = 0; i < 40; i++)
			add(0, 12 + (uint32_t)base_random_below(&random_source, 20));
		for (uint16_t i = 1; i < SHARDS; i++)
			add(i, 50);
		/* Ten seconds; where a third of all moves fail and rests for the dwell time, half a minute. */
		assert_true(converge(400) <= (fail_percent == 0 ? 50 : 150));
		assert_int_equal(flight_count, 0);
		assert_int_equal(decided, told);
		assert_int_equal(rebalance.policy.pending_count, 0);
	}
}

static void
manager_rebalance_window__comes_to_rest(void **state)
{
	uint32_t before;

	for (int i = 0; i < 12; i++)
		add(0, 60);
	converge(100);
	before = decided;
	assert_true(before >= 9);
	converge(200);
	assert_int_equal(decided, before);
}

/* Five minutes of windows that tell of loads a fifth too high or too low. */
static void
manager_rebalance_window__leaves_noise_alone(void **state)
{
	noise_percent = 20;
	for (uint16_t i = 0; i < SHARDS; i++)
		for (int j = 0; j < 12; j++)
			add(i, 30);
	for (int i = 0; i < 1500; i++)
		pass_all_reporting();
	assert_true(decided <= 2);
	assert_int_equal(decided, told);
}

/* The same noise does not keep it from what is to be done. */
static void
manager_rebalance_window__evens_out_through_noise(void **state)
{
	noise_percent = 20;
	for (int i = 0; i < 40; i++)
		add(0, 5 + (uint32_t)base_random_below(&random_source, 25));
	assert_true(converge(400) <= 75);
}

/* Some elephants among many, all at one shard, of which few samples tell; what is left over, in thousandths of the mean. */
static uint32_t
even_out_by_samples(uint64_t seed, double samples_per_window)
{
	uint64_t most = 0, sum = 0;

	setup(NULL);
	base_random_init(&random_source, seed);
	for (int i = 0; i < 40; i++)
		add((uint16_t)(i % 8 == 0),
			5 + (uint32_t)base_random_below(&random_source, i % 10 == 0 ? 120 : 15));
	for (uint32_t i = 0; i < connection_count; i++)
		sum += connections[i].weight;
	cycles_per_sample = (double)sum / (connection_count * samples_per_window);
	for (int i = 0; i < 600; i++)
		pass_all_reporting();
	for (uint16_t i = 0; i < SHARDS; i++)
		most = load_of(i) > most ? load_of(i) : most;
	return (uint32_t)(most * 1000 * SHARDS / sum);
}

/* Whether packets are many or few: it comes near the mean, and connections do not swing to and fro for the two minutes that it takes. */
static void
manager_rebalance_window__bears_few_samples(void **state)
{
	static const struct {
		double samples; /* of a connection in a window, on average */
		uint32_t moves, left;
	} cases[] = {{15, 24, 1110}, {2, 20, 1080}, {0.5, 17, 1140}};

	for (unsigned k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		uint32_t moves = 0, left = 0;

		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			left += even_out_by_samples(seed, cases[k].samples);
			moves += decided;
		}
		printf("%.1f samples: %.1f moves, the busiest %.3f of the mean\n", cases[k].samples,
			(double)moves / SEEDS, left / 1e3 / SEEDS);
		assert_true(moves <= cases[k].moves * SEEDS && left <= cases[k].left * SEEDS);
	}
}

static void
manager_rebalance_window__leaves_a_stuck_shard_alone(void **state)
{
	for (int i = 0; i < 12; i++)
		add(0, 60);
	for (int i = 0; i < 100; i++) {
		report(0);
		report(1);
		report(2);
		reported[3] = NULL;
		pass();
	}
	assert_int_equal(load_of(3), 0);
	assert_int_equal(load_of(1), 4 * 60 * (WINDOW_CYCLES / 1000));
	/* It turns again. */
	converge(100);
	assert_true(load_of(3) > 0);
}

static void
manager_rebalance_window__gives_nothing_to_who_leaves(void **state)
{
	leaving[2] = true;
	for (int i = 0; i < 12; i++)
		add(0, 60);
	for (int i = 0; i < 100; i++)
		pass_all_reporting();
	assert_int_equal(load_of(2), 0);
	assert_true(load_of(1) > 0);
}

static void
manager_rebalance_window__counts_others_moves_in_flight(void **state)
{
	struct manager_policy_move moves[ROOM];

	for (int i = 0; i < 12; i++)
		add(0, 60);
	for (uint16_t i = 0; i < SHARDS; i++)
		report(i);
	window.in_flight = manager_policy_defaults.moves_in_flight - 1;
	for (uint32_t i = 0; i < manager_policy_defaults.windows; i++) {
		uint32_t count;

		window.now_ns += WINDOW_MS * BASE_MS;
		count = manager_rebalance_window(&rebalance, &window, moves, ROOM);
		assert_int_equal(count, i + 1 == manager_policy_defaults.windows);
	}
}

static void
manager_rebalance_window__takes_any_socket(void **state)
{
	sockets[0] = -1;
	sockets[1] = 8;
	sockets[2] = 2;
	sockets[3] = 1000000002;
	for (int i = 0; i < 12; i++)
		add(0, 60);
	converge(100);
	/* 0 and 8 share a domain, 2 is another. */
	assert_int_equal(load_of(0), load_of(1));
	assert_int_equal(load_of(2) + load_of(3), 0);
}

static void
manager_rebalance_window__takes_empty_reports(void **state)
{
	for (uint16_t i = 0; i < SHARDS; i++) {
		memset(&reports[i], 0, sizeof(reports[i]));
		reported[i] = &reports[i];
	}
	assert_int_equal(pass(), 0);
	reports[0].busy_cycles = UINT64_MAX / 2;
	reports[0].weight = 0;
	reports[0].count = 1;
	reports[0].heavy[0] = (struct shard_load_connection){.weight = 5, .movable = true};
	for (int i = 0; i < 10; i++)
		assert_int_equal(pass(), 0);
}

static void
manager_rebalance_window__moves_buckets_first(void **state)
{
	static uint16_t leads[4] = {0, 0, 0, 1};
	static uint64_t moved_ns[4];
	const struct manager_bucket_port port = {
		.port = 1, .count = 4, .shards = leads, .moved_ns = moved_ns};
	struct manager_policy_move moves[ROOM];
	uint32_t count = 0;

	window.bucket_ports = &port;
	window.bucket_port_count = 1;
	for (int i = 0; i < 9; i++)
		add(0, 80);
	for (uint16_t i = 0; i < SHARDS; i++)
		report(i);
	reports[0].bucket_counts[1] = 4;
	for (int i = 0; i < 3; i++)
		reports[0].buckets[1][i] = 3 * 80 * (WINDOW_CYCLES / 1000);
	/* Connections of this bucket are here, but it leads elsewhere. */
	reports[0].buckets[1][3] = 80 * (WINDOW_CYCLES / 1000);
	for (uint32_t i = 0; i < manager_policy_defaults.windows; i++) {
		window.now_ns += WINDOW_MS * BASE_MS;
		count = manager_rebalance_window(&rebalance, &window, moves, ROOM);
	}
	assert_true(count >= 2);
	assert_true(moves[0].is_bucket && moves[1].is_bucket);
	assert_int_equal(moves[0].port, 1);
	for (uint32_t i = 0; i < count; i++)
		assert_false(moves[i].is_bucket && moves[i].number == 3);
}

static void
manager_rebalance_switch__stops_deciding_and_begins_anew(void **state)
{
	for (int i = 0; i < 12; i++)
		add(0, 60);
	manager_rebalance_switch(&rebalance, false);
	for (int i = 0; i < 20; i++)
		assert_int_equal(pass_all_reporting(), 0);
	manager_rebalance_switch(&rebalance, true);
	/* The windows of before do not count. */
	assert_int_equal(pass_all_reporting(), 0);
	assert_int_equal(pass_all_reporting(), 0);
	assert_true(pass_all_reporting() > 0);
	/* Off while moves are on their way: their results are still taken. */
	manager_rebalance_switch(&rebalance, false);
	for (int i = 0; i < 5; i++)
		assert_int_equal(pass_all_reporting(), 0);
	assert_int_equal(decided, told);
	manager_rebalance_switch(&rebalance, true);
	assert_true(converge(100) <= 20);
}

static void
manager_rebalance_place__leaves_even_loads_where_they_are(void **state)
{
	for (uint16_t i = 0; i < SHARDS; i++)
		add(i, 500);
	pass_all_reporting();
	manager_rebalance_place(&rebalance, leaving, placements);
	for (uint16_t i = 0; i < SHARDS; i++) {
		assert_int_equal(placements[i].permille, 0);
		assert_int_equal(placements[i].target, i);
	}
}

static void
manager_rebalance_place__sends_what_is_above_the_mean(void **state)
{
	add(0, 800);
	add(1, 400);
	add(2, 100);
	add(3, 300);
	pass_all_reporting();
	manager_rebalance_place(&rebalance, leaving, placements);
	assert_int_equal(placements[0].permille, 500);
	assert_int_equal(placements[0].target, 2);
	for (uint16_t i = 1; i < SHARDS; i++)
		assert_int_equal(placements[i].permille, 0);
	manager_rebalance_switch(&rebalance, false);
	manager_rebalance_place(&rebalance, leaving, placements);
	assert_int_equal(placements[0].permille, 0);
}

static void
manager_rebalance_place__keeps_to_the_socket(void **state)
{
	sockets[2] = sockets[3] = 1;
	add(0, 800);
	add(1, 600);
	pass_all_reporting();
	manager_rebalance_place(&rebalance, leaving, placements);
	assert_int_equal(placements[0].target, 1);
	sockets[1] = 1;
	pass_all_reporting();
	manager_rebalance_place(&rebalance, leaving, placements);
	assert_int_equal(placements[0].permille, 0);
	/* Who leaves has to go somewhere. */
	leaving[0] = true;
	manager_rebalance_place(&rebalance, leaving, placements);
	assert_int_equal(placements[0].permille, 1000);
	assert_true(placements[0].target == 2 || placements[0].target == 3);
}

static void
manager_rebalance_place__sends_all_of_who_leaves_to_several(void **state)
{
	leaving[0] = leaving[1] = true;
	pass_all_reporting();
	manager_rebalance_place(&rebalance, leaving, placements);
	assert_int_equal(placements[0].permille, 1000);
	assert_int_equal(placements[1].permille, 1000);
	assert_int_not_equal(placements[0].target, placements[1].target);
	assert_true(placements[0].target >= 2 && placements[1].target >= 2);
	/* Nobody is left. */
	leaving[2] = leaving[3] = true;
	manager_rebalance_place(&rebalance, leaving, placements);
	for (uint16_t i = 0; i < SHARDS; i++)
		assert_int_equal(placements[i].permille, 0);
}

static void
manager_rebalance_heavy__sorts_by_the_share_of_the_shard(void **state)
{
	struct manager_heavy heavy[5];

	add(0, 10);
	add(0, 30);
	add(1, 100);
	add(1, 300);
	add(2, 70);
	add(3, 1);
	connections[4].fixed = true;
	pass_all_reporting();
	assert_int_equal(manager_rebalance_heavy(&rebalance, heavy, 5), 5);
	assert_int_equal(heavy[0].permille, 1000);
	assert_int_equal(heavy[0].shard + heavy[1].shard, 5);
	assert_int_equal(heavy[2].permille, 750);
	assert_int_equal(heavy[4].permille, 250);
	for (int i = 0; i < 5; i++)
		assert_int_equal(heavy[i].movable, heavy[i].handle.slot != 4);
	assert_int_equal(manager_rebalance_heavy(&rebalance, heavy, 2), 2);
	assert_int_equal(heavy[1].permille, 1000);
	assert_int_equal(manager_rebalance_heavy(&rebalance, heavy, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(manager_rebalance_switch__stops_deciding_and_begins_anew, setup),
		cmocka_unit_test_setup(manager_rebalance_window__evens_out_within_a_tenth, setup),
		cmocka_unit_test_setup(manager_rebalance_window__comes_to_rest, setup),
		cmocka_unit_test_setup(manager_rebalance_window__leaves_noise_alone, setup),
		cmocka_unit_test_setup(manager_rebalance_window__evens_out_through_noise, setup),
		cmocka_unit_test_setup(manager_rebalance_window__bears_few_samples, setup),
		cmocka_unit_test_setup(manager_rebalance_window__leaves_a_stuck_shard_alone, setup),
		cmocka_unit_test_setup(manager_rebalance_window__gives_nothing_to_who_leaves, setup),
		cmocka_unit_test_setup(manager_rebalance_window__counts_others_moves_in_flight, setup),
		cmocka_unit_test_setup(manager_rebalance_window__takes_any_socket, setup),
		cmocka_unit_test_setup(manager_rebalance_window__takes_empty_reports, setup),
		cmocka_unit_test_setup(manager_rebalance_window__moves_buckets_first, setup),
		cmocka_unit_test_setup(manager_rebalance_place__leaves_even_loads_where_they_are, setup),
		cmocka_unit_test_setup(manager_rebalance_place__sends_what_is_above_the_mean, setup),
		cmocka_unit_test_setup(manager_rebalance_place__keeps_to_the_socket, setup),
		cmocka_unit_test_setup(manager_rebalance_place__sends_all_of_who_leaves_to_several, setup),
		cmocka_unit_test_setup(manager_rebalance_heavy__sorts_by_the_share_of_the_shard, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
