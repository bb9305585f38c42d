/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/net/samples.h"

#include "base/writer.h"
#include "net/checksum.h"

#define MAPPED(a, b, c, d)                                           \
	{                                                            \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d \
	}
#define DOC(a, b)                                                          \
	{                                                                  \
		0x20, 0x01, 0x0d, 0xb8, 0, a, 0, 0, 0, 0, 0, 0, 0, 0, 0, b \
	}

const uint8_t sample_our_mac[6] = {2, 0, 0, 0, 0, 1}, sample_peer_mac[6] = {2, 0, 0, 0, 0, 2},
	      sample_other_mac[6] = {2, 0, 0, 0, 0, 3};
const uint8_t sample_our_ipv4[16] = MAPPED(192, 0, 2, 1), sample_peer_ipv4[16] = MAPPED(192, 0, 2, 2),
	      sample_far_ipv4[16] = MAPPED(198, 51, 100, 7), sample_gateway_ipv4[16] = MAPPED(192, 0, 2, 254);
const uint8_t sample_our_ipv6[16] = DOC(0, 1), sample_peer_ipv6[16] = DOC(0, 2),
	      sample_far_ipv6[16] = DOC(9, 7), sample_gateway_ipv6[16] = DOC(0, 0xfe);

struct net_interface_config
sample_config(void)
{
	struct net_interface_config config = {
		.mtu = 1500, .port_index = 3, .address_count = 2, .neighbours = net_neighbour_defaults};

	memcpy(config.mac, sample_our_mac, 6);
	config.addresses[0] = (struct net_interface_address){.prefix_bits = 24, .has_gateway = true};
	memcpy(config.addresses[0].ip, sample_our_ipv4, 16);
	memcpy(config.addresses[0].gateway, sample_gateway_ipv4, 16);
	config.addresses[1] = (struct net_interface_address){.prefix_bits = 64, .has_gateway = true};
	memcpy(config.addresses[1].ip, sample_our_ipv6, 16);
	memcpy(config.addresses[1].gateway, sample_gateway_ipv6, 16);
	return config;
}

struct base_path
sample_path(bool ipv4)
{
	struct base_path path = {.local = {.port = 443}, .remote = {.port = 4433}};

	memcpy(path.local.ip, ipv4 ? sample_our_ipv4 : sample_our_ipv6, 16);
	memcpy(path.remote.ip, ipv4 ? sample_peer_ipv4 : sample_peer_ipv6, 16);
	return path;
}

static struct net_link
link_to_us(const uint8_t to_mac[6], uint16_t vlan)
{
	struct net_link link = {.vlan = vlan};

	memcpy(link.local, sample_peer_mac, 6);
	memcpy(link.remote, to_mac, 6);
	return link;
}

static void
finish(struct sample *sample, uint16_t length)
{
	sample->frame.length = length;
	sample->frame.room = (uint16_t)(sample->memory + SAMPLE_ROOM - sample->frame.octets);
	sample->frame.flags = 0;
}

void
sample_udp(struct sample *sample, const struct base_path *path, uint16_t vlan, const void *payload,
	uint16_t length)
{
	struct base_datagram datagram = {.octets = sample->memory + SAMPLE_SKIP, .length = length};
	struct net_link link = link_to_us(sample_our_mac, vlan);

	memset(sample, 0, sizeof(*sample));
	memcpy(datagram.octets, payload, length);
	datagram.path = (struct base_path){.local = path->remote, .remote = path->local};
	net_frame_build(&datagram, &link, &sample->frame);
	finish(sample, sample->frame.length);
}

void
sample_mend(struct sample *sample, uint16_t network_offset)
{
	uint8_t *ip = sample->frame.octets + network_offset;
	struct net_headers headers;
	uint8_t *transport;
	uint16_t length, at;
	uint64_t sum = 0;

	if (ip[0] >> 4 == 4) {
		base_put_uint(ip + 10, 0, 2);
		base_put_uint(
			ip + 10, net_checksum_finish(net_checksum_add(0, ip, (size_t)(ip[0] & 15) * 4)), 2);
	}
	if (net_frame_parse(&sample->frame, &headers) != NET_COUNTER_COUNT)
		return;
	transport = sample->frame.octets + headers.transport_offset;
	length = headers.end_offset - headers.transport_offset;
	at = headers.protocol == NET_PROTOCOL_UDP ? 6 : 2;
	if (length < at + 2)
		return;
	if (headers.protocol != NET_PROTOCOL_ICMP)
		sum = net_checksum_pseudo(headers.source, headers.destination, headers.protocol, length);
	base_put_uint(transport + at, 0, 2);
	base_put_uint(transport + at, net_checksum_finish(net_checksum_add(sum, transport, length)), 2);
}

void
sample_arp(struct sample *sample, uint16_t operation, const uint8_t to_mac[6], const uint8_t sender_mac[6],
	const uint8_t sender_ip[16], const uint8_t target_ip[16])
{
	struct net_arp arp = {.operation = operation};
	struct net_link link = link_to_us(to_mac, 0);

	memset(sample, 0, sizeof(*sample));
	sample->frame.octets = sample->memory + SAMPLE_SKIP;
	memcpy(arp.sender_mac, sender_mac, 6);
	memcpy(arp.target_mac, sample_our_mac, 6);
	memcpy(arp.sender_ip, sender_ip, 16);
	memcpy(arp.target_ip, target_ip, 16);
	net_arp_write(net_frame_write_link(sample->frame.octets, &link, NET_ETHERTYPE_ARP), &arp);
	finish(sample, 60); /* padded, as on a wire */
}

void
sample_nd(struct sample *sample, const uint8_t to_mac[6], const uint8_t source[16],
	const uint8_t destination[16], const struct net_nd *nd)
{
	struct net_link link = link_to_us(to_mac, 0);

	memset(sample, 0, sizeof(*sample));
	sample->frame.octets = sample->memory + SAMPLE_SKIP;
	finish(sample, net_nd_write(sample->frame.octets, &link, source, destination, nd));
}

/* A UDP frame made into an echo request, which has a header of the same length. */
void
sample_echo(struct sample *sample, bool ipv4, uint8_t type, uint16_t length)
{
	struct base_path path = sample_path(ipv4);
	uint8_t payload[1024];
	uint8_t *ip;

	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)i;
	sample_udp(sample, &path, 0, payload, length);
	ip = sample->frame.octets + NET_ETHERNET_BYTES;
	ip[ipv4 ? 9 : 6] = ipv4 ? NET_PROTOCOL_ICMP : NET_PROTOCOL_ICMP6;
	ip += ipv4 ? NET_IPV4_BYTES : NET_IPV6_BYTES;
	memset(ip, 0, 8);
	ip[0] = type;
	ip[5] = 7;
	sample_mend(sample, NET_ETHERNET_BYTES);
}
