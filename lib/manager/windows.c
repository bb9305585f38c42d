/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Windows of load: shards are asked, their reports become moves and the places of new connections. */
#include "manager/manager.h"

#include "base/log.h"
#include "base/time.h"

/* A shard that sleeps answers when it wakes up; who has not by then is left out of this window. */
static uint64_t
patience_ns(const struct manager *manager)
{
	return manager->config.window_ms * BASE_MS / 2;
}

/* ---- what is known ---- */

struct gathered {
	const struct shard_load_report *reports[SHARDS_MAX];
	int sockets[SHARDS_MAX];
	struct manager_bucket_port ports[SHARD_PORTS_MAX];
	struct manager_window window;
};

/* Ports that bring packets by no better means than their table. */
static void
gather_ports(const struct manager *manager, struct gathered *gathered)
{
	const struct shard_steerer *steerer = &manager->config.group->steerer;

	for (uint8_t i = 0; i < steerer->port_count; i++) {
		const struct shard_steerer_port *port = &steerer->ports[i];

		if (port->level != SHARD_STEERING_BUCKETS)
			continue;
		gathered->ports[gathered->window.bucket_port_count++] =
			(struct manager_bucket_port){.port = i,
				.count = port->port->facts.reta_size,
				.shards = port->reta,
				.moved_ns = manager->buckets.moved_ns[i]};
	}
}

/* False while somebody has not answered and may yet. */
static bool
gather(struct manager *manager, uint64_t now_ns, struct gathered *gathered)
{
	struct shard_group *group = manager->config.group;
	uint16_t missing = 0;

	for (uint16_t i = 0; i < group->count; i++) {
		gathered->reports[i] = shard_group_take_load(group, i);
		gathered->sockets[i] = shard_get_config(group->shards[i])->socket;
		missing += gathered->reports[i] == NULL && !manager->watches[i].stuck;
	}
	if (missing > 0 && now_ns - manager->measure.asked_ns < patience_ns(manager))
		return false;
	gathered->window = (struct manager_window){.now_ns = now_ns,
		.in_flight = group->moves_in_flight,
		.shard_count = group->count,
		.reports = gathered->reports,
		.leaving = manager->drain.draining,
		.sockets = gathered->sockets,
		.bucket_ports = gathered->ports};
	gather_ports(manager, gathered);
	return true;
}

/* ---- what is done ---- */

static void
begin(struct manager *manager, const struct manager_policy_move *decided, uint64_t now_ns)
{
	const struct manager_move move = {.asker = MANAGER_BY_REBALANCE,
		.handle = decided->handle,
		.from = decided->from,
		.to = decided->to,
		.permille = manager_rebalance_permille(&manager->rebalance, decided->from, decided->cycles),
		.place = MANAGER_NO_PLACE};

	if (decided->is_bucket)
		manager_bucket_move(manager, decided, now_ns);
	else
		manager_moves_begin(&manager->moves, &move, now_ns);
}

void
manager_place(struct manager *manager)
{
	struct shard_group *group = manager->config.group;

	manager_rebalance_place(&manager->rebalance, manager->drain.draining, manager->placements);
	for (uint16_t i = 0; i < group->count; i++)
		shard_group_place(
			group, i, manager->placements[i].target, (uint16_t)manager->placements[i].permille);
}

static void
end_window(struct manager *manager, const struct gathered *gathered, uint64_t now_ns)
{
	struct manager_policy_move moves[MANAGER_POLICY_MOVES_MAX];
	uint32_t count = manager_rebalance_window(
		&manager->rebalance, &gathered->window, moves, MANAGER_POLICY_MOVES_MAX);

	for (uint32_t i = 0; i < count; i++)
		begin(manager, &moves[i], now_ns);
	manager_drain_on_window(&manager->drain, &manager->rebalance);
	manager_place(manager);
}

bool
manager_measure_tick(struct manager *manager, uint64_t now_ns)
{
	struct manager_measure *measure = &manager->measure;
	struct gathered gathered;

	if (!measure->asked && now_ns >= measure->next_ns) {
		/* 0 is no window. */
		measure->window = measure->window == UINT32_MAX ? 1 : measure->window + 1;
		shard_group_ask_load(manager->config.group, measure->window);
		measure->asked = true;
		measure->asked_ns = now_ns;
		measure->next_ns = now_ns + manager->config.window_ms * BASE_MS;
		return true;
	}
	if (!measure->asked)
		return false;
	gathered.window.bucket_port_count = 0;
	if (!gather(manager, now_ns, &gathered))
		return true;
	measure->asked = false;
	end_window(manager, &gathered, now_ns);
	return false;
}
