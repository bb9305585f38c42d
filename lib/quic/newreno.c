/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/cubic.h"

void
quic_newreno_on_acked(struct quic_congestion *congestion, const struct quic_congestion_ack *ack)
{
	if (quic_congestion_in_slow_start(congestion)) {
		congestion->window_bytes += (uint32_t)ack->bytes;
		return;
	}
	/* One datagram for each window acknowledged, RFC 9002 section 7.3.3. */
	congestion->acked_bytes += (uint32_t)ack->bytes;
	if (congestion->acked_bytes >= congestion->window_bytes) {
		congestion->acked_bytes -= congestion->window_bytes;
		congestion->window_bytes += congestion->datagram_bytes;
	}
}

void
quic_newreno_on_congestion(struct quic_congestion *congestion)
{
	congestion->window_bytes /= 2;
}
