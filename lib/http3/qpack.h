/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * QPACK (RFC 9204) with a dynamic table of zero, by libnghttp3 behind this door. Without the table a field
 * section is a pure function of its octets, so one coder serves every connection of a shard and keeps
 * nothing between two sections.
 *
 * libnghttp3 allocates while it decodes; it gets an arena of this coder's own memory, which is empty again
 * at the next section. The heap is never used. A section that does not fit is too large, which is an answer
 * (431), not a failure.
 */
#ifndef HTTP3_QPACK_H
#define HTTP3_QPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/writer.h"
#include "http3/field.h"

struct http3_qpack;

enum { HTTP3_FIELDS_MAX = 128, HTTP3_FIELDS_ENCODED_MAX = 32 };

/* Octets of memory, aligned to 64, for sections of up to this many encoded octets. */
size_t http3_qpack_bytes(uint32_t section_bytes);
/* Cannot fail. `section_bytes` limits a section as encoded and as counted by RFC 9114 section 4.2.2. */
struct http3_qpack *http3_qpack_open(void *memory, uint32_t section_bytes);

enum http3_qpack_result {
	HTTP3_QPACK_OK,
	HTTP3_QPACK_TOO_LARGE, /* above the limit, or more than HTTP3_FIELDS_MAX fields */
	HTTP3_QPACK_FAILED     /* HTTP3_QPACK_DECOMPRESSION_FAILED, a connection error */
};

/* Decodes a whole section; fields and their octets stay until the next call. */
enum http3_qpack_result http3_qpack_decode(struct http3_qpack *qpack, const uint8_t *section, size_t length,
	const struct http3_field **fields, uint16_t *count);

/*
 * Writes an encoded section of at most HTTP3_FIELDS_ENCODED_MAX fields; the writer fails when it does not
 * fit, or has over 4096 octets of text.
 */
void http3_qpack_encode(struct http3_qpack *qpack, struct base_writer *writer,
	const struct http3_field *fields, uint16_t count);
/* The same inside a HEADERS frame. */
void http3_qpack_encode_headers(struct http3_qpack *qpack, struct base_writer *writer,
	const struct http3_field *fields, uint16_t count);

struct http3_qpack_statistics {
	uint64_t sections;   /* decoded */
	uint64_t remembered; /* of these, recognised by their octets without asking libnghttp3 */
	uint64_t arena_peak; /* octets */
};
struct http3_qpack_statistics http3_qpack_statistics(const struct http3_qpack *qpack);

#endif
