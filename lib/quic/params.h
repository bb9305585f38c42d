/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transport parameters: RFC 9000 sections 7.3, 7.4 and 18, RFC 9221 section 3, RFC 9287 section 3. What is
 * wrong gives TRANSPORT_PARAMETER_ERROR. A parsed set has every default of section 18.2 in place.
 */
#ifndef QUIC_PARAMS_H
#define QUIC_PARAMS_H

#include "base/random.h"
#include "base/writer.h"
#include "quic/constants.h"
#include "quic/error.h"

struct quic_preferred_address {
	uint8_t ipv4[4];
	uint16_t ipv4_port;
	uint8_t ipv6[16];
	uint16_t ipv6_port;
	struct quic_cid cid;
	uint8_t reset_token[QUIC_RESET_TOKEN_BYTES];
};

struct quic_params {
	uint64_t max_idle_timeout_ms; /* 0: none */
	uint64_t max_udp_payload_size;
	uint64_t initial_max_data;
	uint64_t initial_max_stream_data_bidi_local;
	uint64_t initial_max_stream_data_bidi_remote;
	uint64_t initial_max_stream_data_uni;
	uint64_t initial_max_streams_bidi;
	uint64_t initial_max_streams_uni;
	uint64_t active_connection_id_limit;
	uint64_t max_datagram_frame_size; /* 0: no DATAGRAM frames */
	uint16_t max_ack_delay_ms;
	uint8_t ack_delay_exponent;
	bool disable_active_migration;
	bool grease_quic_bit;
	bool has_original_destination_connection_id;
	bool has_initial_source_connection_id;
	bool has_retry_source_connection_id;
	bool has_stateless_reset_token;
	bool has_preferred_address;
	struct quic_cid original_destination_connection_id;
	struct quic_cid initial_source_connection_id;
	struct quic_cid retry_source_connection_id;
	uint8_t stateless_reset_token[QUIC_RESET_TOKEN_BYTES];
	struct quic_preferred_address preferred_address;
};

/* Every parameter absent, that is at its default. */
void quic_params_init(struct quic_params *params);
/* Reads what `sender` sent; QUIC_NO_ERROR or TRANSPORT_PARAMETER_ERROR. */
uint64_t quic_params_parse(
	struct quic_params *params, const uint8_t *octets, size_t length, enum quic_role sender);
/*
 * Writes the parameters of `sender` that differ from their defaults, and, when `grease` is given, one reserved
 * parameter (section 18.1) in a place of chance. False when they do not fit.
 */
bool quic_params_write(struct base_writer *writer, const struct quic_params *params, enum quic_role sender,
	struct base_random *grease);

/*
 * Section 7.3: the connection IDs that the peer (`sender`) names must be those seen in headers. `odcid` and
 * `retry_scid` are the client's view, NULL where there was none; `scid` is of the peer's first packet.
 */
uint64_t quic_params_authenticate(const struct quic_params *params, enum quic_role sender,
	const struct quic_cid *odcid, const struct quic_cid *scid, const struct quic_cid *retry_scid);
/* Section 7.4.1: a server that accepts 0-RTT must not lower a limit the client remembers; QUIC_NO_ERROR or
 * PROTOCOL_VIOLATION. */
uint64_t quic_params_check_remembered(const struct quic_params *remembered, const struct quic_params *now);

#endif
