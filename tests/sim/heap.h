/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts what is asked of the process's heap, so that a turn can be seen to ask for nothing (architecture, O4). */
#ifndef SIM_HEAP_H
#define SIM_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Calls of malloc, free and their kin since the first call of this; libraries' calls too. */
uint64_t sim_heap_calls(void);
/* Memory of the simulator itself, which is not counted; zeroed, never NULL. */
void *sim_heap_take(size_t bytes);
void sim_heap_give(void *memory);

#endif
