/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DATAGRAM frames to send, RFC 9221: a queue of chunks. */
#include "base/assert.h"
#include "quic/conn_send.h"

enum {
	LENGTH_BYTES = 2,
	FRAME_OVERHEAD_BYTES = 1 + 2,
	PACKET_OVERHEAD_BYTES = 1 + QUIC_CID_MAX_BYTES + 4 + 16
};

size_t
quic_conn_datagram_room(const struct quic_conn *conn)
{
	size_t most = conn->datagram_bytes - PACKET_OVERHEAD_BYTES;

	if (!conn->handshake_complete || conn->peer_datagram_bytes <= FRAME_OVERHEAD_BYTES)
		return 0;
	if (most > conn->peer_datagram_bytes)
		most = conn->peer_datagram_bytes;
	return most - FRAME_OVERHEAD_BYTES;
}

bool
quic_conn_datagram_send(struct quic_conn *conn, const uint8_t *octets, size_t length)
{
	struct quic_datagram_queue *queue = conn->datagrams;
	struct quic_datagram_queue **link = &conn->datagrams;

	if (conn->state != QUIC_CONN_OPEN || length > quic_conn_datagram_room(conn) ||
		conn->datagram_count >= conn->endpoint->limits.datagrams_queued)
		return false;
	while (queue != NULL && queue->next != NULL)
		queue = queue->next;
	if (queue != NULL)
		link = &queue->next;
	if (queue == NULL || sizeof(queue->octets) - queue->end < LENGTH_BYTES + length) {
		queue = (struct quic_datagram_queue *)(void *)quic_memory_take(&conn->endpoint->memory);
		if (queue == NULL)
			return false;
		queue->next = NULL;
		queue->first = queue->end = 0;
		*link = queue;
	}
	queue->octets[queue->end] = (uint8_t)(length >> 8);
	queue->octets[queue->end + 1] = (uint8_t)length;
	if (length > 0)
		memcpy(queue->octets + queue->end + LENGTH_BYTES, octets, length);
	queue->end += (uint16_t)(LENGTH_BYTES + length);
	conn->datagram_count++;
	quic_conn_set_ready(conn);
	return true;
}

bool
quic_conn_datagram_front(const struct quic_conn *conn, const uint8_t **octets, uint16_t *length)
{
	const struct quic_datagram_queue *queue = conn->datagrams;

	if (queue == NULL)
		return false;
	base_assert(queue->first < queue->end);
	*length = (uint16_t)(queue->octets[queue->first] << 8 | queue->octets[queue->first + 1]);
	*octets = queue->octets + queue->first + LENGTH_BYTES;
	return true;
}

void
quic_conn_datagram_pop(struct quic_conn *conn)
{
	struct quic_datagram_queue *queue = conn->datagrams;
	const uint8_t *octets;
	uint16_t length;

	if (!quic_conn_datagram_front(conn, &octets, &length))
		return;
	queue->first += (uint16_t)(LENGTH_BYTES + length);
	conn->datagram_count--;
	if (queue->first < queue->end)
		return;
	conn->datagrams = queue->next;
	quic_memory_give(&conn->endpoint->memory, (struct quic_chunk *)(void *)queue);
}
