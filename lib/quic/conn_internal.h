/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of a connection call of one another: cut by direction and time. Only conn*.c and endpoint*.c include this.
 */
#ifndef QUIC_CONN_INTERNAL_H
#define QUIC_CONN_INTERNAL_H

#include "quic/conn_state.h"
#include "quic/endpoint_internal.h"
#include "quic/error.h"
#include "quic/frame.h"
#include "quic/move.h"

/* ---- conn.c: birth, death, lists ---- */

/* A connection in a fresh slot, with handshake element; NULL when something is used up (counted). */
struct quic_conn *quic_conn_create(
	struct quic_endpoint *endpoint, bool is_server, const struct base_path *path, uint16_t port_index);
/* Frees slot and all that the connection holds. At the end of a turn only. */
void quic_conn_destroy(struct quic_conn *conn);
/* Nothing more is sent or received; the CLOSED event follows, if the application knows of the connection, and the slot is freed after it. */
void quic_conn_over(struct quic_conn *conn);
/* The handshake element goes back as soon as nothing needs it any more. */
void quic_conn_release_handshake(struct quic_conn *conn);
/* The same at once, whatever is not acknowledged: a ticket is lost. Of a confirmed server. */
void quic_conn_give_up_handshake(struct quic_conn *conn);
void quic_conn_set_ready(struct quic_conn *conn);
void quic_conn_add_event(struct quic_conn *conn, enum quic_conn_event event);
/* The stream set may have events or something to send. */
void quic_conn_streams_changed(struct quic_conn *conn);
void quic_conn_set_ping(struct quic_conn *conn);
struct quic_space *quic_conn_space(struct quic_conn *conn, enum quic_packet_number_space space);
uint64_t quic_conn_largest_received(struct quic_conn *conn, enum quic_packet_number_space space);
uint64_t quic_conn_next_packet_number(struct quic_conn *conn, enum quic_packet_number_space space);
void quic_conn_check(const struct quic_conn *conn);

/* ---- conn_keys.c ---- */

struct quic_level_keys *quic_conn_level_keys(struct quic_conn *conn, enum quic_packet_number_space space);
void quic_conn_install_initial_keys(struct quic_conn *conn, const struct quic_cid *dcid);
void quic_conn_install_secret(struct quic_conn *conn, enum quic_packet_number_space space, bool sending,
	enum crypto_aead aead, const uint8_t *secret);
/* NULL when there are none, or not yet. */
const struct crypto_hot_keys *quic_conn_receive_keys(
	struct quic_conn *conn, enum quic_packet_number_space space);
const struct crypto_hot_keys *quic_conn_send_keys(
	struct quic_conn *conn, enum quic_packet_number_space space);
/* The keys that a 1-RTT packet's key phase and number ask for, and their generation. */
const struct crypto_hot_keys *quic_conn_phase_keys(
	struct quic_conn *conn, bool phase, uint64_t packet_number, uint32_t *generation);
/* A 1-RTT packet was opened with keys of this generation: the peer may have updated. KEY_UPDATE_ERROR or none. */
uint64_t quic_conn_key_phase_received(struct quic_conn *conn, uint32_t generation, uint64_t packet_number);
void quic_conn_key_phase_acknowledged(struct quic_conn *conn, uint64_t largest_acked);
/* Before sealing a 1-RTT packet: updates the keys in time. False when they must not be used any more. */
bool quic_conn_keys_usable(struct quic_conn *conn);
void quic_conn_previous_keys_expire(struct quic_conn *conn);
void quic_conn_drop_level_keys(struct quic_conn *conn, enum quic_packet_number_space space);
void quic_conn_drop_keys(struct quic_conn *conn);

/* ---- conn_crypto.c: TLS ---- */

/* Our transport parameters, then the TLS session. False when memory is short. */
bool quic_conn_tls_start(struct quic_conn *conn, const struct quic_connect *connect);
uint64_t quic_conn_receive_crypto(
	struct quic_conn *conn, enum quic_packet_number_space space, const struct quic_frame_stream *frame);
/* Keys, packet number space and CRYPTO octets of a level go (RFC 9001 section 4.9). */
void quic_conn_discard_space(struct quic_conn *conn, enum quic_packet_number_space space);
void quic_conn_confirm_handshake(struct quic_conn *conn);

/* ---- conn_receive.c ---- */

/* A datagram was placed with this connection: amplification credit. */
void quic_conn_datagram_received(struct quic_conn *conn, const struct base_datagram *datagram);
/* A packet that was opened. */
void quic_conn_receive(struct quic_conn *conn, const struct quic_received *received);
void quic_conn_not_authentic(struct quic_conn *conn, const struct quic_received *received);
void quic_conn_receive_retry(struct quic_conn *conn, const struct quic_packet *packet);
void quic_conn_receive_version_negotiation(struct quic_conn *conn, const struct quic_packet *packet);
void quic_conn_receive_reset(struct quic_conn *conn);

/* ---- conn_frames.c ---- */

/* All frames of a payload; *frame_type says where an error was. */
uint64_t quic_conn_receive_frames(struct quic_conn *conn, const struct quic_received *received,
	struct base_reader *payload, bool *ack_eliciting, bool *probing_only, uint64_t *frame_type);
uint64_t quic_conn_receive_ack(
	struct quic_conn *conn, enum quic_packet_number_space space, const struct quic_frame *frame);

/* ---- conn_recovery.c: what became of what was sent ---- */

/* After quic_loss_*: congestion, frames acknowledged and lost. */
void quic_conn_settle_sent(
	struct quic_conn *conn, enum quic_packet_number_space space, const struct quic_loss_result *result);
void quic_conn_loss_expire(struct quic_conn *conn);
void quic_conn_set_loss_timer(struct quic_conn *conn);
uint64_t quic_conn_pto_ns(const struct quic_conn *conn);

/* ---- conn_ids.c ---- */

bool quic_conn_own_id_valid(const struct quic_conn *conn, uint32_t sequence);
void quic_conn_own_id(struct quic_conn *conn, uint32_t sequence, struct quic_cid *cid);
enum { QUIC_OWN_ID_WINDOW = 32 };
/* Its bit in the masks; 0 when it is outside of the window. */
uint32_t quic_own_id_bit(const struct quic_own_ids *ids, uint32_t sequence);
/* IDs of ours that the peer may have at a time. */
uint32_t quic_conn_own_ids_most(const struct quic_conn *conn);
/*
 * What the NEW_CONNECTION_ID frame of an ID says as Retire Prior To, RFC 9000 section 19.15: never above the sequence number; 0 has no effect.
 * Section 5.1.1 wants it of IDs that exceed the peer's limit. Those for which the peer has places yet do not ask, the last of a batch always does: a
 * client that retires before it adds (section 5.1.2) would have no ID left to say it with, and some end the connection then.
 */
uint32_t quic_conn_retire_prior_to(const struct quic_conn *conn, uint32_t sequence);
/* Issues as many as the peer takes. */
void quic_conn_issue_ids(struct quic_conn *conn);
void quic_conn_own_ids_expire(struct quic_conn *conn);
uint64_t quic_conn_receive_new_id(struct quic_conn *conn, const struct quic_frame *frame);
uint64_t quic_conn_receive_retire_id(struct quic_conn *conn, uint64_t sequence, uint32_t used_sequence);
void quic_conn_set_peer_id(struct quic_conn *conn, const struct quic_cid *cid);
void quic_conn_set_peer_token(struct quic_conn *conn, const uint8_t token[QUIC_RESET_TOKEN_BYTES]);
/* Goes on with the next ID of the peer's, if there is one (RFC 9000 section 9.5). */
bool quic_conn_switch_peer_id(struct quic_conn *conn);
void quic_conn_drop_peer_ids(struct quic_conn *conn);
uint64_t quic_conn_store_peer_id(struct quic_conn *conn, uint64_t sequence, const struct quic_cid *cid,
	const uint8_t token[QUIC_RESET_TOKEN_BYTES]);

/* ---- conn_move.c ---- */

/* An authentic packet came with this ID of ours: has the peer switched? */
void quic_conn_move_received(struct quic_conn *conn, uint32_t sequence);
void quic_conn_move_expire(struct quic_conn *conn);

/* ---- conn_path.c ---- */

/* An authentic, newest, non-probing packet came by another path: follow it (RFC 9000 section 9.3). */
void quic_conn_path_changed(struct quic_conn *conn, const struct base_datagram *datagram);
void quic_conn_receive_path_challenge(
	struct quic_conn *conn, const struct base_datagram *datagram, const uint8_t *data);
void quic_conn_receive_path_response(struct quic_conn *conn, const uint8_t *data);
void quic_conn_path_expire(struct quic_conn *conn);
/* Gives the chunk back unless something is still to be validated or answered. */
void quic_conn_release_migration(struct quic_conn *conn);
void quic_conn_mtu_expire(struct quic_conn *conn);
/* Nothing passes any more (RFC 8899 section 4.3): back to 1200. */
void quic_conn_mtu_black_hole(struct quic_conn *conn);
void quic_conn_mtu_start(struct quic_conn *conn);
void quic_conn_mtu_acked(struct quic_conn *conn, uint32_t bytes);
void quic_conn_mtu_lost(struct quic_conn *conn, uint32_t bytes);

/* ---- conn_send.c ---- */

/* Under the anti-amplification limit with too little credit for a packet (RFC 9000 section 8.1). */
static inline bool
quic_conn_blocked_by_credit(const struct quic_conn *conn)
{
	uint32_t least = conn->handshake_confirmed ? QUIC_SMALL_DATAGRAM_BYTES : QUIC_DATAGRAM_MIN_BYTES;

	return !conn->address_validated && conn->credit_bytes < least;
}
/* Fills one datagram; false when there is nothing to send now. */
bool quic_conn_send(struct quic_conn *conn, struct base_datagram *datagram);

/* ---- conn_close.c ---- */

/* An error of the peer's: CONNECTION_CLOSE of type 0x1c. */
void quic_conn_fail(struct quic_conn *conn, uint64_t error_code, uint64_t frame_type, const char *reason);
void quic_conn_receive_close(struct quic_conn *conn, const struct quic_frame *frame);
/* A packet arrived in the closing state. */
void quic_conn_closing_received(struct quic_conn *conn);
void quic_conn_timed_out(struct quic_conn *conn);
/* Enters draining or ends at once. */
void quic_conn_drain(struct quic_conn *conn);

/* ---- conn_timers.c ---- */

void quic_conn_restart_idle(struct quic_conn *conn);
/* Arms the wheel at the earliest deadline. */
void quic_conn_arm(struct quic_conn *conn);
void quic_conn_expire(struct quic_conn *conn);

#endif
