/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/ack.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"

static struct base_ranges
ranges_of(const struct quic_ack *ack)
{
	struct base_ranges set;

	if (ack->borrowed != NULL)
		set = base_ranges(ack->borrowed, QUIC_ACK_MAX_RANGES);
	else
		set = base_ranges((struct base_range *)ack->own, QUIC_ACK_OWN_RANGES);
	set.count = ack->count;
	return set;
}

/* What is forgotten counts as received. */
static void
forget_below(struct quic_ack *ack, uint64_t packet_number)
{
	if (packet_number > ack->forgotten_below)
		ack->forgotten_below = packet_number;
}

static void
borrow(struct quic_ack *ack, struct base_pool *chunks)
{
	base_assert(
		ack->borrowed == NULL && chunks->element_bytes >= QUIC_ACK_MAX_RANGES * sizeof(ack->own[0]));
	ack->borrowed = base_pool_take(chunks);
	if (ack->borrowed != NULL)
		memcpy(ack->borrowed, ack->own, ack->count * sizeof(ack->own[0]));
}

static void
give_back_if_few(struct quic_ack *ack, struct base_pool *chunks)
{
	if (ack->borrowed == NULL || ack->count > QUIC_ACK_OWN_RANGES)
		return;
	memcpy(ack->own, ack->borrowed, ack->count * sizeof(ack->own[0]));
	base_pool_give(chunks, ack->borrowed);
	ack->borrowed = NULL;
}

void
quic_ack_init(struct quic_ack *ack, uint16_t threshold)
{
	base_assert(threshold > 0);
	memset(ack, 0, sizeof(*ack));
	ack->threshold = threshold;
	ack->deadline_ns = BASE_NEVER;
	ack->lowest_news = UINT64_MAX;
}

void
quic_ack_fini(struct quic_ack *ack, struct base_pool *chunks)
{
	if (ack->borrowed != NULL)
		base_pool_give(chunks, ack->borrowed);
	ack->borrowed = NULL;
	ack->count = 0;
}

bool
quic_ack_is_duplicate(const struct quic_ack *ack, uint64_t packet_number)
{
	struct base_ranges set = ranges_of(ack);

	return packet_number < ack->forgotten_below ||
		base_ranges_contain(&set, packet_number, packet_number + 1);
}

/* Section 13.2.1: packets out of order, and those after a gap, are acknowledged at once. */
static bool
out_of_order(const struct quic_ack *ack, uint64_t packet_number)
{
	struct base_ranges set = ranges_of(ack);

	if (ack->largest_eliciting == 0)
		return false;
	return packet_number < ack->largest_eliciting ||
		!base_ranges_contain(&set, ack->largest_eliciting - 1, packet_number + 1);
}

static void
add(struct quic_ack *ack, struct base_pool *chunks, uint64_t packet_number)
{
	struct base_ranges set = ranges_of(ack);

	if (!base_ranges_add(&set, packet_number, packet_number + 1)) {
		uint64_t lowest_end;

		if (ack->borrowed == NULL)
			borrow(ack, chunks);
		set = ranges_of(ack);
		lowest_end = set.ranges[0].end;
		if (!base_ranges_add_forgetting(&set, packet_number, packet_number + 1))
			forget_below(ack, packet_number + 1);
		else if (set.ranges[0].end > lowest_end && set.ranges[0].start >= lowest_end)
			forget_below(ack, lowest_end);
	}
	ack->count = set.count;
}

void
quic_ack_on_received(struct quic_ack *ack, struct base_pool *chunks, uint64_t packet_number,
	bool ack_eliciting, enum base_ecn ecn, uint64_t now_ns, uint64_t max_ack_delay_ns)
{
	/* What the packet itself acknowledged may have made us forget everything of its age. */
	if (packet_number < ack->forgotten_below)
		return;
	base_assert(!quic_ack_is_duplicate(ack, packet_number));
	if (packet_number >= quic_ack_expected(ack))
		ack->largest_time_ns = now_ns;
	add(ack, chunks, packet_number);
	/* A straggler below what is reported must be reported all the same. */
	if (packet_number < ack->report_from)
		ack->report_from = packet_number;
	ack->ecn.ect0 += ecn == BASE_ECN_ECT_0;
	ack->ecn.ect1 += ecn == BASE_ECN_ECT_1;
	ack->ecn.ce += ecn == BASE_ECN_CE;
	ack->news = true;
	if (packet_number < ack->lowest_news)
		ack->lowest_news = packet_number;
	if (!ack_eliciting)
		return;
	if (ack->eliciting < UINT16_MAX)
		ack->eliciting++;
	/* Section 13.2.1: an ACK must not be delayed when a packet was marked CE, either. */
	if (ack->eliciting >= ack->threshold || ecn == BASE_ECN_CE || out_of_order(ack, packet_number))
		ack->deadline_ns = 0;
	else if (ack->deadline_ns == BASE_NEVER)
		ack->deadline_ns = now_ns + max_ack_delay_ns;
	if (packet_number >= ack->largest_eliciting)
		ack->largest_eliciting = packet_number + 1;
}

struct base_ranges
quic_ack_report(struct quic_ack *ack)
{
	struct base_ranges set = ranges_of(ack);

	/* The largest is always reported (13.2.3). */
	while (set.count > 1 && set.ranges[0].end <= ack->report_from) {
		set.ranges++;
		set.count--;
		set.capacity--;
	}
	return set;
}

uint64_t
quic_ack_expected(const struct quic_ack *ack)
{
	struct base_ranges set = ranges_of(ack);

	return set.count == 0 ? ack->forgotten_below : set.ranges[set.count - 1].end;
}

uint64_t
quic_ack_delay_ns(const struct quic_ack *ack, uint64_t now_ns)
{
	return now_ns > ack->largest_time_ns ? now_ns - ack->largest_time_ns : 0;
}

void
quic_ack_on_sent(struct quic_ack *ack)
{
	ack->eliciting = 0;
	ack->deadline_ns = BASE_NEVER;
	ack->news = false;
	ack->lowest_news = UINT64_MAX;
}

/* Forgets whole ranges from the lowest on until `keep` are left, or those that end at or below `below`. */
static void
forget_ranges(struct quic_ack *ack, uint16_t keep, uint64_t below)
{
	struct base_ranges set = ranges_of(ack);
	uint16_t gone = 0;

	while (set.count - gone > keep || (set.count - gone > 1 && set.ranges[gone].end <= below))
		gone++;
	if (gone == 0)
		return;
	forget_below(ack, set.ranges[gone - 1].end);
	memmove(&set.ranges[0], &set.ranges[gone], (set.count - gone) * sizeof(set.ranges[0]));
	ack->count = (uint16_t)(set.count - gone);
}

void
quic_ack_on_acked(struct quic_ack *ack, struct base_pool *chunks, uint64_t largest)
{
	/* What came after that ACK was sent, a straggler perhaps, has yet to be reported. */
	uint64_t from = largest < ack->lowest_news ? largest + 1 : ack->lowest_news;

	if (from > ack->report_from)
		ack->report_from = from;
	if (largest > QUIC_ACK_KEPT_PACKETS)
		forget_ranges(ack, QUIC_ACK_MAX_RANGES, largest - QUIC_ACK_KEPT_PACKETS);
	give_back_if_few(ack, chunks);
}

void
quic_ack_compact(struct quic_ack *ack, struct base_pool *chunks)
{
	forget_ranges(ack, QUIC_ACK_OWN_RANGES, 0);
	give_back_if_few(ack, chunks);
}

void
quic_ack_check(const struct quic_ack *ack)
{
	struct base_ranges set = ranges_of(ack);

	base_ranges_check(&set);
	base_assert(set.count == 0 || set.ranges[set.count - 1].end > ack->forgotten_below);
	base_assert(ack->eliciting == 0 || ack->deadline_ns != BASE_NEVER);
}
