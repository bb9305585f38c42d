/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The packets sent in one packet number space and not yet acknowledged or declared lost, and what each
 * carried: RFC 9002 appendix A.1, RFC 9000 section 13.3. Nothing is kept as octets: a packet is a record of
 * 24 octets and 24 more for each frame that must be repeated or that somebody waits for, so that "these
 * frames were acknowledged" and "these were lost" can be told to their owners.
 *
 * Records are in chunks of QUIC_POOL_SENT in the order of packet numbers; a chunk goes back as soon as all
 * its packets are done with. Recorded are packets in flight. A packet with nothing but an ACK only takes its
 * number.
 */
#ifndef QUIC_SENT_H
#define QUIC_SENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

enum {
	QUIC_SENT_CHUNK_BYTES = 2048, /* element of QUIC_POOL_SENT */
	QUIC_SENT_FRAMES_MAX = 16,    /* recorded frames in one packet */
};

enum quic_sent_type {
	QUIC_SENT_STREAM,               /* id, offset, length, fin */
	QUIC_SENT_CRYPTO,               /* offset, length */
	QUIC_SENT_ACK,                  /* offset: Largest Acknowledged */
	QUIC_SENT_RESET_STREAM,         /* id */
	QUIC_SENT_STOP_SENDING,         /* id */
	QUIC_SENT_MAX_DATA,             /* offset: the limit */
	QUIC_SENT_MAX_STREAM_DATA,      /* id; offset: the limit */
	QUIC_SENT_MAX_STREAMS_BIDI,     /* offset: the limit */
	QUIC_SENT_MAX_STREAMS_UNI,      /* offset: the limit */
	QUIC_SENT_DATA_BLOCKED,         /* offset: the limit */
	QUIC_SENT_STREAM_DATA_BLOCKED,  /* id; offset: the limit */
	QUIC_SENT_STREAMS_BLOCKED_BIDI, /* offset: the limit */
	QUIC_SENT_STREAMS_BLOCKED_UNI,  /* offset: the limit */
	QUIC_SENT_NEW_CONNECTION_ID,    /* id: the sequence number */
	QUIC_SENT_RETIRE_CONNECTION_ID, /* id: the sequence number */
	QUIC_SENT_PATH_CHALLENGE,       /* id: which path, as the owner counts */
	QUIC_SENT_PATH_RESPONSE,
	QUIC_SENT_NEW_TOKEN,
	QUIC_SENT_HANDSHAKE_DONE,
	QUIC_SENT_PING,
	QUIC_SENT_DATAGRAM,  /* id: as the owner counts */
	QUIC_SENT_MTU_PROBE, /* offset: octets of the datagram */
	QUIC_SENT_TYPE_COUNT
};

struct quic_sent_frame {
	uint64_t id;
	uint64_t offset;
	uint32_t length;
	uint8_t type; /* enum quic_sent_type */
	bool fin;
};

enum quic_sent_flag {
	QUIC_SENT_ACK_ELICITING = 1 << 0,
	QUIC_SENT_ECT = 1 << 1,      /* left with ECT(0) */
	QUIC_SENT_PROBE = 1 << 2,    /* MTU probe: its loss is not congestion (RFC 9000 section 14.4) */
	QUIC_SENT_REPORTED = 1 << 3, /* sent.c's own: quic_sent_next_done() has given it */
};

enum quic_sent_state { QUIC_SENT_IN_FLIGHT, QUIC_SENT_ACKED, QUIC_SENT_LOST };

struct quic_sent_packet {
	uint64_t packet_number;
	uint64_t time_ns;
	uint16_t bytes;    /* of the UDP payload, this packet's part */
	uint16_t sequence; /* counts records, modulo 2^16: tells whether two are neighbours */
	uint8_t flags;     /* enum quic_sent_flag */
	uint8_t state;     /* enum quic_sent_state */
	uint8_t first_frame;
	uint8_t frame_count;
};

struct quic_sent_chunk;

/* A record's place. */
struct quic_sent_cursor {
	struct quic_sent_chunk *chunk;
	uint32_t index;
};

struct quic_sent {
	struct quic_sent_chunk *first;
	struct quic_sent_chunk *last;
	struct quic_sent_chunk *report; /* no chunk before this one has anything to report or to sweep */
	struct quic_sent_cursor done;   /* where quic_sent_next_done() goes on */
	uint64_t next_packet_number;
	uint64_t skipped;    /* a number left out on purpose (RFC 9000 section 21.4); UINT64_MAX: none */
	uint32_t in_flight;  /* packets */
	uint32_t eliciting;  /* ack-eliciting packets in flight */
	uint32_t touched;    /* chunks marked since the last sweep */
	uint32_t unreported; /* packets acknowledged or lost that quic_sent_next_done() has yet to give */
	uint16_t sequence;
	uint16_t until_skip; /* numbers to take before the next one is left out; 0: not drawn yet */
};

void quic_sent_init(struct quic_sent *sent);
/* Gives all chunks back, whatever is in flight: keys discarded or connection over. */
void quic_sent_fini(struct quic_sent *sent, struct base_pool *pool);

/*
 * Room for one more record with QUIC_SENT_FRAMES_MAX frames. False when the pool is empty: then do not send.
 */
bool quic_sent_reserve(struct quic_sent *sent, struct base_pool *pool);
/* The next packet number, taken. */
uint64_t quic_sent_take_number(struct quic_sent *sent);
/* Leaves the next number out; an ACK of it is a PROTOCOL_VIOLATION. */
void quic_sent_skip_number(struct quic_sent *sent);
/*
 * Records a packet that counts as in flight, after quic_sent_reserve(). packet_number, time_ns, bytes, flags
 * and frame_count are the caller's; numbers ascend.
 */
void quic_sent_record(
	struct quic_sent *sent, const struct quic_sent_packet *packet, const struct quic_sent_frame *frames);

/*
 * The next packet that quic_loss_* found acknowledged or lost, in the order sent, with its frames; NULL when
 * there are no more. Frames and packet are valid until quic_sent_sweep(); frames are NULL when it has none.
 */
const struct quic_sent_packet *quic_sent_next_done(
	struct quic_sent *sent, const struct quic_sent_frame **frames);
/*
 * Gives chunks back whose packets have all been reported, after quic_sent_next_done() gave NULL, and what was
 * reserved and not used.
 */
void quic_sent_sweep(struct quic_sent *sent, struct base_pool *pool);
/* Gives what was reserved and not used back: an idle connection holds nothing. */
void quic_sent_trim(struct quic_sent *sent, struct base_pool *pool);

/*
 * The oldest packet in flight that is ack-eliciting, with its frames: what a PTO probe should repeat; NULL:
 * none.
 */
const struct quic_sent_packet *quic_sent_oldest(
	const struct quic_sent *sent, const struct quic_sent_frame **frames);
/*
 * Declares everything in flight lost without a loss event (0-RTT rejected, Retry, RFC 9002 section 6.2.3 a
 * probe that repeats all): quic_sent_next_done() reports it. Returns the bytes.
 */
uint64_t quic_sent_forget_all(struct quic_sent *sent);
/* Bytes in flight of this space. Walks the records: for discarding a space and for tests. */
uint64_t quic_sent_bytes_in_flight(const struct quic_sent *sent);
void quic_sent_check(const struct quic_sent *sent);

/* ---- for loss.c: the records themselves ---- */

/*
 * The first record at or above the packet number, searched from the cursor (chunk NULL: the oldest);
 * NULL: none.
 */
struct quic_sent_packet *quic_sent_find(
	const struct quic_sent *sent, struct quic_sent_cursor *cursor, uint64_t packet_number);
struct quic_sent_packet *quic_sent_following(struct quic_sent_cursor *cursor);
/* Marks a packet in flight as acknowledged or lost. */
void quic_sent_mark(struct quic_sent *sent, struct quic_sent_cursor *cursor, enum quic_sent_state state);

#endif
