/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/hq.h"

#include <string.h>

#include "base/assert.h"
#include "base/list.h"

enum { LINE_MAX_BYTES = FILE_PATH_MAX + 16 };

#define HQ_NO_ERROR UINT64_C(0)
#define HQ_NOT_FOUND UINT64_C(0x0404)
#define HQ_BAD_REQUEST UINT64_C(0x0400)

/* What is to be given back when the connection ends. */
struct hq_conn {
	struct base_list requests;
	uint32_t references;
};

/* A request line that has not come whole. */
struct hq_request {
	struct base_list link;
	uint16_t length;
	char line[LINE_MAX_BYTES];
};

static const char *const counter_names[SERVICE_HQ_COUNTERS] = {
	[SERVICE_HQ_REQUESTS] = "requests",
	[SERVICE_HQ_NOT_FOUND] = "not_found",
	[SERVICE_HQ_BAD] = "bad_requests",
	[SERVICE_HQ_NO_MEMORY] = "no_memory",
};

/*
 * In the user pointer of a stream that needs no object: answered, and answered with a reference that is not
 * released.
 */
static char answered, referenced;

uint32_t
service_hq_conn_bytes(void)
{
	return sizeof(struct hq_conn);
}

uint32_t
service_hq_request_bytes(void)
{
	return sizeof(struct hq_request);
}

void
service_hq_init(struct service_hq *hq, const struct file_set *set, struct base_pool *conns,
	struct base_pool *requests)
{
	base_assert(conns->element_bytes >= sizeof(struct hq_conn));
	base_assert(requests->element_bytes >= sizeof(struct hq_request));
	*hq = (struct service_hq){.use = {.set = set}, .conns = conns, .requests = requests};
}

static void
on_connected(void *instance, struct quic_conn *quic)
{
	struct service_hq *hq = instance;
	struct hq_conn *conn = base_pool_take(hq->conns);

	if (conn == NULL) {
		hq->counters[SERVICE_HQ_NO_MEMORY]++;
		quic_conn_close(quic, HQ_NO_ERROR, "no memory");
		return;
	}
	*conn = (struct hq_conn){0};
	base_list_init(&conn->requests);
	service_set_state(quic, conn);
}

static void
free_request(struct service_hq *hq, struct hq_request *request)
{
	base_list_remove(&request->link);
	base_pool_give(hq->requests, request);
}

static void
release(struct service_hq *hq, struct hq_conn *conn, uint32_t count)
{
	base_assert(count <= conn->references);
	conn->references -= count;
	hq->use.references -= count;
}

static void
refuse(struct quic_conn *quic, uint64_t stream_id, uint64_t error_code)
{
	quic_conn_stream_set_user(quic, stream_id, &answered);
	quic_conn_stream_stop(quic, stream_id, error_code);
	quic_conn_stream_reset(quic, stream_id, error_code);
}

/* The path of "GET /path", up to a blank; octets is NULL when the line is something else. */
static struct http3_text
path_of(const char *line, size_t length)
{
	struct http3_text path = {0};

	if (length < 5 || memcmp(line, "GET /", 5) != 0)
		return path;
	path.octets = line + 4;
	while (path.length < length - 4 && path.octets[path.length] != ' ' &&
		path.octets[path.length] != '\r')
		path.length++;
	return path;
}

static void
answer(struct service_hq *hq, const struct quic_event *event, const char *line, size_t length)
{
	struct hq_conn *conn = service_state(event->conn);
	struct http3_text path = path_of(line, length);
	const struct file *file;
	bool written;

	hq->counters[SERVICE_HQ_REQUESTS]++;
	if (path.octets == NULL) {
		hq->counters[SERVICE_HQ_BAD]++;
		refuse(event->conn, event->stream_id, HQ_BAD_REQUEST);
		return;
	}
	if (file_set_lookup(hq->use.set, path, &file) != FILE_FOUND) {
		hq->counters[SERVICE_HQ_NOT_FOUND]++;
		refuse(event->conn, event->stream_id, HQ_NOT_FOUND);
		return;
	}
	if (file->length == 0) {
		quic_conn_stream_set_user(event->conn, event->stream_id, &answered);
		quic_conn_stream_write(event->conn, event->stream_id, file->body, 0, true);
		return;
	}
	written = quic_conn_stream_write_static(
		event->conn, event->stream_id, file->body, file->length, true, 0);
	if (!written) {
		hq->counters[SERVICE_HQ_NO_MEMORY]++;
		refuse(event->conn, event->stream_id, HQ_NO_ERROR);
		return;
	}
	conn->references++;
	hq->use.references++;
	quic_conn_stream_set_user(event->conn, event->stream_id, &referenced);
}

/* Keeps the octets of a line that goes on. False when it is too long, or there is no memory for it. */
static bool
keep(struct service_hq *hq, const struct quic_event *event, struct hq_request **request,
	const uint8_t *octets, size_t length)
{
	struct hq_conn *conn = service_state(event->conn);

	if (*request == NULL) {
		*request = base_pool_take(hq->requests);
		if (*request == NULL) {
			hq->counters[SERVICE_HQ_NO_MEMORY]++;
			return false;
		}
		(*request)->length = 0;
		base_list_push_back(&conn->requests, &(*request)->link);
		quic_conn_stream_set_user(event->conn, event->stream_id, *request);
	}
	if (length > (size_t)(LINE_MAX_BYTES - (*request)->length)) {
		hq->counters[SERVICE_HQ_BAD]++;
		return false;
	}
	memcpy((*request)->line + (*request)->length, octets, length);
	(*request)->length += (uint16_t)length;
	return true;
}

/* The line ends here: with its last octets in place, or behind those that were kept. */
static void
end_line(struct service_hq *hq, const struct quic_event *event, struct hq_request *request,
	const uint8_t *octets, size_t length)
{
	if (request == NULL) {
		answer(hq, event, (const char *)octets, length);
		return;
	}
	if (keep(hq, event, &request, octets, length))
		answer(hq, event, request->line, request->length);
	else
		refuse(event->conn, event->stream_id, HQ_BAD_REQUEST);
	free_request(hq, request);
}

static void
drain(struct quic_conn *quic, uint64_t stream_id)
{
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	while (!fin && quic_conn_stream_read(quic, stream_id, &octets, &length, &fin))
		quic_conn_stream_consume(quic, stream_id, length);
}

static void
readable(struct service_hq *hq, const struct quic_event *event)
{
	struct hq_request *request = event->stream_user;
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	if (event->stream_user == &answered || event->stream_user == &referenced) {
		drain(event->conn, event->stream_id);
		return;
	}
	while (!fin && quic_conn_stream_read(event->conn, event->stream_id, &octets, &length, &fin)) {
		const uint8_t *newline = length > 0 ? memchr(octets, '\n', length) : NULL;

		if (newline != NULL || fin) {
			end_line(hq, event, request, octets,
				newline != NULL ? (size_t)(newline - octets) : length);
			drain(event->conn, event->stream_id);
			return;
		}
		if (!keep(hq, event, &request, octets, length)) {
			if (request != NULL)
				free_request(hq, request);
			refuse(event->conn, event->stream_id, HQ_BAD_REQUEST);
			return;
		}
		quic_conn_stream_consume(event->conn, event->stream_id, length);
	}
}

static void
on_event(void *instance, const struct quic_event *event)
{
	struct service_hq *hq = instance;
	struct hq_conn *conn = service_state(event->conn);
	bool has_object = event->stream_user != NULL && event->stream_user != &answered &&
		event->stream_user != &referenced;

	if (conn == NULL)
		return;
	switch (event->type) {
	case QUIC_EVENT_STREAM_READABLE:
		if ((event->stream_id & 2) != 0)
			quic_conn_stream_stop(event->conn, event->stream_id, HQ_NO_ERROR);
		else
			readable(hq, event);
		break;
	case QUIC_EVENT_STREAM_RESET:
		/* Half a request line will not be answered. */
		if ((event->stream_id & 2) == 0 && (event->stream_user == NULL || has_object))
			quic_conn_stream_reset(event->conn, event->stream_id, HQ_NO_ERROR);
		break;
	case QUIC_EVENT_STREAM_RELEASED:
		release(hq, conn, 1);
		quic_conn_stream_set_user(event->conn, event->stream_id, &answered);
		break;
	case QUIC_EVENT_STREAM_CLOSED:
		if (event->stream_user == &referenced)
			release(hq, conn, 1);
		else if (has_object)
			free_request(hq, event->stream_user);
		break;
	default:
		break;
	}
}

static void
on_closed(void *instance, const struct quic_event *event)
{
	struct service_hq *hq = instance;
	struct hq_conn *conn = service_state(event->conn);

	if (conn == NULL)
		return;
	while (!base_list_empty(&conn->requests))
		free_request(hq, base_container(conn->requests.next, struct hq_request, link));
	release(hq, conn, conn->references);
	base_pool_give(hq->conns, conn);
}

static struct base_counters
counters(void *instance)
{
	const struct service_hq *hq = instance;

	return (struct base_counters){.library = "hq",
		.names = counter_names,
		.values = hq->counters,
		.count = SERVICE_HQ_COUNTERS};
}

const struct service_ops service_hq_ops = {.name = "hq",
	.alpn = "hq-interop",
	.on_connected = on_connected,
	.on_event = on_event,
	.on_closed = on_closed,
	.counters = counters};
