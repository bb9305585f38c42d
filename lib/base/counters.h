/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A library's counters are an array of uint64_t indexed by its enum, with a name for each; this describes
 * such an array to those who print or export it. Only the owning shard writes; readers may see a value a
 * moment old.
 */
#ifndef BASE_COUNTERS_H
#define BASE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

struct base_counters {
	const char *library;      /* "net", "quic", … */
	const char *const *names; /* [count], RFC words with underscores */
	const uint64_t *values;   /* [count] */
	size_t count;
};

#endif
