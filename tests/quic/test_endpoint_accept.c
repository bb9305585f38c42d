/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clients that never finish, and far too many of them: handshakes are bounded, the genuine one gets through. */
#include <string.h>

#include "base/random.h"
#include "quic/initial_table.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/world.h"

enum { FLOOD = 2000, HANDSHAKES = 32, TLS_BYTES = 4 << 20, HEADER_BYTES = 1200 };

static struct world world;
static uint8_t initial[WORLD_BUFFER_BYTES];
static uint16_t initial_length;
static uint32_t connected;

static bool
keep_first(struct world *of, enum world_side from, const struct base_datagram *datagram)
{
	(void)of;
	if (from == WORLD_CLIENT && initial_length == 0) {
		memcpy(initial, datagram->octets, datagram->length);
		initial_length = datagram->length;
		return true;
	}
	return false;
}

static bool
lose_clients(struct world *of, enum world_side from, const struct base_datagram *datagram)
{
	/* The first flight passes, no answer comes back. */
	(void)of;
	(void)datagram;
	return from == WORLD_SERVER;
}

static void
count_connected(struct world *of, enum world_side side, const struct quic_event *event)
{
	(void)of;
	connected += side == WORLD_SERVER && event->type == QUIC_EVENT_CONNECTED;
}

static bool
is_connected(struct world *of)
{
	(void)of;
	return connected > 0;
}

static struct world_config
flood_config(uint32_t retry_above)
{
	struct world_config config = world_config_default();

	config.limits[WORLD_SERVER].handshakes = HANDSHAKES;
	config.limits[WORLD_SERVER].retry_above = retry_above;
	config.limits[WORLD_SERVER].connections = 4 * HANDSHAKES;
	config.elements[QUIC_POOL_HANDSHAKE] = 3 * HANDSHAKES;
	config.tls_memory_bytes = TLS_BYTES;
	config.on_event = count_connected;
	connected = 0;
	return config;
}

/* Opens a world, has the client speak once and keeps its first datagram from the server. */
static void
open_with_initial(const struct world_config *config)
{
	struct world_config keeping = *config;

	initial_length = 0;
	keeping.on_sent = keep_first;
	world_open(&world, &keeping);
	world_connect(&world, 0, NULL);
	world_turn(&world, WORLD_CLIENT, NULL, 0);
	assert_int_equal(initial_length, 1200);
	world_forget_clients(&world);
	world.config.on_sent = NULL;
}

static void
check_bounds(void)
{
	const struct tls_memory_counters *tls = tls_memory_counters(world.tls_memory);

	assert_in_range(world.nodes[WORLD_SERVER].pools[QUIC_POOL_HANDSHAKE]->in_use, 0, HANDSHAKES);
	assert_in_range(quic_endpoint_connections(world.nodes[WORLD_SERVER].endpoint), 0, HANDSHAKES);
	assert_in_range(tls->bytes_in_use_peak, 0, TLS_BYTES);
	assert_int_equal(tls->heap_extents, 0);
	quic_endpoint_check(world.nodes[WORLD_SERVER].endpoint);
}

static void
flood(uint32_t from, uint32_t count)
{
	for (uint32_t i = from; i < from + count; i++) {
		struct base_address stranger = world_stranger(i);

		world_inject(&world, initial, initial_length, &stranger);
		world.now_ns += 100 * BASE_US;
	}
}

static void
quic_endpoint_accept__the_oldest_handshake_gives_way(void **state)
{
	struct world_config config = flood_config(UINT32_MAX);

	(void)state;
	open_with_initial(&config);
	flood(0, FLOOD);
	check_bounds();
	assert_int_equal(world_counter(&world, WORLD_SERVER, "accepted"), FLOOD);
	assert_int_equal(world_counter(&world, WORLD_SERVER, "handshakes_evicted"), FLOOD - HANDSHAKES);
	/* RFC 9000 section 8.1: "an endpoint MUST limit the amount of data it sends to the unvalidated address to three
	 * times the amount of data received from that address." */
	assert_in_range(world.stray_bytes, 1, (uint64_t)3 * FLOOD * initial_length);
	/* What is left ends by itself. */
	world_run(&world, NULL, world.now_ns + 60 * BASE_SECOND);
	assert_int_equal(world_counter(&world, WORLD_SERVER, "handshakes_timed_out"), HANDSHAKES);
	assert_int_equal(quic_endpoint_connections(world.nodes[WORLD_SERVER].endpoint), 0);
	/* The endpoint keeps a few chunks at hand. */
	assert_in_range(world.nodes[WORLD_SERVER].pools[QUIC_POOL_CHUNK]->in_use, 0,
		config.limits[WORLD_SERVER].chunks_in_stock);
	world_close(&world);
}

static void
quic_endpoint_has_initial__as_long_as_the_connection_lives(void **state)
{
	struct world_config config = flood_config(UINT32_MAX);
	struct base_address stranger = world_stranger(1);
	const struct quic_endpoint *server;
	struct quic_table keyed = {0};
	struct base_path path;
	uint64_t key;

	(void)state;
	open_with_initial(&config);
	server = world.nodes[WORLD_SERVER].endpoint;
	memset(keyed.hash_key, 0x11 * (1 + (int)WORLD_SERVER),
		sizeof(keyed.hash_key)); /* as the world has it */
	world_inject(&world, initial, initial_length, &stranger);
	path = (struct base_path){.local = world.stray_path.local, .remote = stranger};
	key = quic_initial_key(&keyed, initial + 6, initial[5], &path);
	assert_true(quic_endpoint_has_initial(server, key));
	path.remote.port++;
	assert_false(
		quic_endpoint_has_initial(server, quic_initial_key(&keyed, initial + 6, initial[5], &path)));
	world_run(&world, NULL, world.now_ns + 60 * BASE_SECOND);
	assert_false(quic_endpoint_has_initial(server, key));
	world_close(&world);
}

static void
quic_endpoint_accept__a_burst_of_initials_is_bounded(void **state)
{
	struct world_config config = flood_config(UINT32_MAX);
	static uint8_t octets[WORLD_BATCH][WORLD_BUFFER_BYTES];
	struct base_datagram burst[WORLD_BATCH];

	(void)state;
	open_with_initial(&config);
	for (uint32_t n = 0; n < 20; n++) {
		for (uint32_t i = 0; i < WORLD_BATCH; i++) {
			memcpy(octets[i], initial, initial_length);
			burst[i] = (struct base_datagram){
				.octets = octets[i],
				.length = initial_length,
				.path = {.local = world_address(WORLD_SERVER, 443),
					.remote = world_stranger(n * WORLD_BATCH + i)},
			};
		}
		world_turn(&world, WORLD_SERVER, burst, WORLD_BATCH);
		check_bounds();
	}
	/* In spite of them the next client is served: it is the newest. */
	world_connect(&world, 1, NULL);
	assert_true(world_run(&world, is_connected, world.now_ns + BASE_SECOND));
	assert_true(world_drain(&world));
	world_close(&world);
}

static void
quic_endpoint_accept__a_client_gets_through_a_flood_by_retry(void **state)
{
	struct world_config config = flood_config(HANDSHAKES / 2);
	uint32_t sent = 0;

	(void)state;
	open_with_initial(&config);
	flood(0, FLOOD);
	check_bounds();
	assert_int_equal(world_counter(&world, WORLD_SERVER, "accepted"), HANDSHAKES / 2);
	assert_int_equal(world_counter(&world, WORLD_SERVER, "retries_sent"), FLOOD - HANDSHAKES / 2);
	assert_int_equal(world_counter(&world, WORLD_SERVER, "handshakes_evicted"), 0);
	world_connect(&world, 1, NULL);
	while (connected == 0 && sent < FLOOD) {
		flood(FLOOD + sent, 10);
		sent += 10;
		world_run(&world, is_connected, world.now_ns + BASE_MS);
	}
	assert_int_equal(connected, 1);
	check_bounds();
	assert_true(world_drain(&world));
	world_close(&world);
}

static void
quic_endpoint_accept__octets_that_are_no_initial_keep_no_connection(void **state)
{
	struct world_config config = flood_config(UINT32_MAX);
	struct base_random random;

	(void)state;
	open_with_initial(&config);
	base_random_init(&random, 5);
	for (uint32_t i = 0; i < FLOOD; i++) {
		struct base_address stranger = world_stranger(i);

		/* The header stays, what is protected does not. */
		base_random_fill(&random, initial + 60, HEADER_BYTES - 60u);
		world_inject(&world, initial, initial_length, &stranger);
	}
	check_bounds();
	assert_int_equal(world_counter(&world, WORLD_SERVER, "drop_not_authentic"), FLOOD);
	assert_int_equal(world_counter(&world, WORLD_SERVER, "handshakes_evicted"), 0);
	assert_int_equal(quic_endpoint_connections(world.nodes[WORLD_SERVER].endpoint), 0);
	assert_int_equal(world.strays, 0);
	world_close(&world);
}

static void
quic_endpoint_accept__a_client_that_never_finishes_is_forgotten(void **state)
{
	struct world_config config = flood_config(UINT32_MAX);

	(void)state;
	config.on_sent = lose_clients;
	world_open(&world, &config);
	for (uint32_t i = 0; i < 10; i++)
		world_connect(&world, i, NULL);
	world_run(&world, NULL, world.now_ns + 2 * BASE_SECOND);
	assert_int_equal(quic_endpoint_connections(world.nodes[WORLD_SERVER].endpoint), 10);
	world_run(&world, NULL, world.now_ns + 120 * BASE_SECOND);
	assert_int_equal(quic_endpoint_connections(world.nodes[WORLD_SERVER].endpoint), 0);
	assert_int_equal(quic_endpoint_connections(world.nodes[WORLD_CLIENT].endpoint), 0);
	assert_int_equal(world_counter(&world, WORLD_SERVER, "handshakes_timed_out"), 10);
	assert_int_equal(connected, 0);
	world_close(&world);
}

/* Idle connections keep no element, and those that come faster than elements are given back take the oldest. */
static void
quic_endpoint_accept__what_lingers_keeps_nobody_out(void **state)
{
	struct world_config config = flood_config(UINT32_MAX);
	struct base_pool *elements;

	(void)state;
	config.limits[WORLD_SERVER].handshakes = 8;
	config.elements[QUIC_POOL_HANDSHAKE] = HANDSHAKES;
	world_open(&world, &config);
	for (uint32_t i = 0; i < HANDSHAKES; i++) {
		connected = 0;
		world_connect(&world, i, NULL);
		assert_true(world_run(&world, is_connected, world.now_ns + BASE_SECOND));
	}
	elements = world.nodes[WORLD_SERVER].pools[QUIC_POOL_HANDSHAKE];
	assert_in_range(elements->in_use, 1, 8);
	assert_int_equal(world_counter(&world, WORLD_SERVER, "handshakes_evicted"), 0);
	world_run(&world, NULL, world.now_ns + 3 * BASE_SECOND);
	assert_int_equal(elements->in_use, 0);
	assert_int_equal(quic_endpoint_connections(world.nodes[WORLD_SERVER].endpoint), HANDSHAKES);
	assert_true(world_drain(&world));
	world_close(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quic_endpoint_accept__the_oldest_handshake_gives_way),
		cmocka_unit_test(quic_endpoint_has_initial__as_long_as_the_connection_lives),
		cmocka_unit_test(quic_endpoint_accept__a_burst_of_initials_is_bounded),
		cmocka_unit_test(quic_endpoint_accept__a_client_gets_through_a_flood_by_retry),
		cmocka_unit_test(quic_endpoint_accept__octets_that_are_no_initial_keep_no_connection),
		cmocka_unit_test(quic_endpoint_accept__what_lingers_keeps_nobody_out),
		cmocka_unit_test(quic_endpoint_accept__a_client_that_never_finishes_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
