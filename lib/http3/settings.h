/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SETTINGS (RFC 9114 section 7.2.4): what each side says about itself once, with the values that count
 * until it has.
 */
#ifndef HTTP3_SETTINGS_H
#define HTTP3_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/writer.h"

enum http3_setting_id {
	HTTP3_SETTING_QPACK_MAX_TABLE_CAPACITY = 0x01, /* RFC 9204 section 5 */
	HTTP3_SETTING_MAX_FIELD_SECTION_SIZE = 0x06,
	HTTP3_SETTING_QPACK_BLOCKED_STREAMS = 0x07,
	HTTP3_SETTING_ENABLE_CONNECT_PROTOCOL = 0x08, /* RFC 9220 */
	HTTP3_SETTING_H3_DATAGRAM = 0x33              /* RFC 9297 */
};

struct http3_settings {
	uint64_t max_field_section_bytes; /* UINT64_MAX: no limit */
	bool enable_connect_protocol;
	bool h3_datagram;
	uint8_t seen; /* one bit per setting known to us, to find duplicates */
};

void http3_settings_init(struct http3_settings *settings);
/*
 * One identifier and value of the peer's frame. 0 or HTTP3_SETTINGS_ERROR; what is unknown is ignored, and
 * so is the dynamic table that the peer would allow, for we use none.
 */
uint64_t http3_settings_take(struct http3_settings *settings, uint64_t id, uint64_t value);
/* A whole SETTINGS frame: a dynamic table of 0, the limit, and one reserved setting chosen by `grease`. */
void http3_settings_write(struct base_writer *writer, uint64_t max_field_section_bytes, uint64_t grease);

#endif
