/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "tests/net/samples.h"

static void
arp_parse__finds_what_write_wrote(void **state)
{
	struct net_arp arp = {.operation = NET_ARP_REPLY}, back;
	uint8_t octets[NET_ARP_BYTES];

	memcpy(arp.sender_mac, sample_peer_mac, 6);
	memcpy(arp.target_mac, sample_our_mac, 6);
	memcpy(arp.sender_ip, sample_peer_ipv4, 16);
	memcpy(arp.target_ip, sample_our_ipv4, 16);
	net_arp_write(octets, &arp);
	assert_true(net_arp_parse(octets, sizeof(octets), &back));
	assert_memory_equal(&arp, &back, sizeof(arp));
}

static void
arp_parse__refuses_what_is_not_ethernet_and_ipv4(void **state)
{
	/* Of each field one octet that makes it another protocol's, and the group bit of the sender. */
	static const uint8_t places[] = {1, 2, 4, 5, 7, 8};
	struct net_arp arp = {.operation = NET_ARP_REQUEST};
	uint8_t octets[NET_ARP_BYTES];

	for (unsigned i = 0; i < sizeof(places); i++) {
		net_arp_write(octets, &arp);
		assert_true(net_arp_parse(octets, sizeof(octets), &arp));
		octets[places[i]] ^= places[i] == 8 ? 1 : 0x55;
		assert_false(net_arp_parse(octets, sizeof(octets), &arp));
		arp = (struct net_arp){.operation = NET_ARP_REQUEST};
	}
	net_arp_write(octets, &arp);
	for (unsigned length = 0; length < NET_ARP_BYTES; length++)
		assert_false(net_arp_parse(octets, length, &arp));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_parse__finds_what_write_wrote),
		cmocka_unit_test(arp_parse__refuses_what_is_not_ethernet_and_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
