/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sorted set of half-open ranges [start, end) of 64-bit numbers with a fixed number of places, in memory
 * that the user gives: packet numbers received, octets of a stream acknowledged. When an insertion needs a
 * place and there is none, it is refused or the lowest range is forgotten, as the caller says.
 */
#ifndef BASE_RANGES_H
#define BASE_RANGES_H

#include <stdbool.h>
#include <stdint.h>

struct base_range {
	uint64_t start;
	uint64_t end;
};

struct base_ranges {
	struct base_range *ranges; /* ascending, never touching */
	uint16_t count;
	uint16_t capacity;
};

static inline struct base_ranges
base_ranges(struct base_range *memory, uint16_t capacity)
{
	return (struct base_ranges){.ranges = memory, .count = 0, .capacity = capacity};
}

/* Adds [start, end), start < end. False, with the set unchanged, when there is no place for one more range.
 */
bool base_ranges_add(struct base_ranges *set, uint64_t start, uint64_t end);
/* As base_ranges_add, but forgets the lowest range to make place. False when the new range itself is the
 * lowest. */
bool base_ranges_add_forgetting(struct base_ranges *set, uint64_t start, uint64_t end);
/* Takes out everything below `start`. */
void base_ranges_remove_below(struct base_ranges *set, uint64_t start);
/* True when all of [start, end) is in the set. */
bool base_ranges_contain(const struct base_ranges *set, uint64_t start, uint64_t end);
/* Asserts order and distance of the ranges. */
void base_ranges_check(const struct base_ranges *set);

#endif
