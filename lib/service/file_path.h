/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the name of a file says: the path that a request target means, and the content type of an extension.
 */
#ifndef SERVICE_FILE_PATH_H
#define SERVICE_FILE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "http3/field.h"

/*
 * The path of a request target in its one normal form: query and fragment cut off, percent-encoding
 * decoded, empty and dot segments removed, "index.html" behind a final slash. False when it climbs above
 * the root, has a NUL or a broken escape, does not begin with a slash, or does not fit `room`.
 */
bool file_path_normal(struct http3_text target, char *normal, size_t room, size_t *length);

/* By the extension; application/octet-stream when it is not known. */
struct http3_text file_content_type(struct http3_text path);

#endif
