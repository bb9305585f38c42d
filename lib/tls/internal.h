/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of lib/tls share; the only header that knows wolfSSL. */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/quic.h>
#include <wolfssl/wolfcrypt/random.h>

#include "tls/client_hello.h"
#include "tls/message.h"
#include "tls/tls.h"

struct tls_context {
	WOLFSSL_CTX *library;
	WC_RNG random;
	enum tls_role role;
	enum tls_verify verify;
	char alpn[TLS_ALPN_MAX][TLS_ALPN_BYTES + 1];
	uint32_t alpn_count;
	uint16_t first_group;
	uint32_t message_max_bytes;
	size_t session_bytes; /* promised to each */
	uint32_t ticket_lifetime_s;
	uint64_t unix_s;
	uint64_t sessions; /* open ones; each borrows the context */
	struct tls_ticket_keys ticket_keys;
	uint8_t pin_sha256[32];
};

/* An event that waits; its octets follow. */
struct tls_queued_event {
	struct tls_queued_event *next;
	struct tls_event event;
	uint8_t octets[];
};

struct tls_session {
	struct tls_context *context;
	WOLFSSL *library;
	struct tls_queued_event *first;
	struct tls_queued_event *last;
	struct tls_queued_event *given; /* by the last tls_next_event(); freed by the next call */
	struct tls_assembler assembler;
	const struct tls_client_hello *hello; /* only while the library handles it */
	uint64_t error;
	int alpn;             /* index of the protocol chosen in the context's, or -1 */
	enum tls_level level; /* of the last octets received */
	uint8_t alert;        /* that the library raised, when has_alert */
	uint8_t ticket_chain; /* resumptions since the last full handshake */
	bool has_alert;
	bool complete;
	bool resumed;
	bool parameters_announced;
	bool alpn_announced;
	bool installed[TLS_LEVEL_COUNT]; /* the secret for receiving */
	char server_name[TLS_SERVER_NAME_BYTES + 1];
};

/* library.c */
void tls_library_init(void);

/* certificate.c: false with a sentence. */
bool tls_certificate_load(struct tls_context *context, const struct tls_settings *settings, char *sentence);
bool tls_verify_load(struct tls_context *context, const struct tls_settings *settings, char *sentence);
/* Compares the peer's leaf with the pin. */
bool tls_pin_matches(struct tls_session *session);

/* ticket.c: the callback of wolfSSL_CTX_set_TicketEncCb. */
int tls_ticket_crypt(WOLFSSL *library, unsigned char *key_name, unsigned char *iv, unsigned char *mac,
	int encrypt, unsigned char *ticket, int length, int *out_length, void *user);

/* event.c: false when memory is short. `octets` are copied. */
bool tls_event_queue(
	struct tls_session *session, struct tls_event event, const uint8_t *octets, size_t length);
void tls_events_free(struct tls_session *session);
/* Queues the peer's transport parameters and ALPN as soon as they are known. */
bool tls_announce_peer(struct tls_session *session);
/* What the library calls. */
extern const WOLFSSL_QUIC_METHOD tls_quic_method;

#endif
