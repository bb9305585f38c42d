/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tls/message.h"

static void
tls_assembler_next__cuts_messages_anywhere(void **state)
{
	static const uint8_t stream[] = {20, 0, 0, 3, 'a', 'b', 'c', 4, 0, 0, 0, 8, 0, 0, 1, 'z'};

	for (size_t piece = 1; piece <= sizeof(stream); piece++) {
		struct tls_assembler assembler;
		struct tls_message message;
		uint8_t types[8];
		size_t lengths[8], count = 0;

		tls_assembler_init(&assembler, 1000);
		for (size_t at = 0; at < sizeof(stream); at += piece) {
			const uint8_t *octets = stream + at;
			size_t length = sizeof(stream) - at < piece ? sizeof(stream) - at : piece;

			while (length > 0 &&
				tls_assembler_next(&assembler, &octets, &length, &message) ==
					TLS_ASSEMBLY_MESSAGE) {
				types[count] = message.type;
				lengths[count++] = message.length;
				assert_int_equal(message.octets[0], message.type);
				assert_int_equal(tls_assembler_pending(&assembler), 0);
			}
		}
		assert_int_equal(count, 3);
		assert_memory_equal(types, "\x14\x04\x08", 3);
		assert_true(lengths[0] == 7 && lengths[1] == 4 && lengths[2] == 5);
		tls_assembler_fini(&assembler);
	}
}

static void
tls_assembler_next__counts_what_is_pending(void **state)
{
	static const uint8_t half[] = {20, 0, 0, 3, 'a'};
	const uint8_t *octets = half;
	size_t length = sizeof(half);
	struct tls_assembler assembler;
	struct tls_message message;

	tls_assembler_init(&assembler, 1000);
	assert_int_equal(tls_assembler_next(&assembler, &octets, &length, &message), TLS_ASSEMBLY_MORE);
	assert_int_equal(tls_assembler_pending(&assembler), 5);
	tls_assembler_fini(&assembler);
}

static void
tls_assembler_next__refuses_long_messages(void **state)
{
	static const uint8_t header[] = {20, 0, 3, 229}; /* 1001 with the header */
	const uint8_t *octets = header;
	size_t length = sizeof(header);
	struct tls_assembler assembler;
	struct tls_message message;

	tls_assembler_init(&assembler, 1000);
	assert_int_equal(tls_assembler_next(&assembler, &octets, &length, &message), TLS_ASSEMBLY_TOO_LONG);
	tls_assembler_fini(&assembler);
}

/* What a header promises costs nothing until it comes. */
static void
tls_assembler_next__takes_memory_as_octets_come(void **state)
{
	static const uint8_t header[] = {11, 0, 0xff, 0xff, 1};
	struct tls_memory *memory = tls_memory_open(NULL, 16384, 0);
	const uint8_t *octets = header;
	size_t length = sizeof(header);
	struct tls_assembler assembler;
	struct tls_message message;

	tls_memory_bind(memory);
	tls_assembler_init(&assembler, 70000);
	assert_int_equal(tls_assembler_next(&assembler, &octets, &length, &message), TLS_ASSEMBLY_MORE);
	assert_true(tls_memory_counters(memory)->bytes_in_use <= 2048);
	tls_assembler_fini(&assembler);
	tls_memory_close(memory);
}

/* RFC 9001 4.4, 6 and 8.3; RFC 8446 4. */
static void
tls_message_allowed__knows_level_and_role(void **state)
{
	for (unsigned int type = 0; type < 256; type++) {
		uint64_t initial_server = tls_message_allowed(TLS_SERVER, TLS_LEVEL_INITIAL, (uint8_t)type);
		uint64_t application_client =
			tls_message_allowed(TLS_CLIENT, TLS_LEVEL_APPLICATION, (uint8_t)type);

		assert_int_equal(initial_server, type == 1 ? 0 : 0x10a);
		assert_int_equal(
			tls_message_allowed(TLS_SERVER, TLS_LEVEL_APPLICATION, (uint8_t)type), 0x10a);
		assert_int_equal(application_client,
			type == TLS_MESSAGE_NEW_SESSION_TICKET            ? 0
				: type == TLS_MESSAGE_CERTIFICATE_REQUEST ? TLS_ERROR_PROTOCOL_VIOLATION
									  : 0x10a);
		assert_int_equal(tls_message_allowed(TLS_CLIENT, TLS_LEVEL_EARLY_DATA, (uint8_t)type), 0x10a);
	}
	assert_int_equal(tls_message_allowed(TLS_SERVER, TLS_LEVEL_HANDSHAKE, TLS_MESSAGE_FINISHED), 0);
	assert_int_equal(tls_message_allowed(TLS_SERVER, TLS_LEVEL_HANDSHAKE, 5), 0x10a);
	assert_int_equal(
		tls_message_allowed(TLS_CLIENT, TLS_LEVEL_HANDSHAKE, TLS_MESSAGE_ENCRYPTED_EXTENSIONS), 0);
	assert_int_equal(
		tls_message_allowed(TLS_CLIENT, TLS_LEVEL_HANDSHAKE, TLS_MESSAGE_SERVER_HELLO), 0x10a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_assembler_next__cuts_messages_anywhere),
		cmocka_unit_test(tls_assembler_next__counts_what_is_pending),
		cmocka_unit_test(tls_assembler_next__refuses_long_messages),
		cmocka_unit_test(tls_assembler_next__takes_memory_as_octets_come),
		cmocka_unit_test(tls_message_allowed__knows_level_and_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
