/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Services of others (millrace.h) in the place of ours (service.h): the one file that knows both interfaces, so that each may
 * change without the other. One struct service_object for each shard; how an object comes into memory is the program's affair.
 */
#ifndef SERVICE_OBJECT_H
#define SERVICE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "service/host.h"
#include "service/millrace.h"
#include "service/service.h"

struct service_object {
	const struct millrace_service *service;
	struct service_ops ops;
	struct service_host *host;
	uint8_t number;
	void *instance;
	struct base_pool *states;  /* NULL where conn_bytes is 0; of all shards, as the next */
	struct base_pool *objects; /* NULL where there are none */
};

/* What is wrong with the object, as a sentence with its mend; NULL: nothing. */
const char *service_object_fault(const struct millrace_service *service);

/* Octets of an element of `states`. */
uint32_t service_object_state_bytes(const struct millrace_service *service);

/*
 * Adds it to the set of a shard, which has a host, and opens it. `instance` is zero and has instance_bytes. False when the set does not take it
 * or open() refuses: `error` says why.
 */
bool service_object_open(struct service_object *object, struct service_set *set, const char *options,
	char *error, size_t room);
/* After the shard has ended, while its host is there. */
void service_object_close(struct service_object *object);

#endif
