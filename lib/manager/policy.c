/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/policy.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"

enum { WHOLE_PERMILLE = 1000, REST_PER_WAIT = 16 };

const struct manager_policy_limits manager_policy_defaults = {
	.high_permille = 1100,
	.low_permille = 1050,
	.least_permille = 200,
	.windows = 3,
	.moves_per_second = 64,
	.moves_in_flight = 16,
	.dwell_ns = 5 * BASE_SECOND,
};

/* One round of one domain. */
struct round {
	struct manager_policy *policy;
	const struct manager_policy_sample *sample;
	struct manager_policy_move *moves;
	uint32_t room;            /* in `moves` */
	uint32_t connection_room; /* of it, for connections: in flight */
	uint32_t count;

	uint64_t mean;
	uint64_t low_mark;
	bool member[MANAGER_POLICY_SHARDS_MAX];
	bool given_up[MANAGER_POLICY_SHARDS_MAX]; /* nothing there that would help */
	uint64_t loads[MANAGER_POLICY_SHARDS_MAX];
	uint64_t taken[MANAGER_POLICY_SHARDS_MAX]; /* a bit for each heavy connection that is in `moves` */
};

static uint64_t
permille(uint64_t value, uint32_t part)
{
	return value * part / WHOLE_PERMILLE;
}

void
manager_policy_init(
	struct manager_policy *policy, const struct manager_policy_limits *limits, uint64_t now_ns)
{
	base_assert(limits->high_permille > limits->low_permille && limits->low_permille > WHOLE_PERMILLE);
	base_assert(limits->windows > 0 && limits->moves_per_second > 0);
	base_assert(limits->moves_in_flight > 0 && limits->moves_in_flight <= MANAGER_POLICY_MOVES_MAX);
	memset(policy, 0, sizeof(*policy));
	policy->limits = *limits;
	policy->last_ns = now_ns;
	policy->budget_ns = BASE_SECOND;
}

static bool
same(struct quic_handle a, struct quic_handle b)
{
	return a.slot == b.slot && a.generation == b.generation;
}

static bool
rests(const struct manager_policy *policy, struct quic_handle handle, uint64_t now_ns)
{
	for (uint32_t i = 0; i < MANAGER_POLICY_RESTING_MAX; i++)
		if (policy->resting[i].until_ns > now_ns && same(policy->resting[i].handle, handle))
			return true;
	return false;
}

static bool
dwells(const struct manager_policy *policy, uint64_t moved_ns, uint64_t now_ns)
{
	return moved_ns != 0 && now_ns < moved_ns + policy->limits.dwell_ns;
}

/* ---- who exchanges with whom ---- */

static bool
is_member(const struct manager_policy *policy, const struct manager_policy_shard *shard, uint16_t domain)
{
	base_assert(shard->socket < MANAGER_POLICY_DOMAINS_MAX);
	return shard->usable && (policy->limits.across_sockets ? domain == 0 : shard->socket == domain);
}

/* False where nobody could exchange anything. */
static bool
gather(struct round *round, uint16_t domain)
{
	const struct manager_policy_sample *sample = round->sample;
	uint64_t sum = 0;
	uint16_t members = 0;

	for (uint16_t i = 0; i < sample->shard_count; i++) {
		round->member[i] = is_member(round->policy, &sample->shards[i], domain);
		round->loads[i] = sample->shards[i].busy_cycles;
		round->given_up[i] = false;
		if (!round->member[i])
			continue;
		sum += round->loads[i];
		members++;
	}
	if (members < 2)
		return false;
	round->mean = sum / members;
	round->low_mark = permille(round->mean, round->policy->limits.low_permille);
	return true;
}

/* The busiest that has not been given up; shard_count: there is none. */
static uint16_t
busiest(const struct round *round)
{
	uint16_t found = round->sample->shard_count;

	for (uint16_t i = 0; i < round->sample->shard_count; i++)
		if (round->member[i] && !round->given_up[i] &&
			(found == round->sample->shard_count || round->loads[i] > round->loads[found]))
			found = i;
	return found;
}

static uint16_t
least_busy(const struct round *round)
{
	uint16_t found = round->sample->shard_count;

	for (uint16_t i = 0; i < round->sample->shard_count; i++)
		if (round->member[i] &&
			(found == round->sample->shard_count || round->loads[i] < round->loads[found]))
			found = i;
	return found;
}

/* Above the high mark for long enough, until below the low mark. */
static bool
must_act(const struct round *round, struct manager_policy_domain *domain)
{
	const struct manager_policy_limits *limits = &round->policy->limits;
	uint64_t load = round->loads[busiest(round)];

	if (load < permille(round->sample->window_cycles, limits->least_permille) ||
		load <= round->low_mark) {
		*domain = (struct manager_policy_domain){0};
		return false;
	}
	if (load <= permille(round->mean, limits->high_permille))
		domain->windows_high = 0;
	else if (domain->windows_high < limits->windows)
		domain->windows_high++;
	domain->acting |= domain->windows_high == limits->windows;
	return domain->acting;
}

/* ---- what goes ---- */

/* What a shard can spare of this size, and the target bear. */
static bool
helps(const struct round *round, uint16_t from, uint16_t to, uint64_t cycles)
{
	uint64_t gain = round->low_mark - round->mean;

	return cycles > 0 && cycles <= round->loads[from] - round->mean &&
		round->loads[to] + cycles + gain <= round->loads[from];
}

static void
add(struct round *round, const struct manager_policy_move *move)
{
	struct manager_policy *policy = round->policy;

	round->moves[round->count++] = *move;
	round->loads[move->from] -= move->cycles;
	round->loads[move->to] += move->cycles;
	policy->budget_ns -= BASE_SECOND / policy->limits.moves_per_second;
}

static bool
has_room(const struct round *round)
{
	return round->count < round->room &&
		round->policy->budget_ns >= BASE_SECOND / round->policy->limits.moves_per_second;
}

static bool
bucket_is_taken(const struct round *round, const struct manager_policy_bucket *bucket)
{
	for (uint32_t i = 0; i < round->count; i++)
		if (round->moves[i].is_bucket && round->moves[i].port == bucket->port &&
			round->moves[i].number == bucket->number)
			return true;
	return false;
}

/* The largest bucket of `from` that helps. */
static bool
take_bucket(struct round *round, uint16_t from, uint16_t to)
{
	const struct manager_policy_sample *sample = round->sample;
	const struct manager_policy_bucket *best = NULL;

	for (uint16_t i = 0; i < sample->bucket_count; i++) {
		const struct manager_policy_bucket *bucket = &sample->buckets[i];

		if (bucket->shard == from && helps(round, from, to, bucket->cycles) &&
			(best == NULL || bucket->cycles > best->cycles) &&
			!dwells(round->policy, bucket->moved_ns, sample->now_ns) &&
			!bucket_is_taken(round, bucket))
			best = bucket;
	}
	if (best == NULL)
		return false;
	add(round,
		&(struct manager_policy_move){.is_bucket = true,
			.port = best->port,
			.number = best->number,
			.from = from,
			.to = to,
			.cycles = best->cycles});
	round->policy->settling = true;
	return true;
}

/* The largest connection of `from` that helps. */
static bool
take_connection(struct round *round, uint16_t from, uint16_t to)
{
	struct manager_policy *policy = round->policy;
	const struct manager_policy_shard *shard = &round->sample->shards[from];
	const struct manager_policy_connection *best = NULL;

	if (round->connection_room == 0)
		return false;
	base_assert(shard->count <= MANAGER_POLICY_HEAVY_MAX);
	for (uint16_t i = 0; i < shard->count; i++) {
		const struct manager_policy_connection *heavy = &shard->heavy[i];

		if (heavy->movable && (round->taken[from] >> i & 1) == 0 &&
			helps(round, from, to, heavy->cycles) &&
			(best == NULL || heavy->cycles > best->cycles) &&
			!dwells(policy, heavy->moved_ns, round->sample->now_ns) &&
			!rests(policy, heavy->handle, round->sample->now_ns))
			best = heavy;
	}
	if (best == NULL)
		return false;
	round->taken[from] |= UINT64_C(1) << (best - shard->heavy);
	round->connection_room--;
	policy->pending[policy->pending_count++] = best->handle;
	add(round,
		&(struct manager_policy_move){
			.handle = best->handle, .from = from, .to = to, .cycles = best->cycles});
	return true;
}

static void
even_out(struct round *round)
{
	while (has_room(round)) {
		uint16_t from = busiest(round), to = least_busy(round);

		if (from == round->sample->shard_count || round->loads[from] <= round->low_mark)
			return;
		if (!take_bucket(round, from, to) && !take_connection(round, from, to))
			round->given_up[from] = true;
	}
}

static void
refill(struct manager_policy *policy, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns - policy->last_ns;

	/* At most what a second allows comes at once. */
	policy->budget_ns =
		elapsed_ns >= BASE_SECOND - policy->budget_ns ? BASE_SECOND : policy->budget_ns + elapsed_ns;
	policy->last_ns = now_ns;
}

uint32_t
manager_policy_decide(struct manager_policy *policy, const struct manager_policy_sample *sample,
	struct manager_policy_move *moves, uint32_t room)
{
	struct round round = {.policy = policy, .sample = sample, .moves = moves, .room = room};
	uint32_t in_flight_max = policy->limits.moves_in_flight;

	base_assert(sample->shard_count <= MANAGER_POLICY_SHARDS_MAX && sample->now_ns >= policy->last_ns);
	refill(policy, sample->now_ns);
	if (policy->pending_count > 0)
		return 0;
	if (policy->settling) {
		policy->settling = false;
		return 0;
	}
	round.connection_room = sample->in_flight < in_flight_max ? in_flight_max - sample->in_flight : 0;
	for (uint16_t domain = 0; domain < MANAGER_POLICY_DOMAINS_MAX; domain++)
		if (gather(&round, domain) && must_act(&round, &policy->domains[domain]))
			even_out(&round);
	policy->decided_ns = sample->now_ns;
	return round.count;
}

void
manager_policy_on_result(
	struct manager_policy *policy, struct quic_handle handle, bool moved, uint64_t now_ns)
{
	for (uint32_t i = 0; i < policy->pending_count; i++) {
		if (!same(policy->pending[i], handle))
			continue;
		policy->pending[i] = policy->pending[--policy->pending_count];
		policy->settling = true;
		/* Nothing was decided while it was waited for: who keeps all waiting for long does so seldom. */
		if (!moved) {
			policy->resting[policy->resting_next++ % MANAGER_POLICY_RESTING_MAX] =
				(struct manager_policy_resting){handle,
					now_ns + policy->limits.dwell_ns +
						REST_PER_WAIT * (now_ns - policy->decided_ns)};
		}
		return;
	}
}
