/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be said of an object before it is loaded; whole ones are in tests/system. */
#include "app/millrace/objects.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cmocka_all.h"

static struct config config;
static char path[] = "/tmp/millrace-object-XXXXXX";

static int
setup(void **state)
{
	int file;

	strcpy(path + sizeof(path) - 7, "XXXXXX");
	file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, "no object\n", 10), 10);
	close(file);
	config_defaults(&config);
	config.service_count = 1;
	snprintf(config.service[0].file, sizeof(config.service[0].file), "%s", path);
	strcpy(config.origin.file, "f.toml");
	config.origin.service_lines[0] = 12;
	return 0;
}

static int
teardown(void **state)
{
	unlink(path);
	return 0;
}

static void
assert_refused(const char *what)
{
	char error[512] = "", wanted[512];

	snprintf(wanted, sizeof(wanted), "f.toml:12: service.file: %s: ", config.service[0].file);
	assert_null(objects_open(&config, error, sizeof(error)));
	assert_memory_equal(error, wanted, strlen(wanted));
	assert_non_null(strstr(error, what));
	/* There is a mend. */
	assert_non_null(strchr(error, ';'));
}

static void
objects_open__says_where_and_what_is_wrong(void **state)
{
	assert_refused("it cannot be loaded");
	assert_int_equal(chmod(path, 0622), 0);
	assert_refused("others than its owner may write to it");
	assert_int_equal(chmod(path, 0620), 0);
	assert_refused("others than its owner may write to it");
	strcpy(config.service[0].file, "/tmp");
	assert_refused("it is no file");
	strcpy(config.service[0].file, "/nowhere/at/all.so");
	assert_refused("it cannot be opened (No such file or directory)");
}

static void
objects_offer__is_nothing_without_objects(void **state)
{
	struct tls_settings settings = {.alpn_count = 1};
	struct objects *objects;
	char error[512];

	config.service_count = 0;
	objects = objects_open(&config, error, sizeof(error));
	assert_non_null(objects);
	objects_offer(objects, &settings);
	assert_int_equal(settings.alpn_count, 1);
	assert_null(objects_alpn(objects, 0));
	objects_close(objects);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(objects_open__says_where_and_what_is_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(objects_offer__is_nothing_without_objects, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
