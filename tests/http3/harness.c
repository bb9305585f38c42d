/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

const char *const harness_get[] = {
	":method", "GET", ":scheme", "https", ":authority", "example.com", ":path", "/", NULL};

struct harness *
harness_open(bool server)
{
	struct harness *harness = calloc(1, sizeof(*harness));
	struct http3_config config = {.limits = {.section_bytes = HARNESS_SECTION_BYTES,
					      .discard_bytes = 1000,
					      .sections = HARNESS_SECTIONS,
					      .grease = 7}};

	for (int i = 0; i < HTTP3_POOL_COUNT; i++) {
		harness->pools[i] =
			base_pool_open(NULL, http3_pool_bytes((enum http3_pool)i, &config.limits), 16);
		config.pools[i] = harness->pools[i];
	}
	harness->memory = aligned_alloc(64, http3_bytes(&config.limits));
	harness->http3 = http3_open(harness->memory, &config);
	harness->quic = fake_open(server, "h3");
	harness->conn = http3_conn_open(harness->http3, harness->quic);
	assert_non_null(harness->conn);
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_CONNECTED, 0));
	return harness;
}

void
harness_close(struct harness *harness)
{
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_CLOSED, 0));
	for (int i = 0; i < HTTP3_POOL_COUNT; i++) {
		assert_int_equal(harness->pools[i]->in_use, 0);
		base_pool_close(harness->pools[i]);
	}
	fake_close(harness->quic);
	free(harness->memory);
	free(harness);
}

static void
copy(char *to, size_t room, struct http3_text text)
{
	size_t length = text.length < room - 1 ? text.length : room - 1;

	if (length > 0)
		memcpy(to, text.octets, length);
	to[length] = 0;
}

static void
note(struct harness *harness, const struct http3_event *event)
{
	assert_true(harness->count < HARNESS_EVENTS);
	harness->events[harness->count++] = *event;
	switch (event->type) {
	case HTTP3_EVENT_REQUEST:
	case HTTP3_EVENT_RESPONSE:
	case HTTP3_EVENT_TRAILERS:
		copy(harness->method, sizeof(harness->method), event->message.method);
		copy(harness->path, sizeof(harness->path), event->message.path);
		copy(harness->field, sizeof(harness->field), http3_message_find(&event->message, "x"));
		harness->status = event->message.status;
		harness->priority = event->message.priority;
		break;
	case HTTP3_EVENT_BODY:
		if (harness->leave_body)
			break;
		assert_true(harness->body_length + event->length <= HARNESS_BODY_BYTES);
		memcpy(harness->body + harness->body_length, event->octets, event->length);
		harness->body_length += event->length;
		http3_request_consume(event->request, event->length);
		break;
	default:
		break;
	}
}

void
harness_event(struct harness *harness, struct quic_event event)
{
	struct http3_event told;

	http3_handle(harness->http3, harness->conn, &event);
	while (http3_next_event(harness->http3, &told))
		note(harness, &told);
}

void
harness_deliver(struct harness *harness, uint64_t stream_id, const void *octets, size_t length, bool fin)
{
	fake_deliver(harness->quic, stream_id, octets, length, fin);
	harness_event(harness, fake_event(harness->quic, QUIC_EVENT_STREAM_READABLE, stream_id));
}

const struct http3_event *
harness_told(const struct harness *harness, enum http3_event_type type)
{
	for (size_t i = harness->count; i > 0; i--) {
		if (harness->events[i - 1].type == type)
			return &harness->events[i - 1];
	}
	return NULL;
}

void
octets_init(struct octets *octets)
{
	octets->writer = base_writer(octets->data, sizeof(octets->data));
}

void
octets_headers(struct octets *octets, const char *const *fields)
{
	struct http3_field list[32];
	void *memory = aligned_alloc(64, http3_qpack_bytes(HARNESS_SECTION_BYTES));
	uint16_t count = 0;

	for (; fields[2 * count] != NULL; count++)
		list[count] = (struct http3_field){
			.name = http3_text(fields[2 * count]), .value = http3_text(fields[2 * count + 1])};
	http3_qpack_encode_headers(
		http3_qpack_open(memory, HARNESS_SECTION_BYTES), &octets->writer, list, count);
	assert_true(base_writer_ok(&octets->writer));
	free(memory);
}

void
octets_frame(struct octets *octets, uint64_t type, const void *payload, size_t length)
{
	http3_frame_header_write(&octets->writer, type, length);
	base_writer_octets(&octets->writer, payload, length);
	assert_true(base_writer_ok(&octets->writer));
}

void
harness_settings(struct harness *harness)
{
	static const uint8_t opening[] = {HTTP3_STREAM_CONTROL, HTTP3_FRAME_SETTINGS, 0};

	harness_deliver(harness, harness->quic->server ? 2 : 3, opening, sizeof(opening), false);
}
