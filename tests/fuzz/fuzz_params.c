/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transport parameters; the first octet says who sends them. What passes can be written, and is the same when it
 * is read again.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "quic/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t first[1024];
	uint8_t second[1024];
	struct base_writer one = base_writer(first, sizeof(first));
	struct base_writer two = base_writer(second, sizeof(second));
	struct quic_params params;
	enum quic_role sender;

	if (size == 0)
		return 0;
	sender = (data[0] & 1) != 0 ? QUIC_SERVER : QUIC_CLIENT;
	if (quic_params_parse(&params, data + 1, size - 1, sender) != QUIC_NO_ERROR)
		return 0;
	base_assert(params.ack_delay_exponent <= 20 && params.max_ack_delay_ms < 1 << 14);
	base_assert(params.active_connection_id_limit >= 2 && params.max_udp_payload_size >= 1200);
	base_assert(quic_params_write(&one, &params, sender, NULL));
	base_assert(quic_params_parse(&params, first, base_writer_length(&one), sender) == QUIC_NO_ERROR);
	base_assert(quic_params_write(&two, &params, sender, NULL));
	base_assert(base_writer_length(&one) == base_writer_length(&two));
	base_assert(memcmp(first, second, base_writer_length(&one)) == 0);
	return 0;
}
