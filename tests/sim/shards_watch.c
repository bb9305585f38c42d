/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What must hold between shards, looked at after every turn (architecture, section 3): O1 and O2 in turn_kept(), O3 in shards.c where datagrams
 * change hands, O4 in turn_asked_nothing(), O5 in datagrams_add_up() and where messages are posted, O6 in pools_add_up() and pool.c, O7 in
 * chunks_are_charged() and sim_scribble(), O8 in lent.c. And of a move: where new IDs lead, how long it takes, what waits for it.
 */
#include <string.h>

#include "base/time.h"
#include "quic/conn_internal.h"
#include "tests/sim/lent.h"
#include "tests/sim/shards.h"

void
sim_watch_open(struct sim *sim)
{
	const struct quic_slots *slots = &sim->server.slots;

	sim->shards->before.slots = sim_heap_take((size_t)slots->count * slots->slot_bytes);
}

void
sim_watch_close(struct sim *sim)
{
	sim_heap_give(sim->shards->before.slots);
}

static bool
is_live(const struct quic_slot_owner *owner)
{
	return owner->state == QUIC_SLOT_OWNED || owner->state == QUIC_SLOT_IN_TRANSIT;
}

static bool
same_word(const struct quic_slot_owner *a, const struct quic_slot_owner *b)
{
	return a->owner == b->owner && a->state == b->state && a->generation == b->generation;
}

static const struct quic_conn *
conn_before(const struct sim *sim, uint32_t slot)
{
	return (const void *)(sim->shards->before.slots + (size_t)slot * sim->server.slots.slot_bytes);
}

void
sim_watch_before_turn(struct sim *sim)
{
	const struct quic_slots *slots = &sim->server.slots;
	struct sim_before *before = &sim->shards->before;

	for (uint32_t slot = 0; slot < slots->count; slot++) {
		quic_slots_owner(slots, slot, &before->words[slot]);
		if (is_live(&before->words[slot]))
			memcpy(before->slots + (size_t)slot * slots->slot_bytes, quic_slots_at(slots, slot),
				slots->slot_bytes);
	}
	for (uint16_t i = 0; i < sim->config.shards; i++)
		before->tls_blocks[i] = tls_memory_counters(sim->shards->shards[i].tls)->allocations;
	before->heap_calls = sim_heap_calls();
}

/* O1, O2: in the turn of one shard the slots and words of all others stay as they are. */
static void
turn_kept(struct sim *sim, uint16_t index, uint32_t slot, const struct quic_slot_owner *after)
{
	const struct sim_before *before = &sim->shards->before;
	const struct quic_slot_owner *word = &before->words[slot];

	if (!is_live(word) || word->owner == index)
		return;
	if (!same_word(word, after))
		sim_fail(sim, "shard %u wrote the word of slot %u, which is shard %u's", index, slot,
			word->owner);
	if (memcmp(conn_before(sim, slot), quic_slots_at(&sim->server.slots, slot),
		    sim->server.slots.slot_bytes) != 0)
		sim_fail(sim, "shard %u touched slot %u, which is shard %u's", index, slot, word->owner);
}

/* O4: the heap is for the start; TLS has memory of its shard, and a connection leaves it behind before it moves. */
static void
turn_asked_nothing(struct sim *sim, uint16_t index)
{
	const struct sim_before *before = &sim->shards->before;

	if (sim_heap_calls() != before->heap_calls)
		sim_fail(sim, "a turn of shard %u asked the heap %llu times", index,
			(unsigned long long)(sim_heap_calls() - before->heap_calls));
	for (uint16_t i = 0; i < sim->config.shards; i++) {
		const struct tls_memory_counters *tls = tls_memory_counters(sim->shards->shards[i].tls);

		if (i != index && tls->allocations != before->tls_blocks[i])
			sim_fail(sim, "a turn of shard %u took TLS memory of shard %u", index, i);
		if (tls->heap_extents != 0)
			sim_fail(sim, "TLS memory of shard %u came from the heap", i);
	}
}

static struct quic_stream *const *
buckets_of(const struct quic_stream_set *set, unsigned *count)
{
	*count = set->buckets != NULL ? (unsigned)(QUIC_CHUNK_BYTES / sizeof(void *))
				      : QUIC_STREAM_SET_OWN_BUCKETS;
	return set->buckets != NULL ? set->buckets : set->own_buckets;
}

/* O7: what is kept of received octets is in chunks, and each is charged to its connection. */
static void
chunks_are_charged(struct sim *sim, const struct quic_conn *conn)
{
	const struct quic_stream_set *set = &conn->streams;
	unsigned count;
	struct quic_stream *const *buckets = buckets_of(set, &count);
	uint32_t chunks = 0;

	if (conn->state != QUIC_CONN_OPEN)
		return;
	if (quic_stream_set_borrows(set))
		sim_fail(sim, "slot %u refers to received datagrams after its turn", conn->slot);
	for (unsigned i = 0; i < count; i++)
		for (const struct quic_stream *stream = buckets[i]; stream != NULL;
			stream = stream->hash_next)
			chunks += quic_recv_buffer_chunks(&stream->receive);
	if (chunks != set->account.used)
		sim_fail(sim, "slot %u has %u chunks of received octets and is charged for %u", conn->slot,
			chunks, set->account.used);
}

/* Replacement IDs name the target while a move is in flight, else the owner (section 5). */
static void
new_ids_lead_home(struct sim *sim, uint16_t index, const struct quic_conn *conn)
{
	const struct quic_conn *before = conn_before(sim, conn->slot);
	const struct quic_own_ids *ids = &conn->own_ids;
	bool waits = conn->move == QUIC_MOVE_WAITING, waited = before->move == QUIC_MOVE_WAITING;

	for (uint32_t sequence = before->own_ids.next; sequence < ids->next; sequence++) {
		uint32_t bit = quic_own_id_bit(ids, sequence);
		uint16_t names = ids->shards[(ids->second & bit) != 0];
		bool target = waits && sequence >= ids->retire_prior_to;

		if (bit == 0)
			continue;
		if (target ? names != ids->shards[1] : names != index && !(waited && names == ids->shards[1]))
			sim_fail(sim, "ID %u of slot %u, shard %u's, names shard %u", sequence, conn->slot,
				index, names);
	}
}

/* The client retires our IDs whenever it likes, and has others at once (RFC 9000 section 5.1.1). */
static void
ids_are_replaced(struct sim *sim, const struct quic_conn *conn)
{
	const struct quic_own_ids *ids = &conn->own_ids;

	if (conn->state == QUIC_CONN_OPEN && conn->handshake_confirmed &&
		ids->next - ids->base < QUIC_OWN_ID_WINDOW &&
		(uint32_t)__builtin_popcount(ids->active) < quic_conn_own_ids_most(conn))
		sim_fail(sim, "the client has %d connection IDs of slot %u", __builtin_popcount(ids->active),
			conn->slot);
}

/* What the client wants retired is not used any more (section 5.1.2). */
static void
client_is_followed(struct sim *sim, const struct quic_conn *conn)
{
	const struct quic_conn *before = conn_before(sim, conn->slot);

	if (conn->state != QUIC_CONN_OPEN)
		return;
	if (conn->peer_ids[0].sequence < conn->peer_retire_prior_to)
		sim_fail(sim, "slot %u uses an ID of the client's that is to be retired", conn->slot);
	sim->seen[SIM_SEEN_FOLLOWED] += conn->peer_retire_prior_to > before->peer_retire_prior_to;
}

static void
connection_keeps_rules(struct sim *sim, uint16_t index, const struct quic_conn *conn)
{
	new_ids_lead_home(sim, index, conn);
	ids_are_replaced(sim, conn);
	client_is_followed(sim, conn);
}

void
sim_watch_after_turn(struct sim *sim, uint16_t index)
{
	const struct quic_slots *slots = &sim->server.slots;

	turn_asked_nothing(sim, index);
	for (uint32_t slot = 0; slot < slots->count; slot++) {
		const struct quic_slot_owner *word = &sim->shards->before.words[slot];
		struct quic_slot_owner after;

		quic_slots_owner(slots, slot, &after);
		turn_kept(sim, index, slot, &after);
		if (after.state != QUIC_SLOT_OWNED || after.owner != index)
			continue;
		chunks_are_charged(sim, quic_slots_at(slots, slot));
		if (is_live(word) && word->generation == after.generation)
			connection_keeps_rules(sim, index, quic_slots_at(slots, slot));
	}
}

/* ---- between turns ---- */

static void
watch_transit(struct sim *sim)
{
	struct sim_shards *group = sim->shards;
	struct quic_slot_owner owner;

	for (uint32_t slot = 0; slot < sim->server.slots.count; slot++) {
		uint64_t *since_ns = &group->transit_since_ns[slot];

		quic_slots_owner(&sim->server.slots, slot, &owner);
		if (owner.state != QUIC_SLOT_IN_TRANSIT) {
			*since_ns = 0;
			continue;
		}
		/* Its time begins when its new owner turns again. */
		if (*since_ns == 0 || group->shards[owner.owner].held_until_ns > sim->now_ns)
			*since_ns = sim->now_ns;
		if (sim->now_ns - *since_ns > sim->config.control_ns + BASE_MS)
			sim_fail(sim, "slot %u is in transit since %.3f ms", slot,
				(double)(sim->now_ns - *since_ns) / 1e6);
		if (sim->now_ns - *since_ns > group->longest_transit_ns)
			group->longest_transit_ns = sim->now_ns - *since_ns;
	}
}

/* Each move ends, whatever the client does; how soon is a matter of its PTO. */
static void
moves_end(struct sim *sim)
{
	static const uint64_t most_ns = 20 * BASE_SECOND;
	const struct sim_shards *group = sim->shards;

	for (unsigned ticket = 0; ticket < 64; ticket++)
		if ((group->in_flight_tickets >> ticket & 1) != 0 &&
			sim->now_ns - group->asked_ns[ticket] > most_ns)
			sim_fail(sim, "a move has no result after %.0f s", (double)most_ns / 1e9);
}

/* O6: what the shards took and gave back is what is gone from the pools. */
static void
pools_add_up(struct sim *sim)
{
	for (int pool = 0; pool < QUIC_POOL_COUNT; pool++) {
		uint32_t sum = 0;

		/* A shard's part may be below zero; the sum wraps back. */
		for (uint16_t i = 0; i < sim->config.shards; i++)
			sum += sim->shards->shards[i].node->pools[pool].pool.in_use;
		if (sum != sim->server.elements[pool]->in_use)
			sim_fail(sim, "%u elements of pool %d are gone and the shards have %u",
				sim->server.elements[pool]->in_use, pool, sum);
	}
}

/* O3, O5: what arrived was handled, was dropped and counted, or waits in a mailbox. */
static void
datagrams_add_up(struct sim *sim)
{
	const struct sim_shards *group = sim->shards;
	uint64_t sum = group->handled + group->mailbox_drops + group->hop_drops;

	for (uint16_t i = 0; i < sim->config.shards; i++)
		sum += group->shards[i].mailbox_count;
	if (sum != sim->up.counters[NET_IMPAIR_POPPED])
		sim_fail(sim, "%llu datagrams arrived and %llu are accounted for",
			(unsigned long long)sim->up.counters[NET_IMPAIR_POPPED], (unsigned long long)sum);
}

/*
 * What else a connection had to wait for is no fault of its move. Its client's PTO may have been doubled meanwhile, and is set anew only by an
 * acknowledgement (RFC 9002 section 6.2.1).
 */
static bool
is_hurt(const struct sim *sim, const struct sim_conn *state, const struct sim_pause *pause)
{
	uint64_t round_trips_ns = 3 * (sim->config.up.delay_ns + sim->config.down.delay_ns);

	return state->hurt_ns != 0 && state->hurt_ns + round_trips_ns + 2 * pause->pto_ns >= pause->since_ns;
}

static bool
waits(const struct sim *sim, const struct sim_conn *state, const struct sim_pause *pause)
{
	return state->connected && !state->closed && state->opened > state->answered && state->received > 0 &&
		pause->pto_ns != 0 && !is_hurt(sim, state, pause);
}

/* No connection waits longer than one PTO for its next octet unless something of it was lost. */
static void
watch_pause(struct sim *sim, struct sim_conn *state)
{
	struct sim_shards *group = sim->shards;
	struct sim_pause *pause = &group->pauses[state->number];
	uint64_t length_ns = sim->now_ns - pause->since_ns;
	struct quic_slot_owner owner;

	quic_slots_owner(&sim->server.slots, state->server.slot, &owner);
	if (is_live(&owner) && owner.generation == state->server.generation) {
		pause->pto_ns = quic_conn_pto_ns(quic_slots_at(&sim->server.slots, state->server.slot));
		if (group->shards[owner.owner].held_until_ns > sim->now_ns &&
			sim->config.plant != SIM_PLANT_PAUSE)
			state->hurt_ns = sim->now_ns;
	}
	if (waits(sim, state, pause)) {
		if (length_ns > group->longest_pause_ns)
			group->longest_pause_ns = length_ns;
		if (length_ns * 100 / pause->pto_ns > group->longest_pause_percent)
			group->longest_pause_percent = (uint32_t)(length_ns * 100 / pause->pto_ns);
		if (length_ns > pause->pto_ns)
			sim_fail(sim, "connection %u waited %.1f ms for its next octet; a PTO is %.1f ms",
				state->number, (double)length_ns / 1e6, (double)pause->pto_ns / 1e6);
		if (state->received == pause->octets)
			return;
	}
	pause->octets = state->received;
	pause->since_ns = sim->now_ns;
}

void
sim_watch_step(struct sim *sim)
{
	struct sim_shards *group = sim->shards;
	uint32_t connections = 0, words = 0;
	struct quic_slot_owner owner;

	watch_transit(sim);
	moves_end(sim);
	pools_add_up(sim);
	datagrams_add_up(sim);
	sim_posts_check(sim);
	for (uint32_t i = 0; sim->config.watch_pauses && i < sim->config.connections; i++)
		watch_pause(sim, &sim->connections[i]);
	if (sim->steps % 64 != 0)
		return;
	for (uint16_t i = 0; i < sim->config.shards; i++) {
		quic_endpoint_check(group->shards[i].node->endpoint);
		quic_slots_check(&sim->server.slots, i);
		connections += quic_endpoint_connections(group->shards[i].node->endpoint);
	}
	for (uint32_t slot = 0; slot < sim->server.slots.count; slot++)
		words += quic_slots_owner(&sim->server.slots, slot, &owner) && owner.state == QUIC_SLOT_OWNED;
	if (connections != words)
		sim_fail(sim, "%u slots are owned and the shards have %u connections", words, connections);
}

/* ---- in what state connections leave ---- */

static void
look_at_streams(struct sim *sim, const struct quic_conn *conn)
{
	unsigned count;
	struct quic_stream *const *buckets = buckets_of(&conn->streams, &count);

	for (unsigned i = 0; i < count; i++) {
		for (const struct quic_stream *stream = buckets[i]; stream != NULL;
			stream = stream->hash_next) {
			const struct sim_stream *user = stream->user;

			sim->seen[SIM_SEEN_WITH_LENT] += user != NULL && user->lent != NULL;
			sim->seen[SIM_SEEN_WITH_HALF_READ] +=
				stream->receive.in_order_end > stream->receive.read_offset;
			sim->seen[SIM_SEEN_WITH_GAPS] +=
				stream->receive.highest_end > stream->receive.in_order_end;
			sim->seen[SIM_SEEN_WITH_BLOCKED] += stream->send.end > stream->send.unsent_offset &&
				(quic_flow_send_room(&stream->send_flow) == 0 ||
					quic_flow_send_room(&conn->streams.send) == 0);
		}
	}
}

void
sim_watch_left(struct sim *sim, struct quic_handle handle)
{
	const struct quic_conn *conn = quic_slots_at(&sim->server.slots, handle.slot);

	look_at_streams(sim, conn);
	sim->seen[SIM_SEEN_WITH_PACING] += conn->pacer.next_ns > sim->now_ns;
	sim->seen[SIM_SEEN_WITH_PROBES] += conn->pto_count > 0;
	sim->seen[SIM_SEEN_WITH_DATAGRAMS] += conn->datagram_count > 0;
	sim->seen[SIM_SEEN_WITH_CHALLENGE] += conn->migration != NULL && conn->migration->challenging;
	sim->seen[SIM_SEEN_WITH_OLD_KEYS] +=
		!conn->phase_acknowledged || conn->deadlines[QUIC_TIMER_KEYS] != BASE_NEVER;
}
