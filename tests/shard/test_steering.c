/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The levels of the card on the wire, as shards and the management lcore use them. */
#include <string.h>

#include "shard/state.h"
#include "tests/shard/gateway.h"

enum { PORTS = 40, FIRST_PORT = 6000 };

static void
steering_word__is_never_what_a_long_header_has_there(void **state)
{
	bool seen[UINT16_MAX + 1] = {false};

	for (uint16_t shard = 0; shard < SHARDS_MAX; shard++) {
		uint16_t word = shard_steering_word(shard);

		assert_int_equal(word % 2, 0);
		assert_true(shard_steering_word_allowed(word));
		assert_false(seen[word]);
		seen[word] = true;
	}
	assert_false(shard_steering_word_allowed(0x0000)); /* versions 0 and 1 */
	assert_false(shard_steering_word_allowed(0x3343)); /* version 2 */
	for (unsigned greased = 0; greased < 256; greased++)
		assert_false(shard_steering_word_allowed(
			(uint16_t)((greased & 0xf0) << 8 | 0x0a00 | (greased & 0x0f) << 4 | 0x0a)));
}

static void
turn_all(struct fixture *f)
{
	for (unsigned round = 0; round < 4; round++)
		for (unsigned i = 0; i < SHARDS; i++)
			shard_turn(f->group->shards[i]);
}

/* Neighbours get to know each other. */
static void
meet(struct fixture *f)
{
	struct base_datagram datagram;

	for (unsigned came = 0; came == 0;) {
		client_send(f, 5000, ECHO, "x", 1);
		turn_all(f);
		came = client_turn(f, &datagram);
		turn_all(f);
	}
}

static struct quic_handle
connection(struct fixture *f, uint16_t owner)
{
	struct quic_handle handle = quic_slots_take(&f->group->slots, owner);

	quic_slots_publish(&f->group->slots, handle, owner);
	return handle;
}

static uint64_t
handed(const struct fixture *f)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < SHARDS; i++)
		sum += gateway_counter(f, i, SHARD_DATAGRAMS_HANDED);
	return sum;
}

/* A packet of the connection, whose ID names `shard`; returns how many mailboxes it took. */
static uint64_t
packet(struct fixture *f, struct quic_handle handle, uint16_t shard, uint16_t from_port)
{
	struct quic_conn_id_fields fields = {
		.shard = shard, .slot = handle.slot, .generation = handle.generation};
	uint8_t octets[64] = {0x40};
	uint64_t before = handed(f);
	struct quic_slot_owner owner;
	struct quic_cid cid;
	uint32_t received;

	assert_true(quic_slots_owner(&f->group->slots, handle.slot, &owner));
	received = fake_endpoints[owner.owner]->received;
	quic_conn_id_encode(&f->group->shards[0]->router.codec, &fields, &cid);
	memcpy(octets + 1, cid.octets, cid.length);
	client_send(f, from_port, QUIC, octets, sizeof(octets));
	turn_all(f);
	assert_int_equal(fake_endpoints[owner.owner]->received, received + 1);
	return handed(f) - before;
}

static uint64_t
packets(struct fixture *f, struct quic_handle handle, uint16_t shard)
{
	uint64_t sum = 0;

	for (uint16_t port = FIRST_PORT; port < FIRST_PORT + PORTS; port++)
		sum += packet(f, handle, shard, port);
	return sum;
}

static uint64_t
counter(const struct fixture *f, enum shard_steerer_counter which)
{
	return f->group->steerer.counters[which];
}

static void
steerer__has_the_card_read_connection_ids(void **state)
{
	struct fixture *f = *state;
	struct quic_handle second = connection(f, 1), third = connection(f, 2);
	struct base_path path = {0};

	meet(f);
	assert_true(packets(f, second, 1) > 0);
	shard_group_steer(f->group);
	assert_int_equal(f->group->steerer.ports[0].level, SHARD_STEERING_CID);
	assert_int_equal(counter(f, SHARD_STEERER_INSTALLED), QUEUES);
	assert_int_equal(packets(f, second, 1), 0);
	/* An ID from before the move still names the old shard. */
	assert_int_equal(packets(f, second, 0), PORTS);
	/* The third shard has no queue. */
	assert_int_equal(packets(f, third, 2), PORTS);
	assert_true(shard_steerer_follow(&f->group->steerer, second, &path, 0, 1));
	assert_false(shard_steerer_follow(&f->group->steerer, third, &path, 0, 2));
	shard_steerer_close(&f->group->steerer);
	assert_int_equal(counter(f, SHARD_STEERER_REMOVED), QUEUES);
	assert_true(packets(f, second, 1) > 0);
}

static void
steerer__loses_no_packet_when_a_card_forgets_its_rules(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handle = connection(f, 1);

	meet(f);
	shard_group_steer(f->group);
	assert_int_equal(packets(f, handle, 1), 0);
	port_wire_fail(f->ends[0], SHARD_STEERING_CID);
	assert_true(packets(f, handle, 1) > 0); /* packet() asserts that each came */
	shard_steerer_close(&f->group->steerer);
	assert_int_equal(counter(f, SHARD_STEERER_STUCK), QUEUES);
}

static void
steerer__takes_the_next_level_when_a_card_refuses(void **state)
{
	struct fixture *f = *state;

	port_wire_fail(f->ends[0], SHARD_STEERING_CID);
	shard_group_steer(f->group);
	assert_int_equal(counter(f, SHARD_STEERER_REFUSED), 1);
	assert_int_equal(f->group->steerer.ports[0].level, SHARD_STEERING_TUPLE);
	shard_steerer_close(&f->group->steerer);
}

static struct base_path
path_from(uint16_t port)
{
	struct base_path path = {.local.port = QUIC, .remote.port = port};

	net_ipv4_mapped(path.local.ip, (const uint8_t[4]){192, 0, 2, 1});
	net_ipv4_mapped(path.remote.ip, (const uint8_t[4]){192, 0, 2, 2});
	return path;
}

/* A port of the client whose hash does not bring it to shard 1. */
static uint16_t
port_elsewhere(struct fixture *f, struct quic_handle handle, uint16_t port)
{
	while (packet(f, handle, 1, port) == 0)
		port++;
	return port;
}

static void
steerer__follows_a_connection_by_its_tuple(void **state)
{
	struct fixture *f = *state;
	struct shard_steerer *steerer = &f->group->steerer;
	struct quic_handle handle = connection(f, 1);
	struct base_path path;
	uint16_t first, second;

	meet(f);
	shard_group_steer(f->group);
	assert_int_equal(steerer->ports[0].level, SHARD_STEERING_TUPLE); /* IDs are sealed */
	first = port_elsewhere(f, handle, FIRST_PORT);
	second = port_elsewhere(f, handle, first + 1);
	path = path_from(first);
	assert_true(shard_steerer_follow(steerer, handle, &path, 0, 1));
	assert_true(shard_steerer_follow(steerer, handle, &path, 0, 1));
	assert_int_equal(counter(f, SHARD_STEERER_INSTALLED), 1);
	assert_int_equal(packet(f, handle, 1, first), 0);
	path = path_from(second);
	assert_int_equal(packet(f, handle, 1, second), 1);
	assert_true(shard_steerer_follow(steerer, handle, &path, 0, 1));
	assert_int_equal(packet(f, handle, 1, second), 0);
	assert_int_equal(packet(f, handle, 1, first), 1);
	port_wire_fail(f->ends[0], SHARD_STEERING_TUPLE);
	assert_int_equal(packet(f, handle, 1, second), 1);
	path = path_from(first);
	assert_false(shard_steerer_follow(steerer, handle, &path, 0, 1));
	assert_int_equal(packet(f, handle, 1, first), 1);
	assert_int_equal(steerer->count, 0);
	shard_steerer_close(steerer);
}

static void
steerer__hands_on_what_the_card_has_no_place_for(void **state)
{
	struct fixture *f = *state;
	struct shard_steerer *steerer = &f->group->steerer;
	struct quic_handle handles[TUPLE_RULES + 1];
	uint16_t port = FIRST_PORT;

	meet(f);
	shard_group_steer(f->group);
	for (uint16_t i = 0; i <= TUPLE_RULES; i++) {
		struct base_path path;

		handles[i] = connection(f, 1);
		port = port_elsewhere(f, handles[i], (uint16_t)(port + 1));
		path = path_from(port);
		assert_int_equal(shard_steerer_follow(steerer, handles[i], &path, 0, 1), i < TUPLE_RULES);
		assert_int_equal(packet(f, handles[i], 1, port), i == TUPLE_RULES);
	}
	assert_int_equal(counter(f, SHARD_STEERER_REFUSED), 1);
	shard_steerer_forget(steerer, handles[0]);
	shard_steerer_forget(steerer, handles[0]);
	assert_int_equal(steerer->count, TUPLE_RULES - 1);
	shard_steerer_audit(steerer, 100);
	assert_int_equal(steerer->count, TUPLE_RULES - 1);
	quic_slots_free(&f->group->slots, handles[1].slot, 1);
	quic_slots_free(&f->group->slots, handles[TUPLE_RULES - 1].slot, 1);
	shard_steerer_audit(steerer, 100);
	assert_int_equal(steerer->count, TUPLE_RULES - 3);
	assert_int_equal(counter(f, SHARD_STEERER_REMOVED), 3);
	shard_steerer_close(steerer);
	assert_int_equal(counter(f, SHARD_STEERER_INSTALLED), counter(f, SHARD_STEERER_REMOVED));
}

static void
steerer__needs_no_rule_where_the_hash_leads(void **state)
{
	struct fixture *f = *state;
	struct shard_steerer *steerer = &f->group->steerer;
	struct quic_handle handle = connection(f, 1), other = connection(f, 0);
	uint16_t away, home = FIRST_PORT;
	struct base_path path;

	meet(f);
	shard_group_steer(f->group);
	away = port_elsewhere(f, handle, FIRST_PORT);
	while (packet(f, handle, 1, home) != 0)
		home++;
	path = path_from(away);
	assert_true(shard_steerer_follow(steerer, handle, &path, 0, 1));
	assert_int_equal(steerer->count, 1);
	/* A card has one rule for a path, whoever else uses it. */
	assert_false(shard_steerer_follow(steerer, other, &path, 0, 0));
	assert_int_equal(counter(f, SHARD_STEERER_SHARED), 1);
	path = path_from(home);
	shard_steerer_moved_on(steerer, handle, &path, 0, 1);
	assert_int_equal(steerer->count, 0);
	assert_int_equal(packet(f, handle, 1, home), 0);
	/* Who had none gets none by having another path. */
	path = path_from(away);
	shard_steerer_moved_on(steerer, handle, &path, 0, 1);
	assert_int_equal(steerer->count, 0);
	shard_steerer_close(steerer);
}

/* The connection of shard 0 goes to shard 1, whose services and timers nobody misses here. */
static void
move(struct fixture *f, struct quic_handle handle, uint16_t port)
{
	struct shard_control grant = {
		.kind = SHARD_CONTROL_GRANT, .from = 0, .move = {.handle = handle, .target = 1}};
	struct shard_control_move result;

	quic_slots_grant(&f->group->slots, handle.slot, 0, 1);
	quic_slots_attach(&f->group->slots, handle.slot, 1);
	fake_endpoints[1]->has_conn = true;
	fake_endpoints[1]->conn = (struct quic_conn){.handle = handle, .path = path_from(port)};
	f->group->moves_in_flight++;
	shard_mailbox_post_control(&f->group->mailboxes[1], &grant);
	turn_all(f);
	assert_true(shard_group_next_result(f->group, &result));
	assert_int_equal(result.outcome, SHARD_MOVE_DONE);
	assert_int_equal(result.port_index, 0);
	assert_false(shard_group_next_result(f->group, &result));
}

static void
rebind(struct fixture *f, uint16_t port)
{
	struct shard_control_move result;

	fake_endpoints[1]->conn.path = path_from(port);
	fake_endpoints[1]->repathed = true;
	turn_all(f);
	assert_false(shard_group_next_result(f->group, &result));
}

static void
group_next_result__has_the_card_follow_a_move_and_a_rebinding(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handle = connection(f, 1);
	uint16_t first, second, home = FIRST_PORT;

	meet(f);
	shard_group_steer(f->group);
	first = port_elsewhere(f, handle, FIRST_PORT);
	second = port_elsewhere(f, handle, first + 1);
	while (packet(f, handle, 1, home) != 0)
		home++;
	handle = connection(f, 0);
	assert_int_equal(packet(f, handle, 0, first), 0);
	move(f, handle, first);
	assert_int_equal(packet(f, handle, 0, first), 0);
	/* A NAT gave it another port: the rule goes along, and the old tuple is as it was. */
	assert_int_equal(packet(f, handle, 1, second), 1);
	rebind(f, second);
	assert_int_equal(packet(f, handle, 1, second), 0);
	assert_int_equal(packet(f, handle, 1, first), 1);
	assert_int_equal(f->group->steerer.count, 1);
	/* One that the hash brings to the same shard. */
	rebind(f, home);
	assert_int_equal(f->group->steerer.count, 0);
	assert_int_equal(packet(f, handle, 1, home), 0);
	assert_int_equal(counter(f, SHARD_STEERER_INSTALLED), counter(f, SHARD_STEERER_REMOVED));
	shard_steerer_close(&f->group->steerer);
}

static void
group_next_result__ignores_news_of_before_a_move(void **state)
{
	struct fixture *f = *state;
	struct quic_handle handle = connection(f, 0);
	struct shard_control news = {.kind = SHARD_CONTROL_PATH};
	struct shard_control_move result;
	uint16_t away;

	meet(f);
	shard_group_steer(f->group);
	away = port_elsewhere(f, connection(f, 1), FIRST_PORT);
	move(f, handle, away);
	assert_int_equal(packet(f, handle, 0, away), 0);
	news.move = (struct shard_control_move){.handle = handle, .target = 0, .path = path_from(away)};
	assert_true(shard_group_post_path(f->group, &news));
	assert_false(shard_group_next_result(f->group, &result));
	assert_int_equal(packet(f, handle, 0, away), 0);
	shard_steerer_close(&f->group->steerer);
}

static void
group_next_result__doubts_its_rules_when_news_got_lost(void **state)
{
	struct fixture *f = *state;
	struct shard_steerer *steerer = &f->group->steerer;
	struct quic_handle handle = connection(f, 0);
	struct base_path path;
	uint16_t away;

	meet(f);
	shard_group_steer(f->group);
	away = port_elsewhere(f, connection(f, 1), FIRST_PORT);
	path = path_from(away);
	move(f, handle, away);
	shard_steerer_audit(steerer, 100);
	assert_int_equal(steerer->count, 1);
	fake_endpoints[1]->repathed_lost = 3;
	rebind(f, away);
	assert_int_equal(gateway_counter(f, 1, SHARD_PATHS_UNTOLD), 3);
	assert_int_equal(counter(f, SHARD_STEERER_DOUBTED), 1);
	/* That one was confirmed by its news. */
	shard_steerer_audit(steerer, 100);
	assert_int_equal(steerer->count, 1);
	shard_steerer_doubt(steerer);
	assert_true(shard_steerer_follow(steerer, handle, &path, 0, 1));
	shard_steerer_audit(steerer, 100);
	assert_int_equal(steerer->count, 1);
	shard_steerer_doubt(steerer);
	shard_steerer_audit(steerer, 100);
	assert_int_equal(steerer->count, 0);
	shard_steerer_close(steerer);
}

static void
group_post_path__leaves_room_for_results(void **state)
{
	struct fixture *f = *state;
	struct shard_control news = {.kind = SHARD_CONTROL_PATH, .move = {.port_index = SHARD_NO_PORT}};
	struct shard_control result = {
		.kind = SHARD_CONTROL_MOVE_RESULT, .move = {.outcome = SHARD_MOVE_CLOSED}};
	struct shard_control_move taken;
	uint32_t posted = 0, results = 0;

	while (shard_group_post_path(f->group, &news))
		posted++;
	assert_true(posted > 1000);
	for (uint32_t i = 0; i < SHARD_MOVES_MAX; i++)
		shard_group_post_result(f->group, &result);
	f->group->moves_in_flight = SHARD_MOVES_MAX;
	/* So much news is before them that they come with a later call. */
	assert_false(shard_group_next_result(f->group, &taken));
	for (int i = 0; i < 20; i++)
		while (shard_group_next_result(f->group, &taken))
			results++;
	assert_int_equal(results, SHARD_MOVES_MAX);
	assert_true(shard_group_post_path(f->group, &news));
}

static const struct shard_load_report *
report(struct fixture *f, uint16_t shard, uint32_t window)
{
	const struct shard_load_report *answer;

	shard_group_ask_load(f->group, window);
	turn_all(f);
	answer = shard_group_take_load(f->group, shard);
	assert_non_null(answer);
	assert_int_equal(answer->window, window);
	return answer;
}

static void
group_take_load__gives_heavy_connections_rules(void **state)
{
	struct fixture *f = *state;
	struct quic_handle heavy = connection(f, 1), light = connection(f, 1);
	const struct shard_load_report *answer;
	uint16_t away;

	meet(f);
	shard_group_steer(f->group);
	away = port_elsewhere(f, light, FIRST_PORT);
	report(f, 1, 1);
	/* Placed there at accept, say. */
	fake_endpoints[1]->has_conn = true;
	fake_endpoints[1]->conn = (struct quic_conn){.handle = heavy, .path = path_from(away)};
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(packet(f, heavy, 1, away), 1);
	answer = report(f, 1, 2);
	assert_true(answer->busy_cycles > 0);
	assert_int_equal(answer->count, 1);
	assert_in_range(answer->heavy[0].weight, 1, 7);
	assert_int_equal(f->group->steerer.count, 0);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(packet(f, heavy, 1, away), 1);
	answer = report(f, 1, 3);
	assert_int_equal(answer->heavy[0].handle.slot, heavy.slot);
	assert_true(answer->heavy[0].weight >= 8);
	assert_int_equal(f->group->steerer.count, 1);
	assert_int_equal(packet(f, heavy, 1, away), 0);
	/* Once for a report. */
	shard_steerer_forget(&f->group->steerer, heavy);
	assert_ptr_equal(shard_group_take_load(f->group, 1), answer);
	assert_int_equal(f->group->steerer.count, 0);
	shard_steerer_close(&f->group->steerer);
}

static void
group_take_load__tells_what_comes_by_which_bucket(void **state)
{
	struct fixture *f = *state;
	const struct shard_port_facts *facts = &f->ends[0]->facts;
	struct quic_handle handle = connection(f, 1);
	const struct shard_load_report *answer;
	struct net_rss rss;
	struct base_path path;
	uint16_t port, bucket;
	uint32_t sum = 0;

	meet(f);
	shard_group_steer(f->group);
	assert_int_equal(f->group->steerer.ports[0].level, SHARD_STEERING_BUCKETS);
	net_rss_init(&rss, facts->rss_key);
	port = port_elsewhere(f, handle, FIRST_PORT);
	path = path_from(port);
	bucket = (uint16_t)(net_rss_path(&rss, &path) % facts->reta_size);
	report(f, 1, 1);
	for (unsigned i = 0; i < 100; i++)
		packet(f, handle, 1, port);
	answer = report(f, 1, 2);
	assert_int_equal(answer->bucket_counts[0], facts->reta_size);
	for (uint16_t i = 0; i < facts->reta_size; i++)
		sum += answer->buckets[0][i];
	assert_true(sum > 0);
	assert_int_equal(answer->buckets[0][bucket], sum);
	assert_int_equal(answer->weight, sum);
	assert_true(shard_steerer_move_bucket(&f->group->steerer, 0, bucket, 1));
	assert_int_equal(packet(f, handle, 1, port), 0);
	shard_steerer_close(&f->group->steerer);
}

static void
steerer__moves_a_bucket(void **state)
{
	struct fixture *f = *state;
	const struct shard_port_facts *facts = &f->ends[0]->facts;
	struct quic_handle handle = connection(f, 1);
	struct net_rss rss;
	struct base_path path;
	uint16_t port, bucket;

	meet(f);
	shard_group_steer(f->group);
	net_rss_init(&rss, facts->rss_key);
	port = port_elsewhere(f, handle, FIRST_PORT);
	path = path_from(port);
	bucket = (uint16_t)(net_rss_path(&rss, &path) % facts->reta_size);
	assert_int_equal(facts->reta[bucket], 0);
	assert_true(shard_steerer_move_bucket(&f->group->steerer, 0, bucket, 1));
	assert_int_equal(packet(f, handle, 1, port), 0);
	assert_int_equal(facts->reta[bucket], 0); /* homes stay where they were */
	assert_false(shard_steerer_move_bucket(&f->group->steerer, 0, facts->reta_size, 1));
	assert_false(shard_steerer_move_bucket(&f->group->steerer, 0, bucket, 2));
	port_wire_fail(f->ends[0], SHARD_STEERING_BUCKETS);
	assert_false(shard_steerer_move_bucket(&f->group->steerer, 0, bucket, 0));
	assert_int_equal(packet(f, handle, 1, port), 0);
	shard_steerer_close(&f->group->steerer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steering_word__is_never_what_a_long_header_has_there),
		cmocka_unit_test_setup_teardown(
			steerer__has_the_card_read_connection_ids, gateway_setup_clear, gateway_teardown),
		cmocka_unit_test_setup_teardown(steerer__loses_no_packet_when_a_card_forgets_its_rules,
			gateway_setup_clear, gateway_teardown),
		cmocka_unit_test_setup_teardown(steerer__takes_the_next_level_when_a_card_refuses,
			gateway_setup_clear, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			steerer__follows_a_connection_by_its_tuple, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			steerer__hands_on_what_the_card_has_no_place_for, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			steerer__needs_no_rule_where_the_hash_leads, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(group_next_result__has_the_card_follow_a_move_and_a_rebinding,
			gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			group_next_result__ignores_news_of_before_a_move, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(group_next_result__doubts_its_rules_when_news_got_lost,
			gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			group_post_path__leaves_room_for_results, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(
			group_take_load__gives_heavy_connections_rules, gateway_setup, gateway_teardown),
		cmocka_unit_test_setup_teardown(group_take_load__tells_what_comes_by_which_bucket,
			gateway_setup_buckets, gateway_teardown),
		cmocka_unit_test_setup_teardown(steerer__moves_a_bucket, gateway_setup, gateway_teardown),
	};

	return cmocka_run_group_tests(tests, eal_setup, eal_teardown);
}
