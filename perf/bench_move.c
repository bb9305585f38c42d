/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a live move costs the shard that lets go (S) and the one that takes (T), and what a packet costs that is local, that another shard
 * passed on, and that the card brought by its connection ID. Two real shards take their turns in one thread, a QUIC client at the other end
 * of the wire answers at once, and the time-stamp counter is read around each turn. A turn that the machine interrupted
 * shows as a large value, so medians are given, with the least beside.
 *
 * The wire hands over pointers: what a card and its ring cost is not in here. In one thread both shards have one cache, and what is handed
 * on is still warm; so the ways of a packet are measured once more with the owner's turns in a thread of their own, on another CPU.
 *
 *   bench_move [ROUNDS]
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include "base/assert.h"
#include "base/time.h"
#include "perf/wire.h"
#include "shard/state.h"

enum { CONNECTIONS = 256, BURST = 32, ROUNDS = 200, ROUNDS_MAX = 4096 };

/* What a turn did, less a turn with nothing to do; per connection. */
enum cost {
	COST_IDLE,    /* a turn with nothing to do */
	COST_PACKET,  /* S: a PING received */
	COST_REQUEST, /* S: an HTTP/3 request received and its answer sent */
	COST_BEGIN,   /* S: MOVE taken, new IDs issued and their packet sent */
	COST_PASS,    /* T: the client's first packet with a new ID, passed on to S */
	COST_SWITCH, /* S: that packet handled, with its RETIRE_CONNECTION_ID frames; connection detached, GRANT sent */
	COST_ATTACH, /* T: GRANT taken, connection attached */
	COST_COLD, /* T: a PING and its acknowledgement, with keys to be derived, and the timer of the retired IDs */
	COST_WARM, /* T: one more PING and its acknowledgement */
	COST_COUNT
};

static struct wire wire;
static uint64_t series[COST_COUNT][ROUNDS_MAX];
static uint32_t rounds, round_number;

static int
compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static void
sort(uint64_t *values, uint32_t count)
{
	qsort(values, count, sizeof(values[0]), compare);
}

static uint64_t
turn_of(uint16_t shard)
{
	uint64_t cycles;

	wire_shard_turn(&wire, shard, wire.now_ns, &cycles);
	return cycles;
}

static void
client_turn(void)
{
	wire.now_ns += 20 * BASE_US;
	wire_client_turn(&wire.client, wire.now_ns);
	wire.now_ns += 20 * BASE_US;
}

/* Cycles of the shard's turns in which something was due, while nothing is asked for. */
static uint64_t
rest(uint16_t shard, uint64_t duration_ns, uint64_t step_ns)
{
	uint64_t sum = 0, cycles, ignored, idle = turn_of(shard);

	for (uint64_t passed_ns = 0; passed_ns < duration_ns; passed_ns += step_ns) {
		wire_client_turn(&wire.client, wire.now_ns);
		/* Timers alone do not make a turn busy. */
		if (wire_shard_turn(&wire, shard, wire.now_ns, &cycles) || cycles > 3 * idle)
			sum += cycles;
		wire_shard_turn(&wire, (uint16_t)(1 - shard), wire.now_ns, &ignored);
		wire.now_ns += step_ns;
	}
	return sum;
}

/* The client's packets are acknowledged within this time, and retired IDs forgotten. */
static uint64_t
settle(uint16_t shard)
{
	return rest(shard, 120 * BASE_MS, 2 * BASE_MS);
}

static uint64_t
ping(uint16_t shard, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		wire_client_ping(&wire.client, i);
	client_turn();
	return turn_of(shard);
}

static uint64_t
request(uint16_t shard, uint32_t count)
{
	uint64_t cycles;

	for (uint32_t i = 0; i < count; i++)
		wire_client_ask(&wire.client, i, wire.now_ns);
	client_turn();
	cycles = turn_of(shard);
	client_turn();
	return cycles;
}

static void
ask_to_move(uint32_t from, uint32_t count, uint16_t target)
{
	for (uint32_t i = from; i < from + count; i++)
		if (shard_group_move(wire.server.group, wire_handle(&wire, i), target, i) != SHARD_MOVE_ASKED)
			wire_fail("a move is not asked for");
}

static uint32_t
take_results(void)
{
	struct shard_control_move result;
	uint32_t moved = 0;

	while (shard_group_next_result(wire.server.group, &result)) {
		if (result.outcome != SHARD_MOVE_DONE)
			wire_fail(shard_move_text((enum shard_move_outcome)result.outcome,
				(enum quic_move_verdict)result.verdict));
		moved++;
	}
	return moved;
}

/* What one round of `count` connections costs, from wherever they are to the other shard. */
static void
measure_round(uint32_t count)
{
	uint16_t s = wire_owner(&wire, 0), t = (uint16_t)(1 - s);
	uint64_t costs[COST_COUNT];

	ping(s, count);
	settle(s);
	costs[COST_IDLE] = turn_of(s);
	costs[COST_PACKET] = ping(s, count);
	settle(s);
	costs[COST_REQUEST] = request(s, count);
	settle(s);
	ask_to_move(0, count, t);
	costs[COST_BEGIN] = turn_of(s);
	client_turn();
	costs[COST_PASS] = turn_of(t);
	costs[COST_SWITCH] = turn_of(s);
	costs[COST_ATTACH] = turn_of(t);
	if (take_results() != count)
		wire_fail("the client has not switched at once");
	costs[COST_COLD] = ping(t, count);
	costs[COST_COLD] += settle(t);
	costs[COST_WARM] = ping(t, count);
	costs[COST_WARM] += settle(t);
	/* Until another move may begin. */
	rest(t, BASE_SECOND, 5 * BASE_MS);
	for (int i = 0; i < COST_COUNT; i++)
		series[i][round_number] = i == COST_IDLE ? costs[i]
			: costs[i] > costs[COST_IDLE]    ? (costs[i] - costs[COST_IDLE]) / count
							 : 0;
	round_number++;
}

static void
print_cost(const char *name, enum cost cost, double unit)
{
	const uint64_t *values = series[cost];

	printf("move   %-58s %6llu cycles (least %6llu)  %5.2f requests\n", name,
		(unsigned long long)values[rounds / 2], (unsigned long long)values[0],
		(double)values[rounds / 2] / unit);
}

static void
measure_cost(uint32_t count)
{
	double request_cycles, s, t;

	for (round_number = 0; round_number < rounds;)
		measure_round(count);
	for (int i = 0; i < COST_COUNT; i++)
		sort(series[i], rounds);
	request_cycles = (double)series[COST_REQUEST][rounds / 2];
	printf("move one move, %u in the same turn, each with its client's answer (medians of %u rounds)\n",
		count, rounds);
	print_cost("a turn with nothing to do", COST_IDLE, request_cycles);
	print_cost("a packet (PING) received", COST_PACKET, request_cycles);
	print_cost("an HTTP/3 request answered", COST_REQUEST, request_cycles);
	print_cost("S: new connection IDs issued and sent", COST_BEGIN, request_cycles);
	print_cost("T: first packet with one of them passed on to S", COST_PASS, request_cycles);
	print_cost("S: that packet, retired IDs, detached", COST_SWITCH, request_cycles);
	print_cost("T: attached", COST_ATTACH, request_cycles);
	print_cost("T: a packet (PING) and its ACK, keys derived, timers", COST_COLD, request_cycles);
	print_cost("T: another packet (PING) and its ACK", COST_WARM, request_cycles);
	s = (double)(series[COST_BEGIN][rounds / 2] + series[COST_SWITCH][rounds / 2]);
	t = (double)(series[COST_PASS][rounds / 2] + series[COST_ATTACH][rounds / 2] +
		    series[COST_COLD][rounds / 2]) -
		(double)series[COST_WARM][rounds / 2];
	printf("move   all: S %.0f cycles, T %.0f cycles; as much as %.1f and %.1f requests, or %.1f and %.1f packets received\n",
		s, t, s / request_cycles, t / request_cycles, s / (double)series[COST_PACKET][rounds / 2],
		t / (double)series[COST_PACKET][rounds / 2]);
}

/* ---- moves per second ---- */

/* All connections from S to T, as many at a time as may be in flight; cycles of the turns that did something. */
static void
move_all(uint16_t s, uint64_t cycles[2])
{
	uint16_t t = (uint16_t)(1 - s);
	uint32_t asked = 0, moved = 0;
	uint64_t spent;

	cycles[0] = cycles[1] = 0;
	while (moved < CONNECTIONS) {
		uint32_t room = SHARD_MOVES_MAX - wire.server.group->moves_in_flight;

		room = room < CONNECTIONS - asked ? room : CONNECTIONS - asked;
		ask_to_move(asked, room, t);
		asked += room;
		if (wire_shard_turn(&wire, s, wire.now_ns, &spent))
			cycles[0] += spent;
		if (wire_shard_turn(&wire, t, wire.now_ns, &spent))
			cycles[1] += spent;
		client_turn();
		moved += take_results();
	}
	cycles[1] += rest(t, BASE_SECOND, 5 * BASE_MS);
}

static void
measure_rate(void)
{
	double hertz = (double)wire.server.group->clock.cycles_per_second;
	uint64_t s[64], t[64], cycles[2];
	uint32_t passes = rounds / 8 < 64 ? rounds / 8 : 64;

	for (uint32_t i = 0; i < passes; i++) {
		move_all(wire_owner(&wire, 0), cycles);
		s[i] = cycles[0] / CONNECTIONS;
		t[i] = cycles[1] / CONNECTIONS;
	}
	sort(s, passes);
	sort(t, passes);
	printf("move %u connections as fast as %u in flight go, no dwell time, idle before, a client that answers at once (medians of %u passes)\n",
		CONNECTIONS, SHARD_MOVES_MAX, passes);
	printf("move   S %llu cycles a move (least %llu), T %llu (%llu): a shard with nothing else to do lets go %.0f/s, takes %.0f/s\n",
		(unsigned long long)s[passes / 2], (unsigned long long)s[0],
		(unsigned long long)t[passes / 2], (unsigned long long)t[0], hertz / (double)s[passes / 2],
		hertz / (double)t[passes / 2]);
	printf("move   in flight for one round trip: %u of them are %.0f/s with a round trip of 20 ms\n",
		SHARD_MOVES_MAX, SHARD_MOVES_MAX / 0.020);
}

/* ---- local, passed on, brought by the card ---- */

enum way { WAY_LOCAL, WAY_MAILBOX, WAY_CID, WAY_MAILBOX_CORES, WAY_CID_CORES, WAY_COUNT };
enum traffic { TRAFFIC_PINGS, TRAFFIC_REQUESTS, TRAFFIC_COUNT };

static uint64_t ways[TRAFFIC_COUNT][WAY_COUNT][2][ROUNDS_MAX];

/* A thread that takes a turn of shard 1 whenever it is asked to. */
static struct {
	pthread_t thread;
	_Atomic uint32_t asked, done;
	_Atomic bool over;
	uint64_t cycles;
} other;

static void *
run_other(void *ignored)
{
	uint32_t done = 0;

	(void)ignored;
	if (rte_thread_register() != 0)
		wire_fail("DPDK has no place for a thread");
	while (!atomic_load(&other.over)) {
		if (atomic_load_explicit(&other.asked, memory_order_acquire) == done) {
			rte_pause();
			continue;
		}
		wire_shard_turn(&wire, 1, wire.now_ns, &other.cycles);
		atomic_store_explicit(&other.done, ++done, memory_order_release);
	}
	rte_thread_unregister();
	return NULL;
}

static uint64_t
turn_of_other(void)
{
	uint32_t asked = atomic_fetch_add_explicit(&other.asked, 1, memory_order_acq_rel) + 1;

	while (atomic_load_explicit(&other.done, memory_order_acquire) != asked)
		rte_pause();
	return other.cycles;
}

static void
pin(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(thread, sizeof(set), &set);
}

static void
open_other(void)
{
	pin(pthread_self(), 0);
	if (pthread_create(&other.thread, NULL, run_other, NULL) != 0)
		wire_fail("there is no second thread");
	pin(other.thread, 1);
}

static void
close_other(void)
{
	atomic_store(&other.over, true);
	pthread_join(other.thread, NULL);
}

/* A burst of one packet per connection, which the card's hash brings to shard 0, with owner 0 or 1. */
static void
burst(enum traffic traffic, enum way way, uint32_t at)
{
	bool cores = way == WAY_MAILBOX_CORES || way == WAY_CID_CORES;

	for (uint32_t i = 0; i < BURST; i++) {
		if (traffic == TRAFFIC_PINGS)
			wire_client_ping(&wire.client, i);
		else
			wire_client_ask(&wire.client, i, wire.now_ns);
	}
	client_turn();
	ways[traffic][way][0][at] = turn_of(0);
	ways[traffic][way][1][at] = cores ? turn_of_other() : turn_of(1);
	client_turn();
	settle(0);
}

static void
bursts(enum way way, uint32_t pass, uint32_t count)
{
	uint64_t before = wire_counter(&wire, 0, SHARD_DATAGRAMS_HANDED);

	/* The first warms up. */
	for (int traffic = 0; traffic < TRAFFIC_COUNT; traffic++)
		for (uint32_t i = 0; i <= count; i++)
			burst((enum traffic)traffic, way, pass * count + (i > 0 ? i - 1 : 0));
	if ((wire_counter(&wire, 0, SHARD_DATAGRAMS_HANDED) > before) !=
		(way == WAY_MAILBOX || way == WAY_MAILBOX_CORES))
		wire_fail("packets went another way than they should");
}

static void
move_burst(uint16_t target)
{
	uint32_t moved = 0;

	if (wire_owner(&wire, 0) == target)
		return;
	ask_to_move(0, BURST, target);
	for (int i = 0; i < 100 && moved < BURST; i++) {
		wire_pass(&wire, 100 * BASE_US);
		moved += take_results();
	}
	if (moved < BURST)
		wire_fail("a move does not end");
	rest(target, BASE_SECOND, 5 * BASE_MS);
}

static void
print_way(enum traffic traffic, enum way way, uint32_t count, double local)
{
	static const char *const names[WAY_COUNT] = {"local", "passed on by mailbox, after a move",
		"brought by its ID (cid), after a move", "mailbox, the owner on another CPU",
		"cid, the owner on another CPU"};
	static uint64_t sums[ROUNDS_MAX];
	uint64_t(*cycles)[ROUNDS_MAX] = ways[traffic][way];

	for (uint32_t i = 0; i < count; i++)
		sums[i] = cycles[0][i] + cycles[1][i];
	sort(sums, count);
	sort(cycles[0], count);
	sort(cycles[1], count);
	printf("move   %-38s %6.0f cycles a packet received (least %6.0f), of them on the receiving shard %5.0f, on the other %5.0f",
		names[way], (double)sums[count / 2] / BURST, (double)sums[0] / BURST,
		(double)cycles[0][count / 2] / BURST, (double)cycles[1][count / 2] / BURST);
	printf("  %.2f of local\n", local > 0 ? (double)sums[count / 2] / local : 1.0);
}

static double
median_of(enum traffic traffic, enum way way, uint32_t count)
{
	static uint64_t sums[ROUNDS_MAX];

	for (uint32_t i = 0; i < count; i++)
		sums[i] = ways[traffic][way][0][i] + ways[traffic][way][1][i];
	sort(sums, count);
	return (double)sums[count / 2];
}

static void
measure_ways(void)
{
	static const char *const names[TRAFFIC_COUNT] = {"PINGs", "HTTP/3 requests of 512 octets"};
	enum { PER_PASS = 8 };
	uint32_t passes = rounds / PER_PASS + 1;

	open_other();
	for (uint32_t i = 0; i < passes; i++) {
		wire_steer(&wire, false);
		move_burst(0);
		bursts(WAY_LOCAL, i, PER_PASS);
		move_burst(1);
		bursts(WAY_MAILBOX, i, PER_PASS);
		bursts(WAY_MAILBOX_CORES, i, PER_PASS);
		wire_steer(&wire, true);
		bursts(WAY_CID, i, PER_PASS);
		bursts(WAY_CID_CORES, i, PER_PASS);
	}
	close_other();
	for (int traffic = 0; traffic < TRAFFIC_COUNT; traffic++) {
		double local = median_of((enum traffic)traffic, WAY_LOCAL, passes * PER_PASS);

		printf("move bursts of %u %s, both shards' turns (medians of %u bursts each, in turn)\n",
			BURST, names[traffic], passes * PER_PASS);
		for (int way = 0; way < (sysconf(_SC_NPROCESSORS_ONLN) > 1 ? WAY_COUNT : WAY_MAILBOX_CORES);
			way++)
			print_way((enum traffic)traffic, (enum way)way, passes * PER_PASS, local);
	}
}

int
main(int count, char **items)
{
	static const struct wire_task task = {.name = "move",
		.alpn = "h3",
		.path = "/small",
		.connections = CONNECTIONS,
		.total = CONNECTIONS,
		.driven = true};

	/* Each goes there and comes back. */
	rounds = count > 1 ? (uint32_t)atoi(items[1]) & ~1U : ROUNDS;
	base_assert(rounds >= 8 && rounds <= ROUNDS_MAX - 8);
	printf("move %s, the wire hands over pointers\n",
		wire_eal_open("bench_move", 2, true) ? "2 MB hugepages" : "no hugepages");
	wire_open(&wire, &(struct wire_shape){.shards = 2, .clear = true});
	wire.client.queue = 0;
	wire_begin(&wire, &task);
	wire_rest(&wire, BASE_SECOND);
	wire_steer(&wire, true);
	measure_cost(1);
	measure_cost(BURST);
	measure_rate();
	measure_ways();
	wire_end(&wire);
	wire_close(&wire);
	rte_eal_cleanup();
	return 0;
}
