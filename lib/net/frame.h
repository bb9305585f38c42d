/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ethernet II with an optional 802.1Q tag, IPv4 (RFC 791), IPv6 (RFC 8200) and UDP (RFC 768): a frame is read
 * into its headers and the datagram in place, and headers are written in front of a datagram. Nothing here
 * knows whose addresses they are; interface.h does.
 *
 * IPv4 options and IPv6 hop-by-hop and destination options are skipped; fragments are refused. Lengths come
 * from the IP and UDP headers, so padding behind them is of no account. Frames are borrowed, never owned.
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/datagram.h"
#include "net/counters.h"

enum {
	NET_MAC_BYTES = 6,
	NET_ETHERNET_BYTES = 14,
	NET_VLAN_BYTES = 4,
	NET_IPV4_BYTES = 20,
	NET_IPV6_BYTES = 40,
	NET_UDP_BYTES = 8,
	/* Octets that net_frame_build() may write in front of a datagram. */
	NET_HEADROOM_BYTES = NET_ETHERNET_BYTES + NET_VLAN_BYTES + NET_IPV6_BYTES + NET_UDP_BYTES,
	/* Smallest buffer for a request, announcement or reply of this library. */
	NET_CONTROL_BYTES = 96,
};

enum net_ethertype {
	NET_ETHERTYPE_IPV4 = 0x0800,
	NET_ETHERTYPE_ARP = 0x0806,
	NET_ETHERTYPE_VLAN = 0x8100,
	NET_ETHERTYPE_IPV6 = 0x86dd
};
enum net_protocol { NET_PROTOCOL_ICMP = 1, NET_PROTOCOL_UDP = 17, NET_PROTOCOL_ICMP6 = 58 };
enum { NET_HOP_LIMIT = 64, NET_VLAN_ID_MASK = 0x0fff };

/* What the card has done or will do. */
enum net_frame_flag {
	NET_FRAME_IP_CHECKSUM_GOOD = 1,  /* received: the card has verified the IPv4 header checksum */
	NET_FRAME_UDP_CHECKSUM_GOOD = 2, /* received: the card has verified the UDP checksum */
	NET_FRAME_IP_CHECKSUM_CARD = 4,  /* to send: the card fills it in, we leave zero */
	NET_FRAME_UDP_CHECKSUM_CARD = 8, /* to send: the card fills it in, we leave the pseudo-header's sum */
};

/* The octets of one frame in their owner's buffer. */
struct net_frame {
	uint8_t *octets;
	uint16_t length;
	uint16_t room;           /* octets that may be written from `octets` on */
	uint16_t flags;          /* enum net_frame_flag */
	uint8_t network_bytes;   /* built: offset of the IP header, which a card's offload wants to know */
	uint8_t transport_bytes; /* built: length of the IP header */
};

/* Addresses of the link layer. */
struct net_link {
	uint8_t local[NET_MAC_BYTES];
	uint8_t remote[NET_MAC_BYTES];
	uint16_t vlan; /* the tag's identifier; 0: no tag */
};

/* What a frame's headers say; offsets are into the frame. */
struct net_headers {
	const uint8_t *link_destination;
	const uint8_t *link_source;
	uint16_t vlan;      /* 0: no tag, or a priority tag */
	uint16_t ethertype; /* of the payload, behind the tag */
	uint16_t network_offset;
	uint16_t transport_offset; /* for ARP: as network_offset */
	uint16_t end_offset;       /* end of the IP packet */
	uint8_t protocol;
	uint8_t hop_limit;
	uint8_t ecn;
	bool options;       /* IPv4 options or IPv6 extension headers were skipped */
	uint8_t source[16]; /* IPv4-mapped for IPv4 */
	uint8_t destination[16];
};

/* Reads Ethernet and IP headers. Returns NET_COUNTER_COUNT when they are right, else the reason to drop. */
enum net_counter net_frame_parse(const struct net_frame *frame, struct net_headers *headers);

/*
 * Reads the UDP header behind them and fills octets, length, room, ecn and path; slot is BASE_SLOT_NONE, all else
 * zero. Returns NET_COUNTER_COUNT or the reason to drop.
 */
enum net_counter net_frame_parse_udp(
	const struct net_frame *frame, const struct net_headers *headers, struct base_datagram *datagram);

/*
 * Writes the headers in front of datagram->octets, where NET_HEADROOM_BYTES belong to the caller: source is
 * path.local, destination path.remote, don't-fragment is set. frame->flags are read, its other members written.
 */
void net_frame_build(
	const struct base_datagram *datagram, const struct net_link *link, struct net_frame *frame);

/* Pieces for those who write packets of their own; each returns where the next header goes. */
uint8_t *net_frame_write_link(uint8_t *to, const struct net_link *link, uint16_t ethertype);
uint8_t *net_frame_write_ipv6(uint8_t *to, const uint8_t source[16], const uint8_t destination[16],
	uint8_t protocol, uint16_t payload_bytes, uint8_t hop_limit);

static inline bool
net_mac_is_group(const uint8_t mac[NET_MAC_BYTES])
{
	return (mac[0] & 1) != 0;
}

/* The IPv4-mapped form of an address, RFC 4291 section 2.5.5.2. */
void net_ipv4_mapped(uint8_t ip[16], const uint8_t ipv4[4]);
bool net_ip_is_ipv4(const uint8_t ip[16]);

#endif
