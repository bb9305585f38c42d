/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "perf/lockstep.h"

#include <string.h>

#include "shard/state.h"

enum {
	FRAME_CYCLES = 1500, /* a first guess */
	INTERRUPTED_TIMES = 3,
	INTERRUPTED_CYCLES = 5200, /* 2 us */
	STEP = 64,
};

static uint64_t
frames_of(const struct lockstep *lockstep, uint16_t shard)
{
	return wire_counter(lockstep->wire, shard, SHARD_FRAMES_RECEIVED) +
		wire_counter(lockstep->wire, shard, SHARD_FRAMES_SENT) +
		wire_counter(lockstep->wire, shard, SHARD_DATAGRAMS_TAKEN);
}

void
lockstep_init(struct lockstep *lockstep, struct wire *wire)
{
	memset(lockstep, 0, sizeof(*lockstep));
	lockstep->wire = wire;
	lockstep->ns_per_cycle = 1e9 / (double)wire->server.group->clock.cycles_per_second;
	lockstep->start_ns = wire->now_ns;
	for (uint16_t i = 0; i < wire->shape.shards; i++)
		lockstep->frames[i] = frames_of(lockstep, i);
}

uint64_t
lockstep_now_ns(const struct lockstep *lockstep, uint16_t shard)
{
	return lockstep->start_ns + (uint64_t)((double)lockstep->clocks[shard] * lockstep->ns_per_cycle);
}

uint16_t
lockstep_next(const struct lockstep *lockstep)
{
	uint16_t found = 0;

	for (uint16_t i = 1; i < lockstep->wire->shape.shards; i++)
		if (lockstep->clocks[i] < lockstep->clocks[found])
			found = i;
	return found;
}

/* A median that follows: up or down by a part of itself. */
static uint64_t
charge(struct lockstep *lockstep, uint64_t frames, uint64_t cycles)
{
	uint64_t work = frames < LOCKSTEP_WORK_MAX ? frames : LOCKSTEP_WORK_MAX - 1;
	uint64_t *usual = &lockstep->usual[work];

	lockstep->turns++;
	if (*usual == 0)
		*usual = (work + 1) * FRAME_CYCLES;
	if (cycles > INTERRUPTED_TIMES * *usual + INTERRUPTED_CYCLES) {
		lockstep->interrupted++;
		return *usual;
	}
	if (cycles > *usual)
		*usual += *usual / STEP + 1;
	else
		*usual -= *usual / STEP;
	return cycles;
}

/* The shard's own account, as its clock has it. */
static void
account(struct lockstep *lockstep, uint16_t index)
{
	struct shard *shard = lockstep->wire->server.group->shards[index];

	atomic_store_explicit(&shard->busy_cycles, lockstep->busy[index], memory_order_relaxed);
	atomic_store_explicit(
		&shard->idle_cycles, lockstep->clocks[index] - lockstep->busy[index], memory_order_relaxed);
}

static void
skip(struct lockstep *lockstep, uint16_t shard, uint64_t until_ns)
{
	uint64_t until = (uint64_t)((double)(until_ns - lockstep->start_ns) / lockstep->ns_per_cycle);

	for (uint16_t i = 0; i < lockstep->wire->shape.shards; i++)
		if (i != shard && lockstep->clocks[i] < until)
			until = lockstep->clocks[i];
	if (until > lockstep->clocks[shard])
		lockstep->clocks[shard] = until;
}

void
lockstep_turn(struct lockstep *lockstep, uint16_t shard, uint64_t until_ns)
{
	struct wire *wire = lockstep->wire;
	uint64_t cycles, frames, arrived_ns;
	bool busy;

	busy = wire_shard_turn(wire, shard, lockstep_now_ns(lockstep, shard), &cycles);
	frames = frames_of(lockstep, shard);
	cycles = charge(lockstep, frames - lockstep->frames[shard], cycles);
	lockstep->frames[shard] = frames;
	lockstep->clocks[shard] += cycles;
	if (busy) {
		lockstep->busy[shard] += cycles;
		arrived_ns = lockstep_now_ns(lockstep, shard);
		wire->client.arrived_ns = arrived_ns;
		/* The client's own time never goes back, whichever shard it hears of. */
		if (arrived_ns > wire->now_ns)
			wire->now_ns = arrived_ns;
		while (wire_client_turn(&wire->client, wire->now_ns))
			;
		wire->client.arrived_ns = 0;
	} else {
		skip(lockstep, shard, until_ns);
	}
	account(lockstep, shard);
}
