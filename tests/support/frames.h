/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One frame of every type but ACK, with values that tell their fields apart. */
#ifndef SUPPORT_FRAMES_H
#define SUPPORT_FRAMES_H

#include "quic/frame.h"

#define SUPPORT_OCTETS ((const uint8_t *)"octets of a frame")

static const struct quic_frame support_frames[] = {
	{.type = QUIC_FRAME_PADDING, .padding_length = 9},
	{.type = QUIC_FRAME_PING},
	{.type = QUIC_FRAME_RESET_STREAM, .reset_stream = {4, 70000, 1 << 20}},
	{.type = QUIC_FRAME_STOP_SENDING, .stop_sending = {8, 63}},
	{.type = QUIC_FRAME_CRYPTO, .stream = {.offset = 16384, .octets = SUPPORT_OCTETS, .length = 17}},
	{.type = QUIC_FRAME_CRYPTO, .stream = {.octets = SUPPORT_OCTETS}},
	{.type = QUIC_FRAME_NEW_TOKEN, .new_token = {SUPPORT_OCTETS, 17}},
	{.type = QUIC_FRAME_STREAM, .stream = {.stream_id = 3, .octets = SUPPORT_OCTETS, .length = 17}},
	{.type = QUIC_FRAME_STREAM,
		.stream = {.stream_id = 64, .offset = 5, .octets = SUPPORT_OCTETS, .length = 2, .fin = true}},
	{.type = QUIC_FRAME_STREAM, .stream = {.stream_id = 1, .octets = SUPPORT_OCTETS, .fin = true}},
	{.type = QUIC_FRAME_MAX_DATA, .limit = {0, BASE_VARINT_MAX}},
	{.type = QUIC_FRAME_MAX_STREAM_DATA, .limit = {12, 1 << 30}},
	{.type = QUIC_FRAME_MAX_STREAMS_BIDI, .limit = {0, QUIC_STREAMS_MAX}},
	{.type = QUIC_FRAME_MAX_STREAMS_UNI, .limit = {0, 3}},
	{.type = QUIC_FRAME_DATA_BLOCKED, .limit = {0, 16383}},
	{.type = QUIC_FRAME_STREAM_DATA_BLOCKED, .limit = {7, 0}},
	{.type = QUIC_FRAME_STREAMS_BLOCKED_BIDI, .limit = {0, 100}},
	{.type = QUIC_FRAME_STREAMS_BLOCKED_UNI, .limit = {0, 100}},
	{.type = QUIC_FRAME_NEW_CONNECTION_ID,
		.new_connection_id = {9, 4, {.length = 17, .octets = "a connection id.."}, {1, 2, 3}}},
	{.type = QUIC_FRAME_RETIRE_CONNECTION_ID, .retire_connection_id = {5}},
	{.type = QUIC_FRAME_PATH_CHALLENGE, .path_data = {1, 2, 3, 4, 5, 6, 7, 8}},
	{.type = QUIC_FRAME_PATH_RESPONSE, .path_data = {8, 7, 6, 5, 4, 3, 2, 1}},
	{.type = QUIC_FRAME_CONNECTION_CLOSE, .close = {0x0a, 0x1e, SUPPORT_OCTETS, 17}},
	{.type = QUIC_FRAME_CONNECTION_CLOSE_APPLICATION, .close = {0x100, 0, SUPPORT_OCTETS, 6}},
	{.type = QUIC_FRAME_HANDSHAKE_DONE},
	{.type = QUIC_FRAME_DATAGRAM, .stream = {.octets = SUPPORT_OCTETS, .length = 10}},
	/* Those that go to the end of the packet stand last. */
	{.type = QUIC_FRAME_DATAGRAM, .stream = {.octets = SUPPORT_OCTETS, .length = 3, .to_the_end = true}},
	{.type = QUIC_FRAME_STREAM,
		.stream = {.stream_id = 3,
			.offset = 9,
			.octets = SUPPORT_OCTETS,
			.length = 4,
			.to_the_end = true}},
};

enum { SUPPORT_FRAMES = sizeof(support_frames) / sizeof(support_frames[0]) };

#endif
