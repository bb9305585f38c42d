/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one reader of octets from the wire. It never reads past its end: a read that does not fit returns zero
 * (or NULL), marks the reader failed, and so does every later read. A parser reads a whole structure and asks
 * base_reader_ok() once. Integers are in network order; the variable-length integer is RFC 9000 section 16.
 * The reader borrows the octets, it never owns them.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct base_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct base_reader
base_reader(const uint8_t *octets, size_t length)
{
	return (struct base_reader){.at = octets, .end = octets + length, .failed = false};
}

static inline bool
base_reader_ok(const struct base_reader *reader)
{
	return !reader->failed;
}

/* Octets not read yet; zero once failed. */
static inline size_t
base_reader_left(const struct base_reader *reader)
{
	return reader->failed ? 0 : (size_t)(reader->end - reader->at);
}

/* The next `length` octets in place, or NULL. With length 0 the result is a valid pointer. */
static inline const uint8_t *
base_reader_octets(struct base_reader *reader, size_t length)
{
	const uint8_t *octets = reader->at;

	if (reader->failed || length > (size_t)(reader->end - reader->at)) {
		reader->failed = true;
		return NULL;
	}
	reader->at += length;
	return octets;
}

/* Copies `length` octets out; the target is left alone when they are not there. */
static inline void
base_reader_copy(struct base_reader *reader, void *to, size_t length)
{
	const uint8_t *octets = base_reader_octets(reader, length);

	if (octets != NULL && length > 0)
		memcpy(to, octets, length);
}

/* A reader of the next `length` octets alone, for structures with a length of their own. */
static inline struct base_reader
base_reader_sub(struct base_reader *reader, size_t length)
{
	const uint8_t *octets = base_reader_octets(reader, length);

	if (octets == NULL)
		return (struct base_reader){.at = reader->end, .end = reader->end, .failed = true};
	return base_reader(octets, length);
}

static inline uint64_t
base_reader_uint(struct base_reader *reader, size_t length)
{
	const uint8_t *octets = base_reader_octets(reader, length);
	uint64_t value = 0;

	if (octets == NULL)
		return 0;
	for (size_t i = 0; i < length; i++)
		value = value << 8 | octets[i];
	return value;
}

static inline uint8_t
base_reader_u8(struct base_reader *reader)
{
	return (uint8_t)base_reader_uint(reader, 1);
}

static inline uint16_t
base_reader_u16(struct base_reader *reader)
{
	return (uint16_t)base_reader_uint(reader, 2);
}

static inline uint32_t
base_reader_u24(struct base_reader *reader)
{
	return (uint32_t)base_reader_uint(reader, 3);
}

static inline uint32_t
base_reader_u32(struct base_reader *reader)
{
	return (uint32_t)base_reader_uint(reader, 4);
}

static inline uint64_t
base_reader_u64(struct base_reader *reader)
{
	return base_reader_uint(reader, 8);
}

static inline uint64_t
base_reader_varint(struct base_reader *reader)
{
	size_t length;

	if (base_reader_left(reader) == 0) {
		reader->failed = true;
		return 0;
	}
	length = (size_t)1 << (*reader->at >> 6);
	/* The two highest bits say the length. */
	return base_reader_uint(reader, length) & (UINT64_MAX >> (66 - 8 * length));
}

#endif
