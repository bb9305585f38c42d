/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames: RFC 9000 section 19 and DATAGRAM, RFC 9221. A frame is parsed in place into a tagged struct: octets
 * stay in the packet. quic_frame_write() is the way back, for every frame; ACK is written from ranges.
 */
#ifndef QUIC_FRAME_H
#define QUIC_FRAME_H

#include "base/ranges.h"
#include "base/reader.h"
#include "base/writer.h"
#include "quic/error.h"
#include "quic/packet.h"

enum quic_frame_type {
	QUIC_FRAME_PADDING = 0x00,
	QUIC_FRAME_PING = 0x01,
	QUIC_FRAME_ACK = 0x02,
	QUIC_FRAME_ACK_ECN = 0x03,
	QUIC_FRAME_RESET_STREAM = 0x04,
	QUIC_FRAME_STOP_SENDING = 0x05,
	QUIC_FRAME_CRYPTO = 0x06,
	QUIC_FRAME_NEW_TOKEN = 0x07,
	QUIC_FRAME_STREAM = 0x08, /* 0x08 to 0x0f on the wire; parsed frames always have 0x08 here */
	QUIC_FRAME_MAX_DATA = 0x10,
	QUIC_FRAME_MAX_STREAM_DATA = 0x11,
	QUIC_FRAME_MAX_STREAMS_BIDI = 0x12,
	QUIC_FRAME_MAX_STREAMS_UNI = 0x13,
	QUIC_FRAME_DATA_BLOCKED = 0x14,
	QUIC_FRAME_STREAM_DATA_BLOCKED = 0x15,
	QUIC_FRAME_STREAMS_BLOCKED_BIDI = 0x16,
	QUIC_FRAME_STREAMS_BLOCKED_UNI = 0x17,
	QUIC_FRAME_NEW_CONNECTION_ID = 0x18,
	QUIC_FRAME_RETIRE_CONNECTION_ID = 0x19,
	QUIC_FRAME_PATH_CHALLENGE = 0x1a,
	QUIC_FRAME_PATH_RESPONSE = 0x1b,
	QUIC_FRAME_CONNECTION_CLOSE = 0x1c,
	QUIC_FRAME_CONNECTION_CLOSE_APPLICATION = 0x1d,
	QUIC_FRAME_HANDSHAKE_DONE = 0x1e,
	QUIC_FRAME_DATAGRAM = 0x30, /* 0x31 with length on the wire; parsed frames always have 0x30 here */
};

/* One row of RFC 9000 table 3. */
struct quic_frame_rule {
	const char *name;
	uint8_t packets;            /* bit (1 << enum quic_packet_type) */
	bool ack_eliciting;         /* not marked N */
	bool congestion_controlled; /* not marked C */
	bool probing;               /* marked P */
	bool flow_controlled;       /* marked F */
};

/* The row of a type as it is on the wire, or NULL for a type that nobody defined. */
const struct quic_frame_rule *quic_frame_rule(uint64_t type);

struct quic_ecn_counts {
	uint64_t ect0;
	uint64_t ect1;
	uint64_t ce;
};

struct quic_frame_ack {
	uint64_t largest_acked;
	uint64_t ack_delay; /* as sent: to be shifted by the sender's ack_delay_exponent, in microseconds */
	uint64_t first_range;
	uint64_t range_count;  /* after the first */
	const uint8_t *ranges; /* checked by the parser */
	size_t ranges_length;
	struct quic_ecn_counts ecn; /* type ACK_ECN */
};

struct quic_frame_stream { /* and CRYPTO, without stream_id and fin */
	uint64_t stream_id;
	uint64_t offset;
	const uint8_t *octets;
	size_t length;
	bool fin;
	bool to_the_end; /* written without length: the last frame of its packet. STREAM and DATAGRAM */
};

/* Which member holds is said by `type`; frames without fields have none. */
struct quic_frame {
	enum quic_frame_type type;
	union {
		size_t padding_length; /* a run of PADDING is one frame here */
		struct quic_frame_ack ack;
		struct {
			uint64_t stream_id, code, final_size;
		} reset_stream;
		struct {
			uint64_t stream_id, code;
		} stop_sending;
		struct quic_frame_stream stream; /* STREAM, CRYPTO, DATAGRAM (octets and length) */
		struct {
			const uint8_t *octets;
			size_t length;
		} new_token;
		/* MAX_DATA, MAX_STREAM_DATA, MAX_STREAMS and the three BLOCKED: stream_id where there is one */
		struct {
			uint64_t stream_id, maximum;
		} limit;
		struct {
			uint64_t sequence, retire_prior_to;
			struct quic_cid cid;
			uint8_t reset_token[QUIC_RESET_TOKEN_BYTES];
		} new_connection_id;
		struct {
			uint64_t sequence;
		} retire_connection_id;
		uint8_t path_data[QUIC_PATH_DATA_BYTES];
		struct {
			uint64_t code, frame_type;
			const uint8_t *reason;
			size_t reason_length;
		} close;
	};
};

/*
 * Parses the next frame of a packet's payload; the reader stands after it. QUIC_NO_ERROR, FRAME_ENCODING_ERROR
 * or PROTOCOL_VIOLATION (not allowed in this packet type, type not in its shortest encoding). On error *type is
 * the frame type for CONNECTION_CLOSE, 0 when unknown. An empty payload is the caller's to refuse (12.4).
 */
uint64_t quic_frame_parse(struct base_reader *reader, enum quic_packet_type packet_type,
	struct quic_frame *frame, uint64_t *type);

/* Walks the ranges of an ACK frame downwards, as half-open ranges. */
struct quic_ack_ranges {
	struct base_reader reader;
	uint64_t left;
	uint64_t end;    /* one above the next range's largest */
	uint64_t length; /* of the next range */
};

void quic_ack_ranges_begin(struct quic_ack_ranges *walk, const struct quic_frame_ack *ack);
bool quic_ack_ranges_next(struct quic_ack_ranges *walk, struct base_range *range);

/* Octets that quic_frame_write() takes. */
size_t quic_frame_size(const struct quic_frame *frame);
/* Writes any frame but ACK; false, with the writer at its old place, when it does not fit. Where octets at the
 * end of a frame are NULL their room is left for the caller to fill in. */
bool quic_frame_write(struct base_writer *writer, const struct quic_frame *frame);
/*
 * Writes an ACK of the ranges, highest first, as many as fit; `ecn` may be NULL. False, with the writer at its
 * old place, when not even the highest fits. `ack_delay` is scaled already.
 */
bool quic_frame_write_ack(struct base_writer *writer, const struct base_ranges *ranges, uint64_t ack_delay,
	const struct quic_ecn_counts *ecn);
/* Octets in front of the data of a STREAM (stream_id and offset) or CRYPTO frame (offset) with a length field
 * for `length` octets. */
size_t quic_frame_stream_overhead(uint64_t stream_id, uint64_t offset, size_t length);
size_t quic_frame_crypto_overhead(uint64_t offset, size_t length);

#endif
