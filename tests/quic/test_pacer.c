/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/time.h"
#include "quic/pacer.h"

enum { PACKET_BYTES = 1000, QUANTUM_BYTES = 10000 };

#define RATE UINT64_C(10000000) /* a quantum in a millisecond */
#define START_NS BASE_SECOND

static unsigned
send_while_allowed(struct quic_pacer *pacer, uint64_t now_ns)
{
	unsigned sent = 0;

	while (quic_pacer_next_send(pacer, now_ns) <= now_ns && sent < 1000) {
		quic_pacer_on_sent(pacer, PACKET_BYTES, RATE, QUANTUM_BYTES, now_ns);
		sent++;
	}
	return sent;
}

static void
pacer_on_sent__lets_little_more_than_a_quantum_go_after_a_pause(void **state)
{
	struct quic_pacer pacer;

	quic_pacer_init(&pacer);
	assert_in_range(send_while_allowed(&pacer, START_NS), 10, 11);
	assert_in_range(send_while_allowed(&pacer, START_NS + 10 * BASE_SECOND), 10, 11);
}

/* RFC 9002 section 7.7: the rate over time is what the controller says. */
static void
pacer_next_send__keeps_the_rate_over_time(void **state)
{
	struct quic_pacer pacer;
	uint64_t now_ns = START_NS;
	unsigned sent = 0;

	quic_pacer_init(&pacer);
	while (now_ns < START_NS + BASE_SECOND) {
		uint64_t next_ns;

		sent += send_while_allowed(&pacer, now_ns);
		next_ns = quic_pacer_next_send(&pacer, now_ns);
		assert_true(next_ns > now_ns);
		now_ns = next_ns;
	}
	assert_in_range(sent, 9990, 10030);
}

static void
pacer_next_send__makes_a_late_wake_up_good(void **state)
{
	struct quic_pacer pacer;
	uint64_t now_ns = START_NS;
	unsigned sent = 0;

	quic_pacer_init(&pacer);
	while (now_ns < START_NS + BASE_SECOND) {
		sent += send_while_allowed(&pacer, now_ns);
		/* Half a quantum late, each time. */
		now_ns = quic_pacer_next_send(&pacer, now_ns) + BASE_MS / 2;
	}
	assert_in_range(sent, 9980, 10050);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pacer_on_sent__lets_little_more_than_a_quantum_go_after_a_pause),
		cmocka_unit_test(pacer_next_send__keeps_the_rate_over_time),
		cmocka_unit_test(pacer_next_send__makes_a_late_wake_up_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
