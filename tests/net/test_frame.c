/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "base/writer.h"
#include "net/checksum.h"
#include "tests/net/samples.h"

static const char text[] = "a datagram";

static enum net_counter
parse(struct sample *sample, struct base_datagram *datagram)
{
	struct net_headers headers;
	enum net_counter reason = net_frame_parse(&sample->frame, &headers);

	if (reason != NET_COUNTER_COUNT)
		return reason;
	if (headers.protocol != NET_PROTOCOL_UDP)
		return NET_DROP_IP_PROTOCOL;
	return net_frame_parse_udp(&sample->frame, &headers, datagram);
}

static enum net_counter
reason_of(struct sample *sample)
{
	struct base_datagram datagram;

	return parse(sample, &datagram);
}

static void
plain(struct sample *sample, bool ipv4)
{
	struct base_path path = sample_path(ipv4);

	sample_udp(sample, &path, 0, text, sizeof(text));
}

/* The IP header of a plain sample. */
static uint8_t *
ip_of(struct sample *sample)
{
	return sample->frame.octets + NET_ETHERNET_BYTES;
}

static void
frame_parse__finds_what_build_wrote(void **state)
{
	struct base_datagram datagram;
	struct sample sample;

	for (unsigned i = 0; i < 4; i++) {
		struct base_path path = sample_path(i & 1);

		sample_udp(&sample, &path, i & 2 ? 100 : 0, text, sizeof(text));
		assert_int_equal(parse(&sample, &datagram), NET_COUNTER_COUNT);
		assert_int_equal(datagram.length, sizeof(text));
		assert_memory_equal(datagram.octets, text, sizeof(text));
		assert_true(base_path_equal(&datagram.path, &path));
		assert_int_equal(datagram.slot, BASE_SLOT_NONE);
	}
}

static void
frame_parse__reads_a_frame_from_a_wire(void **state)
{
	/* A DNS query as a kernel sent it: 192.168.1.1:1024 to 192.168.1.2:53, payload of one octet. */
	static const uint8_t wire[] = {0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0x04,
		0x08, 0x00, 0x45, 0x02, 0x00, 0x1d, 0x12, 0x34, 0x40, 0x00, 0x40, 0x11, 0xa5, 0x47, 0xc0,
		0xa8, 0x01, 0x01, 0xc0, 0xa8, 0x01, 0x02, 0x04, 0x00, 0x00, 0x35, 0x00, 0x09, 0x00, 0x00,
		0x41, 0x00, 0x00, 0x00};
	uint8_t copy[sizeof(wire)];
	struct net_frame frame = {.octets = copy, .length = sizeof(wire), .room = sizeof(wire)};
	struct base_datagram datagram;
	struct net_headers headers;

	memcpy(copy, wire, sizeof(wire));
	base_put_uint(copy + 24, 0, 2);
	base_put_uint(copy + 24, net_checksum_finish(net_checksum_add(0, copy + 14, 20)), 2);
	assert_int_equal(net_frame_parse(&frame, &headers), NET_COUNTER_COUNT);
	assert_int_equal(net_frame_parse_udp(&frame, &headers, &datagram), NET_COUNTER_COUNT);
	assert_int_equal(datagram.length, 1);
	assert_int_equal(datagram.ecn, BASE_ECN_ECT_0);
	assert_int_equal(datagram.path.remote.port, 1024);
	assert_int_equal(datagram.path.local.port, 53);
}

static void
frame_parse__refuses_every_truncation(void **state)
{
	struct sample sample;

	for (unsigned i = 0; i < 4; i++) {
		struct base_path path = sample_path(i & 1);

		sample_udp(&sample, &path, i & 2 ? 7 : 0, text, sizeof(text));
		for (uint16_t length = sample.frame.length; length-- > 0;) {
			sample.frame.length = length;
			assert_int_not_equal(reason_of(&sample), NET_COUNTER_COUNT);
		}
	}
}

static void
frame_parse__takes_no_padding_for_payload(void **state)
{
	struct base_datagram datagram;
	struct sample sample;

	for (unsigned ipv4 = 0; ipv4 < 2; ipv4++) {
		plain(&sample, ipv4);
		sample.frame.length += 20;
		assert_int_equal(parse(&sample, &datagram), NET_COUNTER_COUNT);
		assert_int_equal(datagram.length, sizeof(text));
	}
}

static void
frame_parse__names_the_fault_of_an_ipv4_header(void **state)
{
	struct sample sample;

	plain(&sample, true);
	ip_of(&sample)[0] = 0x65;
	assert_int_equal(reason_of(&sample), NET_DROP_IP_VERSION);
	plain(&sample, true);
	ip_of(&sample)[0] = 0x44;
	assert_int_equal(reason_of(&sample), NET_DROP_IP_LENGTH);
	plain(&sample, true);
	base_put_uint(ip_of(&sample) + 2, 19, 2);
	assert_int_equal(reason_of(&sample), NET_DROP_IP_LENGTH);
	plain(&sample, true);
	ip_of(&sample)[8]--;
	assert_int_equal(reason_of(&sample), NET_DROP_IP_CHECKSUM);
	sample.frame.flags = NET_FRAME_IP_CHECKSUM_GOOD;
	assert_int_equal(reason_of(&sample), NET_COUNTER_COUNT);
	plain(&sample, true);
	base_put_uint(ip_of(&sample) + 6, 0x2000, 2); /* more fragments */
	sample_mend(&sample, NET_ETHERNET_BYTES);
	assert_int_equal(reason_of(&sample), NET_DROP_IP_FRAGMENT);
	base_put_uint(ip_of(&sample) + 6, 0x0001, 2); /* an offset */
	sample_mend(&sample, NET_ETHERNET_BYTES);
	assert_int_equal(reason_of(&sample), NET_DROP_IP_FRAGMENT);
	plain(&sample, true);
	base_put_uint(sample.frame.octets + 12, 0x88cc, 2);
	assert_int_equal(reason_of(&sample), NET_DROP_ETHERTYPE);
}

static void
frame_parse__skips_ipv4_options(void **state)
{
	struct base_datagram datagram;
	struct sample sample;
	uint8_t *ip;

	plain(&sample, true);
	ip = ip_of(&sample);
	memmove(ip + 24, ip + 20, 8 + sizeof(text));
	memset(ip + 20, 1, 4); /* four times no operation */
	ip[0] = 0x46;
	base_put_uint(ip + 2, 24 + 8 + sizeof(text), 2);
	sample.frame.length += 4;
	sample_mend(&sample, NET_ETHERNET_BYTES);
	assert_int_equal(parse(&sample, &datagram), NET_COUNTER_COUNT);
	assert_memory_equal(datagram.octets, text, sizeof(text));
}

/* Puts an extension header of `bytes` between IPv6 and what follows. */
static void
insert_extension(struct sample *sample, uint8_t type, uint8_t bytes)
{
	uint8_t *ip = ip_of(sample);
	uint16_t payload = (uint16_t)(ip[4] << 8 | ip[5]);

	memmove(ip + 40 + bytes, ip + 40, payload);
	memset(ip + 40, 0, bytes);
	ip[40] = ip[6];
	ip[41] = (uint8_t)(bytes / 8 - 1);
	ip[6] = type;
	base_put_uint(ip + 4, (uint64_t)payload + bytes, 2);
	sample->frame.length += bytes;
}

static void
frame_parse__skips_ipv6_options_within_bounds(void **state)
{
	struct base_datagram datagram;
	struct sample sample;

	plain(&sample, false);
	insert_extension(&sample, 60, 16);
	insert_extension(&sample, 0, 8);
	assert_int_equal(parse(&sample, &datagram), NET_COUNTER_COUNT);
	assert_memory_equal(datagram.octets, text, sizeof(text));
	ip_of(&sample)[41] = 0xff; /* longer than the packet */
	assert_int_equal(reason_of(&sample), NET_DROP_IP_EXTENSION);
	plain(&sample, false);
	for (unsigned i = 0; i < 5; i++)
		insert_extension(&sample, 60, 8);
	assert_int_equal(reason_of(&sample), NET_DROP_IP_EXTENSION);
	plain(&sample, false);
	insert_extension(&sample, 0, 8); /* not the first, RFC 8200 section 4.1 */
	insert_extension(&sample, 60, 8);
	assert_int_equal(reason_of(&sample), NET_DROP_IP_EXTENSION);
}

static void
frame_parse__names_the_fault_of_an_ipv6_header(void **state)
{
	struct sample sample;

	plain(&sample, false);
	insert_extension(&sample, 44, 8);
	assert_int_equal(reason_of(&sample), NET_DROP_IP_FRAGMENT);
	plain(&sample, false);
	insert_extension(&sample, 43, 8);
	assert_int_equal(reason_of(&sample), NET_DROP_IP_EXTENSION);
	plain(&sample, false);
	ip_of(&sample)[0] = 0x40;
	assert_int_equal(reason_of(&sample), NET_DROP_IP_VERSION);
	plain(&sample, false);
	ip_of(&sample)[4] = 0xff;
	assert_int_equal(reason_of(&sample), NET_DROP_IP_LENGTH);
	plain(&sample, false);
	net_ipv4_mapped(ip_of(&sample) + 8, sample_peer_ipv4 + 12);
	assert_int_equal(reason_of(&sample), NET_DROP_IP_SOURCE);
	plain(&sample, false);
	ip_of(&sample)[6] = 59;
	assert_int_equal(reason_of(&sample), NET_DROP_IP_PROTOCOL);
}

static void
frame_parse_udp__names_the_fault(void **state)
{
	struct sample sample;
	uint8_t *udp;

	for (unsigned ipv4 = 0; ipv4 < 2; ipv4++) {
		plain(&sample, ipv4);
		udp = ip_of(&sample) + (ipv4 ? 20 : 40);
		udp[8] ^= 1;
		assert_int_equal(reason_of(&sample), NET_DROP_UDP_CHECKSUM);
		sample.frame.flags = NET_FRAME_UDP_CHECKSUM_GOOD;
		assert_int_equal(reason_of(&sample), NET_COUNTER_COUNT);
		/* Even when a card calls it good. */
		base_put_uint(udp + 6, 0, 2);
		assert_int_equal(reason_of(&sample), ipv4 ? NET_COUNTER_COUNT : NET_DROP_UDP_NO_CHECKSUM);
		base_put_uint(udp + 4, 7, 2);
		assert_int_equal(reason_of(&sample), NET_DROP_UDP_LENGTH);
		base_put_uint(udp + 4, 9 + sizeof(text), 2);
		assert_int_equal(reason_of(&sample), NET_DROP_UDP_LENGTH);
		plain(&sample, ipv4);
		base_put_uint(ip_of(&sample) + (ipv4 ? 20 : 40), 0, 2);
		sample_mend(&sample, NET_ETHERNET_BYTES);
		assert_int_equal(reason_of(&sample), NET_DROP_UDP_PORT);
	}
}

static void
frame_build__sets_dont_fragment_and_ecn(void **state)
{
	uint8_t memory[256];
	struct net_link link = {.vlan = 5};
	struct net_frame frame = {0};
	struct base_datagram datagram = {
		.octets = memory + NET_HEADROOM_BYTES, .length = 10, .ecn = BASE_ECN_ECT_0};

	memset(memory, 0, sizeof(memory));
	datagram.path = sample_path(true);
	net_frame_build(&datagram, &link, &frame);
	assert_int_equal(frame.length, 14 + 4 + 20 + 8 + 10);
	assert_int_equal(frame.network_bytes, 18);
	assert_int_equal(frame.transport_bytes, 20);
	assert_int_equal(frame.octets[18 + 1], BASE_ECN_ECT_0);
	assert_int_equal(frame.octets[18 + 6], 0x40);
	datagram.path = sample_path(false);
	net_frame_build(&datagram, &link, &frame);
	assert_ptr_equal(frame.octets, memory);
	assert_int_equal(frame.octets[18], 0x60);
	assert_int_equal(frame.octets[19], BASE_ECN_ECT_0 << 4);
}

static void
frame_build__leaves_the_card_its_part(void **state)
{
	uint8_t memory[256] = {0};
	struct net_link link = {.vlan = 0};
	struct net_frame frame = {.flags = NET_FRAME_IP_CHECKSUM_CARD | NET_FRAME_UDP_CHECKSUM_CARD};
	struct base_datagram datagram = {.octets = memory + NET_HEADROOM_BYTES, .length = 11};
	uint8_t *udp;
	uint16_t sum;

	datagram.path = sample_path(true);
	memset(datagram.octets, 0x5a, 11);
	net_frame_build(&datagram, &link, &frame);
	assert_int_equal(frame.octets[14 + 10] | frame.octets[14 + 11], 0);
	/* What a card does: sum header and payload as they lie, and write the complement. */
	udp = frame.octets + 34;
	sum = net_checksum_finish(net_checksum_add(0, udp, 19));
	base_put_uint(udp + 6, sum, 2);
	assert_int_equal(net_checksum_finish(net_checksum_add(
				 net_checksum_pseudo(datagram.path.local.ip, datagram.path.remote.ip, 17, 19),
				 udp, 19)),
		0);
}

static void
frame_build__sends_a_zero_checksum_as_ones(void **state)
{
	uint8_t memory[256] = {0};
	struct net_link link = {.vlan = 0};
	struct net_frame frame = {0};
	struct base_datagram datagram = {.octets = memory + NET_HEADROOM_BYTES, .length = 2};

	datagram.path = sample_path(true);
	net_frame_build(&datagram, &link, &frame);
	/* The payload that makes the sum all ones: the checksum that was. */
	memcpy(datagram.octets, datagram.octets - 2, 2);
	net_frame_build(&datagram, &link, &frame);
	assert_int_equal(datagram.octets[-2] << 8 | datagram.octets[-1], 0xffff);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_parse__finds_what_build_wrote),
		cmocka_unit_test(frame_parse__reads_a_frame_from_a_wire),
		cmocka_unit_test(frame_parse__refuses_every_truncation),
		cmocka_unit_test(frame_parse__takes_no_padding_for_payload),
		cmocka_unit_test(frame_parse__names_the_fault_of_an_ipv4_header),
		cmocka_unit_test(frame_parse__skips_ipv4_options),
		cmocka_unit_test(frame_parse__skips_ipv6_options_within_bounds),
		cmocka_unit_test(frame_parse__names_the_fault_of_an_ipv6_header),
		cmocka_unit_test(frame_parse_udp__names_the_fault),
		cmocka_unit_test(frame_build__sets_dont_fragment_and_ecn),
		cmocka_unit_test(frame_build__leaves_the_card_its_part),
		cmocka_unit_test(frame_build__sends_a_zero_checksum_as_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
