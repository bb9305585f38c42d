/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drivers/port/ethdev_flow.h"

#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

#include "base/assert.h"
#include "base/writer.h"

enum {
	WORD_OFFSET = 2,
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
	UDP_BYTES = 8,
	PROTOCOL_UDP = 17,
};

enum ethdev_flow_form
ethdev_flow_form(const char *driver)
{
	static const struct {
		const char *driver;
		enum ethdev_flow_form form;
	} forms[] = {{"net_i40e", ETHDEV_FLOW_RAW_WORD}, {"net_enic", ETHDEV_FLOW_RAW_START},
		{"net_ice", ETHDEV_FLOW_RAW_FRAME}, {"net_iavf", ETHDEV_FLOW_RAW_FRAME},
		{"mlx5_pci", ETHDEV_FLOW_FLEX}, {"mlx5_auxiliary", ETHDEV_FLOW_FLEX}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(driver, forms[i].driver) == 0)
			return forms[i].form;
	return ETHDEV_FLOW_NONE;
}

const char *
ethdev_flow_form_text(enum ethdev_flow_form form)
{
	static const char *const texts[ETHDEV_FLOW_FORM_COUNT] = {
		[ETHDEV_FLOW_NONE] = "no payload rules",
		[ETHDEV_FLOW_RAW_WORD] = "RAW item",
		[ETHDEV_FLOW_RAW_START] = "RAW item from the payload's start",
		[ETHDEV_FLOW_RAW_FRAME] = "RAW item of a frame",
		[ETHDEV_FLOW_FLEX] = "FLEX item",
	};

	return texts[form];
}

static void
begin(struct ethdev_flow *flow, uint16_t queue)
{
	memset(flow, 0, sizeof(*flow));
	flow->attr.ingress = 1;
	flow->queue.index = queue;
	flow->actions[0] = (struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &flow->queue};
	flow->actions[1] = (struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_END};
	for (unsigned i = 0; i < ETHDEV_FLOW_ITEMS; i++)
		flow->pattern[i].type = RTE_FLOW_ITEM_TYPE_END;
}

/* Any link addresses; `exact`: the IP addresses as well as the ports that their mask has. */
static void
headers(struct ethdev_flow *flow, bool ipv6, bool exact)
{
	flow->pattern[0].type = RTE_FLOW_ITEM_TYPE_ETH;
	flow->pattern[1].type = ipv6 ? RTE_FLOW_ITEM_TYPE_IPV6 : RTE_FLOW_ITEM_TYPE_IPV4;
	if (exact) {
		flow->pattern[1].spec = ipv6 ? (const void *)&flow->ipv6 : &flow->ipv4;
		flow->pattern[1].mask = ipv6 ? (const void *)&flow->ipv6_mask : &flow->ipv4_mask;
	}
	flow->pattern[2] = (struct rte_flow_item){
		.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &flow->udp, .mask = &flow->udp_mask};
}

void
ethdev_flow_tuple(struct ethdev_flow *flow, const struct base_path *path, uint16_t queue)
{
	bool ipv6 = !base_address_is_ipv4(&path->remote);

	begin(flow, queue);
	headers(flow, ipv6, true);
	if (ipv6) {
		memcpy(&flow->ipv6.hdr.src_addr, path->remote.ip, 16);
		memcpy(&flow->ipv6.hdr.dst_addr, path->local.ip, 16);
		memset(&flow->ipv6_mask.hdr.src_addr, 0xff, 16);
		memset(&flow->ipv6_mask.hdr.dst_addr, 0xff, 16);
	} else {
		memcpy(&flow->ipv4.hdr.src_addr, path->remote.ip + 12, 4);
		memcpy(&flow->ipv4.hdr.dst_addr, path->local.ip + 12, 4);
		flow->ipv4_mask.hdr.src_addr = UINT32_MAX;
		flow->ipv4_mask.hdr.dst_addr = UINT32_MAX;
	}
	flow->udp.hdr.src_port = rte_cpu_to_be_16(path->remote.port);
	flow->udp.hdr.dst_port = rte_cpu_to_be_16(path->local.port);
	flow->udp_mask.hdr.src_port = UINT16_MAX;
	flow->udp_mask.hdr.dst_port = UINT16_MAX;
}

static void
put_hexadecimal(uint8_t *text, const uint8_t *octets, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		text[2 * i] = (uint8_t)digits[octets[i] >> 4];
		text[2 * i + 1] = (uint8_t)digits[octets[i] & 15];
	}
	text[2 * length] = '\0';
}

/* The driver parses the frame to learn its layers, so it is a whole one, and only port and word are masked in. */
static uint16_t
write_frame(struct ethdev_flow *flow, bool ipv6, const struct shard_port_rule *rule)
{
	uint8_t frame[ETHDEV_FLOW_FRAME_BYTES] = {0}, mask[ETHDEV_FLOW_FRAME_BYTES] = {0};
	size_t ip = RTE_ETHER_HDR_LEN, udp = ip + (ipv6 ? IPV6_BYTES : IPV4_BYTES), payload = udp + UDP_BYTES,
	       length = payload + ETHDEV_FLOW_START_BYTES;

	base_put_uint(frame + RTE_ETHER_HDR_LEN - 2, ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4, 2);
	frame[ip] = ipv6 ? 0x60 : 0x45;
	base_put_uint(frame + ip + (ipv6 ? 4 : 2), ipv6 ? length - udp : length - ip, 2);
	frame[ip + (ipv6 ? 6 : 9)] = PROTOCOL_UDP;
	base_put_uint(frame + udp + 2, rule->udp_port, 2);
	base_put_uint(frame + udp + 4, length - udp, 2);
	base_put_uint(frame + payload + WORD_OFFSET, rule->steering_word, 2);
	base_put_uint(mask + udp + 2, UINT16_MAX, 2);
	base_put_uint(mask + payload + WORD_OFFSET, UINT16_MAX, 2);
	put_hexadecimal(flow->frame, frame, length);
	put_hexadecimal(flow->frame_mask, mask, length);
	return (uint16_t)(2 * length);
}

static void
raw(struct ethdev_flow *flow, unsigned at, uint16_t length, const uint8_t *spec, const uint8_t *mask)
{
	flow->raw.length = length;
	flow->raw.pattern = spec;
	flow->raw_mask.length = length;
	flow->raw_mask.pattern = mask;
	flow->pattern[at] = (struct rte_flow_item){
		.type = RTE_FLOW_ITEM_TYPE_RAW, .spec = &flow->raw, .mask = &flow->raw_mask};
}

static void
relative_raw(struct ethdev_flow *flow, int32_t offset)
{
	raw(flow, 3, (uint16_t)(ETHDEV_FLOW_START_BYTES - offset), flow->start + offset,
		flow->start_mask + offset);
	flow->raw.relative = 1;
	flow->raw.offset = offset;
	flow->raw_mask.relative = 1;
	flow->raw_mask.offset = -1; /* all bits */
}

void
ethdev_flow_word(struct ethdev_flow *flow, enum ethdev_flow_form form, bool ipv6,
	const struct shard_port_rule *rule, struct rte_flow_item_flex_handle *flex)
{
	base_assert(form != ETHDEV_FLOW_NONE && form < ETHDEV_FLOW_FORM_COUNT);
	begin(flow, rule->queue);
	base_put_uint(flow->start + WORD_OFFSET, rule->steering_word, 2);
	base_put_uint(flow->start_mask + WORD_OFFSET, UINT16_MAX, 2);
	if (form == ETHDEV_FLOW_RAW_FRAME) {
		raw(flow, 0, write_frame(flow, ipv6, rule), flow->frame, flow->frame_mask);
		return;
	}
	headers(flow, ipv6, false);
	flow->udp.hdr.dst_port = rte_cpu_to_be_16(rule->udp_port);
	flow->udp_mask.hdr.dst_port = UINT16_MAX;
	if (form != ETHDEV_FLOW_FLEX) {
		relative_raw(flow, form == ETHDEV_FLOW_RAW_WORD ? WORD_OFFSET : 0);
		return;
	}
	flow->flex = (struct rte_flow_item_flex){
		.handle = flex, .length = ETHDEV_FLOW_START_BYTES, .pattern = flow->start};
	flow->flex_mask = (struct rte_flow_item_flex){
		.handle = flex, .length = ETHDEV_FLOW_START_BYTES, .pattern = flow->start_mask};
	flow->pattern[3] = (struct rte_flow_item){
		.type = RTE_FLOW_ITEM_TYPE_FLEX, .spec = &flow->flex, .mask = &flow->flex_mask};
}

void
ethdev_flow_parser(struct ethdev_flow_parser *parser, uint16_t udp_port)
{
	memset(parser, 0, sizeof(*parser));
	parser->udp.hdr.dst_port = rte_cpu_to_be_16(udp_port);
	parser->udp_mask.hdr.dst_port = UINT16_MAX;
	parser->link.item = (struct rte_flow_item){
		.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &parser->udp, .mask = &parser->udp_mask};
	/* Samples are 32 bits at offsets divisible by 32, so the word comes with the two octets before it. */
	parser->sample = (struct rte_flow_item_flex_field){
		.field_mode = FIELD_MODE_FIXED, .field_size = 8 * ETHDEV_FLOW_START_BYTES};
	parser->conf = (struct rte_flow_item_flex_conf){.tunnel = FLEX_TUNNEL_MODE_SINGLE,
		.next_header = {.field_mode = FIELD_MODE_FIXED, .field_base = 8 * ETHDEV_FLOW_START_BYTES},
		.next_protocol = {.field_mode = FIELD_MODE_DUMMY},
		.sample_data = &parser->sample,
		.nb_samples = 1,
		.input_link = &parser->link,
		.nb_inputs = 1};
}
