/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keys of a site: from a file that only its owner may read, the same on every gateway, or drawn for this
 * run alone. Beside the file, FILE.epoch counts starts: it is raised before the first connection ID is
 * issued, so that none is issued twice under one key.
 */
#ifndef APP_MILLRACE_SITE_H
#define APP_MILLRACE_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quic/endpoint.h"
#include "tls/tls.h"

struct site {
	struct quic_site_keys keys;
	struct tls_ticket_keys tickets;
	uint32_t epoch;
};

/*
 * `file` "" draws keys; one that is not there is written. False with a readable sentence: what, where, the
 * mend.
 */
bool site_open(struct site *site, const char *file, char *error, size_t room);
/* Octets that nobody can foresee. */
void site_random(void *octets, size_t length);

#endif
