/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/congestion.h"

#include "base/assert.h"
#include "quic/cubic.h"

enum {
	MINIMUM_WINDOW_PACKETS = 2,   /* RFC 9002 section 7.2 */
	INITIAL_WINDOW_BYTES = 14720, /* RFC 9002 section 7.2, for 10 packets */
	INITIAL_WINDOW_PACKETS = 10,
	WINDOW_MAX_BYTES = 1 << 30, /* keeps the sums of all algorithms within 32 bits */
	QUANTUM_MAX_BYTES = 64 * 1024,
};

static uint32_t
minimum_window(const struct quic_congestion *congestion)
{
	return MINIMUM_WINDOW_PACKETS * (uint32_t)congestion->datagram_bytes;
}

/* min(10 * max_datagram_size, max(14720, 2 * max_datagram_size)), scaled to another number of packets. */
static uint32_t
initial_window(const struct quic_congestion *congestion)
{
	uint32_t wanted = congestion->initial_packets * (uint32_t)congestion->datagram_bytes;
	uint32_t bound =
		congestion->initial_packets * (uint32_t)INITIAL_WINDOW_BYTES / INITIAL_WINDOW_PACKETS;

	if (bound < minimum_window(congestion))
		bound = minimum_window(congestion);
	return wanted < bound ? wanted : bound;
}

void
quic_congestion_init(struct quic_congestion *congestion, enum quic_congestion_algorithm algorithm,
	uint16_t initial_packets, uint16_t datagram_bytes, uint64_t now_ns)
{
	*congestion = (struct quic_congestion){.datagram_bytes = datagram_bytes,
		.initial_packets = initial_packets,
		.algorithm = (uint8_t)algorithm,
		.ssthresh_bytes = UINT32_MAX};
	congestion->window_bytes = initial_window(congestion);
	if (algorithm == QUIC_CONGESTION_CUBIC)
		quic_cubic_init(congestion, now_ns);
}

/* A window that has not been touched yet follows (RFC 9002 section 7.2); one below the minimum is lifted to it. */
void
quic_congestion_set_datagram_bytes(struct quic_congestion *congestion, uint16_t datagram_bytes)
{
	bool untouched = congestion->window_bytes == initial_window(congestion) &&
		congestion->ssthresh_bytes == UINT32_MAX;

	congestion->datagram_bytes = datagram_bytes;
	if (untouched)
		congestion->window_bytes = initial_window(congestion);
	if (congestion->window_bytes < minimum_window(congestion))
		congestion->window_bytes = minimum_window(congestion);
}

uint64_t
quic_congestion_room(const struct quic_congestion *congestion)
{
	if (congestion->in_flight_bytes >= congestion->window_bytes)
		return 0;
	return congestion->window_bytes - congestion->in_flight_bytes;
}

void
quic_congestion_on_sent(struct quic_congestion *congestion, uint32_t bytes, uint64_t now_ns)
{
	congestion->in_flight_bytes += bytes;
}

void
quic_congestion_set_app_limited(struct quic_congestion *congestion, bool app_limited)
{
	if (app_limited && !congestion->app_limited && congestion->algorithm == QUIC_CONGESTION_CUBIC)
		quic_cubic_on_app_limited(congestion);
	congestion->app_limited = app_limited;
}

void
quic_congestion_on_discarded(struct quic_congestion *congestion, uint64_t bytes)
{
	base_assert(bytes <= congestion->in_flight_bytes);
	congestion->in_flight_bytes -= (uint32_t)bytes;
}

/* RFC 9002 section 7.3.2: what was sent before a recovery period began says nothing new. */
static bool
in_recovery(const struct quic_congestion *congestion, uint64_t sent_time_ns)
{
	return congestion->recovery_start_ns != 0 && sent_time_ns <= congestion->recovery_start_ns;
}

void
quic_congestion_on_acked(
	struct quic_congestion *congestion, const struct quic_congestion_ack *ack, const struct quic_rtt *rtt)
{
	quic_congestion_on_discarded(congestion, ack->bytes);
	if (ack->bytes == 0 || congestion->app_limited || in_recovery(congestion, ack->largest_time_ns))
		return;
	if (congestion->algorithm == QUIC_CONGESTION_CUBIC)
		quic_cubic_on_acked(congestion, ack, rtt);
	else
		quic_newreno_on_acked(congestion, ack);
	if (congestion->window_bytes > WINDOW_MAX_BYTES)
		congestion->window_bytes = WINDOW_MAX_BYTES;
}

void
quic_congestion_on_ce(struct quic_congestion *congestion, uint64_t sent_time_ns, uint64_t now_ns)
{
	if (in_recovery(congestion, sent_time_ns))
		return;
	congestion->recovery_start_ns = now_ns;
	if (congestion->algorithm == QUIC_CONGESTION_CUBIC)
		quic_cubic_on_congestion(congestion, now_ns);
	else
		quic_newreno_on_congestion(congestion);
	if (congestion->window_bytes < minimum_window(congestion))
		congestion->window_bytes = minimum_window(congestion);
	congestion->ssthresh_bytes = congestion->window_bytes;
	congestion->acked_bytes = 0;
}

/* Once the bytes are out of flight, a loss is the same signal as a mark. */
void
quic_congestion_on_lost(
	struct quic_congestion *congestion, uint64_t bytes, uint64_t largest_lost_time_ns, uint64_t now_ns)
{
	quic_congestion_on_discarded(congestion, bytes);
	quic_congestion_on_ce(congestion, largest_lost_time_ns, now_ns);
}

void
quic_congestion_on_persistent(struct quic_congestion *congestion, uint64_t now_ns)
{
	congestion->window_bytes = minimum_window(congestion);
	congestion->recovery_start_ns = 0;
	congestion->acked_bytes = 0;
	/* ssthresh stays where the loss put it, so this is slow start unless it is at the minimum as well. */
	if (congestion->algorithm == QUIC_CONGESTION_CUBIC)
		quic_cubic_init(congestion, now_ns);
}

uint64_t
quic_congestion_pacing_rate(const struct quic_congestion *congestion, const struct quic_rtt *rtt)
{
	uint64_t quarters = quic_congestion_in_slow_start(congestion) ? 8 : 5;
	uint64_t rtt_ns = rtt->smoothed_ns > BASE_US ? rtt->smoothed_ns : BASE_US;
	/* At most 2^30 * 8 * 10^9 before the division: within 64 bits. */
	uint64_t rate = congestion->window_bytes * quarters * (BASE_SECOND / 4) / rtt_ns;

	return rate > 0 ? rate : 1;
}

uint32_t
quic_congestion_quantum(const struct quic_congestion *congestion, uint64_t pacing_rate)
{
	uint64_t quantum = pacing_rate / (BASE_SECOND / BASE_MS);

	if (quantum < initial_window(congestion))
		quantum = initial_window(congestion);
	return quantum < QUANTUM_MAX_BYTES ? (uint32_t)quantum : QUANTUM_MAX_BYTES;
}

void
quic_congestion_check(const struct quic_congestion *congestion)
{
	base_assert(congestion->window_bytes >= minimum_window(congestion));
	base_assert(congestion->window_bytes <= WINDOW_MAX_BYTES);
	base_assert(congestion->algorithm < QUIC_CONGESTION_COUNT);
}
