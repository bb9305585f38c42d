/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The peer's QPACK encoder and decoder streams (RFC 9204 section 4) where neither side has a dynamic table:
 * nearly every instruction is an error, and what is left is to count integers across reads.
 */
#ifndef HTTP3_QPACK_STREAM_H
#define HTTP3_QPACK_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the decoder stream stands inside a Stream Cancellation. All zero is the start. */
struct http3_qpack_stream {
	uint8_t integer_octets; /* of a continued integer, so far; 0: between instructions */
};

/* 0 or HTTP3_QPACK_ENCODER_STREAM_ERROR. Only Set Dynamic Table Capacity 0 is right. */
uint64_t http3_qpack_stream_encoder(const uint8_t *octets, size_t length);
/*
 * 0 or HTTP3_QPACK_DECODER_STREAM_ERROR. Only Stream Cancellation is right: no section of ours needs an
 * acknowledgment.
 */
uint64_t http3_qpack_stream_decoder(struct http3_qpack_stream *stream, const uint8_t *octets, size_t length);

#endif
