/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ties a connection to an endpoint is untied, and tied again at another. */
#include "tests/quic/move_fixture.h"

static void
begin(struct move_fixture *f, uint16_t target)
{
	assert_int_equal(quic_conn_move_begin(move_conn(f), target, f->world.now_ns), QUIC_MOVE_BEGUN);
	assert_true(world_run(&f->world, move_is_switched, f->world.now_ns + BASE_SECOND));
}

/* Those that closed since they switched are left out. */
static void
quic_endpoint_next_switched__leaves_out_what_has_closed(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);
	struct quic_conn *conn = NULL;
	uint16_t target;

	assert_false(quic_endpoint_next_switched(f->shards[0], &conn, &target));
	begin(f, 1);
	quic_conn_close(move_conn(f), 0, NULL);
	assert_false(quic_endpoint_next_switched(f->shards[0], &conn, &target));
	assert_int_equal(f->shards[0]->switched_count, 0);
	move_close(f);
}

static void
quic_endpoint_detach__leaves_nothing_behind(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);
	struct quic_endpoint *from = f->shards[0];
	struct quic_slot_owner owner;
	struct quic_conn *conn = NULL;
	struct quic_handle found;
	uint16_t target;
	uint64_t key = 0;

	begin(f, 1);
	assert_true(quic_endpoint_next_switched(from, &conn, &target));
	for (int i = 0; i < QUIC_PEER_IDS; i++)
		if (conn->peer_ids[i].reset_key != 0)
			key = conn->peer_ids[i].reset_key;
	assert_true(key != 0 && quic_slots_of_reset(from->slots, key, &found));
	/* There may be something to send still. */
	quic_conn_ping(conn);
	assert_false(base_list_empty(&from->ready));
	quic_endpoint_detach(from, conn, target);
	assert_null(quic_endpoint_find(from, f->server));
	assert_int_equal(quic_endpoint_connections(from), 0);
	assert_int_equal(quic_endpoint_deadline(from), BASE_NEVER);
	/* The token names the slot, whoever owns it. */
	assert_true(quic_slots_of_reset(from->slots, key, &found));
	assert_true(base_list_empty(&from->ready) && base_list_empty(&from->eventful));
	quic_endpoint_check(from);
	assert_true(quic_slots_owner(&f->world.nodes[WORLD_SERVER].slots, f->server.slot, &owner));
	assert_int_equal(owner.state, QUIC_SLOT_IN_TRANSIT);
	assert_int_equal(owner.owner, 1);
	assert_int_equal(owner.generation, f->server.generation);
	/* And all of it is at the other one. */
	f->world.nodes[WORLD_SERVER].endpoint = f->shards[1];
	quic_endpoint_attach(f->shards[1], f->server, f->world.now_ns);
	assert_ptr_equal(quic_endpoint_find(f->shards[1], f->server), conn);
	assert_int_equal(quic_endpoint_connections(f->shards[1]), 1);
	assert_true(quic_slots_of_reset(f->shards[1]->slots, key, &found));
	assert_int_equal(found.slot, f->server.slot);
	assert_false(base_list_empty(&f->shards[1]->ready));
	assert_true(base_wheel_deadline(&f->shards[1]->wheel) != BASE_NEVER);
	quic_endpoint_check(f->shards[1]);
	move_close(f);
}

/* Octets before, between and after; the second endpoint derives the keys that the first one had. */
static void
quic_endpoint_attach__goes_on_where_the_other_stopped(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);

	for (uint16_t i = 0; i < 6; i++) {
		move_write(f);
		assert_true(move_to(f, (uint16_t)(1 - i % MOVE_SHARDS)));
		move_write(f);
		if (i == 3)
			assert_true(quic_conn_update_keys(move_client(f)));
		move_run(f, 400 * BASE_MS);
		assert_int_equal(f->read, f->written);
		quic_endpoint_check(f->shards[0]);
		quic_endpoint_check(f->shards[1]);
	}
	assert_int_equal(f->written, 1200);
	assert_int_equal(f->closed, 0);
	move_close(f);
}

/* Deadlines are absolute: an idle timeout falls due when it would have without the move. */
static void
quic_endpoint_attach__keeps_the_timers(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);
	uint64_t idle_ns;

	assert_true(move_to(f, 1));
	move_run(f, BASE_SECOND);
	f->client_mute = f->server_mute = true;
	idle_ns = move_conn(f)->deadlines[QUIC_TIMER_IDLE];
	assert_true(idle_ns > f->world.now_ns && idle_ns != BASE_NEVER);
	move_run(f, idle_ns - f->world.now_ns - BASE_MS);
	assert_true(quic_conn_is_open(move_conn(f)));
	move_run(f, 2 * BASE_MS);
	assert_null(move_conn(f));
	assert_int_equal(quic_endpoint_connections(f->shards[1]), 0);
	move_close(f);
}

/* A slot in its last generation moves like any other, and is retired where the connection ends. */
static void
quic_endpoint_attach__takes_a_slot_of_the_last_generation(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);
	struct quic_slots *slots = &f->world.nodes[WORLD_SERVER].slots;
	struct quic_conn *conn = move_conn(f);
	uint32_t generation = f->server.generation;
	struct quic_slot_owner owner;

	/* The client must not be spoken to meanwhile: its IDs name the generation that is. */
	f->client_mute = f->server_mute = true;
	atomic_store(&slots->words[f->server.slot], (uint64_t)QUIC_SLOT_GENERATION_MAX << 40 | 1 << 24);
	f->server.generation = conn->generation = QUIC_SLOT_GENERATION_MAX;
	assert_int_equal(quic_conn_move_begin(conn, 1, f->world.now_ns), QUIC_MOVE_BEGUN);
	quic_conn_move_received(conn, conn->own_ids.retire_prior_to);
	move_hand_over(f, 1);
	quic_slots_owner(slots, f->server.slot, &owner);
	assert_int_equal(owner.generation, QUIC_SLOT_GENERATION_MAX);
	assert_ptr_equal(quic_endpoint_find(f->shards[1], f->server), conn);
	quic_conn_close(conn, 0, NULL);
	move_run(f, 60 * BASE_SECOND);
	quic_slots_owner(slots, f->server.slot, &owner);
	assert_int_equal(owner.state, QUIC_SLOT_RETIRED);
	/* The world wants all slots back. */
	atomic_store(&slots->words[f->server.slot], (uint64_t)generation << 40 | 1 << 24 | UINT64_C(1) << 28);
	quic_slots_free(slots, f->server.slot, 1);
	move_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quic_endpoint_next_switched__leaves_out_what_has_closed),
		cmocka_unit_test(quic_endpoint_detach__leaves_nothing_behind),
		cmocka_unit_test(quic_endpoint_attach__goes_on_where_the_other_stopped),
		cmocka_unit_test(quic_endpoint_attach__keeps_the_timers),
		cmocka_unit_test(quic_endpoint_attach__takes_a_slot_of_the_last_generation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
