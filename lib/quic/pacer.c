/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/pacer.h"

#include "base/assert.h"
#include "base/time.h"

void
quic_pacer_init(struct quic_pacer *pacer)
{
	*pacer = (struct quic_pacer){0};
}

uint64_t
quic_pacer_next_send(const struct quic_pacer *pacer, uint64_t now_ns)
{
	return pacer->left_bytes > 0 ? now_ns : pacer->next_ns;
}

void
quic_pacer_on_sent(
	struct quic_pacer *pacer, uint32_t bytes, uint64_t rate, uint32_t quantum_bytes, uint64_t now_ns)
{
	base_assert(rate > 0);
	/* What was left of a quantum whose time is over has been forgone. */
	if (pacer->left_bytes == 0 || now_ns >= pacer->next_ns) {
		uint64_t quantum_ns = quantum_bytes * BASE_SECOND / rate;
		uint64_t earliest_ns = now_ns > quantum_ns ? now_ns - quantum_ns : 0;

		if (pacer->next_ns < earliest_ns)
			pacer->next_ns = earliest_ns;
		pacer->next_ns += quantum_ns;
		pacer->left_bytes = quantum_bytes;
	}
	pacer->left_bytes -= bytes < pacer->left_bytes ? bytes : pacer->left_bytes;
}
