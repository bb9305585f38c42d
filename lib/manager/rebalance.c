/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/rebalance.h"

#include <string.h>

#include "base/assert.h"

/* A home keeps at least a tenth of what begins there, so that loads which are measured late do not swing. */
enum { WHOLE_PERMILLE = 1000, SENT_MAX_PERMILLE = 900 };

void
manager_rebalance_init(struct manager_rebalance *rebalance, const struct manager_policy_limits *limits,
	bool on, uint64_t now_ns)
{
	memset(rebalance, 0, sizeof(*rebalance));
	rebalance->on = on;
	manager_policy_init(&rebalance->policy, limits, now_ns);
}

void
manager_rebalance_switch(struct manager_rebalance *rebalance, bool on)
{
	if (on == rebalance->on)
		return;
	rebalance->on = on;
	/* What was seen before the pause says nothing. */
	memset(rebalance->policy.domains, 0, sizeof(rebalance->policy.domains));
}

/* ---- a window's reports ---- */

static uint64_t
part(uint64_t whole, uint64_t count, uint64_t of)
{
	return of == 0 ? 0 : (uint64_t)((unsigned __int128)whole * count / of);
}

/* More sockets than there are domains share them; a socket that is not known is the first. */
static uint16_t
domain_of(int socket)
{
	return socket < 0 ? 0 : (uint16_t)(socket % MANAGER_POLICY_DOMAINS_MAX);
}

static void
read_report(struct manager_rebalance *rebalance, uint16_t index, const struct shard_load_report *report)
{
	struct manager_policy_shard *shard = &rebalance->shards[index];
	uint64_t cycles = report->busy_cycles + report->idle_cycles;
	uint64_t parts = part(MANAGER_WINDOW_PARTS, report->busy_cycles, cycles);

	base_assert(report->count <= SHARD_LOAD_HEAVY_MAX);
	shard->usable = cycles > 0;
	manager_smooth(&rebalance->loads[index], parts);
	shard->busy_cycles = rebalance->loads[index].parts;
	manager_known_take(&rebalance->known[index], report, parts);
	manager_known_heaviest(&rebalance->known[index], shard);
}

/* Of a port, what the shard's own connections make of the buckets that lead to it. */
static void
read_buckets(struct manager_rebalance *rebalance, uint16_t index, const struct shard_load_report *report,
	const struct manager_bucket_port *port)
{
	base_assert(port->port < SHARD_PORTS_MAX && port->count <= NET_RSS_RETA_MAX);
	if (report->bucket_counts[port->port] != port->count)
		return;
	for (uint16_t i = 0; i < port->count; i++) {
		uint32_t weight = report->buckets[port->port][i];

		if (weight == 0 || port->shards[i] != index || rebalance->bucket_count == MANAGER_BUCKETS_MAX)
			continue;
		rebalance->buckets[rebalance->bucket_count++] =
			(struct manager_policy_bucket){.port = port->port,
				.number = i,
				.shard = index,
				.cycles = part(rebalance->shards[index].busy_cycles, weight, report->weight),
				.moved_ns = port->moved_ns[i]};
	}
}

static void
read_window(struct manager_rebalance *rebalance, const struct manager_window *window)
{
	base_assert(window->shard_count <= MANAGER_POLICY_SHARDS_MAX);
	rebalance->shard_count = window->shard_count;
	rebalance->bucket_count = 0;
	for (uint16_t i = 0; i < window->shard_count; i++) {
		struct manager_policy_shard *shard = &rebalance->shards[i];

		shard->socket = domain_of(window->sockets[i]);
		shard->usable = false;
		shard->count = 0;
		shard->busy_cycles = 0;
		if (window->reports[i] == NULL) {
			rebalance->loads[i].windows = 0;
			rebalance->known[i].count = 0;
			continue;
		}
		read_report(rebalance, i, window->reports[i]);
		for (uint16_t j = 0; j < window->bucket_port_count; j++)
			read_buckets(rebalance, i, window->reports[i], &window->bucket_ports[j]);
	}
}

/* ---- what has moved ---- */

static void
carry_over(struct manager_rebalance *rebalance, uint16_t from, uint16_t to, uint64_t parts)
{
	struct manager_smoothed *loads = rebalance->loads;

	if (parts > loads[from].parts)
		parts = loads[from].parts;
	loads[from].parts -= parts;
	loads[to].parts += parts;
}

static void
note_decided(struct manager_rebalance *rebalance, const struct manager_policy_move *move)
{
	/* A bucket has moved when the next window begins, and brings no result. */
	if (move->is_bucket) {
		carry_over(rebalance, move->from, move->to, move->cycles);
		return;
	}
	base_assert(rebalance->pending_count < MANAGER_POLICY_MOVES_MAX);
	rebalance->pending[rebalance->pending_count++] =
		(struct manager_rebalance_move){move->handle, move->from, move->to, move->cycles};
}

uint32_t
manager_rebalance_window(struct manager_rebalance *rebalance, const struct manager_window *window,
	struct manager_policy_move *moves, uint32_t room)
{
	struct manager_policy_shard in_use[MANAGER_POLICY_SHARDS_MAX];
	struct manager_policy_sample sample = {.now_ns = window->now_ns,
		.window_cycles = MANAGER_WINDOW_PARTS,
		.in_flight = window->in_flight,
		.shard_count = window->shard_count,
		.bucket_count = 0,
		.shards = in_use};
	uint32_t count;

	read_window(rebalance, window);
	rebalance->windows++;
	if (!rebalance->on)
		return 0;
	memcpy(in_use, rebalance->shards, window->shard_count * sizeof(in_use[0]));
	for (uint16_t i = 0; i < window->shard_count; i++)
		in_use[i].usable = in_use[i].usable && !window->leaving[i];
	sample.bucket_count = rebalance->bucket_count;
	sample.buckets = rebalance->buckets;
	count = manager_policy_decide(&rebalance->policy, &sample, moves, room);
	for (uint32_t i = 0; i < count; i++)
		note_decided(rebalance, &moves[i]);
	return count;
}

void
manager_rebalance_on_result(
	struct manager_rebalance *rebalance, struct quic_handle handle, bool moved, uint64_t now_ns)
{
	manager_policy_on_result(&rebalance->policy, handle, moved, now_ns);
	for (uint32_t i = 0; i < rebalance->pending_count; i++) {
		struct manager_rebalance_move move = rebalance->pending[i];

		if (move.handle.slot != handle.slot || move.handle.generation != handle.generation)
			continue;
		rebalance->pending[i] = rebalance->pending[--rebalance->pending_count];
		if (!moved)
			return;
		carry_over(rebalance, move.from, move.to, move.parts);
		manager_known_move(&rebalance->known[move.from], &rebalance->known[move.to], handle, now_ns);
		return;
	}
}

/* ---- where what is new begins ---- */

uint16_t
manager_rebalance_least(
	const struct manager_rebalance *rebalance, const bool *leaving, const uint64_t *loads, uint16_t home)
{
	const struct manager_policy_shard *shards = rebalance->shards;
	uint16_t none = rebalance->shard_count, near = none, far = none;

	for (uint16_t i = 0; i < rebalance->shard_count; i++) {
		if (i == home || !shards[i].usable || leaving[i])
			continue;
		if (far == none || loads[i] < loads[far])
			far = i;
		if (shards[i].socket == shards[home].socket && (near == none || loads[i] < loads[near]))
			near = i;
	}
	return near != none ? near : far;
}

/* The mean of those that `home` may exchange connections with, itself among them. */
static uint64_t
mean_around(const struct manager_rebalance *rebalance, const bool *leaving, uint16_t home)
{
	uint64_t sum = 0, count = 0;

	for (uint16_t i = 0; i < rebalance->shard_count; i++) {
		const struct manager_policy_shard *shard = &rebalance->shards[i];

		if (!shard->usable || leaving[i] ||
			(shard->socket != rebalance->shards[home].socket &&
				!rebalance->policy.limits.across_sockets))
			continue;
		sum += shard->busy_cycles;
		count++;
	}
	return count == 0 ? 0 : sum / count;
}

/* A part as large as what the shard has above the mean; 0: it is not clearly above it. */
static uint32_t
part_to_send(const struct manager_rebalance *rebalance, const bool *leaving, uint16_t home)
{
	const struct manager_policy_limits *limits = &rebalance->policy.limits;
	const struct manager_policy_shard *shard = &rebalance->shards[home];
	uint64_t mean = mean_around(rebalance, leaving, home), permille;

	if (!rebalance->on || !shard->usable ||
		shard->busy_cycles < part(MANAGER_WINDOW_PARTS, limits->least_permille, WHOLE_PERMILLE) ||
		shard->busy_cycles <= part(mean, limits->high_permille, WHOLE_PERMILLE))
		return 0;
	permille = part(WHOLE_PERMILLE, shard->busy_cycles - mean, shard->busy_cycles);
	return permille < SENT_MAX_PERMILLE ? (uint32_t)permille : SENT_MAX_PERMILLE;
}

/* A target beyond the socket is for those that leave only, unless it is allowed. */
static bool
may_send(const struct manager_rebalance *rebalance, const bool *leaving, uint16_t home, uint16_t target)
{
	return target < rebalance->shard_count &&
		(leaving[home] || rebalance->policy.limits.across_sockets ||
			rebalance->shards[home].socket == rebalance->shards[target].socket);
}

void
manager_rebalance_place(
	const struct manager_rebalance *rebalance, const bool *leaving, struct manager_placement *placements)
{
	uint64_t loads[MANAGER_POLICY_SHARDS_MAX];

	for (uint16_t i = 0; i < rebalance->shard_count; i++)
		loads[i] = rebalance->shards[i].busy_cycles;
	for (uint16_t home = 0; home < rebalance->shard_count; home++) {
		uint32_t permille = leaving[home] ? WHOLE_PERMILLE : part_to_send(rebalance, leaving, home);
		uint16_t target = manager_rebalance_least(rebalance, leaving, loads, home);

		placements[home] = (struct manager_placement){.target = home};
		if (permille == 0 || !may_send(rebalance, leaving, home, target))
			continue;
		placements[home] = (struct manager_placement){.target = target, .permille = permille};
		/* Several homes do not all choose the same, even where all are idle. */
		loads[target] += part(rebalance->shards[home].busy_cycles, permille, WHOLE_PERMILLE) + 1;
	}
}

/* ---- what others want to see ---- */

uint32_t
manager_rebalance_permille(const struct manager_rebalance *rebalance, uint16_t shard, uint64_t parts)
{
	base_assert(shard < MANAGER_POLICY_SHARDS_MAX);
	return (uint32_t)part(WHOLE_PERMILLE, parts, rebalance->shards[shard].busy_cycles);
}

/* Into its place among the heaviest: [0, count) is sorted, and what no longer fits is left out. */
static uint32_t
insert(struct manager_heavy *heavy, uint32_t count, uint32_t room, const struct manager_heavy *one)
{
	uint32_t at = count;

	while (at > 0 && heavy[at - 1].permille < one->permille)
		at--;
	if (at == room)
		return count;
	count = count < room ? count + 1 : room;
	memmove(&heavy[at + 1], &heavy[at], (count - 1 - at) * sizeof(*heavy));
	heavy[at] = *one;
	return count;
}

uint32_t
manager_rebalance_heavy(const struct manager_rebalance *rebalance, struct manager_heavy *heavy, uint32_t room)
{
	uint32_t count = 0;

	for (uint16_t i = 0; i < rebalance->shard_count; i++)
		for (uint16_t j = 0; j < rebalance->shards[i].count; j++) {
			const struct manager_policy_connection *connection = &rebalance->shards[i].heavy[j];
			struct manager_heavy one = {.handle = connection->handle,
				.shard = i,
				.permille = manager_rebalance_permille(rebalance, i, connection->cycles),
				.movable = connection->movable};

			count = insert(heavy, count, room, &one);
		}
	return count;
}
