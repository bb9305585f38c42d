/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/steering.h"

#include <string.h>

#include "base/assert.h"
#include "base/log.h"

enum {
	WORDS = 0x4d00, /* no low nibble is 0xa in its upper octet, so neither 0x?a?a nor 0x0000 nor 0x3343 */
	NONE = SHARD_STEERER_CONNECTIONS_MAX
};

static const char *const counter_names[SHARD_STEERER_COUNTER_COUNT] = {
	[SHARD_STEERER_INSTALLED] = "rules_installed",
	[SHARD_STEERER_REMOVED] = "rules_removed",
	[SHARD_STEERER_REFUSED] = "rules_refused",
	[SHARD_STEERER_FULL] = "rules_no_place",
	[SHARD_STEERER_BUCKETS] = "buckets_moved",
	[SHARD_STEERER_STUCK] = "rules_stuck",
	[SHARD_STEERER_SHARED] = "rules_shared_path",
	[SHARD_STEERER_DOUBTED] = "rules_doubted",
};

uint16_t
shard_steering_word(uint16_t shard)
{
	_Static_assert(SHARDS_MAX <= 128, "the words of all shards have one upper octet");
	base_assert(shard < SHARDS_MAX);
	return (uint16_t)(WORDS | shard << 1);
}

bool
shard_steering_word_allowed(uint16_t word)
{
	return word != 0x0000 && word != 0x3343 && (word & 0x0f0f) != 0x0a0a;
}

static uint32_t
install(struct shard_steerer *steerer, struct shard_port *port, const struct shard_port_rule *rule)
{
	uint32_t number = port->ops->install_rule(port, rule);

	steerer->counters[number == SHARD_PORT_NO_RULE ? SHARD_STEERER_REFUSED : SHARD_STEERER_INSTALLED]++;
	return number;
}

static void
remove_rule(struct shard_steerer *steerer, struct shard_port *port, uint32_t number)
{
	bool removed = port->ops->remove_rule(port, number);

	steerer->counters[removed ? SHARD_STEERER_REMOVED : SHARD_STEERER_STUCK]++;
}

static void
remove_shard_rules(struct shard_steerer *steerer, struct shard_steerer_port *port)
{
	for (uint16_t i = 0; i < SHARDS_MAX; i++)
		if (port->shard_rules[i] != SHARD_PORT_NO_RULE) {
			remove_rule(steerer, port->port, port->shard_rules[i]);
			port->shard_rules[i] = SHARD_PORT_NO_RULE;
		}
}

/* One rule for each shard that has a queue; the others' words come by the hash. */
static bool
install_shard_rules(struct shard_steerer *steerer, struct shard_steerer_port *port)
{
	uint16_t queues = port->port->facts.queues;

	for (uint16_t i = 0; i < steerer->shards && i < queues; i++) {
		struct shard_port_rule rule = {.level = SHARD_STEERING_CID,
			.queue = i,
			.udp_port = steerer->udp_port,
			.steering_word = shard_steering_word(i)};

		port->shard_rules[i] = install(steerer, port->port, &rule);
		if (port->shard_rules[i] == SHARD_PORT_NO_RULE)
			return false;
	}
	return true;
}

static enum shard_steering
best_below(const struct shard_port *port, enum shard_steering level)
{
	do
		level--;
	while (level > SHARD_STEERING_SOFTWARE && !shard_port_has(port, level));
	return level;
}

static void
open_port(struct shard_steerer *steerer, struct shard_steerer_port *port, bool clear)
{
	const struct shard_port_facts *facts = &port->port->facts;
	enum shard_steering best = SHARD_STEERING_COUNT;

	if (!clear)
		best = SHARD_STEERING_CID;
	port->level = best_below(port->port, best);
	memcpy(port->reta, facts->reta, sizeof(port->reta));
	net_rss_init(&port->rss, facts->rss_key);
	if (!clear && shard_port_has(port->port, SHARD_STEERING_CID))
		base_log(BASE_LOG_INFO,
			"port %s: steering is %s, as connection IDs are sealed; with [routing] mode = \"clear\" the card would "
			"bring each packet to its shard",
			facts->name, shard_steering_text(port->level));
	if (port->level != SHARD_STEERING_CID || install_shard_rules(steerer, port))
		return;
	remove_shard_rules(steerer, port);
	port->level = best_below(port->port, SHARD_STEERING_CID);
	base_log(BASE_LOG_WARNING,
		"port %s: the card refuses rules on connection IDs that it had validated; steering is %s now",
		facts->name, shard_steering_text(port->level));
}

void
shard_steerer_open(struct shard_steerer *steerer, const struct shard_steerer_config *config)
{
	base_assert(config->shards <= SHARDS_MAX && config->port_count <= SHARD_PORTS_MAX);
	memset(steerer, 0, sizeof(*steerer));
	steerer->slots = config->slots;
	steerer->shards = config->shards;
	steerer->udp_port = config->udp_port;
	steerer->port_count = config->port_count;
	for (uint8_t i = 0; i < config->port_count; i++) {
		steerer->ports[i].port = config->ports[i];
		open_port(steerer, &steerer->ports[i], config->clear);
	}
}

static void
remove_connection(struct shard_steerer *steerer, uint32_t at)
{
	struct shard_steered *steered = &steerer->connections[at];

	remove_rule(steerer, steerer->ports[steered->port_index].port, steered->rule);
	*steered = steerer->connections[--steerer->count];
}

void
shard_steerer_close(struct shard_steerer *steerer)
{
	while (steerer->count > 0)
		remove_connection(steerer, steerer->count - 1);
	for (uint8_t i = 0; i < steerer->port_count; i++)
		remove_shard_rules(steerer, &steerer->ports[i]);
	steerer->port_count = 0;
}

/* A walk over a bounded table, at the pace of moves. */
static uint32_t
find(const struct shard_steerer *steerer, struct quic_handle handle)
{
	for (uint32_t i = 0; i < steerer->count; i++)
		if (steerer->connections[i].slot == handle.slot &&
			steerer->connections[i].generation == handle.generation)
			return i;
	return NONE;
}

static bool
add_connection(struct shard_steerer *steerer, const struct shard_steered *connection)
{
	struct shard_port_rule rule = {
		.level = SHARD_STEERING_TUPLE, .queue = connection->shard, .path = connection->path};
	struct shard_steered *steered = &steerer->connections[steerer->count];

	if (steerer->count == SHARD_STEERER_CONNECTIONS_MAX) {
		steerer->counters[SHARD_STEERER_FULL]++;
		return false;
	}
	*steered = *connection;
	steered->rule = install(steerer, steerer->ports[connection->port_index].port, &rule);
	if (steered->rule == SHARD_PORT_NO_RULE)
		return false;
	steerer->count++;
	return true;
}

/* Whether the indirection table brings this path to the shard. */
static bool
is_home(const struct shard_steerer_port *port, const struct base_path *path, uint16_t shard)
{
	const struct shard_port_facts *facts = &port->port->facts;

	return facts->rss && facts->reta_size > 0 &&
		port->reta[net_rss_path(&port->rss, path) % facts->reta_size] == shard;
}

/* A card has one rule for a path, however many connections use it. NULL: none. */
static const struct shard_steered *
find_path(const struct shard_steerer *steerer, const struct base_path *path, uint8_t port_index)
{
	for (uint32_t i = 0; i < steerer->count; i++)
		if (steerer->connections[i].port_index == port_index &&
			base_path_equal(&steerer->connections[i].path, path))
			return &steerer->connections[i];
	return NULL;
}

static bool
follow_tuple(struct shard_steerer *steerer, const struct shard_steered *wanted)
{
	const struct shard_steered *other = find_path(steerer, &wanted->path, wanted->port_index);

	if (other != NULL) {
		steerer->counters[SHARD_STEERER_SHARED] += other->shard != wanted->shard;
		return other->shard == wanted->shard;
	}
	return is_home(&steerer->ports[wanted->port_index], &wanted->path, wanted->shard) ||
		add_connection(steerer, wanted);
}

bool
shard_steerer_follow(struct shard_steerer *steerer, struct quic_handle handle, const struct base_path *path,
	uint8_t port_index, uint16_t shard)
{
	const struct shard_steered wanted = {.slot = handle.slot,
		.generation = handle.generation,
		.shard = shard,
		.port_index = port_index,
		.doubts = steerer->doubts,
		.path = *path};
	const struct shard_steerer_port *port;
	uint32_t at = find(steerer, handle);

	base_assert(port_index < steerer->port_count && shard < steerer->shards);
	port = &steerer->ports[port_index];
	if (at != NONE) {
		struct shard_steered *old = &steerer->connections[at];

		if (old->shard == shard && old->port_index == port_index &&
			base_path_equal(&old->path, path)) {
			old->doubts = steerer->doubts;
			return true;
		}
		remove_connection(steerer, at);
	}
	if (shard >= port->port->facts.queues)
		return false;
	if (port->level == SHARD_STEERING_CID)
		return true;
	if (port->level == SHARD_STEERING_TUPLE)
		return follow_tuple(steerer, &wanted);
	return is_home(port, path, shard);
}

void
shard_steerer_moved_on(struct shard_steerer *steerer, struct quic_handle handle, const struct base_path *path,
	uint8_t port_index, uint16_t shard)
{
	if (find(steerer, handle) != NONE)
		shard_steerer_follow(steerer, handle, path, port_index, shard);
}

void
shard_steerer_doubt(struct shard_steerer *steerer)
{
	steerer->doubts++;
	steerer->counters[SHARD_STEERER_DOUBTED]++;
}

void
shard_steerer_forget(struct shard_steerer *steerer, struct quic_handle handle)
{
	uint32_t at = find(steerer, handle);

	if (at != NONE)
		remove_connection(steerer, at);
}

static bool
still_there(const struct shard_steerer *steerer, const struct shard_steered *steered)
{
	struct quic_slot_owner owner;

	return steered->doubts == steerer->doubts &&
		quic_slots_owner(steerer->slots, steered->slot, &owner) && owner.state != QUIC_SLOT_FREE &&
		owner.state != QUIC_SLOT_RETIRED && owner.generation == steered->generation &&
		owner.owner == steered->shard;
}

void
shard_steerer_audit(struct shard_steerer *steerer, uint32_t at_most)
{
	for (uint32_t looked = 0; looked < at_most && steerer->count > 0; looked++) {
		if (steerer->audited >= steerer->count)
			steerer->audited = 0;
		/* The last takes the place of one that is removed, and is looked at next. */
		if (still_there(steerer, &steerer->connections[steerer->audited]))
			steerer->audited++;
		else
			remove_connection(steerer, steerer->audited);
	}
}

bool
shard_steerer_move_bucket(struct shard_steerer *steerer, uint8_t port_index, uint16_t bucket, uint16_t shard)
{
	struct shard_steerer_port *port = &steerer->ports[port_index];
	const struct shard_port_facts *facts = &port->port->facts;
	uint16_t before;

	base_assert(port_index < steerer->port_count);
	if (!shard_port_has(port->port, SHARD_STEERING_BUCKETS) || bucket >= facts->reta_size ||
		shard >= facts->queues)
		return false;
	before = port->reta[bucket];
	port->reta[bucket] = shard;
	if (port->port->ops->set_reta(port->port, port->reta)) {
		steerer->counters[SHARD_STEERER_BUCKETS]++;
		return true;
	}
	port->reta[bucket] = before;
	return false;
}

struct base_counters
shard_steerer_counters(const struct shard_steerer *steerer)
{
	return (struct base_counters){.library = "steering",
		.names = counter_names,
		.values = steerer->counters,
		.count = SHARD_STEERER_COUNTER_COUNT};
}
