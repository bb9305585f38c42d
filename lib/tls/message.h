/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Handshake messages (RFC 8446 section 4) out of a stream of CRYPTO octets, and which of them QUIC allows at
 * which encryption level (RFC 9001 sections 4.4, 6 and 8.3). The TLS library gets whole messages only.
 */
#ifndef TLS_MESSAGE_H
#define TLS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "tls/tls.h"

struct tls_assembler {
	uint8_t header[4];
	uint8_t *octets; /* of the message so far, header included; from tls_allocate() */
	uint32_t have;
	uint32_t room;
	uint32_t max_bytes;
};

/* One whole message, in place in the input or in the assembler, valid until the next call. */
struct tls_message {
	const uint8_t *octets;
	size_t length;
	uint8_t type;
};

enum tls_assembly { TLS_ASSEMBLY_MESSAGE, TLS_ASSEMBLY_MORE, TLS_ASSEMBLY_TOO_LONG, TLS_ASSEMBLY_NO_MEMORY };

void tls_assembler_init(struct tls_assembler *assembler, uint32_t max_bytes);
void tls_assembler_fini(struct tls_assembler *assembler);
/* Takes octets off the front of the input until a message is whole or there are no more. */
enum tls_assembly tls_assembler_next(
	struct tls_assembler *assembler, const uint8_t **octets, size_t *length, struct tls_message *message);
/* Octets of a message that is not whole yet. */
uint32_t tls_assembler_pending(const struct tls_assembler *assembler);

enum tls_message_type {
	TLS_MESSAGE_CLIENT_HELLO = 1,
	TLS_MESSAGE_SERVER_HELLO = 2,
	TLS_MESSAGE_NEW_SESSION_TICKET = 4,
	TLS_MESSAGE_ENCRYPTED_EXTENSIONS = 8,
	TLS_MESSAGE_CERTIFICATE = 11,
	TLS_MESSAGE_CERTIFICATE_REQUEST = 13,
	TLS_MESSAGE_CERTIFICATE_VERIFY = 15,
	TLS_MESSAGE_FINISHED = 20
};

/* 0, or the error for a message of `type` that arrives at `role`. */
uint64_t tls_message_allowed(enum tls_role role, enum tls_level level, uint8_t type);

#endif
