/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/frame.h"

#include <string.h>

#include "base/assert.h"
#include "base/reader.h"
#include "base/writer.h"
#include "net/checksum.h"

enum {
	IPV4_FRAGMENT_MASK = 0x3fff, /* more-fragments and the offset */
	IPV4_DONT_FRAGMENT = 0x4000,
	EXTENSION_HEADERS_MAX = 4,
	EXTENSION_BYTES_MAX = 256,
};
/* IPv6 next headers, RFC 8200 section 4. */
enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION_OPTIONS = 60 };

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void
net_ipv4_mapped(uint8_t ip[16], const uint8_t ipv4[4])
{
	memcpy(ip, mapped_prefix, sizeof(mapped_prefix));
	memcpy(ip + 12, ipv4, 4);
}

bool
net_ip_is_ipv4(const uint8_t ip[16])
{
	return memcmp(ip, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

static enum net_counter
parse_ipv4(const struct net_frame *frame, struct base_reader *reader, struct net_headers *headers)
{
	const uint8_t *start = reader->at;
	uint8_t version = base_reader_u8(reader);
	uint8_t traffic_class = base_reader_u8(reader);
	uint16_t total_bytes = base_reader_u16(reader);
	size_t header_bytes = (size_t)(version & 0x0f) * 4;
	uint16_t fragment;
	const uint8_t *source, *destination;

	base_reader_octets(reader, 2); /* identification */
	fragment = base_reader_u16(reader);
	headers->hop_limit = base_reader_u8(reader);
	headers->protocol = base_reader_u8(reader);
	base_reader_octets(reader, 2); /* checksum */
	source = base_reader_octets(reader, 4);
	destination = base_reader_octets(reader, 4);
	if (!base_reader_ok(reader))
		return NET_DROP_SHORT;
	if (version >> 4 != 4)
		return NET_DROP_IP_VERSION;
	if (header_bytes < NET_IPV4_BYTES || total_bytes < header_bytes ||
		total_bytes > (size_t)(reader->end - start))
		return NET_DROP_IP_LENGTH;
	if (!(frame->flags & NET_FRAME_IP_CHECKSUM_GOOD) &&
		net_checksum_finish(net_checksum_add(0, start, header_bytes)) != 0)
		return NET_DROP_IP_CHECKSUM;
	if (fragment & IPV4_FRAGMENT_MASK)
		return NET_DROP_IP_FRAGMENT;
	headers->ecn = traffic_class & 3;
	headers->options = header_bytes > NET_IPV4_BYTES;
	headers->transport_offset = headers->network_offset + (uint16_t)header_bytes;
	headers->end_offset = headers->network_offset + total_bytes;
	net_ipv4_mapped(headers->source, source);
	net_ipv4_mapped(headers->destination, destination);
	return NET_COUNTER_COUNT;
}

/* RFC 8200 section 4: options are skipped, whatever they ask for; nothing is forwarded here. */
static enum net_counter
skip_extensions(struct base_reader *reader, struct net_headers *headers)
{
	const uint8_t *start = reader->at;

	for (unsigned i = 0;; i++) {
		uint8_t next = headers->protocol;
		size_t bytes;

		if (next == FRAGMENT)
			return NET_DROP_IP_FRAGMENT;
		if (next != DESTINATION_OPTIONS && next != ROUTING && (next != HOP_BY_HOP || i > 0))
			return next == HOP_BY_HOP ? NET_DROP_IP_EXTENSION : NET_COUNTER_COUNT;
		if (next == ROUTING || i == EXTENSION_HEADERS_MAX)
			return NET_DROP_IP_EXTENSION;
		headers->protocol = base_reader_u8(reader);
		bytes = ((size_t)base_reader_u8(reader) + 1) * 8;
		base_reader_octets(reader, bytes - 2);
		if (!base_reader_ok(reader) || reader->at - start > EXTENSION_BYTES_MAX)
			return NET_DROP_IP_EXTENSION;
		headers->options = true;
	}
}

static enum net_counter
parse_ipv6(const struct net_frame *frame, struct base_reader *reader, struct net_headers *headers)
{
	uint32_t first = base_reader_u32(reader);
	uint16_t payload_bytes = base_reader_u16(reader);
	struct base_reader payload;
	enum net_counter reason;

	headers->protocol = base_reader_u8(reader);
	headers->hop_limit = base_reader_u8(reader);
	base_reader_copy(reader, headers->source, 16);
	base_reader_copy(reader, headers->destination, 16);
	if (!base_reader_ok(reader))
		return NET_DROP_SHORT;
	if (first >> 28 != 6)
		return NET_DROP_IP_VERSION;
	if (payload_bytes > base_reader_left(reader))
		return NET_DROP_IP_LENGTH;
	/* Nobody on the wire has an IPv4-mapped address; here it would pass for IPv4. */
	if (net_ip_is_ipv4(headers->source) || net_ip_is_ipv4(headers->destination))
		return NET_DROP_IP_SOURCE;
	headers->ecn = first >> 20 & 3;
	payload = base_reader_sub(reader, payload_bytes);
	reason = skip_extensions(&payload, headers);
	headers->transport_offset = (uint16_t)(payload.at - frame->octets);
	headers->end_offset = (uint16_t)(payload.end - frame->octets);
	return reason;
}

enum net_counter
net_frame_parse(const struct net_frame *frame, struct net_headers *headers)
{
	struct base_reader reader = base_reader(frame->octets, frame->length);

	headers->link_destination = base_reader_octets(&reader, NET_MAC_BYTES);
	headers->link_source = base_reader_octets(&reader, NET_MAC_BYTES);
	headers->ethertype = base_reader_u16(&reader);
	headers->vlan = 0;
	headers->options = false;
	if (headers->ethertype == NET_ETHERTYPE_VLAN) {
		headers->vlan = base_reader_u16(&reader) & NET_VLAN_ID_MASK;
		headers->ethertype = base_reader_u16(&reader);
	}
	if (!base_reader_ok(&reader))
		return NET_DROP_SHORT;
	headers->network_offset = (uint16_t)(reader.at - frame->octets);
	headers->transport_offset = headers->network_offset;
	headers->end_offset = frame->length;
	switch (headers->ethertype) {
	case NET_ETHERTYPE_IPV4:
		return parse_ipv4(frame, &reader, headers);
	case NET_ETHERTYPE_IPV6:
		return parse_ipv6(frame, &reader, headers);
	case NET_ETHERTYPE_ARP:
		return NET_COUNTER_COUNT;
	default:
		return NET_DROP_ETHERTYPE;
	}
}

/* RFC 768: zero says the sender computed none, which RFC 8200 section 8.1 does not allow. */
static enum net_counter
verify_udp_checksum(
	const struct net_headers *headers, const uint8_t *udp, uint16_t udp_bytes, uint16_t checksum)
{
	uint64_t sum;

	if (checksum == 0)
		return headers->ethertype == NET_ETHERTYPE_IPV6 ? NET_DROP_UDP_NO_CHECKSUM
								: NET_COUNTER_COUNT;
	sum = net_checksum_pseudo(headers->source, headers->destination, NET_PROTOCOL_UDP, udp_bytes);
	if (net_checksum_finish(net_checksum_add(sum, udp, udp_bytes)) != 0)
		return NET_DROP_UDP_CHECKSUM;
	return NET_COUNTER_COUNT;
}

enum net_counter
net_frame_parse_udp(
	const struct net_frame *frame, const struct net_headers *headers, struct base_datagram *datagram)
{
	uint8_t *udp = frame->octets + headers->transport_offset;
	uint16_t room_bytes = headers->end_offset - headers->transport_offset;
	struct base_reader reader = base_reader(udp, room_bytes);
	uint16_t source_port = base_reader_u16(&reader);
	uint16_t destination_port = base_reader_u16(&reader);
	uint16_t udp_bytes = base_reader_u16(&reader);
	uint16_t checksum = base_reader_u16(&reader);

	if (!base_reader_ok(&reader))
		return NET_DROP_SHORT;
	if (udp_bytes < NET_UDP_BYTES || udp_bytes > room_bytes)
		return NET_DROP_UDP_LENGTH;
	if (source_port == 0)
		return NET_DROP_UDP_PORT;
	if (!(frame->flags & NET_FRAME_UDP_CHECKSUM_GOOD) || checksum == 0) {
		enum net_counter reason = verify_udp_checksum(headers, udp, udp_bytes, checksum);

		if (reason != NET_COUNTER_COUNT)
			return reason;
	}
	*datagram = (struct base_datagram){.octets = udp + NET_UDP_BYTES,
		.length = udp_bytes - NET_UDP_BYTES,
		.room = udp_bytes - NET_UDP_BYTES,
		.ecn = headers->ecn,
		.slot = BASE_SLOT_NONE};
	memcpy(datagram->path.remote.ip, headers->source, 16);
	memcpy(datagram->path.local.ip, headers->destination, 16);
	datagram->path.remote.port = source_port;
	datagram->path.local.port = destination_port;
	return NET_COUNTER_COUNT;
}

uint8_t *
net_frame_write_link(uint8_t *to, const struct net_link *link, uint16_t ethertype)
{
	memcpy(to, link->remote, NET_MAC_BYTES);
	memcpy(to + NET_MAC_BYTES, link->local, NET_MAC_BYTES);
	to += 2 * NET_MAC_BYTES;
	if (link->vlan != 0) {
		base_put_uint(to, NET_ETHERTYPE_VLAN, 2);
		base_put_uint(to + 2, link->vlan & NET_VLAN_ID_MASK, 2);
		to += NET_VLAN_BYTES;
	}
	base_put_uint(to, ethertype, 2);
	return to + 2;
}

static uint8_t *
write_ipv4(uint8_t *to, const struct base_datagram *datagram, uint16_t payload_bytes, uint16_t flags)
{
	to[0] = 0x45;
	to[1] = datagram->ecn & 3;
	base_put_uint(to + 2, (uint64_t)NET_IPV4_BYTES + payload_bytes, 2);
	base_put_uint(to + 4, 0, 2); /* RFC 6864: no identification is needed where nothing may fragment */
	base_put_uint(to + 6, IPV4_DONT_FRAGMENT, 2);
	to[8] = NET_HOP_LIMIT;
	to[9] = NET_PROTOCOL_UDP;
	base_put_uint(to + 10, 0, 2);
	memcpy(to + 12, datagram->path.local.ip + 12, 4);
	memcpy(to + 16, datagram->path.remote.ip + 12, 4);
	if (!(flags & NET_FRAME_IP_CHECKSUM_CARD))
		base_put_uint(to + 10, net_checksum_finish(net_checksum_add(0, to, NET_IPV4_BYTES)), 2);
	return to + NET_IPV4_BYTES;
}

uint8_t *
net_frame_write_ipv6(uint8_t *to, const uint8_t source[16], const uint8_t destination[16], uint8_t protocol,
	uint16_t payload_bytes, uint8_t hop_limit)
{
	base_put_uint(to, UINT32_C(6) << 28, 4);
	base_put_uint(to + 4, payload_bytes, 2);
	to[6] = protocol;
	to[7] = hop_limit;
	memcpy(to + 8, source, 16);
	memcpy(to + 24, destination, 16);
	return to + NET_IPV6_BYTES;
}

static void
write_udp(uint8_t *to, const struct base_datagram *datagram, uint16_t udp_bytes, uint16_t flags)
{
	uint64_t sum = net_checksum_pseudo(
		datagram->path.local.ip, datagram->path.remote.ip, NET_PROTOCOL_UDP, udp_bytes);
	uint16_t checksum;

	base_put_uint(to, datagram->path.local.port, 2);
	base_put_uint(to + 2, datagram->path.remote.port, 2);
	base_put_uint(to + 4, udp_bytes, 2);
	if (flags & NET_FRAME_UDP_CHECKSUM_CARD) {
		/* A card adds the payload to the pseudo-header's sum, which is not complemented yet. */
		base_put_uint(to + 6, (uint16_t)~net_checksum_finish(sum), 2);
		return;
	}
	base_put_uint(to + 6, 0, 2);
	checksum = net_checksum_finish(net_checksum_add(sum, to, udp_bytes));
	/* RFC 768: a sum of zero is sent as all ones. */
	base_put_uint(to + 6, checksum == 0 ? 0xffff : checksum, 2);
}

void
net_frame_build(const struct base_datagram *datagram, const struct net_link *link, struct net_frame *frame)
{
	bool ipv4 = base_address_is_ipv4(&datagram->path.remote);
	uint16_t udp_bytes = datagram->length + NET_UDP_BYTES;
	uint16_t ip_bytes = ipv4 ? NET_IPV4_BYTES : NET_IPV6_BYTES;
	uint16_t link_bytes = NET_ETHERNET_BYTES + (link->vlan != 0 ? NET_VLAN_BYTES : 0);
	uint8_t *start = datagram->octets - NET_UDP_BYTES - ip_bytes - link_bytes;
	uint8_t *to = net_frame_write_link(start, link, ipv4 ? NET_ETHERTYPE_IPV4 : NET_ETHERTYPE_IPV6);

	base_assert(ipv4 == base_address_is_ipv4(&datagram->path.local));
	if (ipv4) {
		to = write_ipv4(to, datagram, udp_bytes, frame->flags);
	} else {
		uint8_t *ip = to;

		to = net_frame_write_ipv6(ip, datagram->path.local.ip, datagram->path.remote.ip,
			NET_PROTOCOL_UDP, udp_bytes, NET_HOP_LIMIT);
		ip[1] |= (uint8_t)((datagram->ecn & 3) << 4);
	}
	write_udp(to, datagram, udp_bytes, frame->flags);
	frame->octets = start;
	frame->length = (uint16_t)(link_bytes + ip_bytes + udp_bytes);
	frame->room = frame->length;
	frame->network_bytes = (uint8_t)link_bytes;
	frame->transport_bytes = (uint8_t)ip_bytes;
}
