/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/impair.h"

#include <string.h>

#include "base/assert.h"
#include "base/time.h"

static const char *const names[NET_IMPAIR_COUNTER_COUNT] = {
	[NET_IMPAIR_PUSHED] = "pushed",
	[NET_IMPAIR_POPPED] = "popped",
	[NET_IMPAIR_LOST] = "lost",
	[NET_IMPAIR_QUEUE_FULL] = "queue_full",
	[NET_IMPAIR_TOO_LONG] = "too_long",
	[NET_IMPAIR_REORDERED] = "reordered",
	[NET_IMPAIR_DUPLICATED] = "duplicated",
	[NET_IMPAIR_CORRUPTED] = "corrupted",
	[NET_IMPAIR_MARKED] = "marked",
	[NET_IMPAIR_NO_MEMORY] = "no_memory",
};

void
net_impair_init(struct net_impair *impair, const struct net_impair_config *config, struct base_pool *pool,
	struct net_impair_item **heap, uint32_t capacity)
{
	base_assert(pool->element_bytes > sizeof(struct net_impair_item));
	*impair = (struct net_impair){.config = *config, .pool = pool, .heap = heap, .capacity = capacity};
	base_random_init(&impair->random, config->seed);
}

void
net_impair_fini(struct net_impair *impair)
{
	while (impair->count > 0)
		base_pool_give(impair->pool, impair->heap[--impair->count]);
}

void
net_impair_change(struct net_impair *impair, const struct net_impair_config *config)
{
	impair->config = *config;
}

/* Every chance is drawn whether it is used or not, so that one setting does not change the luck of another. */
static bool
happens(struct net_impair *impair, uint32_t chance)
{
	return base_random_below(&impair->random, NET_IMPAIR_WHOLE) < chance;
}

static bool
before(const struct net_impair_item *a, const struct net_impair_item *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void
heap_insert(struct net_impair *impair, struct net_impair_item *item)
{
	uint32_t at = impair->count++;

	while (at > 0 && before(item, impair->heap[(at - 1) / 2])) {
		impair->heap[at] = impair->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	impair->heap[at] = item;
}

static struct net_impair_item *
heap_remove(struct net_impair *impair)
{
	struct net_impair_item *top = impair->heap[0];
	struct net_impair_item *last = impair->heap[--impair->count];
	uint32_t at = 0;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= impair->count)
			break;
		if (child + 1 < impair->count && before(impair->heap[child + 1], impair->heap[child]))
			child++;
		if (!before(impair->heap[child], last))
			break;
		impair->heap[at] = impair->heap[child];
		at = child;
	}
	impair->heap[at] = last;
	return top;
}

/* Time at which the bottleneck has sent the datagram, or BASE_NEVER when its queue is full. */
static uint64_t
pass_bottleneck(struct net_impair *impair, uint16_t length, uint64_t now_ns, bool *mark)
{
	const struct net_impair_config *config = &impair->config;
	uint64_t start_ns = impair->busy_until_ns > now_ns ? impair->busy_until_ns : now_ns;
	uint64_t wait_ns = start_ns - now_ns;

	*mark = false;
	if (config->rate_bits_per_second == 0)
		return now_ns;
	if (config->queue_ns != 0 && wait_ns > config->queue_ns)
		return BASE_NEVER;
	*mark = config->mark_ns != 0 && wait_ns > config->mark_ns;
	impair->busy_until_ns = start_ns + (uint64_t)length * 8 * BASE_SECOND / config->rate_bits_per_second;
	return impair->busy_until_ns;
}

static struct net_impair_item *
copy(struct net_impair *impair, const struct base_datagram *datagram, uint64_t due_ns)
{
	struct net_impair_item *item = NULL;

	if (impair->count < impair->capacity)
		item = base_pool_take(impair->pool);
	if (item == NULL) {
		impair->counters[NET_IMPAIR_NO_MEMORY]++;
		return NULL;
	}
	item->due_ns = due_ns;
	item->order = impair->order++;
	item->datagram = *datagram;
	item->datagram.octets = item->octets;
	item->datagram.room = datagram->length;
	memcpy(item->octets, datagram->octets, datagram->length);
	heap_insert(impair, item);
	return item;
}

static void
corrupt(struct net_impair *impair, struct net_impair_item *item)
{
	uint64_t place = base_random_next(&impair->random);

	if (item->datagram.length == 0)
		return;
	/* Never zero, so that something does change. */
	item->octets[place % item->datagram.length] ^= (uint8_t)(1 + (place >> 32) % 255);
	impair->counters[NET_IMPAIR_CORRUPTED]++;
}

static uint64_t
arrival_ns(struct net_impair *impair, uint64_t sent_ns, bool reordered)
{
	const struct net_impair_config *config = &impair->config;
	uint64_t jitter_ns = base_random_next(&impair->random);
	uint64_t due_ns = sent_ns + config->delay_ns;

	if (config->jitter_ns != 0)
		due_ns += jitter_ns % (config->jitter_ns + 1);
	if (due_ns < impair->last_due_ns)
		due_ns = impair->last_due_ns;
	if (reordered)
		return due_ns + config->reorder_ns; /* later ones overtake it */
	impair->last_due_ns = due_ns;
	return due_ns;
}

void
net_impair_push(struct net_impair *impair, const struct base_datagram *datagram, uint64_t now_ns)
{
	const struct net_impair_config *config = &impair->config;
	bool lost = happens(impair, impair->losing ? config->burst_loss : config->loss);
	bool reordered = happens(impair, config->reorder);
	bool duplicated = happens(impair, config->duplicate);
	bool corrupted = happens(impair, config->corrupt);
	struct net_impair_item *item;
	uint64_t sent_ns, due_ns;
	bool mark;

	impair->counters[NET_IMPAIR_PUSHED]++;
	if ((config->length_max != 0 && datagram->length > config->length_max) ||
		datagram->length > impair->pool->element_bytes - sizeof(struct net_impair_item)) {
		impair->counters[NET_IMPAIR_TOO_LONG]++;
		return;
	}
	sent_ns = pass_bottleneck(impair, datagram->length, now_ns, &mark);
	if (sent_ns == BASE_NEVER) {
		impair->counters[NET_IMPAIR_QUEUE_FULL]++;
		return;
	}
	impair->losing = lost && config->burst_loss != 0;
	if (lost) {
		impair->counters[NET_IMPAIR_LOST]++;
		return;
	}
	due_ns = arrival_ns(impair, sent_ns, reordered);
	impair->counters[NET_IMPAIR_REORDERED] += reordered;
	item = copy(impair, datagram, due_ns);
	if (item == NULL)
		return;
	if (mark && datagram->ecn != BASE_ECN_NOT_ECT) {
		item->datagram.ecn = BASE_ECN_CE;
		impair->counters[NET_IMPAIR_MARKED]++;
	}
	if (corrupted)
		corrupt(impair, item);
	if (duplicated && copy(impair, datagram, due_ns) != NULL)
		impair->counters[NET_IMPAIR_DUPLICATED]++;
}

struct net_impair_item *
net_impair_pop(struct net_impair *impair, uint64_t now_ns)
{
	if (impair->count == 0 || impair->heap[0]->due_ns > now_ns)
		return NULL;
	impair->counters[NET_IMPAIR_POPPED]++;
	return heap_remove(impair);
}

void
net_impair_release(struct net_impair *impair, struct net_impair_item *item)
{
	base_pool_give(impair->pool, item);
}

uint64_t
net_impair_deadline(const struct net_impair *impair)
{
	return impair->count > 0 ? impair->heap[0]->due_ns : BASE_NEVER;
}

struct base_counters
net_impair_counters(const struct net_impair *impair)
{
	return (struct base_counters){.library = "impair",
		.names = names,
		.values = impair->counters,
		.count = NET_IMPAIR_COUNTER_COUNT};
}
