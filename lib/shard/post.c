/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/post.h"

#include "quic/conn.h"

static const char *const counter_names[SHARD_POSTS_COUNTERS] = {
	[SHARD_POSTS_SENT] = "sent",
	[SHARD_POSTS_TAKEN] = "taken",
	[SHARD_POSTS_DELIVERED] = "delivered",
	[SHARD_POSTS_PASSED_ON] = "passed_on",
	[SHARD_POSTS_REFUSED] = "refused",
	[SHARD_POSTS_REFUSED_GONE] = "refused_gone",
	[SHARD_POSTS_DROP_GONE] = "drop_gone",
	[SHARD_POSTS_DROP_HOPS] = "drop_hops",
	[SHARD_POSTS_DROP_PASSING] = "drop_passing",
};

void
shard_posts_init(struct shard_posts *posts, const struct shard_posts_config *config)
{
	*posts = (struct shard_posts){.config = *config};
}

/* Whose the connection is now; false: nobody's, its life is over. */
static bool
find_owner(const struct shard_posts *posts, struct quic_handle handle, uint16_t *shard)
{
	struct quic_slot_owner owner;

	if (!quic_slots_owner(posts->config.slots, handle.slot, &owner) ||
		owner.generation != handle.generation || owner.state == QUIC_SLOT_FREE ||
		owner.state == QUIC_SLOT_RETIRED)
		return false;
	*shard = owner.owner;
	return true;
}

enum service_posted
shard_posts_send(struct shard_posts *posts, struct service_post *post)
{
	uint16_t to = post->shard;

	post->from_shard = posts->config.self;
	post->via = posts->config.self;
	post->hops = 0;
	if (post->to.slot != BASE_SLOT_NONE) {
		if (!find_owner(posts, post->to, &to)) {
			posts->counters[SHARD_POSTS_REFUSED_GONE]++;
			return SERVICE_POST_GONE;
		}
	} else if (to != SERVICE_POST_MANAGER && to >= posts->config.shards) {
		return SERVICE_POST_WRONG;
	}
	if (!posts->config.post(posts->config.with, to, post)) {
		posts->counters[SHARD_POSTS_REFUSED]++;
		return SERVICE_POST_FULL;
	}
	posts->counters[SHARD_POSTS_SENT]++;
	return SERVICE_POSTED;
}

static void
pass_on(struct shard_posts *posts, struct service_post *post, uint16_t to)
{
	if (post->hops >= SERVICE_POST_HOPS) {
		posts->counters[SHARD_POSTS_DROP_HOPS]++;
		return;
	}
	post->hops++;
	post->via = posts->config.self;
	if (posts->config.post(posts->config.with, to, post))
		posts->counters[SHARD_POSTS_PASSED_ON]++;
	else
		posts->counters[SHARD_POSTS_DROP_PASSING]++;
}

void
shard_posts_take(struct shard_posts *posts, struct service_post *post, uint64_t now_ns)
{
	struct quic_conn *conn = NULL;
	uint16_t owner;

	posts->counters[SHARD_POSTS_TAKEN]++;
	if (post->to.slot != BASE_SLOT_NONE) {
		if (!find_owner(posts, post->to, &owner)) {
			posts->counters[SHARD_POSTS_DROP_GONE]++;
			return;
		}
		if (owner != posts->config.self) {
			pass_on(posts, post, owner);
			return;
		}
		shard_moves_see(posts->config.moves, post->to, now_ns);
		conn = quic_endpoint_find(posts->config.endpoint, post->to);
		/* One that closes has been told its last event, or is about to be. */
		if (conn == NULL || !quic_conn_is_open(conn)) {
			posts->counters[SHARD_POSTS_DROP_GONE]++;
			return;
		}
	}
	posts->counters[SHARD_POSTS_DELIVERED]++;
	posts->config.deliver(posts->config.with, conn, post);
}

struct base_counters
shard_posts_counters(const struct shard_posts *posts)
{
	return (struct base_counters){.library = "post",
		.names = counter_names,
		.values = posts->counters,
		.count = SHARD_POSTS_COUNTERS};
}
