/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A room of one shard, over the double of quic/conn.h; several shards are in tests/system. */
#include "service/chat.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "tests/http3/fake_quic.h"
#include "tests/support/cmocka_all.h"

enum { CLIENTS = 3, QUEUE = 256 };

struct fixture {
	struct service_set set;
	struct service_host host;
	struct service_chat chat;
	struct base_pool *conns, *members, *held;
	struct service_member *places[CLIENTS];
	struct quic_slots slots;
	_Alignas(64) uint8_t region[CLIENTS * 64];
	void *slot_memory, *bus_memory;
	struct quic_endpoint endpoint;
	struct quic_conn *quic[CLIENTS];
	size_t read[CLIENTS]; /* of what each was sent */
	struct service_post queue[QUEUE];
	uint32_t first, count, notices;
	bool full;
	uint64_t now_ns;
};

static enum service_posted
queue_post(void *with, struct service_post *post)
{
	struct fixture *f = with;

	if (post->shard == SERVICE_POST_MANAGER) {
		f->notices++;
		return SERVICE_POSTED;
	}
	if (f->full || f->count == QUEUE)
		return SERVICE_POST_FULL;
	f->queue[(f->first + f->count++) % QUEUE] = *post;
	return SERVICE_POSTED;
}

static void
settle(struct fixture *f)
{
	service_host_turn(&f->host, f->now_ns);
	while (f->count > 0) {
		struct service_post post = f->queue[f->first];

		f->first = (f->first + 1) % QUEUE;
		f->count--;
		service_host_deliver(&f->host,
			post.to.slot != BASE_SLOT_NONE ? f->endpoint.conns[post.to.slot] : NULL, &post);
	}
}

static void
event(struct fixture *f, int client, enum quic_event_type type)
{
	struct quic_event to_tell = fake_event(f->quic[client], type, 0);

	service_dispatch(&f->set, &to_tell);
}

static void
write_text(struct fixture *f, int client, const char *text)
{
	fake_deliver(f->quic[client], 0, text, strlen(text), false);
	event(f, client, QUIC_EVENT_STREAM_READABLE);
	settle(f);
}

static void
assert_reads(struct fixture *f, int client, const char *text)
{
	const struct fake_stream *stream = fake_stream(f->quic[client], 0);

	assert_true(stream->out_length >= f->read[client] + strlen(text));
	assert_memory_equal(stream->out + f->read[client], text, strlen(text));
	f->read[client] += strlen(text);
	assert_int_equal(stream->out_length, f->read[client]);
}

static int
setup(void **state)
{
	struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) & ~(size_t)63);
	struct quic_slots_config slots = {
		.count = CLIENTS, .slot_bytes = 64, .region_slots = CLIENTS, .shards = 1};
	struct service_host_config config = {.shards = 1,
		.limits = {.bus = {.topics = 2, .subscribers = 4, .topic_subscribers = 2},
			.posts_per_s = 10,
			.posts_burst = 4,
			.posts_per_turn = 64,
			.hold_ns = BASE_SECOND}};
	struct service_host_shard shard = {.shards = 1, .send = queue_post};

	memset(f, 0, sizeof(*f));
	f->now_ns = BASE_SECOND;
	slots.regions[0] = f->region;
	f->slot_memory = aligned_alloc(64, (quic_slots_memory_bytes(CLIENTS, 1) + 63) & ~(size_t)63);
	quic_slots_init(&f->slots, &slots, f->slot_memory);
	f->bus_memory = aligned_alloc(64, (service_bus_bytes(&config.limits.bus) + 63) & ~(size_t)63);
	f->members = base_pool_open(NULL, sizeof(struct service_member), CLIENTS);
	f->held = base_pool_open(NULL, sizeof(struct service_held), 16);
	f->conns = base_pool_open(NULL, service_chat_conn_bytes(), CLIENTS - 1);
	config.members = f->places;
	config.member_pool = f->members;
	config.held_pool = f->held;
	config.bus_memory = f->bus_memory;
	service_host_init(&f->host, &config, &f->set);
	shard.slots = &f->slots;
	shard.endpoint = &f->endpoint;
	shard.with = f;
	service_host_bind(&f->host, &shard);
	service_host_turn(&f->host, f->now_ns);
	service_chat_init(&f->chat, &f->host, f->conns);
	assert_int_equal(service_add(&f->set, &service_chat_ops, &f->chat), SERVICE_OK);
	for (int i = 0; i < CLIENTS; i++) {
		f->quic[i] = fake_open(true, "chat");
		f->quic[i]->handle = quic_slots_take(&f->slots, 0);
		quic_slots_publish(&f->slots, f->quic[i]->handle, 0);
		f->endpoint.conns[f->quic[i]->handle.slot] = f->quic[i];
	}
	for (int i = 0; i < CLIENTS - 1; i++)
		event(f, i, QUIC_EVENT_CONNECTED);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < CLIENTS; i++) {
		event(f, i, QUIC_EVENT_CLOSED);
		fake_close(f->quic[i]);
	}
	assert_int_equal(f->conns->in_use, 0);
	assert_int_equal(f->members->in_use, 0);
	assert_int_equal(f->held->in_use, 0);
	base_pool_close(f->conns);
	base_pool_close(f->members);
	base_pool_close(f->held);
	free(f->bus_memory);
	free(f->slot_memory);
	free(f);
	return 0;
}

static void
chat__who_is_in_a_room_hears_what_is_said(void **state)
{
	struct fixture *f = *state;

	write_text(f, 0, "/name ada\n/join kitchen\n");
	assert_reads(f, 0, "* you are ada\n* you are in kitchen\n");
	write_text(f, 1, "/join kitchen\nhello\n");
	assert_reads(f, 1, "* you are in kitchen\nguest-1: hello\n");
	assert_reads(f, 0, "guest-1: hello\n");
	write_text(f, 0, "how are ");
	write_text(f, 0, "you?\n\n");
	assert_reads(f, 1, "ada: how are you?\n");
	assert_reads(f, 0, "ada: how are you?\n");
	write_text(f, 1, "/leave\nanybody?\n");
	assert_reads(f, 1, "* you are in no room\n* you are in no room: /join ROOM first\n");
	write_text(f, 0, "gone\n");
	assert_reads(f, 0, "ada: gone\n");
	assert_reads(f, 1, "");
}

static void
chat__a_line_that_has_no_place_waits_with_all_behind_it(void **state)
{
	struct fixture *f = *state;

	write_text(f, 0, "/join kitchen\n");
	f->full = true;
	write_text(f, 0, "one\ntwo\n/leave\n");
	assert_reads(f, 0, "* you are in kitchen\n");
	assert_int_equal(f->chat.counters[SERVICE_CHAT_HELD_BACK], 2);
	f->full = false;
	settle(f);
	settle(f);
	/* It has left by itself before its own words were back. */
	assert_reads(f, 0, "* you are in no room\n");
	assert_int_equal(f->chat.counters[SERVICE_CHAT_SAID], 2);
}

static void
chat__is_held_to_a_rate(void **state)
{
	struct fixture *f = *state;

	write_text(f, 0, "/join kitchen\n1\n2\n3\n4\n5\n");
	assert_reads(f, 0, "* you are in kitchen\nguest-0: 1\nguest-0: 2\nguest-0: 3\n");
	f->now_ns += 100 * BASE_MS;
	settle(f);
	assert_reads(f, 0, "guest-0: 4\n");
	f->now_ns += 100 * BASE_MS;
	settle(f);
	assert_reads(f, 0, "guest-0: 5\n");
}

static void
chat__a_client_that_does_not_read_is_told_what_it_missed(void **state)
{
	struct fixture *f = *state;

	write_text(f, 0, "/join kitchen\n");
	f->read[0] = fake_stream(f->quic[0], 0)->out_length;
	f->quic[0]->room_bytes = f->read[0];
	write_text(f, 1, "/join kitchen\na\nb\n");
	assert_reads(f, 0, "");
	f->quic[0]->room_bytes = FAKE_STREAM_BYTES;
	write_text(f, 1, "c\n");
	assert_reads(f, 0, "* you have missed 2 lines\nguest-1: c\n");
	assert_int_equal(f->chat.counters[SERVICE_CHAT_MISSED], 2);
}

static void
chat__the_operator_hears_of_rooms_that_are_full(void **state)
{
	struct fixture *f = *state;

	write_text(f, 0, "/join a\n");
	write_text(f, 0, "/join b\n/join c\n");
	/* It went past the door of b. */
	assert_reads(f, 0, "* you are in a\n* you are in c\n");
	write_text(f, 1, "/join a\n");
	assert_reads(f, 1, "* you are in a\n");
	f->host.bus.limits.topics = 1;
	write_text(f, 1, "/join b\nhm\n");
	assert_reads(f, 1,
		"* there is no place for you in b; try again later\n* you are in no room: /join ROOM first\n");
	assert_int_equal(f->notices, 1);
}

static void
chat__the_end_of_the_stream_is_goodbye(void **state)
{
	struct fixture *f = *state;

	write_text(f, 0, "/join kitchen\n");
	write_text(f, 1, "/join kitchen\n");
	fake_deliver(f->quic[0], 0, "bye", 3, true);
	event(f, 0, QUIC_EVENT_STREAM_READABLE);
	settle(f);
	assert_true(fake_stream(f->quic[0], 0)->out_fin);
	assert_reads(f, 1, "* you are in kitchen\nguest-0: bye\n");
	/* One conversation for each connection. */
	fake_deliver(f->quic[1], 4, "x", 1, false);
	service_dispatch(&f->set,
		&(struct quic_event){.type = QUIC_EVENT_STREAM_READABLE, .conn = f->quic[1], .stream_id = 4});
	assert_int_equal(fake_stream(f->quic[1], 4)->stop_code, 0);
	assert_int_equal(fake_stream(f->quic[1], 4)->reset_code, 0);
}

static void
chat__without_memory_there_is_no_chat(void **state)
{
	struct fixture *f = *state;

	event(f, CLIENTS - 1, QUIC_EVENT_CONNECTED);
	assert_true(f->quic[CLIENTS - 1]->closed);
	assert_int_equal(f->chat.counters[SERVICE_CHAT_NO_MEMORY], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chat__who_is_in_a_room_hears_what_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(
			chat__a_line_that_has_no_place_waits_with_all_behind_it, setup, teardown),
		cmocka_unit_test_setup_teardown(chat__is_held_to_a_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(
			chat__a_client_that_does_not_read_is_told_what_it_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			chat__the_operator_hears_of_rooms_that_are_full, setup, teardown),
		cmocka_unit_test_setup_teardown(chat__the_end_of_the_stream_is_goodbye, setup, teardown),
		cmocka_unit_test_setup_teardown(chat__without_memory_there_is_no_chat, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
