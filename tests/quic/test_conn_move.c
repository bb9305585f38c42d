/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A connection that is asked to move: what is refused, which IDs are issued, when the peer has switched, and when it is given up. */
#include "tests/quic/move_fixture.h"

static enum quic_move_verdict
begin(struct move_fixture *f, uint16_t target)
{
	return quic_conn_move_begin(move_conn(f), target, f->world.now_ns);
}

static void
quic_move_text__has_a_sentence_for_each_verdict(void **state)
{
	for (int i = 0; i < QUIC_MOVE_VERDICT_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(quic_move_text((enum quic_move_verdict)i),
				quic_move_text((enum quic_move_verdict)j));
	assert_string_equal(quic_move_text(QUIC_MOVE_VERDICT_COUNT), "unknown");
}

/* A refusal changes nothing. */
static void
assert_refused(struct move_fixture *f, uint16_t target, enum quic_move_verdict verdict)
{
	const struct quic_conn *conn = move_conn(f);
	struct quic_own_ids before = conn->own_ids;
	enum quic_move_state state = quic_conn_move_state(conn);

	assert_int_equal(begin(f, target), verdict);
	assert_memory_equal(&conn->own_ids, &before, sizeof(before));
	assert_int_equal(quic_conn_move_state(conn), state);
}

static void
quic_conn_move_begin__wants_a_handshake_that_is_over(void **state)
{
	struct move_fixture *f = move_open(0, 0);

	assert_non_null(move_conn(f)->handshake);
	assert_refused(f, 1, QUIC_MOVE_HANDSHAKE);
	assert_false(quic_conn_movable(move_conn(f), f->world.now_ns));
	move_run(f, 2 * BASE_SECOND);
	assert_true(quic_conn_movable(move_conn(f), f->world.now_ns));
	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	move_close(f);
}

static void
quic_conn_move_begin__refuses_its_own_shard(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);

	assert_refused(f, 0, QUIC_MOVE_HERE);
	assert_true(move_to(f, 1));
	assert_refused(f, 1, QUIC_MOVE_HERE);
	move_close(f);
}

static void
quic_conn_move_begin__refuses_what_is_closing(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);

	quic_conn_close(move_conn(f), 0, NULL);
	assert_refused(f, 1, QUIC_MOVE_OVER);
	assert_false(quic_conn_movable(move_conn(f), f->world.now_ns));
	assert_int_equal(quic_conn_move_state(move_conn(f)), QUIC_MOVE_NONE);
	move_close(f);
}

static void
quic_conn_move_begin__allows_one_at_a_time(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);

	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	assert_int_equal(quic_conn_move_state(move_conn(f)), QUIC_MOVE_WAITING);
	assert_refused(f, 1, QUIC_MOVE_IN_FLIGHT);
	assert_true(world_run(&f->world, move_is_switched, f->world.now_ns + BASE_SECOND));
	assert_refused(f, 1, QUIC_MOVE_IN_FLIGHT);
	move_close(f);
}

/* The dwell time begins when a move has ended, one way or the other. */
static void
quic_conn_move_begin__waits_for_the_dwell_time(void **state)
{
	struct move_fixture *f = move_open_quiet(0, BASE_SECOND);
	uint64_t moved_ns;

	assert_int_equal(quic_conn_moved_ns(move_conn(f)), 0);
	assert_true(move_to(f, 1));
	moved_ns = f->world.now_ns;
	assert_int_equal(quic_conn_moved_ns(move_conn(f)), moved_ns);
	move_run(f, moved_ns + BASE_SECOND - BASE_MS - f->world.now_ns);
	assert_refused(f, 0, QUIC_MOVE_DWELL);
	assert_false(quic_conn_movable(move_conn(f), f->world.now_ns));
	move_run(f, 2 * BASE_MS);
	assert_true(move_to(f, 0));
	move_close(f);
}

/* Two shards are all that a bit per ID can name: the peer has to give up the IDs of before the last move first. */
static void
quic_conn_move_begin__waits_until_older_ids_are_retired(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);
	struct quic_own_ids *ids;

	assert_true(move_to(f, 1));
	ids = &move_conn(f)->own_ids;
	move_run(f, 300 * BASE_MS);
	assert_int_equal(ids->shards[0], 0);
	assert_int_equal(ids->shards[1], 1);
	/* As if RETIRE_CONNECTION_ID of one were still to come: with a name of the last shard, and with one of this. */
	assert_true(ids->base > 0 && ids->next - ids->base < QUIC_OWN_ID_WINDOW);
	ids->base--;
	ids->active = ids->active << 1 | 1;
	ids->second <<= 1;
	assert_refused(f, 0, QUIC_MOVE_NOT_RETIRED);
	ids->second |= 1;
	ids->retire_prior_to = ids->base + 1;
	assert_refused(f, 0, QUIC_MOVE_NOT_RETIRED);
	ids->base++;
	ids->active >>= 1;
	ids->second >>= 1;
	ids->retire_prior_to = ids->base;
	assert_int_equal(begin(f, 0), QUIC_MOVE_BEGUN);
	move_close(f);
}

/* Moves that follow each other closely use up the window of 32 numbers, until three PTO were quiet. */
static void
quic_conn_move_begin__keeps_to_the_window_of_sequence_numbers(void **state)
{
	struct move_fixture *f = move_open_quiet(2, 0);
	const struct quic_own_ids *ids = &move_conn(f)->own_ids;
	uint32_t moves = 0;

	while (move_to(f, (uint16_t)(1 - moves % MOVE_SHARDS))) {
		moves++;
		move_run(f, 15 * BASE_MS); /* what it left is retired */
	}
	assert_refused(f, (uint16_t)(1 - moves % MOVE_SHARDS), QUIC_MOVE_NO_IDS);
	assert_true(ids->next - ids->base + 2 > QUIC_OWN_ID_WINDOW);
	assert_in_range(moves, 5, 16);
	move_run(f, 4 * quic_conn_pto_ns(move_conn(f)));
	assert_int_equal(ids->lingering, 0);
	assert_true(move_to(f, (uint16_t)(1 - moves % MOVE_SHARDS)));
	assert_int_equal(f->closed, 0);
	move_close(f);
}

/* A sequence number that would wrap is never issued: such a connection stays where it is. */
static void
quic_conn_move_begin__ends_with_the_last_sequence_number(void **state)
{
	struct move_fixture *f = move_open_quiet(2, 0);
	struct quic_own_ids *ids = &move_conn(f)->own_ids;
	uint32_t used = ids->next - ids->base;

	ids->next = QUIC_CONN_ID_SEQUENCE_MAX;
	ids->base = ids->next - used;
	ids->retire_prior_to = ids->base;
	assert_refused(f, 1, QUIC_MOVE_NO_IDS);
	ids->next--;
	ids->base--;
	ids->retire_prior_to--;
	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	assert_int_equal(ids->next, QUIC_CONN_ID_SEQUENCE_MAX + 1);
	f->client_mute = f->server_mute = true;
	move_close(f);
}

/* As many as the peer takes at a time, all of them named for the target, above all older ones. */
static void
assert_batch(uint8_t peer_limit, uint8_t own_limit, uint32_t expected)
{
	struct move_fixture *f = move_open_quiet(own_limit, 0);
	struct quic_conn *conn = move_conn(f);
	struct quic_own_ids *ids = &conn->own_ids;
	uint32_t first = ids->next, batch = 0;

	conn->peer_active_connection_ids = peer_limit;
	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	assert_int_equal(ids->next, first + expected);
	assert_int_equal(ids->retire_prior_to, first);
	assert_int_equal(ids->shards[0], 0);
	assert_int_equal(ids->shards[1], 1);
	for (uint32_t sequence = first; sequence < ids->next; sequence++) {
		struct quic_conn_id_fields fields;
		enum quic_conn_id_result result;
		struct quic_cid id;
		const uint8_t *octets = id.octets;

		batch |= quic_own_id_bit(ids, sequence);
		quic_conn_own_id(conn, sequence, &id);
		quic_conn_id_decode(&conn->endpoint->codec, &octets, &fields, &result, 1);
		assert_int_equal(result, QUIC_CONN_ID_OURS);
		assert_int_equal(fields.shard, 1);
		assert_int_equal(fields.slot, f->server.slot);
		assert_int_equal(fields.generation, f->server.generation);
		assert_int_equal(fields.sequence, sequence);
	}
	assert_int_equal(ids->second, batch);
	assert_int_equal(ids->want & batch, batch);
	assert_int_equal(ids->active & batch, batch);
	/* Our client stores two: what is more would be its end. */
	f->client_mute = f->server_mute = true;
	move_close(f);
}

static void
quic_conn_move_begin__issues_as_many_as_the_peer_takes(void **state)
{
	assert_batch(2, 0, 2);
	assert_batch(4, 4, 4);
	assert_batch(8, 8, 8);
	assert_batch(8, 4, 4);
	assert_batch(2, 8, 2);
}

/* Of a batch of `own` IDs the first `silent` frames do not ask for anything to be retired, and all others do; nor do older ones. */
static void
assert_silent(uint8_t peer_limit, uint8_t own_limit, uint32_t silent)
{
	struct move_fixture *f = move_open_quiet(own_limit, 0);
	struct quic_conn *conn = move_conn(f);
	uint32_t first = conn->own_ids.next;

	conn->peer_active_connection_ids = peer_limit;
	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	assert_true(silent < conn->own_ids.next - first);
	for (uint32_t sequence = 0; sequence < conn->own_ids.next + 2; sequence++)
		assert_int_equal(
			quic_conn_retire_prior_to(conn, sequence), sequence < first + silent ? 0 : first);
	f->client_mute = f->server_mute = true;
	move_close(f);
}

/* RFC 9000 section 5.1.1: "An endpoint MAY send connection IDs that temporarily exceed a peer's limit if the NEW_CONNECTION_ID frame also
 * requires the retirement of any excess"; section 5.1.2: "Upon receipt of an increased Retire Prior To field, the peer MUST stop using the
 * corresponding connection IDs and retire them [...] before adding the newly provided connection ID". Where there are places left, IDs that
 * the peer can go to come first. */
static void
quic_conn_retire_prior_to__is_said_by_what_exceeds_the_limit_and_by_the_last(void **state)
{
	assert_silent(2, 2, 0);
	assert_silent(4, 4, 0);
	assert_silent(5, 4, 1);
	assert_silent(7, 4, 3);
	assert_silent(8, 4, 3);
	assert_silent(UINT8_MAX, 8, 7);
	assert_silent(2, 8, 0);
	assert_silent(3, 8, 0);
}

/* RFC 9000 section 19.15: Retire Prior To above the sequence number is an error; an older frame that is repeated says 0. */
static void
quic_conn_move_begin__may_meet_older_frames_that_were_lost(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);
	struct quic_own_ids *ids = &move_conn(f)->own_ids;
	uint32_t older = ids->active;

	ids->want |= older;
	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	assert_true((ids->want & older) == older);
	assert_true(world_run(&f->world, move_is_switched, f->world.now_ns + BASE_SECOND));
	assert_int_equal(f->closed, 0);
	assert_int_equal(move_client(f)->peer_retire_prior_to, ids->retire_prior_to);
	move_close(f);
}

/* The whole batch is lost, several times; it comes again until it is acknowledged. */
static void
quic_conn_move_begin__is_repeated_until_acknowledged(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);

	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	f->server_mute = true;
	move_run(f, quic_conn_pto_ns(move_conn(f)) * 3 / 2);
	assert_int_equal(quic_conn_move_state(move_conn(f)), QUIC_MOVE_WAITING);
	f->server_mute = false;
	assert_true(world_run(&f->world, move_is_switched, f->world.now_ns + 2 * BASE_SECOND));
	move_close(f);
}

/* Every ID that replaces one that was given up on the way names the target too. */
static void
quic_conn_move_received__finds_all_ids_named_for_the_target(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);
	const struct quic_conn *client = move_client(f);
	const struct quic_own_ids *ids = &move_conn(f)->own_ids;
	uint32_t next;

	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	next = ids->next;
	assert_true(world_run(&f->world, move_is_switched, f->world.now_ns + BASE_SECOND));
	assert_true(client->peer_ids[0].sequence >= ids->retire_prior_to);
	move_run(f, 50 * BASE_MS);
	assert_int_equal(ids->active & ~ids->second, 0);
	assert_int_equal(__builtin_popcount(ids->active), quic_conn_own_ids_most(move_conn(f)));
	/* The client gives up one of the new ones, as it may. */
	quic_conn_receive_retire_id(move_conn(f), ids->retire_prior_to, ids->retire_prior_to + 1);
	assert_true(ids->next > next);
	assert_int_equal(ids->active & ~ids->second, 0);
	assert_int_equal(f->closed, 0);
	move_close(f);
}

/* The trigger is the sequence number of the batch: IDs of before, and an ID of the batch twice, are none. */
static void
quic_conn_move_received__counts_ids_of_the_batch_alone(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);
	struct quic_conn *conn = move_conn(f);
	uint32_t first = conn->own_ids.next;

	quic_conn_move_received(conn, first - 1);
	assert_int_equal(quic_conn_move_state(conn), QUIC_MOVE_NONE);
	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	quic_conn_move_received(conn, first - 1);
	quic_conn_move_received(conn, first + QUIC_OWN_ID_WINDOW);
	assert_int_equal(quic_conn_move_state(conn), QUIC_MOVE_WAITING);
	quic_conn_move_received(conn, first + 1);
	assert_int_equal(quic_conn_move_state(conn), QUIC_MOVE_SWITCHED);
	quic_conn_move_received(conn, first);
	assert_int_equal(conn->endpoint->switched_count, 1);
	move_hand_over(f, 1);
	/* At the target they name it, and mean nothing. */
	quic_conn_move_received(conn, first);
	assert_int_equal(quic_conn_move_state(conn), QUIC_MOVE_NONE);
	assert_int_equal(f->shards[1]->switched_count, 0);
	move_close(f);
}

static void
quic_conn_move_stay__asks_again_with_the_next_packet(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);
	struct quic_conn *conn = NULL;
	uint16_t target;

	/* Only who switches late may be told to stay. */
	f->client_mute = true;
	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	move_run(f, 4 * quic_conn_pto_ns(move_conn(f)));
	assert_int_equal(quic_conn_move_state(move_conn(f)), QUIC_MOVE_NONE);
	f->client_mute = false;
	assert_true(world_run(&f->world, move_is_switched, f->world.now_ns + 10 * BASE_SECOND));
	assert_true(quic_endpoint_next_switched(f->shards[0], &conn, &target));
	quic_conn_move_stay(conn);
	assert_int_equal(quic_conn_move_state(conn), QUIC_MOVE_NONE);
	assert_false(quic_endpoint_next_switched(f->shards[0], &conn, &target));
	assert_refused(f, 1, QUIC_MOVE_NOT_RETIRED);
	move_write(f);
	assert_true(world_run(&f->world, move_is_switched, f->world.now_ns + BASE_SECOND));
	move_hand_over(f, 1);
	move_run(f, 50 * BASE_MS);
	assert_int_equal(f->read, f->written);
	move_close(f);
}

/* After three PTO the move ends, its IDs do not: whoever switches later is let go all the same. */
static void
quic_conn_move_expire__gives_up_and_knows_a_late_switch(void **state)
{
	struct move_fixture *f = move_open_quiet(0, BASE_SECOND);
	struct quic_conn *conn = move_conn(f);
	uint64_t give_up_ns = conn->endpoint->limits.move_give_up_ptos * quic_conn_pto_ns(conn);

	f->client_mute = true;
	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	move_run(f, give_up_ns - BASE_MS);
	assert_int_equal(quic_conn_move_state(conn), QUIC_MOVE_WAITING);
	move_run(f, 2 * BASE_MS);
	assert_int_equal(quic_conn_move_state(conn), QUIC_MOVE_NONE);
	assert_in_range(f->world.now_ns - quic_conn_moved_ns(conn), 0, 2 * BASE_MS);
	assert_refused(f, 1, QUIC_MOVE_DWELL);
	move_run(f, 1500 * BASE_MS);
	assert_refused(f, 1, QUIC_MOVE_NOT_RETIRED);
	f->client_mute = false;
	assert_true(world_run(&f->world, move_is_switched, f->world.now_ns + 10 * BASE_SECOND));
	move_hand_over(f, 1);
	move_write(f);
	move_run(f, 5 * BASE_SECOND);
	assert_int_equal(f->read, f->written);
	assert_true(move_to(f, 0));
	assert_int_equal(f->closed, 0);
	move_close(f);
}

/* A client that claims to acknowledge late has a long PTO, and holds a place among the moves in flight no longer for that. */
static void
quic_conn_move_expire__does_not_wait_for_as_long_as_the_client_wants(void **state)
{
	struct move_fixture *f = move_open_quiet(0, 0);
	struct quic_conn *conn = move_conn(f);
	uint64_t give_up_ns = conn->endpoint->limits.move_give_up_ns;

	conn->peer_max_ack_delay_ms = 16383;
	assert_true(3 * quic_conn_pto_ns(conn) > 49 * BASE_SECOND);
	f->client_mute = true;
	assert_int_equal(begin(f, 1), QUIC_MOVE_BEGUN);
	move_run(f, give_up_ns - BASE_MS);
	assert_int_equal(quic_conn_move_state(conn), QUIC_MOVE_WAITING);
	move_run(f, 2 * BASE_MS);
	assert_int_equal(quic_conn_move_state(conn), QUIC_MOVE_NONE);
	move_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quic_move_text__has_a_sentence_for_each_verdict),
		cmocka_unit_test(quic_conn_move_begin__wants_a_handshake_that_is_over),
		cmocka_unit_test(quic_conn_move_begin__refuses_its_own_shard),
		cmocka_unit_test(quic_conn_move_begin__refuses_what_is_closing),
		cmocka_unit_test(quic_conn_move_begin__allows_one_at_a_time),
		cmocka_unit_test(quic_conn_move_begin__waits_for_the_dwell_time),
		cmocka_unit_test(quic_conn_move_begin__waits_until_older_ids_are_retired),
		cmocka_unit_test(quic_conn_move_begin__keeps_to_the_window_of_sequence_numbers),
		cmocka_unit_test(quic_conn_move_begin__ends_with_the_last_sequence_number),
		cmocka_unit_test(quic_conn_move_begin__issues_as_many_as_the_peer_takes),
		cmocka_unit_test(
			quic_conn_retire_prior_to__is_said_by_what_exceeds_the_limit_and_by_the_last),
		cmocka_unit_test(quic_conn_move_begin__may_meet_older_frames_that_were_lost),
		cmocka_unit_test(quic_conn_move_begin__is_repeated_until_acknowledged),
		cmocka_unit_test(quic_conn_move_received__finds_all_ids_named_for_the_target),
		cmocka_unit_test(quic_conn_move_received__counts_ids_of_the_batch_alone),
		cmocka_unit_test(quic_conn_move_stay__asks_again_with_the_next_packet),
		cmocka_unit_test(quic_conn_move_expire__gives_up_and_knows_a_late_switch),
		cmocka_unit_test(quic_conn_move_expire__does_not_wait_for_as_long_as_the_client_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
