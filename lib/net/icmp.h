/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ICMP (RFC 792) and ICMPv6 (RFC 4443): an echo request is rewritten into its reply where it lies, errors are
 * counted and have no effect.
 */
#ifndef NET_ICMP_H
#define NET_ICMP_H

#include "net/frame.h"

/*
 * Returns NET_REPLIED_ECHO when the frame now is the reply, NET_ICMP_ERRORS or NET_ICMP_IGNORED when nothing is to
 * be done, else the reason to drop. Neighbour discovery is not for this function.
 */
enum net_counter net_icmp_receive(struct net_frame *frame, const struct net_headers *headers);

#endif
