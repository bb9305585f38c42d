/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The small words that every module of lib/quic shares: roles, packet number spaces, a connection ID as it is
 * held in memory, and the sizes that RFC 9000 fixes.
 */
#ifndef QUIC_CONSTANTS_H
#define QUIC_CONSTANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	QUIC_CID_MAX_BYTES = 20,            /* RFC 9000 section 17.2 */
	QUIC_INITIAL_DCID_MIN_BYTES = 8,    /* RFC 9000 section 7.2 */
	QUIC_DATAGRAM_MIN_BYTES = 1200,     /* RFC 9000 section 14 */
	QUIC_RESET_TOKEN_BYTES = 16,        /* RFC 9000 section 10.3 */
	QUIC_PATH_DATA_BYTES = 8,           /* RFC 9000 section 19.17 */
	QUIC_AEAD_TAG_BYTES = 16,           /* RFC 9001 section 5.3 */
	QUIC_HEADER_SAMPLE_BYTES = 16,      /* RFC 9001 section 5.4.2 */
	QUIC_PACKET_NUMBER_MAX_BYTES = 4,   /* RFC 9000 section 17.1 */
	QUIC_ANTI_AMPLIFICATION_FACTOR = 3, /* RFC 9000 section 8.1 */
};

/* Connection IDs of a peer that are stored: the one in use and the one that is next. A simulator has clients that take more. */
#ifndef QUIC_PEER_IDS
#define QUIC_PEER_IDS 2
#endif

#define QUIC_PACKET_NUMBER_MAX ((UINT64_C(1) << 62) - 1)
#define QUIC_STREAMS_MAX (UINT64_C(1) << 60) /* RFC 9000 section 19.11 */

enum quic_role { QUIC_CLIENT, QUIC_SERVER };

enum quic_packet_number_space {
	QUIC_SPACE_INITIAL,
	QUIC_SPACE_HANDSHAKE,
	QUIC_SPACE_APPLICATION,
	QUIC_SPACE_COUNT
};

struct quic_cid {
	uint8_t length;
	uint8_t octets[QUIC_CID_MAX_BYTES];
};

/* A copy of `length` octets, at most QUIC_CID_MAX_BYTES. */
static inline struct quic_cid
quic_cid(const void *octets, size_t length)
{
	struct quic_cid cid = {.length = (uint8_t)length};

	if (length > 0)
		memcpy(cid.octets, octets, length);
	return cid;
}

static inline bool
quic_cid_equal(const struct quic_cid *a, const struct quic_cid *b)
{
	return a->length == b->length && memcmp(a->octets, b->octets, a->length) == 0;
}

/* RFC 9000 section 2.1: the two lowest bits of a stream ID. */
static inline bool
quic_stream_is_server_initiated(uint64_t stream_id)
{
	return (stream_id & 1) != 0;
}

static inline bool
quic_stream_is_unidirectional(uint64_t stream_id)
{
	return (stream_id & 2) != 0;
}

#endif
