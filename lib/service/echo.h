/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ALPN "echo": what comes on a bidirectional stream goes back on it, and so do datagrams (RFC 9221). Octets
 * are consumed only as fast as they can be written, so a peer that does not read is held by flow control,
 * not by our memory.
 */
#ifndef SERVICE_ECHO_H
#define SERVICE_ECHO_H

#include <stdint.h>

#include "service/service.h"

enum service_echo_counter {
	SERVICE_ECHO_BYTES,
	SERVICE_ECHO_DATAGRAMS,
	SERVICE_ECHO_DATAGRAMS_DROPPED,
	SERVICE_ECHO_COUNTERS
};

struct service_echo {
	uint64_t counters[SERVICE_ECHO_COUNTERS];
};

extern const struct service_ops service_echo_ops;

#endif
