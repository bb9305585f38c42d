/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a simulator runs: its scenarios, and the faults that it can make by itself. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "tests/sim/sim.h"

struct sim_scenario {
	const char *name;
	const char *what;
	void (*configure)(struct sim_config *config, struct base_random *random);
	uint64_t needs; /* SIM_SAW() of what must have happened in some of its seeds */
};
extern const struct sim_scenario sim_scenarios[];
extern const unsigned sim_scenario_count;

/* Faults that the simulator can make by itself, to see that each is found. */
struct sim_plant_case {
	const char *name;
	uint32_t plant;
	const char *scenario;
	const char *finding; /* part of the sentence that says it */
};
extern const struct sim_plant_case sim_plants[];
extern const unsigned sim_plant_count;

#endif
