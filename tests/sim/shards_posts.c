/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Posts of services between shards and to connections that move (shard/post.h), in rings of a few places: each comes once to the shard
 * that owns the connection, or is counted as lost for a reason; between two shards their order is kept.
 */
#include <string.h>

#include "base/random.h"
#include "tests/sim/shards.h"

struct message {
	uint64_t number; /* of all posts of this poster to this target, from 1 */
	uint16_t poster;
};

static bool
put(void *with, uint16_t to, const struct service_post *post)
{
	struct sim_shard *self = with;
	struct sim_shard *shard;

	if (to >= self->sim->config.shards) {
		sim_fail(self->sim, "a post went to shard %u", to);
		return false;
	}
	shard = &self->sim->shards->shards[to];
	if (shard->posts_count == SIM_POSTS_MAX)
		return false;
	shard->posts_waiting[(shard->posts_first + shard->posts_count++) % SIM_POSTS_MAX] = *post;
	return true;
}

static void
deliver(void *with, struct quic_conn *conn, const struct service_post *post)
{
	struct sim_shard *shard = with;
	struct message message;

	memcpy(&message, post->octets, sizeof(message));
	if (conn != NULL) {
		struct quic_handle handle = quic_conn_handle(conn);

		if (handle.slot != post->to.slot || handle.generation != post->to.generation ||
			quic_conn_endpoint(conn) != shard->node->endpoint)
			sim_fail(shard->sim,
				"a post came to another connection, or to a shard that it is not on");
		shard->sim->seen[SIM_SEEN_POSTS_FOLLOWED] += post->hops > 0;
		return;
	}
	if (post->shard != shard->index || message.number <= shard->posts_last[message.poster])
		sim_fail(shard->sim, "post %llu of shard %u came to shard %u after %llu",
			(unsigned long long)message.number, message.poster, shard->index,
			(unsigned long long)shard->posts_last[message.poster]);
	shard->posts_last[message.poster] = message.number;
}

void
sim_posts_open(struct sim_shard *shard)
{
	const struct shard_posts_config config = {.self = shard->index,
		.shards = shard->sim->config.shards,
		.slots = &shard->sim->server.slots,
		.endpoint = shard->node->endpoint,
		.moves = &shard->moves,
		.post = put,
		.deliver = deliver,
		.with = shard};

	shard_posts_init(&shard->posts, &config);
}

/* Some to any connection, some to any shard. */
static void
send_some(struct sim *sim, struct sim_shard *shard)
{
	struct service_post post = {.to = {.slot = BASE_SLOT_NONE}, .service = 1};
	struct message message = {.poster = shard->index};
	struct quic_slot_owner owner;

	post.shard = (uint16_t)base_random_below(&sim->random, sim->config.shards);
	if (base_random_below(&sim->random, 2) == 0)
		post.to = sim_shards_any(sim, &owner);
	message.number = ++shard->posts_numbered;
	post.length = sizeof(message);
	memcpy(post.octets, &message, sizeof(message));
	shard_posts_send(&shard->posts, &post);
}

void
sim_posts_turn(struct sim *sim, struct sim_shard *shard)
{
	while (shard->posts_count > 0) {
		struct service_post post = shard->posts_waiting[shard->posts_first];

		shard->posts_first = (shard->posts_first + 1) % SIM_POSTS_MAX;
		shard->posts_count--;
		shard_posts_take(&shard->posts, &post, sim->now_ns);
		if (sim_planted(sim, SIM_PLANT_POST_LOST) && shard->posts_count > 0)
			shard->posts_count--;
	}
	if (sim->config.posts && base_random_below(&sim->random, 8) == 0)
		for (uint64_t count = 1 + base_random_below(&sim->random, 6); count > 0; count--)
			send_some(sim, shard);
}

/* What was sent has been delivered, was dropped and counted, or waits. */
void
sim_posts_check(struct sim *sim)
{
	static const enum shard_post_counter ends[] = {SHARD_POSTS_DELIVERED, SHARD_POSTS_DROP_GONE,
		SHARD_POSTS_DROP_HOPS, SHARD_POSTS_DROP_PASSING};
	uint64_t sent = 0, ended = 0;

	for (uint16_t i = 0; i < sim->config.shards; i++) {
		const struct sim_shard *shard = &sim->shards->shards[i];

		sent += shard->posts.counters[SHARD_POSTS_SENT];
		ended += shard->posts_count;
		for (unsigned k = 0; k < sizeof(ends) / sizeof(ends[0]); k++)
			ended += shard->posts.counters[ends[k]];
	}
	if (sent != ended)
		sim_fail(sim, "%llu posts were sent and %llu are accounted for", (unsigned long long)sent,
			(unsigned long long)ended);
}
