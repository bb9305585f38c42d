/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/sum.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
manager_sum_fini(struct manager_sum *sum)
{
	free(sum->entries);
	*sum = (struct manager_sum){0};
}

static bool
grow(struct manager_sum *sum)
{
	uint32_t room = sum->room > 0 ? 2 * sum->room : 2 * MANAGER_SUM_PAGE;
	struct manager_sum_entry *entries = realloc(sum->entries, room * sizeof(*entries));

	if (entries == NULL) {
		sum->failed = true;
		return false;
	}
	sum->entries = entries;
	sum->room = room;
	return true;
}

static void
write_name(char name[MANAGER_SUM_NAME_BYTES], const char *library, const char *counter)
{
	snprintf(name, MANAGER_SUM_NAME_BYTES, "%s/%s", library, counter);
	for (char *at = name; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && *at != '/')
			*at = '_';
}

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
	if (sum->count == sum->room && !grow(sum))
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

		write_name(name, counters->library, counters->names[i]);
		value = place(sum, name, &hint);
		if (value != NULL)
			*value += __atomic_load_n(&counters->values[i], __ATOMIC_RELAXED);
	}
}

uint32_t
manager_sum_page(const struct manager_sum *sum, uint32_t first, uint32_t *next)
{
	uint32_t left = first < sum->count ? sum->count - first : 0;

	*next = left > MANAGER_SUM_PAGE ? first + MANAGER_SUM_PAGE : 0;
	return left > MANAGER_SUM_PAGE ? MANAGER_SUM_PAGE : left;
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
