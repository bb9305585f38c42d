/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "tests/net/samples.h"

static const uint8_t unspecified[16];

static bool
parse(const struct sample *sample, struct net_nd *nd)
{
	struct net_headers headers;

	assert_int_equal(net_frame_parse(&sample->frame, &headers), NET_COUNTER_COUNT);
	return net_nd_parse(&sample->frame, &headers, nd);
}

static struct net_nd
solicitation(void)
{
	struct net_nd nd = {.type = NET_ND_SOLICITATION, .has_link = true};

	memcpy(nd.link, sample_peer_mac, 6);
	memcpy(nd.target, sample_our_ipv6, 16);
	return nd;
}

static void
nd_parse__finds_what_write_wrote(void **state)
{
	struct net_nd nd = solicitation(), back;
	struct sample sample;

	for (unsigned i = 0; i < 2; i++) {
		sample_nd(&sample, sample_our_mac, sample_peer_ipv6, sample_our_ipv6, &nd);
		assert_true(parse(&sample, &back));
		assert_memory_equal(&nd, &back, sizeof(nd));
		nd.type = NET_ND_ADVERTISEMENT;
		nd.flags = NET_ND_SOLICITED | NET_ND_OVERRIDE;
	}
}

static void
nd_parse__holds_to_rfc_4861_section_7_1(void **state)
{
	struct net_nd nd = solicitation(), back;
	uint8_t group[16];
	struct sample sample;

	sample_nd(&sample, sample_our_mac, sample_peer_ipv6, sample_our_ipv6, &nd);
	sample.frame.octets[14 + 7] = 254; /* the hop limit is 255: it came over no router */
	assert_false(parse(&sample, &back));
	sample_nd(&sample, sample_our_mac, sample_peer_ipv6, sample_our_ipv6, &nd);
	sample.frame.octets[14 + 40 + 1] = 1; /* the code is 0 */
	sample_mend(&sample, 14);
	assert_false(parse(&sample, &back));
	sample_nd(&sample, sample_our_mac, sample_peer_ipv6, sample_our_ipv6, &nd);
	sample.frame.octets[14 + 40 + 9] ^= 1; /* the checksum is right */
	assert_false(parse(&sample, &back));
	sample_nd(&sample, sample_our_mac, sample_peer_ipv6, sample_our_ipv6, &nd);
	sample.frame.octets[14 + 40 + 25] = 0; /* no option of length zero */
	sample_mend(&sample, 14);
	assert_false(parse(&sample, &back));
	sample.frame.octets[14 + 40 + 25] = 2; /* nor beyond the end */
	sample_mend(&sample, 14);
	assert_false(parse(&sample, &back));
	nd.target[0] = 0xff; /* the target is no group */
	sample_nd(&sample, sample_our_mac, sample_peer_ipv6, sample_our_ipv6, &nd);
	assert_false(parse(&sample, &back));
	/* From the unspecified address: to the solicited-node group only, without the option. */
	nd = solicitation();
	net_nd_solicited_node(group, sample_our_ipv6);
	sample_nd(&sample, sample_our_mac, unspecified, group, &nd);
	assert_false(parse(&sample, &back));
	nd.has_link = false;
	sample_nd(&sample, sample_our_mac, unspecified, sample_our_ipv6, &nd);
	assert_false(parse(&sample, &back));
	sample_nd(&sample, sample_our_mac, unspecified, group, &nd);
	assert_true(parse(&sample, &back));
	/* An advertisement to a group is not solicited. */
	nd.type = NET_ND_ADVERTISEMENT;
	nd.flags = NET_ND_SOLICITED;
	sample_nd(&sample, sample_our_mac, sample_peer_ipv6, group, &nd);
	assert_false(parse(&sample, &back));
}

static void
nd_parse__skips_options_it_does_not_know(void **state)
{
	struct net_nd nd = solicitation(), back;
	struct sample sample;

	sample_nd(&sample, sample_our_mac, sample_peer_ipv6, sample_our_ipv6, &nd);
	sample.frame.octets[14 + 40 + 24] = 14; /* a nonce, RFC 3971 */
	sample_mend(&sample, 14);
	assert_true(parse(&sample, &back));
	assert_false(back.has_link);
}

static void
nd_addresses__are_those_of_the_rfcs(void **state)
{
	static const uint8_t mac[6] = {0x00, 0x25, 0x96, 0x12, 0x34, 0x56};
	static const uint8_t link_local[16] = {
		0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0x25, 0x96, 0xff, 0xfe, 0x12, 0x34, 0x56};
	static const uint8_t node[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x12, 0x34, 0x56};
	static const uint8_t group_mac[6] = {0x33, 0x33, 0xff, 0x12, 0x34, 0x56};
	uint8_t ip[16], got[6];

	net_nd_link_local(ip, mac);
	assert_memory_equal(ip, link_local, 16);
	net_nd_solicited_node(ip, ip);
	assert_memory_equal(ip, node, 16);
	net_nd_group_mac(got, ip);
	assert_memory_equal(got, group_mac, 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nd_parse__finds_what_write_wrote),
		cmocka_unit_test(nd_parse__holds_to_rfc_4861_section_7_1),
		cmocka_unit_test(nd_parse__skips_options_it_does_not_know),
		cmocka_unit_test(nd_addresses__are_those_of_the_rfcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
