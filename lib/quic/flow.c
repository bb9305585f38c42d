/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/flow.h"

#include "base/assert.h"
#include "base/writer.h"

void
quic_flow_send_init(struct quic_flow_send *flow, uint64_t limit)
{
	*flow = (struct quic_flow_send){.limit = limit};
}

bool
quic_flow_send_raise(struct quic_flow_send *flow, uint64_t limit)
{
	if (limit <= flow->limit)
		return false;
	flow->limit = limit;
	return true;
}

void
quic_flow_send_use(struct quic_flow_send *flow, uint64_t bytes)
{
	base_assert(bytes <= quic_flow_send_room(flow));
	flow->used += bytes;
}

bool
quic_flow_send_blocked(const struct quic_flow_send *flow)
{
	return flow->used == flow->limit && flow->blocked_at != flow->limit + 1;
}

void
quic_flow_send_on_blocked_sent(struct quic_flow_send *flow)
{
	flow->blocked_at = flow->limit + 1;
}

void
quic_flow_send_on_blocked_lost(struct quic_flow_send *flow, uint64_t limit)
{
	if (flow->blocked_at == limit + 1)
		flow->blocked_at = 0;
}

void
quic_flow_receive_init(struct quic_flow_receive *flow, uint64_t window_bytes, uint64_t window_max_bytes)
{
	*flow = (struct quic_flow_receive){
		.limit = window_bytes, .window_bytes = window_bytes, .window_max_bytes = window_max_bytes};
}

uint64_t
quic_flow_receive_allows(const struct quic_flow_receive *flow, uint64_t bytes)
{
	return bytes > flow->limit - flow->received ? QUIC_FLOW_CONTROL_ERROR : QUIC_NO_ERROR;
}

void
quic_flow_receive_use(struct quic_flow_receive *flow, uint64_t bytes)
{
	base_assert(bytes <= flow->limit - flow->received);
	flow->received += bytes;
}

void
quic_flow_receive_consume(struct quic_flow_receive *flow, uint64_t bytes)
{
	base_assert(bytes <= flow->received - flow->consumed);
	flow->consumed += bytes;
}

bool
quic_flow_receive_due(const struct quic_flow_receive *flow)
{
	return flow->limit < BASE_VARINT_MAX && flow->limit - flow->consumed <= flow->window_bytes / 2;
}

uint64_t
quic_flow_receive_update(struct quic_flow_receive *flow, uint64_t smoothed_rtt_ns, uint64_t now_ns)
{
	uint64_t limit;

	if (flow->updated_ns != 0 && now_ns - flow->updated_ns < 4 * smoothed_rtt_ns) {
		flow->window_bytes *= 2;
		if (flow->window_bytes > flow->window_max_bytes)
			flow->window_bytes = flow->window_max_bytes;
	}
	flow->updated_ns = now_ns;
	limit = flow->consumed + flow->window_bytes;
	if (limit > BASE_VARINT_MAX)
		limit = BASE_VARINT_MAX;
	/* A limit that was announced is never taken back. */
	if (limit > flow->limit)
		flow->limit = limit;
	return flow->limit;
}
