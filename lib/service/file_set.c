/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/file_set.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/random.h"
#include "base/writer.h"
#include "http3/frame.h"
#include "service/file_path.h"

enum {
	HEAD_BYTES = 256, /* in front of each body; the head stands at its end */
	NOT_MODIFIED_BYTES = 64,
	LINE_BYTES = 64
};

struct file_set {
	uint8_t *memory;
	size_t size, used;
	uint32_t count, capacity;
	uint32_t mask; /* places in the table - 1 */
	bool sealed;
	struct file *files;
	uint32_t *table; /* number of a file plus 1; 0: empty. At most half full. */
};

static size_t
round_to_line(size_t bytes)
{
	return (bytes + LINE_BYTES - 1) & ~(size_t)(LINE_BYTES - 1);
}

static uint32_t
table_places(uint32_t capacity)
{
	uint32_t places = 16;

	while (places < 2 * capacity)
		places *= 2;
	return places;
}

size_t
file_set_bytes(uint32_t count, uint64_t body_bytes, uint64_t path_bytes)
{
	/* Each file rounds up twice: behind its path and behind its body. */
	return round_to_line(sizeof(struct file_set)) + round_to_line(count * sizeof(struct file)) +
		round_to_line(table_places(count) * sizeof(uint32_t)) + body_bytes + path_bytes +
		(size_t)count * (HEAD_BYTES + NOT_MODIFIED_BYTES + 2 * LINE_BYTES);
}

static void *
take(struct file_set *set, size_t bytes)
{
	void *place = set->memory + set->used;

	if (round_to_line(bytes) > set->size - set->used)
		return NULL;
	set->used += round_to_line(bytes);
	return place;
}

struct file_set *
file_set_open(void *memory, size_t bytes, uint32_t capacity)
{
	struct file_set *set = memory;
	uint32_t places = table_places(capacity);

	base_assert(bytes >= file_set_bytes(capacity, 0, 0));
	*set = (struct file_set){.memory = memory, .size = bytes, .capacity = capacity, .mask = places - 1};
	set->used = round_to_line(sizeof(*set));
	set->files = take(set, capacity * sizeof(struct file));
	set->table = take(set, places * sizeof(uint32_t));
	memset(set->table, 0, places * sizeof(uint32_t));
	return set;
}

/* The place of a path in the table: its own, or the empty one where it would go. */
static uint32_t *
place_of(const struct file_set *set, struct http3_text path)
{
	/* The paths are the operator's, so nobody can choose them to collide and the key needs no secret. */
	static const uint8_t key[16];
	uint32_t at = (uint32_t)base_siphash(key, path.octets, path.length) & set->mask;

	while (set->table[at] != 0 && !http3_text_equal(set->files[set->table[at] - 1].path, path))
		at = (at + 1) & set->mask;
	return &set->table[at];
}

uint8_t *
file_set_add(struct file_set *set, const char *path, uint64_t length)
{
	size_t path_length = strlen(path);
	struct http3_text text = {.octets = path, .length = (uint32_t)path_length};
	size_t used = set->used;
	uint8_t *name, *not_modified, *head;
	uint32_t *place;

	base_assert(!set->sealed);
	if (set->count == set->capacity || path[0] != '/' || path_length > FILE_PATH_MAX ||
		length > set->size)
		return NULL;
	place = place_of(set, text);
	if (*place != 0)
		return NULL;
	name = take(set, path_length);
	not_modified = take(set, NOT_MODIFIED_BYTES);
	head = take(set, HEAD_BYTES + (size_t)length);
	if (name == NULL || not_modified == NULL || head == NULL) {
		set->used = used;
		return NULL;
	}
	memcpy(name, path, path_length);
	text.octets = (const char *)name;
	set->files[set->count] = (struct file){.path = text,
		.content_type = file_content_type(text),
		.not_modified = not_modified,
		.body = head + HEAD_BYTES,
		.length = length};
	*place = ++set->count;
	return head + HEAD_BYTES;
}

static void
make_etag(struct file *file)
{
	static const uint8_t key[16];
	static const char hex[] = "0123456789abcdef";
	uint64_t hash = base_siphash(key, file->body, file->length);

	file->etag[0] = '"';
	for (int i = 0; i < 16; i++)
		file->etag[1 + i] = hex[hash >> (60 - 4 * i) & 15];
	file->etag[17] = '"';
}

/* HEADERS and, if there is a body, the DATA frame header, right in front of it. */
static void
make_heads(struct file *file, struct http3_qpack *qpack)
{
	uint8_t octets[HEAD_BYTES];
	struct base_writer writer = base_writer(octets, sizeof(octets));
	struct http3_text etag = {.octets = file->etag, .length = sizeof(file->etag)};
	uint8_t *place = (uint8_t *)(uintptr_t)file->body;
	char length[24];

	snprintf(length, sizeof(length), "%llu", (unsigned long long)file->length);
	const struct http3_field fields[] = {
		{http3_text(":status"), http3_text("200")},
		{http3_text("content-type"), file->content_type},
		{http3_text("content-length"), http3_text(length)},
		{http3_text("etag"), etag},
		{http3_text("accept-ranges"), http3_text("bytes")},
	};
	const struct http3_field not_modified[] = {
		{http3_text(":status"), http3_text("304")},
		{http3_text("etag"), etag},
	};

	http3_qpack_encode_headers(qpack, &writer, fields, 5);
	file->headers_bytes = (uint16_t)base_writer_length(&writer);
	if (file->length > 0)
		http3_frame_header_write(&writer, HTTP3_FRAME_DATA, file->length);
	base_assert(base_writer_ok(&writer));
	file->response = place - base_writer_length(&writer);
	memcpy(place - base_writer_length(&writer), octets, base_writer_length(&writer));

	writer = base_writer((uint8_t *)(uintptr_t)file->not_modified, NOT_MODIFIED_BYTES);
	http3_qpack_encode_headers(qpack, &writer, not_modified, 2);
	base_assert(base_writer_ok(&writer));
	file->not_modified_bytes = (uint16_t)base_writer_length(&writer);
}

void
file_set_seal(struct file_set *set, struct http3_qpack *qpack)
{
	base_assert(!set->sealed);
	for (uint32_t i = 0; i < set->count; i++) {
		make_etag(&set->files[i]);
		make_heads(&set->files[i], qpack);
	}
	set->sealed = true;
}

uint32_t
file_set_count(const struct file_set *set)
{
	return set->count;
}

const struct file *
file_set_at(const struct file_set *set, uint32_t index)
{
	base_assert(index < set->count);
	return &set->files[index];
}

const struct file *
file_set_find(const struct file_set *set, struct http3_text path)
{
	uint32_t number = *place_of(set, path);

	return number == 0 ? NULL : &set->files[number - 1];
}

enum file_lookup
file_set_lookup(const struct file_set *set, struct http3_text target, const struct file **file)
{
	char normal[FILE_PATH_MAX];
	size_t length;

	*file = NULL;
	if (!file_path_normal(target, normal, sizeof(normal), &length))
		return FILE_BAD_PATH;
	*file = file_set_find(set, (struct http3_text){.octets = normal, .length = (uint32_t)length});
	return *file != NULL ? FILE_FOUND : FILE_NOT_FOUND;
}
