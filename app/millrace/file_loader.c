/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/millrace/file_loader.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http3/qpack.h"

enum { SECTION_BYTES = 4096 }; /* of the coder that writes the heads */

struct load {
	const struct file_loader *loader;
	struct file_set *set; /* NULL while files are counted */
	uint64_t files, body_bytes, path_bytes;
	char *sentence;
};

static bool
say(const struct load *load, const char *path, const char *what)
{
	snprintf(load->sentence, FILE_LOADER_SENTENCE, "%s: %s", path, what);
	return false;
}

static bool
say_errno(const struct load *load, const char *path)
{
	char what[128];

	snprintf(what, sizeof(what), "%s; make it readable, or name another folder", strerror(errno));
	return say(load, path, what);
}

/* Exactly the octets that were counted, so a file that changes meanwhile is noticed. */
static bool
read_whole(const struct load *load, const char *path, uint8_t *octets, uint64_t length)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint64_t have = 0;
	ssize_t got = 1;

	if (file < 0)
		return say_errno(load, path);
	while (have < length && got > 0) {
		got = read(file, octets + have, length - have);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			have += (uint64_t)got;
	}
	if (got < 0)
		say_errno(load, path);
	else if (have < length)
		say(load, path, "the file became shorter while it was read; start again");
	close(file);
	return have == length;
}

/*
 * The path below the directory, with one slash in front, however many the directory was named with at its
 * end.
 */
static const char *
below(const struct load *load, const FTSENT *entry)
{
	size_t length = strlen(load->loader->directory);

	while (length > 0 && load->loader->directory[length - 1] == '/')
		length--;
	while (entry->fts_path[length] == '/' && entry->fts_path[length + 1] == '/')
		length++;
	return entry->fts_path + length;
}

static bool
visit_file(struct load *load, const FTSENT *entry)
{
	const char *path = below(load, entry);
	uint64_t length = (uint64_t)entry->fts_statp->st_size;
	uint8_t *place;

	if (strlen(path) > FILE_PATH_MAX)
		return say(load, entry->fts_path,
			"the path is longer than 1024 octets; shorten it or take the file out");
	load->files++;
	load->body_bytes += length;
	load->path_bytes += strlen(path);
	if (load->set == NULL)
		return true;
	place = file_set_add(load->set, path, length);
	if (place == NULL)
		return say(load, entry->fts_path, "the directory changed while it was read; start again");
	return read_whole(load, entry->fts_path, place, length);
}

static bool
visit(struct load *load, FTS *tree, FTSENT *entry)
{
	bool hidden = entry->fts_level > FTS_ROOTLEVEL && entry->fts_name[0] == '.';

	switch (entry->fts_info) {
	case FTS_D:
		if (hidden)
			fts_set(tree, entry, FTS_SKIP);
		return true;
	case FTS_F:
		if (entry->fts_level == FTS_ROOTLEVEL)
			return say(load, entry->fts_path, "this is a file; name a directory");
		return hidden || visit_file(load, entry);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		errno = entry->fts_errno;
		return say_errno(load, entry->fts_path);
	default:
		return true;
	}
}

static bool
walk(struct load *load)
{
	char *roots[] = {(char *)(uintptr_t)load->loader->directory, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	bool good = true;
	FTSENT *entry;

	if (tree == NULL)
		return say_errno(load, load->loader->directory);
	load->files = load->body_bytes = load->path_bytes = 0;
	while (good && (entry = fts_read(tree)) != NULL)
		good = visit(load, tree, entry);
	fts_close(tree);
	return good;
}

static bool
open_set(struct load *load)
{
	const struct file_loader *loader = load->loader;
	size_t bytes;
	void *memory;
	char what[160];

	if (load->files > UINT32_MAX / 4)
		return say(load, loader->directory, "there are too many files");
	bytes = file_set_bytes((uint32_t)load->files, load->body_bytes, load->path_bytes);
	memory = loader->bytes_max == 0 || bytes <= loader->bytes_max ? loader->take(loader->user, bytes)
								      : NULL;
	if (memory == NULL) {
		snprintf(what, sizeof(what),
			"%llu files need %zu octets of memory; reserve more hugepages or serve fewer",
			(unsigned long long)load->files, bytes);
		return say(load, loader->directory, what);
	}
	load->set = file_set_open(memory, bytes, (uint32_t)load->files);
	return true;
}

struct file_set *
file_loader_load(const struct file_loader *loader, char sentence[FILE_LOADER_SENTENCE])
{
	struct load load = {.loader = loader, .sentence = sentence};
	void *coder;

	if (!walk(&load) || !open_set(&load) || !walk(&load))
		return NULL;
	/* This is at start, before the first packet, so the heap is there. */
	coder = aligned_alloc(64, http3_qpack_bytes(SECTION_BYTES));
	if (coder == NULL) {
		say(&load, loader->directory, "no memory for the heads of responses");
		return NULL;
	}
	file_set_seal(load.set, http3_qpack_open(coder, SECTION_BYTES));
	free(coder);
	return load.set;
}
