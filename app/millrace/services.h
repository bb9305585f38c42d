/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The services of each shard: the same in the same order on all, over one set of files and pools that all
 * shards share.
 */
#ifndef APP_MILLRACE_SERVICES_H
#define APP_MILLRACE_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/millrace/objects.h"
#include "config/config.h"
#include "service/service.h"

struct services;

/* Reads the files, and opens the objects for each shard; NULL with a readable sentence. `sockets` has the CPU socket of each shard. */
struct services *services_open(const struct config *config, const int sockets[CONFIG_SHARDS_MAX],
	struct objects *objects, char *error, size_t room);
/* After the shards are closed. */
void services_close(struct services *services);
struct service_set *services_of(struct services *services, uint16_t shard);
/* Files in memory, for people; 0 where none are served. */
uint32_t services_files(const struct services *services);

#endif
