/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a client of the chat writes, in pieces: the first octet says how long they are. Lines come out the same in one piece, within their
 * bounds, and with nothing that a terminal would obey.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "service/chat_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static void
check(const struct chat_line *line)
{
	struct chat_text argument = {0};
	enum chat_command command = chat_line_command(line, &argument);

	base_assert(line->length <= CHAT_LINE_BYTES);
	for (uint8_t i = 0; line->whole && i < line->length; i++) {
		uint8_t octet = (uint8_t)line->text[i], before = i > 0 ? (uint8_t)line->text[i - 1] : 0;

		base_assert(
			octet >= 0x20 && octet != 0x7f && octet != 0xc0 && octet != 0xc1 && octet <= 0xf4);
		base_assert(octet < 0x80 || octet >= 0xc2 || before >= 0x80);
		base_assert(before != 0xc2 || octet >= 0xa0);
	}
	base_assert(argument.length <= line->length);
	base_assert((command != CHAT_JOIN && command != CHAT_NAME) ||
		(argument.length > 0 && argument.length <= CHAT_WORD_BYTES));
	if (argument.length > 0)
		base_assert(argument.octets >= line->text &&
			argument.octets + argument.length <= line->text + line->length);
}

/* The next line, taken in pieces; returns how many octets it was. */
static size_t
take(struct chat_line *line, const uint8_t *octets, size_t length, size_t piece)
{
	size_t at = 0;

	*line = (struct chat_line){0};
	while (at < length && !line->whole) {
		size_t offered = length - at < piece ? length - at : piece;
		size_t taken = chat_line_take(line, octets + at, offered);

		base_assert(taken == offered || line->whole);
		at += taken;
	}
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
	size_t piece, at = 1;

	if (length == 0)
		return 0;
	piece = octets[0] > 0 ? octets[0] : 1;
	while (at < length) {
		struct chat_line pieces, whole;
		size_t taken = take(&pieces, octets + at, length - at, piece);

		base_assert(take(&whole, octets + at, length - at, length) == taken);
		base_assert(memcmp(&pieces, &whole, sizeof(whole)) == 0);
		check(&whole);
		at += taken;
	}
	return 0;
}
