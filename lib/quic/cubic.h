/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CUBIC, RFC 9438, with HyStart++, RFC 9406, and NewReno, RFC 9002 appendix B, as congestion.c calls them. */
#ifndef QUIC_CUBIC_H
#define QUIC_CUBIC_H

#include "quic/congestion.h"

/* At the start, and after persistent congestion. */
void quic_cubic_init(struct quic_congestion *congestion, uint64_t now_ns);
/* The window grows: bytes acknowledged outside recovery while the window was in use. */
void quic_cubic_on_acked(struct quic_congestion *congestion, const struct quic_congestion_ack *ack,
	const struct quic_rtt *rtt);
/* Window and ssthresh fall, once per recovery period. */
void quic_cubic_on_congestion(struct quic_congestion *congestion, uint64_t now_ns);
/*
 * The application begins to use less than the window: a new curve begins from the present window when it uses all of it
 * again, so that the time between does not count (RFC 9438 section 5.8).
 */
void quic_cubic_on_app_limited(struct quic_congestion *congestion);

void quic_newreno_on_acked(struct quic_congestion *congestion, const struct quic_congestion_ack *ack);
void quic_newreno_on_congestion(struct quic_congestion *congestion);

#endif
