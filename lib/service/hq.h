/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ALPN "hq-interop": HTTP/0.9 over QUIC as the interop tests have it. "GET /path\r\n" on a stream of the
 * client's, the file's octets and the end back. The same files as over HTTP/3; what is not there is an
 * empty stream reset with code 0x0404.
 */
#ifndef SERVICE_HQ_H
#define SERVICE_HQ_H

#include <stdint.h>

#include "base/pool.h"
#include "service/file_set.h"
#include "service/service.h"

enum service_hq_counter {
	SERVICE_HQ_REQUESTS,
	SERVICE_HQ_NOT_FOUND,
	SERVICE_HQ_BAD,
	SERVICE_HQ_NO_MEMORY,
	SERVICE_HQ_COUNTERS
};

struct service_hq {
	struct file_set_use use;
	struct base_pool *conns; /* elements of service_hq_conn_bytes(), borrowed */
	struct base_pool
		*requests; /* request lines that arrive in pieces, service_hq_request_bytes(), borrowed */
	uint64_t counters[SERVICE_HQ_COUNTERS];
};

uint32_t service_hq_conn_bytes(void);
uint32_t service_hq_request_bytes(void);
void service_hq_init(struct service_hq *hq, const struct file_set *set, struct base_pool *conns,
	struct base_pool *requests);

extern const struct service_ops service_hq_ops;

#endif
