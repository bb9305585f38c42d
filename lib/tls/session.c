/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/assert.h"
#include "base/reader.h"
#include "tls/alert.h"
#include "tls/allocate.h"

/* RFC 9001 section 8.2; wolfSSL would send a draft's number as well. */
enum { EXTENSION_TRANSPORT_PARAMETERS = 57 };

static bool
is_ip_literal(const char *name)
{
	uint8_t address[16];

	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* SNI carries host names only (RFC 6066 section 3); an address is verified, but not sent. */
static bool
client_set_name(struct tls_session *session, const char *name)
{
	struct tls_context *context = session->context;
	bool literal = is_ip_literal(name);

	if (strlen(name) > TLS_SERVER_NAME_BYTES)
		return false;
	memcpy(session->server_name, name, strlen(name) + 1);
	if (!literal &&
		wolfSSL_UseSNI(session->library, WOLFSSL_SNI_HOST_NAME, name, (unsigned short)strlen(name)) !=
			WOLFSSL_SUCCESS)
		return false;
	if (context->verify != TLS_VERIFY_CA)
		return true;
	if (literal)
		return wolfSSL_X509_VERIFY_PARAM_set1_ip_asc(wolfSSL_get0_param(session->library), name) ==
			WOLFSSL_SUCCESS;
	return wolfSSL_check_domain_name(session->library, name) == WOLFSSL_SUCCESS;
}

static bool
client_set_alpn(struct tls_session *session)
{
	const struct tls_context *context = session->context;
	char list[TLS_ALPN_MAX * (TLS_ALPN_BYTES + 1)] = "";

	for (uint32_t i = 0; i < context->alpn_count; i++) {
		if (i > 0)
			strcat(list, ",");
		strcat(list, context->alpn[i]);
	}
	return wolfSSL_UseALPN(session->library, list, (unsigned int)strlen(list),
		       WOLFSSL_ALPN_FAILED_ON_MISMATCH) == WOLFSSL_SUCCESS;
}

/* A ticket that is of no use is no error: the handshake is a full one then. */
static void
client_set_ticket(struct tls_session *session, const uint8_t *ticket, size_t length)
{
	const unsigned char *at = ticket;
	WOLFSSL_SESSION *saved = wolfSSL_d2i_SSL_SESSION(NULL, &at, (long)length);

	if (saved == NULL)
		return;
	wolfSSL_set_session(session->library, saved);
	wolfSSL_SESSION_free(saved);
}

static bool
client_start(struct tls_session *session, const struct tls_start *start)
{
	if (start->server_name != NULL && !client_set_name(session, start->server_name))
		return false;
	if (!client_set_alpn(session))
		return false;
	if (wolfSSL_UseKeyShare(session->library, session->context->first_group) != WOLFSSL_SUCCESS)
		return false;
	if (start->ticket != NULL)
		client_set_ticket(session, start->ticket, start->ticket_length);
	/* Nothing has come yet, so the library writes its ClientHello and then wants to read. */
	if (wolfSSL_quic_do_handshake(session->library) == WOLFSSL_SUCCESS)
		return false;
	return wolfSSL_get_error(session->library, 0) == WOLFSSL_ERROR_WANT_READ;
}

static bool
session_start(struct tls_session *session, const struct tls_start *start)
{
	WOLFSSL *library = session->library;

	if (start->transport_parameters_length > TLS_TRANSPORT_PARAMETERS_BYTES)
		return false;
	wolfSSL_set_app_data(library, session);
	wolfSSL_set_quic_transport_version(library, EXTENSION_TRANSPORT_PARAMETERS);
	if (wolfSSL_set_quic_transport_params(library, start->transport_parameters,
		    start->transport_parameters_length) != WOLFSSL_SUCCESS)
		return false;
	if (session->context->role == TLS_CLIENT)
		return client_start(session, start);
	if (session->context->ticket_keys.count == 0)
		wolfSSL_no_ticket_TLSv13(library);
	return true;
}

struct tls_session *
tls_open(struct tls_context *context, const struct tls_start *start)
{
	struct tls_session *session;

	base_assert(start->transport_parameters != NULL && start->transport_parameters_length > 0);
	if (!tls_plan_add(context->session_bytes))
		return NULL;
	/* Of the share that was just promised, or of the heap: only the limit of that can make it fail. */
	session = tls_allocate(sizeof(*session));
	if (session == NULL) {
		tls_plan_remove(NULL, context->session_bytes);
		return NULL;
	}
	memset(session, 0, sizeof(*session));
	session->context = context;
	session->alpn = -1;
	session->installed[TLS_LEVEL_INITIAL] = true;
	tls_assembler_init(&session->assembler, context->message_max_bytes);
	context->sessions++;
	session->library = wolfSSL_new(context->library);
	if (session->library == NULL || !session_start(session, start)) {
		tls_close(session);
		return NULL;
	}
	return session;
}

void
tls_close(struct tls_session *session)
{
	size_t bytes = session->context->session_bytes;

	base_assert(session->context->sessions > 0);
	session->context->sessions--;
	wolfSSL_free(session->library);
	tls_assembler_fini(&session->assembler);
	tls_events_free(session);
	explicit_bzero(session, sizeof(*session));
	tls_plan_remove(session, bytes);
	tls_release(session);
}

/* RFC 9001 section 4.8: the alert the library raised, or what its own error comes to. */
static uint64_t
library_error(struct tls_session *session)
{
	int error = wolfSSL_get_error(session->library, 0);

	if (error == MEMORY_E || error == MEMORY_ERROR || error == FWRITE_ERROR)
		return TLS_ERROR_INTERNAL;
	if (session->has_alert)
		return TLS_ERROR_ALERT(session->alert);
	/* Some faults it finds without a word. */
	if (error == MATCH_SUITE_ERROR || error == UNSUPPORTED_SUITE)
		return TLS_ERROR_ALERT(TLS_ALERT_HANDSHAKE_FAILURE);
	if (error == BUFFER_E || error == BUFFER_ERROR || error == LENGTH_ERROR || error == PARSE_ERROR)
		return TLS_ERROR_ALERT(TLS_ALERT_DECODE_ERROR);
	return TLS_ERROR_ALERT(TLS_ALERT_INTERNAL_ERROR);
}

/* RFC 9001 section 8.1: the server's own order decides. -1 when nothing is common. */
static int
choose_alpn(const struct tls_context *context, const struct tls_client_hello *hello)
{
	for (uint32_t i = 0; i < context->alpn_count; i++) {
		struct base_reader list = base_reader(hello->alpn, hello->alpn_length);
		size_t length = strlen(context->alpn[i]);

		while (base_reader_left(&list) > 0) {
			uint8_t offered_length = base_reader_u8(&list);
			const uint8_t *offered = base_reader_octets(&list, offered_length);

			if (offered != NULL && offered_length == length &&
				memcmp(offered, context->alpn[i], length) == 0)
				return (int)i;
		}
	}
	return -1;
}

/* The second ClientHello, after a HelloRetryRequest, may not change its mind (RFC 8446 section 4.1.2). */
static uint64_t
accept_hello(struct tls_session *session, const struct tls_message *message, struct tls_client_hello *hello)
{
	uint64_t error = tls_client_hello_check(message->octets, message->length, hello);
	int alpn;

	if (error != 0)
		return error;
	alpn = choose_alpn(session->context, hello);
	if (alpn < 0)
		return TLS_ERROR_ALERT(TLS_ALERT_NO_APPLICATION_PROTOCOL);
	if (session->alpn >= 0)
		return alpn == session->alpn && strcmp(session->server_name, hello->server_name) == 0
			? 0
			: TLS_ERROR_ALERT(TLS_ALERT_ILLEGAL_PARAMETER);
	session->alpn = alpn;
	memcpy(session->server_name, hello->server_name, sizeof(session->server_name));
	if (wolfSSL_UseALPN(session->library, session->context->alpn[alpn],
		    (unsigned int)strlen(session->context->alpn[alpn]),
		    WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS)
		return TLS_ERROR_INTERNAL;
	return 0;
}

static uint64_t
on_complete(struct tls_session *session)
{
	const struct tls_context *context = session->context;

	session->resumed = wolfSSL_session_reused(session->library) == 1;
	if (context->role == TLS_CLIENT && context->verify == TLS_VERIFY_PINNED && !session->resumed &&
		!tls_pin_matches(session))
		return TLS_ERROR_ALERT(TLS_ALERT_BAD_CERTIFICATE);
	session->complete = true;
	return tls_event_queue(session,
		       (struct tls_event){.type = TLS_EVENT_COMPLETE, .resumed = session->resumed}, NULL, 0)
		? 0
		: TLS_ERROR_INTERNAL;
}

/* Gives the library one message and lets it go as far as it can. */
static uint64_t
drive(struct tls_session *session, enum tls_level level, const struct tls_message *message)
{
	WOLFSSL *library = session->library;
	int result;

	if (wolfSSL_provide_quic_data(library, (WOLFSSL_ENCRYPTION_LEVEL)level, message->octets,
		    message->length) != WOLFSSL_SUCCESS)
		return TLS_ERROR_INTERNAL;
	result = session->complete ? wolfSSL_process_quic_post_handshake(library)
				   : wolfSSL_quic_do_handshake(library);
	if (result != WOLFSSL_SUCCESS && wolfSSL_get_error(library, result) != WOLFSSL_ERROR_WANT_READ)
		return library_error(session);
	if (session->has_alert)
		return TLS_ERROR_ALERT(session->alert);
	if (!tls_announce_peer(session))
		return TLS_ERROR_INTERNAL;
	return result == WOLFSSL_SUCCESS && !session->complete ? on_complete(session) : 0;
}

/* Client: the session as it is after a NewSessionTicket, as an opaque blob. */
static uint64_t
queue_ticket(struct tls_session *session)
{
	WOLFSSL_SESSION *saved = wolfSSL_get1_session(session->library);
	unsigned char *blob = NULL;
	int length;
	bool queued = true;

	length = saved != NULL ? wolfSSL_i2d_SSL_SESSION(saved, &blob) : 0;
	if (length > 0 && blob != NULL)
		queued = tls_event_queue(
			session, (struct tls_event){.type = TLS_EVENT_TICKET}, blob, (size_t)length);
	if (blob != NULL) {
		explicit_bzero(blob, (size_t)(length > 0 ? length : 0));
		wolfSSL_Free(blob);
	}
	wolfSSL_SESSION_free(saved);
	return queued ? 0 : TLS_ERROR_INTERNAL;
}

static uint64_t
handle_message(struct tls_session *session, enum tls_level level, const struct tls_message *message)
{
	struct tls_client_hello hello;
	uint64_t error = tls_message_allowed(session->context->role, level, message->type);

	if (error != 0)
		return error;
	if (message->type == TLS_MESSAGE_CLIENT_HELLO) {
		error = accept_hello(session, message, &hello);
		if (error != 0)
			return error;
		session->hello = &hello;
	}
	error = drive(session, level, message);
	session->hello = NULL;
	if (error != 0)
		return error;
	if (message->type == TLS_MESSAGE_ENCRYPTED_EXTENSIONS) {
		if (!session->parameters_announced)
			return TLS_ERROR_ALERT(TLS_ALERT_MISSING_EXTENSION); /* RFC 9001 section 8.2 */
		if (!session->alpn_announced)
			return TLS_ERROR_ALERT(TLS_ALERT_NO_APPLICATION_PROTOCOL); /* section 8.1 */
	}
	return message->type == TLS_MESSAGE_NEW_SESSION_TICKET ? queue_ticket(session) : 0;
}

static uint64_t
receive(struct tls_session *session, enum tls_level level, const uint8_t *octets, size_t length)
{
	struct tls_message message;

	while (length > 0) {
		enum tls_assembly assembly;
		uint64_t error;

		/*
		 * RFC 9001 section 4.1.3: no new octets at a level that the handshake has left, be they in this
		 * call or behind the message that ended the level.
		 */
		if (level < (enum tls_level)wolfSSL_quic_read_level(session->library))
			return TLS_ERROR_PROTOCOL_VIOLATION;
		assembly = tls_assembler_next(&session->assembler, &octets, &length, &message);
		if (assembly == TLS_ASSEMBLY_TOO_LONG)
			return TLS_ERROR_CRYPTO_BUFFER_EXCEEDED;
		if (assembly == TLS_ASSEMBLY_NO_MEMORY)
			return TLS_ERROR_INTERNAL;
		if (assembly == TLS_ASSEMBLY_MORE)
			return 0;
		error = handle_message(session, level, &message);
		if (error != 0)
			return error;
	}
	return 0;
}

uint64_t
tls_receive(struct tls_session *session, enum tls_level level, const uint8_t *octets, size_t length)
{
	uint64_t error;

	base_assert(level < TLS_LEVEL_COUNT);
	if (session->error != 0)
		return session->error;
	/* 0-RTT packets carry no CRYPTO (RFC 9000 section 12.4). */
	if (level == TLS_LEVEL_EARLY_DATA || !session->installed[level])
		error = TLS_ERROR_PROTOCOL_VIOLATION;
	/* A message does not go on at another level (RFC 8446 section 5.1). */
	else if (length > 0 && tls_assembler_pending(&session->assembler) > 0 && level != session->level)
		error = TLS_ERROR_ALERT(TLS_ALERT_UNEXPECTED_MESSAGE);
	else
		error = receive(session, level, octets, length);
	session->level = level;
	if (error == 0)
		return 0;
	session->error = error;
	/* Should memory be short even for this, the return value has said it. */
	tls_event_queue(session, (struct tls_event){.type = TLS_EVENT_ERROR, .error = error}, NULL, 0);
	return error;
}

const char *
tls_server_name(const struct tls_session *session)
{
	return session->server_name;
}

bool
tls_complete(const struct tls_session *session)
{
	return session->complete;
}

uint16_t
tls_group_used(const struct tls_session *session)
{
	static const struct {
		const char *name;
		uint16_t group;
	} names[] = {{"SECP256R1", TLS_GROUP_SECP256R1}, {"SECP384R1", TLS_GROUP_SECP384R1},
		{"X25519", TLS_GROUP_X25519}, {"X25519MLKEM768", TLS_GROUP_X25519MLKEM768}};
	const char *used = wolfSSL_get_curve_name(session->library);

	for (size_t i = 0; used != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(used, names[i].name) == 0)
			return names[i].group;
	}
	return 0;
}
