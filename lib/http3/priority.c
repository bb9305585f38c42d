/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/priority.h"

#include <stddef.h>

/*
 * The two members that matter, as RFC 8941 section 3.2 writes them; others are passed over up to the next
 * comma.
 */

static uint32_t
skip_blank(struct http3_text value, uint32_t at)
{
	while (at < value.length && (value.octets[at] == ' ' || value.octets[at] == '\t'))
		at++;
	return at;
}

/* The end of the member that begins at `at`: the comma outside of a quoted string. */
static uint32_t
member_end(struct http3_text value, uint32_t at)
{
	bool quoted = false;

	for (; at < value.length; at++) {
		char c = value.octets[at];

		if (quoted && c == '\\')
			at++;
		else if (c == '"')
			quoted = !quoted;
		else if (c == ',' && !quoted)
			return at;
	}
	return value.length;
}

/* Parameters (";…") and blanks behind a value belong to it and mean nothing here. */
static struct http3_text
bare(const char *octets, uint32_t length)
{
	uint32_t end = 0;

	while (end < length && octets[end] != ';' && octets[end] != ' ' && octets[end] != '\t')
		end++;
	return (struct http3_text){.octets = octets, .length = end};
}

struct http3_priority
http3_priority_parse(struct http3_text value)
{
	struct http3_priority priority = HTTP3_PRIORITY_DEFAULT;
	uint32_t at = skip_blank(value, 0);

	while (at < value.length) {
		uint32_t end = member_end(value, at);
		struct http3_text member = bare(value.octets + at, end - at);

		/* A key that comes again replaces the earlier one (RFC 8941 section 3.2). */
		if (member.length == 3 && member.octets[0] == 'u' && member.octets[1] == '=' &&
			member.octets[2] >= '0' && member.octets[2] <= '7')
			priority.urgency = (uint8_t)(member.octets[2] - '0');
		else if (http3_text_is(member, "i") || http3_text_is(member, "i=?1"))
			priority.incremental = true;
		else if (http3_text_is(member, "i=?0"))
			priority.incremental = false;
		at = skip_blank(value, end + 1);
	}
	return priority;
}
