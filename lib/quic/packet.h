/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet headers: RFC 8999 (invariants) and RFC 9000 section 17. Parsing is in place, one packet of a datagram
 * at a time, and looks only at what header protection leaves readable; packet number, reserved bits and key
 * phase are read once the mask is off. Nothing here sees a connection or a key.
 */
#ifndef QUIC_PACKET_H
#define QUIC_PACKET_H

#include "base/reader.h"
#include "base/writer.h"
#include "quic/constants.h"

#define QUIC_VERSION_NEGOTIATION UINT32_C(0)
#define QUIC_VERSION_1 UINT32_C(1)

enum quic_packet_type {
	QUIC_PACKET_INITIAL,
	QUIC_PACKET_ZERO_RTT,
	QUIC_PACKET_HANDSHAKE,
	QUIC_PACKET_RETRY,
	QUIC_PACKET_ONE_RTT,
	QUIC_PACKET_VERSION_NEGOTIATION,
	QUIC_PACKET_TYPE_COUNT
};

/* What differs between versions on the wire; one row per version that we speak. Salts and labels are
 * lib/crypto's. */
struct quic_version {
	uint32_t number;
	uint8_t long_type[4]; /* the two type bits of Initial, 0-RTT, Handshake, Retry */
};

/* The row of `number`, or NULL for a version we do not speak. */
const struct quic_version *quic_version_find(uint32_t number);
/* Versions that we speak, best first; writes the count. */
const struct quic_version *quic_versions(size_t *count);

/* Why a packet was not parsed: it is dropped under this reason, and with it, but for NO_SAMPLE, the rest of
 * the datagram. */
enum quic_packet_result {
	QUIC_PACKET_PARSED,
	QUIC_PACKET_TRUNCATED,       /* a field, or what Length says, is not there */
	QUIC_PACKET_CID_TOO_LONG,    /* above 20 octets in a version we speak */
	QUIC_PACKET_NO_SAMPLE,       /* too short to be unprotected (RFC 9001 section 5.4.2); length is set */
	QUIC_PACKET_UNKNOWN_VERSION, /* version, dcid, scid are set: version negotiation may be due */
	QUIC_PACKET_RESULT_COUNT
};

struct quic_packet {
	uint8_t *octets; /* the first octet of the packet */
	size_t length;   /* the whole packet; the next one of the datagram follows it */
	enum quic_packet_type type;
	bool long_header;
	bool fixed_bit; /* RFC 9000 section 17: when false, discard, unless the bit is greased (RFC 9287) */
	uint8_t dcid_length;
	uint8_t scid_length;
	uint32_t version; /* long headers only */
	const uint8_t *dcid;
	const uint8_t *scid;  /* long headers only */
	const uint8_t *token; /* Initial; Retry: the Retry Token */
	size_t token_length;
	const uint8_t *rest; /* Version Negotiation: the versions; Retry: the integrity tag (16) */
	size_t rest_length;
	size_t packet_number_offset; /* from octets; 0 for Retry and Version Negotiation */
};

/*
 * Parses the packet at the front of `octets`. A short header's destination connection ID has
 * `short_dcid_length` octets. A packet that passes has, if protected, room for packet number and sample, that
 * is at least 20 octets from packet_number_offset on.
 */
enum quic_packet_result quic_packet_parse(
	uint8_t *octets, size_t length, size_t short_dcid_length, struct quic_packet *packet);
/* The space of a type that has packet numbers. */
enum quic_packet_number_space quic_packet_space(enum quic_packet_type type);

/* RFC 9000 section 17.2, 17.3: after unprotection and opening, reserved bits that are not zero are a
 * PROTOCOL_VIOLATION. */
static inline bool
quic_packet_reserved_bits_zero(uint8_t first)
{
	return (first & ((first & 0x80) != 0 ? 0x0c : 0x18)) == 0;
}

/* The bits of an unprotected first octet. */
static inline size_t
quic_packet_number_length_of(uint8_t first)
{
	return (size_t)(first & 0x03) + 1;
}

static inline bool
quic_packet_key_phase(uint8_t first)
{
	return (first & 0x04) != 0;
}

static inline bool
quic_packet_spin_bit(uint8_t first)
{
	return (first & 0x20) != 0;
}

/* RFC 9000 A.2: octets for `packet_number` when `largest_acked` is known to be received; UINT64_MAX: none yet.
 */
size_t quic_packet_number_size(uint64_t packet_number, uint64_t largest_acked);
/* RFC 9000 A.3: the packet number meant by `length` octets; `largest` is the largest one opened in the space,
 * UINT64_MAX: none yet. */
uint64_t quic_packet_number_decode(uint64_t largest, uint64_t truncated, size_t length);

/* A header to write. Version, scid and token are for long headers, spin and key_phase for short ones. */
struct quic_header {
	enum quic_packet_type type; /* not Retry or Version Negotiation */
	uint32_t version;
	struct quic_cid dcid;
	struct quic_cid scid;
	const uint8_t *token;
	size_t token_length;
	uint64_t packet_number;
	size_t packet_number_length;
	bool spin;
	bool key_phase;
};

/* Octets of the header, packet number included. A long header's Length field takes two octets, always. */
size_t quic_header_size(const struct quic_header *header);
/*
 * Writes the header, packet number last; false when it does not fit. *packet_number points to the packet number
 * in the packet. For long headers Length is filled in afterwards with quic_header_set_length().
 */
bool quic_header_write(struct base_writer *writer, const struct quic_header *header, uint8_t **packet_number);
/* `length`: octets from the packet number to the end of the tag, below 2^14. */
void quic_header_set_length(uint8_t *packet_number, size_t length);

/*
 * A Version Negotiation packet (RFC 9000 section 17.2.1) for `packet`, connection IDs swapped, with our
 * versions and a reserved one (section 6.3) made of `random`. False when it does not fit.
 */
bool quic_version_negotiation_write(
	struct base_writer *writer, const struct quic_packet *packet, uint32_t random);
/* True when the Version Negotiation packet lists `version`; *valid is false when it lists none or a torn one.
 */
bool quic_version_negotiation_lists(const struct quic_packet *packet, uint32_t version, bool *valid);

/* RFC 9000 section 17.2.5, all but the Retry Integrity Tag, which is for the caller to append. */
bool quic_retry_write(struct base_writer *writer, const struct quic_cid *dcid, const struct quic_cid *scid,
	const uint8_t *token, size_t token_length, uint8_t random, uint32_t version);

#endif
