/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/icmp.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "net/checksum.h"

enum {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER = 12
};
enum { ICMP6_LAST_ERROR = 127, ICMP6_ECHO = 128, ICMP6_ECHO_REPLY = 129 };

static void
swap(uint8_t *a, uint8_t *b, size_t length)
{
	uint8_t kept[16];

	memcpy(kept, a, length);
	memcpy(a, b, length);
	memcpy(b, kept, length);
}

/* Addresses change places, which leaves the pseudo-header's sum as it is. */
static void
turn_round(struct net_frame *frame, const struct net_headers *headers)
{
	uint8_t *ip = frame->octets + headers->network_offset;

	swap(frame->octets, frame->octets + NET_MAC_BYTES, NET_MAC_BYTES);
	if (headers->ethertype == NET_ETHERTYPE_IPV6) {
		swap(ip + 8, ip + 24, 16);
		ip[7] = NET_HOP_LIMIT;
		return;
	}
	swap(ip + 12, ip + 16, 4);
	ip[8] = NET_HOP_LIMIT;
	base_put_uint(ip + 10, 0, 2);
	base_put_uint(ip + 10, net_checksum_finish(net_checksum_add(0, ip, NET_IPV4_BYTES)), 2);
}

enum net_counter
net_icmp_receive(struct net_frame *frame, const struct net_headers *headers)
{
	bool ipv6 = headers->ethertype == NET_ETHERTYPE_IPV6;
	uint8_t *icmp = frame->octets + headers->transport_offset;
	uint16_t length = headers->end_offset - headers->transport_offset;
	struct base_reader reader = base_reader(icmp, length);
	uint8_t type = base_reader_u8(&reader);
	uint8_t code = base_reader_u8(&reader);
	uint64_t sum = 0;

	base_reader_octets(&reader, 6); /* checksum and the rest of the header */
	if (!base_reader_ok(&reader))
		return NET_DROP_ICMP;
	if (ipv6)
		sum = net_checksum_pseudo(headers->source, headers->destination, NET_PROTOCOL_ICMP6, length);
	if (net_checksum_finish(net_checksum_add(sum, icmp, length)) != 0)
		return NET_DROP_ICMP;
	if (ipv6 ? type <= ICMP6_LAST_ERROR
		 : type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER)
		return NET_ICMP_ERRORS;
	if (type != (ipv6 ? ICMP6_ECHO : ICMP_ECHO))
		return NET_ICMP_IGNORED;
	/* Options would have to be turned round too: nobody pings with them. */
	if (code != 0 || headers->options)
		return NET_DROP_ICMP;
	turn_round(frame, headers);
	icmp[0] = ipv6 ? ICMP6_ECHO_REPLY : ICMP_ECHO_REPLY;
	base_put_uint(icmp + 2, 0, 2);
	base_put_uint(icmp + 2, net_checksum_finish(net_checksum_add(sum, icmp, length)), 2);
	frame->length = headers->end_offset;
	return NET_REPLIED_ECHO;
}
