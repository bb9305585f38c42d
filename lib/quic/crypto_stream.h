/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The CRYPTO octets of one encryption level in both directions: RFC 9000 section 7.5 and 19.6. No flow
 * control: what may be buffered is bounded by crypto_buffer_bytes, and CRYPTO_BUFFER_EXCEEDED is the answer
 * to more.
 */
#ifndef QUIC_CRYPTO_STREAM_H
#define QUIC_CRYPTO_STREAM_H

#include "quic/recv_buffer.h"
#include "quic/send_buffer.h"

struct quic_crypto_stream {
	struct quic_recv_buffer receive;
	struct quic_send_buffer send;
};

void quic_crypto_stream_init(struct quic_crypto_stream *stream);
void quic_crypto_stream_fini(
	struct quic_crypto_stream *stream, struct quic_memory *memory, struct quic_chunk_account *account);
/*
 * A CRYPTO frame. CRYPTO_BUFFER_EXCEEDED, QUIC_SHORT_OF_MEMORY or QUIC_NO_ERROR. Octets in order come by
 * quic_recv_buffer_read().
 */
uint64_t quic_crypto_stream_receive(struct quic_crypto_stream *stream, struct quic_memory *memory,
	struct quic_chunk_account *account, uint64_t offset, const uint8_t *octets, size_t length,
	uint32_t crypto_buffer_bytes);
/* Copies what TLS wants to send; false when memory is short. */
bool quic_crypto_stream_write(
	struct quic_crypto_stream *stream, struct quic_memory *memory, const uint8_t *octets, size_t length);
/*
 * What to send next; false: nothing. Then quic_send_buffer_copy() and quic_send_buffer_on_sent() of
 * stream->send.
 */
bool quic_crypto_stream_next(
	const struct quic_crypto_stream *stream, uint64_t max_length, struct quic_send_piece *piece);

#endif
