/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/drain.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"

enum {
	LOOKED_AT_MAX = 16384, /* slots in a step: some tens of microseconds */
	WALK_MS = 200,         /* from the beginning of one walk to the next, at least */
	/* What a connection adds to the load of where it goes until that is measured, so that idle ones are dealt out too. */
	MOVED_PARTS = MANAGER_WINDOW_PARTS / 1000,
};

void
manager_drain_init(struct manager_drain *drain, const struct quic_slots *slots, uint16_t shards,
	uint32_t moves_per_second, uint64_t now_ns)
{
	base_assert(shards <= MANAGER_POLICY_SHARDS_MAX && moves_per_second > 0);
	memset(drain, 0, sizeof(*drain));
	drain->slots = slots;
	drain->shards = shards;
	drain->moves_per_second = moves_per_second;
	drain->last_ns = now_ns;
	drain->budget_ns = BASE_SECOND;
}

static bool
others_in_use(const struct manager_drain *drain, const struct manager_rebalance *rebalance, uint16_t shard)
{
	for (uint16_t i = 0; i < rebalance->shard_count; i++)
		if (i != shard && rebalance->shards[i].usable && !drain->draining[i])
			return true;
	return false;
}

const char *
manager_drain_begin(struct manager_drain *drain, const struct manager_rebalance *rebalance, uint16_t shard)
{
	if (shard >= drain->shards)
		return "there is no such shard";
	if (drain->draining[shard])
		return "it is being drained already";
	if (!others_in_use(drain, rebalance, shard))
		return "it is the last shard in use, and its connections have nowhere to go";
	drain->draining[shard] = true;
	return NULL;
}

const char *
manager_drain_end(struct manager_drain *drain, uint16_t shard)
{
	if (shard >= drain->shards)
		return "there is no such shard";
	if (!drain->draining[shard])
		return "it is not being drained";
	drain->draining[shard] = false;
	return NULL;
}

bool
manager_drain_any(const struct manager_drain *drain)
{
	for (uint16_t i = 0; i < drain->shards; i++)
		if (drain->draining[i])
			return true;
	return false;
}

void
manager_drain_on_window(struct manager_drain *drain, const struct manager_rebalance *rebalance)
{
	for (uint16_t i = 0; i < rebalance->shard_count; i++)
		drain->loads[i] = rebalance->shards[i].busy_cycles;
}

static void
refill(struct manager_drain *drain, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns - drain->last_ns;

	drain->budget_ns =
		elapsed_ns >= BASE_SECOND - drain->budget_ns ? BASE_SECOND : drain->budget_ns + elapsed_ns;
	drain->last_ns = now_ns;
}

/* True at a slot of a shard that is drained. */
static bool
is_to_go(const struct manager_drain *drain, uint32_t slot, struct manager_drain_move *move)
{
	struct quic_slot_owner owner;

	if (!quic_slots_owner(drain->slots, slot, &owner) || owner.state != QUIC_SLOT_OWNED ||
		owner.owner >= drain->shards || !drain->draining[owner.owner])
		return false;
	move->handle = (struct quic_handle){slot, owner.generation};
	move->from = owner.owner;
	return true;
}

uint32_t
manager_drain_step(struct manager_drain *drain, const struct manager_rebalance *rebalance, uint64_t now_ns,
	struct manager_drain_move *moves, uint32_t room)
{
	uint64_t cost_ns = BASE_SECOND / drain->moves_per_second;
	uint32_t count = 0, looked_at = 0;

	base_assert(now_ns >= drain->last_ns);
	refill(drain, now_ns);
	if (!manager_drain_any(drain))
		return 0;
	if (drain->cursor >= drain->slots->count) {
		if (now_ns - drain->walk_ns < WALK_MS * BASE_MS)
			return 0;
		drain->cursor = 0;
	}
	if (drain->cursor == 0)
		drain->walk_ns = now_ns;
	for (; drain->cursor < drain->slots->count && looked_at < LOOKED_AT_MAX; drain->cursor++) {
		struct manager_drain_move *move = &moves[count];

		if (count == room || drain->budget_ns < cost_ns)
			break;
		looked_at++;
		if (!is_to_go(drain, drain->cursor, move))
			continue;
		move->to = manager_rebalance_least(rebalance, drain->draining, drain->loads, move->from);
		if (move->to == rebalance->shard_count)
			break;
		drain->loads[move->to] += MOVED_PARTS;
		drain->budget_ns -= cost_ns;
		count++;
	}
	return count;
}
