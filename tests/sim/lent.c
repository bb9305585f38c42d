/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/sim/lent.h"

#include <string.h>

#include "tests/sim/heap.h"

const struct sim_lent *
sim_lend(struct sim *sim, struct sim_stream *stream, const uint8_t *original, uint64_t length)
{
	struct sim_lent *lent = sim_heap_take(sizeof(*lent) + length);

	*lent = (struct sim_lent){
		.next = stream->lent, .cookie = ++sim->cookies, .original = original, .length = length};
	memcpy(lent->octets, original, length);
	stream->lent = lent;
	return lent;
}

static void
give_back(struct sim *sim, struct sim_stream *stream, struct sim_lent **place)
{
	struct sim_lent *lent = *place;

	if (memcmp(lent->octets, lent->original, lent->length) != 0)
		sim_fail(sim, "octets lent by stream %llu have changed", (unsigned long long)stream->id);
	*place = lent->next;
	memset(lent->octets, 0xdb, lent->length);
	sim_heap_give(lent);
}

void
sim_lent_released(struct sim *sim, struct sim_stream *stream, uint64_t cookie)
{
	for (struct sim_lent **place = &stream->lent; *place != NULL; place = &(*place)->next) {
		if ((*place)->cookie == cookie) {
			give_back(sim, stream, place);
			return;
		}
	}
	sim_fail(sim, "a cookie of stream %llu was released that was not lent, or twice",
		(unsigned long long)stream->id);
}

void
sim_lent_all_released(struct sim *sim, struct sim_stream *stream)
{
	while (stream->lent != NULL)
		give_back(sim, stream, &stream->lent);
}

void
sim_forget_lent(struct sim_stream *stream)
{
	while (stream->lent != NULL) {
		struct sim_lent *lent = stream->lent;

		stream->lent = lent->next;
		sim_heap_give(lent);
	}
}
