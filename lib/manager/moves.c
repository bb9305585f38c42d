/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/moves.h"

#include "base/assert.h"

/* The one place where a move ends: with a result of a shard, or with an outcome of our own. */
static void
on_end(struct manager_moves *moves, const struct manager_move *move, enum shard_move_outcome outcome,
	const char *text, uint64_t now_ns)
{
	const struct manager_move_record record = {.at_ns = now_ns,
		.handle = move->handle,
		.from = move->from,
		.to = move->to,
		.permille = move->permille,
		.asker = move->asker,
		.outcome = manager_outcome_of(outcome),
		.text = text};
	const struct manager_answer answer = {.done = outcome == SHARD_MOVE_DONE, .text = text};

	manager_history_add(moves->history, &record);
	if (move->asker == MANAGER_BY_REBALANCE)
		manager_rebalance_on_result(
			moves->rebalance, move->handle, outcome == SHARD_MOVE_DONE, now_ns);
	if (move->place != MANAGER_NO_PLACE)
		manager_requests_answer(moves->requests, move->place, &answer);
}

/* NULL: as many are on their way as there are tickets. */
static struct manager_move *
free_move(struct manager_moves *moves)
{
	for (uint32_t i = 0; i < SHARD_MOVES_MAX; i++)
		if (!moves->moves[i].begun)
			return &moves->moves[i];
	return NULL;
}

/* A drained shard's connections have to leave, wherever to. */
static enum shard_group_answer
ask(struct shard_group *group, const struct manager_move *move, uint32_t ticket)
{
	return move->asker == MANAGER_BY_DRAIN ? shard_group_move_away(group, move->handle, move->to, ticket)
					       : shard_group_move(group, move->handle, move->to, ticket);
}

bool
manager_moves_begin(struct manager_moves *moves, const struct manager_move *wanted, uint64_t now_ns)
{
	struct manager_move move = *wanted, *place = free_move(moves);
	enum shard_group_answer answer = SHARD_MOVE_TOO_MANY;
	struct quic_slot_owner owner;

	if (quic_slots_owner(&moves->group->slots, move.handle.slot, &owner) &&
		owner.generation == move.handle.generation)
		move.from = owner.owner;
	if (place != NULL)
		answer = ask(moves->group, &move, (uint32_t)(place - moves->moves));
	switch (answer) {
	case SHARD_MOVE_ASKED:
		move.begun = true;
		*place = move;
		return true;
	case SHARD_MOVE_NO_CONNECTION:
		on_end(moves, &move, SHARD_MOVE_UNKNOWN, shard_move_text(SHARD_MOVE_UNKNOWN, QUIC_MOVE_BEGUN),
			now_ns);
		break;
	case SHARD_MOVE_NO_SHARD:
		on_end(moves, &move, SHARD_MOVE_REFUSED, "there is no such shard", now_ns);
		break;
	case SHARD_MOVE_TOO_MANY:
		on_end(moves, &move, SHARD_MOVE_REFUSED, "too many moves are in flight; ask again", now_ns);
		break;
	}
	return false;
}

bool
manager_moves_has(const struct manager_moves *moves, struct quic_handle handle)
{
	for (uint32_t i = 0; i < SHARD_MOVES_MAX; i++)
		if (moves->moves[i].begun && moves->moves[i].handle.slot == handle.slot &&
			moves->moves[i].handle.generation == handle.generation)
			return true;
	return false;
}

void
manager_moves_collect(struct manager_moves *moves, uint64_t now_ns)
{
	struct shard_control_move result;

	while (shard_group_next_result(moves->group, &result)) {
		struct manager_move *move = &moves->moves[result.ticket];

		base_assert(result.ticket < SHARD_MOVES_MAX && move->begun);
		move->begun = false;
		on_end(moves, move, (enum shard_move_outcome)result.outcome,
			shard_move_text((enum shard_move_outcome)result.outcome,
				(enum quic_move_verdict)result.verdict),
			now_ns);
	}
}
