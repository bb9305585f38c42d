/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real connections over shards turned by hand, and a card that follows them: whether datagrams still take mailboxes. */
#include <rte_ring.h>

#include "quic/move.h"
#include "shard/state.h"
#include "tests/shard/eal.h"
#include "tests/shard/live.h"

enum { CONNECTIONS = 8, MOVES = 12, SHARDS = 2, STREAMS = 40, CLIENTS = 100, TURNS_MAX = 100000 };

static uint32_t window;

static struct live *
open_at(uint8_t levels)
{
	return live_open(&(struct live_options){.shards = SHARDS,
		.queues = SHARDS,
		.mode = QUIC_CONN_ID_SEALED,
		.levels = levels,
		.mailbox_datagrams = 256,
		.connections = CONNECTIONS,
		.octets = 20000});
}

static void
turn(struct live *live)
{
	live_client_turn(live);
	for (uint16_t i = 0; i < SHARDS; i++)
		live_shard_turn(live, i);
	live_take_results(live);
}

/* So many streams there and back. */
static void
work(struct live *live, uint32_t streams)
{
	for (uint64_t end = live->streams + streams; live->streams < end;)
		turn(live);
}

static void
tell_loads(struct live *live)
{
	shard_group_ask_load(live->group, ++window);
	turn(live);
	for (uint16_t i = 0; i < SHARDS; i++)
		assert_non_null(shard_group_take_load(live->group, i));
}

/* Datagrams that took a mailbox while the clients work. */
static uint64_t
handed(struct live *live)
{
	uint64_t before = live_sum(live, SHARD_DATAGRAMS_HANDED);

	work(live, STREAMS);
	return live_sum(live, SHARD_DATAGRAMS_HANDED) - before;
}

static void
move_about(struct live *live)
{
	while (live->outcomes[SHARD_MOVE_DONE] < MOVES || live->asked != live->told) {
		if (live->asked == live->told)
			live_ask_for_move(live);
		turn(live);
	}
	work(live, STREAMS); /* what was on its way under old IDs has come */
}

static void
end(struct live *live)
{
	live_begin_to_close(live);
	while (!live_idle(live))
		turn(live);
	assert_int_equal(live->wrong, 0);
	shard_steerer_close(&live->group->steerer);
	live_close(live);
}

static void
group__moved_connections_take_mailboxes_where_the_card_has_no_rules(void **state)
{
	struct live *live = open_at(1U << SHARD_STEERING_BUCKETS);

	(void)state;
	shard_group_steer(live->group);
	work(live, STREAMS);
	assert_int_equal(handed(live), 0);
	move_about(live);
	assert_true(handed(live) > 0);
	end(live);
}

static void
group__tuple_rules_follow_moves_and_rebindings(void **state)
{
	struct live *live = open_at(1U << SHARD_STEERING_BUCKETS | 1U << SHARD_STEERING_TUPLE);
	const uint64_t *counters = live->group->steerer.counters;
	uint64_t removed;
	uint32_t rules;

	(void)state;
	shard_group_steer(live->group);
	work(live, STREAMS);
	move_about(live);
	assert_true(live->group->steerer.count > 0);
	assert_int_equal(handed(live), 0);
	/* Another port for each; who had a rule keeps it if the new tuple needs one, and the old tuples have none. */
	rules = live->group->steerer.count;
	removed = counters[SHARD_STEERER_REMOVED];
	live->rebound = true;
	for (uint32_t turns = 0; turns < TURNS_MAX && counters[SHARD_STEERER_REMOVED] < removed + rules;
		turns++)
		turn(live);
	assert_int_equal(counters[SHARD_STEERER_REMOVED], removed + rules);
	assert_in_range(live->group->steerer.count, 0, rules);
	/* Whom the hash brings to another shard now, without ever having moved, gets one for being heavy. */
	tell_loads(live);
	work(live, 2 * STREAMS);
	for (int i = 0; i < 2; i++)
		tell_loads(live);
	work(live, STREAMS);
	tell_loads(live);
	work(live, STREAMS);
	assert_int_equal(handed(live), 0);
	end(live);
}

/* A connection with a rule; moves until there is one. */
static struct quic_handle
someone_with_a_rule(struct live *live)
{
	while (live->group->steerer.count == 0)
		move_about(live);
	return (struct quic_handle){
		live->group->steerer.connections[0].slot, live->group->steerer.connections[0].generation};
}

/* Another port, of no other client, whose packets the hash would not bring to that shard either. */
static void
go_astray(const struct live *live, struct base_path *path, uint16_t shard)
{
	const struct shard_steerer_port *port = &live->group->steerer.ports[0];

	path->remote.port += LIVE_NAT_PORTS;
	do
		path->remote.port++;
	while (port->reta[net_rss_path(&port->rss, path) % port->port->facts.reta_size] == shard);
}

/* News as a client makes that sends from two ports in turn; returns how much found room. */
static uint32_t
flap(struct live *live, struct quic_handle handle, uint32_t times)
{
	struct shard_control news = {.kind = SHARD_CONTROL_PATH, .move = {.handle = handle}};
	struct base_path paths[2];
	struct quic_slot_owner owner;
	uint32_t taken = 0;

	assert_true(quic_slots_owner(&live->group->slots, handle.slot, &owner));
	news.move.target = owner.owner;
	paths[0] = paths[1] = live->group->steerer.connections[0].path;
	go_astray(live, &paths[0], owner.owner);
	for (uint32_t i = 0; i < times; i++) {
		news.move.path = paths[i % 2];
		taken += shard_group_post_path(live->group, &news);
	}
	return taken;
}

/* Neither the card nor the manager is kept busy by one who changes its path all the time. */
static void
group_next_result__bounds_what_flapping_paths_cost(void **state)
{
	struct live *live = open_at(1U << SHARD_STEERING_BUCKETS | 1U << SHARD_STEERING_TUPLE);
	const uint64_t *counters = live->group->steerer.counters;
	struct shard_control_move result;
	struct quic_handle handle;
	uint64_t installed;

	(void)state;
	shard_group_steer(live->group);
	work(live, STREAMS);
	handle = someone_with_a_rule(live);
	installed = counters[SHARD_STEERER_INSTALLED];
	assert_int_equal(flap(live, handle, 1000), 1000);
	assert_false(shard_group_next_result(live->group, &result));
	assert_in_range(rte_ring_count(live->group->results), 500, 999);
	for (int i = 0; i < 4; i++)
		assert_false(shard_group_next_result(live->group, &result));
	assert_int_equal(rte_ring_count(live->group->results), 0);
	assert_in_range(counters[SHARD_STEERER_INSTALLED] - installed, 1, 16);
	for (uint32_t i = 0; i < live->group->steerer.count; i++)
		assert_int_not_equal(live->group->steerer.connections[i].slot, handle.slot);
	/* The next window has rules again. */
	tell_loads(live);
	assert_true(live->group->news_rules > 0);
	end(live);
}

static void
group_place__has_connections_begin_elsewhere(void **state)
{
	struct live *live = open_at(1U << SHARD_STEERING_BUCKETS | 1U << SHARD_STEERING_TUPLE);
	struct quic_slot_owner owner;
	uint32_t owned[SHARDS] = {0};

	(void)state;
	shard_group_steer(live->group);
	assert_true(shard_group_place(live->group, 0, 1, SHARD_PLACEMENT_ALL));
	work(live, STREAMS);
	for (uint32_t slot = 0; slot < live->group->slots.count; slot++)
		if (quic_slots_owner(&live->group->slots, slot, &owner) && owner.state == QUIC_SLOT_OWNED)
			owned[owner.owner]++;
	assert_int_equal(owned[0], 0);
	assert_int_equal(owned[1], CONNECTIONS);
	assert_true(live_counter(live, 0, "placement", "placed") > 0);
	/* They weigh enough for rules. */
	assert_true(handed(live) > 0);
	for (int i = 0; i < 3; i++) {
		tell_loads(live);
		work(live, 2 * STREAMS);
	}
	tell_loads(live);
	assert_int_equal(handed(live), 0);
	end(live);
}

/* Which is more than its share of the slots: the other one lends it some. */
static void
group__has_nearly_all_connections_on_one_shard(void **state)
{
	struct live *live = live_open(&(struct live_options){.shards = SHARDS,
		.queues = SHARDS,
		.mode = QUIC_CONN_ID_SEALED,
		.levels = 1U << SHARD_STEERING_BUCKETS,
		.mailbox_datagrams = 256,
		.connections = LIVE_CONNECTIONS_MAX,
		.octets = 1000});

	(void)state;
	shard_group_steer(live->group);
	assert_true(live->group->slots.count / SHARDS < LIVE_CONNECTIONS_MAX);
	assert_true(shard_group_place(live->group, 0, 1, SHARD_PLACEMENT_ALL));
	while (live->connected < LIVE_CONNECTIONS_MAX)
		turn(live);
	assert_int_equal(live_counter(live, 0, "quic", "accepted"), 0);
	assert_true(live_counter(live, 1, "quic", "accepted") >= LIVE_CONNECTIONS_MAX);
	assert_int_equal(quic_endpoint_connections(live->group->shards[1]->endpoint), LIVE_CONNECTIONS_MAX);
	end(live);
}

/* A Retry is drawn for at one shard and its token comes to another: all have the site's keys. */
static void
group_place__has_clients_come_back_from_a_retry(void **state)
{
	struct live *live = live_open(&(struct live_options){.shards = SHARDS,
		.queues = SHARDS,
		.mode = QUIC_CONN_ID_SEALED,
		.levels = 1U << SHARD_STEERING_BUCKETS,
		.mailbox_datagrams = 256,
		.connections = CONNECTIONS,
		.octets = 1000,
		.retry = true});
	uint64_t accepted[SHARDS];

	(void)state;
	shard_group_steer(live->group);
	for (uint32_t n = 0; n < CLIENTS; n++) {
		uint64_t connected = live->connected;

		/* Whatever is ordered while they are on their way. */
		assert_true(shard_group_place(live->group, 0, 1, (uint16_t)(n % 3 * 500)));
		assert_true(shard_group_place(live->group, 1, 0, (uint16_t)(n % 4 * 333)));
		while (live->connected == connected)
			turn(live);
		live_close_one(live);
	}
	for (uint16_t i = 0; i < SHARDS; i++) {
		accepted[i] = live_counter(live, i, "quic", "accepted");
		assert_true(accepted[i] > 0);
		assert_true(live_counter(live, i, "placement", "placed") > 0);
		assert_true(live_counter(live, i, "quic", "retries_sent") > 0);
	}
	assert_true(accepted[0] + accepted[1] >= live->connected);
	end(live);
}

/* ---- buckets ---- */

static struct live *
open_one_bucket(void)
{
	struct live *live = live_open(&(struct live_options){.shards = SHARDS,
		.queues = SHARDS,
		.mode = QUIC_CONN_ID_SEALED,
		.levels = 1U << SHARD_STEERING_BUCKETS,
		.mailbox_datagrams = 256,
		.connections = CONNECTIONS,
		.octets = 200,
		.one_bucket = true});

	shard_group_steer(live->group);
	return live;
}

static uint16_t
owned_by(const struct live *live, uint16_t shard)
{
	struct quic_slot_owner owner;
	uint16_t count = 0;

	for (uint32_t slot = 0; slot < live->group->slots.count; slot++)
		count += quic_slots_owner(&live->group->slots, slot, &owner) &&
			owner.state == QUIC_SLOT_OWNED && owner.owner == shard;
	return count;
}

/* Until the shard owns so many; then what was on its way has come. */
static void
settle(struct live *live, uint16_t shard, uint16_t count)
{
	for (uint32_t turns = 0; turns < TURNS_MAX && owned_by(live, shard) != count; turns++)
		turn(live);
	assert_int_equal(owned_by(live, shard), count);
	work(live, STREAMS);
}

/* Of those that the shard owns and could let go now: their handshakes are over, and TLS is given back. */
static uint16_t
movable(const struct live *live, uint16_t shard)
{
	const struct shard *owner = live->group->shards[shard];
	struct quic_slot_owner word;
	uint16_t count = 0;

	for (uint32_t slot = 0; slot < live->group->slots.count; slot++) {
		struct quic_conn *conn = NULL;

		if (quic_slots_owner(&live->group->slots, slot, &word) && word.owner == shard)
			conn = quic_endpoint_find(
				owner->endpoint, (struct quic_handle){slot, word.generation});
		count += conn != NULL && quic_conn_movable(conn, owner->now_ns);
	}
	return count;
}

static uint64_t
moves_counted(const struct live *live, const char *name)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < SHARDS; i++)
		sum += live_counter(live, i, "move", name);
	return sum;
}

/* One of the shard's goes to the other one as an operator wants, or as a drain does. */
static void
move_one(struct live *live, uint16_t from, bool away)
{
	struct shard_group *group = live->group;
	uint64_t done = live->outcomes[SHARD_MOVE_DONE];
	uint16_t to = (uint16_t)(1 - from);

	for (uint32_t slot = 0; live->outcomes[SHARD_MOVE_DONE] == done;
		slot = (slot + 1) % group->slots.count) {
		struct quic_slot_owner owner;
		struct quic_handle handle = {slot, 0};

		if (live->asked == live->told && quic_slots_owner(&group->slots, slot, &owner) &&
			owner.state == QUIC_SLOT_OWNED && owner.owner == from) {
			handle.generation = owner.generation;
			live->asked += (away ? shard_group_move_away(group, handle, to, 0)
					     : shard_group_move(group, handle, to, 0)) == SHARD_MOVE_ASKED;
		}
		turn(live);
	}
}

static void
group_move_bucket__has_connections_follow_when_they_talk(void **state)
{
	struct live *live = open_one_bucket();
	uint16_t home = live->ends[0]->facts.reta[LIVE_BUCKET], other = (uint16_t)(1 - home);
	uint64_t handshakes;

	(void)state;
	settle(live, home, CONNECTIONS);
	assert_int_equal(handed(live), 0);
	/* The card alone: nobody follows, and all take the mailbox. */
	assert_true(shard_steerer_move_bucket(&live->group->steerer, 0, LIVE_BUCKET, other));
	assert_true(handed(live) > 0);
	assert_int_equal(owned_by(live, home), CONNECTIONS);
	/* Those who know of it: all, with no move asked for. */
	assert_true(shard_group_move_bucket(live->group, 0, LIVE_BUCKET, other));
	settle(live, other, CONNECTIONS);
	assert_int_equal(handed(live), 0);
	assert_int_equal(live_counter(live, home, "move", "followed"), CONNECTIONS);
	assert_int_equal(live->asked + live->told, 0);
	/* What begins by the bucket begins there, and stays. */
	handshakes = live->connected;
	live_close_one(live);
	while (live->connected == handshakes)
		turn(live);
	settle(live, other, CONNECTIONS);
	assert_int_equal(live_counter(live, home, "quic", "accepted"), CONNECTIONS);
	assert_int_equal(handed(live), 0);
	/* And back home. */
	assert_true(shard_group_move_bucket(live->group, 0, LIVE_BUCKET, home));
	settle(live, home, CONNECTIONS);
	assert_int_equal(handed(live), 0);
	assert_int_equal(moves_counted(live, "detached"), moves_counted(live, "attached"));
	end(live);
}

static void
group_move_bucket__leaves_alone_who_was_moved_since(void **state)
{
	struct live *live = open_one_bucket();
	uint16_t home = live->ends[0]->facts.reta[LIVE_BUCKET], other = (uint16_t)(1 - home);

	(void)state;
	settle(live, home, CONNECTIONS);
	assert_true(shard_group_move_bucket(live->group, 0, LIVE_BUCKET, other));
	settle(live, other, CONNECTIONS);
	move_one(live, other, false);
	work(live, 4 * STREAMS);
	assert_int_equal(owned_by(live, home), 1);
	assert_true(handed(live) > 0);
	assert_int_equal(moves_counted(live, "followed"), CONNECTIONS);
	/* The next order is younger than that. */
	assert_true(shard_group_move_bucket(live->group, 0, LIVE_BUCKET, other));
	settle(live, other, CONNECTIONS);
	assert_int_equal(handed(live), 0);
	assert_int_equal(moves_counted(live, "followed"), CONNECTIONS + 1);
	/* Who only had to leave comes to where the bucket leads. */
	move_one(live, other, true);
	settle(live, other, CONNECTIONS);
	assert_int_equal(moves_counted(live, "followed"), CONNECTIONS + 2);
	assert_int_equal(handed(live), 0);
	end(live);
}

static void
group_move_bucket__has_those_follow_whose_handshake_was_on_its_way(void **state)
{
	struct live *live = open_one_bucket();
	uint16_t home = live->ends[0]->facts.reta[LIVE_BUCKET], other = (uint16_t)(1 - home);

	(void)state;
	while (owned_by(live, home) < CONNECTIONS)
		turn(live);
	assert_true(live->connected < CONNECTIONS);
	assert_true(shard_group_move_bucket(live->group, 0, LIVE_BUCKET, other));
	settle(live, other, CONNECTIONS);
	assert_int_equal(live_counter(live, home, "move", "followed"), CONNECTIONS);
	assert_int_equal(handed(live), 0);
	end(live);
}

static void
group_move_bucket__leaves_alone_who_is_placed_elsewhere(void **state)
{
	struct live *live = open_one_bucket();
	uint16_t home = live->ends[0]->facts.reta[LIVE_BUCKET], other = (uint16_t)(1 - home);

	(void)state;
	assert_true(shard_group_move_bucket(live->group, 0, LIVE_BUCKET, other));
	assert_true(shard_group_place(live->group, other, home, SHARD_PLACEMENT_ALL));
	settle(live, home, CONNECTIONS);
	for (uint32_t turns = 0; turns < TURNS_MAX && movable(live, home) < CONNECTIONS; turns++)
		turn(live);
	assert_int_equal(movable(live, home), CONNECTIONS);
	work(live, 4 * STREAMS);
	assert_int_equal(owned_by(live, home), CONNECTIONS);
	assert_int_equal(moves_counted(live, "followed"), 0);
	end(live);
}

/* Some thousand connections may have followed a bucket at once: no mailbox has room to spare for a while. */
static void
group_move_bucket__has_connections_wait_for_room(void **state)
{
	struct live *live = open_one_bucket();
	uint16_t home = live->ends[0]->facts.reta[LIVE_BUCKET], other = (uint16_t)(1 - home);
	const struct shard_control nothing = {.kind = SHARD_CONTROL_SLOTS};
	struct shard_mailbox *mailbox = &live->group->mailboxes[other];

	(void)state;
	settle(live, home, CONNECTIONS);
	assert_true(shard_group_move_bucket(live->group, 0, LIVE_BUCKET, other));
	for (uint32_t turns = 0;
		turns < TURNS_MAX && live_counter(live, home, "move", "kept") < 2 * CONNECTIONS; turns++) {
		live_client_turn(live);
		live_shard_turn(live, other);
		while (shard_mailbox_control_room(mailbox) > SHARD_MOVES_MAX + SHARDS_MAX)
			shard_mailbox_post_control(mailbox, &nothing);
		live_shard_turn(live, home);
	}
	assert_int_equal(owned_by(live, home), CONNECTIONS);
	assert_true(live_counter(live, home, "move", "kept") >= 2 * CONNECTIONS);
	settle(live, other, CONNECTIONS);
	assert_int_equal(live_counter(live, home, "move", "followed"), CONNECTIONS);
	assert_int_equal(handed(live), 0);
	end(live);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(group__moved_connections_take_mailboxes_where_the_card_has_no_rules),
		cmocka_unit_test(group__tuple_rules_follow_moves_and_rebindings),
		cmocka_unit_test(group_next_result__bounds_what_flapping_paths_cost),
		cmocka_unit_test(group_place__has_connections_begin_elsewhere),
		cmocka_unit_test(group_place__has_clients_come_back_from_a_retry),
		cmocka_unit_test(group_move_bucket__has_connections_follow_when_they_talk),
		cmocka_unit_test(group_move_bucket__leaves_alone_who_was_moved_since),
		cmocka_unit_test(group_move_bucket__has_those_follow_whose_handshake_was_on_its_way),
		cmocka_unit_test(group_move_bucket__leaves_alone_who_is_placed_elsewhere),
		cmocka_unit_test(group_move_bucket__has_connections_wait_for_room),
		cmocka_unit_test(group__has_nearly_all_connections_on_one_shard),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
