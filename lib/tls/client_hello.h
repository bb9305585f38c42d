/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A first look at a ClientHello (RFC 8446 section 4.1.2) before the TLS library sees it: what RFC 9001 asks of a
 * server, and two shapes that some releases of wolfSSL do not survive: an ALPN list that says it is longer than
 * it is (CVE-2026-3547) and two key shares of one group (CVE-2025-11936).
 */
#ifndef TLS_CLIENT_HELLO_H
#define TLS_CLIENT_HELLO_H

#include <stddef.h>
#include <stdint.h>

enum { TLS_CLIENT_HELLO_NAME_BYTES = 255 };

/* What it says; pointers into the message. Valid only when the check returned 0. */
struct tls_client_hello {
	const uint8_t *
		alpn; /* ProtocolNameList without its length, well-formed, not empty (RFC 7301 section 3.1) */
	size_t alpn_length;
	const uint8_t *transport_parameters; /* RFC 9001 section 8.2 */
	size_t transport_parameters_length;
	char server_name[TLS_CLIENT_HELLO_NAME_BYTES + 1]; /* lower case, "" when there is none */
};

/*
 * `message` is one whole handshake message with its header of 4 octets. Returns 0 or the error to close the
 * connection with: PROTOCOL_VIOLATION for a session ID (RFC 9001 section 8.4), else 0x0100 + the alert.
 */
uint64_t tls_client_hello_check(const uint8_t *message, size_t length, struct tls_client_hello *hello);

#endif
