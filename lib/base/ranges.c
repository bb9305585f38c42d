/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/ranges.h"

#include <string.h>

#include "base/assert.h"

/*
 * Index of the first range that ends at or after `number`: the first that could touch a range starting there.
 * Searched from the top, where nearly all additions happen.
 */
static uint16_t
first_touching(const struct base_ranges *set, uint64_t number)
{
	uint16_t i = set->count;

	while (i > 0 && set->ranges[i - 1].end >= number)
		i--;
	return i;
}

bool
base_ranges_add(struct base_ranges *set, uint64_t start, uint64_t end)
{
	uint16_t first = first_touching(set, start), last = first;

	base_assert(start < end);
	while (last < set->count && set->ranges[last].start <= end) {
		start = start < set->ranges[last].start ? start : set->ranges[last].start;
		end = end > set->ranges[last].end ? end : set->ranges[last].end;
		last++;
	}
	if (first == last && set->count == set->capacity)
		return false;
	/* [first, last) becomes one range. */
	memmove(&set->ranges[first + 1], &set->ranges[last], (set->count - last) * sizeof(set->ranges[0]));
	set->ranges[first] = (struct base_range){.start = start, .end = end};
	set->count = (uint16_t)(set->count - (last - first) + 1);
	return true;
}

bool
base_ranges_add_forgetting(struct base_ranges *set, uint64_t start, uint64_t end)
{
	if (base_ranges_add(set, start, end))
		return true;
	if (set->count == 0 || end < set->ranges[0].start)
		return false;
	memmove(&set->ranges[0], &set->ranges[1], (set->count - 1u) * sizeof(set->ranges[0]));
	set->count--;
	return base_ranges_add(set, start, end);
}

void
base_ranges_remove_below(struct base_ranges *set, uint64_t start)
{
	uint16_t gone = 0;

	while (gone < set->count && set->ranges[gone].end <= start)
		gone++;
	memmove(&set->ranges[0], &set->ranges[gone], (set->count - gone) * sizeof(set->ranges[0]));
	set->count = (uint16_t)(set->count - gone);
	if (set->count > 0 && set->ranges[0].start < start)
		set->ranges[0].start = start;
}

bool
base_ranges_contain(const struct base_ranges *set, uint64_t start, uint64_t end)
{
	uint16_t i = first_touching(set, end);

	return i < set->count && set->ranges[i].start <= start && set->ranges[i].end >= end;
}

void
base_ranges_check(const struct base_ranges *set)
{
	base_assert(set->count <= set->capacity);
	for (uint16_t i = 0; i < set->count; i++) {
		base_assert(set->ranges[i].start < set->ranges[i].end);
		base_assert(i == 0 || set->ranges[i - 1].end < set->ranges[i].start);
	}
}
