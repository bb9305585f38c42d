/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "certificates.h"
#include "pair.h"

static struct tls_pem
pem(const char *text)
{
	return (struct tls_pem){.file = "some.pem", .octets = (const uint8_t *)text, .length = strlen(text)};
}

/* The settings are refused, and the sentence says both what and how to mend it. */
static void
assert_refused(const struct tls_settings *settings, const char *what, const char *mend)
{
	char sentence[TLS_SENTENCE_BYTES] = "";

	assert_null(tls_context_open(settings, (uint64_t)time(NULL), sentence));
	if (strstr(sentence, what) == NULL || strstr(sentence, mend) == NULL)
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", sentence, what, mend);
}

static void
tls_context_open__names_a_missing_file(void **state)
{
	struct tls_settings settings = pair_server_settings();

	settings.certificate = (struct tls_pem){.file = "/nonexistent/chain.pem"};
	assert_refused(&settings, "certificate /nonexistent/chain.pem cannot be read: No such file",
		"name a PEM file");
	settings = pair_server_settings();
	settings.key = (struct tls_pem){.file = "/nonexistent/key.pem"};
	assert_refused(&settings, "private key /nonexistent/key.pem cannot be read", "name a PEM file");
	settings.key = (struct tls_pem){0};
	assert_refused(&settings, "no private key is given", "name a PEM file");
}

static void
tls_context_open__refuses_broken_pem(void **state)
{
	struct tls_settings settings = pair_server_settings();
	char broken[sizeof(certificate_ecdsa)];

	settings.certificate = pem("hello");
	assert_refused(&settings, "no PEM certificate", "leaf first");
	settings.certificate = pem(key_ecdsa);
	assert_refused(&settings, "no PEM certificate", "leaf first");
	memcpy(broken, certificate_ecdsa, sizeof(broken));
	memset(broken + 60, 'A', 300);
	settings.certificate = pem(broken);
	assert_refused(&settings, "certificate some.pem is broken", "make it again");
	settings = pair_server_settings();
	settings.key = pem(certificate_ecdsa);
	assert_refused(&settings, "no PEM private key", "name the leaf's key");
	settings.key = pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	assert_refused(&settings, "private key some.pem is broken", "make it again");
}

static void
tls_context_open__refuses_an_encrypted_key(void **state)
{
	struct tls_settings settings = pair_server_settings();

	settings.key = pem(key_encrypted);
	assert_refused(&settings, "is encrypted", "openssl pkey -in some.pem");
}

static void
tls_context_open__refuses_another_certificates_key(void **state)
{
	struct tls_settings settings = pair_server_settings();

	settings.certificate = pem(certificate_ed25519);
	assert_refused(&settings, "does not belong to the certificate some.pem", "name the key");
	settings = pair_server_settings();
	settings.key = pem(key_ed25519);
	assert_refused(&settings, "does not belong to the certificate", "name the key");
}

static void
tls_context_open__refuses_wrong_dates(void **state)
{
	struct tls_settings settings = pair_server_settings();
	char sentence[TLS_SENTENCE_BYTES];

	settings.certificate = pem(certificate_expired);
	assert_refused(&settings, "has expired", "renew it");
	settings = pair_server_settings();
	assert_null(tls_context_open(&settings, 1000000000, sentence)); /* 2001 */
	assert_non_null(strstr(sentence, "not valid yet"));
}

static void
tls_context_open__reads_files(void **state)
{
	struct tls_settings settings = pair_server_settings();
	char path[] = "/tmp/test_certificate_XXXXXX";
	int file = mkstemp(path);
	struct tls_context *context;
	char sentence[TLS_SENTENCE_BYTES] = "";

	assert_true(file >= 0);
	assert_int_equal(
		write(file, certificate_ecdsa, strlen(certificate_ecdsa)), strlen(certificate_ecdsa));
	assert_int_equal(write(file, key_ecdsa, strlen(key_ecdsa)), strlen(key_ecdsa));
	close(file);
	settings.certificate = (struct tls_pem){.file = path};
	settings.key = (struct tls_pem){.file = path};
	context = tls_context_open(&settings, (uint64_t)time(NULL), sentence);
	unlink(path);
	assert_string_equal(sentence, "");
	assert_non_null(context);
	tls_context_close(context);
}

static void
tls_context_open__refuses_wrong_settings(void **state)
{
	struct tls_settings settings = pair_server_settings();

	settings.alpn_count = 0;
	assert_refused(&settings, "ALPN", "one at least");
	settings = pair_server_settings();
	settings.alpn[0] = "a,b";
	assert_refused(&settings, "ALPN \"a,b\"", "mend the name");
	settings = pair_server_settings();
	settings.suites[0] = 0x1304;
	settings.suite_count = 1;
	assert_refused(&settings, "cipher suite 0x1304", "AES-128-GCM");
	settings = pair_server_settings();
	settings.groups[0] = 0x1234;
	settings.group_count = 1;
	assert_refused(&settings, "group 0x1234", "leave it out");
	settings = pair_server_settings();
	settings.ticket_lifetime_s = 8 * 86400;
	assert_refused(&settings, "ticket lifetime", "604800 s");
	settings = pair_client_settings();
	settings.ca = pem("nothing");
	assert_refused(&settings, "CA certificate some.pem", "name a PEM file");
}

/* Whatever was refused has left nothing behind. */
static void
tls_context_open__gives_every_block_back(void **state)
{
	struct tls_memory *memory = tls_memory_open(NULL, 4 << 20, 0);
	struct tls_settings settings;

	tls_memory_bind(memory);
	tls_context_open__refuses_broken_pem(state);
	tls_context_open__refuses_another_certificates_key(state);
	tls_context_open__refuses_wrong_dates(state);
	assert_int_equal(tls_memory_counters(memory)->blocks_in_use, 0);
	settings = pair_client_settings();
	settings.ca = (struct tls_pem){0};
	tls_context_close(pair_context(&settings));
	print_message("client context with the system's CAs: %llu octets at most\n",
		(unsigned long long)tls_memory_counters(memory)->bytes_in_use_peak);
	assert_true(tls_memory_counters(memory)->bytes_in_use_peak <= TLS_MEMORY_CLIENT_CONTEXT_BYTES);
	assert_int_equal(tls_memory_counters(memory)->blocks_in_use, 0);
	tls_memory_close(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_context_open__names_a_missing_file),
		cmocka_unit_test(tls_context_open__refuses_broken_pem),
		cmocka_unit_test(tls_context_open__refuses_an_encrypted_key),
		cmocka_unit_test(tls_context_open__refuses_another_certificates_key),
		cmocka_unit_test(tls_context_open__refuses_wrong_dates),
		cmocka_unit_test(tls_context_open__reads_files),
		cmocka_unit_test(tls_context_open__refuses_wrong_settings),
		cmocka_unit_test(tls_context_open__gives_every_block_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
