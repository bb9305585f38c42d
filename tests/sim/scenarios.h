/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of scenarios have of one another: each function makes a world of the usual one. */
#ifndef SIM_SCENARIOS_H
#define SIM_SCENARIOS_H

#include "tests/sim/sim.h"

#define PERCENT(n) ((uint32_t)((n)*10000))

/* Both directions alike. */
void scenario_both(struct sim_config *config, struct net_impair_config link);
/* Nobody gives up for so long. */
void scenario_patient(struct sim_config *config, uint64_t seconds);
void scenario_amplification(struct sim_config *config, struct base_random *random);
void scenario_blackhole(struct sim_config *config, struct base_random *random);
void scenario_crowd(struct sim_config *config, struct base_random *random);
void scenario_ecn_bleached(struct sim_config *config, struct base_random *random);
void scenario_ecn_vanishes(struct sim_config *config, struct base_random *random);
void scenario_elephant(struct sim_config *config, struct base_random *random);
void scenario_eviction(struct sim_config *config, struct base_random *random);
void scenario_failed_migration(struct sim_config *config, struct base_random *random);
void scenario_few_ids(struct sim_config *config, struct base_random *random);
void scenario_forwarded(struct sim_config *config, struct base_random *random);
void scenario_going_away(struct sim_config *config, struct base_random *random);
void scenario_goodput(struct sim_config *config, struct base_random *random);
void scenario_handshake(struct sim_config *config, struct base_random *random);
void scenario_long_path(struct sim_config *config, struct base_random *random);
void scenario_marking(struct sim_config *config, struct base_random *random);
void scenario_rebind_address(struct sim_config *config, struct base_random *random);
void scenario_rebind_port(struct sim_config *config, struct base_random *random);
void scenario_small_mtu(struct sim_config *config, struct base_random *random);
void scenario_starved(struct sim_config *config, struct base_random *random);
void scenario_to_satellite(struct sim_config *config, struct base_random *random);
void scenario_transfer(struct sim_config *config, struct base_random *random);
void scenario_unopenable_initials(struct sim_config *config, struct base_random *random);
void scenario_uploader(struct sim_config *config, struct base_random *random);

#endif
