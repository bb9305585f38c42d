/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/writer.h"
#include "tls/alert.h"
#include "tls/client_hello.h"
#include "tls/tls.h"

enum { HELLO_ROOM = 1024 };

/* A ClientHello under construction: the good one, with what each test replaces. */
struct recipe {
	const char *session_id;
	size_t session_id_length;
	size_t suites_length; /* octets */
	const char *compression;
	size_t compression_length;
	const char *extensions[12]; /* type, length and body, as octets */
	size_t extension_lengths[12];
	size_t extension_count;
};

#define OCTETS(text) text, sizeof(text) - 1

static void
add(struct recipe *recipe, const char *octets, size_t length)
{
	recipe->extensions[recipe->extension_count] = octets;
	recipe->extension_lengths[recipe->extension_count++] = length;
}

static struct recipe
good(void)
{
	struct recipe recipe = {.suites_length = 6, .compression = "\0", .compression_length = 1};

	add(&recipe, OCTETS("\0\x00\0\x10\0\x0e\0\0\x0bLocalhost.x"));          /* server_name */
	add(&recipe, OCTETS("\0\x10\0\x10\0\x0e\x02h3\x0ahq-interop"));         /* ALPN */
	add(&recipe, OCTETS("\0\x2b\0\x03\x02\x03\x04"));                       /* supported_versions */
	add(&recipe, OCTETS("\0\x33\0\x0e\0\x0c\0\x1d\0\x02zz\0\x17\0\x02yy")); /* key_share */
	add(&recipe, OCTETS("\0\x39\0\x04\x01\x02\x67\x10")); /* quic_transport_parameters */
	return recipe;
}

enum { NAME, ALPN, VERSIONS, SHARES, PARAMETERS };

static void
put(struct recipe *recipe, size_t index, const char *octets, size_t length)
{
	recipe->extensions[index] = octets;
	recipe->extension_lengths[index] = length;
}

static void
omit(struct recipe *recipe, size_t index)
{
	recipe->extension_lengths[index] = 0;
}

static size_t
cook(const struct recipe *recipe, uint8_t *out)
{
	struct base_writer writer = base_writer(out, HELLO_ROOM);
	uint8_t *length_at;

	base_writer_u8(&writer, 1);
	base_writer_uint(&writer, 0, 3);
	base_writer_u16(&writer, 0x0303);
	base_writer_fill(&writer, 0xaa, 32);
	base_writer_u8(&writer, (uint8_t)recipe->session_id_length);
	base_writer_octets(&writer, recipe->session_id, recipe->session_id_length);
	base_writer_u16(&writer, (uint16_t)recipe->suites_length);
	base_writer_fill(&writer, 0x13, recipe->suites_length);
	base_writer_u8(&writer, (uint8_t)recipe->compression_length);
	base_writer_octets(&writer, recipe->compression, recipe->compression_length);
	length_at = base_writer_reserve(&writer, 2);
	for (size_t i = 0; i < recipe->extension_count; i++)
		base_writer_octets(&writer, recipe->extensions[i], recipe->extension_lengths[i]);
	assert_true(base_writer_ok(&writer));
	base_put_uint(length_at, (uint64_t)(writer.at - length_at - 2), 2);
	base_put_uint(out + 1, base_writer_length(&writer) - 4, 3);
	return base_writer_length(&writer);
}

/* On a heap copy of the exact size, so that a read too far is seen. */
static uint64_t
check_octets(const uint8_t *octets, size_t length, struct tls_client_hello *hello)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);
	uint64_t error;

	memcpy(copy, octets, length);
	error = tls_client_hello_check(copy, length, hello);
	free(copy);
	return error;
}

static uint64_t
check(const struct recipe *recipe)
{
	uint8_t octets[HELLO_ROOM];
	struct tls_client_hello hello;

	return check_octets(octets, cook(recipe, octets), &hello);
}

static void
tls_client_hello_check__reads_a_good_one(void **state)
{
	struct recipe recipe = good();
	uint8_t octets[HELLO_ROOM];
	size_t length = cook(&recipe, octets);
	struct tls_client_hello hello;

	assert_int_equal(tls_client_hello_check(octets, length, &hello), 0);
	assert_string_equal(hello.server_name, "localhost.x");
	assert_int_equal(hello.alpn_length, 14);
	assert_memory_equal(hello.alpn, "\x02h3", 3);
	assert_int_equal(hello.transport_parameters_length, 4);
	assert_memory_equal(hello.transport_parameters, "\x01\x02\x67\x10", 4);
}

/* RFC 9001 8.4: "A server SHOULD treat the receipt of a TLS ClientHello with a non-empty legacy_session_id field as a
 * connection error of type PROTOCOL_VIOLATION." */
static void
tls_client_hello_check__refuses_session_ids(void **state)
{
	struct recipe recipe = good();

	recipe.session_id = "0123456789abcdef0123456789abcdef";
	recipe.session_id_length = 32;
	assert_int_equal(check(&recipe), TLS_ERROR_PROTOCOL_VIOLATION);
}

/* RFC 9001 8.1 and 8.2. */
static void
tls_client_hello_check__wants_alpn_and_parameters(void **state)
{
	struct recipe recipe = good();

	omit(&recipe, ALPN);
	assert_int_equal(check(&recipe), 0x0178);
	recipe = good();
	omit(&recipe, PARAMETERS);
	assert_int_equal(check(&recipe), 0x016d);
	/* The number of the drafts is none of ours. */
	put(&recipe, PARAMETERS, OCTETS("\xff\xa5\0\x04\x01\x02\x67\x10"));
	assert_int_equal(check(&recipe), 0x016d);
	put(&recipe, PARAMETERS, OCTETS("\0\x39\0\0"));
	assert_int_equal(check(&recipe), 0);
}

/* RFC 9001 4.2: "Clients MUST NOT offer TLS versions older than 1.3"; an endpoint ends the connection otherwise. */
static void
tls_client_hello_check__wants_tls_1_3(void **state)
{
	struct recipe recipe = good();

	put(&recipe, VERSIONS, OCTETS("\0\x2b\0\x03\x02\x03\x03"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_PROTOCOL_VERSION));
	omit(&recipe, VERSIONS);
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_PROTOCOL_VERSION));
	put(&recipe, VERSIONS, OCTETS("\0\x2b\0\x02\x01\x03"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR));
	put(&recipe, VERSIONS, OCTETS("\0\x2b\0\x07\x06\x1a\x1a\x03\x04\x03\x03"));
	assert_int_equal(check(&recipe), 0);
}

/* The shape of CVE-2026-3547: the list, or a name in it, says that it is longer than it is. */
static void
tls_client_hello_check__refuses_broken_alpn_lists(void **state)
{
	static const struct {
		const char *octets;
		size_t length;
	} broken[] = {{OCTETS("\0\x10\0\x05\0\x04\x02h3")}, {OCTETS("\0\x10\0\x05\0\x03\x03h3")},
		{OCTETS("\0\x10\0\x05\xff\xff\x02h3")}, {OCTETS("\0\x10\0\x05\0\x02\x02h3")},
		{OCTETS("\0\x10\0\x02\0\0")}, {OCTETS("\0\x10\0\0")}, {OCTETS("\0\x10\0\x01\0")},
		{OCTETS("\0\x10\0\x03\0\x01\0")}, {OCTETS("\0\x10\0\x06\0\x04\x02h3\0")},
		{OCTETS("\0\x10\0\x07\0\x05\x02h3\xffx")}};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct recipe recipe = good();

		put(&recipe, ALPN, broken[i].octets, broken[i].length);
		assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR));
	}
}

/* The shape of CVE-2025-11936. */
static void
tls_client_hello_check__refuses_duplicate_key_shares(void **state)
{
	struct recipe recipe = good();

	put(&recipe, SHARES, OCTETS("\0\x33\0\x0e\0\x0c\0\x1d\0\x02zz\0\x1d\0\x02yy"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER));
	put(&recipe, SHARES, OCTETS("\0\x33\0\x0e\0\x0c\0\x1d\0\x02zz\0\x17\0\x03yy"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR));
	put(&recipe, SHARES, OCTETS("\0\x33\0\x06\0\x04\0\x1d\0\0"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR));
	/* None at all asks for a HelloRetryRequest (RFC 8446 4.2.8). */
	put(&recipe, SHARES, OCTETS("\0\x33\0\x02\0\0"));
	assert_int_equal(check(&recipe), 0);
}

/* RFC 8446 4.2: "There MUST NOT be more than one extension of the same type in a given extension block." */
static void
tls_client_hello_check__refuses_duplicate_extensions(void **state)
{
	struct recipe recipe = good();

	add(&recipe, OCTETS("\xab\xcd\0\0"));
	assert_int_equal(check(&recipe), 0);
	add(&recipe, OCTETS("\xab\xcd\0\0"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER));
}

/* RFC 8446 4.2.11: "Servers MUST check that it is the last extension and otherwise fail the handshake with an
 * "illegal_parameter" alert." */
static void
tls_client_hello_check__wants_pre_shared_keys_last(void **state)
{
	struct recipe recipe = good();

	add(&recipe, OCTETS("\0\x29\0\0"));
	assert_int_equal(check(&recipe), 0);
	add(&recipe, OCTETS("\xab\xcd\0\0"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER));
}

static void
tls_client_hello_check__refuses_odd_names(void **state)
{
	struct recipe recipe = good();

	put(&recipe, NAME,
		OCTETS("\0\0\0\x08\0\x06\0\0\x03"
		       "a\0b"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER));
	put(&recipe, NAME, OCTETS("\0\0\0\x08\0\x06\0\0\x03../"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER));
	put(&recipe, NAME, OCTETS("\0\0\0\x0a\0\x08\0\0\x01x\0\0\x01y"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER));
	put(&recipe, NAME, OCTETS("\0\0\0\x05\0\x03\0\0\0"));
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR));
	omit(&recipe, NAME);
	assert_int_equal(check(&recipe), 0);
}

static void
tls_client_hello_check__refuses_compression(void **state)
{
	struct recipe recipe = good();

	recipe.compression = "\x01";
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER));
	recipe.compression = "\x01\0";
	recipe.compression_length = 2;
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER));
}

static void
tls_client_hello_check__refuses_odd_suites(void **state)
{
	struct recipe recipe = good();

	recipe.suites_length = 5;
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR));
	recipe.suites_length = 0;
	assert_int_equal(check(&recipe), TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR));
}

static void
tls_client_hello_check__refuses_every_truncation(void **state)
{
	struct recipe recipe = good();
	uint8_t octets[HELLO_ROOM];
	size_t length = cook(&recipe, octets);
	struct tls_client_hello hello;

	for (size_t i = 0; i < length; i++)
		assert_int_not_equal(check_octets(octets, i, &hello), 0);
	octets[length] = 0;
	assert_int_equal(check_octets(octets, length + 1, &hello), TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_client_hello_check__reads_a_good_one),
		cmocka_unit_test(tls_client_hello_check__refuses_session_ids),
		cmocka_unit_test(tls_client_hello_check__wants_alpn_and_parameters),
		cmocka_unit_test(tls_client_hello_check__wants_tls_1_3),
		cmocka_unit_test(tls_client_hello_check__refuses_broken_alpn_lists),
		cmocka_unit_test(tls_client_hello_check__refuses_duplicate_key_shares),
		cmocka_unit_test(tls_client_hello_check__refuses_duplicate_extensions),
		cmocka_unit_test(tls_client_hello_check__wants_pre_shared_keys_last),
		cmocka_unit_test(tls_client_hello_check__refuses_odd_names),
		cmocka_unit_test(tls_client_hello_check__refuses_compression),
		cmocka_unit_test(tls_client_hello_check__refuses_odd_suites),
		cmocka_unit_test(tls_client_hello_check__refuses_every_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
