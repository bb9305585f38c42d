/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/echo.h"

#include <string.h>

#include "service/udp_echo.h"
#include "site.h"

static void
service_echo__what_came_goes_back(void **state)
{
	struct site *site = site_open("echo");
	struct fake_stream *stream;

	site->quic->segment_bytes = 3;
	site_deliver(site, 0, "hello ", 6, false);
	site_deliver(site, 0, "world", 5, true);
	stream = fake_stream(site->quic, 0);
	assert_int_equal(stream->out_length, 11);
	assert_memory_equal(stream->out, "hello world", 11);
	assert_true(stream->out_fin);
	/* An end without octets. */
	site_deliver(site, 4, NULL, 0, true);
	assert_true(fake_stream(site->quic, 4)->out_fin);
	site_close(site);
}

static void
service_echo__consumes_only_what_it_can_write(void **state)
{
	struct site *site = site_open("echo");
	struct fake_stream *stream;

	site->quic->room_bytes = 4;
	site_deliver(site, 0, "hello world", 11, true);
	stream = fake_stream(site->quic, 0);
	assert_int_equal(stream->in_read, 4);
	assert_int_equal(stream->out_length, 4);
	site->quic->room_bytes = 8;
	site_event(site, QUIC_EVENT_STREAM_WRITABLE, 0);
	assert_int_equal(stream->in_read, 8);
	site->quic->room_bytes = 100;
	site_event(site, QUIC_EVENT_STREAM_WRITABLE, 0);
	assert_memory_equal(stream->out, "hello world", 11);
	assert_true(stream->out_fin);
	site_close(site);
}

static void
service_echo__datagrams(void **state)
{
	static const uint8_t octets[FAKE_DATAGRAM_BYTES + 1] = {1, 2, 3};
	struct site *site = site_open("echo");
	struct quic_event event = {
		.type = QUIC_EVENT_DATAGRAM, .conn = site->quic, .octets = octets, .length = 3};

	service_dispatch(&site->services, &event);
	assert_int_equal(site->quic->datagrams_sent, 1);
	assert_int_equal(site->quic->datagram_length, 3);
	assert_memory_equal(site->quic->datagram, octets, 3);
	event.length = sizeof(octets);
	service_dispatch(&site->services, &event);
	assert_int_equal(site->echo.counters[SERVICE_ECHO_DATAGRAMS_DROPPED], 1);
	site_close(site);
}

static void
service_udp_echo__answers_clients_only(void **state)
{
	struct base_datagram datagram = {
		.path = {.local = {.port = 7000}, .remote = {.port = 40000}}, .ecn = BASE_ECN_CE};
	struct base_path path = datagram.path;

	assert_true(service_udp_echo(&datagram));
	assert_true(base_path_equal(&datagram.path, &path));
	assert_int_equal(datagram.ecn, BASE_ECN_NOT_ECT);
	datagram.path.remote.port = 7;
	assert_false(service_udp_echo(&datagram));
	datagram.path.remote.port = 7000;
	assert_false(service_udp_echo(&datagram));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_echo__what_came_goes_back),
		cmocka_unit_test(service_echo__consumes_only_what_it_can_write),
		cmocka_unit_test(service_echo__datagrams),
		cmocka_unit_test(service_udp_echo__answers_clients_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
