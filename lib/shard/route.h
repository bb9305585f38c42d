/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which shard a QUIC datagram belongs to, for a burst: the connection ID is decoded, the slot it names is looked up in the
 * ownership words, and the owner takes the datagram. What names no connection begins one: it belongs to the shard that
 * the hash of its tuple names, so that all Initials of a client meet (architecture, section 4). Where that shard has placed it
 * elsewhere (placement.h) the datagram carries a mark, and whoever has it keeps it.
 *
 * The answer depends on nothing but the datagram, the words and the tables, so it is the same on every shard, and is
 * asked again at every dequeue: the owner may have changed on the way.
 */
#ifndef SHARD_ROUTE_H
#define SHARD_ROUTE_H

#include <stdint.h>

#include "base/datagram.h"
#include "quic/conn_id.h"
#include "quic/slot.h"
#include "shard/port.h"

struct shard_router {
	const struct quic_slots *slots;
	struct quic_conn_id_codec codec;
	uint8_t hash_key[16]; /* of peers' reset tokens */
	uint16_t self;
	uint16_t shards;
};

/*
 * Sets slot, generation and id_sequence of each datagram and destinations[i], a shard. `facts` are those of the port it came
 * from, by datagram.port_index. A short header that names no connection is BASE_SLOT_NONE's: it goes to the owner of the connection whose
 * stateless reset it is (RFC 9000 section 10.3.1), or stays where it is.
 * `count` is at most BASE_BURST_MAX.
 */
void shard_route(struct shard_router *router, const struct shard_port_facts *const *facts,
	struct base_datagram *datagrams, uint16_t count, uint16_t *destinations);

/* The shard that a datagram without a connection belongs to. */
uint16_t shard_route_home(
	const struct shard_router *router, const struct shard_port_facts *facts, uint32_t tuple_hash);

#endif
