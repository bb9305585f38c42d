/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the account of a shard's load costs per datagram (shard/load.h), by how many connections take turns: with those of the table, and with
 * so many that each sample displaces another; and what a report costs. Medians over rounds, in ns; the loop over the datagrams
 * without the account is shown beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shard/load.h"

enum { BURST = 64, BURSTS_PER_ROUND = 256, ROUNDS = 301, DATAGRAMS = BURST * BURSTS_PER_ROUND };

struct bench {
	struct shard_load load;
	struct net_rss rss;
	uint32_t window;
	uint64_t sink;
	struct base_datagram datagrams[DATAGRAMS];
};

typedef void operation(struct bench *bench);

static uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void
walk(struct bench *bench)
{
	for (unsigned i = 0; i < DATAGRAMS; i++) {
		bench->sink += bench->datagrams[i].slot;
		__asm__ volatile("" ::: "memory");
	}
}

static void
receive(struct bench *bench)
{
	for (unsigned i = 0; i < DATAGRAMS; i++) {
		bench->sink += bench->datagrams[i].slot;
		shard_load_count(&bench->load, &bench->datagrams[i], SHARD_LOAD_RECEIVED);
		__asm__ volatile("" ::: "memory");
	}
}

static void
send(struct bench *bench)
{
	for (unsigned i = 0; i < DATAGRAMS; i++) {
		bench->sink += bench->datagrams[i].slot;
		shard_load_count(&bench->load, &bench->datagrams[i], SHARD_LOAD_SENT);
		__asm__ volatile("" ::: "memory");
	}
}

static void
report(struct bench *bench)
{
	const struct shard_load_sources sources = {.now_ns = 1};

	for (unsigned i = 0; i < DATAGRAMS; i++) {
		shard_load_ask(&bench->load, ++bench->window);
		shard_load_publish(&bench->load, &sources);
	}
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
measure(struct bench *bench, operation *run, unsigned rounds)
{
	double times[ROUNDS];

	for (unsigned i = 0; i < rounds; i++) {
		uint64_t start_ns = clock_ns();

		run(bench);
		times[i] = (double)(clock_ns() - start_ns) / DATAGRAMS;
	}
	qsort(times, rounds, sizeof(times[0]), compare);
	return times[rounds / 2];
}

static void
row(struct bench *bench, uint32_t connections, bool buckets)
{
	struct base_random random;
	double bare, received, sent;

	base_random_init(&random, 1);
	shard_load_init(&bench->load, 1, 0);
	if (buckets)
		shard_load_count_buckets(&bench->load, 0, 128, &bench->rss);
	for (unsigned i = 0; i < DATAGRAMS; i++)
		bench->datagrams[i] = (struct base_datagram){
			.slot = (uint32_t)base_random_below(&random, connections), .generation = 1};
	bare = measure(bench, walk, ROUNDS);
	received = measure(bench, receive, ROUNDS);
	sent = measure(bench, send, ROUNDS);
	printf("%8u connections%s  %5.2f received  %5.2f sent  (without: %4.2f)\n", connections,
		buckets ? ", buckets" : "         ", received, sent, bare);
}

int
main(void)
{
	struct bench *bench = aligned_alloc(64, (sizeof(*bench) + 63) / 64 * 64);

	if (bench == NULL)
		return 1;
	memset(bench, 0, sizeof(*bench));
	net_rss_init(&bench->rss, net_rss_key_default);
	printf("account of load, ns per datagram\n");
	row(bench, 1, false);
	row(bench, 16, false);
	row(bench, SHARD_LOAD_PLACES, false);
	row(bench, 100000, false);
	row(bench, 100000, true);
	shard_load_init(&bench->load, 1, 0);
	printf("an empty report  %6.1f\n", measure(bench, report, 11));
	if (bench->sink == 1)
		puts("");
	free(bench);
	return 0;
}
