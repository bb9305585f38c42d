/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One packet number space with its records, loss state and RTT, set up anew for each test. */
#ifndef QUIC_LOSS_FIXTURE_H
#define QUIC_LOSS_FIXTURE_H

#include "tests/support/cmocka_all.h"

#include "quic/error.h"
#include "quic/loss.h"

enum { BYTES = 1000 };

#define MAX_ACK_DELAY_NS (25 * BASE_MS)

static struct base_pool *pool;
static struct quic_sent sent;
static struct quic_loss loss;
static struct quic_rtt rtt;

static inline int
loss_set_up(uint32_t chunks)
{
	pool = base_pool_open(NULL, QUIC_SENT_CHUNK_BYTES, chunks);
	assert_non_null(pool);
	quic_sent_init(&sent);
	quic_loss_init(&loss);
	quic_rtt_init(&rtt, 333 * BASE_MS);
	return 0;
}

static inline int
tear_down(void **state)
{
	(void)state;
	quic_sent_fini(&sent, pool);
	assert_int_equal(pool->in_use, 0);
	base_pool_close(pool);
	return 0;
}

static inline void
send_as(uint8_t flags, uint64_t time_ns)
{
	struct quic_sent_packet packet = {.flags = flags, .time_ns = time_ns, .bytes = BYTES};

	assert_true(quic_sent_reserve(&sent, pool));
	packet.packet_number = quic_sent_take_number(&sent);
	quic_sent_record(&sent, &packet, NULL);
	quic_loss_on_sent(&loss, &packet);
}

#endif
