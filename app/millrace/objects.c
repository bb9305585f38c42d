/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/millrace/objects.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_malloc.h>
#include <rte_memory.h>

#include "service/object.h"
#include "shard/pool.h"

enum { LINE_BYTES = 64, POOL_STATES = 0, POOL_OBJECTS, POOLS };

struct object_instance {
	struct service_object object;
	struct shard_pool pools[POOLS];
	bool opened;
};

struct loaded {
	int file; /* open as long as it is loaded, since the loader knows it by its number */
	void *library;
	const struct millrace_service *service;
	struct rte_mempool *pools[POOLS];
	struct object_instance *instances[CONFIG_SHARDS_MAX];
};

struct objects {
	const struct config *config;
	struct loaded loaded[CONFIG_SERVICES_MAX];
};

/* The sentence about the object number `index`. */
static bool wrong(const struct config *config, uint32_t index, char *error, size_t room, const char *format,
	...) __attribute__((format(printf, 5, 6)));

static bool
wrong(const struct config *config, uint32_t index, char *error, size_t room, const char *format, ...)
{
	va_list arguments;
	int used = snprintf(error, room, "%s:%u: service.file: %s: ", config->origin.file,
		config->origin.service_lines[index], config->service[index].file);

	if (used < 0 || (size_t)used >= room)
		return false;
	va_start(arguments, format);
	vsnprintf(error + used, room - (size_t)used, format, arguments);
	va_end(arguments);
	return false;
}

/* ---- loading ---- */

/* It becomes part of the gateway, so whoever could write to it would be the gateway. */
static bool
is_safe(const struct config *config, uint32_t index, int file, char *error, size_t room)
{
	struct stat status;

	if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
		return wrong(config, index, error, room, "it is no file; name a shared object");
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return wrong(config, index, error, room,
			"others than its owner may write to it; run chmod go-w on it");
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return wrong(config, index, error, room,
			"it belongs to user %u, who is neither root nor the gateway's; run chown root on it",
			(unsigned)status.st_uid);
	return true;
}

static bool
load_from(struct objects *objects, uint32_t index, char *error, size_t room)
{
	struct loaded *loaded = &objects->loaded[index];
	const char *fault;
	char path[32];

	/* By the open file, so that what was looked at is what is loaded. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", loaded->file);
	loaded->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (loaded->library == NULL)
		return wrong(objects->config, index, error, room,
			"it cannot be loaded (%s); build it with cc -shared -fPIC, with all that it needs",
			dlerror());
	loaded->service = dlsym(loaded->library, "millrace_service");
	if (loaded->service == NULL)
		return wrong(objects->config, index, error, room,
			"it has no symbol millrace_service; define it as millrace/service.h says");
	fault = service_object_fault(loaded->service);
	return fault == NULL || wrong(objects->config, index, error, room, "%s", fault);
}

/* Also ours, which do not come from objects. */
static bool
is_free(const struct objects *objects, uint32_t index, char *error, size_t room)
{
	const char *alpn = objects->loaded[index].service->alpn;
	const struct config_services *ours = &objects->config->services;
	bool taken = (ours->h3 && strcmp(alpn, "h3") == 0) || (ours->hq && strcmp(alpn, "hq-interop") == 0) ||
		(ours->echo && strcmp(alpn, "echo") == 0) || (ours->chat && strcmp(alpn, "chat") == 0);

	for (uint32_t i = 0; i < index; i++)
		taken |= strcmp(alpn, objects->loaded[i].service->alpn) == 0;
	return !taken ||
		wrong(objects->config, index, error, room,
			"its ALPN \"%s\" is another service's; leave one of them out", alpn);
}

static bool
load(struct objects *objects, uint32_t index, char *error, size_t room)
{
	int file = open(objects->config->service[index].file, O_RDONLY | O_CLOEXEC);

	objects->loaded[index].file = file;
	if (file < 0)
		return wrong(objects->config, index, error, room,
			"it cannot be opened (%s); name a shared object", strerror(errno));
	return is_safe(objects->config, index, file, error, room) && load_from(objects, index, error, room) &&
		is_free(objects, index, error, room);
}

struct objects *
objects_open(const struct config *config, char *error, size_t room)
{
	struct objects *objects = calloc(1, sizeof(*objects));

	if (objects == NULL) {
		snprintf(error, room, "there is no memory; give the machine more");
		return NULL;
	}
	objects->config = config;
	for (uint32_t i = 0; i < CONFIG_SERVICES_MAX; i++)
		objects->loaded[i].file = -1;
	for (uint32_t i = 0; i < config->service_count; i++)
		if (!load(objects, i, error, room)) {
			objects_close(objects);
			return NULL;
		}
	return objects;
}

void
objects_offer(const struct objects *objects, struct tls_settings *settings)
{
	for (uint32_t i = 0; objects_alpn(objects, i) != NULL; i++)
		settings->alpn[settings->alpn_count++] = objects_alpn(objects, i);
}

const char *
objects_alpn(const struct objects *objects, uint32_t index)
{
	return index < objects->config->service_count ? objects->loaded[index].service->alpn : NULL;
}

/* ---- memory and instances ---- */

static bool
open_pool(struct objects *objects, uint32_t index, int pool, uint32_t bytes, uint32_t count, char *error,
	size_t room)
{
	char name[32];

	if (bytes == 0)
		return true;
	snprintf(name, sizeof(name), "object%u_%d", index, pool);
	objects->loaded[index].pools[pool] =
		shard_pool_memory_open(name, bytes, count, objects->config->shards.count, SOCKET_ID_ANY);
	return objects->loaded[index].pools[pool] != NULL ||
		wrong(objects->config, index, error, room,
			"there is no memory for %u times %u octets that it wants; raise [memory] megabytes",
			count, bytes);
}

bool
objects_open_pools(struct objects *objects, char *error, size_t room)
{
	for (uint32_t i = 0; i < objects->config->service_count; i++) {
		const struct millrace_service *service = objects->loaded[i].service;

		if (!open_pool(objects, i, POOL_STATES, service_object_state_bytes(service),
			    objects->config->memory.connections, error, room) ||
			!open_pool(objects, i, POOL_OBJECTS, service->object_bytes, service->object_count,
				error, room))
			return false;
	}
	return true;
}

static bool
open_instance(struct objects *objects, uint32_t index, uint16_t shard, int socket, struct service_set *set,
	char *error, size_t room)
{
	struct loaded *loaded = &objects->loaded[index];
	size_t bytes = (sizeof(struct object_instance) + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
	struct object_instance *instance =
		rte_zmalloc_socket("object", bytes + loaded->service->instance_bytes, LINE_BYTES, socket);
	char reason[CONFIG_LINE_BYTES];

	if (instance == NULL)
		return wrong(objects->config, index, error, room,
			"there is no memory for its instance of %u octets; raise [memory] megabytes",
			loaded->service->instance_bytes);
	loaded->instances[shard] = instance;
	for (int i = 0; i < POOLS; i++)
		if (loaded->pools[i] != NULL)
			shard_pool_init(&instance->pools[i], loaded->pools[i], objects->config->shards.count);
	instance->object = (struct service_object){.service = loaded->service,
		.instance = (uint8_t *)instance + bytes,
		.states = loaded->pools[POOL_STATES] != NULL ? &instance->pools[POOL_STATES].pool : NULL,
		.objects = loaded->pools[POOL_OBJECTS] != NULL ? &instance->pools[POOL_OBJECTS].pool : NULL};
	instance->opened = service_object_open(
		&instance->object, set, objects->config->service[index].options, reason, sizeof(reason));
	return instance->opened || wrong(objects->config, index, error, room, "%s", reason);
}

bool
objects_open_shard(struct objects *objects, uint16_t shard, int socket, struct service_set *set, char *error,
	size_t room)
{
	for (uint32_t i = 0; i < objects->config->service_count; i++)
		if (!open_instance(objects, i, shard, socket, set, error, room))
			return false;
	return true;
}

static void
close_instance(struct object_instance *instance)
{
	if (instance != NULL && instance->opened)
		service_object_close(&instance->object);
	rte_free(instance);
}

void
objects_close_shard(struct objects *objects, uint16_t shard)
{
	for (uint32_t i = 0; i < CONFIG_SERVICES_MAX; i++) {
		close_instance(objects->loaded[i].instances[shard]);
		objects->loaded[i].instances[shard] = NULL;
	}
}

static void
unload(struct loaded *loaded)
{
	for (int i = 0; i < POOLS; i++)
		shard_pool_memory_close(loaded->pools[i]);
	if (loaded->library != NULL)
		dlclose(loaded->library);
	if (loaded->file >= 0)
		close(loaded->file);
}

void
objects_close(struct objects *objects)
{
	if (objects == NULL)
		return;
	for (uint32_t i = 0; i < CONFIG_SERVICES_MAX; i++)
		unload(&objects->loaded[i]);
	free(objects);
}
