/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Noise of every kind into a live server while a genuine client's transfer goes on: each piece is dropped and
 * counted, nothing is answered beyond its limit, and every octet of the transfer arrives.
 */
#include <string.h>

#include "base/random.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/world.h"

enum { TRANSFER_BYTES = 300000, KEPT = 64, LONGEST = 9000 };

static struct world world;
static struct base_random noise;
static uint8_t pattern[TRANSFER_BYTES];
static uint64_t sent[WORLD_SIDES], received[WORLD_SIDES];
static bool ended[WORLD_SIDES];
static uint32_t closed;
static uint8_t kept[KEPT][WORLD_BUFFER_BYTES]; /* datagrams of the client's */
static uint16_t kept_length[KEPT];
static uint32_t kept_count;

static void
write_more(struct quic_conn *conn, enum world_side side, uint64_t id)
{
	sent[side] +=
		quic_conn_stream_write(conn, id, pattern + sent[side], TRANSFER_BYTES - sent[side], true);
}

static void
read_all(struct quic_conn *conn, enum world_side side, uint64_t id)
{
	const uint8_t *octets;
	size_t length;
	bool fin;

	while (!ended[side] && quic_conn_stream_read(conn, id, &octets, &length, &fin)) {
		assert_in_range(received[side] + length, 0, TRANSFER_BYTES);
		assert_memory_equal(octets, pattern + received[side], length);
		received[side] += length;
		ended[side] = fin;
		quic_conn_stream_consume(conn, id, length);
	}
}

/* Both send the pattern on the client's first stream. */
static void
on_event(struct world *of, enum world_side side, const struct quic_event *event)
{
	uint64_t id;

	(void)of;
	switch (event->type) {
	case QUIC_EVENT_CONNECTED:
		if (side == WORLD_CLIENT && quic_conn_stream_open(event->conn, true, &id))
			write_more(event->conn, side, id);
		break;
	case QUIC_EVENT_STREAM_READABLE:
		if (side == WORLD_SERVER && sent[side] == 0)
			write_more(event->conn, side, event->stream_id);
		read_all(event->conn, side, event->stream_id);
		break;
	case QUIC_EVENT_STREAM_WRITABLE:
		write_more(event->conn, side, event->stream_id);
		break;
	case QUIC_EVENT_CLOSED:
		closed++;
		break;
	default:
		break;
	}
}

static bool
keep(struct world *of, enum world_side from, const struct base_datagram *datagram)
{
	(void)of;
	if (from == WORLD_CLIENT) {
		memcpy(kept[kept_count % KEPT], datagram->octets, datagram->length);
		kept_length[kept_count % KEPT] = datagram->length;
		kept_count++;
	}
	return false;
}

static bool
both_done(struct world *of)
{
	(void)of;
	return ended[WORLD_CLIENT] && ended[WORLD_SERVER];
}

static struct quic_handle
begin(const struct world_config *config)
{
	memset(sent, 0, sizeof(sent));
	memset(received, 0, sizeof(received));
	memset(ended, 0, sizeof(ended));
	closed = kept_count = 0;
	base_random_init(&noise, 9);
	for (uint32_t i = 0; i < TRANSFER_BYTES; i++)
		pattern[i] = (uint8_t)(i * 7 + i / 251);
	world_open(&world, config);
	return world_connect(&world, 0, NULL);
}

static struct world_config
usual(void)
{
	struct world_config config = world_config_default();

	config.on_event = on_event;
	config.on_sent = keep;
	config.up.rate_bits_per_second = config.down.rate_bits_per_second = 20000000;
	config.up.queue_ns = config.down.queue_ns = 50 * BASE_MS;
	return config;
}

/* Runs to the end of the transfer with `make` adding something every 200 us; checks that nobody was closed. */
static uint32_t
run_with(void (*make)(uint32_t number))
{
	uint64_t end_ns = world.now_ns + 120 * BASE_SECOND;
	uint32_t number = 0;

	while (!both_done(&world) && world.now_ns < end_ns) {
		make(number++);
		world_run(&world, both_done, world.now_ns + 200 * BASE_US);
		if (number % 64 == 0)
			quic_endpoint_check(world.nodes[WORLD_SERVER].endpoint);
	}
	assert_true(both_done(&world));
	assert_int_equal(closed, 0);
	return number;
}

static void
end(void)
{
	assert_true(world_drain(&world));
	world_close(&world);
}

static struct base_address
somebody(void)
{
	return base_random_below(&noise, 2) == 0 ? world_address(WORLD_CLIENT, WORLD_CLIENT_PORT)
						 : world_stranger((uint32_t)base_random_below(&noise, 50));
}

/* A datagram of the client's, cut, grown or changed. */
static void
mangle(uint32_t number)
{
	static uint8_t octets[LONGEST];
	struct base_address from = somebody();
	uint32_t which, length;

	(void)number;
	if (kept_count == 0)
		return;
	which = (uint32_t)base_random_below(&noise, kept_count < KEPT ? kept_count : KEPT);
	length = kept_length[which];
	memcpy(octets, kept[which], length);
	switch (base_random_below(&noise, 5)) {
	case 0:
		length = (uint32_t)base_random_below(&noise, length);
		break;
	case 1:
		base_random_fill(&noise, octets + length, LONGEST - length);
		length += (uint32_t)base_random_below(&noise, LONGEST - length);
		break;
	case 2:
		octets[base_random_below(&noise, length)] ^= (uint8_t)(1 + base_random_below(&noise, 255));
		break;
	case 3:
		base_random_fill(&noise, octets + length / 2, length - length / 2);
		break;
	default:
		memmove(octets, octets + length / 3, length - length / 3);
		length -= length / 3;
		break;
	}
	world_inject(&world, octets, length, &from);
}

static void
quic_endpoint_receive__mangled_datagrams_change_nothing(void **state)
{
	struct world_config config = usual();

	(void)state;
	begin(&config);
	run_with(mangle);
	assert_true(world_counter(&world, WORLD_SERVER, "drop_not_authentic") > 100);
	assert_true(world_counter(&world, WORLD_SERVER, "drop_malformed") > 0);
	end();
}

static void
replay(uint32_t number)
{
	uint32_t which;
	struct base_address from = somebody();

	(void)number;
	if (kept_count < KEPT / 2)
		return;
	which = (uint32_t)base_random_below(&noise, kept_count < KEPT ? kept_count : KEPT);
	world_inject(&world, kept[which], kept_length[which], &from);
}

static void
quic_endpoint_receive__replayed_and_raced_datagrams_change_nothing(void **state)
{
	struct world_config config = usual();

	/* What was kept may also come before the original, from elsewhere: then the path is tried and given up again. */
	(void)state;
	begin(&config);
	run_with(replay);
	assert_true(world_counter(&world, WORLD_SERVER, "drop_duplicate") > 100);
	end();
}

static void
quic_endpoint_receive__a_bad_network_changes_nothing(void **state)
{
	struct world_config config = usual();

	(void)state;
	config.up.corrupt = config.down.corrupt = 20000;
	config.up.duplicate = config.down.duplicate = 100000;
	config.up.reorder = config.down.reorder = 100000;
	config.up.reorder_ns = config.down.reorder_ns = 7 * BASE_MS;
	config.up.loss = config.down.loss = 10000;
	begin(&config);
	run_with(mangle);
	end();
}

/* Short and random octets: no header at all, or just the beginning of one. */
static void
short_ones(uint32_t number)
{
	uint8_t octets[31];
	struct base_address from = somebody();

	base_random_fill(&noise, octets, sizeof(octets));
	world_inject(&world, octets, number % 31, &from);
}

static void
quic_endpoint_receive__datagrams_of_a_few_octets_are_dropped(void **state)
{
	struct world_config config = usual();
	uint32_t number;

	(void)state;
	begin(&config);
	number = run_with(short_ones);
	assert_true(world_counter(&world, WORLD_SERVER, "drop_malformed") > number / 2);
	assert_int_equal(world.strays, 0);
	end();
}

/* Short headers whose connection ID decodes: the live slot's, another generation's, a free slot's. */
static void
forge(uint32_t number)
{
	struct quic_conn_id_fields fields = {
		.slot = (uint32_t)base_random_below(&noise, 2),
		.sequence = (uint32_t)base_random_below(&noise, 12),
		.generation = (uint32_t)base_random_below(&noise, 2),
	};
	struct world_node *server = &world.nodes[WORLD_SERVER];
	struct quic_slot_owner owner;
	struct base_address from = somebody();
	uint8_t octets[1300];
	struct quic_cid cid;

	if (number % 2 == 0 && quic_slots_owner(&server->slots, fields.slot, &owner))
		fields.generation = owner.generation;
	base_random_fill(&noise, octets, sizeof(octets));
	octets[0] = (uint8_t)(0x40 | (octets[0] & 0x3f));
	quic_conn_id_encode(&server->codec, &fields, &cid);
	memcpy(octets + 1, cid.octets, cid.length);
	world_inject(&world, octets, 1 + base_random_below(&noise, sizeof(octets)), &from);
}

static void
quic_endpoint_receive__forged_short_headers_change_nothing(void **state)
{
	struct world_config config = usual();
	uint64_t seconds;

	(void)state;
	config.limits[WORLD_SERVER].resets_per_second = 10;
	begin(&config);
	run_with(forge);
	seconds = world.now_ns / BASE_SECOND;
	assert_true(world_counter(&world, WORLD_SERVER, "drop_not_authentic") > 10);
	assert_true(world_counter(&world, WORLD_SERVER, "drop_retired_id") > 10);
	assert_true(world_counter(&world, WORLD_SERVER, "drop_unknown_connection") > 10);
	/* RFC 9000 section 10.3.3: "An endpoint SHOULD limit the number of Stateless Reset packets it sends". */
	assert_in_range(world_counter(&world, WORLD_SERVER, "resets_sent"), 1, 10 * (seconds + 2));
	assert_true(world_counter(&world, WORLD_SERVER, "drop_limited") > 0);
	end();
}

/* Long headers of any version and connection ID, at times large enough to be answered. */
static void
strange_versions(uint32_t number)
{
	uint8_t octets[1252];
	struct base_address from = world_stranger(number % 3000);
	size_t length = number % 3 == 0 ? sizeof(octets) : 1 + base_random_below(&noise, 1199);

	base_random_fill(&noise, octets, sizeof(octets));
	octets[0] |= 0xc0;
	octets[1] |= 0x80;
	octets[5] = (uint8_t)(number % 256);
	world_inject(&world, octets, length, &from);
}

static void
quic_endpoint_receive__unknown_versions_are_answered_up_to_a_rate(void **state)
{
	struct world_config config = usual();
	uint64_t most;

	(void)state;
	config.limits[WORLD_SERVER].stateless_per_second = 50;
	begin(&config);
	run_with(strange_versions);
	most = 100 + 50 * (world.now_ns / BASE_SECOND + 1);
	assert_in_range(world_counter(&world, WORLD_SERVER, "version_negotiations_sent"), 10, most);
	/* RFC 9000 section 6.1: not for what could begin no connection. */
	assert_true(world_counter(&world, WORLD_SERVER, "drop_version") > 100);
	assert_true(world_counter(&world, WORLD_SERVER, "drop_limited") > 10);
	assert_in_range(world.strays, 1, most);
	end();
}

/* Long headers of version 1 for connections that there are not. */
static void
strange_ids(uint32_t number)
{
	uint8_t octets[1252];
	struct base_address from = somebody();

	base_random_fill(&noise, octets, sizeof(octets));
	octets[0] = (uint8_t)(0xc0 | (number % 4) << 4 | (octets[0] & 0x0f));
	memcpy(octets + 1, (const uint8_t[]){0, 0, 0, 1}, 4);
	octets[5] = (uint8_t)base_random_below(&noise, 22);
	world_inject(&world, octets, number % 2 == 0 ? sizeof(octets) : 20 + base_random_below(&noise, 1100),
		&from);
}

static void
quic_endpoint_receive__unknown_connection_ids_change_nothing(void **state)
{
	struct world_config config = usual();

	(void)state;
	begin(&config);
	run_with(strange_ids);
	assert_true(world_counter(&world, WORLD_SERVER, "drop_unknown_connection") > 20);
	assert_in_range(quic_endpoint_connections(world.nodes[WORLD_SERVER].endpoint), 1, 64);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quic_endpoint_receive__mangled_datagrams_change_nothing),
		cmocka_unit_test(quic_endpoint_receive__replayed_and_raced_datagrams_change_nothing),
		cmocka_unit_test(quic_endpoint_receive__a_bad_network_changes_nothing),
		cmocka_unit_test(quic_endpoint_receive__datagrams_of_a_few_octets_are_dropped),
		cmocka_unit_test(quic_endpoint_receive__forged_short_headers_change_nothing),
		cmocka_unit_test(quic_endpoint_receive__unknown_versions_are_answered_up_to_a_rate),
		cmocka_unit_test(quic_endpoint_receive__unknown_connection_ids_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
