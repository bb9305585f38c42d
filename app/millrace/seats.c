/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/millrace/seats.h"

#include <stdio.h>
#include <time.h>

#include <rte_malloc.h>

#include "app/millrace/limits.h"
#include "drivers/crypto/ipsec_mb.h"

static size_t
tls_bytes(const struct config *config)
{
	return TLS_MEMORY_CONTEXT_BYTES + (size_t)config->quic.handshakes_max * TLS_MEMORY_HANDSHAKE_BYTES;
}

size_t
seat_bytes(const struct config *config)
{
	return crypto_ipsec_mb_bytes() + tls_bytes(config);
}

static bool
open_crypto(struct seat *seat, char *error, size_t room)
{
	seat->crypto_memory =
		rte_zmalloc_socket("crypto", crypto_ipsec_mb_bytes(), CRYPTO_ALIGNMENT, seat->socket);
	if (seat->crypto_memory == NULL) {
		snprintf(error, room, "there is no memory for the ciphers: raise [memory] megabytes");
		return false;
	}
	seat->crypto = crypto_ipsec_mb_open(seat->crypto_memory, CRYPTO_IPSEC_MB_AUTO);
	if (seat->crypto == NULL)
		snprintf(error, room,
			"this CPU lacks what IPsec-MB needs (SSE4.2, AES-NI, PCLMULQDQ): run it on one that has it");
	return seat->crypto != NULL;
}

/* The context lies in the shard's memory, which this thread has bound meanwhile. */
static bool
open_tls(struct seat *seat, const struct config *config, const struct site *site,
	struct tls_settings settings, char *error, size_t room)
{
	char sentence[TLS_SENTENCE_BYTES];

	seat->tls_octets = rte_malloc_socket("tls", tls_bytes(config), CRYPTO_ALIGNMENT, seat->socket);
	if (seat->tls_octets == NULL) {
		snprintf(error, room,
			"there is no memory for TLS (%zu MB): raise [memory] megabytes, or lower [quic] handshakes_max",
			(tls_bytes(config) >> 20) + 1);
		return false;
	}
	seat->tls_memory = tls_memory_open(
		seat->tls_octets, tls_bytes(config), (size_t)config->memory.tls_heap_megabytes << 20);
	if (config->tls.tickets)
		settings.ticket_keys = site->tickets;
	tls_memory_bind(seat->tls_memory);
	seat->tls = tls_context_open(&settings, (uint64_t)time(NULL), sentence);
	tls_memory_bind(NULL);
	if (seat->tls == NULL)
		snprintf(error, room, "%s", sentence);
	return seat->tls != NULL;
}

bool
seat_open(struct seat *seat, const struct config *config, const struct objects *objects,
	const struct site *site, int socket, char *error, size_t room)
{
	struct tls_settings settings = limits_tls(config);

	objects_offer(objects, &settings);
	seat->socket = socket;
	if (!open_crypto(seat, error, room))
		return false;
	/* With plain echo alone there is no QUIC, and no certificate to want. */
	if (settings.alpn_count == 0)
		return true;
	return open_tls(seat, config, site, settings, error, room);
}

void
seat_close(struct seat *seat)
{
	if (seat->tls != NULL) {
		tls_memory_bind(seat->tls_memory);
		tls_context_close(seat->tls);
		tls_memory_bind(NULL);
	}
	if (seat->tls_memory != NULL)
		tls_memory_close(seat->tls_memory);
	if (seat->crypto != NULL)
		crypto_ipsec_mb_close(seat->crypto);
	rte_free(seat->tls_octets);
	rte_free(seat->crypto_memory);
	*seat = (struct seat){0};
}
