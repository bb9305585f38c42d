/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shards of the simulator: their turns, mailboxes and moves, and what must always hold between them. */
#include "tests/sim/shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

/* Between two turns of a shard the others have some. */
enum { TURN_OF = 4, TURN_IN = 3 };

#define CONTROL_MAX_NS (4 * BASE_MS)
#define TRANSIT_MAX_NS (CONTROL_MAX_NS + BASE_MS)

static struct sim *
of(void *with)
{
	return with;
}

/* ---- mailboxes ---- */

static void
take_result(struct sim *sim, const struct shard_control_move *move)
{
	struct sim_shards *group = sim->shards;
	uint64_t bit = UINT64_C(1) << move->ticket % 64;

	if (group->in_flight == 0 || (group->in_flight_tickets & bit) == 0)
		sim_fail(sim, "a move was told the result of twice");
	group->in_flight_tickets &= ~bit;
	group->in_flight--;
	group->outcomes[move->outcome]++;
}

static void
post(void *with, uint16_t to, const struct shard_control *control)
{
	struct sim *sim = of(with);
	struct sim_shard *shard;

	if (to == SHARD_MANAGER) {
		take_result(sim, &control->move);
		return;
	}
	shard = &sim->shards->shards[to];
	if (shard->control_count == SIM_MOVES_MAX + SIM_CONTROL_SPARE) {
		sim_fail(sim, "the control mailbox of shard %u is full", to);
		return;
	}
	/* Datagrams overtake messages now and then. */
	if (shard->control_count == 0)
		shard->control_at_ns = sim->now_ns +
			base_random_below(&sim->random, 2) * base_random_below(&sim->random, CONTROL_MAX_NS);
	shard->control[(shard->control_first + shard->control_count++) %
		(SIM_MOVES_MAX + SIM_CONTROL_SPARE)] = *control;
}

static bool
has_room(void *with, uint16_t to)
{
	return of(with)->shards->shards[to].control_count < SIM_CONTROL_SPARE;
}

/* O3: an item is held by the link, by a mailbox, or by the shard in whose turn it is handled. */
static void
hold(struct sim *sim, struct net_impair_item *item, const void *from, const void *holder)
{
	if (item->datagram.buffer != from)
		sim_fail(sim, "a datagram was taken from who did not hold it");
	item->datagram.buffer = (void *)(uintptr_t)holder;
}

static void
hand_over(struct sim *sim, struct sim_shard *from, struct net_impair_item *item, uint16_t to)
{
	struct sim_shards *group = sim->shards;
	struct sim_shard *shard = &group->shards[to];

	if (item->datagram.hops >= 4 || shard->mailbox_count == sim->config.mailbox) {
		*(item->datagram.hops >= 4 ? &group->hop_drops : &group->mailbox_drops) += 1;
		hold(sim, item, from, NULL);
		net_impair_release(&sim->up, item);
		return;
	}
	item->datagram.hops++;
	hold(sim, item, from, shard->mailbox);
	shard->mailbox[(shard->mailbox_first + shard->mailbox_count++) % SIM_MAILBOX_MAX] = item;
}

/* ---- a turn ---- */

static struct net_impair_item *
next_arrival(struct sim *sim, struct sim_shard *shard)
{
	struct net_impair_item *item;

	/* Whoever polls first has it: a datagram may arrive at any shard. */
	if (shard->mailbox_count == 0 || base_random_below(&sim->random, 2) == 0) {
		item = net_impair_pop(&sim->up, sim->now_ns);
		if (item != NULL) {
			item->datagram.hops = 0;
			item->datagram.buffer = NULL;
			hold(sim, item, NULL, shard);
			return item;
		}
	}
	if (shard->mailbox_count == 0)
		return NULL;
	item = shard->mailbox[shard->mailbox_first];
	shard->mailbox_first = (shard->mailbox_first + 1) % SIM_MAILBOX_MAX;
	shard->mailbox_count--;
	hold(sim, item, shard->mailbox, shard);
	return item;
}

static void
receive(struct sim *sim, struct sim_shard *shard)
{
	static const struct shard_port_facts facts;
	const struct shard_port_facts *all[] = {&facts};
	struct base_datagram datagrams[SIM_BATCH];
	struct base_batch batch = {.datagrams = datagrams, .capacity = SIM_BATCH};
	struct net_impair_item *items[SIM_BATCH];
	uint16_t destinations[SIM_BATCH], count = 0;

	while (count < SIM_BATCH && (items[count] = next_arrival(sim, shard)) != NULL) {
		datagrams[count] = items[count]->datagram;
		datagrams[count].tuple_hash = datagrams[count].path.remote.port;
		count++;
	}
	shard_route(&shard->router, all, datagrams, count, destinations);
	for (uint16_t i = 0; i < count; i++) {
		if (destinations[i] != shard->router.self) {
			hand_over(sim, shard, items[i], destinations[i]);
			continue;
		}
		if (datagrams[i].slot != BASE_SLOT_NONE)
			shard_moves_see(&shard->moves,
				(struct quic_handle){datagrams[i].slot, datagrams[i].generation},
				sim->now_ns);
		shard->received[shard->received_count++] = items[i];
		datagrams[batch.count++] = datagrams[i];
	}
	quic_endpoint_receive(shard->node->endpoint, &batch, sim->now_ns);
}

static void
take_control(struct sim *sim, struct sim_shard *shard)
{
	while (shard->control_count > 0) {
		struct shard_control control = shard->control[shard->control_first];

		shard->control_first = (shard->control_first + 1) % (SIM_MOVES_MAX + SIM_CONTROL_SPARE);
		shard->control_count--;
		shard_moves_take(&shard->moves, &control, sim->now_ns);
	}
}

static void
send_slots_home(struct sim *sim, struct sim_shard *shard)
{
	uint32_t numbers[8], count;
	uint16_t home;

	while ((count = quic_slots_surplus(&sim->server.slots, shard->router.self, &home, numbers, 8)) > 0)
		quic_slots_come_home(&sim->server.slots, home, numbers, count);
}

static void
turn(struct sim *sim, struct sim_shard *shard)
{
	receive(sim, shard);
	if (sim->now_ns >= shard->control_at_ns)
		take_control(sim, shard);
	sim_pull_events(sim, shard->node);
	quic_endpoint_expire(shard->node->endpoint, sim->now_ns);
	sim_pull_events(sim, shard->node);
	sim_send(sim, shard->node, &sim->down);
	shard_moves_end_turn(&shard->moves, sim->now_ns);
	while (shard->received_count > 0) {
		struct net_impair_item *item = shard->received[--shard->received_count];

		hold(sim, item, shard, NULL);
		net_impair_release(&sim->up, item);
	}
}

/* ---- the manager ---- */

struct quic_handle
sim_shards_any(struct sim *sim, struct quic_slot_owner *owner)
{
	const struct quic_slots *slots = &sim->server.slots;
	uint32_t first = (uint32_t)base_random_below(&sim->random, slots->count);

	for (uint32_t i = 0; i < slots->count; i++) {
		uint32_t slot = (first + i) % slots->count;

		if (quic_slots_owner(slots, slot, owner) && owner->state == QUIC_SLOT_OWNED)
			return (struct quic_handle){slot, owner->generation};
	}
	return (struct quic_handle){.slot = BASE_SLOT_NONE};
}

static void
ask_for_move(struct sim *sim)
{
	struct sim_shards *group = sim->shards;
	struct shard_control control = {.kind = SHARD_CONTROL_MOVE, .from = SHARD_MANAGER};
	struct quic_slot_owner owner;

	if (group->in_flight == SIM_MOVES_MAX)
		return;
	control.move.handle = sim_shards_any(sim, &owner);
	if (control.move.handle.slot == BASE_SLOT_NONE)
		return;
	control.move.target = (uint16_t)base_random_below(&sim->random, sim->config.shards);
	/* What the manager believes may be out of date. */
	if (base_random_below(&sim->random, 16) == 0)
		owner.owner = (uint16_t)base_random_below(&sim->random, sim->config.shards);
	if (base_random_below(&sim->random, 16) == 0)
		control.move.handle.generation--;
	while ((group->in_flight_tickets >> control.move.ticket & 1) != 0)
		control.move.ticket++;
	group->in_flight_tickets |= UINT64_C(1) << control.move.ticket;
	group->in_flight++;
	post(sim, owner.owner, &control);
}

/* ---- what must hold ---- */

static void
copy_slots(struct sim *sim)
{
	const struct quic_slots *slots = &sim->server.slots;

	for (uint32_t slot = 0; slot < slots->count; slot++) {
		struct quic_slot_owner owner;

		quic_slots_owner(slots, slot, &owner);
		if (owner.state == QUIC_SLOT_OWNED || owner.state == QUIC_SLOT_IN_TRANSIT)
			memcpy(sim->shards->copies + (size_t)slot * slots->slot_bytes,
				quic_slots_at(slots, slot), slots->slot_bytes);
	}
}

/* O1, O2: in the turn of one shard the slots and words of all others stay as they are. */
static void
turn_watched(struct sim *sim, uint16_t index)
{
	const struct quic_slots *slots = &sim->server.slots;
	struct quic_slot_owner before[SIM_SLOTS_MAX], after;

	for (uint32_t slot = 0; slot < slots->count; slot++)
		quic_slots_owner(slots, slot, &before[slot]);
	copy_slots(sim);
	turn(sim, &sim->shards->shards[index]);
	for (uint32_t slot = 0; slot < slots->count; slot++) {
		if (before[slot].owner == index || before[slot].state == QUIC_SLOT_FREE ||
			before[slot].state == QUIC_SLOT_RETIRED)
			continue;
		quic_slots_owner(slots, slot, &after);
		if (after.owner != before[slot].owner || after.state != before[slot].state ||
			after.generation != before[slot].generation)
			sim_fail(sim, "shard %u wrote the word of slot %u, which is shard %u's", index, slot,
				before[slot].owner);
		if (memcmp(sim->shards->copies + (size_t)slot * slots->slot_bytes, quic_slots_at(slots, slot),
			    slots->slot_bytes) != 0)
			sim_fail(sim, "shard %u touched slot %u, which is shard %u's", index, slot,
				before[slot].owner);
	}
}

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
		if (*since_ns == 0)
			*since_ns = sim->now_ns;
		if (sim->now_ns - *since_ns > TRANSIT_MAX_NS)
			sim_fail(sim, "slot %u is in transit since %.3f ms", slot,
				(double)(sim->now_ns - *since_ns) / 1e6);
		if (sim->now_ns - *since_ns > group->longest_transit_ns)
			group->longest_transit_ns = sim->now_ns - *since_ns;
	}
}

/* How long the clients had to wait for their next octet, in the whole run. */
static void
watch_progress(struct sim *sim)
{
	struct sim_shards *group = sim->shards;
	uint64_t octets = 0;

	if (sim->connections[0].done_ns != 0)
		return;
	for (const struct sim_stream *stream = sim->streams; stream != NULL; stream = stream->next)
		octets += stream->received;
	if (octets != group->progress_octets || octets == 0) {
		group->progress_octets = octets;
		group->progress_ns = sim->now_ns;
	}
	if (sim->now_ns - group->progress_ns > group->longest_stall_ns)
		group->longest_stall_ns = sim->now_ns - group->progress_ns;
}

static void
check_group(struct sim *sim)
{
	uint32_t connections = 0, words = 0;
	struct quic_slot_owner owner;

	watch_transit(sim);
	watch_progress(sim);
	if (sim->steps % 64 != 0)
		return;
	for (uint16_t i = 0; i < sim->config.shards; i++) {
		quic_endpoint_check(sim->shards->shards[i].node->endpoint);
		quic_slots_check(&sim->server.slots, i);
		connections += quic_endpoint_connections(sim->shards->shards[i].node->endpoint);
	}
	for (uint32_t slot = 0; slot < sim->server.slots.count; slot++)
		words += quic_slots_owner(&sim->server.slots, slot, &owner) && owner.state == QUIC_SLOT_OWNED;
	if (connections != words)
		sim_fail(sim, "%u slots are owned and the shards have %u connections", words, connections);
}

/* ---- the group ---- */

static void
open_group(struct sim *sim)
{
	struct sim_shards *group = calloc(1, sizeof(*group));
	const struct quic_slots *slots = &sim->server.slots;

	if (group == NULL || sim->config.shards > SIM_SHARDS_MAX || sim->config.mailbox > SIM_MAILBOX_MAX ||
		slots->count > SIM_SLOTS_MAX)
		abort();
	sim->shards = group;
	group->copies = malloc((size_t)slots->count * slots->slot_bytes);
	if (group->copies == NULL)
		abort();
	for (uint16_t i = 0; i < sim->config.shards; i++) {
		struct sim_shard *shard = &group->shards[i];
		struct shard_moves_config moves = {.self = i,
			.slots = &sim->server.slots,
			.post = post,
			.has_room = has_room,
			.with = sim};

		shard->node = i == 0 ? &sim->server : &group->others[i - 1];
		if (i > 0)
			sim_open_shard(sim, shard->node, &sim->server, i);
		shard->router = (struct shard_router){
			.slots = slots, .codec = sim->server.codec, .self = i, .shards = sim->config.shards};
		moves.endpoint = shard->node->endpoint;
		shard_moves_init(&shard->moves, &moves);
	}
}

static void
turn_group(struct sim *sim)
{
	uint16_t first = (uint16_t)base_random_below(&sim->random, sim->config.shards);

	if (base_random_below(&sim->random, 1000000) < sim->config.moves_per_second *
				(sim->now_ns - sim->shards->moved_ns) / BASE_MS * 1000 &&
		sim->connections[0].connected) {
		sim->shards->moved_ns = sim->now_ns;
		ask_for_move(sim);
	}
	for (uint16_t i = 0; i < sim->config.shards; i++) {
		uint16_t index = (uint16_t)((first + i) % sim->config.shards);

		if (base_random_below(&sim->random, TURN_OF) < TURN_IN)
			turn_watched(sim, index);
		if (base_random_below(&sim->random, TURN_OF) == 0)
			send_slots_home(sim, &sim->shards->shards[index]);
	}
}

static uint64_t
group_deadline(const struct sim *sim)
{
	uint64_t deadline_ns = BASE_NEVER;

	for (uint16_t i = 0; i < sim->config.shards; i++) {
		const struct sim_shard *shard = &sim->shards->shards[i];

		if (shard->mailbox_count > 0)
			return 0;
		if (shard->control_count > 0)
			deadline_ns = base_time_earlier(deadline_ns, shard->control_at_ns);
		deadline_ns = base_time_earlier(deadline_ns, quic_endpoint_deadline(shard->node->endpoint));
	}
	return deadline_ns;
}

static uint32_t
group_connections(const struct sim *sim)
{
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < sim->server.slots.count; slot++) {
		struct quic_slot_owner owner;

		quic_slots_owner(&sim->server.slots, slot, &owner);
		count += owner.state == QUIC_SLOT_OWNED || owner.state == QUIC_SLOT_IN_TRANSIT;
	}
	return count;
}

static void
close_group(struct sim *sim)
{
	struct sim_shards *group = sim->shards;

	for (uint16_t i = 0; i < sim->config.shards; i++) {
		struct sim_shard *shard = &group->shards[i];

		while (shard->mailbox_count > 0) {
			shard->mailbox_count--;
			net_impair_release(&sim->up,
				shard->mailbox[(shard->mailbox_first + shard->mailbox_count) %
					SIM_MAILBOX_MAX]);
		}
		if (sim->failure[0] == '\0')
			while (shard->control_count > 0)
				take_control(sim, shard);
		if (sim->failure[0] == '\0')
			shard_moves_end_turn(&shard->moves, sim->now_ns);
	}
	if (sim->failure[0] == '\0' && group->in_flight != 0)
		sim_fail(sim, "%u moves have no result", group->in_flight);
	for (uint16_t i = 1; i < sim->config.shards; i++)
		sim_close_shard(group->shards[i].node);
	free(group->copies);
	free(group);
	sim->shards = NULL;
}

uint64_t
sim_shards_counter(const struct sim *sim, enum shard_move_counter counter)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < sim->config.shards; i++)
		sum += sim->shards->shards[i].moves.counters[counter];
	return sum;
}

const struct sim_group_ops sim_shards = {
	.open = open_group,
	.turn = turn_group,
	.deadline = group_deadline,
	.connections = group_connections,
	.check = check_group,
	.close = close_group,
};
