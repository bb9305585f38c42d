/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the scenarios of several shards have in common, and those in files of their own. */
#ifndef SIM_SHARDS_SCENARIOS_H
#define SIM_SHARDS_SCENARIOS_H

#include "tests/sim/shards.h"

#define PERCENT(n) ((uint32_t)((n)*10000))

/* What a scenario begins from: one connection that is moved all the time, then twelve. */
void sim_shards_moves(struct sim_config *config, struct base_random *random);
void sim_shards_crowd(struct sim_config *config, struct base_random *random);

/* Prints what came of the moves, with --trace. */
void sim_shards_say(struct sim *sim);
void sim_shards_ping_all(struct sim *sim);
/* The NAT has another address or other ports for the clients from now on. */
void sim_shards_rebind(struct sim *sim);
bool sim_shards_all_answered_once(const struct sim *sim);
/* Each connection is closed or has all its answers. */
bool sim_shards_all_over(const struct sim *sim);
void sim_shards_key_update_tick(struct sim *sim);

/* ---- shards_clients.c ---- */
/* Clients retire our IDs, and have us retire theirs. */
void sim_shards_renew_tick(struct sim *sim);
void sim_shards_retiring(struct sim_config *config, struct base_random *random);
void sim_shards_empty_ids(struct sim_config *config, struct base_random *random);
void sim_shards_many_ids(struct sim_config *config, struct base_random *random);
void sim_shards_renewing(struct sim_config *config, struct base_random *random);
void sim_shards_migrating(struct sim_config *config, struct base_random *random);
void sim_shards_blocked(struct sim_config *config, struct base_random *random);
void sim_shards_datagrams(struct sim_config *config, struct base_random *random);
void sim_shards_stragglers(struct sim_config *config, struct base_random *random);

/* ---- shards_faults.c ---- */
void sim_shards_held_up(struct sim_config *config, struct base_random *random);
void sim_shards_slow_control(struct sim_config *config, struct base_random *random);
void sim_shards_stopping(struct sim_config *config, struct base_random *random);
void sim_shards_idle(struct sim_config *config, struct base_random *random);
void sim_shards_resets(struct sim_config *config, struct base_random *random);
void sim_shards_reuse_tick(struct sim *sim);
void sim_shards_reuse(struct sim_config *config, struct base_random *random);

/* ---- shards_balance.c ---- */
void sim_shards_uneven(struct sim_config *config, struct base_random *random);
void sim_shards_elephant(struct sim_config *config, struct base_random *random);
void sim_shards_placed(struct sim_config *config, struct base_random *random);
void sim_shards_one_home(struct sim_config *config, struct base_random *random);
void sim_shards_posts(struct sim_config *config, struct base_random *random);

#endif
