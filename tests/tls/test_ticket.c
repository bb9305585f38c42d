/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "pair.h"

struct site {
	struct tls_context *client;
	struct tls_context *server;
};

static struct site
site_open(const struct tls_settings *server)
{
	struct tls_settings client = pair_client_settings();

	return (struct site){.client = pair_context(&client), .server = pair_context(server)};
}

static void
site_close(struct site *site)
{
	tls_context_close(site->client);
	tls_context_close(site->server);
}

/* A whole handshake; what the sides learnt stays. */
static void
run(struct site *site, struct pair *pair, const char *name, const struct pair_side *ticket)
{
	pair_open(pair, site->client, site->server, name, ticket);
	pair_run(pair);
	assert_true(pair->sides[TLS_CLIENT].complete && pair->sides[TLS_SERVER].complete);
	assert_int_equal(pair->sides[TLS_CLIENT].resumed, pair->sides[TLS_SERVER].resumed);
	pair_close(pair);
}

static void
tickets__resume(void **state)
{
	struct tls_settings server = pair_server_settings();
	struct site site = site_open(&server);
	struct pair first = {0}, second = {0};

	run(&site, &first, "localhost", NULL);
	assert_false(first.sides[TLS_SERVER].resumed);
	run(&site, &second, "localhost", &first.sides[TLS_CLIENT]);
	assert_true(second.sides[TLS_SERVER].resumed);
	/* No certificate goes over. */
	assert_true(second.sides[TLS_SERVER].crypto_bytes[TLS_LEVEL_HANDSHAKE] <
		first.sides[TLS_SERVER].crypto_bytes[TLS_LEVEL_HANDSHAKE]);
	/* And a new ticket comes with it. */
	assert_true(second.sides[TLS_CLIENT].ticket_length > 0);
	site_close(&site);
}

static void
tickets__resume_with_each_suite(void **state)
{
	static const uint16_t suites[] = {
		TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256};

	for (size_t i = 0; i < 3; i++) {
		struct tls_settings server = pair_server_settings();
		struct pair first = {0}, second = {.piece_bytes = 1};
		struct site site;

		server.suites[0] = suites[i];
		server.suite_count = 1;
		site = site_open(&server);
		run(&site, &first, "localhost", NULL);
		run(&site, &second, "localhost", &first.sides[TLS_CLIENT]);
		assert_true(second.sides[TLS_SERVER].resumed);
		assert_int_equal(second.sides[TLS_SERVER].cipher_suite, suites[i]);
		site_close(&site);
	}
}

/* Every gateway of a site takes what another one issued. */
static void
tickets__resume_at_another_gateway(void **state)
{
	struct tls_settings server = pair_server_settings();
	struct site one = site_open(&server), other = site_open(&server);
	struct pair first = {0}, second = {0};

	run(&one, &first, "localhost", NULL);
	run(&other, &second, "localhost", &first.sides[TLS_CLIENT]);
	assert_true(second.sides[TLS_SERVER].resumed);
	site_close(&one);
	site_close(&other);
}

static void
tickets__under_an_unknown_key_fall_back(void **state)
{
	struct tls_settings server = pair_server_settings();
	struct site site = site_open(&server);
	struct pair first = {0}, second = {0};
	struct tls_ticket_keys keys = server.ticket_keys;

	run(&site, &first, "localhost", NULL);
	/* Another key under the same name. */
	keys.keys[0].key[31] ^= 1;
	tls_context_set_ticket_keys(site.server, &keys);
	run(&site, &second, "localhost", &first.sides[TLS_CLIENT]);
	assert_false(second.sides[TLS_SERVER].resumed);
	/* Another name. */
	keys = server.ticket_keys;
	keys.keys[0].id[0] ^= 1;
	tls_context_set_ticket_keys(site.server, &keys);
	run(&site, &second, "localhost", &first.sides[TLS_CLIENT]);
	assert_false(second.sides[TLS_SERVER].resumed);
	site_close(&site);
}

static void
tickets__outlive_a_rotation(void **state)
{
	struct tls_settings server = pair_server_settings();
	struct site site = site_open(&server);
	struct pair first = {0}, second = {0};
	struct tls_ticket_keys keys = {.count = 2};

	run(&site, &first, "localhost", NULL);
	memset(keys.keys[0].id, 0xb2, sizeof(keys.keys[0].id));
	memset(keys.keys[0].key, 0x77, sizeof(keys.keys[0].key));
	keys.keys[1] = server.ticket_keys.keys[0];
	tls_context_set_ticket_keys(site.server, &keys);
	run(&site, &second, "localhost", &first.sides[TLS_CLIENT]);
	assert_true(second.sides[TLS_SERVER].resumed);
	/* The ticket it gave is under the new key. */
	keys.count = 1;
	tls_context_set_ticket_keys(site.server, &keys);
	run(&site, &first, "localhost", &second.sides[TLS_CLIENT]);
	assert_true(first.sides[TLS_SERVER].resumed);
	site_close(&site);
}

static void
tickets__grow_old(void **state)
{
	struct tls_settings server = pair_server_settings();
	uint64_t now_s = (uint64_t)time(NULL);
	struct pair first = {0}, second = {0};
	struct site site;

	server.ticket_lifetime_s = 600;
	site = site_open(&server);
	tls_context_set_time(site.server, now_s);
	run(&site, &first, "localhost", NULL);
	tls_context_set_time(site.server, now_s + 599);
	run(&site, &second, "localhost", &first.sides[TLS_CLIENT]);
	assert_true(second.sides[TLS_SERVER].resumed);
	tls_context_set_time(site.server, now_s + 601);
	run(&site, &second, "localhost", &first.sides[TLS_CLIENT]);
	assert_false(second.sides[TLS_SERVER].resumed);
	/* One from a future beyond the gateways' clocks is not taken either. */
	tls_context_set_time(site.server, now_s - 3600);
	run(&site, &second, "localhost", &first.sides[TLS_CLIENT]);
	assert_false(second.sides[TLS_SERVER].resumed);
	site_close(&site);
}

/* The library's chain of resumptions ends in an error after 255; ours in a full handshake before. */
static void
tickets__in_a_long_chain_end_in_a_full_handshake(void **state)
{
	struct tls_settings server = pair_server_settings();
	struct site site = site_open(&server);
	struct pair pair = {0};
	struct pair_side ticket;
	unsigned int full = 0;

	run(&site, &pair, "localhost", NULL);
	for (int i = 0; i < 600; i++) {
		ticket = pair.sides[TLS_CLIENT];
		run(&site, &pair, "localhost", &ticket);
		full += !pair.sides[TLS_SERVER].resumed;
	}
	assert_in_range(full, 2, 4);
	site_close(&site);
}

static void
tickets__count_for_their_name_only(void **state)
{
	struct tls_settings server = pair_server_settings();
	struct site site = site_open(&server);
	struct pair first = {0}, second = {0};

	run(&site, &first, "localhost", NULL);
	run(&site, &second, "gateway.example", &first.sides[TLS_CLIENT]);
	assert_false(second.sides[TLS_SERVER].resumed);
	site_close(&site);
}

static void
tickets__are_not_given_without_keys(void **state)
{
	struct tls_settings server = pair_server_settings();
	struct pair pair = {0};
	struct site site;

	server.ticket_keys.count = 0;
	site = site_open(&server);
	run(&site, &pair, "localhost", NULL);
	assert_int_equal(pair.sides[TLS_CLIENT].ticket_length, 0);
	assert_int_equal(pair.sides[TLS_SERVER].crypto_bytes[TLS_LEVEL_APPLICATION], 0);
	site_close(&site);
}

/* What a client saved may be broken: then the handshake is a full one, or there is no session at all. */
static void
tickets__broken_are_survived(void **state)
{
	struct tls_settings server = pair_server_settings();
	struct site site = site_open(&server);
	struct pair first = {0}, second = {0};
	size_t length;

	run(&site, &first, "localhost", NULL);
	length = first.sides[TLS_CLIENT].ticket_length;
	for (size_t i = 0; i < length; i += 3) {
		struct pair_side ticket = first.sides[TLS_CLIENT];

		ticket.ticket[i] ^= 0x41;
		pair_open(&second, site.client, site.server, "localhost", &ticket);
		if (second.sides[TLS_CLIENT].session != NULL)
			pair_run(&second);
		pair_close(&second);
		ticket = first.sides[TLS_CLIENT];
		ticket.ticket_length = i;
		pair_open(&second, site.client, site.server, "localhost", &ticket);
		if (second.sides[TLS_CLIENT].session != NULL)
			pair_run(&second);
		pair_close(&second);
	}
	site_close(&site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tickets__resume),
		cmocka_unit_test(tickets__resume_with_each_suite),
		cmocka_unit_test(tickets__resume_at_another_gateway),
		cmocka_unit_test(tickets__under_an_unknown_key_fall_back),
		cmocka_unit_test(tickets__outlive_a_rotation),
		cmocka_unit_test(tickets__grow_old),
		cmocka_unit_test(tickets__in_a_long_chain_end_in_a_full_handshake),
		cmocka_unit_test(tickets__count_for_their_name_only),
		cmocka_unit_test(tickets__are_not_given_without_keys),
		cmocka_unit_test(tickets__broken_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
