/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small file set, and services over the double of quic/conn.h. */
#ifndef TESTS_SERVICE_SITE_H
#define TESTS_SERVICE_SITE_H

#include "tests/http3/fake_quic.h"
#include "tests/http3/harness.h"
#include "service/echo.h"
#include "service/files.h"
#include "service/h3.h"
#include "service/hq.h"

#define SITE_INDEX "<p>hello</p>\n"
enum { SITE_BIG_BYTES = 100000 };

struct site {
	struct quic_conn *quic;
	struct service_set services;
	struct service_h3 h3;
	struct service_files files;
	struct service_hq hq;
	struct service_echo echo;
	struct file_set *set;
	struct http3 *http3;
	struct base_pool *pools[HTTP3_POOL_COUNT], *hq_conns, *hq_requests;
	void *set_memory, *http3_memory, *coder;
};

/* "/index.html", "/empty.txt", "/dir/big.bin"; all services; a connection of this protocol, connected. */
struct site *site_open(const char *alpn);
/* Closes the connection; asserts that nothing is left referenced or taken. */
void site_close(struct site *site);
void site_deliver(struct site *site, uint64_t stream_id, const void *octets, size_t length, bool fin);
void site_event(struct site *site, enum quic_event_type type, uint64_t stream_id);

#endif
