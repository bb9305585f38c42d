/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/move.h"

#include "base/assert.h"
#include "quic/conn.h"

static const char *const counter_names[SHARD_MOVES_COUNTERS] = {
	[SHARD_MOVES_ASKED] = "asked",
	[SHARD_MOVES_REFUSED] = "refused",
	[SHARD_MOVES_BEGUN] = "begun",
	[SHARD_MOVES_ABANDONED] = "abandoned",
	[SHARD_MOVES_CLOSED] = "closed",
	[SHARD_MOVES_DETACHED] = "detached",
	[SHARD_MOVES_FOLLOWED] = "followed",
	[SHARD_MOVES_LATE] = "late",
	[SHARD_MOVES_KEPT] = "kept",
	[SHARD_MOVES_ATTACHED] = "attached",
	[SHARD_MOVES_BY_SIGHT] = "attached_by_sight",
};

const char *
shard_move_text(enum shard_move_outcome outcome, enum quic_move_verdict verdict)
{
	static const char *const texts[SHARD_MOVE_OUTCOMES] = {
		[SHARD_MOVE_DONE] = "it has moved",
		[SHARD_MOVE_ABANDONED] = "the client has not switched to the new connection IDs in time",
		[SHARD_MOVE_CLOSED] = "the connection closed on the way",
		[SHARD_MOVE_UNKNOWN] = "there is no such connection",
		[SHARD_MOVE_SERVICE] = "its service cannot let it go now",
		[SHARD_MOVE_STOPPING] = "the gateway is about to end",
	};

	if (outcome == SHARD_MOVE_REFUSED)
		return quic_move_text(verdict);
	return outcome < SHARD_MOVE_OUTCOMES ? texts[outcome] : "unknown";
}

void
shard_moves_init(struct shard_moves *moves, const struct shard_moves_config *config)
{
	*moves = (struct shard_moves){.config = *config};
}

static void
tell(struct shard_moves *moves, const struct shard_control_move *move, enum shard_move_outcome outcome,
	enum quic_move_verdict verdict)
{
	struct shard_control control = {
		.kind = SHARD_CONTROL_MOVE_RESULT, .from = moves->config.self, .move = *move};

	control.move.outcome = (uint16_t)outcome;
	control.move.verdict = (uint16_t)verdict;
	moves->config.post(moves->config.with, SHARD_MANAGER, &control);
}

/* ---- the owner ---- */

/* DONE: it has begun; else why not. */
static enum shard_move_outcome
try_begin(struct shard_moves *moves, struct quic_conn *conn, uint16_t target, uint64_t now_ns,
	enum quic_move_verdict *verdict)
{
	*verdict = QUIC_MOVE_BEGUN;
	if (moves->stopping)
		return SHARD_MOVE_STOPPING;
	if (conn == NULL)
		return SHARD_MOVE_UNKNOWN;
	/* Once it is closing, CLOSED may have been told, and the service has given its state back. */
	if (quic_conn_is_open(conn) && moves->config.services != NULL &&
		!service_can_move(moves->config.services, conn))
		return SHARD_MOVE_SERVICE;
	*verdict = quic_conn_move_begin(conn, target, now_ns);
	return *verdict == QUIC_MOVE_BEGUN ? SHARD_MOVE_DONE : SHARD_MOVE_REFUSED;
}

static void
begin(struct shard_moves *moves, const struct shard_control_move *move, uint64_t now_ns)
{
	struct quic_conn *conn = quic_endpoint_find(moves->config.endpoint, move->handle);
	enum quic_move_verdict verdict;
	enum shard_move_outcome outcome = try_begin(moves, conn, move->target, now_ns, &verdict);

	moves->counters[SHARD_MOVES_ASKED]++;
	if (outcome != SHARD_MOVE_DONE) {
		moves->counters[SHARD_MOVES_REFUSED]++;
		tell(moves, move, outcome, verdict);
		return;
	}
	quic_conn_settle(conn, move->anywhere ? 0 : now_ns);
	base_assert(moves->count < SHARD_MOVES_MAX);
	moves->waiting[moves->count++] = *move;
	moves->counters[SHARD_MOVES_BEGUN]++;
}

void
shard_moves_follow(struct shard_moves *moves, const struct base_datagram *datagram,
	const struct shard_bucket_order *order, uint64_t now_ns)
{
	struct quic_handle handle = {datagram->slot, datagram->generation};
	struct quic_conn *conn;
	enum quic_move_verdict verdict;

	if (order->shard == moves->config.self || moves->follows == SHARD_FOLLOWS_PER_TURN)
		return;
	conn = quic_endpoint_find(moves->config.endpoint, handle);
	/* A peer that probes another path has not gone there. */
	if (conn == NULL || quic_conn_settled_ns(conn) >= order->at_ns ||
		quic_conn_port_index(conn) != datagram->port_index ||
		!base_path_equal(quic_conn_path(conn), &datagram->path))
		return;
	if (try_begin(moves, conn, order->shard, now_ns, &verdict) != SHARD_MOVE_DONE)
		return;
	/* Where its bucket led as of then: a younger order is followed from there. */
	quic_conn_settle(conn, order->at_ns);
	moves->follows++;
	moves->counters[SHARD_MOVES_FOLLOWED]++;
}

/* The move of this connection that is in flight, taken off the list; false: there is none. */
static bool
take_waiting(struct shard_moves *moves, struct quic_handle handle, struct shard_control_move *move)
{
	for (uint32_t i = 0; i < moves->count; i++) {
		if (moves->waiting[i].handle.slot != handle.slot ||
			moves->waiting[i].handle.generation != handle.generation)
			continue;
		*move = moves->waiting[i];
		moves->waiting[i] = moves->waiting[--moves->count];
		return true;
	}
	return false;
}

/* Its service has closed it while it let go: it ends here, where it hears of that. */
static void
take_back(struct shard_moves *moves, struct quic_conn *conn, const struct shard_control *grant)
{
	service_attach(moves->config.services, conn);
	moves->counters[SHARD_MOVES_CLOSED]++;
	if (grant->kind == SHARD_CONTROL_GRANT)
		tell(moves, &grant->move, SHARD_MOVE_CLOSED, QUIC_MOVE_BEGUN);
}

/* From the grant on the connection is the target's, which may see it before the message. */
static void
let_go(struct shard_moves *moves, struct quic_conn *conn, uint16_t target)
{
	struct quic_handle handle = quic_conn_handle(conn);
	struct shard_control control = {.kind = SHARD_CONTROL_GRANT, .from = moves->config.self};

	if (!take_waiting(moves, handle, &control.move)) {
		if (!moves->config.has_room(moves->config.with, target)) {
			moves->counters[SHARD_MOVES_KEPT]++;
			quic_conn_move_stay(conn);
			return;
		}
		control.kind = SHARD_CONTROL_GRANT_LATE;
		control.move = (struct shard_control_move){.handle = handle, .target = target};
	}
	base_assert(control.move.target == target);
	if (moves->config.services != NULL)
		service_detach(moves->config.services, conn);
	if (!quic_conn_is_open(conn)) {
		take_back(moves, conn, &control);
		return;
	}
	moves->counters[SHARD_MOVES_LATE] += control.kind == SHARD_CONTROL_GRANT_LATE;
	quic_endpoint_detach(moves->config.endpoint, conn, target);
	moves->counters[SHARD_MOVES_DETACHED]++;
	moves->config.post(moves->config.with, target, &control);
}

void
shard_moves_end_turn(struct shard_moves *moves, uint64_t now_ns)
{
	struct quic_conn *conn;
	uint16_t target;

	(void)now_ns;
	moves->follows = 0;
	while (quic_endpoint_next_switched(moves->config.endpoint, &conn, &target))
		let_go(moves, conn, target);
	for (uint32_t i = moves->count; i > 0; i--) {
		struct shard_control_move move = moves->waiting[i - 1];
		bool gone;

		conn = quic_endpoint_find(moves->config.endpoint, move.handle);
		if (conn != NULL && quic_conn_move_state(conn) == QUIC_MOVE_WAITING)
			continue;
		gone = conn == NULL || !quic_conn_is_open(conn);
		moves->waiting[i - 1] = moves->waiting[--moves->count];
		moves->counters[gone ? SHARD_MOVES_CLOSED : SHARD_MOVES_ABANDONED]++;
		tell(moves, &move, gone ? SHARD_MOVE_CLOSED : SHARD_MOVE_ABANDONED, QUIC_MOVE_BEGUN);
	}
}

/* ---- the target ---- */

/* True when it had to be attached. */
static bool
attach(struct shard_moves *moves, struct quic_handle handle, uint64_t now_ns)
{
	struct quic_slot_owner owner;
	struct quic_conn *conn;

	if (!quic_slots_owner(moves->config.slots, handle.slot, &owner) ||
		owner.state != QUIC_SLOT_IN_TRANSIT || owner.owner != moves->config.self ||
		owner.generation != handle.generation)
		return false;
	conn = quic_endpoint_attach(moves->config.endpoint, handle, now_ns);
	if (moves->config.services != NULL)
		service_attach(moves->config.services, conn);
	moves->counters[SHARD_MOVES_ATTACHED]++;
	if (moves->stopping)
		quic_conn_close(conn, 0, NULL);
	return true;
}

/* With its path, for a port that steers by it. By now it may have closed, or gone elsewhere. */
static void
tell_done(struct shard_moves *moves, const struct shard_control_move *move)
{
	const struct quic_conn *conn = quic_endpoint_find(moves->config.endpoint, move->handle);
	struct shard_control_move done = *move;

	done.port_index = SHARD_NO_PORT;
	if (conn != NULL) {
		done.port_index = quic_conn_port_index(conn);
		done.path = *quic_conn_path(conn);
	}
	tell(moves, &done, SHARD_MOVE_DONE, QUIC_MOVE_BEGUN);
}

void
shard_moves_see(struct shard_moves *moves, struct quic_handle handle, uint64_t now_ns)
{
	if (attach(moves, handle, now_ns))
		moves->counters[SHARD_MOVES_BY_SIGHT]++;
}

void
shard_moves_take(struct shard_moves *moves, const struct shard_control *control, uint64_t now_ns)
{
	if (control->kind == SHARD_CONTROL_MOVE) {
		begin(moves, &control->move, now_ns);
		return;
	}
	base_assert(control->kind == SHARD_CONTROL_GRANT || control->kind == SHARD_CONTROL_GRANT_LATE);
	attach(moves, control->move.handle, now_ns);
	if (control->kind == SHARD_CONTROL_GRANT)
		tell_done(moves, &control->move);
}

void
shard_moves_stop(struct shard_moves *moves)
{
	moves->stopping = true;
}

struct base_counters
shard_moves_counters(const struct shard_moves *moves)
{
	return (struct base_counters){.library = "move",
		.names = counter_names,
		.values = moves->counters,
		.count = SHARD_MOVES_COUNTERS};
}
