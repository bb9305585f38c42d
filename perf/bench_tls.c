/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's share of a handshake, full and resumed, per group and certificate; its memory. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/tls/certificates.h"
#include "tests/tls/pair.h"

enum { ROUNDS = 400 };

struct figures {
	double server_us;
	double client_us;
	unsigned long long peak_bytes;
};

static double
clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Events of one side are copied, so that handing them over counts for the side that receives. */
struct flight {
	struct {
		enum tls_level level;
		uint8_t octets[4096];
		size_t length;
	} parts[16];
	int count;
};

static void
collect(struct pair_side *side, struct flight *flight)
{
	struct tls_event event;

	flight->count = 0;
	while (tls_next_event(side->session, &event)) {
		if (event.type == TLS_EVENT_CRYPTO) {
			flight->parts[flight->count].level = event.level;
			flight->parts[flight->count].length = event.length;
			memcpy(flight->parts[flight->count++].octets, event.octets, event.length);
		} else if (event.type == TLS_EVENT_COMPLETE) {
			side->complete = true;
			side->resumed = event.resumed;
		} else if (event.type == TLS_EVENT_TICKET) {
			memcpy(side->ticket, event.octets, event.length);
			side->ticket_length = event.length;
		}
	}
}

static void
deliver(struct pair_side *side, const struct flight *flight)
{
	for (int i = 0; i < flight->count && side->error == 0; i++)
		side->error = tls_receive(side->session, flight->parts[i].level, flight->parts[i].octets,
			flight->parts[i].length);
}

static void
handshake(struct tls_context *contexts[2], struct tls_memory *memory, const struct pair_side *ticket,
	struct pair_side sides[2], struct figures *figures)
{
	static const uint8_t parameters[40] = {0x40, 0x26};
	static struct flight flight;
	struct tls_start start = {
		.transport_parameters = parameters, .transport_parameters_length = sizeof(parameters)};
	double at = clock_us(), then;

	memset(sides, 0, 2 * sizeof(*sides));
	tls_memory_bind(memory);
	sides[TLS_SERVER].session = tls_open(contexts[TLS_SERVER], &start);
	tls_memory_bind(NULL);
	then = clock_us();
	figures->server_us += then - at;
	start.server_name = "localhost";
	start.ticket = ticket != NULL ? ticket->ticket : NULL;
	start.ticket_length = ticket != NULL ? ticket->ticket_length : 0;
	sides[TLS_CLIENT].session = tls_open(contexts[TLS_CLIENT], &start);
	for (int turn = 0; turn < 6; turn++) {
		enum tls_role from = turn % 2 == 0 ? TLS_CLIENT : TLS_SERVER, to = 1 - from;

		collect(&sides[from], &flight);
		at = clock_us();
		tls_memory_bind(to == TLS_SERVER ? memory : NULL);
		deliver(&sides[to], &flight);
		tls_memory_bind(NULL);
		*(to == TLS_SERVER ? &figures->server_us : &figures->client_us) += clock_us() - at;
	}
	at = clock_us();
	tls_close(sides[TLS_SERVER].session);
	figures->server_us += clock_us() - at;
	tls_close(sides[TLS_CLIENT].session);
}

static int
measure(const char *name, uint16_t group, bool ed25519, bool resume)
{
	struct tls_settings client = pair_client_settings(), server = pair_server_settings();
	struct tls_memory *memory = tls_memory_open(NULL, 1 << 20, 0);
	struct tls_context *contexts[2];
	struct pair_side sides[2], ticket;
	struct figures figures = {0}, warm = {0};
	unsigned long long context_bytes;

	if (ed25519) {
		server.certificate.octets = (const uint8_t *)certificate_ed25519;
		server.certificate.length = sizeof(certificate_ed25519) - 1;
		server.key.octets = (const uint8_t *)key_ed25519;
		server.key.length = sizeof(key_ed25519) - 1;
		client.ca = server.certificate;
	}
	client.groups[0] = group;
	client.group_count = 1;
	contexts[TLS_CLIENT] = pair_context(&client);
	tls_memory_bind(memory);
	contexts[TLS_SERVER] = pair_context(&server);
	tls_memory_bind(NULL);
	context_bytes = tls_memory_counters(memory)->bytes_in_use;
	handshake(contexts, memory, NULL, sides, &warm);
	ticket = sides[TLS_CLIENT];
	for (int i = 0; i < ROUNDS; i++) {
		handshake(contexts, memory, resume ? &ticket : NULL, sides, &figures);
		if (!sides[TLS_SERVER].complete || sides[TLS_SERVER].resumed != resume) {
			fprintf(stderr, "%s: the handshake did not go as planned\n", name);
			return 1;
		}
	}
	printf("tls  %-34s server %6.1f us  client %6.1f us  server's peak %5llu octets\n", name,
		figures.server_us / ROUNDS, figures.client_us / ROUNDS,
		(unsigned long long)tls_memory_counters(memory)->bytes_in_use_peak - context_bytes);
	tls_context_close(contexts[TLS_CLIENT]);
	tls_context_close(contexts[TLS_SERVER]);
	tls_memory_close(memory);
	return 0;
}

int
main(void)
{
	int failed = 0;

	printf("tls  %s, AES-128-GCM, ROUNDS %d\n", tls_library_version(), ROUNDS);
	failed |= measure("full, P-256 certificate, X25519", TLS_GROUP_X25519, false, false);
	failed |= measure("full, P-256 certificate, P-256", TLS_GROUP_SECP256R1, false, false);
	failed |= measure("full, Ed25519 certificate, X25519", TLS_GROUP_X25519, true, false);
	if (tls_has_group(TLS_GROUP_X25519MLKEM768))
		failed |= measure("full, P-256, X25519MLKEM768", TLS_GROUP_X25519MLKEM768, false, false);
	failed |= measure("resumed, X25519", TLS_GROUP_X25519, false, true);
	if (tls_has_group(TLS_GROUP_X25519MLKEM768))
		failed |= measure("resumed, X25519MLKEM768", TLS_GROUP_X25519MLKEM768, false, true);
	return failed;
}
