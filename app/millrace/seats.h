/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each shard has of the outside libraries: a cipher backend, memory for TLS and a server context in
 * it.
 */
#ifndef APP_MILLRACE_SEATS_H
#define APP_MILLRACE_SEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/millrace/objects.h"
#include "app/millrace/site.h"
#include "config/config.h"
#include "crypto/crypto.h"
#include "tls/tls.h"

struct seat {
	int socket; /* of its lcore */
	void *crypto_memory;
	struct crypto_backend *crypto;
	void *tls_octets;
	struct tls_memory *tls_memory;
	struct tls_context *tls;
};

/* False with a readable sentence; what has been opened is closed by seat_close(). */
bool seat_open(struct seat *seat, const struct config *config, const struct objects *objects,
	const struct site *site, int socket, char *error, size_t room);
void seat_close(struct seat *seat);
/* Octets that a seat takes in hugepages. */
size_t seat_bytes(const struct config *config);

#endif
