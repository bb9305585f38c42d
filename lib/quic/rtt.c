/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/rtt.h"

void
quic_rtt_init(struct quic_rtt *rtt, uint64_t initial_rtt_ns)
{
	*rtt = (struct quic_rtt){.smoothed_ns = initial_rtt_ns,
		.variance_ns = initial_rtt_ns / 2,
		.min_ns = BASE_NEVER,
		.first_sample_ns = BASE_NEVER};
}

void
quic_rtt_on_sample(struct quic_rtt *rtt, uint64_t sample_ns, uint64_t ack_delay_ns, uint64_t max_ack_delay_ns,
	bool handshake_confirmed, uint64_t now_ns)
{
	uint64_t adjusted_ns = sample_ns, deviation_ns;

	rtt->latest_ns = sample_ns;
	if (!quic_rtt_has_sample(rtt)) {
		rtt->first_sample_ns = now_ns;
		rtt->min_ns = sample_ns;
		rtt->smoothed_ns = sample_ns;
		rtt->variance_ns = sample_ns / 2;
		return;
	}
	rtt->min_ns = base_time_earlier(rtt->min_ns, sample_ns);
	if (handshake_confirmed)
		ack_delay_ns = base_time_earlier(ack_delay_ns, max_ack_delay_ns);
	if (sample_ns >= base_time_after(rtt->min_ns, ack_delay_ns))
		adjusted_ns = sample_ns - ack_delay_ns;
	deviation_ns = rtt->smoothed_ns > adjusted_ns ? rtt->smoothed_ns - adjusted_ns
						      : adjusted_ns - rtt->smoothed_ns;
	rtt->variance_ns = (3 * rtt->variance_ns + deviation_ns) / 4;
	rtt->smoothed_ns = (7 * rtt->smoothed_ns + adjusted_ns) / 8;
}

uint64_t
quic_rtt_pto_ns(const struct quic_rtt *rtt, uint64_t max_ack_delay_ns)
{
	uint64_t margin_ns = 4 * rtt->variance_ns;

	if (margin_ns < QUIC_GRANULARITY_NS)
		margin_ns = QUIC_GRANULARITY_NS;
	return rtt->smoothed_ns + margin_ns + max_ack_delay_ns;
}
