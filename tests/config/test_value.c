/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include "config/value.h"
#include "tests/config/support.h"

static void
value_store__refuses_the_wrong_type(void **state)
{
	assert_refused(GOOD_PORT "mtu = \"big\"\n",
		"f.toml:4:7: port.mtu: the value has the wrong type; write a whole number");
	assert_refused(GOOD_PORT "[tls]\nkey = 3\n",
		"f.toml:5:7: tls.key: the value has the wrong type; write a text in quotes");
	assert_refused(GOOD_PORT "[idle]\nsleep = 1\n",
		"f.toml:5:9: idle.sleep: the value has the wrong type; write true or false");
	assert_refused(GOOD_PORT "[shards]\ncpus = 1\n",
		"f.toml:5:8: shards.cpus: the value has the wrong type; write a list of whole numbers, as in [1, 2]");
	assert_refused(GOOD_PORT "[quic]\nidle_timeout_ms = 1.5\n",
		"f.toml:5:19: quic.idle_timeout_ms: the value has the wrong type; write a whole number");
}

static void
value_store__holds_integers_to_their_range(void **state)
{
	assert_refused(
		GOOD_PORT "mtu = 1279\n", "f.toml:4:7: port.mtu: 1279 is out of range; write 1280 to 9000");
	assert_refused(GOOD_PORT "[listen]\nport = -1\n",
		"f.toml:5:8: listen.port: -1 is out of range; write 1 to 65535");
	assert_true(reads(GOOD_PORT "mtu = 9000\n[quic]\nconnection_window_max_bytes = 1099511627776\n"));
	assert_int_equal(config.ports[0].mtu, 9000);
	assert_true(config.quic.connection_window_max_bytes == UINT64_C(1) << 40);
}

static void
value_store__holds_texts_to_their_room(void **state)
{
	assert_refused(GOOD_PORT "name = \"0123456789012345678901234567890123456789\"\n",
		"f.toml:4:8: port.name: the text has 40 octets; write 31 at most");
	assert_refused(GOOD_PORT "name = \"a\\nb\"\n",
		"f.toml:4:8: port.name: there is a control character in the text; leave it out");
	assert_refused(GOOD_PORT "name = \"a\\u0000b\"\n",
		"f.toml:4:8: port.name: there is a control character in the text; leave it out");
}

static void
value_store__knows_the_words_of_a_choice(void **state)
{
	assert_true(reads(GOOD_PORT "[quic]\ncongestion = \"newreno\"\n"));
	assert_int_equal(config.quic.congestion, CONFIG_NEW_RENO);
	assert_refused(GOOD_PORT "[quic]\ncongestion = \"cubik\"\n",
		"f.toml:5:14: quic.congestion: \"cubik\" is not known; did you mean \"cubic\"?");
	assert_refused(GOOD_PORT "[log]\nlevel = \"x\"\n",
		"f.toml:5:9: log.level: \"x\" is not known; write \"error\", \"warning\", \"info\" or \"debug\"");
}

static void
value_add__keeps_the_order_and_refuses_doubles(void **state)
{
	assert_true(reads(GOOD_PORT "[tls]\nciphers = [\"chacha20-poly1305\", \"aes-128-gcm\"]\n"));
	assert_int_equal(config.tls.ciphers.count, 2);
	assert_int_equal(config.tls.ciphers.items[0], CONFIG_CHACHA20_POLY1305);
	assert_int_equal(config.tls.ciphers.items[1], CONFIG_AES_128_GCM);
	assert_refused(GOOD_PORT "[tls]\nciphers = [\"aes-128-gcm\", \"aes-128-gcm\"]\n",
		"f.toml:5:27: tls.ciphers: \"aes-128-gcm\" is there twice; leave one out");
	assert_refused(GOOD_PORT "[tls]\nciphers = []\n",
		"f.toml:5:11: tls.ciphers: the list is empty; write a list of texts, as in [\"a\", \"b\"]");
	assert_refused(GOOD_PORT "[tls]\nciphers = [1]\n",
		"f.toml:5:12: tls.ciphers: the list holds something else; write a list of texts, as in [\"a\", \"b\"]");
}

static void
value_add__reads_addresses_of_both_versions(void **state)
{
	static const uint8_t ipv4[16] = {[10] = 0xff, 0xff, 192, 0, 2, 7};
	static const uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 9};

	assert_true(reads("[[port]]\ndevice = \"d\"\naddresses = [\"192.0.2.7/24\", \"2001:db8::9/64\"]\n"
			  "gateways = [\"192.0.2.254\"]\n"));
	assert_int_equal(config.ports[0].addresses.count, 2);
	assert_memory_equal(config.ports[0].addresses.items[0].ip, ipv4, 16);
	assert_int_equal(config.ports[0].addresses.items[0].prefix_bits, 24);
	assert_memory_equal(config.ports[0].addresses.items[1].ip, ipv6, 16);
	assert_int_equal(config.ports[0].addresses.items[1].prefix_bits, 64);
	assert_int_equal(config.ports[0].gateways.count, 1);
}

static void
value_add__refuses_what_is_no_address(void **state)
{
	static const char *const wrong[] = {"192.0.2.1", "192.0.2.1/33", "192.0.2.1/", "192.0.2.1/-1",
		"192.0.2/24", "::1/129", "::1/1x", "/24", "",
		"1234:1234:1234:1234:1234:1234:1234:1234:1234:1234:1234/64", "192.0.2.1\\u0000/24"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[200];

		snprintf(text, sizeof(text), "[[port]]\ndevice = \"d\"\naddresses = [\"%s\"]\n", wrong[i]);
		assert_false(reads(text));
		assert_int_equal(mistakes.count, 1);
		assert_non_null(
			strstr(mistakes.lines[0].text, "is not an address; write it as \"192.0.2.1/24\""));
	}
}

static void
value_nearest__finds_near_misses_only(void **state)
{
	static const char *const words[] = {"mtu", "queues", "addresses"};

	assert_string_equal(value_nearest("adresses", words, 3), "addresses");
	assert_string_equal(value_nearest("queue", words, 3), "queues");
	assert_null(value_nearest("colour", words, 3));
	assert_null(value_nearest("", words, 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_store__refuses_the_wrong_type),
		cmocka_unit_test(value_store__holds_integers_to_their_range),
		cmocka_unit_test(value_store__holds_texts_to_their_room),
		cmocka_unit_test(value_store__knows_the_words_of_a_choice),
		cmocka_unit_test(value_add__keeps_the_order_and_refuses_doubles),
		cmocka_unit_test(value_add__reads_addresses_of_both_versions),
		cmocka_unit_test(value_add__refuses_what_is_no_address),
		cmocka_unit_test(value_nearest__finds_near_misses_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
