/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every service over connections of lib/quic, over a good and a bad network, byte for byte. */
#include "tests/support/cmocka_all.h"
#include "traffic.h"

static struct traffic traffic;

static struct world_config
lossy(uint32_t loss, uint64_t seed)
{
	struct world_config config = world_config_default();

	config.up.delay_ns = config.down.delay_ns = 10 * BASE_MS;
	config.up.loss = config.down.loss = loss;
	config.up.reorder = config.down.reorder = loss;
	config.up.reorder_ns = config.down.reorder_ns = 5 * BASE_MS;
	config.up.duplicate = config.down.duplicate = loss / 2;
	config.up.corrupt = config.down.corrupt = loss / 4;
	config.seed = seed;
	for (int side = 0; side < WORLD_SIDES; side++) {
		config.limits[side].handshake_timeout_ns = 120 * BASE_SECOND;
		config.limits[side].idle_timeout_ns = 120 * BASE_SECOND;
	}
	return config;
}

static void
run(const char *alpn, uint32_t loss, uint64_t seed)
{
	struct world_config config = lossy(loss, seed);

	traffic_open(&traffic, alpn, &config);
	for (int i = 0; i < 3; i++)
		traffic_add_client(&traffic);
	traffic_want(&traffic, 2 * TRAFFIC_FILES, 5);
	assert_true(world_run(&traffic.world, traffic_done, traffic.world.now_ns + 400 * BASE_SECOND));
	assert_int_equal(traffic.wrong, 0);
	for (int i = 0; i < 3; i++)
		assert_false(traffic.clients[i].closed);
	quic_endpoint_check(traffic.world.nodes[WORLD_SERVER].endpoint);
	traffic_close(&traffic);
}

static void
run_all(const char *alpn)
{
	run(alpn, 0, 1);
	for (uint64_t seed = 1; seed <= 4; seed++)
		run(alpn, 20000, seed);
	run(alpn, 100000, 5);
}

static void
service_h3__files_arrive_whole_over_any_network(void **state)
{
	(void)state;
	run_all("h3");
}

static void
service_hq__files_arrive_whole_over_any_network(void **state)
{
	(void)state;
	run_all("hq-interop");
}

static void
service_echo__octets_come_back_over_any_network(void **state)
{
	(void)state;
	run_all("echo");
}

static bool
all_closed(struct world *world)
{
	(void)world;
	return traffic.clients[0].closed;
}

/* RFC 9114 section 5.2: what was asked before GOAWAY is answered. */
static void
service_h3__shutdown_answers_what_was_asked(void **state)
{
	struct world_config config = lossy(0, 1);

	(void)state;
	traffic_open(&traffic, "h3", &config);
	traffic_add_client(&traffic);
	traffic_want(&traffic, TRAFFIC_FILES, TRAFFIC_FILES);
	assert_true(world_run(&traffic.world, traffic_connected, traffic.world.now_ns + BASE_SECOND));
	world_run(&traffic.world, NULL, traffic.world.now_ns + 30 * BASE_MS);
	assert_false(traffic_done(&traffic.world));
	service_shutdown(&traffic.services);
	assert_true(world_run(&traffic.world, all_closed, traffic.world.now_ns + 20 * BASE_SECOND));
	assert_int_equal(traffic.clients[0].ended, TRAFFIC_FILES);
	assert_int_equal(traffic.wrong, 0);
	traffic_close(&traffic);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_h3__files_arrive_whole_over_any_network),
		cmocka_unit_test(service_h3__shutdown_answers_what_was_asked),
		cmocka_unit_test(service_hq__files_arrive_whole_over_any_network),
		cmocka_unit_test(service_echo__octets_come_back_over_any_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
