/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loss detection against RFC 9002 appendix A written down over plain arrays. */
#include "tests/quic/loss_fixture.h"

#include <string.h>

#include "base/random.h"

enum { CHUNKS = 64, SEEDS = 3000, ROUNDS = 40, NUMBERS = 512 };

static int
set_up(void **state)
{
	(void)state;
	return loss_set_up(CHUNKS);
}

struct model_packet {
	bool recorded;
	uint8_t state;
	uint8_t flags;
	uint64_t time_ns;
};

struct model {
	struct model_packet packets[NUMBERS];
	uint8_t fate[NUMBERS]; /* of this detection: ACKED, LOST or 0 */
	uint64_t count;
	uint64_t largest_acked; /* plus one; 0: none */
	uint64_t collapsed;     /* plus one: the packet that showed persistent congestion last */
	struct quic_loss_result expected;
};

static struct model model;

static bool
bounds_period(const struct model_packet *packet)
{
	return (packet->flags & QUIC_SENT_ACK_ELICITING) && !(packet->flags & QUIC_SENT_PROBE) &&
		quic_rtt_has_sample(&rtt) && packet->time_ns > rtt.first_sample_ns;
}

/* True when packet `last` ends a period of persistent congestion: every packet in between was lost. */
static bool
model_persistent(uint64_t last)
{
	const struct model_packet *end = &model.packets[last];

	if (!bounds_period(end))
		return false;
	for (uint64_t i = last + 1; i-- > model.collapsed;) {
		const struct model_packet *packet = &model.packets[i];

		if (!packet->recorded)
			continue;
		if (packet->state != QUIC_SENT_LOST)
			return false;
		if (bounds_period(packet) &&
			end->time_ns - packet->time_ns > 3 * quic_rtt_pto_ns(&rtt, MAX_ACK_DELAY_NS))
			return true;
	}
	return false;
}

static void
model_detect(uint64_t now_ns)
{
	uint64_t longest_ns = rtt.latest_ns > rtt.smoothed_ns ? rtt.latest_ns : rtt.smoothed_ns;
	uint64_t delay_ns = longest_ns * 9 / 8 > BASE_MS ? longest_ns * 9 / 8 : BASE_MS;
	uint64_t loss_time_ns = BASE_NEVER;

	for (uint64_t i = 0; i < model.largest_acked; i++) {
		struct model_packet *packet = &model.packets[i];

		if (!packet->recorded || packet->state != QUIC_SENT_IN_FLIGHT)
			continue;
		if (i + 3 < model.largest_acked || packet->time_ns + delay_ns <= now_ns) {
			packet->state = model.fate[i] = QUIC_SENT_LOST;
			model.expected.lost_packets++;
			model.expected.lost_bytes += BYTES;
			if (!(packet->flags & QUIC_SENT_PROBE))
				model.expected.largest_lost_time_ns = packet->time_ns;
			if (model_persistent(i)) {
				model.expected.persistent_congestion = true;
				model.collapsed = i + 1;
			}
		} else {
			loss_time_ns = base_time_earlier(loss_time_ns, packet->time_ns + delay_ns);
		}
	}
	assert_int_equal(loss.loss_time_ns, loss_time_ns);
}

/* The packets that are reported are those of the model, in order. */
static void
model_settle(const struct quic_loss_result *result)
{
	const struct quic_sent_frame *frames;
	const struct quic_sent_packet *packet;
	uint32_t in_flight = 0;

	for (uint64_t i = 0; i < model.count; i++) {
		in_flight += model.packets[i].recorded && model.packets[i].state == QUIC_SENT_IN_FLIGHT;
		if (model.fate[i] == 0)
			continue;
		packet = quic_sent_next_done(&sent, &frames);
		assert_non_null(packet);
		assert_int_equal(packet->packet_number, i);
		assert_int_equal(packet->state, model.fate[i]);
	}
	assert_null(quic_sent_next_done(&sent, &frames));
	quic_sent_sweep(&sent, pool);
	quic_sent_check(&sent);
	assert_int_equal(sent.in_flight, in_flight);
	assert_true(in_flight > 0 || pool->in_use == 0);
	assert_int_equal(result->acked_packets, model.expected.acked_packets);
	assert_int_equal(result->acked_bytes, model.expected.acked_packets * (uint64_t)BYTES);
	assert_int_equal(result->acked_ect, model.expected.acked_ect);
	assert_int_equal(result->largest_acked_time_ns, model.expected.largest_acked_time_ns);
	assert_int_equal(result->lost_packets, model.expected.lost_packets);
	assert_int_equal(result->lost_bytes, model.expected.lost_bytes);
	assert_int_equal(result->largest_lost_time_ns, model.expected.largest_lost_time_ns);
	assert_int_equal(result->rtt_sample, model.expected.rtt_sample);
	assert_int_equal(result->persistent_congestion, model.expected.persistent_congestion);
	memset(model.fate, 0, sizeof(model.fate));
	model.expected = (struct quic_loss_result){0};
}

static void
model_send(struct base_random *random, uint64_t now_ns)
{
	static const uint8_t kinds[] = {QUIC_SENT_ACK_ELICITING, QUIC_SENT_ACK_ELICITING | QUIC_SENT_ECT, 0,
		QUIC_SENT_ACK_ELICITING | QUIC_SENT_PROBE};
	uint8_t flags = kinds[base_random_below(random, 4)];

	if (model.count == NUMBERS)
		return;
	if (base_random_below(random, 8) == 0) {
		(void)quic_sent_take_number(&sent);
	} else {
		send_as(flags, now_ns);
		model.packets[model.count] =
			(struct model_packet){.recorded = true, .flags = flags, .time_ns = now_ns};
	}
	model.count++;
}

/* Acknowledges [start, end) in the model. */
static void
model_range(uint64_t start, uint64_t end, bool *eliciting)
{
	for (uint64_t i = start; i < end; i++) {
		struct model_packet *packet = &model.packets[i];

		if (!packet->recorded || packet->state != QUIC_SENT_IN_FLIGHT)
			continue;
		packet->state = model.fate[i] = QUIC_SENT_ACKED;
		model.expected.acked_packets++;
		model.expected.acked_ect += (packet->flags & QUIC_SENT_ECT) != 0;
		if (packet->time_ns > model.expected.largest_acked_time_ns)
			model.expected.largest_acked_time_ns = packet->time_ns;
		*eliciting = *eliciting || (packet->flags & QUIC_SENT_ACK_ELICITING);
	}
}

/* An ACK of up to eight random ranges, highest first. */
static void
model_ack(struct base_random *random, uint64_t now_ns)
{
	uint64_t end = model.count - base_random_below(random, model.count < 20 ? model.count : 20);
	uint64_t largest = end - 1;
	bool eliciting = false, grew = largest + 1 > model.largest_acked;
	struct quic_loss_ack ack;
	struct quic_loss_result result;

	assert_int_equal(quic_loss_ack_begin(&ack, &sent, largest), QUIC_NO_ERROR);
	for (int i = 0; i < 8; i++) {
		uint64_t length = 1 + base_random_below(random, end < 6 ? end : 6), gap;

		assert_int_equal(quic_loss_ack_range(&ack, &sent, (struct base_range){end - length, end}),
			QUIC_NO_ERROR);
		model_range(end - length, end, &eliciting);
		end -= length;
		gap = 1 + base_random_below(random, 4);
		if (end <= gap || base_random_below(random, 4) == 0)
			break;
		end -= gap;
	}
	result = quic_loss_ack_end(&ack, &loss, &sent, &rtt, 0, MAX_ACK_DELAY_NS, true, now_ns);
	assert_int_equal(result.largest_advanced, grew);
	model.expected.rtt_sample = eliciting && model.fate[largest] == QUIC_SENT_ACKED;
	if (result.rtt_sample)
		assert_int_equal(result.rtt_ns, now_ns - model.packets[largest].time_ns);
	if (grew)
		model.largest_acked = largest + 1;
	if (grew || model.expected.acked_packets > 0)
		model_detect(now_ns);
	model_settle(&result);
}

static void
loss__agrees_with_appendix_a_over_plain_arrays(void **state)
{
	uint32_t persistent = 0, lost = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct base_random random;
		uint64_t now_ns = BASE_SECOND;

		memset(&model, 0, sizeof(model));
		base_random_init(&random, seed);
		for (int round = 0; round < ROUNDS; round++) {
			for (uint64_t n = 1 + base_random_below(&random, 8); n > 0; n--) {
				model_send(&random, now_ns);
				now_ns += base_random_below(&random, (seed % 5 + 1) * 10 * BASE_MS);
			}
			if (base_random_below(&random, 16) == 0)
				now_ns += base_random_below(&random, 3 * BASE_SECOND);
			if (base_random_below(&random, 3) != 0) {
				model_ack(&random, now_ns);
			} else if (loss.loss_time_ns != BASE_NEVER) {
				struct quic_loss_result result;

				if (now_ns < loss.loss_time_ns)
					now_ns = loss.loss_time_ns;
				result = quic_loss_expire(&loss, &sent, &rtt, MAX_ACK_DELAY_NS, now_ns);
				assert_true(result.lost_packets > 0);
				lost += result.lost_packets;
				model_detect(now_ns);
				model_settle(&result);
			}
		}
		persistent += model.collapsed > 0;
		tear_down(state);
		set_up(state);
	}
	/* The seeds reach what they are to reach. */
	assert_true(persistent > 0 && lost > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			loss__agrees_with_appendix_a_over_plain_arrays, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
