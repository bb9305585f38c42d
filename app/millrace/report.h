/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the gateway says at start, for people. */
#ifndef APP_MILLRACE_REPORT_H
#define APP_MILLRACE_REPORT_H

#include "app/millrace/objects.h"
#include "config/config.h"
#include "shard/group.h"

/* Driver, queues, RSS or why not, offloads, steering. */
void report_port(const char *name, const struct shard_port *port);
/* A warning when the shard of a queue is on another CPU socket than the port. */
void report_remote(const char *name, const struct shard_port *port, uint16_t shard, int socket);
/* Each shard's lcore, CPU, socket and memory; `seat_bytes` is what it has of TLS and ciphers. */
void report_shards(const struct config *config, const struct shard_group *group, size_t seat_bytes);
/* The line that begins "millrace: ready", whatever the log level. */
void report_ready(const struct config *config, const struct objects *objects, uint32_t files);

#endif
