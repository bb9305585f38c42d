/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/message.h"

#include "base/assert.h"
#include "http3/error.h"

/* What has been seen while the fields are gone through. */
struct walk {
	struct http3_message *message;
	struct http3_text host;
	bool regular; /* a field that is no pseudo-header field */
};

/* Section 4.3: each pseudo-header field once at most. */
static bool
set_once(struct http3_text *target, struct http3_text value)
{
	if (target->octets != NULL)
		return false;
	*target = value;
	return true;
}

static bool
take_status(struct http3_message *message, struct http3_text value)
{
	uint64_t status;

	if (message->status != 0 || value.length != 3 || !http3_field_number(value, &status))
		return false;
	message->status = (uint16_t)status;
	/* Section 4.5: 101 means nothing in HTTP/3. */
	return status >= 100 && status != 101;
}

/*
 * Pseudo-header fields come first and are those defined for the kind of message (sections 4.3, 4.3.1,
 * 4.3.2).
 */
static bool
take_pseudo(struct walk *walk, const struct http3_field *field)
{
	struct http3_message *message = walk->message;

	if (walk->regular || message->kind == HTTP3_MESSAGE_TRAILERS)
		return false;
	if (message->kind == HTTP3_MESSAGE_RESPONSE)
		return http3_text_is(field->name, ":status") && take_status(message, field->value);
	if (http3_text_is(field->name, ":path"))
		return set_once(&message->path, field->value);
	if (http3_text_is(field->name, ":method"))
		return set_once(&message->method, field->value);
	if (http3_text_is(field->name, ":scheme"))
		return set_once(&message->scheme, field->value);
	if (http3_text_is(field->name, ":authority"))
		return set_once(&message->authority, field->value);
	/* ":protocol" is for those who set SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 9220), and we did not. */
	return false;
}

static bool
take_content_length(struct http3_message *message, struct http3_text value)
{
	uint64_t length;

	if (!http3_field_number(value, &length))
		return false;
	if (message->has_content_length && message->content_length != length)
		return false;
	message->has_content_length = true;
	message->content_length = length;
	return true;
}

static bool
take_regular(struct walk *walk, const struct http3_field *field)
{
	struct http3_message *message = walk->message;

	walk->regular = true;
	if (http3_field_connection_specific(field))
		return false;
	switch (field->name.length) {
	case 4:
		if (message->kind == HTTP3_MESSAGE_REQUEST && http3_text_is(field->name, "host"))
			return set_once(&walk->host, field->value);
		return true;
	case 8:
		if (message->kind == HTTP3_MESSAGE_REQUEST && http3_text_is(field->name, "priority"))
			message->priority = http3_priority_parse(field->value);
		return true;
	case 14:
		if (http3_text_is(field->name, "content-length"))
			return take_content_length(message, field->value);
		return true;
	default:
		return true;
	}
}

static bool
contains(struct http3_text text, char c)
{
	return text.length > 0 && memchr(text.octets, c, text.length) != NULL;
}

/* Sections 4.3.1 and 4.4. */
static bool
request_complete(struct walk *walk)
{
	struct http3_message *message = walk->message;
	bool http;

	if (message->method.length == 0)
		return false;
	if (http3_text_is(message->method, "CONNECT"))
		return message->scheme.octets == NULL && message->path.octets == NULL &&
			message->authority.length > 0;
	if (message->scheme.length == 0 || message->path.length == 0)
		return false;
	http = http3_text_is(message->scheme, "https") || http3_text_is(message->scheme, "http");
	if (!http)
		return true;
	if (message->authority.octets == NULL)
		message->authority = walk->host;
	else if (walk->host.octets != NULL && !http3_text_equal(message->authority, walk->host))
		return false;
	/* Schemes with a mandatory authority, and no deprecated user information in it. */
	if (message->authority.length == 0 || contains(message->authority, '@'))
		return false;
	return message->path.octets[0] == '/' ||
		(http3_text_is(message->path, "*") && http3_text_is(message->method, "OPTIONS"));
}

uint64_t
http3_message_check(struct http3_message *message, enum http3_message_kind kind,
	const struct http3_field *fields, uint16_t count)
{
	struct walk walk = {.message = message};
	bool complete = true;

	base_assert(count == 0 || fields != NULL);
	*message = (struct http3_message){
		.kind = kind, .priority = HTTP3_PRIORITY_DEFAULT, .fields = fields, .count = count};
	for (uint16_t i = 0; i < count; i++) {
		const struct http3_field *field = &fields[i];
		bool good = http3_field_name_valid(field->name) && http3_field_value_valid(field->value);

		if (good)
			good = field->name.octets[0] == ':' ? take_pseudo(&walk, field)
							    : take_regular(&walk, field);
		if (!good)
			return HTTP3_MESSAGE_ERROR;
	}
	if (kind == HTTP3_MESSAGE_REQUEST)
		complete = request_complete(&walk);
	else if (kind == HTTP3_MESSAGE_RESPONSE)
		complete = message->status != 0;
	return complete ? 0 : HTTP3_MESSAGE_ERROR;
}

struct http3_text
http3_message_find(const struct http3_message *message, const char *name)
{
	for (uint16_t i = 0; i < message->count; i++) {
		if (http3_text_is(message->fields[i].name, name))
			return message->fields[i].value;
	}
	return (struct http3_text){0};
}
