/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http3/error.h"

/* Names and values in turn, up to a NULL. */
static uint64_t
check(struct http3_message *message, enum http3_message_kind kind, const char *const *list)
{
	static struct http3_field fields[16];
	uint16_t count = 0;

	for (; list[2 * count] != NULL; count++)
		fields[count] =
			(struct http3_field){http3_text(list[2 * count]), http3_text(list[2 * count + 1])};
	return http3_message_check(message, kind, fields, count);
}

#define REQUEST_IS(error, ...)                                                         \
	do {                                                                           \
		const char *const list[] = {__VA_ARGS__, NULL};                        \
		struct http3_message message;                                          \
		assert_int_equal(check(&message, HTTP3_MESSAGE_REQUEST, list), error); \
	} while (0)

#define USUAL ":method", "GET", ":scheme", "https", ":path", "/", ":authority", "a"

static void
http3_message_check__a_request(void **state)
{
	const char *const list[] = {USUAL, "content-length", "12", "priority", "u=1, i", "x", "y", NULL};
	struct http3_message message;

	assert_int_equal(check(&message, HTTP3_MESSAGE_REQUEST, list), 0);
	assert_true(http3_text_is(message.method, "GET"));
	assert_true(http3_text_is(message.scheme, "https"));
	assert_true(http3_text_is(message.path, "/"));
	assert_true(http3_text_is(message.authority, "a"));
	assert_true(message.has_content_length);
	assert_int_equal(message.content_length, 12);
	assert_int_equal(message.priority.urgency, 1);
	assert_true(http3_text_is(http3_message_find(&message, "x"), "y"));
	assert_null(http3_message_find(&message, "z").octets);
}

static void
http3_message_check__pseudo_header_fields(void **state)
{
	REQUEST_IS(0, USUAL);
	/* Missing, twice, late, unknown, of a response. */
	REQUEST_IS(HTTP3_MESSAGE_ERROR, ":scheme", "https", ":path", "/", ":authority", "a");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, ":method", "GET", ":path", "/", ":authority", "a");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, ":method", "GET", ":scheme", "https", ":authority", "a");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, ":path", "/");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, ":method", "GET", ":scheme", "https", ":path", "/", "x", "y",
		":authority", "a");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, ":new", "x");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, ":status", "200");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, ":protocol", "websocket");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, ":method", "GET", ":scheme", "https", ":path", "", ":authority", "a");
	REQUEST_IS(
		HTTP3_MESSAGE_ERROR, ":method", "GET", ":scheme", "https", ":path", "x", ":authority", "a");
	REQUEST_IS(
		HTTP3_MESSAGE_ERROR, ":method", "GET", ":scheme", "https", ":path", "*", ":authority", "a");
	REQUEST_IS(0, ":method", "OPTIONS", ":scheme", "https", ":path", "*", ":authority", "a");
}

static void
http3_message_check__authority_and_host(void **state)
{
	REQUEST_IS(0, ":method", "GET", ":scheme", "https", ":path", "/", "host", "a");
	REQUEST_IS(0, USUAL, "host", "a");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, "host", "b");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, ":method", "GET", ":scheme", "https", ":path", "/");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, ":method", "GET", ":scheme", "https", ":path", "/", ":authority", "");
	REQUEST_IS(
		HTTP3_MESSAGE_ERROR, ":method", "GET", ":scheme", "https", ":path", "/", ":authority", "u@a");
	REQUEST_IS(0, ":method", "CONNECT", ":authority", "a:443");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, ":method", "CONNECT", ":authority", "a:443", ":path", "/");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, ":method", "CONNECT");
}

static void
http3_message_check__regular_fields(void **state)
{
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, "Accept", "x");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, "x", "a\nb");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, "connection", "close");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, "te", "gzip");
	REQUEST_IS(0, USUAL, "te", "trailers");
	REQUEST_IS(0, USUAL, "content-length", "1", "content-length", "1");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, "content-length", "1", "content-length", "2");
	REQUEST_IS(HTTP3_MESSAGE_ERROR, USUAL, "content-length", "x");
}

static void
http3_message_check__responses_and_trailers(void **state)
{
	static const struct {
		enum http3_message_kind kind;
		const char *list[5];
		uint64_t error;
	} rows[] = {
		{HTTP3_MESSAGE_RESPONSE, {":status", "200", NULL}, 0},
		{HTTP3_MESSAGE_RESPONSE, {":status", "103", "x", "y", NULL}, 0},
		{HTTP3_MESSAGE_RESPONSE, {":status", "101", NULL}, HTTP3_MESSAGE_ERROR},
		{HTTP3_MESSAGE_RESPONSE, {":status", "20", NULL}, HTTP3_MESSAGE_ERROR},
		{HTTP3_MESSAGE_RESPONSE, {":status", "200", ":status", "200", NULL}, HTTP3_MESSAGE_ERROR},
		{HTTP3_MESSAGE_RESPONSE, {"x", "y", NULL}, HTTP3_MESSAGE_ERROR},
		{HTTP3_MESSAGE_RESPONSE, {":path", "/", NULL}, HTTP3_MESSAGE_ERROR},
		{HTTP3_MESSAGE_TRAILERS, {"x", "y", NULL}, 0},
		{HTTP3_MESSAGE_TRAILERS, {NULL}, 0},
		{HTTP3_MESSAGE_TRAILERS, {":status", "200", NULL}, HTTP3_MESSAGE_ERROR},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http3_message message;

		assert_int_equal(check(&message, rows[i].kind, rows[i].list), rows[i].error);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http3_message_check__a_request),
		cmocka_unit_test(http3_message_check__pseudo_header_fields),
		cmocka_unit_test(http3_message_check__authority_and_host),
		cmocka_unit_test(http3_message_check__regular_fields),
		cmocka_unit_test(http3_message_check__responses_and_trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
