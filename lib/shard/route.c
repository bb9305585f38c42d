/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/route.h"

#include "base/assert.h"
#include "base/reader.h"
#include "quic/reset.h"

enum { LONG_HEADER = 0x80 };

/* Where the destination connection ID is, if it is as long as ours (RFC 8999 sections 5.1 and 5.2), else NULL. */
static const uint8_t *
find_id(const struct base_datagram *datagram, uint8_t id_bytes)
{
	struct base_reader reader = base_reader(datagram->octets, datagram->length);

	if (base_reader_u8(&reader) & LONG_HEADER) {
		base_reader_octets(&reader, 4); /* version */
		if (base_reader_u8(&reader) != id_bytes)
			return NULL;
	}
	return base_reader_octets(&reader, id_bytes);
}

static bool
is_long(const struct base_datagram *datagram)
{
	return datagram->length > 0 && (datagram->octets[0] & LONG_HEADER) != 0;
}

uint16_t
shard_route_home(const struct shard_router *router, const struct shard_port_facts *facts, uint32_t tuple_hash)
{
	/* Where the card spreads over all shards, the shard that received the packet is the one. */
	if (facts->rss && facts->reta_size > 0 && facts->queues >= router->shards)
		return facts->reta[tuple_hash % facts->reta_size] % router->shards;
	return (uint16_t)(tuple_hash % router->shards);
}

/* It carries no ID of ours, so it may be anywhere. */
static uint16_t
owner_of_reset(const struct shard_router *router, const struct base_datagram *datagram)
{
	const uint8_t *token = quic_reset_token_of(datagram->octets, datagram->length);
	struct quic_slot_owner owner;
	struct quic_handle handle;

	if (token == NULL ||
		!quic_slots_of_reset(router->slots, quic_reset_key(router->hash_key, token), &handle) ||
		!quic_slots_owner(router->slots, handle.slot, &owner))
		return router->self;
	return owner.owner;
}

void
shard_route(struct shard_router *router, const struct shard_port_facts *const *facts,
	struct base_datagram *datagrams, uint16_t count, uint16_t *destinations)
{
	const uint8_t *ids[BASE_BURST_MAX] = {NULL};
	struct quic_conn_id_fields fields[BASE_BURST_MAX];
	enum quic_conn_id_result results[BASE_BURST_MAX];

	base_assert(count <= BASE_BURST_MAX);
	for (uint16_t i = 0; i < count; i++)
		ids[i] = find_id(&datagrams[i], router->codec.length);
	quic_conn_id_decode(&router->codec, ids, fields, results, count);
	for (uint16_t i = 0; i < count; i++) {
		struct base_datagram *datagram = &datagrams[i];
		struct quic_slot_owner owner;

		datagram->slot = BASE_SLOT_NONE;
		destinations[i] = router->self;
		if (results[i] == QUIC_CONN_ID_OURS &&
			quic_slots_owner(router->slots, fields[i].slot, &owner) &&
			owner.state != QUIC_SLOT_FREE && owner.state != QUIC_SLOT_RETIRED &&
			owner.generation == fields[i].generation) {
			datagram->slot = fields[i].slot;
			datagram->generation = fields[i].generation;
			datagram->id_sequence = fields[i].sequence;
			destinations[i] = owner.owner;
		} else if (!is_long(datagram)) {
			destinations[i] = owner_of_reset(router, datagram);
		} else if (!datagram->placed) {
			destinations[i] =
				shard_route_home(router, facts[datagram->port_index], datagram->tuple_hash);
		}
	}
}
