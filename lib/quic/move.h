/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moving a live connection to another shard by its connection IDs (RFC 9000 section 5.1.2), as far as the endpoint has a
 * part in it. The old owner's shard calls, in this order:
 *
 *   quic_conn_move_begin()           NEW_CONNECTION_ID frames whose IDs name the target, with Retire Prior To above all others
 *   quic_endpoint_next_switched()    an authentic packet came with one of them: the peer has switched
 *   quic_endpoint_detach()           at the end of that turn: from here on the slot is the target's
 *
 * and the target's shard quic_endpoint_attach(). Until it is detached the connection is the old owner's in every way. A peer that has not
 * switched in time ends the move, not its IDs: when it switches later, quic_endpoint_next_switched() says so all the same.
 */
#ifndef QUIC_MOVE_H
#define QUIC_MOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "quic/endpoint.h"

/* Why a move cannot begin now. */
enum quic_move_verdict {
	QUIC_MOVE_BEGUN,
	QUIC_MOVE_HERE,        /* the target is the owner */
	QUIC_MOVE_OVER,        /* the connection is closing */
	QUIC_MOVE_HANDSHAKE,   /* not confirmed, or TLS has not been given back yet */
	QUIC_MOVE_IN_FLIGHT,   /* another one has begun */
	QUIC_MOVE_DWELL,       /* the last one was a short time ago */
	QUIC_MOVE_NOT_RETIRED, /* the peer still has IDs of before the last one */
	QUIC_MOVE_NO_IDS,      /* too many IDs linger, or their sequence numbers are used up */
	QUIC_MOVE_VERDICT_COUNT
};
/* A readable sentence without a full stop. */
const char *quic_move_text(enum quic_move_verdict verdict);

enum quic_move_state {
	QUIC_MOVE_NONE,
	QUIC_MOVE_WAITING,  /* for the peer to switch */
	QUIC_MOVE_SWITCHED, /* it has: to be detached at the end of the turn */
};

/* Begins a move to `target`, a shard; anything but BEGUN changes nothing. */
enum quic_move_verdict quic_conn_move_begin(struct quic_conn *conn, uint16_t target, uint64_t now_ns);
/* Whether a move to another shard would begin now. */
bool quic_conn_movable(const struct quic_conn *conn, uint64_t now_ns);
/* When the last move ended, by an attach or because the peer did not follow; 0: never. It goes along with the connection. */
uint64_t quic_conn_moved_ns(const struct quic_conn *conn);
/*
 * As of when it is where it is, or on its way there, on purpose; 0: the hash of its path led there when it began, or it only had to leave. A
 * placed one begins with the time of its first packet, the rest is its owner's word. It goes along; the endpoint makes no use of it.
 */
uint64_t quic_conn_settled_ns(const struct quic_conn *conn);
void quic_conn_settle(struct quic_conn *conn, uint64_t as_of_ns);
/* WAITING becomes NONE when the peer has not switched in time, or the connection closes. */
enum quic_move_state quic_conn_move_state(const struct quic_conn *conn);

/*
 * The next connection that goes over to another shard; false when there are no more in this turn. Those that closed since are left out. Each has
 * to be detached before the next turn, or told to stay.
 */
bool quic_endpoint_next_switched(struct quic_endpoint *endpoint, struct quic_conn **conn, uint16_t *target);
/* The target cannot take it now: asked again with the peer's next packet. */
void quic_conn_move_stay(struct quic_conn *conn);

/*
 * Lets a connection go, after send(): nothing of this endpoint refers to it any more, its ownership word says `target`, in transit. The
 * caller must not touch it again.
 */
void quic_endpoint_detach(struct quic_endpoint *endpoint, struct quic_conn *conn, uint16_t target);
/* Takes a connection whose word says this shard, in transit. Cannot fail. */
struct quic_conn *quic_endpoint_attach(
	struct quic_endpoint *endpoint, struct quic_handle handle, uint64_t now_ns);

#endif
