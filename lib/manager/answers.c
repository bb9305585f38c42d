/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked from outside, and what is told: copies. */
#include "manager/manager.h"

#include <string.h>

#include "base/log.h"

static const char DONE[] = "done";

static void
describe_shards(const struct manager *manager, struct manager_standing *standing)
{
	const struct shard_group *group = manager->config.group;

	for (uint16_t i = 0; i < group->count; i++) {
		struct shard_statistics statistics;

		shard_get_statistics(group->shards[i], &statistics);
		standing->of[i].draining = manager->drain.draining[i];
		standing->of[i].usable = manager->rebalance.shards[i].usable;
		standing->of[i].left = statistics.connections;
		standing->of[i].permille =
			(uint32_t)(manager->rebalance.shards[i].busy_cycles * 1000 / MANAGER_WINDOW_PARTS);
		standing->of[i].place_to = manager->placements[i].target;
		standing->of[i].place_part = manager->placements[i].permille;
	}
}

static void
describe(const struct manager *manager, struct manager_standing *standing)
{
	memset(standing, 0, sizeof(*standing));
	standing->rebalancing = manager->rebalance.on;
	standing->accepting = manager->accepting;
	standing->shards = manager->config.group->count;
	standing->window_ms = manager->config.window_ms;
	standing->limits = manager->config.limits;
	standing->in_flight = manager->config.group->moves_in_flight;
	standing->windows = manager->rebalance.windows;
	memcpy(standing->totals, manager->history.totals, sizeof(standing->totals));
	describe_shards(manager, standing);
}

/* ---- what changes something ---- */

static void
rebalance(struct manager *manager, const struct manager_request *request, struct manager_answer *answer)
{
	bool on = request->turn == MANAGER_TURN_ON;

	if (request->turn != MANAGER_LOOK && on != manager->rebalance.on) {
		manager_rebalance_switch(&manager->rebalance, on);
		base_log(BASE_LOG_INFO, "rebalancing is %s, as the operator wants", on ? "on" : "off");
	}
	describe(manager, &answer->standing);
}

static const char *
drain_gateway(struct manager *manager, bool on)
{
	struct shard_group *group = manager->config.group;

	if (on != manager->accepting)
		return on ? "it is being drained already" : "it is not being drained";
	manager->accepting = !on;
	for (uint16_t i = 0; i < group->count; i++)
		shard_set_accepting(group->shards[i], !on);
	base_log(BASE_LOG_INFO,
		on ? "no new connections from now on, as the operator wants"
		   : "new connections again, as the operator wants");
	return NULL;
}

static const char *
drain_shard(struct manager *manager, uint16_t shard, bool on)
{
	const char *refusal = on ? manager_drain_begin(&manager->drain, &manager->rebalance, shard)
				 : manager_drain_end(&manager->drain, shard);

	if (refusal != NULL)
		return refusal;
	manager_place(manager);
	base_log(BASE_LOG_INFO, "shard %u is %s, as the operator wants", shard,
		on ? "drained" : "not drained any more");
	return NULL;
}

static void
drain(struct manager *manager, const struct manager_request *request, struct manager_answer *answer)
{
	bool on = request->turn == MANAGER_TURN_ON;
	const char *refusal = NULL;

	if (request->turn != MANAGER_LOOK && request->shard == MANAGER_WHOLE_GATEWAY)
		refusal = drain_gateway(manager, on);
	else if (request->turn != MANAGER_LOOK)
		refusal = drain_shard(manager, request->shard, on);
	if (refusal != NULL) {
		answer->done = false;
		answer->text = refusal;
	}
	describe(manager, &answer->standing);
}

/* ---- what only looks ---- */

static void
heavy(const struct manager *manager, const struct manager_request *request, struct manager_answer *answer)
{
	uint32_t room = request->count < MANAGER_HEAVY_MAX ? request->count : MANAGER_HEAVY_MAX;

	answer->count = manager_rebalance_heavy(&manager->rebalance, answer->heavy, room);
}

/*
 * A move to a shard that is being drained would be taken back at once, so it is not begun. True when it has been: then the answer is told by
 * its end.
 */
static bool
move(struct manager *manager, const struct manager_request *request, uint32_t place, uint64_t now_ns,
	struct manager_answer *answer)
{
	const struct manager_move wanted = {.asker = MANAGER_BY_OPERATOR,
		.handle = request->handle,
		.to = request->shard,
		.place = place};

	if (request->shard < manager->drain.shards && manager->drain.draining[request->shard]) {
		answer->done = false;
		answer->text = "that shard is being drained";
		return false;
	}
	manager_moves_begin(&manager->moves, &wanted, now_ns);
	return true;
}

void
manager_answer_all(struct manager *manager, uint64_t now_ns)
{
	struct manager_request request;
	uint32_t place;

	while (manager_requests_take(&manager->requests, &request, &place)) {
		struct manager_answer answer = {.done = true, .text = DONE, .now_ns = now_ns};

		switch (request.kind) {
		case MANAGER_ASK_MOVE:
			if (move(manager, &request, place, now_ns, &answer))
				continue;
			break;
		case MANAGER_ASK_REBALANCE:
			rebalance(manager, &request, &answer);
			break;
		case MANAGER_ASK_DRAIN:
			drain(manager, &request, &answer);
			break;
		case MANAGER_ASK_HEAVY:
			heavy(manager, &request, &answer);
			break;
		case MANAGER_ASK_HISTORY:
			answer.count = manager_history_copy(
				&manager->history, request.after, answer.records, MANAGER_HISTORY_ANSWER_MAX);
			break;
		case MANAGER_ASK_COUNT:
			break;
		}
		manager_requests_answer(&manager->requests, place, &answer);
	}
}
