/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/loss.h"

#include "base/time.h"
#include "quic/error.h"

enum { BACKOFF_MAX = 16 }; /* doublings of the PTO: nobody waits for more */

void
quic_loss_init(struct quic_loss *loss)
{
	*loss = (struct quic_loss){
		.largest_acked = QUIC_LARGEST_ACKED_NONE,
		.loss_time_ns = BASE_NEVER,
		.last_eliciting_ns = BASE_NEVER,
	};
}

void
quic_loss_on_sent(struct quic_loss *loss, const struct quic_sent_packet *packet)
{
	if (packet->flags & QUIC_SENT_ACK_ELICITING)
		loss->last_eliciting_ns = packet->time_ns;
}

uint64_t
quic_loss_ack_begin(struct quic_loss_ack *ack, const struct quic_sent *sent, uint64_t largest_acked)
{
	*ack = (struct quic_loss_ack){.largest = largest_acked};
	return largest_acked < sent->next_packet_number ? QUIC_NO_ERROR : QUIC_PROTOCOL_VIOLATION;
}

static void
acknowledge(struct quic_loss_ack *ack, struct quic_sent *sent, const struct quic_sent_packet *packet)
{
	struct quic_loss_result *result = &ack->result;

	if (packet->packet_number == ack->largest)
		ack->largest_newly_acked = true;
	if (packet->flags & QUIC_SENT_ACK_ELICITING)
		ack->eliciting_newly_acked = true;
	if (packet->time_ns >= result->largest_acked_time_ns)
		result->largest_acked_time_ns = packet->time_ns;
	result->acked_packets++;
	result->acked_bytes += packet->bytes;
	result->acked_ect += (packet->flags & QUIC_SENT_ECT) != 0;
	quic_sent_mark(sent, &ack->cursor, QUIC_SENT_ACKED);
}

uint64_t
quic_loss_ack_range(struct quic_loss_ack *ack, struct quic_sent *sent, struct base_range range)
{
	struct quic_sent_packet *packet;

	if (sent->skipped >= range.start && sent->skipped < range.end)
		return QUIC_PROTOCOL_VIOLATION;
	packet = quic_sent_find(sent, &ack->cursor, range.start);
	while (packet != NULL && packet->packet_number < range.end) {
		if (packet->state == QUIC_SENT_IN_FLIGHT)
			acknowledge(ack, sent, packet);
		packet = quic_sent_following(&ack->cursor);
	}
	return QUIC_NO_ERROR;
}

/* RFC 9002 section 7.6: extends the run of neighbouring lost packets; true when it has lasted too long. */
static bool
run_extend(struct quic_loss *loss, const struct quic_sent_packet *packet, const struct quic_rtt *rtt,
	uint64_t max_ack_delay_ns)
{
	uint64_t duration_ns = quic_rtt_pto_ns(rtt, max_ack_delay_ns) * QUIC_PERSISTENT_CONGESTION_THRESHOLD;

	if (!loss->run || packet->sequence != (uint16_t)(loss->run_sequence + 1)) {
		loss->run = true;
		loss->run_first_ns = BASE_NEVER;
	}
	loss->run_sequence = packet->sequence;
	/*
	 * Section 7.6.2: the period begins after the first RTT sample, and ack-eliciting packets bound it. An MTU
	 * probe was perhaps only too large, so it bounds nothing.
	 */
	if ((packet->flags & (QUIC_SENT_ACK_ELICITING | QUIC_SENT_PROBE)) != QUIC_SENT_ACK_ELICITING)
		return false;
	if (!quic_rtt_has_sample(rtt) || packet->time_ns <= rtt->first_sample_ns)
		return false;
	if (loss->run_first_ns == BASE_NEVER)
		loss->run_first_ns = packet->time_ns;
	loss->run_last_ns = packet->time_ns;
	if (loss->run_last_ns - loss->run_first_ns <= duration_ns)
		return false;
	loss->run = false;
	return true;
}

static void
lose(struct quic_sent *sent, struct quic_sent_cursor *cursor, const struct quic_sent_packet *packet,
	struct quic_loss_result *result)
{
	result->lost_packets++;
	result->lost_bytes += packet->bytes;
	if ((packet->flags & QUIC_SENT_PROBE) == 0 && packet->time_ns > result->largest_lost_time_ns)
		result->largest_lost_time_ns = packet->time_ns;
	quic_sent_mark(sent, cursor, QUIC_SENT_LOST);
}

/* DetectAndRemoveLostPackets of RFC 9002 appendix A.10. */
static void
detect(struct quic_loss *loss, struct quic_sent *sent, const struct quic_rtt *rtt, uint64_t max_ack_delay_ns,
	uint64_t now_ns, struct quic_loss_result *result)
{
	uint64_t longest_ns = rtt->latest_ns > rtt->smoothed_ns ? rtt->latest_ns : rtt->smoothed_ns;
	uint64_t delay_ns = longest_ns + longest_ns / 8; /* section 6.1.2, kTimeThreshold 9/8 */
	struct quic_sent_cursor cursor = {0};
	struct quic_sent_packet *packet = quic_sent_find(sent, &cursor, 0);

	if (delay_ns < QUIC_GRANULARITY_NS)
		delay_ns = QUIC_GRANULARITY_NS;
	loss->loss_time_ns = BASE_NEVER;
	if (loss->largest_acked == QUIC_LARGEST_ACKED_NONE)
		return;
	for (; packet != NULL && packet->packet_number <= loss->largest_acked;
		packet = quic_sent_following(&cursor)) {
		if (packet->state != QUIC_SENT_IN_FLIGHT)
			continue;
		if (packet->time_ns + delay_ns > now_ns &&
			loss->largest_acked - packet->packet_number < QUIC_PACKET_THRESHOLD) {
			loss->loss_time_ns =
				base_time_earlier(loss->loss_time_ns, packet->time_ns + delay_ns);
			continue;
		}
		if (run_extend(loss, packet, rtt, max_ack_delay_ns))
			result->persistent_congestion = true;
		lose(sent, &cursor, packet, result);
	}
}

struct quic_loss_result
quic_loss_ack_end(struct quic_loss_ack *ack, struct quic_loss *loss, struct quic_sent *sent,
	struct quic_rtt *rtt, uint64_t ack_delay_ns, uint64_t max_ack_delay_ns, bool handshake_confirmed,
	uint64_t now_ns)
{
	struct quic_loss_result *result = &ack->result;

	if (loss->largest_acked == QUIC_LARGEST_ACKED_NONE || ack->largest > loss->largest_acked) {
		loss->largest_acked = ack->largest;
		result->largest_advanced = true;
	}
	/* An ACK of packets that are not recorded, with nothing but ACK frames, shows losses as well. */
	if (result->acked_packets == 0 && !result->largest_advanced)
		return *result;
	if (ack->largest_newly_acked && ack->eliciting_newly_acked) {
		result->rtt_sample = true;
		result->rtt_ns = now_ns - result->largest_acked_time_ns;
		quic_rtt_on_sample(
			rtt, result->rtt_ns, ack_delay_ns, max_ack_delay_ns, handshake_confirmed, now_ns);
	}
	detect(loss, sent, rtt, max_ack_delay_ns, now_ns, result);
	return *result;
}

struct quic_loss_result
quic_loss_expire(struct quic_loss *loss, struct quic_sent *sent, const struct quic_rtt *rtt,
	uint64_t max_ack_delay_ns, uint64_t now_ns)
{
	struct quic_loss_result result = {0};

	detect(loss, sent, rtt, max_ack_delay_ns, now_ns, &result);
	return result;
}

/* Section 6.2.1: each PTO in a row doubles the period. */
static uint64_t
backed_off(const struct quic_loss_view *view, uint64_t pto_ns)
{
	unsigned backoff = view->pto_count < BACKOFF_MAX ? view->pto_count : BACKOFF_MAX;

	return pto_ns > BASE_NEVER >> backoff ? BASE_NEVER : pto_ns << backoff;
}

/*
 * Section 6.2.2.1: a client with nothing in flight probes all the same, or a server at its anti-amplification
 * limit waits for ever. Counted from the last packet and not from now, so that looking at the timer does not
 * move it.
 */
static struct quic_loss_timer
anti_deadlock_timer(const struct quic_loss_view *view)
{
	uint64_t from_ns = 0, pto_ns = backed_off(view, quic_rtt_pto_ns(view->rtt, 0));

	for (int space = 0; space < QUIC_SPACE_COUNT; space++) {
		const struct quic_loss *loss = view->loss[space];

		if (loss != NULL && loss->last_eliciting_ns != BASE_NEVER &&
			loss->last_eliciting_ns > from_ns)
			from_ns = loss->last_eliciting_ns;
	}
	if (from_ns == 0)
		from_ns = view->now_ns;
	return (struct quic_loss_timer){
		.deadline_ns = base_time_after(from_ns, pto_ns),
		.kind = QUIC_LOSS_TIMER_PTO,
		.space = view->has_handshake_keys ? QUIC_SPACE_HANDSHAKE : QUIC_SPACE_INITIAL,
	};
}

/* GetPtoTimeAndSpace of RFC 9002 appendix A.8. */
static struct quic_loss_timer
pto_timer(const struct quic_loss_view *view)
{
	struct quic_loss_timer timer = {.deadline_ns = BASE_NEVER};

	for (int space = 0; space < QUIC_SPACE_COUNT; space++) {
		uint64_t delay_ns = 0, deadline_ns;

		if (view->loss[space] == NULL || view->sent[space]->eliciting == 0)
			continue;
		if (space == QUIC_SPACE_APPLICATION) {
			/* Section 6.2.1: not before the handshake is confirmed. */
			if (!view->handshake_confirmed)
				continue;
			delay_ns = view->max_ack_delay_ns;
		}
		deadline_ns = base_time_after(view->loss[space]->last_eliciting_ns,
			backed_off(view, quic_rtt_pto_ns(view->rtt, delay_ns)));
		if (deadline_ns < timer.deadline_ns)
			timer = (struct quic_loss_timer){
				.deadline_ns = deadline_ns,
				.kind = QUIC_LOSS_TIMER_PTO,
				.space = (enum quic_packet_number_space)space,
			};
	}
	if (timer.kind == QUIC_LOSS_TIMER_NONE && !view->peer_completed_address_validation)
		return anti_deadlock_timer(view);
	return timer;
}

struct quic_loss_timer
quic_loss_timer(const struct quic_loss_view *view)
{
	struct quic_loss_timer timer = {.deadline_ns = BASE_NEVER};

	for (int space = 0; space < QUIC_SPACE_COUNT; space++) {
		const struct quic_loss *loss = view->loss[space];

		if (loss != NULL && loss->loss_time_ns < timer.deadline_ns)
			timer = (struct quic_loss_timer){
				.deadline_ns = loss->loss_time_ns,
				.kind = QUIC_LOSS_TIMER_LOSS_TIME,
				.space = (enum quic_packet_number_space)space,
			};
	}
	if (timer.kind != QUIC_LOSS_TIMER_NONE || view->at_anti_amplification_limit)
		return timer;
	return pto_timer(view);
}
