/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The round-trip time of a path: RFC 9002 section 5. All times in nanoseconds. */
#ifndef QUIC_RTT_H
#define QUIC_RTT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

#define QUIC_GRANULARITY_NS BASE_MS /* RFC 9002 section 6.1.2, kGranularity */

struct quic_rtt {
	uint64_t latest_ns;
	uint64_t smoothed_ns;
	uint64_t variance_ns;     /* rttvar */
	uint64_t min_ns;          /* BASE_NEVER before the first sample */
	uint64_t first_sample_ns; /* when it came; BASE_NEVER before */
};

void quic_rtt_init(struct quic_rtt *rtt, uint64_t initial_rtt_ns);
/*
 * A sample of section 5.1, taken at now_ns. `ack_delay_ns` is as the peer reported it, 0 for Initial and
 * Handshake packets; it is bounded by max_ack_delay_ns once the handshake is confirmed.
 */
void quic_rtt_on_sample(struct quic_rtt *rtt, uint64_t sample_ns, uint64_t ack_delay_ns,
	uint64_t max_ack_delay_ns, bool handshake_confirmed, uint64_t now_ns);

static inline bool
quic_rtt_has_sample(const struct quic_rtt *rtt)
{
	return rtt->first_sample_ns != BASE_NEVER;
}

/* smoothed + max(4 * variance, granularity) + max_ack_delay: the PTO of section 6.2.1 without backoff. */
uint64_t quic_rtt_pto_ns(const struct quic_rtt *rtt, uint64_t max_ack_delay_ns);

#endif
