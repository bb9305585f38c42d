/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The peer's unidirectional streams (RFC 9114 section 6.2) and the frames of its control stream (section
 * 7.2).
 */
#include "http3/conn.h"

#include <string.h>

#include "base/assert.h"

/* ---- what a unidirectional stream is, in the 64 bits of its user pointer ---- */

enum kind { KIND_NEW, KIND_TYPE, KIND_CONTROL, KIND_ENCODER, KIND_DECODER, KIND_IGNORED };

_Static_assert(sizeof(void *) == 8, "the user pointer holds a kind, a count and seven octets");

static enum kind
kind_of(void *user)
{
	return (enum kind)((uintptr_t)user & 15);
}

/* Up to seven octets of a stream type that is cut off. */
static void *
pack(enum kind kind, const struct http3_pair *pair)
{
	uintptr_t word = (uintptr_t)kind | (uintptr_t)pair->have << 4;

	for (unsigned i = 0; i < pair->have; i++)
		word |= (uintptr_t)pair->octets[i] << (8 + 8 * i);
	return (void *)word;
}

static struct http3_pair
unpack(void *user)
{
	uintptr_t word = (uintptr_t)user;
	struct http3_pair pair = {.have = (uint8_t)(word >> 4 & 15)};

	for (unsigned i = 0; i < pair.have; i++)
		pair.octets[i] = (uint8_t)(word >> (8 + 8 * i));
	return pair;
}

/* ---- frames of the control stream ---- */

static uint64_t
take_goaway(struct http3_conn *conn, uint64_t id)
{
	/* A client is told a request stream; the identifier never grows (section 5.2). */
	if (!conn->server && id % 4 != 0)
		return HTTP3_ID_ERROR;
	if (id > conn->goaway_received)
		return HTTP3_ID_ERROR;
	conn->goaway_received = id;
	conn->http3->goaway_from = conn;
	return 0;
}

static uint64_t
take_max_push_id(struct http3_conn *conn, uint64_t id)
{
	/* Section 7.2.7: it must not shrink. We never push, so that is all it means. */
	if (conn->max_push_id != HTTP3_STREAM_NONE && id < conn->max_push_id)
		return HTTP3_ID_ERROR;
	conn->max_push_id = id;
	return 0;
}

/* A frame whose payload is one integer is complete. */
static uint64_t
take_integer(struct http3_conn *conn, uint64_t value)
{
	switch (conn->control.type) {
	case HTTP3_FRAME_GOAWAY:
		return take_goaway(conn, value);
	case HTTP3_FRAME_MAX_PUSH_ID:
		return take_max_push_id(conn, value);
	default:
		/* CANCEL_PUSH names a push that was never promised, by either side (section 7.2.3). */
		return HTTP3_ID_ERROR;
	}
}

/* RFC 9218 section 7.2. */
static void
take_priority_update(struct http3_conn *conn)
{
	struct http3_control *control = &conn->control;
	struct http3_text text = {.octets = control->text, .length = control->text_length};
	struct http3_priority priority = http3_priority_parse(text);

	if (control->element_id >= conn->next_request_id) {
		conn->hint_id = control->element_id;
		conn->hint = priority;
	} else {
		quic_conn_stream_set_priority(
			conn->quic, control->element_id, priority.urgency, priority.incremental);
	}
}

/* The payload ends here. */
static uint64_t
end_frame(struct http3_conn *conn)
{
	struct http3_control *control = &conn->control;

	control->in_frame = false;
	/* Section 7.1: an integer that the frame cuts off, or one that should have been there. */
	if (control->pair.have > 0)
		return HTTP3_FRAME_ERROR;
	switch (control->type) {
	case HTTP3_FRAME_GOAWAY:
	case HTTP3_FRAME_MAX_PUSH_ID:
	case HTTP3_FRAME_CANCEL_PUSH:
	case HTTP3_FRAME_PRIORITY_UPDATE_PUSH:
		return control->has_element ? 0 : HTTP3_FRAME_ERROR;
	case HTTP3_FRAME_PRIORITY_UPDATE_REQUEST:
		if (!control->has_element)
			return HTTP3_FRAME_ERROR;
		take_priority_update(conn);
		return 0;
	default:
		return 0;
	}
}

static uint64_t
begin_frame(struct http3_conn *conn, uint64_t type, uint64_t length)
{
	struct http3_control *control = &conn->control;
	uint64_t error = http3_frame_check_control(type, !control->had_settings, conn->server);

	if (error != 0)
		return error;
	control->had_settings = true;
	control->in_frame = true;
	control->type = type;
	control->left = length;
	control->has_element = false;
	control->text_length = 0;
	return 0;
}

/* PRIORITY_UPDATE: an element ID, then text. Takes octets of the payload, like the two below. */
static uint64_t
read_priority_update(struct http3_conn *conn, const uint8_t *octets, size_t length, size_t *taken)
{
	struct http3_control *control = &conn->control;

	if (!control->has_element) {
		*taken = http3_pair_read_one(
			&control->pair, octets, length, &control->has_element, &control->element_id);
		/* We promised no push; and a request stream is a bidirectional one of the client's. */
		if (control->has_element &&
			(control->type == HTTP3_FRAME_PRIORITY_UPDATE_PUSH || control->element_id % 4 != 0))
			return HTTP3_ID_ERROR;
		return 0;
	}
	for (size_t i = 0; i < length && control->text_length < HTTP3_CONTROL_TEXT_BYTES; i++)
		control->text[control->text_length++] = (char)octets[i];
	*taken = length;
	return 0;
}

static uint64_t
read_integer(struct http3_conn *conn, const uint8_t *octets, size_t length, size_t *taken)
{
	struct http3_control *control = &conn->control;
	uint64_t value;
	bool complete;

	/* Section 7.1: octets behind the integer. */
	if (control->has_element)
		return HTTP3_FRAME_ERROR;
	*taken = http3_pair_read_one(&control->pair, octets, length, &complete, &value);
	if (!complete)
		return 0;
	control->has_element = true;
	return control->left == *taken ? take_integer(conn, value) : HTTP3_FRAME_ERROR;
}

static uint64_t
read_settings(struct http3_conn *conn, const uint8_t *octets, size_t length, size_t *taken)
{
	uint64_t id, value;
	bool complete;

	*taken = http3_pair_read(&conn->control.pair, octets, length, &complete, &id, &value);
	return complete ? http3_settings_take(&conn->settings, id, value) : 0;
}

/* At least one octet of a payload. */
static uint64_t
read_payload(struct http3_conn *conn, const uint8_t *octets, size_t length, size_t *taken)
{
	switch (conn->control.type) {
	case HTTP3_FRAME_SETTINGS:
		return read_settings(conn, octets, length, taken);
	case HTTP3_FRAME_GOAWAY:
	case HTTP3_FRAME_MAX_PUSH_ID:
	case HTTP3_FRAME_CANCEL_PUSH:
		return read_integer(conn, octets, length, taken);
	case HTTP3_FRAME_PRIORITY_UPDATE_REQUEST:
	case HTTP3_FRAME_PRIORITY_UPDATE_PUSH:
		return read_priority_update(conn, octets, length, taken);
	default:
		*taken = length;
		return 0;
	}
}

static uint64_t
read_control(struct http3_conn *conn, const uint8_t *octets, size_t length)
{
	struct http3_control *control = &conn->control;
	uint64_t error = 0;

	while (error == 0 && length > 0) {
		size_t taken = 0;

		if (control->in_frame) {
			size_t payload = length < control->left ? length : (size_t)control->left;

			error = read_payload(conn, octets, payload, &taken);
			control->left -= taken;
		} else {
			uint64_t type, frame_length;
			bool complete;

			taken = http3_pair_read(
				&control->pair, octets, length, &complete, &type, &frame_length);
			if (complete)
				error = begin_frame(conn, type, frame_length);
		}
		octets += taken;
		length -= taken;
		if (error == 0 && control->in_frame && control->left == 0)
			error = end_frame(conn);
	}
	return error;
}

/* ---- streams ---- */

/* Section 6.2: of each critical stream there is one. */
static uint64_t
only_one(bool *has, enum kind found, enum kind *kind)
{
	if (*has)
		return HTTP3_STREAM_CREATION_ERROR;
	*has = true;
	*kind = found;
	return 0;
}

static uint64_t
take_type(struct http3_conn *conn, uint64_t stream_id, uint64_t type, enum kind *kind)
{
	switch (type) {
	case HTTP3_STREAM_CONTROL:
		return only_one(&conn->has_control, KIND_CONTROL, kind);
	case HTTP3_STREAM_QPACK_ENCODER:
		return only_one(&conn->has_encoder, KIND_ENCODER, kind);
	case HTTP3_STREAM_QPACK_DECODER:
		return only_one(&conn->has_decoder, KIND_DECODER, kind);
	case HTTP3_STREAM_PUSH:
		/* Section 6.2.2: clients do not push, and to servers we gave no push ID. */
		return conn->server ? HTTP3_STREAM_CREATION_ERROR : HTTP3_ID_ERROR;
	default:
		*kind = KIND_IGNORED;
		quic_conn_stream_stop(conn->quic, stream_id, HTTP3_STREAM_CREATION_ERROR);
		return 0;
	}
}

static bool
critical(enum kind kind)
{
	return kind == KIND_CONTROL || kind == KIND_ENCODER || kind == KIND_DECODER;
}

/* Octets of a stream whose kind is known, or becomes so here. */
static uint64_t
read_stream(struct http3_conn *conn, uint64_t stream_id, enum kind *kind, struct http3_pair *pair,
	const uint8_t *octets, size_t length)
{
	if (*kind == KIND_NEW || *kind == KIND_TYPE) {
		uint64_t type, error;
		bool complete;
		size_t taken = http3_pair_read_one(pair, octets, length, &complete, &type);

		*kind = KIND_TYPE;
		if (!complete)
			return 0;
		error = take_type(conn, stream_id, type, kind);
		if (error != 0)
			return error;
		octets += taken;
		length -= taken;
	}
	switch (*kind) {
	case KIND_CONTROL:
		return read_control(conn, octets, length);
	case KIND_ENCODER:
		return http3_qpack_stream_encoder(octets, length);
	case KIND_DECODER:
		return http3_qpack_stream_decoder(&conn->decoder, octets, length);
	default:
		return 0;
	}
}

uint64_t
http3_conn_stream_readable(struct http3_conn *conn, uint64_t stream_id, void *stream_user)
{
	struct http3_pair pair = unpack(stream_user);
	enum kind kind = kind_of(stream_user);
	const uint8_t *octets;
	uint64_t error = 0;
	size_t length;
	bool fin = false;

	while (error == 0 && !fin && quic_conn_stream_read(conn->quic, stream_id, &octets, &length, &fin)) {
		error = read_stream(conn, stream_id, &kind, &pair, octets, length);
		quic_conn_stream_consume(conn->quic, stream_id, length);
	}
	if (error == 0 && fin && critical(kind))
		error = HTTP3_CLOSED_CRITICAL_STREAM;
	quic_conn_stream_set_user(conn->quic, stream_id, pack(kind, &pair));
	return error;
}

uint64_t
http3_conn_stream_reset(struct http3_conn *conn, void *stream_user)
{
	/* A stream may end before its type is known (section 6.2). */
	return critical(kind_of(stream_user)) ? HTTP3_CLOSED_CRITICAL_STREAM : 0;
}
