/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One field of a message (RFC 9110 section 5, RFC 9114 section 4.2): borrowed octets and the rules of their
 * syntax.
 */
#ifndef HTTP3_FIELD_H
#define HTTP3_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Octets with a length, not terminated. octets is NULL when there are none at all, as opposed to an empty
 * value.
 */
struct http3_text {
	const char *octets;
	uint32_t length;
};

struct http3_field {
	struct http3_text name;
	struct http3_text value;
};

static inline struct http3_text
http3_text(const char *string)
{
	return (struct http3_text){.octets = string, .length = (uint32_t)strlen(string)};
}

static inline bool
http3_text_is(struct http3_text text, const char *string)
{
	size_t length = strlen(string);

	return text.length == length && memcmp(text.octets, string, length) == 0;
}

static inline bool
http3_text_equal(struct http3_text a, struct http3_text b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.octets, b.octets, a.length) == 0);
}

/*
 * Lower-case token characters, at least one; a leading colon is allowed (RFC 9114 section 4.2: upper case
 * is malformed).
 */
bool http3_field_name_valid(struct http3_text name);
/* No control characters but the tab (RFC 9114 section 10.3), no blank at either end. */
bool http3_field_value_valid(struct http3_text value);
/*
 * Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade, and TE with another value than
 * "trailers".
 */
bool http3_field_connection_specific(const struct http3_field *field);
/* Octets that the field counts against SETTINGS_MAX_FIELD_SECTION_SIZE (RFC 9114 section 4.2.2). */
static inline uint64_t
http3_field_bytes(const struct http3_field *field)
{
	return (uint64_t)field->name.length + field->value.length + 32;
}
/* Digits only, below 2^62. False when it is anything else. */
bool http3_field_number(struct http3_text text, uint64_t *number);

#endif
