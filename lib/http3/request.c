/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A request stream (RFC 9114 section 4): its frames read in place, its events, and what the application
 * writes to it.
 */
#include "http3/conn.h"

#include <string.h>

#include "base/assert.h"

/* What a step of reading came to. */
enum step {
	STEP_AGAIN, /* there may be more */
	STEP_EVENT, /* the event is filled in */
	STEP_WAIT   /* nothing more now */
};

struct view {
	const uint8_t *octets;
	size_t length;
	bool fin;
};

/* ---- life ---- */

struct http3_request *
http3_request_new(struct http3_conn *conn, uint64_t stream_id)
{
	struct http3 *http3 = conn->http3;
	struct http3_request *request = base_pool_take(http3->config.pools[HTTP3_POOL_REQUEST]);

	if (request == NULL) {
		http3->counters[HTTP3_NO_REQUEST]++;
		return NULL;
	}
	*request = (struct http3_request){.conn = conn, .stream_id = stream_id};
	base_list_init(&request->ready);
	base_list_push_back(&conn->requests, &request->link);
	if (!quic_conn_stream_set_user(conn->quic, stream_id, request)) {
		http3_request_free(request);
		return NULL;
	}
	if (stream_id >= conn->next_request_id)
		conn->next_request_id = stream_id + 4;
	return request;
}

static void
free_section(struct http3_request *request)
{
	if (request->section == NULL)
		return;
	base_pool_give(request->conn->http3->config.pools[HTTP3_POOL_SECTION], request->section);
	request->section = NULL;
	request->conn->sections--;
}

/* A connection has its share and no more: the beginnings of many sections must not keep those of others waiting. */
static bool
take_section_buffer(struct http3_request *request)
{
	struct http3 *http3 = request->conn->http3;

	if (request->conn->sections < http3->config.limits.sections)
		request->section = base_pool_take(http3->config.pools[HTTP3_POOL_SECTION]);
	request->section_have = 0;
	if (request->section == NULL) {
		http3->counters[HTTP3_NO_SECTION]++;
		return false;
	}
	request->conn->sections++;
	return true;
}

void
http3_request_free(struct http3_request *request)
{
	struct http3_conn *conn = request->conn;

	free_section(request);
	base_list_remove(&request->ready);
	base_list_remove(&request->link);
	base_pool_give(conn->http3->config.pools[HTTP3_POOL_REQUEST], request);
	http3_conn_close_if_done(conn);
}

void
http3_request_pend(struct http3_request *request, uint8_t pending)
{
	request->pending |= pending;
	if (base_list_empty(&request->ready))
		base_list_push_back(&request->conn->http3->ready, &request->ready);
}

static void
abandon(struct http3_request *request, uint64_t error_code)
{
	struct quic_conn *quic = request->conn->quic;

	request->state = HTTP3_READ_NOTHING;
	free_section(request);
	if (!request->ended)
		quic_conn_stream_stop(quic, request->stream_id, error_code);
	quic_conn_stream_reset(quic, request->stream_id, error_code);
}

void
http3_request_fail(struct http3_request *request, uint64_t error_code)
{
	request->conn->http3->counters[HTTP3_STREAM_ERRORS]++;
	abandon(request, error_code);
	request->aborted_code = error_code;
	if (request->announced)
		http3_request_pend(request, HTTP3_PENDING_ABORTED);
}

/* ---- reading ---- */

static void
take(struct http3_request *request, const struct view *view, size_t length)
{
	base_assert(length <= view->length);
	quic_conn_stream_consume(request->conn->quic, request->stream_id, length);
	if (length == view->length && view->fin)
		request->ended = true;
}

static enum step
connection_error(struct http3_request *request, uint64_t error_code)
{
	request->state = HTTP3_READ_NOTHING;
	http3_conn_fail(request->conn, error_code, NULL);
	return STEP_WAIT;
}

static enum step
stream_error(struct http3_request *request, uint64_t error_code)
{
	http3_request_fail(request, error_code);
	return STEP_WAIT;
}

/*
 * Section 4.2.2: a server that does not take a section says so with a 431, and needs the rest of the
 * request no more.
 */
static enum step
too_large(struct http3_request *request)
{
	struct http3 *http3 = request->conn->http3;

	http3->counters[HTTP3_TOO_LARGE]++;
	if (!request->conn->server || request->announced)
		return stream_error(request, HTTP3_EXCESSIVE_LOAD);
	free_section(request);
	request->state = HTTP3_READ_NOTHING;
	if (!http3_request_write_static(request, http3->too_large, http3->too_large_length, true))
		return stream_error(request, HTTP3_EXCESSIVE_LOAD);
	quic_conn_stream_stop(request->conn->quic, request->stream_id, HTTP3_NO_ERROR);
	return STEP_WAIT;
}

static enum step
tell_message(struct http3_request *request, struct http3_event *event)
{
	struct http3_conn *conn = request->conn;
	struct http3_message *message = &event->message;

	event->type = message->kind == HTTP3_MESSAGE_REQUEST ? HTTP3_EVENT_REQUEST
		: message->kind == HTTP3_MESSAGE_RESPONSE    ? HTTP3_EVENT_RESPONSE
							     : HTTP3_EVENT_TRAILERS;
	if (message->kind == HTTP3_MESSAGE_TRAILERS) {
		request->phase = HTTP3_AFTER_TRAILERS;
		return STEP_EVENT;
	}
	request->announced = true;
	/* An interim response (1xx) is followed by another. */
	if (message->kind == HTTP3_MESSAGE_RESPONSE && message->status < 200)
		return STEP_EVENT;
	request->phase = HTTP3_IN_BODY;
	request->has_content_length = message->has_content_length;
	request->content_length = message->content_length;
	if (message->kind == HTTP3_MESSAGE_RESPONSE) {
		conn->http3->counters[HTTP3_RESPONSES]++;
		if (message->status == 204 || message->status == 304)
			request->head_only = true;
		return STEP_EVENT;
	}
	conn->http3->counters[HTTP3_REQUESTS]++;
	/* RFC 9218 section 7: a PRIORITY_UPDATE overrides the field. */
	if (conn->hint_id == request->stream_id)
		message->priority = conn->hint;
	quic_conn_stream_set_priority(
		conn->quic, request->stream_id, message->priority.urgency, message->priority.incremental);
	return STEP_EVENT;
}

static enum step
take_section(struct http3_request *request, const uint8_t *section, size_t length, struct http3_event *event)
{
	enum http3_message_kind kind = request->phase == HTTP3_IN_BODY ? HTTP3_MESSAGE_TRAILERS
		: request->conn->server                                ? HTTP3_MESSAGE_REQUEST
								       : HTTP3_MESSAGE_RESPONSE;
	const struct http3_field *fields;
	uint64_t error;
	uint16_t count;

	request->state = HTTP3_READ_FRAME;
	switch (http3_qpack_decode(request->conn->http3->qpack, section, length, &fields, &count)) {
	case HTTP3_QPACK_OK:
		break;
	case HTTP3_QPACK_TOO_LARGE:
		return too_large(request);
	default:
		return connection_error(request, HTTP3_QPACK_DECOMPRESSION_FAILED);
	}
	error = http3_message_check(&event->message, kind, fields, count);
	return error != 0 ? stream_error(request, error) : tell_message(request, event);
}

/* A HEADERS payload: in place when all of it is there, else gathered in a buffer. */
static enum step
read_section(struct http3_request *request, const struct view *view, struct http3_event *event)
{
	struct http3 *http3 = request->conn->http3;
	size_t length = view->length < request->frame_left ? view->length : (size_t)request->frame_left;
	enum step step;

	if (request->section == NULL && length == request->frame_left) {
		/*
		 * The fields are the decoder's, so the octets may go at once, and must before the stream is
		 * reset.
		 */
		step = take_section(request, view->octets, length, event);
		request->frame_left = 0;
		take(request, view, length);
		return step;
	}
	if (request->section == NULL && !take_section_buffer(request))
		return stream_error(request,
			request->conn->sections < http3->config.limits.sections ? HTTP3_REQUEST_REJECTED
										: HTTP3_EXCESSIVE_LOAD);
	memcpy(request->section + request->section_have, view->octets, length);
	request->section_have += (uint32_t)length;
	request->frame_left -= length;
	take(request, view, length);
	if (request->frame_left > 0)
		return STEP_AGAIN;
	step = take_section(request, request->section, request->section_have, event);
	free_section(request);
	return step;
}

static enum step
begin_headers(struct http3_request *request, uint64_t length, struct http3_event *event)
{
	if (request->phase == HTTP3_AFTER_TRAILERS)
		return connection_error(request, HTTP3_FRAME_UNEXPECTED);
	if (length > request->conn->http3->config.limits.section_bytes)
		return too_large(request);
	/* An empty payload has not even the prefix of a section; the decoder says so. */
	if (length == 0)
		return take_section(request, request->pair.octets, 0, event);
	request->state = HTTP3_READ_SECTION;
	return STEP_AGAIN;
}

static enum step
begin_data(struct http3_request *request, uint64_t length)
{
	if (request->phase != HTTP3_IN_BODY)
		return connection_error(request, HTTP3_FRAME_UNEXPECTED);
	/*
	 * Section 4.1.2: more than content-length says. body_bytes never exceeds it, so this does not wrap.
	 */
	if (request->has_content_length && length > request->content_length - request->body_bytes)
		return stream_error(request, HTTP3_MESSAGE_ERROR);
	if (length > 0)
		request->state = HTTP3_READ_BODY;
	return STEP_AGAIN;
}

static enum step
read_frame(struct http3_request *request, const struct view *view, struct http3_event *event)
{
	uint64_t type, length, error;
	bool complete;
	size_t taken = http3_pair_read(&request->pair, view->octets, view->length, &complete, &type, &length);

	take(request, view, taken);
	if (!complete)
		return STEP_AGAIN;
	error = http3_frame_check_request(type, request->conn->server);
	if (error != 0)
		return connection_error(request, error);
	request->frame_left = length;
	switch (type) {
	case HTTP3_FRAME_HEADERS:
		return begin_headers(request, length, event);
	case HTTP3_FRAME_DATA:
		return begin_data(request, length);
	case HTTP3_FRAME_PUSH_PROMISE:
		/* Only a client comes here; it allowed no push (section 7.2.5). */
		return connection_error(request, HTTP3_ID_ERROR);
	default:
		if (length > 0)
			request->state = HTTP3_READ_SKIP;
		return STEP_AGAIN;
	}
}

static void
take_body(struct http3_request *request, size_t length)
{
	request->frame_left -= length;
	request->body_bytes += length;
	if (request->frame_left == 0)
		request->state = HTTP3_READ_FRAME;
}

static enum step
discard_body(struct http3_request *request, const struct view *view, size_t length)
{
	struct http3 *http3 = request->conn->http3;

	take(request, view, length);
	take_body(request, length);
	if (length <= http3->config.limits.discard_bytes - request->discarded) {
		request->discarded += (uint32_t)length;
		return STEP_AGAIN;
	}
	/* Section 4.1: the response does not depend on what is still to come. */
	http3->counters[HTTP3_BODIES_STOPPED]++;
	request->state = HTTP3_READ_NOTHING;
	if (!request->ended)
		quic_conn_stream_stop(request->conn->quic, request->stream_id, HTTP3_NO_ERROR);
	return STEP_AGAIN;
}

static enum step
read_body(struct http3_request *request, const struct view *view, struct http3_event *event)
{
	size_t length = view->length < request->frame_left ? view->length : (size_t)request->frame_left;

	if (request->discarding)
		return discard_body(request, view, length);
	/* Offered before and not taken: it waits for new octets or for http3_request_resume(). */
	if (request->body_offered)
		return STEP_WAIT;
	request->body_offered = true;
	request->offered = view->length;
	request->offered_end = view->fin;
	event->type = HTTP3_EVENT_BODY;
	event->octets = view->octets;
	event->length = length;
	return STEP_EVENT;
}

static enum step
skip(struct http3_request *request, const struct view *view)
{
	size_t length = view->length < request->frame_left ? view->length : (size_t)request->frame_left;

	request->frame_left -= length;
	if (request->frame_left == 0)
		request->state = HTTP3_READ_FRAME;
	take(request, view, length);
	return STEP_AGAIN;
}

/* The peer's part has been read to its end. */
static enum step
at_end(struct http3_request *request, struct http3_event *event)
{
	bool server = request->conn->server;
	bool short_body = request->has_content_length && request->body_bytes != request->content_length;

	if (request->end_told || request->state == HTTP3_READ_NOTHING)
		return STEP_WAIT;
	/* Section 7.1: a frame that the end cuts off. */
	if (request->state != HTTP3_READ_FRAME || request->pair.have > 0)
		return connection_error(request, HTTP3_FRAME_ERROR);
	if (request->phase == HTTP3_BEFORE_HEADERS)
		return stream_error(request, server ? HTTP3_REQUEST_INCOMPLETE : HTTP3_MESSAGE_ERROR);
	if (short_body && !(request->head_only && request->body_bytes == 0))
		return stream_error(request, HTTP3_MESSAGE_ERROR);
	request->end_told = true;
	event->type = HTTP3_EVENT_END;
	return STEP_EVENT;
}

static enum step
read_step(struct http3_request *request, struct http3_event *event)
{
	struct view view = {0};

	if (request->ended)
		return at_end(request, event);
	if (request->conn->failed ||
		!quic_conn_stream_read(
			request->conn->quic, request->stream_id, &view.octets, &view.length, &view.fin))
		return STEP_WAIT;
	if (view.length == 0) {
		take(request, &view, 0);
		return view.fin ? STEP_AGAIN : STEP_WAIT;
	}
	switch ((enum http3_read_state)request->state) {
	case HTTP3_READ_FRAME:
		return read_frame(request, &view, event);
	case HTTP3_READ_SECTION:
		return read_section(request, &view, event);
	case HTTP3_READ_BODY:
		return read_body(request, &view, event);
	case HTTP3_READ_SKIP:
		return skip(request, &view);
	case HTTP3_READ_NOTHING:
		break;
	}
	take(request, &view, view.length);
	return STEP_AGAIN;
}

/* ---- events ---- */

static bool
take_pending(struct http3_request *request, uint8_t pending)
{
	bool is = (request->pending & pending) != 0;

	request->pending &= (uint8_t)~pending;
	return is;
}

static bool
tell_closed(struct http3_request *request, struct http3_event *event)
{
	bool announced = request->announced;

	/* All that is still referenced is released with the stream, and told first. */
	if (announced && request->references > 0) {
		event->type = HTTP3_EVENT_RELEASED;
		event->count = request->references;
		request->references = 0;
		return true;
	}
	event->type = HTTP3_EVENT_CLOSED;
	if (!announced) {
		http3_request_free(request);
		return false;
	}
	base_list_remove(&request->ready);
	request->conn->http3->finished = request;
	return true;
}

/* What does not come from reading, in the order in which it should be told. */
static bool
tell_pending(struct http3_request *request, struct http3_event *event)
{
	if (!request->announced) {
		request->pending &= HTTP3_PENDING_READABLE | HTTP3_PENDING_CLOSED;
		return false;
	}
	if (take_pending(request, HTTP3_PENDING_RELEASED)) {
		event->type = HTTP3_EVENT_RELEASED;
		event->count = request->released;
		request->released = 0;
	} else if (take_pending(request, HTTP3_PENDING_ABORTED)) {
		event->type = HTTP3_EVENT_ABORTED;
		event->error_code = request->aborted_code;
	} else if (take_pending(request, HTTP3_PENDING_STOPPED)) {
		event->type = HTTP3_EVENT_STOPPED;
		event->error_code = request->stopped_code;
	} else if (take_pending(request, HTTP3_PENDING_WRITABLE)) {
		event->type = HTTP3_EVENT_WRITABLE;
	} else {
		return false;
	}
	return true;
}

bool
http3_request_next_event(struct http3_request *request, struct http3_event *event)
{
	enum step step = STEP_AGAIN;

	*event = (struct http3_event){.conn = request->conn, .request = request};
	if (tell_pending(request, event))
		return true;
	while ((request->pending & HTTP3_PENDING_READABLE) != 0) {
		step = read_step(request, event);
		if (step == STEP_EVENT)
			return true;
		if (step == STEP_WAIT)
			request->pending &= (uint8_t)~HTTP3_PENDING_READABLE;
	}
	/* Reading may have failed the stream, which is told as ABORTED. */
	if (tell_pending(request, event))
		return true;
	if ((request->pending & HTTP3_PENDING_CLOSED) != 0)
		return tell_closed(request, event);
	base_list_remove(&request->ready);
	return false;
}

/* ---- what the application calls ---- */

uint64_t *
http3_request_words(struct http3_request *request)
{
	return request->words;
}

void *
http3_request_user(const struct http3_request *request)
{
	return request->user;
}

void
http3_request_set_user(struct http3_request *request, void *user)
{
	request->user = user;
}

struct http3_conn *
http3_request_conn(const struct http3_request *request)
{
	return request->conn;
}

uint64_t
http3_request_stream_id(const struct http3_request *request)
{
	return request->stream_id;
}

void
http3_request_consume(struct http3_request *request, size_t length)
{
	struct view view = {.length = request->offered, .fin = request->offered_end};

	base_assert(request->state == HTTP3_READ_BODY || length == 0);
	base_assert(length <= request->frame_left && length <= request->offered);
	if (length == 0)
		return;
	request->body_offered = false;
	take(request, &view, length);
	request->offered -= length;
	take_body(request, length);
	http3_request_pend(request, HTTP3_PENDING_READABLE);
}

void
http3_request_resume(struct http3_request *request)
{
	request->body_offered = false;
	http3_request_pend(request, HTTP3_PENDING_READABLE);
}

void
http3_request_discard(struct http3_request *request)
{
	request->discarding = true;
	http3_request_pend(request, HTTP3_PENDING_READABLE);
}

bool
http3_request_write_static(struct http3_request *request, const uint8_t *octets, size_t length, bool fin)
{
	if (request->conn->failed)
		return false;
	if (!quic_conn_stream_write_static(request->conn->quic, request->stream_id, octets, length, fin, 0))
		return false;
	request->references++;
	return true;
}

size_t
http3_request_write(struct http3_request *request, const uint8_t *octets, size_t length, bool fin)
{
	if (request->conn->failed)
		return 0;
	return quic_conn_stream_write(request->conn->quic, request->stream_id, octets, length, fin);
}

void
http3_request_reset(struct http3_request *request, uint64_t error_code)
{
	abandon(request, error_code);
}

struct http3_request *
http3_request_open(struct http3_conn *conn, const struct http3_field *fields, uint16_t count, bool fin)
{
	uint8_t octets[2048];
	struct base_writer writer = base_writer(octets, sizeof(octets));
	struct http3_request *request;
	uint64_t stream_id;

	base_assert(!conn->server);
	if (conn->failed || conn->goaway_received != HTTP3_STREAM_NONE)
		return NULL;
	http3_qpack_encode_headers(conn->http3->qpack, &writer, fields, count);
	if (!base_writer_ok(&writer) || !quic_conn_stream_open(conn->quic, true, &stream_id))
		return NULL;
	request = http3_request_new(conn, stream_id);
	if (request == NULL) {
		quic_conn_stream_reset(conn->quic, stream_id, HTTP3_REQUEST_CANCELLED);
		return NULL;
	}
	request->announced = true;
	for (uint16_t i = 0; i < count; i++) {
		if (http3_text_is(fields[i].name, ":method"))
			request->head_only = http3_text_is(fields[i].value, "HEAD");
	}
	if (http3_request_write(request, octets, base_writer_length(&writer), fin) <
		base_writer_length(&writer))
		http3_request_fail(request, HTTP3_REQUEST_CANCELLED);
	return request;
}
