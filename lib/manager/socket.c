/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/socket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char PREFIX[] = "dpdk_telemetry.v2";

/* Numbers behind the name are those of several processes of one name. */
static bool
is_socket(int folder, const char *name, struct stat *status)
{
	return strncmp(name, PREFIX, sizeof(PREFIX) - 1) == 0 &&
		fstatat(folder, name, status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(status->st_mode);
}

static bool
secure(int folder, const char *name)
{
	struct stat status;

	return fchmodat(folder, name, S_IRUSR | S_IWUSR, 0) == 0 && is_socket(folder, name, &status) &&
		(status.st_mode & ALLPERMS) == (S_IRUSR | S_IWUSR);
}

enum manager_socket_result
manager_socket_secure(const char *folder, char *error, size_t room)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	struct stat status;
	unsigned found = 0;
	bool ok = true;

	while (ok && entries != NULL && (entry = readdir(entries)) != NULL) {
		if (!is_socket(dirfd(entries), entry->d_name, &status))
			continue;
		found++;
		ok = secure(dirfd(entries), entry->d_name);
		if (!ok)
			snprintf(error, room,
				"%s/%s: the control socket cannot be closed to other users (%s); run the gateway as its owner",
				folder, entry->d_name, strerror(errno));
	}
	if (entries != NULL)
		closedir(entries);
	if (found == 0)
		snprintf(error, room,
			"%s: there is no control socket, and millracectl will find nothing; let DPDK have its telemetry",
			folder);
	if (!ok)
		return MANAGER_SOCKET_OPEN;
	return found > 0 ? MANAGER_SOCKET_SECURE : MANAGER_SOCKET_NONE;
}
