/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/crypto_stream.h"

#include "base/assert.h"

void
quic_crypto_stream_init(struct quic_crypto_stream *stream)
{
	quic_recv_buffer_init(&stream->receive);
	quic_send_buffer_init(&stream->send);
}

void
quic_crypto_stream_fini(
	struct quic_crypto_stream *stream, struct quic_memory *memory, struct quic_chunk_account *account)
{
	quic_recv_buffer_discard(&stream->receive, memory, account);
	quic_send_buffer_discard(&stream->send, memory);
}

uint64_t
quic_crypto_stream_receive(struct quic_crypto_stream *stream, struct quic_memory *memory,
	struct quic_chunk_account *account, uint64_t offset, const uint8_t *octets, size_t length,
	uint32_t crypto_buffer_bytes)
{
	if (offset + length > stream->receive.read_offset + crypto_buffer_bytes)
		return QUIC_CRYPTO_BUFFER_EXCEEDED;
	if (!quic_recv_buffer_store(&stream->receive, memory, account, offset, octets, length, false))
		return QUIC_SHORT_OF_MEMORY;
	return QUIC_NO_ERROR;
}

bool
quic_crypto_stream_write(
	struct quic_crypto_stream *stream, struct quic_memory *memory, const uint8_t *octets, size_t length)
{
	base_assert(length < UINT32_MAX);
	return quic_send_buffer_write(&stream->send, memory, octets, length, UINT32_MAX) == length;
}

bool
quic_crypto_stream_next(
	const struct quic_crypto_stream *stream, uint64_t max_length, struct quic_send_piece *piece)
{
	return quic_send_buffer_next(&stream->send, max_length, UINT64_MAX, piece);
}
