/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/history.h"

const char *const manager_asker_names[MANAGER_ASKER_COUNT] = {
	[MANAGER_BY_REBALANCE] = "rebalance",
	[MANAGER_BY_OPERATOR] = "operator",
	[MANAGER_BY_DRAIN] = "drain",
};

const char *const manager_outcome_names[MANAGER_OUTCOME_COUNT] = {
	[MANAGER_MOVED] = "moved",
	[MANAGER_REFUSED] = "refused",
	[MANAGER_ABANDONED] = "abandoned",
	[MANAGER_CLOSED] = "closed",
};

enum manager_outcome
manager_outcome_of(enum shard_move_outcome outcome)
{
	switch (outcome) {
	case SHARD_MOVE_DONE:
		return MANAGER_MOVED;
	case SHARD_MOVE_ABANDONED:
		return MANAGER_ABANDONED;
	case SHARD_MOVE_CLOSED:
		return MANAGER_CLOSED;
	default:
		return MANAGER_REFUSED;
	}
}

void
manager_history_add(struct manager_history *history, const struct manager_move_record *record)
{
	struct manager_move_record *place = &history->records[history->count % MANAGER_HISTORY_MAX];

	*place = *record;
	place->number = ++history->count;
	history->totals[record->asker][record->outcome]++;
}

uint32_t
manager_history_copy(const struct manager_history *history, uint64_t after,
	struct manager_move_record *records, uint32_t room)
{
	uint64_t oldest = history->count > MANAGER_HISTORY_MAX ? history->count - MANAGER_HISTORY_MAX : 0;
	uint32_t count = 0;

	for (uint64_t i = after > oldest ? after : oldest; i < history->count && count < room; i++)
		records[count++] = history->records[i % MANAGER_HISTORY_MAX];
	return count;
}
