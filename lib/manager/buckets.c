/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Buckets of ports that have no better level (shard/bucket.h): moved as the policy decides, and led away from shards that are drained, so
 * that what arrives there is not handed on for ever. Their connections follow by themselves.
 */
#include "base/log.h"
#include "base/time.h"
#include "manager/manager.h"

/* A card may take milliseconds for each. */
enum { AT_ONCE = 16, RETRY_S = 1 };

void
manager_bucket_move(struct manager *manager, const struct manager_policy_move *decided, uint64_t now_ns)
{
	uint8_t port = (uint8_t)decided->port;
	bool moved = shard_group_move_bucket(manager->config.group, port, decided->number, decided->to);
	const struct manager_move_record record = {.at_ns = now_ns,
		.handle = {decided->number, decided->port},
		.bucket = true,
		.from = decided->from,
		.to = decided->to,
		.permille = manager_rebalance_permille(&manager->rebalance, decided->from, decided->cycles),
		.asker = MANAGER_BY_REBALANCE,
		.outcome = moved ? MANAGER_MOVED : MANAGER_REFUSED,
		.text = moved ? "the port's table leads it there, and its connections follow"
			      : "the port refuses to change its table"};

	manager_history_add(&manager->history, &record);
	manager->buckets.moved_ns[port][decided->number] = now_ns;
	if (moved)
		manager->buckets.drained_from[port][decided->number] = 0;
}

/* ---- shards that are drained ---- */

/* shard_count: there is none. It needs a queue of the port. */
static uint16_t
refuge(const struct manager *manager, const struct shard_steerer_port *port, uint16_t from)
{
	bool leaving[MANAGER_POLICY_SHARDS_MAX];

	for (uint16_t i = 0; i < manager->config.group->count; i++)
		leaving[i] = manager->drain.draining[i] || i >= port->port->facts.queues;
	return manager_rebalance_least(&manager->rebalance, leaving, manager->drain.loads, from);
}

/* As if all buckets of a shard were alike; the next windows say what they are. */
static void
expect(struct manager *manager, const struct shard_steerer_port *port, uint16_t from, uint16_t to)
{
	uint64_t *loads = manager->drain.loads, load;
	uint32_t count = 0;

	for (uint16_t i = 0; i < port->port->facts.reta_size; i++)
		count += port->reta[i] == from;
	load = loads[from] / (count + 1);
	loads[from] -= load;
	loads[to] += load + 1;
}

/* Where the bucket is to be led now; where it leads: nothing is to be done. */
static uint16_t
wanted(const struct manager *manager, uint8_t port_index, uint16_t bucket)
{
	const struct shard_steerer_port *port = &manager->config.group->steerer.ports[port_index];
	uint16_t at = port->reta[bucket], mark = manager->buckets.drained_from[port_index][bucket], to;

	if (at >= manager->config.group->count)
		return at;
	if (manager->drain.draining[at]) {
		to = refuge(manager, port, at);
		return to < manager->rebalance.shard_count ? to : at;
	}
	return mark > 0 && !manager->drain.draining[mark - 1] ? (uint16_t)(mark - 1) : at;
}

/* False: the card refuses. */
static bool
lead(struct manager *manager, uint8_t port_index, uint16_t bucket, uint16_t to, uint64_t now_ns)
{
	struct shard_group *group = manager->config.group;
	struct manager_buckets *buckets = &manager->buckets;
	const struct shard_steerer_port *port = &group->steerer.ports[port_index];
	uint16_t from = port->reta[bucket], mark = buckets->drained_from[port_index][bucket];

	if (!shard_group_move_bucket(group, port_index, bucket, to)) {
		base_log(BASE_LOG_WARNING,
			"port %s: refuses to lead bucket %u from shard %u to %u; what arrives by it is handed on",
			port->port->facts.name, bucket, from, to);
		return false;
	}
	expect(manager, port, from, to);
	buckets->moved_ns[port_index][bucket] = now_ns;
	/* Back where it came from, or away from there, for the first time or once more. */
	if (mark == to + 1)
		mark = 0;
	else if (mark == 0)
		mark = (uint16_t)(from + 1);
	buckets->drained_from[port_index][bucket] = (uint8_t)mark;
	return true;
}

void
manager_buckets_step(struct manager *manager, uint64_t now_ns)
{
	const struct shard_steerer *steerer = &manager->config.group->steerer;
	uint32_t count = 0;

	for (uint8_t port = 0; port < steerer->port_count; port++) {
		if (steerer->ports[port].level != SHARD_STEERING_BUCKETS ||
			now_ns < manager->buckets.retry_ns[port])
			continue;
		for (uint16_t i = 0; i < steerer->ports[port].port->facts.reta_size && count < AT_ONCE; i++) {
			uint16_t to = wanted(manager, port, i);

			if (to == steerer->ports[port].reta[i])
				continue;
			count++;
			if (!lead(manager, port, i, to, now_ns)) {
				manager->buckets.retry_ns[port] = now_ns + RETRY_S * BASE_SECOND;
				break;
			}
		}
	}
}
