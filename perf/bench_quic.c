/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hot functions of lib/quic and base/wheel.h, one by one, in bursts of 32: medians over rounds, in ns per operation, everything warm. What
 * they cost together, and cold, is bench_wire.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/datagram.h"
#include "base/time.h"
#include "base/wheel.h"
#include "drivers/crypto/ipsec_mb.h"
#include "quic/ack.h"
#include "quic/conn_id.h"
#include "quic/frame.h"
#include "quic/loss.h"
#include "quic/packet.h"
#include "quic/sent.h"
#include "quic/stream_set.h"

enum {
	BURST = 32,
	ROUNDS = 301,
	BURSTS_PER_ROUND = 32,
	DATAGRAM = 1400,
	STREAM_OCTETS = 1340,
	ACK_EVERY = 8, /* packets */
	NODES = 4096,
	CHUNKS = 4096,
	SEGMENTS = 64,
	STREAMS = 16,
};

struct bench {
	struct base_pool *chunks;
	struct base_pool *streams;
	struct base_pool *sent_chunks;
	uint64_t now_ns;
	uint64_t sink;
	uint8_t packets[BURST][DATAGRAM]; /* 1-RTT headers in front of a STREAM frame */
	uint8_t acks[BURST][64];
	size_t ack_length;
	uint8_t octets[STREAM_OCTETS];
	uint8_t room[DATAGRAM];
	struct quic_ack ack;
	uint64_t received;
	struct quic_sent sent;
	struct quic_loss loss;
	struct quic_rtt rtt;
	struct quic_memory memory;
	struct quic_segment segments[SEGMENTS];
	struct quic_limits limits;
	struct quic_stream_set set;
	struct quic_conn_id_codec codec;
	struct quic_cid ids[BURST];
	struct base_wheel wheel;
	struct base_wheel_node nodes[NODES];
	uint32_t next_node;
};

typedef void operation(struct bench *bench);

static uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * BASE_SECOND + (uint64_t)now.tv_nsec;
}

/* ---- headers and frames ---- */

enum { HEADER_BYTES = 1 + QUIC_CONN_ID_SEALED_BYTES + 2 };

static struct quic_frame
stream_frame(const struct bench *bench, unsigned number)
{
	return (struct quic_frame){.type = QUIC_FRAME_STREAM,
		.stream = {.stream_id = 4 * (uint64_t)number,
			.offset = UINT64_C(1) << 20,
			.octets = bench->octets,
			.length = STREAM_OCTETS}};
}

static void
open_packets(struct bench *bench)
{
	struct base_range ranges[3] = {{100, 200}, {210, 220}, {230, 1000}};
	struct base_ranges set = {.ranges = ranges, .count = 3, .capacity = 3};

	for (unsigned i = 0; i < BURST; i++) {
		struct base_writer writer =
			base_writer(bench->packets[i] + HEADER_BYTES, DATAGRAM - HEADER_BYTES);
		struct quic_frame frame = stream_frame(bench, i);

		bench->packets[i][0] = 0x41;
		memcpy(bench->packets[i] + 1, bench->ids[i].octets, QUIC_CONN_ID_SEALED_BYTES);
		base_assert(quic_frame_write(&writer, &frame));
		writer = base_writer(bench->acks[i], sizeof(bench->acks[i]));
		base_assert(quic_frame_write_ack(&writer, &set, 10, NULL));
		bench->ack_length = base_writer_length(&writer);
	}
}

static void
parse_packets(struct bench *bench)
{
	struct quic_packet packet;

	for (unsigned i = 0; i < BURST; i++) {
		base_assert(quic_packet_parse(bench->packets[i], DATAGRAM, QUIC_CONN_ID_SEALED_BYTES,
				    &packet) == QUIC_PACKET_PARSED);
		bench->sink += packet.packet_number_offset;
	}
}

static void
parse_stream_frames(struct bench *bench)
{
	struct quic_frame frame;
	uint64_t type;

	for (unsigned i = 0; i < BURST; i++) {
		struct base_reader reader =
			base_reader(bench->packets[i] + HEADER_BYTES, DATAGRAM - HEADER_BYTES);

		base_assert(quic_frame_parse(&reader, QUIC_PACKET_ONE_RTT, &frame, &type) == 0);
		bench->sink += frame.stream.length;
	}
}

static void
parse_ack_frames(struct bench *bench)
{
	struct quic_frame frame;
	uint64_t type;

	for (unsigned i = 0; i < BURST; i++) {
		struct base_reader reader = base_reader(bench->acks[i], bench->ack_length);

		base_assert(quic_frame_parse(&reader, QUIC_PACKET_ONE_RTT, &frame, &type) == 0);
		bench->sink += type;
	}
}

/* The room for the octets is left to be filled in, as in sending. */
static void
write_stream_frames(struct bench *bench)
{
	for (unsigned i = 0; i < BURST; i++) {
		struct base_writer writer = base_writer(bench->room, DATAGRAM);
		struct quic_frame frame = stream_frame(bench, i);

		frame.stream.octets = NULL;
		base_assert(quic_frame_write(&writer, &frame));
		bench->sink += base_writer_length(&writer);
	}
}

static void
write_headers(struct bench *bench)
{
	uint8_t *at;

	for (unsigned i = 0; i < BURST; i++) {
		struct base_writer writer = base_writer(bench->room, DATAGRAM);
		struct quic_header header = {.type = QUIC_PACKET_ONE_RTT,
			.dcid = bench->ids[i],
			.packet_number = 1000 + i,
			.packet_number_length = 2};

		base_assert(quic_header_write(&writer, &header, &at));
		bench->sink += (uint64_t)(at - bench->room);
	}
}

static void
decode_ids(struct bench *bench)
{
	const uint8_t *ids[BURST];
	struct quic_conn_id_fields fields[BURST];
	enum quic_conn_id_result results[BURST];

	for (unsigned i = 0; i < BURST; i++)
		ids[i] = bench->packets[i] + 1;
	quic_conn_id_decode(&bench->codec, ids, fields, results, BURST);
	for (unsigned i = 0; i < BURST; i++)
		base_assert(results[i] == QUIC_CONN_ID_OURS && fields[i].slot == i);
}

/* ---- acknowledging ---- */

static void
receive_in_order(struct bench *bench)
{
	for (unsigned i = 0; i < BURST; i++) {
		base_assert(!quic_ack_is_duplicate(&bench->ack, bench->received));
		quic_ack_on_received(&bench->ack, bench->chunks, bench->received++, true, BASE_ECN_ECT_0,
			bench->now_ns, 25 * BASE_MS);
		if (i % ACK_EVERY == 0)
			quic_ack_on_sent(&bench->ack);
	}
}

/* Reserved, numbered, recorded with one frame, acknowledged by eights, reported, swept. */
static void
send_and_acknowledge(struct bench *bench)
{
	struct quic_sent_frame frame = {.type = QUIC_SENT_STREAM, .id = 4, .length = STREAM_OCTETS};

	for (unsigned i = 0; i < BURST; i++) {
		struct quic_sent_packet packet = {.bytes = DATAGRAM,
			.flags = QUIC_SENT_ACK_ELICITING,
			.frame_count = 1,
			.time_ns = bench->now_ns};

		base_assert(quic_sent_reserve(&bench->sent, bench->sent_chunks));
		packet.packet_number = quic_sent_take_number(&bench->sent);
		quic_sent_record(&bench->sent, &packet, &frame);
		quic_loss_on_sent(&bench->loss, &packet);
		if (i % ACK_EVERY == ACK_EVERY - 1) {
			struct base_range range = {
				packet.packet_number + 1 - ACK_EVERY, packet.packet_number + 1};
			const struct quic_sent_frame *frames;
			struct quic_loss_ack ack;

			quic_loss_ack_begin(&ack, &bench->sent, packet.packet_number);
			quic_loss_ack_range(&ack, &bench->sent, range);
			quic_loss_ack_end(&ack, &bench->loss, &bench->sent, &bench->rtt, 0, 25 * BASE_MS,
				true, bench->now_ns + BASE_MS);
			while (quic_sent_next_done(&bench->sent, &frames) != NULL)
				bench->sink += frames->length;
			quic_sent_sweep(&bench->sent, bench->sent_chunks);
		}
	}
	bench->now_ns += BASE_MS;
}

/* ---- streams ---- */

static void
open_streams(struct bench *bench)
{
	static const struct quic_stream_peer_limits limits = {.max_data = BASE_VARINT_MAX,
		.max_stream_data_bidi_remote = BASE_VARINT_MAX,
		.max_streams_bidi = STREAMS};

	quic_memory_init(
		&bench->memory, bench->chunks, bench->streams, bench->segments, SEGMENTS, CHUNKS / 2);
	bench->limits = quic_limits_default();
	quic_stream_set_init(&bench->set, QUIC_CLIENT, &bench->limits);
	quic_stream_set_peer_limits(&bench->set, &limits);
	for (unsigned i = 0; i < STREAMS; i++) {
		uint64_t id;

		base_assert(quic_stream_set_open(&bench->set, &bench->memory, true, &id));
		quic_stream_set_priority(&bench->set, id, 3, true);
		/* No octet is read: none is copied. */
		base_assert(quic_stream_set_write_static(
			&bench->set, &bench->memory, id, bench->octets, UINT64_C(1) << 40, false, 0));
	}
}

/* Whose turn it is, what of it, charged, acknowledged: sixteen streams in turn. */
static void
send_from_streams(struct bench *bench)
{
	for (unsigned i = 0; i < BURST; i++) {
		struct quic_stream *stream = quic_stream_set_next_to_send(&bench->set);
		struct quic_sent_frame frame = {.type = QUIC_SENT_STREAM};
		struct quic_send_piece piece;

		base_assert(
			stream != NULL && quic_stream_set_piece(&bench->set, stream, STREAM_OCTETS, &piece));
		quic_stream_set_on_sent(&bench->set, stream, &piece);
		frame.id = stream->id;
		frame.offset = piece.offset;
		frame.length = (uint32_t)piece.length;
		quic_stream_set_on_acked(&bench->set, &bench->memory, &frame);
	}
}

/* Copied in, copied out to a packet, acknowledged: what an answer that is no file costs. */
static void
write_and_copy(struct bench *bench)
{
	for (unsigned i = 0; i < BURST; i++) {
		struct quic_send_buffer buffer;

		quic_send_buffer_init(&buffer);
		quic_send_buffer_write(&buffer, &bench->memory, bench->octets, STREAM_OCTETS, 1 << 20);
		quic_send_buffer_copy(&buffer, 0, bench->room, STREAM_OCTETS);
		quic_send_buffer_discard(&buffer, &bench->memory);
	}
}

/* ---- timers ---- */

static void
arm_again(struct bench *bench)
{
	for (unsigned i = 0; i < BURST; i++) {
		struct base_wheel_node *node = &bench->nodes[bench->next_node++ % NODES];

		base_wheel_arm(&bench->wheel, node, bench->now_ns + 30 * BASE_SECOND + i * BASE_MS);
	}
}

static void
arm_and_expire(struct bench *bench)
{
	uint32_t budget = 1000;
	unsigned fired = 0;

	for (unsigned i = 0; i < BURST; i++)
		base_wheel_arm(&bench->wheel, &bench->nodes[i], bench->now_ns + BASE_MS);
	bench->now_ns += 2 * BASE_MS;
	while (base_wheel_expire(&bench->wheel, bench->now_ns, &budget) != NULL)
		fired++;
	bench->sink += fired;
}

/* ---- running ---- */

static void
open_ids(struct bench *bench)
{
	struct quic_conn_id_config config = {.gateway = 1, .epoch = 1, .key = {1}, .reset_key = {2}};
	void *memory = aligned_alloc(64, (crypto_ipsec_mb_bytes() + 63) / 64 * 64);
	struct crypto_backend *crypto =
		memory != NULL ? crypto_ipsec_mb_open(memory, CRYPTO_IPSEC_MB_AUTO) : NULL;

	if (crypto == NULL) {
		fprintf(stderr, "bench_quic: this CPU lacks what IPsec-MB needs\n");
		exit(1);
	}
	quic_conn_id_codec_init(&bench->codec, crypto, &config);
	for (uint32_t i = 0; i < BURST; i++)
		quic_conn_id_encode(&bench->codec,
			&(struct quic_conn_id_fields){.gateway = 1, .epoch = 1, .slot = i}, &bench->ids[i]);
}

static void
open_all(struct bench *bench)
{
	bench->now_ns = BASE_SECOND;
	bench->chunks = base_pool_open(NULL, QUIC_CHUNK_BYTES, CHUNKS);
	bench->streams = base_pool_open(NULL, sizeof(struct quic_stream), STREAMS);
	bench->sent_chunks = base_pool_open(NULL, QUIC_SENT_CHUNK_BYTES, 64);
	open_ids(bench);
	open_packets(bench);
	quic_ack_init(&bench->ack, 2);
	quic_sent_init(&bench->sent);
	quic_loss_init(&bench->loss);
	quic_rtt_init(&bench->rtt, 100 * BASE_MS);
	open_streams(bench);
	base_wheel_init(&bench->wheel, bench->now_ns);
	for (unsigned i = 0; i < NODES; i++)
		base_wheel_node_init(&bench->nodes[i]);
}

static int
compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static void
measure(struct bench *bench, const char *name, operation *run)
{
	static double rounds[ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t start_ns = clock_ns();

		for (unsigned i = 0; i < BURSTS_PER_ROUND; i++)
			run(bench);
		rounds[round] = (double)(clock_ns() - start_ns) / (BURSTS_PER_ROUND * BURST);
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	printf("quic %-46s %6.1f ns\n", name, rounds[ROUNDS / 2]);
}

int
main(void)
{
	static struct bench bench;

	open_all(&bench);
	measure(&bench, "parse a 1-RTT header", parse_packets);
	measure(&bench, "decode a connection ID", decode_ids);
	measure(&bench, "parse a STREAM frame", parse_stream_frames);
	measure(&bench, "parse an ACK frame of three ranges", parse_ack_frames);
	measure(&bench, "duplicate? and on_received, in order", receive_in_order);
	measure(&bench, "write a 1-RTT header", write_headers);
	measure(&bench, "write a STREAM frame, octets left out", write_stream_frames);
	measure(&bench, "stream: next, piece, on_sent, on_acked", send_from_streams);
	measure(&bench, "send buffer: 1,340 octets in, out, given back", write_and_copy);
	measure(&bench, "sent packet: record, acknowledge, report", send_and_acknowledge);
	measure(&bench, "wheel: arm again, 30 s ahead", arm_again);
	measure(&bench, "wheel: arm and expire", arm_and_expire);
	return bench.sink == 0;
}
