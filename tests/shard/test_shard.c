/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shards of gateway.h, turned by hand. */
#include <string.h>

#include "shard/state.h"
#include "tests/shard/gateway.h"

static void
turn_all(struct fixture *f)
{
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < SHARDS; i++)
			shard_turn(f->group->shards[i]);
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
	assert_true(
		gateway_counter(f, 0, SHARD_UDP_ECHOED) > 0 && gateway_counter(f, 1, SHARD_UDP_ECHOED) > 0);
	client_send(f, 6000, 9, "nobody", 6);
	turn_all(f);
	assert_int_equal(
		gateway_counter(f, 0, SHARD_DROP_NO_SERVICE) + gateway_counter(f, 1, SHARD_DROP_NO_SERVICE),
		1);
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
		assert_int_equal(gateway_counter(f, i, SHARD_DATAGRAMS_OWN), received(i));
		handed += gateway_counter(f, i, SHARD_DATAGRAMS_HANDED);
	}
	/* The third shard has no queue: all of its came through the mailbox. */
	assert_int_equal(gateway_counter(f, 2, SHARD_DATAGRAMS_TAKEN), received(2));
	assert_true(handed >= received(2));
	/* The same tuple, again and again: the same shard. */
	handed = received(0);
	for (unsigned i = 0; i < 10; i++)
		client_send(f, 6001, QUIC, initial, sizeof(initial));
	turn_all(f);
	assert_true(received(0) == handed || received(0) == handed + 10);
}

static void
shard_turn__gives_a_new_connection_to_where_it_is_placed(void **state)
{
	struct fixture *f = *state;
	uint8_t initial[1200] = {0xc0, 0, 0, 0, 1, 8};
	unsigned before[SHARDS];

	meet(f);
	assert_true(shard_group_place(f->group, 0, 2, 1000));
	assert_true(shard_group_place(f->group, 1, 2, 1000));
	for (uint16_t port = 6000; port < 6030; port++)
		client_send(f, port, QUIC, initial, sizeof(initial));
	turn_all(f);
	assert_int_equal(received(2), 30);
	assert_true(fake_endpoints[2]->last.placed);
	/* By the queue's shard to its home and from there, or at once. */
	assert_in_range(fake_endpoints[2]->last.hops, 1, 2);
	/* The clients are where they are, whatever is ordered meanwhile; others come home. */
	assert_true(shard_group_place(f->group, 0, 1, 1000));
	assert_true(shard_group_place(f->group, 1, 1, 0));
	for (uint16_t port = 6000; port < 6030; port++)
		client_send(f, port, QUIC, initial, sizeof(initial));
	turn_all(f);
	assert_int_equal(received(2), 60);
	for (unsigned i = 0; i < SHARDS; i++)
		before[i] = received(i);
	initial[6] = 1;
	for (uint16_t port = 6000; port < 6030; port++)
		client_send(f, port, QUIC, initial, sizeof(initial));
	turn_all(f);
	assert_int_equal(received(0), before[0]);
	assert_in_range(received(1), before[1] + 10, before[1] + 29);
	assert_int_equal(received(1) + received(2), before[1] + before[2] + 30);
	assert_false(shard_group_place(f->group, 0, SHARDS, 1));
	assert_false(shard_group_place(f->group, SHARDS, 0, 1));
	assert_false(shard_group_place(f->group, 0, 1, 1001));
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
	assert_int_equal(gateway_counter(f, 0, SHARD_DATAGRAMS_UNPLACED) +
			gateway_counter(f, 1, SHARD_DATAGRAMS_UNPLACED),
		1);
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
	assert_int_equal(gateway_counter(f, 2, SHARD_FRAMES_PROXIED) +
			gateway_counter(f, 2, SHARD_DROP_MAILBOX_FULL) +
			f->group->shards[2]->interfaces[0].counters[NET_DROP_NEIGHBOUR_QUEUE],
		100);
	assert_int_equal(came, gateway_counter(f, 2, SHARD_FRAMES_PROXIED));
	assert_true(came >= 4);
}

/* A short header of a new connection of that shard. */
static void
address(struct fixture *f, uint8_t packet[64], uint16_t shard)
{
	struct quic_handle handle = quic_slots_take(&f->group->slots, shard);
	struct quic_conn_id_fields fields = {.slot = handle.slot, .generation = handle.generation};
	struct quic_cid cid;

	quic_slots_publish(&f->group->slots, handle, shard);
	quic_conn_id_encode(&f->group->shards[0]->router.codec, &fields, &cid);
	memset(packet, 0x40, 64);
	memcpy(packet + 1, cid.octets, cid.length);
}

/* Of the two shards that have a queue. */
static uint64_t
both(const struct fixture *f, enum shard_counter counter)
{
	return gateway_counter(f, 0, counter) + gateway_counter(f, 1, counter);
}

static void
shard_turn__drops_what_a_full_mailbox_refuses(void **state)
{
	struct fixture *f = *state;
	uint8_t packet[64];

	meet(f);
	address(f, packet, 2);
	for (unsigned i = 0; i < 200; i++) {
		client_send(f, 6000, QUIC, packet, sizeof(packet));
		shard_turn(f->group->shards[0]);
		shard_turn(f->group->shards[1]);
	}
	assert_int_equal(both(f, SHARD_DROP_MAILBOX_FULL), 200 - 63);
	assert_int_equal(both(f, SHARD_DROP_MAILBOX_SHARE), 0);
}

/* Anybody can send those: they fill half of a mailbox, and connections have the rest. */
static void
shard_turn__leaves_half_of_a_mailbox_to_connections(void **state)
{
	struct fixture *f = *state;
	uint8_t initial[1200] = {0xc0, 0, 0, 0, 1, 8}, packet[64];

	meet(f);
	address(f, packet, 2);
	assert_true(shard_group_place(f->group, 0, 2, 1000));
	assert_true(shard_group_place(f->group, 1, 2, 1000));
	for (unsigned i = 0; i < 200; i++) {
		client_send(f, (uint16_t)(6000 + i), QUIC, initial, sizeof(initial));
		shard_turn(f->group->shards[0]);
		shard_turn(f->group->shards[1]);
	}
	assert_true(both(f, SHARD_DROP_MAILBOX_SHARE) > 50);
	for (unsigned i = 0; i < 20; i++) {
		client_send(f, 6000, QUIC, packet, sizeof(packet));
		shard_turn(f->group->shards[0]);
		shard_turn(f->group->shards[1]);
	}
	assert_int_equal(both(f, SHARD_DROP_MAILBOX_FULL), 0);
	turn_all(f);
	assert_int_equal(received(2), 31 + 20);
	assert_int_not_equal(fake_endpoints[2]->last.slot, BASE_SLOT_NONE);
}

/* One that sends a lot to a shard that is slow is held to its share of each burst, and the other one does not suffer. */
static void
shard_turn__gives_each_connection_its_share_of_a_mailbox(void **state)
{
	struct fixture *f = *state;
	uint8_t busy[64], quiet[64];
	unsigned quiet_sent = 0;

	meet(f);
	address(f, busy, 2);
	address(f, quiet, 2);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned j = 0; j < BASE_BURST_MAX - 1; j++)
			client_send(f, 6000, QUIC, busy, sizeof(busy));
		client_send(f, 6000, QUIC, quiet, sizeof(quiet));
		quiet_sent++;
		shard_turn(f->group->shards[0]);
		shard_turn(f->group->shards[1]);
		if (i % 4 == 3)
			shard_turn(f->group->shards[2]);
	}
	turn_all(f);
	assert_true(both(f, SHARD_DROP_MAILBOX_SHARE) > 1000);
	assert_int_equal(both(f, SHARD_DROP_MAILBOX_FULL), 0);
	/* All that was not dropped has come, and only the busy one's was dropped: a share of 4 is never the quiet one's. */
	assert_int_equal(received(2), quiet_sent * BASE_BURST_MAX - both(f, SHARD_DROP_MAILBOX_SHARE));
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
	assert_int_equal(gateway_counter(f, 0, SHARD_DROP_HOPS), 1);
}

/* A frame in two buffers, as a card may scatter it, is nobody's. */
static void
shard_turn__drops_frames_in_more_than_one_buffer(void **state)
{
	struct fixture *f = *state;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(f->buffers);
	uint64_t dropped = 0;

	memset(rte_pktmbuf_append(mbuf, 1514), 0xff, 1514);
	assert_int_equal(rte_pktmbuf_chain(mbuf, rte_pktmbuf_alloc(f->buffers)), 0);
	assert_int_equal(mbuf->nb_segs, 2);
	assert_int_equal(shard_port_send(f->ends[1], 0, &mbuf, 1), 1);
	for (unsigned i = 0; i < SHARDS; i++) {
		shard_turn(f->group->shards[i]);
		dropped += gateway_counter(f, i, SHARD_DROP_SEGMENTS);
	}
	assert_int_equal(dropped, 1);
}

/* At housekeeping, which comes once in 1024 turns and before each sleep. */
static void
shard_set_accepting__is_heeded_and_taken_back(void **state)
{
	struct fixture *f = *state;

	for (unsigned round = 0; round < 2; round++) {
		shard_set_accepting(f->group->shards[1], false);
		for (unsigned i = 0; i < 1024; i++)
			shard_turn(f->group->shards[1]);
		assert_true(fake_endpoints[1]->stopped);
		assert_false(fake_endpoints[0]->stopped);
		shard_set_accepting(f->group->shards[1], true);
		for (unsigned i = 0; i < 1024; i++)
			shard_turn(f->group->shards[1]);
		assert_false(fake_endpoints[1]->stopped);
	}
}

static void
shard_turn__survives_an_empty_pool_of_buffers(void **state)
{
	struct fixture *f = *state;
	static struct rte_mbuf *all[BUFFERS];
	uint8_t initial[64] = {0xc0, 0, 0, 0, 1, 8};
	struct base_datagram datagram;
	unsigned held = 0, came = 0, asked;

	meet(f);
	client_send(f, 6000, QUIC, initial, sizeof(initial));
	turn_all(f);
	for (unsigned i = 0; i < SHARDS; i++) {
		fake_endpoints[i]->to_send = fake_endpoints[i]->received > 0 ? 300 : 0;
		fake_endpoints[i]->length = 100;
	}
	while ((all[held] = rte_pktmbuf_alloc(f->buffers)) != NULL)
		held++;
	asked = fake_endpoints[0]->asked;
	turn_all(f);
	assert_true(fake_endpoints[0]->asked >=
		asked + 3); /* what it borrowed ends with each turn all the same */
	assert_true(gateway_counter(f, 0, SHARD_NO_BUFFER) + gateway_counter(f, 1, SHARD_NO_BUFFER) +
			gateway_counter(f, 2, SHARD_NO_BUFFER) >
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

static enum shard_place
place(const struct fixture *f)
{
	struct shard_statistics statistics;

	shard_get_statistics(f->group->shards[0], &statistics);
	return statistics.place;
}

static void
look_around(void *with)
{
	assert_int_equal(place(with), SHARD_AT_EXPIRE);
}

static void
shard_turn__says_where_it_is(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(place(f), SHARD_AT_START);
	fake_endpoints[0]->on_expire = look_around;
	fake_endpoints[0]->with = f;
	shard_turn(f->group->shards[0]);
	assert_null(fake_endpoints[0]->on_expire);
	assert_int_equal(place(f), SHARD_AT_MOVES);
	for (int i = 0; i < SHARD_PLACE_COUNT; i++)
		assert_string_not_equal(shard_place_text((enum shard_place)i), "unknown");
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

/* It may let a connection go to us until it has heard of the end, too. */
static void
shard_run__waits_for_a_shard_that_runs_on(void **state)
{
	struct fixture *f = *state;
	struct shard *shard = f->group->shards[0];

	atomic_store(&f->group->shards[1]->stage, SHARD_RUNNING);
	shard_stop(shard, 20);
	assert_int_equal(shard_run(shard), 0);
	assert_true(shard->now_ns >= shard->stop_ns);
	atomic_store(&f->group->shards[1]->stage, SHARD_ENDED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			shard_turn__echoes_udp_once_neighbours_are_resolved, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__brings_each_initial_to_its_home, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(shard_turn__gives_a_new_connection_to_where_it_is_placed,
			gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__brings_short_headers_to_the_owner, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__sends_for_a_shard_without_a_queue, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__drops_what_a_full_mailbox_refuses, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__leaves_half_of_a_mailbox_to_connections, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(shard_turn__gives_each_connection_its_share_of_a_mailbox,
			gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__drops_frames_in_more_than_one_buffer, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__gives_up_after_four_hops, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_set_accepting__is_heeded_and_taken_back, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__survives_an_empty_pool_of_buffers, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_turn__says_where_it_is, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_run__ends_when_it_is_told_to, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			shard_run__waits_for_a_shard_that_runs_on, gateway_setup, gateway_teardown),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
