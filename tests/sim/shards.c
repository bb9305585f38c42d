/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shards of the simulator: their turns, mailboxes and moves, and what must always hold between them. */
#include "tests/sim/shards.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "quic/conn_internal.h"
#include "tests/sim/lent.h"

/* Between two turns of a shard the others have some. */
enum { TURN_OF = 4, TURN_IN = 3 };

enum { HEARS_ONE_IN = 16 }; /* turns, of the gateway's end */

enum { TLS_MEMORY_BYTES = 64 * TLS_MEMORY_HANDSHAKE_BYTES };

static struct sim *
of(void *with)
{
	return with;
}

bool
sim_planted(struct sim *sim, enum sim_plant plant)
{
	return sim->config.plant == plant && sim->shards->outcomes[SHARD_MOVE_DONE] > 0 &&
		base_random_below(&sim->random, 4) == 0;
}

/* ---- mailboxes ---- */

static void
take_result(struct sim *sim, const struct shard_control_move *move)
{
	struct sim_shards *group = sim->shards;
	uint64_t bit = UINT64_C(1) << move->ticket % 64;

	if (sim_planted(sim, SIM_PLANT_RESULT_LOST))
		return;
	if (group->in_flight == 0 || (group->in_flight_tickets & bit) == 0) {
		sim_fail(sim, "a move was told the result of twice");
		return;
	}
	group->in_flight_tickets &= ~bit;
	if (sim->now_ns - group->asked_ns[move->ticket % 64] > group->longest_move_ns)
		group->longest_move_ns = sim->now_ns - group->asked_ns[move->ticket % 64];
	group->in_flight--;
	group->outcomes[move->outcome]++;
	sim_manager_on_result(sim, move);
	if (move->outcome == SHARD_MOVE_REFUSED)
		group->verdicts[move->verdict]++;
	if (sim_planted(sim, SIM_PLANT_RESULT_TWICE))
		take_result(sim, move);
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
	if (control->kind == SHARD_CONTROL_GRANT || control->kind == SHARD_CONTROL_GRANT_LATE) {
		sim_watch_left(sim, control->move.handle);
		sim->seen[SIM_SEEN_STOPPED_TRANSIT] += shard->stage != SIM_RUNNING;
		sim->seen[SIM_SEEN_HELD_MOVES] += shard->held_until_ns > sim->now_ns;
		if (sim_planted(sim, SIM_PLANT_GRANT_LOST))
			return;
	}
	if (shard->control_count == SIM_CONTROL_PLACES) {
		sim_fail(sim, "the control mailbox of shard %u is full", to);
		return;
	}
	/* Datagrams overtake messages now and then. */
	if (shard->control_count == 0)
		shard->control_at_ns = sim->now_ns +
			base_random_below(&sim->random, 2) *
				base_random_below(&sim->random, sim->config.control_ns);
	shard->control[(shard->control_first + shard->control_count++) % SIM_CONTROL_PLACES] = *control;
	sim->seen[SIM_SEEN_CONTROL_FULL] += shard->control_count >= SIM_MOVES_MAX;
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
drop(struct sim *sim, struct sim_shard *from, struct net_impair_item *item, uint64_t *counter)
{
	uint32_t number = sim_number(sim, &item->datagram.path.remote);

	if (number < SIM_CONNECTIONS_MAX)
		sim->connections[number].hurt_ns = sim->now_ns;
	*counter += !sim_planted(sim, SIM_PLANT_DROP_UNCOUNTED);
	hold(sim, item, from, NULL);
	net_impair_release(&sim->up, item);
}

static void
hand_over(struct sim *sim, struct sim_shard *from, struct net_impair_item *item, uint16_t to)
{
	struct sim_shard *shard = &sim->shards->shards[to];

	if (item->datagram.hops >= 4) {
		drop(sim, from, item, &sim->shards->hop_drops);
		return;
	}
	if (shard->mailbox_count == sim->config.mailbox || shard->stage == SIM_ENDED) {
		drop(sim, from, item, &sim->shards->mailbox_drops);
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
		datagrams[count].tuple_hash =
			sim->config.one_home ? sim->config.shards : datagrams[count].path.remote.port;
		count++;
	}
	shard_route(&shard->router, all, datagrams, count, destinations);
	shard_placement_burst(&shard->placement, datagrams, count, destinations, sim->now_ns);
	for (uint16_t i = 0; i < count; i++) {
		if (destinations[i] != shard->index) {
			items[i]->datagram.placed = datagrams[i].placed;
			hand_over(sim, shard, items[i], destinations[i]);
			if (!sim_planted(sim, SIM_PLANT_DATAGRAM_KEPT))
				continue;
		}
		if (datagrams[i].slot != BASE_SLOT_NONE)
			shard_moves_see(&shard->moves,
				(struct quic_handle){datagrams[i].slot, datagrams[i].generation},
				sim->now_ns);
		sim_manager_count(sim, shard, &datagrams[i], SHARD_LOAD_RECEIVED);
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

		shard->control_first = (shard->control_first + 1) % SIM_CONTROL_PLACES;
		shard->control_count--;
		if (control.kind == SHARD_CONTROL_SLOTS)
			quic_slots_come(&sim->server.slots, shard->index, control.slots, control.count);
		else if (shard->stage == SIM_ENDED)
			sim_fail(sim, "a message of a move was left to shard %u, which has ended",
				shard->index);
		else
			shard_moves_take(&shard->moves, &control, sim->now_ns);
	}
}

static void
pass_slots_on(struct sim *sim, struct sim_shard *shard)
{
	struct shard_control control = {.kind = SHARD_CONTROL_SLOTS, .from = shard->index};
	uint16_t to;

	for (uint16_t i = 0; i < sim->config.shards; i++)
		if (!has_room(sim, i))
			return;
	control.count = quic_slots_surplus(
		&sim->server.slots, shard->index, &to, control.slots, SHARD_CONTROL_SLOTS_MAX);
	if (control.count == 0)
		return;
	sim->seen[quic_slots_home(&sim->server.slots, control.slots[0]) == to ? SIM_SEEN_SLOTS_HOME
									      : SIM_SEEN_SLOTS_LENT]++;
	post(sim, to, &control);
}

static void
end_turn(struct sim *sim, struct sim_shard *shard)
{
	shard_moves_end_turn(&shard->moves, sim->now_ns);
	while (shard->received_count > 0) {
		struct net_impair_item *item = shard->received[--shard->received_count];

		sim_scribble(item);
		hold(sim, item, shard, NULL);
		net_impair_release(&sim->up, item);
		sim->shards->handled++;
	}
}

static void
turn(struct sim *sim, struct sim_shard *shard)
{
	bool elsewhere = sim->config.plant == SIM_PLANT_TLS_ELSEWHERE;
	struct tls_memory *before =
		tls_memory_bind(sim->shards->shards[(shard->index + elsewhere) % sim->config.shards].tls);

	receive(sim, shard);
	if (sim->now_ns >= shard->control_at_ns)
		take_control(sim, shard);
	sim_posts_turn(sim, shard);
	if (shard->received_count > 0 && sim_planted(sim, SIM_PLANT_RECEIVED_EARLY))
		sim_scribble(shard->received[0]);
	sim_pull_events(sim, shard->node);
	quic_endpoint_expire(shard->node->endpoint, sim->now_ns);
	sim_pull_events(sim, shard->node);
	sim_send(sim, shard->node, &sim->down);
	end_turn(sim, shard);
	if (base_random_below(&sim->random, TURN_OF) == 0)
		pass_slots_on(sim, shard);
	sim_manager_end_turn(sim, shard);
	tls_memory_bind(before);
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

bool
sim_shards_ask(struct sim *sim, struct quic_handle handle, uint16_t owner, uint16_t target)
{
	struct sim_shards *group = sim->shards;
	struct shard_control control = {.kind = SHARD_CONTROL_MOVE,
		.from = SHARD_MANAGER,
		.move = {.handle = handle, .target = target}};

	if (group->in_flight == SIM_MOVES_MAX || group->stopping)
		return false;
	while ((group->in_flight_tickets >> control.move.ticket & 1) != 0)
		control.move.ticket++;
	group->in_flight_tickets |= UINT64_C(1) << control.move.ticket;
	group->asked_ns[control.move.ticket] = sim->now_ns;
	group->in_flight++;
	post(sim, owner, &control);
	return true;
}

static void
ask_for_move(struct sim *sim)
{
	struct quic_slot_owner owner;
	struct quic_handle handle = sim_shards_any(sim, &owner);
	uint16_t target = (uint16_t)base_random_below(&sim->random, sim->config.shards);

	if (handle.slot == BASE_SLOT_NONE)
		return;
	/* What the manager believes may be out of date. */
	if (base_random_below(&sim->random, 16) == 0)
		owner.owner = (uint16_t)base_random_below(&sim->random, sim->config.shards);
	if (base_random_below(&sim->random, 16) == 0)
		handle.generation--;
	sim_shards_ask(sim, handle, owner.owner, target);
}

void
sim_shards_hold(struct sim *sim, uint16_t shard, uint64_t until_ns)
{
	sim->shards->shards[shard].held_until_ns = until_ns;
	sim->seen[SIM_SEEN_HELD_UP] += quic_endpoint_connections(sim->shards->shards[shard].node->endpoint);
}

/* ---- what is done wrong to be found ---- */

/* In the turn of this shard. */
static void
do_wrong(struct sim *sim, struct sim_shard *shard)
{
	static const struct shard_control nothing = {.kind = SHARD_CONTROL_SLOTS};
	struct quic_slots *slots = &sim->server.slots;
	struct quic_slot_owner owner;
	struct quic_handle handle = sim_shards_any(sim, &owner);
	struct quic_conn *conn = handle.slot == BASE_SLOT_NONE ? NULL : quic_slots_at(slots, handle.slot);
	bool other = conn != NULL && owner.owner != shard->index;

	if (other && sim_planted(sim, SIM_PLANT_SLOT_TOUCHED))
		conn->packets_lost++;
	if (other && sim_planted(sim, SIM_PLANT_WORD_WRITTEN))
		quic_slots_grant(slots, handle.slot, owner.owner, shard->index);
	if (sim_planted(sim, SIM_PLANT_HEAP)) {
		void *volatile memory = malloc(1);

		free(memory);
	}
	if (sim_planted(sim, SIM_PLANT_ELEMENT_KEPT))
		base_pool_take(&shard->node->pools[QUIC_POOL_SENT].pool);
	if (sim_planted(sim, SIM_PLANT_ELEMENT_TWICE)) {
		void *element = base_pool_take(&shard->node->pools[QUIC_POOL_SENT].pool);

		base_pool_give(&shard->node->pools[QUIC_POOL_SENT].pool, element);
		base_pool_give(&shard->node->pools[QUIC_POOL_SENT].pool, element);
	}
	if (sim_planted(sim, SIM_PLANT_POOL_MISCOUNTED))
		shard->node->pools[QUIC_POOL_STREAM].pool.in_use++;
	if (conn != NULL && !other && sim_planted(sim, SIM_PLANT_CHARGE_LOST))
		conn->streams.account.used++;
	if (conn != NULL && !other && conn->own_ids.want != 0 && sim_planted(sim, SIM_PLANT_ID_ASTRAY))
		conn->own_ids.second ^= conn->own_ids.want;
	if (conn != NULL && !other && sim_planted(sim, SIM_PLANT_LINGERS_SHORT))
		conn->own_ids.lingering = 0;
	if (conn != NULL && !other && sim_planted(sim, SIM_PLANT_IDS_MISSING))
		conn->own_ids.active &= conn->own_ids.active - 1;
	if (conn != NULL && !other && conn->peer_retire_prior_to > 0 &&
		sim_planted(sim, SIM_PLANT_ID_USED_ON))
		conn->peer_ids[0].sequence = 0;
	for (uint16_t i = 0; i < SIM_CONTROL_SPARE && sim_planted(sim, SIM_PLANT_CONTROL_CROWDED); i++)
		post(sim, (uint16_t)((shard->index + 1) % sim->config.shards), &nothing);
	for (struct sim_stream *stream = sim->streams; stream != NULL; stream = stream->next) {
		if (stream->lent == NULL)
			continue;
		if (sim_planted(sim, SIM_PLANT_LENT_CHANGED))
			stream->lent->octets[stream->lent->length / 2] ^= 1;
	}
}

/* ---- the group ---- */

static void
open_placement(struct sim_shard *shard)
{
	const struct quic_endpoint_config *quic = &shard->node->endpoint_config;
	struct shard_placement_config placement = {.self = shard->index,
		.shards = shard->sim->config.shards,
		.orders = shard->sim->shards->orders,
		.endpoint = shard->node->endpoint,
		.keep_ns = quic->limits.handshake_timeout_ns};

	memcpy(placement.hash_key, quic->keys.table, sizeof(placement.hash_key));
	shard_placement_init(&shard->placement, &placement);
}

static void
open_shard(struct sim *sim, uint16_t index)
{
	struct sim_shard *shard = &sim->shards->shards[index];
	struct shard_moves_config moves = {.self = index,
		.slots = &sim->server.slots,
		.services = &shard->services,
		.post = post,
		.has_room = has_room,
		.with = sim};

	shard->sim = sim;
	shard->index = index;
	shard->node = index == 0 ? &sim->server : &sim->shards->others[index - 1];
	if (index > 0)
		sim_open_shard(sim, shard->node, &sim->server, index);
	shard->router = (struct shard_router){.slots = &sim->server.slots,
		.codec = sim->server.codec,
		.self = index,
		.shards = sim->config.shards};
	memcpy(shard->router.hash_key, shard->node->endpoint_config.keys.table,
		sizeof(shard->router.hash_key));
	moves.endpoint = shard->node->endpoint;
	shard_moves_init(&shard->moves, &moves);
	sim_service_open(shard);
	sim_posts_open(shard);
	open_placement(shard);
	shard->tls = tls_memory_open(NULL, TLS_MEMORY_BYTES, 0);
	if (shard->tls == NULL)
		abort();
}

static void
open_group(struct sim *sim)
{
	if (sim->config.shards > SIM_SHARDS_MAX || sim->config.mailbox > SIM_MAILBOX_MAX ||
		sim->server.slots.count > SIM_SLOTS_MAX)
		abort();
	sim->shards = sim_heap_take(sizeof(*sim->shards));
	sim_watch_open(sim);
	for (uint16_t i = 0; i < sim->config.shards; i++)
		open_shard(sim, i);
	sim_manager_open(sim);
	sim->shards->manager.elephant.slot = BASE_SLOT_NONE;
}

/* The whole group stops, and each shard hears of it in a turn of its own (shard_group_stop()). */
static void
go_on_to_stop(struct sim *sim, struct sim_shard *shard)
{
	struct sim_shards *group = sim->shards;
	bool heard_by_all = true;

	if (shard->stage == SIM_RUNNING && group->stopping &&
		base_random_below(&sim->random, HEARS_ONE_IN) == 0) {
		shard->stage = SIM_DRAINING;
		quic_endpoint_stop_accepting(shard->node->endpoint);
		shard_moves_stop(&shard->moves);
		quic_endpoint_close_all(shard->node->endpoint, 0, false, sim->now_ns);
		return;
	}
	/* As shard_run() has it: until all have heard of it a connection may still come. */
	for (uint16_t i = 0; i < sim->config.shards; i++)
		heard_by_all = heard_by_all && group->shards[i].stage != SIM_RUNNING;
	if (sim->config.plant == SIM_PLANT_ENDS_EARLY)
		heard_by_all = true;
	if (shard->stage == SIM_DRAINING && heard_by_all &&
		(shard->control_count == 0 || sim->config.plant == SIM_PLANT_ENDS_EARLY) &&
		quic_endpoint_connections(shard->node->endpoint) == 0)
		shard->stage = SIM_ENDED;
}

static bool
may_turn(struct sim *sim, const struct sim_shard *shard)
{
	return base_random_below(&sim->random, TURN_OF) < TURN_IN && sim->now_ns >= shard->held_until_ns &&
		shard->stage != SIM_ENDED;
}

static void
turn_group(struct sim *sim)
{
	uint16_t first = (uint16_t)base_random_below(&sim->random, sim->config.shards);

	sim_manager_turn(sim);
	if (base_random_below(&sim->random, 1000000) < sim->config.moves_per_second *
				(sim->now_ns - sim->shards->moved_ns) / BASE_MS * 1000 &&
		sim->connections[0].connected) {
		sim->shards->moved_ns = sim->now_ns;
		ask_for_move(sim);
	}
	for (uint16_t i = 0; i < sim->config.shards; i++) {
		uint16_t index = (uint16_t)((first + i) % sim->config.shards);
		struct sim_shard *shard = &sim->shards->shards[index];

		if (!may_turn(sim, shard))
			continue;
		sim_watch_before_turn(sim);
		turn(sim, shard);
		if (sim->config.plant != SIM_PLANT_NONE)
			do_wrong(sim, shard);
		sim_watch_after_turn(sim, index);
		go_on_to_stop(sim, shard);
	}
	if (sim_planted(sim, SIM_PLANT_PAUSE))
		sim_shards_hold(sim, first, sim->now_ns + 500 * BASE_MS);
}

static void
group_sent(struct sim *sim, struct sim_node *node, const struct base_datagram *datagram)
{
	for (uint16_t i = 0; i < sim->config.shards; i++)
		if (sim->shards->shards[i].node == node)
			sim_manager_count(sim, &sim->shards->shards[i], datagram, SHARD_LOAD_SENT);
}

static uint64_t
group_deadline(const struct sim *sim)
{
	uint64_t deadline_ns = sim_manager_deadline(sim);

	for (uint16_t i = 0; i < sim->config.shards; i++) {
		const struct sim_shard *shard = &sim->shards->shards[i];

		if (shard->stage == SIM_ENDED)
			continue;
		if (sim->now_ns < shard->held_until_ns) {
			deadline_ns = base_time_earlier(deadline_ns, shard->held_until_ns);
			continue;
		}
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
note_what_happened(struct sim *sim)
{
	static const struct {
		enum sim_seen seen;
		enum shard_move_counter counter;
	} counted[] = {{SIM_SEEN_MOVES, SHARD_MOVES_ATTACHED}, {SIM_SEEN_BY_SIGHT, SHARD_MOVES_BY_SIGHT},
		{SIM_SEEN_LATE, SHARD_MOVES_LATE}, {SIM_SEEN_KEPT, SHARD_MOVES_KEPT},
		{SIM_SEEN_ABANDONED, SHARD_MOVES_ABANDONED}, {SIM_SEEN_CLOSED_WAITING, SHARD_MOVES_CLOSED}};
	const struct sim_shards *group = sim->shards;

	for (unsigned i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		sim->seen[counted[i].seen] = sim_shards_counter(sim, counted[i].counter);
	sim->seen[SIM_SEEN_NO_IDS] = group->verdicts[QUIC_MOVE_NO_IDS];
	sim->seen[SIM_SEEN_SERVICE_REFUSED] = group->outcomes[SHARD_MOVE_SERVICE];
	sim->seen[SIM_SEEN_MAILBOX_FULL] = group->mailbox_drops;
	for (uint16_t i = 0; i < sim->config.shards; i++) {
		const struct sim_node *node = group->shards[i].node;

		sim->seen[SIM_SEEN_RETIRED_DROPS] += sim_counter(node, "drop_retired_id");
		sim->seen[SIM_SEEN_RESETS] += sim_counter(node, "resets_received");
		sim->seen[SIM_SEEN_IDLE_TIMEOUTS] += sim_counter(node, "idle_timeouts");
		sim->seen[SIM_SEEN_STRAY] += sim_counter(node, "drop_unknown_connection");
		sim->seen[SIM_SEEN_PLACED] += group->shards[i].placement.counters[SHARD_PLACEMENT_PLACED];
		sim->seen[SIM_SEEN_POSTS] += group->shards[i].posts.counters[SHARD_POSTS_DELIVERED];
		sim->seen[SIM_SEEN_POSTS_REFUSED] += group->shards[i].posts.counters[SHARD_POSTS_REFUSED];
	}
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
	note_what_happened(sim);
	for (uint16_t i = 1; i < sim->config.shards; i++)
		sim_close_shard(group->shards[i].node);
}

static void
fini_group(struct sim *sim)
{
	for (uint16_t i = 0; i < sim->config.shards; i++)
		tls_memory_close(sim->shards->shards[i].tls);
	sim_watch_close(sim);
	sim_heap_give(sim->shards);
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
	.check = sim_watch_step,
	.close = close_group,
	.sent = group_sent,
	.fini = fini_group,
};
