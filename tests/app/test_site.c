/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/millrace/site.h"

static char folder[] = "/tmp/millrace-site-XXXXXX";
static char file[64], epoch_file[80];
static char error[512];

static int
setup(void **state)
{
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/keys", folder);
	snprintf(epoch_file, sizeof(epoch_file), "%s.epoch", file);
	return 0;
}

static int
teardown(void **state)
{
	unlink(file);
	unlink(epoch_file);
	rmdir(folder);
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	return 0;
}

static void
write_file(const char *name, const char *text)
{
	FILE *stream = fopen(name, "w");

	assert_non_null(stream);
	fputs(text, stream);
	fclose(stream);
}

static void
site_open__draws_keys_without_a_file(void **state)
{
	struct site a, b;

	assert_true(site_open(&a, "", error, sizeof(error)));
	assert_true(site_open(&b, "", error, sizeof(error)));
	assert_memory_not_equal(a.keys.conn_id, b.keys.conn_id, sizeof(a.keys.conn_id));
	assert_int_equal(a.tickets.count, 1);
	assert_int_equal(a.epoch, 1);
}

static void
site_open__keeps_keys_and_raises_the_epoch(void **state)
{
	struct site first, second;
	struct stat status;

	assert_true(site_open(&first, file, error, sizeof(error)));
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_true(site_open(&second, file, error, sizeof(error)));
	assert_memory_equal(first.keys.conn_id, second.keys.conn_id, sizeof(first.keys.conn_id));
	assert_memory_equal(
		first.keys.conn_id_clear, second.keys.conn_id_clear, sizeof(first.keys.conn_id_clear));
	assert_memory_not_equal(first.keys.conn_id, first.keys.conn_id_clear, sizeof(first.keys.conn_id));
	assert_memory_equal(
		first.keys.stateless_reset, second.keys.stateless_reset, sizeof(first.keys.token));
	assert_memory_equal(first.keys.token, second.keys.token, sizeof(first.keys.token));
	assert_memory_equal(&first.tickets, &second.tickets, sizeof(first.tickets));
	assert_int_equal(first.epoch, 1);
	assert_int_equal(second.epoch, 2);
}

static void
site_open__refuses_a_file_that_others_may_read(void **state)
{
	struct site site;

	assert_true(site_open(&site, file, error, sizeof(error)));
	assert_int_equal(chmod(file, 0640), 0);
	assert_false(site_open(&site, file, error, sizeof(error)));
	assert_non_null(strstr(error, "chmod 600"));
}

static void
site_open__refuses_what_is_no_key_file(void **state)
{
	static const char *const wrong[] = {"", "connection_id = 00\n", "x"};
	struct site site;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_file(file, wrong[i]);
		assert_int_equal(chmod(file, 0600), 0);
		assert_false(site_open(&site, file, error, sizeof(error)));
		assert_non_null(strstr(error, "this is no key file"));
	}
}

/* Connection IDs must never be issued twice under one key, so a lost count is no fresh start. */
static void
site_open__refuses_a_lost_epoch(void **state)
{
	struct site site;

	assert_true(site_open(&site, file, error, sizeof(error)));
	write_file(epoch_file, "");
	assert_false(site_open(&site, file, error, sizeof(error)));
	write_file(epoch_file, "4294967295\n");
	assert_false(site_open(&site, file, error, sizeof(error)));
	assert_non_null(strstr(error, "the count of starts is lost"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(site_open__draws_keys_without_a_file),
		cmocka_unit_test_setup_teardown(site_open__keeps_keys_and_raises_the_epoch, setup, teardown),
		cmocka_unit_test_setup_teardown(
			site_open__refuses_a_file_that_others_may_read, setup, teardown),
		cmocka_unit_test_setup_teardown(site_open__refuses_what_is_no_key_file, setup, teardown),
		cmocka_unit_test_setup_teardown(site_open__refuses_a_lost_epoch, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
