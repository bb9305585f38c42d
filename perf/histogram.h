/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How often each value came, for quantiles far out: values below 2^BITS are exact, all others within 2^-BITS of themselves (0.4 %),
 * whatever their size, in 58 KiB and with no memory per value.
 */
#ifndef PERF_HISTOGRAM_H
#define PERF_HISTOGRAM_H

#include <stdint.h>
#include <string.h>

enum { PERF_HISTOGRAM_BITS = 8, PERF_HISTOGRAM_HALF = 1 << (PERF_HISTOGRAM_BITS - 1) };

struct perf_histogram {
	uint64_t count, sum;
	uint64_t buckets[(64 - PERF_HISTOGRAM_BITS + 2) * PERF_HISTOGRAM_HALF];
};

static inline void
perf_histogram_clear(struct perf_histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

static inline void
perf_histogram_record(struct perf_histogram *histogram, uint64_t value)
{
	/* The leading bits of the value, and how many there are below them. */
	uint32_t below = value >> PERF_HISTOGRAM_BITS == 0
		? 0
		: (uint32_t)(64 - PERF_HISTOGRAM_BITS - __builtin_clzll(value));

	histogram->buckets[below * PERF_HISTOGRAM_HALF + (value >> below)]++;
	histogram->count++;
	histogram->sum += value;
}

/* The least value that so many of a million are not above; 0 when nothing was recorded. */
static inline uint64_t
perf_histogram_quantile(const struct perf_histogram *histogram, uint64_t of_a_million)
{
	uint64_t wanted = (histogram->count * of_a_million + 999999) / 1000000, seen = 0;

	for (uint32_t i = 0; i < sizeof(histogram->buckets) / sizeof(histogram->buckets[0]); i++) {
		uint32_t below = i < 2 * PERF_HISTOGRAM_HALF ? 0 : i / PERF_HISTOGRAM_HALF - 1;

		seen += histogram->buckets[i];
		if (seen >= wanted && seen > 0)
			return ((uint64_t)(i - below * PERF_HISTOGRAM_HALF) << below) +
				((UINT64_C(1) << below) >> 1);
	}
	return 0;
}

#endif
