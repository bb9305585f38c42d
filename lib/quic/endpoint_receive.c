/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first stages of receiving: whose each datagram is, and the packets in it. */
#include "quic/endpoint.h"

#include "quic/conn_internal.h"
#include "quic/endpoint_internal.h"

/* The connection that routing found, if this endpoint still has it and the connection ID is in use. */
static struct quic_conn *
routed_conn(struct quic_endpoint *endpoint, const struct base_datagram *datagram)
{
	struct quic_handle handle = {.slot = datagram->slot, .generation = datagram->generation};
	struct quic_conn *conn = quic_endpoint_find(endpoint, handle);

	if (conn == NULL)
		quic_count(endpoint, QUIC_COUNTER_DROP_UNKNOWN_CONNECTION);
	else if (!quic_conn_own_id_valid(conn, datagram->id_sequence)) {
		/* Never a stateless reset: the connection lives (RFC 9000 section 21.11). */
		quic_count(endpoint, QUIC_COUNTER_DROP_RETIRED_ID);
		return NULL;
	}
	return conn;
}

/* Whose the datagram of this first packet is; NULL when it has been dealt with. */
static struct quic_conn *
place(struct quic_endpoint *endpoint, struct quic_received *first)
{
	struct base_datagram *datagram = first->datagram;
	const struct quic_packet *packet = &first->packet;

	if (datagram->slot != BASE_SLOT_NONE)
		return routed_conn(endpoint, datagram);
	if (packet->long_header && packet->type == QUIC_PACKET_INITIAL)
		return quic_endpoint_accept(endpoint, first);
	if (packet->long_header) {
		quic_count(endpoint, QUIC_COUNTER_DROP_UNKNOWN_CONNECTION);
		return NULL;
	}
	quic_endpoint_unplaced(endpoint, datagram, packet);
	return NULL;
}

/* Packets without protection of their own, for clients; everything else goes through the stages. */
static void
take_packet(struct quic_endpoint *endpoint, const struct quic_received *received)
{
	const struct quic_packet *packet = &received->packet;

	if (packet->type == QUIC_PACKET_RETRY) {
		quic_conn_receive_retry(received->conn, packet);
		return;
	}
	if (packet->type == QUIC_PACKET_VERSION_NEGOTIATION) {
		quic_conn_receive_version_negotiation(received->conn, packet);
		return;
	}
	if (packet->type == QUIC_PACKET_ZERO_RTT ||
		(packet->long_header && packet->version != QUIC_VERSION_1)) {
		quic_count(endpoint, QUIC_COUNTER_DROP_NO_KEYS);
		return;
	}
	/* RFC 9000 sections 17.2 and 17.3: the fixed bit; we do not offer to have it greased. */
	if (!packet->fixed_bit) {
		quic_count(endpoint, QUIC_COUNTER_DROP_FIXED_BIT);
		return;
	}
	endpoint->received[endpoint->received_count] = *received;
	endpoint->received[endpoint->received_count++].space = quic_packet_space(packet->type);
}

/* First stage for one datagram: headers parsed, connection found, packets listed. */
static void
collect(struct quic_endpoint *endpoint, struct base_datagram *datagram)
{
	struct quic_conn *conn = NULL;
	struct quic_packet first;
	uint32_t at = 0;

	quic_count(endpoint, QUIC_COUNTER_DATAGRAMS_RECEIVED);
	for (int n = 0; n < QUIC_PACKETS_PER_DATAGRAM && at < datagram->length; n++) {
		struct quic_received received = {.datagram = datagram, .conn = conn};
		struct quic_packet *packet = &received.packet;
		enum quic_packet_result result = quic_packet_parse(
			datagram->octets + at, datagram->length - at, endpoint->codec.length, packet);

		if (n == 0 && result == QUIC_PACKET_UNKNOWN_VERSION) {
			quic_endpoint_negotiate(endpoint, datagram, packet);
			return;
		}
		if (result != QUIC_PACKET_PARSED) {
			/* What follows a packet may be anything: padding by zeros is common. */
			if (n == 0)
				quic_endpoint_unparsed(endpoint, datagram);
			return;
		}
		if (n == 0) {
			first = *packet;
			conn = received.conn = place(endpoint, &received);
			if (conn == NULL)
				return;
			quic_conn_datagram_received(conn, datagram);
		} else if (packet->dcid_length != first.dcid_length ||
			memcmp(packet->dcid, first.dcid, first.dcid_length) != 0) {
			/* RFC 9000 section 12.2: another connection ID in one datagram is ignored. */
			quic_count(endpoint, QUIC_COUNTER_DROP_COALESCED);
			return;
		}
		take_packet(endpoint, &received);
		at += (uint32_t)packet->length;
	}
}

void
quic_endpoint_receive(struct quic_endpoint *endpoint, struct base_batch *batch, uint64_t now_ns)
{
	endpoint->now_ns = now_ns;
	crypto_key_cache_begin_burst(endpoint->key_cache);
	for (uint16_t i = 0; i < batch->count; i++) {
		if (endpoint->received_count + QUIC_PACKETS_PER_DATAGRAM > QUIC_BURST_PACKETS) {
			quic_endpoint_process_burst(endpoint);
			crypto_key_cache_begin_burst(endpoint->key_cache);
		}
		collect(endpoint, &batch->datagrams[i]);
	}
	quic_endpoint_process_burst(endpoint);
}
