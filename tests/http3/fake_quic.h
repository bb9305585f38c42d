/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A test double for the calls of quic/conn.h: streams are two buffers, and the test is the network. It
 * checks its callers as the core would: reading beyond what was offered, writing after the end, a reference
 * that is forgotten.
 */
#ifndef TESTS_HTTP3_FAKE_QUIC_H
#define TESTS_HTTP3_FAKE_QUIC_H

#include "quic/conn.h"

enum { FAKE_STREAMS = 64, FAKE_STREAM_BYTES = 1 << 18, FAKE_DATAGRAM_BYTES = 1200, FAKE_CONNS = 16 };

#define FAKE_NO_CODE UINT64_MAX

struct fake_stream {
	bool used, in_fin, in_done, out_fin;
	uint64_t id;
	void *user;
	uint8_t *in, *out; /* FAKE_STREAM_BYTES each */
	size_t in_length, in_read, out_length;
	uint64_t reset_code, stop_code; /* what we sent, or FAKE_NO_CODE */
	uint64_t cookies[16];
	uint32_t references; /* cookies not released */
	uint8_t urgency;
	bool incremental;
};

/* Finds connections by their slots. */
struct quic_endpoint {
	struct quic_conn *conns[FAKE_CONNS];
};

struct quic_conn {
	struct quic_handle handle; /* the test's to set */
	bool server, closed;
	uint64_t close_code; /* or FAKE_NO_CODE */
	void *user;
	const char *alpn;
	size_t segment_bytes; /* most that a read offers at once */
	size_t room_bytes;    /* most that a stream's output may hold in copies */
	uint64_t opened[2];   /* streams of ours: unidirectional, bidirectional */
	uint64_t allowed[2];
	uint32_t opens_short; /* so many calls to open a stream find no memory */
	uint32_t references_max;
	struct fake_stream streams[FAKE_STREAMS];
	uint8_t datagram[FAKE_DATAGRAM_BYTES];
	size_t datagram_length;
	uint32_t datagrams_sent;
};

struct quic_conn *fake_open(bool server, const char *alpn);
void fake_close(struct quic_conn *conn);
/* The stream, which begins to exist if it did not. */
struct fake_stream *fake_stream(struct quic_conn *conn, uint64_t stream_id);
/* Octets from the peer. The event to go with them is the test's. */
void fake_deliver(struct quic_conn *conn, uint64_t stream_id, const void *octets, size_t length, bool fin);
/* An event with the stream's user pointer in it. */
struct quic_event fake_event(struct quic_conn *conn, enum quic_event_type type, uint64_t stream_id);

#endif
