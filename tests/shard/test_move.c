/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each side of a move says, with an endpoint that has no connections; whole moves are in tests/sim. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shard/move.h"
#include "tests/shard/fake_endpoint.h"

enum { SLOTS = 8, SHARDS = 3, SELF = 1, POSTED_MAX = 8 };

struct fixture {
	struct quic_slots slots;
	void *memory;
	_Alignas(64) uint8_t region[SLOTS * 64];
	struct shard_moves moves;
	uint32_t posted;
	struct shard_control control[POSTED_MAX];
	uint16_t to[POSTED_MAX];
};

static void
post(void *with, uint16_t to, const struct shard_control *control)
{
	struct fixture *f = with;

	assert_true(f->posted < POSTED_MAX);
	f->to[f->posted] = to;
	f->control[f->posted++] = *control;
}

static bool
has_room(void *with, uint16_t to)
{
	return true;
}

static int
setup(void **state)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) / 64 * 64);
	struct quic_slots_config slots = {
		.count = SLOTS, .slot_bytes = 64, .region_slots = SLOTS, .shards = SHARDS};
	struct shard_moves_config moves = {.self = SELF, .post = post, .has_room = has_room};

	memset(f, 0, sizeof(*f));
	slots.regions[0] = f->region;
	f->memory = aligned_alloc(64, (quic_slots_memory_bytes(SLOTS, SHARDS) + 63) / 64 * 64);
	quic_slots_init(&f->slots, &slots, f->memory);
	moves.slots = &f->slots;
	moves.with = f;
	shard_moves_init(&f->moves, &moves);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	free(f->memory);
	free(f);
	return 0;
}

/* A connection of shard 0 that it has let go to us. */
static struct quic_handle
granted(struct fixture *f)
{
	struct quic_handle handle = quic_slots_take(&f->slots, 0);

	quic_slots_publish(&f->slots, handle, 0);
	quic_slots_grant(&f->slots, handle.slot, 0, SELF);
	return handle;
}

static void
assert_result(const struct fixture *f, uint32_t at, uint32_t ticket, enum shard_move_outcome outcome)
{
	assert_true(at < f->posted);
	assert_int_equal(f->to[at], SHARD_MANAGER);
	assert_int_equal(f->control[at].kind, SHARD_CONTROL_MOVE_RESULT);
	assert_int_equal(f->control[at].from, SELF);
	assert_int_equal(f->control[at].move.ticket, ticket);
	assert_int_equal(f->control[at].move.outcome, outcome);
}

static void
shard_moves_take__answers_each_move_with_one_result(void **state)
{
	struct fixture *f = *state;
	struct shard_control control = {.kind = SHARD_CONTROL_MOVE, .move = {.handle = {3, 0}, .ticket = 7}};

	shard_moves_take(&f->moves, &control, 1);
	assert_int_equal(f->posted, 1);
	assert_result(f, 0, 7, SHARD_MOVE_UNKNOWN);
	shard_moves_stop(&f->moves);
	control.move.ticket = 8;
	shard_moves_take(&f->moves, &control, 2);
	assert_int_equal(f->posted, 2);
	assert_result(f, 1, 8, SHARD_MOVE_STOPPING);
	shard_moves_end_turn(&f->moves, 3);
	assert_int_equal(f->posted, 2);
	assert_int_equal(f->moves.counters[SHARD_MOVES_REFUSED], 2);
}

static void
shard_moves_take__ignores_a_grant_of_what_is_not_ours(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handle = granted(f);
	struct shard_control control = {
		.kind = SHARD_CONTROL_GRANT, .move = {.handle = handle, .ticket = 7, .target = SELF}};

	/* Another life of the slot, another owner: the result is due all the same. */
	control.move.handle.generation++;
	shard_moves_take(&f->moves, &control, 1);
	assert_result(f, 0, 7, SHARD_MOVE_DONE);
	control.move.handle.slot = SLOTS - 1;
	shard_moves_take(&f->moves, &control, 1);
	assert_result(f, 1, 7, SHARD_MOVE_DONE);
	assert_int_equal(f->moves.counters[SHARD_MOVES_ATTACHED], 0);
	/* One that was late has been told of already. */
	control = (struct shard_control){.kind = SHARD_CONTROL_GRANT_LATE, .move.handle = {SLOTS - 1, 0}};
	shard_moves_take(&f->moves, &control, 1);
	assert_int_equal(f->posted, 2);
}

/* A move to shard 2 that the client has followed; false: its move had been given up. */
static void
follow(struct fixture *f, struct quic_endpoint *endpoint, bool in_time)
{
	static struct service_set services;
	struct shard_control control = {.kind = SHARD_CONTROL_MOVE,
		.move = {.handle = endpoint->conn.handle, .ticket = 5, .target = 2}};

	f->moves.config.endpoint = endpoint;
	f->moves.config.services = &services;
	f->posted = 0;
	fake_conn_open = true;
	if (in_time)
		shard_moves_take(&f->moves, &control, 1);
	endpoint->switched = true;
	endpoint->switched_to = 2;
	shard_moves_end_turn(&f->moves, 2);
}

/* A service may close its connection whenever it is called: then it ends where it is, and nothing goes to the target. */
static void
shard_moves_end_turn__keeps_what_its_service_closes(void **state)
{
	struct fixture *f = *state;
	struct quic_endpoint endpoint = {.has_conn = true, .conn.handle = {3, 0}};

	fake_attached = 0;
	fake_detach_closes = true;
	follow(f, &endpoint, true);
	assert_int_equal(endpoint.detached, 0);
	assert_int_equal(fake_attached, 1);
	assert_int_equal(f->posted, 1);
	assert_result(f, 0, 5, SHARD_MOVE_CLOSED);
	follow(f, &endpoint, false);
	assert_int_equal(endpoint.detached, 0);
	assert_int_equal(f->posted, 0);
	assert_int_equal(f->moves.counters[SHARD_MOVES_CLOSED], 2);
	fake_detach_closes = false;
	follow(f, &endpoint, true);
	assert_int_equal(endpoint.detached, 1);
	assert_int_equal(f->posted, 1);
	assert_int_equal(f->to[0], 2);
	assert_int_equal(f->control[0].kind, SHARD_CONTROL_GRANT);
	assert_int_equal(f->moves.counters[SHARD_MOVES_LATE], 0);
}

static void
shard_moves_see__attaches_what_is_in_transit_to_us(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handle = granted(f), stale = {handle.slot, handle.generation + 1};

	shard_moves_see(&f->moves, stale, 1);
	assert_int_equal(f->moves.counters[SHARD_MOVES_ATTACHED], 0);
	shard_moves_see(&f->moves, handle, 1);
	assert_int_equal(f->moves.counters[SHARD_MOVES_ATTACHED], 1);
	assert_int_equal(f->moves.counters[SHARD_MOVES_BY_SIGHT], 1);
	assert_int_equal(f->posted, 0);
}

/* A connection of ours that is found by any handle, and an order for its bucket. */
static void
shard_moves_follow__begins_once_for_each_order(void **state)
{
	struct fixture *f = *state;
	struct quic_conn conn = {0};
	struct base_datagram datagram = {0};
	struct shard_bucket_order order = {.shard = 2, .at_ns = 512};
	const uint64_t *followed = &f->moves.counters[SHARD_MOVES_FOLLOWED];

	fake_conn = &conn;
	fake_conn_open = true;
	shard_moves_follow(&f->moves, &datagram, &order, 600);
	assert_int_equal(*followed, 1);
	assert_int_equal(conn.settled_ns, 512);
	shard_moves_follow(&f->moves, &datagram, &order, 700);
	assert_int_equal(*followed, 1);
	/* Put somewhere after the order: there it stays until the next. */
	conn.settled_ns = 900;
	order.at_ns = 768;
	shard_moves_follow(&f->moves, &datagram, &order, 1000);
	assert_int_equal(*followed, 1);
	order.at_ns = 1024;
	shard_moves_follow(&f->moves, &datagram, &order, 1100);
	assert_int_equal(*followed, 2);
	/* Nobody asked, so nobody is told. */
	assert_int_equal(f->posted, 0);
	assert_int_equal(f->moves.count, 0);
	fake_conn = NULL;
}

static void
shard_moves_follow__leaves_alone_what_need_not_or_must_not_go(void **state)
{
	struct fixture *f = *state;
	struct quic_conn conn = {0};
	struct base_datagram datagram = {0}, probe = {.path.remote.port = 1}, other_port = {.port_index = 1};
	struct shard_bucket_order home = {.shard = SELF, .at_ns = 512}, away = {.shard = 2, .at_ns = 512};

	shard_moves_follow(&f->moves, &datagram, &away, 600);
	fake_conn = &conn;
	fake_conn_open = true;
	shard_moves_follow(&f->moves, &datagram, &home, 600);
	shard_moves_follow(&f->moves, &probe, &away, 600);
	shard_moves_follow(&f->moves, &other_port, &away, 600);
	assert_int_equal(f->moves.counters[SHARD_MOVES_FOLLOWED], 0);
	assert_int_equal(conn.settled_ns, 0);
	shard_moves_stop(&f->moves);
	shard_moves_follow(&f->moves, &datagram, &away, 600);
	assert_int_equal(f->moves.counters[SHARD_MOVES_FOLLOWED], 0);
	assert_int_equal(conn.settled_ns, 0);
	fake_conn = NULL;
}

static void
shard_moves_follow__is_bounded_in_a_turn(void **state)
{
	struct fixture *f = *state;
	struct quic_conn conns[SHARD_FOLLOWS_PER_TURN + 1];
	struct base_datagram datagram = {0};
	struct shard_bucket_order order = {.shard = 2, .at_ns = 512};

	memset(conns, 0, sizeof(conns));
	fake_conn_open = true;
	for (int turn = 1; turn <= 2; turn++) {
		for (int i = 0; i <= SHARD_FOLLOWS_PER_TURN; i++) {
			fake_conn = &conns[i];
			shard_moves_follow(&f->moves, &datagram, &order, 600);
		}
		/* All but one, then the last. */
		assert_int_equal(f->moves.counters[SHARD_MOVES_FOLLOWED], SHARD_FOLLOWS_PER_TURN - 1 + turn);
		shard_moves_end_turn(&f->moves, 600);
	}
	fake_conn = NULL;
}

static void
shard_moves_take__settles_a_connection_unless_it_may_go_anywhere(void **state)
{
	struct fixture *f = *state;
	struct quic_conn conn = {0};
	struct shard_control control = {
		.kind = SHARD_CONTROL_MOVE, .move = {.handle = {3, 0}, .target = 2, .anywhere = true}};

	fake_conn = &conn;
	fake_conn_open = true;
	conn.settled_ns = 500;
	shard_moves_take(&f->moves, &control, 600);
	assert_int_equal(conn.settled_ns, 0);
	control.move.anywhere = false;
	shard_moves_take(&f->moves, &control, 600);
	assert_int_equal(conn.settled_ns, 600);
	assert_int_equal(f->moves.counters[SHARD_MOVES_BEGUN], 2);
	fake_conn = NULL;
}

static void
shard_move_text__has_a_sentence_for_every_outcome(void **state)
{
	for (int i = 0; i < SHARD_MOVE_REFUSED; i++)
		assert_true(strlen(shard_move_text((enum shard_move_outcome)i, QUIC_MOVE_BEGUN)) > 10);
	assert_string_equal(shard_move_text(SHARD_MOVE_OUTCOMES, QUIC_MOVE_BEGUN), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			shard_moves_take__answers_each_move_with_one_result, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_moves_take__ignores_a_grant_of_what_is_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_moves_end_turn__keeps_what_its_service_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_moves_see__attaches_what_is_in_transit_to_us, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_moves_follow__begins_once_for_each_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_moves_follow__leaves_alone_what_need_not_or_must_not_go, setup, teardown),
		cmocka_unit_test_setup_teardown(shard_moves_follow__is_bounded_in_a_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_moves_take__settles_a_connection_unless_it_may_go_anywhere, setup, teardown),
		cmocka_unit_test(shard_move_text__has_a_sentence_for_every_outcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
