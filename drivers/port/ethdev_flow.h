/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules in the words of rte_flow: pattern and action for one IP version, in the form that a driver understands. Pure: it
 * asks no device, so it is tested without one. Everything that the pattern points to lies in the structure itself, which
 * therefore stays where it was built.
 *
 * The steering word is UDP payload octets 2 and 3. Drivers differ in how they want to hear that:
 *
 *   i40e       ETH / IP / UDP / RAW, relative, an even offset
 *   enic       ETH / IP / UDP / RAW, relative, offset 0: from the payload's start with a mask
 *   ice, iavf  RAW alone: a whole frame and its mask, as hexadecimal text
 *   mlx5       ETH / IP / UDP / FLEX, of an item that firmware was told to parse after our UDP port
 */
#ifndef DRIVERS_PORT_ETHDEV_FLOW_H
#define DRIVERS_PORT_ETHDEV_FLOW_H

#include <rte_flow.h>

#include "shard/port.h"

enum ethdev_flow_form {
	ETHDEV_FLOW_NONE, /* the driver is not known to match payloads */
	ETHDEV_FLOW_RAW_WORD,
	ETHDEV_FLOW_RAW_START,
	ETHDEV_FLOW_RAW_FRAME,
	ETHDEV_FLOW_FLEX,
	ETHDEV_FLOW_FORM_COUNT
};

enum {
	ETHDEV_FLOW_START_BYTES = 4, /* of UDP payload, up to the end of the word */
	ETHDEV_FLOW_FRAME_BYTES = 14 + 40 + 8 + ETHDEV_FLOW_START_BYTES,
	ETHDEV_FLOW_ITEMS = 5, /* ETH, IP, UDP, RAW or FLEX, END */
};

struct ethdev_flow {
	struct rte_flow_attr attr;
	struct rte_flow_item pattern[ETHDEV_FLOW_ITEMS];
	struct rte_flow_action actions[2];
	struct rte_flow_action_queue queue;
	struct rte_flow_item_ipv4 ipv4, ipv4_mask;
	struct rte_flow_item_ipv6 ipv6, ipv6_mask;
	struct rte_flow_item_udp udp, udp_mask;
	struct rte_flow_item_raw raw, raw_mask;
	struct rte_flow_item_flex flex, flex_mask;
	uint8_t start[ETHDEV_FLOW_START_BYTES], start_mask[ETHDEV_FLOW_START_BYTES];
	/* Text, ended by a zero. */
	uint8_t frame[2 * ETHDEV_FLOW_FRAME_BYTES + 1], frame_mask[2 * ETHDEV_FLOW_FRAME_BYTES + 1];
};

/* How the driver wants the steering word, by DPDK's name of it. */
enum ethdev_flow_form ethdev_flow_form(const char *driver);
const char *ethdev_flow_form_text(enum ethdev_flow_form form);
/* Datagrams of exactly this path; the addresses say which IP version. */
void ethdev_flow_tuple(struct ethdev_flow *flow, const struct base_path *path, uint16_t queue);
/* Datagrams to our UDP port with this word. `flex` is for ETHDEV_FLOW_FLEX, else NULL. */
void ethdev_flow_word(struct ethdev_flow *flow, enum ethdev_flow_form form, bool ipv6,
	const struct shard_port_rule *rule, struct rte_flow_item_flex_handle *flex);

/* The header that a card parses after UDP to our port: its first four octets, to be matched under a mask. */
struct ethdev_flow_parser {
	struct rte_flow_item_flex_conf conf;
	struct rte_flow_item_flex_field sample;
	struct rte_flow_item_flex_link link;
	struct rte_flow_item_udp udp, udp_mask;
};
void ethdev_flow_parser(struct ethdev_flow_parser *parser, uint16_t udp_port);

#endif
