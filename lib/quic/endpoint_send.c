/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sending: connections that have something to send take turns, then the burst is sealed and masked. */
#include "base/assert.h"
#include "crypto/keys.h"
#include "quic/conn_send.h"

enum { PACKETS_PER_DATAGRAM = 3 };

void
quic_endpoint_seal(struct quic_endpoint *endpoint, const struct quic_building *packet)
{
	uint32_t at = endpoint->sealed_count++;
	struct crypto_job *job = &endpoint->jobs[at];

	base_assert(at < QUIC_BURST_PACKETS);
	job->key = packet->keys->key;
	job->aead = packet->keys->aead;
	job->aad = packet->start;
	job->aad_length = (uint16_t)(packet->payload - packet->start);
	job->data = packet->payload;
	job->length = (uint32_t)(packet->writer.at - packet->payload);
	crypto_nonce(packet->keys->iv, packet->packet_number, job->nonce);
	endpoint->sealed[at] = (struct quic_sealed){
		.octets = packet->start,
		.packet_number_offset = (uint32_t)(packet->packet_number_at - packet->start),
	};
	endpoint->mask_jobs[at].key = packet->keys->mask;
	endpoint->mask_jobs[at].aead = packet->keys->aead;
	endpoint->mask_jobs[at].sample =
		packet->start + crypto_sample_offset((size_t)(packet->packet_number_at - packet->start));
}

/* RFC 9001 sections 5.3 and 5.4, over the burst. */
static void
seal_burst(struct quic_endpoint *endpoint)
{
	uint32_t count = endpoint->sealed_count;

	crypto_seal(endpoint->crypto, endpoint->jobs, count);
	crypto_mask(endpoint->crypto, endpoint->mask_jobs, count);
	for (uint32_t i = 0; i < count; i++)
		crypto_header_protect(endpoint->mask_jobs[i].mask, endpoint->sealed[i].octets,
			endpoint->sealed[i].packet_number_offset);
	endpoint->sealed_count = 0;
	quic_endpoint_drop_stale_keys(endpoint);
	crypto_key_cache_begin_burst(endpoint->key_cache);
}

void
quic_endpoint_seal_now(struct quic_endpoint *endpoint, const struct crypto_packet_keys *keys, uint8_t *packet,
	uint8_t *packet_number, uint8_t *payload, size_t length)
{
	_Alignas(CRYPTO_ALIGNMENT) uint8_t expanded[CRYPTO_EXPANDED_BYTES_MAX];
	struct crypto_job job = {.key = expanded, .data = payload, .aad = packet, .aead = keys->aead};
	struct crypto_mask_job mask = {.key = expanded, .aead = keys->aead};
	size_t offset = (size_t)(packet_number - packet);

	job.length = (uint32_t)length;
	job.aad_length = (uint16_t)(payload - packet);
	crypto_nonce(keys->iv, 0, job.nonce);
	crypto_expand_key(endpoint->crypto, (enum crypto_aead)keys->aead, keys->key, expanded);
	crypto_seal(endpoint->crypto, &job, 1);
	mask.sample = packet + crypto_sample_offset(offset);
	crypto_expand_mask_key(endpoint->crypto, (enum crypto_aead)keys->aead, keys->hp, expanded);
	crypto_mask(endpoint->crypto, &mask, 1);
	crypto_header_protect(mask.mask, packet, offset);
	crypto_wipe(expanded, sizeof(expanded));
}

static void
send_stateless(struct quic_endpoint *endpoint, struct base_batch *batch)
{
	while (endpoint->stateless_count > 0 && batch->count < batch->capacity) {
		const struct quic_stateless *answer = &endpoint->stateless[--endpoint->stateless_count];
		struct base_datagram *datagram = &batch->datagrams[batch->count];

		if (answer->length == 0 || answer->length > datagram->room)
			continue;
		memcpy(datagram->octets, answer->octets, answer->length);
		datagram->length = answer->length;
		datagram->path = answer->path;
		datagram->port_index = answer->port_index;
		datagram->ecn = BASE_ECN_NOT_ECT;
		datagram->slot = BASE_SLOT_NONE;
		batch->count++;
	}
}

/* One connection's turn: up to its budget. True when it wants another. */
static bool
send_conn(struct quic_endpoint *endpoint, struct quic_conn *conn, struct base_batch *batch)
{
	uint32_t budget = endpoint->limits.packets_sent_per_turn;
	bool sent = true;

	for (uint32_t n = 0; n < budget && sent && batch->count < batch->capacity; n++) {
		struct base_datagram *datagram = &batch->datagrams[batch->count];

		if (endpoint->sealed_count + PACKETS_PER_DATAGRAM > QUIC_BURST_PACKETS)
			seal_burst(endpoint);
		sent = quic_conn_send(conn, datagram);
		if (sent) {
			datagram->slot = conn->slot;
			datagram->generation = conn->generation;
			batch->count++;
			quic_count(endpoint, QUIC_COUNTER_DATAGRAMS_SENT);
		}
	}
	quic_sent_trim(&conn->space.sent, endpoint->pools[QUIC_POOL_SENT]);
	if (conn->state == QUIC_CONN_OPEN) {
		/* RFC 9002 section 7.8: it stopped for want of data, not of window. */
		quic_congestion_set_app_limited(&conn->congestion,
			!sent && !quic_conn_has_data(conn) &&
				quic_congestion_room(&conn->congestion) >= conn->datagram_bytes);
		quic_conn_set_loss_timer(conn);
		quic_conn_release_handshake(conn);
	}
	return sent;
}

/* In-place octets that the application left are copied: their datagrams go. */
static void
end_borrowing(struct quic_endpoint *endpoint)
{
	struct base_list *link;

	while ((link = base_list_pop_front(&endpoint->borrowing)) != NULL) {
		struct quic_conn *conn = base_container(link, struct quic_conn, turn_link);

		quic_stream_set_settle(&conn->streams, &endpoint->memory);
	}
	quic_memory_end_turn(&endpoint->memory);
	endpoint->datagram_count = 0;
}

/* Connections that are over, as soon as the application has been told. */
static void
free_over(struct quic_endpoint *endpoint)
{
	struct base_list kept;
	struct base_list *link;

	base_list_init(&kept);
	while ((link = base_list_pop_front(&endpoint->over)) != NULL) {
		struct quic_conn *conn = base_container(link, struct quic_conn, turn_link);

		if ((conn->events & QUIC_CONN_EVENT_CLOSED) == 0 || !conn->told)
			quic_conn_destroy(conn);
		else
			base_list_push_back(&kept, link);
	}
	while ((link = base_list_pop_front(&kept)) != NULL)
		base_list_push_back(&endpoint->over, link);
}

uint16_t
quic_endpoint_send(struct quic_endpoint *endpoint, struct base_batch *batch, uint64_t now_ns)
{
	uint16_t before = batch->count;
	struct base_list *link;

	endpoint->now_ns = now_ns;
	end_borrowing(endpoint);
	quic_endpoint_drop_stale_keys(endpoint);
	crypto_key_cache_begin_burst(endpoint->key_cache);
	send_stateless(endpoint, batch);
	while (batch->count < batch->capacity && (link = base_list_pop_front(&endpoint->ready)) != NULL) {
		struct quic_conn *conn = base_container(link, struct quic_conn, ready_link);
		bool more = send_conn(endpoint, conn, batch);

		if (more)
			quic_conn_set_ready(conn);
		quic_conn_arm(conn);
	}
	seal_burst(endpoint);
	free_over(endpoint);
	return (uint16_t)(batch->count - before);
}
