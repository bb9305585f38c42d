/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a directory into a file set at start: the input that lib/service leaves to its application. */
#ifndef APP_MILLRACE_FILE_LOADER_H
#define APP_MILLRACE_FILE_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "service/file_set.h"

struct file_loader {
	const char *directory;
	/*
	 * Where the set's memory comes from (hugepages): `bytes` aligned to 64, or NULL. It is the caller's
	 * for as long as the set is used.
	 */
	void *(*take)(void *user, size_t bytes);
	void *user;
	uint64_t bytes_max; /* of memory for the set; 0: no limit */
};

enum { FILE_LOADER_SENTENCE = 512 };

/*
 * All regular files below the directory, at any depth, sealed. Hidden ones, symbolic links and special
 * files are left out. NULL and a readable sentence (what, where, the mend) when something cannot be read or
 * does not fit.
 */
struct file_set *file_loader_load(const struct file_loader *loader, char sentence[FILE_LOADER_SENTENCE]);

#endif
