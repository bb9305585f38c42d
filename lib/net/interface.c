/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/interface.h"

#include <string.h>

#include "base/assert.h"
#include "net/arp.h"
#include "net/icmp.h"
#include "net/nd.h"

static const uint8_t all_stations[NET_MAC_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t all_nodes[16] = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
static const uint8_t unspecified_ipv4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void
net_interface_init(
	struct net_interface *interface, const struct net_interface_config *config, uint64_t now_ns)
{
	struct net_interface_address *link_local = &interface->addresses[config->address_count];

	base_assert(config->address_count < NET_ADDRESSES_MAX);
	base_assert(!net_mac_is_group(config->mac));
	memset(interface, 0, sizeof(*interface));
	interface->config = *config;
	memcpy(interface->addresses, config->addresses, config->address_count * sizeof(config->addresses[0]));
	net_nd_link_local(link_local->ip, config->mac);
	link_local->prefix_bits = 64;
	interface->address_count = config->address_count + 1;
	/* The resolver speaks for all copies. */
	interface->announced = config->neighbours.resolver ? 0 : interface->address_count;
	net_neighbours_init(&interface->neighbours, &config->neighbours, interface->counters);
	for (unsigned i = 0; i < interface->address_count; i++)
		if (interface->addresses[i].has_gateway)
			net_neighbours_pin(&interface->neighbours, interface->addresses[i].gateway, now_ns);
}

static const struct net_interface_address *
find_address(const struct net_interface *interface, const uint8_t ip[16])
{
	for (unsigned i = 0; i < interface->address_count; i++)
		if (memcmp(interface->addresses[i].ip, ip, 16) == 0)
			return &interface->addresses[i];
	return NULL;
}

bool
net_interface_is_local(const struct net_interface *interface, const uint8_t ip[16])
{
	return find_address(interface, ip) != NULL;
}

/* True when both are of one IP version and share the address's prefix. */
static bool
in_prefix(const struct net_interface_address *address, const uint8_t ip[16])
{
	bool ipv4 = net_ip_is_ipv4(address->ip);
	unsigned bits = address->prefix_bits + (ipv4 ? 96U : 0U);
	unsigned whole = bits / 8, rest = bits % 8;

	if (net_ip_is_ipv4(ip) != ipv4 || memcmp(address->ip, ip, whole) != 0)
		return false;
	return rest == 0 || (address->ip[whole] ^ ip[whole]) >> (8 - rest) == 0;
}

/* A source that could not be answered: group, unspecified, loopback, or ourselves. */
static bool
source_is_bad(const struct net_interface *interface, const uint8_t ip[16])
{
	static const uint8_t low[15];

	if (net_ip_is_ipv4(ip))
		return ip[12] == 0 || ip[12] == 127 || ip[12] >= 224 || find_address(interface, ip) != NULL;
	return ip[0] == 0xff || (memcmp(ip, low, 15) == 0 && ip[15] <= 1) ||
		find_address(interface, ip) != NULL;
}

static void
heard(struct net_interface *interface, const uint8_t ip[16], const uint8_t mac[NET_MAC_BYTES], bool reply,
	uint64_t now_ns)
{
	struct net_neighbour_update update = {.kind = NET_NEIGHBOUR_HEARD, .reply = reply};

	memcpy(update.ip, ip, 16);
	memcpy(update.mac, mac, NET_MAC_BYTES);
	net_neighbours_import(&interface->neighbours, &update, now_ns);
}

/* In place: a copy of the whole would read in one piece what was just written in several, and wait for it. */
static inline void
link_to(struct net_link *link, const struct net_interface *interface, const uint8_t mac[NET_MAC_BYTES])
{
	link->vlan = interface->config.vlan;
	memcpy(link->local, interface->config.mac, NET_MAC_BYTES);
	memcpy(link->remote, mac, NET_MAC_BYTES);
}

static enum net_verdict
drop(struct net_interface *interface, enum net_counter reason)
{
	interface->counters[reason]++;
	return NET_DROP;
}

static enum net_verdict
receive_arp(struct net_interface *interface, struct net_frame *frame, const struct net_headers *headers,
	uint64_t now_ns)
{
	struct net_arp arp, reply;
	struct net_link link;
	bool for_us, probe;

	if (!net_arp_parse(
		    frame->octets + headers->network_offset, frame->length - headers->network_offset, &arp))
		return drop(interface, NET_DROP_ARP);
	for_us = find_address(interface, arp.target_ip) != NULL;
	probe = memcmp(arp.sender_ip, unspecified_ipv4, 16) == 0; /* RFC 5227: nobody has this address yet */
	if (!probe && source_is_bad(interface, arp.sender_ip))
		return drop(interface, NET_DROP_ARP);
	if (!for_us || arp.operation == NET_ARP_REPLY) {
		/* An answer to us comes to our link address; anything else is a claim. */
		bool to_us = for_us &&
			memcmp(headers->link_destination, interface->config.mac, NET_MAC_BYTES) == 0;

		if (!probe &&
			(arp.operation == NET_ARP_REPLY || memcmp(arp.sender_ip, arp.target_ip, 16) == 0))
			heard(interface, arp.sender_ip, arp.sender_mac, to_us, now_ns);
		return NET_CONSUMED;
	}
	reply = (struct net_arp){.operation = NET_ARP_REPLY};
	memcpy(reply.sender_mac, interface->config.mac, NET_MAC_BYTES);
	memcpy(reply.sender_ip, arp.target_ip, 16);
	memcpy(reply.target_mac, arp.sender_mac, NET_MAC_BYTES);
	memcpy(reply.target_ip, arp.sender_ip, 16);
	link_to(&link, interface, arp.sender_mac);
	net_arp_write(net_frame_write_link(frame->octets, &link, NET_ETHERTYPE_ARP), &reply);
	interface->counters[NET_REPLIED_ARP]++;
	return NET_REPLY;
}

static enum net_verdict
answer_solicitation(struct net_interface *interface, struct net_frame *frame,
	const struct net_headers *headers, const struct net_nd *nd)
{
	struct net_nd reply = {.type = NET_ND_ADVERTISEMENT, .flags = NET_ND_OVERRIDE, .has_link = true};
	const uint8_t *mac = nd->has_link ? nd->link : headers->link_source;
	static const uint8_t unspecified[16];
	uint8_t destination[16], group[NET_MAC_BYTES];
	struct net_link link;

	memcpy(reply.link, interface->config.mac, NET_MAC_BYTES);
	memcpy(reply.target, nd->target, 16);
	memcpy(destination, headers->source, 16);
	if (memcmp(headers->source, unspecified, 16) == 0) {
		/* RFC 4861 section 7.2.4: someone wants our address for itself; all nodes are told whose it is. */
		memcpy(destination, all_nodes, 16);
		net_nd_group_mac(group, all_nodes);
		mac = group;
	} else {
		reply.flags |= NET_ND_SOLICITED;
	}
	link_to(&link, interface, mac);
	frame->length = net_nd_write(frame->octets, &link, reply.target, destination, &reply);
	interface->counters[NET_REPLIED_ND]++;
	return NET_REPLY;
}

static enum net_verdict
receive_nd(struct net_interface *interface, struct net_frame *frame, const struct net_headers *headers,
	uint64_t now_ns)
{
	bool to_us = find_address(interface, headers->destination) != NULL;
	struct net_nd nd;

	if (!net_nd_parse(frame, headers, &nd) || frame->room < NET_CONTROL_BYTES)
		return drop(interface, NET_DROP_ND);
	if (nd.type == NET_ND_SOLICITATION) {
		if (find_address(interface, nd.target) == NULL)
			return NET_CONSUMED;
		return answer_solicitation(interface, frame, headers, &nd);
	}
	if (source_is_bad(interface, nd.target))
		return drop(interface, NET_DROP_ND);
	/* An answer to a request sent to the neighbour alone may leave its link address out: it is where it was. */
	heard(interface, nd.target, nd.has_link ? nd.link : headers->link_source,
		to_us && (nd.flags & NET_ND_SOLICITED), now_ns);
	return NET_CONSUMED;
}

static enum net_verdict
receive_icmp(struct net_interface *interface, struct net_frame *frame, const struct net_headers *headers,
	uint64_t now_ns)
{
	uint8_t type = headers->end_offset > headers->transport_offset
		? frame->octets[headers->transport_offset]
		: 0;
	enum net_counter counter;

	if (headers->protocol == NET_PROTOCOL_ICMP6 &&
		(type == NET_ND_SOLICITATION || type == NET_ND_ADVERTISEMENT))
		return receive_nd(interface, frame, headers, now_ns);
	if (find_address(interface, headers->destination) == NULL) {
		if (headers->destination[0] != 0xff)
			return drop(interface, NET_DROP_IP_DESTINATION);
		interface->counters[NET_ICMP_IGNORED]++; /* routers and listeners, said to all */
		return NET_CONSUMED;
	}
	if (source_is_bad(interface, headers->source))
		return drop(interface, NET_DROP_IP_SOURCE);
	counter = net_icmp_receive(frame, headers);
	interface->counters[counter]++;
	if (counter == NET_REPLIED_ECHO)
		return NET_REPLY;
	return counter == NET_DROP_ICMP ? NET_DROP : NET_CONSUMED;
}

/* Our own address, all stations for ARP, any group for neighbour discovery. */
static bool
link_accepts(const struct net_interface *interface, const struct net_headers *headers)
{
	if (net_mac_is_group(headers->link_source))
		return false;
	if (memcmp(headers->link_destination, interface->config.mac, NET_MAC_BYTES) == 0)
		return true;
	if (headers->ethertype == NET_ETHERTYPE_ARP)
		return memcmp(headers->link_destination, all_stations, NET_MAC_BYTES) == 0;
	return headers->ethertype == NET_ETHERTYPE_IPV6 && headers->protocol == NET_PROTOCOL_ICMP6 &&
		net_mac_is_group(headers->link_destination);
}

enum net_verdict
net_interface_receive(struct net_interface *interface, struct net_frame *frame, uint64_t now_ns,
	struct base_datagram *datagram)
{
	struct net_headers headers;
	enum net_counter reason = net_frame_parse(frame, &headers);

	interface->counters[NET_RECEIVED_FRAMES]++;
	if (reason != NET_COUNTER_COUNT)
		return drop(interface, reason);
	if (headers.vlan != interface->config.vlan)
		return drop(interface, NET_DROP_VLAN);
	if (!link_accepts(interface, &headers))
		return drop(interface, NET_DROP_LINK_ADDRESS);
	if (headers.ethertype == NET_ETHERTYPE_ARP)
		return receive_arp(interface, frame, &headers, now_ns);
	if (headers.protocol ==
		(headers.ethertype == NET_ETHERTYPE_IPV6 ? NET_PROTOCOL_ICMP6 : NET_PROTOCOL_ICMP))
		return receive_icmp(interface, frame, &headers, now_ns);
	if (headers.protocol != NET_PROTOCOL_UDP)
		return drop(interface, NET_DROP_IP_PROTOCOL);
	if (find_address(interface, headers.destination) == NULL)
		return drop(interface, NET_DROP_IP_DESTINATION);
	if (source_is_bad(interface, headers.source))
		return drop(interface, NET_DROP_IP_SOURCE);
	reason = net_frame_parse_udp(frame, &headers, datagram);
	if (reason != NET_COUNTER_COUNT)
		return drop(interface, reason);
	datagram->port_index = interface->config.port_index;
	interface->counters[NET_RECEIVED_DATAGRAMS]++;
	return NET_DATAGRAM;
}

void
net_interface_receive_burst(struct net_interface *interface, struct net_frame *frames, uint16_t count,
	uint64_t now_ns, struct base_datagram *datagrams, enum net_verdict *verdicts)
{
	enum { AHEAD = 3 };

	for (uint16_t i = 0; i < count && i < AHEAD; i++)
		__builtin_prefetch(frames[i].octets);
	for (uint16_t i = 0; i < count; i++) {
		if (i + AHEAD < count)
			__builtin_prefetch(frames[i + AHEAD].octets);
		verdicts[i] = net_interface_receive(interface, &frames[i], now_ns, &datagrams[i]);
	}
}

/* The neighbour a datagram goes to, or NULL when there is no way. */
static const uint8_t *
next_hop(const struct net_interface *interface, const struct base_path *path)
{
	const struct net_interface_address *from = find_address(interface, path->local.ip);

	if (from == NULL || net_ip_is_ipv4(path->local.ip) != net_ip_is_ipv4(path->remote.ip))
		return NULL;
	if (source_is_bad(interface, path->remote.ip))
		return NULL;
	if (in_prefix(from, path->remote.ip))
		return path->remote.ip;
	for (unsigned i = 0; i < interface->address_count; i++)
		if (in_prefix(&interface->addresses[i], path->remote.ip))
			return path->remote.ip;
	return from->has_gateway ? from->gateway : NULL;
}

static enum net_send_verdict
refuse(struct net_interface *interface, enum net_counter reason)
{
	interface->counters[reason]++;
	return NET_REFUSE;
}

enum net_send_verdict
net_interface_send(struct net_interface *interface, const struct base_datagram *datagram, uint64_t now_ns,
	struct net_frame *frame)
{
	const uint8_t *hop = next_hop(interface, &datagram->path);
	const uint8_t *mac;
	struct net_link link;
	uint16_t index;

	if (hop == NULL)
		return refuse(interface, NET_DROP_NO_ROUTE);
	if (datagram->length + base_path_overhead_bytes(&datagram->path) > interface->config.mtu)
		return refuse(interface, NET_DROP_TOO_LONG);
	mac = net_neighbours_resolve(&interface->neighbours, hop, now_ns, &index);
	if (mac == NULL) {
		if (index == UINT16_MAX)
			return refuse(interface, NET_DROP_NEIGHBOUR_FULL);
		if (!net_neighbours_hold(&interface->neighbours, index, datagram))
			return refuse(interface, NET_DROP_NEIGHBOUR_QUEUE);
		return NET_WAIT;
	}
	link_to(&link, interface, mac);
	frame->flags = interface->config.send_flags;
	net_frame_build(datagram, &link, frame);
	interface->counters[NET_SENT_DATAGRAMS]++;
	return NET_SEND;
}

bool
net_interface_next_released(struct net_interface *interface, uint64_t now_ns, struct base_datagram *datagram,
	enum net_send_verdict *verdict, struct net_frame *frame)
{
	bool resolved;

	if (!net_neighbours_next_released(&interface->neighbours, datagram, &resolved))
		return false;
	if (resolved)
		*verdict = net_interface_send(interface, datagram, now_ns, frame);
	else
		*verdict = refuse(interface, NET_DROP_UNREACHABLE);
	return true;
}

static uint16_t
write_arp(const struct net_interface *interface, uint8_t *octets, const uint8_t sender[16],
	const uint8_t target[16], const uint8_t *mac)
{
	struct net_arp arp = {.operation = NET_ARP_REQUEST};
	struct net_link link;
	uint8_t *to;

	link_to(&link, interface, mac != NULL ? mac : all_stations);
	to = net_frame_write_link(octets, &link, NET_ETHERTYPE_ARP);
	memcpy(arp.sender_mac, interface->config.mac, NET_MAC_BYTES);
	memcpy(arp.sender_ip, sender, 16);
	memcpy(arp.target_ip, target, 16);
	net_arp_write(to, &arp);
	return (uint16_t)(to + NET_ARP_BYTES - octets);
}

/* RFC 5227 section 2.3 and RFC 4861 section 7.2.6: to all, so that old entries about us go. */
static uint16_t
write_announcement(const struct net_interface *interface, uint8_t *octets, const uint8_t ip[16])
{
	struct net_nd nd = {.type = NET_ND_ADVERTISEMENT, .flags = NET_ND_OVERRIDE, .has_link = true};
	uint8_t group[NET_MAC_BYTES];
	struct net_link link;

	if (net_ip_is_ipv4(ip))
		return write_arp(interface, octets, ip, ip, NULL);
	memcpy(nd.link, interface->config.mac, NET_MAC_BYTES);
	memcpy(nd.target, ip, 16);
	net_nd_group_mac(group, all_nodes);
	link_to(&link, interface, group);
	return net_nd_write(octets, &link, ip, all_nodes, &nd);
}

static uint16_t
write_solicitation(const struct net_interface *interface, uint8_t *octets, const uint8_t source[16],
	const struct net_neighbour_request *request)
{
	struct net_nd nd = {.type = NET_ND_SOLICITATION, .has_link = true};
	uint8_t destination[16], group[NET_MAC_BYTES];
	struct net_link link;

	memcpy(nd.link, interface->config.mac, NET_MAC_BYTES);
	memcpy(nd.target, request->ip, 16);
	memcpy(destination, request->ip, 16);
	if (!request->known)
		net_nd_solicited_node(destination, request->ip);
	net_nd_group_mac(group, destination);
	link_to(&link, interface, request->known ? request->mac : group);
	return net_nd_write(octets, &link, source, destination, &nd);
}

/* The address of ours that asks: of the neighbour's prefix if there is one, else the first of its IP version. */
static const uint8_t *
asking_address(const struct net_interface *interface, const uint8_t ip[16])
{
	const uint8_t *first = NULL;

	for (unsigned i = 0; i < interface->address_count; i++) {
		const struct net_interface_address *address = &interface->addresses[i];

		if (in_prefix(address, ip))
			return address->ip;
		if (first == NULL && net_ip_is_ipv4(address->ip) == net_ip_is_ipv4(ip))
			first = address->ip;
	}
	return first;
}

uint16_t
net_interface_next_request(struct net_interface *interface, uint8_t *octets)
{
	struct net_neighbour_request request;
	const uint8_t *source;

	if (interface->announced < interface->address_count) {
		interface->counters[NET_SENT_ANNOUNCEMENTS]++;
		return write_announcement(interface, octets, interface->addresses[interface->announced++].ip);
	}
	while (net_neighbours_next_request(&interface->neighbours, &request)) {
		source = asking_address(interface, request.ip);
		if (source == NULL)
			continue; /* a gateway of an IP version that we have no address of */
		interface->counters[NET_SENT_REQUESTS]++;
		if (net_ip_is_ipv4(request.ip))
			return write_arp(
				interface, octets, source, request.ip, request.known ? request.mac : NULL);
		return write_solicitation(interface, octets, source, &request);
	}
	return 0;
}

static void
add_group(uint8_t (*macs)[NET_MAC_BYTES], uint8_t *count, const uint8_t group[16])
{
	net_nd_group_mac(macs[*count], group);
	for (unsigned i = 0; i < *count; i++)
		if (memcmp(macs[i], macs[*count], NET_MAC_BYTES) == 0)
			return;
	++*count;
}

uint8_t
net_interface_groups(const struct net_interface *interface, uint8_t (*macs)[NET_MAC_BYTES])
{
	uint8_t count = 0, group[16];

	add_group(macs, &count, all_nodes);
	for (unsigned i = 0; i < interface->address_count; i++) {
		if (net_ip_is_ipv4(interface->addresses[i].ip))
			continue;
		net_nd_solicited_node(group, interface->addresses[i].ip);
		add_group(macs, &count, group);
	}
	return count;
}

struct base_counters
net_interface_counters(const struct net_interface *interface)
{
	return (struct base_counters){.library = "net",
		.names = net_counter_names,
		.values = interface->counters,
		.count = NET_COUNTER_COUNT};
}
