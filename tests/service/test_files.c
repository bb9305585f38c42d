/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/files.h"

#include <stdlib.h>
#include <string.h>

#include "site.h"

/* What came back: read by the client of lib/http3, so both ends are ours but two of a kind. */
static struct harness *
ask(struct site *site, uint64_t stream_id, const char *const *request)
{
	struct harness *client = harness_open(false);
	struct http3_field fields[16];
	struct fake_stream *stream;
	struct octets octets;
	uint16_t count = 0;

	octets_init(&octets);
	octets_headers(&octets, request);
	site_deliver(site, stream_id, octets.data, octets_length(&octets), true);
	assert_false(site->quic->closed);
	for (; request[2 * count] != NULL; count++)
		fields[count] = (struct http3_field){
			http3_text(request[2 * count]), http3_text(request[2 * count + 1])};
	assert_non_null(http3_request_open(client->conn, fields, count, true));
	stream = fake_stream(site->quic, stream_id);
	harness_settings(client);
	harness_deliver(client, 0, stream->out, stream->out_length, stream->out_fin);
	assert_false(client->quic->closed);
	return client;
}

static void
assert_answer(const char *const *request, uint16_t status, const void *body, size_t length)
{
	struct site *site = site_open("h3");
	struct harness *client = ask(site, 0, request);

	assert_int_equal(client->status, status);
	assert_non_null(harness_told(client, HTTP3_EVENT_END));
	assert_int_equal(client->body_length, length);
	if (length > 0)
		assert_memory_equal(client->body, body, length);
	harness_close(client);
	site_close(site);
}

#define GET(path) ":method", "GET", ":scheme", "https", ":authority", "a", ":path", path
#define ANSWER(status, body, length, ...)                          \
	do {                                                       \
		const char *const request[] = {__VA_ARGS__, NULL}; \
		assert_answer(request, status, body, length);      \
	} while (0)

static void
service_files__get_and_head(void **state)
{
	ANSWER(200, SITE_INDEX, sizeof(SITE_INDEX) - 1, GET("/"));
	ANSWER(200, SITE_INDEX, sizeof(SITE_INDEX) - 1, GET("/index.html?q"));
	ANSWER(200, "", 0, GET("/empty.txt"));
	ANSWER(200, "", 0, ":method", "HEAD", ":scheme", "https", ":authority", "a", ":path", "/");
}

static void
service_files__errors(void **state)
{
	ANSWER(404, "404 Not Found\n", 14, GET("/nothing"));
	ANSWER(404, "", 0, ":method", "HEAD", ":scheme", "https", ":authority", "a", ":path", "/nothing");
	ANSWER(400, "400 Bad Request\n", 16, GET("/../etc/passwd"));
	ANSWER(405, "405 Method Not Allowed\n", 23, ":method", "PUT", ":scheme", "https", ":authority", "a",
		":path", "/");
}

static void
service_files__conditions(void **state)
{
	struct site *site = site_open("h3");
	char etag[FILE_ETAG_BYTES + 1] = {0};

	memcpy(etag, file_set_find(site->set, http3_text("/index.html"))->etag, FILE_ETAG_BYTES);
	site_close(site);
	ANSWER(304, "", 0, GET("/"), "if-none-match", etag);
	ANSWER(304, "", 0, GET("/"), "if-none-match", "*");
	ANSWER(200, SITE_INDEX, 13, GET("/"), "if-none-match", "\"other\"");
	ANSWER(206, "<p>", 3, GET("/"), "range", "bytes=0-2", "if-range", etag);
	ANSWER(200, SITE_INDEX, 13, GET("/"), "range", "bytes=0-2", "if-range", "\"other\"");
}

static void
service_files__ranges(void **state)
{
	ANSWER(206, "<p>", 3, GET("/"), "range", "bytes=0-2");
	ANSWER(206, "p>\n", 3, GET("/"), "range", "bytes=-3");
	ANSWER(416, "", 0, GET("/"), "range", "bytes=13-");
	ANSWER(416, "", 0, GET("/empty.txt"), "range", "bytes=0-");
	ANSWER(200, SITE_INDEX, 13, GET("/"), "range", "bytes=0-1,3-4");
}

static void
service_files__a_whole_file_is_one_reference(void **state)
{
	static const char *const request[] = {GET("/dir/big.bin"), NULL};
	struct site *site = site_open("h3");
	struct octets octets;

	octets_init(&octets);
	octets_headers(&octets, request);
	site_deliver(site, 0, octets.data, octets_length(&octets), true);
	assert_int_equal(fake_stream(site->quic, 0)->references, 1);
	assert_int_equal(site->files.use.references, 1);
	site_event(site, QUIC_EVENT_STREAM_RELEASED, 0);
	assert_int_equal(site->files.use.references, 0);
	site_event(site, QUIC_EVENT_STREAM_CLOSED, 0);
	/* And one that the connection's end gives back: site_close() looks. */
	site_deliver(site, 4, octets.data, octets_length(&octets), true);
	assert_int_equal(site->files.use.references, 1);
	site_close(site);
}

static void
service_files__a_head_that_is_cut_short_goes_on(void **state)
{
	static const char *const request[] = {GET("/"), "range", "bytes=3-7", NULL};
	struct site *site = site_open("h3");
	struct fake_stream *stream = fake_stream(site->quic, 0);
	struct harness *client;

	/* A little more room each time. */
	site->quic->room_bytes = 1;
	client = ask(site, 0, request);
	assert_false(stream->out_fin);
	while (!stream->out_fin) {
		size_t had = stream->out_length;

		site->quic->room_bytes += 5;
		site_event(site, QUIC_EVENT_STREAM_WRITABLE, 0);
		if (stream->out_length > had)
			harness_deliver(
				client, 0, stream->out + had, stream->out_length - had, stream->out_fin);
	}
	assert_int_equal(client->status, 206);
	assert_int_equal(client->body_length, 5);
	assert_memory_equal(client->body, "hello", 5);
	harness_close(client);
	site_close(site);
}

static void
service_files__no_place_for_a_reference_resets(void **state)
{
	static const char *const request[] = {GET("/"), NULL};
	struct site *site = site_open("h3");
	struct octets octets;

	octets_init(&octets);
	octets_headers(&octets, request);
	site->quic->references_max = 0;
	site_deliver(site, 0, octets.data, octets_length(&octets), true);
	assert_int_equal(fake_stream(site->quic, 0)->reset_code, HTTP3_INTERNAL_ERROR);
	assert_int_equal(site->files.counters[SERVICE_FILES_NO_ROOM], 1);
	site_close(site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_files__get_and_head),
		cmocka_unit_test(service_files__errors),
		cmocka_unit_test(service_files__conditions),
		cmocka_unit_test(service_files__ranges),
		cmocka_unit_test(service_files__a_whole_file_is_one_reference),
		cmocka_unit_test(service_files__a_head_that_is_cut_short_goes_on),
		cmocka_unit_test(service_files__no_place_for_a_reference_resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
