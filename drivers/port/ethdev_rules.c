/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drivers/port/ethdev_rules.h"

#include <stdio.h>
#include <string.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include "base/assert.h"

enum { TRIED_PORT = 443, TRIED_WORD = 0x4d00 };

/* Of the blocks for documentation. */
static const uint8_t tried_ips[ETHDEV_IP_VERSIONS][2][16] = {
	{{[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 1},
		{[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 2}},
	{{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, {0x20, 0x01, 0x0d, 0xb8, [15] = 2}},
};

/* Firmware parses after one UDP port; the parser for another cannot go before its rules have. */
static bool
need_parser(struct ethdev_rules *rules, uint16_t udp_port)
{
	struct ethdev_flow_parser parser;
	struct rte_flow_error error;

	if (rules->form != ETHDEV_FLOW_FLEX || (rules->flex != NULL && rules->flex_port == udp_port))
		return true;
	if (rules->flex != NULL && rte_flow_flex_item_release(rules->id, rules->flex, &error) != 0)
		return false;
	ethdev_flow_parser(&parser, udp_port);
	rules->flex = rte_flow_flex_item_create(rules->id, &parser.conf, &error);
	rules->flex_port = udp_port;
	return rules->flex != NULL;
}

static bool
validates(const struct ethdev_rules *rules, const struct ethdev_flow *flow)
{
	struct rte_flow_error error;

	return rte_flow_validate(rules->id, &flow->attr, flow->pattern, flow->actions, &error) == 0;
}

static void
try_tuples(struct ethdev_rules *rules, uint16_t queue)
{
	for (unsigned version = 0; version < ETHDEV_IP_VERSIONS; version++) {
		struct base_path path = {.local.port = TRIED_PORT, .remote.port = TRIED_PORT};
		struct ethdev_flow flow;

		memcpy(path.local.ip, tried_ips[version][0], sizeof(path.local.ip));
		memcpy(path.remote.ip, tried_ips[version][1], sizeof(path.remote.ip));
		ethdev_flow_tuple(&flow, &path, queue);
		rules->tuples[version] = validates(rules, &flow);
	}
}

static void
try_words(struct ethdev_rules *rules, uint16_t queue)
{
	const struct shard_port_rule rule = {.level = SHARD_STEERING_CID,
		.queue = queue,
		.udp_port = TRIED_PORT,
		.steering_word = TRIED_WORD};

	if (rules->form == ETHDEV_FLOW_NONE || !need_parser(rules, TRIED_PORT))
		return;
	for (unsigned version = 0; version < ETHDEV_IP_VERSIONS; version++) {
		struct ethdev_flow flow;

		ethdev_flow_word(&flow, rules->form, version == 1, &rule, rules->flex);
		rules->words[version] = validates(rules, &flow);
	}
}

static const char *
versions_text(const bool versions[ETHDEV_IP_VERSIONS])
{
	return versions[0] && versions[1] ? "" : versions[0] ? ", IPv4 only" : ", IPv6 only";
}

uint8_t
ethdev_rules_levels(
	const struct ethdev_rules *rules, const struct shard_port_facts *facts, bool is_virtual, char *how)
{
	uint8_t levels = 1U << SHARD_STEERING_SOFTWARE;
	const char *why_not = facts->queues == 1 ? "one queue" : is_virtual ? "a virtual port" : NULL;

	if (why_not != NULL) {
		snprintf(how, SHARD_PORT_NAME, "%s", why_not);
		return levels;
	}
	snprintf(how, SHARD_PORT_NAME, "the driver takes no rules, and its table is fixed");
	if (facts->rss && facts->reta_size > 0) {
		levels |= 1U << SHARD_STEERING_BUCKETS;
		snprintf(how, SHARD_PORT_NAME, "%u buckets; the driver takes no rules", facts->reta_size);
	}
	if (rules->tuples[0] || rules->tuples[1]) {
		levels |= 1U << SHARD_STEERING_TUPLE;
		snprintf(how, SHARD_PORT_NAME, "rte_flow to a queue%s", versions_text(rules->tuples));
	}
	if (rules->words[0] || rules->words[1]) {
		levels |= 1U << SHARD_STEERING_CID;
		snprintf(how, SHARD_PORT_NAME, "%s%s", ethdev_flow_form_text(rules->form),
			versions_text(rules->words));
	}
	return levels;
}

static bool
find_bus(uint16_t id, const char **name)
{
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(id, &info) != 0 || info.device == NULL)
		return false;
	*name = rte_bus_name(rte_dev_bus(info.device));
	return *name != NULL;
}

void
ethdev_rules_try(struct ethdev_rules *rules, uint16_t id, struct shard_port_facts *facts)
{
	const char *bus = NULL;
	bool is_virtual = !find_bus(id, &bus) || strcmp(bus, "vdev") == 0;

	memset(rules, 0, sizeof(*rules));
	rules->id = id;
	rules->form = ethdev_flow_form(facts->driver);
	if (!is_virtual && facts->queues > 1) {
		try_words(rules, facts->queues - 1);
		try_tuples(rules, facts->queues - 1);
	}
	facts->levels = ethdev_rules_levels(rules, facts, is_virtual, facts->steering_how);
	facts->steering = SHARD_STEERING_SOFTWARE;
	while (facts->levels >> (facts->steering + 1) != 0)
		facts->steering++;
}

static struct rte_flow *
create(struct ethdev_rules *rules, const struct ethdev_flow *flow)
{
	struct rte_flow_error error;

	return rte_flow_create(rules->id, &flow->attr, flow->pattern, flow->actions, &error);
}

static bool
destroy(struct ethdev_rules *rules, struct ethdev_rule *rule)
{
	bool done = true;

	for (unsigned version = 0; version < ETHDEV_IP_VERSIONS; version++) {
		struct rte_flow_error error;

		if (rule->flows[version] != NULL)
			done &= rte_flow_destroy(rules->id, rule->flows[version], &error) == 0;
		rule->flows[version] = NULL;
	}
	return done;
}

static bool
install_tuple(struct ethdev_rules *rules, const struct shard_port_rule *from, struct ethdev_rule *rule)
{
	unsigned version = base_address_is_ipv4(&from->path.remote) ? 0 : 1;
	struct ethdev_flow flow;

	if (!rules->tuples[version])
		return false;
	ethdev_flow_tuple(&flow, &from->path, from->queue);
	rule->flows[version] = create(rules, &flow);
	return rule->flows[version] != NULL;
}

static bool
install_word(struct ethdev_rules *rules, const struct shard_port_rule *from, struct ethdev_rule *rule)
{
	bool done = (rules->words[0] || rules->words[1]) && need_parser(rules, from->udp_port);

	for (unsigned version = 0; done && version < ETHDEV_IP_VERSIONS; version++) {
		struct ethdev_flow flow;

		if (!rules->words[version])
			continue;
		ethdev_flow_word(&flow, rules->form, version == 1, from, rules->flex);
		rule->flows[version] = create(rules, &flow);
		done = rule->flows[version] != NULL;
	}
	if (!done)
		destroy(rules, rule);
	return done;
}

uint32_t
ethdev_rules_install(struct ethdev_rules *rules, const struct shard_port_rule *rule)
{
	uint32_t at = 0;
	bool done;

	while (at < ETHDEV_RULES_MAX &&
		(rules->rules[at].flows[0] != NULL || rules->rules[at].flows[1] != NULL))
		at++;
	if (at == ETHDEV_RULES_MAX)
		return SHARD_PORT_NO_RULE;
	done = rule->level == SHARD_STEERING_CID ? install_word(rules, rule, &rules->rules[at])
						 : install_tuple(rules, rule, &rules->rules[at]);
	return done ? at + 1 : SHARD_PORT_NO_RULE;
}

bool
ethdev_rules_remove(struct ethdev_rules *rules, uint32_t rule)
{
	base_assert(rule != SHARD_PORT_NO_RULE && rule <= ETHDEV_RULES_MAX);
	return destroy(rules, &rules->rules[rule - 1]);
}

void
ethdev_rules_close(struct ethdev_rules *rules)
{
	struct rte_flow_error error;

	for (uint32_t i = 0; i < ETHDEV_RULES_MAX; i++)
		destroy(rules, &rules->rules[i]);
	if (rules->flex != NULL)
		rte_flow_flex_item_release(rules->id, rules->flex, &error);
	rules->flex = NULL;
}
