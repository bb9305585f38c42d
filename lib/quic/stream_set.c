/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/stream_set_internal.h"

#include <string.h>

#include "base/assert.h"

enum {
	TABLE_BUCKETS = QUIC_CHUNK_BYTES / sizeof(struct quic_stream *),
	TABLE_ABOVE = 4 * QUIC_STREAM_SET_OWN_BUCKETS, /* streams from which on a table is borrowed */
};

/* The four kinds of streams, by the two lowest bits of an ID (RFC 9000 section 2.1, table 1). */
enum { UNIDIRECTIONAL = 2 };

static bool
is_ours(const struct quic_stream_set *set, uint64_t stream_id)
{
	return (stream_id & 1) == set->role;
}

unsigned
quic_stream_set_kind(const struct quic_stream_set *set, bool ours, bool bidirectional)
{
	unsigned initiator = ours ? set->role : set->role ^ 1u;

	return initiator | (bidirectional ? 0 : UNIDIRECTIONAL);
}

/* ---- the table ---- */

static struct quic_stream **
bucket(struct quic_stream_set *set, uint64_t stream_id)
{
	/* IDs of a kind are consecutive numbers, so their lowest bits spread them evenly. */
	uint64_t mixed = (stream_id >> 2) + (stream_id & 3) * (TABLE_BUCKETS / 4);

	if (set->buckets != NULL)
		return &set->buckets[mixed % TABLE_BUCKETS];
	return &set->own_buckets[(mixed + (stream_id & 3)) % QUIC_STREAM_SET_OWN_BUCKETS];
}

static void
insert(struct quic_stream_set *set, struct quic_stream *stream)
{
	struct quic_stream **head = bucket(set, stream->id);

	stream->hash_next = *head;
	*head = stream;
}

/* Puts the streams of `count` buckets that are not in use any more into those that are. */
static void
insert_all(struct quic_stream_set *set, struct quic_stream **buckets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct quic_stream *stream = buckets[i];

		while (stream != NULL) {
			struct quic_stream *next = stream->hash_next;

			insert(set, stream);
			stream = next;
		}
	}
}

static void
borrow_table(struct quic_stream_set *set, struct quic_memory *memory)
{
	struct quic_stream *old[QUIC_STREAM_SET_OWN_BUCKETS];

	set->buckets = (struct quic_stream **)(void *)quic_memory_take(memory);
	if (set->buckets == NULL)
		return;
	memset(set->buckets, 0, TABLE_BUCKETS * sizeof(set->buckets[0]));
	memcpy(old, set->own_buckets, sizeof(old));
	memset(set->own_buckets, 0, sizeof(set->own_buckets));
	insert_all(set, old, QUIC_STREAM_SET_OWN_BUCKETS);
}

static void
give_table_back(struct quic_stream_set *set, struct quic_memory *memory)
{
	struct quic_stream **old = set->buckets;

	set->buckets = NULL;
	insert_all(set, old, TABLE_BUCKETS);
	quic_memory_give(memory, (struct quic_chunk *)(void *)old);
}

struct quic_stream *
quic_stream_set_find(struct quic_stream_set *set, uint64_t stream_id)
{
	struct quic_stream *stream = *bucket(set, stream_id);

	while (stream != NULL && stream->id != stream_id)
		stream = stream->hash_next;
	return stream;
}

static void
remove_stream(struct quic_stream_set *set, struct quic_memory *memory, struct quic_stream *stream)
{
	struct quic_stream **link = bucket(set, stream->id);

	while (*link != stream)
		link = &(*link)->hash_next;
	*link = stream->hash_next;
	base_list_remove(&stream->send_link);
	base_list_remove(&stream->control_link);
	base_list_remove(&stream->event_link);
	base_list_remove(&stream->borrow_link);
	quic_stream_fini(stream, memory, &set->account);
	base_pool_give(memory->streams, stream);
	set->count--;
	if (set->buckets != NULL && set->count <= QUIC_STREAM_SET_OWN_BUCKETS)
		give_table_back(set, memory);
}

/* ---- lists ---- */

static void
insert_by_urgency(struct quic_stream_set *set, struct quic_stream *stream)
{
	struct base_list *place = set->sending.previous;

	while (place != &set->sending &&
		base_container(place, struct quic_stream, send_link)->urgency > stream->urgency)
		place = place->previous;
	base_list_insert_before(place->next, &stream->send_link);
}

static void
set_member(struct base_list *list, struct base_list *link, bool member)
{
	if (!member)
		base_list_remove(link);
	else if (base_list_empty(link))
		base_list_push_back(list, link);
}

void
quic_stream_set_update(struct quic_stream_set *set, struct quic_stream *stream)
{
	if (!quic_stream_wants_to_send(stream))
		base_list_remove(&stream->send_link);
	else if (base_list_empty(&stream->send_link))
		insert_by_urgency(set, stream);
	if (!stream->closed_told && quic_stream_over(stream)) {
		stream->closed_told = true;
		stream->events |= QUIC_STREAM_EVENT_CLOSED;
	}
	set_member(&set->controlling, &stream->control_link, stream->control != 0);
	set_member(&set->eventful, &stream->event_link, stream->events != 0);
	set_member(&set->borrowing, &stream->borrow_link, quic_recv_buffer_borrows(&stream->receive));
}

static void
apply(struct quic_stream_set *set, struct quic_stream *stream, const struct quic_stream_effect *effect)
{
	quic_flow_receive_use(&set->receive, effect->received);
	quic_flow_receive_consume(&set->receive, effect->consumed);
	quic_stream_set_update(set, stream);
}

/* ---- life ---- */

void
quic_stream_set_init(struct quic_stream_set *set, enum quic_role role, const struct quic_limits *limits)
{
	*set = (struct quic_stream_set){
		.role = (uint8_t)role,
		.stream_window_bytes = limits->stream_window_bytes,
		.stream_window_max_bytes = limits->stream_window_max_bytes,
		.send_buffer_bytes = limits->send_buffer_bytes,
		.account = {.limit = limits->chunks_received},
	};
	base_list_init(&set->sending);
	base_list_init(&set->controlling);
	base_list_init(&set->eventful);
	base_list_init(&set->borrowing);
	quic_flow_send_init(&set->send, 0);
	quic_flow_receive_init(
		&set->receive, limits->connection_window_bytes, limits->connection_window_max_bytes);
	for (int bidirectional = 0; bidirectional < 2; bidirectional++) {
		struct quic_stream_kind *kind =
			&set->kinds[quic_stream_set_kind(set, false, bidirectional != 0)];

		kind->window = bidirectional ? limits->streams_bidi : limits->streams_uni;
		kind->limit = kind->window;
	}
}

void
quic_stream_set_fini(struct quic_stream_set *set, struct quic_memory *memory)
{
	for (int i = 0; i < QUIC_STREAM_SET_OWN_BUCKETS; i++)
		while (set->own_buckets[i] != NULL)
			remove_stream(set, memory, set->own_buckets[i]);
	/* The last few go back into our own buckets with the table. */
	for (unsigned i = 0; set->buckets != NULL && i < TABLE_BUCKETS; i++)
		while (set->buckets != NULL && set->buckets[i] != NULL)
			remove_stream(set, memory, set->buckets[i]);
	for (int i = 0; i < QUIC_STREAM_SET_OWN_BUCKETS; i++)
		while (set->own_buckets[i] != NULL)
			remove_stream(set, memory, set->own_buckets[i]);
	base_assert(set->count == 0 && set->account.used == 0);
}

static void
raise_streams(struct quic_stream_set *set, bool bidirectional, uint64_t limit)
{
	struct quic_stream_kind *kind = &set->kinds[quic_stream_set_kind(set, true, bidirectional)];

	if (limit <= kind->limit)
		return;
	kind->limit = limit;
	set->streams_allowed = true;
	set->control &= (uint8_t) ~(QUIC_SET_CONTROL_STREAMS_BLOCKED << !bidirectional);
}

void
quic_stream_set_peer_limits(struct quic_stream_set *set, const struct quic_stream_peer_limits *limits)
{
	(void)quic_flow_send_raise(&set->send, limits->max_data);
	/* "Local" is said from the side of the peer: it opened the stream. */
	set->peer_stream_data[0] = limits->max_stream_data_bidi_remote;
	set->peer_stream_data[1] = limits->max_stream_data_bidi_local;
	set->peer_stream_data[2] = limits->max_stream_data_uni;
	raise_streams(set, true, limits->max_streams_bidi);
	raise_streams(set, false, limits->max_streams_uni);
}

/* Makes the next stream of a kind; NULL when memory is short. */
static struct quic_stream *
make_stream(struct quic_stream_set *set, struct quic_memory *memory, unsigned kind)
{
	bool ours = is_ours(set, kind), bidirectional = (kind & UNIDIRECTIONAL) == 0;
	uint64_t send_limit = set->peer_stream_data[!bidirectional ? 2 : ours ? 0 : 1];
	struct quic_stream *stream = base_pool_take(memory->streams);

	if (stream == NULL) {
		memory->refused++;
		return NULL;
	}
	quic_stream_init(stream, set->kinds[kind].opened << 2 | kind, bidirectional || ours,
		bidirectional || !ours, send_limit, set->stream_window_bytes, set->stream_window_max_bytes);
	set->kinds[kind].opened++;
	if (++set->count > TABLE_ABOVE && set->buckets == NULL)
		borrow_table(set, memory);
	insert(set, stream);
	return stream;
}

/* ---- frames received ---- */

/*
 * The stream that a frame names, for its sending or its receiving part; *stream is NULL with QUIC_NO_ERROR
 * when it has been closed. RFC 9000 sections 19.4, 19.5, 19.8, 19.10 and 19.13 say which streams a frame may
 * name; section 3.2 that lower-numbered ones open as well.
 */
static uint64_t
stream_of_frame(struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id,
	bool receiving_part, struct quic_stream **stream)
{
	unsigned kind = (unsigned)(stream_id & 3);
	uint64_t number = stream_id >> 2;
	bool ours = is_ours(set, stream_id);

	*stream = NULL;
	if ((kind & UNIDIRECTIONAL) && ours == receiving_part)
		return QUIC_STREAM_STATE_ERROR;
	if (ours && number >= set->kinds[kind].opened)
		return QUIC_STREAM_STATE_ERROR;
	if (!ours && number >= set->kinds[kind].limit)
		return QUIC_STREAM_LIMIT_ERROR;
	while (number >= set->kinds[kind].opened)
		if (make_stream(set, memory, kind) == NULL)
			return QUIC_SHORT_OF_MEMORY;
	*stream = quic_stream_set_find(set, stream_id);
	return QUIC_NO_ERROR;
}

static uint64_t
receive_for_stream(struct quic_stream_set *set, struct quic_memory *memory, const struct quic_frame *frame,
	struct quic_stream *stream)
{
	struct quic_stream_effect effect = {0};
	uint64_t error = QUIC_NO_ERROR;

	switch (frame->type) {
	case QUIC_FRAME_STREAM:
		error = quic_stream_receive(stream, memory, &set->account, &set->receive,
			frame->stream.offset, frame->stream.octets, frame->stream.length, frame->stream.fin,
			&effect);
		break;
	case QUIC_FRAME_RESET_STREAM:
		error = quic_stream_receive_reset(stream, memory, &set->account, &set->receive,
			frame->reset_stream.code, frame->reset_stream.final_size, &effect);
		break;
	case QUIC_FRAME_STOP_SENDING:
		quic_stream_receive_stop(stream, memory, frame->stop_sending.code);
		break;
	case QUIC_FRAME_MAX_STREAM_DATA:
		quic_stream_receive_max_data(stream, frame->limit.maximum);
		break;
	default: /* STREAM_DATA_BLOCKED tells nothing that is acted on. */
		break;
	}
	if (error == QUIC_NO_ERROR)
		apply(set, stream, &effect);
	return error;
}

static uint64_t
stream_id_of(const struct quic_frame *frame)
{
	switch (frame->type) {
	case QUIC_FRAME_STREAM:
		return frame->stream.stream_id;
	case QUIC_FRAME_RESET_STREAM:
		return frame->reset_stream.stream_id;
	case QUIC_FRAME_STOP_SENDING:
		return frame->stop_sending.stream_id;
	default:
		return frame->limit.stream_id;
	}
}

uint64_t
quic_stream_set_receive(
	struct quic_stream_set *set, struct quic_memory *memory, const struct quic_frame *frame)
{
	struct quic_stream *stream;
	uint64_t error;
	bool receiving_part = false;

	switch (frame->type) {
	case QUIC_FRAME_MAX_DATA:
		(void)quic_flow_send_raise(&set->send, frame->limit.maximum);
		return QUIC_NO_ERROR;
	case QUIC_FRAME_MAX_STREAMS_BIDI:
	case QUIC_FRAME_MAX_STREAMS_UNI:
		raise_streams(set, frame->type == QUIC_FRAME_MAX_STREAMS_BIDI, frame->limit.maximum);
		return QUIC_NO_ERROR;
	case QUIC_FRAME_STREAM:
	case QUIC_FRAME_RESET_STREAM:
	case QUIC_FRAME_STREAM_DATA_BLOCKED:
		receiving_part = true;
		break;
	case QUIC_FRAME_STOP_SENDING:
	case QUIC_FRAME_MAX_STREAM_DATA:
		break;
	default: /* DATA_BLOCKED and STREAMS_BLOCKED tell nothing that is acted on. */
		return QUIC_NO_ERROR;
	}
	error = stream_of_frame(set, memory, stream_id_of(frame), receiving_part, &stream);
	if (error == QUIC_NO_ERROR && stream != NULL)
		error = receive_for_stream(set, memory, frame, stream);
	return error;
}

void
quic_stream_set_settle(struct quic_stream_set *set, struct quic_memory *memory)
{
	struct base_list *link;

	while ((link = base_list_pop_front(&set->borrowing)) != NULL)
		quic_recv_buffer_settle(&base_container(link, struct quic_stream, borrow_link)->receive,
			memory, &set->account);
}

/* ---- events ---- */

static struct quic_stream *
first_eventful(const struct quic_stream_set *set)
{
	return base_container(set->eventful.next, struct quic_stream, event_link);
}

/* Takes the stream's next event; false when its time has passed. */
static bool
take_event(struct quic_stream_set *set, struct quic_memory *memory, struct quic_stream *stream,
	struct quic_stream_event *event)
{
	uint8_t bit = stream->events & (uint8_t)-stream->events;
	const uint8_t *octets;
	size_t length;
	bool fin;

	*event = (struct quic_stream_event){.stream_id = stream->id, .user = stream->user};
	stream->events &= (uint8_t)~bit;
	switch (bit) {
	case QUIC_STREAM_EVENT_READABLE:
		event->type = QUIC_EVENT_STREAM_READABLE;
		return quic_stream_read(stream, memory, &octets, &length, &fin);
	case QUIC_STREAM_EVENT_RESET:
		event->type = QUIC_EVENT_STREAM_RESET;
		event->error_code = stream->peer_reset_code;
		stream->recv_state = QUIC_RECV_RESET_READ;
		return true;
	case QUIC_STREAM_EVENT_STOPPED:
		event->type = QUIC_EVENT_STREAM_STOPPED;
		event->error_code = stream->peer_stop_code;
		return true;
	case QUIC_STREAM_EVENT_RELEASED:
		event->type = QUIC_EVENT_STREAM_RELEASED;
		if (!quic_send_buffer_next_released(&stream->send, memory, &event->cookie))
			return false;
		if (quic_send_buffer_has_released(&stream->send))
			stream->events |= QUIC_STREAM_EVENT_RELEASED;
		return true;
	case QUIC_STREAM_EVENT_WRITABLE:
		event->type = QUIC_EVENT_STREAM_WRITABLE;
		return stream->send_state == QUIC_SEND_SEND && !stream->send.fin;
	default:
		event->type = QUIC_EVENT_STREAM_CLOSED;
		return true;
	}
}

bool
quic_stream_set_next_event(
	struct quic_stream_set *set, struct quic_memory *memory, struct quic_stream_event *event)
{
	while (!base_list_empty(&set->eventful)) {
		struct quic_stream *stream = first_eventful(set);
		bool told = take_event(set, memory, stream, event);

		if (event->type == QUIC_EVENT_STREAM_CLOSED) {
			set->kinds[stream->id & 3].closed++;
			remove_stream(set, memory, stream);
		} else {
			quic_stream_set_update(set, stream);
		}
		if (told)
			return true;
	}
	if (!set->streams_allowed)
		return false;
	set->streams_allowed = false;
	*event = (struct quic_stream_event){.type = QUIC_EVENT_STREAMS_ALLOWED};
	return true;
}

bool
quic_stream_set_has_event(const struct quic_stream_set *set)
{
	return !base_list_empty(&set->eventful) || set->streams_allowed;
}

/* ---- the application's calls ---- */

bool
quic_stream_set_open(
	struct quic_stream_set *set, struct quic_memory *memory, bool bidirectional, uint64_t *stream_id)
{
	unsigned kind = quic_stream_set_kind(set, true, bidirectional);
	struct quic_stream *stream;

	if (quic_stream_set_allowed(set, bidirectional) == 0) {
		set->control |= (uint8_t)(QUIC_SET_CONTROL_STREAMS_BLOCKED << !bidirectional);
		return false;
	}
	stream = make_stream(set, memory, kind);
	if (stream == NULL)
		return false;
	*stream_id = stream->id;
	return true;
}

uint64_t
quic_stream_set_allowed(const struct quic_stream_set *set, bool bidirectional)
{
	const struct quic_stream_kind *kind = &set->kinds[quic_stream_set_kind(set, true, bidirectional)];

	return kind->limit - kind->opened;
}

void
quic_stream_set_priority(struct quic_stream_set *set, uint64_t stream_id, uint8_t urgency, bool incremental)
{
	struct quic_stream *stream = quic_stream_set_find(set, stream_id);

	if (stream == NULL)
		return;
	stream->urgency = urgency < QUIC_URGENCY_COUNT ? urgency : QUIC_URGENCY_COUNT - 1;
	stream->incremental = incremental;
	base_list_remove(&stream->send_link);
	quic_stream_set_update(set, stream);
}

bool
quic_stream_set_read(struct quic_stream_set *set, const struct quic_memory *memory, uint64_t stream_id,
	const uint8_t **octets, size_t *length, bool *fin)
{
	const struct quic_stream *stream = quic_stream_set_find(set, stream_id);

	return stream != NULL && quic_stream_read(stream, memory, octets, length, fin);
}

void
quic_stream_set_consume(
	struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id, size_t length)
{
	struct quic_stream *stream = quic_stream_set_find(set, stream_id);
	struct quic_stream_effect effect;

	if (stream == NULL)
		return;
	quic_stream_consume(stream, memory, &set->account, length, &effect);
	apply(set, stream, &effect);
}

size_t
quic_stream_set_room(struct quic_stream_set *set, uint64_t stream_id)
{
	const struct quic_stream *stream = quic_stream_set_find(set, stream_id);

	return stream != NULL ? quic_stream_room(stream, set->send_buffer_bytes) : 0;
}

void
quic_stream_set_wake(struct quic_stream_set *set)
{
	struct quic_stream **buckets = set->buckets != NULL ? set->buckets : set->own_buckets;
	unsigned count = set->buckets != NULL ? TABLE_BUCKETS : QUIC_STREAM_SET_OWN_BUCKETS;

	set->starved = false;
	for (unsigned i = 0; i < count; i++)
		for (struct quic_stream *stream = buckets[i]; stream != NULL; stream = stream->hash_next)
			if (quic_stream_starved(stream)) {
				quic_stream_wake(stream);
				quic_stream_set_update(set, stream);
			}
}

size_t
quic_stream_set_write(struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id,
	const uint8_t *octets, size_t length, bool fin)
{
	struct quic_stream *stream = quic_stream_set_find(set, stream_id);
	size_t taken;

	if (stream == NULL)
		return 0;
	taken = quic_stream_write(stream, memory, octets, length, fin, set->send_buffer_bytes);
	set->starved = set->starved || quic_stream_starved(stream);
	quic_stream_set_update(set, stream);
	return taken;
}

bool
quic_stream_set_write_static(struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id,
	const uint8_t *octets, size_t length, bool fin, uint64_t cookie)
{
	struct quic_stream *stream = quic_stream_set_find(set, stream_id);
	bool taken;

	if (stream == NULL)
		return false;
	taken = quic_stream_write_static(stream, memory, octets, length, fin, cookie);
	set->starved = set->starved || quic_stream_starved(stream);
	quic_stream_set_update(set, stream);
	return taken;
}

void
quic_stream_set_reset(
	struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id, uint64_t error_code)
{
	struct quic_stream *stream = quic_stream_set_find(set, stream_id);

	if (stream == NULL)
		return;
	quic_stream_reset(stream, memory, error_code);
	quic_stream_set_update(set, stream);
}

void
quic_stream_set_stop(
	struct quic_stream_set *set, struct quic_memory *memory, uint64_t stream_id, uint64_t error_code)
{
	struct quic_stream *stream = quic_stream_set_find(set, stream_id);
	struct quic_stream_effect effect;

	if (stream == NULL)
		return;
	quic_stream_stop(stream, memory, &set->account, error_code, &effect);
	apply(set, stream, &effect);
}

void
quic_stream_set_check(const struct quic_stream_set *set, const struct quic_memory *memory)
{
	unsigned count = set->buckets != NULL ? TABLE_BUCKETS : QUIC_STREAM_SET_OWN_BUCKETS;
	struct quic_stream *const *buckets = set->buckets != NULL ? set->buckets : set->own_buckets;
	uint32_t streams = 0, chunks = 0;

	for (unsigned i = 0; i < count; i++) {
		for (const struct quic_stream *stream = buckets[i]; stream != NULL;
			stream = stream->hash_next) {
			streams++;
			chunks += quic_recv_buffer_chunks(&stream->receive);
			quic_recv_buffer_check(&stream->receive, memory);
			quic_send_buffer_check(&stream->send);
			base_assert(
				base_list_empty(&stream->send_link) == !quic_stream_wants_to_send(stream));
			base_assert(base_list_empty(&stream->control_link) == (stream->control == 0));
			base_assert(base_list_empty(&stream->event_link) == (stream->events == 0));
			base_assert((stream->id >> 2) < set->kinds[stream->id & 3].opened);
		}
	}
	base_assert(streams == set->count && chunks == set->account.used);
}
