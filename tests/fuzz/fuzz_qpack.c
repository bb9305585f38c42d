/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A field section of any octets: what can be decoded is checked as a request, encoded, and decodes to the
 * same again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/assert.h"
#include "http3/message.h"
#include "http3/qpack.h"
#include "http3/qpack_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

enum { SECTION_BYTES = 2048 };

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
	void *one_memory = aligned_alloc(64, http3_qpack_bytes(SECTION_BYTES));
	void *two_memory = aligned_alloc(64, http3_qpack_bytes(4 * SECTION_BYTES));
	struct http3_qpack *one = http3_qpack_open(one_memory, SECTION_BYTES);
	struct http3_qpack *two = http3_qpack_open(two_memory, 4 * SECTION_BYTES);
	struct http3_qpack_stream stream = {0};
	const struct http3_field *fields, *again;
	struct http3_message message;
	uint16_t count, count_again;
	uint8_t encoded[8192];
	struct base_writer writer = base_writer(encoded, sizeof(encoded));

	http3_qpack_stream_decoder(&stream, octets, length);
	http3_qpack_stream_encoder(octets, length);
	if (http3_qpack_decode(one, octets, length, &fields, &count) == HTTP3_QPACK_OK) {
		http3_message_check(&message, HTTP3_MESSAGE_REQUEST, fields, count);
		http3_message_check(&message, HTTP3_MESSAGE_RESPONSE, fields, count);
		if (count <= HTTP3_FIELDS_ENCODED_MAX) {
			http3_qpack_encode(two, &writer, fields, count);
			base_assert(base_writer_ok(&writer));
			base_assert(http3_qpack_decode(two, encoded, base_writer_length(&writer), &again,
					    &count_again) == HTTP3_QPACK_OK);
			base_assert(count_again == count);
			for (uint16_t i = 0; i < count; i++)
				base_assert(http3_text_equal(fields[i].name, again[i].name) &&
					http3_text_equal(fields[i].value, again[i].value));
		}
	}
	free(one_memory);
	free(two_memory);
	return 0;
}
