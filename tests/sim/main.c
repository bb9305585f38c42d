/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sim [--scenario NAME] [--seed N | --first N --seeds COUNT] [--list] [--replay] [--trace] [--clear]
 *
 * Runs COUNT seeds, each through one scenario after the other in turn (or through the one named), and prints how to repeat a failure. --replay runs
 * each twice and compares all that was sent, and when; --trace prints it, and the counters.
 * --clear gives the server connection IDs in clear mode, which every fifth seed has without it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "tests/sim/sim.h"

struct options {
	const char *scenario;
	uint64_t first;
	uint64_t seeds;
	bool replay;
	bool verbose;
	bool clear;
};

/* No divisor of the number of scenarios, so that each comes in both modes. */
enum { CLEAR_EVERY = 5 };

static struct sim sim;

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
	return sim_run(&sim, scenario->name, &config, seed);
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

static bool
parse(int count, char **words, struct options *options)
{
	for (int i = 1; i < count; i++) {
		bool more = i + 1 < count;

		if (strcmp(words[i], "--replay") == 0) {
			options->replay = true;
		} else if (strcmp(words[i], "--clear") == 0) {
			options->clear = true;
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
			"usage: sim [--scenario NAME] [--seed N | --first N --seeds COUNT] [--list] [--replay] [--trace] [--clear]\n");
		return 2;
	}
	for (uint64_t seed = options.first; seed < options.first + options.seeds; seed++)
		failed += !run_one(&options, seed);
	printf("%" PRIu64 " seeds passed, %" PRIu64 " failed\n", options.seeds - failed, failed);
	return failed != 0;
}
