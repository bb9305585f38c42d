/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a service may do with a connection: read and write its streams, send datagrams, ask about it, close it. A connection
 * pointer is valid within the turn that got it from an event; a quic_handle (quic/endpoint.h) is what may be kept.
 *
 * None of these calls sends: they leave work for quic_endpoint_send(). Streams are named by their RFC 9000 section 2.1 IDs; a call
 * that names a stream that is gone does nothing and says so by its result.
 */
#ifndef QUIC_CONN_H
#define QUIC_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/datagram.h"
#include "quic/endpoint.h"

/* ---- about the connection ---- */

struct quic_handle quic_conn_handle(const struct quic_conn *conn);
struct quic_endpoint *quic_conn_endpoint(const struct quic_conn *conn);
bool quic_conn_is_server(const struct quic_conn *conn);
/* Neither closing nor draining nor over; the handshake may still be going on. */
bool quic_conn_is_open(const struct quic_conn *conn);
/* What the application keeps with the connection. */
void *quic_conn_user(const struct quic_conn *conn);
void quic_conn_set_user(struct quic_conn *conn, void *user);
const struct base_path *quic_conn_path(const struct quic_conn *conn);
uint16_t quic_conn_port_index(const struct quic_conn *conn);
/* The protocol chosen (RFC 7301), not terminated by zero; length 0 before the handshake is complete. */
const char *quic_conn_alpn(const struct quic_conn *conn, size_t *length);
/* The name of the ClientHello (RFC 6066), "" if there was none. Known until the handshake is confirmed. */
const char *quic_conn_server_name(const struct quic_conn *conn);
bool quic_conn_handshake_confirmed(const struct quic_conn *conn);
/* The handshake went by a ticket of an earlier connection (RFC 8446 section 2.2). */
bool quic_conn_resumed(const struct quic_conn *conn);
/*
 * Client: the newest session ticket and the newest token of a NEW_TOKEN frame (RFC 9000 section 8.1.3), for a later quic_connect; NULL when there
 * is none, or limits.client_tickets does not want any. Valid until the next call of receive, expire or send.
 */
const uint8_t *quic_conn_ticket(const struct quic_conn *conn, size_t *length);
const uint8_t *quic_conn_token(const struct quic_conn *conn, size_t *length);

struct quic_conn_statistics {
	uint64_t packets_sent, packets_received, packets_lost;
	uint64_t bytes_sent, bytes_received;
	uint64_t smoothed_rtt_ns, min_rtt_ns;
	uint64_t congestion_window_bytes, bytes_in_flight;
	uint32_t key_updates;
	uint16_t datagram_bytes; /* largest UDP payload on this path now */
};
void quic_conn_statistics(const struct quic_conn *conn, struct quic_conn_statistics *statistics);

/* ---- streams ---- */

/* Opens a stream of ours. False while the peer's limit does not allow it: STREAMS_ALLOWED tells. */
bool quic_conn_stream_open(struct quic_conn *conn, bool bidirectional, uint64_t *stream_id);
/* Streams of ours that may be opened now. */
uint64_t quic_conn_streams_allowed(const struct quic_conn *conn, bool bidirectional);
/* False when there is no such stream. */
bool quic_conn_stream_set_user(struct quic_conn *conn, uint64_t stream_id, void *user);
void *quic_conn_stream_user(struct quic_conn *conn, uint64_t stream_id);
/* RFC 9218: urgency 0 (first) to 7, default 3; incremental streams of one urgency share, others go one after the other. */
void quic_conn_stream_set_priority(
	struct quic_conn *conn, uint64_t stream_id, uint8_t urgency, bool incremental);

/*
 * The next octets in order, in place, and whether the stream ends right after them. Returns true when there are octets or the end has
 * been reached. They stay until consumed; what is not consumed by the end of the turn is kept by the core and costs flow-control credit.
 */
bool quic_conn_stream_read(
	struct quic_conn *conn, uint64_t stream_id, const uint8_t **octets, size_t *length, bool *fin);
/* Gives `length` octets from the front back. With the end reached, consuming all of them (also zero) finishes the receiving part. */
void quic_conn_stream_consume(struct quic_conn *conn, uint64_t stream_id, size_t length);

/* Octets that a write would accept now. */
size_t quic_conn_stream_room(struct quic_conn *conn, uint64_t stream_id);
/*
 * Copies octets into the stream's send buffer and returns how many it took: fewer when the buffer's limit is reached, and STREAM_WRITABLE
 * follows when there is room. `fin` ends the stream and counts only if all octets were taken.
 */
size_t quic_conn_stream_write(
	struct quic_conn *conn, uint64_t stream_id, const uint8_t *octets, size_t length, bool fin);
/*
 * As above without a copy and without a limit on length: the octets must stay as they are until STREAM_RELEASED brings the cookie (or STREAM_CLOSED or CLOSED
 * does for all). Takes all or nothing: false when there is no such stream, or no room for one more reference.
 */
bool quic_conn_stream_write_static(struct quic_conn *conn, uint64_t stream_id, const uint8_t *octets,
	size_t length, bool fin, uint64_t cookie);
/* RESET_STREAM: abandons what is not acknowledged. */
void quic_conn_stream_reset(struct quic_conn *conn, uint64_t stream_id, uint64_t error_code);
/* STOP_SENDING: nothing more will be read. */
void quic_conn_stream_stop(struct quic_conn *conn, uint64_t stream_id, uint64_t error_code);

/* ---- datagrams, RFC 9221 ---- */

/* Largest DATAGRAM payload that can be sent now; 0 when the peer takes none. */
size_t quic_conn_datagram_room(const struct quic_conn *conn);
/* Queues a copy; false when it is too long or the queue is full. Datagrams are not retransmitted. */
bool quic_conn_datagram_send(struct quic_conn *conn, const uint8_t *octets, size_t length);

/* ---- the rest ---- */

/* CONNECTION_CLOSE with an application error code (0x1d). `reason` may be NULL and is cut to 64 octets. CLOSED follows. */
void quic_conn_close(struct quic_conn *conn, uint64_t error_code, const char *reason);
/* Asks for a key update (RFC 9001 section 6); false when one is not allowed yet. */
bool quic_conn_update_keys(struct quic_conn *conn);
/* Sends a PING with the next packet. */
void quic_conn_ping(struct quic_conn *conn);

#endif
