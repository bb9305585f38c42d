/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DPDK for a test of one process: no hugepages, no cards, nothing shared. */
#ifndef TESTS_SHARD_EAL_H
#define TESTS_SHARD_EAL_H

#include <rte_eal.h>
#include <rte_errno.h>

#include "tests/support/cmocka_all.h"

static inline int
eal_setup(void **state)
{
	static char program[] = "test", huge[] = "--no-huge", pci[] = "--no-pci", shared[] = "--no-shconf",
		    telemetry[] = "--no-telemetry", memory[] = "-m", megabytes[] = "192",
		    lcores[] = "--lcores", map[] = "0@0,1@0,2@1,3@1", level[] = "--log-level",
		    quiet[] = "lib.*:4";
	static char *arguments[] = {
		program, huge, pci, shared, telemetry, memory, megabytes, lcores, map, level, quiet, NULL};

	(void)state;
	return rte_eal_init(sizeof(arguments) / sizeof(arguments[0]) - 1, arguments) < 0 ? -1 : 0;
}

static inline int
eal_teardown(void **state)
{
	(void)state;
	return rte_eal_cleanup();
}

#endif
