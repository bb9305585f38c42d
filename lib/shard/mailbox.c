/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/mailbox.h"

#include <assert.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "base/assert.h"

/*
 * Writers may be preempted where there are more threads than CPUs; with relaxed tail synchronisation the others do
 * not wait for one that was.
 */
enum { RING_FLAGS = RING_F_MP_RTS_ENQ | RING_F_SC_DEQ };
enum { UPDATES = 256 };

static_assert(sizeof(struct shard_control) % 4 == 0, "ring elements are whole words");
static_assert(sizeof(struct service_post) == 256, "a post is four cache lines");
static_assert(sizeof(struct shard_update) % 4 == 0, "ring elements are whole words");

static struct rte_ring *
open_ring(const char *name, const char *kind, uint32_t element_bytes, uint32_t places, int socket)
{
	char text[RTE_RING_NAMESIZE];

	snprintf(text, sizeof(text), "%.20s_%s", name, kind);
	return rte_ring_create_elem(text, element_bytes, places, socket, RING_FLAGS);
}

bool
shard_mailbox_open(
	struct shard_mailbox *mailbox, const char *name, uint32_t datagrams, uint32_t control, int socket)
{
	*mailbox = (struct shard_mailbox){0};
	mailbox->datagrams = open_ring(name, "d", sizeof(void *), datagrams, socket);
	mailbox->frames = open_ring(name, "f", sizeof(void *), datagrams, socket);
	mailbox->updates = open_ring(name, "u", sizeof(struct shard_update), UPDATES, socket);
	mailbox->control = open_ring(name, "c", sizeof(struct shard_control), control, socket);
	if (mailbox->datagrams != NULL && mailbox->frames != NULL && mailbox->updates != NULL &&
		mailbox->control != NULL)
		return true;
	shard_mailbox_close(mailbox);
	return false;
}

static void
close_buffers(struct rte_ring *ring)
{
	struct rte_mbuf *mbuf;

	while (ring != NULL && rte_ring_dequeue(ring, (void **)&mbuf) == 0)
		rte_pktmbuf_free(mbuf);
	rte_ring_free(ring);
}

void
shard_mailbox_close(struct shard_mailbox *mailbox)
{
	close_buffers(mailbox->datagrams);
	close_buffers(mailbox->frames);
	rte_ring_free(mailbox->updates);
	rte_ring_free(mailbox->control);
	rte_ring_free(mailbox->posts);
	rte_free(mailbox->shares);
	*mailbox = (struct shard_mailbox){0};
}

uint16_t
shard_mailbox_post_datagrams(struct shard_mailbox *mailbox, struct rte_mbuf **mbufs, uint16_t count)
{
	return (uint16_t)rte_ring_enqueue_burst(mailbox->datagrams, (void **)mbufs, count, NULL);
}

uint16_t
shard_mailbox_take_datagrams(struct shard_mailbox *mailbox, struct rte_mbuf **mbufs, uint16_t count)
{
	return (uint16_t)rte_ring_dequeue_burst(mailbox->datagrams, (void **)mbufs, count, NULL);
}

uint16_t
shard_mailbox_post_frames(struct shard_mailbox *mailbox, struct rte_mbuf **mbufs, uint16_t count)
{
	return (uint16_t)rte_ring_enqueue_burst(mailbox->frames, (void **)mbufs, count, NULL);
}

uint16_t
shard_mailbox_take_frames(struct shard_mailbox *mailbox, struct rte_mbuf **mbufs, uint16_t count)
{
	return (uint16_t)rte_ring_dequeue_burst(mailbox->frames, (void **)mbufs, count, NULL);
}

uint32_t
shard_mailbox_first_half(const struct shard_mailbox *mailbox)
{
	uint32_t half = rte_ring_get_capacity(mailbox->datagrams) / 2;
	uint32_t taken = rte_ring_count(mailbox->datagrams);

	return taken < half ? half - taken : 0;
}

bool
shard_mailbox_post_update(struct shard_mailbox *mailbox, const struct shard_update *update)
{
	return rte_ring_enqueue_elem(mailbox->updates, (void *)(uintptr_t)update, sizeof(*update)) == 0;
}

bool
shard_mailbox_take_update(struct shard_mailbox *mailbox, struct shard_update *update)
{
	return rte_ring_dequeue_elem(mailbox->updates, update, sizeof(*update)) == 0;
}

void
shard_mailbox_post_control(struct shard_mailbox *mailbox, const struct shard_control *control)
{
	int result = rte_ring_enqueue_elem(mailbox->control, (void *)(uintptr_t)control, sizeof(*control));

	base_assert(result == 0);
}

bool
shard_mailbox_take_control(struct shard_mailbox *mailbox, struct shard_control *control)
{
	return rte_ring_dequeue_elem(mailbox->control, control, sizeof(*control)) == 0;
}

bool
shard_mailbox_has_control(const struct shard_mailbox *mailbox)
{
	return !rte_ring_empty(mailbox->control);
}

uint32_t
shard_mailbox_control_room(const struct shard_mailbox *mailbox)
{
	return rte_ring_free_count(mailbox->control);
}

/* A ring holds one element less than its size. */
static uint32_t
post_places(uint16_t posters, uint32_t share)
{
	return rte_align32pow2(posters * share + 1);
}

size_t
shard_mailbox_posts_bytes(uint16_t posters, uint32_t share)
{
	return (size_t)post_places(posters, share) * sizeof(struct service_post) +
		posters * sizeof(struct shard_mailbox_share);
}

bool
shard_mailbox_open_posts(
	struct shard_mailbox *mailbox, const char *name, uint16_t posters, uint32_t share, int socket)
{
	mailbox->posters = posters;
	mailbox->share = share;
	mailbox->shares = rte_zmalloc_socket(
		"shares", posters * sizeof(mailbox->shares[0]), _Alignof(struct shard_mailbox_share), socket);
	mailbox->posts =
		open_ring(name, "p", sizeof(struct service_post), post_places(posters, share), socket);
	return mailbox->shares != NULL && mailbox->posts != NULL;
}

bool
shard_mailbox_post_post(struct shard_mailbox *mailbox, const struct service_post *post)
{
	struct shard_mailbox_share *share;
	int result;

	if (mailbox->posts == NULL)
		return false;
	base_assert(post->via < mailbox->posters);
	share = &mailbox->shares[post->via];
	if (share->posted - atomic_load_explicit(&share->taken, memory_order_acquire) >= mailbox->share)
		return false;
	result = rte_ring_enqueue_elem(mailbox->posts, (void *)(uintptr_t)post, sizeof(*post));
	/* The shares of all fit. */
	base_assert(result == 0);
	share->posted++;
	return true;
}

bool
shard_mailbox_take_post(struct shard_mailbox *mailbox, struct service_post *post)
{
	_Atomic uint32_t *taken;

	if (mailbox->posts == NULL || rte_ring_dequeue_elem(mailbox->posts, post, sizeof(*post)) != 0)
		return false;
	base_assert(post->via < mailbox->posters);
	taken = &mailbox->shares[post->via].taken;
	atomic_store_explicit(
		taken, atomic_load_explicit(taken, memory_order_relaxed) + 1, memory_order_release);
	return true;
}

uint32_t
shard_mailbox_posts(const struct shard_mailbox *mailbox)
{
	return mailbox->posts != NULL ? rte_ring_count(mailbox->posts) : 0;
}

bool
shard_mailbox_empty(const struct shard_mailbox *mailbox)
{
	return rte_ring_empty(mailbox->datagrams) && rte_ring_empty(mailbox->frames) &&
		rte_ring_empty(mailbox->updates) && rte_ring_empty(mailbox->control) &&
		shard_mailbox_posts(mailbox) == 0;
}
