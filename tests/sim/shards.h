/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Several shards of one gateway in one thread, turned in an order drawn from the seed: the real endpoints, ownership words, routing
 * (shard/route.h), moves (shard/move.h) and service interface, with mailboxes of bounded size in place of rings. A datagram may arrive at
 * any shard, as on the worst port. A manager asks for moves at random moments, now and then with a stale idea of where a connection is.
 *
 * After every turn the invariants of architecture section 3 are looked at (shards_watch.c). That each look can fail is seen by planted faults
 * (enum sim_plant, shards_planted.c).
 */
#ifndef SIM_SHARDS_H
#define SIM_SHARDS_H

#include "manager/rebalance.h"
#include "service/service.h"
#include "shard/load.h"
#include "shard/move.h"
#include "shard/placement.h"
#include "shard/post.h"
#include "shard/route.h"
#include "tests/sim/group.h"
#include "tests/sim/heap.h"
#include "tls/memory.h"

enum {
	SIM_SHARDS_MAX = 4,
	SIM_MAILBOX_MAX = 256,
	SIM_MOVES_MAX = 6, /* in flight, in the whole group */
	SIM_CONTROL_SPARE = 2,
	SIM_CONTROL_PLACES = SIM_MOVES_MAX + SIM_CONTROL_SPARE,
	SIM_SLOTS_MAX = 128,
	SIM_POSTS_MAX = 8,
};

/* What is done wrong, now and then, and by which look it is to be found. */
enum sim_plant {
	SIM_PLANT_NONE,
	SIM_PLANT_SLOT_TOUCHED,    /* O1: a shard writes into a slot that is another's */
	SIM_PLANT_WORD_WRITTEN,    /* O2: and into its word */
	SIM_PLANT_DATAGRAM_KEPT,   /* O3: handed over and handled as well */
	SIM_PLANT_HEAP,            /* O4: a turn asks the heap */
	SIM_PLANT_CONTROL_CROWDED, /* O5: messages without a place of their own */
	SIM_PLANT_DROP_UNCOUNTED,  /* O5: a full mailbox drops and does not say so */
	SIM_PLANT_ELEMENT_KEPT,    /* O6: an element of a pool is not given back */
	SIM_PLANT_ELEMENT_TWICE,   /* O6: or twice */
	SIM_PLANT_POOL_MISCOUNTED, /* O6: the shards' parts of a pool are not its whole */
	SIM_PLANT_RECEIVED_EARLY,  /* O7: received octets go while the turn goes on */
	SIM_PLANT_CHARGE_LOST,     /* O7: a chunk is not charged */
	SIM_PLANT_LENT_CHANGED,    /* O8: lent octets are written to */
	SIM_PLANT_COOKIE_TWICE,    /* O8: and released again */
	SIM_PLANT_TLS_ELSEWHERE,   /* TLS memory of another shard is used */
	SIM_PLANT_RESULT_TWICE,
	SIM_PLANT_RESULT_LOST,
	SIM_PLANT_GRANT_LOST,
	SIM_PLANT_LINGERS_SHORT, /* retired IDs are not taken any more */
	SIM_PLANT_ID_ASTRAY,     /* a replacement ID names another shard than it should */
	SIM_PLANT_STATE_STAYS,   /* a service is not told of a move */
	SIM_PLANT_ENDS_EARLY,    /* a shard that is about to end does not wait for what may still come */
	SIM_PLANT_IDS_MISSING,   /* what the client has retired is not replaced */
	SIM_PLANT_ID_USED_ON,    /* an ID that the client wants retired is used on */
	SIM_PLANT_POST_LOST,
	SIM_PLANT_NOT_EVENED, /* loads are told wrong */
	SIM_PLANT_PAUSE,      /* an owner does nothing for a while */
	SIM_PLANT_COUNT
};

enum sim_stage { SIM_RUNNING, SIM_DRAINING, SIM_ENDED };

struct sim_shard {
	struct sim *sim;
	struct sim_node *node;
	struct shard_router router;
	struct shard_moves moves;
	struct service_set services;
	struct tls_memory *tls;
	uint16_t index;
	enum sim_stage stage;
	uint64_t held_until_ns;                           /* it does not turn */
	struct net_impair_item *mailbox[SIM_MAILBOX_MAX]; /* a ring, as the next */
	uint32_t mailbox_first, mailbox_count;
	struct shard_control control[SIM_CONTROL_PLACES];
	uint32_t control_first, control_count;
	uint64_t control_at_ns;                      /* when they are looked at */
	struct net_impair_item *received[SIM_BATCH]; /* in this turn */
	uint32_t received_count;
	struct shard_placement placement;
	struct shard_load load;
	uint64_t busy_cycles, idle_cycles;
	uint64_t accounted_ns, accounted_cycles; /* until then it is known how long it was idle */
	uint64_t weight;                         /* of its datagrams, every one counted */
	struct shard_posts posts;
	struct service_post posts_waiting[SIM_POSTS_MAX]; /* a ring */
	uint32_t posts_first, posts_count;
	uint64_t posts_numbered;
	uint64_t posts_last[SIM_SHARDS_MAX]; /* number that came last, by poster */
};

struct sim_manager {
	struct manager_rebalance rebalance;
	uint32_t window; /* asked for last; 0: none yet */
	bool decided_window;
	uint64_t next_ns;
	uint64_t decided;            /* moves */
	struct quic_handle elephant; /* it must stay; slot BASE_SLOT_NONE: there is none */
};

/* How long a connection has waited for its next octet. */
struct sim_pause {
	uint64_t octets;
	uint64_t since_ns;
	uint64_t pto_ns; /* the gateway's, as it was when last seen */
};

/* The world before a turn. */
struct sim_before {
	struct quic_slot_owner words[SIM_SLOTS_MAX];
	uint8_t *slots; /* copies of them */
	uint64_t heap_calls;
	uint64_t tls_blocks[SIM_SHARDS_MAX];
};

struct sim_shards {
	struct sim_shard shards[SIM_SHARDS_MAX];
	struct sim_node others[SIM_SHARDS_MAX - 1];
	bool stopping;      /* gracefully: each shard hears of it */
	uint32_t in_flight; /* moves without a result */
	uint64_t in_flight_tickets;
	uint64_t asked_ns[64]; /* by ticket */
	uint64_t outcomes[SHARD_MOVE_OUTCOMES];
	uint64_t verdicts[QUIC_MOVE_VERDICT_COUNT]; /* of the refused */
	uint64_t handled, mailbox_drops, hop_drops; /* datagrams */
	uint64_t transit_since_ns[SIM_SLOTS_MAX];   /* 0: it is not in transit */
	uint64_t longest_transit_ns;
	uint64_t longest_move_ns; /* from the question to the result */
	uint64_t moved_ns;        /* the last */
	struct sim_pause pauses[SIM_CONNECTIONS_MAX];
	uint64_t longest_pause_ns;      /* of connections that nothing was lost of */
	uint32_t longest_pause_percent; /* of a PTO */
	struct sim_before before;
	struct sim_manager manager;
	_Atomic uint32_t orders[SIM_SHARDS_MAX]; /* where new connections go */
};

extern const struct sim_group_ops sim_shards;

uint64_t sim_shards_counter(const struct sim *sim, enum shard_move_counter counter);
/* Any connection of the gateway; slot BASE_SLOT_NONE: there is none. */
struct quic_handle sim_shards_any(struct sim *sim, struct quic_slot_owner *owner);
/* A move without a manager; false: too many are in flight. */
bool sim_shards_ask(struct sim *sim, struct quic_handle handle, uint16_t owner, uint16_t target);
/* No turn of this shard until then. */
void sim_shards_hold(struct sim *sim, uint16_t shard, uint64_t until_ns);
/* Now is the moment for this planted fault. */
bool sim_planted(struct sim *sim, enum sim_plant plant);

/* ---- shards_watch.c ---- */

void sim_watch_open(struct sim *sim);
void sim_watch_close(struct sim *sim);
void sim_watch_before_turn(struct sim *sim);
void sim_watch_after_turn(struct sim *sim, uint16_t index);
/* Between two steps of the group. */
void sim_watch_step(struct sim *sim);
/* A connection has just been let go; its slot is still as its shard left it. */
void sim_watch_left(struct sim *sim, struct quic_handle handle);

/* ---- shards_manager.c ---- */

void sim_manager_open(struct sim *sim);
void sim_manager_turn(struct sim *sim);
uint64_t sim_manager_deadline(const struct sim *sim);
void sim_manager_on_result(struct sim *sim, const struct shard_control_move *move);
/* What a datagram costs its shard, and the answer to the manager's question. */
void sim_manager_count(struct sim *sim, struct sim_shard *shard, const struct base_datagram *datagram,
	enum shard_load_kind kind);
void sim_manager_end_turn(struct sim *sim, struct sim_shard *shard);

/* ---- shards_posts.c ---- */

void sim_posts_open(struct sim_shard *shard);
void sim_posts_turn(struct sim *sim, struct sim_shard *shard);
void sim_posts_check(struct sim *sim);

/* ---- shards_service.c ---- */

/* The application as a service of this shard, with state that goes along. */
void sim_service_open(struct sim_shard *shard);

#endif
