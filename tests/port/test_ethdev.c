/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The null device stores what it is told and has RSS; the ring device has none. */
#include "tests/shard/eal.h"

#include <string.h>

#include <rte_mbuf.h>

#include "drivers/port/ethdev.h"
#include "shard/buffer.h"

enum { BURST = 32 };

static struct rte_mempool *buffers;

static struct port_ethdev_config
config_of(const char *device, uint16_t queues)
{
	struct port_ethdev_config config = {.device = device, .queues = queues, .mtu = 1500};

	if (buffers == NULL)
		buffers = shard_buffers_open("buffers", 8191, 1500, SOCKET_ID_ANY);
	for (uint16_t i = 0; i < queues; i++)
		config.buffers[i] = buffers;
	return config;
}

static void
ethdev_open__takes_what_the_device_has(void **state)
{
	struct port_ethdev_config config = config_of("net_null0", 4);
	char error[512] = "", text[SHARD_PORT_TEXT];
	struct shard_port *port = port_ethdev_open(&config, error, sizeof(error));
	struct rte_mbuf *mbufs[BURST];

	assert_string_equal(error, "");
	assert_non_null(port);
	assert_string_equal(port->facts.driver, "net_null");
	assert_int_equal(port->facts.queues, 4);
	assert_int_equal(port->facts.mtu, 1500);
	assert_true(port->facts.rss);
	assert_in_range(port->facts.reta_size, 1, NET_RSS_RETA_MAX);
	for (unsigned i = 0; i < port->facts.reta_size; i++)
		assert_int_equal(port->facts.reta[i], i % 4);
	assert_true(port->ops->start(port, error, sizeof(error)));
	assert_true(port->ops->link_up(port));
	assert_int_equal(shard_port_receive(port, 3, mbufs, BURST), BURST);
	assert_int_equal(shard_port_send(port, 3, mbufs, BURST), BURST);
	assert_non_null(strstr(shard_port_text(port, text), "net_null"));
	port->ops->stop(port);
	port->ops->close(port);
}

static void
ethdev_open__says_why_there_is_no_rss(void **state)
{
	struct port_ethdev_config config = config_of("net_ring0", 1);
	char error[512] = "";
	struct shard_port *port = port_ethdev_open(&config, error, sizeof(error));

	assert_non_null(port);
	assert_false(port->facts.rss);
	assert_true(strlen(port->facts.rss_reason) > 0);
	assert_int_equal(port->facts.steering, SHARD_STEERING_SOFTWARE);
	assert_int_equal(port->facts.reta_size, 0);
	port->ops->close(port);
}

static void
ethdev_open__names_the_mend_of_what_is_wrong(void **state)
{
	struct port_ethdev_config config = config_of("net_nothing0", 1);
	char error[512] = "";

	assert_null(port_ethdev_open(&config, error, sizeof(error)));
	assert_non_null(strstr(error, "net_nothing0"));
	assert_non_null(strstr(error, "dpdk-devbind"));
	assert_int_equal(port_ethdev_queues("0000:ff:1f.7", error, sizeof(error)), 0);
	config = config_of("net_null1", 1);
	config.mtu = 10;
	assert_null(port_ethdev_open(&config, error, sizeof(error)));
	assert_non_null(strstr(error, "MTU"));
}

static void
ethdev_queues__are_what_the_device_can_have(void **state)
{
	char error[512];

	assert_true(port_ethdev_queues("net_null2", error, sizeof(error)) >= 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethdev_open__takes_what_the_device_has),
		cmocka_unit_test(ethdev_open__says_why_there_is_no_rss),
		cmocka_unit_test(ethdev_open__names_the_mend_of_what_is_wrong),
		cmocka_unit_test(ethdev_queues__are_what_the_device_can_have),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
