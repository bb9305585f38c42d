/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/arp.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"

enum { HARDWARE_ETHERNET = 1 };

bool
net_arp_parse(const uint8_t *octets, size_t length, struct net_arp *arp)
{
	struct base_reader reader = base_reader(octets, length);
	uint16_t hardware = base_reader_u16(&reader);
	uint16_t protocol = base_reader_u16(&reader);
	uint16_t lengths = base_reader_u16(&reader);
	const uint8_t *sender_ip, *target_ip;

	arp->operation = base_reader_u16(&reader);
	base_reader_copy(&reader, arp->sender_mac, NET_MAC_BYTES);
	sender_ip = base_reader_octets(&reader, 4);
	base_reader_copy(&reader, arp->target_mac, NET_MAC_BYTES);
	target_ip = base_reader_octets(&reader, 4);
	if (!base_reader_ok(&reader))
		return false;
	if (hardware != HARDWARE_ETHERNET || protocol != NET_ETHERTYPE_IPV4 ||
		lengths != (NET_MAC_BYTES << 8 | 4))
		return false;
	if (arp->operation != NET_ARP_REQUEST && arp->operation != NET_ARP_REPLY)
		return false;
	net_ipv4_mapped(arp->sender_ip, sender_ip);
	net_ipv4_mapped(arp->target_ip, target_ip);
	return !net_mac_is_group(arp->sender_mac);
}

void
net_arp_write(uint8_t *to, const struct net_arp *arp)
{
	base_put_uint(to, HARDWARE_ETHERNET, 2);
	base_put_uint(to + 2, NET_ETHERTYPE_IPV4, 2);
	base_put_uint(to + 4, NET_MAC_BYTES << 8 | 4, 2);
	base_put_uint(to + 6, arp->operation, 2);
	memcpy(to + 8, arp->sender_mac, NET_MAC_BYTES);
	memcpy(to + 14, arp->sender_ip + 12, 4);
	memcpy(to + 18, arp->target_mac, NET_MAC_BYTES);
	memcpy(to + 24, arp->target_ip + 12, 4);
}
