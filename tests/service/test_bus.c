/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/bus.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tests/support/cmocka_all.h"

enum { SLOTS = 16, SENT_MAX = 64 };

struct fixture {
	struct service_bus bus;
	void *memory, *slot_memory;
	_Alignas(64) uint8_t region[SLOTS * 64];
	struct quic_slots slots;
	enum service_posted answer;
	uint32_t sent_count;
	struct service_post sent[SENT_MAX];
};

static enum service_posted
keep(void *with, struct service_post *post)
{
	struct fixture *f = with;
	struct quic_slot_owner owner;

	if (!quic_slots_owner(&f->slots, post->to.slot, &owner) || owner.generation != post->to.generation)
		return SERVICE_POST_GONE;
	if (f->answer == SERVICE_POSTED)
		f->sent[f->sent_count++ % SENT_MAX] = *post;
	return f->answer;
}

static struct fixture *
open_bus(uint32_t topics, uint32_t subscribers, uint32_t topic_subscribers)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) & ~(size_t)63);
	struct service_bus_limits limits = {topics, subscribers, topic_subscribers};
	struct quic_slots_config slots = {
		.count = SLOTS, .slot_bytes = 64, .region_slots = SLOTS, .shards = 1};

	memset(f, 0, sizeof(*f));
	slots.regions[0] = f->region;
	f->slot_memory = aligned_alloc(64, (quic_slots_memory_bytes(SLOTS, 1) + 63) & ~(size_t)63);
	quic_slots_init(&f->slots, &slots, f->slot_memory);
	for (uint32_t i = 0; i < SLOTS; i++)
		quic_slots_publish(&f->slots, quic_slots_take(&f->slots, 0), 0);
	f->memory = aligned_alloc(64, (service_bus_bytes(&limits) + 63) & ~(size_t)63);
	service_bus_init(&f->bus, &limits, f->memory);
	service_bus_bind(&f->bus, &f->slots, keep, f);
	return f;
}

static void
close_bus(struct fixture *f)
{
	free(f->memory);
	free(f->slot_memory);
	free(f);
}

static void
take(struct fixture *f, enum service_post_kind kind, uint32_t slot, uint64_t topic, uint32_t subscription)
{
	struct service_post post = {.to.slot = BASE_SLOT_NONE,
		.from.slot = slot,
		.topic = topic,
		.subscription = subscription,
		.service = 3,
		.kind = (uint8_t)kind};

	service_bus_take(&f->bus, &post);
}

static void
service_bus_take__numbers_what_a_subscriber_is_sent(void **state)
{
	struct fixture *f = open_bus(4, 8, 8);

	take(f, SERVICE_POST_SUBSCRIBE, 1, 100, 11);
	take(f, SERVICE_POST_PUBLISH, 2, 100, 0);
	take(f, SERVICE_POST_SUBSCRIBE, 2, 100, 12);
	take(f, SERVICE_POST_PUBLISH, 2, 100, 0);
	take(f, SERVICE_POST_PUBLISH, 2, 101, 0);
	assert_int_equal(f->sent_count, 5);
	assert_int_equal(f->sent[0].kind, SERVICE_POST_SUBSCRIBED);
	for (uint32_t i = 0; i < f->sent_count; i++) {
		const struct service_post *post = &f->sent[i];

		assert_int_equal(post->topic, 100);
		assert_int_equal(post->service, 3);
		assert_int_equal(post->subscription, post->to.slot + 10);
		assert_int_equal(post->kind == SERVICE_POST_SUBSCRIBED, post->number == 0);
	}
	assert_int_equal(f->sent[1].number, 1);
	assert_int_equal(f->sent[1].from.slot, 2);
	assert_int_equal(f->sent[3].number + f->sent[4].number, 3);
	close_bus(f);
}

static void
service_bus_take__counts_no_number_for_what_has_no_place(void **state)
{
	struct fixture *f = open_bus(4, 8, 8);

	take(f, SERVICE_POST_SUBSCRIBE, 1, 100, 11);
	f->answer = SERVICE_POST_FULL;
	take(f, SERVICE_POST_PUBLISH, 2, 100, 0);
	f->answer = SERVICE_POSTED;
	take(f, SERVICE_POST_PUBLISH, 2, 100, 0);
	assert_int_equal(f->sent[1].number, 1);
	assert_int_equal(f->bus.counters[SERVICE_BUS_DROP_FULL], 1);
	assert_int_equal(f->bus.counters[SERVICE_BUS_SENT], 1);
	close_bus(f);
}

static void
service_bus_turn__sends_confirmations_that_found_no_place(void **state)
{
	struct fixture *f = open_bus(4, 8, 8);

	f->answer = SERVICE_POST_FULL;
	take(f, SERVICE_POST_SUBSCRIBE, 1, 100, 11);
	take(f, SERVICE_POST_SUBSCRIBE, 2, 100, 12);
	take(f, SERVICE_POST_SUBSCRIBE, 3, 101, 13);
	service_bus_turn(&f->bus);
	assert_int_equal(f->bus.owed, 3);
	f->answer = SERVICE_POSTED;
	/* Who is published to hears of the subscription first. */
	take(f, SERVICE_POST_PUBLISH, 3, 101, 0);
	assert_int_equal(f->sent_count, 2);
	assert_int_equal(f->sent[0].kind, SERVICE_POST_SUBSCRIBED);
	assert_int_equal(f->sent[1].number, 1);
	/* One has ended. */
	quic_slots_free(&f->slots, 2, 0);
	service_bus_turn(&f->bus);
	assert_int_equal(f->bus.owed, 0);
	assert_int_equal(f->sent_count, 3);
	assert_int_equal(f->sent[2].to.slot, 1);
	assert_int_equal(service_bus_count(&f->bus, 100), 1);
	close_bus(f);
}

static void
service_bus_take__forgets_those_that_are_over(void **state)
{
	struct fixture *f = open_bus(4, 8, 8);

	for (uint32_t slot = 0; slot < 3; slot++)
		take(f, SERVICE_POST_SUBSCRIBE, slot, 100, 10 + slot);
	quic_slots_free(&f->slots, 0, 0);
	quic_slots_free(&f->slots, 2, 0);
	take(f, SERVICE_POST_PUBLISH, 5, 100, 0);
	assert_int_equal(service_bus_count(&f->bus, 100), 1);
	assert_int_equal(f->bus.counters[SERVICE_BUS_GONE], 2);
	quic_slots_free(&f->slots, 1, 0);
	take(f, SERVICE_POST_PUBLISH, 5, 100, 0);
	assert_int_equal(service_bus_count(&f->bus, 100), 0);
	assert_int_equal(f->bus.topic_count, 0);
	close_bus(f);
}

static void
service_bus_take__looks_for_those_that_are_over_when_there_is_no_room(void **state)
{
	struct fixture *f = open_bus(4, 2, 8);

	take(f, SERVICE_POST_SUBSCRIBE, 0, 100, 10);
	take(f, SERVICE_POST_SUBSCRIBE, 1, 101, 11);
	take(f, SERVICE_POST_SUBSCRIBE, 2, 102, 12);
	assert_int_equal(f->sent[2].kind, SERVICE_POST_REFUSED);
	assert_int_equal(f->sent[2].subscription, 12);
	quic_slots_free(&f->slots, 0, 0);
	take(f, SERVICE_POST_SUBSCRIBE, 2, 102, 13);
	assert_int_equal(f->sent[3].kind, SERVICE_POST_SUBSCRIBED);
	assert_int_equal(service_bus_count(&f->bus, 100), 0);
	close_bus(f);
}

static void
service_bus_take__has_limits_for_topics_and_their_subscribers(void **state)
{
	struct fixture *f = open_bus(1, 8, 2);

	take(f, SERVICE_POST_SUBSCRIBE, 0, 100, 10);
	take(f, SERVICE_POST_SUBSCRIBE, 1, 100, 11);
	take(f, SERVICE_POST_SUBSCRIBE, 2, 100, 12);
	take(f, SERVICE_POST_SUBSCRIBE, 3, 101, 13);
	assert_int_equal(f->bus.counters[SERVICE_BUS_REFUSED], 2);
	/* Again by the same connection is not one more, and a late goodbye of its last life ends nothing. */
	take(f, SERVICE_POST_SUBSCRIBE, 1, 100, 14);
	take(f, SERVICE_POST_UNSUBSCRIBE, 1, 100, 11);
	assert_int_equal(service_bus_count(&f->bus, 100), 2);
	take(f, SERVICE_POST_UNSUBSCRIBE, 1, 100, 14);
	take(f, SERVICE_POST_UNSUBSCRIBE, 0, 100, 10);
	take(f, SERVICE_POST_UNSUBSCRIBE, 0, 100, 10);
	take(f, SERVICE_POST_SUBSCRIBE, 3, 101, 15);
	assert_int_equal(service_bus_count(&f->bus, 101), 1);
	close_bus(f);
}

/* Topics whose places collide come and go; each is found as long as it is there. */
static void
service_bus_take__finds_topics_whatever_came_and_went(void **state)
{
	enum { TOPICS = 16 };
	struct fixture *f = open_bus(TOPICS, TOPICS, 1);
	struct base_random random;
	bool there[TOPICS] = {false};

	base_random_init(&random, 1);
	for (int i = 0; i < 20000; i++) {
		uint32_t at = (uint32_t)base_random_below(&random, TOPICS);
		/* The place is of the upper half: four topics each share one, at the end of the table, too. */
		uint64_t topic = (uint64_t)(29 + at / 4) << 32 | (at + 1);

		take(f, there[at] ? SERVICE_POST_UNSUBSCRIBE : SERVICE_POST_SUBSCRIBE, at, topic, at + 1);
		there[at] = !there[at];
		for (uint32_t j = 0; j < TOPICS; j++)
			assert_int_equal(
				service_bus_count(&f->bus, (uint64_t)(29 + j / 4) << 32 | (j + 1)), there[j]);
	}
	close_bus(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_bus_take__numbers_what_a_subscriber_is_sent),
		cmocka_unit_test(service_bus_take__counts_no_number_for_what_has_no_place),
		cmocka_unit_test(service_bus_turn__sends_confirmations_that_found_no_place),
		cmocka_unit_test(service_bus_take__forgets_those_that_are_over),
		cmocka_unit_test(service_bus_take__looks_for_those_that_are_over_when_there_is_no_room),
		cmocka_unit_test(service_bus_take__has_limits_for_topics_and_their_subscribers),
		cmocka_unit_test(service_bus_take__finds_topics_whatever_came_and_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
