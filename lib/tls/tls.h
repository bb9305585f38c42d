/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS 1.3 for QUIC (RFC 9001), behind one door: only lib/tls knows wolfSSL. CRYPTO octets go in per encryption
 * level, and what comes out is pulled: CRYPTO octets, secrets, the peer's transport parameters, ALPN, tickets.
 *
 * A shard binds one struct tls_memory, opens one struct tls_context per role and as many sessions as it has
 * handshakes; nothing of these is ever used by two threads at a time. 0-RTT is off. Once a server's session has
 * given TLS_EVENT_COMPLETE it may be closed: all its CRYPTO octets, the ticket included, came out before.
 *
 * Errors of the peer are the codes of RFC 9001 section 4.8 (0x0100 + alert) or RFC 9000 section 20.1; 0 is none.
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/memory.h"

struct tls_context;
struct tls_session;

enum tls_role { TLS_CLIENT, TLS_SERVER };

/* Encryption levels, RFC 9001 section 2.1, in the order in which they follow each other. */
enum tls_level {
	TLS_LEVEL_INITIAL,
	TLS_LEVEL_EARLY_DATA,
	TLS_LEVEL_HANDSHAKE,
	TLS_LEVEL_APPLICATION,
	TLS_LEVEL_COUNT
};

enum tls_direction { TLS_RECEIVE, TLS_SEND };

/* RFC 8446 appendix B.4. */
enum tls_cipher_suite {
	TLS_AES_128_GCM_SHA256 = 0x1301,
	TLS_AES_256_GCM_SHA384 = 0x1302,
	TLS_CHACHA20_POLY1305_SHA256 = 0x1303
};

/* RFC 8446 section 4.2.7 and draft-ietf-tls-ecdhe-mlkem. */
enum tls_group {
	TLS_GROUP_SECP256R1 = 0x0017,
	TLS_GROUP_SECP384R1 = 0x0018,
	TLS_GROUP_X25519 = 0x001d,
	TLS_GROUP_X25519MLKEM768 = 0x11ec
};

enum {
	TLS_ALPN_MAX = 16,   /* protocols offered or accepted */
	TLS_ALPN_BYTES = 32, /* longest of them */
	TLS_SUITES_MAX = 3,
	TLS_GROUPS_MAX = 4,
	TLS_SECRET_BYTES = 48,
	TLS_SERVER_NAME_BYTES = 255,
	TLS_TRANSPORT_PARAMETERS_BYTES = 2048,
	TLS_TICKET_KEYS_MAX = 4,
	TLS_SENTENCE_BYTES = 512,             /* room for a sentence about a wrong setting */
	TLS_MESSAGE_BYTES_DEFAULT = 65536,    /* of a client: a chain of certificates may come */
	TLS_CLIENT_HELLO_BYTES_DEFAULT = 5120 /* of a server: two and a half times what browsers send */
};

/* Error codes that others compare with: RFC 9000 section 20.1, and 0x0100 + alert of RFC 8446 section 6. */
#define TLS_ERROR_INTERNAL UINT64_C(0x01)
#define TLS_ERROR_PROTOCOL_VIOLATION UINT64_C(0x0a)
#define TLS_ERROR_CRYPTO_BUFFER_EXCEEDED UINT64_C(0x0d)
#define TLS_ERROR_ALERT(alert) (UINT64_C(0x0100) + (uint64_t)(alert))

/*
 * Keys that seal session tickets, the same on every gateway of a site. The first seals, all open: a rotation puts
 * a new one in front. `id` is public and tells them apart.
 */
struct tls_ticket_keys {
	uint32_t count; /* 0: no tickets */
	struct {
		uint8_t id[16];
		uint8_t key[32];
	} keys[TLS_TICKET_KEYS_MAX];
};

enum tls_verify { TLS_VERIFY_CA, TLS_VERIFY_PINNED, TLS_VERIFY_OFF };

/* A PEM from memory when `octets` is set, else from `file`. Borrowed during tls_context_open() only. */
struct tls_pem {
	const char *file;
	const uint8_t *octets;
	size_t length;
};

/* What a context is made of; zero is a sensible value of all but role, ALPN and the server's certificate. */
struct tls_settings {
	enum tls_role role;
	struct tls_pem certificate; /* chain, leaf first; server */
	struct tls_pem key;         /* of the leaf, not encrypted; server */
	const char *
		alpn[TLS_ALPN_MAX]; /* best first; a server decides by its own order (RFC 7301 section 3.2) */
	uint32_t alpn_count;
	uint16_t suites
		[TLS_SUITES_MAX]; /* enum tls_cipher_suite, best first; none: AES-128, AES-256, ChaCha20 */
	uint32_t suite_count;
	uint16_t groups[TLS_GROUPS_MAX]; /* enum tls_group, best first; none: all that this wolfSSL has */
	uint32_t group_count;
	struct tls_ticket_keys ticket_keys; /* server */
	uint32_t ticket_lifetime_s;         /* 0: 24 hours; at most 7 days (RFC 8446 section 4.6.1) */
	enum tls_verify verify;             /* client */
	struct tls_pem ca;                  /* TLS_VERIFY_CA: none is the system's certificates */
	uint8_t pin_sha256[32];             /* TLS_VERIFY_PINNED: SHA-256 of the leaf's DER */
	uint32_t message_max_bytes;         /* longest handshake message; 0: the default of the role */
};

/*
 * NULL when the settings are wrong, with a sentence for the operator (what, where, the mend) in `sentence`.
 * `unix_s` is the wall clock; it goes into tickets and says whether they and the certificate are too old.
 */
struct tls_context *tls_context_open(
	const struct tls_settings *settings, uint64_t unix_s, char sentence[TLS_SENTENCE_BYTES]);
/* All sessions of the context are closed before. */
void tls_context_close(struct tls_context *context);
/* The wall clock, told about once a second. */
void tls_context_set_time(struct tls_context *context, uint64_t unix_s);
void tls_context_set_ticket_keys(struct tls_context *context, const struct tls_ticket_keys *keys);

/* Name and version of the library behind the door, for `millrace version`. */
const char *tls_library_version(void);
bool tls_has_group(uint16_t group);

/* What a session starts from; borrowed during tls_open() only. */
struct tls_start {
	const uint8_t *transport_parameters; /* ours, RFC 9001 section 8.2 */
	size_t transport_parameters_length;
	const char *
		server_name; /* client: SNI and the name to verify; NULL: none. An address is not sent, and refused
				  * under TLS_VERIFY_CA where wolfSSL was built without address checks. */
	const uint8_t *ticket; /* client: as TLS_EVENT_TICKET gave it; NULL: full handshake */
	size_t ticket_length;
};

/* NULL when memory is short. A client's ClientHello is an event at once. */
struct tls_session *tls_open(struct tls_context *context, const struct tls_start *start);
/* Wipes and frees all of the session, whatever its state. */
void tls_close(struct tls_session *session);

/*
 * The next CRYPTO octets of a level, in order and without gaps. Returns 0 or the error to close with; after an
 * error the session takes nothing more. Octets of a message that is not whole yet are buffered, up to the limit.
 */
uint64_t tls_receive(struct tls_session *session, enum tls_level level, const uint8_t *octets, size_t length);

enum tls_event_type {
	TLS_EVENT_CRYPTO, /* send `octets` at `level` */
	TLS_EVENT_SECRET, /* traffic secret in `octets` for `level` and `direction`, `cipher_suite` */
	TLS_EVENT_TRANSPORT_PARAMETERS, /* the peer's, not authenticated before TLS_EVENT_COMPLETE */
	TLS_EVENT_ALPN,                 /* protocol chosen, in `octets` */
	TLS_EVENT_COMPLETE,             /* handshake complete, RFC 9001 section 4.1.1; `resumed` */
	TLS_EVENT_TICKET,               /* client: blob for a later tls_start in `octets` */
	TLS_EVENT_ERROR,                /* last of all: `error`, the same that tls_receive() returned */
	TLS_EVENT_COUNT
};

struct tls_event {
	enum tls_event_type type;
	enum tls_level level;
	enum tls_direction direction;
	uint16_t cipher_suite;
	bool resumed;
	uint64_t error;
	const uint8_t *octets; /* valid until the next call for this session */
	size_t length;
};

/* False when there is none. Secrets for receiving come before the octets of the peer that need them. */
bool tls_next_event(struct tls_session *session, struct tls_event *event);

/* Server: the name of the ClientHello's SNI (RFC 6066 section 3) as lower case text, or "". */
const char *tls_server_name(const struct tls_session *session);
/* True from TLS_EVENT_COMPLETE's being queued on. */
bool tls_complete(const struct tls_session *session);
/* Key exchange group of the handshake, or 0 when it is not known. */
uint16_t tls_group_used(const struct tls_session *session);

#endif
