/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hot path allocates nothing: from the end of the handshake to the last octet no call reaches the heap. */
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "drivers/crypto/ipsec_mb.h"
#include "tests/support/heap.h"
#include "traffic.h"

enum { WARM = 12, LONG = 72, TLS_BYTES = 8 << 20 };

static struct traffic traffic;

/* The gateway's: the one that tests take otherwise asks wolfCrypt for memory. */
static struct crypto_backend *
backend(void)
{
	static struct crypto_backend *opened;

	if (opened == NULL)
		opened = crypto_ipsec_mb_open(aligned_alloc(CRYPTO_ALIGNMENT,
						      (crypto_ipsec_mb_bytes() + CRYPTO_ALIGNMENT - 1) &
							      ~(size_t)(CRYPTO_ALIGNMENT - 1)),
			CRYPTO_IPSEC_MB_AUTO);
	base_assert(opened != NULL);
	return opened;
}

static struct world_config
lossy(void)
{
	struct world_config config = world_config_default();

	config.crypto = backend();
	config.up.delay_ns = config.down.delay_ns = 5 * BASE_MS;
	config.up.loss = config.down.loss = 10000;
	config.up.reorder = config.down.reorder = 10000;
	config.up.reorder_ns = config.down.reorder_ns = 3 * BASE_MS;
	config.tls_memory_bytes = TLS_BYTES;
	return config;
}

/* Clients update their keys now and then while they fetch. */
static void
update_keys(void)
{
	for (uint32_t i = 0; i < traffic.client_count; i++) {
		struct quic_conn *conn = world_conn(&traffic.world, WORLD_CLIENT, traffic.clients[i].handle);

		if (conn != NULL)
			(void)quic_conn_update_keys(conn);
	}
}

static void
run(const char *alpn)
{
	struct world_config config = lossy();
	const struct tls_memory_counters *tls;
	uint64_t calls, allocations, bytes;

	traffic_open(&traffic, alpn, &config);
	tls = tls_memory_counters(traffic.world.tls_memory);
	for (int i = 0; i < 4; i++)
		traffic_add_client(&traffic);
	traffic_want(&traffic, WARM, 4);
	assert_true(world_run(&traffic.world, traffic_done, traffic.world.now_ns + 60 * BASE_SECOND));
	world_run(&traffic.world, NULL, traffic.world.now_ns + 2 * BASE_SECOND);
	calls = heap_calls();
	assert_true(calls > 100);
	allocations = tls->allocations;
	bytes = traffic.bytes;
	traffic_want(&traffic, WARM + LONG, 4);
	for (int i = 0; i < 4000 && !traffic_done(&traffic.world); i++) {
		world_run(&traffic.world, traffic_done, traffic.world.now_ns + 30 * BASE_MS);
		update_keys();
	}
	calls = heap_calls() - calls;
	allocations = tls->allocations - allocations;
	bytes = traffic.bytes - bytes;
	assert_true(traffic_done(&traffic.world));
	printf("%s: %llu octets, %llu key updates, %llu packets lost: %llu calls of the heap, %llu of TLS memory\n",
		alpn, (unsigned long long)bytes,
		(unsigned long long)world_counter(&traffic.world, WORLD_SERVER, "key_updates"),
		(unsigned long long)world_counter(&traffic.world, WORLD_SERVER, "packets_lost"),
		(unsigned long long)calls, (unsigned long long)allocations);
	assert_int_equal(calls, 0);
	assert_int_equal(allocations, 0);
	assert_true(world_counter(&traffic.world, WORLD_SERVER, "key_updates") > 4);
	assert_true(world_counter(&traffic.world, WORLD_SERVER, "packets_lost") > 10);
	assert_int_equal(traffic.wrong, 0);
	traffic_close(&traffic);
}

static void
heap__http3_with_files_allocates_nothing(void **state)
{
	(void)state;
	run("h3");
}

static void
heap__hq_with_files_allocates_nothing(void **state)
{
	(void)state;
	run("hq-interop");
}

static void
heap__echo_allocates_nothing(void **state)
{
	(void)state;
	run("echo");
}

/* A server's handshake has TLS memory of its own and no other. */
static void
heap__a_servers_handshake_stays_in_its_memory(void **state)
{
	struct world_config config = lossy();
	const struct tls_memory_counters *tls;
	uint64_t calls = 0, allocations;

	(void)state;
	config.up.loss = config.down.loss = 0;
	traffic_open(&traffic, "h3", &config);
	tls = tls_memory_counters(traffic.world.tls_memory);
	allocations = tls->allocations;
	for (int i = 0; i < TRAFFIC_CLIENTS; i++)
		traffic_add_client(&traffic);
	for (int i = 0; i < 2000; i++) {
		uint64_t before;

		world_turn(&traffic.world, WORLD_CLIENT, NULL, 0);
		before = heap_calls();
		world_turn(&traffic.world, WORLD_SERVER, NULL, 0);
		calls += heap_calls() - before;
		traffic.world.now_ns += BASE_MS;
	}
	assert_true(traffic_connected(&traffic.world));
	printf("%d handshakes of a server: %llu calls of the heap, %llu blocks of TLS memory each, %llu octets at the peak\n",
		TRAFFIC_CLIENTS, (unsigned long long)calls,
		(unsigned long long)((tls->allocations - allocations) / TRAFFIC_CLIENTS),
		(unsigned long long)tls->bytes_in_use_peak);
	assert_int_equal(calls, 0);
	assert_int_equal(tls->heap_extents, 0);
	traffic_close(&traffic);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap__http3_with_files_allocates_nothing),
		cmocka_unit_test(heap__hq_with_files_allocates_nothing),
		cmocka_unit_test(heap__echo_allocates_nothing),
		cmocka_unit_test(heap__a_servers_handshake_stays_in_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
