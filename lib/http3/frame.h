/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTTP/3 frames (RFC 9114 section 7): a pair of variable-length integers, read across as many pieces as the
 * peer likes to cut them into, and the table of which frame may stand on which stream. A setting is the
 * same pair.
 */
#ifndef HTTP3_FRAME_H
#define HTTP3_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/writer.h"

enum http3_frame_type {
	HTTP3_FRAME_DATA = 0x00,
	HTTP3_FRAME_HEADERS = 0x01,
	HTTP3_FRAME_CANCEL_PUSH = 0x03,
	HTTP3_FRAME_SETTINGS = 0x04,
	HTTP3_FRAME_PUSH_PROMISE = 0x05,
	HTTP3_FRAME_GOAWAY = 0x07,
	HTTP3_FRAME_MAX_PUSH_ID = 0x0d,
	HTTP3_FRAME_PRIORITY_UPDATE_REQUEST = 0xf0700, /* RFC 9218 section 7.2 */
	HTTP3_FRAME_PRIORITY_UPDATE_PUSH = 0xf0701
};

/* Unidirectional stream types: RFC 9114 section 6.2, RFC 9204 section 4.2. */
enum http3_stream_type {
	HTTP3_STREAM_CONTROL = 0x00,
	HTTP3_STREAM_PUSH = 0x01,
	HTTP3_STREAM_QPACK_ENCODER = 0x02,
	HTTP3_STREAM_QPACK_DECODER = 0x03
};

/* Two integers of at most 8 octets each, as far as they have come in. All zero is the start. */
struct http3_pair {
	uint8_t octets[16];
	uint8_t have;
};

/*
 * Takes octets of the pair from the front and returns how many; `*complete` says that both values are
 * there, and then the pair is at its start again. Less than `length` is taken only when it is complete.
 */
size_t http3_pair_read(struct http3_pair *pair, const uint8_t *octets, size_t length, bool *complete,
	uint64_t *first, uint64_t *second);

/* The same for a single integer, kept in the front of the pair. */
size_t http3_pair_read_one(
	struct http3_pair *pair, const uint8_t *octets, size_t length, bool *complete, uint64_t *value);

/* Octets of a frame header with these values. */
size_t http3_frame_header_length(uint64_t type, uint64_t length);
void http3_frame_header_write(struct base_writer *writer, uint64_t type, uint64_t length);

/*
 * A number of the series 0x1f * N + 0x21 that is reserved so that implementations stay tolerant (greasing).
 */
uint64_t http3_grease(uint64_t n);

/*
 * Whether a frame of this type may come on a request stream to a server or a client: 0 or the connection
 * error. Unknown types are 0.
 */
uint64_t http3_frame_check_request(uint64_t type, bool server);
/* The same for the peer's control stream; `first` for its first frame, which has to be SETTINGS. */
uint64_t http3_frame_check_control(uint64_t type, bool first, bool server);

#endif
