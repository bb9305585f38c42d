/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "net/checksum.h"
#include "net/icmp.h"
#include "tests/net/samples.h"

static enum net_counter
receive(struct sample *sample)
{
	struct net_headers headers;

	assert_int_equal(net_frame_parse(&sample->frame, &headers), NET_COUNTER_COUNT);
	return net_icmp_receive(&sample->frame, &headers);
}

static void
icmp_receive__turns_an_echo_request_into_its_reply(void **state)
{
	struct net_headers headers;
	struct sample sample;
	uint64_t sum;

	for (unsigned ipv4 = 0; ipv4 < 2; ipv4++) {
		uint8_t *icmp;
		uint16_t length;

		sample_echo(&sample, ipv4, ipv4 ? 8 : 128, 57);
		sample.frame.length += 9; /* padding stays away from the reply */
		assert_int_equal(receive(&sample), NET_REPLIED_ECHO);
		assert_int_equal(net_frame_parse(&sample.frame, &headers), NET_COUNTER_COUNT);
		assert_int_equal(sample.frame.length, headers.end_offset);
		assert_memory_equal(headers.link_destination, sample_peer_mac, 6);
		assert_memory_equal(headers.link_source, sample_our_mac, 6);
		assert_memory_equal(headers.destination, ipv4 ? sample_peer_ipv4 : sample_peer_ipv6, 16);
		assert_memory_equal(headers.source, ipv4 ? sample_our_ipv4 : sample_our_ipv6, 16);
		icmp = sample.frame.octets + headers.transport_offset;
		length = headers.end_offset - headers.transport_offset;
		assert_int_equal(icmp[0], ipv4 ? 0 : 129);
		assert_int_equal(icmp[5], 7);
		assert_int_equal(icmp[8 + 56], 56);
		sum = ipv4 ? 0 : net_checksum_pseudo(headers.source, headers.destination, 58, length);
		assert_int_equal(net_checksum_finish(net_checksum_add(sum, icmp, length)), 0);
	}
}

static void
icmp_receive__counts_errors_and_does_nothing(void **state)
{
	static const uint8_t errors[] = {3, 11, 12}, errors6[] = {1, 2, 3, 4, 127};
	struct sample sample;

	for (unsigned i = 0; i < sizeof(errors); i++) {
		sample_echo(&sample, true, errors[i], 40);
		assert_int_equal(receive(&sample), NET_ICMP_ERRORS);
	}
	for (unsigned i = 0; i < sizeof(errors6); i++) {
		sample_echo(&sample, false, errors6[i], 40);
		assert_int_equal(receive(&sample), NET_ICMP_ERRORS);
	}
	sample_echo(&sample, true, 0, 40);
	assert_int_equal(receive(&sample), NET_ICMP_IGNORED);
	sample_echo(&sample, false, 129, 40);
	assert_int_equal(receive(&sample), NET_ICMP_IGNORED);
}

static void
icmp_receive__drops_what_is_malformed(void **state)
{
	struct sample sample;

	for (unsigned ipv4 = 0; ipv4 < 2; ipv4++) {
		uint16_t at = (uint16_t)(14 + (ipv4 ? 20 : 40));

		sample_echo(&sample, ipv4, ipv4 ? 8 : 128, 20);
		sample.frame.octets[at + 9] ^= 1;
		assert_int_equal(receive(&sample), NET_DROP_ICMP);
		sample_echo(&sample, ipv4, ipv4 ? 8 : 128, 20);
		sample.frame.octets[at + 1] = 1;
		sample_mend(&sample, 14);
		assert_int_equal(receive(&sample), NET_DROP_ICMP);
		sample_echo(&sample, ipv4, ipv4 ? 8 : 128, 0);
		sample.frame.octets[14 + (ipv4 ? 3 : 5)] -= 1; /* an octet short of a header */
		sample_mend(&sample, 14);
		assert_int_equal(receive(&sample), NET_DROP_ICMP);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(icmp_receive__turns_an_echo_request_into_its_reply),
		cmocka_unit_test(icmp_receive__counts_errors_and_does_nothing),
		cmocka_unit_test(icmp_receive__drops_what_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
