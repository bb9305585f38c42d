/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "manager/socket.h"

static char folder[64];
static char error[256];

static int
setup(void **state)
{
	strcpy(folder, "/tmp/millrace-test.XXXXXX");
	error[0] = '\0';
	return mkdtemp(folder) == NULL;
}

static const char *
path(const char *name)
{
	static char text[100];

	snprintf(text, sizeof(text), "%s/%s", folder, name);
	return text;
}

static int
teardown(void **state)
{
	unlink(path("dpdk_telemetry.v2"));
	unlink(path("dpdk_telemetry.v2:1"));
	unlink(path("dpdk_telemetry.v2:2"));
	unlink(path("other"));
	return rmdir(folder);
}

static void
listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path(name));
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(chmod(path(name), 0777), 0);
	close(listener);
}

static unsigned
mode_of(const char *name)
{
	struct stat status;

	assert_int_equal(stat(path(name), &status), 0);
	return status.st_mode & ALLPERMS;
}

static void
manager_socket_secure__closes_all_of_them_to_others(void **state)
{
	listen_at("dpdk_telemetry.v2");
	listen_at("dpdk_telemetry.v2:1");
	listen_at("other");
	assert_int_equal(manager_socket_secure(folder, error, sizeof(error)), MANAGER_SOCKET_SECURE);
	assert_int_equal(mode_of("dpdk_telemetry.v2"), 0600);
	assert_int_equal(mode_of("dpdk_telemetry.v2:1"), 0600);
	assert_int_equal(mode_of("other"), 0777);
}

static void
manager_socket_secure__wants_one(void **state)
{
	FILE *file = fopen(path("dpdk_telemetry.v2"), "w");

	fclose(file);
	assert_int_equal(symlink("/dev/log", path("dpdk_telemetry.v2:2")), 0);
	assert_int_equal(manager_socket_secure(folder, error, sizeof(error)), MANAGER_SOCKET_NONE);
	assert_non_null(strstr(error, "there is no control socket"));
	assert_int_equal(manager_socket_secure("/nonexistent", error, sizeof(error)), MANAGER_SOCKET_NONE);
	assert_non_null(strstr(error, "/nonexistent: there is no control socket"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			manager_socket_secure__closes_all_of_them_to_others, setup, teardown),
		cmocka_unit_test_setup_teardown(manager_socket_secure__wants_one, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
