/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/file_path.h"

#include <string.h>

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next octet of the target, decoded; -1 for a broken escape or a NUL. */
static int
next_octet(struct http3_text target, size_t *at)
{
	int high, low, octet;

	if (target.octets[*at] != '%') {
		octet = (unsigned char)target.octets[(*at)++];
		return octet == 0 ? -1 : octet;
	}
	if (target.length - *at < 3)
		return -1;
	high = hex_digit(target.octets[*at + 1]);
	low = hex_digit(target.octets[*at + 2]);
	*at += 3;
	/* Zero is a NUL in disguise. */
	return high < 0 || low < 0 || (high | low) == 0 ? -1 : high << 4 | low;
}

/*
 * A segment that ends here, from the slash before it: a dot segment goes, two dots take their parent along.
 */
static bool
end_segment(const char *normal, size_t *length, size_t *segment)
{
	const char *name = normal + *segment;
	size_t size = *length - *segment;

	if (size == 0)
		return true;
	if (size == 1 && name[0] == '.') {
		*length = *segment;
	} else if (size == 2 && name[0] == '.' && name[1] == '.') {
		size_t parent = *segment - 1;

		if (parent == 0)
			return false;
		while (normal[parent - 1] != '/')
			parent--;
		*length = parent;
		*segment = parent;
	}
	return true;
}

bool
file_path_normal(struct http3_text target, char *normal, size_t room, size_t *length)
{
	static const char index[] = "index.html";
	size_t used = 1, segment = 1, at = 1;

	if (target.length == 0 || target.octets[0] != '/' || room < 2)
		return false;
	normal[0] = '/';
	while (at < target.length && target.octets[at] != '?' && target.octets[at] != '#') {
		int octet = next_octet(target, &at);

		if (octet < 0 || used == room)
			return false;
		if (octet != '/') {
			normal[used++] = (char)octet;
			continue;
		}
		if (!end_segment(normal, &used, &segment))
			return false;
		if (used > segment) {
			if (used == room)
				return false;
			normal[used++] = '/';
			segment = used;
		}
	}
	if (!end_segment(normal, &used, &segment))
		return false;
	if (used == segment) {
		if (room - used < sizeof(index) - 1)
			return false;
		memcpy(normal + used, index, sizeof(index) - 1);
		used += sizeof(index) - 1;
	}
	*length = used;
	return true;
}

static const struct {
	const char *extension;
	const char *content_type;
} types[] = {
	{"html", "text/html; charset=utf-8"},
	{"htm", "text/html; charset=utf-8"},
	{"css", "text/css; charset=utf-8"},
	{"js", "text/javascript; charset=utf-8"},
	{"mjs", "text/javascript; charset=utf-8"},
	{"json", "application/json"},
	{"txt", "text/plain; charset=utf-8"},
	{"md", "text/markdown; charset=utf-8"},
	{"csv", "text/csv; charset=utf-8"},
	{"xml", "application/xml"},
	{"svg", "image/svg+xml"},
	{"png", "image/png"},
	{"jpg", "image/jpeg"},
	{"jpeg", "image/jpeg"},
	{"gif", "image/gif"},
	{"webp", "image/webp"},
	{"avif", "image/avif"},
	{"ico", "image/x-icon"},
	{"woff", "font/woff"},
	{"woff2", "font/woff2"},
	{"ttf", "font/ttf"},
	{"otf", "font/otf"},
	{"wasm", "application/wasm"},
	{"pdf", "application/pdf"},
	{"zip", "application/zip"},
	{"gz", "application/gzip"},
	{"mp3", "audio/mpeg"},
	{"ogg", "audio/ogg"},
	{"wav", "audio/wav"},
	{"mp4", "video/mp4"},
	{"webm", "video/webm"},
	{"webmanifest", "application/manifest+json"},
};

static bool
same_letters(struct http3_text text, const char *lower_case)
{
	if (strlen(lower_case) != text.length)
		return false;
	for (uint32_t i = 0; i < text.length; i++) {
		char c = text.octets[i];

		if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != lower_case[i])
			return false;
	}
	return true;
}

struct http3_text
file_content_type(struct http3_text path)
{
	struct http3_text extension = {.octets = path.octets + path.length, .length = 0};

	while (extension.length < path.length && extension.octets[-1] != '/' && extension.octets[-1] != '.') {
		extension.octets--;
		extension.length++;
	}
	if (extension.length == path.length || extension.octets[-1] != '.')
		extension.length = 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (same_letters(extension, types[i].extension))
			return http3_text(types[i].content_type);
	}
	return http3_text("application/octet-stream");
}
