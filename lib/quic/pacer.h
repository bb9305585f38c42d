/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pacer of a path: RFC 9002 section 7.7. It lets the controller's quantum go in one go and then waits
 * until the rate allows the next whole quantum, so that a connection costs one wake-up per quantum and not
 * one per packet. A late wake-up is made good up to one quantum.
 */
#ifndef QUIC_PACER_H
#define QUIC_PACER_H

#include <stdint.h>

struct quic_pacer {
	uint64_t next_ns;    /* when the next quantum may begin */
	uint32_t left_bytes; /* of the quantum that has begun */
};

_Static_assert(sizeof(struct quic_pacer) <= 16, "the slot has 16 octets for it");

void quic_pacer_init(struct quic_pacer *pacer);
/* When the next packet may be sent: at or before now_ns means now. */
uint64_t quic_pacer_next_send(const struct quic_pacer *pacer, uint64_t now_ns);
/* A packet of this size was sent. Rate in bytes per second, as quic_congestion_pacing_rate() says. */
void quic_pacer_on_sent(
	struct quic_pacer *pacer, uint32_t bytes, uint64_t rate, uint32_t quantum_bytes, uint64_t now_ns);

#endif
