/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mistakes of the operator on their way into struct config_mistakes, in the order of the lines that they
 * are on.
 */
#ifndef CONFIG_MISTAKES_H
#define CONFIG_MISTAKES_H

#include "config/config.h"
#include "config/document.h"
#include "config/keys.h"

/* What is known while a file is read: where things are, for sentences about them. */
struct config_reading {
	struct config *config;
	struct config_mistakes *mistakes;
	const char *name;
	/* By section, entry and key; line 0: not in the file. The last is of the table itself. */
	struct document_place places[CONFIG_SECTIONS_MAX][CONFIG_ENTRIES_MAX][CONFIG_KEYS_MAX + 1];
	/* The list that elements go to; NULL: they are of no use. */
	const struct config_section *list_section;
	const struct config_key *list_key;
	uint32_t list_entry;
};

void mistake(struct config_reading *reading, struct document_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * About a key by its name in the table: "port.mtu"; the place is the key's, else its table's, else the
 * start.
 */
void mistake_at(struct config_reading *reading, const char *section, uint32_t entry, const char *key,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* What no single key can say: what values mean to each other. */
void config_check(struct config_reading *reading);

#endif
