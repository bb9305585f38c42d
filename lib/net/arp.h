/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Address Resolution Protocol, RFC 826, for Ethernet and IPv4. IP addresses are held IPv4-mapped. */
#ifndef NET_ARP_H
#define NET_ARP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/frame.h"

enum { NET_ARP_BYTES = 28 };
enum net_arp_operation { NET_ARP_REQUEST = 1, NET_ARP_REPLY = 2 };

struct net_arp {
	uint16_t operation; /* enum net_arp_operation */
	uint8_t sender_mac[NET_MAC_BYTES];
	uint8_t target_mac[NET_MAC_BYTES];
	uint8_t sender_ip[16];
	uint8_t target_ip[16];
};

/* False for another hardware, protocol or operation, a short packet or a group address as the sender's. */
bool net_arp_parse(const uint8_t *octets, size_t length, struct net_arp *arp);

/* Writes NET_ARP_BYTES. */
void net_arp_write(uint8_t *to, const struct net_arp *arp);

#endif
