/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services from shared objects: loaded at start, before TLS has to know their ALPNs, then opened for each shard. What is wrong with one is said
 * with file and line of the configuration.
 */
#ifndef APP_MILLRACE_OBJECTS_H
#define APP_MILLRACE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "service/service.h"
#include "tls/tls.h"

struct objects;

/* NULL with a readable sentence. `config` is borrowed. */
struct objects *objects_open(const struct config *config, char *error, size_t room);
/* After all their instances are closed. */
void objects_close(struct objects *objects);
/* Their ALPNs, behind those that are there. */
void objects_offer(const struct objects *objects, struct tls_settings *settings);
/* What all shards share: before the first is opened. */
bool objects_open_pools(struct objects *objects, char *error, size_t room);
/* An instance of each for this shard, into its set, which has a host. */
bool objects_open_shard(struct objects *objects, uint16_t shard, int socket, struct service_set *set,
	char *error, size_t room);
/* After that shard has ended, while the host of its set is there; also if not all had been opened. */
void objects_close_shard(struct objects *objects, uint16_t shard);
/* ALPN of object number `index`, NULL: there are no more. */
const char *objects_alpn(const struct objects *objects, uint32_t index);

#endif
