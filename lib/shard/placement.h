/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Placement at accept: a new connection need not be accepted where the hash of its tuple leads (route.h). The home shard of a client-chosen
 * ID may give the first Initial to a less loaded one, which accepts it and names itself in its first SCID; from then on the client's
 * packets find it by its ID. It costs a mailbox hop of a few packets and no move. No DPDK: the simulator has it too.
 *
 *   manager: an order for each home shard -> home: draws, remembers, marks, hands over -> target: the mark keeps it there
 *
 * Only the home shard decides, so all Initials of a client meet, whichever queue they came by. The draw is a keyed hash of the client's ID and
 * path against the share: the same for each packet of a client while the order stands, and not to be chosen by anyone. What was
 * placed is remembered for as long as a handshake may take, so it is the same when the order has changed. An Initial of what the home
 * shard has accepted itself stays.
 *
 * Where the bucket has been moved by which it came (bucket.h), the home shard places all that begins there where the bucket leads, or where the order of
 * that shard sends it: the table of homes never changes, and the client's next packets need no mailbox.
 *
 * A forged Initial costs a hash and one of a fixed number of places, where the oldest of four gives way. Who lost its place is found
 * again by the draw, unless the order changed meanwhile: then the handshake may fail, and the client tries again.
 *
 * Retry, tokens and refusals are the target's, with the keys of the site; after a Retry the client comes with another ID, which is drawn for
 * anew. Version Negotiation is the home shard's.
 */
#ifndef SHARD_PLACEMENT_H
#define SHARD_PLACEMENT_H

#include <stdatomic.h>

#include "base/counters.h"
#include "quic/endpoint.h"
#include "quic/initial_table.h"
#include "shard/bucket.h"

enum {
	SHARD_PLACEMENT_PLACES = 4096,
	SHARD_PLACEMENT_WAYS = 4, /* of each key */
	SHARD_PLACEMENT_ALL = 1000,
};

/* An order as one word, so that it changes at once: this share of the new connections goes to the target. 0: all stay. */
static inline uint32_t
shard_placement_order(uint16_t target, uint16_t permille)
{
	return (uint32_t)target << 16 | permille;
}

enum shard_placement_counter {
	SHARD_PLACEMENT_PLACED,      /* new connections, as far as one can know */
	SHARD_PLACEMENT_REMEMBERED,  /* further packets of theirs */
	SHARD_PLACEMENT_OVERWRITTEN, /* places that were taken from one that was still of use */
	SHARD_PLACEMENT_COUNTERS
};

struct shard_placement_config {
	uint16_t self;
	uint16_t shards;
	const _Atomic uint32_t *orders;       /* of each shard; borrowed */
	const struct shard_buckets *buckets;  /* borrowed; may be NULL: none moves */
	const struct quic_endpoint *endpoint; /* borrowed */
	uint8_t hash_key[16];                 /* quic_site_keys.table */
	uint64_t keep_ns;                     /* handshake_timeout_ns */
};

struct shard_placement {
	struct shard_placement_config config;
	struct quic_table keyed; /* for its hash key alone */
	uint64_t last_ns;        /* until when something is remembered */
	uint64_t keys[SHARD_PLACEMENT_PLACES];
	uint64_t until_ns[SHARD_PLACEMENT_PLACES];
	uint16_t targets[SHARD_PLACEMENT_PLACES];
	uint64_t counters[SHARD_PLACEMENT_COUNTERS];
};

void shard_placement_init(struct shard_placement *placement, const struct shard_placement_config *config);
/*
 * After shard_route(): of the datagrams that are at home here and belong to no connection, those that begin one, or continue one that
 * was placed, get another destination and the mark base_datagram.placed.
 */
void shard_placement_burst(struct shard_placement *placement, struct base_datagram *datagrams, uint16_t count,
	uint16_t *destinations, uint64_t now_ns);
struct base_counters shard_placement_counters(const struct shard_placement *placement);

#endif
