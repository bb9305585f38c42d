/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/http3.h"

#include <string.h>

#include "base/assert.h"
#include "http3/conn.h"

static const char *const counter_names[HTTP3_COUNTERS] = {
	[HTTP3_CONNECTIONS] = "connections",
	[HTTP3_REQUESTS] = "requests",
	[HTTP3_RESPONSES] = "responses",
	[HTTP3_CONNECTION_ERRORS] = "connection_errors",
	[HTTP3_STREAM_ERRORS] = "stream_errors",
	[HTTP3_REJECTED] = "requests_rejected",
	[HTTP3_TOO_LARGE] = "field_sections_too_large",
	[HTTP3_BODIES_STOPPED] = "bodies_stopped",
	[HTTP3_NO_CONN] = "no_memory_connection",
	[HTTP3_NO_REQUEST] = "no_memory_request",
	[HTTP3_NO_SECTION] = "no_memory_field_section",
};

static struct http3_limits
with_defaults(const struct http3_limits *limits)
{
	struct http3_limits full = *limits;

	if (full.section_bytes == 0)
		full.section_bytes = 16384;
	if (full.discard_bytes == 0)
		full.discard_bytes = 65536;
	if (full.sections == 0)
		full.sections = 16;
	return full;
}

static size_t
round_to_line(size_t bytes)
{
	return (bytes + 63) & ~(size_t)63;
}

uint32_t
http3_pool_bytes(enum http3_pool pool, const struct http3_limits *limits)
{
	switch (pool) {
	case HTTP3_POOL_CONN:
		return sizeof(struct http3_conn);
	case HTTP3_POOL_REQUEST:
		return sizeof(struct http3_request);
	case HTTP3_POOL_SECTION:
		return with_defaults(limits).section_bytes;
	default:
		base_assert(false);
		return 0;
	}
}

size_t
http3_bytes(const struct http3_limits *limits)
{
	return round_to_line(sizeof(struct http3)) + http3_qpack_bytes(with_defaults(limits).section_bytes);
}

/* What every control stream of ours begins with. */
static void
write_opening(struct http3 *http3)
{
	struct base_writer writer = base_writer(http3->opening, sizeof(http3->opening));
	const struct http3_limits *limits = &http3->config.limits;

	base_writer_varint(&writer, HTTP3_STREAM_CONTROL);
	http3_settings_write(&writer, limits->section_bytes, limits->grease);
	if (limits->grease != 0)
		/* A reserved frame (RFC 9114 section 7.2.8), empty. */
		http3_frame_header_write(&writer, http3_grease(limits->grease % 997), 0);
	base_assert(base_writer_ok(&writer));
	http3->opening_length = (uint8_t)base_writer_length(&writer);
}

static void
write_too_large(struct http3 *http3)
{
	const struct http3_field fields[] = {
		{http3_text(":status"), http3_text("431")},
		{http3_text("content-length"), http3_text("0")},
	};
	struct base_writer writer = base_writer(http3->too_large, sizeof(http3->too_large));

	http3_qpack_encode_headers(http3->qpack, &writer, fields, 2);
	base_assert(base_writer_ok(&writer));
	http3->too_large_length = (uint8_t)base_writer_length(&writer);
}

struct http3 *
http3_open(void *memory, const struct http3_config *config)
{
	struct http3 *http3 = memory;

	memset(http3, 0, sizeof(*http3));
	http3->config = *config;
	http3->config.limits = with_defaults(&config->limits);
	for (int i = 0; i < HTTP3_POOL_COUNT; i++) {
		base_assert(config->pools[i] != NULL);
		base_assert(config->pools[i]->element_bytes >=
			http3_pool_bytes((enum http3_pool)i, &http3->config.limits));
	}
	http3->qpack = http3_qpack_open(
		(uint8_t *)memory + round_to_line(sizeof(*http3)), http3->config.limits.section_bytes);
	base_list_init(&http3->conns);
	base_list_init(&http3->ready);
	write_opening(http3);
	write_too_large(http3);
	return http3;
}

struct http3_qpack *
http3_qpack(struct http3 *http3)
{
	return http3->qpack;
}

struct base_counters
http3_counters(const struct http3 *http3)
{
	return (struct base_counters){.library = "http3",
		.names = counter_names,
		.values = http3->counters,
		.count = HTTP3_COUNTERS};
}

void
http3_goaway(struct http3 *http3)
{
	struct base_list *link = http3->conns.next;

	while (link != &http3->conns) {
		struct http3_conn *conn = base_container(link, struct http3_conn, link);

		link = link->next;
		http3_conn_goaway(conn);
	}
}

/* The rest of a closed connection, when all its requests have been told. */
static void
free_closed(struct http3 *http3)
{
	struct http3_conn *conn = http3->closed;

	if (conn == NULL)
		return;
	base_assert(base_list_empty(&conn->requests));
	http3->closed = NULL;
	base_list_remove(&conn->link);
	base_pool_give(http3->config.pools[HTTP3_POOL_CONN], conn);
}

bool
http3_next_event(struct http3 *http3, struct http3_event *event)
{
	if (http3->finished != NULL) {
		struct http3_request *request = http3->finished;

		http3->finished = NULL;
		http3_request_free(request);
	}
	if (http3->goaway_from != NULL) {
		struct http3_conn *conn = http3->goaway_from;

		http3->goaway_from = NULL;
		*event = (struct http3_event){
			.type = HTTP3_EVENT_GOAWAY, .conn = conn, .error_code = conn->goaway_received};
		return true;
	}
	while (!base_list_empty(&http3->ready)) {
		struct http3_request *request =
			base_container(http3->ready.next, struct http3_request, ready);

		if (http3_request_next_event(request, event))
			return true;
	}
	free_closed(http3);
	return false;
}
