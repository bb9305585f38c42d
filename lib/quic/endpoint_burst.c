/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The later stages of receiving, over a burst of packets: header protection, payloads, frames. Packets are taken in rounds, each round a few of
 * every connection: so an expanded key is used while it is warm, and who sent much does not keep the others waiting. Among the packets of one
 * connection the order is that of arrival.
 */
#include "base/assert.h"
#include "crypto/keys.h"
#include "quic/conn_internal.h"

enum {
	PACKETS_PER_ROUND = 8,                 /* of one connection */
	GROUP_PLACES = 2 * QUIC_BURST_PACKETS, /* of a hash table from slot to group; a power of two */
	NONE = UINT8_MAX,
};
_Static_assert((int)QUIC_BURST_PACKETS < (int)NONE, "packets and groups are numbered in an octet");

/* The packets of one connection, as a list through `next`. */
struct groups {
	uint32_t count;
	uint8_t places[GROUP_PLACES]; /* group by hash of the slot, or NONE */
	uint8_t first[QUIC_BURST_PACKETS];
	uint8_t last[QUIC_BURST_PACKETS];
	uint8_t next[QUIC_BURST_PACKETS];
};

/* The group of a packet's connection, opened with the first of them. */
static uint32_t
group_of(struct groups *groups, const struct quic_endpoint *endpoint, uint32_t packet)
{
	const struct quic_conn *conn = endpoint->received[packet].conn;
	uint32_t at = (conn->slot * UINT32_C(0x9e3779b1) >> 16) % GROUP_PLACES;

	while (groups->places[at] != NONE) {
		uint32_t group = groups->places[at];

		if (endpoint->received[groups->first[group]].conn == conn)
			return group;
		at = (at + 1) % GROUP_PLACES;
	}
	groups->places[at] = (uint8_t)groups->count;
	groups->first[groups->count] = NONE;
	return groups->count++;
}

static void
group(struct groups *groups, const struct quic_endpoint *endpoint)
{
	uint32_t known = UINT32_MAX;

	groups->count = 0;
	memset(groups->places, NONE, sizeof(groups->places));
	for (uint32_t i = 0; i < endpoint->received_count; i++) {
		bool same = i > 0 && endpoint->received[i].conn == endpoint->received[i - 1].conn;

		known = same ? known : group_of(groups, endpoint, i);
		groups->next[i] = NONE;
		if (groups->first[known] == NONE)
			groups->first[known] = (uint8_t)i;
		else
			groups->next[groups->last[known]] = (uint8_t)i;
		groups->last[known] = (uint8_t)i;
	}
}

/*
 * The order in which the burst is handled: endpoint->order. Returns how many there are in it; what a connection sent beyond its budget is not:
 * opening it would be at the expense of those who wait behind this burst.
 */
static uint32_t
arrange(struct quic_endpoint *endpoint)
{
	struct groups groups;
	uint32_t budget = endpoint->limits.packets_received_per_turn;
	uint32_t count = 0, round = 0, left;

	group(&groups, endpoint);
	if (budget == 0)
		budget = QUIC_BURST_PACKETS;
	do {
		left = 0;
		for (uint32_t g = 0; g < groups.count; g++) {
			for (uint32_t n = round;
				n < round + PACKETS_PER_ROUND && n < budget && groups.first[g] != NONE; n++) {
				endpoint->order[count++] = groups.first[g];
				groups.first[g] = groups.next[groups.first[g]];
			}
			left += groups.first[g] != NONE;
		}
		round += PACKETS_PER_ROUND;
	} while (left > 0 && round < budget);
	endpoint->counters[QUIC_COUNTER_DROP_BUDGET] += endpoint->received_count - count;
	return count;
}

/* Moves the packets that can be handled from `order` to `ready`; the others wait for their keys. Returns how many. */
static uint32_t
select_ready(struct quic_endpoint *endpoint, uint32_t *waiting)
{
	uint32_t ready = 0, kept = 0;

	for (uint32_t i = 0; i < *waiting; i++) {
		struct quic_received *received = &endpoint->received[endpoint->order[i]];

		if (!received->opened)
			received->keys = quic_conn_receive_keys(received->conn, received->space);
		if (received->opened || received->keys != NULL)
			endpoint->turn[ready++] = endpoint->order[i];
		else
			endpoint->order[kept++] = endpoint->order[i];
	}
	*waiting = kept;
	return ready;
}

/* RFC 9001 section 5.4.1: what the mask has hidden. `largest`: of the space so far. */
static void
uncover(struct quic_received *received, const uint8_t mask[CRYPTO_MASK_BYTES], uint64_t largest)
{
	struct quic_packet *packet = &received->packet;
	size_t length = crypto_header_unprotect(mask, packet->octets, packet->packet_number_offset);
	struct base_reader reader = base_reader(packet->octets + packet->packet_number_offset, length);

	received->packet_number =
		quic_packet_number_decode(largest, base_reader_uint(&reader, length), length);
	received->payload_offset = (uint32_t)(packet->packet_number_offset + length);
	received->payload_length = (uint32_t)packet->length - received->payload_offset - CRYPTO_TAG_BYTES;
}

/* RFC 9001 section 5.3. */
static void
fill_job(const struct quic_received *received, const void *key, enum crypto_aead aead,
	const uint8_t iv[CRYPTO_NONCE_BYTES], struct crypto_job *job)
{
	job->key = key;
	job->aead = (uint8_t)aead;
	job->aad = received->packet.octets;
	job->aad_length = (uint16_t)received->payload_offset;
	job->data = received->packet.octets + received->payload_offset;
	job->length = received->payload_length;
	crypto_nonce(iv, received->packet_number, job->nonce);
}

static void
unmask(struct quic_endpoint *endpoint, uint32_t count)
{
	struct crypto_mask_job *jobs = endpoint->mask_jobs;
	uint32_t jobs_count = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct quic_received *received = &endpoint->received[endpoint->turn[i]];
		struct crypto_mask_job *job = &jobs[jobs_count];

		if (received->opened)
			continue;
		job->key = received->keys->mask;
		job->aead = received->keys->aead;
		job->sample =
			received->packet.octets + crypto_sample_offset(received->packet.packet_number_offset);
		jobs_count++;
	}
	crypto_mask(endpoint->crypto, jobs, jobs_count);
	jobs_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct quic_received *received = &endpoint->received[endpoint->turn[i]];

		if (received->opened)
			continue;
		uncover(received, jobs[jobs_count++].mask,
			quic_conn_largest_received(received->conn, received->space));
		/* RFC 9001 section 6.3: the key phase says which keys; the right ones may be new. */
		if (received->space == QUIC_SPACE_APPLICATION)
			received->keys = quic_conn_phase_keys(received->conn,
				quic_packet_key_phase(received->packet.octets[0]), received->packet_number,
				&received->key_generation);
	}
}

static void
open_payloads(struct quic_endpoint *endpoint, uint32_t count)
{
	struct crypto_job *jobs = endpoint->jobs;
	uint32_t jobs_count = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct quic_received *received = &endpoint->received[endpoint->turn[i]];

		if (!received->opened && received->keys != NULL)
			fill_job(received, received->keys->key, (enum crypto_aead)received->keys->aead,
				received->keys->iv, &jobs[jobs_count++]);
	}
	crypto_open(endpoint->crypto, jobs, jobs_count);
	jobs_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct quic_received *received = &endpoint->received[endpoint->turn[i]];

		if (!received->opened && received->keys != NULL)
			received->opened = jobs[jobs_count++].ok;
	}
}

static void
process(struct quic_endpoint *endpoint, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct quic_received *received = &endpoint->received[endpoint->turn[i]];

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

/* Those whose keys come out of the others take another pass. */
void
quic_endpoint_process_burst(struct quic_endpoint *endpoint)
{
	uint32_t waiting = arrange(endpoint);
	uint32_t ready;

	while ((ready = select_ready(endpoint, &waiting)) > 0) {
		unmask(endpoint, ready);
		open_payloads(endpoint, ready);
		process(endpoint, ready);
	}
	endpoint->counters[QUIC_COUNTER_DROP_NO_KEYS] += waiting;
	endpoint->received_count = 0;
}

bool
quic_endpoint_open_now(
	struct quic_endpoint *endpoint, const struct crypto_packet_keys *keys, struct quic_received *received)
{
	_Alignas(CRYPTO_ALIGNMENT) uint8_t expanded[CRYPTO_EXPANDED_BYTES_MAX];
	enum crypto_aead aead = (enum crypto_aead)keys->aead;
	const struct quic_packet *packet = &received->packet;
	struct crypto_mask_job mask = {.key = expanded, .aead = keys->aead};
	struct crypto_job job;

	mask.sample = packet->octets + crypto_sample_offset(packet->packet_number_offset);
	crypto_expand_mask_key(endpoint->crypto, aead, keys->hp, expanded);
	crypto_mask(endpoint->crypto, &mask, 1);
	uncover(received, mask.mask, UINT64_MAX);
	crypto_expand_key(endpoint->crypto, aead, keys->key, expanded);
	fill_job(received, expanded, aead, keys->iv, &job);
	crypto_open(endpoint->crypto, &job, 1);
	received->opened = job.ok;
	crypto_wipe(expanded, sizeof(expanded));
	return job.ok;
}
