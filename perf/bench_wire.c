/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a packet, a request, a handshake and an idle turn cost the server, from the port's receive to the port's send, and what an
 * idle connection takes of memory. The wire hands over pointers: it bounds the stack, not a network. perf/af_packet has the
 * neighbour of each figure over a port of the kernel.
 *
 *   bench_wire [TASK [ROUNDS]]: all tasks, or the one named, for a profiler.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mempool.h>

#include "base/assert.h"
#include "perf/wire.h"
#include "quic/conn_state.h"
#include "shard/state.h"

enum { ROUNDS = 5, IDLE_TURNS = 20000 };

static const struct wire_task tasks[] = {
	{"download_1", "hq-interop", "/large", .connections = 1, .total = 1, .requests = 4, .at_once = 1},
	{"download_16", "hq-interop", "/large", .connections = 16, .total = 16, .requests = 1, .at_once = 1},
	{"download_512", "hq-interop", "/large", .connections = 512, .total = 512, .requests = 1,
		.at_once = 1},
	{"download_h3_16", "h3", "/large", .connections = 16, .total = 16, .requests = 1, .at_once = 1},
	{"echo_16", "echo", .connections = 16, .total = 16, .requests = 1, .at_once = 1,
		.upload_bytes = 4 << 20},
	{"requests_h3", "h3", "/small", .connections = 64, .total = 64, .requests = 500, .at_once = 4},
	{"requests_h3_512", "h3", "/small", .connections = 512, .total = 512, .requests = 40, .at_once = 1},
	{"requests_hq", "hq-interop", "/small", .connections = 64, .total = 64, .requests = 500,
		.at_once = 4},
	{"request_and_handshake", "h3", "/small", .connections = 32, .total = 1000, .requests = 1,
		.at_once = 1, .handshake = true},
	{"handshakes", "h3", "/small", .connections = 32, .total = 1000, .handshake = true},
};
enum { TASKS = sizeof(tasks) / sizeof(tasks[0]) };

static struct wire wire;
static double ns_per_cycle;

static double
ns_of(uint64_t cycles)
{
	return (double)cycles * ns_per_cycle;
}

static uint64_t
all_cycles(const struct wire_figures *figures)
{
	uint64_t sum = 0;

	for (int i = 0; i < WIRE_STAGE_COUNT; i++)
		sum += figures->cycles[i];
	return sum;
}

static int
compare(const void *a, const void *b)
{
	uint64_t left = all_cycles(a), right = all_cycles(b);

	return left < right ? -1 : left > right;
}

static void
print(const struct wire_task *task, const struct wire_figures *quiet, const struct wire_figures *median)
{
	uint64_t cycles = all_cycles(quiet);
	double seconds = ns_of(cycles) / 1e9;

	printf("wire %-22s %7llu received %7llu sent  receive %6.0f cycles %6.1f ns a packet  send %6.0f cycles %6.1f ns a packet"
	       "  serve %5.1f expire %4.1f ns a packet sent  all %6.1f ns a packet sent (median round %6.1f)\n",
		task->name, (unsigned long long)quiet->received, (unsigned long long)quiet->sent,
		(double)quiet->cycles[WIRE_RECEIVE] / (double)quiet->received,
		ns_of(quiet->cycles[WIRE_RECEIVE]) / (double)quiet->received,
		(double)quiet->cycles[WIRE_SEND] / (double)quiet->sent,
		ns_of(quiet->cycles[WIRE_SEND]) / (double)quiet->sent,
		ns_of(quiet->cycles[WIRE_SERVE]) / (double)quiet->sent,
		ns_of(quiet->cycles[WIRE_EXPIRE]) / (double)quiet->sent, ns_of(cycles) / (double)quiet->sent,
		ns_of(all_cycles(median)) / (double)median->sent);
	printf("wire %-22s per core:", task->name);
	if (quiet->payload_octets > (1 << 20))
		printf("  goodput %.2f Gbit/s", (double)quiet->payload_octets * 8 / seconds / 1e9);
	if (task->requests > 4 || (task->handshake && task->requests > 0))
		printf("  requests %.0f/s", (double)quiet->answered / seconds);
	if (task->handshake)
		printf("  connections %.0f/s, %.1f us each", (double)quiet->closed / seconds,
			seconds * 1e6 / (double)quiet->closed);
	printf("\n");
}

/* With the program's own turns: control messages, moves and accounts of load are in them. */
static void
print_whole(const struct wire_task *task, const struct wire_figures *quiet, const struct wire_figures *median)
{
	printf("wire %-22s whole turns: all %6.1f ns a packet sent (median round %6.1f)\n", task->name,
		ns_of(all_cycles(quiet)) / (double)quiet->sent,
		ns_of(all_cycles(median)) / (double)median->sent);
}

static void
measure(const struct wire_task *task, unsigned rounds, bool whole)
{
	struct wire_figures figures[64];

	base_assert(rounds > 0 && rounds <= 64);
	wire.whole = whole;
	for (unsigned i = 0; i < rounds; i++) {
		wire_run(&wire, task);
		figures[i] = wire.figures;
	}
	qsort(figures, rounds, sizeof(figures[0]), compare);
	(whole ? print_whole : print)(task, &figures[0], &figures[rounds / 2]);
}

static int
compare_cycles(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* Turns of the program itself, its clock and its neighbours included, in which nothing comes. */
static void
measure_idle(uint32_t connections)
{
	static uint64_t cycles[IDLE_TURNS];

	tls_memory_bind(wire.server.seats[0].tls_memory);
	wire.server.shard->clock = wire.server.group->clock;
	for (int i = 0; i < IDLE_TURNS; i++) {
		uint64_t start = shard_clock_cycles();

		shard_turn(wire.server.shard);
		cycles[i] = shard_clock_cycles() - start;
	}
	tls_memory_bind(NULL);
	qsort(cycles, IDLE_TURNS, sizeof(cycles[0]), compare_cycles);
	printf("wire idle turn, %4u connections: %.0f cycles, %.1f ns (median of %d)\n", connections,
		(double)cycles[IDLE_TURNS / 2], ns_of(cycles[IDLE_TURNS / 2]), IDLE_TURNS);
}

/* What connections hold that have nothing to do, and what is configured for each. */
static void
measure_memory(void)
{
	static const char *const names[QUIC_POOL_COUNT] = {[QUIC_POOL_HANDSHAKE] = "handshake",
		[QUIC_POOL_STREAM] = "stream",
		[QUIC_POOL_CHUNK] = "chunk",
		[QUIC_POOL_SENT] = "sent"};
	static const struct wire_task task = {.alpn = "h3",
		.path = "/small",
		.connections = 512,
		.total = 512,
		.requests = 4,
		.at_once = 2};
	struct quic_limits one = wire_limits(), many = one;
	const uint32_t more = 1 << 20;
	size_t slot = quic_endpoint_slot_bytes(), words, tables, h3, per = 0;

	wire.whole = false;
	measure_idle(0);
	wire_begin(&wire, &task);
	for (int i = 0; i < 3000; i++) {
		wire_client_turn(&wire.client, wire.now_ns);
		wire_server_turn(&wire);
		wire.now_ns += 20000;
	}
	for (int i = 0; i < QUIC_POOL_COUNT; i++) {
		unsigned used = rte_mempool_in_use_count(wire.server.group->pools[i]);

		if (i == QUIC_POOL_CHUNK && used >= one.chunks_in_stock)
			used -= one.chunks_in_stock; /* the shard's, not a connection's */
		per += (size_t)used * quic_endpoint_pool_bytes((enum quic_pool)i) / task.connections;
		printf("wire memory: pool %-9s %5u octets an element, %u in use by %u idle connections\n",
			names[i], quic_endpoint_pool_bytes((enum quic_pool)i), used, task.connections);
	}
	measure_idle(task.connections);
	wire_end(&wire);
	one.connections = 1;
	many.connections = 1 + more;
	words = (quic_slots_memory_bytes(1 + more, 1) - quic_slots_memory_bytes(1, 1)) / more;
	tables = (quic_endpoint_bytes(&many) - quic_endpoint_bytes(&one)) / more;
	h3 = http3_pool_bytes(HTTP3_POOL_CONN, &(struct http3_limits){0});
	printf("wire memory per idle connection: slot %zu (struct quic_conn %zu) + words %zu + tables %zu + held of pools %zu = %zu octets;"
	       " HTTP/3 + %zu = %zu\n",
		slot, sizeof(struct quic_conn), words, tables, per, slot + words + tables + per, h3,
		slot + words + tables + per + h3);
}

int
main(int count, char **items)
{
	bool hugepages = wire_eal_open("bench_wire", 1, true);
	unsigned rounds = count > 2 ? (unsigned)atoi(items[2]) : ROUNDS;

	wire_open(&wire, &(struct wire_shape){.shards = 1});
	ns_per_cycle = 1e9 / (double)wire.server.group->clock.cycles_per_second;
	printf("wire %s, %.0f cycles a microsecond, %u rounds, the quietest shown; server's cycles alone\n",
		hugepages ? "2 MB hugepages" : "no hugepages", 1e3 / ns_per_cycle, rounds);
	for (unsigned i = 0; i < TASKS; i++)
		if (count < 2 || strcmp(items[1], tasks[i].name) == 0) {
			measure(&tasks[i], rounds, false);
			measure(&tasks[i], rounds, true);
		}
	if (count < 2 || strcmp(items[1], "memory") == 0)
		measure_memory();
	wire_close(&wire);
	rte_eal_cleanup();
	return 0;
}
