/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plain UDP echo on a port of its own: a datagram goes back the way it came. */
#ifndef SERVICE_UDP_ECHO_H
#define SERVICE_UDP_ECHO_H

#include <stdbool.h>

#include "base/datagram.h"

/*
 * Turns the datagram round in place. False when it must not be answered: from a port below 1024 or from our
 * own port number, which could be another echo that a forged source address set us against.
 */
bool service_udp_echo(struct base_datagram *datagram);

#endif
