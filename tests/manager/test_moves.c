/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every move that was begun ends once, for all whom it concerns. The shards, the policy and the threads that ask are played here. */
#include "manager/moves.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"

enum { SLOTS = 8, SHARDS = 2, PLACE = 3, RESULTS_MAX = 2 * SHARD_MOVES_MAX };

static struct {
	enum shard_group_answer answer; /* of shard_group_move() */
	uint32_t asked, away;
	struct shard_control_move last;
	uint32_t result_count;
	struct shard_control_move results[RESULTS_MAX];
	uint32_t told_rebalance, told_moved;
	uint32_t answers, answered_place;
	struct manager_answer answered;
} world;

enum shard_group_answer
shard_group_move(struct shard_group *group, struct quic_handle handle, uint16_t target, uint32_t ticket)
{
	world.last = (struct shard_control_move){.handle = handle, .ticket = ticket, .target = target};
	world.asked++;
	return world.answer;
}

enum shard_group_answer
shard_group_move_away(struct shard_group *group, struct quic_handle handle, uint16_t target, uint32_t ticket)
{
	world.away++;
	return shard_group_move(group, handle, target, ticket);
}

bool
shard_group_next_result(struct shard_group *group, struct shard_control_move *result)
{
	if (world.result_count == 0)
		return false;
	*result = world.results[--world.result_count];
	return true;
}

void
manager_rebalance_on_result(
	struct manager_rebalance *rebalance, struct quic_handle handle, bool moved, uint64_t now_ns)
{
	world.told_rebalance++;
	world.told_moved += moved;
}

void
manager_requests_answer(
	struct manager_requests *requests, uint32_t place, const struct manager_answer *answer)
{
	world.answers++;
	world.answered_place = place;
	world.answered = *answer;
}

struct fixture {
	struct manager_moves moves;
	struct shard_group group;
	struct manager_history history;
	void *words, *memory;
	struct quic_handle handle; /* a connection of shard 1 */
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct quic_slots_config slots = {
		.count = SLOTS, .slot_bytes = 64, .region_slots = SLOTS, .shards = SHARDS};

	memset(&world, 0, sizeof(world));
	f->memory = aligned_alloc(64, SLOTS * 64);
	f->words = aligned_alloc(64, (quic_slots_memory_bytes(SLOTS, SHARDS) + 63) / 64 * 64);
	slots.regions[0] = f->memory;
	quic_slots_init(&f->group.slots, &slots, f->words);
	f->handle = quic_slots_take(&f->group.slots, 1);
	quic_slots_publish(&f->group.slots, f->handle, 1);
	f->moves = (struct manager_moves){.group = &f->group, .history = &f->history};
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	free(f->words);
	free(f->memory);
	free(f);
	return 0;
}

static bool
begin(struct fixture *f, enum manager_asker asker, uint32_t place)
{
	const struct manager_move move = {
		.asker = asker, .handle = f->handle, .to = 0, .permille = 70, .place = place};

	return manager_moves_begin(&f->moves, &move, 5);
}

static void
end(uint32_t ticket, enum shard_move_outcome outcome, enum quic_move_verdict verdict)
{
	world.results[world.result_count++] = (struct shard_control_move){
		.ticket = ticket, .outcome = (uint16_t)outcome, .verdict = (uint16_t)verdict};
}

static void
manager_moves_begin__tells_the_owner_and_nobody_else(void **state)
{
	struct fixture *f = *state;

	assert_false(manager_moves_has(&f->moves, f->handle));
	assert_true(begin(f, MANAGER_BY_OPERATOR, PLACE));
	assert_int_equal(world.last.handle.slot, f->handle.slot);
	assert_int_equal(world.last.handle.generation, f->handle.generation);
	assert_int_equal(world.last.target, 0);
	assert_true(manager_moves_has(&f->moves, f->handle));
	assert_false(
		manager_moves_has(&f->moves, (struct quic_handle){f->handle.slot, f->handle.generation + 1}));
	assert_int_equal(f->history.count, 0);
	assert_int_equal(world.answers, 0);
}

/* What is refused at once has ended, with all that a result brings. */
static void
manager_moves_begin__ends_what_is_refused_at_once(void **state)
{
	static const struct {
		enum shard_group_answer answer;
		const char *text;
	} refusals[] = {{SHARD_MOVE_NO_CONNECTION, "there is no such connection"},
		{SHARD_MOVE_NO_SHARD, "there is no such shard"},
		{SHARD_MOVE_TOO_MANY, "too many moves are in flight; ask again"}};
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 3; i++) {
		world.answer = refusals[i].answer;
		assert_false(begin(f, MANAGER_BY_OPERATOR, PLACE));
		assert_int_equal(world.answers, i + 1);
		assert_int_equal(world.answered_place, PLACE);
		assert_false(world.answered.done);
		assert_string_equal(world.answered.text, refusals[i].text);
		assert_int_equal(f->history.count, i + 1);
		assert_int_equal(f->history.totals[MANAGER_BY_OPERATOR][MANAGER_REFUSED], i + 1);
		assert_false(manager_moves_has(&f->moves, f->handle));
	}
	/* The policy hears of its own, and nobody waits for them. */
	assert_int_equal(world.told_rebalance, 0);
	assert_false(begin(f, MANAGER_BY_REBALANCE, MANAGER_NO_PLACE));
	assert_int_equal(world.told_rebalance, 1);
	assert_int_equal(world.told_moved, 0);
	assert_int_equal(world.answers, 3);
}

/* One ticket for each; with none left the shards are not asked at all. */
static void
manager_moves_begin__has_a_ticket_for_each(void **state)
{
	struct fixture *f = *state;
	bool seen[SHARD_MOVES_MAX] = {false};

	for (uint32_t i = 0; i < SHARD_MOVES_MAX; i++) {
		assert_true(begin(f, MANAGER_BY_DRAIN, MANAGER_NO_PLACE));
		assert_true(world.last.ticket < SHARD_MOVES_MAX && !seen[world.last.ticket]);
		seen[world.last.ticket] = true;
	}
	/* They may go anywhere. */
	assert_int_equal(world.away, SHARD_MOVES_MAX);
	assert_false(begin(f, MANAGER_BY_OPERATOR, PLACE));
	assert_int_equal(world.asked, SHARD_MOVES_MAX);
	assert_string_equal(world.answered.text, "too many moves are in flight; ask again");
	end(17, SHARD_MOVE_DONE, QUIC_MOVE_BEGUN);
	manager_moves_collect(&f->moves, 6);
	assert_true(begin(f, MANAGER_BY_OPERATOR, PLACE));
	assert_int_equal(world.last.ticket, 17);
	assert_int_equal(world.away, SHARD_MOVES_MAX);
}

static void
manager_moves_collect__tells_all_whom_it_concerns(void **state)
{
	struct fixture *f = *state;
	struct manager_move_record record;

	assert_true(begin(f, MANAGER_BY_OPERATOR, PLACE));
	end(world.last.ticket, SHARD_MOVE_DONE, QUIC_MOVE_BEGUN);
	manager_moves_collect(&f->moves, 9);
	assert_true(world.answers == 1 && world.answered_place == PLACE && world.answered.done);
	assert_false(manager_moves_has(&f->moves, f->handle));
	assert_int_equal(manager_history_copy(&f->history, 0, &record, 1), 1);
	assert_int_equal(record.at_ns, 9);
	assert_int_equal(record.handle.slot, f->handle.slot);
	assert_int_equal(record.from, 1);
	assert_int_equal(record.to, 0);
	assert_int_equal(record.permille, 70);
	assert_int_equal(record.asker, MANAGER_BY_OPERATOR);
	assert_int_equal(record.outcome, MANAGER_MOVED);
	assert_int_equal(world.told_rebalance, 0);
	/* No more than once. */
	manager_moves_collect(&f->moves, 10);
	assert_int_equal(world.answers, 1);
	assert_true(begin(f, MANAGER_BY_REBALANCE, MANAGER_NO_PLACE));
	end(world.last.ticket, SHARD_MOVE_DONE, QUIC_MOVE_BEGUN);
	manager_moves_collect(&f->moves, 11);
	assert_true(world.told_rebalance == 1 && world.told_moved == 1 && world.answers == 1);
}

static void
manager_moves_collect__says_why_it_was_not_moved(void **state)
{
	static const struct {
		enum shard_move_outcome outcome;
		enum quic_move_verdict verdict;
		enum manager_outcome recorded;
	} ends[] = {{SHARD_MOVE_ABANDONED, QUIC_MOVE_BEGUN, MANAGER_ABANDONED},
		{SHARD_MOVE_CLOSED, QUIC_MOVE_BEGUN, MANAGER_CLOSED},
		{SHARD_MOVE_UNKNOWN, QUIC_MOVE_BEGUN, MANAGER_REFUSED},
		{SHARD_MOVE_SERVICE, QUIC_MOVE_BEGUN, MANAGER_REFUSED},
		{SHARD_MOVE_STOPPING, QUIC_MOVE_BEGUN, MANAGER_REFUSED},
		{SHARD_MOVE_REFUSED, QUIC_MOVE_DWELL, MANAGER_REFUSED},
		{SHARD_MOVE_REFUSED, QUIC_MOVE_NO_IDS, MANAGER_REFUSED}};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		uint64_t before = f->history.totals[MANAGER_BY_OPERATOR][ends[i].recorded];

		assert_true(begin(f, MANAGER_BY_OPERATOR, PLACE));
		end(world.last.ticket, ends[i].outcome, ends[i].verdict);
		manager_moves_collect(&f->moves, 9);
		assert_false(world.answered.done);
		assert_string_equal(world.answered.text, shard_move_text(ends[i].outcome, ends[i].verdict));
		assert_int_equal(f->history.totals[MANAGER_BY_OPERATOR][ends[i].recorded], before + 1);
	}
	assert_string_equal(world.answered.text, quic_move_text(QUIC_MOVE_NO_IDS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			manager_moves_begin__tells_the_owner_and_nobody_else, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_moves_begin__ends_what_is_refused_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(manager_moves_begin__has_a_ticket_for_each, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_moves_collect__tells_all_whom_it_concerns, setup, teardown),
		cmocka_unit_test_setup_teardown(
			manager_moves_collect__says_why_it_was_not_moved, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
