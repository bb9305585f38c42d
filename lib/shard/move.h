/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The live move, as each shard takes part in it (architecture, section 5; README.md). No DPDK: the shard's turn and the simulator of several
 * shards drive it alike, and it sends what it has to say through `post`.
 *
 *   manager -- MOVE --> owner: quic_conn_move_begin(); the peer switches; detach, word = target -- GRANT --> target: attach
 *
 * Each MOVE has one MOVE_RESULT: from the target when it takes the GRANT, else from the owner. A message of a move is in one mailbox at a
 * time, so with SHARD_MOVES_MAX moves in flight each control mailbox needs as many places and is never full. What is detached
 * after its move was given up has no such place: it goes only when the target's mailbox has room to spare. Neither has what follows a
 * bucket of its port (bucket.h): its owner begins that by itself when a packet has come round by the mailbox, and nobody waits for a result.
 * A connection follows the younger word: what was moved, or placed, after the bucket was stays where it was put.
 */
#ifndef SHARD_MOVE_H
#define SHARD_MOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "quic/move.h"
#include "service/service.h"
#include "shard/bucket.h"
#include "shard/mailbox.h"

enum {
	SHARD_MOVES_MAX = 64,       /* in flight in the whole group: the manager begins no more */
	SHARD_FOLLOWS_PER_TURN = 8, /* of a shard: each costs a packet */
	SHARD_MANAGER = UINT16_MAX, /* where results go */
};

enum shard_move_outcome {
	SHARD_MOVE_DONE,
	SHARD_MOVE_ABANDONED, /* the peer did not switch in time */
	SHARD_MOVE_CLOSED,    /* the connection closed on the way */
	/* Not begun: */
	SHARD_MOVE_UNKNOWN,  /* this shard has no such connection (any more) */
	SHARD_MOVE_SERVICE,  /* its service holds it */
	SHARD_MOVE_STOPPING, /* the gateway is about to end */
	SHARD_MOVE_REFUSED,  /* `verdict` says why */
	SHARD_MOVE_OUTCOMES
};
/* A readable sentence without a full stop. */
const char *shard_move_text(enum shard_move_outcome outcome, enum quic_move_verdict verdict);

enum shard_move_counter {
	SHARD_MOVES_ASKED,
	SHARD_MOVES_REFUSED,
	SHARD_MOVES_BEGUN,
	SHARD_MOVES_ABANDONED,
	SHARD_MOVES_CLOSED,
	SHARD_MOVES_DETACHED,
	SHARD_MOVES_FOLLOWED, /* begun without being asked: its bucket leads elsewhere */
	SHARD_MOVES_LATE, /* of the detached: it followed, or the peer switched after the move was given up */
	SHARD_MOVES_KEPT, /* the same, and the target's mailbox had no room to spare */
	SHARD_MOVES_ATTACHED, /* came from another shard */
	SHARD_MOVES_BY_SIGHT, /* of these: a datagram was here before the GRANT */
	SHARD_MOVES_COUNTERS
};

struct shard_moves_config {
	uint16_t self;
	struct quic_slots *slots;
	struct quic_endpoint *endpoint;
	struct service_set *services; /* may be NULL */
	/* To a shard's control mailbox, or the manager's; there is a place. */
	void (*post)(void *with, uint16_t to, const struct shard_control *control);
	/* Whether that mailbox has places that nobody holds. */
	bool (*has_room)(void *with, uint16_t to);
	void *with;
};

struct shard_moves {
	struct shard_moves_config config;
	bool stopping;
	uint32_t follows; /* in this turn */
	uint32_t count;
	struct shard_control_move
		waiting[SHARD_MOVES_MAX]; /* moves of ours that the peer has yet to follow */
	uint64_t counters[SHARD_MOVES_COUNTERS];
};

void shard_moves_init(struct shard_moves *moves, const struct shard_moves_config *config);
/* A message of the kinds MOVE and GRANT was taken from the mailbox. */
void shard_moves_take(struct shard_moves *moves, const struct shard_control *control, uint64_t now_ns);
/* A datagram for this connection is here, and so is its owner: attaches it if it has just come. */
void shard_moves_see(struct shard_moves *moves, struct quic_handle handle, uint64_t now_ns);
/*
 * This datagram for a connection of ours has come by a mailbox, and its bucket leads elsewhere: the connection begins to follow, if it may now
 * and has not been put here since. What is refused is asked again with the next one. Only who sends from the connection's own path can bring it about.
 */
void shard_moves_follow(struct shard_moves *moves, const struct base_datagram *datagram,
	const struct shard_bucket_order *order, uint64_t now_ns);
/* At the end of a turn, after send: those whose peers have switched leave, and results are told. */
void shard_moves_end_turn(struct shard_moves *moves, uint64_t now_ns);
/* Nothing begins any more; what still comes is closed at once. */
void shard_moves_stop(struct shard_moves *moves);
struct base_counters shard_moves_counters(const struct shard_moves *moves);

#endif
