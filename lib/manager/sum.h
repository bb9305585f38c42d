/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counters by name, of one shard or added up over several: what is asked for by name is a library, a slash
 * and the counter's name, as telemetry takes it: other characters than letters, digits, '_' and '/' become '_'. There may be any
 * number of them; they are told in pages, for an answer of DPDK's telemetry holds 256 names and so many octets.
 */
#ifndef MANAGER_SUM_H
#define MANAGER_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counters.h"

/* A page of the longest names and values is 12 KB of JSON; an answer may have 16. */
enum { MANAGER_SUM_PAGE = 128, MANAGER_SUM_NAME_BYTES = 64 };

struct manager_sum_entry {
	char name[MANAGER_SUM_NAME_BYTES];
	uint64_t value;
};

/* All zero: empty. */
struct manager_sum {
	uint32_t count, room;
	struct manager_sum_entry *entries; /* heap: sums are made by the threads of telemetry alone */
	bool failed;                       /* there was no memory for all of them */
};

void manager_sum_fini(struct manager_sum *sum);
void manager_sum_add(struct manager_sum *sum, const struct base_counters *counters);
/* Entries of the page that begins at `first`, and where the next one does; 0: that was the last. */
uint32_t manager_sum_page(const struct manager_sum *sum, uint32_t first, uint32_t *next);
/* Of all whose name begins so within their library: "drop_". */
uint64_t manager_sum_of(const struct manager_sum *sum, const char *prefix);

#endif
