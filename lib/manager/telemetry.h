/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the gateway tells through DPDK's telemetry socket:
 *   /millrace/status      version, uptime, shards, connections, ports
 *   /millrace/shards,N    a shard's load; without N an array of all, as far as they fit one answer
 *   /millrace/counters,N  named counters of a shard; without N added up over all
 *   /millrace/port,N      a port's facts and statistics
 *   /millrace/connections,SLOT  connections from this slot on, and where the next page begins
 *   /millrace/move,SLOT,GENERATION,SHARD  moves a connection and says what became of it
 * Handlers run on threads of DPDK and only read counters, which may be a moment old, or leave a request
 * with the manager and wait for its answer.
 */
#ifndef MANAGER_TELEMETRY_H
#define MANAGER_TELEMETRY_H

#include <stdbool.h>

#include "manager/manager.h"

/* Before manager_run(); one manager in a process. False when DPDK refuses. */
bool manager_telemetry_open(struct manager *manager, const char *version);
/* From here on nothing is told; waits for an answer that is being made. */
void manager_telemetry_close(void);

#endif
