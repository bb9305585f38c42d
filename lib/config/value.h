/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One value of the configuration: checked against its key and stored, and written as TOML again. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "config/document.h"
#include "config/keys.h"

enum { VALUE_SENTENCE_BYTES = 320 };

/*
 * Stores the value in `member`, an empty list for a list. False with "what is wrong; the mend" in
 * `sentence`.
 */
bool value_store(const struct config_key *key, void *member, const struct document_value *value,
	char sentence[VALUE_SENTENCE_BYTES]);
/* Adds an element to the list in `member`. */
bool value_add(const struct config_key *key, void *member, const struct document_value *value,
	char sentence[VALUE_SENTENCE_BYTES]);
void value_print(FILE *stream, const struct config_key *key, const void *member);
/* Stores what the table of keys says, which is right: asserted. */
void value_store_toml(const struct config_key *key, void *member, const char *toml);

/* The word that is most like `word`, NULL when none is near. */
const char *value_nearest(const char *word, const char *const *words, size_t count);

#endif
