/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that others have written, before it goes to somebody's terminal. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>

/*
 * Each octet that is not part of a well-formed character of UTF-8 (RFC 3629 section 4), and each of a control character (of ASCII, DEL, U+0080
 * to U+009F), becomes "?". The first would be obeyed by terminals that read octets or forgive too long forms, the others by all.
 */
void base_text_clean(char *text, size_t length);

#endif
