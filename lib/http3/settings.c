/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/settings.h"

#include "base/assert.h"
#include "http3/error.h"
#include "http3/frame.h"

void
http3_settings_init(struct http3_settings *settings)
{
	*settings = (struct http3_settings){.max_field_section_bytes = UINT64_MAX};
}

/* Section 7.2.4: an identifier must not come twice. */
static uint64_t
note(struct http3_settings *settings, unsigned bit)
{
	uint8_t mask = (uint8_t)(1U << bit);

	if ((settings->seen & mask) != 0)
		return HTTP3_SETTINGS_ERROR;
	settings->seen |= mask;
	return 0;
}

static uint64_t
take_flag(bool *flag, uint64_t value)
{
	if (value > 1)
		return HTTP3_SETTINGS_ERROR;
	*flag = value == 1;
	return 0;
}

uint64_t
http3_settings_take(struct http3_settings *settings, uint64_t id, uint64_t value)
{
	uint64_t error = 0;

	switch (id) {
	case HTTP3_SETTING_QPACK_MAX_TABLE_CAPACITY:
		return note(settings, 0);
	case HTTP3_SETTING_QPACK_BLOCKED_STREAMS:
		return note(settings, 1);
	case HTTP3_SETTING_MAX_FIELD_SECTION_SIZE:
		settings->max_field_section_bytes = value;
		return note(settings, 2);
	case HTTP3_SETTING_ENABLE_CONNECT_PROTOCOL:
		error = take_flag(&settings->enable_connect_protocol, value);
		return error != 0 ? error : note(settings, 3);
	case HTTP3_SETTING_H3_DATAGRAM:
		error = take_flag(&settings->h3_datagram, value);
		return error != 0 ? error : note(settings, 4);
	/* Section 7.2.4.1: settings of HTTP/2 without a counterpart. */
	case 0x02:
	case 0x03:
	case 0x04:
	case 0x05:
		return HTTP3_SETTINGS_ERROR;
	default:
		return 0;
	}
}

void
http3_settings_write(struct base_writer *writer, uint64_t max_field_section_bytes, uint64_t grease)
{
	uint8_t payload[64];
	struct base_writer settings = base_writer(payload, sizeof(payload));

	base_writer_varint(&settings, HTTP3_SETTING_QPACK_MAX_TABLE_CAPACITY);
	base_writer_varint(&settings, 0);
	base_writer_varint(&settings, HTTP3_SETTING_MAX_FIELD_SECTION_SIZE);
	base_writer_varint(&settings, max_field_section_bytes);
	base_writer_varint(&settings, HTTP3_SETTING_QPACK_BLOCKED_STREAMS);
	base_writer_varint(&settings, 0);
	if (grease != 0) {
		base_writer_varint(&settings, http3_grease(grease % 1000));
		base_writer_varint(&settings, grease);
	}
	base_assert(base_writer_ok(&settings));
	http3_frame_header_write(writer, HTTP3_FRAME_SETTINGS, base_writer_length(&settings));
	base_writer_octets(writer, payload, base_writer_length(&settings));
}
