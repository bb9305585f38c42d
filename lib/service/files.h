/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The handler that serves a file set over HTTP/3: GET and HEAD, If-None-Match (304), one byte range (206,
 * 416, If-Range), 404, 405, 400. Bodies and most heads are sent from the file set or from constants of this
 * instance, without a copy.
 */
#ifndef SERVICE_FILES_H
#define SERVICE_FILES_H

#include <stdint.h>

#include "service/file_set.h"
#include "service/h3.h"

enum service_files_head {
	SERVICE_FILES_BAD_REQUEST,
	SERVICE_FILES_NOT_FOUND,
	SERVICE_FILES_NOT_ALLOWED,
	SERVICE_FILES_HEADS
};

enum service_files_counter {
	SERVICE_FILES_REQUESTS,
	SERVICE_FILES_OK,
	SERVICE_FILES_PARTIAL,
	SERVICE_FILES_NOT_MODIFIED,
	SERVICE_FILES_CLIENT_ERRORS, /* 400, 404, 405, 416 */
	SERVICE_FILES_NO_ROOM,       /* reset, because a send buffer had no place for a reference */
	SERVICE_FILES_COUNTERS
};

struct service_files {
	struct file_set_use use;
	struct http3_qpack *qpack;
	uint64_t counters[SERVICE_FILES_COUNTERS];
	struct {
		uint8_t octets[192]; /* HEADERS frame, DATA frame */
		uint16_t length;
		uint16_t headers_bytes;
	} heads[SERVICE_FILES_HEADS];
};

/* One instance per shard. `set` is sealed and shared, `qpack` the shard's. */
void service_files_init(struct service_files *files, const struct file_set *set, struct http3_qpack *qpack);
struct base_counters service_files_counters(const struct service_files *files);

extern const struct service_handler_ops service_files_ops;

#endif
