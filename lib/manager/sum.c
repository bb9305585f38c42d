/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/sum.h"

#include <stdio.h>
#include <string.h>

/* Shards have the same counters in the same order, so the search begins where the last one ended. */
static uint64_t *
place(struct manager_sum *sum, const char *name, uint32_t *hint)
{
	for (uint32_t i = 0; i < sum->count; i++) {
		uint32_t at = (*hint + i) % sum->count;

		if (strcmp(sum->entries[at].name, name) == 0) {
			*hint = at + 1;
			return &sum->entries[at].value;
		}
	}
	if (sum->count == MANAGER_SUM_MAX)
		return NULL;
	snprintf(sum->entries[sum->count].name, MANAGER_SUM_NAME_BYTES, "%s", name);
	sum->entries[sum->count].value = 0;
	return &sum->entries[sum->count++].value;
}

void
manager_sum_add(struct manager_sum *sum, const struct base_counters *counters)
{
	uint32_t hint = 0;

	for (size_t i = 0; i < counters->count; i++) {
		char name[MANAGER_SUM_NAME_BYTES];
		uint64_t *value;

		snprintf(name, sizeof(name), "%s/%s", counters->library, counters->names[i]);
		value = place(sum, name, &hint);
		if (value != NULL)
			*value += __atomic_load_n(&counters->values[i], __ATOMIC_RELAXED);
	}
}

uint64_t
manager_sum_of(const struct manager_sum *sum, const char *prefix)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < sum->count; i++) {
		const char *slash = strchr(sum->entries[i].name, '/');

		if (slash != NULL && strncmp(slash + 1, prefix, strlen(prefix)) == 0)
			total += sum->entries[i].value;
	}
	return total;
}
