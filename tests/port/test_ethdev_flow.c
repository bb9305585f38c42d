/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include <rte_byteorder.h>

#include "drivers/port/ethdev_flow.h"

static const struct shard_port_rule word_rule = {
	.level = SHARD_STEERING_CID, .queue = 3, .udp_port = 443, .steering_word = 0x4d06};

static void
assert_queue(const struct ethdev_flow *flow, uint16_t queue)
{
	const struct rte_flow_action_queue *action = flow->actions[0].conf;

	assert_int_equal(flow->attr.ingress, 1);
	assert_int_equal(flow->actions[0].type, RTE_FLOW_ACTION_TYPE_QUEUE);
	assert_int_equal(action->index, queue);
	assert_int_equal(flow->actions[1].type, RTE_FLOW_ACTION_TYPE_END);
}

/* ETH and IP of any address, UDP of our port alone. */
static void
assert_headers(const struct ethdev_flow *flow, enum rte_flow_item_type ip)
{
	const struct rte_flow_item_udp *udp = flow->pattern[2].spec, *mask = flow->pattern[2].mask;

	assert_int_equal(flow->pattern[0].type, RTE_FLOW_ITEM_TYPE_ETH);
	assert_null(flow->pattern[0].spec);
	assert_int_equal(flow->pattern[1].type, ip);
	assert_null(flow->pattern[1].spec);
	assert_int_equal(flow->pattern[2].type, RTE_FLOW_ITEM_TYPE_UDP);
	assert_int_equal(udp->hdr.dst_port, RTE_BE16(443));
	assert_int_equal(mask->hdr.dst_port, UINT16_MAX);
	assert_int_equal(mask->hdr.src_port, 0);
	assert_int_equal(flow->pattern[4].type, RTE_FLOW_ITEM_TYPE_END);
}

static void
ethdev_flow_form__knows_the_drivers(void **state)
{
	assert_int_equal(ethdev_flow_form("net_i40e"), ETHDEV_FLOW_RAW_WORD);
	assert_int_equal(ethdev_flow_form("net_enic"), ETHDEV_FLOW_RAW_START);
	assert_int_equal(ethdev_flow_form("net_ice"), ETHDEV_FLOW_RAW_FRAME);
	assert_int_equal(ethdev_flow_form("net_iavf"), ETHDEV_FLOW_RAW_FRAME);
	assert_int_equal(ethdev_flow_form("mlx5_pci"), ETHDEV_FLOW_FLEX);
	assert_int_equal(ethdev_flow_form("net_tap"), ETHDEV_FLOW_NONE);
	assert_int_equal(ethdev_flow_form("net_bnxt"), ETHDEV_FLOW_NONE);
}

static void
ethdev_flow_tuple__is_exact_for_ipv4(void **state)
{
	struct base_path path = {.local = {.ip = {[10] = 0xff, 0xff, 192, 0, 2, 1}, .port = 443},
		.remote = {.ip = {[10] = 0xff, 0xff, 198, 51, 100, 7}, .port = 50000}};
	const struct rte_flow_item_ipv4 *ip, *mask;
	const struct rte_flow_item_udp *udp;
	struct ethdev_flow flow;

	ethdev_flow_tuple(&flow, &path, 5);
	assert_queue(&flow, 5);
	assert_int_equal(flow.pattern[1].type, RTE_FLOW_ITEM_TYPE_IPV4);
	ip = flow.pattern[1].spec;
	mask = flow.pattern[1].mask;
	udp = flow.pattern[2].spec;
	assert_memory_equal(&ip->hdr.src_addr, ((uint8_t[]){198, 51, 100, 7}), 4);
	assert_memory_equal(&ip->hdr.dst_addr, ((uint8_t[]){192, 0, 2, 1}), 4);
	assert_int_equal(mask->hdr.src_addr, UINT32_MAX);
	assert_int_equal(mask->hdr.dst_addr, UINT32_MAX);
	assert_int_equal(mask->hdr.next_proto_id, 0);
	assert_int_equal(udp->hdr.src_port, RTE_BE16(50000));
	assert_int_equal(udp->hdr.dst_port, RTE_BE16(443));
	assert_int_equal(flow.udp_mask.hdr.src_port, UINT16_MAX);
	assert_int_equal(flow.pattern[3].type, RTE_FLOW_ITEM_TYPE_END);
}

static void
ethdev_flow_tuple__is_exact_for_ipv6(void **state)
{
	struct base_path path = {.local = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 1}, .port = 443},
		.remote = {.ip = {0x20, 1, 0xd, 0xb8, [15] = 9}, .port = 50000}};
	const struct rte_flow_item_ipv6 *ip, *mask;
	struct ethdev_flow flow;

	ethdev_flow_tuple(&flow, &path, 0);
	assert_int_equal(flow.pattern[1].type, RTE_FLOW_ITEM_TYPE_IPV6);
	ip = flow.pattern[1].spec;
	mask = flow.pattern[1].mask;
	assert_memory_equal(&ip->hdr.src_addr, path.remote.ip, 16);
	assert_memory_equal(&ip->hdr.dst_addr, path.local.ip, 16);
	for (unsigned i = 0; i < 16; i++) {
		assert_int_equal(((const uint8_t *)&mask->hdr.src_addr)[i], 0xff);
		assert_int_equal(((const uint8_t *)&mask->hdr.dst_addr)[i], 0xff);
	}
}

static void
ethdev_flow_word__is_a_word_at_an_even_offset(void **state)
{
	const struct rte_flow_item_raw *raw, *mask;
	struct ethdev_flow flow;

	ethdev_flow_word(&flow, ETHDEV_FLOW_RAW_WORD, true, &word_rule, NULL);
	assert_queue(&flow, 3);
	assert_headers(&flow, RTE_FLOW_ITEM_TYPE_IPV6);
	assert_int_equal(flow.pattern[3].type, RTE_FLOW_ITEM_TYPE_RAW);
	raw = flow.pattern[3].spec;
	mask = flow.pattern[3].mask;
	assert_int_equal(raw->relative, 1);
	assert_int_equal(raw->search, 0);
	assert_int_equal(raw->limit, 0);
	assert_int_equal(raw->offset, 2);
	assert_int_equal(raw->length, 2);
	assert_memory_equal(raw->pattern, ((uint8_t[]){0x4d, 0x06}), 2);
	assert_memory_equal(mask->pattern, ((uint8_t[]){0xff, 0xff}), 2);
}

static void
ethdev_flow_word__is_four_octets_under_a_mask(void **state)
{
	const struct rte_flow_item_raw *raw, *mask;
	struct ethdev_flow flow;

	ethdev_flow_word(&flow, ETHDEV_FLOW_RAW_START, false, &word_rule, NULL);
	assert_headers(&flow, RTE_FLOW_ITEM_TYPE_IPV4);
	raw = flow.pattern[3].spec;
	mask = flow.pattern[3].mask;
	assert_int_equal(raw->relative, 1);
	assert_int_equal(raw->offset, 0);
	assert_int_equal(raw->length, 4);
	assert_int_equal(mask->length, 4);
	assert_memory_equal(raw->pattern, ((uint8_t[]){0, 0, 0x4d, 0x06}), 4);
	assert_memory_equal(mask->pattern, ((uint8_t[]){0, 0, 0xff, 0xff}), 4);
}

static void
ethdev_flow_word__is_a_frame_in_hexadecimal(void **state)
{
	static const char ipv4[] = "0000000000000000000000000800"
				   "4500002000000000001100000000000000000000"
				   "000001bb000c0000"
				   "00004d06",
			  ipv4_mask[] = "0000000000000000000000000000"
					"0000000000000000000000000000000000000000"
					"0000ffff00000000"
					"0000ffff",
			  ipv6[] = "00000000000000000000000086dd"
				   "60000000000c1100"
				   "00000000000000000000000000000000"
				   "00000000000000000000000000000000"
				   "000001bb000c0000"
				   "00004d06";
	const struct rte_flow_item_raw *raw, *mask;
	struct ethdev_flow flow;

	ethdev_flow_word(&flow, ETHDEV_FLOW_RAW_FRAME, false, &word_rule, NULL);
	assert_queue(&flow, 3);
	assert_int_equal(flow.pattern[0].type, RTE_FLOW_ITEM_TYPE_RAW);
	assert_int_equal(flow.pattern[1].type, RTE_FLOW_ITEM_TYPE_END);
	raw = flow.pattern[0].spec;
	mask = flow.pattern[0].mask;
	assert_string_equal((const char *)raw->pattern, ipv4);
	assert_string_equal((const char *)mask->pattern, ipv4_mask);
	assert_int_equal(raw->length, strlen(ipv4));
	assert_int_equal(mask->length, strlen(ipv4));
	ethdev_flow_word(&flow, ETHDEV_FLOW_RAW_FRAME, true, &word_rule, NULL);
	assert_string_equal((const char *)flow.raw.pattern, ipv6);
	assert_int_equal(flow.raw.length, strlen(ipv6));
	assert_int_equal(strlen((const char *)flow.raw_mask.pattern), strlen(ipv6));
}

static void
ethdev_flow_word__is_a_flexible_item(void **state)
{
	struct rte_flow_item_flex_handle *handle = (struct rte_flow_item_flex_handle *)8;
	const struct rte_flow_item_flex *flex, *mask;
	struct ethdev_flow_parser parser;
	struct ethdev_flow flow;

	ethdev_flow_word(&flow, ETHDEV_FLOW_FLEX, false, &word_rule, handle);
	assert_headers(&flow, RTE_FLOW_ITEM_TYPE_IPV4);
	assert_int_equal(flow.pattern[3].type, RTE_FLOW_ITEM_TYPE_FLEX);
	flex = flow.pattern[3].spec;
	mask = flow.pattern[3].mask;
	assert_ptr_equal(flex->handle, handle);
	assert_int_equal(flex->length, 4);
	assert_memory_equal(flex->pattern, ((uint8_t[]){0, 0, 0x4d, 0x06}), 4);
	assert_memory_equal(mask->pattern, ((uint8_t[]){0, 0, 0xff, 0xff}), 4);
	ethdev_flow_parser(&parser, 443);
	assert_int_equal(parser.conf.next_header.field_base, 32); /* bits */
	assert_int_equal(parser.conf.nb_samples, 1);
	assert_int_equal(parser.conf.sample_data[0].field_size, 32);
	assert_int_equal(parser.conf.nb_inputs, 1);
	assert_int_equal(parser.conf.input_link[0].item.type, RTE_FLOW_ITEM_TYPE_UDP);
	assert_int_equal(parser.udp.hdr.dst_port, RTE_BE16(443));
	assert_int_equal(parser.conf.nb_outputs, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethdev_flow_form__knows_the_drivers),
		cmocka_unit_test(ethdev_flow_tuple__is_exact_for_ipv4),
		cmocka_unit_test(ethdev_flow_tuple__is_exact_for_ipv6),
		cmocka_unit_test(ethdev_flow_word__is_a_word_at_an_even_offset),
		cmocka_unit_test(ethdev_flow_word__is_four_octets_under_a_mask),
		cmocka_unit_test(ethdev_flow_word__is_a_frame_in_hexadecimal),
		cmocka_unit_test(ethdev_flow_word__is_a_flexible_item),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
