/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Octets from text, for test vectors: digits in pairs, spaces ignored. */
#ifndef SUPPORT_HEX_H
#define SUPPORT_HEX_H

#include <stddef.h>
#include <stdint.h>

static inline uint8_t
support_hex_digit(char digit)
{
	return (uint8_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

/* Writes at most `room` octets and returns how many. */
static inline size_t
support_hex(const char *text, uint8_t *octets, size_t room)
{
	size_t length = 0;

	for (; *text != '\0' && length < room; text++) {
		if (*text == ' ')
			continue;
		octets[length++] = (uint8_t)(support_hex_digit(text[0]) << 4 | support_hex_digit(text[1]));
		text++;
	}
	return length;
}

#endif
