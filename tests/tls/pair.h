/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client and a server in memory, for tests, fuzzing and benchmarks: no network, no QUIC packets. */
#ifndef TESTS_TLS_PAIR_H
#define TESTS_TLS_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "tls/tls.h"

enum { PAIR_SIDES = 2, PAIR_TICKET_BYTES = 4096 };

/* What one side has said and learnt. */
struct pair_side {
	struct tls_session *session;
	uint8_t secrets[TLS_LEVEL_COUNT][2][TLS_SECRET_BYTES];
	size_t secret_lengths[TLS_LEVEL_COUNT][2];
	uint16_t cipher_suite;
	char alpn[64];
	uint8_t parameters[64];
	size_t parameters_length;
	uint8_t ticket[PAIR_TICKET_BYTES];
	size_t ticket_length;
	size_t crypto_bytes[TLS_LEVEL_COUNT]; /* sent */
	bool complete;
	bool resumed;
	uint64_t error;       /* that tls_receive() returned */
	uint64_t event_error; /* that TLS_EVENT_ERROR said */
};

struct pair {
	struct pair_side sides[PAIR_SIDES]; /* by enum tls_role */
	size_t piece_bytes; /* CRYPTO octets are handed over in pieces of this size; 0: whole */
};

struct tls_settings pair_server_settings(void);
struct tls_settings pair_client_settings(void);
/* Fails the test when the settings are refused. */
struct tls_context *pair_context(const struct tls_settings *settings);
/* `name` and `ticket` are the client's and may be NULL. */
void pair_open(struct pair *pair, struct tls_context *client, struct tls_context *server, const char *name,
	const struct pair_side *ticket);
/* Until neither side has anything to say, or one has failed. */
void pair_run(struct pair *pair);
/* Takes what one side has to say and hands it to the other. True when there was something. */
bool pair_step(struct pair *pair, enum tls_role from);
void pair_close(struct pair *pair);

#endif
