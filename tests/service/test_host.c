/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/random.h"
#include "base/time.h"
#include "bus_world.h"

static uint64_t
topic(const struct bus_world *world, const char *name)
{
	return service_host_topic(&world->shards[0].host, BUS_SERVICE, name, strlen(name));
}

static void
service_host_post__reaches_a_connection_wherever_it_is(void **state)
{
	struct bus_world *world = bus_open(NULL);
	struct quic_handle to = world->conns[1].quic->handle;
	uint32_t value = 7;

	assert_int_equal(
		service_host_post(bus_host(world, 0), BUS_SERVICE, world->conns[0].quic, to, &value, 4),
		SERVICE_POSTED);
	assert_int_equal(world->conns[1].heard_count, 0);
	bus_move(world, 1, 2);
	bus_settle(world);
	assert_int_equal(world->others, 1);
	assert_int_equal(world->conns[1].heard_count, 1);
	assert_int_equal(world->conns[1].heard[0].kind, SERVICE_MESSAGE_POSTED);
	assert_int_equal(world->conns[1].heard[0].value, 7);
	assert_int_equal(world->conns[1].heard[0].from.slot, 0);
	bus_end(world, 1);
	assert_int_equal(
		service_host_post(bus_host(world, 0), BUS_SERVICE, world->conns[0].quic, to, &value, 4),
		SERVICE_POST_GONE);
	bus_close(world);
}

static void
service_host_post__is_for_the_same_service_only(void **state)
{
	struct bus_world *world = bus_open(NULL);
	uint32_t value = 7;

	service_host_post(bus_host(world, 0), BUS_SERVICE + 1, NULL, world->conns[1].quic->handle, &value, 4);
	bus_settle(world);
	assert_int_equal(world->conns[1].heard_count, 0);
	assert_int_equal(bus_counter(world, SERVICE_HOST_OTHERS), 1);
	bus_close(world);
}

static void
service_host_post_shard__reaches_the_instance(void **state)
{
	struct bus_world *world = bus_open(NULL);
	uint8_t octets[SERVICE_POST_BYTES + 1] = {0};

	assert_int_equal(
		service_host_post_shard(bus_host(world, 0), BUS_SERVICE, NULL, 2, octets, 4), SERVICE_POSTED);
	/* To its own shard, too, and not from within. */
	assert_int_equal(
		service_host_post_shard(bus_host(world, 0), BUS_SERVICE, NULL, 0, octets, SERVICE_POST_BYTES),
		SERVICE_POSTED);
	assert_int_equal(world->shards[0].posts_to_instance, 0);
	bus_settle(world);
	assert_int_equal(world->shards[0].posts_to_instance, 1);
	assert_int_equal(world->shards[2].posts_to_instance, 1);
	assert_int_equal(
		service_host_post_shard(bus_host(world, 0), BUS_SERVICE, NULL, BUS_SHARDS, octets, 4),
		SERVICE_POST_WRONG);
	assert_int_equal(
		service_host_post_shard(bus_host(world, 0), BUS_SERVICE, NULL, 1, octets, sizeof(octets)),
		SERVICE_POST_WRONG);
	assert_int_equal(service_host_post_shard(NULL, BUS_SERVICE, NULL, 1, octets, 4), SERVICE_POST_WRONG);
	assert_int_equal(
		service_host_post_manager(bus_host(world, 0), BUS_SERVICE, NULL, octets, 4), SERVICE_POSTED);
	assert_int_equal(world->notices, 1);
	bus_close(world);
}

static void
service_host_post__holds_a_connection_to_its_rate_and_tells_it_when(void **state)
{
	struct service_host_limits limits = {.bus = {.topics = 4, .subscribers = 4, .topic_subscribers = 4},
		.posts_per_s = 100,
		.posts_burst = 3,
		.posts_per_turn = 64,
		.hold_ns = BASE_SECOND};
	struct bus_world *world = bus_open(&limits);
	uint64_t room = topic(world, "room");

	for (int i = 0; i < 3; i++)
		assert_int_equal(bus_publish(world, 0, room, 1), SERVICE_POSTED);
	assert_int_equal(bus_publish(world, 0, room, 1), SERVICE_POST_FULL);
	/* Others have rates of their own, and an instance has none. */
	assert_int_equal(bus_publish(world, 3, room, 1), SERVICE_POSTED);
	world->now_ns += 9 * BASE_MS;
	bus_host(world, 0);
	assert_int_equal(world->conns[0].rooms, 0);
	assert_true(service_host_deadline(&world->shards[0].host) <= world->now_ns + BASE_MS);
	/* It moves meanwhile. */
	bus_move(world, 0, 1);
	world->now_ns += BASE_MS;
	bus_host(world, 0);
	assert_int_equal(world->conns[0].rooms, 1);
	assert_int_equal(bus_publish(world, 0, room, 1), SERVICE_POSTED);
	assert_int_equal(bus_publish(world, 0, room, 1), SERVICE_POST_FULL);
	assert_int_equal(bus_counter(world, SERVICE_HOST_TOO_FAST), 2);
	bus_close(world);
}

static void
service_host_post__that_finds_no_place_costs_no_rate(void **state)
{
	struct service_host_limits limits = {.bus = {.topics = 4, .subscribers = 4, .topic_subscribers = 4},
		.posts_per_s = 1,
		.posts_burst = 1,
		.posts_per_turn = 64,
		.hold_ns = BASE_SECOND};
	struct bus_world *world = bus_open(&limits);
	uint32_t value = 1;

	world->shards[1].places = 0;
	assert_int_equal(service_host_post(bus_host(world, 0), BUS_SERVICE, world->conns[0].quic,
				 world->conns[1].quic->handle, &value, 4),
		SERVICE_POST_FULL);
	bus_host(world, 0);
	assert_int_equal(world->conns[0].rooms, 1);
	world->shards[1].places = 1;
	assert_int_equal(service_host_post(bus_host(world, 0), BUS_SERVICE, world->conns[0].quic,
				 world->conns[1].quic->handle, &value, 4),
		SERVICE_POSTED);
	bus_close(world);
}

static void
service_host_subscribe__confirms_and_delivers(void **state)
{
	struct bus_world *world = bus_open(NULL);
	uint64_t room = topic(world, "room");

	assert_int_equal(bus_subscribe(world, 0, room), SERVICE_POSTED);
	assert_int_equal(bus_subscribe(world, 0, room), SERVICE_POST_WRONG);
	assert_int_equal(bus_subscribe(world, 1, room), SERVICE_POSTED);
	bus_settle(world);
	assert_int_equal(bus_publish(world, 2, room, 5), SERVICE_POSTED);
	assert_int_equal(bus_publish(world, 0, topic(world, "elsewhere"), 6), SERVICE_POSTED);
	bus_settle(world);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(world->conns[i].heard_count, 2);
		assert_int_equal(world->conns[i].heard[0].kind, SERVICE_MESSAGE_SUBSCRIBED);
		assert_int_equal(world->conns[i].heard[1].kind, SERVICE_MESSAGE_PUBLISHED);
		assert_int_equal(world->conns[i].heard[1].value, 5);
		assert_int_equal(world->conns[i].heard[1].topic, room);
		assert_int_equal(world->conns[i].heard[1].from.slot, 2);
	}
	/* From now on nothing comes, whatever is under way. */
	assert_int_equal(bus_publish(world, 2, room, 8), SERVICE_POSTED);
	service_host_unsubscribe(bus_host(world, 0), world->conns[0].quic, room);
	bus_settle(world);
	assert_int_equal(world->conns[0].heard_count, 2);
	assert_int_equal(world->conns[1].heard_count, 3);
	assert_int_equal(service_bus_count(&world->shards[room % BUS_SHARDS].host.bus, room), 1);
	bus_close(world);
}

static void
service_host_subscribe__has_a_limit_per_connection(void **state)
{
	struct bus_world *world = bus_open(NULL);

	for (int i = 0; i < SERVICE_SUBSCRIPTIONS_MAX; i++)
		assert_int_equal(
			bus_subscribe(world, 0, topic(world, (char[]){'a' + (char)i, 0})), SERVICE_POSTED);
	assert_int_equal(bus_subscribe(world, 0, topic(world, "z")), SERVICE_POST_WRONG);
	service_host_unsubscribe(bus_host(world, 0), world->conns[0].quic, topic(world, "a"));
	assert_int_equal(bus_subscribe(world, 0, topic(world, "z")), SERVICE_POSTED);
	bus_close(world);
}

static void
service_host_subscribe__tells_who_is_refused(void **state)
{
	struct service_host_limits limits = {.bus = {.topics = 1, .subscribers = 8, .topic_subscribers = 1},
		.posts_per_s = 1000,
		.posts_burst = 100,
		.posts_per_turn = 64,
		.hold_ns = BASE_SECOND};
	struct bus_world *world = bus_open(&limits);
	uint64_t room = topic(world, "room");

	bus_subscribe(world, 0, room);
	bus_settle(world);
	bus_subscribe(world, 1, room);
	bus_settle(world);
	assert_int_equal(world->conns[1].heard_count, 1);
	assert_int_equal(world->conns[1].heard[0].kind, SERVICE_MESSAGE_REFUSED);
	/* It may try again, and there is room when the other has left. */
	bus_end(world, 0);
	assert_int_equal(bus_subscribe(world, 1, room), SERVICE_POSTED);
	bus_settle(world);
	assert_int_equal(world->conns[1].heard[1].kind, SERVICE_MESSAGE_SUBSCRIBED);
	bus_close(world);
}

/* A home that was not told, since there was no place, learns it from the connection's shard. */
static void
service_host_unsubscribe__is_repeated_when_it_was_lost(void **state)
{
	struct bus_world *world = bus_open(NULL);
	uint64_t room = topic(world, "room");
	struct bus_shard *home = &world->shards[room % BUS_SHARDS];
	uint32_t conn = (uint32_t)((room + 1) % BUS_SHARDS);

	bus_subscribe(world, conn, room);
	bus_settle(world);
	home->places = 0;
	service_host_unsubscribe(bus_host(world, conn), world->conns[conn].quic, room);
	home->places = BUS_QUEUE;
	assert_int_equal(service_bus_count(&home->host.bus, room), 1);
	bus_publish(world, 2, room, 1);
	bus_settle(world);
	assert_int_equal(service_bus_count(&home->host.bus, room), 0);
	assert_int_equal(bus_counter(world, SERVICE_HOST_LATE), 1);
	assert_int_equal(world->conns[conn].heard_count, 1);
	bus_close(world);
}

static void
service_host_turn__gives_up_what_was_lost(void **state)
{
	struct bus_world *world = bus_open(NULL);
	uint64_t room = topic(world, "room");
	uint32_t conn = (uint32_t)((room + 1) % BUS_SHARDS);
	struct bus_shard *shard = &world->shards[conn];

	bus_subscribe(world, conn, room);
	bus_settle(world);
	bus_publish(world, conn, room, 1);
	bus_publish(world, conn, room, 2);
	while (bus_step(world, (uint16_t)(room % BUS_SHARDS)))
		continue;
	assert_int_equal(shard->count, 2);
	/* The first is lost on its way, as behind a move and at a full mailbox. */
	shard->first = (shard->first + 1) % BUS_QUEUE;
	shard->count--;
	bus_settle(world);
	assert_int_equal(world->conns[conn].heard_count, 1);
	assert_int_equal(bus_counter(world, SERVICE_HOST_HELD), 1);
	world->now_ns += 99 * BASE_MS;
	bus_move(world, conn, (uint16_t)((conn + 1) % BUS_SHARDS));
	bus_host(world, conn);
	assert_int_equal(world->conns[conn].heard_count, 1);
	world->now_ns += BASE_MS;
	bus_host(world, conn);
	assert_int_equal(world->conns[conn].heard_count, 2);
	assert_int_equal(world->conns[conn].heard[1].value, 2);
	assert_int_equal(bus_counter(world, SERVICE_HOST_GIVEN_UP), 1);
	bus_close(world);
}

/* Whatever the order in which shards work and connections move: all hear all, in one order. */
static void
one_seed(uint64_t seed, uint64_t *held)
{
	enum { STEPS = 4000, MESSAGES = 400 };
	struct bus_world *world = bus_open(NULL);
	uint64_t room = topic(world, "room");
	struct base_random random;
	uint32_t said = 0;

	base_random_init(&random, seed);
	for (uint32_t i = 0; i < BUS_CONNS; i++)
		assert_int_equal(bus_subscribe(world, i, room), SERVICE_POSTED);
	bus_settle(world);
	for (int i = 0; i < STEPS; i++) {
		uint32_t conn = (uint32_t)base_random_below(&random, BUS_CONNS);
		uint16_t shard = (uint16_t)base_random_below(&random, BUS_SHARDS);

		if (base_random_below(&random, 10) == 0)
			bus_move(world, conn, shard);
		if (said < MESSAGES && base_random_below(&random, 5) == 0)
			assert_int_equal(bus_publish(world, conn, room, said++), SERVICE_POSTED);
		for (uint64_t steps = base_random_below(&random, 12); steps > 0; steps--)
			bus_step(world, shard);
		world->now_ns += 10 * BASE_US;
	}
	bus_settle(world);
	for (uint32_t i = 0; i < BUS_CONNS; i++) {
		assert_int_equal(world->conns[i].heard_count, said + 1);
		for (uint32_t j = 1; j <= said; j++)
			assert_int_equal(world->conns[i].heard[j].value, world->conns[0].heard[j].value);
	}
	*held += bus_counter(world, SERVICE_HOST_HELD);
	assert_int_equal(bus_counter(world, SERVICE_HOST_GIVEN_UP), 0);
	assert_int_equal(bus_counter(world, SERVICE_HOST_DROP_HELD), 0);
	bus_close(world);
}

static void
service_host_publish__keeps_one_order_while_connections_move(void **state)
{
	uint64_t held = 0;

	for (uint64_t seed = 1; seed <= 20; seed++)
		one_seed(seed, &held);
	/* Posts did overtake each other, or this would show nothing. */
	assert_true(held > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_host_post__reaches_a_connection_wherever_it_is),
		cmocka_unit_test(service_host_post__is_for_the_same_service_only),
		cmocka_unit_test(service_host_post_shard__reaches_the_instance),
		cmocka_unit_test(service_host_post__holds_a_connection_to_its_rate_and_tells_it_when),
		cmocka_unit_test(service_host_post__that_finds_no_place_costs_no_rate),
		cmocka_unit_test(service_host_subscribe__confirms_and_delivers),
		cmocka_unit_test(service_host_subscribe__has_a_limit_per_connection),
		cmocka_unit_test(service_host_subscribe__tells_who_is_refused),
		cmocka_unit_test(service_host_unsubscribe__is_repeated_when_it_was_lost),
		cmocka_unit_test(service_host_turn__gives_up_what_was_lost),
		cmocka_unit_test(service_host_publish__keeps_one_order_while_connections_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
