/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <stdint.h>

/* Octets of the character at the front; 0: it is none, or one of control. */
static size_t
character(const uint8_t *text, size_t length)
{
	uint8_t first = text[0], low = 0x80, high = 0xbf;
	size_t octets = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first < 0x80)
		return first >= 0x20 && first != 0x7f;
	if (first < 0xc2 || first > 0xf4 || octets > length)
		return 0;
	if (first == 0xc2 || first == 0xe0)
		low = 0xa0; /* U+0080 to U+009F; too long a form of what fits two octets */
	else if (first == 0xed)
		high = 0x9f; /* surrogates */
	else if (first == 0xf0)
		low = 0x90; /* too long a form of what fits three */
	else if (first == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < octets; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return octets;
}

void
base_text_clean(char *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t octets = character((const uint8_t *)text + at, length - at);

		if (octets == 0)
			text[at++] = '?';
		at += octets;
	}
}
