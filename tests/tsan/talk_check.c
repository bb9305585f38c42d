/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What became of all that was said. */
#include <stdio.h>
#include <stdlib.h>

#include "shard/post.h"
#include "shard/state.h"
#include "tests/support/cmocka_all.h"
#include "tests/tsan/talk.h"

static uint64_t
said(enum talk_counter counter)
{
	uint64_t sum = 0;

	for (int i = 0; i < LIVE_SHARDS_MAX; i++)
		sum += talk.shards[i].counters[counter];
	return sum;
}

static uint64_t
posts(const struct live *live, enum shard_post_counter counter)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < live->group->count; i++)
		sum += live->group->shards[i]->posts.counters[counter];
	return sum;
}

static uint64_t
of_hosts(enum service_host_counter counter)
{
	uint64_t sum = 0;

	for (int i = 0; i < LIVE_SHARDS_MAX; i++)
		sum += talk.shards[i].host.counters[counter];
	return sum;
}

static uint64_t
of_buses(enum service_bus_counter counter)
{
	uint64_t sum = 0;

	for (int i = 0; i < LIVE_SHARDS_MAX; i++)
		sum += talk.shards[i].host.bus.counters[counter];
	return sum;
}

static uint64_t
dropped(const struct live *live)
{
	return posts(live, SHARD_POSTS_DROP_GONE) + posts(live, SHARD_POSTS_DROP_HOPS) +
		posts(live, SHARD_POSTS_DROP_PASSING);
}

/* What two subscriptions have both heard, they have heard in one order. */
static uint32_t
compare(const struct talk_record *first, const struct talk_record *second, uint32_t *places)
{
	uint32_t common = 0, last = 0;

	for (uint32_t i = 0; i < first->count; i++)
		places[first->ids[i]] = i + 1;
	for (uint32_t i = 0; i < second->count; i++) {
		uint32_t place = places[second->ids[i]];

		if (place == 0)
			continue;
		assert_true(place > last);
		last = place;
		common++;
	}
	for (uint32_t i = 0; i < first->count; i++)
		places[first->ids[i]] = 0;
	return common;
}

static void
check_order(void)
{
	uint32_t *places = calloc((size_t)LIVE_SHARDS_MAX * TALK_NUMBERS, sizeof(*places));
	uint64_t common = 0, alone = 0;

	assert_non_null(places);
	for (uint32_t i = 0; i < talk.record_count; i++) {
		/* With itself: nothing has come twice. */
		alone += compare(&talk.records[i], &talk.records[i], places);
		for (uint32_t j = 0; j < i; j++)
			if (talk.records[i].topic == talk.records[j].topic)
				common += compare(&talk.records[i], &talk.records[j], places);
	}
	free(places);
	printf("%llu of topics, %llu times two have heard the same in one order\n", (unsigned long long)alone,
		(unsigned long long)common);
	assert_true(alone > 0 && common > 0);
}

static void
print(const struct live *live)
{
	printf("posts: %llu taken, %llu delivered, %llu passed on, %llu to the manager; %llu of %llu refused since the other was gone, "
	       "dropped %llu gone, %llu hops, %llu passing\n",
		(unsigned long long)posts(live, SHARD_POSTS_SENT),
		(unsigned long long)posts(live, SHARD_POSTS_DELIVERED),
		(unsigned long long)posts(live, SHARD_POSTS_PASSED_ON), (unsigned long long)talk.notices,
		(unsigned long long)posts(live, SHARD_POSTS_REFUSED_GONE),
		(unsigned long long)(posts(live, SHARD_POSTS_REFUSED) +
			posts(live, SHARD_POSTS_REFUSED_GONE)),
		(unsigned long long)posts(live, SHARD_POSTS_DROP_GONE),
		(unsigned long long)posts(live, SHARD_POSTS_DROP_HOPS),
		(unsigned long long)posts(live, SHARD_POSTS_DROP_PASSING));
	printf("bus: %llu published, %llu sent, %llu heard, %llu held, %llu late, %llu given up, %llu no place; %llu subscribed, "
	       "%llu refused; %llu told of room\n",
		(unsigned long long)of_buses(SERVICE_BUS_PUBLISHED),
		(unsigned long long)of_buses(SERVICE_BUS_SENT), (unsigned long long)said(TALK_TOPIC),
		(unsigned long long)of_hosts(SERVICE_HOST_HELD),
		(unsigned long long)of_hosts(SERVICE_HOST_LATE),
		(unsigned long long)of_hosts(SERVICE_HOST_GIVEN_UP),
		(unsigned long long)of_buses(SERVICE_BUS_DROP_FULL), (unsigned long long)said(TALK_CONFIRMED),
		(unsigned long long)said(TALK_REFUSED), (unsigned long long)said(TALK_ROOM));
}

void
talk_check(const struct live *live)
{
	uint64_t heard = said(TALK_HEARD), of_topics = said(TALK_TOPIC);

	print(live);
	assert_true(talk_silent(live));
	/* In the rings: each that was taken of a poster has come, or was dropped for a reason. */
	assert_int_equal(posts(live, SHARD_POSTS_SENT),
		posts(live, SHARD_POSTS_DELIVERED) + dropped(live) + talk.notices);
	assert_int_equal(said(TALK_NOTICES), talk.notices);
	/* Messages: only those to connections may be dropped, and by a host those of one that is in its handshake. */
	assert_true(heard <= said(TALK_MESSAGES) &&
		said(TALK_MESSAGES) - heard <= dropped(live) + of_hosts(SERVICE_HOST_OTHERS));
	/* Publications are to shards, so none is lost on the way to the topic's home. */
	assert_int_equal(said(TALK_PUBLISHED), of_buses(SERVICE_BUS_PUBLISHED));
	assert_true(of_topics <= of_buses(SERVICE_BUS_SENT));
	assert_true(of_buses(SERVICE_BUS_SENT) - of_topics <= dropped(live) + of_hosts(SERVICE_HOST_LATE) +
			of_hosts(SERVICE_HOST_HELD) + of_hosts(SERVICE_HOST_DROP_HELD));
	/* The test is about something. */
	assert_true(posts(live, SHARD_POSTS_PASSED_ON) > 0 && posts(live, SHARD_POSTS_REFUSED) > 0);
	assert_true(said(TALK_ROOM) > 0 && said(TALK_CONFIRMED) > 0);
	check_order();
}
