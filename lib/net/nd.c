/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/nd.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "net/checksum.h"

enum { OPTION_SOURCE_LINK = 1, OPTION_TARGET_LINK = 2, FIXED_BYTES = 24 };

static const uint8_t unspecified[16];

static bool
is_solicited_node(const uint8_t ip[16])
{
	static const uint8_t prefix[13] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};

	return memcmp(ip, prefix, sizeof(prefix)) == 0;
}

/* RFC 4861 section 4.6: options in units of 8 octets, zero is malformed. Options we do not know are skipped. */
static bool
parse_options(struct base_reader *reader, uint8_t wanted, struct net_nd *nd)
{
	while (base_reader_left(reader) > 0) {
		uint8_t type = base_reader_u8(reader);
		uint8_t units = base_reader_u8(reader);
		struct base_reader option;

		if (units == 0)
			return false;
		option = base_reader_sub(reader, (size_t)units * 8 - 2);
		if (!base_reader_ok(reader))
			return false;
		if (type == wanted && units == 1) {
			base_reader_copy(&option, nd->link, NET_MAC_BYTES);
			nd->has_link = true;
		}
	}
	return base_reader_ok(reader);
}

/* RFC 4861 sections 7.1.1 and 7.1.2, what is particular to each. */
static bool
addresses_fit(const struct net_headers *headers, const struct net_nd *nd)
{
	if (nd->type == NET_ND_ADVERTISEMENT)
		return headers->destination[0] != 0xff || !(nd->flags & NET_ND_SOLICITED);
	if (memcmp(headers->source, unspecified, 16) == 0)
		return is_solicited_node(headers->destination) && !nd->has_link;
	return true;
}

bool
net_nd_parse(const struct net_frame *frame, const struct net_headers *headers, struct net_nd *nd)
{
	const uint8_t *icmp = frame->octets + headers->transport_offset;
	uint16_t length = headers->end_offset - headers->transport_offset;
	struct base_reader reader = base_reader(icmp, length);
	uint8_t code;
	uint64_t sum;

	*nd = (struct net_nd){.type = base_reader_u8(&reader)};
	code = base_reader_u8(&reader);
	base_reader_octets(&reader, 2); /* checksum */
	nd->flags = base_reader_u8(&reader);
	base_reader_octets(&reader, 3);
	base_reader_copy(&reader, nd->target, 16);
	if (!base_reader_ok(&reader) || code != 0 || headers->hop_limit != NET_ND_HOP_LIMIT)
		return false;
	if (nd->type != NET_ND_SOLICITATION && nd->type != NET_ND_ADVERTISEMENT)
		return false;
	if (nd->target[0] == 0xff || net_ip_is_ipv4(nd->target))
		return false;
	sum = net_checksum_pseudo(headers->source, headers->destination, NET_PROTOCOL_ICMP6, length);
	if (net_checksum_finish(net_checksum_add(sum, icmp, length)) != 0)
		return false;
	if (!parse_options(
		    &reader, nd->type == NET_ND_SOLICITATION ? OPTION_SOURCE_LINK : OPTION_TARGET_LINK, nd))
		return false;
	return (!nd->has_link || !net_mac_is_group(nd->link)) && addresses_fit(headers, nd);
}

uint16_t
net_nd_write(uint8_t *to, const struct net_link *link, const uint8_t source[16],
	const uint8_t destination[16], const struct net_nd *nd)
{
	uint16_t icmp_bytes = nd->has_link ? NET_ND_BYTES : FIXED_BYTES;
	uint8_t *ip = net_frame_write_link(to, link, NET_ETHERTYPE_IPV6);
	uint8_t *icmp = net_frame_write_ipv6(
		ip, source, destination, NET_PROTOCOL_ICMP6, icmp_bytes, NET_ND_HOP_LIMIT);
	struct base_writer writer = base_writer(icmp, icmp_bytes);
	uint64_t sum;

	base_writer_u8(&writer, nd->type);
	base_writer_u8(&writer, 0);
	base_writer_u16(&writer, 0); /* checksum, below */
	base_writer_u8(&writer, nd->flags);
	base_writer_fill(&writer, 0, 3);
	base_writer_octets(&writer, nd->target, 16);
	if (nd->has_link) {
		base_writer_u8(
			&writer, nd->type == NET_ND_SOLICITATION ? OPTION_SOURCE_LINK : OPTION_TARGET_LINK);
		base_writer_u8(&writer, 1);
		base_writer_octets(&writer, nd->link, NET_MAC_BYTES);
	}
	sum = net_checksum_pseudo(source, destination, NET_PROTOCOL_ICMP6, icmp_bytes);
	base_put_uint(icmp + 2, net_checksum_finish(net_checksum_add(sum, icmp, icmp_bytes)), 2);
	return (uint16_t)(icmp + icmp_bytes - to);
}

void
net_nd_solicited_node(uint8_t group[16], const uint8_t ip[16])
{
	static const uint8_t prefix[13] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
	uint8_t low[3] = {ip[13], ip[14], ip[15]}; /* group and ip may be the same octets */

	memcpy(group, prefix, sizeof(prefix));
	memcpy(group + 13, low, sizeof(low));
}

void
net_nd_group_mac(uint8_t mac[NET_MAC_BYTES], const uint8_t group[16])
{
	mac[0] = 0x33;
	mac[1] = 0x33;
	memcpy(mac + 2, group + 12, 4);
}

void
net_nd_link_local(uint8_t ip[16], const uint8_t mac[NET_MAC_BYTES])
{
	memset(ip, 0, 16);
	ip[0] = 0xfe;
	ip[1] = 0x80;
	memcpy(ip + 8, mac, 3);
	ip[8] ^= 2; /* the universal/local bit is inverted */
	ip[11] = 0xff;
	ip[12] = 0xfe;
	memcpy(ip + 13, mac + 3, 3);
}
