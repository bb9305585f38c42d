/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A request, a response or trailers as decoded, and what makes them malformed (RFC 9114 sections 4.1.2,
 * 4.2, 4.3). Fields are borrowed from whoever decoded them and are valid until the next call of
 * http3_next_event().
 */
#ifndef HTTP3_MESSAGE_H
#define HTTP3_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "http3/field.h"
#include "http3/priority.h"

enum http3_message_kind { HTTP3_MESSAGE_REQUEST, HTTP3_MESSAGE_RESPONSE, HTTP3_MESSAGE_TRAILERS };

struct http3_message {
	enum http3_message_kind kind;
	struct http3_text method, scheme, authority, path; /* requests; authority also from host */
	uint16_t status;                                   /* responses */
	bool has_content_length;
	uint64_t content_length;
	struct http3_priority priority;
	const struct http3_field *fields; /* all, pseudo-header fields included */
	uint16_t count;
};

/* Fills a message from its fields. 0, or HTTP3_MESSAGE_ERROR (a stream error) when it is malformed. */
uint64_t http3_message_check(struct http3_message *message, enum http3_message_kind kind,
	const struct http3_field *fields, uint16_t count);
/* The value of the first field of that name; octets is NULL when there is none. */
struct http3_text http3_message_find(const struct http3_message *message, const char *name);

#endif
