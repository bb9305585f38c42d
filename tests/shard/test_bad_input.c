/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forged connection IDs, a mailbox kept full, a shard held up: real connections of real shards go on beside it. Shards are turned by hand. */
#include <string.h>

#include "manager/manager.h"
#include "shard/state.h"
#include "tests/shard/eal.h"
#include "tests/shard/live.h"

enum { SHARDS = 3, CONNECTIONS = 6, FORGED = 3000, BURST = 50, PLACES = 64, ALL = -1 };

static const char *const short_header_drops[] = {
	"drop_unknown_connection", "drop_retired_id", "drop_not_authentic", "drop_malformed", "drop_budget"};

static struct live *
open_mode(enum quic_conn_id_mode mode)
{
	return live_open(&(struct live_options){.shards = SHARDS,
		.queues = 2,
		.mode = mode,
		.levels = 1U << SHARD_STEERING_BUCKETS,
		.mailbox_datagrams = PLACES,
		.connections = CONNECTIONS,
		.octets = 5000});
}

static void
turn_shards(struct live *live, int but)
{
	for (uint16_t i = 0; i < SHARDS; i++)
		if (i != but)
			live_shard_turn(live, i);
	live_take_results(live);
}

static void
turn(struct live *live, int but)
{
	live_client_turn(live);
	turn_shards(live, but);
}

/* So many more streams there and back. */
static void
go_on(struct live *live, uint64_t streams)
{
	uint64_t goal = live->streams + streams;

	while (live->streams < goal)
		turn(live, ALL);
}

static void
close_all(struct live *live)
{
	assert_int_equal(live->connected, CONNECTIONS); /* none had to be begun anew */
	live_begin_to_close(live);
	while (!live_idle(live))
		turn(live, ALL);
	assert_int_equal(live->wrong, 0);
	assert_int_equal(live->asked, live->told);
	live_close(live);
}

/* Any connection of a shard; slot BASE_SLOT_NONE: it has none. */
static struct quic_handle
connection_of(const struct live *live, uint16_t shard)
{
	struct quic_slot_owner owner;

	for (uint32_t slot = 0; slot < live->group->slots.count; slot++)
		if (quic_slots_owner(&live->group->slots, slot, &owner) && owner.state == QUIC_SLOT_OWNED &&
			owner.owner == shard)
			return (struct quic_handle){slot, owner.generation};
	return (struct quic_handle){.slot = BASE_SLOT_NONE};
}

/* ---- forged connection IDs ---- */

static void
send_forged(struct live *live, struct quic_conn_id_codec *codec, const struct quic_conn_id_fields *fields)
{
	uint8_t octets[200];
	struct quic_cid id;

	base_random_fill(&live->random, octets, sizeof(octets));
	octets[0] = (uint8_t)(0x40 | (octets[0] & 0x3f));
	if (codec != NULL) {
		quic_conn_id_encode(codec, fields, &id);
		memcpy(octets + 1, id.octets, id.length);
	}
	live_send(live, (uint16_t)(60000 + base_random_below(&live->random, 5000)), octets,
		(uint16_t)(40 + base_random_below(&live->random, 160)));
}

/* What somebody could write who knows how IDs look; some of them even have our key. */
static void
forge(struct live *live, unsigned kind)
{
	struct base_random *random = &live->random;
	struct quic_conn_id_codec codec = live->group->shards[0]->router.codec;
	struct quic_handle real = connection_of(live, (uint16_t)base_random_below(random, SHARDS));
	struct quic_conn_id_fields fields = {
		.shard = (uint16_t)base_random_below(
			random, codec.mode == QUIC_CONN_ID_CLEAR ? SHARDS : QUIC_CONN_ID_SHARD_MAX),
		.slot = (uint32_t)base_random_below(random, QUIC_CONN_ID_SLOT_NONE + 1),
		.sequence = (uint32_t)base_random_below(random, 8),
		.generation = (uint32_t)base_random_below(random, QUIC_CONN_ID_GENERATION_MAX)};

	if (kind % 2 == 0 && real.slot != BASE_SLOT_NONE)
		fields.slot = real.slot;
	if (kind % 4 == 0)
		fields.generation = real.generation;
	if (kind == 4)
		fields.sequence =
			(uint32_t)base_random_below(random, QUIC_CONN_ID_SEQUENCE_MAX + UINT64_C(1));
	if (kind == 5)
		codec.epoch++;
	if (kind == 6)
		codec.gateway++;
	send_forged(live, kind == 7 ? NULL : &codec, &fields);
}

static uint64_t
dropped(const struct live *live)
{
	uint64_t sum = 0;

	for (uint16_t shard = 0; shard < SHARDS; shard++)
		for (size_t i = 0; i < sizeof(short_header_drops) / sizeof(short_header_drops[0]); i++)
			sum += live_counter(live, shard, "quic", short_header_drops[i]);
	return sum;
}

static void
forge_all(enum quic_conn_id_mode mode)
{
	struct live *live = open_mode(mode);
	uint64_t drops, handed;

	go_on(live, 2 * CONNECTIONS);
	/* The client is silent meanwhile, so that whatever is counted is forged. */
	for (int i = 0; i < 4; i++)
		turn_shards(live, ALL);
	drops = dropped(live);
	handed = live_sum(live, SHARD_DATAGRAMS_HANDED);
	for (unsigned sent = 0; sent < FORGED; sent++) {
		forge(live, sent % 8);
		if (sent % BURST == BURST - 1)
			for (int i = 0; i < 4; i++)
				turn_shards(live, ALL);
	}
	assert_int_equal(dropped(live) - drops, FORGED);
	/* No word changed: at most from where it came to the owner. */
	assert_true(live_sum(live, SHARD_DATAGRAMS_HANDED) - handed > 0);
	assert_in_range(live_sum(live, SHARD_DATAGRAMS_HANDED) - handed, 1, FORGED);
	assert_int_equal(live_sum(live, SHARD_DROP_HOPS), 0);
	assert_int_equal(live_sum(live, SHARD_DROP_MAILBOX_FULL), 0);
	/* And now beside what is genuine, which is moved all the while. */
	for (unsigned sent = 0; sent < FORGED; sent++) {
		forge(live, sent % 8);
		if (sent % BURST == BURST - 1) {
			live_ask_for_move(live);
			turn(live, ALL);
		}
	}
	go_on(live, 2 * CONNECTIONS);
	assert_int_equal(live_sum(live, SHARD_DROP_HOPS), 0);
	close_all(live);
}

static void
forged_ids__are_dropped_and_counted(void **state)
{
	forge_all(QUIC_CONN_ID_SEALED);
}

static void
forged_ids__are_dropped_and_counted_in_clear_mode(void **state)
{
	forge_all(QUIC_CONN_ID_CLEAR);
}

/* Each time the datagram is taken, the word has changed and another shard is the owner. */
static void
forged_ids__are_handed_on_four_times_at_most(void **state)
{
	struct live *live = open_mode(QUIC_CONN_ID_SEALED);
	struct quic_slots *slots = &live->group->slots;
	struct quic_conn_id_codec codec;
	struct quic_slot_owner owner;
	struct quic_handle handle;

	live->closing = true; /* no connections */
	codec = live->group->shards[0]->router.codec;
	handle = quic_slots_take(slots, 0);
	quic_slots_publish(slots, handle, 0);
	send_forged(live, &codec,
		&(struct quic_conn_id_fields){.slot = handle.slot, .generation = handle.generation});
	for (uint16_t i = 0; i < 8; i++) {
		uint16_t next;

		quic_slots_owner(slots, handle.slot, &owner);
		next = (uint16_t)((owner.owner + 1) % SHARDS);
		quic_slots_grant(slots, handle.slot, owner.owner, next);
		quic_slots_attach(slots, handle.slot, next);
		/* Whoever has it now is not the owner any more. */
		for (uint16_t shard = 0; shard < SHARDS; shard++)
			if (shard != next)
				live_shard_turn(live, shard);
	}
	assert_int_equal(live_sum(live, SHARD_DATAGRAMS_HANDED), 4);
	assert_int_equal(live_sum(live, SHARD_DROP_HOPS), 1);
	/* There is no connection in it. */
	quic_slots_owner(slots, handle.slot, &owner);
	quic_slots_free(slots, handle.slot, owner.owner);
	live_close(live);
}

/* ---- a mailbox that is kept full ---- */

/* Datagrams that look as if they were for a connection of this shard; they arrive at any. */
static void
flood(struct live *live, uint16_t shard, unsigned count)
{
	struct quic_conn_id_codec codec = live->group->shards[0]->router.codec;
	struct quic_handle handle = connection_of(live, shard);

	if (handle.slot == BASE_SLOT_NONE)
		return;
	for (unsigned i = 0; i < count; i++)
		send_forged(live, &codec,
			&(struct quic_conn_id_fields){.slot = handle.slot, .generation = handle.generation});
}

static uint64_t
echoed(const struct live *live, uint16_t shard)
{
	return live->echoes[shard].counters[SERVICE_ECHO_BYTES];
}

static bool
is_spread(const struct live *live)
{
	for (uint16_t shard = 0; shard < SHARDS; shard++)
		if (connection_of(live, shard).slot == BASE_SLOT_NONE)
			return false;
	return true;
}

/* A connection for each shard, at least, and none on its way. */
static void
spread(struct live *live)
{
	go_on(live, 2 * CONNECTIONS);
	do {
		if (!is_spread(live))
			live_ask_for_move(live);
		while (live->told < live->asked)
			turn(live, ALL);
		go_on(live, 1);
	} while (!is_spread(live));
}

/* A move of any connection of `from`, asked for again while it is refused; the flooded shard may be held up meanwhile. */
static void
move_while_flooded(struct live *live, uint16_t from, uint16_t to, uint16_t flooded, bool held_up)
{
	uint64_t done = live->outcomes[SHARD_MOVE_DONE];

	while (live->outcomes[SHARD_MOVE_DONE] == done) {
		if (live->told == live->asked && connection_of(live, from).slot != BASE_SLOT_NONE &&
			shard_group_move(live->group, connection_of(live, from), to, live->asked) ==
				SHARD_MOVE_ASKED)
			live->asked++;
		flood(live, flooded, BURST);
		turn(live, held_up ? flooded : ALL);
	}
}

static void
mailbox__kept_full_harms_nobody_else(void **state)
{
	struct live *live = open_mode(QUIC_CONN_ID_SEALED);
	const uint16_t full = 2; /* it has no queue: all of its datagrams come by mailbox */
	uint64_t before[SHARDS], lost;

	spread(live);
	for (uint16_t i = 0; i < SHARDS; i++)
		before[i] = echoed(live, i);
	lost = live_sum(live, SHARD_DROP_MAILBOX_FULL);
	while (echoed(live, 0) < before[0] + 100000 || echoed(live, 1) < before[1] + 100000) {
		flood(live, full, BURST);
		turn(live, full);
	}
	/* Control messages have places of their own: a move between the others, and from the one whose datagrams are dropped. */
	move_while_flooded(live, 0, 1, full, true);
	assert_true(live_sum(live, SHARD_DROP_MAILBOX_FULL) > lost);
	assert_int_equal(echoed(live, full), before[full]);
	move_while_flooded(live, 1, full, full, false);
	move_while_flooded(live, full, 0, full, false);
	go_on(live, 4 * CONNECTIONS);
	close_all(live);
}

/* ---- a shard that is held up ---- */

static uint64_t
turns_of(const struct live *live, uint16_t shard)
{
	struct shard_statistics statistics;

	shard_get_statistics(live->group->shards[shard], &statistics);
	return statistics.counters[SHARD_TURNS];
}

static void
shard__held_up_is_named_and_recovers(void **state)
{
	struct live *live = open_mode(QUIC_CONN_ID_SEALED);
	const uint16_t held = 2;
	struct manager_watch watches[SHARDS] = {{0}};
	uint64_t before, lost, until_ns;

	spread(live);
	for (uint16_t i = 0; i < SHARDS; i++)
		manager_watch_look(&watches[i], turns_of(live, i), BASE_SECOND, BASE_SECOND);
	lost = live_sum(live, SHARD_DROP_MAILBOX_FULL);
	before = echoed(live, 0) + echoed(live, 1);
	/* Its clients repeat for a second what nobody answers. */
	until_ns = live->group->shards[0]->now_ns + BASE_SECOND;
	while (live->group->shards[0]->now_ns < until_ns) {
		flood(live, held, 1);
		turn(live, held);
	}
	assert_true(echoed(live, 0) + echoed(live, 1) > before);
	assert_true(live_sum(live, SHARD_DROP_MAILBOX_FULL) > lost);
	for (uint16_t i = 0; i < SHARDS; i++)
		assert_int_equal(
			manager_watch_look(&watches[i], turns_of(live, i), 2 * BASE_SECOND, BASE_SECOND),
			i == held ? MANAGER_STUCK : MANAGER_TURNS);
	before = echoed(live, held);
	while (echoed(live, held) < before + 50000)
		turn(live, ALL);
	assert_int_equal(
		manager_watch_look(&watches[held], turns_of(live, held), 3 * BASE_SECOND, BASE_SECOND),
		MANAGER_TURNS_AGAIN);
	close_all(live);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forged_ids__are_dropped_and_counted),
		cmocka_unit_test(forged_ids__are_dropped_and_counted_in_clear_mode),
		cmocka_unit_test(forged_ids__are_handed_on_four_times_at_most),
		cmocka_unit_test(mailbox__kept_full_harms_nobody_else),
		cmocka_unit_test(shard__held_up_is_named_and_recovers),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
