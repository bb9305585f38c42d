/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "quic/params.h"

#include "base/assert.h"
#include "base/reader.h"
#include "quic/packet.h"

/* RFC 9000 section 18.2, RFC 9221 section 3, RFC 9287 section 3. */
enum {
	ORIGINAL_DESTINATION_CONNECTION_ID = 0x00,
	MAX_IDLE_TIMEOUT = 0x01,
	STATELESS_RESET_TOKEN = 0x02,
	MAX_UDP_PAYLOAD_SIZE = 0x03,
	INITIAL_MAX_DATA = 0x04,
	INITIAL_MAX_STREAM_DATA_BIDI_LOCAL = 0x05,
	INITIAL_MAX_STREAM_DATA_BIDI_REMOTE = 0x06,
	INITIAL_MAX_STREAM_DATA_UNI = 0x07,
	INITIAL_MAX_STREAMS_BIDI = 0x08,
	INITIAL_MAX_STREAMS_UNI = 0x09,
	ACK_DELAY_EXPONENT = 0x0a,
	MAX_ACK_DELAY = 0x0b,
	DISABLE_ACTIVE_MIGRATION = 0x0c,
	PREFERRED_ADDRESS = 0x0d,
	ACTIVE_CONNECTION_ID_LIMIT = 0x0e,
	INITIAL_SOURCE_CONNECTION_ID = 0x0f,
	RETRY_SOURCE_CONNECTION_ID = 0x10,
	MAX_DATAGRAM_FRAME_SIZE = 0x20,
	GREASE_QUIC_BIT = 0x2ab2,
	/* Section 7.4 asks for no duplicates of unknown parameters either; so many are remembered. */
	UNKNOWN_MAX = 64,
};

/* A parameter whose value is one integer: where it lives and what it may be. */
struct integer_rule {
	uint64_t id;
	uint64_t least;
	uint64_t most;
	uint64_t initial; /* when the parameter is absent */
	size_t offset;
	size_t size; /* of the member */
};

#define INTEGER(name, member, min, max, absent)                           \
	{                                                                 \
		.id = name, .least = min, .most = max, .initial = absent, \
		.offset = offsetof(struct quic_params, member),           \
		.size = sizeof(((struct quic_params *)NULL)->member)      \
	}

static const struct integer_rule integers[] = {
	INTEGER(MAX_IDLE_TIMEOUT, max_idle_timeout_ms, 0, BASE_VARINT_MAX, 0),
	INTEGER(MAX_UDP_PAYLOAD_SIZE, max_udp_payload_size, QUIC_DATAGRAM_MIN_BYTES, BASE_VARINT_MAX, 65527),
	INTEGER(INITIAL_MAX_DATA, initial_max_data, 0, BASE_VARINT_MAX, 0),
	INTEGER(INITIAL_MAX_STREAM_DATA_BIDI_LOCAL, initial_max_stream_data_bidi_local, 0, BASE_VARINT_MAX,
		0),
	INTEGER(INITIAL_MAX_STREAM_DATA_BIDI_REMOTE, initial_max_stream_data_bidi_remote, 0, BASE_VARINT_MAX,
		0),
	INTEGER(INITIAL_MAX_STREAM_DATA_UNI, initial_max_stream_data_uni, 0, BASE_VARINT_MAX, 0),
	INTEGER(INITIAL_MAX_STREAMS_BIDI, initial_max_streams_bidi, 0, QUIC_STREAMS_MAX, 0),
	INTEGER(INITIAL_MAX_STREAMS_UNI, initial_max_streams_uni, 0, QUIC_STREAMS_MAX, 0),
	INTEGER(ACK_DELAY_EXPONENT, ack_delay_exponent, 0, 20, 3),
	INTEGER(MAX_ACK_DELAY, max_ack_delay_ms, 0, (1 << 14) - 1, 25),
	INTEGER(ACTIVE_CONNECTION_ID_LIMIT, active_connection_id_limit, 2, BASE_VARINT_MAX, 2),
	INTEGER(MAX_DATAGRAM_FRAME_SIZE, max_datagram_frame_size, 0, BASE_VARINT_MAX, 0),
};

enum { INTEGERS = sizeof(integers) / sizeof(integers[0]) };

static void
integer_set(struct quic_params *params, const struct integer_rule *rule, uint64_t value)
{
	uint8_t *member = (uint8_t *)params + rule->offset;
	uint16_t two = (uint16_t)value;
	uint8_t one = (uint8_t)value;

	if (rule->size == sizeof(value))
		memcpy(member, &value, sizeof(value));
	else if (rule->size == sizeof(two))
		memcpy(member, &two, sizeof(two));
	else
		memcpy(member, &one, sizeof(one));
}

static uint64_t
integer_get(const struct quic_params *params, const struct integer_rule *rule)
{
	const uint8_t *member = (const uint8_t *)params + rule->offset;
	uint64_t value;
	uint16_t two;

	if (rule->size == sizeof(value)) {
		memcpy(&value, member, sizeof(value));
		return value;
	}
	if (rule->size == sizeof(two)) {
		memcpy(&two, member, sizeof(two));
		return two;
	}
	return *member;
}

void
quic_params_init(struct quic_params *params)
{
	memset(params, 0, sizeof(*params));
	for (size_t i = 0; i < INTEGERS; i++)
		integer_set(params, &integers[i], integers[i].initial);
}

/* What has been seen of one set of parameters, to find duplicates. */
struct seen {
	uint64_t known; /* a bit per ID below 63; bit 63: grease_quic_bit */
	uint64_t unknown[UNKNOWN_MAX];
	size_t unknown_count;
};

static bool
is_known(uint64_t id)
{
	return id <= RETRY_SOURCE_CONNECTION_ID || id == MAX_DATAGRAM_FRAME_SIZE || id == GREASE_QUIC_BIT;
}

/* True when the parameter comes for the first time. */
static bool
first_time(struct seen *seen, uint64_t id)
{
	if (is_known(id)) {
		uint64_t bit = UINT64_C(1) << (id == GREASE_QUIC_BIT ? 63 : id);
		bool first = (seen->known & bit) == 0;

		seen->known |= bit;
		return first;
	}
	for (size_t i = 0; i < seen->unknown_count; i++)
		if (seen->unknown[i] == id)
			return false;
	if (seen->unknown_count < UNKNOWN_MAX)
		seen->unknown[seen->unknown_count++] = id;
	return true;
}

/* Each returns false when the value is not what section 18.2 allows. */
static bool
parse_cid(struct base_reader *value, struct quic_cid *cid, bool *has)
{
	size_t length = base_reader_left(value);

	if (length > QUIC_CID_MAX_BYTES)
		return false;
	*cid = quic_cid(base_reader_octets(value, length), length);
	*has = true;
	return true;
}

static bool
parse_preferred_address(struct base_reader *value, struct quic_params *params)
{
	struct quic_preferred_address *address = &params->preferred_address;
	uint8_t length;

	base_reader_copy(value, address->ipv4, sizeof(address->ipv4));
	address->ipv4_port = base_reader_u16(value);
	base_reader_copy(value, address->ipv6, sizeof(address->ipv6));
	address->ipv6_port = base_reader_u16(value);
	length = base_reader_u8(value);
	/* A zero-length connection ID is a TRANSPORT_PARAMETER_ERROR. */
	if (!base_reader_ok(value) || length == 0 || length > QUIC_CID_MAX_BYTES)
		return false;
	address->cid = (struct quic_cid){.length = length};
	base_reader_copy(value, address->cid.octets, length);
	base_reader_copy(value, address->reset_token, sizeof(address->reset_token));
	params->has_preferred_address = true;
	return base_reader_ok(value);
}

static bool
parse_integer(struct base_reader *value, uint64_t id, struct quic_params *params)
{
	uint64_t number;

	for (size_t i = 0; i < INTEGERS; i++) {
		if (integers[i].id != id)
			continue;
		number = base_reader_varint(value);
		if (!base_reader_ok(value) || number < integers[i].least || number > integers[i].most)
			return false;
		integer_set(params, &integers[i], number);
		return true;
	}
	/* Section 7.4.2: an endpoint MUST ignore transport parameters that it does not support. */
	value->at = value->end;
	return true;
}

/* Section 18.2: what a client MUST NOT send. */
static bool
is_server_only(uint64_t id)
{
	return id == ORIGINAL_DESTINATION_CONNECTION_ID || id == STATELESS_RESET_TOKEN ||
		id == PREFERRED_ADDRESS || id == RETRY_SOURCE_CONNECTION_ID;
}

static bool
parse_value(struct base_reader *value, uint64_t id, struct quic_params *params)
{
	switch (id) {
	case ORIGINAL_DESTINATION_CONNECTION_ID:
		return parse_cid(value, &params->original_destination_connection_id,
			&params->has_original_destination_connection_id);
	case INITIAL_SOURCE_CONNECTION_ID:
		return parse_cid(value, &params->initial_source_connection_id,
			&params->has_initial_source_connection_id);
	case RETRY_SOURCE_CONNECTION_ID:
		return parse_cid(
			value, &params->retry_source_connection_id, &params->has_retry_source_connection_id);
	case STATELESS_RESET_TOKEN:
		base_reader_copy(value, params->stateless_reset_token, QUIC_RESET_TOKEN_BYTES);
		params->has_stateless_reset_token = true;
		return base_reader_ok(value);
	case DISABLE_ACTIVE_MIGRATION:
		params->disable_active_migration = true;
		return true;
	case GREASE_QUIC_BIT:
		params->grease_quic_bit = true;
		return true;
	case PREFERRED_ADDRESS:
		return parse_preferred_address(value, params);
	default:
		return parse_integer(value, id, params);
	}
}

uint64_t
quic_params_parse(struct quic_params *params, const uint8_t *octets, size_t length, enum quic_role sender)
{
	struct base_reader reader = base_reader(octets, length);
	struct seen seen = {0};

	quic_params_init(params);
	while (base_reader_left(&reader) > 0) {
		uint64_t id = base_reader_varint(&reader);
		uint64_t value_length = base_reader_varint(&reader);
		struct base_reader value;

		if (!base_reader_ok(&reader) || value_length > base_reader_left(&reader))
			return QUIC_TRANSPORT_PARAMETER_ERROR;
		value = base_reader_sub(&reader, (size_t)value_length);
		if (!first_time(&seen, id) || (sender == QUIC_CLIENT && is_server_only(id)))
			return QUIC_TRANSPORT_PARAMETER_ERROR;
		if (!parse_value(&value, id, params) || base_reader_left(&value) > 0)
			return QUIC_TRANSPORT_PARAMETER_ERROR;
	}
	/* Section 18.2: who chose a zero-length connection ID must not provide a preferred address. */
	if (params->has_preferred_address && params->has_initial_source_connection_id &&
		params->initial_source_connection_id.length == 0)
		return QUIC_TRANSPORT_PARAMETER_ERROR;
	return QUIC_NO_ERROR;
}

static void
write_octets(struct base_writer *writer, uint64_t id, const void *octets, size_t length)
{
	base_writer_varint(writer, id);
	base_writer_varint(writer, length);
	base_writer_octets(writer, octets, length);
}

static void
write_integer(struct base_writer *writer, const struct quic_params *params, const struct integer_rule *rule)
{
	uint64_t value = integer_get(params, rule);

	base_assert(value >= rule->least && value <= rule->most);
	if (value == rule->initial)
		return;
	base_writer_varint(writer, rule->id);
	base_writer_varint(writer, base_varint_length(value));
	base_writer_varint(writer, value);
}

static void
write_preferred_address(struct base_writer *writer, const struct quic_preferred_address *address)
{
	base_assert(address->cid.length > 0);
	base_writer_varint(writer, PREFERRED_ADDRESS);
	base_writer_varint(writer, 4 + 2 + 16 + 2 + 1 + address->cid.length + QUIC_RESET_TOKEN_BYTES);
	base_writer_octets(writer, address->ipv4, sizeof(address->ipv4));
	base_writer_u16(writer, address->ipv4_port);
	base_writer_octets(writer, address->ipv6, sizeof(address->ipv6));
	base_writer_u16(writer, address->ipv6_port);
	base_writer_u8(writer, address->cid.length);
	base_writer_octets(writer, address->cid.octets, address->cid.length);
	base_writer_octets(writer, address->reset_token, sizeof(address->reset_token));
}

static void
write_of_server(struct base_writer *writer, const struct quic_params *params)
{
	if (params->has_original_destination_connection_id)
		write_octets(writer, ORIGINAL_DESTINATION_CONNECTION_ID,
			params->original_destination_connection_id.octets,
			params->original_destination_connection_id.length);
	if (params->has_retry_source_connection_id)
		write_octets(writer, RETRY_SOURCE_CONNECTION_ID, params->retry_source_connection_id.octets,
			params->retry_source_connection_id.length);
	if (params->has_stateless_reset_token)
		write_octets(
			writer, STATELESS_RESET_TOKEN, params->stateless_reset_token, QUIC_RESET_TOKEN_BYTES);
	if (params->has_preferred_address)
		write_preferred_address(writer, &params->preferred_address);
}

/* Section 18.1: an ID of 31 * N + 27 and up to 16 octets of chance. */
static void
write_grease(struct base_writer *writer, struct base_random *random)
{
	uint8_t octets[16];
	size_t length = base_random_below(random, sizeof(octets) + 1);

	base_random_fill(random, octets, length);
	write_octets(writer, 31 * base_random_below(random, UINT64_C(1) << 56) + 27, octets, length);
}

bool
quic_params_write(struct base_writer *writer, const struct quic_params *params, enum quic_role sender,
	struct base_random *grease)
{
	size_t grease_at = grease != NULL ? base_random_below(grease, INTEGERS) : INTEGERS;

	base_assert(sender == QUIC_SERVER ||
		(!params->has_original_destination_connection_id && !params->has_stateless_reset_token &&
			!params->has_preferred_address && !params->has_retry_source_connection_id));
	for (size_t i = 0; i < INTEGERS; i++) {
		if (i == grease_at)
			write_grease(writer, grease);
		write_integer(writer, params, &integers[i]);
	}
	if (params->disable_active_migration)
		write_octets(writer, DISABLE_ACTIVE_MIGRATION, NULL, 0);
	if (params->grease_quic_bit)
		write_octets(writer, GREASE_QUIC_BIT, NULL, 0);
	if (params->has_initial_source_connection_id)
		write_octets(writer, INITIAL_SOURCE_CONNECTION_ID,
			params->initial_source_connection_id.octets,
			params->initial_source_connection_id.length);
	if (sender == QUIC_SERVER)
		write_of_server(writer, params);
	return base_writer_ok(writer);
}

/* What is sent must be what was seen, both being absent included. */
static bool
same_cid(bool has, const struct quic_cid *sent, const struct quic_cid *seen)
{
	if (seen == NULL)
		return !has;
	return has && quic_cid_equal(sent, seen);
}

uint64_t
quic_params_authenticate(const struct quic_params *params, enum quic_role sender,
	const struct quic_cid *odcid, const struct quic_cid *scid, const struct quic_cid *retry_scid)
{
	base_assert(scid != NULL);
	if (!same_cid(params->has_initial_source_connection_id, &params->initial_source_connection_id, scid))
		return QUIC_TRANSPORT_PARAMETER_ERROR;
	if (sender == QUIC_CLIENT)
		return QUIC_NO_ERROR;
	base_assert(odcid != NULL);
	if (!same_cid(params->has_original_destination_connection_id,
		    &params->original_destination_connection_id, odcid))
		return QUIC_TRANSPORT_PARAMETER_ERROR;
	if (!same_cid(
		    params->has_retry_source_connection_id, &params->retry_source_connection_id, retry_scid))
		return QUIC_TRANSPORT_PARAMETER_ERROR;
	return QUIC_NO_ERROR;
}

uint64_t
quic_params_check_remembered(const struct quic_params *remembered, const struct quic_params *now)
{
	static const uint64_t limits[] = {INITIAL_MAX_DATA, INITIAL_MAX_STREAM_DATA_BIDI_LOCAL,
		INITIAL_MAX_STREAM_DATA_BIDI_REMOTE, INITIAL_MAX_STREAM_DATA_UNI, INITIAL_MAX_STREAMS_BIDI,
		INITIAL_MAX_STREAMS_UNI, ACTIVE_CONNECTION_ID_LIMIT, MAX_DATAGRAM_FRAME_SIZE};

	for (size_t i = 0; i < INTEGERS; i++)
		for (size_t j = 0; j < sizeof(limits) / sizeof(limits[0]); j++)
			if (integers[i].id == limits[j] &&
				integer_get(now, &integers[i]) < integer_get(remembered, &integers[i]))
				return QUIC_PROTOCOL_VIOLATION;
	return QUIC_NO_ERROR;
}
