/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The named deadlines of a connection and its one node in the wheel. Activity writes deadlines; the node is only ever armed to
 * an earlier time, and one that fires early is armed again.
 */
#include "quic/conn_internal.h"

/* How long a write that found no memory waits for it. */
#define WAKE_NS (5 * BASE_MS)

/* RFC 9000 section 10.1: never shorter than three PTO. */
void
quic_conn_restart_idle(struct quic_conn *conn)
{
	uint64_t idle_ns = conn->idle_timeout_ms * BASE_MS;
	uint64_t least_ns = 3 * quic_conn_pto_ns(conn);

	if (conn->state != QUIC_CONN_OPEN)
		return;
	if (idle_ns == 0) {
		conn->deadlines[QUIC_TIMER_IDLE] = BASE_NEVER;
		return;
	}
	conn->deadlines[QUIC_TIMER_IDLE] =
		base_time_after(conn->endpoint->now_ns, idle_ns > least_ns ? idle_ns : least_ns);
}

static uint64_t
ack_deadline(const struct quic_conn *conn)
{
	uint64_t deadline_ns = BASE_NEVER;

	if (conn->handshake_complete)
		deadline_ns = quic_ack_deadline(&conn->space.ack);
	for (int space = QUIC_SPACE_INITIAL; conn->handshake != NULL && space < QUIC_SPACE_APPLICATION;
		space++)
		if (conn->handshake->keys[space].can_send)
			deadline_ns = base_time_earlier(
				deadline_ns, quic_ack_deadline(&conn->handshake->spaces[space].ack));
	return deadline_ns;
}

void
quic_conn_arm(struct quic_conn *conn)
{
	uint64_t earliest_ns = BASE_NEVER;

	if (conn->state == QUIC_CONN_OVER)
		return;
	/* An ACK that the anti-amplification limit holds back is due when there is credit, not before. */
	conn->deadlines[QUIC_TIMER_ACK] = conn->state == QUIC_CONN_OPEN && !quic_conn_blocked_by_credit(conn)
		? ack_deadline(conn)
		: BASE_NEVER;
	for (int i = 0; i < QUIC_TIMER_COUNT; i++)
		earliest_ns = base_time_earlier(earliest_ns, conn->deadlines[i]);
	if (conn->state == QUIC_CONN_OPEN && conn->handshake != NULL && !conn->handshake_confirmed)
		earliest_ns = base_time_earlier(earliest_ns, conn->handshake->deadline_ns);
	/* A connection that falls silent gives its handshake element back all the same. */
	if (conn->state == QUIC_CONN_OPEN && conn->handshake != NULL &&
		conn->handshake->initial_key_until_ns > conn->endpoint->now_ns)
		earliest_ns = base_time_earlier(earliest_ns, conn->handshake->initial_key_until_ns);
	if (conn->state == QUIC_CONN_OPEN && conn->streams.starved)
		earliest_ns =
			base_time_earlier(earliest_ns, base_time_after(conn->endpoint->now_ns, WAKE_NS));
	/* Never in the past: what could not be done now, for want of memory say, would keep the wheel from all others. */
	if (earliest_ns <= conn->endpoint->now_ns)
		earliest_ns = conn->endpoint->now_ns + 1;
	if (earliest_ns < conn->timer.deadline_ns)
		base_wheel_arm(&conn->endpoint->wheel, &conn->timer, earliest_ns);
}

static bool
passed(struct quic_conn *conn, enum quic_timer timer)
{
	if (conn->deadlines[timer] > conn->endpoint->now_ns)
		return false;
	conn->deadlines[timer] = BASE_NEVER;
	return true;
}

static void
expire_open(struct quic_conn *conn)
{
	/* Both are asked, since asking disarms. */
	bool ack = passed(conn, QUIC_TIMER_ACK), pacer = passed(conn, QUIC_TIMER_PACER);

	if (passed(conn, QUIC_TIMER_LOSS))
		quic_conn_loss_expire(conn);
	/* An ACK that is due and a pacer that opens: send() finds out. */
	if (ack || pacer)
		quic_conn_set_ready(conn);
	if (passed(conn, QUIC_TIMER_KEYS))
		quic_conn_previous_keys_expire(conn);
	if (passed(conn, QUIC_TIMER_IDS))
		quic_conn_own_ids_expire(conn);
	if (passed(conn, QUIC_TIMER_PATH))
		quic_conn_path_expire(conn);
	if (passed(conn, QUIC_TIMER_MTU))
		quic_conn_mtu_expire(conn);
	if (conn->streams.starved) {
		quic_stream_set_wake(&conn->streams);
		quic_conn_streams_changed(conn);
	}
	if (passed(conn, QUIC_TIMER_MOVE))
		quic_conn_move_expire(conn);
	quic_conn_release_handshake(conn);
}

void
quic_conn_expire(struct quic_conn *conn)
{
	struct quic_handshake *handshake = conn->handshake;

	if (conn->state == QUIC_CONN_OVER)
		return;
	if (conn->state == QUIC_CONN_OPEN && handshake != NULL && !conn->handshake_confirmed &&
		conn->endpoint->now_ns >= handshake->deadline_ns) {
		quic_count(conn->endpoint, QUIC_COUNTER_HANDSHAKES_TIMED_OUT);
		conn->timed_out = true;
		quic_conn_over(conn);
		return;
	}
	if (passed(conn, QUIC_TIMER_IDLE)) {
		quic_conn_timed_out(conn);
		return;
	}
	if (conn->state == QUIC_CONN_OPEN)
		expire_open(conn);
	quic_conn_arm(conn);
}
