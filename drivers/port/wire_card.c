/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drivers/port/wire_card.h"

#include <string.h>

#include <rte_mbuf.h>

#include "base/assert.h"
#include "base/reader.h"

enum {
	WORD_OFFSET = 2, /* octets of UDP payload before the steering word */
	TUPLE_NUMBERS = 1 << 16
};
#define PAYLOAD_USED (UINT64_C(1) << 48)
#define PAYLOAD_KEY UINT64_C(0xffffffff0000)

void
wire_card_init(
	struct wire_card *card, const struct shard_port_facts *facts, uint16_t tuple_rules, bool checksums)
{
	base_assert(tuple_rules <= WIRE_CARD_TUPLE_RULES_MAX);
	memset(card, 0, sizeof(*card));
	rte_rwlock_init(&card->lock);
	net_rss_init(&card->rss, facts->rss_key);
	card->levels = facts->levels;
	card->tuple_rules = tuple_rules;
	card->hashes = facts->rss;
	card->checksums = checksums;
	card->reta_size = facts->reta_size;
	for (uint16_t i = 0; i < facts->reta_size; i++)
		atomic_init(&card->reta[i], facts->reta[i]);
}

static uint64_t
payload_rule(uint16_t udp_port, uint16_t word, uint16_t queue)
{
	return PAYLOAD_USED | (uint64_t)udp_port << 32 | (uint64_t)word << 16 | queue;
}

static bool
find_payload(struct wire_card *card, const struct base_datagram *datagram, uint16_t *queue)
{
	struct base_reader reader = base_reader(datagram->octets, datagram->length);
	uint64_t wanted;

	if (atomic_load_explicit(&card->payload_count, memory_order_relaxed) == 0)
		return false;
	base_reader_octets(&reader, WORD_OFFSET);
	wanted = payload_rule(datagram->path.local.port, base_reader_u16(&reader), 0);
	if (!base_reader_ok(&reader))
		return false;
	for (unsigned i = 0; i < WIRE_CARD_PAYLOAD_RULES; i++) {
		uint64_t rule = atomic_load_explicit(&card->payload[i], memory_order_relaxed);

		if ((rule & (PAYLOAD_USED | PAYLOAD_KEY)) == wanted) {
			*queue = (uint16_t)rule;
			return true;
		}
	}
	return false;
}

static bool
find_tuple(struct wire_card *card, const struct base_path *path, uint16_t *queue)
{
	bool found = false;

	if (atomic_load_explicit(&card->tuple_count, memory_order_relaxed) == 0)
		return false;
	rte_rwlock_read_lock(&card->lock);
	for (unsigned i = 0; i < card->tuple_rules && !found; i++) {
		found = card->tuples[i].used && base_path_equal(&card->tuples[i].path, path);
		if (found)
			*queue = card->tuples[i].queue;
	}
	rte_rwlock_read_unlock(&card->lock);
	return found;
}

uint16_t
wire_card_spread(struct wire_card *card, struct rte_mbuf *mbuf)
{
	struct net_frame frame = {.octets = rte_pktmbuf_mtod(mbuf, uint8_t *),
		.length = mbuf->data_len,
		.flags = NET_FRAME_IP_CHECKSUM_GOOD | NET_FRAME_UDP_CHECKSUM_GOOD};
	struct base_datagram datagram;
	struct net_headers headers;
	uint16_t queue;

	mbuf->ol_flags = card->checksums ? RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD : 0;
	/* Only a card of several queues has a level above software. */
	if ((!card->hashes && card->levels <= 1U << SHARD_STEERING_SOFTWARE) ||
		net_frame_parse(&frame, &headers) != NET_COUNTER_COUNT ||
		headers.protocol != NET_PROTOCOL_UDP || headers.ethertype == NET_ETHERTYPE_ARP ||
		net_frame_parse_udp(&frame, &headers, &datagram) != NET_COUNTER_COUNT)
		return 0;
	if (card->hashes) {
		mbuf->hash.rss = net_rss_path(&card->rss, &datagram.path);
		mbuf->ol_flags |= RTE_MBUF_F_RX_RSS_HASH;
	}
	if (find_payload(card, &datagram, &queue) || find_tuple(card, &datagram.path, &queue))
		return queue;
	if (!card->hashes)
		return 0;
	return atomic_load_explicit(&card->reta[mbuf->hash.rss % card->reta_size], memory_order_relaxed);
}

static uint32_t
install_payload(struct wire_card *card, const struct shard_port_rule *rule)
{
	for (uint32_t i = 0; i < WIRE_CARD_PAYLOAD_RULES; i++)
		if (atomic_load(&card->payload[i]) == 0) {
			atomic_store(&card->payload[i],
				payload_rule(rule->udp_port, rule->steering_word, rule->queue));
			atomic_fetch_add(&card->payload_count, 1);
			return i + 1;
		}
	return SHARD_PORT_NO_RULE;
}

static uint32_t
install_tuple(struct wire_card *card, const struct shard_port_rule *rule)
{
	for (uint32_t i = 0; i < card->tuple_rules; i++)
		if (!card->tuples[i].used) {
			rte_rwlock_write_lock(&card->lock);
			card->tuples[i] = (struct wire_card_tuple){
				.used = true, .queue = rule->queue, .path = rule->path};
			rte_rwlock_write_unlock(&card->lock);
			atomic_fetch_add(&card->tuple_count, 1);
			return TUPLE_NUMBERS + i;
		}
	return SHARD_PORT_NO_RULE;
}

uint32_t
wire_card_install(struct wire_card *card, const struct shard_port_rule *rule)
{
	uint8_t levels = card->levels & (uint8_t)~atomic_load(&card->refused);

	if ((levels >> rule->level & 1) == 0)
		return SHARD_PORT_NO_RULE;
	if (rule->level == SHARD_STEERING_CID)
		return install_payload(card, rule);
	return rule->level == SHARD_STEERING_TUPLE ? install_tuple(card, rule) : SHARD_PORT_NO_RULE;
}

static bool
remove_tuple(struct wire_card *card, uint32_t index)
{
	if (index >= card->tuple_rules || !card->tuples[index].used)
		return false;
	rte_rwlock_write_lock(&card->lock);
	card->tuples[index].used = false;
	rte_rwlock_write_unlock(&card->lock);
	atomic_fetch_sub(&card->tuple_count, 1);
	return true;
}

bool
wire_card_remove(struct wire_card *card, uint32_t rule)
{
	if (rule >= TUPLE_NUMBERS)
		return remove_tuple(card, rule - TUPLE_NUMBERS);
	if (rule == SHARD_PORT_NO_RULE || rule > WIRE_CARD_PAYLOAD_RULES ||
		atomic_exchange(&card->payload[rule - 1], 0) == 0)
		return false;
	atomic_fetch_sub(&card->payload_count, 1);
	return true;
}

bool
wire_card_set_reta(struct wire_card *card, const uint16_t *queues)
{
	uint8_t levels = card->levels & (uint8_t)~atomic_load(&card->refused);

	if ((levels >> SHARD_STEERING_BUCKETS & 1) == 0)
		return false;
	for (uint16_t i = 0; i < card->reta_size; i++)
		atomic_store_explicit(&card->reta[i], queues[i], memory_order_relaxed);
	return true;
}

void
wire_card_fail(struct wire_card *card, enum shard_steering level)
{
	atomic_fetch_or(&card->refused, (uint8_t)(1U << level));
	for (uint32_t i = 0; level == SHARD_STEERING_CID && i < WIRE_CARD_PAYLOAD_RULES; i++)
		wire_card_remove(card, i + 1);
	for (uint32_t i = 0; level == SHARD_STEERING_TUPLE && i < card->tuple_rules; i++)
		remove_tuple(card, i);
}
