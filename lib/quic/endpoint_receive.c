/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/endpoint.h"

#include "base/assert.h"
#include "crypto/keys.h"
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

/* Whose the datagram is; NULL when it has been dealt with. */
static struct quic_conn *
place(struct quic_endpoint *endpoint, struct base_datagram *datagram, const struct quic_packet *packet)
{
	if (datagram->slot != BASE_SLOT_NONE)
		return routed_conn(endpoint, datagram);
	if (packet->long_header && packet->type == QUIC_PACKET_INITIAL)
		return quic_endpoint_accept(endpoint, datagram, packet);
	if (packet->long_header) {
		quic_count(endpoint, QUIC_COUNTER_DROP_UNKNOWN_CONNECTION);
		return NULL;
	}
	quic_endpoint_unplaced(endpoint, datagram, packet);
	return NULL;
}

/* Packets without protection of their own, for clients; everything else goes through the stages. */
static void
take_packet(struct quic_endpoint *endpoint, struct quic_conn *conn, struct base_datagram *datagram,
	const struct quic_packet *packet)
{
	struct quic_received *received;

	if (packet->type == QUIC_PACKET_RETRY) {
		quic_conn_receive_retry(conn, packet);
		return;
	}
	if (packet->type == QUIC_PACKET_VERSION_NEGOTIATION) {
		quic_conn_receive_version_negotiation(conn, packet);
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
	received = &endpoint->received[endpoint->received_count++];
	*received = (struct quic_received){
		.packet = *packet,
		.conn = conn,
		.datagram = datagram,
		.space = quic_packet_space(packet->type),
	};
}

/* First stage for one datagram: headers parsed, connection found, packets listed. */
static void
collect(struct quic_endpoint *endpoint, struct base_datagram *datagram)
{
	struct quic_conn *conn = NULL;
	struct quic_packet first, packet;
	uint32_t at = 0;

	quic_count(endpoint, QUIC_COUNTER_DATAGRAMS_RECEIVED);
	for (int n = 0; n < QUIC_PACKETS_PER_DATAGRAM && at < datagram->length; n++) {
		enum quic_packet_result result = quic_packet_parse(
			datagram->octets + at, datagram->length - at, endpoint->codec.length, &packet);

		if (n == 0 && result == QUIC_PACKET_UNKNOWN_VERSION) {
			quic_endpoint_negotiate(endpoint, datagram, &packet);
			return;
		}
		if (result != QUIC_PACKET_PARSED) {
			/* What follows a packet may be anything: padding by zeros is common. */
			if (n == 0)
				quic_endpoint_unparsed(endpoint, datagram);
			return;
		}
		if (n == 0) {
			first = packet;
			conn = place(endpoint, datagram, &packet);
			if (conn == NULL)
				return;
			quic_conn_datagram_received(conn, datagram);
		} else if (packet.dcid_length != first.dcid_length ||
			memcmp(packet.dcid, first.dcid, first.dcid_length) != 0) {
			/* RFC 9000 section 12.2: another connection ID in one datagram is ignored. */
			quic_count(endpoint, QUIC_COUNTER_DROP_COALESCED);
			return;
		}
		take_packet(endpoint, conn, datagram, &packet);
		at += (uint32_t)packet.length;
	}
}

/* Takes the packets whose keys are there to the front; the others wait behind them. Returns how many. */
static uint32_t
select_ready(struct quic_endpoint *endpoint)
{
	uint32_t ready = 0;

	for (uint32_t i = 0; i < endpoint->received_count; i++) {
		struct quic_received *received = &endpoint->received[i];
		struct quic_received taken;

		received->keys = quic_conn_receive_keys(received->conn, received->space);
		if (received->keys == NULL)
			continue;
		taken = *received;
		/* The order among those that are ready is the order of arrival. */
		for (uint32_t k = i; k > ready; k--)
			endpoint->received[k] = endpoint->received[k - 1];
		endpoint->received[ready++] = taken;
	}
	return ready;
}

/* RFC 9001 section 5.4.1, over the burst. */
static void
unmask(struct quic_endpoint *endpoint, uint32_t count)
{
	struct crypto_mask_job *jobs = endpoint->mask_jobs;

	for (uint32_t i = 0; i < count; i++) {
		const struct quic_received *received = &endpoint->received[i];

		jobs[i].key = received->keys->mask;
		jobs[i].aead = received->keys->aead;
		jobs[i].sample =
			received->packet.octets + crypto_sample_offset(received->packet.packet_number_offset);
	}
	crypto_mask(endpoint->crypto, jobs, count);
	for (uint32_t i = 0; i < count; i++) {
		struct quic_received *received = &endpoint->received[i];
		struct quic_packet *packet = &received->packet;
		size_t length =
			crypto_header_unprotect(jobs[i].mask, packet->octets, packet->packet_number_offset);
		struct base_reader reader =
			base_reader(packet->octets + packet->packet_number_offset, length);

		received->packet_number =
			quic_packet_number_decode(quic_conn_largest_received(received->conn, received->space),
				base_reader_uint(&reader, length), length);
		received->payload_offset = (uint32_t)(packet->packet_number_offset + length);
		received->payload_length =
			(uint32_t)packet->length - received->payload_offset - CRYPTO_TAG_BYTES;
		/* RFC 9001 section 6.3: the key phase says which keys; the right ones may be new. */
		if (received->space == QUIC_SPACE_APPLICATION)
			received->keys =
				quic_conn_phase_keys(received->conn, quic_packet_key_phase(packet->octets[0]),
					received->packet_number, &received->key_generation);
	}
}

/* RFC 9001 section 5.3, over the burst. */
static void
open_payloads(struct quic_endpoint *endpoint, uint32_t count)
{
	struct crypto_job *jobs = endpoint->jobs;
	uint32_t jobs_count = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct quic_received *received = &endpoint->received[i];
		struct crypto_job *job = &jobs[jobs_count];

		received->opened = false;
		if (received->keys == NULL)
			continue;
		job->key = received->keys->key;
		job->aead = received->keys->aead;
		job->aad = received->packet.octets;
		job->aad_length = (uint16_t)received->payload_offset;
		job->data = received->packet.octets + received->payload_offset;
		job->length = received->payload_length;
		crypto_nonce(received->keys->iv, received->packet_number, job->nonce);
		jobs_count++;
	}
	crypto_open(endpoint->crypto, jobs, jobs_count);
	jobs_count = 0;
	for (uint32_t i = 0; i < count; i++)
		if (endpoint->received[i].keys != NULL)
			endpoint->received[i].opened = jobs[jobs_count++].ok;
}

static void
process(struct quic_endpoint *endpoint, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct quic_received *received = &endpoint->received[i];

		if (received->opened) {
			quic_count(endpoint, QUIC_COUNTER_PACKETS_RECEIVED);
			quic_conn_receive(received->conn, received);
		} else if (received->keys == NULL) {
			quic_count(endpoint, QUIC_COUNTER_DROP_NO_KEYS);
		} else {
			quic_count(endpoint, QUIC_COUNTER_DROP_NOT_AUTHENTIC);
			quic_conn_not_authentic(received->conn, received);
		}
	}
}

/* All stages for the packets listed. Those whose keys come out of the others take another pass. */
static void
flush(struct quic_endpoint *endpoint)
{
	uint32_t ready;

	while ((ready = select_ready(endpoint)) > 0) {
		unmask(endpoint, ready);
		open_payloads(endpoint, ready);
		process(endpoint, ready);
		endpoint->received_count -= ready;
		memmove(endpoint->received, endpoint->received + ready,
			endpoint->received_count * sizeof(endpoint->received[0]));
	}
	endpoint->counters[QUIC_COUNTER_DROP_NO_KEYS] += endpoint->received_count;
	endpoint->received_count = 0;
}

void
quic_endpoint_receive(struct quic_endpoint *endpoint, struct base_batch *batch, uint64_t now_ns)
{
	endpoint->now_ns = now_ns;
	crypto_key_cache_begin_burst(endpoint->key_cache);
	for (uint16_t i = 0; i < batch->count; i++) {
		if (endpoint->received_count + QUIC_PACKETS_PER_DATAGRAM > QUIC_BURST_PACKETS) {
			flush(endpoint);
			crypto_key_cache_begin_burst(endpoint->key_cache);
		}
		collect(endpoint, &batch->datagrams[i]);
	}
	flush(endpoint);
}
