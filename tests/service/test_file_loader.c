/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/millrace/file_loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void *
take(void *user, size_t bytes)
{
	void **memory = user;

	*memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	return *memory;
}

static void
write_file(const char *directory, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
file_loader_load__files_but_not_hidden_ones_or_links(void **state)
{
	char directory[] = "/tmp/millrace_files_XXXXXX", below[64], link[64], sentence[FILE_LOADER_SENTENCE];
	void *memory = NULL;
	struct file_loader loader = {.directory = directory, .take = take, .user = &memory};
	struct file_set *set;
	const struct file *file;
	char command[96];

	assert_non_null(mkdtemp(directory));
	snprintf(below, sizeof(below), "%s/below", directory);
	assert_int_equal(mkdir(below, 0700), 0);
	snprintf(link, sizeof(link), "%s/link.txt", directory);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	write_file(directory, "index.html", "<p>");
	write_file(directory, ".hidden", "no");
	write_file(directory, "empty", "");
	write_file(below, "a b.css", "p{}");

	set = file_loader_load(&loader, sentence);
	assert_non_null(set);
	assert_int_equal(file_set_count(set), 3);
	assert_int_equal(file_set_lookup(set, http3_text("/below/a%20b.css"), &file), FILE_FOUND);
	assert_memory_equal(file->body, "p{}", 3);
	assert_true(http3_text_is(file->content_type, "text/css; charset=utf-8"));
	assert_int_equal(file_set_lookup(set, http3_text("/"), &file), FILE_FOUND);
	free(memory);

	snprintf(link, sizeof(link), "%s//", directory);
	loader.directory = link;
	set = file_loader_load(&loader, sentence);
	assert_non_null(set);
	assert_non_null(file_set_find(set, http3_text("/below/a b.css")));
	free(memory);

	loader.bytes_max = 100;
	assert_null(file_loader_load(&loader, sentence));
	assert_non_null(strstr(sentence, "octets of memory"));
	snprintf(command, sizeof(command), "rm -r '%s'", directory);
	assert_int_equal(system(command), 0);
}

static void
file_loader_load__says_what_is_wrong(void **state)
{
	char sentence[FILE_LOADER_SENTENCE];
	void *memory;
	struct file_loader loader = {.directory = "/nonexistent", .take = take, .user = &memory};

	assert_null(file_loader_load(&loader, sentence));
	assert_string_equal(sentence,
		"/nonexistent: No such file or directory; make it readable, or name another folder");
	loader.directory = "/etc/passwd";
	assert_null(file_loader_load(&loader, sentence));
	assert_string_equal(sentence, "/etc/passwd: this is a file; name a directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_loader_load__files_but_not_hidden_ones_or_links),
		cmocka_unit_test(file_loader_load__says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
