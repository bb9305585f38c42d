/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Priorities of RFC 9218: the value of the priority field and of PRIORITY_UPDATE, a dictionary of RFC 8941.
 */
#ifndef HTTP3_PRIORITY_H
#define HTTP3_PRIORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "http3/field.h"

struct http3_priority {
	uint8_t urgency; /* 0 first, 7 last */
	bool incremental;
};

#define HTTP3_PRIORITY_DEFAULT ((struct http3_priority){.urgency = 3, .incremental = false})

/*
 * Unknown members and values out of range are ignored, as section 4 says; a value that is no dictionary is
 * the default.
 */
struct http3_priority http3_priority_parse(struct http3_text value);

#endif
