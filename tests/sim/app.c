/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The application on both ends of the simulator, and the check of every octet. */
#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "tests/sim/heap.h"
#include "tests/sim/lent.h"
#include "tests/sim/group.h"

enum { PERIOD = 65521 };

/* Two periods, so that up to one period can be handed out in one piece from anywhere. */
static uint8_t pattern[2 * PERIOD];

static const uint8_t *
pattern_at(uint64_t stream_id, uint64_t offset)
{
	if (pattern[1] == 0)
		for (uint32_t i = 0; i < sizeof(pattern); i++)
			pattern[i] = (uint8_t)((i % PERIOD) * 7 + (i % PERIOD >> 8) * 31 + 1);
	return pattern + (offset + stream_id * 131) % PERIOD;
}

static struct sim_stream *
new_stream(struct sim *sim, struct quic_conn *conn, struct sim_conn *state, uint64_t id, bool is_server)
{
	struct sim_stream *stream = sim_heap_take(sizeof(*stream));

	stream->id = id;
	stream->conn = state;
	stream->handle = quic_conn_handle(conn);
	stream->is_server = is_server;
	stream->begun_ns = sim->now_ns;
	stream->next = sim->streams;
	sim->streams = stream;
	return stream;
}

/* Octets that the two numbers at the front of a request take. */
static uint64_t
front(const struct sim_stream *stream)
{
	return stream->is_server ? 0 : SIM_REQUEST_HEADER_BYTES;
}

static bool
lend(struct sim *sim, struct quic_conn *conn, struct sim_stream *stream, const uint8_t *octets,
	uint64_t length, bool fin)
{
	const struct sim_lent *lent = sim_lend(sim, stream, octets, length);

	if (quic_conn_stream_write_static(conn, stream->id, lent->octets, length, fin, lent->cookie))
		return true;
	sim_lent_released(sim, stream, lent->cookie);
	return false;
}

/* Writes as much as is taken: every third stream by reference, the others copied. */
static void
write_more(struct sim *sim, struct quic_conn *conn, struct sim_stream *stream)
{
	uint64_t end = front(stream) + stream->to_send;

	if (front(stream) > stream->sent) {
		uint8_t header[SIM_REQUEST_HEADER_BYTES];

		base_put_uint(header, stream->to_send, 8);
		base_put_uint(header + 8, stream->to_receive, 8);
		if (quic_conn_stream_write(conn, stream->id, header, sizeof(header), stream->to_send == 0) !=
			sizeof(header))
			return;
		stream->sent = sizeof(header);
		stream->fin_sent = stream->to_send == 0;
	}
	while (!stream->fin_sent) {
		uint64_t offset = stream->sent - front(stream);
		uint64_t length = end - stream->sent < PERIOD ? end - stream->sent : PERIOD;
		const uint8_t *octets = pattern_at(stream->id, offset);
		bool last = stream->sent + length == end;

		if (stream->id % 3 == 0 && lend(sim, conn, stream, octets, length, last)) {
			stream->sent += length;
		} else {
			size_t taken = quic_conn_stream_write(conn, stream->id, octets, length, last);

			stream->sent += taken;
			last = last && taken == length;
			if (taken < length)
				return;
		}
		stream->fin_sent = last;
	}
}

static void
open_requests(struct sim *sim, struct quic_conn *conn, struct sim_conn *state)
{
	const struct sim_config *config = &sim->config;

	while (state->opened < config->requests && state->opened - state->answered < config->at_once) {
		struct sim_stream *stream;
		uint64_t id;

		if (!quic_conn_stream_open(conn, !config->unidirectional, &id))
			return;
		stream = new_stream(sim, conn, state, id, false);
		stream->to_send = config->upload_bytes;
		stream->to_receive = state->number == 0 && config->elephant_bytes != 0
			? config->elephant_bytes
			: config->download_bytes;
		quic_conn_stream_set_user(conn, id, stream);
		state->opened++;
		write_more(sim, conn, stream);
	}
}

static void
answered(struct sim *sim, struct quic_conn *conn, struct sim_conn *state, uint64_t begun_ns)
{
	uint64_t took_ns = sim->now_ns - begun_ns;

	state->answered++;
	if (took_ns > state->slowest_ns)
		state->slowest_ns = took_ns;
	if (state->answered == sim->config.requests)
		state->done_ns = sim->now_ns;
	else
		open_requests(sim, conn, state);
}

/* The request's numbers, which may come in pieces. Returns the octets used. */
static size_t
take_header(struct sim_stream *stream, const uint8_t *octets, size_t length)
{
	size_t part = SIM_REQUEST_HEADER_BYTES - stream->header_length;

	if (part > length)
		part = length;
	memcpy(stream->header + stream->header_length, octets, part);
	stream->header_length += (uint32_t)part;
	if (stream->header_length == SIM_REQUEST_HEADER_BYTES) {
		struct base_reader reader = base_reader(stream->header, SIM_REQUEST_HEADER_BYTES);

		stream->to_receive = base_reader_u64(&reader);
		stream->to_send = base_reader_u64(&reader);
	}
	return part;
}

static void
check_pattern(struct sim *sim, struct sim_stream *stream, const uint8_t *octets, size_t length)
{
	/* Answers on unidirectional streams carry the pattern of the answering stream, like all others. */
	while (length > 0) {
		size_t part = length < PERIOD ? length : PERIOD;

		if (memcmp(octets, pattern_at(stream->id, stream->received), part) != 0)
			sim_fail(sim, "octets of stream %llu near %llu are not those sent",
				(unsigned long long)stream->id, (unsigned long long)stream->received);
		stream->received += part;
		if (stream->conn != NULL)
			stream->conn->received += part;
		octets += part;
		length -= part;
	}
}

static void
finish_reading(struct sim *sim, struct quic_conn *conn, struct sim_stream *stream)
{
	stream->fin_received = true;
	if (stream->received != stream->to_receive)
		sim_fail(sim, "stream %llu ended after %llu of %llu octets", (unsigned long long)stream->id,
			(unsigned long long)stream->received, (unsigned long long)stream->to_receive);
	if (!stream->is_server) {
		if (!stream->counted)
			answered(sim, conn, stream->conn, stream->begun_ns);
		stream->counted = true;
		return;
	}
	if ((stream->id & 2) != 0) {
		struct sim_stream *answer;
		uint64_t id;

		if (!quic_conn_stream_open(conn, false, &id)) {
			sim_fail(sim, "the server may not answer on a stream of its own");
			return;
		}
		answer = new_stream(sim, conn, NULL, id, true);
		answer->to_send = stream->to_send;
		quic_conn_stream_set_user(conn, id, answer);
		write_more(sim, conn, answer);
		return;
	}
	write_more(sim, conn, stream);
}

static void
read_stream(struct sim *sim, struct quic_conn *conn, struct sim_stream *stream)
{
	const uint8_t *octets;
	size_t length;
	bool fin;

	while (!stream->fin_received && quic_conn_stream_read(conn, stream->id, &octets, &length, &fin)) {
		size_t used = 0;

		/* Now and then only a part is taken, so that the rest must be kept. */
		if (length > 1 && base_random_below(&sim->random, 16) == 0) {
			length = 1 + base_random_below(&sim->random, length - 1);
			fin = false;
		}
		if (stream->is_server && stream->header_length < SIM_REQUEST_HEADER_BYTES)
			used = take_header(stream, octets, length);
		check_pattern(sim, stream, octets + used, length - used);
		quic_conn_stream_consume(conn, stream->id, length);
		if (fin)
			finish_reading(sim, conn, stream);
		else if (length == 0)
			return;
	}
}

static struct sim_stream *
stream_of(struct sim *sim, struct sim_node *node, const struct quic_event *event)
{
	struct sim_stream *stream = event->stream_user;

	if (stream != NULL)
		return stream;
	stream = new_stream(sim, event->conn, node->is_server ? NULL : quic_conn_user(event->conn),
		event->stream_id, node->is_server);
	/* A unidirectional stream of the server's is the answer to a request of ours. */
	if (!node->is_server) {
		stream->to_receive = sim->config.download_bytes;
		stream->begun_ns = stream->conn->connected_ns;
		stream->fin_sent = true;
	}
	quic_conn_stream_set_user(event->conn, event->stream_id, stream);
	return stream;
}

static void
send_datagrams(struct sim *sim, struct quic_conn *conn, struct sim_conn *state)
{
	while (state->datagrams_sent < sim->config.datagrams) {
		uint8_t octets[64];

		memset(octets, (int)state->datagrams_sent, sizeof(octets));
		if (!quic_conn_datagram_send(conn, octets, sizeof(octets)))
			return;
		state->datagrams_sent++;
	}
}

static void
on_datagram(struct sim *sim, struct sim_node *node, const struct quic_event *event)
{
	struct sim_conn *state;

	for (uint32_t i = 1; i < event->length; i++)
		if (event->octets[i] != event->octets[0])
			sim_fail(sim, "a DATAGRAM frame is not what was sent");
	if (node->is_server) {
		quic_conn_datagram_send(event->conn, event->octets, event->length);
		return;
	}
	state = quic_conn_user(event->conn);
	state->datagrams_back++;
}

static void
on_closed(struct sim *sim, struct sim_node *node, const struct quic_event *event)
{
	struct sim_conn *state;

	for (struct sim_stream *stream = sim->streams; stream != NULL; stream = stream->next)
		if (stream->is_server == node->is_server && stream->handle.slot == event->handle.slot &&
			stream->handle.generation == event->handle.generation)
			sim_lent_all_released(sim, stream);
	if (node->is_server) {
		sim->server_closed++;
		if (event->error_code != 0)
			sim->server_error = event->error_code;
		return;
	}
	state = quic_conn_user(event->conn);
	state->closed = true;
	state->error_code = event->error_code;
	state->timed_out = event->timed_out;
	state->closed_by_peer = event->closed_by_peer;
	sim->open_connections--;
}

void
sim_app_event(struct sim *sim, struct sim_node *node, const struct quic_event *event)
{
	struct sim_conn *state = node->is_server ? NULL : quic_conn_user(event->conn);

	switch (event->type) {
	case QUIC_EVENT_CONNECTED:
		if (state == NULL) {
			uint32_t number = sim_number(sim, &quic_conn_path(event->conn)->remote);

			if (number < SIM_CONNECTIONS_MAX)
				sim->connections[number].server = event->handle;
			break;
		}
		state->connected = true;
		state->connected_ns = sim->now_ns;
		open_requests(sim, event->conn, state);
		send_datagrams(sim, event->conn, state);
		break;
	case QUIC_EVENT_STREAMS_ALLOWED:
		if (state != NULL)
			open_requests(sim, event->conn, state);
		break;
	case QUIC_EVENT_STREAM_READABLE:
		if (node->is_server && sim->config.reads_late)
			stream_of(sim, node, event)->unread = true;
		else
			read_stream(sim, event->conn, stream_of(sim, node, event));
		break;
	case QUIC_EVENT_STREAM_WRITABLE:
		write_more(sim, event->conn, stream_of(sim, node, event));
		break;
	case QUIC_EVENT_STREAM_RELEASED:
		sim_lent_released(sim, event->stream_user, event->cookie);
		break;
	case QUIC_EVENT_STREAM_CLOSED:
		if (event->stream_user != NULL)
			sim_lent_all_released(sim, event->stream_user);
		break;
	case QUIC_EVENT_STREAM_RESET:
	case QUIC_EVENT_STREAM_STOPPED:
		sim_fail(sim, "stream %llu was given up", (unsigned long long)event->stream_id);
		break;
	case QUIC_EVENT_DATAGRAM:
		on_datagram(sim, node, event);
		break;
	case QUIC_EVENT_CLOSED:
		on_closed(sim, node, event);
		break;
	default:
		break;
	}
}

void
sim_app_read_late(struct sim *sim, struct sim_node *node)
{
	for (struct sim_stream *stream = sim->streams; stream != NULL; stream = stream->next) {
		struct quic_conn *conn;

		if (!stream->is_server || !stream->unread || base_random_below(&sim->random, 16) != 0)
			continue;
		conn = quic_endpoint_find(node->endpoint, stream->handle);
		if (conn == NULL || !quic_conn_is_open(conn))
			continue;
		stream->unread = false;
		read_stream(sim, conn, stream);
	}
}
