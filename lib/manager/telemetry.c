/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "manager/sum.h"
#include "manager/telemetry_parts.h"

/* Handlers have no argument of ours. The lock is between them and closing; no shard ever takes it. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t asked;
	struct manager *manager;
	const char *version;
	uint32_t asking; /* threads that wait for the manager */
} told = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, NULL, 0};

enum { LIBRARIES_MAX = 64, LISTED_MAX = 64, LOOKED_AT_MAX = 65536 };

static void
add_services(const struct shard *shard, struct manager_sum *sum)
{
	const struct service_set *set = shard_get_config(shard)->services;

	for (uint32_t i = 0; set != NULL && i < set->count; i++)
		if (set->services[i].ops->counters != NULL) {
			struct base_counters counters =
				set->services[i].ops->counters(set->services[i].instance);

			manager_sum_add(sum, &counters);
		}
}

static void
add_shard(const struct shard *shard, struct manager_sum *sum)
{
	struct base_counters counters[LIBRARIES_MAX];
	uint32_t count = shard_get_counters(shard, counters, LIBRARIES_MAX);

	for (uint32_t i = 0; i < count; i++)
		manager_sum_add(sum, &counters[i]);
	add_services(shard, sum);
}

static uint64_t
drops(const struct shard *shard)
{
	struct manager_sum sum = {0};
	uint64_t total;

	add_shard(shard, &sum);
	total = manager_sum_of(&sum, "drop");
	manager_sum_fini(&sum);
	return total;
}

static void
describe_shard(const struct shard *shard, struct rte_tel_data *data)
{
	const struct shard_config *config = shard_get_config(shard);
	struct shard_statistics statistics;
	const uint64_t *counters = statistics.counters;

	shard_get_statistics(shard, &statistics);
	rte_tel_data_start_dict(data);
	add_number(data, "shard", config->index);
	add_number(data, "lcore", config->lcore);
	rte_tel_data_add_dict_int(data, "socket", config->socket);
	add_number(data, "connections", statistics.connections);
	add_number(data, "packets_in", counters[SHARD_FRAMES_RECEIVED]);
	add_number(data, "packets_out", counters[SHARD_FRAMES_SENT]);
	add_number(data, "bytes_in", counters[SHARD_OCTETS_RECEIVED]);
	add_number(data, "bytes_out", counters[SHARD_OCTETS_SENT]);
	add_number(data, "forwarded", counters[SHARD_DATAGRAMS_HANDED]);
	add_number(data, "drops", drops(shard));
	add_number(data, "turns", counters[SHARD_TURNS]);
	rte_tel_data_add_dict_string(data, "stage", shard_place_text(statistics.place));
	add_number(data, "sleeps", counters[SHARD_SLEEPS]);
	add_number(data, "busy_cycles", statistics.busy_cycles);
	add_number(data, "idle_cycles", statistics.idle_cycles);
	add_number(data, "hz", statistics.cycles_per_second);
	add_number(data, "buffers_free", statistics.buffers_free);
}

/* The number behind the command, -1 when there is none. False: it is not below `limit`. */
static bool
parameter(const char *text, uint32_t limit, int32_t *number)
{
	char *end;
	unsigned long value;

	*number = -1;
	if (text == NULL || text[0] == '\0')
		return true;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || value >= limit)
		return false;
	*number = (int32_t)value;
	return true;
}

static int
answer_shards(const struct shard_group *group, const char *parameters, struct rte_tel_data *data)
{
	int32_t number;

	if (!parameter(parameters, group->count, &number))
		return -EINVAL;
	if (number >= 0) {
		describe_shard(group->shards[number], data);
		return 0;
	}
	rte_tel_data_start_array(data, RTE_TEL_CONTAINER);
	for (uint16_t i = 0; i < group->count; i++) {
		struct rte_tel_data *shard = rte_tel_data_alloc();

		if (shard == NULL)
			return -ENOMEM;
		describe_shard(group->shards[i], shard);
		if (rte_tel_data_add_array_container(data, shard, 0) != 0)
			rte_tel_data_free(shard);
	}
	return 0;
}

/* "SHARD,FIRST", "all,FIRST", one of them without the comma and the number, or nothing: -1 and 0. */
static bool
counters_parameters(const char *text, uint32_t shards, int32_t *shard, int32_t *first)
{
	const char *comma = text != NULL ? strchr(text, ',') : NULL;
	char head[16];

	*first = 0;
	if (comma != NULL && (!parameter(comma + 1, INT32_MAX, first) || *first < 0))
		return false;
	snprintf(head, sizeof(head), "%.*s",
		text == NULL            ? 0
			: comma != NULL ? (int)(comma - text)
					: 15,
		text != NULL ? text : "");
	if (strcmp(head, "all") == 0)
		head[0] = '\0';
	return parameter(head, shards, shard);
}

/* What is not the whole page is no answer. */
static int
add_page(struct rte_tel_data *data, const struct manager_sum *sum, uint32_t first)
{
	uint32_t next, count = manager_sum_page(sum, first, &next);
	int result = 0;

	rte_tel_data_start_dict(data);
	for (uint32_t i = first; i < first + count && result == 0; i++)
		result = add_number(data, sum->entries[i].name, sum->entries[i].value);
	if (next > 0 && result == 0)
		result = add_number(data, "next", next);
	return result;
}

static int
answer_counters(const struct shard_group *group, const char *parameters, struct rte_tel_data *data)
{
	struct manager_sum sum = {0};
	int32_t number, first;
	int result;

	if (!counters_parameters(parameters, group->count, &number, &first))
		return -EINVAL;
	for (uint16_t i = 0; i < group->count; i++)
		if (number < 0 || number == i)
			add_shard(group->shards[i], &sum);
	if (number < 0) {
		struct base_counters steering = shard_steerer_counters(&group->steerer);

		manager_sum_add(&sum, &steering);
	}
	result = sum.failed ? -ENOMEM : add_page(data, &sum, (uint32_t)first);
	manager_sum_fini(&sum);
	return result;
}

static int
answer_port(const struct shard_group *group, const char *parameters, struct rte_tel_data *data)
{
	struct shard_port_statistics statistics = {0};
	struct shard_port *port;
	int32_t number;

	if (!parameter(parameters, group->config.port_count, &number))
		return -EINVAL;
	port = group->config.ports[number < 0 ? 0 : number].port;
	port->ops->statistics(port, &statistics);
	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_string(data, "name", port->facts.name);
	rte_tel_data_add_dict_string(data, "driver", port->facts.driver);
	rte_tel_data_add_dict_string(
		data, "steering", shard_steering_text(group->steerer.ports[number < 0 ? 0 : number].level));
	rte_tel_data_add_dict_string(data, "rss", port->facts.rss ? "yes" : port->facts.rss_reason);
	add_number(data, "queues", port->facts.queues);
	add_number(data, "mtu", port->facts.mtu);
	add_number(data, "link_up", port->ops->link_up(port));
	add_number(data, "packets_in", statistics.received);
	add_number(data, "bytes_in", statistics.received_octets);
	add_number(data, "packets_out", statistics.sent);
	add_number(data, "bytes_out", statistics.sent_octets);
	add_number(data, "missed", statistics.missed);
	add_number(data, "errors", statistics.errors);
	return 0;
}

/*
 * The words alone are read: whose a slot is, not what is in it. DPDK 22.11 takes arrays of numbers within a dictionary and no more, so
 * slot, generation and shard stand in a row.
 */
static int
answer_connections(const struct shard_group *group, const char *parameters, struct rte_tel_data *data)
{
	struct rte_tel_data *list;
	uint32_t slot, end, listed = 0;
	int32_t number;

	if (group->slots.count == 0 || !parameter(parameters, group->slots.count, &number))
		return -EINVAL;
	list = rte_tel_data_alloc();
	if (list == NULL)
		return -ENOMEM;
	start_numbers(list);
	slot = number < 0 ? 0 : (uint32_t)number;
	end = group->slots.count - slot < LOOKED_AT_MAX ? group->slots.count : slot + LOOKED_AT_MAX;
	for (; slot < end && listed < LISTED_MAX; slot++) {
		struct quic_slot_owner owner;

		quic_slots_owner(&group->slots, slot, &owner);
		if (owner.state != QUIC_SLOT_OWNED && owner.state != QUIC_SLOT_IN_TRANSIT)
			continue;
		add_array_number(list, slot);
		add_array_number(list, owner.generation);
		add_array_number(list, owner.owner);
		listed++;
	}
	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_container(data, "connections", list, 0);
	if (slot < group->slots.count)
		add_number(data, "next", slot);
	return 0;
}

static int
answer_status(const struct shard_group *group, const char *parameters, struct rte_tel_data *data)
{
	uint64_t connections = 0;

	for (uint16_t i = 0; i < group->count; i++) {
		struct shard_statistics statistics;

		shard_get_statistics(group->shards[i], &statistics);
		connections += statistics.connections;
	}
	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_string(data, "version", told.version);
	add_number(data, "uptime_s", (manager_now_ns(told.manager) - told.manager->started_ns) / BASE_SECOND);
	add_number(data, "shards", group->count);
	add_number(data, "ports", group->config.port_count);
	add_number(data, "connections", connections);
	add_number(data, "connections_max", group->config.connections);
	return 0;
}

static int
answer(const char *command, const char *parameters, struct rte_tel_data *data)
{
	static const struct {
		const char *command;
		int (*answer)(
			const struct shard_group *group, const char *parameters, struct rte_tel_data *data);
	} table[] = {{"/millrace/shards", answer_shards}, {"/millrace/counters", answer_counters},
		{"/millrace/port", answer_port}, {"/millrace/status", answer_status},
		{"/millrace/connections", answer_connections}};
	int result = -ENOENT;

	pthread_mutex_lock(&told.lock);
	for (size_t i = 0; told.manager != NULL && i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(command, table[i].command) == 0)
			result = table[i].answer(told.manager->config.group, parameters, data);
	pthread_mutex_unlock(&told.lock);
	return result;
}

bool
manager_telemetry_open(struct manager *manager, const char *version)
{
	told.manager = manager;
	told.version = version;
	return rte_telemetry_register_cmd("/millrace/status", answer, "The gateway in a few figures.") == 0 &&
		rte_telemetry_register_cmd(
			"/millrace/shards", answer, "Load of shards. Parameter: a shard's number.") == 0 &&
		rte_telemetry_register_cmd("/millrace/counters", answer,
			"Named counters. Parameters: a shard's number or all, the first.") == 0 &&
		rte_telemetry_register_cmd("/millrace/connections", answer,
			"Connections by slot. Parameter: the first slot.") == 0 &&
		rte_telemetry_register_cmd("/millrace/port", answer,
			"Facts and statistics of a port. Parameter: its number.") == 0 &&
		manager_telemetry_open_requests();
}

struct manager *
manager_telemetry_enter(void)
{
	struct manager *manager;

	pthread_mutex_lock(&told.lock);
	manager = told.manager;
	told.asking += manager != NULL;
	pthread_mutex_unlock(&told.lock);
	return manager;
}

void
manager_telemetry_leave(void)
{
	pthread_mutex_lock(&told.lock);
	told.asking--;
	pthread_cond_broadcast(&told.asked);
	pthread_mutex_unlock(&told.lock);
}

void
manager_telemetry_close(void)
{
	pthread_mutex_lock(&told.lock);
	told.manager = NULL;
	while (told.asking > 0)
		pthread_cond_wait(&told.asked, &told.lock);
	pthread_mutex_unlock(&told.lock);
}
