/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ALPN "chat": who is in a room hears what is said there, whatever shard each connection is on. An example of the bus (host.h), and of
 * a service that moves with its connections without a line of code for it: all its state is in one element of a pool of all shards.
 *
 * The client opens one bidirectional stream and writes lines: "/name ada", "/join kitchen", "/leave", "/help", or what it says. What comes back
 * are lines, too: "ada: hello" of whoever said it, the speaker included, in one order for all, and "* …" from the service. A client that
 * says more than its rate allows is held back by flow control; one that does not read misses lines, and is told how many.
 */
#ifndef SERVICE_CHAT_H
#define SERVICE_CHAT_H

#include <stdint.h>

#include "base/pool.h"
#include "service/host.h"
#include "service/service.h"

enum service_chat_counter {
	SERVICE_CHAT_JOINED,
	SERVICE_CHAT_SAID,
	SERVICE_CHAT_HEARD,
	SERVICE_CHAT_MISSED, /* lines that a client's stream had no room for */
	SERVICE_CHAT_HELD_BACK,
	SERVICE_CHAT_REFUSED, /* lines that were wrong, and rooms that could not be joined */
	SERVICE_CHAT_NO_MEMORY,
	SERVICE_CHAT_COUNTERS
};

struct service_chat {
	struct service_host *host;
	struct base_pool *conns; /* elements of service_chat_conn_bytes(), borrowed */
	uint64_t counters[SERVICE_CHAT_COUNTERS];
};

uint32_t service_chat_conn_bytes(void);
void service_chat_init(struct service_chat *chat, struct service_host *host, struct base_pool *conns);

extern const struct service_ops service_chat_ops;

#endif
