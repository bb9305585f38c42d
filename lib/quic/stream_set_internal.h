/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stream_set.c and stream_set_send.c share; for them only. */
#ifndef QUIC_STREAM_SET_INTERNAL_H
#define QUIC_STREAM_SET_INTERNAL_H

#include "quic/stream_set.h"

/* Frames of the connection that wait to be sent. Of two bits the lower is for bidirectional streams. */
enum {
	QUIC_SET_CONTROL_MAX_DATA = 1 << 0,
	QUIC_SET_CONTROL_MAX_STREAMS = 1 << 1,     /* and 1 << 2 */
	QUIC_SET_CONTROL_STREAMS_BLOCKED = 1 << 3, /* and 1 << 4 */
};

/* The index in set->kinds of streams that we, or the peer, open. */
unsigned quic_stream_set_kind(const struct quic_stream_set *set, bool ours, bool bidirectional);
/* After any change of a stream: puts it into the lists that it belongs to. */
void quic_stream_set_update(struct quic_stream_set *set, struct quic_stream *stream);

#endif
