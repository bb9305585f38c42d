/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/field.h"

/* tchar of RFC 9110 section 5.6.2 without the upper case, as a bit per ASCII character. */
static const uint64_t name_characters[2] = {
	/* ! # $ % & ' * + - . 0-9 */
	UINT64_C(1) << '!' | UINT64_C(0x1f) << '#' | UINT64_C(3) << '*' | UINT64_C(3) << '-' |
		UINT64_C(0x3ff) << '0',
	/* ^ _ ` a-z | ~ */
	UINT64_C(7) << ('^' - 64) | UINT64_C(0x3ffffff) << ('a' - 64) | UINT64_C(1) << ('|' - 64) |
		UINT64_C(1) << ('~' - 64),
};

bool
http3_field_name_valid(struct http3_text name)
{
	uint32_t start = name.length > 0 && name.octets[0] == ':';

	if (name.length == start)
		return false;
	for (uint32_t i = start; i < name.length; i++) {
		uint8_t c = (uint8_t)name.octets[i];

		if (c > 127 || (name_characters[c / 64] >> (c % 64) & 1) == 0)
			return false;
	}
	return true;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
http3_field_value_valid(struct http3_text value)
{
	if (value.length == 0)
		return true;
	if (blank(value.octets[0]) || blank(value.octets[value.length - 1]))
		return false;
	for (uint32_t i = 0; i < value.length; i++) {
		uint8_t c = (uint8_t)value.octets[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

bool
http3_field_connection_specific(const struct http3_field *field)
{
	struct http3_text name = field->name;

	/* By the length first: of the usual names only few share one. */
	switch (name.length) {
	case 2:
		return http3_text_is(name, "te") && !http3_text_is(field->value, "trailers");
	case 7:
		return http3_text_is(name, "upgrade");
	case 10:
		return http3_text_is(name, "connection") || http3_text_is(name, "keep-alive");
	case 16:
		return http3_text_is(name, "proxy-connection");
	case 17:
		return http3_text_is(name, "transfer-encoding");
	default:
		return false;
	}
}

bool
http3_field_number(struct http3_text text, uint64_t *number)
{
	uint64_t value = 0;

	if (text.length == 0 || text.length > 19)
		return false;
	for (uint32_t i = 0; i < text.length; i++) {
		char c = text.octets[i];

		if (c < '0' || c > '9')
			return false;
		/* 19 digits fit 64 bits, so this does not wrap. */
		value = value * 10 + (uint64_t)(c - '0');
	}
	*number = value;
	return value < UINT64_C(1) << 62;
}
