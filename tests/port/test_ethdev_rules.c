/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual ports are all that there is here: none is asked, and none gets a rule. */
#include "tests/shard/eal.h"

#include <string.h>

#include "drivers/port/ethdev.h"
#include "drivers/port/ethdev_rules.h"
#include "shard/buffer.h"

static uint8_t
levels(const struct ethdev_rules *rules, uint16_t queues, uint16_t buckets, bool is_virtual, const char *how)
{
	struct shard_port_facts facts = {.queues = queues, .rss = buckets > 0, .reta_size = buckets};
	char text[SHARD_PORT_NAME];
	uint8_t found = ethdev_rules_levels(rules, &facts, is_virtual, text);

	assert_string_equal(text, how);
	return found;
}

static void
ethdev_rules_levels__are_what_the_port_took(void **state)
{
	static const uint8_t software = 1U << SHARD_STEERING_SOFTWARE, buckets = 1U << SHARD_STEERING_BUCKETS,
			     tuple = 1U << SHARD_STEERING_TUPLE, cid = 1U << SHARD_STEERING_CID;
	static struct ethdev_rules none,
		tuples = {.tuples = {true, true}},
		words = {.form = ETHDEV_FLOW_RAW_WORD, .tuples = {true, true}, .words = {true, false}};

	assert_int_equal(
		levels(&none, 4, 0, false, "the driver takes no rules, and its table is fixed"), software);
	assert_int_equal(
		levels(&none, 4, 128, false, "128 buckets; the driver takes no rules"), software | buckets);
	assert_int_equal(levels(&tuples, 4, 128, false, "rte_flow to a queue"), software | buckets | tuple);
	assert_int_equal(levels(&words, 4, 0, false, "RAW item, IPv4 only"), software | tuple | cid);
	assert_int_equal(levels(&words, 1, 128, false, "one queue"), software);
	assert_int_equal(levels(&words, 4, 128, true, "a virtual port"), software);
}

static void
assert_software(const char *device)
{
	struct port_ethdev_config config = {.device = device, .queues = 2, .mtu = 1500};
	struct rte_mempool *buffers = shard_buffers_open("buffers", 8191, 1500, SOCKET_ID_ANY);
	struct shard_port_rule rule = {.level = SHARD_STEERING_TUPLE, .queue = 1};
	uint16_t table[NET_RSS_RETA_MAX] = {0};
	struct shard_port *port;
	char error[512] = "", text[SHARD_PORT_TEXT];

	config.buffers[0] = config.buffers[1] = buffers;
	port = port_ethdev_open(&config, error, sizeof(error));
	assert_string_equal(error, "");
	assert_true(port->ops->start(port, error, sizeof(error)));
	assert_int_equal(port->facts.levels, 1U << SHARD_STEERING_SOFTWARE);
	assert_int_equal(port->facts.steering, SHARD_STEERING_SOFTWARE);
	assert_non_null(strstr(shard_port_text(port, text), "steering software (a virtual port)"));
	assert_int_equal(port->ops->install_rule(port, &rule), SHARD_PORT_NO_RULE);
	rule.level = SHARD_STEERING_CID;
	assert_int_equal(port->ops->install_rule(port, &rule), SHARD_PORT_NO_RULE);
	assert_false(port->ops->set_reta(port, table));
	port->ops->stop(port);
	port->ops->close(port);
	shard_buffers_close(buffers);
}

static void
ethdev_rules_try__believes_no_virtual_port(void **state)
{
	assert_software("net_null7"); /* has a table, without effect */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethdev_rules_levels__are_what_the_port_took),
		cmocka_unit_test(ethdev_rules_try__believes_no_virtual_port),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
