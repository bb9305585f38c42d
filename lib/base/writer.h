/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The writer of octets for the wire, the reader's twin: a write that does not fit changes nothing, marks the
 * writer failed, and so does every later write. base_writer_mark() and base_writer_rewind() take back an
 * attempt.
 */
#ifndef BASE_WRITER_H
#define BASE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BASE_VARINT_MAX ((UINT64_C(1) << 62) - 1)

struct base_writer {
	uint8_t *start;
	uint8_t *at;
	uint8_t *end;
	bool failed;
};

static inline struct base_writer
base_writer(uint8_t *octets, size_t room)
{
	return (struct base_writer){.start = octets, .at = octets, .end = octets + room, .failed = false};
}

static inline bool
base_writer_ok(const struct base_writer *writer)
{
	return !writer->failed;
}

static inline size_t
base_writer_length(const struct base_writer *writer)
{
	return (size_t)(writer->at - writer->start);
}

static inline size_t
base_writer_room(const struct base_writer *writer)
{
	return writer->failed ? 0 : (size_t)(writer->end - writer->at);
}

static inline uint8_t *
base_writer_mark(const struct base_writer *writer)
{
	return writer->at;
}

static inline void
base_writer_rewind(struct base_writer *writer, uint8_t *mark)
{
	writer->at = mark;
	writer->failed = false;
}

/* Room for `length` octets that the caller fills in, or NULL. */
static inline uint8_t *
base_writer_reserve(struct base_writer *writer, size_t length)
{
	uint8_t *octets = writer->at;

	if (writer->failed || length > (size_t)(writer->end - writer->at)) {
		writer->failed = true;
		return NULL;
	}
	writer->at += length;
	return octets;
}

static inline void
base_writer_octets(struct base_writer *writer, const void *octets, size_t length)
{
	uint8_t *to = base_writer_reserve(writer, length);

	if (to != NULL && length > 0)
		memcpy(to, octets, length);
}

static inline void
base_writer_fill(struct base_writer *writer, uint8_t octet, size_t length)
{
	uint8_t *to = base_writer_reserve(writer, length);

	if (to != NULL && length > 0)
		memset(to, octet, length);
}

static inline void
base_put_uint(uint8_t *to, uint64_t value, size_t length)
{
	for (size_t i = length; i > 0; i--) {
		to[i - 1] = (uint8_t)value;
		value >>= 8;
	}
}

static inline void
base_writer_uint(struct base_writer *writer, uint64_t value, size_t length)
{
	uint8_t *to = base_writer_reserve(writer, length);

	if (to != NULL)
		base_put_uint(to, value, length);
}

static inline void
base_writer_u8(struct base_writer *writer, uint8_t value)
{
	base_writer_uint(writer, value, 1);
}

static inline void
base_writer_u16(struct base_writer *writer, uint16_t value)
{
	base_writer_uint(writer, value, 2);
}

static inline void
base_writer_u32(struct base_writer *writer, uint32_t value)
{
	base_writer_uint(writer, value, 4);
}

static inline void
base_writer_u64(struct base_writer *writer, uint64_t value)
{
	base_writer_uint(writer, value, 8);
}

/* Octets that a variable-length integer (RFC 9000 section 16) takes; the value is below 2^62. */
static inline size_t
base_varint_length(uint64_t value)
{
	return value < 64 ? 1 : value < 16384 ? 2 : value < (1 << 30) ? 4 : 8;
}

/* A variable-length integer in `length` octets (1, 2, 4 or 8), which may be more than the shortest. */
static inline void
base_put_varint(uint8_t *to, uint64_t value, size_t length)
{
	static const uint8_t prefix[9] = {[1] = 0x00, [2] = 0x40, [4] = 0x80, [8] = 0xc0};

	base_put_uint(to, value, length);
	to[0] |= prefix[length];
}

static inline void
base_writer_varint(struct base_writer *writer, uint64_t value)
{
	size_t length = base_varint_length(value);
	uint8_t *to = base_writer_reserve(writer, length);

	if (to != NULL)
		base_put_varint(to, value, length);
}

#endif
