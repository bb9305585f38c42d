/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Several shards of one gateway in one thread, turned in an order drawn from the seed: the real endpoints, ownership words, routing
 * (shard/route.h) and moves (shard/move.h), with mailboxes of bounded size in place of rings. A datagram may arrive at any
 * shard, as on the worst port. A manager asks for moves at random moments, now and then with a stale idea of where a connection is.
 *
 * After every turn it is checked that nobody but the owner has touched a connection's slot (architecture, O1 and O2), and that each
 * datagram is held by one at a time (O3).
 */
#ifndef SIM_SHARDS_H
#define SIM_SHARDS_H

#include "shard/move.h"
#include "shard/route.h"
#include "tests/sim/group.h"

enum {
	SIM_SHARDS_MAX = 4,
	SIM_MAILBOX_MAX = 256,
	SIM_MOVES_MAX = 6, /* in flight, in the whole group */
	SIM_CONTROL_SPARE = 2,
	SIM_SLOTS_MAX = 64,
};

struct sim_shard {
	struct sim_node *node;
	struct shard_router router;
	struct shard_moves moves;
	struct net_impair_item *mailbox[SIM_MAILBOX_MAX]; /* a ring, as the next */
	uint32_t mailbox_first, mailbox_count;
	struct shard_control control[SIM_MOVES_MAX + SIM_CONTROL_SPARE];
	uint32_t control_first, control_count;
	uint64_t control_at_ns;                      /* when they are looked at */
	struct net_impair_item *received[SIM_BATCH]; /* in this turn */
	uint32_t received_count;
};

struct sim_shards {
	struct sim_shard shards[SIM_SHARDS_MAX];
	struct sim_node others[SIM_SHARDS_MAX - 1];
	uint32_t in_flight; /* moves without a result */
	uint64_t in_flight_tickets;
	uint64_t outcomes[SHARD_MOVE_OUTCOMES];
	uint64_t mailbox_drops;
	uint64_t hop_drops;
	uint64_t transit_since_ns[SIM_SLOTS_MAX]; /* 0: it is not in transit */
	uint64_t longest_transit_ns;
	uint8_t *copies; /* of all slots, as they were before a turn */
	uint64_t progress_octets;
	uint64_t progress_ns; /* since when the clients have received nothing */
	uint64_t longest_stall_ns;
	uint64_t moved_ns; /* the last */
};

extern const struct sim_group_ops sim_shards;

uint64_t sim_shards_counter(const struct sim *sim, enum shard_move_counter counter);
/* Any connection of the gateway; slot BASE_SLOT_NONE: there is none. */
struct quic_handle sim_shards_any(struct sim *sim, struct quic_slot_owner *owner);

#endif
