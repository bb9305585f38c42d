/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A datagram as a sequence of coalesced packets. The first octet says how long our connection IDs are. What is
 * parsed lies within the datagram, and the walk always ends.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "quic/packet.h"
#include "quic/reset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_within(const uint8_t *start, size_t length, const uint8_t *part, size_t part_length)
{
	base_assert(part_length == 0 || (part >= start && part + part_length <= start + length));
}

static void
check_packet(const struct quic_packet *packet)
{
	check_within(packet->octets, packet->length, packet->dcid, packet->dcid_length);
	check_within(packet->octets, packet->length, packet->scid, packet->scid_length);
	check_within(packet->octets, packet->length, packet->token, packet->token_length);
	check_within(packet->octets, packet->length, packet->rest, packet->rest_length);
	if (packet->type == QUIC_PACKET_RETRY || packet->type == QUIC_PACKET_VERSION_NEGOTIATION)
		return;
	quic_packet_space(packet->type);
	base_assert(packet->packet_number_offset + QUIC_PACKET_NUMBER_MAX_BYTES + QUIC_HEADER_SAMPLE_BYTES <=
		packet->length);
}

/* Answering reads the connection IDs of any version. */
static void
answer(const struct quic_packet *packet)
{
	uint8_t octets[1200];
	struct base_writer writer = base_writer(octets, sizeof(octets));
	struct quic_packet parsed;
	bool valid;

	base_assert(quic_version_negotiation_write(&writer, packet, packet->dcid_length));
	base_assert(quic_packet_parse(octets, base_writer_length(&writer), 0, &parsed) == QUIC_PACKET_PARSED);
	base_assert(quic_version_negotiation_lists(&parsed, QUIC_VERSION_1, &valid) && valid);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *datagram = malloc(size > 1 ? size - 1 : 1);
	size_t short_dcid_length = size > 0 ? data[0] % (QUIC_CID_MAX_BYTES + 1) : 0;
	size_t length = size > 0 ? size - 1 : 0;
	size_t at = 0;
	bool valid;

	if (length > 0)
		memcpy(datagram, data + 1, length);
	check_within(datagram, length, quic_reset_token_of(datagram, length),
		quic_reset_token_of(datagram, length) != NULL ? QUIC_RESET_TOKEN_BYTES : 0);
	while (at < length) {
		struct quic_packet packet;
		enum quic_packet_result result =
			quic_packet_parse(datagram + at, length - at, short_dcid_length, &packet);

		base_assert(result < QUIC_PACKET_RESULT_COUNT);
		if (result == QUIC_PACKET_UNKNOWN_VERSION)
			answer(&packet);
		if (result == QUIC_PACKET_PARSED)
			check_packet(&packet);
		else if (result != QUIC_PACKET_NO_SAMPLE)
			break;
		if (packet.type == QUIC_PACKET_VERSION_NEGOTIATION)
			quic_version_negotiation_lists(&packet, QUIC_VERSION_1, &valid);
		base_assert(packet.length > 0 && packet.length <= length - at);
		at += packet.length;
	}
	free(datagram);
	return 0;
}
