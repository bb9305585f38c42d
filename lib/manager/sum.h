/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counters by name, of one shard or added up over several: what is asked for by name is a library, a slash
 * and the counter's name, as telemetry takes it.
 */
#ifndef MANAGER_SUM_H
#define MANAGER_SUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/counters.h"

/* As many as one answer of DPDK's telemetry holds. */
enum { MANAGER_SUM_MAX = 256, MANAGER_SUM_NAME_BYTES = 64 };

struct manager_sum {
	uint32_t count;
	struct {
		char name[MANAGER_SUM_NAME_BYTES];
		uint64_t value;
	} entries[MANAGER_SUM_MAX];
};

void manager_sum_add(struct manager_sum *sum, const struct base_counters *counters);
/* Of all whose name begins so within their library: "drop_". */
uint64_t manager_sum_of(const struct manager_sum *sum, const char *prefix);

#endif
