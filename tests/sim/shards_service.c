/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The application of the simulator as a service whose state moves with its connection: on one shard at a time, told of each move. */
#include "base/random.h"
#include "tests/sim/lent.h"
#include "tests/sim/shards.h"

enum { REFUSES_ONE_IN = 32, NOWHERE = UINT16_MAX };

struct state {
	struct quic_handle handle;
	uint16_t shard; /* NOWHERE: under way */
	uint32_t left;
	uint32_t came;
};

static struct state *
state_here(struct sim_shard *shard, const struct quic_conn *conn)
{
	static struct state none;
	struct state *state = service_state(conn);
	struct quic_handle handle = quic_conn_handle(conn);

	if (state == NULL || state->shard != shard->index || state->handle.slot != handle.slot ||
		state->handle.generation != handle.generation || state->left != state->came) {
		sim_fail(shard->sim, "the service's state of slot %u is not on shard %u", handle.slot,
			shard->index);
		return &none;
	}
	return state;
}

static void
on_connected(void *instance, struct quic_conn *conn)
{
	struct sim_shard *shard = instance;
	struct quic_event event = {
		.type = QUIC_EVENT_CONNECTED, .conn = conn, .handle = quic_conn_handle(conn)};
	struct state *state = sim_heap_take(sizeof(*state));

	*state = (struct state){.handle = event.handle, .shard = shard->index};
	service_set_state(conn, state);
	sim_app_event(shard->sim, shard->node, &event);
}

static void
on_event(void *instance, const struct quic_event *event)
{
	struct sim_shard *shard = instance;

	state_here(shard, event->conn);
	sim_app_event(shard->sim, shard->node, event);
	if (event->type == QUIC_EVENT_STREAM_RELEASED && sim_planted(shard->sim, SIM_PLANT_COOKIE_TWICE))
		sim_lent_released(shard->sim, event->stream_user, event->cookie);
}

static void
on_closed(void *instance, const struct quic_event *event)
{
	struct sim_shard *shard = instance;
	void *state = service_state(event->conn);

	state_here(shard, event->conn);
	sim_app_event(shard->sim, shard->node, event);
	sim_heap_give(state);
}

static bool
can_move(void *instance, struct quic_conn *conn)
{
	struct sim_shard *shard = instance;

	state_here(shard, conn);
	return base_random_below(&shard->sim->random, REFUSES_ONE_IN) != 0;
}

static void
on_detach(void *instance, struct quic_conn *conn)
{
	struct sim_shard *shard = instance;
	struct state *state = state_here(shard, conn);

	if (sim_planted(shard->sim, SIM_PLANT_STATE_STAYS))
		return;
	state->left++;
	state->shard = NOWHERE;
}

static void
on_attach(void *instance, struct quic_conn *conn)
{
	struct sim_shard *shard = instance;
	struct state *state = service_state(conn);

	if (state == NULL || state->shard != NOWHERE || state->left != state->came + 1) {
		sim_fail(shard->sim, "the service of shard %u got a state that was not under way",
			shard->index);
		return;
	}
	state->came++;
	state->shard = shard->index;
}

static const struct service_ops ops = {
	.name = "sim",
	.alpn = "sim",
	.on_connected = on_connected,
	.on_event = on_event,
	.on_closed = on_closed,
	.can_move = can_move,
	.on_detach = on_detach,
	.on_attach = on_attach,
};

void
sim_service_open(struct sim_shard *shard)
{
	if (service_add(&shard->services, &ops, shard) != SERVICE_OK)
		sim_fail(shard->sim, "shard %u has no service", shard->index);
	shard->node->services = &shard->services;
}
