/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a frame costs in lib/net, in bursts of 32 with 1,200 octets of payload: received and sent, with checksums in software and left to the
 * card, and the Toeplitz hash. Medians over rounds, in ns per packet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "net/interface.h"
#include "net/rss.h"

enum { BURST = 32, ROUNDS = 301, BURSTS_PER_ROUND = 32, PAYLOAD = 1200, ROOM = 2048, SKIP = 128 };

struct bench {
	struct net_interface interface;
	struct net_rss rss;
	struct net_frame frames[BURST];
	struct base_datagram datagrams[BURST];
	bool ipv4;
	uint16_t flags;
	uint8_t octets[BURST][ROOM];
	uint32_t sink;
};

typedef void operation(struct bench *bench);

static uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 2};

static void
address(uint8_t ip[16], bool ipv4, uint8_t last)
{
	static const uint8_t v4[4] = {192, 0, 2, 0};
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8};

	if (ipv4)
		net_ipv4_mapped(ip, v4);
	else
		memcpy(ip, v6, 16);
	ip[15] = last;
}

static void
begin(struct bench *bench, bool ipv4, bool card)
{
	struct net_interface_config config = {.mac = {2, 0, 0, 0, 0, 1},
		.mtu = 1500,
		.address_count = 1,
		.neighbours = net_neighbour_defaults};
	struct net_link link = {.local = {2, 0, 0, 0, 0, 2}, .remote = {2, 0, 0, 0, 0, 1}};

	address(config.addresses[0].ip, ipv4, 1);
	config.addresses[0].prefix_bits = 24;
	config.send_flags = card ? NET_FRAME_IP_CHECKSUM_CARD | NET_FRAME_UDP_CHECKSUM_CARD : 0;
	net_interface_init(&bench->interface, &config, 0);
	net_rss_init(&bench->rss, net_rss_key_default);
	bench->flags = card ? NET_FRAME_IP_CHECKSUM_GOOD | NET_FRAME_UDP_CHECKSUM_GOOD : 0;
	for (unsigned i = 0; i < BURST; i++) {
		struct base_datagram *datagram = &bench->datagrams[i];

		memset(bench->octets[i], (int)i, ROOM);
		*datagram = (struct base_datagram){.octets = bench->octets[i] + SKIP, .length = PAYLOAD};
		address(datagram->path.local.ip, ipv4, (uint8_t)(2 + i));
		address(datagram->path.remote.ip, ipv4, 1);
		datagram->path.local.port = (uint16_t)(5000 + i);
		datagram->path.remote.port = 443;
		net_frame_build(datagram, &link, &bench->frames[i]);
		bench->frames[i].room = ROOM - SKIP;
		net_neighbours_add_static(&bench->interface.neighbours, datagram->path.local.ip, peer_mac);
	}
}

static void
receive(struct bench *bench)
{
	enum net_verdict verdicts[BURST];

	for (unsigned i = 0; i < BURST; i++)
		bench->frames[i].flags = bench->flags;
	net_interface_receive_burst(&bench->interface, bench->frames, BURST, 1, bench->datagrams, verdicts);
	for (unsigned i = 0; i < BURST; i++)
		base_assert(verdicts[i] == NET_DATAGRAM);
}

static void
send(struct bench *bench)
{
	struct net_frame frame = {0};

	for (unsigned i = 0; i < BURST; i++)
		base_assert(
			net_interface_send(&bench->interface, &bench->datagrams[i], 1, &frame) == NET_SEND);
}

static void
hash(struct bench *bench)
{
	for (unsigned i = 0; i < BURST; i++)
		bench->sink += net_rss_path(&bench->rss, &bench->datagrams[i].path);
}

static int
compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static double
measure(struct bench *bench, operation *run)
{
	static double rounds[ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t start_ns = clock_ns();

		for (unsigned i = 0; i < BURSTS_PER_ROUND; i++)
			run(bench);
		rounds[round] = (double)(clock_ns() - start_ns) / (BURSTS_PER_ROUND * BURST);
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	return rounds[ROUNDS / 2];
}

int
main(void)
{
	static struct bench bench;

	printf("ns per packet of %u octets      receive    send    hash\n", PAYLOAD);
	for (unsigned i = 0; i < 4; i++) {
		bool ipv4 = i < 2, card = i & 1;
		double received, sent, hashed;

		begin(&bench, ipv4, card);
		received = measure(&bench, receive);
		sent = measure(&bench, send);
		hashed = measure(&bench, hash);
		printf("%s, checksums by %-10s %10.1f %7.1f %7.1f\n", ipv4 ? "IPv4" : "IPv6",
			card ? "the card" : "us", received, sent, hashed);
	}
	return bench.sink == 0;
}
