/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/shard/gateway.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/crypto/ipsec_mb.h"
#include "shard/buffer.h"

static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 1}, client_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t gateway_ip[4] = {192, 0, 2, 1}, client_ip[4] = {192, 0, 2, 2};

static struct net_interface_config
interface_config(const uint8_t ip[4], const uint8_t mac[6])
{
	struct net_interface_config config = {
		.mtu = 1500, .address_count = 1, .neighbours = net_neighbour_defaults};

	net_ipv4_mapped(config.addresses[0].ip, ip);
	config.addresses[0].prefix_bits = 24;
	memcpy(config.mac, mac, 6);
	return config;
}

static int
set_up(void **state, enum quic_conn_id_mode mode, uint8_t levels)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct port_wire_config wire = {.name = "wire",
		.queues = {QUEUES, 1},
		.mtu = 1500,
		.ring_frames = 512,
		.checksums = false,
		.rss = true,
		.levels = levels,
		.tuple_rules = TUPLE_RULES};
	struct net_interface_config client = interface_config(client_ip, client_mac);
	char error[256] = "";

	f->buffers = shard_buffers_open("buffers", BUFFERS, 1500, SOCKET_ID_ANY);
	memcpy(wire.macs[0], gateway_mac, 6);
	memcpy(wire.macs[1], client_mac, 6);
	if (f->buffers == NULL || !port_wire_open(&wire, f->ends, error, sizeof(error)))
		return -1;
	f->config = (struct shard_group_config){.shards = SHARDS,
		.port_count = 1,
		.connections = 300,
		.mailbox_datagrams = 64,
		.idle = shard_idle_defaults,
		.quic = {.limits = {.handshake_timeout_ns = 10 * BASE_SECOND},
			.id_mode = mode,
			.gateway = 1,
			.epoch = 1,
			.entropy = {1, 2, 3, 4}},
		.quic_port = QUIC,
		.udp_echo_port = ECHO};
	f->config.ports[0].port = f->ends[0];
	f->config.ports[0].interface = interface_config(gateway_ip, gateway_mac);
	for (unsigned i = 0; i < QUIC_POOL_COUNT; i++)
		f->config.pool_elements[i] = 127;
	for (unsigned i = 0; i < SHARDS; i++) {
		f->crypto_memory[i] = aligned_alloc(64, (crypto_ipsec_mb_bytes() + 63) / 64 * 64);
		f->config.seats[i].lcore = (uint16_t)(i + 1);
		f->config.seats[i].buffers = f->buffers;
		f->config.seats[i].crypto = crypto_ipsec_mb_open(f->crypto_memory[i], CRYPTO_IPSEC_MB_AUTO);
	}
	f->group = shard_group_open(&f->config, error, sizeof(error));
	if (f->group == NULL) {
		fprintf(stderr, "%s\n", error);
		return -1;
	}
	net_interface_init(&f->client, &client, 0);
	*state = f;
	return 0;
}

enum {
	BUCKETS = 1U << SHARD_STEERING_BUCKETS,
	ALL = BUCKETS | 1U << SHARD_STEERING_TUPLE | 1U << SHARD_STEERING_CID
};

int
gateway_setup(void **state)
{
	return set_up(state, QUIC_CONN_ID_SEALED, ALL);
}

int
gateway_setup_clear(void **state)
{
	return set_up(state, QUIC_CONN_ID_CLEAR, ALL);
}

int
gateway_setup_buckets(void **state)
{
	return set_up(state, QUIC_CONN_ID_SEALED, BUCKETS);
}

int
gateway_teardown(void **state)
{
	struct fixture *f = *state;

	shard_group_close(f->group);
	f->ends[0]->ops->close(f->ends[0]);
	f->ends[1]->ops->close(f->ends[1]);
	assert_int_equal(rte_mempool_in_use_count(f->buffers), 0);
	shard_buffers_close(f->buffers);
	for (unsigned i = 0; i < SHARDS; i++) {
		crypto_ipsec_mb_close(f->config.seats[i].crypto);
		free(f->crypto_memory[i]);
	}
	free(f);
	return 0;
}

uint64_t
gateway_counter(const struct fixture *f, unsigned shard, enum shard_counter counter)
{
	struct shard_statistics statistics;

	shard_get_statistics(f->group->shards[shard], &statistics);
	return statistics.counters[counter];
}

static void
transmit(struct fixture *f, struct rte_mbuf *mbuf, const struct net_frame *frame)
{
	mbuf->data_off = (uint16_t)(frame->octets - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = frame->length;
	mbuf->pkt_len = frame->length;
	assert_int_equal(shard_port_send(f->ends[1], 0, &mbuf, 1), 1);
}

unsigned
client_turn(struct fixture *f, struct base_datagram *datagram)
{
	uint8_t octets[NET_CONTROL_BYTES];
	struct base_datagram waited;
	enum net_send_verdict verdict;
	struct net_frame frame;
	struct rte_mbuf *mbuf;
	unsigned count = 0;

	f->client_ns += BASE_MS;
	while (shard_port_receive(f->ends[1], 0, &mbuf, 1) == 1) {
		enum net_verdict got;

		frame = (struct net_frame){
			.octets = rte_pktmbuf_mtod(mbuf, uint8_t *), .length = mbuf->data_len, .room = 1500};
		got = net_interface_receive(&f->client, &frame, f->client_ns, datagram);
		count += got == NET_DATAGRAM;
		if (got == NET_REPLY)
			transmit(f, mbuf, &frame);
		else
			rte_pktmbuf_free(mbuf);
	}
	for (uint16_t length; (length = net_interface_next_request(&f->client, octets)) > 0;) {
		mbuf = rte_pktmbuf_alloc(f->buffers);
		frame = (struct net_frame){.octets = rte_pktmbuf_mtod(mbuf, uint8_t *), .length = length};
		memcpy(frame.octets, octets, length);
		transmit(f, mbuf, &frame);
	}
	while (net_interface_next_released(&f->client, f->client_ns, &waited, &verdict, &frame))
		transmit(f, waited.buffer, &frame);
	return count;
}

void
client_send(struct fixture *f, uint16_t from_port, uint16_t to_port, const void *octets, uint16_t length)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(f->buffers);
	struct base_datagram datagram = {
		.octets = rte_pktmbuf_mtod(mbuf, uint8_t *), .length = length, .buffer = mbuf};
	struct net_frame frame = {0};

	memcpy(datagram.octets, octets, length);
	net_ipv4_mapped(datagram.path.local.ip, client_ip);
	net_ipv4_mapped(datagram.path.remote.ip, gateway_ip);
	datagram.path.local.port = from_port;
	datagram.path.remote.port = to_port;
	if (net_interface_send(&f->client, &datagram, f->client_ns, &frame) == NET_SEND)
		transmit(f, mbuf, &frame);
}
