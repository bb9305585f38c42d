/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim [--scenario NAME] [--seed N | --first N --seeds COUNT] [--list] [--replay] [--trace] [--clear] [--counts] [--planted]
 *
 * Runs COUNT seeds, each through one scenario after the other in turn (or through the one named), and prints how to repeat a failure. --replay runs
 * each twice and compares all that was sent, and when; --trace prints it, and the counters.
 * --counts prints what happened in the seeds of each scenario; what a scenario is for has to happen in some of them, if they are many.
 * --planted makes one fault after the other by itself and wants each found. --clear gives the server connection IDs in clear mode, which every fifth seed has without it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "tests/sim/scenario.h"

struct options {
	const char *scenario;
	uint64_t first;
	uint64_t seeds;
	bool replay;
	bool verbose;
	bool clear;
	bool counts;
	bool planted;
	const struct sim_plant_case *plant;
};

enum {
	SCENARIOS_MAX = 64,
	SEEDS_FOR_NEEDS = 20,  /* of a scenario, until what it needs must have happened */
	SEEDS_FOR_PLANTS = 40, /* until a fault must have been found */
};

/* No divisor of the number of scenarios, so that each comes in both modes. */
enum { CLEAR_EVERY = 5 };

static struct sim sim;
static uint64_t seeds_of[SCENARIOS_MAX];
static uint64_t seen[SCENARIOS_MAX][SIM_SEEN_COUNT];

static void
list(void)
{
	for (unsigned i = 0; i < sim_scenario_count; i++)
		printf("%-26s %s\n", sim_scenarios[i].name, sim_scenarios[i].what);
}

static const struct sim_scenario *
scenario_for(const struct options *options, uint64_t seed)
{
	if (options->scenario == NULL)
		return &sim_scenarios[seed % sim_scenario_count];
	for (unsigned i = 0; i < sim_scenario_count; i++)
		if (strcmp(sim_scenarios[i].name, options->scenario) == 0)
			return &sim_scenarios[i];
	fprintf(stderr, "sim: no scenario \"%s\"; --list names them\n", options->scenario);
	exit(2);
}

static bool
run_seed(const struct options *options, const struct sim_scenario *scenario, uint64_t seed)
{
	struct sim_config config = sim_config_default();
	struct base_random random;

	base_random_init(&random, seed ^ UINT64_C(0x5eed));
	config.clear_ids = options->clear || seed % CLEAR_EVERY == 0;
	scenario->configure(&config, &random);
	if (options->plant != NULL) {
		config.plant = options->plant->plant;
		config.finding = options->plant->finding;
	}
	return sim_run(&sim, scenario->name, &config, seed);
}

static void
add_up(const struct sim_scenario *scenario)
{
	ptrdiff_t number = scenario - sim_scenarios;

	if (number >= SCENARIOS_MAX)
		abort();
	seeds_of[number]++;
	for (unsigned i = 0; i < SIM_SEEN_COUNT; i++)
		seen[number][i] += sim.seen[i];
}

/* Has what the scenarios are for happened? Returns how many were about nothing. */
static unsigned
check_needs(const struct options *options)
{
	unsigned failed = 0;

	for (unsigned number = 0; number < sim_scenario_count; number++) {
		if (options->counts && seeds_of[number] > 0)
			printf("%s, %" PRIu64 " seeds:", sim_scenarios[number].name, seeds_of[number]);
		for (unsigned i = 0; i < SIM_SEEN_COUNT; i++) {
			if (options->counts && seen[number][i] > 0)
				printf(" %s %" PRIu64, sim_seen_names[i], seen[number][i]);
			if (seeds_of[number] < SEEDS_FOR_NEEDS || seen[number][i] > 0 ||
				(sim_scenarios[number].needs & SIM_SAW(i)) == 0)
				continue;
			printf("FAILED  %s: %s has not happened in %" PRIu64 " seeds\n",
				sim_scenarios[number].name, sim_seen_names[i], seeds_of[number]);
			failed++;
		}
		if (options->counts && seeds_of[number] > 0)
			printf("\n");
	}
	return failed;
}

static bool
run_one(const struct options *options, uint64_t seed)
{
	const struct sim_scenario *scenario = scenario_for(options, seed);
	bool ok = run_seed(options, scenario, seed);
	uint64_t digest = sim.digest;

	if (ok && options->replay) {
		ok = run_seed(options, scenario, seed);
		if (ok && sim.digest != digest)
			sim_fail(&sim, "the same seed gave something else");
		ok = ok && sim.digest == digest;
	}
	add_up(scenario);
	if (!ok)
		printf("FAILED  %s: %s\n        again: sim --scenario %s --seed %" PRIu64 "\n",
			scenario->name, sim.failure, scenario->name, seed);
	else if (options->verbose)
		printf("ok      %-26s seed %" PRIu64
		       ": %.3f s, %.2f Mbit/s, slowest request of connection 0 %.1f ms\n",
			scenario->name, seed, (double)(sim.now_ns - BASE_SECOND) / 1e9,
			(double)sim_goodput(&sim) / 1e6, (double)sim.connections[0].slowest_ns / 1e6);
	return ok;
}

static int
run_plant(const struct options *options, const struct sim_plant_case *plant)
{
	struct options with = *options;

	with.plant = plant;
	with.scenario = plant->scenario;
	for (uint64_t seed = 0; seed < SEEDS_FOR_PLANTS; seed++)
		run_seed(&with, scenario_for(&with, seed), seed);
	return 1;
}

/* Every fault is found in one of a few seeds, and for what it is; each in a process of its own, which ends with that. */
static unsigned
run_planted(const struct options *options)
{
	unsigned failed = 0;

	for (unsigned i = 0; i < sim_plant_count; i++) {
		int status = 1;
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child == 0)
			_exit(run_plant(options, &sim_plants[i]));
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
			printf("FAILED  not found: %s\n", sim_plants[i].name);
			failed++;
		}
	}
	printf("%u faults found, %u not\n", sim_plant_count - failed, failed);
	return failed;
}

static bool
parse(int count, char **words, struct options *options)
{
	for (int i = 1; i < count; i++) {
		bool more = i + 1 < count;

		if (strcmp(words[i], "--replay") == 0) {
			options->replay = true;
		} else if (strcmp(words[i], "--clear") == 0) {
			options->clear = true;
		} else if (strcmp(words[i], "--counts") == 0) {
			options->counts = true;
		} else if (strcmp(words[i], "--planted") == 0) {
			options->planted = true;
		} else if (strcmp(words[i], "--trace") == 0) {
			sim.trace = true;
		} else if (strcmp(words[i], "--scenario") == 0 && more) {
			options->scenario = words[++i];
		} else if (strcmp(words[i], "--first") == 0 && more) {
			options->first = strtoull(words[++i], NULL, 10);
		} else if (strcmp(words[i], "--seeds") == 0 && more) {
			options->seeds = strtoull(words[++i], NULL, 10);
		} else if (strcmp(words[i], "--seed") == 0 && more) {
			options->first = strtoull(words[++i], NULL, 10);
			options->seeds = 1;
			options->verbose = true;
		} else {
			return false;
		}
	}
	return true;
}

int
main(int count, char **words)
{
	struct options options = {.seeds = sim_scenario_count, .verbose = false};
	uint64_t failed = 0;

	if (count == 2 && strcmp(words[1], "--list") == 0) {
		list();
		return 0;
	}
	if (!parse(count, words, &options)) {
		fprintf(stderr,
			"usage: sim [--scenario NAME] [--seed N | --first N --seeds COUNT] [--list] [--replay] [--trace] [--clear] [--counts] [--planted]\n");
		return 2;
	}
	if (options.planted)
		return run_planted(&options) != 0;
	for (uint64_t seed = options.first; seed < options.first + options.seeds; seed++)
		failed += !run_one(&options, seed);
	printf("%" PRIu64 " seeds passed, %" PRIu64 " failed\n", options.seeds - failed, failed);
	return failed + check_needs(&options) != 0;
}
