/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A server endpoint before a peer that says anything. The input's first octet chooses: even, nothing is there but the
 * endpoint; odd, a client has connected and pieces may be sealed with its keys, so that frames are reached.
 * Then pieces: an octet of kind and time, two of length, and as many of payload.
 *
 *   0 datagram as it stands       1 payload in a 1-RTT packet of the client's
 *   2 a kept datagram of the client's with octets changed        3 nothing, only time passes
 *
 * The endpoint's own asserts are the oracle, with the sanitizers; at the end everything has been given back.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/reader.h"
#include "tests/support/world.h"

enum { KEPT = 8, PIECES_MAX = 64, PAYLOAD_MAX = 1350 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world world;
static uint8_t kept[KEPT][WORLD_BUFFER_BYTES];
static uint16_t kept_length[KEPT];
static uint32_t kept_count;
static bool connected;

static bool
keep(struct world *of, enum world_side from, const struct base_datagram *datagram)
{
	(void)of;
	if (from != WORLD_CLIENT || kept_count == KEPT)
		return false;
	memcpy(kept[kept_count], datagram->octets, datagram->length);
	kept_length[kept_count++] = datagram->length;
	return false;
}

/* Half of what comes is echoed, the other half is left where it is; some streams are given up. */
static void
serve(const struct quic_event *event)
{
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	switch (event->type) {
	case QUIC_EVENT_STREAM_READABLE:
		while (!fin && quic_conn_stream_read(event->conn, event->stream_id, &octets, &length, &fin) &&
			length + fin > 0) {
			size_t used = fin ? length : (length + 1) / 2;

			quic_conn_stream_write(event->conn, event->stream_id, octets, used, fin);
			quic_conn_stream_consume(event->conn, event->stream_id, used);
			if (used < length)
				return;
		}
		break;
	case QUIC_EVENT_STREAM_RESET:
		quic_conn_stream_reset(event->conn, event->stream_id, event->error_code);
		break;
	case QUIC_EVENT_DATAGRAM:
		quic_conn_datagram_send(event->conn, event->octets, event->length);
		break;
	default:
		break;
	}
}

static void
on_event(struct world *of, enum world_side side, const struct quic_event *event)
{
	uint64_t id;

	(void)of;
	connected = connected || (side == WORLD_SERVER && event->type == QUIC_EVENT_CONNECTED);
	if (side == WORLD_SERVER && event->type == QUIC_EVENT_CONNECTED) {
		/* Something of ours on its way, for ACK and flow control frames to be about. */
		if (quic_conn_stream_open(event->conn, false, &id))
			quic_conn_stream_write(event->conn, id, kept[0], kept_length[0], false);
		quic_conn_datagram_send(event->conn, kept[0], 100);
	}
	if (side == WORLD_SERVER)
		serve(event);
}

static bool
is_connected(struct world *of)
{
	(void)of;
	return connected;
}

static void
change(uint8_t *octets, uint16_t length, struct base_reader *with)
{
	while (base_reader_left(with) >= 3) {
		uint16_t place = (uint16_t)base_reader_uint(with, 2);

		octets[place % length] = base_reader_u8(with);
	}
}

static void
piece(uint8_t kind, struct world_keys *keys, const uint8_t *payload, size_t length)
{
	uint8_t octets[WORLD_BUFFER_BYTES];
	struct base_address from =
		(kind & 4) == 0 ? world_address(WORLD_CLIENT, WORLD_CLIENT_PORT) : world_stranger(kind >> 6);
	struct base_reader reader = base_reader(payload, length);
	uint32_t which;

	switch (kind & 3) {
	case 0:
		world_inject(&world, payload, length, &from);
		break;
	case 1:
		if (keys == NULL || length == 0)
			break;
		world_inject(&world, octets,
			world_seal(&world, keys, payload, length < PAYLOAD_MAX ? length : PAYLOAD_MAX, octets,
				sizeof(octets)),
			&from);
		break;
	case 2:
		if (kept_count == 0)
			break;
		which = kind >> 4 & (KEPT - 1);
		which %= kept_count;
		memcpy(octets, kept[which], kept_length[which]);
		change(octets, kept_length[which], &reader);
		world_inject(&world, octets, kept_length[which], &from);
		break;
	default:
		world_turn(&world, WORLD_SERVER, NULL, 0);
		break;
	}
}

static struct quic_handle
open_world(void)
{
	struct world_config config = world_config_default();
	static bool is_open;

	kept_count = 0;
	connected = false;
	if (is_open) {
		world_restart(&world);
		return world_connect(&world, 0, NULL);
	}
	is_open = true;

	config.on_sent = keep;
	config.on_event = on_event;
	config.link_places = 64;
	config.elements[QUIC_POOL_HANDSHAKE] = 16;
	config.elements[QUIC_POOL_STREAM] = 64;
	config.elements[QUIC_POOL_CHUNK] = 96;
	config.elements[QUIC_POOL_SENT] = 64;
	for (int side = 0; side < WORLD_SIDES; side++) {
		config.limits[side].connections = 16;
		config.limits[side].handshakes = 8;
		config.limits[side].retry_above = 6;
		config.limits[side].chunks_received = 24;
		config.limits[side].chunks_in_stock = 8;
		config.limits[side].segments_per_turn = 8;
		config.limits[side].streams_bidi = config.limits[side].streams_uni = 16;
		config.limits[side].send_buffer_bytes = 8192;
	}
	world_open(&world, &config);
	return world_connect(&world, 0, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base_reader reader = base_reader(data, size);
	struct quic_handle client;
	struct world_keys keys;
	bool sealing;

	if (size == 0)
		return 0;
	client = open_world();
	sealing = (base_reader_u8(&reader) & 1) != 0;
	if (sealing) {
		world_run(&world, is_connected, world.now_ns + BASE_SECOND);
		base_assert(connected);
		keys = world_keys(&world, client);
	} else {
		world_turn(&world, WORLD_CLIENT, NULL, 0);
	}
	/* From here on the client is who made the input. */
	world_forget_clients(&world);
	for (int i = 0; i < PIECES_MAX && base_reader_left(&reader) >= 3; i++) {
		uint8_t kind = base_reader_u8(&reader);
		size_t length = base_reader_uint(&reader, 2) & 0x7ff;
		const uint8_t *payload;

		if (length > base_reader_left(&reader))
			length = base_reader_left(&reader);
		payload = base_reader_octets(&reader, length);
		piece(kind, sealing ? &keys : NULL, payload, length);
		/* From a microsecond up to half a minute. */
		world.now_ns += UINT64_C(1000) << (kind >> 3 & 31) % 26;
		quic_endpoint_check(world.nodes[WORLD_SERVER].endpoint);
	}
	world_turn(&world, WORLD_SERVER, NULL, 0);
	quic_endpoint_check(world.nodes[WORLD_SERVER].endpoint);
	return 0;
}
