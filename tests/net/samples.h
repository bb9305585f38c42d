/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames as a peer would send them, for the tests of this folder. */
#ifndef TESTS_NET_SAMPLES_H
#define TESTS_NET_SAMPLES_H

#include <stdbool.h>
#include <string.h>

#include "net/arp.h"
#include "net/interface.h"
#include "net/nd.h"

enum { SAMPLE_ROOM = 2048, SAMPLE_SKIP = 128 };

/* A buffer with headroom; frame.octets point into it. */
struct sample {
	uint8_t memory[SAMPLE_ROOM];
	struct net_frame frame;
};

extern const uint8_t sample_our_mac[6], sample_peer_mac[6], sample_other_mac[6];
/* 192.0.2.1/24 with gateway 192.0.2.254 and 2001:db8::1/64 with gateway 2001:db8::fe are ours. */
extern const uint8_t sample_our_ipv4[16], sample_peer_ipv4[16], sample_far_ipv4[16], sample_gateway_ipv4[16];
extern const uint8_t sample_our_ipv6[16], sample_peer_ipv6[16], sample_far_ipv6[16], sample_gateway_ipv6[16];

struct net_interface_config sample_config(void);

/* A UDP datagram from the peer, port 4433, to us, port 443. */
struct base_path sample_path(bool ipv4);
void sample_udp(struct sample *sample, const struct base_path *path, uint16_t vlan, const void *payload,
	uint16_t length);
/* Sums the IPv4 header and the transport checksum again, after a test has changed something. */
void sample_mend(struct sample *sample, uint16_t network_offset);

void sample_arp(struct sample *sample, uint16_t operation, const uint8_t to_mac[6],
	const uint8_t sender_mac[6], const uint8_t sender_ip[16], const uint8_t target_ip[16]);
void sample_nd(struct sample *sample, const uint8_t to_mac[6], const uint8_t source[16],
	const uint8_t destination[16], const struct net_nd *nd);
/* An echo request of `length` octets behind the ICMP header. */
void sample_echo(struct sample *sample, bool ipv4, uint8_t type, uint16_t length);

#endif
