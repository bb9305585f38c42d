/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fields of a request that say which part of a file is wanted, and whether at all (RFC 9110 sections 13 and
 * 14).
 */
#ifndef SERVICE_FILE_RANGE_H
#define SERVICE_FILE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "http3/field.h"

enum file_range_result {
	FILE_RANGE_WHOLE, /* no range, one that is not understood, or several: all of it */
	FILE_RANGE_PART,
	FILE_RANGE_UNSATISFIABLE
};

struct file_range {
	uint64_t first;
	uint64_t last; /* inclusive */
};

/* The value of Range for a file of `length` octets. */
enum file_range_result file_range_parse(struct http3_text value, uint64_t length, struct file_range *range);

/* Whether If-None-Match names this entity tag, by the weak comparison, or any ("*"). */
bool file_etag_listed(struct http3_text list, struct http3_text etag);

#endif
