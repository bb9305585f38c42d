/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a shard does before quic_endpoint_receive(), for worlds of one shard and one datagram at a time: whose connection ID is it?
 * lib/shard/route.c does it in bursts and for many shards.
 */
#ifndef SUPPORT_ROUTE_H
#define SUPPORT_ROUTE_H

#include "base/datagram.h"
#include "quic/conn_id.h"
#include "quic/slot.h"

static inline void
support_route(
	struct quic_conn_id_codec *codec, const struct quic_slots *slots, struct base_datagram *datagram)
{
	const uint8_t *octets = datagram->octets, *id = NULL;
	struct quic_conn_id_fields fields;
	enum quic_conn_id_result result;
	struct quic_slot_owner owner;

	datagram->slot = BASE_SLOT_NONE;
	if (datagram->length < 7)
		return;
	if ((octets[0] & 0x80) == 0)
		id = octets + 1;
	else if (octets[5] == codec->length)
		id = octets + 6;
	if (id == NULL || id + codec->length > octets + datagram->length)
		return;
	quic_conn_id_decode(codec, &id, &fields, &result, 1);
	if (result != QUIC_CONN_ID_OURS || !quic_slots_owner(slots, fields.slot, &owner) ||
		owner.state != QUIC_SLOT_OWNED || owner.generation != fields.generation)
		return;
	datagram->slot = fields.slot;
	datagram->generation = fields.generation;
	datagram->id_sequence = fields.sequence;
}

#endif
