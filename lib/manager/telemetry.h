/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the gateway tells through DPDK's telemetry socket:
 *   /millrace/status      version, uptime, shards, connections, ports
 *   /millrace/shards,N    a shard's load; without N an array of all, as far as they fit one answer
 *   /millrace/counters,N,FIRST  named counters of a shard (N is "all": added up), from the FIRST on, and where the next page begins
 *   /millrace/port,N      a port's facts and statistics
 *   /millrace/connections,SLOT  connections from this slot on, and where the next page begins
 * and what the manager does on demand; each answer has "done" and, in a sentence, "outcome":
 *   /millrace/move,SLOT,GENERATION,SHARD  moves a connection and says what became of it
 *   /millrace/rebalance         whether loads are evened out, by what limits, with what success
 *   /millrace/rebalance,on|off  changes that
 *   /millrace/drain             the same answer
 *   /millrace/drain,N,on|off    empties a shard (N is "all": the gateway takes no new connections)
 *   /millrace/heavy,COUNT       the heaviest connections of the last window
 *   /millrace/history,AFTER     moves that ended after this number, oldest first, a page of them
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
