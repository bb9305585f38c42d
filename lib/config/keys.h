/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keys of the configuration as data: where each is kept, what it may be, what it is by default and what
 * it means.
 */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "config/config.h"

enum config_type {
	CONFIG_BOOL,
	CONFIG_INTEGER,  /* minimum to maximum */
	CONFIG_TEXT,     /* shorter than the member */
	CONFIG_CHOICE,   /* one of `words` */
	CONFIG_CHOICES,  /* several of `words`, each once */
	CONFIG_NUMBERS,  /* integers, minimum to maximum */
	CONFIG_PREFIXES, /* IP addresses with their prefix */
	CONFIG_IPS       /* IP addresses */
};

struct config_key {
	const char *name;
	enum config_type type;
	uint32_t offset; /* in struct config, or in the entry of an array */
	uint32_t bytes;  /* of the member */
	int64_t minimum, maximum;
	const char *const *words; /* NULL at the end */
	const char *by_default;   /* as TOML; NULL: must be given */
	const char *help;         /* lines without a mark */
	const char *example; /* as TOML; what config/millrace.toml shows for a key of an array, instead */
};

struct config_section {
	const char *name; /* of the table; entries of an array of tables have [[name]] */
	const char *help;
	const struct config_key *keys;
	uint32_t key_count;
	/* Of an array: entries in struct config, their number and size. */
	bool array;
	uint32_t count_offset, entries_offset, entry_bytes, entries_max;
};

extern const struct config_section config_sections[];
extern const uint32_t config_section_count;

enum { CONFIG_KEYS_MAX = 40, CONFIG_SECTIONS_MAX = 24 }; /* in a section; in all */

/* Entries that there are: a number for an array, NULL: it is none, and there is one. */
uint32_t *config_entries(struct config *config, const struct config_section *section);
/* Where a key's value is: `entry` counts in an array. */
void *config_member(struct config *config, const struct config_section *section, const struct config_key *key,
	uint32_t entry);

#endif
