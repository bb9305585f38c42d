/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the library says during a handshake, queued for tls_next_event(). */
#include "tls/internal.h"

#include <string.h>

#include "base/assert.h"
#include "tls/allocate.h"

bool
tls_event_queue(struct tls_session *session, struct tls_event event, const uint8_t *octets, size_t length)
{
	struct tls_queued_event *queued = tls_allocate(sizeof(*queued) + length);

	if (queued == NULL)
		return false;
	queued->next = NULL;
	queued->event = event;
	queued->event.octets = queued->octets;
	queued->event.length = length;
	if (length > 0)
		memcpy(queued->octets, octets, length);
	if (session->last != NULL)
		session->last->next = queued;
	else
		session->first = queued;
	session->last = queued;
	return true;
}

/* Secrets pass through here, so nothing is freed with its octets. */
static void
event_free(struct tls_queued_event *queued)
{
	if (queued == NULL)
		return;
	explicit_bzero(queued->octets, queued->event.length);
	tls_release(queued);
}

void
tls_events_free(struct tls_session *session)
{
	event_free(session->given);
	session->given = NULL;
	while (session->first != NULL) {
		struct tls_queued_event *queued = session->first;

		session->first = queued->next;
		event_free(queued);
	}
	session->last = NULL;
}

bool
tls_next_event(struct tls_session *session, struct tls_event *event)
{
	struct tls_queued_event *queued = session->first;

	event_free(session->given);
	session->given = queued;
	if (queued == NULL)
		return false;
	session->first = queued->next;
	if (session->first == NULL)
		session->last = NULL;
	*event = queued->event;
	return true;
}

static bool
announce_parameters(struct tls_session *session)
{
	const uint8_t *octets = NULL;
	size_t length = 0;

	if (session->context->role == TLS_SERVER) {
		octets = session->hello->transport_parameters;
		length = session->hello->transport_parameters_length;
	} else {
		wolfSSL_get_peer_quic_transport_params(session->library, &octets, &length);
		if (octets == NULL)
			return true;
	}
	session->parameters_announced = true;
	return tls_event_queue(
		session, (struct tls_event){.type = TLS_EVENT_TRANSPORT_PARAMETERS}, octets, length);
}

static bool
announce_alpn(struct tls_session *session)
{
	char *name = NULL;
	word16 length = 0;

	if (session->context->role == TLS_SERVER) {
		name = session->context->alpn[session->alpn];
		length = (word16)strlen(name);
	} else if (wolfSSL_ALPN_GetProtocol(session->library, &name, &length) != WOLFSSL_SUCCESS ||
		length == 0) {
		return true;
	}
	session->alpn_announced = true;
	return tls_event_queue(
		session, (struct tls_event){.type = TLS_EVENT_ALPN}, (const uint8_t *)name, length);
}

bool
tls_announce_peer(struct tls_session *session)
{
	if (session->context->role == TLS_SERVER && session->hello == NULL)
		return true;
	if (!session->parameters_announced && !announce_parameters(session))
		return false;
	/* In this order, so that a client never announces a protocol before the parameters of the same message. */
	return session->alpn_announced || !session->parameters_announced || announce_alpn(session);
}

static bool
queue_secret(struct tls_session *session, enum tls_level level, enum tls_direction direction,
	const uint8_t *secret, size_t length)
{
	/* The numbers of RFC 8446 appendix B.4 for all three suites share their first octet. */
	uint16_t suite = (uint16_t)(wolfSSL_get_current_cipher_suite(session->library) & 0xffff);

	if (secret == NULL)
		return true;
	if (direction == TLS_RECEIVE)
		session->installed[level] = true;
	return tls_event_queue(session,
		(struct tls_event){.type = TLS_EVENT_SECRET,
			.level = level,
			.direction = direction,
			.cipher_suite = suite},
		secret, length);
}

static int
on_secrets(WOLFSSL *library, WOLFSSL_ENCRYPTION_LEVEL level, const uint8_t *receive_secret,
	const uint8_t *send_secret, size_t length)
{
	struct tls_session *session = wolfSSL_get_app_data(library);

	base_assert(length <= TLS_SECRET_BYTES);
	return tls_announce_peer(session) &&
		queue_secret(session, (enum tls_level)level, TLS_SEND, send_secret, length) &&
		queue_secret(session, (enum tls_level)level, TLS_RECEIVE, receive_secret, length);
}

static int
on_crypto(WOLFSSL *library, WOLFSSL_ENCRYPTION_LEVEL level, const uint8_t *octets, size_t length)
{
	struct tls_session *session = wolfSSL_get_app_data(library);
	struct tls_event event = {.type = TLS_EVENT_CRYPTO, .level = (enum tls_level)level};

	return tls_event_queue(session, event, octets, length);
}

static int
on_flush(WOLFSSL *library)
{
	return 1;
}

static int
on_alert(WOLFSSL *library, WOLFSSL_ENCRYPTION_LEVEL level, uint8_t alert)
{
	struct tls_session *session = wolfSSL_get_app_data(library);

	/* The first one says why; what follows is consequence. */
	if (!session->has_alert) {
		session->has_alert = true;
		session->alert = alert;
	}
	return 1;
}

const WOLFSSL_QUIC_METHOD tls_quic_method = {
	.set_encryption_secrets = on_secrets,
	.add_handshake_data = on_crypto,
	.flush_flight = on_flush,
	.send_alert = on_alert,
};
