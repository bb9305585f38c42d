/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of a chat, as they come from the wire: put together from pieces, bounded, cleaned, and told apart. */
#ifndef SERVICE_CHAT_LINE_H
#define SERVICE_CHAT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHAT_LINE_BYTES = 160, CHAT_WORD_BYTES = 24 };

/* All zero is an empty one. */
struct chat_line {
	uint8_t length;
	bool whole;           /* its end has come; nothing more is taken */
	bool carriage_return; /* came, and is not kept yet */
	bool too_long;        /* what is beyond CHAT_LINE_BYTES was left out */
	char text[CHAT_LINE_BYTES];
};

/* Takes octets up to the end of the line (LF, or CR LF; neither is kept) and returns how many. */
size_t chat_line_take(struct chat_line *line, const uint8_t *octets, size_t length);
/* What has been taken is the line, as at its end: what a terminal might obey becomes "?" (base/text.h). */
void chat_line_end(struct chat_line *line);

enum chat_command {
	CHAT_SAY,     /* no command: the text is said in the room; may be empty */
	CHAT_JOIN,    /* /join ROOM */
	CHAT_NAME,    /* /name NAME */
	CHAT_LEAVE,   /* /leave */
	CHAT_HELP,    /* /help */
	CHAT_UNKNOWN, /* another word after the slash */
	CHAT_BAD      /* what stands behind the command is no word */
};

struct chat_text {
	const char *octets; /* not terminated */
	uint8_t length;
};

/* What a whole line says; `argument` is the text to say, or the word behind the command: letters of ASCII, digits, "-", "_", "." */
enum chat_command chat_line_command(const struct chat_line *line, struct chat_text *argument);

#endif
