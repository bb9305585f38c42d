/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "base/random.h"
#include "net/checksum.h"
#include "net/frame.h"

static void
checksum_add__gives_the_sum_of_rfc_1071(void **state)
{
	/* RFC 1071 section 3: the sum of these is ddf2. */
	static const uint8_t octets[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	assert_int_equal(net_checksum_finish(net_checksum_add(0, octets, sizeof(octets))), 0xffff & ~0xddf2);
}

static void
checksum_finish__is_zero_over_a_right_header(void **state)
{
	static const uint8_t header[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8,
		0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

	assert_int_equal(net_checksum_finish(net_checksum_add(0, header, sizeof(header))), 0);
}

static uint16_t
slow_checksum(const uint8_t *octets, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i % 2 == 0 ? (uint32_t)octets[i] << 8 : octets[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void
checksum_add__equals_the_plain_sum_at_every_length_and_place(void **state)
{
	struct base_random random;
	uint8_t octets[300];

	base_random_init(&random, 1);
	base_random_fill(&random, octets, sizeof(octets));
	for (size_t skip = 0; skip < 9; skip++)
		for (size_t length = 0; length + skip <= sizeof(octets); length++)
			assert_int_equal(net_checksum_finish(net_checksum_add(0, octets + skip, length)),
				slow_checksum(octets + skip, length));
}

static void
checksum_add__keeps_carries_of_all_ones(void **state)
{
	uint8_t octets[1500];
	uint64_t sum = 0;

	memset(octets, 0xff, sizeof(octets));
	for (unsigned i = 0; i < 1000; i++)
		sum = net_checksum_add(sum, octets, sizeof(octets));
	assert_int_equal(net_checksum_finish(sum), 0);
}

static void
checksum_pseudo__is_the_same_for_mapped_ipv4_as_for_ipv4(void **state)
{
	static const uint8_t a[4] = {192, 0, 2, 1}, b[4] = {192, 0, 2, 9};
	static const uint8_t plain[12] = {192, 0, 2, 1, 192, 0, 2, 9, 0, 17, 0, 8};
	uint8_t source[16], destination[16];

	net_ipv4_mapped(source, a);
	net_ipv4_mapped(destination, b);
	assert_int_equal(net_checksum_finish(net_checksum_pseudo(source, destination, 17, 8)),
		net_checksum_finish(net_checksum_add(0, plain, sizeof(plain))));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_add__gives_the_sum_of_rfc_1071),
		cmocka_unit_test(checksum_finish__is_zero_over_a_right_header),
		cmocka_unit_test(checksum_add__equals_the_plain_sum_at_every_length_and_place),
		cmocka_unit_test(checksum_add__keeps_carries_of_all_ones),
		cmocka_unit_test(checksum_pseudo__is_the_same_for_mapped_ipv4_as_for_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
