/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What RFC 9114, 9204 and 9218 demand of whoever receives something wrong: the words, then the error code. */
#include "http3/error.h"

#include <string.h>

#include "tests/http3/harness.h"

/* A connection of ours whose peer has sent its SETTINGS. */
static struct harness *
opened(bool server)
{
	struct harness *harness = harness_open(server);

	harness_settings(harness);
	assert_false(harness->quic->closed);
	return harness;
}

static void
assert_closed(struct harness *harness, uint64_t error_code)
{
	assert_true(harness->quic->closed);
	assert_int_equal(harness->quic->close_code, error_code);
	harness_close(harness);
}

/* These octets on this stream close the connection with this code, also when they come one by one. */
static void
connection_error(
	bool server, uint64_t stream_id, const void *octets, size_t length, bool fin, uint64_t error_code)
{
	struct harness *harness = opened(server);

	harness_deliver(harness, stream_id, octets, length, fin);
	assert_closed(harness, error_code);
	harness = opened(server);
	for (size_t i = 0; i < length && !harness->quic->closed; i++)
		harness_deliver(harness, stream_id, (const uint8_t *)octets + i, 1, fin && i + 1 == length);
	assert_closed(harness, error_code);
}

/* As the first thing on a fresh stream (6, or 7 of a server). */
#define NEW_STREAM_ERROR(server, error_code, ...)                                                  \
	do {                                                                                       \
		const uint8_t sent[] = {__VA_ARGS__};                                              \
		connection_error(server, (server) ? 6 : 7, sent, sizeof(sent), false, error_code); \
	} while (0)

/* After SETTINGS on the control stream. */
#define CONTROL_ERROR(server, error_code, ...)                                                     \
	do {                                                                                       \
		const uint8_t sent[] = {__VA_ARGS__};                                              \
		connection_error(server, (server) ? 2 : 3, sent, sizeof(sent), false, error_code); \
	} while (0)

#define REQUEST_STREAM_ERROR(error_code, fin, ...)                              \
	do {                                                                    \
		const uint8_t sent[] = {__VA_ARGS__};                           \
		connection_error(true, 0, sent, sizeof(sent), fin, error_code); \
	} while (0)

/* These octets on stream 0 draw a stream error and leave the connection alone. */
static void
stream_error(const struct octets *octets, uint64_t error_code)
{
	struct harness *harness = opened(true);

	harness_deliver(harness, 0, octets->data, octets_length(octets), true);
	assert_false(harness->quic->closed);
	assert_int_equal(fake_stream(harness->quic, 0)->reset_code, error_code);
	harness_close(harness);
}

/*
 * "If the stream is closed at any point [the control stream], this MUST be treated as a connection error of
 * type H3_CLOSED_CRITICAL_STREAM" (RFC 9114 section 6.2.1; RFC 9204 section 4.2 for the other two).
 */
static void
section_6_2_1__critical_streams_stay_open(void **state)
{
	for (uint8_t type = 0; type <= 3; type++) {
		struct harness *harness;
		uint64_t id = type == 0 ? 2 : 6;

		if (type == HTTP3_STREAM_PUSH)
			continue;
		harness = opened(true);
		if (type != 0)
			harness_deliver(harness, id, &type, 1, false);
		harness_deliver(harness, id, NULL, 0, true);
		assert_closed(harness, HTTP3_CLOSED_CRITICAL_STREAM);

		harness = opened(true);
		if (type != 0)
			harness_deliver(harness, id, &type, 1, false);
		harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_RESET, id));
		assert_closed(harness, HTTP3_CLOSED_CRITICAL_STREAM);
	}
}

/* "the receiver MUST NOT request that the sender close the control stream" (section 6.2.1). */
static void
section_6_2_1__our_control_stream_is_not_stopped(void **state)
{
	struct harness *harness = opened(true);

	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_STOPPED, 3));
	assert_closed(harness, HTTP3_CLOSED_CRITICAL_STREAM);
}

/*
 * "Only one control stream per peer is permitted; receipt of a second stream claiming to be a control
 * stream MUST be treated as a connection error of type H3_STREAM_CREATION_ERROR" (section 6.2.1).
 */
static void
section_6_2_1__one_control_stream(void **state)
{
	NEW_STREAM_ERROR(true, HTTP3_STREAM_CREATION_ERROR, 0x00);
	NEW_STREAM_ERROR(false, HTTP3_STREAM_CREATION_ERROR, 0x00);
	/* The type in eight octets is the same type. */
	NEW_STREAM_ERROR(true, HTTP3_STREAM_CREATION_ERROR, 0xc0, 0, 0, 0, 0, 0, 0, 0);
}

/*
 * "If the first frame of the control stream is any other frame type, this MUST be treated as a connection
 * error of type H3_MISSING_SETTINGS" (section 6.2.1).
 */
static void
section_6_2_1__settings_first(void **state)
{
	struct harness *harness = harness_open(true);

	harness_deliver(harness, 2, "\x00\x07\x01\x00", 4, false);
	assert_closed(harness, HTTP3_MISSING_SETTINGS);
	harness = harness_open(true);
	harness_deliver(harness, 2, "\x00\x21\x00", 3, false);
	assert_closed(harness, HTTP3_MISSING_SETTINGS);
}

/*
 * "if a server receives a client-initiated push stream, this MUST be treated as a connection error of type
 * H3_STREAM_CREATION_ERROR" (section 6.2.2); "A client MUST treat receipt of a push stream as a connection
 * error of type H3_ID_ERROR when no MAX_PUSH_ID frame has been sent" (section 4.6).
 */
static void
section_6_2_2__no_push_streams(void **state)
{
	NEW_STREAM_ERROR(true, HTTP3_STREAM_CREATION_ERROR, 0x01);
	NEW_STREAM_ERROR(false, HTTP3_ID_ERROR, 0x01);
}

/*
 * "Recipients of unknown stream types MUST either abort reading of the stream or discard incoming data
 * without further processing […] the recipient MUST NOT consider unknown stream types to be a connection
 * error" (section 6.2).
 */
static void
section_6_2__unknown_streams_are_stopped(void **state)
{
	struct harness *harness = opened(true);

	harness_deliver(harness, 6, "\x21 anything", 10, false);
	assert_false(harness->quic->closed);
	assert_int_equal(fake_stream(harness->quic, 6)->stop_code, HTTP3_STREAM_CREATION_ERROR);
	/*
	 * "A receiver MUST tolerate unidirectional streams being closed or reset prior to the reception of
	 * the unidirectional stream header."
	 */
	harness_deliver(harness, 10, "\xc0", 1, false);
	harness_deliver(harness, 10, NULL, 0, true);
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_RESET, 14));
	assert_false(harness->quic->closed);
	harness_close(harness);
}

/*
 * "Clients MUST treat receipt of a server-initiated bidirectional stream as a connection error of type
 * H3_STREAM_CREATION_ERROR" (section 6.1).
 */
static void
section_6_1__no_bidirectional_streams_of_servers(void **state)
{
	connection_error(false, 1, "\x01", 1, false, HTTP3_STREAM_CREATION_ERROR);
}

/*
 * "Receipt of an invalid sequence of frames MUST be treated as a connection error of type
 * H3_FRAME_UNEXPECTED" (section 4.1).
 */
static void
section_4_1__order_of_frames(void **state)
{
	struct octets octets;

	REQUEST_STREAM_ERROR(HTTP3_FRAME_UNEXPECTED, false, HTTP3_FRAME_DATA, 1, 'x');
	octets_init(&octets);
	octets_headers(&octets, harness_get);
	octets_headers(&octets, (const char *const[]){"x", "y", NULL});
	octets_frame(&octets, HTTP3_FRAME_DATA, "x", 1);
	connection_error(true, 0, octets.data, octets_length(&octets), false, HTTP3_FRAME_UNEXPECTED);
	octets_init(&octets);
	octets_headers(&octets, harness_get);
	octets_headers(&octets, (const char *const[]){"x", "y", NULL});
	octets_headers(&octets, (const char *const[]){"x", "y", NULL});
	connection_error(true, 0, octets.data, octets_length(&octets), false, HTTP3_FRAME_UNEXPECTED);
}

/*
 * Sections 7.2.3 to 7.2.7, RFC 9218 section 7.2: frames of the control stream elsewhere, and those of
 * requests there, "MUST […] be treated as a connection error of type H3_FRAME_UNEXPECTED".
 */
static void
section_7_2__frames_on_the_wrong_stream(void **state)
{
	static const uint8_t on_request[] = {HTTP3_FRAME_CANCEL_PUSH, HTTP3_FRAME_SETTINGS,
		HTTP3_FRAME_PUSH_PROMISE, HTTP3_FRAME_GOAWAY, HTTP3_FRAME_MAX_PUSH_ID};
	static const uint8_t on_control[] = {HTTP3_FRAME_DATA, HTTP3_FRAME_HEADERS, HTTP3_FRAME_PUSH_PROMISE};

	for (size_t i = 0; i < sizeof(on_request); i++)
		REQUEST_STREAM_ERROR(HTTP3_FRAME_UNEXPECTED, false, on_request[i], 1, 0);
	REQUEST_STREAM_ERROR(HTTP3_FRAME_UNEXPECTED, false, 0x80, 0x0f, 0x07, 0x00, 1, 0);
	for (size_t i = 0; i < sizeof(on_control); i++)
		CONTROL_ERROR(true, HTTP3_FRAME_UNEXPECTED, on_control[i], 0);
	/* "a server MUST NOT send MAX_PUSH_ID" (7.2.7), nor PRIORITY_UPDATE. */
	CONTROL_ERROR(false, HTTP3_FRAME_UNEXPECTED, HTTP3_FRAME_MAX_PUSH_ID, 1, 0);
	CONTROL_ERROR(false, HTTP3_FRAME_UNEXPECTED, 0x80, 0x0f, 0x07, 0x00, 1, 0);
	/* "If an endpoint receives a second SETTINGS frame on the control stream" (7.2.4). */
	CONTROL_ERROR(true, HTTP3_FRAME_UNEXPECTED, HTTP3_FRAME_SETTINGS, 0);
}

/*
 * "Frame types that were used in HTTP/2 where there is no corresponding HTTP/3 frame type […] MUST be
 * treated as a connection error of type H3_FRAME_UNEXPECTED" (section 7.2.8).
 */
static void
section_7_2_8__frames_of_http2(void **state)
{
	static const uint8_t types[] = {0x02, 0x06, 0x08, 0x09};

	for (size_t i = 0; i < sizeof(types); i++) {
		REQUEST_STREAM_ERROR(HTTP3_FRAME_UNEXPECTED, false, types[i], 0);
		CONTROL_ERROR(true, HTTP3_FRAME_UNEXPECTED, types[i], 0);
	}
}

/* "their receipt MUST be treated as a connection error of type H3_SETTINGS_ERROR" (section 7.2.4.1). */
static void
section_7_2_4__settings(void **state)
{
	static const uint8_t wrong[][2] = {{0x02, 0}, {0x03, 0}, {0x04, 0}, {0x05, 0}, {0x08, 2}, {0x33, 2}};
	struct harness *harness;

	for (size_t i = 0; i < sizeof(wrong) / 2; i++) {
		const uint8_t sent[] = {0, HTTP3_FRAME_SETTINGS, 2, wrong[i][0], wrong[i][1]};

		harness = harness_open(true);
		harness_deliver(harness, 2, sent, sizeof(sent), false);
		assert_closed(harness, HTTP3_SETTINGS_ERROR);
	}
	/* Twice the same; and a reserved one that is ignored. */
	harness = harness_open(true);
	harness_deliver(harness, 2, "\x00\x04\x06\x21\x05\x06\x10\x06\x11", 9, false);
	assert_closed(harness, HTTP3_SETTINGS_ERROR);
}

/*
 * "A frame payload that contains additional bytes after the identified fields or a frame payload that
 * terminates before the end of the identified fields MUST be treated as a connection error of type
 * H3_FRAME_ERROR" (section 7.1).
 */
static void
section_7_1__payloads_of_the_wrong_length(void **state)
{
	struct harness *harness;

	CONTROL_ERROR(true, HTTP3_FRAME_ERROR, HTTP3_FRAME_GOAWAY, 0);
	CONTROL_ERROR(true, HTTP3_FRAME_ERROR, HTTP3_FRAME_GOAWAY, 1, 0x40);
	CONTROL_ERROR(true, HTTP3_FRAME_ERROR, HTTP3_FRAME_GOAWAY, 2, 0x00, 0x00);
	CONTROL_ERROR(true, HTTP3_FRAME_ERROR, HTTP3_FRAME_MAX_PUSH_ID, 2, 0x01, 0x00);
	CONTROL_ERROR(true, HTTP3_FRAME_ERROR, HTTP3_FRAME_CANCEL_PUSH, 0);
	CONTROL_ERROR(true, HTTP3_FRAME_ERROR, 0x80, 0x0f, 0x07, 0x00, 0);
	harness = harness_open(true);
	harness_deliver(harness, 2, "\x00\x04\x01\x06", 4, false);
	assert_closed(harness, HTTP3_FRAME_ERROR);
}

/*
 * "When a stream terminates cleanly, if the last frame on the stream was truncated, this MUST be treated as
 * a connection error of type H3_FRAME_ERROR" (section 7.1).
 */
static void
section_7_1__truncated_frames(void **state)
{
	struct octets octets;

	REQUEST_STREAM_ERROR(HTTP3_FRAME_ERROR, true, HTTP3_FRAME_HEADERS);
	REQUEST_STREAM_ERROR(HTTP3_FRAME_ERROR, true, HTTP3_FRAME_HEADERS, 5, 0x00);
	REQUEST_STREAM_ERROR(HTTP3_FRAME_ERROR, true, 0x21, 5, 'x');
	octets_init(&octets);
	octets_headers(&octets, harness_get);
	octets_frame(&octets, HTTP3_FRAME_DATA, "xyz", 3);
	connection_error(true, 0, octets.data, octets_length(&octets) - 1, true, HTTP3_FRAME_ERROR);
}

/*
 * Identifiers: sections 5.2, 7.2.3, 7.2.5, 7.2.7, RFC 9218 section 7.2, "connection error of type
 * H3_ID_ERROR".
 */
static void
section_5_2_and_7_2__identifiers(void **state)
{
	/* "A client that receives a GOAWAY frame containing a stream ID of any other type". */
	CONTROL_ERROR(false, HTTP3_ID_ERROR, HTTP3_FRAME_GOAWAY, 1, 0x03);
	/* "Receiving a GOAWAY containing a larger identifier than previously received". */
	CONTROL_ERROR(false, HTTP3_ID_ERROR, HTTP3_FRAME_GOAWAY, 1, 0x04, HTTP3_FRAME_GOAWAY, 1, 0x08);
	/* "A MAX_PUSH_ID frame cannot reduce the maximum Push ID". */
	CONTROL_ERROR(true, HTTP3_ID_ERROR, HTTP3_FRAME_MAX_PUSH_ID, 1, 5, HTTP3_FRAME_MAX_PUSH_ID, 1, 4);
	/* "a CANCEL_PUSH frame for a Push ID that has not yet been mentioned by a PUSH_PROMISE frame". */
	CONTROL_ERROR(true, HTTP3_ID_ERROR, HTTP3_FRAME_CANCEL_PUSH, 1, 0);
	CONTROL_ERROR(false, HTTP3_ID_ERROR, HTTP3_FRAME_CANCEL_PUSH, 1, 0);
	/* PRIORITY_UPDATE of what is no request stream, or of a push. */
	CONTROL_ERROR(true, HTTP3_ID_ERROR, 0x80, 0x0f, 0x07, 0x00, 1, 0x02);
	CONTROL_ERROR(true, HTTP3_ID_ERROR, 0x80, 0x0f, 0x07, 0x01, 1, 0x00);
}

/*
 * "A client MUST treat receipt of a PUSH_PROMISE frame that contains a larger Push ID than the client has
 * advertised as a connection error of H3_ID_ERROR" (section 7.2.5).
 */
static void
section_7_2_5__no_promises(void **state)
{
	struct harness *harness = opened(false);
	struct http3_field fields[4];

	for (int i = 0; i < 4; i++)
		fields[i] = (struct http3_field){
			http3_text(harness_get[2 * i]), http3_text(harness_get[2 * i + 1])};
	assert_non_null(http3_request_open(harness->conn, fields, 4, true));
	harness_deliver(harness, 0, "\x05\x03\x00\x00\x00", 5, false);
	assert_closed(harness, HTTP3_ID_ERROR);
}

/*
 * "Malformed requests or responses that are detected MUST be treated as a stream error of type
 * H3_MESSAGE_ERROR" (section 4.1.2).
 */
static void
section_4_1_2__malformed_messages(void **state)
{
	static const char *const requests[][14] = {
		{":method", "GET", ":scheme", "https", ":authority", "a", NULL},
		{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "connection", "close",
			NULL},
		{":method", "GET", ":scheme", "https", ":authority", "a", "x", "y", ":path", "/", NULL},
		{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "x", "a\nb", NULL},
		{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "content-length", "1",
			NULL},
	};
	static const char *const of_three[] = {":method", "POST", ":scheme", "https", ":authority", "a",
		":path", "/", "content-length", "3", NULL};
	struct octets octets;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		octets_init(&octets);
		octets_headers(&octets, requests[i]);
		stream_error(&octets, HTTP3_MESSAGE_ERROR);
	}
	/* Content-Length that is not the sum of the DATA frames. */
	for (size_t sent = 0; sent <= 5; sent++) {
		octets_init(&octets);
		octets_headers(&octets, of_three);
		octets_frame(&octets, HTTP3_FRAME_DATA, "x", 1);
		octets_frame(&octets, HTTP3_FRAME_DATA, "yyyyy", sent);
		stream_error(&octets, sent == 2 ? FAKE_NO_CODE : HTTP3_MESSAGE_ERROR);
	}
	/* Pseudo-header fields in trailers (section 4.3). */
	octets_init(&octets);
	octets_headers(&octets, harness_get);
	octets_headers(&octets, (const char *const[]){":path", "/", NULL});
	stream_error(&octets, HTTP3_MESSAGE_ERROR);
}

/*
 * "A request or response containing uppercase characters in field names MUST be treated as malformed"
 * (section 4.2).
 */
static void
section_4_2__lower_case(void **state)
{
	/* ":method: GET", ":scheme: https", ":path: /" indexed, then literals: ":authority: a", "A: b". */
	static const uint8_t sent[] = {
		HTTP3_FRAME_HEADERS, 12, 0, 0, 0xd1, 0xd7, 0xc1, 0x50, 1, 'a', 0x21, 'A', 1, 'b'};
	struct octets octets;

	octets_init(&octets);
	base_writer_octets(&octets.writer, sent, sizeof(sent));
	stream_error(&octets, HTTP3_MESSAGE_ERROR);
	octets.data[11] = 'a';
	stream_error(&octets, FAKE_NO_CODE);
}

/*
 * "If […] the stream ends before […] a complete request, the server SHOULD abort its response stream with
 * the error code H3_REQUEST_INCOMPLETE" (section 4.1).
 */
static void
section_4_1__incomplete_requests(void **state)
{
	struct octets octets;

	octets_init(&octets);
	stream_error(&octets, HTTP3_REQUEST_INCOMPLETE);
	octets_frame(&octets, 0x21, "x", 1);
	stream_error(&octets, HTTP3_REQUEST_INCOMPLETE);
}

/*
 * RFC 9204 section 2.2.3: "it MUST treat this as a connection error of type QPACK_DECOMPRESSION_FAILED";
 * sections 4.3 and 4.4 for the two streams.
 */
static void
rfc9204__qpack_errors(void **state)
{
	REQUEST_STREAM_ERROR(HTTP3_QPACK_DECOMPRESSION_FAILED, false, HTTP3_FRAME_HEADERS, 0);
	REQUEST_STREAM_ERROR(
		HTTP3_QPACK_DECOMPRESSION_FAILED, false, HTTP3_FRAME_HEADERS, 3, 0x02, 0x00, 0x80);
	NEW_STREAM_ERROR(true, HTTP3_QPACK_ENCODER_STREAM_ERROR, 0x02, 0x3f, 0x01);
	NEW_STREAM_ERROR(true, HTTP3_QPACK_ENCODER_STREAM_ERROR, 0x02, 0xc0, 0x00);
	NEW_STREAM_ERROR(true, HTTP3_QPACK_DECODER_STREAM_ERROR, 0x03, 0x80);
	NEW_STREAM_ERROR(true, HTTP3_QPACK_DECODER_STREAM_ERROR, 0x03, 0x01);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(section_6_2_1__critical_streams_stay_open),
		cmocka_unit_test(section_6_2_1__our_control_stream_is_not_stopped),
		cmocka_unit_test(section_6_2_1__one_control_stream),
		cmocka_unit_test(section_6_2_1__settings_first),
		cmocka_unit_test(section_6_2_2__no_push_streams),
		cmocka_unit_test(section_6_2__unknown_streams_are_stopped),
		cmocka_unit_test(section_6_1__no_bidirectional_streams_of_servers),
		cmocka_unit_test(section_4_1__order_of_frames),
		cmocka_unit_test(section_7_2__frames_on_the_wrong_stream),
		cmocka_unit_test(section_7_2_8__frames_of_http2),
		cmocka_unit_test(section_7_2_4__settings),
		cmocka_unit_test(section_7_1__payloads_of_the_wrong_length),
		cmocka_unit_test(section_7_1__truncated_frames),
		cmocka_unit_test(section_5_2_and_7_2__identifiers),
		cmocka_unit_test(section_7_2_5__no_promises),
		cmocka_unit_test(section_4_1_2__malformed_messages),
		cmocka_unit_test(section_4_2__lower_case),
		cmocka_unit_test(section_4_1__incomplete_requests),
		cmocka_unit_test(rfc9204__qpack_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
