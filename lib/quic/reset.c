/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/reset.h"

#include "base/assert.h"

size_t
quic_reset_size(size_t received)
{
	if (received <= QUIC_RESET_MIN_BYTES)
		return 0;
	return received <= QUIC_RESET_USUAL_BYTES ? received - 1 : QUIC_RESET_USUAL_BYTES;
}

bool
quic_reset_write(struct base_writer *writer, size_t length, const uint8_t token[QUIC_RESET_TOKEN_BYTES],
	struct base_random *random)
{
	uint8_t *octets = base_writer_reserve(writer, length);

	base_assert(length >= QUIC_RESET_MIN_BYTES);
	if (octets == NULL)
		return false;
	base_random_fill(random, octets, length - QUIC_RESET_TOKEN_BYTES);
	octets[0] = (uint8_t)(0x40 | (octets[0] & 0x3f));
	memcpy(octets + length - QUIC_RESET_TOKEN_BYTES, token, QUIC_RESET_TOKEN_BYTES);
	return true;
}

const uint8_t *
quic_reset_token_of(const uint8_t *datagram, size_t length)
{
	/* Section 10.3: whatever the first octets look like, but not a long header: our peer sends none. */
	if (length < QUIC_RESET_MIN_BYTES || (datagram[0] & 0x80) != 0)
		return NULL;
	return datagram + length - QUIC_RESET_TOKEN_BYTES;
}

void
quic_limiter_init(struct quic_limiter *limiter, uint32_t per_second, uint32_t burst)
{
	base_assert(per_second > 0 && burst > 0);
	limiter->interval_ns = UINT64_C(1000000000) / per_second;
	limiter->burst_ns = limiter->interval_ns * burst;
	limiter->full_at_ns = 0;
}

bool
quic_limiter_take(struct quic_limiter *limiter, uint64_t now_ns)
{
	uint64_t full_at_ns = limiter->full_at_ns > now_ns ? limiter->full_at_ns : now_ns;

	if (full_at_ns - now_ns + limiter->interval_ns > limiter->burst_ns)
		return false;
	limiter->full_at_ns = full_at_ns + limiter->interval_ns;
	return true;
}
