/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/moves.h"

#include <string.h>
#include <time.h>

#include "base/time.h"

void
manager_moves_init(struct manager_moves *moves)
{
	pthread_condattr_t attributes;

	memset(moves, 0, sizeof(*moves));
	pthread_mutex_init(&moves->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&moves->told, &attributes);
	pthread_condattr_destroy(&attributes);
}

static struct timespec
after(uint32_t ms)
{
	struct timespec at;
	uint64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &at);
	ns = (uint64_t)at.tv_nsec + ms * BASE_MS;
	at.tv_sec += (time_t)(ns / BASE_SECOND);
	at.tv_nsec = (long)(ns % BASE_SECOND);
	return at;
}

/* With the lock. */
static struct manager_move *
free_place(struct manager_moves *moves)
{
	for (uint32_t i = 0; i < MANAGER_MOVES_MAX; i++)
		if (moves->moves[i].stage == MANAGER_MOVE_FREE)
			return &moves->moves[i];
	return NULL;
}

/* With the lock: until it is told, or time is up. Frees the place, or leaves that to the result. */
static bool
await(struct manager_moves *moves, struct manager_move *move, uint32_t within_ms, const char **text)
{
	const struct timespec until = after(within_ms);
	bool moved = false;

	while (move->stage != MANAGER_MOVE_TOLD && !moves->closed)
		if (pthread_cond_timedwait(&moves->told, &moves->lock, &until) != 0)
			break;
	if (move->stage == MANAGER_MOVE_TOLD) {
		*text = move->text;
		moved = move->outcome == SHARD_MOVE_DONE;
	} else if (move->stage == MANAGER_MOVE_BEGUN) {
		*text = "the client has not switched to the new connection IDs yet; the move goes on";
		move->abandoned = true;
		return false;
	} else {
		*text = "the management thread is busy or about to end";
	}
	move->stage = MANAGER_MOVE_FREE;
	return moved;
}

bool
manager_moves_ask(struct manager_moves *moves, struct quic_handle handle, uint16_t target, uint32_t within_ms,
	const char **text)
{
	struct manager_move *move;
	bool moved = false;

	pthread_mutex_lock(&moves->lock);
	move = moves->closed ? NULL : free_place(moves);
	if (move == NULL) {
		*text = "too many moves are asked for at once; ask again";
	} else {
		*move = (struct manager_move){
			.stage = MANAGER_MOVE_ASKED, .handle = handle, .target = target};
		moves->waiting++;
		moved = await(moves, move, within_ms, text);
		moves->waiting--;
		pthread_cond_broadcast(&moves->told);
	}
	pthread_mutex_unlock(&moves->lock);
	return moved;
}

static void
tell(struct manager_moves *moves, struct manager_move *move, enum shard_move_outcome outcome,
	const char *text)
{
	move->outcome = outcome;
	move->text = text;
	move->stage = move->abandoned ? MANAGER_MOVE_FREE : MANAGER_MOVE_TOLD;
	pthread_cond_broadcast(&moves->told);
}

static void
begin(struct manager_moves *moves, struct shard_group *group, uint32_t place)
{
	struct manager_move *move = &moves->moves[place];

	switch (shard_group_move(group, move->handle, move->target, place)) {
	case SHARD_MOVE_ASKED:
		move->stage = MANAGER_MOVE_BEGUN;
		break;
	case SHARD_MOVE_NO_CONNECTION:
		tell(moves, move, SHARD_MOVE_UNKNOWN, shard_move_text(SHARD_MOVE_UNKNOWN, QUIC_MOVE_BEGUN));
		break;
	case SHARD_MOVE_NO_SHARD:
		tell(moves, move, SHARD_MOVE_REFUSED, "there is no such shard");
		break;
	case SHARD_MOVE_TOO_MANY:
		tell(moves, move, SHARD_MOVE_REFUSED, "too many moves are in flight; ask again");
		break;
	}
}

bool
manager_moves_tick(struct manager_moves *moves, struct shard_group *group)
{
	struct shard_control_move result;

	pthread_mutex_lock(&moves->lock);
	for (uint32_t i = 0; i < MANAGER_MOVES_MAX; i++)
		if (moves->moves[i].stage == MANAGER_MOVE_ASKED)
			begin(moves, group, i);
	while (shard_group_next_result(group, &result))
		if (result.ticket < MANAGER_MOVES_MAX)
			tell(moves, &moves->moves[result.ticket], (enum shard_move_outcome)result.outcome,
				shard_move_text((enum shard_move_outcome)result.outcome,
					(enum quic_move_verdict)result.verdict));
	pthread_mutex_unlock(&moves->lock);
	return group->moves_in_flight > 0;
}

void
manager_moves_close(struct manager_moves *moves)
{
	pthread_mutex_lock(&moves->lock);
	moves->closed = true;
	pthread_cond_broadcast(&moves->told);
	while (moves->waiting > 0)
		pthread_cond_wait(&moves->told, &moves->lock);
	pthread_mutex_unlock(&moves->lock);
}
