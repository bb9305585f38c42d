/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Small HTTP/3 requests under a load that is skewed as a Zipf distribution skews it, over four shards, without the manager's rebalancing and
 * with it: how long requests take, from when they were due to when their answer has come, and how busy each shard is over time.
 *
 * Requests come at random moments (Poisson), each on a connection drawn by Zipf's law: the r-th most popular one has 1/r of what the
 * first has. Connections lie where the card's hash put them. The rate is found first: that at which the busiest shard is busy for
 * PERMILLE (800) of its time. Whoever has to wait does not make the next one wait to be asked for.
 *
 * Time is that of perf/lockstep.h. The manager is lib/manager's own (rebalance.h), with its own defaults but for the window.
 *
 * The machine's speed changes from one second to the next. So there are two processes, twins but for the manager, which take turns of a
 * millisecond at the very same requests, on the same CPU. Before the manager is switched on their ratios should be 1: that is the error.
 *
 *   bench_skew [FILE [SEEDS [PERMILLE]]]: also writes the load of the quietest run to FILE, for perf/plot_load.
 */
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal.h>

#include "base/assert.h"
#include "base/random.h"
#include "base/time.h"
#include "manager/rebalance.h"
#include "perf/histogram.h"
#include "perf/lockstep.h"

enum {
	SHARDS = 4,
	CONNECTIONS = 256,
	SEEDS = 5,
	SEEDS_MAX = 64,
	BUSY_PERMILLE = 800,
	TRIALS = 6,
	MOVES_MAX = 4096
};

#define TRIAL_NS (20 * BASE_MS)
#define WINDOW_NS (25 * BASE_MS)
#define LOOK_NS BASE_MS /* the manager looks for answers and results */
#define BIN_NS (5 * BASE_MS)
#define OFF_NS (200 * BASE_MS)
/* From here on the manager has had its time. */
#define SETTLED_NS (500 * BASE_MS)
#define END_NS (700 * BASE_MS)
#define SLICE_NS BASE_MS /* before the other twin has its turn */
enum { BINS = END_NS / BIN_NS, SLICES_PER_BIN = BIN_NS / SLICE_NS, QUANTILES = 3 };

enum phase { PHASE_BEFORE, PHASE_MOVING, PHASE_AFTER, PHASE_COUNT };

struct run {
	struct base_random random;
	double requests_per_ns;
	double cumulated[CONNECTIONS]; /* by rank */
	uint32_t connections[CONNECTIONS];
	double next_ns; /* of the next request, since the beginning */
	struct perf_histogram latency[PHASE_COUNT];
	uint64_t phase_busy[PHASE_COUNT][SHARDS], phase_cycles[PHASE_COUNT];

	/* The manager. */
	struct manager_rebalance rebalance;
	uint64_t look_ns, window_ns;
	uint32_t window, asked, done;
	double moved_ms[MOVES_MAX];

	/* What is drawn. */
	struct perf_histogram bin_latency;
	double bin_load[BINS][SHARDS], bin_us[BINS][QUANTILES];
	uint64_t bin_busy[SHARDS];
	uint32_t bin;
	uint64_t turns, interrupted;
};

static const uint64_t quantiles[] = {500000, 990000, 999000};
enum { P99 = 1 };

enum twin { TWIN_WITHOUT, TWIN_WITH, TWIN_COUNT };

static struct wire wire;
static struct lockstep lockstep;
static uint16_t homes[CONNECTIONS]; /* where the hash put them */

/* The twins: what both can see, which one this process is, and a pipe for each to wait at. */
static struct run *runs;
static enum twin self;
static int pipes[TWIN_COUNT][2];

static uint32_t busy_permille = BUSY_PERMILLE;

/* ---- the load ---- */

static double
uniform(struct base_random *random)
{
	return ((double)(base_random_next(random) >> 11) + 0.5) * 0x1p-53;
}

/* Which connection has which rank, and what all up to it are asked for. */
static void
draw_ranks(struct run *to)
{
	double sum = 0;

	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		uint32_t at = (uint32_t)base_random_below(&to->random, i + 1);

		to->connections[i] = to->connections[at];
		to->connections[at] = i;
		sum += 1.0 / (i + 1);
		to->cumulated[i] = sum;
	}
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		to->cumulated[i] /= sum;
}

static uint32_t
draw_connection(struct run *of)
{
	double drawn = uniform(&of->random);
	uint32_t low = 0, high = CONNECTIONS - 1;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (of->cumulated[middle] < drawn)
			low = middle + 1;
		else
			high = middle;
	}
	return of->connections[low];
}

static void
ask_due(struct run *of, uint64_t now_ns)
{
	while ((uint64_t)of->next_ns + lockstep.start_ns <= now_ns) {
		uint64_t due_ns = lockstep.start_ns + (uint64_t)of->next_ns;

		if (due_ns > wire.now_ns)
			wire.now_ns = due_ns;
		wire_client_ask(&wire.client, draw_connection(of), due_ns);
		wire_client_turn(&wire.client, wire.now_ns);
		of->next_ns -= log(uniform(&of->random)) / of->requests_per_ns;
	}
}

/* ---- the manager ---- */

static void
take_results(struct run *of, uint64_t now_ns)
{
	struct shard_control_move result;

	while (shard_group_next_result(wire.server.group, &result)) {
		bool moved = result.outcome == SHARD_MOVE_DONE;

		if (moved && of->done < MOVES_MAX)
			of->moved_ms[of->done++] = (double)(now_ns - lockstep.start_ns) / BASE_MS;
		manager_rebalance_on_result(&of->rebalance, result.handle, moved, now_ns);
	}
}

static void
decide(struct run *of, uint64_t now_ns)
{
	static const bool leaving[SHARDS];
	static const int sockets[SHARDS];
	const struct shard_load_report *reports[SHARDS];
	struct manager_policy_move moves[MANAGER_POLICY_MOVES_MAX];
	struct manager_window window = {.now_ns = now_ns,
		.in_flight = wire.server.group->moves_in_flight,
		.shard_count = SHARDS,
		.reports = reports,
		.leaving = leaving,
		.sockets = sockets};
	uint32_t count;

	for (uint16_t i = 0; i < SHARDS; i++) {
		reports[i] = shard_group_take_load(wire.server.group, i);
		if (reports[i] == NULL)
			return;
	}
	of->asked = 0;
	count = manager_rebalance_window(&of->rebalance, &window, moves, MANAGER_POLICY_MOVES_MAX);
	for (uint32_t i = 0; i < count; i++)
		if (shard_group_move(wire.server.group, moves[i].handle, moves[i].to, i) != SHARD_MOVE_ASKED)
			manager_rebalance_on_result(&of->rebalance, moves[i].handle, false, now_ns);
}

/* When all shards have come so far. */
static void
manage(struct run *of, uint64_t now_ns)
{
	if (now_ns < of->look_ns)
		return;
	of->look_ns += LOOK_NS;
	manager_rebalance_switch(&of->rebalance, self == TWIN_WITH && now_ns - lockstep.start_ns >= OFF_NS);
	take_results(of, now_ns);
	if (of->asked != 0)
		decide(of, now_ns);
	if (now_ns < of->window_ns)
		return;
	of->window_ns += WINDOW_NS;
	of->asked = ++of->window;
	shard_group_ask_load(wire.server.group, of->asked);
}

/* ---- one run ---- */

static enum phase
phase_at(uint64_t passed_ns)
{
	return passed_ns < OFF_NS ? PHASE_BEFORE : passed_ns < SETTLED_NS ? PHASE_MOVING : PHASE_AFTER;
}

/* At the end of a bin: what there was in it. */
static void
end_bin(struct run *of)
{
	double cycles = (double)BIN_NS / lockstep.ns_per_cycle;
	enum phase phase = phase_at(of->bin * BIN_NS);

	for (uint16_t i = 0; i < SHARDS; i++) {
		uint64_t busy = lockstep.busy[i] - of->bin_busy[i];

		of->bin_load[of->bin][i] = (double)busy / cycles;
		of->phase_busy[phase][i] += busy;
		of->bin_busy[i] = lockstep.busy[i];
	}
	of->phase_cycles[phase] += (uint64_t)cycles;
	for (int i = 0; i < QUANTILES; i++)
		of->bin_us[of->bin][i] =
			(double)perf_histogram_quantile(&of->bin_latency, quantiles[i]) / BASE_US;
	for (uint32_t i = 0; i < sizeof(of->bin_latency.buckets) / sizeof(of->bin_latency.buckets[0]); i++)
		of->latency[phase].buckets[i] += of->bin_latency.buckets[i];
	of->latency[phase].count += of->bin_latency.count;
	perf_histogram_clear(&of->bin_latency);
	of->bin++;
}

/* Requests and turns until all shards have come so far. */
static void
run_until(struct run *of, uint64_t end_ns, bool managed)
{
	while (true) {
		uint16_t shard = lockstep_next(&lockstep);
		uint64_t now_ns = lockstep_now_ns(&lockstep, shard);

		if (now_ns >= end_ns)
			return;
		ask_due(of, now_ns);
		if (managed)
			manage(of, now_ns);
		lockstep_turn(&lockstep, shard, lockstep.start_ns + (uint64_t)of->next_ns + 1);
	}
}

/* How busy the busiest shard is at this rate, in permille. */
static double
try_rate(struct run *of)
{
	uint64_t largest = 0;

	lockstep_init(&lockstep, &wire);
	of->next_ns = 0;
	run_until(of, lockstep.start_ns + TRIAL_NS, false);
	for (uint16_t i = 0; i < SHARDS; i++)
		largest = lockstep.busy[i] > largest ? lockstep.busy[i] : largest;
	/* No shard's clock is so far ahead; and what was asked for is answered. */
	wire.now_ns += BASE_MS;
	wire_pass(&wire, BASE_MS);
	return 1000 * (double)largest * lockstep.ns_per_cycle / TRIAL_NS;
}

/* Work grows less than the rate does, since bursts grow, so this comes from below. */
static void
find_rate(struct run *of)
{
	of->requests_per_ns = 0.5e-3;
	for (int i = 0; i < TRIALS; i++) {
		double wanted = busy_permille / try_rate(of);

		of->requests_per_ns *= wanted < 2 ? wanted : 2;
	}
}

/* What the manager has moved goes back to where the hash put it. */
static void
restore(void)
{
	struct shard_control_move result;

	for (uint32_t i = 0; i < CONNECTIONS; i++) {
		if (wire_owner(&wire, i) == homes[i])
			continue;
		if (shard_group_move(wire.server.group, wire_handle(&wire, i), homes[i], i) !=
			SHARD_MOVE_ASKED)
			wire_fail("a connection does not go back");
		wire_client_ping(&wire.client, i);
		wire_pass(&wire, 2 * BASE_MS);
		while (shard_group_next_result(wire.server.group, &result))
			if (result.outcome != SHARD_MOVE_DONE)
				wire_fail(shard_move_text((enum shard_move_outcome)result.outcome,
					(enum quic_move_verdict)result.verdict));
	}
	wire_rest(&wire, BASE_SECOND);
}

/* ---- twins ---- */

static void
await_turn(void)
{
	char octet;

	if (read(pipes[self][0], &octet, 1) != 1)
		wire_fail("the other twin has ended");
}

static void
give_turn(void)
{
	if (write(pipes[1 - self][1], "", 1) != 1)
		wire_fail("the other twin has ended");
}

/* The other one has a turn. */
static void
alternate(void)
{
	give_turn();
	await_turn();
}

/* To the last CPU, which has the fewest interrupts; the EAL has said otherwise. */
static void
pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((int)sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void
split(void)
{
	pid_t child;

	runs = mmap(NULL, TWIN_COUNT * sizeof(runs[0]), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	if (runs == MAP_FAILED || pipe(pipes[0]) != 0 || pipe(pipes[1]) != 0)
		wire_fail("there is no memory for twins");
	fflush(stdout);
	child = fork();
	if (child < 0)
		wire_fail("there is no second process");
	self = child == 0 ? TWIN_WITHOUT : TWIN_WITH;
	close(pipes[self][1]);
	close(pipes[1 - self][0]);
	if (self == TWIN_WITHOUT)
		await_turn();
}

/* The same for both twins, who are here at the same time; one is at work. */
static void
run_twin(uint64_t seed)
{
	struct run *of = &runs[self];

	memset(of, 0, sizeof(*of));
	base_random_init(&of->random, seed);
	draw_ranks(of);
	if (self == TWIN_WITH)
		find_rate(of);
	alternate();
	of->requests_per_ns = runs[TWIN_WITH].requests_per_ns;
	base_random_init(&of->random, ~seed);
	lockstep_init(&lockstep, &wire);
	of->next_ns = 0;
	of->look_ns = of->window_ns = wire.now_ns;
	manager_rebalance_init(&of->rebalance, &manager_policy_defaults, false, wire.now_ns);
	wire.client.latency = &of->bin_latency;
	while (of->bin < BINS) {
		for (int i = 1; i <= SLICES_PER_BIN; i++) {
			run_until(of, lockstep.start_ns + of->bin * BIN_NS + (uint64_t)i * SLICE_NS, true);
			alternate();
		}
		end_bin(of);
	}
	wire.client.latency = NULL;
	of->turns = lockstep.turns;
	of->interrupted = lockstep.interrupted;
	wire.now_ns += BASE_MS;
	/* Over the dwell time of all moves. */
	wire_rest(&wire, 10 * BASE_SECOND);
	restore();
	alternate();
}

/* ---- what it says ---- */

static void
write_bins(const char *file)
{
	const struct run *with = &runs[TWIN_WITH], *without = &runs[TWIN_WITHOUT];
	FILE *stream = fopen(file, "we");

	if (stream == NULL)
		wire_fail("the file of loads cannot be written");
	fprintf(stream, "# off_ms %.0f window_ms %.0f connections %u megahertz %.0f\n",
		(double)OFF_NS / BASE_MS, (double)WINDOW_NS / BASE_MS, CONNECTIONS,
		1e3 / lockstep.ns_per_cycle);
	for (uint32_t i = 0; i < BINS; i++) {
		fprintf(stream, "bin,%.1f,%.2f,%.2f", (double)(i * BIN_NS) / BASE_MS, with->bin_us[i][P99],
			without->bin_us[i][P99]);
		for (int shard = 0; shard < SHARDS; shard++)
			fprintf(stream, ",%.4f", with->bin_load[i][shard]);
		fprintf(stream, "\n");
	}
	for (uint32_t i = 0; i < with->done; i++)
		fprintf(stream, "move,%.2f\n", with->moved_ms[i]);
	fclose(stream);
}

/* The busiest shard's load, and as part of the mean. */
static double
busiest(const struct run *of, enum phase phase, double *mean)
{
	double largest = 0, sum = 0;

	for (int i = 0; i < SHARDS; i++) {
		double load = (double)of->phase_busy[phase][i] / (double)of->phase_cycles[phase];

		largest = load > largest ? load : largest;
		sum += load;
	}
	*mean = sum / SHARDS;
	return largest;
}

/* How much the mean of all shards' loads swings: that is the machine's doing, since the rate does not change. */
static double
swing(const struct run *of)
{
	double sum = 0, squares = 0;

	for (uint32_t i = 0; i < BINS; i++) {
		double mean = 0;

		for (int shard = 0; shard < SHARDS; shard++)
			mean += of->bin_load[i][shard] / SHARDS;
		sum += mean;
		squares += mean * mean;
	}
	return sqrt(squares * BINS / (sum * sum) - 1);
}

static double
quantile_us(enum twin twin, enum phase phase, int which)
{
	return (double)perf_histogram_quantile(&runs[twin].latency[phase], quantiles[which]) / BASE_US;
}

static void
print_twin(enum twin twin, enum phase phase)
{
	static const char *const names[TWIN_COUNT] = {"manager off", "manager on"};
	double mean, largest = busiest(&runs[twin], phase, &mean);

	printf("skew     %-12s busiest shard %4.1f %% busy, %.2f of the mean;  %7llu requests", names[twin],
		largest * 100, largest / mean, (unsigned long long)runs[twin].latency[phase].count);
	for (int i = 0; i < QUANTILES; i++)
		printf("  p%g %7.2f us", (double)quantiles[i] / 10000, quantile_us(twin, phase, i));
	printf("\n");
}

static void
print_run(uint64_t seed)
{
	static const char *const names[PHASE_COUNT] = {"before it is switched on", "while it moves", "after"};
	const struct run *with = &runs[TWIN_WITH];

	printf("skew seed %llu: %.0f requests/s, %u moves, %.2f %% of the turns interrupted, the mean load swings by %.1f %%\n",
		(unsigned long long)seed, with->requests_per_ns * 1e9, with->done,
		100 * (double)with->interrupted / (double)with->turns, swing(with) * 100);
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		printf("skew   %s\n", names[phase]);
		print_twin(TWIN_WITHOUT, (enum phase)phase);
		print_twin(TWIN_WITH, (enum phase)phase);
	}
	fflush(stdout);
}

static int
compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

/* On divided by off of the same requests at the same time, bin by bin. */
static struct ratios {
	uint32_t count;
	double values[QUANTILES][SEEDS_MAX * BINS];
} ratios[PHASE_COUNT];

static void
add_ratios(void)
{
	for (uint32_t bin = 0; bin < BINS; bin++) {
		struct ratios *to = &ratios[phase_at(bin * BIN_NS)];

		for (int i = 0; i < QUANTILES; i++)
			to->values[i][to->count] =
				runs[TWIN_WITH].bin_us[bin][i] / runs[TWIN_WITHOUT].bin_us[bin][i];
		to->count++;
	}
}

static void
print_ratios(const char *name, struct ratios *of)
{
	printf("skew manager on / off, %s, median of %u pairs of %.0f ms (quartiles):", name, of->count,
		(double)BIN_NS / BASE_MS);
	for (int i = 0; i < QUANTILES; i++) {
		qsort(of->values[i], of->count, sizeof(of->values[i][0]), compare);
		printf("  p%g %.2f (%.2f, %.2f)", (double)quantiles[i] / 10000, of->values[i][of->count / 2],
			of->values[i][of->count / 4], of->values[i][of->count * 3 / 4]);
	}
	printf("\n");
}

static void
run_all(uint32_t seeds, const char *file)
{
	double quietest = INFINITY;

	for (uint32_t seed = 1; seed <= seeds; seed++) {
		run_twin(seed);
		if (self == TWIN_WITHOUT)
			continue;
		print_run(seed);
		add_ratios();
		if (file == NULL || swing(&runs[TWIN_WITH]) >= quietest)
			continue;
		quietest = swing(&runs[TWIN_WITH]);
		write_bins(file);
	}
	if (self == TWIN_WITHOUT)
		return;
	print_ratios("before it is switched on", &ratios[PHASE_BEFORE]);
	print_ratios("after its moves", &ratios[PHASE_AFTER]);
}

int
main(int count, char **items)
{
	static const struct wire_task task = {.name = "skew",
		.alpn = "h3",
		.path = "/small",
		.connections = CONNECTIONS,
		.total = CONNECTIONS,
		.driven = true};
	uint32_t seeds = count > 2 ? (uint32_t)atoi(items[2]) : SEEDS;

	if (count > 3)
		busy_permille = (uint32_t)atoi(items[3]);
	base_assert(seeds > 0 && seeds <= SEEDS_MAX && busy_permille > 0);
	printf("skew %u shards in lockstep by one thread, no hugepages, the wire hands over pointers\n",
		SHARDS);
	split();
	wire_eal_open("bench_skew", SHARDS, false);
	pin();
	wire_open(&wire, &(struct wire_shape){.shards = SHARDS, .clear = true, .dwell_ns = BASE_SECOND});
	wire_begin(&wire, &task);
	wire_rest(&wire, BASE_SECOND);
	wire_steer(&wire, true);
	for (uint32_t i = 0; i < CONNECTIONS; i++)
		homes[i] = wire_owner(&wire, i);
	alternate();
	run_all(seeds, count > 1 ? items[1] : NULL);
	wire_end(&wire);
	wire_close(&wire);
	rte_eal_cleanup();
	if (self == TWIN_WITH) {
		give_turn();
		wait(NULL);
	}
	return 0;
}
