/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/message.h"

#include <string.h>

#include "base/assert.h"
#include "base/reader.h"
#include "tls/alert.h"
#include "tls/allocate.h"

enum { HEADER_BYTES = 4, FIRST_ROOM_BYTES = 1024 };

void
tls_assembler_init(struct tls_assembler *assembler, uint32_t max_bytes)
{
	base_assert(max_bytes >= HEADER_BYTES);
	*assembler = (struct tls_assembler){.max_bytes = max_bytes};
}

/* Forgets the message that was handed out, or half of one. */
static void
forget(struct tls_assembler *assembler)
{
	if (assembler->octets != NULL) {
		explicit_bzero(assembler->octets, assembler->room);
		tls_release(assembler->octets);
	}
	assembler->octets = NULL;
	assembler->have = 0;
	assembler->room = 0;
}

void
tls_assembler_fini(struct tls_assembler *assembler)
{
	forget(assembler);
}

static uint32_t
message_bytes(const uint8_t *header)
{
	struct base_reader reader = base_reader(header, HEADER_BYTES);

	base_reader_u8(&reader);
	return HEADER_BYTES + base_reader_u24(&reader);
}

static enum tls_assembly
deliver(struct tls_message *message, const uint8_t *octets, uint32_t length)
{
	*message = (struct tls_message){.octets = octets, .length = length, .type = octets[0]};
	return TLS_ASSEMBLY_MESSAGE;
}

/* Room grows with what has arrived, not with what the header promises. */
static bool
make_room(struct tls_assembler *assembler, uint32_t wanted, uint32_t whole)
{
	uint32_t room = assembler->room * 2;
	uint8_t *octets;

	if (wanted <= assembler->room)
		return true;
	if (room < wanted)
		room = wanted;
	if (room < FIRST_ROOM_BYTES)
		room = FIRST_ROOM_BYTES;
	if (room > whole)
		room = whole;
	octets = tls_reallocate(assembler->octets, room);
	if (octets == NULL)
		return false;
	if (assembler->octets == NULL)
		memcpy(octets, assembler->header, HEADER_BYTES);
	assembler->octets = octets;
	assembler->room = room;
	return true;
}

enum tls_assembly
tls_assembler_next(
	struct tls_assembler *assembler, const uint8_t **octets, size_t *length, struct tls_message *message)
{
	uint32_t whole;
	size_t take;

	/* The message handed out by the last call is complete and done with. */
	if (assembler->have >= HEADER_BYTES && assembler->have == message_bytes(assembler->header))
		forget(assembler);
	/* The common case: all of the message is in the input, nothing to copy. */
	if (assembler->have == 0 && *length >= HEADER_BYTES && message_bytes(*octets) <= *length &&
		message_bytes(*octets) <= assembler->max_bytes) {
		whole = message_bytes(*octets);
		*octets += whole;
		*length -= whole;
		return deliver(message, *octets - whole, whole);
	}
	while (assembler->have<HEADER_BYTES && * length> 0) {
		assembler->header[assembler->have++] = *(*octets)++;
		(*length)--;
	}
	if (assembler->have < HEADER_BYTES)
		return TLS_ASSEMBLY_MORE;
	whole = message_bytes(assembler->header);
	if (whole > assembler->max_bytes)
		return TLS_ASSEMBLY_TOO_LONG;
	take = whole - assembler->have < *length ? whole - assembler->have : *length;
	if (!make_room(assembler, assembler->have + (uint32_t)take, whole))
		return TLS_ASSEMBLY_NO_MEMORY;
	if (take > 0)
		memcpy(assembler->octets + assembler->have, *octets, take);
	*octets += take;
	*length -= take;
	assembler->have += (uint32_t)take;
	return assembler->have == whole ? deliver(message, assembler->octets, whole) : TLS_ASSEMBLY_MORE;
}

uint32_t
tls_assembler_pending(const struct tls_assembler *assembler)
{
	if (assembler->have >= HEADER_BYTES && assembler->have == message_bytes(assembler->header))
		return 0;
	return assembler->have;
}

static bool
allowed_at_server(enum tls_level level, uint8_t type)
{
	switch (level) {
	case TLS_LEVEL_INITIAL:
		return type == TLS_MESSAGE_CLIENT_HELLO;
	case TLS_LEVEL_HANDSHAKE:
		return type == TLS_MESSAGE_CERTIFICATE || type == TLS_MESSAGE_CERTIFICATE_VERIFY ||
			type == TLS_MESSAGE_FINISHED;
	default:
		return false;
	}
}

static bool
allowed_at_client(enum tls_level level, uint8_t type)
{
	switch (level) {
	case TLS_LEVEL_INITIAL:
		return type == TLS_MESSAGE_SERVER_HELLO;
	case TLS_LEVEL_HANDSHAKE:
		return type == TLS_MESSAGE_ENCRYPTED_EXTENSIONS || type == TLS_MESSAGE_CERTIFICATE_REQUEST ||
			type == TLS_MESSAGE_CERTIFICATE || type == TLS_MESSAGE_CERTIFICATE_VERIFY ||
			type == TLS_MESSAGE_FINISHED;
	case TLS_LEVEL_APPLICATION:
		return type == TLS_MESSAGE_NEW_SESSION_TICKET;
	default:
		return false;
	}
}

uint64_t
tls_message_allowed(enum tls_role role, enum tls_level level, uint8_t type)
{
	if (role == TLS_SERVER ? allowed_at_server(level, type) : allowed_at_client(level, type))
		return 0;
	/* RFC 9001 section 4.4: post-handshake client authentication is a PROTOCOL_VIOLATION. */
	if (role == TLS_CLIENT && level == TLS_LEVEL_APPLICATION && type == TLS_MESSAGE_CERTIFICATE_REQUEST)
		return TLS_ERROR_PROTOCOL_VIOLATION;
	/* RFC 9001 section 6 (KeyUpdate) and section 8.3 (EndOfEarlyData), RFC 8446 section 4 (the rest). */
	return TLS_ERROR_ALERT(TLS_ALERT_UNEXPECTED_MESSAGE);
}
