/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/config/support.h"

static char *
printed(const struct config *from, bool explain)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	assert_non_null(stream);
	config_print(stream, from, explain);
	fclose(stream);
	return text;
}

static char *
file_text(const char *name, char *path, size_t room)
{
	static char text[65536];
	FILE *stream;
	size_t length;

	snprintf(path, room, "%s/%s", getenv("MILLRACE_CONFIG"), name);
	stream = fopen(path, "r");
	assert_non_null(stream);
	length = fread(text, 1, sizeof(text) - 1, stream);
	fclose(stream);
	text[length] = '\0';
	return text;
}

static void
config_print__is_read_back_as_it_was(void **state)
{
	static struct config other;
	char path[300];
	char *text;

	file_text("demo.toml", path, sizeof(path));
	assert_true(config_load(&other, path, &mistakes));
	text = printed(&other, false);
	assert_true(reads(text));
	other.origin = config.origin;
	assert_memory_equal(&config, &other, sizeof(config));
	free(text);
}

static void
config_print__escapes_texts(void **state)
{
	static struct config other;
	char *text;

	config_example(&other);
	strcpy(other.files.root, "a\"b\\c");
	text = printed(&other, false);
	assert_true(reads(text));
	assert_string_equal(config.files.root, "a\"b\\c");
	free(text);
}

/* The file is the table of keys, printed: no key is missing, and its values are the defaults. */
static void
config_example__is_the_file_that_explains_every_key(void **state)
{
	static struct config example;
	char path[300];
	char *text;

	config_example(&example);
	text = printed(&example, true);
	assert_string_equal(file_text("millrace.toml", path, sizeof(path)), text);
	free(text);
	assert_true(config_load(&config, path, &mistakes));
	example.origin = config.origin;
	assert_memory_equal(&config, &example, sizeof(config));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_print__is_read_back_as_it_was),
		cmocka_unit_test(config_print__escapes_texts),
		cmocka_unit_test(config_example__is_the_file_that_explains_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
