/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections are passed on between threads MOVES times. ThreadSanitizer says whether two shards touch one at a time (the words
 * are all that orders them, for most connections are attached at the sight of a datagram); the sums say whether a datagram or a result is lost.
 * planted.py runs it again with words in relaxed order, and wants the race to be seen.
 */
#include <stdio.h>
#include <time.h>

#include <rte_launch.h>
#include <rte_mbuf.h>

#include "tests/shard/eal.h"
#include "tests/tsan/pools.h"
#include "tests/tsan/words.h"

/* No time is asserted: what never comes is found by the suite's time limit. */
enum { MOVES = 6000, IN_FLIGHT = 12 };

static void
nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
}

/* Of a connection that the word says is there, to any shard, now and then the owner itself. */
static bool
ask(struct words *words, struct base_random *random, uint32_t ticket)
{
	struct shard_control control = {.kind = SHARD_CONTROL_MOVE, .from = SHARD_MANAGER};
	uint32_t slot = (uint32_t)base_random_below(random, WORDS_SLOTS);
	struct quic_slot_owner owner;

	quic_slots_owner(&words->slots, slot, &owner);
	if (owner.state != QUIC_SLOT_OWNED)
		return false;
	control.move = (struct shard_control_move){.handle = {slot, owner.generation},
		.ticket = ticket,
		.target = (uint16_t)base_random_below(random, WORDS_SHARDS)};
	shard_mailbox_post_control(&words->mailboxes[owner.owner], &control);
	return true;
}

static bool
all_accounted(const struct words *words)
{
	return words_sum(words, WORDS_ARRIVED) ==
		words_sum(words, WORDS_HANDLED) + words_sum(words, WORDS_FREE) +
		words_sum(words, WORDS_MAILBOX_FULL) + words_sum(words, WORDS_HOPS);
}

static void
move_all(struct words *words, uint64_t outcomes[SHARD_MOVE_OUTCOMES])
{
	struct shard_control result;
	struct base_random random;
	uint32_t asked = 0, told = 0;
	bool told_of[MOVES] = {false};

	base_random_init(&random, 99);
	while (told < MOVES) {
		while (asked < MOVES && asked - told < IN_FLIGHT && ask(words, &random, asked))
			asked++;
		while (shard_mailbox_take_control(&words->mailboxes[WORDS_SHARDS], &result)) {
			assert_int_equal(result.kind, SHARD_CONTROL_MOVE_RESULT);
			assert_true(result.move.ticket < asked && !told_of[result.move.ticket]);
			told_of[result.move.ticket] = true;
			outcomes[result.move.outcome]++;
			told++;
		}
		nap();
	}
}

static void
words__pass_connections_on_between_threads(void **state)
{
	struct words *words = words_open();
	uint64_t outcomes[SHARD_MOVE_OUTCOMES] = {0}, attached = 0, by_sight = 0, detached = 0;

	for (unsigned i = 0; i < WORDS_SHARDS; i++)
		assert_int_equal(rte_eal_remote_launch(words_run, &words->shards[i], i + 1), 0);
	move_all(words, outcomes);
	atomic_store(&words->stage, WORDS_NOTHING_NEW);
	while (!all_accounted(words))
		nap();
	atomic_store(&words->stage, WORDS_END);
	rte_eal_mp_wait_lcore();
	for (unsigned i = 0; i < WORDS_SHARDS; i++)
		assert_true(atomic_load(&words->shards[i].ended));
	for (unsigned i = 0; i < WORDS_SHARDS; i++) {
		quic_slots_check(&words->slots, (uint16_t)i);
		attached += words->shards[i].moves.counters[SHARD_MOVES_ATTACHED];
		by_sight += words->shards[i].moves.counters[SHARD_MOVES_BY_SIGHT];
		detached += words->shards[i].moves.counters[SHARD_MOVES_DETACHED];
	}
	printf("%llu moved, %llu abandoned, %llu closed, %llu refused; %llu attached, %llu of them by sight\n",
		(unsigned long long)outcomes[SHARD_MOVE_DONE],
		(unsigned long long)outcomes[SHARD_MOVE_ABANDONED],
		(unsigned long long)outcomes[SHARD_MOVE_CLOSED],
		(unsigned long long)(outcomes[SHARD_MOVE_REFUSED] + outcomes[SHARD_MOVE_UNKNOWN]),
		(unsigned long long)attached, (unsigned long long)by_sight);
	printf("%llu datagrams: %llu handled, %llu handed on, %llu for none, %llu at a full mailbox, %llu after four hops; %llu connections\n",
		(unsigned long long)words_sum(words, WORDS_ARRIVED),
		(unsigned long long)words_sum(words, WORDS_HANDLED),
		(unsigned long long)words_sum(words, WORDS_HANDED),
		(unsigned long long)words_sum(words, WORDS_FREE),
		(unsigned long long)words_sum(words, WORDS_MAILBOX_FULL),
		(unsigned long long)words_sum(words, WORDS_HOPS),
		(unsigned long long)words_sum(words, WORDS_OPENED));
	assert_true(outcomes[SHARD_MOVE_DONE] > MOVES / 10 && by_sight > MOVES / 100);
	assert_true(detached - attached <= WORDS_SLOTS);
	words_close(words);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words__pass_connections_on_between_threads),
	};

	return cmocka_run_group_tests(tests, tsan_setup, eal_teardown);
}
