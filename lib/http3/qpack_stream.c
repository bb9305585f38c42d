/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/qpack_stream.h"

#include "http3/error.h"

uint64_t
http3_qpack_stream_encoder(const uint8_t *octets, size_t length)
{
	/*
	 * "001" with a capacity of 0 (RFC 9204 section 4.3.1). A larger one is above what we allow, and an
	 * insertion or a duplicate has no table to go to.
	 */
	for (size_t i = 0; i < length; i++) {
		if (octets[i] != 0x20)
			return HTTP3_QPACK_ENCODER_STREAM_ERROR;
	}
	return 0;
}

/* An integer of RFC 7541 section 5.1 that fits 62 bits has at most this many octets after its prefix. */
enum { CONTINUATION_MAX = 9, STREAM_CANCELLATION = 0x40, PREFIX = 0x3f };

uint64_t
http3_qpack_stream_decoder(struct http3_qpack_stream *stream, const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (stream->integer_octets > 0) {
			bool more = (octets[i] & 0x80) != 0;

			if (more && stream->integer_octets == CONTINUATION_MAX)
				return HTTP3_QPACK_DECODER_STREAM_ERROR;
			stream->integer_octets = more ? stream->integer_octets + 1 : 0;
			continue;
		}
		/* "1": Section Acknowledgment, "00": Insert Count Increment; both name what we never sent. */
		if ((octets[i] & 0xc0) != STREAM_CANCELLATION)
			return HTTP3_QPACK_DECODER_STREAM_ERROR;
		/* All ones in the prefix: the integer goes on. */
		stream->integer_octets = (octets[i] & PREFIX) == PREFIX;
	}
	return 0;
}
