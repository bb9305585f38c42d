/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <arpa/inet.h>
#include <string.h>

#include "net/rss.h"

static struct base_path
path_of(const char *source, uint16_t source_port, const char *destination, uint16_t destination_port)
{
	struct base_path path = {.remote = {.port = source_port}, .local = {.port = destination_port}};
	uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (strchr(source, ':') != NULL) {
		inet_pton(AF_INET6, source, path.remote.ip);
		inet_pton(AF_INET6, destination, path.local.ip);
		return path;
	}
	memcpy(path.remote.ip, mapped, sizeof(mapped));
	memcpy(path.local.ip, mapped, sizeof(mapped));
	inet_pton(AF_INET, source, path.remote.ip + 12);
	inet_pton(AF_INET, destination, path.local.ip + 12);
	return path;
}

static void
rss_path__equals_the_verification_suite(void **state)
{
	/* Microsoft's "Verifying the RSS hash calculation", the rows with ports. */
	static const struct {
		const char *destination, *source;
		uint16_t destination_port, source_port;
		uint32_t hash;
	} rows[] = {
		{"161.142.100.80", "66.9.149.187", 1766, 2794, 0x51ccc178},
		{"65.69.140.83", "199.92.111.2", 4739, 14230, 0xc626b0ea},
		{"12.22.207.184", "24.19.198.95", 38024, 12898, 0x5c2b394a},
		{"209.142.163.6", "38.27.205.30", 2217, 48228, 0xafc7327f},
		{"202.188.127.2", "153.39.163.191", 1303, 44251, 0x10e828a2},
		{"3ffe:2501:200:3::1", "3ffe:2501:200:1fff::7", 1766, 2794, 0x40207d3d},
		{"ff02::1", "3ffe:501:8::260:97ff:fe40:efab", 4739, 14230, 0xdde51bbf},
		{"fe80::200:f8ff:fe21:67cf", "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 38024, 44251, 0x02d1feef},
	};
	struct net_rss rss;

	net_rss_init(&rss, net_rss_key_default);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct base_path path = path_of(
			rows[i].source, rows[i].source_port, rows[i].destination, rows[i].destination_port);

		assert_int_equal(net_rss_path(&rss, &path), rows[i].hash);
	}
}

static void
rss_path__is_symmetric_with_the_symmetric_key(void **state)
{
	struct base_path there = path_of("192.0.2.1", 1, "198.51.100.2", 443);
	struct base_path back = path_of("198.51.100.2", 443, "192.0.2.1", 1);
	struct net_rss rss;

	net_rss_init(&rss, net_rss_key_symmetric);
	assert_int_equal(net_rss_path(&rss, &there), net_rss_path(&rss, &back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rss_path__equals_the_verification_suite),
		cmocka_unit_test(rss_path__is_symmetric_with_the_symmetric_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
