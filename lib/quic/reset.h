/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stateless resets on the wire (RFC 9000 section 10.3) and the limiter for packets that need no connection:
 * stateless resets, version negotiation, Retry. The limiter is a token bucket kept as one time (GCRA).
 */
#ifndef QUIC_RESET_H
#define QUIC_RESET_H

#include "base/random.h"
#include "base/writer.h"
#include "quic/constants.h"

enum {
	/* Section 10.3: 5 octets that look like a short header, 16 of token. */
	QUIC_RESET_MIN_BYTES = 21,
	/* Larger than any ID of 20 octets with the smallest payload, so not told from it. */
	QUIC_RESET_USUAL_BYTES = 43,
};

/* Octets of the reset to answer a datagram of `received` octets: smaller than that one, so that two endpoints
 * never loop; 0: too small to be answered. */
size_t quic_reset_size(size_t received);
/* Writes a reset of `length` octets (of quic_reset_size()) that ends with `token`; false when it does not fit. */
bool quic_reset_write(struct base_writer *writer, size_t length, const uint8_t token[QUIC_RESET_TOKEN_BYTES],
	struct base_random *random);
/* The last 16 octets of a datagram that could be a stateless reset, or NULL. Compare them in constant time or
 * by keyed hash only (section 10.3.1). */
const uint8_t *quic_reset_token_of(const uint8_t *datagram, size_t length);

struct quic_limiter {
	uint64_t interval_ns; /* one packet per interval in the long run */
	uint64_t burst_ns;    /* how far the bucket may run ahead */
	uint64_t full_at_ns;  /* when the bucket is full again */
};

/* `per_second` packets in the long run, at most `burst` at once; both above 0. */
void quic_limiter_init(struct quic_limiter *limiter, uint32_t per_second, uint32_t burst);
/* Takes one packet's right; false when there is none now. */
bool quic_limiter_take(struct quic_limiter *limiter, uint64_t now_ns);

#endif
