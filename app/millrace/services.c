/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/millrace/services.h"

#include <stdio.h>

#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_mempool.h>

#include "app/millrace/file_loader.h"
#include "app/millrace/site.h"
#include "base/assert.h"
#include "base/time.h"
#include "http3/http3.h"
#include "service/chat.h"
#include "service/echo.h"
#include "service/files.h"
#include "service/h3.h"
#include "service/host.h"
#include "service/hq.h"
#include "shard/pool.h"

enum { LINE_BYTES = 64 };

enum pool {
	POOL_H3_CONN,
	POOL_H3_REQUEST,
	POOL_H3_SECTION,
	POOL_HQ_CONN,
	POOL_HQ_REQUEST,
	POOL_MEMBER,
	POOL_HELD,
	POOL_CHAT_CONN,
	POOL_COUNT
};

struct shard_services {
	struct service_set set;
	struct shard_pool pools[POOL_COUNT];
	void *http3_memory;
	void *qpack_memory;
	struct service_h3 h3;
	struct service_files files;
	struct service_hq hq;
	struct service_echo echo;
	void *bus_memory;
	struct service_host host;
	struct service_chat chat;
};

struct services {
	const struct config *config;
	const int *sockets;
	struct objects *objects;
	struct http3_limits limits;
	struct rte_mempool *pools[POOL_COUNT];
	struct service_host_config host; /* but for pools and memory of a shard */
	void *file_memory;
	struct file_set *files;
	struct shard_services *shards[CONFIG_SHARDS_MAX];
};

static bool
wants_bus(const struct config *config)
{
	return config->services.chat || config->service_count > 0;
}

static bool
no_memory(char *error, size_t room, const char *what, size_t bytes)
{
	snprintf(error, room,
		"there is no memory for %s (%zu MB): raise [memory] megabytes, or lower what takes it there",
		what, (bytes >> 20) + 1);
	return false;
}

static void *
take_for_files(void *user, size_t bytes)
{
	struct services *services = user;

	services->file_memory = rte_malloc("files", bytes, LINE_BYTES);
	return services->file_memory;
}

static bool
load_files(struct services *services, char *error, size_t room)
{
	const struct file_loader loader = {
		.directory = services->config->files.root, .take = take_for_files, .user = services};
	char sentence[FILE_LOADER_SENTENCE];

	services->files = file_loader_load(&loader, sentence);
	if (services->files == NULL)
		snprintf(error, room, "[files] root: %s", sentence);
	return services->files != NULL;
}

static bool
open_pool(struct services *services, enum pool pool, const char *name, uint32_t bytes, uint32_t capacity,
	char *error, size_t room)
{
	uint16_t shards = services->config->shards.count;

	services->pools[pool] = shard_pool_memory_open(name, bytes, capacity, shards, SOCKET_ID_ANY);
	return services->pools[pool] != NULL || no_memory(error, room, name, (size_t)bytes * capacity);
}

static bool
open_pools(struct services *services, char *error, size_t room)
{
	const struct config_memory *memory = &services->config->memory;
	const struct http3_limits *limits = &services->limits;

	if (services->config->services.h3 &&
		(!open_pool(services, POOL_H3_CONN, "h3_conns", http3_pool_bytes(HTTP3_POOL_CONN, limits),
			 memory->connections, error, room) ||
			!open_pool(services, POOL_H3_REQUEST, "h3_requests",
				http3_pool_bytes(HTTP3_POOL_REQUEST, limits), memory->requests, error,
				room) ||
			!open_pool(services, POOL_H3_SECTION, "h3_sections",
				http3_pool_bytes(HTTP3_POOL_SECTION, limits), memory->field_sections, error,
				room)))
		return false;
	if (services->config->services.chat &&
		!open_pool(services, POOL_CHAT_CONN, "chat_conns", service_chat_conn_bytes(),
			memory->connections, error, room))
		return false;
	return !services->config->services.hq ||
		(open_pool(services, POOL_HQ_CONN, "hq_conns", service_hq_conn_bytes(), memory->connections,
			 error, room) &&
			open_pool(services, POOL_HQ_REQUEST, "hq_requests", service_hq_request_bytes(),
				memory->field_sections, error, room));
}

/* What posts and topics take, where a service wants them. */
static bool
open_bus(struct services *services, char *error, size_t room)
{
	const struct config_bus *bus = &services->config->bus;
	size_t bytes = (size_t)services->config->memory.connections * sizeof(struct service_member *);

	if (!wants_bus(services->config))
		return true;
	services->host.limits =
		(struct service_host_limits){.bus = {.topics = bus->topics,
						     .subscribers = bus->subscribers,
						     .topic_subscribers = bus->topic_subscribers},
			.posts_per_s = bus->posts_per_s,
			.posts_burst = bus->posts_burst,
			.posts_per_turn = bus->posts_per_turn,
			.hold_ns = bus->hold_ms * BASE_MS};
	site_random(services->host.topic_key, sizeof(services->host.topic_key));
	services->host.members = rte_zmalloc("members", bytes, LINE_BYTES);
	if (services->host.members == NULL)
		return no_memory(error, room, "members of the bus", bytes);
	return open_pool(services, POOL_MEMBER, "members", sizeof(struct service_member), bus->connections,
		       error, room) &&
		open_pool(services, POOL_HELD, "held", sizeof(struct service_held), bus->held, error, room);
}

static bool
open_host(struct services *services, uint16_t index, int socket, char *error, size_t room)
{
	struct shard_services *shard = services->shards[index];
	struct service_host_config host = services->host;
	size_t bytes = service_bus_bytes(&host.limits.bus);

	if (!wants_bus(services->config))
		return true;
	shard->bus_memory = rte_zmalloc_socket("bus", bytes, LINE_BYTES, socket);
	if (shard->bus_memory == NULL)
		return no_memory(error, room, "topics", bytes);
	host.self = index;
	host.shards = services->config->shards.count;
	host.member_pool = &shard->pools[POOL_MEMBER].pool;
	host.held_pool = &shard->pools[POOL_HELD].pool;
	host.bus_memory = shard->bus_memory;
	service_host_init(&shard->host, &host, &shard->set);
	return true;
}

static void
add(struct shard_services *shard, const struct service_ops *ops, void *instance)
{
	enum service_result result = service_add(&shard->set, ops, instance);

	base_assert(result == SERVICE_OK);
}

static bool
open_h3(struct services *services, struct shard_services *shard, int socket, char *error, size_t room)
{
	struct http3_config config = {.limits = services->limits};
	struct service_handler handler = {.path = "/", .ops = &service_files_ops, .instance = &shard->files};
	struct http3_qpack *qpack;
	enum service_result result;

	config.pools[HTTP3_POOL_CONN] = &shard->pools[POOL_H3_CONN].pool;
	config.pools[HTTP3_POOL_REQUEST] = &shard->pools[POOL_H3_REQUEST].pool;
	config.pools[HTTP3_POOL_SECTION] = &shard->pools[POOL_H3_SECTION].pool;
	shard->http3_memory = rte_zmalloc_socket("http3", http3_bytes(&services->limits), LINE_BYTES, socket);
	shard->qpack_memory = rte_zmalloc_socket(
		"qpack", http3_qpack_bytes(services->limits.section_bytes), LINE_BYTES, socket);
	if (shard->http3_memory == NULL || shard->qpack_memory == NULL)
		return no_memory(error, room, "HTTP/3", http3_bytes(&services->limits));
	qpack = http3_qpack_open(shard->qpack_memory, services->limits.section_bytes);
	service_files_init(&shard->files, services->files, qpack);
	service_h3_init(&shard->h3, http3_open(shard->http3_memory, &config));
	result = service_h3_add(&shard->h3, &handler);
	base_assert(result == SERVICE_OK);
	add(shard, &service_h3_ops, &shard->h3);
	return true;
}

static bool
open_shard(struct services *services, uint16_t index, char *error, size_t room)
{
	const struct config_services *wanted = &services->config->services;
	int socket = services->sockets[index];
	struct shard_services *shard = rte_zmalloc_socket("services", sizeof(*shard), LINE_BYTES, socket);

	if (shard == NULL)
		return no_memory(error, room, "services", sizeof(*shard));
	services->shards[index] = shard;
	for (unsigned int i = 0; i < POOL_COUNT; i++)
		if (services->pools[i] != NULL)
			shard_pool_init(&shard->pools[i], services->pools[i], services->config->shards.count);
	if (!open_host(services, index, socket, error, room))
		return false;
	if (wanted->h3 && !open_h3(services, shard, socket, error, room))
		return false;
	if (wanted->hq) {
		service_hq_init(&shard->hq, services->files, &shard->pools[POOL_HQ_CONN].pool,
			&shard->pools[POOL_HQ_REQUEST].pool);
		add(shard, &service_hq_ops, &shard->hq);
	}
	if (wanted->echo)
		add(shard, &service_echo_ops, &shard->echo);
	if (wanted->chat) {
		service_chat_init(&shard->chat, &shard->host, &shard->pools[POOL_CHAT_CONN].pool);
		add(shard, &service_chat_ops, &shard->chat);
	}
	return objects_open_shard(services->objects, index, socket, &shard->set, error, room);
}

/* A connection may have a sixteenth of the field sections, and two at least. */
static uint32_t
section_share(uint32_t sections)
{
	return sections / 16 > 2 ? sections / 16 : 2;
}

struct services *
services_open(const struct config *config, const int sockets[CONFIG_SHARDS_MAX], struct objects *objects,
	char *error, size_t room)
{
	struct services *services = rte_zmalloc("services", sizeof(*services), LINE_BYTES);
	bool opened;

	if (services == NULL) {
		no_memory(error, room, "services", sizeof(*services));
		return NULL;
	}
	services->config = config;
	services->sockets = sockets;
	services->objects = objects;
	services->limits.section_bytes = config->http3.field_section_bytes;
	services->limits.discard_bytes = config->http3.discard_bytes;
	services->limits.sections = section_share(config->memory.field_sections);
	site_random(&services->limits.grease, sizeof(services->limits.grease));
	opened = (!config->services.h3 && !config->services.hq) || load_files(services, error, room);
	opened = opened && open_pools(services, error, room) && open_bus(services, error, room) &&
		objects_open_pools(objects, error, room);
	for (uint16_t i = 0; opened && i < config->shards.count; i++)
		opened = open_shard(services, i, error, room);
	if (opened)
		return services;
	services_close(services);
	return NULL;
}

void
services_close(struct services *services)
{
	if (services == NULL)
		return;
	for (uint16_t i = 0; i < CONFIG_SHARDS_MAX; i++)
		if (services->shards[i] != NULL) {
			objects_close_shard(services->objects, i);
			rte_free(services->shards[i]->http3_memory);
			rte_free(services->shards[i]->qpack_memory);
			rte_free(services->shards[i]->bus_memory);
			rte_free(services->shards[i]);
		}
	for (unsigned int i = 0; i < POOL_COUNT; i++)
		shard_pool_memory_close(services->pools[i]);
	rte_free(services->host.members);
	rte_free(services->file_memory);
	rte_free(services);
}

struct service_set *
services_of(struct services *services, uint16_t shard)
{
	return &services->shards[shard]->set;
}

uint32_t
services_files(const struct services *services)
{
	return services->files != NULL ? file_set_count(services->files) : 0;
}
