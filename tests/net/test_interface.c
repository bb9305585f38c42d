/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/random.h"
#include "base/writer.h"
#include "tests/net/samples.h"

static const char text[] = "a datagram";
static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct fixture {
	struct net_interface interface;
	struct base_datagram datagram;
	struct sample sample;
};

static void
begin(struct fixture *f)
{
	struct net_interface_config config = sample_config();
	uint8_t octets[NET_CONTROL_BYTES];

	net_interface_init(&f->interface, &config, 0);
	while (net_interface_next_request(&f->interface, octets) > 0)
		;
}

static enum net_verdict
receive(struct fixture *f)
{
	return net_interface_receive(&f->interface, &f->sample.frame, 1, &f->datagram);
}

static void
udp(struct fixture *f, bool ipv4)
{
	struct base_path path = sample_path(ipv4);

	sample_udp(&f->sample, &path, 0, text, sizeof(text));
}

/* The sample is dropped, and this counter and no other says why. */
static void
expect_drop(struct fixture *f, enum net_counter reason)
{
	uint64_t before[NET_COUNTER_COUNT];

	memcpy(before, f->interface.counters, sizeof(before));
	assert_int_equal(receive(f), NET_DROP);
	for (unsigned i = NET_DROP_SHORT; i < NET_COUNTER_COUNT; i++)
		assert_int_equal(f->interface.counters[i] - before[i], i == reason);
}

static void
interface_receive__gives_datagrams_for_us(void **state)
{
	struct fixture f;

	begin(&f);
	for (unsigned ipv4 = 0; ipv4 < 2; ipv4++) {
		struct base_path path = sample_path(ipv4);

		udp(&f, ipv4);
		assert_int_equal(receive(&f), NET_DATAGRAM);
		assert_true(base_path_equal(&f.datagram.path, &path));
		assert_int_equal(f.datagram.port_index, 3);
	}
	assert_int_equal(f.interface.counters[NET_RECEIVED_DATAGRAMS], 2);
}

static void
interface_receive__drops_under_a_named_counter(void **state)
{
	struct fixture f;
	struct base_path path = sample_path(true);

	begin(&f);
	udp(&f, true);
	f.sample.frame.length = 10;
	expect_drop(&f, NET_DROP_SHORT);
	udp(&f, true);
	base_put_uint(f.sample.frame.octets + 12, 0x1234, 2);
	expect_drop(&f, NET_DROP_ETHERTYPE);
	sample_udp(&f.sample, &path, 9, text, sizeof(text));
	expect_drop(&f, NET_DROP_VLAN);
	udp(&f, true);
	memcpy(f.sample.frame.octets, sample_other_mac, 6);
	expect_drop(&f, NET_DROP_LINK_ADDRESS);
	udp(&f, true);
	memcpy(f.sample.frame.octets, everyone, 6); /* UDP to all stations is not for us */
	expect_drop(&f, NET_DROP_LINK_ADDRESS);
	udp(&f, true);
	f.sample.frame.octets[6] |= 1;
	expect_drop(&f, NET_DROP_LINK_ADDRESS);
	udp(&f, false);
	f.sample.frame.octets[14 + 6] = 6;
	expect_drop(&f, NET_DROP_IP_PROTOCOL);
	memcpy(path.local.ip, sample_far_ipv4, 16);
	sample_udp(&f.sample, &path, 0, text, sizeof(text));
	expect_drop(&f, NET_DROP_IP_DESTINATION);
	udp(&f, true);
	f.sample.frame.octets[14 + 10] ^= 1;
	expect_drop(&f, NET_DROP_IP_CHECKSUM);
	udp(&f, true);
	f.sample.frame.octets[f.sample.frame.length - 1] ^= 1;
	expect_drop(&f, NET_DROP_UDP_CHECKSUM);
	sample_echo(&f.sample, true, 8, 9);
	f.sample.frame.octets[f.sample.frame.length - 1] ^= 1;
	expect_drop(&f, NET_DROP_ICMP);
}

static void
interface_receive__refuses_sources_nobody_is_at(void **state)
{
	static const uint8_t sources[][4] = {
		{0, 0, 0, 0}, {127, 0, 0, 1}, {224, 0, 0, 1}, {255, 255, 255, 255}, {192, 0, 2, 1}};
	static const uint8_t sources6[][16] = {{0}, {[15] = 1}, {0xff, 2, [15] = 1}};
	struct base_path path = sample_path(true);
	struct fixture f;

	begin(&f);
	for (unsigned i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		net_ipv4_mapped(path.remote.ip, sources[i]);
		sample_udp(&f.sample, &path, 0, text, sizeof(text));
		expect_drop(&f, NET_DROP_IP_SOURCE);
	}
	path = sample_path(false);
	for (unsigned i = 0; i < 3; i++) {
		memcpy(path.remote.ip, sources6[i], 16);
		sample_udp(&f.sample, &path, 0, text, sizeof(text));
		expect_drop(&f, NET_DROP_IP_SOURCE);
	}
}

static void
interface_receive__answers_arp_for_its_own_addresses_only(void **state)
{
	struct fixture f;
	struct net_arp arp;

	begin(&f);
	sample_arp(&f.sample, NET_ARP_REQUEST, everyone, sample_peer_mac, sample_peer_ipv4, sample_our_ipv4);
	assert_int_equal(receive(&f), NET_REPLY);
	assert_memory_equal(f.sample.frame.octets, sample_peer_mac, 6);
	assert_true(net_arp_parse(f.sample.frame.octets + 14, NET_ARP_BYTES, &arp));
	assert_int_equal(arp.operation, NET_ARP_REPLY);
	assert_memory_equal(arp.sender_mac, sample_our_mac, 6);
	assert_memory_equal(arp.sender_ip, sample_our_ipv4, 16);
	assert_memory_equal(arp.target_ip, sample_peer_ipv4, 16);
	sample_arp(&f.sample, NET_ARP_REQUEST, everyone, sample_peer_mac, sample_peer_ipv4, sample_far_ipv4);
	assert_int_equal(receive(&f), NET_CONSUMED);
	/* Someone claims to be us. */
	sample_arp(&f.sample, NET_ARP_REQUEST, everyone, sample_peer_mac, sample_our_ipv4, sample_our_ipv4);
	expect_drop(&f, NET_DROP_ARP);
	assert_int_equal(f.interface.neighbours.in_use, 2); /* the gateways: nothing was learnt */
}

static void
interface_receive__answers_solicitations_for_its_own_addresses_only(void **state)
{
	struct net_nd nd = {.type = NET_ND_SOLICITATION}, reply;
	uint8_t group[16], group_mac[6];
	struct net_headers headers;
	struct fixture f;

	begin(&f);
	memcpy(nd.target, sample_our_ipv6, 16);
	net_nd_solicited_node(group, sample_our_ipv6);
	net_nd_group_mac(group_mac, group);
	sample_nd(&f.sample, group_mac, sample_peer_ipv6, group, &nd);
	assert_int_equal(receive(&f), NET_REPLY);
	assert_int_equal(net_frame_parse(&f.sample.frame, &headers), NET_COUNTER_COUNT);
	assert_true(net_nd_parse(&f.sample.frame, &headers, &reply));
	assert_int_equal(reply.type, NET_ND_ADVERTISEMENT);
	assert_int_equal(reply.flags, NET_ND_SOLICITED | NET_ND_OVERRIDE);
	assert_memory_equal(reply.link, sample_our_mac, 6);
	assert_memory_equal(headers.destination, sample_peer_ipv6, 16);
	assert_memory_equal(headers.link_destination, sample_peer_mac, 6);
	/* Duplicate address detection of another: all nodes hear that the address is taken. */
	sample_nd(&f.sample, group_mac, (const uint8_t[16]){0}, group, &nd);
	assert_int_equal(receive(&f), NET_REPLY);
	assert_int_equal(net_frame_parse(&f.sample.frame, &headers), NET_COUNTER_COUNT);
	assert_true(net_nd_parse(&f.sample.frame, &headers, &reply));
	assert_int_equal(reply.flags, NET_ND_OVERRIDE);
	assert_int_equal(headers.destination[0], 0xff);
	memcpy(nd.target, sample_far_ipv6, 16);
	sample_nd(&f.sample, group_mac, sample_peer_ipv6, group, &nd);
	assert_int_equal(receive(&f), NET_CONSUMED);
	f.sample.frame.octets[14 + 7] = 64;
	expect_drop(&f, NET_DROP_ND);
}

static void
interface_receive__answers_echo_to_itself(void **state)
{
	struct fixture f;

	begin(&f);
	sample_echo(&f.sample, true, 8, 40);
	assert_int_equal(receive(&f), NET_REPLY);
	sample_echo(&f.sample, false, 128, 40);
	assert_int_equal(receive(&f), NET_REPLY);
	sample_echo(&f.sample, true, 3, 40);
	assert_int_equal(receive(&f), NET_CONSUMED);
	assert_int_equal(f.interface.counters[NET_REPLIED_ECHO], 2);
	assert_int_equal(f.interface.counters[NET_ICMP_ERRORS], 1);
}

static enum net_send_verdict
send(struct fixture *f, const uint8_t remote[16], bool ipv4, uint16_t length, struct net_frame *frame)
{
	struct base_datagram datagram = {.octets = f->sample.memory + SAMPLE_SKIP, .length = length};

	datagram.path = sample_path(ipv4);
	memcpy(datagram.path.remote.ip, remote, 16);
	return net_interface_send(&f->interface, &datagram, 2, frame);
}

static void
interface_send__waits_for_the_neighbour_then_sends(void **state)
{
	uint8_t octets[NET_CONTROL_BYTES];
	struct base_datagram datagram;
	enum net_send_verdict verdict;
	struct net_frame frame = {0};
	struct fixture f;
	uint16_t length;

	begin(&f);
	assert_int_equal(send(&f, sample_peer_ipv4, true, 100, &frame), NET_WAIT);
	length = net_interface_next_request(&f.interface, octets);
	assert_int_equal(length, 42);
	assert_memory_equal(octets, everyone, 6);
	sample_arp(
		&f.sample, NET_ARP_REPLY, sample_our_mac, sample_peer_mac, sample_peer_ipv4, sample_our_ipv4);
	assert_int_equal(receive(&f), NET_CONSUMED);
	assert_true(net_interface_next_released(&f.interface, 3, &datagram, &verdict, &frame));
	assert_int_equal(verdict, NET_SEND);
	assert_memory_equal(frame.octets, sample_peer_mac, 6);
	assert_int_equal(frame.length, 14 + 20 + 8 + 100);
	assert_int_equal(send(&f, sample_peer_ipv4, true, 100, &frame), NET_SEND);
}

static void
interface_send__solicits_by_the_group_and_believes_the_advertisement(void **state)
{
	struct net_nd nd = {.type = NET_ND_ADVERTISEMENT, .flags = NET_ND_SOLICITED, .has_link = true};
	uint8_t octets[NET_CONTROL_BYTES];
	struct net_frame frame = {0};
	struct fixture f;

	begin(&f);
	assert_int_equal(send(&f, sample_peer_ipv6, false, 100, &frame), NET_WAIT);
	assert_int_equal(net_interface_next_request(&f.interface, octets), 86);
	assert_int_equal(octets[0], 0x33);
	assert_int_equal(octets[2], 0xff);
	memcpy(nd.target, sample_peer_ipv6, 16);
	memcpy(nd.link, sample_peer_mac, 6);
	sample_nd(&f.sample, sample_our_mac, sample_peer_ipv6, sample_our_ipv6, &nd);
	assert_int_equal(receive(&f), NET_CONSUMED);
	assert_int_equal(send(&f, sample_peer_ipv6, false, 100, &frame), NET_SEND);
}

static void
interface_send__goes_by_the_gateway_beyond_the_prefix(void **state)
{
	struct net_frame frame = {0};
	struct fixture f;

	begin(&f);
	sample_arp(&f.sample, NET_ARP_REPLY, sample_our_mac, sample_other_mac, sample_gateway_ipv4,
		sample_our_ipv4);
	assert_int_equal(receive(&f), NET_CONSUMED);
	assert_int_equal(send(&f, sample_far_ipv4, true, 100, &frame), NET_SEND);
	assert_memory_equal(frame.octets, sample_other_mac, 6);
}

static void
interface_send__refuses_under_a_named_counter(void **state)
{
	struct net_frame frame = {0};
	struct fixture f;
	uint64_t *counters = f.interface.counters;

	begin(&f);
	assert_int_equal(send(&f, sample_peer_ipv4, true, 1500 - 27, &frame), NET_REFUSE);
	assert_int_equal(counters[NET_DROP_TOO_LONG], 1);
	assert_int_equal(send(&f, sample_peer_ipv6, true, 10, &frame), NET_REFUSE);
	f.interface.addresses[0].has_gateway = false;
	assert_int_equal(send(&f, sample_far_ipv4, true, 10, &frame), NET_REFUSE);
	assert_int_equal(counters[NET_DROP_NO_ROUTE], 2);
	for (unsigned i = 0; i < 5; i++)
		send(&f, sample_peer_ipv4, true, 10, &frame);
	assert_int_equal(counters[NET_DROP_NEIGHBOUR_QUEUE], 1);
	for (uint8_t i = 0; i < 100; i++) {
		uint8_t ip[16];

		memcpy(ip, sample_peer_ipv4, 16);
		ip[15] = (uint8_t)(i + 10);
		send(&f, ip, true, 10, &frame);
	}
	assert_true(counters[NET_DROP_NEIGHBOUR_FULL] > 0);
	for (uint64_t second = 1; second < 10; second++)
		net_interface_expire(&f.interface, second * BASE_SECOND);
	for (bool more = true; more;) {
		struct base_datagram datagram;
		enum net_send_verdict verdict;

		more = net_interface_next_released(
			&f.interface, 10 * BASE_SECOND, &datagram, &verdict, &frame);
	}
	assert_true(counters[NET_DROP_UNREACHABLE] >= 4);
}

static void
interface_next_request__announces_each_address_at_start(void **state)
{
	struct net_interface_config config = sample_config();
	uint8_t octets[NET_CONTROL_BYTES];
	struct fixture f;

	net_interface_init(&f.interface, &config, 0);
	assert_true(net_interface_wants_request(&f.interface));
	while (net_interface_next_request(&f.interface, octets) > 0)
		;
	assert_int_equal(f.interface.counters[NET_SENT_ANNOUNCEMENTS], 3);
	assert_int_equal(f.interface.counters[NET_SENT_REQUESTS], 2); /* the gateways */
	assert_false(net_interface_wants_request(&f.interface));
}

static void
interface_groups__are_all_nodes_and_each_solicited_node(void **state)
{
	uint8_t macs[NET_GROUPS_MAX][NET_MAC_BYTES];
	struct fixture f;

	begin(&f);
	/* 2001:db8::1 and fe80::ff:fe00:1 end alike, so they share a group. */
	assert_int_equal(net_interface_groups(&f.interface, macs), 2);
	assert_memory_equal(macs[0], ((const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}), 6);
	assert_memory_equal(macs[1], ((const uint8_t[]){0x33, 0x33, 0xff, 0, 0, 1}), 6);
}

static void
interface_receive__survives_every_changed_octet(void **state)
{
	struct base_random random;
	struct fixture f;

	begin(&f);
	base_random_init(&random, 5);
	for (unsigned round = 0; round < 20000; round++) {
		switch (round % 4) {
		case 0:
			udp(&f, round & 4);
			break;
		case 1:
			sample_echo(&f.sample, round & 4, round & 4 ? 8 : 128, 20);
			break;
		case 2:
			sample_arp(&f.sample, 1 + (round >> 2) % 2, everyone, sample_peer_mac,
				sample_peer_ipv4, sample_our_ipv4);
			break;
		default:
			udp(&f, round & 4);
			f.sample.frame.length = (uint16_t)base_random_below(&random, f.sample.frame.length);
		}
		for (unsigned i = 0; i < 3 && f.sample.frame.length > 0; i++)
			f.sample.frame.octets[base_random_below(&random, f.sample.frame.length)] =
				(uint8_t)base_random_next(&random);
		f.sample.frame.flags = round % 3;
		if (receive(&f) == NET_DATAGRAM)
			assert_true(f.datagram.octets + f.datagram.length <= f.sample.memory + SAMPLE_ROOM);
	}
	net_neighbours_check(&f.interface.neighbours);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interface_receive__gives_datagrams_for_us),
		cmocka_unit_test(interface_receive__drops_under_a_named_counter),
		cmocka_unit_test(interface_receive__refuses_sources_nobody_is_at),
		cmocka_unit_test(interface_receive__answers_arp_for_its_own_addresses_only),
		cmocka_unit_test(interface_receive__answers_solicitations_for_its_own_addresses_only),
		cmocka_unit_test(interface_receive__answers_echo_to_itself),
		cmocka_unit_test(interface_send__waits_for_the_neighbour_then_sends),
		cmocka_unit_test(interface_send__solicits_by_the_group_and_believes_the_advertisement),
		cmocka_unit_test(interface_send__goes_by_the_gateway_beyond_the_prefix),
		cmocka_unit_test(interface_send__refuses_under_a_named_counter),
		cmocka_unit_test(interface_next_request__announces_each_address_at_start),
		cmocka_unit_test(interface_groups__are_all_nodes_and_each_solicited_node),
		cmocka_unit_test(interface_receive__survives_every_changed_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
