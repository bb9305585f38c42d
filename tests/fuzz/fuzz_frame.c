/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any frame, at an interface that has asked for neighbours. The first octet is the flags the card gives. */
#include <string.h>

#include "net/interface.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAME_MAX = 2048, HEADROOM = NET_HEADROOM_BYTES };

static struct net_interface interface;

static void
begin(void)
{
	static const uint8_t ipv4[4] = {192, 0, 2, 1}, gateway[4] = {192, 0, 2, 254};
	struct net_interface_config config = {.mac = {2, 0, 0, 0, 0, 1},
		.mtu = 1500,
		.address_count = 2,
		.neighbours = net_neighbour_defaults};

	config.addresses[0] = (struct net_interface_address){.prefix_bits = 24, .has_gateway = true};
	net_ipv4_mapped(config.addresses[0].ip, ipv4);
	net_ipv4_mapped(config.addresses[0].gateway, gateway);
	config.addresses[1] =
		(struct net_interface_address){.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .prefix_bits = 64};
	net_interface_init(&interface, &config, 0);
}

/* What was received is sent back: whatever the parser let through, the builder can answer. */
static void
answer(struct base_datagram *datagram)
{
	struct base_path path = {.local = datagram->path.local, .remote = datagram->path.remote};
	static uint8_t memory[HEADROOM + FRAME_MAX];
	struct net_frame frame = {0};

	memcpy(memory + HEADROOM, datagram->octets, datagram->length);
	datagram->octets = memory + HEADROOM;
	datagram->path = path;
	net_interface_send(&interface, datagram, 1, &frame);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t memory[FRAME_MAX];
	uint8_t request[NET_CONTROL_BYTES];
	struct base_datagram datagram;
	enum net_send_verdict verdict;
	struct net_frame frame = {.octets = memory, .room = sizeof(memory)};

	if (size < 1 || size - 1 > FRAME_MAX)
		return 0;
	begin();
	frame.flags = data[0] & (NET_FRAME_IP_CHECKSUM_GOOD | NET_FRAME_UDP_CHECKSUM_GOOD);
	frame.length = (uint16_t)(size - 1);
	memcpy(memory, data + 1, size - 1);
	if (net_interface_receive(&interface, &frame, 0, &datagram) == NET_DATAGRAM)
		answer(&datagram);
	while (net_interface_next_request(&interface, request) > 0)
		;
	net_interface_expire(&interface, 10 * BASE_SECOND);
	while (net_interface_next_released(&interface, 1, &datagram, &verdict, &frame))
		;
	net_neighbours_check(&interface.neighbours);
	return 0;
}
