/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ClientHello, first through our own check, then CRYPTO octets of the Initial level into a server's session, in
 * pieces whose size is the first octet. What the check lets through, the library must survive.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "tests/tls/pair.h"
#include "tls/client_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HELLO_MAX = 8192 };

static void
check(const uint8_t *octets, size_t length)
{
	struct tls_client_hello hello;
	uint8_t *copy = malloc(length > 0 ? length : 1);

	memcpy(copy, octets, length);
	if (tls_client_hello_check(copy, length, &hello) == 0) {
		base_assert(
			hello.alpn_length > 0 && strlen(hello.server_name) <= TLS_CLIENT_HELLO_NAME_BYTES);
		base_assert(hello.alpn > copy && hello.alpn + hello.alpn_length <= copy + length);
	}
	free(copy);
}

static void
receive(struct tls_context *context, const uint8_t *octets, size_t length, size_t piece)
{
	static const uint8_t parameters[] = {1, 1, 0};
	struct tls_start start = {
		.transport_parameters = parameters, .transport_parameters_length = sizeof(parameters)};
	struct tls_session *session = tls_open(context, &start);
	struct tls_event event;
	uint64_t error = 0;

	for (size_t at = 0; at < length && error == 0; at += piece)
		error = tls_receive(
			session, TLS_LEVEL_INITIAL, octets + at, length - at < piece ? length - at : piece);
	base_assert(error == 0 || error == TLS_ERROR_PROTOCOL_VIOLATION ||
		error == TLS_ERROR_CRYPTO_BUFFER_EXCEEDED || (error >= 0x100 && error < 0x200));
	while (tls_next_event(session, &event))
		base_assert(event.type < TLS_EVENT_COUNT && event.type != TLS_EVENT_COMPLETE);
	tls_close(session);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tls_context *context;
	struct tls_settings settings = pair_server_settings();

	if (size < 1 || size > HELLO_MAX)
		return 0;
	if (context == NULL)
		context = pair_context(&settings);
	check(data + 1, size - 1);
	receive(context, data + 1, size - 1, data[0] > 0 ? data[0] : HELLO_MAX);
	return 0;
}
