/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "site.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "crypto/crypto.h"

enum { NAME_BYTES = 24, TEXT_BYTES = 1024, PATH_BYTES = 320 };

/* What the file holds, each as a line "name = hexadecimal". */
struct part {
	const char *name;
	uint8_t *octets;
	size_t length;
};

enum { PARTS = 6 };

static void
parts_of(struct site *site, struct part parts[PARTS])
{
	parts[0] = (struct part){"connection_id", site->keys.conn_id, sizeof(site->keys.conn_id)};
	parts[1] = (struct part){
		"stateless_reset", site->keys.stateless_reset, sizeof(site->keys.stateless_reset)};
	parts[2] = (struct part){"token", site->keys.token, sizeof(site->keys.token)};
	parts[3] = (struct part){"ticket_id", site->tickets.keys[0].id, sizeof(site->tickets.keys[0].id)};
	parts[4] = (struct part){"ticket", site->tickets.keys[0].key, sizeof(site->tickets.keys[0].key)};
	parts[5] = (struct part){
		"connection_id_clear", site->keys.conn_id_clear, sizeof(site->keys.conn_id_clear)};
}

void
site_random(void *octets, size_t length)
{
	uint8_t *at = octets;

	while (length > 0) {
		ssize_t got = getrandom(at, length, 0);

		if (got < 0) {
			base_assert(errno == EINTR);
			continue;
		}
		at += got;
		length -= (size_t)got;
	}
}

static bool
fail(char *error, size_t room, const char *file, const char *what)
{
	snprintf(error, room, "%s: %s", file, what);
	return false;
}

static bool
parse_hex(const char *text, uint8_t *octets, size_t length)
{
	if (strspn(text, "0123456789abcdefABCDEF") != 2 * length)
		return false;
	for (size_t i = 0; i < length; i++) {
		char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};

		octets[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

static bool
parse(struct part parts[PARTS], const char *text)
{
	for (int i = 0; i < PARTS; i++) {
		char name[NAME_BYTES];
		const char *at = text;
		int length = snprintf(name, sizeof(name), "%s = ", parts[i].name);

		/* At the beginning of a line. */
		while (at != NULL && strncmp(at, name, (size_t)length) != 0) {
			at = strchr(at, '\n');
			at = at != NULL ? at + 1 : NULL;
		}
		if (at == NULL || !parse_hex(at + length, parts[i].octets, parts[i].length))
			return false;
	}
	return true;
}

static bool
read_keys(int fd, struct part parts[PARTS], const char *file, char *error, size_t room)
{
	char text[TEXT_BYTES];
	struct stat status;
	ssize_t length;
	bool parsed;

	if (fstat(fd, &status) != 0 || (status.st_mode & 077) != 0)
		return fail(error, room, file,
			"others may read the keys of the site; chmod 600 it, or draw new keys by removing it");
	length = read(fd, text, sizeof(text) - 1);
	if (length < 0)
		return fail(error, room, file, strerror(errno));
	text[length] = '\0';
	parsed = parse(parts, text);
	crypto_wipe(text, sizeof(text));
	return parsed ||
		fail(error, room, file,
			"this is no key file; copy it again from another gateway, or remove it to draw new keys");
}

/* Whole and on the disk, or not there at all. */
static bool
write_whole(const char *file, const char *text)
{
	char name[PATH_BYTES + 8];
	size_t length = strlen(text);
	bool written;
	int fd;

	snprintf(name, sizeof(name), "%s.new", file);
	unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	written = write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
	close(fd);
	return written && rename(name, file) == 0;
}

static bool
write_keys(struct part parts[PARTS], const char *file, char *error, size_t room)
{
	char text[TEXT_BYTES];
	size_t used = 0;
	bool written;

	for (int i = 0; i < PARTS; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s = ", parts[i].name);
		for (size_t j = 0; j < parts[i].length; j++)
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%02x", parts[i].octets[j]);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "\n");
	}
	written = write_whole(file, text);
	crypto_wipe(text, sizeof(text));
	return written ||
		fail(error, room, file,
			"the keys of the site cannot be written; name a file in a folder that can be");
}

static bool
raise_epoch(struct site *site, const char *file, char *error, size_t room)
{
	char name[PATH_BYTES], text[16];
	unsigned long epoch = 0;
	FILE *stream;
	int fields = 1;

	snprintf(name, sizeof(name), "%s.epoch", file);
	stream = fopen(name, "re");
	if (stream == NULL && errno != ENOENT)
		return fail(error, room, name, strerror(errno));
	if (stream != NULL) {
		fields = fscanf(stream, "%10lu", &epoch);
		fclose(stream);
	}
	if (fields != 1 || epoch >= UINT32_MAX)
		return fail(error, room, name,
			"the count of starts is lost; draw new keys by removing this file and the key file");
	site->epoch = (uint32_t)epoch + 1;
	snprintf(text, sizeof(text), "%" PRIu32 "\n", site->epoch);
	return write_whole(name, text) ||
		fail(error, room, name, "it cannot be written; put the key file in a folder that can be");
}

bool
site_open(struct site *site, const char *file, char *error, size_t room)
{
	struct part parts[PARTS];
	bool opened;
	int fd;

	memset(site, 0, sizeof(*site));
	parts_of(site, parts);
	for (int i = 0; i < PARTS; i++)
		site_random(parts[i].octets, parts[i].length);
	site_random(site->keys.table, sizeof(site->keys.table));
	site->tickets.count = 1;
	site->epoch = 1;
	if (file[0] == '\0')
		return true;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return fail(error, room, file, strerror(errno));
	if (fd < 0)
		opened = write_keys(parts, file, error, room);
	else
		opened = read_keys(fd, parts, file, error, room);
	if (fd >= 0)
		close(fd);
	return opened && raise_epoch(site, file, error, room);
}
