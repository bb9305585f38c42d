/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The turn's part in posts: what services of this shard send leaves by other shards' mailboxes, what came in ours is delivered. */
#include "service/host.h"
#include "shard/group.h"
#include "shard/state.h"

static bool
post_to(void *with, uint16_t to, const struct service_post *post)
{
	struct shard *shard = with;
	struct shard_mailbox *mailbox = to == SERVICE_POST_MANAGER
		? &shard->config.group->notices
		: shard->mailbox + to - shard->config.index;

	return shard_mailbox_post_post(mailbox, post);
}

static void
deliver(void *with, struct quic_conn *conn, const struct service_post *post)
{
	struct shard *shard = with;

	service_host_deliver(shard->config.services->host, conn, post);
}

static enum service_posted
send_post(void *with, struct service_post *post)
{
	struct shard *shard = with;

	return shard_posts_send(&shard->posts, post);
}

void
shard_deliver_open(struct shard *shard)
{
	const struct shard_posts_config posts = {.self = shard->config.index,
		.shards = shard->config.group->config.shards,
		.slots = shard->config.quic.slots,
		.endpoint = shard->endpoint,
		.moves = &shard->moves,
		.post = post_to,
		.deliver = deliver,
		.with = shard};
	const struct service_host_shard host = {.self = posts.self,
		.shards = posts.shards,
		.slots = posts.slots,
		.endpoint = shard->endpoint,
		.send = send_post,
		.with = shard};

	shard_posts_init(&shard->posts, &posts);
	if (shard->config.services != NULL && shard->config.services->host != NULL)
		service_host_bind(shard->config.services->host, &host);
}

void
shard_deliver(struct shard *shard)
{
	struct service_host *host = shard->config.services != NULL ? shard->config.services->host : NULL;
	struct service_post post;
	uint32_t count;

	if (host == NULL)
		return;
	service_host_turn(host, shard->now_ns);
	/* What is posted to this shard meanwhile has the next turn. */
	count = shard_mailbox_posts(shard->mailbox);
	if (count > host->config.limits.posts_per_turn)
		count = host->config.limits.posts_per_turn;
	for (; count > 0 && shard_mailbox_take_post(shard->mailbox, &post); count--) {
		shard_posts_take(&shard->posts, &post, shard->now_ns);
		shard->busy = true;
	}
}

uint64_t
shard_deliver_deadline(const struct shard *shard)
{
	const struct service_host *host =
		shard->config.services != NULL ? shard->config.services->host : NULL;

	return host != NULL ? service_host_deadline(host) : BASE_NEVER;
}
