/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files that are served, all in memory, read-only and shared by every shard once sealed. This module
 * does no input: whoever loads (an application) asks for places and puts the octets there. In front of each
 * body stands the head of its response, encoded once, so that a GET is a single reference: HEADERS frame,
 * DATA frame header, body.
 *
 * Octets are referenced by send buffers until they are acknowledged. Each shard counts its references in a
 * struct file_set_use; a set may go when the sum over all shards is zero (a connection that moved gives
 * back elsewhere than it took).
 */
#ifndef SERVICE_FILE_SET_H
#define SERVICE_FILE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http3/field.h"
#include "http3/qpack.h"

struct file_set;

enum { FILE_PATH_MAX = 1024, FILE_ETAG_BYTES = 18 };

struct file {
	struct http3_text path; /* from the root, "/index.html" */
	struct http3_text content_type;
	char etag[FILE_ETAG_BYTES]; /* strong, with its quotes, not terminated (RFC 9110 section 8.8.3) */
	uint16_t headers_bytes;     /* of the HEADERS frame at `response` */
	uint16_t not_modified_bytes;
	const uint8_t *response; /* HEADERS frame, DATA frame header, body: all of it to `body + length` */
	const uint8_t *not_modified; /* HEADERS frame of a 304 */
	const uint8_t *body;
	uint64_t length; /* of the body, octets */
};

/* Octets that a set of `count` files needs whose bodies and paths sum up to these. */
size_t file_set_bytes(uint32_t count, uint64_t body_bytes, uint64_t path_bytes);
/* In `memory`, aligned to 64. */
struct file_set *file_set_open(void *memory, size_t bytes, uint32_t capacity);
/*
 * Makes room for a file and returns where its `length` octets go, or NULL: set full, path too long, not
 * starting with a slash, or there already. The path is copied.
 */
uint8_t *file_set_add(struct file_set *set, const char *path, uint64_t length);
/* Computes entity tags and heads; nothing can be added after it. `qpack` is used during the call only. */
void file_set_seal(struct file_set *set, struct http3_qpack *qpack);

uint32_t file_set_count(const struct file_set *set);
const struct file *file_set_at(const struct file_set *set, uint32_t index);
/* By a path that is normal already. NULL when there is none. */
const struct file *file_set_find(const struct file_set *set, struct http3_text path);

enum file_lookup { FILE_FOUND, FILE_NOT_FOUND, FILE_BAD_PATH };
/*
 * By the path of a request target (RFC 3986): query and fragment cut off, percent-encoding decoded, empty
 * and dot segments removed. A path that climbs above the root, has a NUL or a broken escape is bad. A
 * directory is its index.html.
 */
enum file_lookup file_set_lookup(
	const struct file_set *set, struct http3_text target, const struct file **file);

/* References of one shard to the octets of a set. */
struct file_set_use {
	const struct file_set *set;
	int64_t references;
};

#endif
