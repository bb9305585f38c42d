/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of a connection: RFC 9000 section 10. */
#include "base/assert.h"
#include "quic/conn_internal.h"

static void
stop_timers(struct quic_conn *conn)
{
	for (int i = 0; i < QUIC_TIMER_COUNT; i++)
		conn->deadlines[i] = BASE_NEVER;
}

/* Section 10.2: both states last three PTO. */
static void
enter(struct quic_conn *conn, enum quic_conn_state state)
{
	uint64_t pto_ns = quic_conn_pto_ns(conn);

	stop_timers(conn);
	conn->state = (uint8_t)state;
	conn->deadlines[QUIC_TIMER_IDLE] = base_time_after(conn->endpoint->now_ns, 3 * pto_ns);
	/* Streams are over for both sides; the application hears of it by CLOSED alone. */
	quic_stream_set_fini(&conn->streams, &conn->endpoint->memory);
	base_list_remove(&conn->turn_link);
	quic_conn_add_event(conn, QUIC_CONN_EVENT_CLOSED);
	quic_conn_arm(conn);
}

static void
close_with(struct quic_conn *conn, uint64_t error_code, uint64_t frame_type, const char *reason)
{
	struct quic_close *closing;
	size_t length = reason == NULL ? 0 : strlen(reason);

	if (conn->state != QUIC_CONN_OPEN)
		return;
	conn->error_code = error_code;
	closing = (struct quic_close *)(void *)quic_memory_take(&conn->endpoint->memory);
	if (closing == NULL) {
		quic_conn_over(conn);
		return;
	}
	*closing = (struct quic_close){.frame_type = frame_type, .reply_at = 1};
	closing->reason_length = (uint8_t)(length < QUIC_REASON_BYTES ? length : QUIC_REASON_BYTES);
	if (length > 0)
		memcpy(closing->reason, reason, closing->reason_length);
	conn->close = closing;
	enter(conn, QUIC_CONN_CLOSING);
	conn->want = QUIC_WANT_CLOSE;
	quic_conn_set_ready(conn);
}

void
quic_conn_fail(struct quic_conn *conn, uint64_t error_code, uint64_t frame_type, const char *reason)
{
	if (conn->state == QUIC_CONN_OPEN && error_code != QUIC_NO_ERROR)
		quic_count(conn->endpoint, QUIC_COUNTER_ERRORS_SENT);
	close_with(conn, error_code, frame_type, reason);
}

void
quic_conn_close(struct quic_conn *conn, uint64_t error_code, const char *reason)
{
	if (conn->state == QUIC_CONN_OPEN)
		conn->application_error = true;
	close_with(conn, error_code, 0, reason);
}

void
quic_conn_drain(struct quic_conn *conn)
{
	if (conn->state != QUIC_CONN_OPEN && conn->state != QUIC_CONN_CLOSING)
		return;
	conn->want = 0;
	enter(conn, QUIC_CONN_DRAINING);
	base_list_remove(&conn->ready_link);
}

void
quic_conn_receive_close(struct quic_conn *conn, const struct quic_frame *frame)
{
	if (conn->state != QUIC_CONN_OPEN) {
		quic_conn_drain(conn);
		return;
	}
	conn->closed_by_peer = true;
	conn->application_error = frame->type == QUIC_FRAME_CONNECTION_CLOSE_APPLICATION;
	conn->error_code = frame->close.code;
	if (frame->close.code != QUIC_NO_ERROR)
		quic_count(conn->endpoint, QUIC_COUNTER_ERRORS_RECEIVED);
	quic_conn_drain(conn);
}

void
quic_conn_closing_received(struct quic_conn *conn)
{
	struct quic_close *closing = conn->close;

	quic_count(conn->endpoint, QUIC_COUNTER_DROP_CLOSED);
	if (conn->state != QUIC_CONN_CLOSING || closing == NULL)
		return;
	/* Section 10.2.1: replies get rarer, so that two closing endpoints fall silent. */
	if (++closing->received < closing->reply_at)
		return;
	closing->received = 0;
	closing->reply_at *= 2;
	conn->want |= QUIC_WANT_CLOSE;
	quic_conn_set_ready(conn);
}

void
quic_conn_receive_reset(struct quic_conn *conn)
{
	if (conn->state != QUIC_CONN_OPEN)
		return;
	quic_count(conn->endpoint, QUIC_COUNTER_RESETS_RECEIVED);
	conn->closed_by_peer = true;
	conn->error_code = QUIC_NO_ERROR;
	conn->timed_out = false;
	conn->reset_by_peer = true;
	/* Section 10.3.1: no further packets. */
	quic_conn_drain(conn);
}

void
quic_conn_timed_out(struct quic_conn *conn)
{
	if (conn->state == QUIC_CONN_OPEN) {
		quic_count(conn->endpoint, QUIC_COUNTER_IDLE_TIMEOUTS);
		conn->timed_out = true;
	}
	quic_conn_over(conn);
}
