/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "tests/config/support.h"

static void
config_parse__takes_the_least_there_can_be(void **state)
{
	assert_true(reads(GOOD_PORT));
	assert_int_equal(config.port_count, 1);
	assert_int_equal(config.ports[0].mtu, 1500);
	assert_int_equal(config.listen_port, 443);
	assert_true(config.memory.hugepages);
	assert_int_equal(config.quic.idle_timeout_ms, 30000);
}

static void
config_parse__names_unknown_keys_and_their_like(void **state)
{
	assert_refused(GOOD_PORT "[quic]\nidle_timeot_ms = 3\n",
		"f.toml:5:1: quic.idle_timeot_ms: there is no such key; did you mean idle_timeout_ms?");
	assert_refused(GOOD_PORT "[quic]\ncertificate = \"c\"\n",
		"f.toml:5:1: quic.certificate: there is no such key; there is one in [tls]");
	assert_refused(GOOD_PORT "[quic]\ncolour = \"c\"\n",
		"f.toml:5:1: quic.colour: there is no such key; config/millrace.toml has all that there are");
	assert_refused("mtu = 3\n" GOOD_PORT,
		"f.toml:1:1: mtu: the key is in no table; write a line like [quic] above it");
}

static void
config_parse__names_unknown_tables(void **state)
{
	assert_refused(
		GOOD_PORT "[quick]\n", "f.toml:4:2: quick: there is no such table; did you mean quic?");
	assert_refused(GOOD_PORT "[flowers]\na = 1\n",
		"f.toml:4:2: flowers: there is no such table; config/millrace.toml has all that there are");
	assert_refused(
		GOOD_PORT "[[quic]]\n", "f.toml:4:1: quic: there is only one such table; write [quic]");
	assert_refused("[port]\ndevice = \"d\"\n",
		"f.toml:1:2: port: there may be several of these tables; write [[port]]");
	assert_refused("quic = 3\n" GOOD_PORT,
		"f.toml:1:1: quic: this is a table; write [quic] or [[quic]] and its keys below");
}

static void
config_parse__wants_keys_without_a_default(void **state)
{
	assert_refused("[[port]]\naddresses = [\"192.0.2.1/24\"]\n",
		"f.toml:1:1: port.device: the key is missing; write device = \"0000:01:00.0\"");
	assert_refused("",
		"f.toml:1:1: port: there is no port; write [[port]] with a device and addresses, as config/demo.toml has it");
}

static void
config_parse__tells_several_mistakes_in_the_order_of_lines(void **state)
{
	assert_false(reads("[tls]\ntickets = 3\n[[port]]\ncolour = 1\n[quic]\nhandshakes_max = 0\n"));
	assert_int_equal(mistakes.count, 3);
	assert_int_equal(mistakes.lines[0].line, 2);
	assert_int_equal(mistakes.lines[1].line, 4);
	assert_int_equal(mistakes.lines[2].line, 6);
}

static void
config_parse__tells_a_bounded_number_of_mistakes(void **state)
{
	char text[2000] = "[quic]\n";

	for (int i = 0; i < 40; i++)
		snprintf(text + strlen(text), 30, "wrong%d = 1\n", i);
	assert_false(reads(text));
	assert_int_equal(mistakes.count, 40);
	assert_int_equal(mistakes.told, CONFIG_LINES_MAX);
}

static void
config_parse__says_where_it_is_no_toml(void **state)
{
	assert_false(reads(GOOD_PORT "[quic\n"));
	assert_int_equal(mistakes.count, 1);
	assert_int_equal(mistakes.lines[0].line, 4);
	assert_non_null(strstr(mistakes.lines[0].text, "this is not TOML"));
	assert_false(reads(GOOD_PORT "[\001]\n"));
	assert_int_equal(mistakes.lines[0].line, 4);
	assert_false(reads(GOOD_PORT "\305\206 = 1\n"));
	assert_int_equal(mistakes.lines[0].line, 4);
	assert_false(reads(GOOD_PORT "mtu = 1500\nmtu = 1400\n"));
	assert_int_equal(mistakes.lines[0].line, 5);
}

static void
config_parse__bounds_the_ports(void **state)
{
	char text[2000] = "";

	for (int i = 0; i <= CONFIG_PORTS_MAX; i++)
		snprintf(text + strlen(text), 100,
			"[[port]]\ndevice = \"d%d\"\naddresses = [\"192.0.2.%d/24\"]\n", i, i + 1);
	assert_refused(text, "f.toml:25:1: port: there are more than 8; leave some out");
}

static void
config_check__compares_values_with_each_other(void **state)
{
	assert_refused(GOOD_PORT "[shards]\ncount = 2\ncpus = [1]\n",
		"f.toml:6:1: shards.cpus: 1 CPUs for 2 shards; write one for each, or []");
	assert_refused(GOOD_PORT "[memory]\nmailbox = 1000\n",
		"f.toml:5:1: memory.mailbox: 1000 is not a power of two; write one, 1024 say");
	assert_refused(GOOD_PORT "[services]\nudp_echo_port = 443\n",
		"f.toml:5:1: services.udp_echo_port: 443 is the port of QUIC; write another");
	assert_refused(GOOD_PORT "[services]\nh3 = false\n",
		"f.toml:5:1: services.h3: every service is off; turn one on");
	assert_refused(GOOD_PORT "[quic]\nstream_window_bytes = 4194304\n",
		"f.toml:4:2: quic.stream_window_max_bytes: it is below stream_window_bytes; raise it");
	assert_refused(GOOD_PORT "[rebalance]\nlow_permille = 1200\n",
		"f.toml:4:2: rebalance.high_permille: 1100 is not above low_permille, which is 1200; raise it, or lower that");
	assert_refused(GOOD_PORT "[rebalance]\nhigh_permille = 1050\n",
		"f.toml:5:1: rebalance.high_permille: 1050 is not above low_permille, which is 1050; raise it, or lower that");
	assert_true(reads(GOOD_PORT "[rebalance]\nhigh_permille = 1300\nlow_permille = 1200\n"));
}

static void
config_check__knows_whose_addresses_can_be(void **state)
{
	assert_refused("[[port]]\ndevice = \"d\"\naddresses = [\"224.0.0.1/24\"]\n",
		"f.toml:3:1: port.addresses: number 1 cannot be the address of a port; write one of a single host");
	assert_refused("[[port]]\ndevice = \"d\"\naddresses = [\"ff02::1/64\"]\n",
		"f.toml:3:1: port.addresses: number 1 cannot be the address of a port; write one of a single host");
	assert_refused("[[port]]\ndevice = \"d\"\naddresses = [\"192.0.2.1/24\", \"192.0.2.1/25\"]\n",
		"f.toml:3:1: port.addresses: number 2 is there twice; leave one out");
	assert_refused(GOOD_PORT "gateways = [\"192.0.3.1\"]\n",
		"f.toml:4:1: port.gateways: number 1 is within the prefix of no address of the port; mend the prefix or the gateway");
	assert_refused(GOOD_PORT "gateways = [\"::1\"]\n",
		"f.toml:4:1: port.gateways: number 1 is within the prefix of no address of the port; mend the prefix or the gateway");
	assert_true(reads(GOOD_PORT "gateways = [\"192.0.2.254\"]\n"));
	assert_refused(GOOD_PORT "[[port]]\ndevice = \"net_null0\"\naddresses = [\"192.0.2.2/24\"]\n",
		"f.toml:5:1: port.device: another port has it already; leave one out");
}

static void
config_load__says_why_a_file_cannot_be_read(void **state)
{
	assert_false(config_load(&config, "/nonexistent/f.toml", &mistakes));
	assert_string_equal(mistakes.lines[0].text,
		"/nonexistent/f.toml: No such file or directory; name a file that is there with -c");
	assert_false(config_load(&config, "/", &mistakes));
	assert_int_equal(mistakes.count, 1);
}

static void
config_parse__takes_services_from_shared_objects(void **state)
{
	assert_true(reads(
		GOOD_PORT "[[service]]\nfile = \"a.so\"\n[[service]]\nfile = \"b.so\"\noptions = \"x=1\"\n"));
	assert_int_equal(config.service_count, 2);
	assert_string_equal(config.service[0].file, "a.so");
	assert_string_equal(config.service[0].options, "");
	assert_string_equal(config.service[1].options, "x=1");
	assert_string_equal(config.origin.file, "f.toml");
	assert_int_equal(config.origin.service_lines[0], 5);
	assert_int_equal(config.origin.service_lines[1], 7);
	assert_refused(GOOD_PORT "[[service]]\noptions = \"\"\n",
		"f.toml:4:1: service.file: the key is missing; write file = \"/usr/local/lib/millrace/example.so\"");
	/* Others' services are enough to begin with. */
	assert_true(reads(GOOD_PORT "[services]\nh3 = false\n[[service]]\nfile = \"a.so\"\n"));
	assert_false(reads(GOOD_PORT "[services]\nh3 = false\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_parse__takes_the_least_there_can_be),
		cmocka_unit_test(config_parse__takes_services_from_shared_objects),
		cmocka_unit_test(config_parse__names_unknown_keys_and_their_like),
		cmocka_unit_test(config_parse__names_unknown_tables),
		cmocka_unit_test(config_parse__wants_keys_without_a_default),
		cmocka_unit_test(config_parse__tells_several_mistakes_in_the_order_of_lines),
		cmocka_unit_test(config_parse__tells_a_bounded_number_of_mistakes),
		cmocka_unit_test(config_parse__says_where_it_is_no_toml),
		cmocka_unit_test(config_parse__bounds_the_ports),
		cmocka_unit_test(config_check__compares_values_with_each_other),
		cmocka_unit_test(config_check__knows_whose_addresses_can_be),
		cmocka_unit_test(config_load__says_why_a_file_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
