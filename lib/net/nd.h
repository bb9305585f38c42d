/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Neighbour discovery for IPv6, RFC 4861: solicitations and advertisements. Routers are configured, so
 * router messages and redirects are ignored.
 */
#ifndef NET_ND_H
#define NET_ND_H

#include <stdbool.h>
#include <stdint.h>

#include "net/frame.h"

enum { NET_ND_BYTES = 32, NET_ND_HOP_LIMIT = 255 };
enum net_nd_type {
	NET_ND_ROUTER_SOLICITATION = 133,
	NET_ND_SOLICITATION = 135,
	NET_ND_ADVERTISEMENT = 136,
	NET_ND_REDIRECT = 137
};
enum net_nd_flag { NET_ND_ROUTER = 0x80, NET_ND_SOLICITED = 0x40, NET_ND_OVERRIDE = 0x20 };

struct net_nd {
	uint8_t type;  /* enum net_nd_type */
	uint8_t flags; /* enum net_nd_flag, advertisements only */
	bool has_link; /* the link-layer address option was there; when writing: write it */
	uint8_t link[NET_MAC_BYTES];
	uint8_t target[16];
};

/* Validates by RFC 4861 sections 7.1.1 and 7.1.2, hop limit 255 and checksum included. False: drop. */
bool net_nd_parse(const struct net_frame *frame, const struct net_headers *headers, struct net_nd *nd);

/* Writes Ethernet, IPv6 and ICMPv6, NET_CONTROL_BYTES at most; returns the length of the frame. */
uint16_t net_nd_write(uint8_t *to, const struct net_link *link, const uint8_t source[16],
	const uint8_t destination[16], const struct net_nd *nd);

/* ff02::1:ffXX:XXXX of an address, RFC 4291 section 2.7.1, and the link address of a multicast group, RFC 2464. */
void net_nd_solicited_node(uint8_t group[16], const uint8_t ip[16]);
void net_nd_group_mac(uint8_t mac[NET_MAC_BYTES], const uint8_t group[16]);
/* fe80::/64 with the modified EUI-64 of a link address, RFC 4291 appendix A. */
void net_nd_link_local(uint8_t ip[16], const uint8_t mac[NET_MAC_BYTES]);

#endif
