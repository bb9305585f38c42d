/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket is DPDK's, which leaves its mode to the umask: whoever could connect to it could turn the gateway off. So
 * its file is made the owner's alone, and looked at.
 */
#ifndef MANAGER_SOCKET_H
#define MANAGER_SOCKET_H

#include <stddef.h>

enum manager_socket_result {
	MANAGER_SOCKET_SECURE,
	MANAGER_SOCKET_NONE, /* as when DPDK was told to have no telemetry */
	MANAGER_SOCKET_OPEN, /* to others, and it cannot be helped */
};

/* All telemetry sockets in DPDK's runtime folder get mode 0600. Unless they have, `error` is one readable sentence. */
enum manager_socket_result manager_socket_secure(const char *folder, char *error, size_t room);

#endif
