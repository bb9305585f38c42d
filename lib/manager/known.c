/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/known.h"

#include <string.h>

#include "base/assert.h"

/* Rounded, so that it ends where a load stays. */
void
manager_smooth(struct manager_smoothed *smoothed, uint64_t fresh)
{
	if (smoothed->windows < MANAGER_SMOOTHED_OVER)
		smoothed->windows++;
	smoothed->parts = (smoothed->parts * (smoothed->windows - 1) + fresh + smoothed->windows / 2) /
		smoothed->windows;
}

static struct manager_known_connection *
find(struct manager_known *known, struct quic_handle handle)
{
	for (uint32_t i = 0; i < known->count; i++)
		if (known->connections[i].handle.slot == handle.slot &&
			known->connections[i].handle.generation == handle.generation)
			return &known->connections[i];
	return NULL;
}

/* A place for one that is new: the least gives way when all are taken. */
static struct manager_known_connection *
add(struct manager_known *known, struct quic_handle handle)
{
	struct manager_known_connection *place = &known->connections[0];

	if (known->count < MANAGER_KNOWN_MAX)
		place = &known->connections[known->count++];
	else
		for (uint32_t i = 1; i < known->count; i++)
			if (known->connections[i].load.parts < place->load.parts)
				place = &known->connections[i];
	*place = (struct manager_known_connection){.handle = handle};
	return place;
}

void
manager_known_take(struct manager_known *known, const struct shard_load_report *report, uint64_t busy_parts)
{
	for (uint32_t i = 0; i < known->count; i++) {
		known->connections[i].fresh = 0;
		known->connections[i].missing++;
	}
	for (uint16_t i = 0; i < report->count && report->weight > 0; i++) {
		const struct shard_load_connection *heavy = &report->heavy[i];
		struct manager_known_connection *connection = find(known, heavy->handle);

		if (connection == NULL)
			connection = add(known, heavy->handle);
		connection->fresh =
			(uint64_t)((unsigned __int128)busy_parts * heavy->weight / report->weight);
		connection->missing = 0;
		connection->samples = heavy->weight < MANAGER_KNOWN_SAMPLES - connection->samples
			? connection->samples + heavy->weight
			: MANAGER_KNOWN_SAMPLES;
		connection->movable = heavy->movable;
		if (heavy->moved_ns > connection->moved_ns)
			connection->moved_ns = heavy->moved_ns;
	}
	for (uint32_t i = known->count; i > 0; i--) {
		manager_smooth(&known->connections[i - 1].load, known->connections[i - 1].fresh);
		if (known->connections[i - 1].missing > MANAGER_SMOOTHED_OVER)
			known->connections[i - 1] = known->connections[--known->count];
	}
}

/* Into its place among the heaviest; what no longer fits is left out. */
static void
insert(struct manager_policy_shard *shard, const struct manager_known_connection *connection)
{
	uint16_t at = shard->count;

	while (at > 0 && shard->heavy[at - 1].cycles < connection->load.parts)
		at--;
	if (at == MANAGER_POLICY_HEAVY_MAX)
		return;
	if (shard->count < MANAGER_POLICY_HEAVY_MAX)
		shard->count++;
	memmove(&shard->heavy[at + 1], &shard->heavy[at], (shard->count - 1u - at) * sizeof(shard->heavy[0]));
	shard->heavy[at] = (struct manager_policy_connection){.handle = connection->handle,
		.cycles = connection->load.parts,
		.moved_ns = connection->moved_ns,
		.movable = connection->movable && connection->samples == MANAGER_KNOWN_SAMPLES};
}

void
manager_known_heaviest(const struct manager_known *known, struct manager_policy_shard *shard)
{
	shard->count = 0;
	for (uint32_t i = 0; i < known->count; i++)
		if (known->connections[i].missing == 0)
			insert(shard, &known->connections[i]);
}

void
manager_known_move(
	struct manager_known *from, struct manager_known *to, struct quic_handle handle, uint64_t now_ns)
{
	struct manager_known_connection *gone = find(from, handle), *come, copy;

	base_assert(from != to);
	if (gone == NULL)
		return;
	copy = *gone;
	*gone = from->connections[--from->count];
	come = find(to, handle);
	if (come == NULL)
		come = add(to, handle);
	copy.missing = 0;
	copy.moved_ns = now_ns;
	*come = copy;
}
