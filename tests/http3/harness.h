/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One HTTP/3 endpoint over the double of quic/conn.h, with the events that it told kept for the test to
 * look at.
 */
#ifndef TESTS_HTTP3_HARNESS_H
#define TESTS_HTTP3_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_quic.h"
#include "http3/frame.h"
#include "http3/http3.h"

enum { HARNESS_EVENTS = 64, HARNESS_BODY_BYTES = 65536, HARNESS_SECTION_BYTES = 4096, HARNESS_SECTIONS = 4 };

struct harness {
	struct quic_conn *quic;
	struct http3 *http3;
	struct http3_conn *conn;
	void *memory;
	struct base_pool *pools[HTTP3_POOL_COUNT];
	struct http3_event events[HARNESS_EVENTS];
	size_t count;
	char method[16], path[256], field[256]; /* of the last message; `field` is that of "x" */
	uint16_t status;
	struct http3_priority priority;
	uint8_t body[HARNESS_BODY_BYTES];
	size_t body_length;
	bool leave_body; /* BODY is not consumed */
};

struct harness *harness_open(bool server);
/* Also tells the connection that it is closed, and asserts that every pool element has come back. */
void harness_close(struct harness *harness);
/* The event and all that follows from it. */
void harness_event(struct harness *harness, struct quic_event event);
/* Octets from the peer, and the event that goes with them. */
void harness_deliver(
	struct harness *harness, uint64_t stream_id, const void *octets, size_t length, bool fin);
/* Whether the n-th event from the end of such a type came; NULL if none did. */
const struct http3_event *harness_told(const struct harness *harness, enum http3_event_type type);

/* Octets that a test puts together. */
struct octets {
	uint8_t data[16384];
	struct base_writer writer;
};
void octets_init(struct octets *octets);
/* A HEADERS frame of names and values in turn, up to a NULL, encoded by a coder of its own. */
void octets_headers(struct octets *octets, const char *const *fields);
void octets_frame(struct octets *octets, uint64_t type, const void *payload, size_t length);
static inline size_t
octets_length(const struct octets *octets)
{
	return base_writer_length(&octets->writer);
}

/* The usual: a control stream with empty SETTINGS from a client (2) or server (3), and a GET. */
void harness_settings(struct harness *harness);
extern const char *const harness_get[];

#endif
