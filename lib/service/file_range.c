/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/file_range.h"

#include <string.h>
#include <strings.h>

/* The digits in front, possibly none. */
static struct http3_text
digits(struct http3_text text)
{
	uint32_t length = 0;

	while (length < text.length && text.octets[length] >= '0' && text.octets[length] <= '9')
		length++;
	return (struct http3_text){.octets = text.octets, .length = length};
}

static struct http3_text
after(struct http3_text text, uint32_t length)
{
	return (struct http3_text){.octets = text.octets + length, .length = text.length - length};
}

/* "-N": the last N octets. */
static enum file_range_result
suffix(struct http3_text value, uint64_t length, struct file_range *range)
{
	uint64_t count;

	if (!http3_field_number(value, &count))
		return FILE_RANGE_WHOLE;
	if (count == 0 || length == 0)
		return FILE_RANGE_UNSATISFIABLE;
	range->first = count < length ? length - count : 0;
	range->last = length - 1;
	return FILE_RANGE_PART;
}

enum file_range_result
file_range_parse(struct http3_text value, uint64_t length, struct file_range *range)
{
	static const char unit[] = "bytes=";
	const uint32_t unit_length = sizeof(unit) - 1;
	struct http3_text number;

	/*
	 * A server may ignore Range; so what is not a single range of octets is ignored (RFC 9110 section
	 * 14.2).
	 */
	if (value.octets == NULL || value.length <= unit_length ||
		strncasecmp(value.octets, unit, unit_length) != 0)
		return FILE_RANGE_WHOLE;
	value = after(value, unit_length);
	if (value.octets[0] == '-')
		return suffix(after(value, 1), length, range);
	number = digits(value);
	if (!http3_field_number(number, &range->first) || number.length == value.length ||
		value.octets[number.length] != '-')
		return FILE_RANGE_WHOLE;
	value = after(value, number.length + 1);
	range->last = UINT64_MAX;
	if (value.length > 0 && (!http3_field_number(value, &range->last) || range->last < range->first))
		return FILE_RANGE_WHOLE;
	if (range->first >= length)
		return FILE_RANGE_UNSATISFIABLE;
	if (range->last >= length)
		range->last = length - 1;
	return FILE_RANGE_PART;
}

bool
file_etag_listed(struct http3_text list, struct http3_text etag)
{
	while (list.length > 0) {
		const char *comma = memchr(list.octets, ',', list.length);
		uint32_t length = comma != NULL ? (uint32_t)(comma - list.octets) : list.length;
		struct http3_text member = {.octets = list.octets, .length = length};

		list = after(list, comma != NULL ? length + 1 : length);
		while (member.length > 0 && (member.octets[0] == ' ' || member.octets[0] == '\t'))
			member = after(member, 1);
		while (member.length > 0 && strchr(" \t", member.octets[member.length - 1]) != NULL)
			member.length--;
		if (member.length > 2 && memcmp(member.octets, "W/", 2) == 0)
			member = after(member, 2);
		if (http3_text_is(member, "*") || http3_text_equal(member, etag))
			return true;
	}
	return false;
}
