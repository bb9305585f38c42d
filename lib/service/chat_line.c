/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/chat_line.h"

#include <string.h>

#include "base/text.h"

static void
put(struct chat_line *line, uint8_t octet)
{
	if (line->length == CHAT_LINE_BYTES) {
		line->too_long = true;
		return;
	}
	line->text[line->length++] = (char)octet;
}

void
chat_line_end(struct chat_line *line)
{
	line->whole = true;
	base_text_clean(line->text, line->length);
}

size_t
chat_line_take(struct chat_line *line, const uint8_t *octets, size_t length)
{
	size_t taken = 0;

	while (taken < length && !line->whole) {
		uint8_t octet = octets[taken++];

		if (octet == '\n') {
			chat_line_end(line);
			break;
		}
		/* Whether a CR is part of the end shows with the next octet. */
		if (line->carriage_return)
			put(line, '\r');
		line->carriage_return = octet == '\r';
		if (!line->carriage_return)
			put(line, octet);
	}
	return taken;
}

static bool
is_word(struct chat_text text)
{
	for (uint8_t i = 0; i < text.length; i++) {
		char c = text.octets[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '_' || c == '.'))
			return false;
	}
	return text.length > 0 && text.length <= CHAT_WORD_BYTES;
}

/* What stands behind "/command ", without blanks around it. */
static struct chat_text
behind(const struct chat_line *line, uint8_t at)
{
	uint8_t end = line->length;

	while (at < end && line->text[at] == ' ')
		at++;
	while (end > at && line->text[end - 1] == ' ')
		end--;
	return (struct chat_text){line->text + at, (uint8_t)(end - at)};
}

enum chat_command
chat_line_command(const struct chat_line *line, struct chat_text *argument)
{
	static const struct {
		const char *word;
		enum chat_command command;
		bool argument;
	} commands[] = {{"/join", CHAT_JOIN, true}, {"/name", CHAT_NAME, true}, {"/leave", CHAT_LEAVE, false},
		{"/help", CHAT_HELP, false}};

	*argument = (struct chat_text){line->text, line->length};
	if (line->length == 0 || line->text[0] != '/')
		return CHAT_SAY;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		uint8_t length = (uint8_t)strlen(commands[i].word);

		if (line->length < length || memcmp(line->text, commands[i].word, length) != 0 ||
			(line->length > length && line->text[length] != ' '))
			continue;
		*argument = behind(line, length);
		if (commands[i].argument ? !is_word(*argument) : argument->length > 0)
			return CHAT_BAD;
		return commands[i].command;
	}
	return CHAT_UNKNOWN;
}
