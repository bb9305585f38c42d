/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The arguments of DPDK's environment, from the configuration: lcore 0 is the management lcore, lcore 1 + N
 * runs shard N.
 */
#ifndef APP_MILLRACE_EAL_H
#define APP_MILLRACE_EAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

enum { EAL_ARGUMENTS_MAX = 64, EAL_TEXT_BYTES = 4096, EAL_FIRST_SHARD_LCORE = 1 };

struct eal_arguments {
	int count;
	char *items[EAL_ARGUMENTS_MAX + 1];
	char text[EAL_TEXT_BYTES];
	size_t used;
};

/* The CPU of each shard: as configured, or those that the process may use, beginning with the second. */
void eal_shard_cpus(const struct config *config, uint16_t cpus[CONFIG_SHARDS_MAX]);
/* Whether the threads can run on the CPUs that are named; a sentence with the mend when not. */
bool eal_cpus(const struct config *config, char *error, size_t room);
/* `more` are the operator's own, put last. False with a sentence when there are too many. */
bool eal_build(struct eal_arguments *arguments, const struct config *config, int more_count,
	char *const *more, char *error, size_t room);
/* Whether the hugepages that are wanted are there; a sentence with the mend when not. */
bool eal_hugepages(const struct config *config, int more_count, char *const *more, char *error, size_t room);
/* True for "0000:01:00.0" and "01:00.0". */
bool eal_is_pci(const char *device);

#endif
