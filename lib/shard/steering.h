/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bringing packets to the shard that owns their connection by the card instead of a mailbox: the steering words of connection
 * IDs in clear mode, and the rules on the ports. Nothing depends on it: a datagram that comes to another shard is
 * handed on by its ID, so a rule that is refused, or lost by a card, costs a hop and no packet.
 *
 * A steerer belongs to the management lcore, between the start of the ports and their stop. Each port uses the best
 * level that it has: "cid", where the mode is clear, takes one rule per shard, once; "tuple" takes one for each connection
 * that was moved; "buckets" moves whole parts of the hash, whose connections follow (bucket.h). One level alone: several cards have no
 * room for two sorts of rules.
 */
#ifndef SHARD_STEERING_H
#define SHARD_STEERING_H

#include "base/counters.h"
#include "quic/slot.h"
#include "shard/port.h"
#include "shard/shard.h"

/*
 * The word of a shard: connection ID octets 1 and 2, which is UDP payload octets 2 and 3 of a short header. Even, and never
 * what a long header may have there (its version's middle octets: 0x0000 of version 1 and Version Negotiation, 0x3343
 * of version 2, 0x?a?a of greased ones), since cards match the octets and not the header's form.
 */
uint16_t shard_steering_word(uint16_t shard);
bool shard_steering_word_allowed(uint16_t word);

enum { SHARD_STEERER_CONNECTIONS_MAX = 1024 };

enum shard_steerer_counter {
	SHARD_STEERER_INSTALLED,
	SHARD_STEERER_REMOVED,
	SHARD_STEERER_REFUSED, /* by the card: it comes by mailbox */
	SHARD_STEERER_FULL,    /* no place for another connection: it comes by mailbox */
	SHARD_STEERER_BUCKETS, /* moved */
	SHARD_STEERER_STUCK,   /* rules that a card would not remove */
	SHARD_STEERER_SHARED,  /* another connection of that path has a rule to another shard */
	SHARD_STEERER_DOUBTED, /* news of paths got lost: rules are looked at again */
	SHARD_STEERER_COUNTER_COUNT
};

/* A connection that a port has a rule for. */
struct shard_steered {
	uint32_t slot;
	uint32_t generation;
	uint32_t rule;
	uint16_t shard;
	uint8_t port_index;
	uint32_t doubts; /* how often there had been doubt when it was last confirmed */
	struct base_path path;
};

struct shard_steerer_port {
	struct shard_port *port;
	enum shard_steering level; /* in use */
	uint32_t shard_rules[SHARDS_MAX];
	uint16_t reta[NET_RSS_RETA_MAX]; /* the card's own, as it is now */
	struct net_rss rss;
};

struct shard_steerer {
	const struct quic_slots *slots;
	uint16_t shards;
	uint16_t udp_port;
	uint8_t port_count;
	uint32_t doubts;
	uint32_t audited; /* where the next audit begins */
	uint32_t count;
	struct shard_steerer_port ports[SHARD_PORTS_MAX];
	struct shard_steered connections[SHARD_STEERER_CONNECTIONS_MAX]; /* [0, count) in no order */
	uint64_t counters[SHARD_STEERER_COUNTER_COUNT];
};

struct shard_steerer_config {
	const struct quic_slots *slots; /* borrowed */
	uint16_t shards;                /* shard i has queue i of each port that has so many */
	uint16_t udp_port;
	bool clear; /* connection IDs carry steering words */
	uint8_t port_count;
	struct shard_port *ports[SHARD_PORTS_MAX]; /* started; borrowed */
};

/* Installs what needs no connection; says in the log where a card refuses what it had validated. */
void shard_steerer_open(struct shard_steerer *steerer, const struct shard_steerer_config *config);
/* Removes every rule, before the ports stop. */
void shard_steerer_close(struct shard_steerer *steerer);

/*
 * From now on the datagrams of this connection's path, which come by this port, belong to `shard`: after a move, or because it is heavy. No
 * rule is needed where the hash brings them. True when the card does; false when they take the mailbox.
 */
bool shard_steerer_follow(struct shard_steerer *steerer, struct quic_handle handle,
	const struct base_path *path, uint8_t port_index, uint16_t shard);
/* The connection has no path any more that its hash would not bring to its shard. */
void shard_steerer_forget(struct shard_steerer *steerer, struct quic_handle handle);
/* The same for a connection that has another path or shard now, if there was a rule for it: of the others nobody cares. */
void shard_steerer_moved_on(struct shard_steerer *steerer, struct quic_handle handle,
	const struct base_path *path, uint8_t port_index, uint16_t shard);
/* News of paths got lost: rules that follow() does not confirm before the audit comes by are removed. */
void shard_steerer_doubt(struct shard_steerer *steerer);
/* Removes rules of connections that are gone, have another owner, or are in doubt; looks at `at_most` of them. */
void shard_steerer_audit(struct shard_steerer *steerer, uint32_t at_most);
/* Buckets level: all datagrams with this remainder of the hash go to the shard's queue. The card alone; group.h tells the shards too. False: refused. */
bool shard_steerer_move_bucket(
	struct shard_steerer *steerer, uint8_t port_index, uint16_t bucket, uint16_t shard);
struct base_counters shard_steerer_counters(const struct shard_steerer *steerer);

#endif
