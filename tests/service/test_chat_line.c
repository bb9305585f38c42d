/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/chat_line.h"

#include <string.h>

#include "tests/support/cmocka_all.h"

static struct chat_line
line_of(const char *text)
{
	struct chat_line line = {0};

	chat_line_take(&line, (const uint8_t *)text, strlen(text));
	return line;
}

static void
assert_text(const struct chat_line *line, const char *text)
{
	assert_int_equal(line->length, strlen(text));
	assert_memory_equal(line->text, text, line->length);
}

static void
chat_line_take__ends_with_lf_or_cr_lf(void **state)
{
	static const char text[] = "hello\r\nthere\nrest";
	struct chat_line line = {0};
	size_t at = chat_line_take(&line, (const uint8_t *)text, strlen(text));

	assert_int_equal(at, 7);
	assert_true(line.whole);
	assert_text(&line, "hello");
	assert_int_equal(chat_line_take(&line, (const uint8_t *)text + at, 1), 0);
	line = (struct chat_line){0};
	assert_int_equal(chat_line_take(&line, (const uint8_t *)text + 7, strlen(text) - 7), 6);
	assert_text(&line, "there");
}

static void
chat_line_take__does_not_mind_pieces(void **state)
{
	static const char text[] = "a\rb\r\n";

	for (size_t cut = 0; cut < strlen(text); cut++) {
		struct chat_line line = {0};

		assert_int_equal(chat_line_take(&line, (const uint8_t *)text, cut), cut);
		assert_false(line.whole);
		chat_line_take(&line, (const uint8_t *)text + cut, strlen(text) - cut);
		assert_true(line.whole);
		assert_text(&line, "a?b");
	}
}

static void
chat_line_take__leaves_nothing_for_a_terminal_to_obey(void **state)
{
	struct chat_line line = line_of("\x1b[2J \a\x7f \xc2\x9b \xc3\xa9\n");

	assert_text(&line, "?[2J ?? ?? \xc3\xa9");
	/* Octets that are no UTF-8, as a terminal of ISO 8859 reads them, and at the end of the stream. */
	line = line_of("\x9b"
		       "31m \xc0\x9b \xe2\x82\n");
	assert_text(&line, "?31m ?? ??");
	line = line_of("\x9b"
		       "31m \xc3");
	chat_line_end(&line);
	assert_true(line.whole);
	assert_text(&line, "?31m ?");
}

static void
chat_line_take__bounds_a_line(void **state)
{
	char text[CHAT_LINE_BYTES + 2];
	struct chat_line line;

	memset(text, 'x', sizeof(text));
	text[CHAT_LINE_BYTES] = '\n';
	text[CHAT_LINE_BYTES + 1] = '\0';
	line = line_of(text);
	assert_false(line.too_long);
	assert_int_equal(line.length, CHAT_LINE_BYTES);
	line = (struct chat_line){0};
	chat_line_take(&line, (const uint8_t *)text, 1);
	chat_line_take(&line, (const uint8_t *)text, sizeof(text) - 1);
	assert_true(line.too_long && line.whole);
	assert_int_equal(line.length, CHAT_LINE_BYTES);
}

static void
chat_line_command__is_told_from_what_is_said(void **state)
{
	static const struct {
		const char *line;
		enum chat_command command;
		const char *argument;
	} rows[] = {{"hello /join\n", CHAT_SAY, "hello /join"}, {"\n", CHAT_SAY, ""},
		{"/join kitchen\n", CHAT_JOIN, "kitchen"}, {"/join  a-b_c.9  \n", CHAT_JOIN, "a-b_c.9"},
		{"/join\n", CHAT_BAD, NULL}, {"/join two words\n", CHAT_BAD, NULL},
		{"/join 1234567890123456789012345\n", CHAT_BAD, NULL},
		{"/join 123456789012345678901234\n", CHAT_JOIN, "123456789012345678901234"},
		{"/join k\xc3\xbc\n", CHAT_BAD, NULL}, {"/joined x\n", CHAT_UNKNOWN, NULL},
		{"/name ada\n", CHAT_NAME, "ada"}, {"/leave\n", CHAT_LEAVE, ""},
		{"/leave now\n", CHAT_BAD, NULL}, {"/help\n", CHAT_HELP, ""}, {"/\n", CHAT_UNKNOWN, NULL},
		{"/jump\n", CHAT_UNKNOWN, NULL}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct chat_line line = line_of(rows[i].line);
		struct chat_text argument;

		assert_int_equal(chat_line_command(&line, &argument), rows[i].command);
		if (rows[i].argument == NULL)
			continue;
		assert_int_equal(argument.length, strlen(rows[i].argument));
		assert_memory_equal(argument.octets, rows[i].argument, argument.length);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chat_line_take__ends_with_lf_or_cr_lf),
		cmocka_unit_test(chat_line_take__does_not_mind_pieces),
		cmocka_unit_test(chat_line_take__leaves_nothing_for_a_terminal_to_obey),
		cmocka_unit_test(chat_line_take__bounds_a_line),
		cmocka_unit_test(chat_line_command__is_told_from_what_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
