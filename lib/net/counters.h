/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lib/net counts, one array per interface. The counters from NET_DROP_SHORT on are reasons for which a
 * frame or datagram was dropped; a frame is counted under one of them at most.
 */
#ifndef NET_COUNTERS_H
#define NET_COUNTERS_H

#include <stdint.h>

enum net_counter {
	NET_RECEIVED_FRAMES,
	NET_RECEIVED_DATAGRAMS,
	NET_SENT_DATAGRAMS,
	NET_SENT_REQUESTS,      /* ARP requests and neighbour solicitations */
	NET_SENT_ANNOUNCEMENTS, /* gratuitous ARP and unsolicited advertisements of our own addresses */
	NET_REPLIED_ARP,
	NET_REPLIED_ND,
	NET_REPLIED_ECHO,
	NET_ICMP_ERRORS,  /* heard and otherwise ignored: the path MTU is probed */
	NET_ICMP_IGNORED, /* any other message that is not for us to answer */
	NET_NEIGHBOUR_RESOLVED,
	NET_NEIGHBOUR_FAILED,      /* no answer after all requests */
	NET_NEIGHBOUR_UNSOLICITED, /* nobody had asked, not believed */
	NET_NEIGHBOUR_CONFLICT, /* another link address for a neighbour we know: asked again before belief */
	NET_NEIGHBOUR_EVICTED,
	NET_NEIGHBOUR_RATE,         /* requests held back by the rate limit */
	NET_NEIGHBOUR_UPDATES_LOST, /* no place for an update to other shards; it is repeated later */

	NET_DROP_SHORT, /* no whole Ethernet, VLAN, IP or UDP header */
	NET_DROP_ETHERTYPE,
	NET_DROP_VLAN,
	NET_DROP_LINK_ADDRESS, /* for another station, or from a group address */
	NET_DROP_IP_VERSION,
	NET_DROP_IP_LENGTH,
	NET_DROP_IP_CHECKSUM,
	NET_DROP_IP_FRAGMENT,
	NET_DROP_IP_EXTENSION, /* an IPv6 extension header malformed, unknown or one too many */
	NET_DROP_IP_PROTOCOL,
	NET_DROP_IP_SOURCE,      /* a source nobody can be answered at */
	NET_DROP_IP_DESTINATION, /* not an address of ours */
	NET_DROP_UDP_LENGTH,
	NET_DROP_UDP_CHECKSUM,
	NET_DROP_UDP_NO_CHECKSUM, /* zero over IPv6, RFC 8200 section 8.1 */
	NET_DROP_UDP_PORT,        /* source port zero */
	NET_DROP_ARP,
	NET_DROP_ND,
	NET_DROP_ICMP,
	NET_DROP_NO_ROUTE,        /* sending: not on link and no gateway, or a source not ours */
	NET_DROP_TOO_LONG,        /* sending: beyond the MTU */
	NET_DROP_NEIGHBOUR_FULL,  /* sending: no place for one more neighbour */
	NET_DROP_NEIGHBOUR_QUEUE, /* sending: too many datagrams wait for the neighbour */
	NET_DROP_UNREACHABLE,     /* sending: the neighbour did not answer */
	NET_COUNTER_COUNT
};

/* [NET_COUNTER_COUNT] */
extern const char *const net_counter_names[];

#endif
