/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "certificates.h"

struct tls_settings
pair_server_settings(void)
{
	struct tls_settings settings = {
		.role = TLS_SERVER,
		.certificate = {.octets = (const uint8_t *)certificate_ecdsa,
			.length = sizeof(certificate_ecdsa) - 1},
		.key = {.octets = (const uint8_t *)key_ecdsa, .length = sizeof(key_ecdsa) - 1},
		.alpn = {"h3", "hq-interop"},
		.alpn_count = 2,
		.ticket_keys = {.count = 1},
	};

	memset(settings.ticket_keys.keys[0].id, 0xa1, sizeof(settings.ticket_keys.keys[0].id));
	memset(settings.ticket_keys.keys[0].key, 0x5c, sizeof(settings.ticket_keys.keys[0].key));
	return settings;
}

struct tls_settings
pair_client_settings(void)
{
	return (struct tls_settings){
		.role = TLS_CLIENT,
		.alpn = {"h3"},
		.alpn_count = 1,
		.verify = TLS_VERIFY_CA,
		.ca = {.octets = (const uint8_t *)certificate_ecdsa, .length = sizeof(certificate_ecdsa) - 1},
	};
}

struct tls_context *
pair_context(const struct tls_settings *settings)
{
	char sentence[TLS_SENTENCE_BYTES];
	struct tls_context *context = tls_context_open(settings, (uint64_t)time(NULL), sentence);

	if (context == NULL) {
		fprintf(stderr, "tls_context_open: %s\n", sentence);
		abort();
	}
	return context;
}

void
pair_open(struct pair *pair, struct tls_context *client, struct tls_context *server, const char *name,
	const struct pair_side *ticket)
{
	static const uint8_t parameters[PAIR_SIDES][8] = {"client1", "server2"};
	struct tls_start start = {
		.transport_parameters = parameters[TLS_SERVER],
		.transport_parameters_length = sizeof(parameters[TLS_SERVER]),
	};

	memset(pair->sides, 0, sizeof(pair->sides));
	pair->sides[TLS_SERVER].session = tls_open(server, &start);
	start.transport_parameters = parameters[TLS_CLIENT];
	start.server_name = name;
	if (ticket != NULL) {
		start.ticket = ticket->ticket;
		start.ticket_length = ticket->ticket_length;
	}
	pair->sides[TLS_CLIENT].session = tls_open(client, &start);
}

static void
deliver(struct pair *pair, enum tls_role to, const struct tls_event *event)
{
	struct pair_side *side = &pair->sides[to];
	size_t piece = pair->piece_bytes > 0 ? pair->piece_bytes : event->length;

	for (size_t at = 0; at < event->length && side->error == 0; at += piece) {
		size_t length = event->length - at < piece ? event->length - at : piece;

		side->error = tls_receive(side->session, event->level, event->octets + at, length);
	}
}

static void
note(struct pair_side *side, const struct tls_event *event)
{
	switch (event->type) {
	case TLS_EVENT_SECRET:
		memcpy(side->secrets[event->level][event->direction], event->octets, event->length);
		side->secret_lengths[event->level][event->direction] = event->length;
		side->cipher_suite = event->cipher_suite;
		break;
	case TLS_EVENT_TRANSPORT_PARAMETERS:
		base_assert(event->length <= sizeof(side->parameters) && side->parameters_length == 0);
		memcpy(side->parameters, event->octets, event->length);
		side->parameters_length = event->length;
		break;
	case TLS_EVENT_ALPN:
		base_assert(event->length < sizeof(side->alpn));
		memcpy(side->alpn, event->octets, event->length);
		break;
	case TLS_EVENT_COMPLETE:
		side->complete = true;
		side->resumed = event->resumed;
		break;
	case TLS_EVENT_TICKET:
		base_assert(event->length <= sizeof(side->ticket));
		memcpy(side->ticket, event->octets, event->length);
		side->ticket_length = event->length;
		break;
	case TLS_EVENT_ERROR:
		side->event_error = event->error;
		break;
	default:
		break;
	}
}

bool
pair_step(struct pair *pair, enum tls_role from)
{
	struct pair_side *side = &pair->sides[from];
	struct tls_event event;
	bool any = false;

	while (side->session != NULL && tls_next_event(side->session, &event)) {
		any = true;
		note(side, &event);
		if (event.type != TLS_EVENT_CRYPTO)
			continue;
		side->crypto_bytes[event.level] += event.length;
		deliver(pair, from == TLS_CLIENT ? TLS_SERVER : TLS_CLIENT, &event);
	}
	return any;
}

void
pair_run(struct pair *pair)
{
	bool any = true;

	while (any) {
		any = pair_step(pair, TLS_CLIENT);
		any = pair_step(pair, TLS_SERVER) || any;
	}
}

void
pair_close(struct pair *pair)
{
	for (int i = 0; i < PAIR_SIDES; i++) {
		if (pair->sides[i].session != NULL)
			tls_close(pair->sides[i].session);
		pair->sides[i].session = NULL;
	}
}
