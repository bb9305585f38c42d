/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/wheel.h"

#include "base/assert.h"

enum { PLACE_BITS = 8 };

void
base_wheel_init(struct base_wheel *wheel, uint64_t now_ns)
{
	*wheel = (struct base_wheel){.tick = now_ns / BASE_WHEEL_TICK_NS};
	base_list_init(&wheel->due);
	for (unsigned level = 0; level < BASE_WHEEL_LEVELS; level++)
		for (unsigned place = 0; place < BASE_WHEEL_PLACES; place++)
			base_list_init(&wheel->places[level][place]);
}

void
base_wheel_node_init(struct base_wheel_node *node)
{
	base_list_init(&node->link);
	node->deadline_ns = BASE_NEVER;
}

/* The first tick that begins at or after the deadline, so that nothing fires early. */
static uint64_t
tick_of(uint64_t deadline_ns)
{
	return deadline_ns / BASE_WHEEL_TICK_NS + (deadline_ns % BASE_WHEEL_TICK_NS != 0);
}

static void
place(struct base_wheel *wheel, struct base_wheel_node *node)
{
	uint64_t tick = tick_of(node->deadline_ns), away;
	unsigned level = 0, at;

	if (tick < wheel->tick) {
		base_list_push_back(&wheel->due, &node->link);
		return;
	}
	away = tick - wheel->tick;
	if (away >> (PLACE_BITS * BASE_WHEEL_LEVELS) != 0) {
		/* Further than the wheel reaches: the last place of the top level, to be placed again from
		 * there. */
		tick = wheel->tick + (UINT64_C(1) << (PLACE_BITS * BASE_WHEEL_LEVELS)) - 1;
		away = tick - wheel->tick;
	}
	while (level + 1 < BASE_WHEEL_LEVELS && away >> (PLACE_BITS * (level + 1)) != 0)
		level++;
	at = tick >> (PLACE_BITS * level) & (BASE_WHEEL_PLACES - 1);
	base_list_push_back(&wheel->places[level][at], &node->link);
	wheel->occupied[level][at / 64] |= UINT64_C(1) << (at % 64);
}

void
base_wheel_arm(struct base_wheel *wheel, struct base_wheel_node *node, uint64_t deadline_ns)
{
	if (base_wheel_armed(node)) {
		base_list_remove(&node->link);
		wheel->armed--;
	}
	node->deadline_ns = deadline_ns;
	if (deadline_ns == BASE_NEVER)
		return;
	wheel->armed++;
	place(wheel, node);
}

/* Moves one place of a higher level down, one node at a time against the budget. True when the place is
 * empty. */
static bool
cascade(struct base_wheel *wheel, unsigned level, uint32_t *budget)
{
	unsigned at = wheel->tick >> (PLACE_BITS * level) & (BASE_WHEEL_PLACES - 1);
	struct base_list *from = &wheel->places[level][at];
	struct base_list *link;

	while (*budget > 0 && (link = base_list_pop_front(from)) != NULL) {
		(*budget)--;
		place(wheel, base_container(link, struct base_wheel_node, link));
	}
	if (!base_list_empty(from))
		return false;
	wheel->occupied[level][at / 64] &= ~(UINT64_C(1) << (at % 64));
	return true;
}

static void
join(struct base_list *to, struct base_list *from)
{
	if (base_list_empty(from))
		return;
	from->next->previous = to->previous;
	to->previous->next = from->next;
	from->previous->next = to;
	to->previous = from->previous;
	base_list_init(from);
}

/* Expires one tick. False when the budget ended within its cascades; they go on where they stopped. */
static bool
advance(struct base_wheel *wheel, uint32_t *budget)
{
	unsigned at = wheel->tick & (BASE_WHEEL_PLACES - 1);

	for (unsigned level = BASE_WHEEL_LEVELS - 1; level > 0; level--)
		if ((wheel->tick & ((UINT64_C(1) << (PLACE_BITS * level)) - 1)) == 0 &&
			!cascade(wheel, level, budget))
			return false;
	join(&wheel->due, &wheel->places[0][at]);
	wheel->occupied[0][at / 64] &= ~(UINT64_C(1) << (at % 64));
	wheel->tick++;
	if (*budget > 0)
		(*budget)--;
	return true;
}

static bool
level_empty(const struct base_wheel *wheel, unsigned level)
{
	const uint64_t *words = wheel->occupied[level];

	return (words[0] | words[1] | words[2] | words[3]) == 0;
}

/* Ticks from wheel->tick to the first occupied place of the lowest level, which is not empty. */
static uint64_t
ticks_to_occupied(const struct base_wheel *wheel)
{
	unsigned from = wheel->tick & (BASE_WHEEL_PLACES - 1);

	for (unsigned i = 0;; i++) {
		unsigned word = (from / 64 + i) % (BASE_WHEEL_PLACES / 64);
		uint64_t bits = wheel->occupied[0][word];

		if (i == 0)
			bits &= UINT64_MAX << (from % 64);
		if (bits != 0)
			return (word * 64 + (unsigned)__builtin_ctzll(bits) - from) & (BASE_WHEEL_PLACES - 1);
	}
}

/* The first tick from wheel->tick on at which there is anything to do; some node is placed. */
static uint64_t
next_busy_tick(const struct base_wheel *wheel)
{
	uint64_t next = BASE_NEVER;

	if (!level_empty(wheel, 0))
		next = wheel->tick + ticks_to_occupied(wheel);
	for (unsigned level = 1; level < BASE_WHEEL_LEVELS; level++) {
		uint64_t below = (UINT64_C(1) << (PLACE_BITS * level)) - 1;

		if (!level_empty(wheel, level))
			return base_time_earlier(next, (wheel->tick + below) & ~below);
	}
	return next;
}

struct base_wheel_node *
base_wheel_expire(struct base_wheel *wheel, uint64_t now_ns, uint32_t *budget)
{
	uint64_t now_tick = now_ns / BASE_WHEEL_TICK_NS;
	struct base_wheel_node *node;
	struct base_list *link;

	while (base_list_empty(&wheel->due) && *budget > 0 && wheel->tick <= now_tick) {
		wheel->tick = base_time_earlier(next_busy_tick(wheel), now_tick + 1);
		if (wheel->tick <= now_tick && !advance(wheel, budget))
			break;
	}
	link = base_list_pop_front(&wheel->due);
	if (link == NULL)
		return NULL;
	node = base_container(link, struct base_wheel_node, link);
	node->deadline_ns = BASE_NEVER;
	wheel->armed--;
	return node;
}

uint64_t
base_wheel_deadline(const struct base_wheel *wheel)
{
	if (!base_list_empty(&wheel->due))
		return 0;
	if (wheel->armed == 0)
		return BASE_NEVER;
	/* A place is expired by the first call at or after the start of its tick. */
	return next_busy_tick(wheel) * BASE_WHEEL_TICK_NS;
}
