/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base/assert.h"
#include "drivers/crypto/ipsec_mb.h"
#include "shard/buffer.h"
#include "tests/tsan/words.h"

enum {
	BUFFERS = 2047,
	MAILBOX_DATAGRAMS = 64,
	MAILBOX_CONTROL = 512,
	ARRIVALS = 4, /* in a turn, at most */
	BURST = 32,
	HOPS_MAX = 4,
	CLOSES_OF = 16, /* turns */
	ID_AT = 1,
};

static void
count(struct words_shard *shard, enum words_counter counter)
{
	atomic_fetch_add_explicit(&shard->counters[counter], 1, memory_order_relaxed);
}

uint64_t
words_sum(const struct words *words, enum words_counter counter)
{
	uint64_t sum = 0;

	for (int i = 0; i < WORDS_SHARDS; i++)
		sum += atomic_load_explicit(&words->shards[i].counters[counter], memory_order_relaxed);
	return sum;
}

static void
post(void *with, uint16_t to, const struct shard_control *control)
{
	struct words_shard *shard = with;

	shard_mailbox_post_control(
		&shard->words->mailboxes[to == SHARD_MANAGER ? WORDS_SHARDS : to], control);
}

static bool
has_room(void *with, uint16_t to)
{
	struct words_shard *shard = with;

	return shard_mailbox_control_room(&shard->words->mailboxes[to]) > SHARD_MOVES_MAX + WORDS_SHARDS;
}

/* ---- datagrams ---- */

/* For any connection, with an ID that names any shard. */
static struct rte_mbuf *
arrival(struct words_shard *shard)
{
	struct base_random *random = &shard->endpoint.random;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(shard->words->buffers);
	struct quic_conn_id_fields fields = {.slot = (uint32_t)base_random_below(random, WORDS_SLOTS),
		.shard = (uint16_t)base_random_below(random, WORDS_SHARDS)};
	struct base_datagram *datagram;
	struct quic_slot_owner owner;
	struct quic_cid id;

	if (mbuf == NULL)
		return NULL;
	quic_slots_owner(&shard->words->slots, fields.slot, &owner);
	fields.generation = owner.generation;
	quic_conn_id_encode(&shard->router.codec, &fields, &id);
	datagram = shard_buffer_datagram(mbuf);
	*datagram = (struct base_datagram){.octets = rte_pktmbuf_mtod(mbuf, uint8_t *),
		.length = ID_AT + id.length + 16,
		.buffer = mbuf};
	memset(datagram->octets, 0x40, datagram->length);
	memcpy(datagram->octets + ID_AT, id.octets, id.length);
	count(shard, WORDS_ARRIVED);
	return mbuf;
}

static void
hand_over(struct words_shard *shard, struct rte_mbuf *mbuf, uint16_t to)
{
	struct base_datagram *datagram = shard_buffer_datagram(mbuf);

	if (datagram->hops++ < HOPS_MAX &&
		shard_mailbox_post_datagrams(&shard->words->mailboxes[to], &mbuf, 1) == 1) {
		count(shard, WORDS_HANDED);
		return;
	}
	count(shard, datagram->hops > HOPS_MAX ? WORDS_HOPS : WORDS_MAILBOX_FULL);
	rte_pktmbuf_free(mbuf);
}

static void
route(struct words_shard *shard, struct rte_mbuf **mbufs, uint16_t length)
{
	static const struct shard_port_facts facts;
	static const struct shard_port_facts *const all[] = {&facts};
	struct base_datagram datagrams[BURST];
	uint16_t destinations[BURST];

	for (uint16_t i = 0; i < length; i++)
		datagrams[i] = *shard_buffer_datagram(mbufs[i]);
	shard_route(&shard->router, all, datagrams, length, destinations);
	for (uint16_t i = 0; i < length; i++) {
		struct quic_handle handle = {datagrams[i].slot, datagrams[i].generation};

		if (destinations[i] != shard->index) {
			hand_over(shard, mbufs[i], destinations[i]);
			continue;
		}
		if (handle.slot == BASE_SLOT_NONE) {
			count(shard, WORDS_FREE);
		} else {
			shard_moves_see(&shard->moves, handle, 1);
			words_conn_receive(&shard->endpoint, handle);
			count(shard, WORDS_HANDLED);
		}
		rte_pktmbuf_free(mbufs[i]);
	}
}

static bool
receive(struct words_shard *shard)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t length = 0;
	bool busy;

	if (atomic_load(&shard->words->stage) == WORDS_BUSY)
		for (uint64_t i = base_random_below(&shard->endpoint.random, ARRIVALS + 1); i > 0; i--)
			if ((mbufs[length] = arrival(shard)) != NULL)
				length++;
	busy = length > 0;
	route(shard, mbufs, length);
	length = shard_mailbox_take_datagrams(&shard->words->mailboxes[shard->index], mbufs, BURST);
	route(shard, mbufs, length);
	return busy || length > 0;
}

/* ---- the rest of a turn ---- */

static bool
take_control(struct words_shard *shard)
{
	struct shard_control control;
	bool busy = false;

	while (shard_mailbox_take_control(&shard->words->mailboxes[shard->index], &control)) {
		busy = true;
		if (control.kind == SHARD_CONTROL_SLOTS)
			quic_slots_come(&shard->words->slots, shard->index, control.slots, control.count);
		else
			shard_moves_take(&shard->moves, &control, 1);
	}
	return busy;
}

static void
pass_slots_on(struct words_shard *shard)
{
	struct shard_control control = {.kind = SHARD_CONTROL_SLOTS, .from = shard->index};
	uint16_t to;

	for (uint16_t i = 0; i < WORDS_SHARDS; i++)
		if (!has_room(shard, i))
			return;
	control.count = quic_slots_surplus(
		&shard->words->slots, shard->index, &to, control.slots, SHARD_CONTROL_SLOTS_MAX);
	if (control.count > 0)
		post(shard, to, &control);
}

/* At the end of a turn only: a connection ends, another begins. */
static void
come_and_go(struct words_shard *shard)
{
	struct quic_slots *slots = &shard->words->slots;
	uint32_t slot = (uint32_t)base_random_below(&shard->endpoint.random, WORDS_SLOTS);
	struct quic_slot_owner owner;
	struct quic_handle handle;

	for (uint32_t i = 0; i < WORDS_SLOTS; i++)
		if (quic_slots_owner(slots, i, &owner) && owner.state == QUIC_SLOT_OWNED &&
			owner.owner == shard->index)
			words_conn_expire(&shard->endpoint, quic_slots_at(slots, i));
	if (atomic_load(&shard->words->stage) != WORDS_BUSY ||
		base_random_below(&shard->endpoint.random, CLOSES_OF) != 0)
		return;
	if (quic_slots_owner(slots, slot, &owner) && owner.state == QUIC_SLOT_OWNED &&
		owner.owner == shard->index) {
		/* What the next one finds must not be what the last one wrote a moment before. */
		memset(quic_slots_at(slots, slot), 0xa5, sizeof(struct quic_conn));
		quic_slots_free(slots, slot, shard->index);
		count(shard, WORDS_CLOSED);
	}
	handle = quic_slots_take(slots, shard->index);
	if (handle.slot == BASE_SLOT_NONE)
		return;
	words_conn_open(&shard->endpoint, handle);
	quic_slots_publish(slots, handle, shard->index);
	count(shard, WORDS_OPENED);
}

int
words_run(void *argument)
{
	struct words_shard *shard = argument;

	while (atomic_load(&shard->words->stage) != WORDS_END) {
		bool busy = receive(shard);

		busy |= take_control(shard);
		shard_moves_end_turn(&shard->moves, 1);
		come_and_go(shard);
		pass_slots_on(shard);
		/* There may be more shards than CPUs. */
		if (!busy || base_random_below(&shard->endpoint.random, 8) == 0)
			sched_yield();
	}
	atomic_store(&shard->ended, true);
	return 0;
}

/* ---- memory ---- */

static void *
taken(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	base_assert(memory != NULL);
	return memset(memory, 0, (bytes + 63) & ~(size_t)63);
}

static void
open_shard(struct words *words, uint16_t index)
{
	static const struct quic_conn_id_config ids = {.gateway = 1, .epoch = 1, .key = {1, 2, 3}};
	struct words_shard *shard = &words->shards[index];
	struct shard_moves_config moves = {.self = index,
		.slots = &words->slots,
		.endpoint = &shard->endpoint,
		.post = post,
		.has_room = has_room,
		.with = shard};

	shard->words = words;
	shard->index = index;
	shard->endpoint = (struct quic_endpoint){.shard = index, .slots = &words->slots};
	base_random_init(&shard->endpoint.random, index + 1U);
	shard->crypto_memory = taken(crypto_ipsec_mb_bytes());
	shard->router = (struct shard_router){.slots = &words->slots, .self = index, .shards = WORDS_SHARDS};
	quic_conn_id_codec_init(
		&shard->router.codec, crypto_ipsec_mb_open(shard->crypto_memory, CRYPTO_IPSEC_MB_AUTO), &ids);
	shard_moves_init(&shard->moves, &moves);
}

struct words *
words_open(void)
{
	struct words *words = taken(sizeof(*words));
	struct quic_slots_config slots = {.count = WORDS_SLOTS,
		.slot_bytes = (sizeof(struct quic_conn) + 63) / 64 * 64,
		.region_slots = WORDS_SLOTS,
		.shards = WORDS_SHARDS};

	words->slot_memory = taken((size_t)slots.count * slots.slot_bytes);
	words->words_memory = taken(quic_slots_memory_bytes(slots.count, slots.shards));
	slots.regions[0] = words->slot_memory;
	quic_slots_init(&words->slots, &slots, words->words_memory);
	words->buffers = shard_buffers_open("words", BUFFERS, 1500, SOCKET_ID_ANY);
	base_assert(words->buffers != NULL);
	for (uint16_t i = 0; i <= WORDS_SHARDS; i++) {
		const char name[] = {'w', (char)('0' + i), '\0'};
		bool opened = shard_mailbox_open(
			&words->mailboxes[i], name, MAILBOX_DATAGRAMS, MAILBOX_CONTROL, SOCKET_ID_ANY);

		base_assert(opened);
	}
	for (uint16_t i = 0; i < WORDS_SHARDS; i++)
		open_shard(words, i);
	return words;
}

void
words_close(struct words *words)
{
	for (uint16_t i = 0; i <= WORDS_SHARDS; i++)
		shard_mailbox_close(&words->mailboxes[i]);
	base_assert(rte_mempool_in_use_count(words->buffers) == 0);
	shard_buffers_close(words->buffers);
	for (uint16_t i = 0; i < WORDS_SHARDS; i++) {
		crypto_ipsec_mb_close(words->shards[i].router.codec.backend);
		free(words->shards[i].crypto_memory);
	}
	free(words->words_memory);
	free(words->slot_memory);
	free(words);
}
