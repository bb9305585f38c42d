/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three shards behind a wire of two queues, turned by hand, with an endpoint without QUIC. */
#include "tests/shard/eal.h"

#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "drivers/crypto/ipsec_mb.h"
#include "drivers/port/wire.h"
#include "shard/group.h"
#include "shard/state.h"
#include "tests/shard/fake_endpoint.h"

enum { SHARDS = 3, QUEUES = 2, BUFFERS = 4095, QUIC = 443, ECHO = 7777 };

static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0, 1}, client_mac[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t gateway_ip[4] = {192, 0, 2, 1}, client_ip[4] = {192, 0, 2, 2};

struct fixture {
	struct rte_mempool *buffers;
	struct shard_port *ends[2];
	struct shard_group_config config;
	struct shard_group *group;
	struct net_interface client;
	void *crypto_memory[SHARDS];
	uint64_t client_ns;
};

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
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct port_wire_config wire = {.name = "wire",
		.queues = {QUEUES, 1},
		.mtu = 1500,
		.ring_frames = 512,
		.checksums = false,
		.rss = true};
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
		.quic = {.gateway = 1, .epoch = 1, .entropy = {1, 2, 3, 4}},
		.quic_port = QUIC,
		.udp_echo_port = ECHO};
	f->config.ports[0].port = f->ends[0];
	f->config.ports[0].interface = interface_config(gateway_ip, gateway_mac);
	for (unsigned i = 0; i < QUIC_POOL_COUNT; i++)
		f->config.pool_elements[i] = 127;
	for (unsigned i = 0; i < SHARDS; i++) {
		f->crypto_memory[i] = aligned_alloc(64, (crypto_ipsec_mb_bytes() + 63) / 64 * 64);
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

static int
teardown(void **state)
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

static uint64_t
counter(const struct fixture *f, unsigned shard, enum shard_counter counter)
{
	struct shard_statistics statistics;

	shard_get_statistics(f->group->shards[shard], &statistics);
	return statistics.counters[counter];
}

static void
turn_all(struct fixture *f)
{
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < SHARDS; i++)
			shard_turn(f->group->shards[i]);
}

static void
transmit(struct fixture *f, struct rte_mbuf *mbuf, const struct net_frame *frame)
{
	mbuf->data_off = (uint16_t)(frame->octets - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = frame->length;
	mbuf->pkt_len = frame->length;
	assert_int_equal(shard_port_send(f->ends[1], 0, &mbuf, 1), 1);
}

/* The client's turn: answers what it is asked; returns the datagrams that came, the last one in *datagram. */
static unsigned
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

static void
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

/* Both sides know each other's link address from here on. */
static void
meet(struct fixture *f)
{
	struct base_datagram datagram;

	client_send(f, 5000, ECHO, "x", 1);
	for (unsigned i = 0; i < 6; i++) {
		client_turn(f, &datagram);
		turn_all(f);
	}
	client_turn(f, &datagram);
}

static unsigned
received(unsigned shard)
{
	return fake_endpoints[shard]->received;
}

static void
shard_turn__echoes_udp_once_neighbours_are_resolved(void **state)
{
	struct fixture *f = *state;
	struct base_datagram datagram;
	unsigned echoed = 0;

	meet(f);
	for (uint16_t port = 6000; port < 6020; port++)
		client_send(f, port, ECHO, "hello", 5);
	for (unsigned i = 0; i < 6; i++) {
		turn_all(f);
		echoed += client_turn(f, &datagram);
	}
	assert_int_equal(echoed, 20);
	assert_int_equal(datagram.length, 5);
	assert_int_equal(datagram.path.remote.port, ECHO);
	/* Both queues took part. */
	assert_true(counter(f, 0, SHARD_UDP_ECHOED) > 0 && counter(f, 1, SHARD_UDP_ECHOED) > 0);
	client_send(f, 6000, 9, "nobody", 6);
	turn_all(f);
	assert_int_equal(counter(f, 0, SHARD_DROP_NO_SERVICE) + counter(f, 1, SHARD_DROP_NO_SERVICE), 1);
}

static void
shard_turn__brings_each_initial_to_its_home(void **state)
{
	struct fixture *f = *state;
	uint8_t initial[64] = {0xc0, 0, 0, 0, 1, 8};
	uint64_t handed = 0;

	meet(f);
	for (uint16_t port = 6000; port < 6060; port++)
		client_send(f, port, QUIC, initial, sizeof(initial));
	turn_all(f);
	assert_int_equal(received(0) + received(1) + received(2), 60);
	for (unsigned i = 0; i < SHARDS; i++) {
		assert_in_range(received(i), 8, 32);
		assert_int_equal(counter(f, i, SHARD_DATAGRAMS_OWN), received(i));
		handed += counter(f, i, SHARD_DATAGRAMS_HANDED);
	}
	/* The third shard has no queue: all of its came through the mailbox. */
	assert_int_equal(counter(f, 2, SHARD_DATAGRAMS_TAKEN), received(2));
	assert_true(handed >= received(2));
	/* The same tuple, again and again: the same shard. */
	handed = received(0);
	for (unsigned i = 0; i < 10; i++)
		client_send(f, 6001, QUIC, initial, sizeof(initial));
	turn_all(f);
	assert_true(received(0) == handed || received(0) == handed + 10);
}

static void
shard_turn__brings_short_headers_to_the_owner(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handle = quic_slots_take(&f->group->slots, 2);
	struct quic_conn_id_fields fields = {
		.slot = handle.slot, .generation = handle.generation, .sequence = 3};
	uint8_t packet[64] = {0x40};
	struct quic_cid cid;

	meet(f);
	quic_slots_publish(&f->group->slots, handle, 2);
	quic_conn_id_encode(&f->group->shards[0]->router.codec, &fields, &cid);
	memcpy(packet + 1, cid.octets, cid.length);
	for (uint16_t port = 6000; port < 6010; port++) /* wherever the client is now */
		client_send(f, port, QUIC, packet, sizeof(packet));
	turn_all(f);
	assert_int_equal(received(2), 10);
	assert_int_equal(fake_endpoints[2]->last.slot, handle.slot);
	assert_int_equal(fake_endpoints[2]->last.generation, handle.generation);
	assert_int_equal(fake_endpoints[2]->last.id_sequence, 3);
	assert_int_equal(fake_endpoints[2]->last.hops, 1);
	packet[5] ^= 1;
	client_send(f, 6000, QUIC, packet, sizeof(packet));
	turn_all(f);
	assert_int_equal(
		counter(f, 0, SHARD_DATAGRAMS_UNPLACED) + counter(f, 1, SHARD_DATAGRAMS_UNPLACED), 1);
}

static void
shard_turn__sends_for_a_shard_without_a_queue(void **state)
{
	struct fixture *f = *state;
	uint8_t initial[64] = {0xc0, 0, 0, 0, 1, 8};
	struct base_datagram datagram;
	unsigned came = 0;

	meet(f);
	for (uint16_t port = 6000; received(2) == 0; port++) {
		client_send(f, port, QUIC, initial, sizeof(initial));
		turn_all(f);
	}
	fake_endpoints[2]->to_send = 100;
	fake_endpoints[2]->length = 1200;
	for (unsigned i = 0; i < 10; i++) {
		turn_all(f);
		came += client_turn(f, &datagram);
	}
	assert_int_equal(datagram.length, 1200);
	/* It may wait for the neighbour first; what its mailbox and the wait have no place for is counted. */
	assert_int_equal(counter(f, 2, SHARD_FRAMES_PROXIED) + counter(f, 2, SHARD_DROP_MAILBOX_FULL) +
			f->group->shards[2]->interfaces[0].counters[NET_DROP_NEIGHBOUR_QUEUE],
		100);
	assert_int_equal(came, counter(f, 2, SHARD_FRAMES_PROXIED));
	assert_true(came >= 4);
}

static void
shard_turn__drops_what_a_full_mailbox_refuses(void **state)
{
	struct fixture *f = *state;
	uint8_t initial[64] = {0xc0, 0, 0, 0, 1, 8};
	uint16_t port = 6000;

	meet(f);
	while (received(2) == 0) {
		client_send(f, ++port, QUIC, initial, sizeof(initial));
		turn_all(f);
	}
	for (unsigned i = 0; i < 200; i++) {
		client_send(f, port, QUIC, initial, sizeof(initial));
		shard_turn(f->group->shards[0]);
		shard_turn(f->group->shards[1]);
	}
	assert_int_equal(
		counter(f, 0, SHARD_DROP_MAILBOX_FULL) + counter(f, 1, SHARD_DROP_MAILBOX_FULL), 200 - 63);
}

static void
shard_turn__gives_up_after_four_hops(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handle = quic_slots_take(&f->group->slots, 2);
	struct quic_conn_id_fields fields = {.slot = handle.slot, .generation = handle.generation};
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(f->buffers);
	struct base_datagram *datagram = shard_buffer_datagram(mbuf);
	struct quic_cid cid;

	quic_slots_publish(&f->group->slots, handle, 2);
	quic_conn_id_encode(&f->group->shards[0]->router.codec, &fields, &cid);
	*datagram = (struct base_datagram){.octets = rte_pktmbuf_mtod(mbuf, uint8_t *),
		.length = 64,
		.hops = SHARD_HOPS_MAX,
		.buffer = mbuf};
	memset(datagram->octets, 0x40, 64);
	memcpy(datagram->octets + 1, cid.octets, cid.length);
	assert_int_equal(shard_mailbox_post_datagrams(&f->group->mailboxes[0], &mbuf, 1), 1);
	shard_turn(f->group->shards[0]);
	assert_int_equal(counter(f, 0, SHARD_DROP_HOPS), 1);
}

static void
shard_turn__survives_an_empty_pool_of_buffers(void **state)
{
	struct fixture *f = *state;
	static struct rte_mbuf *all[BUFFERS];
	uint8_t initial[64] = {0xc0, 0, 0, 0, 1, 8};
	struct base_datagram datagram;
	unsigned held = 0, came = 0;

	meet(f);
	client_send(f, 6000, QUIC, initial, sizeof(initial));
	turn_all(f);
	for (unsigned i = 0; i < SHARDS; i++) {
		fake_endpoints[i]->to_send = fake_endpoints[i]->received > 0 ? 300 : 0;
		fake_endpoints[i]->length = 100;
	}
	while ((all[held] = rte_pktmbuf_alloc(f->buffers)) != NULL)
		held++;
	turn_all(f);
	assert_true(counter(f, 0, SHARD_NO_BUFFER) + counter(f, 1, SHARD_NO_BUFFER) +
			counter(f, 2, SHARD_NO_BUFFER) >
		0);
	rte_pktmbuf_free_bulk(all, held);
	for (unsigned i = 0; i < 30; i++) {
		turn_all(f);
		came += client_turn(f, &datagram);
	}
	assert_true(came > 100);
	assert_int_equal(
		fake_endpoints[0]->to_send + fake_endpoints[1]->to_send + fake_endpoints[2]->to_send, 0);
}

static void
shard_run__ends_when_it_is_told_to(void **state)
{
	struct fixture *f = *state;
	struct shard *shard = f->group->shards[0];

	fake_endpoints[0]->connections = 3;
	shard_stop(shard, 1000);
	assert_int_equal(shard_run(shard), 0);
	assert_false(shard_running(shard));
	assert_true(fake_endpoints[0]->stopped && fake_endpoints[0]->closed_all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			shard_turn__echoes_udp_once_neighbours_are_resolved, setup, teardown),
		cmocka_unit_test_setup_teardown(shard_turn__brings_each_initial_to_its_home, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__brings_short_headers_to_the_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__sends_for_a_shard_without_a_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__drops_what_a_full_mailbox_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(shard_turn__gives_up_after_four_hops, setup, teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__survives_an_empty_pool_of_buffers, setup, teardown),
		cmocka_unit_test_setup_teardown(shard_run__ends_when_it_is_told_to, setup, teardown),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
