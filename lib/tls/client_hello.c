/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/client_hello.h"

#include <stdbool.h>
#include <string.h>

#include "base/reader.h"
#include "tls/alert.h"
#include "tls/tls.h"

enum { VERSION_TLS13 = 0x0304, HANDSHAKE_HEADER_BYTES = 4, RANDOM_BYTES = 32, NAME_TYPE_HOST = 0 };

/* RFC 8446 section 4.2, RFC 6066, RFC 7301, RFC 9001. */
enum extension {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_ALPN = 16,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_SUPPORTED_VERSIONS = 43,
	EXTENSION_KEY_SHARE = 51,
	EXTENSION_TRANSPORT_PARAMETERS = 57
};

/* A set of 16-bit code points, so that looking for a duplicate costs the same whatever a peer sends. */
struct seen {
	uint64_t words[65536 / 64];
};

static bool
seen_before(struct seen *seen, uint16_t value)
{
	uint64_t bit = UINT64_C(1) << (value % 64);
	bool before = (seen->words[value / 64] & bit) != 0;

	seen->words[value / 64] |= bit;
	return before;
}

struct parse {
	struct tls_client_hello *hello;
	bool tls13;
	bool has_alpn;
	bool has_transport_parameters;
};

static uint64_t
finished(const struct base_reader *reader)
{
	return base_reader_ok(reader) && base_reader_left(reader) == 0
		? 0
		: TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
}

/* RFC 6066 section 3. A name with octets that no host name has is refused, as it may end up in logs and paths. */
static uint64_t
parse_server_name(struct parse *parse, struct base_reader body)
{
	struct base_reader list = base_reader_sub(&body, base_reader_u16(&body));
	bool found = false;

	if (finished(&body) != 0 || base_reader_left(&list) == 0)
		return TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
	while (base_reader_left(&list) > 0) {
		uint8_t type = base_reader_u8(&list);
		uint16_t length = base_reader_u16(&list);
		const uint8_t *name = base_reader_octets(&list, length);

		if (name == NULL || length == 0)
			return TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
		if (type != NAME_TYPE_HOST)
			continue;
		if (found || length > TLS_CLIENT_HELLO_NAME_BYTES)
			return TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER);
		found = true;
		for (uint16_t i = 0; i < length; i++) {
			uint8_t octet = name[i];

			if (octet <= ' ' || octet >= 0x7f || octet == '/')
				return TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER);
			parse->hello->server_name[i] =
				(char)(octet >= 'A' && octet <= 'Z' ? octet + ('a' - 'A') : octet);
		}
		parse->hello->server_name[length] = '\0';
	}
	return finished(&list);
}

/* RFC 7301 section 3.1: "Empty strings MUST NOT be included". */
static uint64_t
parse_alpn(struct parse *parse, struct base_reader body)
{
	struct base_reader list = base_reader_sub(&body, base_reader_u16(&body));

	if (finished(&body) != 0 || base_reader_left(&list) == 0)
		return TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
	parse->hello->alpn = list.at;
	parse->hello->alpn_length = base_reader_left(&list);
	parse->has_alpn = true;
	while (base_reader_left(&list) > 0) {
		uint8_t length = base_reader_u8(&list);

		if (length == 0 || base_reader_octets(&list, length) == NULL)
			return TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
	}
	return finished(&list);
}

static uint64_t
parse_supported_versions(struct parse *parse, struct base_reader body)
{
	struct base_reader list = base_reader_sub(&body, base_reader_u8(&body));

	if (finished(&body) != 0 || base_reader_left(&list) < 2)
		return TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
	while (base_reader_left(&list) > 0) {
		if (base_reader_u16(&list) == VERSION_TLS13)
			parse->tls13 = true;
	}
	return finished(&list);
}

/* RFC 8446 section 4.2.8: "Clients MUST NOT offer multiple KeyShareEntry values for the same group." */
static uint64_t
parse_key_share(struct base_reader body)
{
	struct base_reader list = base_reader_sub(&body, base_reader_u16(&body));
	struct seen groups;

	if (finished(&body) != 0)
		return TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
	memset(&groups, 0, sizeof(groups));
	while (base_reader_left(&list) > 0) {
		uint16_t group = base_reader_u16(&list);
		uint16_t length = base_reader_u16(&list);

		if (base_reader_octets(&list, length) == NULL || length == 0)
			return TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
		if (seen_before(&groups, group))
			return TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER);
	}
	return finished(&list);
}

static uint64_t
parse_extension(struct parse *parse, uint16_t type, struct base_reader body)
{
	switch (type) {
	case EXTENSION_SERVER_NAME:
		return parse_server_name(parse, body);
	case EXTENSION_ALPN:
		return parse_alpn(parse, body);
	case EXTENSION_SUPPORTED_VERSIONS:
		return parse_supported_versions(parse, body);
	case EXTENSION_KEY_SHARE:
		return parse_key_share(body);
	case EXTENSION_TRANSPORT_PARAMETERS:
		if (base_reader_left(&body) > TLS_TRANSPORT_PARAMETERS_BYTES)
			return TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER);
		parse->hello->transport_parameters = body.at;
		parse->hello->transport_parameters_length = base_reader_left(&body);
		parse->has_transport_parameters = true;
		return 0;
	default:
		return 0;
	}
}

static uint64_t
parse_extensions(struct parse *parse, struct base_reader list)
{
	struct seen types;

	memset(&types, 0, sizeof(types));
	while (base_reader_left(&list) > 0) {
		uint16_t type = base_reader_u16(&list);
		struct base_reader body = base_reader_sub(&list, base_reader_u16(&list));
		uint64_t error;

		if (!base_reader_ok(&list))
			return TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
		/* RFC 8446 section 4.2: no two of a type, and pre_shared_key (section 4.2.11) is the last. */
		if (seen_before(&types, type))
			return TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER);
		if (type == EXTENSION_PRE_SHARED_KEY && base_reader_left(&list) > 0)
			return TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER);
		error = parse_extension(parse, type, body);
		if (error != 0)
			return error;
	}
	return finished(&list);
}

uint64_t
tls_client_hello_check(const uint8_t *message, size_t length, struct tls_client_hello *hello)
{
	struct base_reader reader = base_reader(message, length);
	struct parse parse = {.hello = hello};
	struct base_reader session_id, suites, compression, extensions;
	uint64_t error;

	memset(hello, 0, sizeof(*hello));
	base_reader_octets(&reader, HANDSHAKE_HEADER_BYTES);
	base_reader_u16(&reader); /* legacy_version: supported_versions decides */
	base_reader_octets(&reader, RANDOM_BYTES);
	session_id = base_reader_sub(&reader, base_reader_u8(&reader));
	suites = base_reader_sub(&reader, base_reader_u16(&reader));
	compression = base_reader_sub(&reader, base_reader_u8(&reader));
	/* One of an older TLS may have no extensions at all: that is a wrong version, not a broken message. */
	if (base_reader_ok(&reader) && base_reader_left(&reader) == 0)
		return TLS_ERROR_ALERT(TLS_ALERT_PROTOCOL_VERSION);
	extensions = base_reader_sub(&reader, base_reader_u16(&reader));
	if (finished(&reader) != 0 || base_reader_left(&suites) < 2 || base_reader_left(&suites) % 2 != 0)
		return TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
	if (base_reader_left(&session_id) > 0)
		return TLS_ERROR_PROTOCOL_VIOLATION;
	error = parse_extensions(&parse, extensions);
	if (error != 0)
		return error;
	/* RFC 9001 section 4.2: "MUST NOT negotiate a version of TLS older than 1.3". */
	if (!parse.tls13)
		return TLS_ERROR_ALERT(TLS_ALERT_PROTOCOL_VERSION);
	if (base_reader_left(&compression) != 1 || base_reader_u8(&compression) != 0)
		return TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER);
	if (!parse.has_transport_parameters)
		return TLS_ERROR_ALERT(TLS_ALERT_MISSING_EXTENSION);
	if (!parse.has_alpn)
		return TLS_ERROR_ALERT(TLS_ALERT_NO_APPLICATION_PROTOCOL);
	return 0;
}
