/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the telemetry share: telemetry.c reads counters, telemetry_requests.c leaves requests with the manager. */
#ifndef MANAGER_TELEMETRY_PARTS_H
#define MANAGER_TELEMETRY_PARTS_H

#include <rte_telemetry.h>
#include <rte_version.h>

#include "manager/manager.h"

#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define add_number rte_tel_data_add_dict_uint
#define add_array_number rte_tel_data_add_array_uint
#define start_numbers(data) rte_tel_data_start_array(data, RTE_TEL_UINT_VAL)
#else
#define add_number rte_tel_data_add_dict_u64
#define add_array_number rte_tel_data_add_array_u64
#define start_numbers(data) rte_tel_data_start_array(data, RTE_TEL_U64_VAL)
#endif

/* The manager, which stays until it is left; NULL: nothing is told any more. */
struct manager *manager_telemetry_enter(void);
void manager_telemetry_leave(void);

/* False when DPDK refuses. */
bool manager_telemetry_open_requests(void);

#endif
