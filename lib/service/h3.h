/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The service of ALPN "h3": one struct http3 per shard, and the request handlers that answer by authority
 * and path.
 */
#ifndef SERVICE_H3_H
#define SERVICE_H3_H

#include <stdbool.h>
#include <stdint.h>

#include "http3/http3.h"
#include "service/service.h"

struct service_handler_ops {
	const char *name;
	/* A request's fields; valid during the call. */
	void (*on_request)(
		void *instance, struct http3_request *request, const struct http3_message *message);
	/*
	 * Every later event of the request, CLOSED the last; may be NULL. Body octets nobody consumes stop
	 * the stream.
	 */
	void (*on_event)(void *instance, const struct http3_event *event);
};

struct service_handler {
	const char *authority; /* host as requested, without port; NULL: any */
	const char *path;      /* prefix of whole segments; "/" is all */
	const struct service_handler_ops *ops;
	void *instance;
};

enum { SERVICE_HANDLERS_MAX = 32 };

struct service_h3 {
	struct http3 *http3;
	struct service_handler
		handlers[SERVICE_HANDLERS_MAX]; /* longest path first, named authority before any */
	uint32_t count;
	uint64_t no_handler;
	uint8_t not_found[64]; /* HEADERS frame of a 404 */
	uint8_t not_found_length;
};

/* `http3` is borrowed. */
void service_h3_init(struct service_h3 *h3, struct http3 *http3);
enum service_result service_h3_add(struct service_h3 *h3, const struct service_handler *handler);
/* NULL when nobody answers for it. */
const struct service_handler *service_h3_find(
	const struct service_h3 *h3, struct http3_text authority, struct http3_text path);

extern const struct service_ops service_h3_ops;

#endif
