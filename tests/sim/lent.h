/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Octets that the application lends to the core (quic_conn_stream_write_static), a copy each: it is seen that they are as they were when
 * they come back (architecture, O8), that each cookie comes back once, and whoever looks at them later finds other octets.
 */
#ifndef SIM_LENT_H
#define SIM_LENT_H

#include "tests/sim/sim.h"

struct sim_lent {
	struct sim_lent *next; /* of the stream */
	uint64_t cookie;
	const uint8_t *original;
	uint64_t length;
	uint8_t octets[];
};

const struct sim_lent *sim_lend(
	struct sim *sim, struct sim_stream *stream, const uint8_t *original, uint64_t length);
void sim_lent_released(struct sim *sim, struct sim_stream *stream, uint64_t cookie);
/* The stream or its connection is over: what was not released is now. */
void sim_lent_all_released(struct sim *sim, struct sim_stream *stream);
/* The same at the end of a run, without a look. */
void sim_forget_lent(struct sim_stream *stream);

#endif
