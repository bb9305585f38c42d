/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/writer.h"
#include "certificates.h"
#include "pair.h"
#include "tls/alert.h"

enum { LONGEST_HELLO = 16384 };

static void
assert_same_secrets(const struct pair *pair)
{
	const struct pair_side *client = &pair->sides[TLS_CLIENT], *server = &pair->sides[TLS_SERVER];

	for (int level = TLS_LEVEL_HANDSHAKE; level <= TLS_LEVEL_APPLICATION; level++) {
		size_t length = client->secret_lengths[level][TLS_SEND];

		assert_true(length == 32 || length == 48);
		assert_int_equal(length, server->secret_lengths[level][TLS_RECEIVE]);
		assert_memory_equal(
			client->secrets[level][TLS_SEND], server->secrets[level][TLS_RECEIVE], length);
		assert_memory_equal(
			client->secrets[level][TLS_RECEIVE], server->secrets[level][TLS_SEND], length);
		assert_memory_not_equal(
			client->secrets[level][TLS_SEND], client->secrets[level][TLS_RECEIVE], length);
	}
}

static void
assert_complete(const struct pair *pair)
{
	for (int i = 0; i < PAIR_SIDES; i++) {
		assert_int_equal(pair->sides[i].error, 0);
		assert_true(pair->sides[i].complete);
		assert_true(tls_complete(pair->sides[i].session));
	}
	assert_same_secrets(pair);
	assert_memory_equal(pair->sides[TLS_CLIENT].parameters, "server2", 8);
	assert_memory_equal(pair->sides[TLS_SERVER].parameters, "client1", 8);
	assert_string_equal(pair->sides[TLS_CLIENT].alpn, pair->sides[TLS_SERVER].alpn);
}

/* One handshake from settings; contexts are gone again at the end, the results stay. */
static void
handshake(struct pair *pair, const struct tls_settings *client, const struct tls_settings *server)
{
	struct tls_context *client_context = pair_context(client), *server_context = pair_context(server);

	pair_open(pair, client_context, server_context, "localhost", NULL);
	pair_run(pair);
	pair_close(pair);
	tls_context_close(client_context);
	tls_context_close(server_context);
}

static void
tls_receive__completes_a_handshake(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct tls_context *client_context = pair_context(&client), *server_context = pair_context(&server);
	struct pair pair = {0};

	pair_open(&pair, client_context, server_context, "localhost", NULL);
	pair_run(&pair);
	assert_complete(&pair);
	assert_string_equal(pair.sides[TLS_CLIENT].alpn, "h3");
	assert_string_equal(tls_server_name(pair.sides[TLS_SERVER].session), "localhost");
	assert_int_equal(pair.sides[TLS_CLIENT].cipher_suite, TLS_AES_128_GCM_SHA256);
	assert_false(pair.sides[TLS_CLIENT].resumed);
	/* The ticket came with the server's last octets, so its session may be closed. */
	assert_true(pair.sides[TLS_SERVER].crypto_bytes[TLS_LEVEL_APPLICATION] > 0);
	assert_true(pair.sides[TLS_CLIENT].ticket_length > 0);
	pair_close(&pair);
	tls_context_close(client_context);
	tls_context_close(server_context);
}

static void
tls_receive__completes_with_each_suite(void **state)
{
	static const uint16_t suites[] = {
		TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256};

	for (int i = 0; i < 6; i++) {
		struct tls_settings client = pair_client_settings(), server = pair_server_settings();
		struct tls_settings *only = i < 3 ? &client : &server;
		struct pair pair = {0};

		only->suites[0] = suites[i % 3];
		only->suite_count = 1;
		handshake(&pair, &client, &server);
		assert_same_secrets(&pair);
		assert_int_equal(pair.sides[TLS_CLIENT].cipher_suite, suites[i % 3]);
		assert_int_equal(pair.sides[TLS_SERVER].cipher_suite, suites[i % 3]);
		assert_int_equal(pair.sides[TLS_CLIENT].secret_lengths[TLS_LEVEL_APPLICATION][TLS_SEND],
			suites[i % 3] == TLS_AES_256_GCM_SHA384 ? 48 : 32);
	}
}

static void
tls_receive__completes_with_each_group(void **state)
{
	static const uint16_t groups[] = {
		TLS_GROUP_X25519, TLS_GROUP_SECP256R1, TLS_GROUP_SECP384R1, TLS_GROUP_X25519MLKEM768};

	for (int i = 0; i < 4; i++) {
		struct tls_settings client = pair_client_settings(), server = pair_server_settings();
		struct tls_context *client_context, *server_context;
		struct pair pair = {0};

		if (!tls_has_group(groups[i]))
			continue;
		client.groups[0] = groups[i];
		client.group_count = 1;
		client_context = pair_context(&client);
		server_context = pair_context(&server);
		pair_open(&pair, client_context, server_context, "localhost", NULL);
		pair_run(&pair);
		assert_complete(&pair);
		assert_int_equal(tls_group_used(pair.sides[TLS_SERVER].session), groups[i]);
		assert_int_equal(tls_group_used(pair.sides[TLS_CLIENT].session), groups[i]);
		if (groups[i] == TLS_GROUP_X25519MLKEM768) /* two Initial packets */
			assert_true(pair.sides[TLS_CLIENT].crypto_bytes[TLS_LEVEL_INITIAL] > 1200);
		pair_close(&pair);
		tls_context_close(client_context);
		tls_context_close(server_context);
	}
}

static void
tls_receive__completes_with_ed25519(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct pair pair = {0};

	server.certificate = (struct tls_pem){
		.octets = (const uint8_t *)certificate_ed25519, .length = sizeof(certificate_ed25519) - 1};
	server.key =
		(struct tls_pem){.octets = (const uint8_t *)key_ed25519, .length = sizeof(key_ed25519) - 1};
	client.ca = server.certificate;
	handshake(&pair, &client, &server);
	assert_true(pair.sides[TLS_CLIENT].complete && pair.sides[TLS_SERVER].complete);
}

static void
tls_receive__survives_a_hello_retry_request(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct pair pair = {.piece_bytes = 7};

	client.groups[0] = TLS_GROUP_SECP256R1; /* the key share sent */
	client.groups[1] = TLS_GROUP_X25519;
	client.group_count = 2;
	server.groups[0] = TLS_GROUP_X25519;
	server.group_count = 1;
	handshake(&pair, &client, &server);
	assert_true(pair.sides[TLS_CLIENT].complete && pair.sides[TLS_SERVER].complete);
	assert_same_secrets(&pair);
	assert_int_equal(pair.sides[TLS_SERVER].parameters_length, 8);
	/* Two ClientHellos. */
	assert_true(pair.sides[TLS_CLIENT].crypto_bytes[TLS_LEVEL_INITIAL] > 300);
}

static void
tls_receive__takes_octets_one_by_one(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct pair pair = {.piece_bytes = 1};

	handshake(&pair, &client, &server);
	assert_true(pair.sides[TLS_CLIENT].complete && pair.sides[TLS_SERVER].complete);
	assert_true(pair.sides[TLS_CLIENT].ticket_length > 0);
	assert_same_secrets(&pair);
}

/* RFC 9001 8.1: "endpoints MUST immediately close a connection with a no_application_protocol TLS alert". */
static void
tls_receive__refuses_unknown_protocols(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct pair pair = {0};

	client.alpn[0] = "smtp";
	handshake(&pair, &client, &server);
	assert_int_equal(pair.sides[TLS_SERVER].error, 0x178);
	assert_int_equal(pair.sides[TLS_SERVER].event_error, 0x178);
	assert_false(pair.sides[TLS_SERVER].complete);
	assert_int_equal(pair.sides[TLS_SERVER].crypto_bytes[TLS_LEVEL_INITIAL], 0);
}

static void
tls_receive__chooses_by_the_servers_order(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct pair pair = {0};

	client.alpn[0] = "hq-interop";
	client.alpn[1] = "h3";
	client.alpn_count = 2;
	handshake(&pair, &client, &server);
	assert_string_equal(pair.sides[TLS_SERVER].alpn, "h3");
	assert_string_equal(pair.sides[TLS_CLIENT].alpn, "h3");
}

static void
tls_receive__refuses_when_nothing_is_common(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct pair pair = {0};

	client.suites[0] = TLS_AES_256_GCM_SHA384;
	server.suites[0] = TLS_CHACHA20_POLY1305_SHA256;
	client.suite_count = server.suite_count = 1;
	handshake(&pair, &client, &server);
	assert_int_equal(pair.sides[TLS_SERVER].error, TLS_ERROR_ALERT(TLS_ALERT_HANDSHAKE_FAILURE));
}

static void
tls_receive__verifies_the_certificate(void **state)
{
	static const uint8_t pin[32] = {0x0b, 0xb5, 0xea, 0x34, 0x80, 0xfc, 0x19, 0x6a, 0x9b, 0x65, 0x54,
		0xf3, 0x4c, 0xa7, 0x5f, 0xba, 0x1e, 0x53, 0x3c, 0xdd, 0x7a, 0x70, 0x35, 0x97, 0xd3, 0xd3,
		0x74, 0xe2, 0x62, 0xdc, 0x48, 0x06};
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct pair pair = {0};

	client.ca.octets = (const uint8_t *)certificate_ed25519;
	client.ca.length = sizeof(certificate_ed25519) - 1;
	handshake(&pair, &client, &server);
	assert_false(pair.sides[TLS_CLIENT].complete);
	assert_in_range(pair.sides[TLS_CLIENT].error, 0x100 + 42, 0x100 + 48);

	client.verify = TLS_VERIFY_OFF;
	handshake(&pair, &client, &server);
	assert_true(pair.sides[TLS_CLIENT].complete);

	client.verify = TLS_VERIFY_PINNED;
	handshake(&pair, &client, &server);
	assert_false(pair.sides[TLS_CLIENT].complete);
	assert_int_equal(pair.sides[TLS_CLIENT].error, TLS_ERROR_ALERT(TLS_ALERT_BAD_CERTIFICATE));

	memcpy(client.pin_sha256, pin, sizeof(pin));
	handshake(&pair, &client, &server);
	assert_true(pair.sides[TLS_CLIENT].complete);
}

static void
tls_receive__verifies_the_name(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} names[] = {{"localhost", true}, {"gateway.example", true}, {"other.example", false},
		{"127.0.0.2", false}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct tls_settings client = pair_client_settings(), server = pair_server_settings();
		struct tls_context *client_context = pair_context(&client),
				   *server_context = pair_context(&server);
		struct pair pair = {0};

		pair_open(&pair, client_context, server_context, names[i].name, NULL);
		pair_run(&pair);
		assert_int_equal(pair.sides[TLS_CLIENT].complete, names[i].good);
		if (!names[i].good)
			assert_true(pair.sides[TLS_CLIENT].error >= 0x100);
		pair_close(&pair);
		tls_context_close(client_context);
		tls_context_close(server_context);
	}
}

/* RFC 9001 6: "Endpoints MUST treat the receipt of a TLS KeyUpdate message as a connection error of type 0x010a". */
static void
tls_receive__refuses_key_updates(void **state)
{
	static const uint8_t key_update[] = {24, 0, 0, 1, 0}, end_of_early_data[] = {5, 0, 0, 0};
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct tls_context *client_context = pair_context(&client), *server_context = pair_context(&server);
	struct pair pair = {0};

	pair_open(&pair, client_context, server_context, "localhost", NULL);
	pair_run(&pair);
	for (int i = 0; i < PAIR_SIDES; i++) {
		struct tls_session *session = pair.sides[i].session;

		assert_int_equal(tls_receive(session, TLS_LEVEL_APPLICATION, key_update, 4), 0);
		assert_int_equal(tls_receive(session, TLS_LEVEL_APPLICATION, key_update + 4, 1), 0x10a);
		/* An error is for good. */
		assert_int_equal(tls_receive(session, TLS_LEVEL_APPLICATION, key_update, 1), 0x10a);
	}
	pair_close(&pair);
	pair_open(&pair, client_context, server_context, "localhost", NULL);
	pair_step(&pair, TLS_CLIENT);
	assert_int_equal(
		tls_receive(pair.sides[TLS_SERVER].session, TLS_LEVEL_HANDSHAKE, end_of_early_data, 4),
		0x10a);
	pair_close(&pair);
	tls_context_close(client_context);
	tls_context_close(server_context);
}

/* RFC 9001 4.1.3: new octets at a level that the handshake has left are a PROTOCOL_VIOLATION. */
static void
tls_receive__refuses_wrong_levels(void **state)
{
	static const uint8_t octet[] = {20};
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct tls_context *client_context = pair_context(&client), *server_context = pair_context(&server);
	struct pair pair = {0};

	pair_open(&pair, client_context, server_context, "localhost", NULL);
	assert_int_equal(tls_receive(pair.sides[TLS_SERVER].session, TLS_LEVEL_HANDSHAKE, octet, 1),
		TLS_ERROR_PROTOCOL_VIOLATION);
	assert_int_equal(tls_receive(pair.sides[TLS_CLIENT].session, TLS_LEVEL_EARLY_DATA, octet, 1),
		TLS_ERROR_PROTOCOL_VIOLATION);
	pair_close(&pair);
	pair_open(&pair, client_context, server_context, "localhost", NULL);
	pair_step(&pair, TLS_CLIENT);
	assert_int_equal(tls_receive(pair.sides[TLS_SERVER].session, TLS_LEVEL_INITIAL, octet, 1),
		TLS_ERROR_PROTOCOL_VIOLATION);
	pair_close(&pair);
	tls_context_close(client_context);
	tls_context_close(server_context);
}

static void
tls_receive__bounds_what_it_buffers(void **state)
{
	static const uint8_t long_hello[] = {1, 0xff, 0xff, 0xff, 3, 3};
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct tls_context *client_context = pair_context(&client), *server_context = pair_context(&server);
	struct pair pair = {0};

	pair_open(&pair, client_context, server_context, "localhost", NULL);
	assert_int_equal(tls_receive(pair.sides[TLS_SERVER].session, TLS_LEVEL_INITIAL, long_hello, 6),
		TLS_ERROR_CRYPTO_BUFFER_EXCEEDED);
	pair_close(&pair);
	tls_context_close(client_context);
	tls_context_close(server_context);
}

/* Every octet of both flights, turned over one at a time, ends in an error with a code or in nothing. */
static void
tls_receive__survives_garbage(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct tls_context *client_context, *server_context;
	struct tls_event event;
	uint8_t hello[4096];
	size_t length = 0;
	struct pair pair = {0};

	client.groups[0] = TLS_GROUP_X25519;
	client.group_count = 1;
	client_context = pair_context(&client);
	server_context = pair_context(&server);
	pair_open(&pair, client_context, server_context, "localhost", NULL);
	assert_true(tls_next_event(pair.sides[TLS_CLIENT].session, &event));
	length = event.length;
	assert_true(length < sizeof(hello));
	memcpy(hello, event.octets, length);
	pair_close(&pair);
	for (size_t i = 0; i < length; i++) {
		struct tls_start start = {.transport_parameters = hello, .transport_parameters_length = 8};
		struct tls_session *session = tls_open(server_context, &start);
		uint64_t error;

		hello[i] ^= 0x55;
		error = tls_receive(session, TLS_LEVEL_INITIAL, hello, length);
		assert_true(error == 0 || error == TLS_ERROR_PROTOCOL_VIOLATION ||
			error == TLS_ERROR_CRYPTO_BUFFER_EXCEEDED || (error > 0x100 && error < 0x200));
		assert_int_not_equal(error, TLS_ERROR_ALERT(TLS_ALERT_INTERNAL_ERROR));
		hello[i] ^= 0x55;
		tls_close(session);
	}
	tls_context_close(client_context);
	tls_context_close(server_context);
}

/* A session that was opened has the memory to complete; one that would not have it is refused. */
static void
tls_open__refuses_what_memory_cannot_hold(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct tls_context *client_context = pair_context(&client), *server_context = pair_context(&server);
	unsigned int completed = 0, refused = 0;

	for (size_t bytes = 0; bytes <= 256 * 1024; bytes += 8192) {
		struct tls_memory *memory = tls_memory_open(NULL, bytes, 0);
		struct pair pair = {0};

		tls_memory_bind(memory);
		pair_open(&pair, client_context, server_context, "localhost", NULL);
		if (pair.sides[TLS_CLIENT].session != NULL && pair.sides[TLS_SERVER].session != NULL) {
			pair_run(&pair);
			assert_complete(&pair);
			completed++;
		} else {
			assert_true(tls_memory_counters(memory)->refused > 0);
			refused++;
		}
		pair_close(&pair);
		assert_int_equal(tls_memory_counters(memory)->blocks_in_use, 0);
		assert_int_equal(tls_memory_counters(memory)->heap_extents, 0);
		tls_memory_close(memory);
	}
	assert_true(completed > 0 && refused > 0);
	tls_context_close(client_context);
	tls_context_close(server_context);
}

static void
tls_close__gives_every_block_back(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct tls_memory *memory = tls_memory_open(NULL, 2 << 20, 0);
	struct tls_context *client_context, *server_context;
	struct tls_memory_counters before;

	tls_memory_bind(memory);
	client_context = pair_context(&client);
	server_context = pair_context(&server);
	before = *tls_memory_counters(memory);
	/* Closed at every stage of the handshake. */
	for (int steps = 0; steps < 8; steps++) {
		struct pair pair = {.piece_bytes = 100};

		pair_open(&pair, client_context, server_context, "localhost", NULL);
		for (int i = 0; i < steps; i++)
			pair_step(&pair, i % 2 == 0 ? TLS_CLIENT : TLS_SERVER);
		pair_close(&pair);
		assert_int_equal(tls_memory_counters(memory)->blocks_in_use, before.blocks_in_use);
	}
	tls_context_close(client_context);
	tls_context_close(server_context);
	assert_int_equal(tls_memory_counters(memory)->blocks_in_use, 0);
	assert_int_equal(tls_memory_counters(memory)->heap_extents, 0);
	tls_memory_close(memory);
}

static void
tls_open__stays_within_the_memory_planned(void **state)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct tls_memory *memory;
	struct tls_context *client_context = pair_context(&client), *server_context;
	struct tls_start start = {
		.transport_parameters = (const uint8_t *)"12345678", .transport_parameters_length = 8};
	uint64_t context_bytes;
	struct pair pair = {0};

	memory = tls_memory_open(NULL, TLS_MEMORY_CONTEXT_BYTES + TLS_MEMORY_HANDSHAKE_BYTES, 0);
	tls_memory_bind(memory);
	server_context = pair_context(&server);
	context_bytes = tls_memory_counters(memory)->bytes_in_use;
	assert_true(context_bytes <= TLS_MEMORY_CONTEXT_BYTES);
	/* The client's memory is the heap's: bound only while the server works. */
	pair.sides[TLS_SERVER].session = tls_open(server_context, &start);
	assert_non_null(pair.sides[TLS_SERVER].session);
	tls_memory_bind(NULL);
	start.server_name = "localhost";
	pair.sides[TLS_CLIENT].session = tls_open(client_context, &start);
	for (int i = 0; i < 6; i++) {
		/* Handing octets over is the other side's work. */
		tls_memory_bind(i % 2 == 0 ? memory : NULL);
		pair_step(&pair, i % 2 == 0 ? TLS_CLIENT : TLS_SERVER);
	}
	assert_true(pair.sides[TLS_SERVER].complete);
	print_message("server: context %llu, handshake peak %llu octets\n", (unsigned long long)context_bytes,
		(unsigned long long)(tls_memory_counters(memory)->bytes_in_use_peak - context_bytes));
	pair_close(&pair);
	tls_context_close(server_context);
	tls_memory_close(memory);
	tls_context_close(client_context);
}

/* The longest ClientHello that is taken, in pieces, by padding (RFC 7685): a peer decides no more than that. */
static void
receive_the_longest_hello(uint32_t max_bytes)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct tls_start start = {
		.transport_parameters = (const uint8_t *)"12345678", .transport_parameters_length = 8};
	struct tls_context *client_context = pair_context(&client), *server_context;
	struct tls_memory *memory;
	static uint8_t hello[LONGEST_HELLO];
	struct tls_session *session;
	struct tls_event event;
	size_t extensions_at, length;
	uint64_t context_bytes;

	server.message_max_bytes = max_bytes;
	session = tls_open(client_context, &start);
	assert_true(tls_next_event(session, &event));
	memcpy(hello, event.octets, event.length);
	length = event.length;
	tls_close(session);
	extensions_at = 41 + hello[40] + 2; /* header, version, random, no session ID, suites, compression */
	hello[length + 1] = 21;
	base_put_uint(hello + length + 2, max_bytes - length - 4, 2);
	base_put_uint(hello + extensions_at, max_bytes - extensions_at - 2, 2);
	base_put_uint(hello + 1, max_bytes - 4, 3);

	memory = tls_memory_open(NULL, TLS_MEMORY_CONTEXT_BYTES + tls_memory_share(max_bytes), 0);
	tls_memory_bind(memory);
	server_context = pair_context(&server);
	context_bytes = tls_memory_counters(memory)->bytes_in_use;
	session = tls_open(server_context, &start);
	for (size_t at = 0; at < max_bytes; at += 1000)
		assert_int_equal(tls_receive(session, TLS_LEVEL_INITIAL, hello + at,
					 max_bytes - at < 1000 ? max_bytes - at : 1000),
			0);
	print_message("server: peak with the longest ClientHello %llu octets\n",
		(unsigned long long)(tls_memory_counters(memory)->bytes_in_use_peak - context_bytes));
	assert_true(tls_memory_counters(memory)->bytes_in_use_peak - context_bytes <=
		tls_memory_share(max_bytes));
	while (tls_next_event(session, &event))
		;
	tls_close(session);
	tls_context_close(server_context);
	assert_int_equal(tls_memory_counters(memory)->refused, 0);
	tls_memory_close(memory);
	tls_context_close(client_context);
}

static void
tls_receive__of_the_longest_hello_stays_within_the_memory_planned(void **state)
{
	receive_the_longest_hello(TLS_CLIENT_HELLO_BYTES_DEFAULT);
	receive_the_longest_hello(8192);
	receive_the_longest_hello(LONGEST_HELLO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_receive__completes_a_handshake),
		cmocka_unit_test(tls_receive__completes_with_each_suite),
		cmocka_unit_test(tls_receive__completes_with_each_group),
		cmocka_unit_test(tls_receive__completes_with_ed25519),
		cmocka_unit_test(tls_receive__survives_a_hello_retry_request),
		cmocka_unit_test(tls_receive__takes_octets_one_by_one),
		cmocka_unit_test(tls_receive__refuses_unknown_protocols),
		cmocka_unit_test(tls_receive__chooses_by_the_servers_order),
		cmocka_unit_test(tls_receive__refuses_when_nothing_is_common),
		cmocka_unit_test(tls_receive__verifies_the_certificate),
		cmocka_unit_test(tls_receive__verifies_the_name),
		cmocka_unit_test(tls_receive__refuses_key_updates),
		cmocka_unit_test(tls_receive__refuses_wrong_levels),
		cmocka_unit_test(tls_receive__bounds_what_it_buffers),
		cmocka_unit_test(tls_receive__survives_garbage),
		cmocka_unit_test(tls_open__refuses_what_memory_cannot_hold),
		cmocka_unit_test(tls_close__gives_every_block_back),
		cmocka_unit_test(tls_open__stays_within_the_memory_planned),
		cmocka_unit_test(tls_receive__of_the_longest_hello_stays_within_the_memory_planned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
