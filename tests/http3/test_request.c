/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests and connections that go well; what peers do wrong is in tests/conformance/test_http3.c. */
#include "http3/error.h"

#include <string.h>

#include "harness.h"

static const char *const post[] = {":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/up",
	"content-length", "10", "x", "y", NULL};
static const char *const trailers[] = {"x", "trailer", NULL};

static void
http3_request__a_get_in_any_cut(void **state)
{
	struct octets octets;

	octets_init(&octets);
	octets_headers(&octets, harness_get);
	for (size_t segment = 1; segment <= octets_length(&octets); segment++) {
		struct harness *harness = harness_open(true);

		harness->quic->segment_bytes = segment;
		harness_settings(harness);
		/* First half of it, then the rest and the end. */
		harness_deliver(harness, 0, octets.data, octets_length(&octets) / 2, false);
		assert_null(harness_told(harness, HTTP3_EVENT_REQUEST));
		harness_deliver(harness, 0, octets.data + octets_length(&octets) / 2,
			octets_length(&octets) - octets_length(&octets) / 2, true);
		assert_int_equal(harness->count, 2);
		assert_int_equal(harness->events[0].type, HTTP3_EVENT_REQUEST);
		assert_int_equal(harness->events[1].type, HTTP3_EVENT_END);
		assert_string_equal(harness->path, "/");
		assert_int_equal(harness->pools[HTTP3_POOL_SECTION]->in_use, 0);
		harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_CLOSED, 0));
		assert_int_equal(harness->events[2].type, HTTP3_EVENT_CLOSED);
		assert_int_equal(harness->pools[HTTP3_POOL_REQUEST]->in_use, 0);
		harness_close(harness);
	}
}

static void
http3_handle__opens_the_control_stream_once_there_is_memory(void **state)
{
	struct harness *harness = harness_open(true);
	struct quic_conn *quic = fake_open(true, "h3");
	struct http3_conn *conn = http3_conn_open(harness->http3, quic);
	struct quic_event event = fake_event(quic, QUIC_EVENT_CONNECTED, 0);
	struct http3_event told;

	quic->opens_short = 2;
	http3_handle(harness->http3, conn, &event);
	assert_int_equal(quic->opened[false], 0);
	/* Any event will do. */
	for (int i = 0; i < 3; i++) {
		event = fake_event(quic, QUIC_EVENT_DATAGRAM, 0);
		http3_handle(harness->http3, conn, &event);
	}
	assert_int_equal(quic->opened[false], 1);
	assert_true(fake_stream(quic, 3)->out_length > 0);
	assert_false(quic->closed);
	event = fake_event(quic, QUIC_EVENT_CLOSED, 0);
	http3_handle(harness->http3, conn, &event);
	assert_false(http3_next_event(harness->http3, &told));
	fake_close(quic);
	harness_close(harness);
}

/* RFC 9114 section 10.5: the beginnings of many field sections are excessive load, of those that are too many. */
static void
http3_request__sections_in_pieces_are_bounded(void **state)
{
	struct harness *harness = harness_open(true);
	struct octets octets;
	size_t half;

	octets_init(&octets);
	octets_headers(&octets, harness_get);
	half = octets_length(&octets) / 2;
	harness_settings(harness);
	for (uint64_t i = 0; i <= HARNESS_SECTIONS; i++)
		harness_deliver(harness, 4 * i, octets.data, half, false);
	assert_int_equal(harness->pools[HTTP3_POOL_SECTION]->in_use, HARNESS_SECTIONS);
	assert_int_equal(fake_stream(harness->quic, 4 * HARNESS_SECTIONS)->reset_code, HTTP3_EXCESSIVE_LOAD);
	/* The others go on, and make room. */
	for (uint64_t i = 0; i < HARNESS_SECTIONS; i++)
		harness_deliver(harness, 4 * i, octets.data + half, octets_length(&octets) - half, true);
	assert_int_equal(harness->count, 2 * HARNESS_SECTIONS);
	assert_int_equal(harness->pools[HTTP3_POOL_SECTION]->in_use, 0);
	harness_deliver(harness, 100, octets.data, half, false);
	assert_int_equal(fake_stream(harness->quic, 100)->reset_code, FAKE_NO_CODE);
	assert_false(harness->quic->closed);
	harness_close(harness);
}

static void
http3_request__body_and_trailers_in_any_cut(void **state)
{
	struct octets octets;

	octets_init(&octets);
	octets_headers(&octets, post);
	octets_frame(&octets, HTTP3_FRAME_DATA, "01234", 5);
	octets_frame(&octets, http3_grease(3), "whatever", 8);
	octets_frame(&octets, HTTP3_FRAME_DATA, NULL, 0);
	octets_frame(&octets, HTTP3_FRAME_DATA, "56789", 5);
	octets_headers(&octets, trailers);
	octets_frame(&octets, http3_grease(4), NULL, 0);
	for (size_t cut = 0; cut <= octets_length(&octets); cut++) {
		struct harness *harness = harness_open(true);

		harness->quic->segment_bytes = 1 + cut % 7;
		harness_deliver(harness, 4, octets.data, cut, false);
		harness_deliver(harness, 4, octets.data + cut, octets_length(&octets) - cut, true);
		assert_false(harness->quic->closed);
		assert_non_null(harness_told(harness, HTTP3_EVENT_TRAILERS));
		assert_non_null(harness_told(harness, HTTP3_EVENT_END));
		assert_int_equal(harness->body_length, 10);
		assert_memory_equal(harness->body, "0123456789", 10);
		assert_string_equal(harness->field, "trailer");
		harness_close(harness);
	}
}

static void
http3_request_consume__what_is_left_comes_again(void **state)
{
	struct harness *harness = harness_open(true);
	const struct http3_event *body;
	struct octets octets;

	octets_init(&octets);
	octets_headers(&octets, post);
	octets_frame(&octets, HTTP3_FRAME_DATA, "0123456789", 10);
	harness->leave_body = true;
	harness_deliver(harness, 0, octets.data, octets_length(&octets), true);
	assert_int_equal(harness->count, 2);
	body = harness_told(harness, HTTP3_EVENT_BODY);
	assert_int_equal(body->length, 10);
	/* Nothing is told again by itself. */
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_WRITABLE, 0));
	assert_int_equal(harness->count, 3);
	http3_request_consume(body->request, 4);
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAMS_ALLOWED, 0));
	body = harness_told(harness, HTTP3_EVENT_BODY);
	assert_int_equal(body->length, 6);
	harness->leave_body = false;
	http3_request_resume(body->request);
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAMS_ALLOWED, 0));
	assert_int_equal(harness->body_length, 6);
	assert_memory_equal(harness->body, "456789", 6);
	assert_non_null(harness_told(harness, HTTP3_EVENT_END));
	harness_close(harness);
}

static void
http3_request_discard__stops_a_body_that_is_too_long(void **state)
{
	static const char *const long_post[] = {
		":method", "POST", ":scheme", "https", ":authority", "a", ":path", "/", NULL};
	struct harness *harness = harness_open(true);
	static uint8_t zeros[600];
	struct octets octets;

	octets_init(&octets);
	octets_headers(&octets, long_post);
	octets_frame(&octets, HTTP3_FRAME_DATA, zeros, sizeof(zeros));
	harness->leave_body = true;
	harness_deliver(harness, 0, octets.data, octets_length(&octets), false);
	http3_request_discard(harness_told(harness, HTTP3_EVENT_REQUEST)->request);
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAMS_ALLOWED, 0));
	assert_int_equal(fake_stream(harness->quic, 0)->stop_code, FAKE_NO_CODE);
	octets_init(&octets);
	octets_frame(&octets, HTTP3_FRAME_DATA, zeros, sizeof(zeros));
	harness_deliver(harness, 0, octets.data, octets_length(&octets), false);
	assert_int_equal(fake_stream(harness->quic, 0)->stop_code, HTTP3_NO_ERROR);
	assert_int_equal(fake_stream(harness->quic, 0)->reset_code, FAKE_NO_CODE);
	harness_close(harness);
}

static void
http3_request_write_static__all_are_released_in_the_end(void **state)
{
	struct harness *harness = harness_open(true);
	struct http3_request *request;
	struct octets octets;

	octets_init(&octets);
	octets_headers(&octets, harness_get);
	harness_deliver(harness, 0, octets.data, octets_length(&octets), true);
	request = harness_told(harness, HTTP3_EVENT_REQUEST)->request;
	for (int i = 0; i < 3; i++)
		assert_true(http3_request_write_static(request, (const uint8_t *)"x", 1, i == 2));
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_RELEASED, 0));
	assert_int_equal(harness_told(harness, HTTP3_EVENT_RELEASED)->count, 1);
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_CLOSED, 0));
	assert_int_equal(harness_told(harness, HTTP3_EVENT_RELEASED)->count, 2);
	assert_int_equal(harness->events[harness->count - 1].type, HTTP3_EVENT_CLOSED);
	harness_close(harness);
}

static void
http3_request__priority_of_the_field_and_of_the_frame(void **state)
{
	static const char *const urgent[] = {":method", "GET", ":scheme", "https", ":authority", "a", ":path",
		"/", "priority", "u=1, i", NULL};
	/* PRIORITY_UPDATE of stream 8, before it and after it. */
	static const uint8_t early[] = {0x80, 0x0f, 0x07, 0x00, 4, 8, 'u', '=', '6'};
	static const uint8_t late[] = {0x80, 0x0f, 0x07, 0x00, 4, 8, 'u', '=', '2'};
	struct harness *harness = harness_open(true);
	struct octets octets;

	octets_init(&octets);
	octets_headers(&octets, urgent);
	harness_settings(harness);
	harness_deliver(harness, 4, octets.data, octets_length(&octets), true);
	assert_int_equal(fake_stream(harness->quic, 4)->urgency, 1);
	assert_true(fake_stream(harness->quic, 4)->incremental);
	for (size_t i = 0; i < sizeof(early); i++)
		harness_deliver(harness, 2, early + i, 1, false);
	harness_deliver(harness, 8, octets.data, octets_length(&octets), true);
	assert_int_equal(fake_stream(harness->quic, 8)->urgency, 6);
	harness_deliver(harness, 2, late, sizeof(late), false);
	assert_int_equal(fake_stream(harness->quic, 8)->urgency, 2);
	assert_false(harness->quic->closed);
	harness_close(harness);
}

static void
http3_request__a_section_above_the_limit_is_answered(void **state)
{
	struct harness *harness = harness_open(true);
	uint8_t header[8];
	struct base_writer writer = base_writer(header, sizeof(header));

	http3_frame_header_write(&writer, HTTP3_FRAME_HEADERS, HARNESS_SECTION_BYTES + 1);
	harness_deliver(harness, 0, header, base_writer_length(&writer), false);
	assert_int_equal(harness->count, 0);
	assert_false(harness->quic->closed);
	assert_int_equal(fake_stream(harness->quic, 0)->stop_code, HTTP3_NO_ERROR);
	assert_true(fake_stream(harness->quic, 0)->out_fin);
	harness_close(harness);
}

static void
http3_request__empty_pools_reject(void **state)
{
	struct harness *harness = harness_open(true);
	void *taken[16];
	struct octets octets;

	octets_init(&octets);
	octets_headers(&octets, harness_get);
	for (int i = 0; i < 16; i++)
		taken[i] = base_pool_take(harness->pools[HTTP3_POOL_REQUEST]);
	harness_deliver(harness, 0, octets.data, octets_length(&octets), true);
	assert_int_equal(fake_stream(harness->quic, 0)->reset_code, HTTP3_REQUEST_REJECTED);
	/* What comes later on that stream changes nothing. */
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_READABLE, 0));
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_RESET, 0));
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_CLOSED, 0));
	for (int i = 0; i < 16; i++)
		base_pool_give(harness->pools[HTTP3_POOL_REQUEST], taken[i]);
	assert_int_equal(harness->count, 0);
	harness_close(harness);
}

static void
http3_conn_open__control_stream_and_settings(void **state)
{
	struct harness *harness = harness_open(true);
	struct fake_stream *control = fake_stream(harness->quic, 3);

	assert_true(control->out_length > 3);
	assert_int_equal(control->out[0], HTTP3_STREAM_CONTROL);
	assert_int_equal(control->out[1], HTTP3_FRAME_SETTINGS);
	assert_false(control->out_fin);
	harness_close(harness);
}

static void
http3_conn_goaway__finishes_what_has_begun(void **state)
{
	struct harness *harness = harness_open(true);
	struct fake_stream *control = fake_stream(harness->quic, 3);
	struct octets octets;
	size_t before = control->out_length;
	struct quic_event released;

	octets_init(&octets);
	octets_headers(&octets, harness_get);
	harness_deliver(harness, 0, octets.data, octets_length(&octets), true);
	http3_goaway(harness->http3);
	assert_int_equal(control->out_length, before + 3);
	assert_memory_equal(control->out + before, "\x07\x01\x04", 3);
	harness_deliver(harness, 4, octets.data, octets_length(&octets), true);
	assert_int_equal(fake_stream(harness->quic, 4)->reset_code, HTTP3_REQUEST_REJECTED);
	released = fake_event(harness->quic, QUIC_EVENT_STREAM_RELEASED, 3);
	released.cookie = control->cookies[1];
	harness_event(harness, released);
	assert_false(harness->quic->closed);
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_CLOSED, 0));
	assert_true(harness->quic->closed);
	assert_int_equal(harness->quic->close_code, HTTP3_NO_ERROR);
	harness_close(harness);
}

static void
http3_request_open__a_client_gets_its_response(void **state)
{
	static const char *const early[] = {":status", "103", "x", "hint", NULL};
	static const char *const ok[] = {":status", "200", "content-length", "2", NULL};
	struct http3_field fields[4];
	struct harness *client = harness_open(false);
	struct harness *server = harness_open(true);
	struct octets octets;
	struct fake_stream *stream;

	for (int i = 0; i < 4; i++)
		fields[i] = (struct http3_field){
			http3_text(harness_get[2 * i]), http3_text(harness_get[2 * i + 1])};
	assert_non_null(http3_request_open(client->conn, fields, 4, true));
	stream = fake_stream(client->quic, 0);
	assert_true(stream->out_fin);
	harness_deliver(server, 0, stream->out, stream->out_length, true);
	assert_string_equal(server->method, "GET");

	octets_init(&octets);
	octets_headers(&octets, early);
	octets_headers(&octets, ok);
	octets_frame(&octets, HTTP3_FRAME_DATA, "hi", 2);
	harness_settings(client);
	harness_deliver(client, 0, octets.data, octets_length(&octets), true);
	assert_int_equal(client->status, 200);
	assert_int_equal(client->body_length, 2);
	assert_int_equal(client->events[client->count - 1].type, HTTP3_EVENT_END);
	/* GOAWAY, and no more. */
	harness_deliver(client, 3, "\x07\x01\x04", 3, false);
	assert_non_null(harness_told(client, HTTP3_EVENT_GOAWAY));
	assert_null(http3_request_open(client->conn, fields, 4, true));
	harness_close(client);
	harness_close(server);
}

static void
http3_conn_detach__and_attach_elsewhere(void **state)
{
	struct harness *harness = harness_open(true);
	struct octets octets;

	octets_init(&octets);
	octets_headers(&octets, harness_get);
	harness_deliver(harness, 0, octets.data, 5, false);
	http3_conn_detach(harness->conn);
	http3_conn_attach(harness->http3, harness->conn);
	harness_deliver(harness, 0, octets.data + 5, octets_length(&octets) - 5, true);
	assert_non_null(harness_told(harness, HTTP3_EVENT_REQUEST));
	harness_close(harness);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http3_request__a_get_in_any_cut),
		cmocka_unit_test(http3_handle__opens_the_control_stream_once_there_is_memory),
		cmocka_unit_test(http3_request__sections_in_pieces_are_bounded),
		cmocka_unit_test(http3_request__body_and_trailers_in_any_cut),
		cmocka_unit_test(http3_request_consume__what_is_left_comes_again),
		cmocka_unit_test(http3_request_discard__stops_a_body_that_is_too_long),
		cmocka_unit_test(http3_request_write_static__all_are_released_in_the_end),
		cmocka_unit_test(http3_request__priority_of_the_field_and_of_the_frame),
		cmocka_unit_test(http3_request__a_section_above_the_limit_is_answered),
		cmocka_unit_test(http3_request__empty_pools_reject),
		cmocka_unit_test(http3_conn_open__control_stream_and_settings),
		cmocka_unit_test(http3_conn_goaway__finishes_what_has_begun),
		cmocka_unit_test(http3_request_open__a_client_gets_its_response),
		cmocka_unit_test(http3_conn_detach__and_attach_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
