/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one door to toml++: a TOML text is read, and its tables and values are told one by one, tables before
 * what is in them, in no order otherwise. Texts are valid during the call and end with a NUL, which they
 * may also hold: `length` counts.
 */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum document_type { DOCUMENT_BOOL, DOCUMENT_INTEGER, DOCUMENT_TEXT, DOCUMENT_LIST, DOCUMENT_OTHER };

struct document_place {
	uint32_t line, column; /* from 1 */
};

struct document_value {
	enum document_type type;
	struct document_place place;
	bool boolean;
	int64_t integer;
	const char *text;
	size_t length;
	uint32_t count; /* of a list: values that follow by `element` */
};

struct document_visitor {
	void *user;
	/* `entry` counts the tables of an array of tables; `array` says that it is one. */
	void (*table)(void *user, const char *path, uint32_t entry, bool array, struct document_place place);
	/*
	 * `path` is "" for what is in no table. A list is told once, its values right after it by
	 * element().
	 */
	void (*value)(void *user, const char *path, uint32_t entry, const char *key,
		struct document_place place, const struct document_value *value);
	void (*element)(void *user, const struct document_value *value);
	/* The text is not TOML; called alone. */
	void (*broken)(void *user, const char *what, struct document_place place);
};

void document_read(const char *text, size_t length, const struct document_visitor *visitor);

#ifdef __cplusplus
}
#endif

#endif
